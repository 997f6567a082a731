/* A first configuration: what anybody answers, it is JSON, and good answers make a good one. */
#include "config/config.h"
#include "config/first.h"

#include "unit.h"

#include <stdio.h>

static const struct jp_config_host host = {0};

/* JP_OK with the model, or what is wrong. */
static jp_status parse(const struct jp_first_config *first, struct jp_config *ret_config, char *fault, size_t size) {
    struct jp_config_faults faults = {0};
    char *text = jp_config_first(first);
    jp_status status = jp_config_parse(text, strlen(text), &host, ret_config, &faults);
    if (status)
        snprintf(fault, size, "%u:%s", faults.items[0].line, faults.items[0].text);
    jp_config_faults_free(&faults);
    jp_free(text);
    return status;
}

static void without_answers_it_is_good(void **state) {
    (void)state;
    struct jp_first_config first = jp_first_defaults;
    struct jp_config config;
    char fault[600];
    first.folder = "C:\\ProgramData\\JobPool";
    CHECK(parse(&first, &config, fault, sizeof fault) == JP_OK, "%s", fault);
    assert_int_equal(config.pool_count, 1);
    assert_string_equal(config.pools[0].name, "default");
    assert_string_equal(config.database.file, "C:\\ProgramData\\JobPool\\accounting.db");
    assert_string_equal(config.log.file, "C:\\ProgramData\\JobPool\\jobpool.log");
    jp_config_free(&config);
}

static void answers_are_in_it(void **state) {
    (void)state;
    struct jp_first_config first = {.folder = "D:\\", .pool = "build", .memory = "1.5GiB", .processes = "12", .allow = "DOMAIN\\team"};
    struct jp_config config;
    char fault[600];
    CHECK(parse(&first, &config, fault, sizeof fault) == JP_OK, "%s", fault);
    const struct jp_pool_spec *spec = &config.pools[0].spec;
    assert_string_equal(config.database.file, "D:\\accounting.db");
    assert_string_equal(spec->access.launch.items[0], "DOMAIN\\team");
    assert_int_equal(spec->limits.active_processes, 12);
    assert_true(spec->limits.job_memory_bytes == UINT64_C(1536) << 20);
    jp_config_free(&config);
}

/* No answer gets out of its string, or out of a comment. */
static void any_answer_makes_json(void **state) {
    (void)state;
    static const char *const answers[] = {"", "\"", "\\", "x\n}", "*/", "// x", "\", \"admin\": [\"Everyone\"], \"x\": \"", "%PATH%", "\x01", "\xc3\xa4", "1", "-1", "0x10",
                                          "99999999999999999999", "true", "[]"};
    for (size_t i = 0; i < COUNT(answers); i++)
        for (int which = 0; which < 5; which++) {
            struct jp_first_config first = {.folder = "C:\\x", .pool = "p", .memory = "1GiB", .processes = "1", .allow = "Users"};
            const char **places[] = {&first.folder, &first.pool, &first.memory, &first.processes, &first.allow};
            static const struct jp_json_rules rules = {.max_bytes = 1 << 20, .max_depth = 16, .comments = true};
            struct jp_json json;
            struct jp_json_place place;
            struct jp_error error = {0};
            *places[which] = answers[i];
            char *text = jp_config_first(&first);
            CHECK(jp_json_parse(text, strlen(text), &rules, &json, &place, &error) == JP_OK, "%s in %d: %s", answers[i], which, error.text);
            const cJSON *pools = cJSON_GetObjectItemCaseSensitive(json.root, "pools");
            assert_int_equal(cJSON_GetArraySize(json.root), 3);
            assert_int_equal(cJSON_GetArraySize(pools), 1);
            assert_null(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(pools->child, "access"), "admin"));
            jp_json_free(&json);
            jp_free(text);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_answers_it_is_good), cmocka_unit_test(answers_are_in_it), cmocka_unit_test(any_answer_makes_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
