/* JSON without a tree: the same bytes as a tree with the same values gives, and strings letter by letter against a printer that is
 * slow and plain. */
#include "base/json_out.h"

#include "base/utf.h"
#include "unit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* --- strings --- */

/* What docs/rpc.md says of strings, a character at a time. */
static char *slowly_printed(const char *text) {
    struct jp_str out = {0};
    size_t length = strlen(text);
    jp_str_puts(&out, "\"");
    for (size_t at = 0; at < length;) {
        const unsigned char *byte = (const unsigned char *)text + at;
        size_t sequence = jp_utf8_sequence(text + at, length - at);
        const char *letters = *byte == '\b' ? "b" : *byte == '\f' ? "f" : *byte == '\n' ? "n" : *byte == '\r' ? "r" : *byte == '\t' ? "t" : "";
        if (*letters || *byte == '"' || *byte == '\\') {
            jp_str_printf(&out, "\\%c", *letters ? *letters : (char)*byte);
            at++;
        } else if (*byte < 0x20) {
            jp_str_printf(&out, "\\u%04x", *byte);
            at++;
        } else if (sequence) {
            jp_str_add(&out, text + at, sequence);
            at += sequence;
        } else if (length - at >= 3 && byte[0] == 0xED && byte[1] >= 0xA0 && byte[1] < 0xC0 && byte[2] >= 0x80 && byte[2] < 0xC0) {
            jp_str_printf(&out, "\\u%04x", 0xD000u + (byte[1] & 0x3Fu) * 0x40u + (byte[2] & 0x3Fu));
            at += 3;
        } else {
            jp_str_puts(&out, "\\ufffd");
            at++;
        }
    }
    jp_str_puts(&out, "\"");
    return jp_str_take(&out);
}

static void assert_printed_right(const char *text) {
    struct jp_str out = {0};
    /* a copy of its exact size, so that AddressSanitizer sees a read behind the end */
    char *copy = jp_realloc_array(NULL, strlen(text) + 1, 1), *expected = slowly_printed(text);
    memcpy(copy, text, strlen(text) + 1);
    jp_out_string(&(struct jp_json_out){.text = &out}, NULL, copy);
    assert_string_equal(jp_str_text(&out), expected);
    jp_free(copy);
    jp_free(expected);
    jp_str_free(&out);
}

/* Eight bytes are looked at together: each byte at each place among them, and behind the last eight. */
static void every_byte_at_every_place(void **state) {
    (void)state;
    for (size_t length = 1; length <= 20; length++)
        for (size_t place = 0; place < length; place++)
            for (unsigned byte = 1; byte <= 0xFF; byte++) {
                char text[24] = {0};
                memset(text, 'x', length);
                text[place] = (char)byte;
                assert_printed_right(text);
            }
}

static void random_strings(void **state) {
    (void)state;
    static const char *const pieces[] = {"\"", "\\", "\n", "\x01", "\x7F", "\x80", "\xFF", "\xC3\xA9", "\xED\xA0\x80", "\xED\xBF\xBF", "\xED\x9F\xBF", "\xF0\x9F\x98\x80",
                                         "\xE2\x82", "\xED\xA0", "C:\\Windows\\", "a plain piece of text"};
    uint64_t random = new_seed();
    for (int i = 0; i < 20000; i++) {
        struct jp_str text = {0};
        for (unsigned count = random_below(&random, 8); count > 0; count--)
            jp_str_puts(&text, pieces[random_below(&random, COUNT(pieces))]);
        assert_printed_right(jp_str_text(&text));
        jp_str_free(&text);
    }
}

/* --- numbers --- */

static void integers(void **state) {
    (void)state;
    static const struct {
        int64_t value;
        const char *printed;
    } rows[] = {
        {0, "0"}, {9, "9"}, {10, "10"}, {-1, "-1"}, {(int64_t)JP_JSON_EXACT_MAX, "9007199254740991"}, {(int64_t)JP_JSON_EXACT_MAX + 1, "\"9007199254740992\""},
        {-(int64_t)JP_JSON_EXACT_MAX, "-9007199254740991"}, {-(int64_t)JP_JSON_EXACT_MAX - 1, "\"-9007199254740992\""},
        {INT64_MAX, "\"9223372036854775807\""}, {INT64_MIN, "\"-9223372036854775808\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jp_str text = {0};
        char decimal[32];
        struct jp_json_out out = {.text = &text};
        jp_out_i64(&out, NULL, rows[i].value);
        assert_string_equal(jp_str_text(&text), rows[i].printed);
        jp_str_clear(&text);
        out.comma = false;
        jp_out_decimal(&out, NULL, rows[i].value);
        snprintf(decimal, sizeof decimal, "\"%" PRId64 "\"", rows[i].value);
        assert_string_equal(jp_str_text(&text), decimal);
        jp_str_free(&text);
    }
}

static void numbers_without_a_word(void **state) {
    (void)state;
    struct jp_str text = {0};
    struct jp_json_out out = {.text = &text};
    jp_out_double(&out, NULL, HUGE_VAL);
    jp_out_double(&out, NULL, -HUGE_VAL);
    jp_out_double(&out, NULL, nan(""));
    jp_out_double(&out, NULL, -0.0);
    jp_out_double(&out, NULL, 0.1);
    assert_string_equal(jp_str_text(&text), "null,null,null,-0,0.1");
    jp_str_free(&text);
}

/* --- the same as of a tree --- */

static void add_i64(cJSON *object, const char *key, int64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    if (value >= 0)
        jp_json_add_u64(object, key, (uint64_t)value);
    else if (value >= -(int64_t)JP_JSON_EXACT_MAX)
        cJSON_AddNumberToObject(object, key, (double)value);
    else
        cJSON_AddStringToObject(object, key, text);
}

static void put_both(uint64_t *random, cJSON *object, struct jp_json_out *out, const char *key, int depth) {
    static const char *const words[] = {"", "plain", "\"\\\n", "\xC3\xA9", "a\xED\xA0\x80z", "\xFF"};
    uint64_t value = random_magnitude(random);
    const char *word = words[random_below(random, COUNT(words))];
    double fraction = (double)(int64_t)next_random(random) / (double)(1 + random_below(random, 1000000));
    bool flag = value & 1;
    cJSON *child;
    switch (random_below(random, depth ? 9 : 8)) {
    case 0:
        jp_json_add_u64(object, key, value);
        jp_out_u64(out, key, value);
        break;
    case 1:
        add_i64(object, key, flag ? (int64_t)value : -(int64_t)(value >> 1));
        jp_out_i64(out, key, flag ? (int64_t)value : -(int64_t)(value >> 1));
        break;
    case 2:
        jp_json_add_string(object, key, flag ? word : NULL);
        jp_out_string(out, key, flag ? word : NULL);
        break;
    case 3:
        jp_json_add_time(object, key, (int64_t)(value >> 2));
        jp_out_time(out, key, (int64_t)(value >> 2));
        break;
    case 4:
        cJSON_AddBoolToObject(object, key, flag);
        jp_out_bool(out, key, flag);
        break;
    case 5:
        cJSON_AddNumberToObject(object, key, fraction);
        jp_out_double(out, key, fraction);
        break;
    case 6:
        cJSON_AddNullToObject(object, key);
        jp_out_u64_if(out, key, false, value);
        break;
    case 7:
        child = cJSON_AddArrayToObject(object, key);
        jp_out_array(out, key);
        for (unsigned i = random_below(random, 4); i > 0; i--) {
            cJSON_AddItemToArray(child, cJSON_CreateString(word));
            jp_out_string(out, NULL, word);
        }
        jp_out_end_array(out);
        break;
    default:
        child = cJSON_AddObjectToObject(object, key);
        jp_out_object(out, key);
        for (unsigned i = random_below(random, 5); i > 0; i--)
            put_both(random, child, out, (const char[]){(char)('A' + i), '\0'}, depth - 1);
        jp_out_end_object(out);
    }
}

static void the_same_as_of_a_tree(void **state) {
    (void)state;
    uint64_t random = new_seed();
    for (int i = 0; i < 20000; i++) {
        struct jp_str printed = {0}, tree_printed = {0};
        struct jp_json_out out = {.text = &printed};
        cJSON *tree = cJSON_CreateObject();
        jp_out_object(&out, NULL);
        for (unsigned count = random_below(&random, 6); count > 0; count--)
            put_both(&random, tree, &out, (const char[]){(char)('a' + count), '\0'}, 3);
        jp_out_end_object(&out);
        jp_json_print(tree, &tree_printed);
        assert_string_equal(jp_str_text(&printed), jp_str_text(&tree_printed));
        cJSON_Delete(tree);
        jp_str_free(&printed);
        jp_str_free(&tree_printed);
    }
}

static void what_is_json_already(void **state) {
    (void)state;
    struct jp_str text = {0};
    struct jp_json_out out = {.text = &text};
    cJSON *tree = cJSON_CreateObject();
    jp_json_add_u64(tree, "x\n\xFF", 1);
    jp_out_object(&out, NULL);
    jp_out_tree(&out, "tree", tree);
    jp_out_printed_members(&out, "\"printed\":[2]", 13);
    jp_out_printed_members(&out, "", 0);
    jp_out_members(&out, tree);
    jp_out_tree(&out, "none", NULL);
    jp_out_decimal(&out, "after", 3);
    jp_out_end_object(&out);
    assert_string_equal(jp_str_text(&text), "{\"tree\":{\"x\\n\\ufffd\":1},\"printed\":[2],\"x\\n\\ufffd\":1,\"none\":null,\"after\":\"3\"}");
    cJSON_Delete(tree);
    jp_str_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_byte_at_every_place), cmocka_unit_test(random_strings), cmocka_unit_test(integers),
                                       cmocka_unit_test(numbers_without_a_word), cmocka_unit_test(the_same_as_of_a_tree), cmocka_unit_test(what_is_json_already)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
