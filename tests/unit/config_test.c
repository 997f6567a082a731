/* The configuration: what a file means, its defaults, and every fault at its line and column. */
#include "config/config.h"

#include "base/units.h"

#include "unit.h"

#define DAY_100NS (UINT64_C(86400) * JP_100NS_PER_S)

static const char *environment(const char *name) {
    return strcmp(name, "ProgramData") == 0 ? "D:\\Data" : strcmp(name, "POOLS") == 0 ? "E:\\pools" : NULL;
}

static jp_status check_security(const char *sddl, struct jp_error *error) {
    return strncmp(sddl, "D:", 2) == 0 ? JP_OK : jp_fail(error, JP_E_PARAMS, "\"%s\" is not SDDL", sddl);
}

static const struct jp_config_host host = {.environment = environment, .check_security = check_security};

static struct jp_config parse_good(const char *text) {
    struct jp_config config;
    struct jp_config_faults faults;
    if (jp_config_parse(text, strlen(text), &host, &config, &faults))
        fail_msg("%s\n%s", text, jp_config_faults_format(&faults, "file"));
    return config;
}

static void assert_faults_in(const char *text, size_t length, const struct jp_config_host *with, const char *expected) {
    struct jp_config config;
    struct jp_config_faults faults = {0};
    CHECK(jp_config_parse(text, length, with, &config, &faults) == JP_E_CONFIG, "%s", text);
    char *lines = jp_config_faults_format(&faults, "c.json");
    assert_string_equal(lines, expected);
    jp_free(lines);
    jp_config_faults_free(&faults);
    assert_int_equal(faults.count, 0);
}

/* `expected`: lines as --check-config prints them */
static void assert_faults(const char *text, const char *expected) { assert_faults_in(text, strlen(text), &host, expected); }

/* --- meaning --- */

static void an_empty_object_has_all_defaults(void **state) {
    (void)state;
    struct jp_config config = parse_good("{}");
    assert_string_equal(config.database.file, "D:\\Data\\JobPool\\accounting.db");
    assert_int_equal(config.database.flush_interval_100ns, 50 * JP_100NS_PER_MS);
    assert_int_equal(config.database.max_backlog, 100000);
    assert_string_equal(config.log.file, "D:\\Data\\JobPool\\jobpool.log");
    assert_int_equal(config.log.level, JP_LOG_INFO);
    assert_int_equal(config.log.max_size_bytes, 10 << 20);
    assert_int_equal(config.log.keep, 5);
    assert_string_equal(config.pipe.name, "jobpool");
    assert_null(config.pipe.security);
    assert_int_equal(config.quotas.connections, 256);
    assert_int_equal(config.sampling.interval_100ns, 500 * JP_100NS_PER_MS);
    assert_int_equal(config.sampling.record_100ns, 60 * JP_100NS_PER_S);
    assert_int_equal(config.retention.samples_100ns, 30 * DAY_100NS);
    assert_int_equal(config.retention.processes_100ns, 90 * DAY_100NS);
    assert_int_equal(config.retention.events_100ns, 30 * DAY_100NS);
    assert_int_equal(config.retention.hours_100ns, 400 * DAY_100NS);
    assert_int_equal(config.retention.max_size_bytes, UINT64_C(4) << 30);
    assert_int_equal(config.pool_count, 0);
    jp_config_free(&config);
}

static void defaults_without_an_environment(void **state) {
    (void)state;
    static const struct jp_config_host nothing = {0};
    struct jp_config config;
    struct jp_config_faults faults;
    assert_int_equal(jp_config_parse("{}", 2, &nothing, &config, &faults), JP_OK);
    assert_string_equal(config.database.file, "C:\\ProgramData\\JobPool\\accounting.db");
    jp_config_free(&config);
    static const char text[] = "{\"pipe\":{\"security\":\"anything\"}}";
    assert_int_equal(jp_config_parse(text, strlen(text), &nothing, &config, &faults), JP_OK);
    jp_config_free(&config);
}

static void the_log_lies_beside_the_database(void **state) {
    (void)state;
    static const struct {
        const char *text, *log;
    } rows[] = {
        {"{\"database\":{\"file\":\"%POOLS%\\\\a.db\"}}", "E:\\pools\\jobpool.log"},
        {"{\"database\":{\"file\":\"c:/x/a.db\"}}", "c:/x/jobpool.log"},
        {"{\"database\":{\"file\":\"a.db\"}}", "jobpool.log"},
        {"{\"database\":{\"file\":\"c:\\\\x\\\\a.db\"},\"log\":{\"file\":\"%POOLS%\\\\100%%.log\"}}", "E:\\pools\\100%.log"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jp_config config = parse_good(rows[i].text);
        assert_string_equal(config.log.file, rows[i].log);
        jp_config_free(&config);
    }
}

static void a_whole_file(void **state) {
    (void)state;
    struct jp_config config = parse_good(
        "\xEF\xBB\xBF// Notepad begins a file with a byte order mark\r\n"
        "{ \"$schema\": \"jobpool.schema.json\",\r\n"
        "  \"log\": { \"level\": \"debug\", \"max_size\": \"1MiB\", \"keep\": 0 },\r\n"
        "  \"database\": { \"flush_interval\": \"0s\", \"max_backlog\": 1000 },\r\n"
        "  \"pipe\": { \"name\": \"other\", \"security\": \"D:P(A;;GA;;;SY)\" }, \"quotas\": {\"connections\": 7},\r\n"
        "  \"sampling\": { \"interval\": \"1m\" },\r\n"
        "  \"retention\": { \"processes\": \"0s\", \"events\": \"36500d\", \"max_size\": 0 }, // and the hours as ever\r\n"
        "  \"pools\": {\r\n"
        "    \"child\": { \"parent\": \"Top.1\", \"limits\": { \"kill_on_close\": true } }, /* before its parent */\r\n"
        "    \"Top.1\": { \"description\": \"\", \"limits\": { \"cpu_rate\": \"50%\", \"job_time\": null } },\r\n"
        "    \"0_-\": { \"object_name\": \"Local\\\\mine\", \"on_service_stop\": \"terminate\" } } }\r\n");
    assert_int_equal(config.log.level, JP_LOG_DEBUG);
    assert_int_equal(config.log.keep, 0);
    assert_int_equal(config.database.flush_interval_100ns, 0);
    assert_int_equal(config.database.max_backlog, 1000);
    assert_string_equal(config.pipe.name, "other");
    assert_string_equal(config.pipe.security, "D:P(A;;GA;;;SY)");
    assert_int_equal(config.quotas.connections, 7);
    assert_int_equal(config.sampling.interval_100ns, 60 * JP_100NS_PER_S);
    assert_int_equal(config.retention.processes_100ns, 0); /* for ever, not the default */
    assert_int_equal(config.retention.events_100ns, 36500 * DAY_100NS);
    assert_int_equal(config.retention.hours_100ns, 400 * DAY_100NS);
    assert_int_equal(config.retention.max_size_bytes, 0);
    assert_int_equal(config.pool_count, 3);
    assert_string_equal(config.pools[0].name, "child"); /* the file's order */
    assert_string_equal(config.pools[0].spec.parent, "Top.1");
    assert_true(jp_pool_spec_terminates(&config.pools[0].spec));
    assert_int_equal(config.pools[1].spec.limits.present & UINT32_MAX, JP_SCHEMA_BIT(JP_LIMIT_CPU_RATE));
    assert_int_equal(config.pools[1].spec.limits.cpu_rate.hard_cap, 5000);
    assert_false(jp_pool_spec_terminates(&config.pools[1].spec));
    assert_true(jp_pool_spec_terminates(&config.pools[2].spec));
    jp_config_free(&config);
}

static void restart_is_needed_for_what_a_reload_does_not_apply(void **state) {
    (void)state;
    static const char base[] = "{\"log\":{\"keep\":5},\"pools\":{\"a\":{}}}";
    static const struct {
        const char *text;
        bool restart;
    } rows[] = {
        {base, false},
        {"{\"log\":{\"keep\":5}}", false},
        {"{\"log\":{\"keep\":5},\"$schema\":\"x\",\"pools\":{\"b\":{},\"a\":{\"ui\":[]}}}", false},
        {"{\"log\":{\"keep\":5},\"sampling\":{\"interval\":\"50ms\"},\"pools\":{\"a\":{}}}", false},
        {"{\"log\":{\"keep\":5},\"sampling\":{}}", false},
        {"{\"log\":{\"keep\":5},\"retention\":{\"events\":\"1d\",\"max_size\":\"1GiB\"},\"pools\":{\"a\":{}}}", false},
        {"{\"log\":{\"keep\":6},\"pools\":{\"a\":{}}}", true},
        {"{\"log\":{\"keep\":5},\"database\":{\"max_backlog\":1000}}", true},
        {"{\"log\":{\"keep\":5},\"pipe\":{\"name\":\"x\"}}", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jp_config running = parse_good(base), fresh = parse_good(rows[i].text);
        CHECK(jp_config_needs_restart(&running, &fresh) == rows[i].restart, "%s", rows[i].text);
        jp_config_free(&running);
        jp_config_free(&fresh);
    }
}

/* --- faults in the text --- */

static void text_that_is_no_config(void **state) {
    (void)state;
    assert_faults("", "c.json:1:1: the text ends where a JSON value should be\n");
    assert_faults("// only\n", "c.json:2:1: the text ends where a JSON value should be\n");
    assert_faults("[]", "c.json:1:1: expected an object {...}\n");
    assert_faults("\n 7", "c.json:2:2: expected an object {...}\n");
    assert_faults("null", "c.json:1:1: expected an object {...}\n");
    assert_faults("{\n  \"log\": {},\n}", "c.json:3:1: found '}' where a key in double quotes should be\n");
    assert_faults("{\n  \"log\": {}\n  \"pipe\": {}\n}", "c.json:3:3: found '\"' where ',' or '}' should be\n");
    assert_faults("{ /* pools\n}", "c.json:1:3: the comment that begins here has no end\n");
    assert_faults("{\"log\":{\"keep\":1,\n  \"keep\":2}}", "c.json:2:3: the key \"keep\" is there twice\n");
    assert_faults("{\"pools\":{\"a\":{},\n \"\\u0061\":{}}}", "c.json:2:2: the key \"a\" is there twice\n");
    assert_faults("{\"log\":{\"keep\":1,\n \"keep\":2},\n\"lgo\":{},\n\"pools\":{\"a\":{},\"a\":{}}}", /* one does not hide another */
                  "c.json:2:2: the key \"keep\" is there twice\n"
                  "c.json:3:1: lgo: unknown key; did you mean \"log\"?\n"
                  "c.json:4:17: the key \"a\" is there twice\n");
    assert_faults("{\"pipe\":{\"name\":\"\xFF\"}}", "c.json:1:18: the bytes here (0xFF ...) are not UTF-8\n");
    assert_faults("\xEF\xBB\xBF{]", "c.json:1:2: found ']' where a key in double quotes should be\n");
    assert_faults("{\"$schema\":[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]}", "c.json:1:27: nested deeper than 16\n");
    assert_faults_in("{}\0", 3, &host, "c.json:1:3: found byte 0x00 where the end of the text should be\n");
}

static void a_text_that_is_too_long(void **state) {
    (void)state;
    struct jp_str text = {0};
    jp_str_printf(&text, "{}%*s", JP_CONFIG_MAX_BYTES - 2, "");
    struct jp_config config = parse_good(jp_str_text(&text));
    jp_config_free(&config);
    jp_str_putc(&text, ' ');
    assert_faults(jp_str_text(&text), "c.json:1:1: 4194305 bytes are more than the 4194304 allowed\n");
    jp_str_free(&text);
}

/* --- faults in the settings --- */

static void faults_in_sections(void **state) {
    (void)state;
    assert_faults("{\"Pools\":{}}", "c.json:1:2: Pools: unknown key; did you mean \"pools\"?\n");
    assert_faults("{\"logging\":{}}", "c.json:1:2: logging: unknown key\n");
    assert_faults("{\"log\":7}", "c.json:1:8: log: expected an object {...}\n");
    assert_faults("{\"log\":{\"level\":\"verbose\"}}",
                  "c.json:1:17: log.level: expected one of \"error\", \"warning\", \"info\", \"debug\"\n");
    assert_faults("{\"log\":{\"level\":\"warn\"}}",
                  "c.json:1:17: log.level: expected one of \"error\", \"warning\", \"info\", \"debug\"\n");
    assert_faults("{\"log\":{\"keep\":101}}", "c.json:1:16: log.keep: expected a whole number from 0 to 100\n");
    assert_faults("{\"log\":{\"max_size\":\"1KiB\"}}", "c.json:1:20: log.max_size: too small, expected at least 4KiB\n");
    assert_faults("{\"log\":{\"file\":\"\"}}", "c.json:1:16: log.file: expected 1 to 32767 bytes of text, found 0\n");
    assert_faults("{\"log\":{\"file\":\"%TEMP%\\\\x\"}}",
                  "c.json:1:16: log.file: the environment variable TEMP is not set\n");
    assert_faults("{\"database\":{\"flush_interval\":\"61s\"}}",
                  "c.json:1:31: database.flush_interval: too large, expected at most 1m\n");
    assert_faults("{\"database\":{\"max_backlog\":999}}",
                  "c.json:1:28: database.max_backlog: expected a whole number from 1000 to 10000000\n");
    assert_faults("{\"quotas\":{\"connections\":0}}",
                  "c.json:1:26: quotas.connections: expected a whole number from 1 to 1000\n");
    assert_faults("{\"pipe\":{\"name\":\"a\\\\b\"}}", "c.json:1:17: pipe.name: may not hold a backslash\n");
    assert_faults("{\"pipe\":{\"security\":\"everyone\"}}", "c.json:1:21: pipe.security: \"everyone\" is not SDDL\n");
    assert_faults("{\"sampling\":{\"interval\":\"49ms\"}}",
                  "c.json:1:25: sampling.interval: too small, expected at least 50ms\n");
    assert_faults("{\"sampling\":{\"interval\":\"60001ms\"}}",
                  "c.json:1:25: sampling.interval: too large, expected at most 1m\n");
    assert_faults("{\"sampling\":{\"interval\":500}}",
                  "c.json:1:25: sampling.interval: expected a duration like \"90s\"\n");
    assert_faults("{\"sampling\":{\"intervall\":\"1s\"}}",
                  "c.json:1:14: sampling.intervall: unknown key; did you mean \"interval\"?\n");
    assert_faults("{\"sampling\":\"1s\"}", "c.json:1:13: sampling: expected an object {...}\n");
    assert_faults("{\"sampling\":{\"record\":\"999ms\"}}",
                  "c.json:1:23: sampling.record: too small, expected at least 1s, or 0s for not at all\n");
    assert_faults("{\"sampling\":{\"record\":\"61m\"}}", "c.json:1:23: sampling.record: too large, expected at most 1h\n");
    assert_faults("{\"retention\":{\"events\":0}}", "c.json:1:24: retention.events: expected a duration like \"90s\"\n");
    assert_faults("{\"retention\":{\"hours\":\"36501d\"}}", "c.json:1:23: retention.hours: too large, expected at most 36500d\n");
    assert_faults("{\"retention\":{\"max_size\":\"100TiB\"}}", "c.json:1:26: retention.max_size: too large, expected at most 64TiB\n");
    assert_faults("{\"retention\":{\"process\":\"1d\"}}", "c.json:1:15: retention.process: unknown key; did you mean \"processes\"?\n");
    assert_faults("{\"pools\":[]}", "c.json:1:10: pools: expected an object {\"name\": {...}, ...}\n");
    assert_faults("{\"pools\":null}", "c.json:1:10: pools: expected an object {\"name\": {...}, ...}\n");
    assert_faults("{\"pools\":{\"a\":[]}}", "c.json:1:15: pools.a: expected an object {...}\n");
}

static void assert_pool_faults(const char *pool, const char *expected) {
    char *text = jp_sprintf("{\"pools\":{\"p\":\n%s}}", pool);
    assert_faults(text, expected);
    jp_free(text);
}

static void faults_in_limits(void **state) {
    (void)state;
    static const struct {
        const char *limits, *fault; /* the limits begin at column 12 of line 2 */
    } rows[] = {
        {"{\"active_processes\":0}", "32: pools.p.limits.active_processes: expected a whole number from 1 to 4294967295"},
        {"{\"process_memory\":\"1KiB\"}", "30: pools.p.limits.process_memory: too small, expected at least 1MiB"},
        {"{\"job_memory\":\"lots\"}",
         "26: pools.p.limits.job_memory: \"lots\" is not a size; write for example \"512MiB\" or \"1.5GiB\""},
        {"{\"process_memory\":\"2GiB\",\"job_memory\":\"1GiB\"}",
         "30: pools.p.limits.process_memory: is above job_memory, so it could never be reached"},
        {"{\"process_time\":90}", "28: pools.p.limits.process_time: expected a duration like \"90s\""},
        {"{\"job_time\":\"0.5ms\"}", "24: pools.p.limits.job_time: too small, expected at least 1ms"},
        {"{\"job_time\":\"10675200d\"}",
         "24: pools.p.limits.job_time: too large, expected at most 10675199d2h48m5.4775807s"},
        {"{\"priority_class\":\"hihg\"}",
         "30: pools.p.limits.priority_class: expected one of \"idle\", \"below_normal\", \"normal\", \"above_normal\", "
         "\"high\", \"realtime\"; did you mean \"high\"?"},
        {"{\"affinity\":\"0-64\"}",
         "24: pools.p.limits.affinity: \"0-64\" is not a set of processors 0 to 63; write for example \"0-3,6\" or \"0xF\""},
        {"{\"working_set\":{\"min\":\"1MiB\"}}", "27: pools.p.limits.working_set.max: missing"},
        {"{\"working_set\":{\"min\":\"2MiB\",\"max\":\"2MiB\"}}", "27: pools.p.limits.working_set: min must be below max"},
        {"{\"scheduling_class\":10}", "32: pools.p.limits.scheduling_class: expected a whole number from 0 to 9"},
        {"{\"cpu_rate\":\"101%\"}",
         "24: pools.p.limits.cpu_rate: \"101%\" is not within 0% and 100% with at most two decimals"},
        {"{\"cpu_rate\":\"0%\"}", "24: pools.p.limits.cpu_rate: too small, expected more than 0%"},
        {"{\"cpu_rate\":{}}", "24: pools.p.limits.cpu_rate: give either hard_cap, or weight, or min and max"},
        {"{\"cpu_rate\":{\"hard_cap\":\"5%\",\"weight\":3}}",
         "24: pools.p.limits.cpu_rate: give either hard_cap, or weight, or min and max"},
        {"{\"cpu_rate\":{\"min\":\"5%\"}}", "24: pools.p.limits.cpu_rate: give either hard_cap, or weight, or min and max"},
        {"{\"cpu_rate\":{\"min\":\"50%\",\"max\":\"5%\"}}", "24: pools.p.limits.cpu_rate: min must not be above max"},
        {"{\"cpu_rate\":{\"weight\":10}}", "34: pools.p.limits.cpu_rate.weight: expected a whole number from 1 to 9"},
        {"{\"network_rate\":{}}", "28: pools.p.limits.network_rate: give max_bandwidth, or dscp, or both"},
        {"{\"network_rate\":{\"dscp\":64}}", "36: pools.p.limits.network_rate.dscp: expected a whole number from 0 to 63"},
        {"{\"breakaway\":true}", "25: pools.p.limits.breakaway: expected one of \"none\", \"allow\", \"silent\""},
        {"{\"die_on_unhandled_exception\":1}", "42: pools.p.limits.die_on_unhandled_exception: expected true or false"},
        {"{\"kill_on_close\":\"yes\"}", "29: pools.p.limits.kill_on_close: expected true or false"},
        {"{\"memory\":\"1GiB\"}", "13: pools.p.limits.memory: unknown key"},
        {"{\"jobmemory\":\"1GiB\"}", "13: pools.p.limits.jobmemory: unknown key; did you mean \"job_memory\"?"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *pool = jp_sprintf("{\"limits\": %s}", rows[i].limits), *expected = jp_sprintf("c.json:2:%s\n", rows[i].fault);
        assert_pool_faults(pool, expected);
        jp_free(pool);
        jp_free(expected);
    }
}

static void faults_in_a_pool(void **state) {
    (void)state;
    assert_pool_faults("{\"limit\":{}}", "c.json:2:2: pools.p.limit: unknown key; did you mean \"limits\"?\n");
    assert_pool_faults("{\"limits\":null}", "c.json:2:11: pools.p.limits: expected an object {...}\n");
    assert_pool_faults("{\"ui\":[\"clipboard\"]}",
                       "c.json:2:8: pools.p.ui: expected one of \"handles\", \"read_clipboard\", \"write_clipboard\", "
                       "\"system_parameters\", \"display_settings\", \"global_atoms\", \"desktop\", \"exit_windows\"\n");
    assert_pool_faults("{\"security\":[\"no_admins\"]}",
                       "c.json:2:14: pools.p.security: expected one of \"no_admin\", \"restricted_token\", "
                       "\"only_token\", \"filter_tokens\"; did you mean \"no_admin\"?\n");
    assert_pool_faults("{\"end_of_job_time\":\"kill\"}",
                       "c.json:2:20: pools.p.end_of_job_time: expected one of \"terminate\", \"post\"\n");
    assert_pool_faults("{\"on_service_stop\":1}",
                       "c.json:2:20: pools.p.on_service_stop: expected one of \"keep\", \"terminate\"\n");
    assert_pool_faults("{\"on_service_stop\":\"keep\",\"limits\":{\"kill_on_close\":true}}",
                       "c.json:2:20: pools.p.on_service_stop: \"keep\" and limits.kill_on_close exclude each other\n");
    assert_pool_faults(
        "{\"object_name\":\"a\\\\b\"}",
        "c.json:2:16: pools.p.object_name: only \"Global\\\" or \"Local\\\" may stand before a name without backslashes\n");
    assert_pool_faults(
        "{\"object_name\":\"Global\\\\\"}",
        "c.json:2:16: pools.p.object_name: only \"Global\\\" or \"Local\\\" may stand before a name without backslashes\n");
    assert_pool_faults("{\"parent\":\"a b\"}", "c.json:2:11: pools.p.parent: not the name of a pool\n");
    assert_pool_faults("{\"memory_policy\":{}}", "c.json:2:18: pools.p.memory_policy: give soft, or hard, or both\n");
    assert_pool_faults("{\"memory_policy\":{\"hold\":\"5s\"}}", "c.json:2:18: pools.p.memory_policy: give soft, or hard, or both\n");
    assert_pool_faults("{\"memory_policy\":{\"soft\":\"2MiB\",\"hard\":\"2MiB\"}}",
                       "c.json:2:26: pools.p.memory_policy.soft: must be below hard\n");
    assert_pool_faults("{\"memory_policy\":{\"soft\":\"2MiB\",\"action\":\"freeze\"}}",
                       "c.json:2:42: pools.p.memory_policy.action: is taken above hard, which is missing\n");
    assert_pool_faults("{\"match\":[{\"image\":\"a\"},{}]}",
                       "c.json:2:25: pools.p.match[1]: give at least one of image, path, user, command_line, parent\n");
    assert_pool_faults("{\"match\":[],\"exclude\":[{}]}",
                       "c.json:2:24: pools.p.exclude[0]: give at least one of image, path, user, command_line, parent\n");
    assert_pool_faults("{\"match\":[{\"img\":\"a\"},5]}", "c.json:2:12: pools.p.match[0].img: unknown key; did you mean \"image\"?\n"
                                                          "c.json:2:23: pools.p.match[1]: expected an object {...}\n");
    assert_pool_faults("{\"cpu_rate_fallback\":true}", "c.json:2:22: pools.p.cpu_rate_fallback: goes with hard_cap of limits.cpu_rate\n");
    assert_pool_faults("{\"cpu_rate_fallback\":true,\"limits\":{\"cpu_rate\":{\"weight\":5}}}",
                       "c.json:2:22: pools.p.cpu_rate_fallback: goes with hard_cap of limits.cpu_rate\n");
    assert_pool_faults("{\"description\":5}", "c.json:2:16: pools.p.description: expected a string\n");
}

static void names_of_pools(void **state) {
    (void)state;
    static const char *const good[] = {"a",       "A",  "0",
                                       "a.b_c-d", "9-", "a1234567890123456789012345678901234567890123456789012345678901b"};
    static const char *const bad[] = {"",
                                      ".a",
                                      "_a",
                                      "-a",
                                      "a b",
                                      "a/b",
                                      "a\\b",
                                      "a:b",
                                      "a*",
                                      "\xC3\xA9",
                                      "a\n",
                                      "a\"",
                                      "a1234567890123456789012345678901234567890123456789012345678901bcd"};
    for (size_t i = 0; i < COUNT(good); i++)
        CHECK(jp_pool_name_valid(good[i]), "%s", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK(!jp_pool_name_valid(bad[i]), "%s", bad[i]);
    assert_int_equal(strlen(bad[COUNT(bad) - 1]), JP_POOL_NAME_MAX + 1);
    assert_faults(
        "{\"pools\":{\n  \"a b\": {},\n  \"\": {}}}",
        "c.json:2:3: pools: \"a b\" is not a name for a pool; use 1 to 64 of A-Z a-z 0-9 . _ -, a letter or digit first\n"
        "c.json:3:3: pools: \"\" is not a name for a pool; use 1 to 64 of A-Z a-z 0-9 . _ -, a letter or digit first\n");
}

/* --- faults between pools --- */

static void parents_that_are_not_there(void **state) {
    (void)state;
    assert_faults("{\"pools\":{\"build\":{},\n \"test\":{\"parent\":\"biuld\"}}}",
                  "c.json:2:19: pools.test.parent: there is no pool \"biuld\"; did you mean \"build\"?\n");
    assert_faults("{\"pools\":{\"build\":{\"parent\":\"nowhere\"}}}",
                  "c.json:1:29: pools.build.parent: there is no pool \"nowhere\"\n");
    assert_faults(
        "{\"pools\":{\"build\":{},\"x\":{\"parent\":\"Build\"}}}",
        "c.json:1:36: pools.x.parent: there is no pool \"Build\"; did you mean \"build\"?\n"); /* names differ by case */
}

static void parents_that_go_round(void **state) {
    (void)state;
    assert_faults("{\"pools\":{\"a\":{\"parent\":\"a\"}}}",
                  "c.json:1:25: pools.a.parent: the pool is its own ancestor through \"a\"\n");
    assert_faults(
        "{\"pools\":{\n\"a\":{\"parent\":\"b\"},\n\"b\":{\"parent\":\"c\"},\n\"c\":{\"parent\":\"a\"},\n\"d\":{\"parent\":\"c\"},\n\"e\":{}}}",
        "c.json:2:15: pools.a.parent: the pool is its own ancestor through \"b\"\n"
        "c.json:3:15: pools.b.parent: the pool is its own ancestor through \"c\"\n"
        "c.json:4:15: pools.c.parent: the pool is its own ancestor through \"a\"\n"); /* d only leads there */
}

static void one_default_pool(void **state) {
    (void)state;
    assert_faults("{\"pools\":{\"a\":{\"default\":false},\n\"b\":{\"default\":true},\n\"c\":{},\n\"d\":{\"default\":true}}}",
                  "c.json:4:16: pools.d.default: pool \"b\" is the default already\n");
}

static void one_job_object_for_two_pools(void **state) {
    (void)state;
    assert_faults("{\"pools\":{\"a\":{\"object_name\":\"x\"},\n\"b\":{\"object_name\":\"x\"}}}",
                  "c.json:2:20: pools.b.object_name: \"x\" is the job object of pool \"a\" already\n");
    assert_faults("{\"pools\":{\"a\":{\"object_name\":\"Global\\\\JobPool.b\"},\n\"b\":{}}}",
                  "c.json:2:5: pools.b.object_name: \"Global\\JobPool.b\" is the job object of pool \"a\" already\n");
    struct jp_config config = parse_good("{\"pools\":{\"a\":{\"object_name\":\"x\"},\"b\":{\"object_name\":\"X\"}}}");
    jp_config_free(&config);
}

static void access_and_templates_are_read(void **state) {
    (void)state;
    struct jp_config config = parse_good("{\"access\": {\"view\": [\"Users\"], \"admin\": [\"S-1-5-32-544\"]},"
                                         " \"retention\": {\"audit\": \"7d\", \"samples\": \"2d\"}, \"sampling\": {\"record\": \"0s\"}, \"quotas\": {\"message\": \"64KiB\", \"idle\": \"1h\"},"
                                         " \"pools\": {\"p\": {\"access\": \"D:(A;;GA;;;SY)\"}},"
                                         " \"templates\": {\"t\": {\"pool\": \"p\", \"argv\": [\"a\", \"a\"], \"stdout\": \"%POOLS%\\\\o\", \"run_as\": \"network_service\"}}}");
    assert_string_equal(config.access.view.items[0], "Users");
    assert_int_equal(config.access.launch.count, 0);
    assert_string_equal(config.pools[0].spec.access.sddl, "D:(A;;GA;;;SY)");
    assert_int_equal(config.retention.audit_100ns, 7 * DAY_100NS);
    assert_int_equal(config.retention.samples_100ns, 2 * DAY_100NS);
    assert_int_equal(config.sampling.record_100ns, 0); /* off, not the default */
    assert_int_equal(config.quotas.message_bytes, 64 << 10);
    assert_int_equal(config.quotas.depth, 64);
    assert_int_equal(config.quotas.idle_100ns, UINT64_C(3600) * JP_100NS_PER_S);
    assert_int_equal(config.template_count, 1);
    assert_string_equal(config.templates[0].name, "t");
    assert_int_equal(config.templates[0].spec.argv.count, 2);
    assert_string_equal(config.templates[0].spec.files.output, "E:\\pools\\o");
    assert_int_equal(config.templates[0].spec.run_as, JP_TOKEN_NETWORK_SERVICE);
    jp_config_free(&config);
}

static void faults_in_access(void **state) {
    (void)state;
    assert_faults("{\"access\": {\"sddl\": \"D:\", \"view\": []}}", "c.json:1:12: access: give either sddl or lists, not both\n");
    assert_faults("{\"access\": {\"views\": []}}", "c.json:1:13: access.views: unknown key; did you mean \"view\"?\n");
    assert_faults("{\"access\": {\"view\": \"Users\"}}", "c.json:1:21: access.view: expected a list [...] of strings\n");
    assert_faults("{\"pools\": {\"p\": {\"access\": {\"launch\": [\"\", \"S-1-5\"]}}}}",
                  "c.json:1:28: pools.p.access.launch: an empty name is nobody's\n"
                  "c.json:1:28: pools.p.access.launch: \"S-1-5\" is no SID; write for example \"S-1-5-32-545\"\n");
}

static void faults_in_templates(void **state) {
    (void)state;
    assert_faults("{\"templates\": []}", "c.json:1:15: templates: expected an object {\"name\": {...}, ...}\n");
    assert_faults("{\"templates\": {\"a b\": {}}}",
                  "c.json:1:16: templates: \"a b\" is not a name for a template; use 1 to 64 of A-Z a-z 0-9 . _ -, a letter or digit first\n");
    assert_faults("{\"templates\": {\"t\": {\"argv\": [\"x\"]}}}", "c.json:1:21: templates.t.pool: missing\n");
    assert_faults("{\"templates\": {\"t\": {\"pool\": \"p\"}}}", "c.json:1:21: templates.t: give either argv or command\n");
    assert_faults("{\"templates\": {\"t\": {\"pool\": \"p\", \"command\": \"x\", \"argv\": [\"x\"]}}}",
                  "c.json:1:21: templates.t: give either argv or command\n");
    assert_faults("{\"templates\": {\"t\": {\"pool\": \"p!\", \"command\": \"x\"}}}", "c.json:1:30: templates.t.pool: \"p!\" is no name of a pool\n");
    assert_faults("{\"templates\": {\"t\": {\"pool\": \"p\", \"command\": \"x\", \"stderr\": \"e.txt\"}}}",
                  "c.json:1:21: templates.t.stderr: \"e.txt\" is not the full name of a file on a drive; write for example C:\\folder\\file.txt, or NUL\n");
    assert_faults("{\"templates\": {\"t\": {\"pool\": \"p\", \"command\": \"x\", \"run_as\": \"system\"}}}",
                  "c.json:1:61: templates.t.run_as: expected one of \"caller\", \"local_service\", \"network_service\"\n");
}

static void what_moved_is_unknown_where_it_was(void **state) {
    (void)state;
    assert_faults("{\"pipe\": {\"max_connections\": 5}}", "c.json:1:11: pipe.max_connections: unknown key\n");
}

static void several_faults_in_the_files_order(void **state) {
    (void)state;
    assert_faults(
        "{\n"
        "  \"pools\": {\n"
        "    \"a\": { \"parent\": \"nobody\", \"limits\": { \"job_memory\": \"x\", \"cpu_rate\": 5 } },\n"
        "    \"b!\": {},\n"
        "    \"c\": { \"colour\": 1 }\n"
        "  },\n"
        "  \"pipe\": { \"name\": \"\\\\\\\\.\\\\pipe\\\\x\" },\n"
        "  \"log\": { \"keep\": \"five\" },\n"
        "  \"extra\": 0\n"
        "}\n",
        "c.json:3:22: pools.a.parent: there is no pool \"nobody\"\n"
        "c.json:3:58: pools.a.limits.job_memory: \"x\" is not a size; write for example \"512MiB\" or \"1.5GiB\"\n"
        "c.json:3:75: pools.a.limits.cpu_rate: expected a percentage like \"50%\"\n"
        "c.json:4:5: pools: \"b!\" is not a name for a pool; use 1 to 64 of A-Z a-z 0-9 . _ -, a letter or digit first\n"
        "c.json:5:12: pools.c.colour: unknown key\n"
        "c.json:7:21: pipe.name: may not hold a backslash\n"
        "c.json:8:20: log.keep: expected a whole number from 0 to 100\n"
        "c.json:9:3: extra: unknown key\n");
}

static char *many_pools(unsigned count, bool chained) {
    struct jp_str text = {0};
    jp_str_puts(&text, "{\"pools\":{");
    for (unsigned i = 0; i < count; i++)
        if (chained && i)
            jp_str_printf(&text, ",\"p%u\":{\"parent\":\"p%u\"}", i, i - 1);
        else
            jp_str_printf(&text, "%s\"p%u\":{}", i ? "," : "", i);
    jp_str_puts(&text, "}}");
    return jp_str_take(&text);
}

static void the_number_of_pools_is_bounded(void **state) {
    (void)state;
    char *text = many_pools(JP_CONFIG_MAX_POOLS, false);
    struct jp_config config = parse_good(text);
    assert_int_equal(config.pool_count, JP_CONFIG_MAX_POOLS);
    jp_config_free(&config);
    jp_free(text);
    text = many_pools(JP_CONFIG_MAX_POOLS + 1, false);
    assert_faults(text, "c.json:1:10: pools: 10001 are more than the 10000 allowed\n");
    jp_free(text);
    text = many_pools(1000, true);
    config = parse_good(text);
    jp_config_free(&config);
    jp_free(text);
}

int main(void) {
    const struct CMUnitTest meaning[] = {cmocka_unit_test(an_empty_object_has_all_defaults),
                                         cmocka_unit_test(defaults_without_an_environment),
                                         cmocka_unit_test(the_log_lies_beside_the_database), cmocka_unit_test(a_whole_file),
                                         cmocka_unit_test(restart_is_needed_for_what_a_reload_does_not_apply)};
    const struct CMUnitTest text[] = {cmocka_unit_test(text_that_is_no_config), cmocka_unit_test(a_text_that_is_too_long)};
    const struct CMUnitTest settings[] = {cmocka_unit_test(faults_in_sections), cmocka_unit_test(faults_in_limits),
                                          cmocka_unit_test(faults_in_a_pool), cmocka_unit_test(names_of_pools)};
    const struct CMUnitTest between[] = {
        cmocka_unit_test(parents_that_are_not_there), cmocka_unit_test(parents_that_go_round),
        cmocka_unit_test(one_default_pool), cmocka_unit_test(one_job_object_for_two_pools), cmocka_unit_test(several_faults_in_the_files_order),
        cmocka_unit_test(the_number_of_pools_is_bounded), cmocka_unit_test(access_and_templates_are_read),
        cmocka_unit_test(faults_in_access), cmocka_unit_test(faults_in_templates), cmocka_unit_test(what_moved_is_unknown_where_it_was)};
    int failed = cmocka_run_group_tests(meaning, NULL, NULL);
    failed += cmocka_run_group_tests(text, NULL, NULL);
    failed += cmocka_run_group_tests(settings, NULL, NULL);
    failed += cmocka_run_group_tests(between, NULL, NULL);
    return failed;
}
