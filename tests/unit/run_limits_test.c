/* The limits of one run, and the name of its pool. */
#include "unit.h"

#include "cli/run_limits.h"
#include "job/limits.h"

#include <string.h>

/* What the settings make, or the error's sentence. */
static char *limits_of(const char *const (*settings)[2], size_t count) {
    struct jp_error error = {0};
    struct jp_str text = {0};
    cJSON *limits = cJSON_CreateObject();
    jp_status status = JP_OK;
    for (size_t i = 0; i < count && status == JP_OK; i++)
        status = jp_run_add_limit(limits, settings[i][0], settings[i][1], &error);
    jp_json_print(limits, &text);
    cJSON_Delete(limits);
    if (status == JP_OK)
        return jp_str_take(&text);
    jp_str_free(&text);
    return jp_strdup(error.text);
}

#define SETTINGS(...) (const char *const[][2]){__VA_ARGS__}
#define assert_limits(expected, ...)                                                                                      \
    do {                                                                                                                  \
        char *made = limits_of(SETTINGS(__VA_ARGS__), sizeof SETTINGS(__VA_ARGS__) / sizeof(const char *const[2]));       \
        assert_string_equal(made, expected);                                                                              \
        jp_free(made);                                                                                                    \
    } while (0)

static void numbers_are_numbers_and_units_are_text(void **state) {
    (void)state;
    assert_limits("{\"active_processes\":4,\"job_memory\":\"512MiB\"}", {"active_processes", "4"}, {"job_memory", "512MiB"});
    assert_limits("{\"die_on_unhandled_exception\":true,\"affinity\":\"0-3,6\"}", {"die_on_unhandled_exception", "true"}, {"affinity", "0-3,6"});
    assert_limits("{\"job_memory\":\"\"}", {"job_memory", ""});
    assert_limits("{\"cpu_rate\":{\"weight\":3}}", {"cpu_rate", "{\"weight\": 3}"});
}

static void the_last_one_counts(void **state) {
    (void)state;
    assert_limits("{\"job_memory\":\"2GiB\"}", {"job_memory", "1GiB"}, {"job_memory", "2GiB"});
}

static void a_dot_leads_into_an_object(void **state) {
    (void)state;
    assert_limits("{\"cpu_rate\":{\"min\":\"10%\",\"max\":\"50%\"}}", {"cpu_rate.min", "10%"}, {"cpu_rate.max", "50%"});
    assert_limits("--limit: \"cpu_rate\" is given with and without a key behind a dot", {"cpu_rate", "50%"}, {"cpu_rate.max", "50%"});
}

static void a_value_is_needed(void **state) {
    (void)state;
    assert_limits("--limit: \"job_memory\" has no value; write job_memory=VALUE", {"job_memory", NULL});
}

static void the_name_says_whose_run_it_is_and_is_never_too_long(void **state) {
    (void)state;
    char *name = jp_run_pool_name("build", 4711, 0x18f3a2b4c5d);
    assert_string_equal(name, "build.run-4711-18f3a2b4c5d");
    jp_free(name);
    char longest[JP_POOL_NAME_MAX + 1];
    memset(longest, 'p', JP_POOL_NAME_MAX);
    longest[JP_POOL_NAME_MAX] = '\0';
    name = jp_run_pool_name(longest, UINT32_MAX, UINT64_MAX);
    assert_int_equal(strlen(name), JP_POOL_NAME_MAX);
    assert_non_null(strstr(name, "pp.run-4294967295-ffffffffffffffff"));
    jp_free(name);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_numbers_and_units_are_text),
        cmocka_unit_test(the_last_one_counts),
        cmocka_unit_test(a_dot_leads_into_an_object),
        cmocka_unit_test(a_value_is_needed),
        cmocka_unit_test(the_name_says_whose_run_it_is_and_is_never_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
