/* JSON-RPC 2.0 (https://www.jsonrpc.org/specification): from messages to calls. */
#include "rpc/rpc_internal.h"

#include <string.h>

enum { TOKEN_MAX = 256 };

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

/* What a method is about stands where struct jp_pool_parameters has it. */
static bool find_its_pool(struct jp_call *call, const void *parameters, struct jp_error *error) {
    call->pool = jp__find_pool(call, ((const struct jp_pool_parameters *)parameters)->pool, error);
    return call->pool && jp__need(call, call->pool, call->method->right, error) == JP_OK;
}

/* Whether the caller may, as far as the method's row says it. */
static bool is_allowed(struct jp_call *call, const void *parameters, struct jp_error *error) {
    const struct jp_method *method = call->method;
    if (method->scope == JP_ON_POOL)
        return find_its_pool(call, parameters, error);
    return method->scope != JP_ON_SERVICE || !method->right || jp__need(call, NULL, method->right, error) == JP_OK;
}

/* Who asks for progress says under which name it wants to hear of it: a short one, which is sent each time. */
static bool take_token(struct jp_call *call, cJSON *object, struct jp_error *error) {
    const cJSON *token = cJSON_GetObjectItemCaseSensitive(object, "progressToken");
    if (!token || !has_key(call->method->fields, "progressToken"))
        return true;
    if (!cJSON_IsNumber(token) && !(cJSON_IsString(token) && strlen(token->valuestring) <= TOKEN_MAX)) {
        jp_fail(error, JP_E_PARAMS, "%s: progressToken: expected a string of at most %d bytes, or a number", call->method->name, TOKEN_MAX);
        return false;
    }
    call->progress_token = cJSON_Duplicate(token, true);
    return true;
}

static void run(struct jp_call *call, const struct jp_method *method, cJSON *params) {
    struct jp_error error;
    cJSON *none = params ? NULL : cJSON_CreateObject();
    cJSON *object = params ? params : none;
    void *parameters = jp_alloc(method->size);
    bool good = take_token(call, object, &error) && read_parameters(method, object, parameters, &error);
    if (good) {
        jp__audit_begin(call, parameters);
        good = is_allowed(call, parameters, &error);
    }
    if (good)
        method->handle(call, parameters);
    else
        jp__refuse(call, &error);
    clear_parameters(method, parameters);
    cJSON_Delete(none);
}

/* A number beyond 2^53 could not be given back as it was. */
static bool id_valid(const cJSON *id) {
    const double exact = (double)JP_JSON_EXACT_MAX;
    if (!id || cJSON_IsString(id) || cJSON_IsNull(id))
        return true;
    return cJSON_IsNumber(id) && id->valuedouble <= exact && id->valuedouble >= -exact;
}

/* By name, that is in an object. Some libraries put the one object that they were given, or nothing at all, into a list. */
static cJSON *by_name(cJSON *params) {
    if (!cJSON_IsArray(params))
        return params;
    if (!params->child || (cJSON_IsObject(params->child) && !params->child->next))
        return params->child;
    return params;
}

struct request {
    const char *name;
    cJSON *params;
    const cJSON *id;
};

static jp_status read_request(cJSON *json, struct request *ret, struct jp_error *error) {
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(json, "jsonrpc");
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(json, "method");
    cJSON *params = cJSON_GetObjectItemCaseSensitive(json, "params");
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(json, "id");
    *ret = (struct request){.params = by_name(params), .id = id};
    if (!cJSON_IsObject(json) || !cJSON_IsString(version) || strcmp(version->valuestring, "2.0") != 0 || !cJSON_IsString(name) ||
        !id_valid(id) || (params && !cJSON_IsObject(params) && !cJSON_IsArray(params)))
        return jp_fail(error, JP_E_REQUEST,
                       "not a JSON-RPC 2.0 request: {\"jsonrpc\": \"2.0\", \"method\": \"...\", \"params\": {...}, \"id\": ...}");
    ret->name = name->valuestring;
    return JP_OK;
}

/* `stranger` not NULL: why nothing is done for this client. */
static void receive_request(struct jp_rpc_connection *connection, struct jp_batch *batch, cJSON *json, const struct jp_error *stranger) {
    struct jp_error error;
    struct request request;
    cJSON *null_id = NULL;
    uint32_t most = connection->rpc->with.quotas.in_flight;
    jp_status status = read_request(json, &request, &error);
    if (status && (!cJSON_IsObject(json) || !request.id || !id_valid(request.id))) /* it may have meant to be a notification, but it is told */
        request.id = null_id = cJSON_CreateNull();
    struct jp_call *call = jp__call_new(connection, batch, request.id);
    cJSON_Delete(null_id);
    if (stranger) {
        jp__refuse(call, stranger);
        return;
    }
    const struct jp_method *method = call->method = status == JP_OK ? find_method(request.name) : NULL;
    if (status == JP_OK && !method)
        status = no_method(request.name, &error);
    if (status == JP_OK && method && connection->call_count > most && method->handle != jp__on_rpc_cancel) /* which makes room */
        status = jp_fail(&error, JP_E_QUOTA, "%u requests of this connection are not answered yet; that is the bound", (unsigned)most);
    if (status == JP_OK && cJSON_IsArray(request.params))
        status = jp_fail(&error, JP_E_PARAMS, "%s: pass parameters by name, in an object", request.name);
    if (status || !method)
        jp__refuse(call, &error);
    else
        run(call, method, request.params);
}

static void receive_batch(struct jp_rpc_connection *connection, cJSON *list, const struct jp_error *stranger) {
    struct jp_error error;
    size_t count = (size_t)cJSON_GetArraySize(list);
    uint32_t most = connection->rpc->with.quotas.batch;
    if (!count || count > most) {
        if (count)
            jp_fail(&error, JP_E_QUOTA, "a batch may have %u requests; this one has %zu", (unsigned)most, count);
        else
            jp_fail(&error, JP_E_REQUEST, "an empty batch is not a request");
        jp__send_error(connection, &error);
        return;
    }
    struct jp_batch *batch = jp_alloc(sizeof *batch);
    batch->framing = connection->framer.framing;
    batch->open = count;
    cJSON *next;
    for (cJSON *request = list->child; request; request = next) {
        next = request->next;
        receive_request(connection, batch, request, stranger);
    }
}

/* Before the first of its requests is carried out, a client has a name. Nothing is done for one whose token cannot be had, or who has come once
 * too often. */
static bool is_known(struct jp_rpc_connection *connection, struct jp_error *error) {
    if (connection->principal)
        return true;
    return connection->peer->ops->identify(connection->peer, &connection->principal, error) == JP_OK && jp__may_stay(connection, error);
}

void jp__receive_message(struct jp_rpc_connection *connection, const char *text, size_t length) {
    const struct jp_json_rules rules = {.max_bytes = (size_t)connection->rpc->with.quotas.message_bytes, .max_depth = connection->rpc->with.quotas.depth};
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error, strange;
    if (jp_json_parse(text, length, &rules, &json, &place, &error)) {
        struct jp_error with_place;
        jp_fail(&with_place, error.status, "at byte %u: %s", place.column, error.text);
        jp__send_error(connection, place.line ? &with_place : &error);
        return;
    }
    const struct jp_error *stranger = is_known(connection, &strange) ? NULL : &strange;
    if (cJSON_IsArray(json.root))
        receive_batch(connection, json.root, stranger);
    else
        receive_request(connection, NULL, json.root, stranger);
    jp_json_free(&json);
    if (stranger)
        jp__finish(connection);
}
