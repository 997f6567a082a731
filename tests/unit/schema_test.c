/* Tables of keys: every field type, every fault with its words, laying one struct over another, and the way back to JSON. */
#include "base/schema.h"
#include "base/units.h"

#include "unit.h"

#include <stdio.h>

/* --- a struct with a field of every type --- */

struct range {
    uint64_t present;
    uint32_t low, high;
};
struct group {
    uint64_t present;
    uint32_t number;
    struct range range;
};
struct everything {
    uint64_t present;
    bool flag;
    uint32_t u32;
    uint64_t u64, bytes, duration;
    uint32_t percent;
    uint64_t affinity;
    char *string, *path;
    uint32_t choice, flags;
    struct range range;
    struct group group;
    struct jp_strings strings, env;
    struct jp_list list; /* struct element */
    cJSON *json;
};
struct element {
    uint64_t present;
    char *name;
    struct range range;
};

static const struct jp_choice colours[] = {{"red", 1}, {"green", 2}, {"blue", 4}, {NULL, 0}};
static const struct jp_field range_fields[] = {
    {.key = "low", .type = JP_FIELD_U32, .offset = offsetof(struct range, low)},
    {.key = "high", .type = JP_FIELD_U32, .offset = offsetof(struct range, high), .required = true},
    {0}};
static const struct jp_field group_fields[] = {
    {.key = "number", .type = JP_FIELD_U32, .offset = offsetof(struct group, number), .nullable = true},
    {.key = "range",
     .type = JP_FIELD_OBJECT,
     .offset = offsetof(struct group, range),
     .fields = range_fields,
     .nullable = true},
    {0}};
static const struct jp_field element_fields[] = {
    {.key = "name", .type = JP_FIELD_STRING, .offset = offsetof(struct element, name), .min = 1},
    {.key = "range", .type = JP_FIELD_OBJECT, .offset = offsetof(struct element, range), .fields = range_fields},
    {0}};

enum { FLAG, U32, U64, BYTES, DURATION, PERCENT, AFFINITY, STRING, PATH, CHOICE, FLAGS, RANGE, GROUP, STRINGS, ENV, LIST, JSON };
#define AT(member) .offset = offsetof(struct everything, member), .nullable = true
static const struct jp_field fields[] = {
    [FLAG] = {.key = "flag", .type = JP_FIELD_BOOL, AT(flag)},
    [U32] = {.key = "u32", .type = JP_FIELD_U32, AT(u32), .min = 2, .max = 10},
    [U64] = {.key = "u64", .type = JP_FIELD_U64, AT(u64)},
    [BYTES] = {.key = "bytes", .type = JP_FIELD_BYTES, AT(bytes), .min = 1024, .max = 1 << 20},
    [DURATION] = {.key = "duration",
                  .type = JP_FIELD_DURATION,
                  AT(duration),
                  .min = JP_100NS_PER_S,
                  .max = INT64_C(3600) * JP_100NS_PER_S},
    [PERCENT] = {.key = "percent", .type = JP_FIELD_PERCENT, AT(percent), .min = 1},
    [AFFINITY] = {.key = "affinity", .type = JP_FIELD_AFFINITY, AT(affinity)},
    [STRING] = {.key = "string", .type = JP_FIELD_STRING, AT(string), .min = 1, .max = 8},
    [PATH] = {.key = "path", .type = JP_FIELD_PATH, AT(path), .min = 1},
    [CHOICE] = {.key = "choice", .type = JP_FIELD_CHOICE, AT(choice), .choices = colours},
    [FLAGS] = {.key = "flags", .type = JP_FIELD_FLAGS, AT(flags), .choices = colours},
    [RANGE] = {.key = "range", .type = JP_FIELD_OBJECT, AT(range), .fields = range_fields, .shorthand = "high"},
    [GROUP] = {.key = "group", .type = JP_FIELD_OBJECT, AT(group), .fields = group_fields},
    [STRINGS] = {.key = "strings", .type = JP_FIELD_STRINGS, AT(strings), .max = 3},
    [ENV] = {.key = "env", .type = JP_FIELD_ENV, AT(env), .max = 3},
    [LIST] = {.key = "list", .type = JP_FIELD_LIST, AT(list), .fields = element_fields, .size = sizeof(struct element), .max = 3},
    [JSON] = {.key = "json", .type = JP_FIELD_JSON, AT(json)},
    {0}};

static const char *environment(const char *name) {
    return strcmp(name, "ProgramData") == 0 ? "C:\\ProgramData" : strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static struct jp_json parse(const char *text) {
    static const struct jp_json_rules rules = {.max_bytes = 1 << 20, .max_depth = 16};
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    if (jp_json_parse(text, strlen(text), &rules, &json, &place, &error))
        fail_msg("%s: %s", text, error.text);
    return json;
}

/* Reads into `target`; returns the faults, each with its column, joined by "; " (jp_free). */
static char *read_with(const char *(*lookup)(const char *), const struct jp_field *table, const char *text, void *target) {
    struct jp_json json = parse(text);
    struct jp_faults faults = {0};
    struct jp_schema_context context = {.environment = lookup, .faults = &faults};
    struct jp_str out = {0};
    bool good = jp_schema_read(&context, table, json.root, "", target);
    CHECK(good == (faults.count == 0), "%s", text);
    for (size_t i = 0; i < faults.count; i++)
        jp_str_printf(&out, "%s%u: %s", i ? "; " : "",
                      jp_json_place_of(&json, faults.items[i].item, faults.items[i].at_key).column, faults.items[i].text);
    jp_faults_free(&faults);
    jp_json_free(&json);
    return jp_str_take(&out);
}

static void read_good(const struct jp_field *table, const char *text, void *target) {
    char *faults = read_with(environment, table, text, target);
    CHECK(!*faults, "%s: %s", text, faults);
    jp_free(faults);
}

static char *write(const struct jp_field *table, const void *source) {
    struct jp_str out = {0};
    cJSON *json = jp_schema_write(table, source);
    jp_json_print(json, &out);
    cJSON_Delete(json);
    return jp_str_take(&out);
}

static void assert_written(const struct jp_field *table, const void *source, const char *expected) {
    char *text = write(table, source);
    assert_string_equal(text, expected);
    jp_free(text);
}

/* --- reading --- */

static const char full[] =
    "{\"flag\":true,\"u32\":10,\"u64\":\"18446744073709551615\",\"bytes\":\"64KiB\",\"duration\":\"1m30s\",\"percent\":\"12.5%\","
    "\"affinity\":\"0-3,6\",\"string\":\"text\",\"path\":\"C:\\\\x\",\"choice\":\"green\",\"flags\":[\"red\",\"blue\"],"
    "\"range\":{\"low\":1,\"high\":2},\"group\":{\"number\":7,\"range\":{\"high\":3}},\"strings\":[\"a\",\"\"],"
    "\"env\":{\"A\":\"1\",\"B\":null,\"C\":\"x=y\"},"
    "\"list\":[{\"name\":\"a\"},{},{\"name\":\"b\",\"range\":{\"high\":9}}],\"json\":{\"any\":[1,null]}}";

static void every_type_is_read(void **state) {
    (void)state;
    struct everything all = {0};
    read_good(fields, full, &all);
    assert_int_equal(all.present, (1u << (JSON + 1)) - 1);
    assert_true(all.flag);
    assert_int_equal(all.u32, 10);
    assert_int_equal(all.u64, UINT64_MAX);
    assert_int_equal(all.bytes, 65536);
    assert_int_equal(all.duration, 90 * JP_100NS_PER_S);
    assert_int_equal(all.percent, 1250);
    assert_int_equal(all.affinity, 0x4F);
    assert_string_equal(all.string, "text");
    assert_string_equal(all.path, "C:\\x");
    assert_int_equal(all.choice, 2);
    assert_int_equal(all.flags, 5);
    assert_int_equal(all.range.present, 3);
    assert_int_equal(all.range.high, 2);
    assert_int_equal(all.group.range.present, 2);
    assert_int_equal(all.group.range.high, 3);
    assert_int_equal(all.strings.count, 2);
    assert_string_equal(all.strings.items[1], "");
    assert_int_equal(all.env.count, 3);
    assert_string_equal(all.env.items[0], "A=1");
    assert_string_equal(all.env.items[1], "B");
    assert_string_equal(all.env.items[2], "C=x=y");
    const struct element *elements = all.list.items;
    assert_int_equal(all.list.count, 3);
    assert_string_equal(elements[0].name, "a");
    assert_int_equal(elements[1].present, 0);
    assert_int_equal(elements[2].range.high, 9);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(all.json, "any")), 2);
    assert_written(fields, &all, full);
    jp_schema_clear(fields, &all);
    struct everything nothing = {0};
    assert_memory_equal(&all, &nothing, sizeof all);
    assert_written(fields, &all, "{}");
}

static void other_notations_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text, *written; /* NULL: as it was */
    } rows[] = {
        {"{}", NULL},
        {"{\"flag\":false}", NULL},
        {"{\"u32\":\"7\"}", "{\"u32\":7}"},
        {"{\"u64\":0}", NULL},
        {"{\"u64\":\"5\"}", "{\"u64\":5}"},
        {"{\"bytes\":1024}", "{\"bytes\":\"1KiB\"}"},
        {"{\"bytes\":\"1MiB\"}", NULL},
        {"{\"duration\":\"60m\"}", "{\"duration\":\"1h\"}"},
        {"{\"percent\":\"0.01%\"}", NULL},
        {"{\"affinity\":\"0xF\"}", "{\"affinity\":\"0-3\"}"},
        {"{\"flags\":[]}", NULL},
        {"{\"flags\":[\"blue\",\"red\",\"blue\"]}", "{\"flags\":[\"red\",\"blue\"]}"},
        {"{\"range\":5}", "{\"range\":{\"high\":5}}"}, /* shorthand */
        {"{\"group\":{}}", NULL},
        {"{\"strings\":[]}", NULL},
        {"{\"env\":{}}", NULL},
        {"{\"list\":[]}", NULL},
        {"{\"list\":[{}]}", NULL},
        {"{\"json\":\"x\"}", NULL},
        {"{\"path\":\"%ProgramData%\\\\JobPool\"}", "{\"path\":\"C:\\\\ProgramData\\\\JobPool\"}"},
        {"{\"path\":\"%EMPTY%x%%y\"}", "{\"path\":\"x%y\"}"},
        {"{\"path\":\"100%%\"}", "{\"path\":\"100%\"}"},
        {"{\"string\":\"%x\"}", NULL}, /* only paths are expanded */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct everything all = {0};
        read_good(fields, rows[i].text, &all);
        assert_written(fields, &all, rows[i].written ? rows[i].written : rows[i].text);
        jp_schema_clear(fields, &all);
    }
}

static void null_is_not_given_on_purpose(void **state) {
    (void)state;
    struct everything all = {0};
    read_good(fields, "{\"u32\":null,\"string\":null,\"range\":null,\"flag\":true,\"group\":{\"number\":null}}", &all);
    assert_int_equal(all.present, JP_SCHEMA_BIT(FLAG) | JP_SCHEMA_BIT(GROUP) | JP_SCHEMA_NULL_BIT(U32) |
                                      JP_SCHEMA_NULL_BIT(STRING) | JP_SCHEMA_NULL_BIT(RANGE));
    assert_int_equal(all.group.present, JP_SCHEMA_NULL_BIT(0));
    assert_written(fields, &all, "{\"flag\":true,\"group\":{}}");
    jp_schema_clear(fields, &all);
}

/* --- faults --- */

static void assert_faults(const char *(*lookup)(const char *), const struct jp_field *table, const char *text,
                          const char *expected) {
    struct everything all = {0};
    char *faults = read_with(lookup, table, text, &all);
    assert_string_equal(faults, expected);
    jp_free(faults);
    jp_schema_clear(table, &all);
}

static void every_fault_has_its_words(void **state) {
    (void)state;
    static const struct {
        const char *text, *faults;
    } rows[] = {
        {"[]", "1: expected an object {...}"},
        {"{\"flagg\":1}", "2: flagg: unknown key; did you mean \"flag\"?"},
        {"{\"Flag\":1}", "2: Flag: unknown key; did you mean \"flag\"?"},
        {"{\"quite another\":1}", "2: quite another: unknown key"},
        {"{\"group\":{\"numbre\":1}}", "11: group.numbre: unknown key; did you mean \"number\"?"},
        {"{\"flag\":1}", "9: flag: expected true or false"},
        {"{\"flag\":\"true\"}", "9: flag: expected true or false"},
        {"{\"u32\":1}", "8: u32: expected a whole number from 2 to 10"},
        {"{\"u32\":11}", "8: u32: expected a whole number from 2 to 10"},
        {"{\"u32\":2.5}", "8: u32: expected a whole number from 2 to 10"},
        {"{\"u32\":-3}", "8: u32: expected a whole number from 2 to 10"},
        {"{\"u32\":\"x\"}", "8: u32: expected a whole number from 2 to 10"},
        {"{\"u32\":[2]}", "8: u32: expected a whole number from 2 to 10"},
        {"{\"u64\":9007199254740993}", "8: u64: expected a whole number from 0 to 18446744073709551615"},
        {"{\"bytes\":true}", "10: bytes: expected a size like \"512MiB\""},
        {"{\"bytes\":\"5 apples\"}", "10: bytes: \"5 apples\" is not a size; write for example \"512MiB\" or \"1.5GiB\""},
        {"{\"bytes\":1.5}", "10: bytes: not a whole number of bytes"},
        {"{\"bytes\":-1}", "10: bytes: not a whole number of bytes"},
        {"{\"bytes\":1023}", "10: bytes: too small, expected at least 1KiB"},
        {"{\"bytes\":\"2MiB\"}", "10: bytes: too large, expected at most 1MiB"},
        {"{\"duration\":90}", "13: duration: expected a duration like \"90s\""},
        {"{\"duration\":\"90\"}",
         "13: duration: \"90\" is not a duration; write for example \"90s\", \"1h30m\" or \"250ms\""},
        {"{\"duration\":\"999ms\"}", "13: duration: too small, expected at least 1s"},
        {"{\"duration\":\"61m\"}", "13: duration: too large, expected at most 1h"},
        {"{\"percent\":50}", "12: percent: expected a percentage like \"50%\""},
        {"{\"percent\":\"50\"}", "12: percent: \"50\" is not a percentage; write for example \"50%\" or \"12.5%\""},
        {"{\"percent\":\"0%\"}", "12: percent: too small, expected more than 0%"},
        {"{\"affinity\":15}", "13: affinity: expected processors like \"0-3,6\" or \"0xF\""},
        {"{\"affinity\":\"64\"}",
         "13: affinity: \"64\" is not a set of processors 0 to 63; write for example \"0-3,6\" or \"0xF\""},
        {"{\"string\":1}", "11: string: expected a string"},
        {"{\"string\":\"\"}", "11: string: expected 1 to 8 bytes of text, found 0"},
        {"{\"string\":\"123456789\"}", "11: string: expected 1 to 8 bytes of text, found 9"},
        {"{\"string\":\"a\\nb\"}", "11: string: expected a string without control characters"},
        {"{\"path\":\"%NOWHERE%\\\\x\"}", "9: path: the environment variable NOWHERE is not set"},
        {"{\"path\":\"50%\"}", "9: path: expected a second % after the first (\"%%\" for one % itself)"},
        {"{\"choice\":1}", "11: choice: expected one of \"red\", \"green\", \"blue\""},
        {"{\"choice\":\"gren\"}", "11: choice: expected one of \"red\", \"green\", \"blue\"; did you mean \"green\"?"},
        {"{\"choice\":\"RED\"}", "11: choice: expected one of \"red\", \"green\", \"blue\"; did you mean \"red\"?"},
        {"{\"flags\":\"red\"}", "10: flags: expected a list [...] of names"},
        {"{\"flags\":[\"red\",\"yellowish\",\"bleu\"]}",
         "17: flags: expected one of \"red\", \"green\", \"blue\"; "
         "29: flags: expected one of \"red\", \"green\", \"blue\"; did you mean \"blue\"?"},
        {"{\"range\":{\"low\":1}}", "10: range.high: missing"},
        {"{\"range\":\"x\"}", "10: range: expected a whole number from 0 to 4294967295"},
        {"{\"group\":1}", "10: group: expected an object {...}"},
        {"{\"group\":{\"range\":1}}", "19: group.range: expected an object {...}"},
        {"{\"list\":{}}", "9: list: expected a list [...] of objects"},
        {"{\"list\":[{},{},{},{}]}", "9: list: more than 3 elements"},
        {"{\"list\":[{},5]}", "13: list[1]: expected an object {...}"},
        {"{\"list\":[{\"name\":\"\"},{\"range\":{\"low\":1}},{\"nam\":1}]}",
         "18: list[0].name: expected 1 to 32767 bytes of text, found 0; 31: list[1].range.high: missing; "
         "43: list[2].nam: unknown key; did you mean \"name\"?"},
        {"{\"strings\":\"a\"}", "12: strings: expected a list [...] of strings"},
        {"{\"strings\":[\"a\",1]}", "17: strings: expected a string"},
        {"{\"strings\":[\"a\",\"b\",\"c\",\"d\"]}", "12: strings: more than 3 elements"},
        {"{\"env\":[]}", "8: env: expected an object {\"NAME\": \"value\", ...}"},
        {"{\"env\":{\"A\":1}}", "13: env: expected a string, or null to remove the variable"},
        {"{\"env\":{\"\":\"x\"}}", "12: env: expected names of variables that are not empty and hold no \"=\""},
        {"{\"env\":{\"A=B\":\"x\"}}", "15: env: expected names of variables that are not empty and hold no \"=\""},
        {"{\"env\":{\"A\":\"\",\"B\":\"\",\"C\":\"\",\"D\":\"\"}}", "8: env: more than 3 variables"},
        {"{\"a\\u001b[2Jb\":1}", "2: a?[2Jb: unknown key"}, /* nothing that drives a terminal */
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_faults(environment, fields, rows[i].text, rows[i].faults);
}

static void reading_ends_when_there_are_enough_faults(void **state) {
    struct jp_faults faults = {0};
    struct jp_schema_context context = {.faults = &faults};
    struct everything all = {0};
    cJSON *object = cJSON_CreateObject();
    (void)state;
    for (int i = 0; i < 2 * JP_FAULTS_MAX; i++)
        cJSON_AddNullToObject(object, "unknown");
    cJSON_AddNumberToObject(object, "u32", 5);
    assert_false(jp_schema_read(&context, fields, object, "", &all));
    assert_int_equal(faults.count, JP_FAULTS_MAX);
    assert_true(all.present == 0 && all.u32 == 0);
    jp_faults_free(&faults);
    cJSON_Delete(object);
}

static void faults_of_other_tables(void **state) {
    (void)state;
    static const struct jp_field none[] = {{0}};
    static const struct jp_field required[] = {
        {.key = "one", .type = JP_FIELD_U32, .offset = offsetof(struct everything, u32), .required = true},
        {.key = "two", .type = JP_FIELD_STRING, .offset = offsetof(struct everything, string)},
        {0}};
    assert_faults(environment, none, "{}", "");
    assert_faults(environment, none, "{\"x\":1}", "2: x: unknown key; none is expected here");
    assert_faults(environment, required, "{}", "1: one: missing");
    assert_faults(environment, required, "{\"two\":null}", "8: two: expected a string; 1: one: missing"); /* not nullable */
    assert_faults(environment, required, "{\"one\":null}", "8: one: expected a whole number from 0 to 4294967295");
    assert_faults(NULL, fields, "{\"path\":\"%ProgramData%\"}", "9: path: the environment variable ProgramData is not set");
    assert_faults(NULL, fields, "{\"path\":\"100%%\"}", "");
}

static void good_fields_are_kept_beside_faults(void **state) {
    (void)state;
    struct everything all = {0};
    char *faults = read_with(environment, fields,
                             "{\"u32\":99,\"string\":\"kept\",\"nonsense\":1,\"strings\":[\"a\",2],\"path\":\"%\"}", &all);
    assert_string_equal(
        faults, "8: u32: expected a whole number from 2 to 10; 27: nonsense: unknown key; "
                "55: strings: expected a string; 65: path: expected a second % after the first (\"%%\" for one % itself)");
    jp_free(faults);
    assert_written(fields, &all, "{\"string\":\"kept\"}");
    jp_schema_clear(fields, &all); /* and nothing of the half-read ones leaks */
}

static void faults_are_bounded(void **state) {
    (void)state;
    struct jp_str text = {0};
    jp_str_puts(&text, "{\"flags\":[0");
    for (int i = 0; i < 300; i++)
        jp_str_puts(&text, ",0");
    jp_str_puts(&text, "]}");
    struct jp_json json = parse(jp_str_text(&text));
    struct jp_faults faults = {0};
    struct jp_schema_context context = {.faults = &faults};
    struct everything all = {0};
    assert_false(jp_schema_read(&context, fields, json.root, "", &all));
    assert_int_equal(faults.count, JP_FAULTS_MAX);
    jp_faults_free(&faults);
    jp_json_free(&json);
    jp_str_free(&text);
}

/* --- laying over, copying, comparing --- */

static void assert_merged(const char *target, const char *change, const char *expected) {
    struct everything all = {0}, other = {0};
    read_good(fields, target, &all);
    read_good(fields, change, &other);
    jp_schema_merge(fields, &all, &other);
    jp_schema_clear(fields, &other); /* nothing is shared */
    assert_written(fields, &all, expected);
    assert_int_equal(all.present >> 32, 0);
    jp_schema_clear(fields, &all);
}

static void merging(void **state) {
    (void)state;
    assert_merged("{}", full, full);
    assert_merged(full, "{}", full);
    assert_merged(full, full, full);
    assert_merged("{\"u32\":3,\"string\":\"old\"}", "{\"string\":\"new\"}", "{\"u32\":3,\"string\":\"new\"}");
    assert_merged("{\"u32\":3,\"string\":\"old\"}", "{\"string\":null}", "{\"u32\":3}");
    assert_merged("{\"u32\":3}", "{\"string\":null}", "{\"u32\":3}");
    assert_merged("{\"strings\":[\"a\",\"b\"],\"env\":{\"A\":\"1\"},\"json\":1}",
                  "{\"strings\":[\"c\"],\"env\":{\"B\":\"2\"},\"json\":[2]}",
                  "{\"strings\":[\"c\"],\"env\":{\"B\":\"2\"},\"json\":[2]}");
    assert_merged("{\"list\":[{\"name\":\"a\"},{}]}", "{\"list\":[{\"range\":{\"high\":1}}]}", "{\"list\":[{\"range\":{\"high\":1}}]}");
    assert_merged(
        full,
        "{\"strings\":null,\"env\":null,\"list\":null,\"json\":null,\"path\":null,\"string\":null,\"group\":null,\"range\":null,\"flag\":null,"
        "\"u32\":null,\"u64\":null,\"bytes\":null,\"duration\":null,\"percent\":null,\"affinity\":null,\"choice\":null,\"flags\":null}",
        "{}");
}

static void groups_merge_and_settings_replace(void **state) {
    (void)state;
    /* a group's members may be null: it is laid over key by key */
    assert_merged("{\"group\":{\"number\":1}}", "{\"group\":{\"range\":{\"high\":2}}}",
                  "{\"group\":{\"number\":1,\"range\":{\"high\":2}}}");
    assert_merged("{\"group\":{\"number\":1,\"range\":{\"high\":2}}}", "{\"group\":{\"number\":null}}",
                  "{\"group\":{\"range\":{\"high\":2}}}");
    assert_merged("{\"group\":{\"number\":1}}", "{\"group\":{}}", "{\"group\":{\"number\":1}}");
    assert_merged("{}", "{\"group\":{\"number\":1}}", "{\"group\":{\"number\":1}}");
    assert_merged("{}", "{\"group\":{\"number\":null}}", "{\"group\":{}}");
    /* a setting is one thing: the old low is gone */
    assert_merged("{\"range\":{\"low\":1,\"high\":2}}", "{\"range\":{\"high\":9}}", "{\"range\":{\"high\":9}}");
    assert_merged("{\"group\":{\"range\":{\"low\":1,\"high\":2}}}", "{\"group\":{\"range\":{\"high\":9}}}",
                  "{\"group\":{\"range\":{\"high\":9}}}");
}

static void copies_are_equal_and_their_own(void **state) {
    (void)state;
    struct everything all = {0}, copy = {0};
    read_good(fields, full, &all);
    jp_schema_copy(fields, &all, &copy);
    assert_true(jp_schema_equal(fields, &all, &copy));
    jp_schema_clear(fields, &all);
    assert_written(fields, &copy, full);
    assert_false(jp_schema_equal(fields, &all, &copy));
    jp_schema_clear(fields, &copy);
}

static void what_differs_is_not_equal(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{}",
        "{\"flag\":true}",
        "{\"flag\":false}",
        "{\"u32\":3}",
        "{\"u32\":4}",
        "{\"u64\":\"18446744073709551615\"}",
        "{\"u64\":\"18446744073709551614\"}",
        "{\"u64\":9007199254740991}",
        "{\"u64\":9007199254740990}",
        "{\"bytes\":1024}",
        "{\"bytes\":1025}",
        "{\"duration\":\"1s\"}",
        "{\"percent\":\"1%\"}",
        "{\"affinity\":\"1\"}",
        "{\"string\":\"a\"}",
        "{\"string\":\"b\"}",
        "{\"path\":\"a\"}",
        "{\"choice\":\"red\"}",
        "{\"flags\":[\"red\"]}",
        "{\"flags\":[\"red\",\"blue\"]}",
        "{\"range\":{\"high\":1}}",
        "{\"range\":{\"high\":1,\"low\":0}}",
        "{\"group\":{}}",
        "{\"group\":{\"number\":1}}",
        "{\"strings\":[]}",
        "{\"strings\":[\"a\"]}",
        "{\"strings\":[\"a\",\"b\"]}",
        "{\"env\":{\"A\":null}}",
        "{\"env\":{\"A\":\"\"}}",
        "{\"list\":[]}",
        "{\"list\":[{}]}",
        "{\"list\":[{\"name\":\"a\"},{}]}",
        "{\"list\":[{},{\"name\":\"a\"}]}",
        "{\"list\":[{\"range\":{\"high\":1}}]}",
        "{\"json\":{}}",
        "{\"json\":{\"a\":1}}",
        "{\"json\":null,\"flag\":true,\"u32\":3}",
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        for (size_t j = 0; j < COUNT(texts); j++) {
            struct everything one = {0}, other = {0};
            read_good(fields, texts[i], &one);
            read_good(fields, texts[j], &other);
            CHECK(jp_schema_equal(fields, &one, &other) == (i == j), "%s and %s", texts[i], texts[j]);
            jp_schema_clear(fields, &one);
            jp_schema_clear(fields, &other);
        }
}

static void names_of_choices(void **state) {
    (void)state;
    assert_string_equal(jp_choice_name(colours, 2), "green");
    assert_null(jp_choice_name(colours, 3));
}

int main(void) {
    const struct CMUnitTest reading[] = {cmocka_unit_test(every_type_is_read), cmocka_unit_test(other_notations_are_read),
                                         cmocka_unit_test(null_is_not_given_on_purpose)};
    const struct CMUnitTest faults[] = {
        cmocka_unit_test(every_fault_has_its_words), cmocka_unit_test(faults_of_other_tables),
        cmocka_unit_test(good_fields_are_kept_beside_faults), cmocka_unit_test(faults_are_bounded),
        cmocka_unit_test(reading_ends_when_there_are_enough_faults)};
    const struct CMUnitTest structs[] = {cmocka_unit_test(merging),
                                         cmocka_unit_test(groups_merge_and_settings_replace),
                                         cmocka_unit_test(copies_are_equal_and_their_own),
                                         cmocka_unit_test(what_differs_is_not_equal),
                                         cmocka_unit_test(names_of_choices)};
    int failed = cmocka_run_group_tests(reading, NULL, NULL);
    failed += cmocka_run_group_tests(faults, NULL, NULL);
    failed += cmocka_run_group_tests(structs, NULL, NULL);
    return failed;
}
