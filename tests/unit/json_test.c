/* JSON: what is taken, what is refused and where, exact integers, and the way back to text. */
#include "base/json.h"

#include "unit.h"

#include <math.h>

static const struct jp_json_rules plain = {.max_bytes = 1 << 20, .max_depth = 64};
static const struct jp_json_rules commented = {.max_bytes = 1 << 20, .max_depth = 64, .comments = true};

static char *print(const cJSON *item) {
    struct jp_str out = {0};
    jp_json_print(item, &out);
    return jp_str_take(&out);
}

static struct jp_json parse_good(const char *text, const struct jp_json_rules *rules) {
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    if (jp_json_parse(text, strlen(text), rules, &json, &place, &error))
        fail_msg("%s\nwas refused at %u:%u: %s", text, place.line, place.column, error.text);
    return json;
}

static void assert_parses(const char *text, const struct jp_json_rules *rules, const char *printed) {
    struct jp_json json = parse_good(text, rules);
    char *again = print(json.root);
    assert_string_equal(again, printed ? printed : text);
    jp_free(again);
    jp_json_free(&json);
}

struct refusal {
    const char *text;
    size_t length;
    unsigned line, column;
    const char *says;
};
#define REFUSED(text, line, column, says) {text, sizeof(text) - 1, line, column, says}

static void assert_refused(const struct refusal *row, const struct jp_json_rules *rules, jp_status expected) {
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    /* a copy of its exact size, so that AddressSanitizer sees a read behind the end */
    char *copy = jp_realloc_array(NULL, row->length, 1);
    memcpy(copy, row->text, row->length);
    jp_status status = jp_json_parse(copy, row->length, rules, &json, &place, &error);
    jp_free(copy);
    CHECK(status == expected, "%s: %d", row->text, status);
    CHECK(error.status == expected, "%s", row->text);
    CHECK(place.line == row->line && place.column == row->column, "%s: at %u:%u", row->text, place.line, place.column);
    CHECK(strstr(error.text, row->says), "%s: %s", row->text, error.text);
}

/* --- grammar --- */

static void valid_texts(void **state) {
    (void)state;
    static const struct {
        const char *text, *printed; /* NULL: as it was */
    } rows[] = {
        {"null", NULL}, {"true", NULL}, {"false", NULL}, {"[]", NULL}, {"{}", NULL}, {"\"\"", NULL},
        {" \t\r\n1 \t\r\n", "1"},
        {"[ 1 , [ ] , { } ]", "[1,[],{}]"},
        {"{ \"a\" : 1 , \"b\" : [ true ] }", "{\"a\":1,\"b\":[true]}"},
        {"{\"\":1}", NULL},
        {"{\"a\":1,\"A\":2}", NULL}, /* keys differ by case */
        {"[{\"a\":1},{\"a\":1},{\"b\":{\"a\":1}}]", NULL}, /* the same key in other objects */
        {"\"a b\"", NULL}, {"\"\x7F\"", NULL}, {"\"// no comment /* \"", NULL},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
        {"\"\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\"", "\"A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
        {"\"\\u0001\\u001f\"", NULL},
        {"\"\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_parses(rows[i].text, &plain, rows[i].printed);
}

static void valid_numbers(void **state) {
    (void)state;
    static const struct {
        const char *text, *printed;
    } rows[] = {
        {"0", NULL}, {"-0", NULL}, {"7", NULL}, {"-7", NULL}, {"10", NULL}, {"0.5", NULL}, {"-1.25", NULL},
        {"0e0", "0"}, {"1e3", "1000"}, {"1E+3", "1000"}, {"1.5e-3", "0.0015"}, {"1.0", "1"}, {"100e-2", "1"},
        {"0.1", NULL}, {"0.30000000000000004", NULL}, {"3.141592653589793", NULL},
        {"2147483647", NULL}, {"2147483648", NULL}, {"-2147483649", NULL}, {"4294967296", NULL},
        {"1000000000000000", NULL}, {"9007199254740991", NULL}, {"-9007199254740991", NULL}, {"9007199254740992", NULL},
        {"123456789012345680000", "1.2345678901234568e+20"},
        {"1e300", "1e+300"}, {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"5e-324", "4.94065645841247e-324"}, {"1e-999", "0"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_parses(rows[i].text, &plain, rows[i].printed);
}

static void invalid_structure(void **state) {
    (void)state;
    static const struct refusal rows[] = {
        REFUSED("", 1, 1, "the text ends where a JSON value should be"),
        REFUSED(" ", 1, 2, "the text ends where a JSON value should be"),
        REFUSED("\n\n", 3, 1, "the text ends where a JSON value should be"),
        REFUSED("tru", 1, 1, "found 't' where a JSON value"),
        REFUSED("True", 1, 1, "found 'T'"),
        REFUSED("nul", 1, 1, "found 'n'"),
        REFUSED("nullx", 1, 5, "found 'x' where the end of the text"),
        REFUSED("1 2", 1, 3, "found '2' where the end of the text"),
        REFUSED("{}{}", 1, 3, "found '{' where the end of the text"),
        REFUSED("[]]", 1, 3, "found ']' where the end of the text"),
        REFUSED("[", 1, 2, "the text ends where a JSON value"),
        REFUSED("[1", 1, 3, "the text ends where ',' or ']'"),
        REFUSED("[1,]", 1, 4, "found ']' where a JSON value"),
        REFUSED("[1,", 1, 4, "the text ends where a JSON value"),
        REFUSED("[,1]", 1, 2, "found ',' where a JSON value"),
        REFUSED("[1 2]", 1, 4, "found '2' where ',' or ']'"),
        REFUSED("[1}", 1, 3, "found '}' where ',' or ']'"),
        REFUSED("]", 1, 1, "found ']' where a JSON value"),
        REFUSED("{", 1, 2, "the text ends where a key"),
        REFUSED("{\"a\":1,}", 1, 8, "found '}' where a key in double quotes"),
        REFUSED("{,}", 1, 2, "found ',' where a key"),
        REFUSED("{\"a\"}", 1, 5, "found '}' where ':'"),
        REFUSED("{\"a\":}", 1, 6, "found '}' where a JSON value"),
        REFUSED("{\"a\" 1}", 1, 6, "found '1' where ':'"),
        REFUSED("{\"a\":1 \"b\":2}", 1, 8, "found '\"' where ',' or '}'"),
        REFUSED("{\"a\":1]", 1, 7, "found ']' where ',' or '}'"),
        REFUSED("{a:1}", 1, 2, "found 'a' where a key in double quotes"),
        REFUSED("{'a':1}", 1, 2, "found ''' where a key in double quotes"),
        REFUSED("{1:2}", 1, 2, "found '1' where a key"),
        REFUSED("{\n  \"a\": 1,\n  b\n}", 3, 3, "found 'b' where a key"),
        REFUSED("\xEF\xBB\xBF{}", 1, 1, "found byte 0xEF"),
        REFUSED("\v1", 1, 1, "found byte 0x0B"),
        REFUSED("1\f", 1, 2, "found byte 0x0C"),
        REFUSED("\xC2\xA0"
                "1", 1, 1, "found byte 0xC2"),
        REFUSED("\0", 1, 1, "found byte 0x00"),
        REFUSED("1\0", 1, 2, "found byte 0x00 where the end"),
        REFUSED("[1,\0]", 1, 4, "found byte 0x00"),
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_refused(&rows[i], &plain, JP_E_PARSE);
}

static void invalid_numbers(void **state) {
    (void)state;
    static const struct refusal rows[] = {
        REFUSED("01", 1, 2, "found '1' where the end"), REFUSED("-01", 1, 3, "found '1'"), REFUSED("-", 1, 2, "ends where a digit"),
        REFUSED("-a", 1, 2, "found 'a' where a digit"),  REFUSED("--1", 1, 2, "found '-'"), REFUSED("+1", 1, 1, "found '+'"),
        REFUSED(".5", 1, 1, "found '.'"),                REFUSED("1.", 1, 3, "ends where a digit"),
        REFUSED("1.e1", 1, 3, "found 'e' where a digit"), REFUSED("1e", 1, 3, "ends where a digit"),
        REFUSED("1e+", 1, 4, "ends where a digit"),      REFUSED("1e+-1", 1, 4, "found '-' where a digit"),
        REFUSED("0x10", 1, 2, "found 'x'"),              REFUSED("1_000", 1, 2, "found '_'"),
        REFUSED("1,5", 1, 2, "found ','"),               REFUSED("NaN", 1, 1, "found 'N'"),
        REFUSED("Infinity", 1, 1, "found 'I'"),          REFUSED("-Infinity", 1, 2, "found 'I'"),
        REFUSED("[1e999]", 1, 2, "the number that begins here is too large"),
        REFUSED("-1e999", 1, 1, "too large"),
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_refused(&rows[i], &plain, JP_E_PARSE);
}

static void invalid_strings(void **state) {
    (void)state;
    static const struct refusal rows[] = {
        REFUSED("\"", 1, 1, "the string that begins here has no end"),
        REFUSED("[\"abc", 1, 2, "the string that begins here has no end"),
        REFUSED("\"abc\\\"", 1, 1, "has no end"),
        REFUSED("\"a\tb\"", 1, 3, "a control character (0x09) must be escaped"),
        REFUSED("\"a\nb\"", 1, 3, "a control character (0x0A)"),
        REFUSED("\"\x1F\"", 1, 2, "a control character (0x1F)"),
        REFUSED("\"a\0b\"", 1, 3, "a control character (0x00)"),
        REFUSED("\"\\x41\"", 1, 3, "found 'x' where one of"),
        REFUSED("\"\\'\"", 1, 3, "found ''' where one of"),
        REFUSED("\"\\U0041\"", 1, 3, "found 'U' where one of"),
        REFUSED("\"\\\0\"", 1, 3, "found byte 0x00 where one of"),
        REFUSED("\"\\", 1, 3, "the text ends where one of"),
        REFUSED("\"\\u12\"", 1, 6, "found '\"' where a hexadecimal digit"),
        REFUSED("\"\\u12g4\"", 1, 6, "found 'g' where a hexadecimal digit"),
        REFUSED("\"\\u", 1, 4, "the text ends where a hexadecimal digit"),
        REFUSED("\"\\u0000\"", 1, 2, "may not hold the character NUL"),
        REFUSED("{\"a\\u0000\":1}", 1, 4, "may not hold the character NUL"),
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_refused(&rows[i], &plain, JP_E_PARSE);
}

/* Pairs are one character. A half alone comes back as it went; in the tree it is WTF-8. */
static void surrogates(void **state) {
    (void)state;
    static const struct {
        const char *text, *tree;
    } rows[] = {
        {"\"\\ud83d\\ude00\"", "\xF0\x9F\x98\x80"}, {"\"\\uD800\\uDC00\"", "\xF0\x90\x80\x80"}, {"\"\\udbff\\udfff\"", "\xF4\x8F\xBF\xBF"},
        {"\"\\ud800\"", "\xED\xA0\x80"}, {"\"\\udbff\"", "\xED\xAF\xBF"}, {"\"\\udc00\"", "\xED\xB0\x80"}, {"\"x\\udfff\"", "x\xED\xBF\xBF"},
        {"\"\\ud800x\"", "\xED\xA0\x80x"}, {"\"\\ud800\\n\"", "\xED\xA0\x80\n"}, {"\"\\ud800\\\\udc00\"", "\xED\xA0\x80\\udc00"},
        {"\"\\ud800\\ud800\"", "\xED\xA0\x80\xED\xA0\x80"}, {"\"\\ud800\\u0041\"", "\xED\xA0\x80" "A"}, {"\"\\udc00\\ud800\"", "\xED\xB0\x80\xED\xA0\x80"},
        {"\"\\ud800\\ud83d\\ude00\\udc00\"", "\xED\xA0\x80\xF0\x9F\x98\x80\xED\xB0\x80"}, /* half, pair, half */
        {"\"\\\\ud800\"", "\\ud800"}, {"\"C:\\\\odd\\uD800name\\\\\\\"\"", "C:\\odd\xED\xA0\x80name\\\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jp_json json = parse_good(rows[i].text, &plain);
        CHECK(strcmp(json.root->valuestring, rows[i].tree) == 0, "%s", rows[i].text);
        char *printed = print(json.root);
        struct jp_json again = parse_good(printed, &plain);
        CHECK(strcmp(again.root->valuestring, rows[i].tree) == 0, "%s", printed);
        jp_json_free(&again);
        jp_free(printed);
        jp_json_free(&json);
    }
    assert_parses("{\"\\ud800\":[\"\\udc00\",1],\"b\":2}", &plain, NULL);
}

static void invalid_surrogates(void **state) {
    (void)state;
    static const struct refusal rows[] = {
        REFUSED("\"\\ud800\\u00", 1, 12, "the text ends where a hexadecimal digit"),
        REFUSED("\"\\ud800\\x41\"", 1, 9, "found 'x' where one of"),
        REFUSED("\"\\ud800\\u0000\"", 1, 8, "may not hold the character NUL"),
        REFUSED("\"\\udbff\\udc0", 1, 13, "the text ends where a hexadecimal digit"),
        REFUSED("\"\\ud8\"", 1, 6, "found '\"' where a hexadecimal digit"),
        REFUSED("{\"\\ud800\":1,\"\\ud800\":2}", 1, 13, "is there twice"),
        REFUSED("[\"\\ud800\",\n 01]", 2, 3, "found '1'"), /* places are those of the text as it came */
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_refused(&rows[i], &plain, JP_E_PARSE);
}

static void invalid_utf8(void **state) {
    (void)state;
    static const struct refusal rows[] = {
        REFUSED("\"\x80\"", 1, 2, "0x80 ...) are not UTF-8"),             /* a continuation alone */
        REFUSED("\"a\xFF\"", 1, 3, "0xFF"),                               /* never a byte of UTF-8 */
        REFUSED("\"\xC0\xAF\"", 1, 2, "0xC0"),                            /* overlong "/" */
        REFUSED("\"\xC1\xBF\"", 1, 2, "0xC1"),
        REFUSED("\"\xE0\x80\xAF\"", 1, 2, "0xE0"),
        REFUSED("\"\xF0\x80\x80\xAF\"", 1, 2, "0xF0"),
        REFUSED("\"\xC0\x80\"", 1, 2, "0xC0"),                            /* NUL in disguise */
        REFUSED("\"\xED\xA0\x80\"", 1, 2, "0xED"),                        /* a surrogate */
        REFUSED("\"\xF4\x90\x80\x80\"", 1, 2, "0xF4"),                    /* over U+10FFFF */
        REFUSED("\"\xF5\x80\x80\x80\"", 1, 2, "0xF5"),
        REFUSED("\"\xE2\x82\"", 1, 2, "0xE2"),                            /* cut off by the quote */
        REFUSED("\"\xE2\x82", 1, 2, "0xE2"),                              /* cut off by the end */
        REFUSED("\"\xF0\x9F\x98", 1, 2, "0xF0"),
        REFUSED("{\"\xC3\":1}", 1, 3, "0xC3"),
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_refused(&rows[i], &plain, JP_E_PARSE);
}

static void duplicate_keys(void **state) {
    (void)state;
    static const struct refusal rows[] = {
        REFUSED("{\"a\":1,\"a\":2}", 1, 8, "the key \"a\" is there twice"),
        REFUSED("{\"a\":1,\"\\u0061\":2}", 1, 8, "the key \"a\" is there twice"),
        REFUSED("{\"a\":1,\n \"b\":2,\n \"a\":3}", 3, 2, "the key \"a\" is there twice"),
        REFUSED("[{\"x\":{\"key\":1,\"z\":2,\"key\":1}}]", 1, 22, "the key \"key\" is there twice"),
        REFUSED("{\"\":1,\"\":2}", 1, 7, "the key \"\" is there twice"),
        REFUSED("{\"\xC3\xA9\":1,\"\\u00e9\":2}", 1, 9, "the key \"\xC3\xA9\" is there twice"),
        REFUSED("{\"a\\nb\":1,\"a\\nb\":2}", 1, 11, "the key \"a?b\" is there twice"), /* the message stays one line */
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_refused(&rows[i], &plain, JP_E_PARSE);
}

/* --- bounds --- */

static char *nested(size_t depth, const char *open, const char *close) {
    struct jp_str text = {0};
    for (size_t i = 0; i < depth; i++)
        jp_str_puts(&text, open);
    jp_str_puts(&text, "0");
    for (size_t i = 0; i < depth; i++)
        jp_str_puts(&text, close);
    return jp_str_take(&text);
}

static void depth_is_bounded(void **state) {
    (void)state;
    static const struct {
        const char *open, *close;
        unsigned width; /* of what stands before the bracket that is one too many */
    } kinds[] = {{"[", "]", 1}, {"{\"a\":", "}", 5}};
    for (size_t i = 0; i < COUNT(kinds); i++)
        for (size_t depth = 0; depth < 30; depth++) {
            struct jp_json_rules rules = {.max_bytes = 4096, .max_depth = depth};
            char *good = nested(depth, kinds[i].open, kinds[i].close), *bad = nested(depth + 1, kinds[i].open, kinds[i].close);
            assert_parses(good, &rules, NULL);
            struct refusal row = {bad, strlen(bad), 1, (unsigned)depth * kinds[i].width + 1, "nested deeper than"};
            assert_refused(&row, &rules, JP_E_QUOTA);
            jp_free(good);
            jp_free(bad);
        }
}

static void hostile_depth_ends_at_the_bound(void **state) {
    (void)state;
    char *text = nested(500000, "[", "");
    struct refusal row = {text, strlen(text), 1, 65, "nested deeper than 64"};
    assert_refused(&row, &plain, JP_E_QUOTA);
    jp_free(text);
}

static void size_is_bounded(void **state) {
    (void)state;
    struct jp_json_rules rules = {.max_bytes = 10, .max_depth = 1};
    assert_parses("\"12345678\"", &rules, NULL);
    static const struct refusal row = REFUSED("\"123456789\"", 0, 0, "11 bytes are more than the 10 allowed");
    assert_refused(&row, &rules, JP_E_QUOTA);
}

/* --- comments --- */

static void comments_where_allowed(void **state) {
    (void)state;
    static const struct {
        const char *text, *printed;
    } rows[] = {
        {"// c\n1", "1"}, {"1// c", "1"}, {"1 //", "1"}, {"/**/1", "1"}, {"/***/1", "1"}, {"/* * / ** // */1", "1"},
        {"/*\n\n*/1/**/", "1"}, {"// \"x\r\n1", "1"}, {"[/*a*/1/*b*/,/*c*/2/*d*/]", "[1,2]"}, {"[/**/]", "[]"}, {"{//\n}", "{}"},
        {"{/*a*/\"a\"/*b*/:/*c*/1/*d*/,//e\n\"b\":2}", "{\"a\":1,\"b\":2}"},
        {"\"/* text */ // text\"", "\"/* text */ // text\""},
        {"/* \xFF */1", "1"}, /* nobody reads it */
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_parses(rows[i].text, &commented, rows[i].printed);
}

static void comments_without_end_or_value(void **state) {
    (void)state;
    static const struct refusal rows[] = {
        REFUSED("/", 1, 1, "found '/' where a comment"),
        REFUSED("/ 1", 1, 1, "found '/' where a comment"),
        REFUSED("1 /", 1, 3, "found '/' where a comment"),
        REFUSED("/*", 1, 1, "the comment that begins here has no end"),
        REFUSED("/*/", 1, 1, "the comment that begins here has no end"),
        REFUSED("/* *", 1, 1, "has no end"),
        REFUSED("1\n /* x * /", 2, 2, "has no end"),
        REFUSED("// only", 1, 8, "the text ends where a JSON value"),
        REFUSED("/**/", 1, 5, "the text ends where a JSON value"),
        REFUSED("1/**/2", 1, 6, "found '2' where the end"),
        REFUSED("tr/**/ue", 1, 1, "found 't' where a JSON value"),
        REFUSED("[1 // ]", 1, 8, "the text ends where ',' or ']'"),
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_refused(&rows[i], &commented, JP_E_PARSE);
}

static void comments_where_refused(void **state) {
    (void)state;
    static const struct refusal rows[] = {
        REFUSED("// c\n1", 1, 1, "found '/' where a JSON value"),
        REFUSED("/* c */ 1", 1, 1, "found '/' where a JSON value"),
        REFUSED("1 // c", 1, 3, "found '/' where the end of the text"),
        REFUSED("[1 /* c */]", 1, 4, "found '/' where ',' or ']'"),
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_refused(&rows[i], &plain, JP_E_PARSE);
}

/* --- places --- */

static void assert_place(const struct jp_json *json, const cJSON *item, bool at_key, unsigned line, unsigned column) {
    struct jp_json_place place = jp_json_place_of(json, item, at_key);
    CHECK(place.line == line && place.column == column, "%u:%u is not %u:%u", place.line, place.column, line, column);
}

static void places_of_values_and_keys(void **state) {
    (void)state;
    struct jp_json json = parse_good("// a comment\n"
                                     "{\n"
                                     "    \"one\": 1, /* two\n"
                                     "    lines */ \"two\" :\n"
                                     "  [ 10,\n"
                                     "    {\"x\": \"\xC3\xA9\", \"y\": null}, 30 ],\r\n"
                                     "\t\"three\": {}\n"
                                     "}\n", &commented);
    const cJSON *root = json.root, *two = cJSON_GetObjectItem(root, "two"), *object = cJSON_GetArrayItem(two, 1);
    assert_place(&json, root, false, 2, 1);
    assert_place(&json, root, true, 2, 1); /* has no key */
    assert_place(&json, cJSON_GetObjectItem(root, "one"), false, 3, 12);
    assert_place(&json, cJSON_GetObjectItem(root, "one"), true, 3, 5);
    assert_place(&json, two, true, 4, 14);
    assert_place(&json, two, false, 5, 3);
    assert_place(&json, cJSON_GetArrayItem(two, 0), false, 5, 5);
    assert_place(&json, object, true, 6, 5);
    assert_place(&json, cJSON_GetObjectItem(object, "x"), false, 6, 11);
    assert_place(&json, cJSON_GetObjectItem(object, "y"), true, 6, 17); /* columns are bytes */
    assert_place(&json, cJSON_GetArrayItem(two, 2), false, 6, 29);
    assert_place(&json, cJSON_GetObjectItem(root, "three"), true, 7, 2);
    assert_place(&json, cJSON_GetObjectItem(root, "three"), false, 7, 11);

    cJSON *stranger = cJSON_CreateNull();
    assert_place(&json, stranger, false, 0, 0);
    assert_place(&json, NULL, false, 0, 0);
    cJSON_Delete(stranger);
    jp_json_free(&json);
}

static void places_of_many_values(void **state) {
    (void)state;
    struct jp_str text = {0};
    enum { LINES = 1000 };
    jp_str_puts(&text, "[");
    for (unsigned i = 0; i < LINES; i++)
        jp_str_printf(&text, "%s\n%*s%u", i ? "," : "", (int)(i % 7), "", i);
    jp_str_puts(&text, "]");
    struct jp_json json = parse_good(jp_str_text(&text), &plain);
    unsigned i = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, json.root) {
        assert_place(&json, item, false, i + 2, i % 7 + 1);
        i++;
    }
    assert_int_equal(i, LINES);
    jp_json_free(&json);
    jp_str_free(&text);
}

static void the_root_outlives_the_text(void **state) {
    (void)state;
    struct jp_json json = parse_good("{\"a\":[1]}", &plain);
    cJSON *root = jp_json_take_root(&json);
    assert_null(json.root);
    jp_json_free(&json);
    jp_json_free(&json); /* once more does no harm */
    char *text = print(root);
    assert_string_equal(text, "{\"a\":[1]}");
    jp_free(text);
    cJSON_Delete(root);
}

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
    const struct CMUnitTest grammar[] = {
        cmocka_unit_test(valid_texts), cmocka_unit_test(valid_numbers), cmocka_unit_test(invalid_structure),
        cmocka_unit_test(invalid_numbers), cmocka_unit_test(invalid_strings), cmocka_unit_test(surrogates), cmocka_unit_test(invalid_surrogates),
        cmocka_unit_test(invalid_utf8), cmocka_unit_test(duplicate_keys)};
    const struct CMUnitTest bounds[] = {
        cmocka_unit_test(depth_is_bounded), cmocka_unit_test(hostile_depth_ends_at_the_bound), cmocka_unit_test(size_is_bounded)};
    const struct CMUnitTest comments[] = {
        cmocka_unit_test(comments_where_allowed), cmocka_unit_test(comments_without_end_or_value),
        cmocka_unit_test(comments_where_refused)};
    const struct CMUnitTest places[] = {
        cmocka_unit_test(places_of_values_and_keys), cmocka_unit_test(places_of_many_values),
        cmocka_unit_test(the_root_outlives_the_text)};
    const struct CMUnitTest integers[] = {
        cmocka_unit_test(integers_are_read_exactly), cmocka_unit_test(integers_are_written_exactly),
        cmocka_unit_test(integers_come_back)};
    const struct CMUnitTest printing[] = {
        cmocka_unit_test(texts_and_times_are_written), cmocka_unit_test(every_string_is_printed_as_utf8),
        cmocka_unit_test(odd_trees_are_printed), cmocka_unit_test(trees_come_back)};
    int failed = cmocka_run_group_tests(grammar, NULL, NULL);
    failed += cmocka_run_group_tests(bounds, NULL, NULL);
    failed += cmocka_run_group_tests(comments, NULL, NULL);
    failed += cmocka_run_group_tests(places, NULL, NULL);
    failed += cmocka_run_group_tests(integers, NULL, NULL);
    failed += cmocka_run_group_tests(printing, NULL, NULL);
    return failed;
}
