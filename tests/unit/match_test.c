/* Which pool takes a process: patterns, rules, their order and their exclusions. */
#include "policy/policy.h"

#include "unit.h"

#include <stdio.h>

static void patterns(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool fits;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"cl.exe", "cl.exe", true},
        {"cl.exe", "CL.EXE", true},
        {"CL.exe", "cl.Exe", true},
        {"cl.exe", "cl.exe2", false},
        {"cl.exe", "xcl.exe", false},
        {"@[`{", "`{@[", false}, /* neighbours of letters have no case */
        {"*", "", true},
        {"*", "anything.exe", true},
        {"*", "a\\b", false},
        {"*\\*", "a\\b", true},
        {"*\\*", "a\\b\\c", false},
        {"**", "", true},
        {"**", "C:\\a\\b\\c.exe", true},
        {"***", "C:\\a\\b\\c.exe", true},
        {"****", "\\\\", true},
        {"?", "a", true},
        {"?", "", false},
        {"?", "ab", false},
        {"?", "\\", false},
        {"??", "ab", true},
        {"?*", "abc", true},
        {"?*", "", false},
        {"*?", "", false},
        {"*.exe", "cl.exe", true},
        {"*.exe", ".exe", true},
        {"*.exe", "cl.exe.exe", true},
        {"*.exe", "cl.exe ", false},
        {"c*l*", "cl", true},
        {"a*b*c", "aXbXbXc", true},
        {"a*b*c", "aXcXb", false},
        {"C:\\ci\\**", "c:\\CI\\agent\\bin\\cl.exe", true},
        {"C:\\ci\\**", "C:\\ci\\", true},
        {"C:\\ci\\**", "C:\\ci", false},
        {"C:\\ci\\**", "C:\\cicero\\a.exe", false},
        {"C:\\ci\\*", "C:\\ci\\a.exe", true},
        {"C:\\ci\\*", "C:\\ci\\bin\\a.exe", false},
        {"C:\\*\\bin\\*.exe", "C:\\tool\\bin\\a.exe", true},
        {"C:\\*\\bin\\*.exe", "C:\\a\\b\\bin\\a.exe", false},
        {"C:\\**\\bin\\*.exe", "C:\\a\\b\\bin\\a.exe", true},
        {"C:\\**\\bin\\*.exe", "C:\\bin\\bin\\x\\bin\\a.exe", true},
        {"**\\x", "a\\x\\y", false},
        {"**a*b", "xaa\\ab", true},  /* the first a is not the right one */
        {"**a*b", "xab\\ac", false},
        {"?", "\xC3\xA9", true}, /* one character, whatever its bytes */
        {"??", "\xC3\xA9", false},
        {"?.exe", "\xE6\x97\xA5.exe", true},
        {"?", "\xF0\x9F\x98\x80", true},
        {"\xC3\xA9*", "\xC3\xA9\x61", true},
        {"\xC3\xA9", "\xC3\x89", false}, /* only ASCII has case here */
        {"*\xA9", "\xC3\xA9", false},    /* half a character is none */
        {"?", "\xA9", true},             /* what is not UTF-8 counts byte by byte */
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(jp_policy_glob(rows[i].pattern, rows[i].text) == rows[i].fits, "\"%s\" and \"%s\"", rows[i].pattern, rows[i].text);
}

/* The plainest reading of the same rules; exponential, and right. */
static bool plainly(const char *pattern, const char *text) {
    if (!*pattern)
        return !*text;
    if (pattern[0] == '*') {
        bool deep = pattern[1] == '*';
        return plainly(pattern + (deep ? 2 : 1), text) || (*text && (deep || *text != '\\') && plainly(pattern, text + 1));
    }
    return *text && (*pattern == *text || (*pattern == '?' && *text != '\\')) && plainly(pattern + 1, text + 1);
}

static void random_text(uint64_t *random, const char *letters, unsigned longest, char *text) {
    unsigned length = random_below(random, longest + 1);
    for (unsigned i = 0; i < length; i++)
        text[i] = letters[random_below(random, (unsigned)strlen(letters))];
    text[length] = '\0';
}

static void any_pattern_is_read_as_it_stands(void **state) {
    (void)state;
    uint64_t random = new_seed();
    unsigned fit = 0;
    for (int i = 0; i < 200000; i++) {
        char pattern[9], text[11];
        random_text(&random, "ab\\**?", 8, pattern);
        random_text(&random, "aab\\", 10, text);
        bool expected = plainly(pattern, text);
        CHECK(jp_policy_glob(pattern, text) == expected, "\"%s\" and \"%s\"", pattern, text);
        fit += expected;
    }
    assert_in_range(fit, 2000, 198000);
}

/* Patterns that a matcher that tries everything does not come back from. The longest of each that a rule may hold. */
static void no_pattern_takes_forever(void **state) {
    (void)state;
    static const char *const parts[] = {"*a", "**a", "*a**a", "?*", "**?"};
    char pattern[1025], text[32768];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 2] = 'b';
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i < COUNT(parts); i++) {
        size_t length = 0, part = strlen(parts[i]);
        for (; length + part < 100; length += part)
            memcpy(pattern + length, parts[i], part);
        memcpy(pattern + length, "c", 2);
        clock_t begin = clock();
        assert_false(jp_policy_glob(pattern, text));
        assert_true((double)(clock() - begin) < 5.0 * CLOCKS_PER_SEC);
    }
    memset(pattern, '*', 1023); /* longer than what is held on the stack */
    memcpy(pattern + 1023, "c", 2);
    text[500] = '\0';
    assert_false(jp_policy_glob(pattern, text));
    text[499] = 'c';
    assert_true(jp_policy_glob(pattern, text));
}

/* --- rules --- */

static void read_specs(const char *text, struct jp_pool_spec *specs, const struct jp_pool_spec **pointers, size_t count) {
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    assert_int_equal(cJSON_GetArraySize(json), count);
    for (size_t i = 0; i < count; i++) {
        struct jp_faults faults = {0};
        const cJSON *item = cJSON_GetArrayItem(json, (int)i);
        specs[i] = (struct jp_pool_spec){0};
        if (!jp_schema_read(&(struct jp_schema_context){.faults = &faults}, jp_pool_fields, item, "", &specs[i]) ||
            !jp_pool_spec_check(&specs[i], item, "", &faults))
            fail_msg("%s: %s", text, faults.items[0].text);
        pointers[i] = &specs[i];
    }
    cJSON_Delete(json);
}

static void clear_specs(struct jp_pool_spec *specs, size_t count) {
    for (size_t i = 0; i < count; i++)
        jp_schema_clear(jp_pool_fields, &specs[i]);
}

static const char pools[] = "["
                            "{\"match\":[{\"image\":\"cl.exe\"},{\"path\":\"C:\\\\ci\\\\**\",\"user\":\"DOMAIN\\\\ci\"}],"
                            " \"exclude\":[{\"command_line\":\"*--interactive*\"}]},"
                            "{\"match\":[{\"image\":\"*.exe\",\"parent\":\"agent.exe\"},{\"user\":\"*\\\\guest\"},{\"command_line\":\"*--batch*\"}]},"
                            "{\"description\":\"no rules\"},"
                            "{\"default\":true,\"exclude\":[{\"image\":\"explorer.exe\"}],\"match\":[{\"image\":\"notepad.exe\"}]},"
                            "{\"match\":[{\"image\":\"last.exe\"}]}]";
enum { POOLS = 5, NONE = 99 };

static void the_first_pool_takes_it(void **state) {
    (void)state;
    static const struct {
        struct jp_match_process process;
        size_t pool, rule; /* NONE: no rule, no pool */
    } rows[] = {
        {{.image = "cl.exe"}, 0, 0},
        {{.image = "CL.EXE", .parent = "agent.exe"}, 0, 0}, /* would fit the second pool too */
        {{.image = "cl.exe", .parent = "agent.exe", .command_line = "cl.exe --interactive"}, 1, 0}, /* excluded there: the next one's turn */
        {{.image = "a.exe", .path = "C:\\ci\\bin\\a.exe", .user = "domain\\CI"}, 0, 1},
        {{.image = "a.exe", .path = "C:\\ci\\bin\\a.exe", .user = "DOMAIN\\other"}, 3, NONE}, /* all keys must fit */
        {{.image = "a.exe", .path = "C:\\ci\\bin\\a.exe"}, 3, NONE},                            /* and what is not known fits nothing */
        {{.image = "a.exe", .user = "HOME\\guest"}, 1, 1},
        {{.image = "a.exe", .command_line = "\"C:\\Program Files\\a.exe\" --batch C:\\x"}, 1, 2}, /* no folders in a command line */
        {{.image = "notepad.exe"}, 3, 0},
        {{.image = "last.exe"}, 4, 0}, /* the default pool comes after all rules */
        {{.image = "explorer.exe"}, NONE, NONE},
        {{.image = NULL}, 3, NONE},
    };
    struct jp_pool_spec specs[POOLS];
    const struct jp_pool_spec *pointers[POOLS];
    read_specs(pools, specs, pointers, POOLS);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t rule = 7, pool = jp_policy_match(pointers, POOLS, &rows[i].process, &rule);
        CHECK((pool == SIZE_MAX ? NONE : pool) == rows[i].pool && (rule == SIZE_MAX ? NONE : rule) == rows[i].rule, "row %zu: %zu %zu", i, pool, rule);
    }
    clear_specs(specs, POOLS);
}

static void an_empty_rule_takes_nobody(void **state) {
    (void)state;
    struct jp_match empty = {0};
    struct jp_pool_spec spec = {.match = {.items = &empty, .count = 1}};
    const struct jp_pool_spec *pointer = &spec;
    size_t rule;
    assert_true(jp_policy_match(&pointer, 1, &(struct jp_match_process){.image = "a.exe"}, &rule) == SIZE_MAX);
}

int main(void) {
    const struct CMUnitTest globs[] = {cmocka_unit_test(patterns), cmocka_unit_test(any_pattern_is_read_as_it_stands),
                                       cmocka_unit_test(no_pattern_takes_forever)};
    const struct CMUnitTest rules[] = {cmocka_unit_test(the_first_pool_takes_it),
                                       cmocka_unit_test(an_empty_rule_takes_nobody)};
    int failed = cmocka_run_group_tests(globs, NULL, NULL);
    failed += cmocka_run_group_tests(rules, NULL, NULL);
    return failed;
}
