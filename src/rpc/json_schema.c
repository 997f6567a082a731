/* Tables to JSON Schema. What is said more than once is a component, so that the document stays small. */
#include "rpc/json_schema.h"

#include "job/access.h"
#include "job/limits.h"

#include <string.h>

enum { LONGEST_TEXT = 32767 }; /* as schema_values.c has it */

static cJSON *typed(const char *type) {
    cJSON *schema = cJSON_CreateObject();
    if (type)
        cJSON_AddStringToObject(schema, "type", type);
    return schema;
}

static cJSON *text_of(const char *pattern) {
    cJSON *schema = typed("string");
    cJSON_AddStringToObject(schema, "pattern", pattern);
    return schema;
}

static cJSON *any_of(cJSON *one, cJSON *other) {
    cJSON *schema = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(schema, "anyOf");
    cJSON_AddItemToArray(list, one);
    cJSON_AddItemToArray(list, other);
    return schema;
}

cJSON *jp__schema_or_null(cJSON *schema) { return any_of(schema, typed("null")); }

static cJSON *list_of(cJSON *items) {
    cJSON *schema = typed("array");
    cJSON_AddItemToObject(schema, "items", items);
    return schema;
}

static cJSON *one_of_words(const char *const *words) {
    cJSON *schema = typed("string");
    if (words) {
        cJSON *list = cJSON_AddArrayToObject(schema, "enum");
        for (; *words; words++)
            cJSON_AddItemToArray(list, cJSON_CreateString(*words));
    }
    return schema;
}

static cJSON *one_of_choices(const struct jp_choice *choices) {
    cJSON *schema = typed("string");
    cJSON *list = cJSON_AddArrayToObject(schema, "enum");
    for (; choices->name; choices++)
        cJSON_AddItemToArray(list, cJSON_CreateString(choices->name));
    return schema;
}

static cJSON *reference(const char *name) {
    cJSON *schema = cJSON_CreateObject();
    char *path = jp_sprintf("#/components/schemas/%s", name);
    cJSON_AddStringToObject(schema, "$ref", path);
    jp_free(path);
    return schema;
}

static cJSON *integer(double least, double most) {
    cJSON *schema = typed("integer");
    cJSON_AddNumberToObject(schema, "minimum", least);
    cJSON_AddNumberToObject(schema, "maximum", most);
    return schema;
}

/* --- what has no table: the forms of numbers and times --- */

static cJSON *form_of(const char *name) {
    if (strcmp(name, "Integer") == 0)
        return any_of(integer(0, (double)JP_JSON_EXACT_MAX), text_of("^[0-9]+$"));
    if (strcmp(name, "Decimal") == 0)
        return text_of("^-?[0-9]+$");
    if (strcmp(name, "Time") == 0)
        return text_of("^[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{7}Z$");
    if (strcmp(name, "Size") == 0)
        return any_of(integer(0, (double)JP_JSON_EXACT_MAX), text_of("^[0-9]+(\\.[0-9]+)? ?[A-Za-z]*$"));
    if (strcmp(name, "Duration") == 0)
        return text_of("^(0|([0-9]+(\\.[0-9]+)?[a-z]+)+)$");
    return text_of("^[0-9]+(\\.[0-9]+)? ?%$"); /* Percent */
}

static const char *const forms[][2] = {
    {"Integer", "An integer, or a decimal string: beyond 2^53 - 1 always that."},
    {"Decimal", "An integer as a decimal string."},
    {"Time", "ISO 8601 in UTC, to 100 ns."},
    {"Size", "Bytes: \"512MiB\", \"1.5GB\", or a number."},
    {"Duration", "\"90s\", \"250ms\", \"1.5h\", \"30d\"."},
    {"Percent", "\"50%\", \"12.5%\"."},
};

static cJSON *form(cJSON *schemas, const char *name) {
    if (!cJSON_GetObjectItemCaseSensitive(schemas, name)) {
        cJSON *schema = form_of(name);
        for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
            if (strcmp(forms[i][0], name) == 0)
                cJSON_AddStringToObject(schema, "description", forms[i][1]);
        cJSON_AddItemToObject(schemas, name, schema);
    }
    return reference(name);
}

/* --- fields --- */

static cJSON *schema_of_fields(cJSON *schemas, const struct jp_field *fields, bool whole) {
    cJSON *schema = typed("object");
    cJSON *properties = cJSON_AddObjectToObject(schema, "properties");
    cJSON *required = cJSON_CreateArray();
    for (; fields->key; fields++) {
        cJSON *property = jp__schema_of_field(schemas, fields);
        if (fields->nullable)
            property = jp__schema_or_null(property);
        if (fields->documentation)
            cJSON_AddStringToObject(property, "description", fields->documentation);
        cJSON_AddItemToObject(properties, fields->key, property);
        if (fields->required || whole)
            cJSON_AddItemToArray(required, cJSON_CreateString(fields->key));
    }
    if (cJSON_GetArraySize(required))
        cJSON_AddItemToObject(schema, "required", required);
    else
        cJSON_Delete(required);
    cJSON_AddFalseToObject(schema, "additionalProperties");
    return schema;
}

/* Tables that have a name of their own in the document. */
static const char *component_of(const struct jp_field *fields) {
    return fields == jp_limit_fields ? "Limits" : fields == jp_access_fields ? "Access" : NULL;
}

static cJSON *settings(cJSON *schemas, const struct jp_field *fields) {
    const char *name = component_of(fields);
    if (!name)
        return schema_of_fields(schemas, fields, false);
    if (!cJSON_GetObjectItemCaseSensitive(schemas, name))
        cJSON_AddItemToObject(schemas, name, schema_of_fields(schemas, fields, false));
    return reference(name);
}

static cJSON *object_field(cJSON *schemas, const struct jp_field *field) {
    cJSON *object = settings(schemas, field->fields);
    for (const struct jp_field *member = field->fields; field->shorthand && member->key; member++)
        if (strcmp(member->key, field->shorthand) == 0)
            return any_of(jp__schema_of_field(schemas, member), object);
    return object;
}

static cJSON *number_field(cJSON *schemas, const struct jp_field *field) {
    uint64_t most = field->max ? field->max : field->type == JP_FIELD_U32 ? UINT32_MAX : UINT64_MAX;
    if (!field->min && most > JP_JSON_EXACT_MAX)
        return form(schemas, "Integer");
    return any_of(integer((double)field->min, (double)(most > JP_JSON_EXACT_MAX ? JP_JSON_EXACT_MAX : most)), text_of("^[0-9]+$"));
}

static cJSON *text_field(const struct jp_field *field) {
    cJSON *schema = typed("string");
    if (field->min)
        cJSON_AddNumberToObject(schema, "minLength", (double)field->min);
    cJSON_AddNumberToObject(schema, "maxLength", (double)(field->max ? field->max : LONGEST_TEXT));
    return schema;
}

static cJSON *code_field(const struct jp_field *field) {
    cJSON *schema = any_of(integer(0, UINT32_MAX), text_of("^[0-9]+$"));
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(schema, "anyOf"), one_of_choices(field->choices));
    return schema;
}

static cJSON *bounded(cJSON *schema, const char *word, uint64_t most) {
    if (most)
        cJSON_AddNumberToObject(schema, word, (double)most);
    return schema;
}

static cJSON *environment_field(const struct jp_field *field) {
    cJSON *schema = typed("object");
    cJSON_AddItemToObject(schema, "additionalProperties", jp__schema_or_null(typed("string")));
    return bounded(schema, "maxProperties", field->max);
}

cJSON *jp__schema_of_field(cJSON *schemas, const struct jp_field *field) {
    switch (field->type) {
    case JP_FIELD_BOOL:
        return typed("boolean");
    case JP_FIELD_U32:
    case JP_FIELD_U64:
        return number_field(schemas, field);
    case JP_FIELD_BYTES:
        return form(schemas, "Size");
    case JP_FIELD_DURATION:
        return form(schemas, "Duration");
    case JP_FIELD_PERCENT:
        return form(schemas, "Percent");
    case JP_FIELD_AFFINITY:
        return text_of("^(0[xX][0-9A-Fa-f]+|[0-9 ,-]+)$");
    case JP_FIELD_STRING:
    case JP_FIELD_PATH:
        return text_field(field);
    case JP_FIELD_CHOICE:
        return one_of_choices(field->choices);
    case JP_FIELD_FLAGS:
        return list_of(one_of_choices(field->choices));
    case JP_FIELD_CODE:
        return code_field(field);
    case JP_FIELD_BITS:
        return any_of(code_field(field), list_of(code_field(field)));
    case JP_FIELD_OBJECT:
        return object_field(schemas, field);
    case JP_FIELD_RECORD:
        return schema_of_fields(schemas, field->fields, true);
    case JP_FIELD_LIST:
        return bounded(list_of(settings(schemas, field->fields)), "maxItems", field->max);
    case JP_FIELD_STRINGS:
        return bounded(list_of(typed("string")), "maxItems", field->max);
    case JP_FIELD_ENV:
        return environment_field(field);
    case JP_FIELD_JSON:
        break;
    }
    return typed(NULL); /* anything */
}

/* --- shapes --- */

static cJSON *map_of(cJSON *values) {
    cJSON *schema = typed("object");
    cJSON_AddItemToObject(schema, "additionalProperties", values);
    return schema;
}

static cJSON *schema_of_key(cJSON *schemas, const struct jp_field *fields, const char *key) {
    while (strcmp(fields->key, key) != 0)
        fields++;
    return jp__schema_of_field(schemas, fields);
}

static cJSON *schema_of_member(cJSON *schemas, const struct jp_shape_member *member) {
    switch (member->kind) {
    case JP_SHAPE_STRING:
        return one_of_words(member->words);
    case JP_SHAPE_BOOL:
        return typed("boolean");
    case JP_SHAPE_INTEGER:
        return typed("integer");
    case JP_SHAPE_U64:
        return form(schemas, "Integer");
    case JP_SHAPE_DECIMAL:
        return form(schemas, "Decimal");
    case JP_SHAPE_TIME:
        return form(schemas, "Time");
    case JP_SHAPE_OBJECT:
        return jp__schema_of_shape(schemas, member->of);
    case JP_SHAPE_LIST:
        return list_of(member->of ? jp__schema_of_shape(schemas, member->of) : one_of_words(member->words));
    case JP_SHAPE_MAP:
        return map_of(member->of ? jp__schema_of_shape(schemas, member->of) : one_of_words(member->words));
    case JP_SHAPE_FIELDS:
        return settings(schemas, member->fields);
    case JP_SHAPE_FIELD:
        return schema_of_key(schemas, member->fields, member->key);
    case JP_SHAPE_ANY:
        break;
    }
    return typed(NULL);
}

static void add_members(cJSON *schemas, cJSON *schema, const struct jp_shape_member *members) {
    cJSON *required = cJSON_CreateArray();
    cJSON *properties = cJSON_AddObjectToObject(schema, "properties");
    for (; members->key; members++) {
        cJSON *property = schema_of_member(schemas, members);
        if (members->nullable)
            property = jp__schema_or_null(property);
        cJSON_AddStringToObject(property, "description", members->documentation);
        cJSON_AddItemToObject(properties, members->key, property);
        if (!members->optional)
            cJSON_AddItemToArray(required, cJSON_CreateString(members->key));
    }
    cJSON_AddItemToObject(schema, "required", required);
}

cJSON *jp__schema_of_shape(cJSON *schemas, const struct jp_shape *shape) {
    if (cJSON_GetObjectItemCaseSensitive(schemas, shape->name))
        return reference(shape->name);
    cJSON *schema = cJSON_AddObjectToObject(schemas, shape->name); /* first, so that it may speak of itself */
    if (shape->documentation)
        cJSON_AddStringToObject(schema, "description", shape->documentation);
    if (shape->either) {
        cJSON *list = cJSON_AddArrayToObject(schema, "anyOf");
        for (const struct jp_shape *const *one = shape->either; *one; one++)
            cJSON_AddItemToArray(list, jp__schema_of_shape(schemas, *one));
        return reference(shape->name);
    }
    cJSON_AddStringToObject(schema, "type", "object");
    if (shape->members)
        add_members(schemas, schema, shape->members);
    return reference(shape->name);
}
