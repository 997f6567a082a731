/* rpc.discover: the table of methods as an OpenRPC document, https://spec.open-rpc.org. It is made for each request and kept nowhere. */
#include "rpc/json_schema.h"
#include "rpc/rpc_internal.h"

#include <string.h>

/* What any request can meet. */
static const jp_status common_errors[] = {JP_E_PARAMS, JP_E_DENIED, JP_E_QUOTA, JP_E_CANCELLED, JP_E_STOPPING, JP_E_SYSTEM, JP_E_INTERNAL, JP_OK};

static const struct {
    jp_status status;
    const char *meaning;
} statuses[] = {
#define X(symbol, code, name, meaning) {symbol, meaning},
    JP_STATUS_TABLE(X)
#undef X
};

static cJSON *errors_object(void) {
    cJSON *errors = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        cJSON *error = cJSON_AddObjectToObject(errors, jp_status_name(statuses[i].status));
        cJSON_AddNumberToObject(error, "code", statuses[i].status);
        cJSON_AddStringToObject(error, "message", statuses[i].meaning);
    }
    return errors;
}

static void add_errors(cJSON *list, const jp_status *errors) {
    for (; errors && *errors; errors++) {
        cJSON *error = cJSON_CreateObject();
        char *path = jp_sprintf("#/components/errors/%s", jp_status_name(*errors));
        cJSON_AddStringToObject(error, "$ref", path);
        jp_free(path);
        cJSON_AddItemToArray(list, error);
    }
}

static void add_parameters(cJSON *list, cJSON *schemas, const struct jp_field *fields) {
    for (; fields && fields->key; fields++) {
        cJSON *parameter = cJSON_CreateObject(), *schema = jp__schema_of_field(schemas, fields);
        cJSON_AddStringToObject(parameter, "name", fields->key);
        jp_json_add_string(parameter, "description", fields->documentation ? fields->documentation : "");
        if (fields->required)
            cJSON_AddTrueToObject(parameter, "required");
        cJSON_AddItemToObject(parameter, "schema", fields->nullable ? jp__schema_or_null(schema) : schema);
        cJSON_AddItemToArray(list, parameter);
    }
}

static cJSON *named_value(const char *name, cJSON *value) { /* takes it */
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", name);
    cJSON_AddItemToObject(object, "value", value ? value : cJSON_CreateNull());
    return object;
}

static void add_examples(cJSON *list, const struct jp_example *examples) {
    for (; examples && examples->title; examples++) {
        cJSON *example = cJSON_CreateObject();
        cJSON_AddStringToObject(example, "name", examples->title);
        cJSON *params = cJSON_AddArrayToObject(example, "params");
        cJSON *given = cJSON_Parse(examples->params ? examples->params : "{}");
        const cJSON *param;
        cJSON_ArrayForEach(param, given) {
            cJSON_AddItemToArray(params, named_value(param->string, cJSON_Duplicate(param, true)));
        }
        cJSON_Delete(given);
        cJSON_AddItemToObject(example, "result", named_value("result", cJSON_Parse(examples->result)));
        cJSON_AddItemToArray(list, example);
    }
}

static void add_tag(cJSON *object, const char *method) {
    char *group = jp_strndup(method, strcspn(method, "."));
    cJSON *tag = cJSON_CreateObject();
    cJSON_AddStringToObject(tag, "name", group);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(object, "tags"), tag);
    jp_free(group);
}

static cJSON *method_object(cJSON *schemas, const struct jp_method *method) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", method->name);
    add_tag(object, method->name);
    cJSON_AddStringToObject(object, "summary", method->summary);
    if (method->description)
        cJSON_AddStringToObject(object, "description", method->description);
    if (method->right)
        cJSON_AddStringToObject(object, "x-right", jp_choice_name(jp_rights, method->right));
    if (method->deprecated) {
        cJSON_AddTrueToObject(object, "deprecated");
        cJSON_AddStringToObject(object, "x-deprecated", method->deprecated);
    }
    cJSON_AddStringToObject(object, "paramStructure", "by-name");
    cJSON *params = cJSON_AddArrayToObject(object, "params");
    add_parameters(params, schemas, method->fields);
    add_parameters(params, schemas, method->more_fields);
    cJSON *result = cJSON_AddObjectToObject(object, "result");
    cJSON_AddStringToObject(result, "name", "result");
    cJSON_AddItemToObject(result, "schema", jp__schema_of_shape(schemas, method->result));
    cJSON *errors = cJSON_AddArrayToObject(object, "errors");
    add_errors(errors, method->errors);
    add_errors(errors, common_errors);
    add_examples(cJSON_AddArrayToObject(object, "examples"), method->examples);
    return object;
}

static cJSON *notification_object(cJSON *schemas, const struct jp_notification *notification) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", notification->name);
    cJSON_AddStringToObject(object, "summary", notification->summary);
    cJSON_AddItemToObject(object, "params", jp__schema_of_shape(schemas, notification->params));
    return object;
}

static void add_info(cJSON *document, const char *version) {
    cJSON *info = cJSON_AddObjectToObject(document, "info");
    cJSON_AddStringToObject(info, "title", "JobPool");
    cJSON_AddStringToObject(info, "version", version ? version : "0");
    cJSON_AddStringToObject(info, "description",
                            "Pools of processes on Windows job objects: JSON-RPC 2.0 over the named pipe \\\\.\\pipe\\jobpool, parameters by name.");
    cJSON_AddNumberToObject(info, "x-protocol", JP_RPC_PROTOCOL);
}

cJSON *jp_rpc_openrpc(const char *version) {
    cJSON *document = cJSON_CreateObject(), *schemas = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "openrpc", "1.3.2");
    add_info(document, version);
    cJSON *methods = cJSON_AddArrayToObject(document, "methods");
    for (const struct jp_method *method = jp__methods; method->name; method++)
        cJSON_AddItemToArray(methods, method_object(schemas, method));
    cJSON *notifications = cJSON_AddArrayToObject(document, "x-notifications");
    for (const struct jp_notification *notification = jp__notifications; notification->name; notification++)
        cJSON_AddItemToArray(notifications, notification_object(schemas, notification));
    cJSON_Delete(jp__schema_of_shape(schemas, &jp__shape_error));
    cJSON *components = cJSON_AddObjectToObject(document, "components");
    cJSON_AddItemToObject(components, "schemas", schemas);
    cJSON_AddItemToObject(components, "errors", errors_object());
    return document;
}

/* Made once: it does not change, and whoever asks for it in each request of a batch is not to keep everybody waiting. */
void jp__on_rpc_discover(struct jp_call *call, const void *parameters) {
    struct jp_rpc *rpc = call->rpc;
    (void)parameters;
    if (!rpc->openrpc.length) {
        cJSON *document = jp_rpc_openrpc(rpc->with.program.version);
        jp_out_members(&(struct jp_json_out){.text = &rpc->openrpc}, document);
        cJSON_Delete(document);
    }
    jp_out_printed_members(jp__reply_begin(call), rpc->openrpc.data, rpc->openrpc.length);
    jp__reply_end(call);
}
