/* JSON-RPC 2.0 (https://www.jsonrpc.org/specification): from messages to calls. */
#include "rpc/rpc_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TOKEN_MAX = 256, METHOD_NAME = 81 };

/* --- carrying out --- */

static jp_status no_method(const char *name, struct jp_error *error) {
    size_t count = 0;
    while (jp__methods[count].name)
        count++;
    const char *nearest = jp_nearest(name, &jp__methods[0].name, count, sizeof jp__methods[0]);
    return jp_fail(error, JP_E_METHOD, "there is no method \"%s\"%s%s%s", name, nearest ? "; did you mean \"" : "",
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
    struct jp_rpc *rpc = call->rpc;
    rpc->carried_out = call;
    rpc->parameters = parameters;
    if (good && method->changes)
        jp__audit_begin(call);
    if (good && is_allowed(call, parameters, &error))
        method->handle(call, parameters);
    else
        jp__refuse(call, &error);
    rpc->carried_out = NULL;
    clear_parameters(method, parameters);
    cJSON_Delete(none);
}

/* --- what a request says --- */

struct request {
    struct jp_json_span id; /* empty: a notification */
    bool id_valid;
    bool valid;
    char name[METHOD_NAME]; /* of the method, cut where it is longer than any */
    cJSON *params;          /* or NULL; to be deleted */
};

/* A number beyond 2^53 could be another one for its reader. */
static bool id_valid(struct jp_json_span id) {
    enum { SURELY = 15 }; /* digits */
    const double exact = (double)JP_JSON_EXACT_MAX;
    if (!id.length || *id.text == '"' || *id.text == 'n')
        return true;
    if (!(*id.text == '-' || (*id.text >= '0' && *id.text <= '9')))
        return false;
    if (id.length <= SURELY && !memchr(id.text, 'e', id.length) && !memchr(id.text, 'E', id.length))
        return true;
    cJSON *number = jp_json_span_tree(id);
    bool small = number && number->valuedouble <= exact && number->valuedouble >= -exact;
    cJSON_Delete(number);
    return small;
}

/* By name, that is in an object. Some libraries put the one object that they were given, or nothing at all, into a list. */
static cJSON *by_name(cJSON *params) {
    if (!cJSON_IsArray(params))
        return params;
    if (!params->child || (cJSON_IsObject(params->child) && !params->child->next))
        return params->child;
    return params;
}

static void note_twice(void *context, const cJSON *item) {
    bool *twice = context;
    (void)item;
    *twice = true;
}

static bool has_key_twice(const cJSON *tree) {
    bool twice = false;
    jp_json_each_duplicate(tree, note_twice, &twice);
    return twice;
}

static bool is_text(struct jp_json_span string, const char *text) {
    if (!memchr(string.text, '\\', string.length))
        return jp_json_span_is(string, text);
    cJSON *tree = jp_json_span_tree(string);
    bool same = cJSON_IsString(tree) && strcmp(tree->valuestring, text) == 0;
    cJSON_Delete(tree);
    return same;
}

struct envelope {
    struct jp_json_span version, method, params, id;
    bool strange; /* it has other members, or one of these twice */
};

static struct envelope open_envelope(struct jp_json_span object) {
    struct envelope envelope = {0};
    const struct {
        const char *key;
        struct jp_json_span *value;
    } members[] = {{"jsonrpc", &envelope.version}, {"id", &envelope.id}, {"method", &envelope.method}, {"params", &envelope.params}};
    struct jp_json_walk walk = jp_json_walk(object);
    struct jp_json_span key, value;
    while (jp_json_walk_next(&walk, &key, &value)) {
        size_t i = 0;
        while (i < sizeof members / sizeof *members && !is_text(key, members[i].key))
            i++;
        if (i < sizeof members / sizeof *members && !members[i].value->length)
            *members[i].value = value;
        else
            envelope.strange = true;
    }
    return envelope;
}

static bool starts_with(struct jp_json_span span, char first) { return span.length && *span.text == first; }

static void read_name(struct jp_json_span string, char name[METHOD_NAME]) {
    if (memchr(string.text, '\\', string.length)) {
        cJSON *tree = jp_json_span_tree(string);
        snprintf(name, METHOD_NAME, "%s", tree ? tree->valuestring : "");
        cJSON_Delete(tree);
    } else {
        snprintf(name, METHOD_NAME, "%.*s", (int)(string.length - 2), string.text + 1);
    }
}

/* False: a key is there twice, somewhere in it. Else the caller deletes the parameters. Where cJSON makes no tree of what was checked, because it has
 * no memory for it, the request is refused: it is not carried out without what it says. */
static bool read_request(struct jp_json_span json, struct request *ret) {
    struct envelope envelope = {.strange = true};
    *ret = (struct request){0};
    if (starts_with(json, '{'))
        envelope = open_envelope(json);
    ret->id = envelope.id;
    ret->id_valid = id_valid(envelope.id);
    ret->valid = ret->id_valid && starts_with(envelope.version, '"') && is_text(envelope.version, "2.0") && starts_with(envelope.method, '"') &&
                 (!envelope.params.length || starts_with(envelope.params, '{') || starts_with(envelope.params, '['));
    if (ret->valid) {
        read_name(envelope.method, ret->name);
        ret->params = envelope.params.length ? jp_json_span_tree(envelope.params) : NULL;
        ret->valid = ret->params || !envelope.params.length;
    }
    bool whole = !ret->valid || envelope.strange; /* it is looked at */
    cJSON *rest = whole ? jp_json_span_tree(json) : NULL;
    bool twice = whole ? !rest || has_key_twice(rest) : has_key_twice(ret->params);
    cJSON_Delete(rest);
    if (twice)
        cJSON_Delete(ret->params);
    return !twice;
}

/* --- what is done about it --- */

/* What would have changed something and was not carried out stands in the audit trail, as any such request. */
static bool over_bound(struct jp_call *call, bool in_batch, struct jp_error *error) {
    struct jp_rpc_connection *connection = call->connection;
    uint32_t most = call->rpc->with.quotas.in_flight;
    jp_status status = JP_OK;
    if (connection->call_count > most)
        status = jp_fail(error, JP_E_QUOTA, "%" PRIu32 " requests of this connection are not answered yet; that is the bound (quotas.in_flight)", most);
    else if (in_batch && call->id.length) /* one message is not to be answered with any number of long ones */
        status = jp__check_unread(connection, error);
    if (!status)
        return false;
    if (call->method->changes)
        jp__audit_begin(call);
    if (!call->id.length)
        jp__note_dropped(connection, call->method);
    return true;
}

static void run_request(struct jp_rpc_connection *connection, struct jp_batch *batch, struct request *request, const struct jp_error *stranger) {
    struct jp_rpc *rpc = connection->rpc;
    struct jp_json_span id = request->id;
    struct jp_error error;
    jp_status status = JP_OK;
    if (!request->valid && (!id.length || !request->id_valid)) /* it may have meant to be a notification, but it is told */
        id = (struct jp_json_span){"null", 4};
    struct jp_call *call = jp__call_new(connection, batch, id);
    if (stranger) {
        jp__refuse(call, stranger);
        return;
    }
    const struct jp_method *method = call->method = request->valid ? jp_map_get(&rpc->methods, request->name) : NULL;
    cJSON *params = by_name(request->params);
    if (!request->valid)
        status = jp_fail(&error, JP_E_REQUEST,
                         "not a JSON-RPC 2.0 request: {\"jsonrpc\": \"2.0\", \"method\": \"...\", \"params\": {...}, \"id\": ...}");
    else if (!method)
        status = no_method(request->name, &error);
    else if (method->handle != jp__on_rpc_cancel && over_bound(call, batch != NULL, &error)) /* which makes room */
        status = error.status;
    else if (cJSON_IsArray(params))
        status = jp_fail(&error, JP_E_PARAMS, "%s: pass parameters by name, in an object", request->name);
    if (status || !method)
        jp__refuse(call, &error);
    else
        run(call, method, params);
}

static size_t count_elements(struct jp_json_span list) {
    struct jp_json_walk walk = jp_json_walk(list);
    struct jp_json_span key, value;
    size_t count = 0;
    while (jp_json_walk_next(&walk, &key, &value))
        count++;
    return count;
}

/* All are read before the first is carried out. The number that was read, which is less than `count` where a key is there twice. */
static size_t read_requests(struct jp_json_span list, struct request *requests, size_t count) {
    struct jp_json_walk walk = jp_json_walk(list);
    struct jp_json_span key, value;
    size_t read = 0;
    while (read < count && jp_json_walk_next(&walk, &key, &value) && read_request(value, &requests[read]))
        read++;
    return read;
}

/* False: a key is there twice. */
static bool receive_batch(struct jp_rpc_connection *connection, struct jp_json_span list, const struct jp_error *stranger) {
    struct jp_error error;
    size_t count = count_elements(list);
    uint32_t most = connection->rpc->with.quotas.batch;
    if (!count || count > most) {
        if (count)
            jp_fail(&error, JP_E_QUOTA, "a batch may have %u requests; this one has %zu", (unsigned)most, count);
        else
            jp_fail(&error, JP_E_REQUEST, "an empty batch is not a request");
        jp__send_error(connection, &error);
        return true;
    }
    struct request *requests = jp_realloc_array(NULL, count, sizeof *requests);
    size_t read = read_requests(list, requests, count);
    struct jp_batch *batch = read == count ? jp_alloc(sizeof *batch) : NULL;
    if (batch) {
        batch->framing = connection->framer.framing;
        batch->open = count;
    }
    for (size_t i = 0; i < read; i++) {
        if (batch)
            run_request(connection, batch, &requests[i], stranger);
        cJSON_Delete(requests[i].params);
    }
    jp_free(requests);
    return batch;
}

static bool receive_request(struct jp_rpc_connection *connection, struct jp_json_span json, const struct jp_error *stranger) {
    struct request request;
    if (!read_request(json, &request))
        return false;
    run_request(connection, NULL, &request, stranger);
    cJSON_Delete(request.params);
    return true;
}

/* --- messages --- */

/* Before the first of its requests is carried out, a client has a name. Nothing is done for one whose token cannot be had, or who has come once
 * too often. */
static bool is_known(struct jp_rpc_connection *connection, struct jp_error *error) {
    struct jp_peer *peer = connection->peer;
    if (connection->principal)
        return true;
    if (peer->ops->identify(peer, &connection->principal, error))
        return false;
    connection->process_id = peer->ops->process_id(peer);
    return jp__may_stay(connection, error);
}

static void refuse_text(struct jp_rpc_connection *connection, const struct jp_error *error, struct jp_json_place place) {
    struct jp_error with_place;
    jp_fail(&with_place, error->status, "at byte %u: %s", place.column, error->text);
    jp__send_error(connection, place.line ? &with_place : error);
}

/* A key that is there twice is found without its place; a tree of the message finds that. */
static void refuse_twice(struct jp_rpc_connection *connection, const char *text, size_t length, const struct jp_json_rules *rules) {
    struct jp_json json = {0};
    struct jp_json_place place;
    struct jp_error error;
    jp_fail(&error, JP_E_PARSE, "a key is there twice");
    jp_json_parse(text, length, rules, &json, &place, &error);
    refuse_text(connection, &error, place);
    jp_json_free(&json);
}

void jp__receive_message(struct jp_rpc_connection *connection, const char *text, size_t length) {
    const struct jp_quotas *quotas = &connection->rpc->with.quotas;
    const struct jp_json_rules rules = {.max_bytes = (size_t)quotas->message_bytes, .max_depth = quotas->depth};
    struct jp_json_view view;
    struct jp_json_place place;
    struct jp_error error;
    if (jp_json_look(text, length, &rules, &view, &place, &error)) {
        refuse_text(connection, &error, place);
        return;
    }
    const struct jp_error *stranger = is_known(connection, &error) ? NULL : &error;
    bool good = starts_with(view.root, '[') ? receive_batch(connection, view.root, stranger) : receive_request(connection, view.root, stranger);
    jp_json_view_free(&view);
    if (!good)
        refuse_twice(connection, text, length, &rules);
    if (stranger)
        jp__finish(connection);
}
