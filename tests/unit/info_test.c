/* Information classes as dictionaries, and pools' specs as information classes. */
#include "unit.h"

#include "job/configure.h"
#include "job/info.h"

#include <string.h>

static uint64_t seed;

static uint64_t below(uint64_t bound) { return next_random(&seed) % bound; }

/* Numbers of every size, the edges of doubles among them. */
static uint64_t any_u64(void) {
    static const uint64_t edges[] = {0, 1, (UINT64_C(1) << 53) - 1, UINT64_C(1) << 53, (UINT64_C(1) << 53) + 1, INT64_MAX, UINT64_MAX};
    return below(3) ? next_random(&seed) >> below(64) : edges[below(sizeof edges / sizeof *edges)];
}
static uint32_t any_u32(void) { return (uint32_t)any_u64(); }

static struct jp_job_io any_io(void) { return (struct jp_job_io){any_u64(), any_u64(), any_u64(), any_u64(), any_u64(), any_u64()}; }
static struct jp_job_accounting any_accounting(void) {
    return (struct jp_job_accounting){any_u64(), any_u64(), any_u64(), any_u64(), any_u32(), any_u32(), any_u32(), any_u32()};
}
static struct jp_job_basic_limits any_basic(void) {
    return (struct jp_job_basic_limits){any_u64(), any_u64(), any_u32(), any_u64(), any_u64(), any_u32(), any_u64(), any_u32(), any_u32()};
}

static void any_lists(struct jp_job_info *info) {
    size_t count = 1 + below(5);
    if (info->class == JP_JOB_BasicProcessIdList) {
        info->pids.items = jp_alloc(count * sizeof *info->pids.items);
        for (info->pids.count = 0; info->pids.count < count; info->pids.count++)
            info->pids.items[info->pids.count] = any_u32();
    } else if (info->class == JP_JOB_GroupInformation) {
        info->groups.items = jp_alloc(count * sizeof *info->groups.items);
        for (info->groups.count = 0; info->groups.count < count; info->groups.count++)
            info->groups.items[info->groups.count] = (uint16_t)any_u64();
    } else {
        info->group_affinities.items = jp_alloc(count * sizeof *info->group_affinities.items);
        for (info->group_affinities.count = 0; info->group_affinities.count < count; info->group_affinities.count++)
            info->group_affinities.items[info->group_affinities.count] = (struct jp_job_group_affinity){any_u64(), (uint16_t)any_u64()};
    }
}

static struct jp_job_cpu_rate any_cpu_rate(void) {
    struct jp_job_cpu_rate rate = {.control_flags = any_u32()};
    if (rate.control_flags & JP_JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED)
        rate.weight = any_u32();
    else if (rate.control_flags & JP_JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE)
        rate = (struct jp_job_cpu_rate){.control_flags = rate.control_flags, .min_rate = any_u32() & 0xFFFF, .max_rate = any_u32() & 0xFFFF};
    else
        rate.cpu_rate = any_u32();
    return rate;
}

/* Every member of the class has a random value, and nothing else is set. */
static struct jp_job_info any_info(enum jp_job_class class) {
    struct jp_job_info info = {.class = class};
    switch (class) {
    case JP_JOB_BasicAccountingInformation:
        info.accounting = any_accounting();
        break;
    case JP_JOB_BasicLimitInformation:
        info.basic_limits = any_basic();
        break;
    case JP_JOB_BasicUIRestrictions:
        info.ui_restrictions = any_u32();
        break;
    case JP_JOB_EndOfJobTimeInformation:
        info.end_of_job_time_action = any_u32();
        break;
    case JP_JOB_BasicAndIoAccountingInformation:
        info.accounting_and_io = (struct jp_job_accounting_and_io){any_accounting(), any_io()};
        break;
    case JP_JOB_ExtendedLimitInformation:
        info.extended_limits = (struct jp_job_extended_limits){any_basic(), any_io(), any_u64(), any_u64(), any_u64(), any_u64()};
        break;
    case JP_JOB_JobSetInformation:
        info.member_level = any_u32();
        break;
    case JP_JOB_NotificationLimitInformation:
        info.notification = (struct jp_job_notification_limits){
            .io_read_bytes_limit = any_u64(), .io_write_bytes_limit = any_u64(), .per_job_user_time_limit_100ns = any_u64(),
            .job_high_memory_limit_bytes = any_u64(), .cpu_tolerance = any_u32(), .cpu_tolerance_interval = any_u32(), .limit_flags = any_u32()};
        break;
    case JP_JOB_NotificationLimitInformation2:
        info.notification = (struct jp_job_notification_limits){any_u64(), any_u64(), any_u64(), any_u64(), any_u64(), any_u32(),
                                                                any_u32(), any_u32(), any_u32(), any_u32(), any_u32(), any_u32()};
        break;
    case JP_JOB_LimitViolationInformation:
        info.violations = (struct jp_job_violations){
            .limit_flags = any_u32(), .violation_limit_flags = any_u32(), .io_read_bytes = any_u64(), .io_read_bytes_limit = any_u64(),
            .io_write_bytes = any_u64(), .io_write_bytes_limit = any_u64(), .per_job_user_time_100ns = any_u64(),
            .per_job_user_time_limit_100ns = any_u64(), .job_memory_bytes = any_u64(), .job_high_memory_limit_bytes = any_u64(),
            .cpu_tolerance = any_u32(), .cpu_tolerance_limit = any_u32()};
        break;
    case JP_JOB_LimitViolationInformation2:
        info.violations = (struct jp_job_violations){any_u32(), any_u32(), any_u64(), any_u64(), any_u64(), any_u64(), any_u64(), any_u64(), any_u64(),
                                                     any_u64(), any_u64(), any_u32(), any_u32(), any_u32(), any_u32(), any_u32(), any_u32()};
        break;
    case JP_JOB_CpuRateControlInformation:
        info.cpu_rate = any_cpu_rate();
        break;
    case JP_JOB_MemoryUsageInformation:
        info.memory_usage = (struct jp_job_memory_usage){any_u64(), any_u64()};
        break;
    case JP_JOB_NetRateControlInformation:
        info.net_rate = (struct jp_job_net_rate){any_u64(), any_u32(), any_u32() & 0xFF};
        break;
    default:
        any_lists(&info);
        break;
    }
    return info;
}

static bool in_info(enum jp_job_class class) {
    return class != JP_JOB_SecurityLimitInformation && class != JP_JOB_AssociateCompletionPortInformation;
}

static bool same_text(const struct jp_job_info *info, const char *text) {
    struct jp_str again = {0};
    cJSON *json = jp_job_info_write(info);
    jp_json_print(json, &again);
    bool same = strcmp(jp_str_text(&again), text) == 0;
    cJSON_Delete(json);
    jp_str_free(&again);
    return same;
}

static void every_class_comes_back_as_it_was_written(void **state) {
    (void)state;
    for (const struct jp_job_class_row *row = jp_job_classes; row->name; row++) {
        if (!in_info(row->class) || row->class == JP_JOB_BasicProcessIdList)
            continue;
        for (int i = 0; i < 500; i++) {
            struct jp_job_info info = any_info(row->class), back;
            struct jp_error error;
            struct jp_str text = {0};
            struct jp_json parsed;
            struct jp_json_place place;
            cJSON *json = jp_job_info_write(&info);
            jp_json_print(json, &text); /* through the wire's text: numbers must survive it */
            assert_int_equal(jp_json_parse(jp_str_text(&text), text.length, &(struct jp_json_rules){.max_bytes = 1 << 20, .max_depth = 8}, &parsed, &place, &error), JP_OK);
            if (jp_job_info_read(row->class, parsed.root, &back, &error))
                fail_msg("%s: %s\n%s", row->name, error.text, jp_str_text(&text));
            if (!same_text(&back, jp_str_text(&text)))
                fail_msg("%s is not what it was (seed %llu):\n%s", row->name, (unsigned long long)seed, jp_str_text(&text));
            jp_job_info_clear(&info);
            jp_job_info_clear(&back);
            cJSON_Delete(json);
            jp_json_free(&parsed);
            jp_str_free(&text);
        }
    }
}

static struct jp_error read_error(enum jp_job_class class, const char *text) {
    struct jp_error error = {0};
    struct jp_job_info info;
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    assert_int_equal(jp_job_info_read(class, json, &info, &error), JP_E_PARAMS);
    cJSON_Delete(json);
    return error;
}

#define BASIC                                                                                                                          \
    "\"PerProcessUserTimeLimit\":0,\"PerJobUserTimeLimit\":0,\"LimitFlags\":8,\"MinimumWorkingSetSize\":0,\"MaximumWorkingSetSize\":0," \
    "\"ActiveProcessLimit\":3,\"PriorityClass\":0,\"SchedulingClass\":0"

static void a_missing_key_and_an_unknown_key_are_named(void **state) {
    (void)state;
    assert_string_equal(read_error(JP_JOB_BasicLimitInformation, "{" BASIC "}").text, "JobObjectBasicLimitInformation: Affinity: missing");
    assert_string_equal(read_error(JP_JOB_BasicLimitInformation, "{" BASIC ",\"Afinity\":0,\"Affinity\":0}").text,
                        "JobObjectBasicLimitInformation: Afinity: unknown key; did you mean \"Affinity\"?");
    assert_non_null(strstr(read_error(JP_JOB_ExtendedLimitInformation, "{\"BasicLimitInformation\":{}}").text, "BasicLimitInformation.PerProcessUserTimeLimit: missing"));
    assert_non_null(strstr(read_error(JP_JOB_CpuRateControlInformation, "{\"ControlFlags\":3,\"CpuRate\":1}").text, "CpuRate: unknown key"));
    assert_non_null(strstr(read_error(JP_JOB_GroupInformation, "[]").text, "1 to 256"));
    assert_non_null(strstr(read_error(JP_JOB_GroupInformation, "[70000]").text, "processor group"));
    assert_non_null(strstr(read_error(JP_JOB_BasicUIRestrictions, "{\"UIRestrictionsClass\":4294967296}").text, "below 2^32"));
    assert_non_null(strstr(read_error(JP_JOB_BasicUIRestrictions, "{\"UIRestrictionsClass\":\"JOB_OBJECT_UILIMIT_HANDLE\"}").text,
                           "did you mean \"JOB_OBJECT_UILIMIT_HANDLES\"?"));
}

static void flags_are_taken_by_name_or_number(void **state) {
    (void)state;
    static const char *const same[] = {"{" BASIC ",\"Affinity\":0}",
                                       "{\"PerProcessUserTimeLimit\":0,\"PerJobUserTimeLimit\":\"0\",\"LimitFlags\":\"JOB_OBJECT_LIMIT_ACTIVE_PROCESS\","
                                       "\"MinimumWorkingSetSize\":0,\"MaximumWorkingSetSize\":0,\"ActiveProcessLimit\":3,\"PriorityClass\":0,\"SchedulingClass\":0,\"Affinity\":0}",
                                       "{\"PerProcessUserTimeLimit\":0,\"PerJobUserTimeLimit\":0,\"LimitFlags\":[\"JOB_OBJECT_LIMIT_ACTIVE_PROCESS\",8],"
                                       "\"MinimumWorkingSetSize\":0,\"MaximumWorkingSetSize\":0,\"ActiveProcessLimit\":3,\"PriorityClass\":0,\"SchedulingClass\":0,\"Affinity\":0}"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        struct jp_job_info info;
        struct jp_error error;
        cJSON *json = cJSON_Parse(same[i]);
        assert_int_equal(jp_job_info_read(JP_JOB_BasicLimitInformation, json, &info, &error), JP_OK);
        assert_int_equal(info.basic_limits.limit_flags, JP_JOB_OBJECT_LIMIT_ACTIVE_PROCESS);
        cJSON_Delete(json);
    }
}

/* --- specs --- */

static void read_spec(const char *text, struct jp_pool_spec *spec) {
    struct jp_faults faults = {0};
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    *spec = (struct jp_pool_spec){0};
    bool good = jp_schema_read(&(struct jp_schema_context){.faults = &faults}, jp_pool_fields, json, "", spec) && jp_pool_spec_check(spec, json, "", &faults);
    if (!good)
        fail_msg("%s: %s", text, faults.items[0].text);
    cJSON_Delete(json);
    jp_faults_free(&faults);
}

static const char everything[] =
    "{\"limits\":{\"active_processes\":7,\"process_memory\":\"64MiB\",\"job_memory\":\"1GiB\",\"process_time\":\"5s\",\"job_time\":\"1m\","
    "\"priority_class\":\"below_normal\",\"affinity\":\"0-3\",\"subset_affinity\":true,\"working_set\":{\"min\":\"1MiB\",\"max\":\"2MiB\"},"
    "\"scheduling_class\":3,\"cpu_rate\":{\"min\":\"10%\",\"max\":\"50%\",\"notify\":true},\"network_rate\":{\"max_bandwidth\":\"1MiB\",\"dscp\":5},"
    "\"breakaway\":\"allow\",\"die_on_unhandled_exception\":true,\"kill_on_close\":true},\"ui\":[\"handles\",\"desktop\"],\"end_of_job_time\":\"post\","
    "\"notify\":{\"job_memory\":\"1GiB\",\"job_memory_low\":\"1MiB\",\"cpu_time\":\"9s\",\"io_read\":\"1KiB\",\"io_write\":\"2KiB\","
    "\"cpu_rate\":{\"tolerance\":\"low\",\"interval\":\"long\"},\"network_rate\":{\"tolerance\":\"high\",\"interval\":\"short\"}}}";

/* Only what a class sets may change, and setting what was queried changes nothing. */
static void what_was_queried_can_be_set_and_changes_nothing(void **state) {
    (void)state;
    static const char *const texts[] = {everything, "{}", "{\"limits\":{\"processor_groups\":[\"0\",\"2\"]}}", "{\"limits\":{\"processor_groups\":[\"1:0-3\"]}}",
                                        "{\"limits\":{\"cpu_rate\":\"20%\"}}", "{\"limits\":{\"cpu_rate\":{\"weight\":9}}}", "{\"on_service_stop\":\"terminate\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (const struct jp_job_class_row *row = jp_job_classes; row->name; row++) {
            struct jp_pool_spec spec, copy = {0};
            struct jp_job_info info, again;
            struct jp_error error;
            bool restart;
            read_spec(texts[i], &spec);
            bool groups = row->class == JP_JOB_GroupInformation || row->class == JP_JOB_GroupInformationEx;
            if (!(row->can & JP_CLASS_SET) || !in_info(row->class) || (groups && !spec.limits.processor_groups.count)) {
                jp_schema_clear(jp_pool_fields, &spec);
                continue;
            }
            jp_schema_copy(jp_pool_fields, &spec, &copy);
            assert_int_equal(jp_job_info_of_spec(&spec, row->class, &info, &error), JP_OK);
            if (jp_job_info_to_spec(&info, &copy, &restart, &error))
                fail_msg("%s of %s: %s", row->name, texts[i], error.text);
            assert_false(restart); /* a job time that stays keeps its clock */
            for (const struct jp_job_class_row *other = jp_job_classes; other->name; other++) {
                if (!(other->can & JP_CLASS_SET) || !in_info(other->class))
                    continue;
                struct jp_job_info before, after;
                assert_int_equal(jp_job_info_of_spec(&spec, other->class, &before, &error), JP_OK);
                assert_int_equal(jp_job_info_of_spec(&copy, other->class, &after, &error), JP_OK);
                if (!jp_job_info_equal(&before, &after) && !(groups && other->class == JP_JOB_GroupInformationEx))
                    fail_msg("setting %s of %s changed %s", row->name, texts[i], other->name);
                jp_job_info_clear(&before);
                jp_job_info_clear(&after);
            }
            assert_int_equal(jp_job_info_of_spec(&copy, row->class, &again, &error), JP_OK);
            assert_true(jp_job_info_equal(&info, &again));
            jp_job_info_clear(&info);
            jp_job_info_clear(&again);
            jp_schema_clear(jp_pool_fields, &spec);
            jp_schema_clear(jp_pool_fields, &copy);
        }
}

/* Random settings of one class laid over a spec come back from it, or are refused with the spec as it was. */
static void any_setting_is_taken_whole_or_refused(void **state) {
    (void)state;
    unsigned taken = 0, refused = 0;
    for (int i = 0; i < 20000; i++) {
        static const enum jp_job_class classes[] = {JP_JOB_BasicLimitInformation, JP_JOB_ExtendedLimitInformation, JP_JOB_BasicUIRestrictions,
                                                    JP_JOB_EndOfJobTimeInformation, JP_JOB_CpuRateControlInformation, JP_JOB_NetRateControlInformation,
                                                    JP_JOB_NotificationLimitInformation2};
        enum jp_job_class class = classes[below(sizeof classes / sizeof *classes)];
        struct jp_job_info info = any_info(class), back;
        struct jp_pool_spec spec, copy = {0};
        struct jp_error error;
        bool restart;
        if (below(2) && class == JP_JOB_ExtendedLimitInformation) {
            info.extended_limits.basic.limit_flags &= JP_JOB_OBJECT_EXTENDED_LIMIT_VALID_FLAGS & ~JP_JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME;
            info.extended_limits.basic.priority_class = JP_JOB_IDLE_PRIORITY_CLASS;
            info.extended_limits.basic.scheduling_class %= 10;
        }
        if (class == JP_JOB_ExtendedLimitInformation && info.extended_limits.basic.limit_flags & JP_JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK)
            info.extended_limits.basic.limit_flags &= ~(uint32_t)JP_JOB_OBJECT_LIMIT_BREAKAWAY_OK; /* silent is the wider one */
        read_spec(everything, &spec);
        jp_schema_copy(jp_pool_fields, &spec, &copy);
        if (jp_job_info_to_spec(&info, &copy, &restart, &error)) {
            assert_int_equal(error.status, JP_E_PARAMS);
            assert_true(jp_schema_equal(jp_pool_fields, &spec, &copy));
            refused++;
        } else {
            assert_int_equal(jp_job_info_of_spec(&copy, class, &back, &error), JP_OK);
            if (class == JP_JOB_ExtendedLimitInformation)
                assert_int_equal(back.extended_limits.basic.limit_flags,
                                 info.extended_limits.basic.limit_flags & JP_JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME
                                     ? (info.extended_limits.basic.limit_flags | JP_JOB_OBJECT_LIMIT_JOB_TIME) & ~(uint32_t)JP_JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME
                                     : info.extended_limits.basic.limit_flags);
            taken++;
        }
        jp_schema_clear(jp_pool_fields, &spec);
        jp_schema_clear(jp_pool_fields, &copy);
    }
    assert_true(taken > 100 && refused > 100);
}

static void the_job_time_starts_anew_only_when_it_changes(void **state) {
    (void)state;
    struct jp_pool_spec spec;
    struct jp_error error;
    bool restart;
    read_spec(everything, &spec);
    struct jp_job_info info;
    jp_job_info_of_spec(&spec, JP_JOB_BasicLimitInformation, &info, &error);
    info.basic_limits.per_job_user_time_limit_100ns = 5;
    info.basic_limits.limit_flags ^= JP_JOB_OBJECT_LIMIT_JOB_TIME | JP_JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME;
    assert_int_equal(jp_job_info_to_spec(&info, &spec, &restart, &error), JP_OK);
    assert_false(restart);
    assert_int_equal(spec.limits.job_time_100ns, 600000000); /* preserved */
    info.basic_limits.limit_flags ^= JP_JOB_OBJECT_LIMIT_JOB_TIME | JP_JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME;
    assert_int_equal(jp_job_info_to_spec(&info, &spec, &restart, &error), JP_OK);
    assert_true(restart);
    assert_int_equal(spec.limits.job_time_100ns, 5);
    info.basic_limits.limit_flags |= JP_JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME;
    assert_int_equal(jp_job_info_to_spec(&info, &spec, &restart, &error), JP_E_PARAMS);
    jp_schema_clear(jp_pool_fields, &spec);
}

static void a_setting_of_an_empty_spec_is_in_it_from_then_on(void **state) {
    (void)state;
    struct jp_pool_spec spec = {0};
    struct jp_error error;
    bool restart;
    struct jp_job_info limits = {.class = JP_JOB_BasicLimitInformation,
                                 .basic_limits = {.limit_flags = JP_JOB_OBJECT_LIMIT_ACTIVE_PROCESS, .active_process_limit = 7}};
    struct jp_job_info notify = {.class = JP_JOB_NotificationLimitInformation2,
                                 .notification = {.limit_flags = JP_JOB_OBJECT_LIMIT_JOB_READ_BYTES, .io_read_bytes_limit = 1024}};
    assert_int_equal(jp_job_info_to_spec(&limits, &spec, &restart, &error), JP_OK);
    assert_int_equal(jp_job_info_to_spec(&notify, &spec, &restart, &error), JP_OK);
    cJSON *json = jp_schema_write(jp_pool_fields, &spec);
    char *text = cJSON_PrintUnformatted(json);
    assert_string_equal(text, "{\"limits\":{\"active_processes\":7},\"notify\":{\"io_read\":\"1KiB\"}}");
    cJSON_free(text);
    cJSON_Delete(json);
}

/* --- the chain --- */

static void the_most_restrictive_of_a_chain_holds(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"limits\":{\"priority_class\":\"normal\",\"affinity\":\"0-5\",\"process_memory\":\"64MiB\",\"job_memory\":\"1GiB\",\"active_processes\":2,\"scheduling_class\":4}}",
        "{\"limits\":{\"priority_class\":\"above_normal\",\"affinity\":\"4-5\",\"process_memory\":\"32MiB\",\"process_time\":\"9s\",\"active_processes\":9}}",
        "{\"limits\":{\"process_time\":\"10s\",\"affinity\":\"5-6\",\"scheduling_class\":3,\"working_set\":{\"min\":\"1MiB\",\"max\":\"8MiB\"},\"cpu_rate\":\"50%\"}}"};
    struct jp_pool_spec specs[3];
    const struct jp_pool_spec *chain[3];
    for (size_t i = 0; i < 3; i++) {
        read_spec(texts[i], &specs[i]);
        chain[i] = &specs[i];
    }
    struct jp_limits out;
    assert_int_equal(jp_effective_limit(chain, 3, JP_LIMIT_PRIORITY_CLASS, &out), 0);
    assert_int_equal(out.priority_class, JP_JOB_NORMAL_PRIORITY_CLASS);
    assert_int_equal(jp_effective_limit(chain, 3, JP_LIMIT_AFFINITY, &out), 1);
    assert_int_equal(out.affinity, 0x30);
    assert_int_equal(jp_effective_limit(chain, 3, JP_LIMIT_PROCESS_MEMORY, &out), 1);
    assert_int_equal(jp_effective_limit(chain, 3, JP_LIMIT_JOB_MEMORY, &out), 0);
    assert_int_equal(jp_effective_limit(chain, 3, JP_LIMIT_PROCESS_TIME, &out), 1);
    assert_int_equal(jp_effective_limit(chain, 3, JP_LIMIT_SCHEDULING_CLASS, &out), 2);
    assert_int_equal(jp_effective_limit(chain, 3, JP_LIMIT_WORKING_SET, &out), 2);
    assert_int_equal(jp_effective_limit(chain, 3, JP_LIMIT_CPU_RATE, &out), 2);
    assert_true(jp_effective_limit(chain, 3, JP_LIMIT_ACTIVE_PROCESSES, &out) == SIZE_MAX); /* the immediate job's, and that sets none */
    assert_int_equal(jp_effective_limit(chain, 2, JP_LIMIT_ACTIVE_PROCESSES, &out), 1);
    assert_int_equal(out.active_processes, 9);
    for (size_t i = 0; i < 3; i++)
        jp_schema_clear(jp_pool_fields, &specs[i]);
}

int main(void) {
    seed = 0x9E3779B97F4A7C15;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_comes_back_as_it_was_written),
        cmocka_unit_test(a_missing_key_and_an_unknown_key_are_named),
        cmocka_unit_test(flags_are_taken_by_name_or_number),
        cmocka_unit_test(what_was_queried_can_be_set_and_changes_nothing),
        cmocka_unit_test(any_setting_is_taken_whole_or_refused),
        cmocka_unit_test(a_setting_of_an_empty_spec_is_in_it_from_then_on),
        cmocka_unit_test(the_job_time_starts_anew_only_when_it_changes),
        cmocka_unit_test(the_most_restrictive_of_a_chain_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
