/* The field types of schema.h, one value at a time. */
#include "base/schema_values.h"

#include "base/units.h"

#include <inttypes.h>
#include <string.h>

enum { LONGEST_STRING = 32767 }; /* UNICODE_STRING's bound, and so a command line's */

static bool fault(const struct jp_schema_context *context, const cJSON *item, const char *path, const char *expected) {
    jp_faults_add(context->faults, item, false, "%s: expected %s", path, expected);
    return false;
}

static bool read_number(const struct jp_schema_context *context, const struct jp_field *field, const cJSON *item,
                        const char *path, uint64_t *ret_value) {
    uint64_t max = field->max ? field->max : field->type == JP_FIELD_U32 ? UINT32_MAX : UINT64_MAX;
    if (jp_json_get_u64(item, ret_value) && *ret_value >= field->min && *ret_value <= max)
        return true;
    jp_faults_add(context->faults, item, false, "%s: expected a whole number from %" PRIu64 " to %" PRIu64, path, field->min,
                  max);
    return false;
}

/* Quantities that people write with a unit: the text goes to the parser of units.h. */
typedef jp_status parse_u64(const char *text, uint64_t *ret_value, struct jp_error *error);

static bool read_quantity(const struct jp_schema_context *context, const struct jp_field *field, const cJSON *item,
                          const char *path, parse_u64 *parse, const char *expected, uint64_t *ret_value) {
    struct jp_error error;
    bool bare_number = field->type == JP_FIELD_BYTES && cJSON_IsNumber(item);
    if (!cJSON_IsString(item) && !bare_number)
        return fault(context, item, path, expected);
    if (bare_number ? !jp_json_get_u64(item, ret_value) : parse(item->valuestring, ret_value, &error) != JP_OK) {
        jp_faults_add(context->faults, item, false, "%s: %s", path, bare_number ? "not a whole number of bytes" : error.text);
        return false;
    }
    if (*ret_value >= field->min && (!field->max || *ret_value <= field->max))
        return true;
    char least[JP_UNITS_TEXT], most[JP_UNITS_TEXT];
    const char *(*format)(uint64_t, char *) = field->type == JP_FIELD_DURATION ? jp_duration_format : jp_bytes_format;
    if (*ret_value < field->min)
        jp_faults_add(context->faults, item, false, "%s: too small, expected at least %s", path, format(field->min, least));
    else
        jp_faults_add(context->faults, item, false, "%s: too large, expected at most %s", path, format(field->max, most));
    return false;
}

static bool read_percent(const struct jp_schema_context *context, const struct jp_field *field, const cJSON *item,
                         const char *path, uint32_t *ret_value) {
    struct jp_error error;
    if (!cJSON_IsString(item))
        return fault(context, item, path, "a percentage like \"50%\"");
    if (jp_percent_parse(item->valuestring, ret_value, &error)) {
        jp_faults_add(context->faults, item, false, "%s: %s", path, error.text);
        return false;
    }
    if (*ret_value < field->min) {
        jp_faults_add(context->faults, item, false, "%s: too small, expected more than 0%%", path);
        return false;
    }
    return true;
}

static bool read_string(const struct jp_schema_context *context, const struct jp_field *field, const cJSON *item,
                        const char *path, char **ret_text) {
    size_t longest = field->max ? (size_t)field->max : LONGEST_STRING;
    if (!cJSON_IsString(item))
        return fault(context, item, path, "a string");
    size_t length = strlen(item->valuestring);
    if (length < field->min || length > longest) {
        jp_faults_add(context->faults, item, false, "%s: expected %" PRIu64 " to %zu bytes of text, found %zu", path, field->min,
                      longest, length);
        return false;
    }
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)item->valuestring[i] < 0x20)
            return fault(context, item, path, "a string without control characters");
    *ret_text = jp_strdup(item->valuestring);
    return true;
}

/* "%ProgramData%\JobPool": the name between two % is looked up; "%%" is one %. */
static bool expand(const struct jp_schema_context *context, const cJSON *item, const char *path, char **text) {
    struct jp_str out = {0};
    bool good = true;
    for (const char *at = *text; *at && good;) {
        const char *end = *at == '%' ? strchr(at + 1, '%') : NULL;
        if (*at != '%') {
            jp_str_putc(&out, *at++);
        } else if (!end) {
            good = fault(context, item, path, "a second % after the first (\"%%\" for one % itself)");
        } else if (end == at + 1) {
            jp_str_putc(&out, '%');
            at = end + 1;
        } else {
            char *name = jp_strndup(at + 1, (size_t)(end - at - 1));
            const char *value = context->environment ? context->environment(name) : NULL;
            if (value)
                jp_str_puts(&out, value);
            else
                jp_faults_add(context->faults, item, false, "%s: the environment variable %s is not set", path, name);
            good = value != NULL;
            jp_free(name);
            at = end + 1;
        }
    }
    jp_free(*text);
    *text = good ? jp_str_take(&out) : NULL;
    jp_str_free(&out);
    return good;
}

static const struct jp_choice *find_choice(const struct jp_schema_context *context, const struct jp_field *field,
                                           const cJSON *item, const char *path) {
    size_t count = 0;
    for (; field->choices[count].name; count++)
        if (cJSON_IsString(item) && strcmp(field->choices[count].name, item->valuestring) == 0)
            return &field->choices[count];
    struct jp_str names = {0};
    for (size_t i = 0; i < count; i++)
        jp_str_printf(&names, "%s\"%s\"", i ? ", " : "", field->choices[i].name);
    const char *nearest =
        cJSON_IsString(item) ? jp_nearest(item->valuestring, &field->choices->name, count, sizeof *field->choices) : NULL;
    if (nearest)
        jp_faults_add(context->faults, item, false, "%s: expected one of %s; did you mean \"%s\"?", path, jp_str_text(&names),
                      nearest);
    else
        jp_faults_add(context->faults, item, false, "%s: expected one of %s", path, jp_str_text(&names));
    jp_str_free(&names);
    return NULL;
}

static bool read_flags(const struct jp_schema_context *context, const struct jp_field *field, const cJSON *item,
                       const char *path, uint32_t *ret_flags) {
    if (!cJSON_IsArray(item))
        return fault(context, item, path, "a list [...] of names");
    uint32_t flags = 0;
    bool good = true;
    const cJSON *element;
    cJSON_ArrayForEach(element, item) {
        const struct jp_choice *choice = find_choice(context, field, element, path);
        good &= choice != NULL;
        flags |= choice ? choice->value : 0;
    }
    *ret_flags = flags;
    return good;
}

static bool read_code(const struct jp_schema_context *context, const struct jp_field *field, const cJSON *item,
                      const char *path, uint32_t *ret_code) {
    uint64_t number;
    if (jp_json_get_u64(item, &number)) {
        if (number <= UINT32_MAX) {
            *ret_code = (uint32_t)number;
            return true;
        }
        return fault(context, item, path, "a number below 2^32, or a name");
    }
    const struct jp_choice *choice = find_choice(context, field, item, path);
    if (choice)
        *ret_code = choice->value;
    return choice != NULL;
}

static bool read_bits(const struct jp_schema_context *context, const struct jp_field *field, const cJSON *item,
                      const char *path, uint32_t *ret_bits) {
    uint32_t bits = 0, one;
    if (!cJSON_IsArray(item))
        return read_code(context, field, item, path, ret_bits);
    const cJSON *element;
    cJSON_ArrayForEach(element, item) {
        if (!read_code(context, field, element, path, &one))
            return false;
        bits |= one;
    }
    *ret_bits = bits;
    return true;
}

static void *list_item(const struct jp_field *field, const struct jp_list *list, size_t index) {
    return (char *)list->items + index * field->size;
}

static void list_clear(const struct jp_field *field, struct jp_list *list) {
    for (size_t i = 0; i < list->count; i++)
        jp_schema_clear(field->fields, list_item(field, list, i));
    jp_free(list->items);
    *list = (struct jp_list){0};
}

static void list_copy(const struct jp_field *field, const struct jp_list *from, struct jp_list *to) {
    to->items = from->count ? jp_alloc(from->count * field->size) : NULL;
    for (; to->count < from->count; to->count++)
        jp_schema_copy(field->fields, list_item(field, from, to->count), list_item(field, to, to->count));
}

/* A list has no word for its room: it is always taken for the next power of two, so that most additions ask for what is there. */
static size_t room_for(size_t count) {
    size_t room = 1;
    while (room < count)
        room *= 2;
    return room;
}

static void take_string(struct jp_strings *strings, char *text) {
    strings->items = jp_realloc_array(strings->items, room_for(strings->count + 1), sizeof *strings->items);
    strings->items[strings->count++] = text;
}

void jp_strings_add(struct jp_strings *strings, const char *text) { take_string(strings, jp_strdup(text)); }

void jp_strings_add_all(struct jp_strings *strings, const struct jp_strings *more) {
    for (size_t i = 0; i < more->count; i++)
        jp_strings_add(strings, more->items[i]);
}

void jp_strings_free(struct jp_strings *strings) {
    for (size_t i = 0; i < strings->count; i++)
        jp_free(strings->items[i]);
    jp_free(strings->items);
    *strings = (struct jp_strings){0};
}

static bool read_strings(const struct jp_schema_context *context, const struct jp_field *field, const cJSON *item,
                         const char *path, struct jp_strings *strings) {
    static const struct jp_field element_field = {.type = JP_FIELD_STRING};
    if (!cJSON_IsArray(item))
        return fault(context, item, path, "a list [...] of strings");
    const cJSON *element;
    cJSON_ArrayForEach(element, item) {
        char *text;
        if (field->max && strings->count == field->max) {
            jp_faults_add(context->faults, item, false, "%s: more than %" PRIu64 " elements", path, field->max);
            return false;
        }
        if (!read_string(context, &element_field, element, path, &text))
            return false;
        take_string(strings, text);
    }
    return true;
}

static bool read_env(const struct jp_schema_context *context, const struct jp_field *field, const cJSON *item,
                     const char *path, struct jp_strings *strings) {
    if (!cJSON_IsObject(item))
        return fault(context, item, path, "an object {\"NAME\": \"value\", ...}");
    const cJSON *member;
    cJSON_ArrayForEach(member, item) {
        if (!*member->string || strchr(member->string, '='))
            return fault(context, member, path, "names of variables that are not empty and hold no \"=\"");
        if (!cJSON_IsString(member) && !cJSON_IsNull(member))
            return fault(context, member, path, "a string, or null to remove the variable");
        if (field->max && strings->count == field->max) {
            jp_faults_add(context->faults, item, false, "%s: more than %" PRIu64 " variables", path, field->max);
            return false;
        }
        take_string(strings, cJSON_IsNull(member) ? jp_strdup(member->string)
                                                  : jp_sprintf("%s=%s", member->string, member->valuestring));
    }
    return true;
}

static bool read_object(const struct jp_schema_context *context, const struct jp_field *field, const cJSON *item,
                        const char *path, void *slot) {
    if (cJSON_IsObject(item) || !field->shorthand)
        return jp_schema_read(context, field->fields, item, path, slot);
    for (size_t i = 0; field->fields[i].key; i++)
        if (strcmp(field->fields[i].key, field->shorthand) == 0) {
            if (!jp__value_read(context, &field->fields[i], item, path, (char *)slot + field->fields[i].offset))
                return false;
            *(uint64_t *)slot |= JP_SCHEMA_BIT(i);
        }
    return true;
}

/* A faulty element does not hide the faults of those after it. */
static bool read_list(const struct jp_schema_context *context, const struct jp_field *field, const cJSON *item,
                      const char *path, struct jp_list *list) {
    if (!cJSON_IsArray(item))
        return fault(context, item, path, "a list [...] of objects");
    size_t count = (size_t)cJSON_GetArraySize(item);
    if (field->max && count > field->max) {
        jp_faults_add(context->faults, item, false, "%s: more than %" PRIu64 " elements", path, field->max);
        return false;
    }
    if (count)
        list->items = jp_alloc(count * field->size);
    bool good = true;
    const cJSON *element;
    cJSON_ArrayForEach(element, item) {
        char *element_path = jp_sprintf("%s[%zu]", path, list->count);
        good &= jp_schema_read(context, field->fields, element, element_path, list_item(field, list, list->count++));
        jp_free(element_path);
    }
    return good;
}

bool jp__value_read(const struct jp_schema_context *context, const struct jp_field *field, const cJSON *item,
                    const char *path, void *slot) {
    uint64_t number;
    const struct jp_choice *choice;
    switch (field->type) {
    case JP_FIELD_BOOL:
        if (!cJSON_IsBool(item))
            return fault(context, item, path, "true or false");
        *(bool *)slot = cJSON_IsTrue(item);
        return true;
    case JP_FIELD_U32:
        if (!read_number(context, field, item, path, &number))
            return false;
        *(uint32_t *)slot = (uint32_t)number;
        return true;
    case JP_FIELD_U64:
        return read_number(context, field, item, path, slot);
    case JP_FIELD_BYTES:
        return read_quantity(context, field, item, path, jp_bytes_parse, "a size like \"512MiB\"", slot);
    case JP_FIELD_DURATION:
        return read_quantity(context, field, item, path, jp_duration_parse, "a duration like \"90s\"", slot);
    case JP_FIELD_AFFINITY:
        return read_quantity(context, field, item, path, jp_affinity_parse, "processors like \"0-3,6\" or \"0xF\"", slot);
    case JP_FIELD_PERCENT:
        return read_percent(context, field, item, path, slot);
    case JP_FIELD_STRING:
        return read_string(context, field, item, path, slot);
    case JP_FIELD_PATH:
        return read_string(context, field, item, path, slot) && expand(context, item, path, slot);
    case JP_FIELD_CHOICE:
        choice = find_choice(context, field, item, path);
        if (choice)
            *(uint32_t *)slot = choice->value;
        return choice != NULL;
    case JP_FIELD_FLAGS:
        return read_flags(context, field, item, path, slot);
    case JP_FIELD_CODE:
        return read_code(context, field, item, path, slot);
    case JP_FIELD_BITS:
        return read_bits(context, field, item, path, slot);
    case JP_FIELD_OBJECT:
        return read_object(context, field, item, path, slot);
    case JP_FIELD_RECORD:
        return jp_schema_read_record(context, field->fields, item, path, slot);
    case JP_FIELD_LIST:
        return read_list(context, field, item, path, slot);
    case JP_FIELD_STRINGS:
        return read_strings(context, field, item, path, slot);
    case JP_FIELD_ENV:
        return read_env(context, field, item, path, slot);
    case JP_FIELD_JSON:
        *(cJSON **)slot = cJSON_Duplicate(item, true);
        return true;
    }
    return false;
}

static cJSON *write_flags(const struct jp_field *field, uint32_t flags) {
    cJSON *list = cJSON_CreateArray();
    for (const struct jp_choice *choice = field->choices; choice->name && flags; choice++)
        if ((flags & choice->value) == choice->value) {
            cJSON_AddItemToArray(list, cJSON_CreateString(choice->name));
            flags &= ~choice->value;
        }
    return list;
}

static cJSON *write_list(const struct jp_field *field, const struct jp_list *list) {
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < list->count; i++)
        cJSON_AddItemToArray(array, jp_schema_write(field->fields, list_item(field, list, i)));
    return array;
}

static cJSON *write_strings(const struct jp_strings *strings) {
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < strings->count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(strings->items[i]));
    return list;
}

static cJSON *write_env(const struct jp_strings *strings) {
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; i < strings->count; i++) {
        const char *equals = strchr(strings->items[i], '=');
        char *name = equals ? jp_strndup(strings->items[i], (size_t)(equals - strings->items[i])) : jp_strdup(strings->items[i]);
        jp_json_add_string(object, name, equals ? equals + 1 : NULL);
        jp_free(name);
    }
    return object;
}

static cJSON *write_affinity(uint64_t mask) {
    char *text = jp_affinity_format(mask);
    cJSON *item = cJSON_CreateString(text);
    jp_free(text);
    return item;
}

cJSON *jp__value_write(const struct jp_field *field, const void *slot) {
    char buffer[JP_UNITS_TEXT];
    switch (field->type) {
    case JP_FIELD_BOOL:
        return cJSON_CreateBool(*(const bool *)slot);
    case JP_FIELD_U32:
    case JP_FIELD_CODE:
    case JP_FIELD_BITS:
        return jp_json_u64(*(const uint32_t *)slot);
    case JP_FIELD_U64:
        return jp_json_u64(*(const uint64_t *)slot);
    case JP_FIELD_BYTES:
        return cJSON_CreateString(jp_bytes_format(*(const uint64_t *)slot, buffer));
    case JP_FIELD_DURATION:
        return cJSON_CreateString(jp_duration_format(*(const uint64_t *)slot, buffer));
    case JP_FIELD_PERCENT:
        return cJSON_CreateString(jp_percent_format(*(const uint32_t *)slot, buffer));
    case JP_FIELD_AFFINITY:
        return write_affinity(*(const uint64_t *)slot);
    case JP_FIELD_STRING:
    case JP_FIELD_PATH:
        return cJSON_CreateString(*(char *const *)slot);
    case JP_FIELD_CHOICE:
        return cJSON_CreateString(jp_choice_name(field->choices, *(const uint32_t *)slot));
    case JP_FIELD_FLAGS:
        return write_flags(field, *(const uint32_t *)slot);
    case JP_FIELD_OBJECT:
        return jp_schema_write(field->fields, slot);
    case JP_FIELD_RECORD:
        return jp_schema_write_record(field->fields, slot);
    case JP_FIELD_LIST:
        return write_list(field, slot);
    case JP_FIELD_STRINGS:
        return write_strings(slot);
    case JP_FIELD_ENV:
        return write_env(slot);
    case JP_FIELD_JSON:
        return cJSON_Duplicate(*(cJSON *const *)slot, true);
    }
    return NULL;
}

static size_t value_size(enum jp_field_type type) {
    switch (type) {
    case JP_FIELD_BOOL:
        return sizeof(bool);
    case JP_FIELD_U32:
    case JP_FIELD_PERCENT:
    case JP_FIELD_CHOICE:
    case JP_FIELD_FLAGS:
    case JP_FIELD_CODE:
    case JP_FIELD_BITS:
        return sizeof(uint32_t);
    case JP_FIELD_U64:
    case JP_FIELD_BYTES:
    case JP_FIELD_DURATION:
    case JP_FIELD_AFFINITY:
        return sizeof(uint64_t);
    case JP_FIELD_STRING:
    case JP_FIELD_PATH:
    case JP_FIELD_JSON:
        return sizeof(void *);
    case JP_FIELD_LIST:
        return sizeof(struct jp_list);
    case JP_FIELD_STRINGS:
    case JP_FIELD_ENV:
        return sizeof(struct jp_strings);
    case JP_FIELD_OBJECT:
    case JP_FIELD_RECORD:
        break; /* has its own table */
    }
    return 0;
}

void jp__value_clear(const struct jp_field *field, void *slot) {
    switch (field->type) {
    case JP_FIELD_STRING:
    case JP_FIELD_PATH:
        jp_free(*(char **)slot);
        break;
    case JP_FIELD_JSON:
        cJSON_Delete(*(cJSON **)slot);
        break;
    case JP_FIELD_LIST:
        list_clear(field, slot);
        break;
    case JP_FIELD_STRINGS:
    case JP_FIELD_ENV:
        jp_strings_free(slot);
        break;
    case JP_FIELD_OBJECT:
        jp_schema_clear(field->fields, slot);
        break;
    case JP_FIELD_RECORD:
        for (const struct jp_field *member = field->fields; member->key; member++)
            jp__value_clear(member, (char *)slot + member->offset);
        break;
    default:
        break;
    }
    memset(slot, 0, value_size(field->type));
}

void jp__value_copy(const struct jp_field *field, const void *from, void *to) {
    const struct jp_strings *strings = from;
    switch (field->type) {
    case JP_FIELD_STRING:
    case JP_FIELD_PATH:
        *(char **)to = jp_strdup(*(char *const *)from);
        break;
    case JP_FIELD_JSON:
        *(cJSON **)to = cJSON_Duplicate(*(cJSON *const *)from, true);
        break;
    case JP_FIELD_LIST:
        list_copy(field, from, to);
        break;
    case JP_FIELD_STRINGS:
    case JP_FIELD_ENV:
        jp_strings_add_all(to, strings);
        break;
    case JP_FIELD_OBJECT:
        jp_schema_copy(field->fields, from, to);
        break;
    case JP_FIELD_RECORD:
        for (const struct jp_field *member = field->fields; member->key; member++)
            jp__value_copy(member, (const char *)from + member->offset, (char *)to + member->offset);
        break;
    default:
        memcpy(to, from, value_size(field->type));
        break;
    }
}

/* Its bytes do not tell whether two are the same. */
static bool is_indirect(enum jp_field_type type) {
    return type == JP_FIELD_STRING || type == JP_FIELD_PATH || type == JP_FIELD_STRINGS || type == JP_FIELD_ENV ||
           type == JP_FIELD_JSON || type == JP_FIELD_RECORD || type == JP_FIELD_LIST;
}

bool jp__value_equal(const struct jp_field *field, const void *one, const void *other) {
    if (field->type == JP_FIELD_OBJECT)
        return jp_schema_equal(field->fields, one, other);
    if (!is_indirect(field->type))
        return memcmp(one, other, value_size(field->type)) == 0;
    cJSON *a = jp__value_write(field, one), *b = jp__value_write(field, other);
    bool equal = cJSON_Compare(a, b, true);
    cJSON_Delete(a);
    cJSON_Delete(b);
    return equal;
}
