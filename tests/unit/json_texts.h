/* Texts to and from trees: for the tests of JSON. */
#ifndef JP_TESTS_JSON_TEXTS_H
#define JP_TESTS_JSON_TEXTS_H

#include "base/json.h"

#include "unit.h"

static const struct jp_json_rules plain = {.max_bytes = 1 << 20, .max_depth = 64};

static inline char *print(const cJSON *item) {
    struct jp_str out = {0};
    jp_json_print(item, &out);
    return jp_str_take(&out);
}

/* Fails the test if the text is refused. */
static inline struct jp_json parse_good(const char *text, const struct jp_json_rules *rules) {
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    if (jp_json_parse(text, strlen(text), rules, &json, &place, &error))
        fail_msg("%s\nwas refused at %u:%u: %s", text, place.line, place.column, error.text);
    return json;
}

#endif
