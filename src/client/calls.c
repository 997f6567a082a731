/* The calls that are not answered yet, their lines on the way out, and their ends: exactly one each. */
#include "client/client_internal.h"

#include <string.h>

enum { CANCEL_PATIENCE_MS = 5000 };

/* --- lines --- */

/* Line ends between JSON's tokens would end the message. (In its strings there are none: they are refused.) */
static void add_on_one_line(struct jp_str *line, const char *text) {
    size_t start = line->length;
    jp_str_puts(line, text);
    for (size_t i = start; i < line->length; i++)
        if (line->data[i] == '\n' || line->data[i] == '\r')
            line->data[i] = ' ';
}

static jp_status check_params(const char *params, bool progress, bool *ret_empty, struct jp_error *error) {
    static const struct jp_json_rules rules = {.max_bytes = JP_CLIENT_LINE_MAX, .max_depth = JP__DEPTH_MAX};
    struct jp_json json = {0};
    struct jp_json_place place = {0};
    jp_status status = jp_json_parse(params, strlen(params), &rules, &json, &place, error);
    if (status != JP_OK)
        return jp_fail_because(error, "the parameters of the call, line %u, column %u", place.line, place.column);
    *ret_empty = json.root->child == NULL;
    if (!cJSON_IsObject(json.root) && (progress || !cJSON_IsArray(json.root)))
        status = jp_fail(error, JP_E_PARAMS, "the parameters of a call are a JSON object%s", progress ? "" : " or list");
    else if (progress && cJSON_HasObjectItem(json.root, "progressToken"))
        status = jp_fail(error, JP_E_PARAMS, "\"progressToken\" is the library's to choose");
    jp_json_free(&json);
    return status;
}

static void add_params(struct jp_str *line, const char *params, uint64_t token, bool empty) {
    if (token == 0) {
        add_on_one_line(line, params);
        return;
    }
    jp_str_printf(line, "{\"progressToken\":%llu%s", (unsigned long long)token, empty ? "" : ",");
    add_on_one_line(line, strchr(params, '{') + 1);
}

jp_status jp__make_line(const char *method, const char *params, uint64_t id, bool progress, struct jp_str *ret_line, struct jp_error *error) {
    bool empty = true;
    if (params == NULL && progress)
        params = "{}";
    jp_status status = params == NULL ? JP_OK : check_params(params, progress, &empty, error);
    if (status != JP_OK)
        return status;
    cJSON *name = cJSON_CreateString(method);
    struct jp_str line = {0};
    jp_str_puts(&line, "{\"jsonrpc\":\"2.0\"");
    if (id != 0)
        jp_str_printf(&line, ",\"id\":%llu", (unsigned long long)id);
    jp_str_puts(&line, ",\"method\":");
    jp_json_print(name, &line);
    cJSON_Delete(name);
    if (params != NULL) {
        jp_str_puts(&line, ",\"params\":");
        add_params(&line, params, progress ? id : 0, empty);
    }
    jp_str_puts(&line, "}\n");
    if (line.length > JP_CLIENT_LINE_MAX) {
        status = jp_fail(error, JP_E_QUOTA, "a request of %zu bytes is too long", line.length);
        jp_str_free(&line);
        return status;
    }
    *ret_line = line;
    return JP_OK;
}

void jp__line_free(struct jp__line *line) {
    if (line == NULL)
        return;
    jp_str_free(&line->text);
    jp_free(line);
}

void jp__line_add(struct jp_client *client, uint64_t call, struct jp_str *text) {
    struct jp__line *line = jp_alloc(sizeof *line);
    line->call = call;
    line->text = *text;
    *text = (struct jp_str){0};
    if (client->first_line == NULL)
        client->first_line = line;
    else
        client->last_line->next = line;
    client->last_line = line;
    client->unsent_bytes += line->text.length;
    SetEvent(client->wake);
}

/* Those of `call`; with JP__NEVER, all notifications: they were meant for a connection that is gone. */
static void drop_lines(struct jp_client *client, uint64_t call) {
    struct jp__line *previous = NULL, *next;
    for (struct jp__line *line = client->first_line; line != NULL; line = next) {
        next = line->next;
        if (line->call != (call == JP__NEVER ? 0 : call)) {
            previous = line;
            continue;
        }
        if (previous == NULL)
            client->first_line = next;
        else
            previous->next = next;
        if (client->last_line == line)
            client->last_line = previous;
        client->unsent_bytes -= line->text.length;
        jp__line_free(line);
    }
}

void jp__notify(struct jp_client *client, const char *method, const char *key, uint64_t number) {
    struct jp_str line = {0};
    if (!client->connected)
        return;
    jp_str_printf(&line, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{\"%s\":%llu}}\n", method, key, (unsigned long long)number);
    jp__line_add(client, 0, &line);
}

/* --- the table --- */

uint64_t jp__next_id(struct jp_client *client) { return ++client->last_id; }

struct jp__call *jp__call_add(struct jp_client *client, enum jp__owner owner, uint64_t id, struct jp_str *line, uint64_t deadline_ms) {
    struct jp__call *call = jp_alloc(sizeof *call);
    call->references = 1;
    call->id = id;
    call->owner = owner;
    call->length = line->length;
    call->deadline_ms = deadline_ms;
    call->previous = client->last_call;
    if (client->last_call == NULL)
        client->first_call = call;
    else
        client->last_call->next = call;
    client->last_call = call;
    client->call_count++;
    jp__line_add(client, id, line);
    return call;
}

struct jp__call *jp__call_find(struct jp_client *client, uint64_t id) {
    for (struct jp__call *call = client->first_call; call != NULL; call = call->next)
        if (call->id == id)
            return call;
    return NULL;
}

void jp__call_release(struct jp__call *call) {
    if (--call->references > 0)
        return;
    jp_client_answer_clear(&call->answer);
    jp_free(call);
}

static void take_out(struct jp_client *client, struct jp__call *call) {
    if (call->previous == NULL)
        client->first_call = call->next;
    else
        call->previous->next = call->next;
    if (call->next == NULL)
        client->last_call = call->previous;
    else
        call->next->previous = call->previous;
    client->call_count--;
}

void jp__call_complete(struct jp_client *client, struct jp__call *call, struct jp_client_answer *answer) {
    take_out(client, call);
    call->answer = *answer;
    call->done = true;
    answer->result = answer->refusal = NULL;
    if (call->owner == JP__CALLBACK)
        jp__tell_answer(client, call);
    else if (call->owner == JP__SUBSCRIPTION)
        jp__subscription_answered(client, call->subscription, &call->answer);
    jp__call_release(call);
    WakeAllConditionVariable(&client->changed);
}

void jp__call_fail(struct jp_client *client, struct jp__call *call, const struct jp_error *error) {
    struct jp_client_answer answer = {.status = error->status, .error = *error};
    jp__call_complete(client, call, &answer);
}

/* --- ends --- */

static void expire(struct jp_client *client, struct jp__call *call) {
    struct jp_error error = {0};
    if (call->cancelled)
        jp_fail(&error, JP_E_CANCELLED, "the call was taken back, and the service did not answer to that in time");
    else if (client->connected)
        jp_fail(&error, JP_E_TIMEOUT, "the service did not answer in time");
    else
        jp_fail(&error, JP_E_TIMEOUT, "there was no connection to the service in time");
    if (!call->sent)
        drop_lines(client, call->id);
    else if (!call->cancelled)
        jp__notify(client, "rpc.cancel", "id", call->id);
    jp__call_fail(client, call, &error);
}

void jp__calls_expire(struct jp_client *client, uint64_t now_ms, uint64_t *when_ms) {
    struct jp__call *next;
    for (struct jp__call *call = client->first_call; call != NULL; call = next) {
        next = call->next;
        if (call->deadline_ms <= now_ms)
            expire(client, call);
        else
            jp__earlier(when_ms, call->deadline_ms);
    }
}

void jp__calls_lost(struct jp_client *client, const struct jp_client_answer *why, bool all) {
    struct jp__call *next;
    drop_lines(client, JP__NEVER);
    for (struct jp__call *call = client->first_call; call != NULL; call = next) {
        next = call->next;
        if (!all && !call->sent && call->owner != JP__SUBSCRIPTION)
            continue;
        struct jp_client_answer answer = {.status = why->error.status, .refusal = jp_strdup(why->refusal), .error = why->error};
        drop_lines(client, call->id);
        jp__call_complete(client, call, &answer);
    }
}

bool jp_client_cancel(struct jp_client *client, uint64_t id) {
    struct jp_error error = {0};
    AcquireSRWLockExclusive(&client->lock);
    struct jp__call *call = jp__call_find(client, id);
    bool found = call != NULL && call->owner != JP__SUBSCRIPTION;
    if (found && !call->sent) {
        drop_lines(client, id);
        jp_fail(&error, JP_E_CANCELLED, "the call was taken back before it was sent");
        jp__call_fail(client, call, &error);
    } else if (found && !call->cancelled) {
        call->cancelled = true;
        jp__earlier(&call->deadline_ms, jp__later(GetTickCount64(), CANCEL_PATIENCE_MS));
        jp__notify(client, "rpc.cancel", "id", id);
        SetEvent(client->wake);
    }
    ReleaseSRWLockExclusive(&client->lock);
    return found;
}
