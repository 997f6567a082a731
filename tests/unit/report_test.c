/* The page of a report: what is drawn of which answers, and that no answer whatever makes it another page. */
#include "base/units.h"
#include "job/messages.h"
#include "report/charts.h"
#include "report/html.h"

#include "../pages/well_formed.h"
#include "unit.h"

#include <stdio.h>

#define HOUR_100NS INT64_C(36000000000)
#define DAY_100NS (24 * HOUR_100NS)

static int64_t no_offset(void *context, int64_t utc_100ns) {
    (void)utc_100ns;
    return context ? *(const int64_t *)context : 0;
}

/* An hour more until 2026-10-25 01:00 UTC, as in Berlin. */
static int64_t berlin(void *context, int64_t utc_100ns) {
    int64_t change;
    struct jp_error error;
    (void)context;
    assert_int_equal(jp_time_parse("2026-10-25T01:00:00Z", &change, &error), JP_OK);
    return utc_100ns < change ? 2 * HOUR_100NS : HOUR_100NS;
}

static const struct jp_page_maker maker = {.version = "1.2.3", .zone = "Here (UTC+00:00)", .local_offset_100ns = no_offset};

/* An answer whose strings stand in ' instead of ". */
static cJSON *tree(const char *text) {
    static const struct jp_json_rules rules = {.max_bytes = 1 << 24, .max_depth = 32};
    char *quoted = jp_strdup(text);
    for (char *at = quoted; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    CHECK(jp_json_parse(quoted, strlen(quoted), &rules, &json, &place, &error) == JP_OK, "%s in %s", error.text, text);
    cJSON *root = jp_json_take_root(&json);
    jp_json_free(&json);
    jp_free(quoted);
    return root;
}

static cJSON *a_day(void) { return tree("{'from': '2026-11-21T00:00:00Z', 'to': '2026-11-22T00:00:00Z', 'made': '2026-11-22T00:00:00Z', 'processors': 2, 'host': 'h'}"); }

/* The page of answers, which are freed. */
static char *page_of(cJSON *answers) {
    struct jp_str page = {0};
    jp_page_write(answers, &maker, &page);
    const char *why = why_not_well_formed(&page);
    CHECK(!why, "%s", why);
    cJSON_Delete(answers);
    return jp_str_take(&page);
}

static void add_series(cJSON *answers, const char *pool, const char *points) {
    cJSON *list = cJSON_GetObjectItemCaseSensitive(answers, "series");
    if (!list) {
        list = cJSON_AddArrayToObject(answers, "series");
        cJSON *answer = tree("{'step100ns': 36000000000, 'series': []}");
        cJSON_AddItemToArray(list, answer);
    }
    cJSON *one = cJSON_CreateObject();
    cJSON_AddStringToObject(one, "pool", pool);
    cJSON_AddItemToObject(one, "points", tree(points));
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(list->child, "series"), one);
}

static unsigned count_of(const char *text, const char *part) {
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        count++;
    return count;
}

/* --- words --- */

static void test_quantities_for_people(void **state) {
    char text[JP_WORDS];
    (void)state;
    assert_string_equal(jp_words_bytes(0, text), "0\u00A0B");
    assert_string_equal(jp_words_bytes(1023, text), "1023\u00A0B");
    assert_string_equal(jp_words_bytes(1536, text), "1.5\u00A0KiB");
    assert_string_equal(jp_words_bytes(1048575, text), "1\u00A0MiB");
    assert_string_equal(jp_words_bytes(6.55 * (1 << 30), text), "6.55\u00A0GiB");
    assert_string_equal(jp_words_bytes((double)UINT64_MAX, text), "16\u00A0EiB");
    assert_string_equal(jp_words_duration(0, text), "0\u00A0s");
    assert_string_equal(jp_words_duration(12345, text), "1.23\u00A0ms");
    assert_string_equal(jp_words_duration(15 * JP_100NS_PER_S / 10, text), "1.5\u00A0s");
    assert_string_equal(jp_words_duration(UINT64_C(90) * JP_100NS_PER_S, text), "1\u00A0min\u00A030\u00A0s");
    assert_string_equal(jp_words_duration(HOUR_100NS, text), "1\u00A0h");
    assert_string_equal(jp_words_duration(HOUR_100NS * 25 / 2, text), "12.5\u00A0h");
    assert_string_equal(jp_words_duration(HOUR_100NS * 1392, text), "1,392\u00A0h");
    assert_string_equal(jp_words_duration(UINT64_MAX, text), "512,409,557\u00A0h");
    assert_string_equal(jp_words_span(7 * DAY_100NS, text), "7 days");
    assert_string_equal(jp_words_span(DAY_100NS + 3 * HOUR_100NS, text), "1 day 3\u00A0h");
    assert_string_equal(jp_words_count(999, text), "999");
    assert_string_equal(jp_words_count(UINT64_MAX, text), "18,446,744,073,709,551,615");
    assert_string_equal(jp_words_percent(12.5, text), "12.5\u00A0%");
    assert_string_equal(jp_words_percent(0.001, text), "under 0.01\u00A0%");
    assert_string_equal(jp_words_percent(0, text), "0\u00A0%");
}

static void test_text_is_only_text(void **state) {
    static const struct {
        const char *text, *html;
        size_t most;
    } rows[] = {
        {"plain", "plain", 99},
        {"</script>", "&lt;/script&gt;", 99},
        {"\"'&", "&quot;&#39;&amp;", 99},
        {"a\nb\x1b[", "a\\u{A}b\\u{1B}[", 99},
        {"\u202Ex", "\\u{202E}x", 99},
        {"\uFFFE\U0001FFFF\uFDD0", "\\u{FFFE}\\u{1FFFF}\\u{FDD0}", 99},
        {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD", 99},
        {"\xC3", "\uFFFD", 99},
        {"\u00E4\u00F6\u00FC", "\u00E4\u00F6\u2026", 2},
        {"ab", "ab", 2},
        {"", "", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jp_str out = {0};
        jp_html_text(&out, rows[i].text, rows[i].most);
        CHECK(strcmp(jp_str_text(&out), rows[i].html) == 0, "row %zu: %s", i, jp_str_text(&out));
        jp_str_free(&out);
    }
}

/* --- axes --- */

static void test_ticks_are_round_numbers(void **state) {
    (void)state;
    assert_true(jp_round_step(77, 5, false) == 20);
    assert_true(jp_round_step(5, 5, false) == 1);
    assert_true(jp_round_step(0.9, 5, false) == 0.2);
    assert_true(jp_round_step(46.0 * (1 << 30), 5, true) == 16.0 * (1 << 30));
    assert_true(jp_round_step(300.0 * (1 << 20), 5, true) == 64.0 * (1 << 20));
    assert_true(jp_round_step(1e300, 5, false) > 0);
    uint64_t seed = new_seed();
    for (unsigned i = 0; i < 10000; i++) {
        double most = (double)random_magnitude(&seed) / 100 + 0.01;
        for (unsigned bytes = 0; bytes < 2; bytes++) {
            double step = jp_round_step(most, 5, bytes);
            CHECK(step * 5 >= most * 0.999, "most %g, step %g", most, step);
            CHECK(most < (bytes ? 16 : 1) || step * 5 <= most * 2.6, "most %g, step %g", most, step);
        }
    }
}

static void test_ticks_of_time_are_local_hours_and_days(void **state) {
    struct jp_page_maker there = {.local_offset_100ns = berlin};
    struct jp_model model = {.maker = &there};
    struct jp_time_ticks ticks;
    struct jp_error error;
    char text[64];
    (void)state;
    assert_int_equal(jp_time_parse("2026-10-23T22:00:00Z", &model.from_100ns, &error), JP_OK);
    model.to_100ns = model.from_100ns + 4 * DAY_100NS;
    jp_time_ticks(&model, 6, &ticks);
    assert_true(ticks.days && ticks.count == 4);
    for (size_t i = 0; i < ticks.count; i++) {
        assert_string_equal(jp_words_moment(&model, ticks.at_100ns[i], JP_MOMENT_CLOCK, text), "00:00");
        snprintf(text, sizeof text, "%u\u00A0Oct", 24 + (unsigned)i);
        char day[64];
        assert_string_equal(jp_words_moment(&model, ticks.at_100ns[i], JP_MOMENT_DATE, day), text);
    }
    assert_true(ticks.at_100ns[2] - ticks.at_100ns[1] == 25 * HOUR_100NS); /* the day on which clocks go back */
    for (int64_t span = 1; span < INT64_C(1) << 60; span *= 3) {
        model.to_100ns = model.from_100ns + span;
        jp_time_ticks(&model, 10, &ticks);
        assert_true(ticks.count <= 12);
    }
}

/* --- what is drawn --- */

static void test_without_any_answer(void **state) {
    (void)state;
    char *page = page_of(cJSON_CreateObject());
    assert_non_null(strstr(page, "No samples of this time are there"));
    assert_non_null(strstr(page, "No process began in this time."));
    assert_non_null(strstr(page, "None in this time."));
    jp_free(page);
    jp_free(page_of(tree("{'from': 1, 'to': [], 'made': {}, 'host': 7, 'processors': 'many', 'status': [], 'pools': 'x', 'byPool': [1], 'byDay': {'rows': 3}, 'byImage': null,"
                         " 'byUser': {'rows': [1, null, [], 'x', {}]}, 'summary': {'pools': [1]}, 'series': [1, {'series': 2}, {'step100ns': 1, 'series': [1, {}, {'points': [1, {}]}]}],"
                         " 'events': {'events': [1, {}, {'message': 3}]}, 'chosen': [1, null]}")));
}

static void test_one_point_is_a_dot(void **state) {
    cJSON *answers = a_day();
    (void)state;
    add_series(answers, "only", "[{'time': '2026-11-21T05:00:00Z', 'processes': 1, 'cpuTime100ns': 36000000000, 'commitBytes': 1073741824}]");
    char *page = page_of(answers);
    assert_int_equal(count_of(page, "<circle class=\"f0\""), 2 * 2 + 2); /* both widths of both charts, and two panels */
    assert_int_equal(count_of(page, "class=\"line s0\""), 6);
    assert_non_null(strstr(page, "at most 50\u00A0%"));
    assert_non_null(strstr(page, "data-key=\"memory\" data-value=\"1073741824\""));
    jp_free(page);
}

static void test_a_gap_is_no_line_and_a_limit_is_a_step(void **state) {
    struct jp_str chart = {0};
    struct jp_model model;
    cJSON *answers = a_day();
    (void)state;
    add_series(answers, "p", "[{'time': '2026-11-21T01:00:00Z', 'processes': 1, 'cpuTime100ns': 1000, 'commitBytes': 100, 'memoryLimitBytes': 200},"
                             "{'time': '2026-11-21T02:00:00Z', 'processes': 1, 'cpuTime100ns': 1000, 'commitBytes': 100, 'memoryLimitBytes': 150},"
                             "{'time': '2026-11-21T05:00:00Z', 'processes': 1, 'cpuTime100ns': 1000, 'commitBytes': 50, 'memoryLimitBytes': null},"
                             "{'time': '2026-11-21T06:00:00Z', 'processes': 1, 'cpuTime100ns': 1000, 'commitBytes': 50}]");
    jp_model_make(&model, answers, &maker);
    jp_chart_panel(&chart, &model, &jp_measure_memory, 0);
    const char *line = strstr(jp_str_text(&chart), "class=\"line s0\" d=\"") + strlen("class=\"line s0\" d=\"");
    char *path = jp_strndup(line, strcspn(line, "\""));
    assert_int_equal(count_of(path, "M"), 2);
    assert_int_equal(count_of(path, "L"), 2);
    jp_free(path);
    const char *limit = strstr(jp_str_text(&chart), "class=\"limit\" d=\"") + strlen("class=\"limit\" d=\"");
    path = jp_strndup(limit, strcspn(limit, "\""));
    assert_int_equal(count_of(path, "M"), 1);
    assert_int_equal(count_of(path, "H"), 2);
    jp_free(path);
    assert_non_null(strstr(jp_str_text(&chart), "limit 150\u00A0B"));
    jp_str_free(&chart);
    jp_model_free(&model);
    cJSON_Delete(answers);
}

/* Steps are round times, so the first may begin before the page does. */
static void test_steps_that_begin_before(void **state) {
    struct jp_model model;
    cJSON *answers = tree("{'from': '2026-11-21T00:30:00Z', 'to': '2026-11-21T02:10:00Z'}");
    (void)state;
    add_series(answers, "p", "[{'time': '2026-11-20T23:00:00Z', 'processes': 1, 'cpuTime100ns': 1}, {'time': '2026-11-21T00:00:00Z', 'processes': 1, 'cpuTime100ns': 10},"
                             "{'time': '2026-11-21T02:00:00Z', 'processes': null, 'cpuTime100ns': 0, 'started': 3, 'failures': 1}, {'time': '2026-11-21T03:00:00Z', 'cpuTime100ns': 1}]");
    jp_model_make(&model, answers, &maker);
    assert_int_equal(model.step_count, 3);
    assert_true(model.pool_count == 1 && model.pools[0].cpu_100ns == 10 && model.pools[0].steps[0].known && !model.pools[0].steps[2].known);
    assert_true(model.starts[2].started == 3 && model.starts[2].failures == 1);
    jp_model_free(&model);
    cJSON_Delete(answers);
}

static void test_of_a_thousand_pools_seven_lines(void **state) {
    struct jp_model model;
    cJSON *answers = a_day();
    uint64_t all = 0, drawn = 0;
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        char name[32], points[200];
        snprintf(name, sizeof name, "pool-%03u", i);
        snprintf(points, sizeof points, "[{'time': '2026-11-21T05:00:00Z', 'processes': 1, 'cpuTime100ns': %u, 'commitBytes': %u}]", 1000 + i, 10);
        add_series(answers, name, points);
        all += 1000 + i;
    }
    jp_model_make(&model, answers, &maker);
    assert_int_equal(jp_line_count(&model), JP_MODEL_LINES + 1);
    assert_int_equal(model.others_count, 1000 - JP_MODEL_LINES);
    assert_string_equal(model.pools[0].name, "pool-999");
    for (size_t i = 0; i < jp_line_count(&model); i++)
        drawn += jp_line(&model, i)->steps[5].cpu_100ns;
    assert_true(drawn == all);
    jp_model_free(&model);
    jp_free(page_of(answers));
}

/* A pool's values include those below it, so the rest is the sum of what is in no other. */
static void test_the_rest_counts_nothing_twice(void **state) {
    struct jp_model model;
    cJSON *answers = a_day(), *list = cJSON_AddArrayToObject(cJSON_AddObjectToObject(answers, "pools"), "pools");
    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        char name[8], points[200];
        snprintf(name, sizeof name, "%c", 'a' + (char)i);
        snprintf(points, sizeof points, "[{'time': '2026-11-21T05:00:00Z', 'processes': 1, 'cpuTime100ns': %u, 'commitBytes': 1}]", 1000 - i * 10);
        add_series(answers, name, points);
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "name", name);
        if (i == 8 || i == 11) /* one below a pool that is drawn, one below one that is not */
            cJSON_AddStringToObject(row, "parent", i == 8 ? "a" : "h");
        cJSON_AddItemToArray(list, row);
    }
    jp_model_make(&model, answers, &maker);
    assert_int_equal(model.drawn, JP_MODEL_LINES);
    assert_int_equal(model.others_count, 6);
    assert_true(model.others.steps[5].cpu_100ns == (1000 - 60) + (1000 - 70) + (1000 - 90) + (1000 - 100));
    jp_model_free(&model);
    cJSON_Delete(answers);
}

static void test_pools_that_are_above_each_other_end(void **state) {
    cJSON *answers = a_day();
    (void)state;
    cJSON_AddItemToObject(answers, "pools", tree("{'pools': [{'name': 'a', 'parent': 'b'}, {'name': 'b', 'parent': 'a'}, {'name': 'c', 'parent': 'c'}]}"));
    add_series(answers, "a", "[{'time': '2026-11-21T05:00:00Z', 'processes': 1, 'cpuTime100ns': 5}]");
    add_series(answers, "b", "[{'time': '2026-11-21T05:00:00Z', 'processes': 1, 'cpuTime100ns': 5}]");
    add_series(answers, "c", "[{'time': '2026-11-21T05:00:00Z', 'processes': 1, 'cpuTime100ns': 5}]");
    jp_free(page_of(answers));
}

static void test_huge_numbers(void **state) {
    cJSON *answers = a_day();
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        char name[8] = {(char)('a' + i)};
        add_series(answers, name, "[{'time': '2026-11-21T05:00:00Z', 'processes': '18446744073709551615', 'cpuTime100ns': '18446744073709551615', 'commitBytes': '18446744073709551615',"
                                  " 'memoryLimitBytes': '18446744073709551615', 'cpuRateLimit': '18446744073709551615', 'started': '18446744073709551615', 'failures': '18446744073709551615'}]");
    }
    cJSON_AddItemToObject(answers, "byPool", tree("{'rows': [{'pool': 'a', 'userTime100ns': '18446744073709551615', 'kernelTime100ns': '18446744073709551615'}],"
                                                  " 'total': {'processes': '18446744073709551615', 'failures': '18446744073709551615', 'userTime100ns': '18446744073709551615',"
                                                  " 'kernelTime100ns': '18446744073709551615', 'peakCommitBytes': '18446744073709551615', 'readBytes': '18446744073709551615'}}"));
    char *page = page_of(answers);
    assert_non_null(strstr(page, "data-key=\"userTime100ns\" data-value=\"18446744073709551615\""));
    assert_null(strstr(page, "nan"));
    assert_null(strstr(page, ">inf"));
    jp_free(page);
    jp_free(page_of(tree("{'from': '1601-01-01T00:00:00Z', 'to': '9999-12-31T23:59:59Z', 'byDay': {'rows': [{'day': '2026-11-21', 'processes': 1}]},"
                         " 'series': [{'step100ns': '18446744073709551615', 'series': [{'pool': 'p', 'points': [{'time': '2026-11-21T05:00:00Z'}]}]}]}")));
}

static void test_names_of_others_do_no_harm(void **state) {
    static const char *const names[] = {"</script><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onload='x", "\x01\x1b[31m\x7f\xC2\x85", "\u202Edlrow", "\uFFFE\uFFFF",
                                        "\xED\xA0\x80", "\xFF\xFE", "<!--", "]]>", "&lt;"};
    char *long_name = jp_alloc(32769);
    (void)state;
    memset(long_name, '<', 32768);
    for (size_t i = 0; i <= COUNT(names); i++) {
        const char *name = i < COUNT(names) ? names[i] : long_name;
        cJSON *answers = a_day(), *chosen = cJSON_AddArrayToObject(answers, "chosen");
        cJSON_ReplaceItemInObjectCaseSensitive(answers, "host", cJSON_CreateString(name));
        cJSON_AddItemToArray(chosen, cJSON_CreateString(name));
        add_series(answers, name, "[{'time': '2026-11-21T05:00:00Z', 'processes': 1, 'cpuTime100ns': 5, 'commitBytes': 5}]");
        static const char *const reports[][2] = {{"byPool", "pool"}, {"byDay", "day"}, {"byImage", "image"}, {"byUser", "user"}};
        for (size_t at = 0; at < COUNT(reports); at++) {
            cJSON *row = cJSON_CreateObject();
            cJSON_AddStringToObject(row, reports[at][1], name);
            cJSON_AddItemToArray(cJSON_AddArrayToObject(cJSON_AddObjectToObject(answers, reports[at][0]), "rows"), row);
        }
        cJSON *event = tree("{'seq': 1, 'time': '2026-11-21T05:00:00Z', 'message': 'POOL_FROZEN'}");
        cJSON_AddStringToObject(event, "pool", name);
        cJSON_AddStringToObject(event, "process", name);
        cJSON_AddStringToObject(event, "detail", name);
        cJSON_AddItemToArray(cJSON_AddArrayToObject(cJSON_AddObjectToObject(answers, "events"), "events"), event);
        char *page = page_of(answers);
        assert_null(strstr(page, "<img"));
        assert_null(strstr(page, "<script>alert"));
        assert_null(strstr(page, "' onload='"));
        assert_true(strlen(page) < 400000);
        jp_free(page);
    }
    jp_free(long_name);
}

/* --- events --- */

static void test_every_message_has_a_lane(void **state) {
    size_t lanes[JP_LANES] = {0};
    (void)state;
    for (const char *const *message = jp_page_messages; *message; message++) {
        enum jp_lane lane = jp_lane_of(*message);
        CHECK(lane < JP_LANES, "%s", *message);
        lanes[lane]++;
        if (strncmp(*message, "JOB_OBJECT_MSG_", 15) == 0)
            CHECK(jp_job_message_number(*message) != 0, "Windows has no %s", *message);
    }
    for (size_t lane = 0; lane < JP_LANES; lane++)
        CHECK(lanes[lane] > 0, "lane %zu", lane);
    assert_int_equal(jp_lane_of("MEMORY_POLICY_HARD"), JP_LANE_LIMITS);
    assert_int_equal(jp_lane_of("JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS"), JP_LANE_CRASHES);
    assert_int_equal(jp_lane_of("POOL_CREATED"), JP_LANE_POOLS);
    assert_int_equal(jp_lane_of("SERVICE_STARTED"), JP_LANE_SERVICE);
    assert_int_equal(jp_lane_of("JOB_OBJECT_MSG_NEW_PROCESS"), JP_LANES);
    assert_int_equal(jp_lane_of(""), JP_LANES);
}

static void test_the_newest_events_are_listed(void **state) {
    cJSON *answers = a_day(), *list = cJSON_AddArrayToObject(cJSON_AddObjectToObject(answers, "events"), "events");
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        char text[200];
        snprintf(text, sizeof text, "{'seq': %u, 'time': '2026-11-21T%02u:%02u:00Z', 'message': 'POOL_FROZEN', 'pool': 'p', 'detail': 'number %u.'}", 1000 - i, (299 - i) / 60, (299 - i) % 60, i);
        cJSON_AddItemToArray(list, tree(text));
    }
    cJSON_AddItemToArray(list, tree("{'seq': 1, 'time': '2026-11-20T05:00:00Z', 'message': 'POOL_FROZEN', 'detail': 'too early'}"));
    char *page = page_of(answers);
    assert_non_null(strstr(page, "The last 200 of 300 events"));
    assert_true(strstr(page, "number 0.") < strstr(page, "number 199."));
    assert_null(strstr(page, "number 200."));
    assert_null(strstr(page, "too early"));
    jp_free(page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantities_for_people),
        cmocka_unit_test(test_text_is_only_text),
        cmocka_unit_test(test_ticks_are_round_numbers),
        cmocka_unit_test(test_ticks_of_time_are_local_hours_and_days),
        cmocka_unit_test(test_without_any_answer),
        cmocka_unit_test(test_one_point_is_a_dot),
        cmocka_unit_test(test_a_gap_is_no_line_and_a_limit_is_a_step),
        cmocka_unit_test(test_steps_that_begin_before),
        cmocka_unit_test(test_of_a_thousand_pools_seven_lines),
        cmocka_unit_test(test_the_rest_counts_nothing_twice),
        cmocka_unit_test(test_pools_that_are_above_each_other_end),
        cmocka_unit_test(test_huge_numbers),
        cmocka_unit_test(test_names_of_others_do_no_harm),
        cmocka_unit_test(test_every_message_has_a_lane),
        cmocka_unit_test(test_the_newest_events_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
