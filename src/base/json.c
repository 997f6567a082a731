/* cJSON behind a strict door. */
#include "base/json.h"

#include "base/json_check.h"
#include "base/units.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct jp_json_place jp__json_place_at(const char *text, size_t offset) {
    struct jp_json_place place = {1, 1};
    for (size_t i = 0; i < offset; i++) {
        place.column++;
        if (text[i] == '\n')
            place = (struct jp_json_place){place.line + 1, 1};
    }
    return place;
}

struct member {
    const cJSON *item;
    size_t place; /* among its siblings: qsort may swap equal keys */
};

static int compare_members(const void *one, const void *other) {
    const struct member *a = one, *b = other;
    int keys = strcmp(a->item->string, b->item->string);
    return keys ? keys : (a->place > b->place) - (a->place < b->place);
}

static void each_duplicate_in(const cJSON *object, jp_json_item_fn *tell, void *context) {
    size_t count = 0, i = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, object) count++;
    if (count < 2)
        return;
    struct member *members = jp_realloc_array(NULL, count, sizeof *members);
    cJSON_ArrayForEach(item, object) {
        members[i] = (struct member){item, i};
        i++;
    }
    qsort(members, count, sizeof *members, compare_members);
    for (i = 1; i < count; i++)
        if (strcmp(members[i - 1].item->string, members[i].item->string) == 0)
            tell(context, members[i].item);
    jp_free(members);
}

void jp_json_each_duplicate(const cJSON *root, jp_json_item_fn *tell, void *context) {
    const cJSON *child;
    if (cJSON_IsObject(root))
        each_duplicate_in(root, tell, context);
    if (cJSON_IsObject(root) || cJSON_IsArray(root)) {
        cJSON_ArrayForEach(child, root) {
            jp_json_each_duplicate(child, tell, context);
        }
    }
}

static void keep_first(void *context, const cJSON *item) {
    const cJSON **first = context;
    if (!*first)
        *first = item;
}

static unsigned unit_at(const char *hex) {
    char digits[5] = {hex[0], hex[1], hex[2], hex[3]};
    return (unsigned)strtoul(digits, NULL, 16);
}

static bool is_high(unsigned unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
static bool is_low(unsigned unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

/* Only strings have backslashes. */
char *jp__json_spell_lone_surrogates(const char *text) {
    struct jp_str out = {0};
    while (*text) {
        size_t length = *text == '\\' ? (text[1] == 'u' ? 6 : 2) : 1;
        unsigned unit = length == 6 ? unit_at(text + 2) : 0;
        if (is_high(unit) && text[6] == '\\' && text[7] == 'u' && is_low(unit_at(text + 8))) {
            length = 12;
        } else if (is_high(unit) || is_low(unit)) {
            const unsigned char bytes[] = {(unsigned char)(0xE0 | unit >> 12), (unsigned char)(0x80 | (unit >> 6 & 0x3F)), (unsigned char)(0x80 | (unit & 0x3F))};
            jp_str_add(&out, bytes, sizeof bytes);
            text += length;
            continue;
        }
        jp_str_add(&out, text, length);
        text += length;
    }
    return jp_str_take(&out);
}

static cJSON *build_tree(const struct jp_json *json, size_t length) {
    if (!json->lone_surrogates)
        return cJSON_ParseWithLength(json->text, length + 1); /* with its NUL, which cJSON wants to see */
    char *spelt = jp__json_spell_lone_surrogates(json->text);
    cJSON *root = cJSON_Parse(spelt);
    jp_free(spelt);
    return root;
}

jp_status jp_json_parse(const char *text, size_t length, const struct jp_json_rules *rules, struct jp_json *ret_json,
                        struct jp_json_place *ret_place, struct jp_error *error) {
    *ret_place = (struct jp_json_place){0, 0};
    if (length > rules->max_bytes)
        return jp_fail(error, JP_E_QUOTA, "%zu bytes are more than the %zu allowed", length, rules->max_bytes);
    struct jp_json json = {.text = jp_strndup(text, length)};
    size_t offset = 0;
    jp_status status = jp__json_check(&json, length, rules, &offset, error);
    if (!status) {
        json.root = build_tree(&json, length);
        if (!json.root)
            status = jp_fail(error, JP_E_PARSE, "not JSON");
    }
    if (status) {
        *ret_place = jp__json_place_at(text, offset);
        jp_json_free(&json);
        return status;
    }
    const cJSON *duplicate = NULL;
    if (!rules->duplicates)
        jp_json_each_duplicate(json.root, keep_first, &duplicate);
    if (duplicate) {
        *ret_place = jp_json_place_of(&json, duplicate, true);
        status = jp_fail(error, JP_E_PARSE, "the key \"%.64s\" is there twice", duplicate->string);
        jp_json_free(&json);
        return status;
    }
    *ret_json = json;
    return JP_OK;
}

void jp_json_free(struct jp_json *json) {
    cJSON_Delete(json->root);
    jp_free(json->text);
    jp_free(json->offsets);
    jp_free(json->key_offsets);
    *json = (struct jp_json){0};
}

cJSON *jp_json_take_root(struct jp_json *json) {
    cJSON *root = json->root;
    json->root = NULL;
    return root;
}

/* The number of `wanted` in document order, counting from *counter. */
static bool find_in_order(const cJSON *item, const cJSON *wanted, size_t *counter) {
    if (item == wanted)
        return true;
    (*counter)++;
    const cJSON *child;
    if (cJSON_IsObject(item) || cJSON_IsArray(item))
        cJSON_ArrayForEach(child, item) if (find_in_order(child, wanted, counter)) return true;
    return false;
}

struct jp_json_place jp_json_place_of(const struct jp_json *json, const cJSON *item, bool at_key) {
    size_t number = 0;
    if (!item || !find_in_order(json->root, item, &number) || number >= json->count)
        return (struct jp_json_place){0, 0};
    bool key = at_key && json->key_offsets[number] != SIZE_MAX;
    return jp__json_place_at(json->text, key ? json->key_offsets[number] : json->offsets[number]);
}

bool jp_json_get_u64(const cJSON *item, uint64_t *ret_value) {
    if (cJSON_IsNumber(item)) {
        double value = item->valuedouble;
        if (!(value >= 0 && value <= (double)JP_JSON_EXACT_MAX) || floor(value) < value)
            return false;
        *ret_value = (uint64_t)value;
        return true;
    }
    struct jp_error ignored;
    return cJSON_IsString(item) && jp_u64_parse(item->valuestring, ret_value, &ignored) == JP_OK;
}

cJSON *jp_json_u64(uint64_t value) {
    char text[24];
    if (value <= JP_JSON_EXACT_MAX)
        return cJSON_CreateNumber((double)value);
    snprintf(text, sizeof text, "%" PRIu64, value);
    return cJSON_CreateString(text);
}

void jp_json_add_u64(cJSON *object, const char *name, uint64_t value) { cJSON_AddItemToObject(object, name, jp_json_u64(value)); }

void jp_json_add_string(cJSON *object, const char *name, const char *text) {
    if (text)
        cJSON_AddStringToObject(object, name, text);
    else
        cJSON_AddNullToObject(object, name);
}

void jp_json_add_time(cJSON *object, const char *name, int64_t time_100ns) {
    char text[JP_TIME_TEXT];
    jp_json_add_string(object, name, time_100ns ? jp_time_format(time_100ns, text) : NULL);
}
