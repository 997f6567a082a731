/* JSON: exact integers, and the way back to text. (Without a tree: json_out_test.c.) */
#include "json_texts.h"

#include <math.h>

/* --- exact integers --- */

static void integers_are_read_exactly(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } rows[] = {
        {"0", true, 0}, {"-0", true, 0}, {"1", true, 1}, {"1.0", true, 1}, {"1e3", true, 1000},
        {"4294967296", true, UINT64_C(4294967296)},
        {"9007199254740991", true, JP_JSON_EXACT_MAX},
        {"9007199254740992", false, 0}, /* might have been ...993 */
        {"9007199254740993", false, 0}, {"1e17", false, 0}, {"18446744073709551615", false, 0},
        {"\"9007199254740993\"", true, UINT64_C(9007199254740993)},
        {"\"18446744073709551615\"", true, UINT64_MAX}, {"\"18446744073709551616\"", false, 0},
        {"\"0\"", true, 0}, {"\"007\"", true, 7},
        {"\"\"", false, 0}, {"\"-1\"", false, 0}, {"\"+1\"", false, 0}, {"\" 1\"", false, 0}, {"\"1 \"", false, 0},
        {"\"0x1\"", false, 0}, {"\"1.0\"", false, 0}, {"\"1e3\"", false, 0},
        {"-1", false, 0}, {"0.5", false, 0}, {"1e-3", false, 0},
        {"null", false, 0}, {"true", false, 0}, {"[1]", false, 0}, {"{}", false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jp_json json = parse_good(rows[i].text, &plain);
        uint64_t value = 77;
        CHECK(jp_json_get_u64(json.root, &value) == rows[i].good, "%s", rows[i].text);
        CHECK(value == (rows[i].good ? rows[i].value : 77), "%s", rows[i].text);
        jp_json_free(&json);
    }
    uint64_t value;
    assert_false(jp_json_get_u64(NULL, &value));
}

static void integers_are_written_exactly(void **state) {
    (void)state;
    cJSON *object = cJSON_CreateObject();
    jp_json_add_u64(object, "a", 0);
    jp_json_add_u64(object, "b", UINT64_C(1000000000000000));
    jp_json_add_u64(object, "c", JP_JSON_EXACT_MAX);
    jp_json_add_u64(object, "d", JP_JSON_EXACT_MAX + 1);
    jp_json_add_u64(object, "e", UINT64_MAX);
    char *text = print(object);
    assert_string_equal(text, "{\"a\":0,\"b\":1000000000000000,\"c\":9007199254740991,\"d\":\"9007199254740992\","
                              "\"e\":\"18446744073709551615\"}");
    jp_free(text);
    cJSON_Delete(object);
}

static void integers_come_back(void **state) {
    (void)state;
    uint64_t random = new_seed();
    for (int i = 0; i < 20000; i++) {
        uint64_t value = random_magnitude(&random), again = 0;
        cJSON *object = cJSON_CreateObject();
        jp_json_add_u64(object, "n", value);
        char *text = print(object);
        struct jp_json json = parse_good(text, &plain);
        CHECK(jp_json_get_u64(cJSON_GetObjectItem(json.root, "n"), &again) && again == value, "%s", text);
        jp_json_free(&json);
        jp_free(text);
        cJSON_Delete(object);
    }
}

/* --- printing --- */

static void texts_and_times_are_written(void **state) {
    (void)state;
    cJSON *object = cJSON_CreateObject();
    jp_json_add_string(object, "a", "x");
    jp_json_add_string(object, "b", NULL);
    jp_json_add_time(object, "c", INT64_C(116444736000000000));
    jp_json_add_time(object, "d", 0);
    char *text = print(object);
    assert_string_equal(text, "{\"a\":\"x\",\"b\":null,\"c\":\"1970-01-01T00:00:00.0000000Z\",\"d\":null}");
    jp_free(text);
    cJSON_Delete(object);
}

static void every_string_is_printed_as_utf8(void **state) {
    (void)state;
    static const struct {
        const char *text, *printed;
    } rows[] = {
        {"", "\"\""}, {"plain", "\"plain\""}, {"a/b\\c\"d", "\"a/b\\\\c\\\"d\""},
        {"\b\f\n\r\t\x01\x1F", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\""},
        {"\xC3\xA9\xF0\x9F\x98\x80", "\"\xC3\xA9\xF0\x9F\x98\x80\""},
        {"\xED\x9F\xBF", "\"\xED\x9F\xBF\""},               /* U+D7FF, the last before the surrogates */
        {"a\xED\xA0\x80z", "\"a\\ud800z\""}, {"\xED\xBF\xBF", "\"\\udfff\""}, {"\xED\xA0\x80\xED\xB0\x80", "\"\\ud800\\udc00\""},
        {"a\xFFz", "\"a\\ufffdz\""}, {"\xED\xA0", "\"\\ufffd\\ufffd\""}, {"\xC3", "\"\\ufffd\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        cJSON *item = cJSON_CreateString(rows[i].text);
        char *text = print(item);
        assert_string_equal(text, rows[i].printed);
        jp_free(text);
        cJSON_Delete(item);
    }
}

static void odd_trees_are_printed(void **state) {
    (void)state;
    struct jp_str out = {0};
    jp_str_puts(&out, "before ");
    cJSON *list = cJSON_CreateArray();
    cJSON_AddItemToArray(list, cJSON_CreateNumber(HUGE_VAL)); /* JSON has no infinity */
    cJSON_AddItemToArray(list, cJSON_CreateRaw("{\"raw\":1}"));
    cJSON_AddItemToArray(list, cJSON_CreateObject());
    jp_json_print(list, &out);
    assert_string_equal(jp_str_text(&out), "before [null,{\"raw\":1},{}]");
    cJSON_Delete(list);
    jp_str_free(&out);
}

static cJSON *random_tree(uint64_t *random, int depth) {
    static const char *const words[] = {"", "a", "\xC3\xA9", "\"\\/", "\n\t\x01", "\xF0\x9F\x98\x80", "plain text"};
    unsigned kind = random_below(random, depth ? 8 : 6);
    if (kind < 2)
        return cJSON_CreateBool(kind == 0);
    if (kind == 2)
        return cJSON_CreateNull();
    if (kind == 3)
        return cJSON_CreateString(words[random_below(random, COUNT(words))]);
    if (kind < 6) {
        uint64_t bits = next_random(random);
        double value;
        memcpy(&value, &bits, sizeof value);
        return cJSON_CreateNumber(kind == 4 && isfinite(value) ? value : (double)(int64_t)random_magnitude(random));
    }
    cJSON *container = kind == 6 ? cJSON_CreateArray() : cJSON_CreateObject();
    for (unsigned i = random_below(random, 5); i > 0; i--) {
        char key[8] = {(char)('a' + i), '"'};
        if (kind == 6)
            cJSON_AddItemToArray(container, random_tree(random, depth - 1));
        else
            cJSON_AddItemToObject(container, key, random_tree(random, depth - 1));
    }
    return container;
}

static void trees_come_back(void **state) {
    (void)state;
    uint64_t random = new_seed();
    for (int i = 0; i < 5000; i++) {
        cJSON *tree = random_tree(&random, 5);
        char *text = print(tree);
        struct jp_json json = parse_good(text, &plain);
        char *again = print(json.root);
        assert_string_equal(again, text);
        assert_true(cJSON_Compare(tree, json.root, true));
        jp_free(again);
        jp_json_free(&json);
        jp_free(text);
        cJSON_Delete(tree);
    }
}

int main(void) {
    const struct CMUnitTest integers[] = {
        cmocka_unit_test(integers_are_read_exactly), cmocka_unit_test(integers_are_written_exactly),
        cmocka_unit_test(integers_come_back)};
    const struct CMUnitTest printing[] = {
        cmocka_unit_test(texts_and_times_are_written), cmocka_unit_test(every_string_is_printed_as_utf8),
        cmocka_unit_test(odd_trees_are_printed), cmocka_unit_test(trees_come_back)};
    int failed = cmocka_run_group_tests(integers, NULL, NULL);
    failed += cmocka_run_group_tests(printing, NULL, NULL);
    return failed;
}
