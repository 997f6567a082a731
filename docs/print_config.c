/* Prints the tables of the configuration's keys as JSON, with what each is when it is not given and who enforces it:
 * config.py makes config.md and config/jobpool.schema.json of it. */
#include "base/units.h"
#include "config/config.h"
#include "policy/policy.h"

#include <stdio.h>
#include <string.h>

static const char *const type_names[] = {
    [JP_FIELD_BOOL] = "bool",       [JP_FIELD_U32] = "number",   [JP_FIELD_U64] = "number",     [JP_FIELD_BYTES] = "size",
    [JP_FIELD_DURATION] = "duration", [JP_FIELD_PERCENT] = "share", [JP_FIELD_AFFINITY] = "processors", [JP_FIELD_STRING] = "string",
    [JP_FIELD_PATH] = "path",       [JP_FIELD_CHOICE] = "choice", [JP_FIELD_FLAGS] = "flags",    [JP_FIELD_CODE] = "code",
    [JP_FIELD_BITS] = "bits",       [JP_FIELD_OBJECT] = "object", [JP_FIELD_RECORD] = "record",  [JP_FIELD_LIST] = "list",
    [JP_FIELD_STRINGS] = "strings", [JP_FIELD_ENV] = "environment", [JP_FIELD_JSON] = "named"};

/* The section's struct as it is when nothing is given, and whether all of its numbers mean something then: a service has some log level, a
 * pool that says no limit has none. */
struct standard {
    void *values; /* NULL: there is none */
    bool filled;
};

static cJSON *value_of(const struct jp_field *fields, size_t row, void *values) {
    uint64_t present;
    memcpy(&present, values, sizeof present);
    uint64_t only = JP_SCHEMA_BIT(row);
    memcpy(values, &only, sizeof only);
    cJSON *written = jp_schema_write(fields, values);
    memcpy(values, &present, sizeof present);
    cJSON *value = cJSON_DetachItemFromObjectCaseSensitive(written, fields[row].key);
    cJSON_Delete(written);
    return value;
}

static bool has_standard(const struct jp_field *field, const struct standard *standard) {
    const char *slot = (const char *)standard->values + field->offset;
    uint32_t number;
    switch (field->type) {
    case JP_FIELD_BOOL:
        return true;
    case JP_FIELD_CHOICE:
        memcpy(&number, slot, sizeof number);
        return !field->required && jp_choice_name(field->choices, number);
    case JP_FIELD_STRING:
    case JP_FIELD_PATH:
        return *(char *const *)(const void *)slot;
    case JP_FIELD_DURATION:
        return standard->filled || !field->min;
    case JP_FIELD_U32:
    case JP_FIELD_U64:
    case JP_FIELD_BYTES:
        return standard->filled;
    default:
        return false;
    }
}

static void add_range(cJSON *object, const struct jp_field *field) {
    char least[JP_UNITS_TEXT], most[JP_UNITS_TEXT];
    const char *(*format)(uint64_t, char *) = field->type == JP_FIELD_DURATION ? jp_duration_format : jp_bytes_format;
    jp_json_add_u64(object, "min", field->min);
    jp_json_add_u64(object, "max", field->max);
    if (field->type != JP_FIELD_DURATION && field->type != JP_FIELD_BYTES)
        return;
    cJSON_AddStringToObject(object, "least", format(field->min, least));
    cJSON_AddStringToObject(object, "most", format(field->max, most));
}

static cJSON *table(const struct jp_field *fields, const struct standard *standard);

static void add_inner(cJSON *object, const struct jp_field *field, const struct standard *standard) {
    struct standard inner = *standard;
    inner.values = inner.values && field->type == JP_FIELD_OBJECT ? (char *)inner.values + field->offset : NULL;
    cJSON_AddItemToObject(object, "fields", table(field->fields, &inner));
    if (field->shorthand)
        cJSON_AddStringToObject(object, "shorthand", field->shorthand);
}

static cJSON *table(const struct jp_field *fields, const struct standard *standard) {
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; fields[i].key; i++) {
        const struct jp_field *field = &fields[i];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddItemToArray(list, object);
        cJSON_AddStringToObject(object, "key", field->key);
        cJSON_AddStringToObject(object, "type", type_names[field->type]);
        cJSON_AddBoolToObject(object, "required", field->required);
        cJSON_AddStringToObject(object, "documentation", field->documentation ? field->documentation : "");
        add_range(object, field);
        cJSON *choices = field->choices ? cJSON_AddArrayToObject(object, "choices") : NULL;
        for (const struct jp_choice *choice = field->choices; choice && choice->name; choice++)
            cJSON_AddItemToArray(choices, cJSON_CreateString(choice->name));
        if (standard->values && has_standard(field, standard))
            cJSON_AddItemToObject(object, "default", value_of(fields, i, standard->values));
        if (field->fields)
            add_inner(object, field, standard);
    }
    return list;
}

/* --- who enforces --- */

static bool service_does(const struct jp_capabilities *nobody, const struct jp_pool_spec *spec, enum jp_limit limit) {
    return jp_policy_enforcer(nobody, spec, limit) == JP_ENFORCED_BY_SERVICE;
}

/* "service", "fallback" (the pool has to ask for it) or "none". */
static const char *stand_in(const struct jp_capabilities *nobody, struct jp_pool_spec spec, enum jp_limit limit) {
    spec.limits.present = JP_SCHEMA_BIT(limit);
    if (service_does(nobody, &spec, limit))
        return "service";
    spec.cpu_rate_fallback = true;
    return service_does(nobody, &spec, limit) ? "fallback" : "none";
}

/* Of each limit, and of each key of the CPU rate, who does it where the kernel does not. */
static cJSON *stand_ins(void) {
    struct jp_capabilities nobody = {.ui = JP_ENFORCED_BY_NONE};
    const struct jp_field *modes = jp_limit_fields[JP_LIMIT_CPU_RATE].fields;
    cJSON *object = cJSON_CreateObject();
    for (unsigned i = 0; i < JP_LIMIT_COUNT; i++)
        nobody.limits[i] = JP_ENFORCED_BY_NONE;
    for (unsigned i = 0; i < JP_LIMIT_COUNT; i++)
        cJSON_AddStringToObject(object, jp_limit_fields[i].key, stand_in(&nobody, (struct jp_pool_spec){0}, i));
    for (unsigned mode = 0; modes[mode].key; mode++) {
        struct jp_pool_spec spec = {.limits.cpu_rate.present = JP_SCHEMA_BIT(mode)};
        char *key = jp_sprintf("%s.%s", jp_limit_fields[JP_LIMIT_CPU_RATE].key, modes[mode].key);
        cJSON_AddStringToObject(object, key, stand_in(&nobody, spec, JP_LIMIT_CPU_RATE));
        jp_free(key);
    }
    return object;
}

/* --- the standards --- */

static const char *environment(const char *name) { return strcmp(name, "ProgramData") == 0 ? "%ProgramData%" : NULL; }

static bool read_standard(struct jp_config *ret_config) {
    struct jp_config_host host = {.environment = environment};
    struct jp_config_faults faults;
    return jp_config_parse("{}", 2, &host, ret_config, &faults) == JP_OK;
}

static void fill_pool(struct jp_pool_spec *spec) {
    spec->object_name = jp_pool_object_name("NAME", spec);
    spec->wait_timeout_100ns = jp_pool_spec_wait_timeout(spec);
}

/* What is no zero, and not the parser's to fill in. */
static void add_wait_timeout(cJSON *fields, struct jp_pool_spec *spec) {
    cJSON *row = cJSON_GetArrayItem(fields, JP_POOL_WAIT_TIMEOUT);
    cJSON_AddItemToObject(row, "default", value_of(jp_pool_fields, JP_POOL_WAIT_TIMEOUT, spec));
}

int main(void) {
    struct jp_config config = {0};
    struct jp_pool_spec pool = {0};
    struct jp_template_spec template = {0};
    if (!read_standard(&config))
        return 1;
    fill_pool(&pool);
    cJSON *document = cJSON_CreateObject();
    cJSON_AddItemToObject(document, "config", table(jp_config_fields, &(struct standard){&config, true}));
    cJSON *keys = table(jp_pool_fields, &(struct standard){&pool, false});
    add_wait_timeout(keys, &pool);
    cJSON_AddItemToObject(document, "pool", keys);
    cJSON_AddItemToObject(document, "template", table(jp_template_fields, &(struct standard){&template, false}));
    cJSON_AddItemToObject(document, "standIns", stand_ins());
    struct jp_str text = {0};
    jp_json_print(document, &text);
    bool good = puts(jp_str_text(&text)) >= 0;
    jp_str_free(&text);
    cJSON_Delete(document);
    jp_schema_clear(jp_pool_fields, &pool);
    jp_config_free(&config);
    return good ? 0 : 1;
}
