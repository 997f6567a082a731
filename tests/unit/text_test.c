/* Strings, encodings, the hash table, command lines, suggestions, and the words of failures. */
#include "base/cmdline.h"
#include "base/log.h"
#include "base/map.h"
#include "base/status.h"
#include "base/str.h"
#include "base/text.h"
#include "base/utf.h"

#include "unit.h"

#include <stdio.h>

/* --- strings that grow --- */

static void a_zeroed_string_is_empty(void **state) {
    (void)state;
    struct jp_str string = {0};
    assert_string_equal(jp_str_text(&string), "");
    jp_str_clear(&string);
    jp_str_remove_front(&string, 0);
    jp_str_puts(&string, "");
    assert_int_equal(string.length, 0);
    assert_string_equal(jp_str_text(&string), "");
    jp_str_free(&string);
    jp_str_free(&string);
    char *taken = jp_str_take(&string);
    assert_string_equal(taken, "");
    jp_free(taken);
}

static void strings_grow_and_shrink(void **state) {
    (void)state;
    struct jp_str string = {0};
    for (unsigned i = 0; i < 3000; i++)
        jp_str_printf(&string, "%u,", i % 10);
    assert_int_equal(string.length, 6000);
    assert_int_equal(strlen(string.data), 6000);
    jp_str_remove_front(&string, 5990);
    assert_string_equal(jp_str_text(&string), "5,6,7,8,9,");
    jp_str_add(&string, "a\0b", 3);
    assert_int_equal(string.length, 13);
    assert_memory_equal(string.data, "5,6,7,8,9,a\0b", 14);
    jp_str_remove_front(&string, 13);
    jp_str_putc(&string, 'x');
    assert_string_equal(jp_str_text(&string), "x");
    jp_str_clear(&string);
    jp_str_puts(&string, "taken");
    char *taken = jp_str_take(&string);
    assert_string_equal(taken, "taken");
    assert_int_equal(string.length, 0);
    assert_null(string.data);
    jp_free(taken);
}

static void copies_and_formats(void **state) {
    (void)state;
    assert_null(jp_strdup(NULL));
    char *copy = jp_strdup("text"), *part = jp_strndup("text", 2), *text = jp_sprintf("%s-%d%%", "a", 7),
         *empty = jp_sprintf("%s", "");
    assert_string_equal(copy, "text");
    assert_string_equal(part, "te");
    assert_string_equal(text, "a-7%");
    assert_string_equal(empty, "");
    jp_free(copy);
    jp_free(part);
    jp_free(text);
    jp_free(empty);
    unsigned char *zeroed = jp_alloc(100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(zeroed[i], 0);
    zeroed = jp_realloc_array(zeroed, 300, 2);
    assert_int_equal(zeroed[99], 0);
    jp_free(zeroed);
    jp_free(jp_alloc(0));
    jp_free(NULL);
}

static void ascii_case_is_ignored(void **state) {
    (void)state;
    assert_true(jp_ascii_equal_nocase("", ""));
    assert_true(jp_ascii_equal_nocase("PATH", "Path"));
    assert_false(jp_ascii_equal_nocase("PATH", "PATHS"));
    assert_false(jp_ascii_equal_nocase("PATHS", "PATH"));
    assert_false(jp_ascii_equal_nocase("[", "{")); /* differ by the same bit as letters do */
    assert_false(jp_ascii_equal_nocase("\xC3\xA4", "\xC3\x84"));
}

/* --- suggestions --- */

static void the_nearest_word(void **state) {
    (void)state;
    static const char *const words[] = {"limits", "parent", "description", "object_name", "ui", "security", NULL};
    static const struct {
        const char *word, *nearest;
    } rows[] = {
        {"limit", "limits"},
        {"Limits", "limits"},
        {"LIMITS", "limits"},
        {"limts", "limits"},
        {"ilmits", "limits"},
        {"pparent", "parent"},
        {"desciption", "description"},
        {"description_text", "description"},
        {"objectname", "object_name"},
        {"objectName", "object_name"},
        {"u", "ui"},
        {"i", "ui"},
        {"securty", "security"},
        {"limits", "limits"},
        {"memory", NULL},
        {"xyz", NULL},
        {"", NULL},
        {"something else altogether that is as long as fifty bytes", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *nearest = jp_nearest(rows[i].word, words, COUNT(words), sizeof *words);
        CHECK(nearest ? rows[i].nearest && strcmp(nearest, rows[i].nearest) == 0 : !rows[i].nearest, "\"%s\": %s",
              rows[i].word, nearest ? nearest : "none");
    }
    assert_null(jp_nearest("limits", words, 0, sizeof *words));
}

static void the_nearest_word_in_a_table(void **state) {
    (void)state;
    static const struct {
        int number;
        const char *name;
    } rows[] = {{1, "keep"}, {2, "terminate"}};
    assert_string_equal(jp_nearest("termnate", &rows->name, COUNT(rows), sizeof *rows), "terminate");
}

/* --- UTF-8 and UTF-16 --- */

static void utf8_sequences(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t length, sequence;
    } rows[] = {
        {"", 0, 0},
        {"a", 1, 1},
        {"\0", 1, 1},
        {"\x7F", 1, 1},
        {"\x80", 1, 0},
        {"\xBF", 1, 0},
        {"\xC0\x80", 2, 0},
        {"\xC1\xBF", 2, 0},
        {"\xC2\x80", 2, 2},
        {"\xC2", 1, 0},
        {"\xC2\x41", 2, 0},
        {"\xDF\xBF", 2, 2},
        {"\xC3\xC3", 2, 0},
        {"\xE0\x9F\xBF", 3, 0},
        {"\xE0\xA0\x80", 3, 3},
        {"\xE2\x82\xAC", 3, 3},
        {"\xE2\x82\xAC", 2, 0},
        {"\xE2\x82\x20", 3, 0},
        {"\xED\x9F\xBF", 3, 3},
        {"\xED\xA0\x80", 3, 0},
        {"\xED\xBF\xBF", 3, 0},
        {"\xEE\x80\x80", 3, 3},
        {"\xEF\xBF\xBF", 3, 3},
        {"\xF0\x8F\xBF\xBF", 4, 0},
        {"\xF0\x90\x80\x80", 4, 4},
        {"\xF4\x8F\xBF\xBF", 4, 4},
        {"\xF4\x90\x80\x80", 4, 0},
        {"\xF0\x90\x80", 3, 0},
        {"\xF5\x80\x80\x80", 4, 0},
        {"\xFF", 1, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(jp_utf8_sequence(rows[i].text, rows[i].length) == rows[i].sequence, "row %zu", i);
    assert_int_equal(jp_utf8_valid_length("a\xC3\xA9z", 4), 4);
    assert_int_equal(jp_utf8_valid_length("a\xC3\xA9\xC3", 4), 3);
    assert_int_equal(jp_utf8_valid_length("\xFF", 1), 0);
    assert_int_equal(jp_utf8_valid_length("", 0), 0);
}

static void every_code_point_comes_back(void **state) {
    (void)state;
    for (uint32_t point = 1; point <= 0x10FFFF; point++) {
        uint16_t wide[2] = {(uint16_t)point, 0};
        size_t units = 1, length, again_units;
        if (point >= 0x10000) {
            wide[0] = (uint16_t)(0xD800 + ((point - 0x10000) >> 10));
            wide[1] = (uint16_t)(0xDC00 + ((point - 0x10000) & 0x3FF));
            units = 2;
        }
        char *text = jp_utf8_from_utf16(wide, units, &length);
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        size_t expected = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        CHECK(length == expected && jp_utf8_sequence(text, length) == (surrogate ? 0 : expected), "U+%04X", (unsigned)point);
        uint16_t *again = jp_utf16_from_utf8(text, length, &again_units);
        CHECK(again_units == units && memcmp(again, wide, units * sizeof *wide) == 0, "U+%04X", (unsigned)point);
        assert_int_equal(again[units], 0);
        jp_free(again);
        jp_free(text);
    }
}

/* Any 16-bit units at all: a file's name on Windows may hold them. A pair that is put together from two texts is a character. */
static void any_units_come_back(void **state) {
    (void)state;
    uint64_t random = new_seed();
    for (int i = 0; i < 20000; i++) {
        uint16_t wide[16];
        size_t units = random_below(&random, COUNT(wide)), length, again_units;
        for (size_t j = 0; j < units; j++)
            wide[j] = (uint16_t)(random_below(&random, 2) ? 0xD800 + random_below(&random, 0x800)
                                                          : 1 + random_below(&random, 0xFFFF));
        char *text = jp_utf8_from_utf16(wide, units, &length);
        assert_int_equal(strlen(text), length);
        uint16_t *again = jp_utf16_from_utf8(text, length, &again_units);
        assert_int_equal(again_units, units);
        assert_memory_equal(again, wide, units * sizeof *wide);
        jp_free(again);
        jp_free(text);
    }
}

static void bytes_that_are_no_text_are_replaced(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint16_t wide[5]; /* ends with 0 */
    } rows[] = {
        {"", {0}},
        {"a\xFFz", {'a', 0xFFFD, 'z', 0}},
        {"\xC3", {0xFFFD, 0}},
        {"\xE2\x82", {0xFFFD, 0xFFFD, 0}},
        {"\xC0\xAF", {0xFFFD, 0xFFFD, 0}},
        {"\xED\xA0\x80", {0xD800, 0}},
        {"\xF0\x9F\x98\x80", {0xD83D, 0xDE00, 0}},
        {"\xED\xA0\xBD\xED\xB8\x80", {0xD83D, 0xDE00, 0}},
        {"\xF4\x90\x80\x80", {0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 0}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t units, expected = 0;
        while (rows[i].wide[expected])
            expected++;
        uint16_t *wide = jp_utf16_from_utf8(rows[i].text, strlen(rows[i].text), &units);
        CHECK(units == expected && memcmp(wide, rows[i].wide, (expected + 1) * sizeof *wide) == 0, "row %zu", i);
        jp_free(wide);
    }
    uint16_t *wide = jp_utf16_from_utf8("x", 1, NULL);
    char *text = jp_utf8_from_utf16(wide, 1, NULL);
    assert_string_equal(text, "x");
    jp_free(text);
    jp_free(wide);
}

static void messages_are_tidied(void **state) {
    (void)state;
    static const struct {
        const char *text, *tidy;
    } rows[] = {
        {"", ""},
        {"plain \xC3\xA9", "plain \xC3\xA9"},
        {"cut \xC3\" here", "cut \" here"},
        {"\xE2\x82", ""},
        {"a\nb\tc\x7F", "a?b?c?"},
        {"\xED\xA0\x80x", "x"},
        {"\xF0\x9F\x98\x80\xF0\x9F\x98", "\xF0\x9F\x98\x80"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = jp_strdup(rows[i].text);
        jp_utf8_tidy(text);
        assert_string_equal(text, rows[i].tidy);
        jp_free(text);
    }
}

/* --- the hash table --- */

static void a_zeroed_map_is_empty(void **state) {
    (void)state;
    struct jp_map map = {0};
    size_t position = 0;
    assert_null(jp_map_get(&map, "x"));
    assert_null(jp_map_get_u64(&map, 0));
    assert_null(jp_map_remove(&map, "x"));
    assert_null(jp_map_remove_u64(&map, 0));
    assert_null(jp_map_next(&map, &position));
    jp_map_free(&map);
}

static void a_map_of_texts(void **state) {
    (void)state;
    enum { MANY = 2000 };
    static char names[MANY][16];
    struct jp_map map = {0};
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "pool-%u", i);
        jp_map_put(&map, names[i], names[i]);
    }
    assert_int_equal(map.count, MANY);
    for (unsigned i = 0; i < MANY; i += 2)
        assert_ptr_equal(jp_map_remove(&map, names[i]), names[i]);
    for (unsigned i = 0; i < MANY; i++) {
        char copy[16]; /* found by its letters, not by its address */
        memcpy(copy, names[i], sizeof copy);
        assert_ptr_equal(jp_map_get(&map, copy), i % 2 ? names[i] : NULL);
    }
    size_t position = 0, walked = 0;
    while (jp_map_next(&map, &position))
        walked++;
    assert_int_equal(walked, MANY / 2);
    assert_null(jp_map_get(&map, ""));
    jp_map_free(&map);
    assert_int_equal(map.count, 0);
}

/* Against a plain array, with few keys, so that runs of slots form and break all the time. */
static void a_map_of_numbers_against_a_model(void **state) {
    (void)state;
    enum { KEYS = 200 };
    uint64_t random = new_seed();
    int values[KEYS];
    void *model[KEYS] = {0};
    struct jp_map map = {0};
    size_t count = 0;
    for (int i = 0; i < 200000; i++) {
        unsigned key = random_below(&random, KEYS);
        uint64_t number = key * UINT64_C(4) << (key % 50); /* pids are multiples of four */
        assert_ptr_equal(jp_map_get_u64(&map, number + (uint64_t)key), model[key]);
        if (!model[key]) {
            model[key] = &values[key];
            jp_map_put_u64(&map, number + key, model[key]);
            count++;
        } else if (random_below(&random, 2)) {
            assert_ptr_equal(jp_map_remove_u64(&map, number + key), model[key]);
            model[key] = NULL;
            count--;
        }
        assert_int_equal(map.count, count);
    }
    bool seen[KEYS] = {false};
    size_t position = 0;
    for (const int *value; (value = jp_map_next(&map, &position)) != NULL; count--) {
        assert_false(seen[value - values]);
        seen[value - values] = true;
    }
    assert_int_equal(count, 0);
    jp_map_free(&map);
}

/* --- command lines --- */

static void command_lines(void **state) {
    (void)state;
    static const struct {
        const char *argv[4];
        const char *line;
    } rows[] = {
        {{"a.exe"}, "a.exe"},
        {{"C:\\Program Files\\a.exe", "x"}, "\"C:\\Program Files\\a.exe\" x"},
        {{"C:\\dir\\", "x"}, "C:\\dir\\ x"},
        {{"C:\\my dir\\", "x"}, "\"C:\\my dir\\\" x"}, /* in the first argument a backslash is only that */
        {{"a", ""}, "a \"\""},
        {{"a", "b c", "d"}, "a \"b c\" d"},
        {{"a", "tab\there"}, "a \"tab\there\""},
        {{"a", "say \"hi\""}, "a \"say \\\"hi\\\"\""},
        {{"a", "\""}, "a \"\\\"\""},
        {{"a", "\\"}, "a \\"},
        {{"a", "x\\\\y"}, "a x\\\\y"},
        {{"a", "x\\\"y"}, "a \"x\\\\\\\"y\""},
        {{"a", "b c\\"}, "a \"b c\\\\\""},
        {{"a", "b c\\\\", "d"}, "a \"b c\\\\\\\\\" d"},
        {{"a", "%PATH%", "^&|<>"}, "a %PATH% ^&|<>"}, /* cmd.exe's business, not ours */
        {{"a", "\xC3\xA9 \xF0\x9F\x98\x80"}, "a \"\xC3\xA9 \xF0\x9F\x98\x80\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t count = 0;
        while (count < COUNT(rows[i].argv) && rows[i].argv[count])
            count++;
        char *line = jp_cmdline_from_argv(rows[i].argv, count);
        assert_string_equal(line, rows[i].line);
        jp_free(line);
    }
}

static void what_no_command_line_can_say(void **state) {
    (void)state;
    static const char *const empty[] = {""}, *const quoted[] = {"a\"b"};
    assert_null(jp_cmdline_from_argv(NULL, 0));
    assert_null(jp_cmdline_from_argv(empty, 1));
    assert_null(jp_cmdline_from_argv(quoted, 1));
}

/* The rules of CommandLineToArgvW, read the other way. Returns what is behind the argument. */
static const char *take_argument(const char *at, bool first, struct jp_str *argument) {
    bool quoted = false;
    while (*at == ' ' || *at == '\t')
        at++;
    for (; *at && (quoted || (*at != ' ' && *at != '\t')); at++) {
        size_t backslashes = first ? 0 : strspn(at, "\\");
        bool quote = at[backslashes] == '"';
        for (size_t i = 0; i < (quote ? backslashes / 2 : backslashes); i++)
            jp_str_putc(argument, '\\');
        at += backslashes;
        if (quote && backslashes % 2)
            jp_str_putc(argument, '"');
        else if (quote)
            quoted = !quoted;
        else if (*at && (quoted || (*at != ' ' && *at != '\t')))
            jp_str_putc(argument, *at);
        else
            break;
    }
    return at;
}

static void arguments_come_back(void **state) {
    (void)state;
    static const char letters[] = "ab\\\\\\\"\" \t";
    uint64_t random = new_seed();
    for (int i = 0; i < 50000; i++) {
        char storage[5][8] = {"p"};
        const char *argv[5];
        size_t count = 1 + random_below(&random, 5);
        for (size_t j = 0; j < count; j++) {
            size_t length = j ? random_below(&random, 8) : 0;
            for (size_t k = 0; k < length; k++)
                storage[j][k] = letters[random_below(&random, sizeof letters - 1)];
            argv[j] = storage[j];
        }
        char *line = jp_cmdline_from_argv(argv, count);
        const char *at = line;
        for (size_t j = 0; j < count; j++) {
            struct jp_str argument = {0};
            at = take_argument(at, j == 0, &argument);
            CHECK(strcmp(jp_str_text(&argument), argv[j]) == 0, "<%s> is read as <%s> from <%s>", argv[j],
                  jp_str_text(&argument), line);
            jp_str_free(&argument);
        }
        assert_int_equal(*at, '\0');
        jp_free(line);
    }
}

/* --- failures --- */

static void failures_have_names(void **state) {
    (void)state;
    assert_string_equal(jp_status_name(JP_OK), "ok");
    assert_string_equal(jp_status_name(JP_E_POOL_FULL), "pool_full");
    assert_string_equal(jp_status_name(JP_E_PARSE), "parse_error");
    assert_int_equal(JP_E_PARSE, -32700); /* the protocol's number */
    assert_string_equal(jp_win32_name(5), "ERROR_ACCESS_DENIED");
    assert_string_equal(jp_win32_text(5), "access denied");
    assert_null(jp_win32_name(99999));
    assert_string_equal(jp_win32_text(99999), "Windows error");
}

static void failures_have_words(void **state) {
    (void)state;
    struct jp_error error;
    assert_int_equal(jp_fail(&error, JP_E_NO_POOL, "there is no pool \"%s\"", "x"), JP_E_NO_POOL);
    assert_int_equal(error.status, JP_E_NO_POOL);
    assert_int_equal(error.win32, 0);
    assert_null(error.operation);
    assert_string_equal(error.text, "there is no pool \"x\"");
    assert_int_equal(jp_fail_win32(&error, JP_E_DENIED, 5, "OpenProcess", "cannot open process %d", 4), JP_E_DENIED);
    assert_int_equal(error.win32, 5);
    assert_string_equal(error.operation, "OpenProcess");
    assert_string_equal(error.text, "cannot open process 4: access denied (ERROR_ACCESS_DENIED, 5)");
    jp_fail_win32(&error, JP_E_SYSTEM, 0xC0000022, "NtQueryObject", "cannot look");
    assert_string_equal(error.text, "cannot look: Windows error 3221225506");
}

static void a_failure_is_one_line_of_utf8(void **state) {
    (void)state;
    struct jp_error error;
    jp_fail(&error, JP_E_PARAMS, "\"%.4s\" is not it", "abc\xC3\xA9");
    assert_string_equal(error.text, "\"abc\" is not it");
    jp_fail(&error, JP_E_PARAMS, "a\nb");
    assert_string_equal(error.text, "a?b");
    for (size_t shift = 0; shift < 4; shift++) { /* the cut falls at every place within a character */
        char text[JP_ERROR_TEXT + 100] = "xxxx";
        for (size_t at = shift; at + 4 < sizeof text; at += 4)
            memcpy(text + at, "\xF0\x9F\x98\x80", 4);
        jp_fail(&error, JP_E_PARAMS, "%s", text);
        size_t length = strlen(error.text);
        assert_in_range(length, JP_ERROR_TEXT - 4, JP_ERROR_TEXT - 1);
        assert_int_equal(jp_utf8_valid_length(error.text, length), length);
        jp_fail_win32(&error, JP_E_PARAMS, 5, "x", "%s", text);
        length = strlen(error.text);
        assert_int_equal(jp_utf8_valid_length(error.text, length), length);
    }
}

/* --- the log --- */

static void keep_line(void *sink, enum jp_log_level level, const char *text) {
    jp_str_printf(sink, "%s: %s|", jp_log_level_name(level), text);
}

static void log_lines(void **state) {
    (void)state;
    struct jp_str lines = {0};
    struct jp_log log = {.level = JP_LOG_INFO, .write = keep_line, .sink = &lines};
    jp_log(&log, JP_LOG_ERROR, "a %d", 1);
    jp_log(&log, JP_LOG_INFO, "two\r\nlines \x7F \xC3\xA9");
    jp_log(&log, JP_LOG_DEBUG, "not kept");
    jp_log(NULL, JP_LOG_ERROR, "nowhere");
    assert_string_equal(jp_str_text(&lines), "error: a 1|info: two\\x0D\\x0Alines \\x7F \xC3\xA9|");
    jp_str_free(&lines);
}

/* --- text on a terminal --- */

static void characters_one_by_one(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint32_t code;
        size_t width, length;
    } rows[] = {{"a", 'a', 1, 1}, {"\xC3\xA4z", 0xE4, 1, 2}, {"\xE4\xB8\x96", 0x4E16, 2, 3}, {"\xF0\x9F\x98\x80", 0x1F600, 2, 4}, {"\xCC\x81", 0x301, 0, 2},
                {"\xFF", 0xFFFD, 1, 1}, {"\xE4\xB8", 0xFFFD, 1, 1}, {"", 0, 0, 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *at = rows[i].text;
        size_t width;
        uint32_t code = jp_text_next(&at, &width);
        CHECK(code == rows[i].code && width == rows[i].width && (size_t)(at - rows[i].text) == rows[i].length, "row %zu: %x", i, (unsigned)code);
    }
}

static void every_character_comes_back(void **state) {
    (void)state;
    struct jp_str text = {0};
    for (uint32_t code = 1; code <= 0x110000; code++) {
        jp_str_clear(&text);
        jp_text_add(&text, code);
        const char *at = jp_str_text(&text);
        size_t width;
        bool none = (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF;
        CHECK(jp_text_next(&at, &width) == (none ? 0xFFFD : code) && *at == '\0', "U+%X", (unsigned)code);
    }
    jp_str_free(&text);
}

/* An escape, a turn of direction, a line's end, what has no width; what people write stays. */
static void what_would_be_obeyed_is_shown(void **state) {
    struct jp_str text = {0};
    (void)state;
    jp_add_harmless(&text, "a\033[2J\t\xE2\x80\xAE" "b\xE2\x80\xA8" "c\xE2\x80\x8B\xD8\x9C\xEF\xBB\xBF" "d\x9B\xC2\x9B");
    assert_string_equal(jp_str_text(&text), "a\\x1B[2J\\x09\\xE2\\x80\\xAEb\\xE2\\x80\\xA8c\\xE2\\x80\\x8B\\xD8\\x9C\\xEF\\xBB\\xBFd\\x9B\\xC2\\x9B");
    jp_str_clear(&text);
    jp_add_harmless(&text, "gr\xC3\xBC\xC3\x9F \xE6\xBC\xA2 \xF0\x9F\x98\x80");
    assert_string_equal(jp_str_text(&text), "gr\xC3\xBC\xC3\x9F \xE6\xBC\xA2 \xF0\x9F\x98\x80");
    jp_str_free(&text);
}

int main(void) {
    const struct CMUnitTest terminal[] = {cmocka_unit_test(characters_one_by_one), cmocka_unit_test(every_character_comes_back),
                                          cmocka_unit_test(what_would_be_obeyed_is_shown)};
    const struct CMUnitTest strings[] = {cmocka_unit_test(a_zeroed_string_is_empty),
                                         cmocka_unit_test(strings_grow_and_shrink), cmocka_unit_test(copies_and_formats),
                                         cmocka_unit_test(ascii_case_is_ignored)};
    const struct CMUnitTest nearest[] = {cmocka_unit_test(the_nearest_word), cmocka_unit_test(the_nearest_word_in_a_table)};
    const struct CMUnitTest utf[] = {cmocka_unit_test(utf8_sequences), cmocka_unit_test(every_code_point_comes_back),
                                     cmocka_unit_test(any_units_come_back),
                                     cmocka_unit_test(bytes_that_are_no_text_are_replaced),
                                     cmocka_unit_test(messages_are_tidied)};
    const struct CMUnitTest maps[] = {cmocka_unit_test(a_zeroed_map_is_empty), cmocka_unit_test(a_map_of_texts),
                                      cmocka_unit_test(a_map_of_numbers_against_a_model)};
    const struct CMUnitTest lines[] = {cmocka_unit_test(command_lines), cmocka_unit_test(what_no_command_line_can_say),
                                       cmocka_unit_test(arguments_come_back)};
    const struct CMUnitTest failures[] = {cmocka_unit_test(failures_have_names), cmocka_unit_test(failures_have_words),
                                          cmocka_unit_test(a_failure_is_one_line_of_utf8), cmocka_unit_test(log_lines)};
    int failed = cmocka_run_group_tests(strings, NULL, NULL);
    failed += cmocka_run_group_tests(nearest, NULL, NULL);
    failed += cmocka_run_group_tests(utf, NULL, NULL);
    failed += cmocka_run_group_tests(maps, NULL, NULL);
    failed += cmocka_run_group_tests(lines, NULL, NULL);
    failed += cmocka_run_group_tests(failures, NULL, NULL);
    failed += cmocka_run_group_tests(terminal, NULL, NULL);
    return failed;
}
