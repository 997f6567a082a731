/* The functions of jobpool/client.h that begin and end a client, and its calls. */
#include "client/client_internal.h"

#include <string.h>

enum { CONNECT_TIMEOUT_MS = 5000 };

char *jp__text_of(const cJSON *item) {
    struct jp_str text = {0};
    jp_json_print(item, &text);
    return jp_str_take(&text);
}

cJSON *jp__tree_of(const char *text) {
    static const struct jp_json_rules rules = {.max_bytes = JP_CLIENT_LINE_MAX, .max_depth = JP__DEPTH_MAX};
    struct jp_json json = {0};
    struct jp_json_place place;
    struct jp_error error;
    if (jp_json_parse(text, strlen(text), &rules, &json, &place, &error) != JP_OK)
        return NULL;
    cJSON *tree = jp_json_take_root(&json);
    jp_json_free(&json);
    return tree;
}

void jp_client_free_text(char *text) { jp_free(text); }

void jp_client_answer_clear(struct jp_client_answer *answer) {
    jp_free(answer->result);
    jp_free(answer->refusal);
    *answer = (struct jp_client_answer){0};
}

/* --- the beginning --- */

static jp_status system_failed(const char *operation, struct jp_error *error) {
    DWORD code = GetLastError();
    return jp_fail_win32(error, JP_E_SYSTEM, code, operation, "cannot prepare the connection");
}

/* The callback thread waits for the lock until its number is known. */
static jp_status start_threads(struct jp_client *client, struct jp_error *error) {
    client->wake = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (client->wake == NULL)
        return system_failed("CreateEventW", error);
    jp_status status = JP_OK;
    AcquireSRWLockExclusive(&client->lock);
    client->callback_thread = CreateThread(NULL, 0, jp__callback_main, client, 0, &client->callback_thread_id);
    if (client->callback_thread == NULL)
        status = system_failed("CreateThread", error);
    if (status == JP_OK) {
        client->io_thread = CreateThread(NULL, 0, jp__io_main, client, 0, NULL);
        if (client->io_thread == NULL)
            status = system_failed("CreateThread", error);
    }
    client->io_ended = status != JP_OK;
    ReleaseSRWLockExclusive(&client->lock);
    if (client->io_ended && client->callback_thread != NULL)
        WaitForSingleObject(client->callback_thread, INFINITE);
    return status;
}

jp_status jp_client_connect(const struct jp_client_options *given, struct jp_client **ret_client, struct jp_error *error) {
    static const struct jp_client_options defaults;
    struct jp_client_options options = given == NULL ? defaults : *given;
    *error = (struct jp_error){0};
    struct jp_pipe_options how = {
        .name = options.pipe,
        .level = options.impersonate ? JP_PIPE_IMPERSONATE : JP_PIPE_IDENTIFY,
        .timeout_ms = options.connect_timeout_ms == 0 ? CONNECT_TIMEOUT_MS : options.connect_timeout_ms,
    };
    struct jp_pipe *pipe = NULL;
    jp_status status = jp_pipe_open(&how, &pipe, error);
    if (status != JP_OK)
        return status;
    struct jp_client *client = jp_alloc(sizeof *client);
    InitializeSRWLock(&client->lock);
    InitializeConditionVariable(&client->changed);
    client->pipe = pipe;
    client->pipe_name = jp_strdup(options.pipe);
    client->options = options;
    client->options.pipe = client->pipe_name;
    client->connected = true;
    client->connected_since_ms = GetTickCount64();
    status = start_threads(client, error);
    if (status == JP_OK)
        *ret_client = client;
    else
        jp__client_free(client);
    return status;
}

/* --- the end --- */

/* Nobody else knows it any more, and its threads have ended or are this one. */
void jp__client_free(struct jp_client *client) {
    if (client->io_thread != NULL) {
        WaitForSingleObject(client->io_thread, INFINITE);
        CloseHandle(client->io_thread);
    }
    AcquireSRWLockExclusive(&client->lock);
    while (client->inside > 0)
        SleepConditionVariableSRW(&client->changed, &client->lock, INFINITE, 0);
    ReleaseSRWLockExclusive(&client->lock);
    if (client->callback_thread != NULL)
        CloseHandle(client->callback_thread);
    if (client->wake != NULL)
        CloseHandle(client->wake);
    jp_pipe_close(client->pipe); /* where no thread was ever started */
    jp_str_free(&client->received);
    jp_client_answer_clear(&client->last_words);
    jp_free(client->pipe_name);
    jp_free(client);
}

void jp_client_close(struct jp_client *client) {
    if (client == NULL)
        return;
    bool from_callback = jp__is_callback(client);
    AcquireSRWLockExclusive(&client->lock);
    client->closing = true;
    client->free_at_end = from_callback;
    HANDLE callback_thread = client->callback_thread;
    SetEvent(client->wake);
    ReleaseSRWLockExclusive(&client->lock);
    if (from_callback)
        return;
    WaitForSingleObject(callback_thread, INFINITE);
    jp__client_free(client);
}

/* --- calls --- */

jp_status jp__may_ask(const struct jp_client *client, size_t length, struct jp_error *error) {
    if (client->closing)
        return jp_fail(error, JP_E_CANCELLED, "the connection is being closed by this program");
    if (client->gone) {
        *error = client->reason;
        return error->status;
    }
    if (client->call_count >= JP_CLIENT_CALLS_MAX)
        return jp_fail(error, JP_E_QUOTA, "%d calls are not answered yet: that is the bound", JP_CLIENT_CALLS_MAX);
    if (client->unsent_bytes + length > JP_CLIENT_UNSENT_MAX)
        return jp_fail(error, JP_E_QUOTA, "the service has not read %zu bytes of requests yet: that is the bound", client->unsent_bytes);
    return JP_OK;
}

static uint64_t deadline(uint32_t timeout_ms) {
    return timeout_ms == 0 ? JP__NEVER : jp__later(GetTickCount64(), timeout_ms);
}

/* With `ret_call`, the call has a reference more, the caller's, who is inside. */
static jp_status begin(struct jp_client *client, enum jp__owner owner, const struct jp_client_request *request, struct jp__call **ret_call,
                       uint64_t *ret_id, struct jp_error *error) {
    struct jp_str line = {0};
    AcquireSRWLockExclusive(&client->lock);
    uint64_t id = jp__next_id(client);
    ReleaseSRWLockExclusive(&client->lock);
    jp_status status = jp__make_line(request->method, request->params, id, request->on_progress != NULL, &line, error);
    if (status != JP_OK)
        return status;
    AcquireSRWLockExclusive(&client->lock);
    status = jp__may_ask(client, line.length, error);
    if (status == JP_OK) {
        struct jp__call *call = jp__call_add(client, owner, id, &line, deadline(request->timeout_ms));
        call->request = *request;
        call->request.method = call->request.params = NULL;
        if (ret_id != NULL)
            *ret_id = id;
        if (ret_call != NULL) {
            call->references++;
            client->inside++;
            *ret_call = call;
        }
    }
    ReleaseSRWLockExclusive(&client->lock);
    jp_str_free(&line);
    return status;
}

jp_status jp_client_start(struct jp_client *client, const struct jp_client_request *request, uint64_t *ret_call, struct jp_error *error) {
    *error = (struct jp_error){0};
    if (request->method == NULL || request->on_answer == NULL)
        return jp_fail(error, JP_E_PARAMS, "a call needs a method and on_answer");
    return begin(client, JP__CALLBACK, request, NULL, ret_call, error);
}

/* Until the call is done, and its progress told. */
static void await(struct jp_client *client, struct jp__call *call, struct jp_client_answer *ret_answer) {
    AcquireSRWLockExclusive(&client->lock);
    while (!call->done)
        SleepConditionVariableSRW(&client->changed, &client->lock, INFINITE, 0);
    call->deaf = true;
    jp__await_callback(client, call);
    *ret_answer = call->answer;
    call->answer.result = call->answer.refusal = NULL;
    jp__call_release(call);
    client->inside--;
    WakeAllConditionVariable(&client->changed);
    ReleaseSRWLockExclusive(&client->lock);
}

jp_status jp_client_ask(struct jp_client *client, const struct jp_client_request *request, struct jp_client_answer *ret_answer) {
    struct jp__call *call = NULL;
    *ret_answer = (struct jp_client_answer){0};
    struct jp_error *error = &ret_answer->error;
    if (jp__is_callback(client))
        return ret_answer->status = jp_fail(error, JP_E_REQUEST, "a callback cannot wait for an answer: use jp_client_start()");
    if (request->method == NULL)
        return ret_answer->status = jp_fail(error, JP_E_PARAMS, "a call needs a method");
    ret_answer->status = begin(client, JP__WAITER, request, &call, NULL, error);
    if (ret_answer->status == JP_OK)
        await(client, call, ret_answer);
    return ret_answer->status;
}

jp_status jp_client_call(struct jp_client *client, const char *method, const char *params, uint32_t timeout_ms, char **ret_result,
                         struct jp_error *error) {
    struct jp_client_request request = {.method = method, .params = params, .timeout_ms = timeout_ms};
    struct jp_client_answer answer;
    jp_status status = jp_client_ask(client, &request, &answer);
    *error = answer.error;
    if (status == JP_OK && ret_result != NULL) {
        *ret_result = answer.result;
        answer.result = NULL;
    }
    jp_client_answer_clear(&answer);
    return status;
}
