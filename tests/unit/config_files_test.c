/* The files in config/ against the service: the patterns of the schema for editors (docs/config.py makes it of the tables) take what the
 * parsers take, every key is documented, and the configurations have no faults. JOBPOOL_ROOT is the source folder. */
#include "config/config.h"

#include "base/units.h"

#include "unit.h"

#include <dirent.h>
#include <regex.h>
#include <stdio.h>

static char *read_file(const char *name) {
    const char *root = getenv("JOBPOOL_ROOT");
    char *path = jp_sprintf("%s/config/%s", root ? root : ".", name), block[4096];
    struct jp_str text = {0};
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    for (size_t length; (length = fread(block, 1, sizeof block, file)) > 0;)
        jp_str_add(&text, block, length);
    fclose(file);
    jp_free(path);
    return jp_str_take(&text);
}

static cJSON *read_schema(void) {
    static const struct jp_json_rules rules = {.max_bytes = 1 << 20, .max_depth = 32};
    char *text = read_file("jobpool.schema.json");
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    if (jp_json_parse(text, strlen(text), &rules, &json, &place, &error))
        fail_msg("jobpool.schema.json:%u:%u: %s", place.line, place.column, error.text);
    jp_free(text);
    cJSON *root = jp_json_take_root(&json);
    jp_json_free(&json);
    return root;
}

/* --- the tables that config.md and the schema are made of --- */

static void assert_documented(const struct jp_field *fields) {
    for (; fields->key; fields++) {
        size_t length = fields->documentation ? strlen(fields->documentation) : 0;
        CHECK(length && fields->documentation[length - 1] == '.', "%s has no sentence that documents it", fields->key);
        if (fields->type == JP_FIELD_OBJECT || fields->type == JP_FIELD_LIST)
            assert_documented(fields->fields);
    }
}

static void every_key_is_documented(void **state) {
    (void)state;
    assert_documented(jp_config_fields);
    assert_documented(jp_pool_fields);
    assert_documented(jp_template_fields);
}

/* --- the patterns --- */

static bool size_good(const char *text) {
    uint64_t value;
    struct jp_error error;
    return jp_bytes_parse(text, &value, &error) == JP_OK;
}

static bool duration_good(const char *text) {
    uint64_t value;
    struct jp_error error;
    return jp_duration_parse(text, &value, &error) == JP_OK;
}

static bool share_good(const char *text) {
    uint32_t value;
    struct jp_error error;
    return jp_percent_parse(text, &value, &error) == JP_OK;
}

static bool processors_good(const char *text) {
    uint64_t value;
    struct jp_error error;
    return jp_affinity_parse(text, &value, &error) == JP_OK;
}

/* Every pattern of the schema is a POSIX expression too. What only the service can tell (1h1h, 2^64 bytes) is not here. */
static void the_patterns_agree_with_the_parsers(void **state) {
    (void)state;
    static const struct {
        const char *name;
        bool (*good)(const char *text);
        const char *texts[24];
    } rows[] = {
        {"size", size_good, {"",       "0",    "4096", "512MiB", "1.5GiB", "1.5 GiB", "10MB",
                             "1kB",    "1KB",  "7B",   "2TiB",   "1TB",    "1mib",    "5 apples",
                             "1 ",     " 1",   "-1",   "+1",     ".5KiB",  "1.KiB",   "1.0000000001KiB",
                             "1,5KiB", "1MiBs"}},
        {"duration",
         duration_good,
         {"",   "0",  "0s",   "90s", "1h30m", "5min", "250ms", "10us", "1.5s", "7d",  "1d2h3m4s5ms6us",
          "90", "00", "90 s", "s",   "1w",    "-5s",  "1h30",  "1.h",  ".5h",  "90S", "1.0000000001s"}},
        {"share",
         share_good,
         {"", "0%", "50%", "12.5%", "33.33%", "100%", "100.00%", "99.99%", "100.01%", "101%", "50", "50 %", "%", "-1%",
          "12.345%", "1.%", ".5%", "12.500%", "999%"}},
        {"processors",
         processors_good,
         {"",
          "0",
          "63",
          "0-3",
          "0-3,6",
          "6,0-3",
          "0xF",
          "0XfF",
          "0x",
          "0xG",
          "0-",
          "-3",
          ",0",
          "0,",
          "0,,1",
          "0 ,1",
          "100",
          "a",
          "0-3-6",
          "0x10000000000000000",
          "0xFFFFFFFFFFFFFFFF"}},
        {"name",
         jp_pool_name_valid,
         {"", "a", "9", "a.b_c-d", ".a", "_a", "-a", "a b", "a/b", "a\\b", "\xC3\xA9",
          "a1234567890123456789012345678901234567890123456789012345678901bc",
          "a1234567890123456789012345678901234567890123456789012345678901bcd"}},
    };
    cJSON *schema = read_schema(), *definitions = cJSON_GetObjectItem(schema, "$defs");
    for (size_t i = 0; i < COUNT(rows); i++) {
        regex_t pattern;
        const cJSON *definition = cJSON_GetObjectItem(definitions, rows[i].name);
        const char *source = cJSON_GetStringValue(cJSON_GetObjectItem(definition, "pattern"));
        CHECK(source && regcomp(&pattern, source, REG_EXTENDED | REG_NOSUB) == 0, "%s", rows[i].name);
        for (size_t j = 0; rows[i].texts[j]; j++) {
            bool matches = regexec(&pattern, rows[i].texts[j], 0, NULL, 0) == 0;
            CHECK(matches == rows[i].good(rows[i].texts[j]), "%s: \"%s\"", rows[i].name, rows[i].texts[j]);
        }
        regfree(&pattern);
    }
    cJSON_Delete(schema);
}

/* --- the configurations --- */

static const char *environment(const char *name) { return strcmp(name, "ProgramData") == 0 ? "C:\\ProgramData" : NULL; }

static struct jp_config parse_good(const char *name, const char *text) {
    static const struct jp_config_host host = {.environment = environment};
    struct jp_config config;
    struct jp_config_faults faults;
    if (jp_config_parse(text, strlen(text), &host, &config, &faults))
        fail_msg("%s", jp_config_faults_format(&faults, name));
    return config;
}

static void every_configuration_is_good(void **state) {
    (void)state;
    const char *root = getenv("JOBPOOL_ROOT");
    char *path = jp_sprintf("%s/config", root ? root : ".");
    DIR *folder = opendir(path);
    assert_non_null(folder);
    int files = 0;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length < 5 || strcmp(entry->d_name + length - 5, ".json") != 0 ||
            strcmp(entry->d_name, "jobpool.schema.json") == 0)
            continue;
        char *text = read_file(entry->d_name);
        struct jp_config config = parse_good(entry->d_name, text);
        jp_config_free(&config);
        jp_free(text);
        files++;
    }
    closedir(folder);
    jp_free(path);
    assert_true(files > 0);
}

static void what_the_default_file_writes_is_the_default(void **state) {
    (void)state;
    char *text = read_file("jobpool.json");
    struct jp_config file = parse_good("jobpool.json", text), standard = parse_good("{}", "{}");
    assert_string_equal(file.log.file, standard.log.file);
    assert_int_equal(file.log.level, standard.log.level);
    assert_int_equal(file.log.max_size_bytes, standard.log.max_size_bytes);
    assert_int_equal(file.log.keep, standard.log.keep);
    assert_string_equal(file.database.file, standard.database.file);
    assert_int_equal(file.database.flush_interval_100ns, standard.database.flush_interval_100ns);
    assert_int_equal(file.database.max_backlog, standard.database.max_backlog);
    assert_string_equal(file.pipe.name, standard.pipe.name);
    assert_true(jp_schema_equal(jp_quota_fields, &file.quotas, &standard.quotas));
    assert_int_equal(file.access.present, 0);
    assert_int_equal(file.retention.audit_100ns, standard.retention.audit_100ns);
    assert_null(file.pipe.security);
    assert_int_equal(file.sampling.interval_100ns, standard.sampling.interval_100ns);
    assert_int_equal(file.sampling.record_100ns, standard.sampling.record_100ns);
    assert_int_equal(file.retention.samples_100ns, standard.retention.samples_100ns);
    assert_int_equal(file.retention.processes_100ns, standard.retention.processes_100ns);
    assert_int_equal(file.retention.events_100ns, standard.retention.events_100ns);
    assert_int_equal(file.retention.hours_100ns, standard.retention.hours_100ns);
    assert_int_equal(file.retention.max_size_bytes, standard.retention.max_size_bytes);
    jp_config_free(&file);
    jp_config_free(&standard);
    jp_free(text);
}

/* A line that begins with //" is a setting: the slashes become blanks. */
static void take_slashes_away(char *text) {
    for (char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        char *begin = line + strspn(line, " ");
        if (strncmp(begin, "//\"", 3) == 0)
            memset(begin, ' ', 2);
    }
}

static void the_default_file_is_good_with_all_its_settings(void **state) {
    (void)state;
    char *text = read_file("jobpool.json");
    take_slashes_away(text);
    struct jp_config config = parse_good("jobpool.json without //", text);
    uint64_t keys = 0, limits = 0; /* no pool has them all: some exclude each other */
    for (size_t i = 0; i < config.pool_count; i++) {
        limits |= config.pools[i].spec.limits.present;
        keys |= config.pools[i].spec.present;
    }
    assert_int_equal(limits, JP_SCHEMA_BIT(JP_LIMIT_COUNT) - 1);
    assert_int_equal(keys, JP_SCHEMA_BIT(JP_POOL_KEY_COUNT) - 1);
    assert_non_null(config.pipe.security);
    assert_int_equal(config.access.present, JP_SCHEMA_BIT(JP_ACCESS_SDDL) - 1);
    assert_int_equal(config.template_count, 2);
    jp_config_free(&config);
    jp_free(text);
}

static void assert_shown(const char *text, const struct jp_field *fields) {
    for (; fields->key; fields++) {
        char *key = jp_sprintf("\"%s\":", fields->key);
        CHECK(strstr(text, key), "jobpool.json does not show %s", key);
        jp_free(key);
        for (const struct jp_choice *choice = fields->choices; choice && choice->name; choice++)
            CHECK(strstr(text, choice->name), "jobpool.json does not show %s", choice->name);
        if (fields->type == JP_FIELD_OBJECT || fields->type == JP_FIELD_LIST)
            assert_shown(text, fields->fields);
    }
}

static void the_default_file_shows_every_key_and_choice(void **state) {
    (void)state;
    char *text = read_file("jobpool.json");
    assert_shown(text, jp_config_fields);
    assert_shown(text, jp_pool_fields);
    jp_free(text);
}

int main(void) {
    const struct CMUnitTest schema[] = {cmocka_unit_test(every_key_is_documented),
                                        cmocka_unit_test(the_patterns_agree_with_the_parsers)};
    const struct CMUnitTest files[] = {cmocka_unit_test(every_configuration_is_good),
                                       cmocka_unit_test(what_the_default_file_writes_is_the_default),
                                       cmocka_unit_test(the_default_file_is_good_with_all_its_settings),
                                       cmocka_unit_test(the_default_file_shows_every_key_and_choice)};
    int failed = cmocka_run_group_tests(schema, NULL, NULL);
    failed += cmocka_run_group_tests(files, NULL, NULL);
    return failed;
}
