/* JSON without a tree: what is walked is what a tree has, value for value, and what is refused is what jp_json_parse refuses. */
#include "base/json_view.h"

#include "unit.h"

#include <string.h>

static const struct jp_json_rules rules = {.max_bytes = 4096, .max_depth = 8};

/* All spans that a walk gives, at every depth, against the tree. */
static void compare(struct jp_json_span span, const cJSON *tree) {
    cJSON *own = jp_json_span_tree(span);
    CHECK(own && cJSON_Compare(own, tree, true), "%.*s", (int)span.length, span.text);
    cJSON_Delete(own);
    if (!cJSON_IsObject(tree) && !cJSON_IsArray(tree))
        return;
    struct jp_json_walk walk = jp_json_walk(span);
    struct jp_json_span key, value;
    const cJSON *item;
    cJSON_ArrayForEach(item, tree) {
        assert_true(jp_json_walk_next(&walk, &key, &value));
        assert_int_equal(key.length > 0, cJSON_IsObject(tree));
        cJSON *name = key.length ? jp_json_span_tree(key) : NULL;
        if (name)
            assert_string_equal(name->valuestring, item->string);
        cJSON_Delete(name);
        compare(value, item);
    }
    assert_false(jp_json_walk_next(&walk, &key, &value));
}

static void what_is_walked_is_what_a_tree_has(void **state) {
    static const char *const texts[] = {
        "{}", "[]", " [ ] ", "{ }", "1", "-1.5e3", "\"\"", "\"a\"", "true", " null ", "[1]", "[ 1 , 2 ]", "[[],{},[[]]]", "{\"a\":1}",
        "\r\n{\t\"a\" : { \"b\" : [ true,false , null ] } , \"c\":\"}\" }", "[\"]\",\"[\",\"\\\"\",\"\\\\\",\"\\\\\\\"]\",\",\"]", "{\"a\\\"b\":\"c\\\\\",\"\":-0}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{\"y\":[{\"z\":\"\\u00e4\\ud83d\\ude00\"}]}}", "[\"\\ud800\",\"\\udc00x\",\"\xC3\xA4\"]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *exact = jp_alloc(strlen(texts[i])); /* nothing behind it is read */
        struct jp_json_view view;
        struct jp_json json;
        struct jp_json_place place;
        struct jp_error error;
        memcpy(exact, texts[i], strlen(texts[i]));
        CHECK(jp_json_look(exact, strlen(texts[i]), &rules, &view, &place, &error) == JP_OK, "%s: %s", texts[i], error.text);
        CHECK(jp_json_parse(texts[i], strlen(texts[i]), &rules, &json, &place, &error) == JP_OK, "%s: %s", texts[i], error.text);
        compare(view.root, json.root);
        jp_json_view_free(&view);
        jp_json_free(&json);
        jp_free(exact);
    }
}

static void what_is_refused_is_refused_alike(void **state) {
    static const char *const texts[] = {"", " ", "{", "[1,]", "{\"a\"}", "{\"a\":}", "01", "1e999", "\"\\x\"", "\"\t\"", "\"\xFF\"", "nul", "[]]", "// 1\n1",
                                        "[[[[[[[[[1]]]]]]]]]", "\"\\u0000\""};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct jp_json_view view;
        struct jp_json json;
        struct jp_json_place place, other;
        struct jp_error error, other_error;
        jp_status status = jp_json_look(texts[i], strlen(texts[i]), &rules, &view, &place, &error);
        CHECK(status && status == jp_json_parse(texts[i], strlen(texts[i]), &rules, &json, &other, &other_error), "%s", texts[i]);
        assert_string_equal(error.text, other_error.text);
        assert_int_equal(place.column, other.column);
    }
}

static void a_string_is_compared_as_it_is_written(void **state) {
    (void)state;
    assert_true(jp_json_span_is((struct jp_json_span){"\"id\"", 4}, "id"));
    assert_false(jp_json_span_is((struct jp_json_span){"\"id\"", 4}, "i"));
    assert_false(jp_json_span_is((struct jp_json_span){"\"id\"", 4}, "idx"));
    assert_false(jp_json_span_is((struct jp_json_span){"1234", 4}, "23"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_walked_is_what_a_tree_has),
        cmocka_unit_test(what_is_refused_is_refused_alike),
        cmocka_unit_test(a_string_is_compared_as_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
