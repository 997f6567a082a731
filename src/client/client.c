/* Owns the pipe, what was received and not taken yet, and the numbering of requests. */
#include "client/client.h"

#include "base/json.h"

#include <string.h>

enum { CHUNK_SIZE = 64 << 10, MAX_DEPTH = 64, LAST_WORDS_MS = 1000 };

struct jp_client {
    struct jp_pipe *pipe;
    uint64_t last_id;
    bool reading;            /* `chunk` is the pipe's */
    char chunk[CHUNK_SIZE];
    struct jp_str received;  /* bytes of lines not yet taken */
    size_t scanned;          /* there is no line end in so many of them */
    cJSON *events;           /* a list, oldest first */
    int event_count;
};

void jp_client_failure_clear(struct jp_client_failure *failure) {
    cJSON_Delete(failure->answer);
    *failure = (struct jp_client_failure){0};
}

jp_status jp_client_open(const struct jp_pipe_options *options, struct jp_client **ret_client, struct jp_error *error) {
    struct jp_pipe *pipe = NULL;
    jp_status status = jp_pipe_open(options, &pipe, error);
    if (status != JP_OK)
        return status;
    struct jp_client *client = jp_alloc(sizeof *client);
    client->pipe = pipe;
    client->events = cJSON_CreateArray();
    *ret_client = client;
    return JP_OK;
}

void jp_client_close(struct jp_client *client) {
    if (client == NULL)
        return;
    jp_pipe_close(client->pipe);
    jp_str_free(&client->received);
    cJSON_Delete(client->events);
    jp_free(client);
}

/* ---------------------------------------------------------------------------------------------------------- the lines */

static void begin_read(struct jp_client *client) {
    if (!client->reading) {
        jp_pipe_begin_read(client->pipe, client->chunk, sizeof client->chunk);
        client->reading = true;
    }
}

HANDLE jp_client_arrival(struct jp_client *client) {
    begin_read(client);
    return jp_pipe_read_event(client->pipe);
}

static jp_status finish_read(struct jp_client *client, struct jp_error *error) {
    size_t length = 0;
    jp_status status = jp_pipe_finish_read(client->pipe, &length, error);
    client->reading = false;
    if (status != JP_OK)
        return status;
    if (length == 0)
        return jp_fail(error, JP_E_SYSTEM, "the service closed the connection");
    jp_str_add(&client->received, client->chunk, length);
    return JP_OK;
}

/* Sends, and goes on receiving meanwhile: a server that cannot get rid of its events must not keep us from asking. */
static jp_status send_line(struct jp_client *client, const struct jp_str *line, struct jp_error *error) {
    jp_pipe_begin_write(client->pipe, line->data, line->length);
    HANDLE events[] = {jp_pipe_write_event(client->pipe), jp_pipe_read_event(client->pipe)};
    for (;;) {
        bool room = client->received.length < JP_CLIENT_LINE_MAX;
        if (room)
            begin_read(client);
        if (WaitForMultipleObjects(room ? 2 : 1, events, FALSE, INFINITE) != WAIT_OBJECT_0 + 1)
            return jp_pipe_finish_write(client->pipe, error);
        jp_status status = finish_read(client, error);
        if (status != JP_OK) {
            struct jp_error ignored;
            jp_pipe_finish_write(client->pipe, &ignored); /* it fails with the connection; until then `line` is the pipe's */
            return status;
        }
    }
}

/* One read, if something comes before `deadline` (GetTickCount64). */
static jp_status receive(struct jp_client *client, uint64_t deadline, struct jp_error *error) {
    begin_read(client);
    uint64_t now = GetTickCount64();
    DWORD wait_ms = deadline == UINT64_MAX ? INFINITE : deadline > now ? (DWORD)(deadline - now) : 0;
    if (WaitForSingleObject(jp_pipe_read_event(client->pipe), wait_ms) == WAIT_TIMEOUT)
        return jp_fail(error, JP_E_TIMEOUT, "the service did not answer in time");
    return finish_read(client, error);
}

/* Waits until a whole line is received; *ret_length is its length without the end. */
static jp_status await_line(struct jp_client *client, uint64_t deadline, size_t *ret_length, struct jp_error *error) {
    struct jp_str *received = &client->received;
    for (;;) {
        size_t unseen = received->length - client->scanned;
        const char *end = unseen == 0 ? NULL : memchr(received->data + client->scanned, '\n', unseen);
        if (end != NULL) {
            *ret_length = (size_t)(end - received->data);
            return JP_OK;
        }
        client->scanned = received->length;
        if (received->length >= JP_CLIENT_LINE_MAX)
            return jp_fail(error, JP_E_PARSE, "the server of the pipe sent a line of more than %d bytes", JP_CLIENT_LINE_MAX);
        jp_status status = receive(client, deadline, error);
        if (status != JP_OK)
            return status;
    }
}

static jp_status next_message(struct jp_client *client, uint64_t deadline, cJSON **ret_message, struct jp_error *error) {
    static const struct jp_json_rules rules = {.max_bytes = JP_CLIENT_LINE_MAX, .max_depth = MAX_DEPTH};
    size_t length = 0;
    jp_status status = await_line(client, deadline, &length, error);
    if (status != JP_OK)
        return status;
    struct jp_json json = {0};
    struct jp_json_place place;
    status = jp_json_parse(jp_str_text(&client->received), length, &rules, &json, &place, error);
    jp_str_remove_front(&client->received, length + 1);
    client->scanned = 0;
    if (status != JP_OK)
        return jp_fail(error, JP_E_PARSE, "the server of the pipe does not speak JSON-RPC");
    *ret_message = jp_json_take_root(&json);
    jp_json_free(&json);
    return JP_OK;
}

/* ------------------------------------------------------------------------------------------------------- the messages */

/* The event in a notification, taken out of it; NULL if the message is something else. */
static cJSON *event_of(cJSON *message) {
    const cJSON *method = cJSON_GetObjectItemCaseSensitive(message, "method");
    if (!cJSON_IsString(method) || strcmp(method->valuestring, "event") != 0)
        return NULL;
    return cJSON_DetachItemFromObjectCaseSensitive(message, "params");
}

static jp_status keep_event(struct jp_client *client, cJSON *event, struct jp_error *error) {
    if (client->event_count == JP_CLIENT_PENDING_MAX) {
        cJSON_Delete(event);
        return jp_fail(error, JP_E_QUOTA, "more than %d events came before an answer", JP_CLIENT_PENDING_MAX);
    }
    cJSON_AddItemToArray(client->events, event);
    client->event_count++;
    return JP_OK;
}

jp_status jp_client_next_event(struct jp_client *client, uint32_t timeout_ms, cJSON **ret_event, struct jp_error *error) {
    if (client->event_count > 0) {
        client->event_count--;
        *ret_event = cJSON_DetachItemViaPointer(client->events, client->events->child);
        return JP_OK;
    }
    uint64_t deadline = timeout_ms == JP_CLIENT_NO_TIMEOUT ? UINT64_MAX : GetTickCount64() + timeout_ms;
    for (;;) {
        cJSON *message = NULL;
        jp_status status = next_message(client, deadline, &message, error);
        if (status != JP_OK)
            return status;
        cJSON *event = event_of(message);
        cJSON_Delete(message);
        if (event != NULL) {
            *ret_event = event;
            return JP_OK;
        }
    }
}

/* Reads until the answer to `id` is there. Events are kept; answers to calls that were given up are passed over. An error
 * about no request in particular (its id is null) is ours too: only one is under way. */
static jp_status await_answer(struct jp_client *client, uint64_t id, uint64_t deadline, cJSON **ret_answer,
                              struct jp_error *error) {
    for (;;) {
        cJSON *message = NULL;
        jp_status status = next_message(client, deadline, &message, error);
        if (status != JP_OK)
            return status;
        const cJSON *answered = cJSON_GetObjectItemCaseSensitive(message, "id");
        uint64_t answered_id = 0;
        if (cJSON_IsNull(answered) || (jp_json_get_u64(answered, &answered_id) && answered_id == id)) {
            *ret_answer = message;
            return JP_OK;
        }
        cJSON *event = event_of(message);
        cJSON_Delete(message);
        status = event == NULL ? JP_OK : keep_event(client, event, error);
        if (status != JP_OK)
            return status;
    }
}

static jp_status send_request(struct jp_client *client, uint64_t id, const char *method, cJSON *params,
                              struct jp_error *error) {
    cJSON *request = cJSON_CreateObject();
    jp_json_add_string(request, "jsonrpc", "2.0");
    jp_json_add_u64(request, "id", id);
    jp_json_add_string(request, "method", method);
    if (params != NULL)
        cJSON_AddItemToObject(request, "params", params);
    struct jp_str line = {0};
    jp_json_print(request, &line);
    jp_str_putc(&line, '\n');
    jp_status status = line.length > JP_CLIENT_LINE_MAX
                           ? jp_fail(error, JP_E_QUOTA, "a request of %zu bytes is too long", line.length)
                           : send_line(client, &line, error);
    jp_str_free(&line);
    cJSON_Delete(request);
    return status;
}

/* The answer's error as the failure. */
static jp_status answered_no(cJSON *answer, struct jp_client_failure *failure) {
    failure->answer = cJSON_DetachItemFromObjectCaseSensitive(answer, "error");
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(failure->answer, "code");
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(failure->answer, "message");
    if (!cJSON_IsNumber(code) || code->valueint >= 0 || !cJSON_IsString(message))
        return jp_fail(&failure->error, JP_E_PARSE, "the server of the pipe sent an answer without result or error");
    failure->answered = true;
    return jp_fail(&failure->error, (jp_status)code->valueint, "%s", message->valuestring);
}

jp_status jp_client_call(struct jp_client *client, const char *method, cJSON *params, uint32_t timeout_ms,
                         cJSON **ret_result, struct jp_client_failure *failure) {
    *failure = (struct jp_client_failure){0};
    uint64_t deadline = timeout_ms == JP_CLIENT_NO_TIMEOUT ? UINT64_MAX : GetTickCount64() + timeout_ms;
    uint64_t id = ++client->last_id;
    cJSON *answer = NULL;
    jp_status sent = send_request(client, id, method, params, &failure->error);
    /* A server that turns us away says why before it closes; then the words are there, though ours did not get through. */
    struct jp_error unread;
    jp_status status = sent == JP_OK ? await_answer(client, id, deadline, &answer, &failure->error)
                                     : await_answer(client, id, GetTickCount64() + LAST_WORDS_MS, &answer, &unread);
    if (status != JP_OK)
        return sent == JP_OK ? status : sent;
    *ret_result = cJSON_DetachItemFromObjectCaseSensitive(answer, "result");
    if (*ret_result == NULL)
        status = answered_no(answer, failure);
    cJSON_Delete(answer);
    return status;
}
