/* JSON-RPC 2.0 (https://www.jsonrpc.org/specification): from a message to calls, from calls to answers. */
#include "rpc/rpc_internal.h"

#include <string.h>

/* --- answers --- */

static cJSON *answer_for(const cJSON *id) {
    cJSON *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "jsonrpc", "2.0");
    cJSON_AddItemToObject(answer, "id", id ? cJSON_Duplicate(id, true) : cJSON_CreateNull());
    return answer;
}

cJSON *jp__render_error(const struct jp_error *error, cJSON *more_data) {
    cJSON *object = cJSON_CreateObject();
    cJSON *data = more_data ? more_data : cJSON_CreateObject();
    jp_json_add_i64(object, "code", error->status);
    cJSON_AddStringToObject(object, "message", error->text);
    cJSON_AddStringToObject(data, "name", jp_status_name(error->status));
    if (error->win32) {
        jp_json_add_u64(data, "win32", error->win32);
        jp_json_add_string(data, "win32Name", jp_win32_name(error->win32));
    }
    if (error->operation)
        cJSON_AddStringToObject(data, "operation", error->operation);
    cJSON_AddItemToObject(object, "data", data);
    return object;
}

static void send_json(struct jp_rpc_connection *connection, cJSON *json) {
    struct jp_str line = {0};
    jp_json_print(json, &line);
    cJSON_Delete(json);
    jp__send(connection, &line);
}

void jp__send_error(struct jp_rpc_connection *connection, const struct jp_error *error) {
    cJSON *answer = answer_for(NULL);
    cJSON_AddItemToObject(answer, "error", jp__render_error(error, NULL));
    send_json(connection, answer);
}

static void add_to_batch(struct jp_batch *batch, cJSON *answer) {
    jp_str_putc(&batch->answers, batch->answers.length ? ',' : '[');
    jp_json_print(answer, &batch->answers);
    cJSON_Delete(answer);
}

/* One call of the batch is over. A batch of notifications has no answer at all. */
static void close_in_batch(struct jp_rpc_connection *connection, struct jp_batch *batch) {
    if (--batch->open)
        return;
    if (batch->answers.length && connection) {
        jp_str_putc(&batch->answers, ']');
        jp__send(connection, &batch->answers);
    }
    jp_str_free(&batch->answers);
    jp_free(batch);
}

static void unlink_timed(struct jp_call *call) {
    if (!call->deadline_ms)
        return;
    if (call->previous_timed)
        call->previous_timed->next_timed = call->next_timed;
    else
        call->rpc->first_timed = call->next_timed;
    if (call->next_timed)
        call->next_timed->previous_timed = call->previous_timed;
    call->deadline_ms = 0;
}

static void unlink_call(struct jp_call *call) {
    struct jp_rpc_connection *connection = call->connection;
    if (!connection)
        return;
    if (call->previous)
        call->previous->next = call->next;
    else
        connection->first_call = call->next;
    if (call->next)
        call->next->previous = call->previous;
    connection->call_count--;
    call->connection = NULL;
}

static void free_call(struct jp_call *call) {
    unlink_timed(call);
    unlink_call(call);
    cJSON_Delete(call->id);
    jp_free(call->text);
    jp_free(call);
}

/* Takes `answer`; NULL for a notification's. */
static void finish(struct jp_call *call, cJSON *answer) {
    struct jp_rpc_connection *connection = call->connection;
    struct jp_batch *batch = call->batch;
    free_call(call);
    if (batch) {
        if (answer && connection)
            add_to_batch(batch, answer);
        else
            cJSON_Delete(answer);
        close_in_batch(connection, batch);
    } else if (answer && connection) {
        send_json(connection, answer);
    } else {
        cJSON_Delete(answer);
    }
}

void jp__reply(struct jp_call *call, cJSON *result) {
    cJSON *answer = NULL;
    if (call->id) {
        answer = answer_for(call->id);
        cJSON_AddItemToObject(answer, "result", result);
    } else {
        cJSON_Delete(result);
    }
    finish(call, answer);
}

void jp__refuse_with(struct jp_call *call, const struct jp_error *error, cJSON *data) {
    cJSON *answer = NULL;
    if (call->id) {
        answer = answer_for(call->id);
        cJSON_AddItemToObject(answer, "error", jp__render_error(error, data));
    } else {
        cJSON_Delete(data);
    }
    finish(call, answer);
}

void jp__refuse(struct jp_call *call, const struct jp_error *error) { jp__refuse_with(call, error, NULL); }

/* A call that waits for something is let go; one that was begun (an assignment on its way to the disk) goes on unheard. */
void jp__call_abandon(struct jp_call *call) {
    struct jp_batch *batch = call->batch;
    if (call->cancel) {
        call->cancel(call);
        free_call(call);
        if (batch)
            close_in_batch(NULL, batch);
    } else {
        unlink_call(call);
    }
}

void jp__call_set_deadline(struct jp_call *call, uint64_t deadline_ms) {
    call->deadline_ms = deadline_ms ? deadline_ms : 1;
    call->previous_timed = NULL;
    call->next_timed = call->rpc->first_timed;
    if (call->next_timed)
        call->next_timed->previous_timed = call;
    call->rpc->first_timed = call;
}

uint64_t jp_rpc_on_time(struct jp_rpc *rpc) {
    uint64_t now_ms = rpc->with.now_ms(rpc->with.clock_context);
    uint64_t next = jp__connections_on_time(rpc, now_ms);
    struct jp_call *following;
    for (struct jp_call *call = rpc->first_timed; call; call = following) {
        following = call->next_timed;
        if (call->deadline_ms <= now_ms) {
            struct jp_error error;
            jp_fail(&error, JP_E_TIMEOUT, "%s: the time-out has passed", call->method->name);
            call->cancel(call);
            jp__refuse(call, &error);
        } else if (call->deadline_ms < next) {
            next = call->deadline_ms;
        }
    }
    return next;
}

/* --- requests --- */

static const struct jp_method *find_method(const char *name) {
    for (const struct jp_method *method = jp__methods; method->name; method++)
        if (strcmp(method->name, name) == 0)
            return method;
    return NULL;
}

static jp_status no_method(const char *name, struct jp_error *error) {
    size_t count = 0;
    while (jp__methods[count].name)
        count++;
    const char *nearest = jp_nearest(name, &jp__methods[0].name, count, sizeof jp__methods[0]);
    return jp_fail(error, JP_E_METHOD, "there is no method \"%.80s\"%s%s%s", name, nearest ? "; did you mean \"" : "",
                   nearest ? nearest : "", nearest ? "\"?" : "");
}

bool jp__given(const struct jp_call *call, uint64_t present, const char *key) {
    for (size_t i = 0; call->method->fields[i].key; i++)
        if (strcmp(call->method->fields[i].key, key) == 0)
            return present & JP_SCHEMA_BIT(i);
    return false;
}

static bool has_key(const struct jp_field *fields, const char *key) {
    for (; fields->key; fields++)
        if (strcmp(fields->key, key) == 0)
            return true;
    return false;
}

/* Members that `fields` does not know, moved out of `object`. */
static cJSON *split_off(cJSON *object, const struct jp_field *fields) {
    cJSON *rest = cJSON_CreateObject();
    cJSON *next;
    for (cJSON *member = object->child; member; member = next) {
        next = member->next;
        if (!has_key(fields, member->string))
            cJSON_AddItemToObject(rest, member->string, cJSON_DetachItemViaPointer(object, member));
    }
    return rest;
}

static bool read_parameters(const struct jp_method *method, cJSON *object, void *parameters, struct jp_error *error) {
    struct jp_faults faults = {0};
    struct jp_schema_context context = {.faults = &faults};
    bool good = true;
    if (method->more_fields) {
        cJSON *rest = split_off(object, method->fields);
        good = jp_schema_read(&context, method->more_fields, rest, "", (char *)parameters + method->more_offset);
        cJSON_Delete(rest);
    }
    good = jp_schema_read(&context, method->fields, object, "", parameters) && good;
    if (!good)
        jp_fail(error, JP_E_PARAMS, "%s: %s", method->name, faults.items[0].text);
    jp_faults_free(&faults);
    return good;
}

static void clear_parameters(const struct jp_method *method, void *parameters) {
    if (method->more_fields)
        jp_schema_clear(method->more_fields, (char *)parameters + method->more_offset);
    jp_schema_clear(method->fields, parameters);
    jp_free(parameters);
}

/* Before its first request is looked at, a client has a name: nothing is done for one whose token cannot be had. */
static jp_status identify(struct jp_rpc_connection *connection, struct jp_error *error) {
    if (connection->principal)
        return JP_OK;
    return connection->peer->ops->identify(connection->peer, &connection->principal, error);
}

static void run(struct jp_call *call, cJSON *params) {
    struct jp_error error;
    cJSON *none = params ? NULL : cJSON_CreateObject();
    void *parameters = jp_alloc(call->method->size);
    const struct jp_method *method = call->method;
    if (read_parameters(method, params ? params : none, parameters, &error))
        method->handle(call, parameters);
    else
        jp__refuse(call, &error);
    clear_parameters(method, parameters);
    cJSON_Delete(none);
}

static struct jp_call *new_call(struct jp_rpc_connection *connection, struct jp_batch *batch, const cJSON *id) {
    struct jp_call *call = jp_alloc(sizeof *call);
    call->rpc = connection->rpc;
    call->connection = connection;
    call->batch = batch;
    call->id = id ? cJSON_Duplicate(id, true) : NULL;
    call->next = connection->first_call;
    if (call->next)
        call->next->previous = call;
    connection->first_call = call;
    connection->call_count++;
    return call;
}

static bool id_valid(const cJSON *id) { return !id || cJSON_IsString(id) || cJSON_IsNumber(id) || cJSON_IsNull(id); }

static void receive_request(struct jp_rpc_connection *connection, struct jp_batch *batch, cJSON *request) {
    struct jp_error error;
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(request, "jsonrpc");
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(request, "method");
    cJSON *params = cJSON_GetObjectItemCaseSensitive(request, "params");
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");
    cJSON *null_id = NULL;
    jp_status status = JP_OK;
    if (!cJSON_IsObject(request) || !cJSON_IsString(version) || strcmp(version->valuestring, "2.0") != 0 ||
        !cJSON_IsString(name) || !id_valid(id) || (params && !cJSON_IsObject(params) && !cJSON_IsArray(params))) {
        status = jp_fail(&error, JP_E_REQUEST,
                         "not a JSON-RPC 2.0 request: {\"jsonrpc\": \"2.0\", \"method\": \"...\", \"params\": {...}, \"id\": ...}");
        if (!cJSON_IsObject(request) || !id || !id_valid(id)) /* it may have meant to be a notification, but it is told */
            id = null_id = cJSON_CreateNull();
    }
    struct jp_call *call = new_call(connection, batch, id);
    cJSON_Delete(null_id);
    if (status == JP_OK && connection->call_count > JP_RPC_MAX_IN_FLIGHT)
        status = jp_fail(&error, JP_E_QUOTA, "%d requests of this connection are not answered yet; that is the bound", JP_RPC_MAX_IN_FLIGHT);
    const struct jp_method *method = status == JP_OK ? find_method(name->valuestring) : NULL;
    if (status == JP_OK && !method)
        status = no_method(name->valuestring, &error);
    if (status == JP_OK && cJSON_IsArray(params))
        status = jp_fail(&error, JP_E_PARAMS, "%s: pass parameters by name, in an object", name->valuestring);
    if (status == JP_OK)
        status = identify(connection, &error);
    call->method = method;
    if (status || !method)
        jp__refuse(call, &error);
    else
        run(call, params);
}

static void receive_batch(struct jp_rpc_connection *connection, cJSON *list) {
    struct jp_error error;
    size_t count = (size_t)cJSON_GetArraySize(list);
    if (!count || count > JP_RPC_MAX_BATCH) {
        if (count)
            jp_fail(&error, JP_E_QUOTA, "a batch may have %d requests; this one has %zu", JP_RPC_MAX_BATCH, count);
        else
            jp_fail(&error, JP_E_REQUEST, "an empty batch is not a request");
        jp__send_error(connection, &error);
        return;
    }
    struct jp_batch *batch = jp_alloc(sizeof *batch);
    batch->open = count;
    cJSON *next;
    for (cJSON *request = list->child; request; request = next) {
        next = request->next;
        receive_request(connection, batch, request);
    }
}

void jp__receive_message(struct jp_rpc_connection *connection, const char *text, size_t length) {
    static const struct jp_json_rules rules = {.max_bytes = JP_RPC_MAX_MESSAGE, .max_depth = JP_RPC_MAX_DEPTH};
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    if (jp_json_parse(text, length, &rules, &json, &place, &error)) {
        struct jp_error with_place;
        jp_fail(&with_place, error.status, "at byte %u: %s", place.column, error.text);
        jp__send_error(connection, place.line ? &with_place : &error);
        return;
    }
    if (cJSON_IsArray(json.root))
        receive_batch(connection, json.root);
    else
        receive_request(connection, NULL, json.root);
    jp_json_free(&json);
}

const char *jp__caller(const struct jp_call *call) {
    struct jp_peer *peer = call->connection->peer;
    return peer->ops->principal_name(peer, call->connection->principal);
}

struct jp_pool *jp__find_pool(struct jp_call *call, const char *name) {
    struct jp_pools *pools = call->rpc->with.pools;
    struct jp_pool *pool = jp_pools_find(pools, name);
    if (pool)
        return pool;
    size_t count;
    struct jp_error error;
    struct jp_pool *const *all = jp_pools_sorted(pools, &count);
    const char **names = jp_realloc_array(NULL, count, sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = all[i]->name;
    const char *nearest = count ? jp_nearest(name, names, count, sizeof *names) : NULL;
    jp_fail(&error, JP_E_NO_POOL, "there is no pool \"%.80s\"%s%s%s", name, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
            nearest ? "\"?" : "");
    jp_free(names);
    jp__refuse(call, &error);
    return NULL;
}
