/* Any bytes as JSON: what is taken has places, and is the same text after it was printed and read once more. */
#include "base/json_view.h"
#include "base/utf.h"

#include "fuzz.h"

#include <string.h>

static void check_places(const struct jp_json *json, const cJSON *item) {
    MUST(jp_json_place_of(json, item, false).line);
    MUST(jp_json_place_of(json, item, true).column);
    if (item->child)
        check_places(json, item->child);
    if (item->next)
        check_places(json, item->next);
}

static void check_again(const cJSON *root) {
    struct jp_json again;
    struct jp_json_place place;
    struct jp_error error;
    struct jp_str text = {0}, second = {0};
    jp_json_print(root, &text);
    MUST(jp_utf8_valid_length(text.data, text.length) == text.length && !strchr(text.data, '\n'));
    struct jp_json_rules rules = {.max_bytes = text.length, .max_depth = 64};
    MUST(jp_json_parse(text.data, text.length, &rules, &again, &place, &error) == JP_OK);
    jp_json_print(again.root, &second);
    MUST(strcmp(text.data, second.data) == 0);
    jp_json_free(&again);
    jp_str_free(&text);
    jp_str_free(&second);
}

/* What is walked without a tree is what the tree has. */
static void check_walk(struct jp_json_span span, const cJSON *item) {
    if (!cJSON_IsObject(item) && !cJSON_IsArray(item)) {
        cJSON *own = jp_json_span_tree(span);
        MUST(own && cJSON_Compare(own, item, true));
        cJSON_Delete(own);
        return;
    }
    struct jp_json_walk walk = jp_json_walk(span);
    struct jp_json_span key, value;
    for (const cJSON *child = item->child; child; child = child->next) {
        MUST(jp_json_walk_next(&walk, &key, &value));
        check_walk(value, child);
    }
    MUST(!jp_json_walk_next(&walk, &key, &value));
}

static void check_view(const char *text, size_t length, const struct jp_json_rules *rules, const cJSON *root) {
    struct jp_json_view view;
    struct jp_json_place place;
    struct jp_error error;
    MUST(jp_json_look(text, length, rules, &view, &place, &error) == JP_OK);
    check_walk(view.root, root);
    jp_json_view_free(&view);
}

static void parse(const char *text, size_t length, bool comments) {
    struct jp_json_rules rules = {.max_bytes = 1 << 16, .max_depth = 64, .comments = comments};
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    jp_status status = jp_json_parse(text, length, &rules, &json, &place, &error);
    if (status) {
        MUST(status == error.status && error.text[0]);
        MUST(jp_utf8_valid_length(error.text, strlen(error.text)) == strlen(error.text));
        MUST(length > rules.max_bytes || (place.line && place.column && place.column <= length + 1));
        return;
    }
    check_again(json.root);
    if (!comments)
        check_view(text, length, &rules, json.root);
    if (json.count < 200) /* each place is looked for from the beginning */
        check_places(&json, json.root);
    jp_json_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    parse((const char *)data, size, false);
    parse((const char *)data, size, true);
    return 0;
}
