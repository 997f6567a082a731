/* Structs described by tables: the walk over fields. What a single value is, stands in schema_values.c. */
#include "base/schema.h"

#include "base/schema_values.h"
#include "base/utf.h"

#include <stdarg.h>
#include <string.h>

void jp_faults_add(struct jp_faults *faults, const cJSON *item, bool at_key, const char *format, ...) {
    if (faults->count == JP_FAULTS_MAX)
        return;
    struct jp_str text = {0};
    va_list arguments;
    va_start(arguments, format);
    jp_str_vprintf(&text, format, arguments);
    va_end(arguments);
    char *tidy = jp_str_take(&text);
    jp_utf8_tidy(tidy);
    faults->items = jp_realloc_array(faults->items, faults->count + 1, sizeof *faults->items);
    faults->items[faults->count++] = (struct jp_fault){.text = tidy, .item = item, .at_key = at_key};
}

void jp_faults_free(struct jp_faults *faults) {
    for (size_t i = 0; i < faults->count; i++)
        jp_free(faults->items[i].text);
    jp_free(faults->items);
    *faults = (struct jp_faults){0};
}

const char *jp_choice_name(const struct jp_choice *choices, uint32_t value) {
    for (; choices->name; choices++)
        if (choices->value == value)
            return choices->name;
    return NULL;
}

static size_t field_count(const struct jp_field *fields) {
    size_t count = 0;
    while (fields[count].key)
        count++;
    return count;
}

static void *slot_of(const struct jp_field *field, void *target) { return (char *)target + field->offset; }

static const void *slot_of_const(const struct jp_field *field, const void *source) {
    return (const char *)source + field->offset;
}

static uint64_t *present_of(void *target) { return target; }

static uint64_t present_in(const void *source) { return *(const uint64_t *)source; }

static char *join_path(const char *path, const char *key) {
    return *path ? jp_sprintf("%s.%s", path, key) : jp_strdup(key);
}

static void refuse_unknown(const struct jp_schema_context *context, const struct jp_field *fields, const cJSON *member,
                           const char *path) {
    const char *nearest = jp_nearest(member->string, &fields->key, field_count(fields), sizeof *fields);
    if (nearest)
        jp_faults_add(context->faults, member, true, "%s: unknown key; did you mean \"%s\"?", path, nearest);
    else if (fields->key)
        jp_faults_add(context->faults, member, true, "%s: unknown key", path);
    else
        jp_faults_add(context->faults, member, true, "%s: unknown key; none is expected here", path);
}

static bool read_member(const struct jp_schema_context *context, const struct jp_field *fields, const cJSON *member,
                        const char *path, void *target, uint64_t *present) {
    size_t index = 0;
    while (fields[index].key && strcmp(fields[index].key, member->string) != 0)
        index++;
    const struct jp_field *field = &fields[index];
    if (!field->key) {
        refuse_unknown(context, fields, member, path);
        return false;
    }
    if (cJSON_IsNull(member) && field->nullable) {
        *present |= JP_SCHEMA_NULL_BIT(index);
        return true;
    }
    jp__value_clear(field, slot_of(field, target)); /* where a doubled key was let through, the last one stands */
    if (!jp__value_read(context, field, member, path, slot_of(field, target)))
        return false;
    *present |= JP_SCHEMA_BIT(index);
    return true;
}

static bool read_members(const struct jp_schema_context *context, const struct jp_field *fields, const cJSON *object,
                         const char *path, void *target, uint64_t *present, bool whole) {
    if (!cJSON_IsObject(object)) {
        jp_faults_add(context->faults, object, false, "%s%sexpected an object {...}", path, *path ? ": " : "");
        return false;
    }
    bool good = true;
    const cJSON *member;
    cJSON_ArrayForEach(member, object) {
        if (context->faults->count == JP_FAULTS_MAX)
            return false; /* to look for what each of 70,000 unknown keys may have meant is to keep everybody else waiting */
        char *member_path = join_path(path, member->string);
        good &= read_member(context, fields, member, member_path, target, present);
        jp_free(member_path);
    }
    for (size_t i = 0; fields[i].key; i++)
        if ((whole || fields[i].required) && !cJSON_GetObjectItemCaseSensitive(object, fields[i].key)) {
            char *member_path = join_path(path, fields[i].key);
            jp_faults_add(context->faults, object, false, "%s: missing", member_path);
            jp_free(member_path);
            good = false;
        }
    return good;
}

bool jp_schema_read(const struct jp_schema_context *context, const struct jp_field *fields, const cJSON *object,
                    const char *path, void *target) {
    return read_members(context, fields, object, path, target, present_of(target), false);
}

bool jp_schema_read_record(const struct jp_schema_context *context, const struct jp_field *fields, const cJSON *object,
                           const char *path, void *target) {
    uint64_t present = 0;
    return read_members(context, fields, object, path, target, &present, true);
}

static cJSON *write_members(const struct jp_field *fields, const void *source, uint64_t present) {
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; fields[i].key; i++)
        if (present & JP_SCHEMA_BIT(i))
            cJSON_AddItemToObject(object, fields[i].key, jp__value_write(&fields[i], slot_of_const(&fields[i], source)));
    return object;
}

cJSON *jp_schema_write(const struct jp_field *fields, const void *source) {
    return write_members(fields, source, present_in(source));
}

cJSON *jp_schema_write_record(const struct jp_field *fields, const void *source) {
    return write_members(fields, source, UINT64_MAX);
}

void jp_schema_clear(const struct jp_field *fields, void *target) {
    for (size_t i = 0; fields[i].key; i++)
        jp__value_clear(&fields[i], slot_of(&fields[i], target));
    *present_of(target) = 0;
}

void jp_schema_copy(const struct jp_field *fields, const void *source, void *target) {
    *present_of(target) = present_in(source);
    for (size_t i = 0; fields[i].key; i++)
        jp__value_copy(&fields[i], slot_of_const(&fields[i], source), slot_of(&fields[i], target));
}

bool jp_schema_equal(const struct jp_field *fields, const void *one, const void *other) {
    if ((present_in(one) ^ present_in(other)) & UINT32_MAX)
        return false;
    for (size_t i = 0; fields[i].key; i++)
        if ((present_in(one) & JP_SCHEMA_BIT(i)) &&
            !jp__value_equal(&fields[i], slot_of_const(&fields[i], one), slot_of_const(&fields[i], other)))
            return false;
    return true;
}

/* A whole setting (a CPU rate, a working set) is replaced as one; a group of settings (limits) is merged key by key. The
 * group is the object whose members may be null. */
static bool is_group(const struct jp_field *field) {
    return field->type == JP_FIELD_OBJECT && field->fields[0].key && field->fields[0].nullable;
}

void jp_schema_merge(const struct jp_field *fields, void *target, const void *change) {
    for (size_t i = 0; fields[i].key; i++) {
        void *slot = slot_of(&fields[i], target);
        if (present_in(change) & JP_SCHEMA_NULL_BIT(i)) {
            jp__value_clear(&fields[i], slot);
            *present_of(target) &= ~JP_SCHEMA_BIT(i);
        } else if (present_in(change) & JP_SCHEMA_BIT(i)) {
            if (is_group(&fields[i])) {
                jp_schema_merge(fields[i].fields, slot, slot_of_const(&fields[i], change));
            } else {
                jp__value_clear(&fields[i], slot);
                jp__value_copy(&fields[i], slot_of_const(&fields[i], change), slot);
            }
            *present_of(target) |= JP_SCHEMA_BIT(i);
        }
    }
}
