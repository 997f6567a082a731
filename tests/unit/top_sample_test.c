/* What two answers of pool.usage come to: rates, and what nobody knows. */
#include "top_world.h"

#include <math.h>

static const struct jp_top_row *find(const struct jp_top *top, const char *key) {
    const struct jp_top_rows *rows = top->inside ? &top->now.processes : &top->now.pools;
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->items[i].key, key) == 0)
            return &rows->items[i];
    fail_msg("no row %s", key);
    return NULL;
}

static bool is(struct jp_top_rate rate, double value) { return rate.known && fabs(rate.value - value) < 1e-9; }

static void one_answer_has_no_rates(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_take(&top, world_first);
    const struct jp_top_row *row = find(&top, "build");
    assert_true(row->memory_bytes.known && row->memory_bytes.value == 900000000);
    assert_false(row->cpu_percent.known || row->io_per_s.known || row->events_per_s.known);
    jp_top_free(&top);
}

static void two_answers_have(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_two(&top);
    assert_true(is(find(&top, "build")->cpu_percent, 150));
    assert_true(is(find(&top, "build-b")->cpu_percent, 50));
    assert_true(is(find(&top, "idle")->cpu_percent, 0));
    assert_true(is(find(&top, "build")->read_per_s, 1000)); /* from numbers that a double cannot hold */
    assert_true(is(find(&top, "build")->io_per_s, 1024));
    assert_true(is(find(&top, "web")->io_per_s, 3 << 20));
    assert_true(is(find(&top, "build")->events_per_s, 20));
    assert_int_equal(find(&top, "build")->process_limit.value, 64);
    assert_false(find(&top, "build-a")->process_limit.known);
    jp_top_free(&top);
}

static void nobody_knows(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_two(&top);
    assert_false(find(&top, "deep")->io_per_s.known);    /* null on this host */
    assert_false(find(&top, "web")->events_per_s.known); /* it fell: another run of the service */
    struct jp_top_row total = jp_top_sample_total(&top.now);
    assert_true(is(total.cpu_percent, 150) && total.processes.value == 13 && is(total.io_per_s, (3 << 20) + 1024));
    assert_int_equal(total.memory_bytes.value, 2900000000); /* what stands below another pool is counted there */
    jp_top_free(&top);
}

/* Somebody else asked at the same moment: the service has not looked again. */
static void the_same_look_twice_keeps_the_rates(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_two(&top);
    world_take(&top, world_second);
    assert_true(is(find(&top, "build")->cpu_percent, 150));
    jp_top_free(&top);
}

static void a_clock_that_began_anew_has_no_rates(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_two(&top);
    world_take(&top, world_first);
    assert_false(find(&top, "build")->cpu_percent.known || find(&top, "idle")->cpu_percent.known);
    jp_top_free(&top);
}

static void pools_come_and_go(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_take(&top, "{'clock100ns': 1, 'processors': 1, 'pools': [{'name': 'old', 'cpuTime100ns': 5}]}");
    world_take(&top, "{'clock100ns': 10000001, 'processors': 1, 'pools': [{'name': 'new', 'cpuTime100ns': 5}]}");
    assert_false(find(&top, "new")->cpu_percent.known);
    world_take(&top, "{'clock100ns': 30000001, 'processors': 1, 'pools': [{'name': 'new', 'cpuTime100ns': 10000005}]}");
    assert_true(is(find(&top, "new")->cpu_percent, 50));
    jp_top_free(&top);
}

static void answers_that_are_none(void **state) {
    (void)state;
    static const char *const answers[] = {"{}", "null", "[]", "{\"pools\": []}", "{\"clock100ns\": 1}", "{\"clock100ns\": -1, \"pools\": []}",
                                          "{\"clock100ns\": 1, \"pools\": {}}"};
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct jp_top top = {0};
        struct jp_error error = {0};
        cJSON *tree = cJSON_Parse(answers[i]);
        CHECK(jp_top_take(&top, tree, &error) == JP_E_PARSE && error.text[0] != '\0', "%s", answers[i]);
        assert_false(top.has_frame);
        cJSON_Delete(tree);
        jp_top_free(&top);
    }
}

/* A service that is older or newer may lack members, or have them as something else. */
static void members_that_are_no_numbers_are_unknown(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_take(&top, "{'clock100ns': 1, 'pools': [7, null, {}, {'name': 3}, {'name': 'a', 'commitBytes': 'much', 'totalMembers': -4, 'frozen': 'no'}]}");
    assert_int_equal(top.now.pools.count, 1);
    assert_int_equal(top.now.processors, 1);
    const struct jp_top_row *row = find(&top, "a");
    assert_false(row->memory_bytes.known || row->processes.known || row->frozen);
    jp_top_free(&top);
}

static void processes_are_known_by_their_start(void **state) {
    (void)state;
    struct jp_top top = {.inside = jp_strdup("a")};
    world_take(&top, "{'clock100ns': 1, 'pools': [], 'processes': [{'pid': 8, 'startTime': '134082333410000000', 'userTime100ns': 1, 'kernelTime100ns': 1, "
                     "'image': 'x.exe', 'commandLine': '\\u001b[2Jx'}, {'pid': 9, 'startTime': 5, 'userTime100ns': 9}]}");
    world_take(&top, "{'clock100ns': 10000001, 'pools': [], 'processes': [{'pid': 8, 'startTime': '134082333410000000', 'userTime100ns': 2000001, "
                     "'kernelTime100ns': 500001, 'image': 'x.exe', 'commandLine': '\\u001b[2Jx'}, {'pid': 9, 'startTime': 6, 'userTime100ns': 10}]}");
    assert_true(is(find(&top, "8 134082333410000000")->cpu_percent, 25));
    assert_false(find(&top, "9 6")->cpu_percent.known); /* the pid is another's by now */
    assert_string_equal(find(&top, "8 134082333410000000")->name, "\\x1B[2Jx");
    jp_top_free(&top);
}

static void commands_lose_their_folder(void **state) {
    (void)state;
    static const struct {
        const char *command, *shown;
    } rows[] = {
        {"C:\\tools\\cl.exe /c a\\b.c", "cl.exe /c a\\b.c"}, {"\"C:\\Program Files\\x.exe\" -a", "x.exe -a"}, {"\"C:\\x.exe", "x.exe"}, {"a/b", "b"},
        {"tool.exe", "tool.exe"}, {"", "i.exe"}, {"dir\\ x", "dir\\ x"}, {"\"\"", ""}, {"\"", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jp_top top = {.inside = jp_strdup("a")};
        struct jp_error error;
        cJSON *answer = cJSON_Parse("{\"clock100ns\": 1, \"pools\": [], \"processes\": [{\"pid\": 8, \"image\": \"C:\\\\f\\\\i.exe\"}]}");
        cJSON_AddStringToObject(cJSON_GetArrayItem(cJSON_GetObjectItem(answer, "processes"), 0), "commandLine", rows[i].command);
        assert_int_equal(jp_top_take(&top, answer, &error), JP_OK);
        CHECK(strcmp(world_names(&top), rows[i].shown) == 0, "%s: %s", rows[i].command, world_names(&top));
        cJSON_Delete(answer);
        jp_top_free(&top);
    }
}

/* --- numbers --- */

static void numbers_fit_their_columns(void **state) {
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } rows[] = {{0, "0"},          {999, "999"},         {1000, "0.98K"},       {1024, "1.00K"}, {10240, "10.0K"}, {1023 * 1024, "1.00M"},
                {512 << 20, "512M"}, {UINT64_C(3) << 40, "3.00T"}, {UINT64_MAX, "16.0E"}};
    char text[JP_TOP_NUMBER_TEXT];
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(strcmp(jp_top_bytes((struct jp_top_number){true, rows[i].bytes}, text), rows[i].text) == 0, "%s, not %s", text, rows[i].text);
    assert_string_equal(jp_top_bytes((struct jp_top_number){0}, text), "-");
    assert_string_equal(jp_top_count((struct jp_top_number){true, 99999}, text), "99999");
    assert_string_equal(jp_top_count((struct jp_top_number){true, 1234567}, text), "1.23M");
    assert_string_equal(jp_top_decimal((struct jp_top_rate){true, 182.44}, text), "182.4");
    assert_string_equal(jp_top_decimal((struct jp_top_rate){true, 1e18}, text), "1.00E");
    assert_string_equal(jp_top_decimal((struct jp_top_rate){0}, text), "-");
    assert_string_equal(jp_top_cpu_time((struct jp_top_number){true, 623400000}, text), "1:02.34");
    assert_string_equal(jp_top_cpu_time((struct jp_top_number){true, UINT64_C(115250000000)}, text), "3h12:05");
}

static void a_report_for_programs(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_two(&top);
    cJSON *report = jp_top_report(&top);
    struct jp_str text = {0};
    jp_json_print(cJSON_GetArrayItem(cJSON_GetObjectItem(report, "pools"), 0), &text);
    assert_string_equal(jp_str_text(&text),
                        "{\"name\":\"build\",\"parent\":null,\"state\":\"active\",\"frozen\":false,\"cpuPercent\":150,\"machinePercent\":37.5,"
                        "\"cpuTime100ns\":115000000,\"commitBytes\":900000000,\"workingSetBytes\":800000000,\"memoryLimitBytes\":1073741824,"
                        "\"memoryLimitBy\":\"kernel\",\"processes\":12,\"processLimit\":64,\"readBytesPerSecond\":1000,\"writeBytesPerSecond\":24,"
                        "\"ioBytesPerSecond\":1024,\"eventsPerSecond\":20,\"enforcedBy\":\"kernel\",\"time\":\"2026-11-22T20:15:01.0000000Z\"}");
    jp_str_clear(&text);
    jp_json_print(cJSON_GetObjectItem(report, "seconds"), &text);
    assert_string_equal(jp_str_text(&text), "1");
    jp_str_free(&text);
    cJSON_Delete(report);
    jp_top_free(&top);
}

int main(void) {
    const struct CMUnitTest samples[] = {
        cmocka_unit_test(one_answer_has_no_rates),
        cmocka_unit_test(two_answers_have),
        cmocka_unit_test(nobody_knows),
        cmocka_unit_test(the_same_look_twice_keeps_the_rates),
        cmocka_unit_test(a_clock_that_began_anew_has_no_rates),
        cmocka_unit_test(pools_come_and_go),
        cmocka_unit_test(answers_that_are_none),
        cmocka_unit_test(members_that_are_no_numbers_are_unknown),
        cmocka_unit_test(processes_are_known_by_their_start),
        cmocka_unit_test(commands_lose_their_folder),
        cmocka_unit_test(numbers_fit_their_columns),
        cmocka_unit_test(a_report_for_programs),
    };
    return cmocka_run_group_tests(samples, NULL, NULL);
}
