/* Every name of job objects' vocabulary by name and by number. The numbers are written out here as Microsoft's pages and winnt.h have
 * them: a slip in job_constants.h would be in every other test too. */
#include "job/info.h"
#include "job/messages.h"

#include "unit.h"

struct name {
    const char *name;
    uint32_t value;
};

static uint32_t choice(const struct jp_choice *choices, const char *name) {
    for (; choices->name; choices++)
        if (strcmp(choices->name, name) == 0)
            return choices->value;
    fail_msg("there is no name %s", name);
    return 0;
}

/* The dictionary of a class with `value` under `key`; that with the name instead reads as the same. */
static void assert_reads(enum jp_job_class class, const char *key, const struct name *row, struct jp_job_info *info) {
    info->class = class;
    cJSON *numbers = jp_job_info_write(info), *names = cJSON_Duplicate(numbers, true);
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(numbers, key)), row->value);
    for (int list = 0; list < 2; list++) { /* "NAME" and ["NAME"]: codes take only the first */
        cJSON *item = cJSON_CreateString(row->name), *array = cJSON_CreateArray();
        if (list) {
            cJSON_AddItemToArray(array, item);
            cJSON_ReplaceItemInObjectCaseSensitive(names, key, array);
        } else {
            cJSON_Delete(array);
            cJSON_ReplaceItemInObjectCaseSensitive(names, key, item);
        }
        struct jp_job_info read;
        struct jp_error error = {0};
        if (jp_job_info_read(class, names, &read, &error) == JP_OK) {
            cJSON *again = jp_job_info_write(&read);
            CHECK(cJSON_Compare(again, numbers, true), "%s is not %u", row->name, row->value);
            cJSON_Delete(again);
            jp_job_info_clear(&read);
        } else {
            bool code = !strstr(key, "Flags") && !strstr(key, "Restrictions");
            CHECK(list && code, "%s as %s: %s", row->name, key, error.text);
        }
    }
    cJSON_Delete(numbers);
    cJSON_Delete(names);
}

/* shows: JOB_OBJECT_ASSIGN_PROCESS JOB_OBJECT_SET_ATTRIBUTES JOB_OBJECT_QUERY JOB_OBJECT_TERMINATE JOB_OBJECT_SET_SECURITY_ATTRIBUTES
 * JOB_OBJECT_ALL_ACCESS */
static void access_rights(void **state) {
    (void)state;
    static const struct name rows[] = {
        {"JOB_OBJECT_ASSIGN_PROCESS", 1}, {"JOB_OBJECT_SET_ATTRIBUTES", 2},           {"JOB_OBJECT_QUERY", 4},
        {"JOB_OBJECT_TERMINATE", 8},      {"JOB_OBJECT_SET_SECURITY_ATTRIBUTES", 16}, {"JOB_OBJECT_ALL_ACCESS", 0x1F001F}};
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(choice(jp_job_access_choices, rows[i].name), rows[i].value);
}

/* shows: JOB_OBJECT_LIMIT_WORKINGSET JOB_OBJECT_LIMIT_PROCESS_TIME JOB_OBJECT_LIMIT_JOB_TIME JOB_OBJECT_LIMIT_ACTIVE_PROCESS
 * JOB_OBJECT_LIMIT_AFFINITY JOB_OBJECT_LIMIT_PRIORITY_CLASS JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME JOB_OBJECT_LIMIT_SCHEDULING_CLASS
 * JOB_OBJECT_LIMIT_PROCESS_MEMORY JOB_OBJECT_LIMIT_JOB_MEMORY JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION JOB_OBJECT_LIMIT_BREAKAWAY_OK
 * JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE JOB_OBJECT_LIMIT_SUBSET_AFFINITY
 * JOB_OBJECT_LIMIT_VALID_FLAGS JOB_OBJECT_BASIC_LIMIT_VALID_FLAGS JOB_OBJECT_EXTENDED_LIMIT_VALID_FLAGS
 * JOB_OBJECT_RESERVED_LIMIT_VALID_FLAGS */
static void limit_flags(void **state) {
    (void)state;
    static const struct name rows[] = {
        {"JOB_OBJECT_LIMIT_WORKINGSET", 0x1},
        {"JOB_OBJECT_LIMIT_PROCESS_TIME", 0x2},
        {"JOB_OBJECT_LIMIT_JOB_TIME", 0x4},
        {"JOB_OBJECT_LIMIT_ACTIVE_PROCESS", 0x8},
        {"JOB_OBJECT_LIMIT_AFFINITY", 0x10},
        {"JOB_OBJECT_LIMIT_PRIORITY_CLASS", 0x20},
        {"JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME", 0x40},
        {"JOB_OBJECT_LIMIT_SCHEDULING_CLASS", 0x80},
        {"JOB_OBJECT_LIMIT_PROCESS_MEMORY", 0x100},
        {"JOB_OBJECT_LIMIT_JOB_MEMORY", 0x200},
        {"JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION", 0x400},
        {"JOB_OBJECT_LIMIT_BREAKAWAY_OK", 0x800},
        {"JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK", 0x1000},
        {"JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE", 0x2000},
        {"JOB_OBJECT_LIMIT_SUBSET_AFFINITY", 0x4000},
        {"JOB_OBJECT_LIMIT_VALID_FLAGS", 0x7FFFF},
        {"JOB_OBJECT_BASIC_LIMIT_VALID_FLAGS", 0xFF},
        {"JOB_OBJECT_EXTENDED_LIMIT_VALID_FLAGS", 0x7FFF},
        {"JOB_OBJECT_RESERVED_LIMIT_VALID_FLAGS", 0x7FFFF}};
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_reads(JP_JOB_BasicLimitInformation, "LimitFlags", &rows[i],
                     &(struct jp_job_info){.basic_limits.limit_flags = rows[i].value});
}

/* shows: JOB_OBJECT_LIMIT_JOB_MEMORY_HIGH JOB_OBJECT_LIMIT_JOB_MEMORY_LOW JOB_OBJECT_LIMIT_JOB_READ_BYTES JOB_OBJECT_LIMIT_JOB_WRITE_BYTES
 * JOB_OBJECT_LIMIT_CPU_RATE_CONTROL JOB_OBJECT_LIMIT_RATE_CONTROL JOB_OBJECT_LIMIT_IO_RATE_CONTROL JOB_OBJECT_LIMIT_NET_RATE_CONTROL
 * JOB_OBJECT_NOTIFICATION_LIMIT_VALID_FLAGS */
static void notification_flags(void **state) {
    (void)state;
    static const struct name rows[] = {
        {"JOB_OBJECT_LIMIT_JOB_MEMORY_HIGH", 0x200},     {"JOB_OBJECT_LIMIT_JOB_MEMORY_LOW", 0x8000},
        {"JOB_OBJECT_LIMIT_JOB_READ_BYTES", 0x10000},    {"JOB_OBJECT_LIMIT_JOB_WRITE_BYTES", 0x20000},
        {"JOB_OBJECT_LIMIT_CPU_RATE_CONTROL", 0x40000},  {"JOB_OBJECT_LIMIT_RATE_CONTROL", 0x40000},
        {"JOB_OBJECT_LIMIT_IO_RATE_CONTROL", 0x80000},   {"JOB_OBJECT_LIMIT_NET_RATE_CONTROL", 0x100000},
        {"JOB_OBJECT_NOTIFICATION_LIMIT_VALID_FLAGS", 0x1F8204}};
    static const enum jp_job_class classes[] = {JP_JOB_NotificationLimitInformation, JP_JOB_NotificationLimitInformation2};
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t c = 0; c < 2; c++)
            assert_reads(classes[c], "LimitFlags", &rows[i], &(struct jp_job_info){.notification.limit_flags = rows[i].value});
}

/* shows: JOB_OBJECT_UILIMIT_NONE JOB_OBJECT_UILIMIT_HANDLES JOB_OBJECT_UILIMIT_READCLIPBOARD JOB_OBJECT_UILIMIT_WRITECLIPBOARD
 * JOB_OBJECT_UILIMIT_SYSTEMPARAMETERS JOB_OBJECT_UILIMIT_DISPLAYSETTINGS JOB_OBJECT_UILIMIT_GLOBALATOMS JOB_OBJECT_UILIMIT_DESKTOP
 * JOB_OBJECT_UILIMIT_EXITWINDOWS JOB_OBJECT_UILIMIT_ALL JOB_OBJECT_UI_VALID_FLAGS */
static void ui_flags(void **state) {
    (void)state;
    static const struct name rows[] = {
        {"JOB_OBJECT_UILIMIT_NONE", 0},           {"JOB_OBJECT_UILIMIT_HANDLES", 0x1},
        {"JOB_OBJECT_UILIMIT_READCLIPBOARD", 0x2}, {"JOB_OBJECT_UILIMIT_WRITECLIPBOARD", 0x4},
        {"JOB_OBJECT_UILIMIT_SYSTEMPARAMETERS", 0x8}, {"JOB_OBJECT_UILIMIT_DISPLAYSETTINGS", 0x10},
        {"JOB_OBJECT_UILIMIT_GLOBALATOMS", 0x20}, {"JOB_OBJECT_UILIMIT_DESKTOP", 0x40},
        {"JOB_OBJECT_UILIMIT_EXITWINDOWS", 0x80}, {"JOB_OBJECT_UILIMIT_ALL", 0xFF},
        {"JOB_OBJECT_UI_VALID_FLAGS", 0xFF}};
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_reads(JP_JOB_BasicUIRestrictions, "UIRestrictionsClass", &rows[i],
                     &(struct jp_job_info){.ui_restrictions = rows[i].value});
}

/* shows: JOB_OBJECT_SECURITY_NO_ADMIN JOB_OBJECT_SECURITY_RESTRICTED_TOKEN JOB_OBJECT_SECURITY_ONLY_TOKEN
 * JOB_OBJECT_SECURITY_FILTER_TOKENS JOB_OBJECT_SECURITY_VALID_FLAGS */
static void security_flags(void **state) {
    (void)state;
    static const struct name rows[] = {{"JOB_OBJECT_SECURITY_NO_ADMIN", 1},
                                       {"JOB_OBJECT_SECURITY_RESTRICTED_TOKEN", 2},
                                       {"JOB_OBJECT_SECURITY_ONLY_TOKEN", 4},
                                       {"JOB_OBJECT_SECURITY_FILTER_TOKENS", 8},
                                       {"JOB_OBJECT_SECURITY_VALID_FLAGS", 15}};
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(choice(jp_job_security_choices, rows[i].name), rows[i].value);
}

/* shows: JOB_OBJECT_TERMINATE_AT_END_OF_JOB JOB_OBJECT_POST_AT_END_OF_JOB NORMAL_PRIORITY_CLASS IDLE_PRIORITY_CLASS HIGH_PRIORITY_CLASS
 * REALTIME_PRIORITY_CLASS BELOW_NORMAL_PRIORITY_CLASS ABOVE_NORMAL_PRIORITY_CLASS */
static void codes(void **state) {
    (void)state;
    static const struct name ends[] = {{"JOB_OBJECT_TERMINATE_AT_END_OF_JOB", 0}, {"JOB_OBJECT_POST_AT_END_OF_JOB", 1}};
    static const struct name priorities[] = {
        {"NORMAL_PRIORITY_CLASS", 0x20},    {"IDLE_PRIORITY_CLASS", 0x40},           {"HIGH_PRIORITY_CLASS", 0x80},
        {"REALTIME_PRIORITY_CLASS", 0x100}, {"BELOW_NORMAL_PRIORITY_CLASS", 0x4000}, {"ABOVE_NORMAL_PRIORITY_CLASS", 0x8000}};
    for (size_t i = 0; i < COUNT(ends); i++)
        assert_reads(JP_JOB_EndOfJobTimeInformation, "EndOfJobTimeAction", &ends[i],
                     &(struct jp_job_info){.end_of_job_time_action = ends[i].value});
    for (size_t i = 0; i < COUNT(priorities); i++)
        assert_reads(JP_JOB_BasicLimitInformation, "PriorityClass", &priorities[i],
                     &(struct jp_job_info){.basic_limits.priority_class = priorities[i].value});
}

/* shows: JOB_OBJECT_CPU_RATE_CONTROL_ENABLE JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP
 * JOB_OBJECT_CPU_RATE_CONTROL_NOTIFY JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE JOB_OBJECT_CPU_RATE_CONTROL_VALID_FLAGS
 * JOB_OBJECT_NET_RATE_CONTROL_ENABLE JOB_OBJECT_NET_RATE_CONTROL_MAX_BANDWIDTH JOB_OBJECT_NET_RATE_CONTROL_DSCP_TAG
 * JOB_OBJECT_NET_RATE_CONTROL_VALID_FLAGS */
static void rate_flags(void **state) {
    (void)state;
    static const struct name cpu[] = {
        {"JOB_OBJECT_CPU_RATE_CONTROL_ENABLE", 1}, {"JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED", 2},
        {"JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP", 4}, {"JOB_OBJECT_CPU_RATE_CONTROL_NOTIFY", 8},
        {"JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE", 16}, {"JOB_OBJECT_CPU_RATE_CONTROL_VALID_FLAGS", 31}};
    static const struct name net[] = {{"JOB_OBJECT_NET_RATE_CONTROL_ENABLE", 1},
                                      {"JOB_OBJECT_NET_RATE_CONTROL_MAX_BANDWIDTH", 2},
                                      {"JOB_OBJECT_NET_RATE_CONTROL_DSCP_TAG", 4},
                                      {"JOB_OBJECT_NET_RATE_CONTROL_VALID_FLAGS", 7}};
    for (size_t i = 0; i < COUNT(cpu); i++)
        assert_reads(JP_JOB_CpuRateControlInformation, "ControlFlags", &cpu[i],
                     &(struct jp_job_info){.cpu_rate.control_flags = cpu[i].value});
    for (size_t i = 0; i < COUNT(net); i++)
        assert_reads(JP_JOB_NetRateControlInformation, "ControlFlags", &net[i],
                     &(struct jp_job_info){.net_rate.control_flags = net[i].value});
}

/* shows: ToleranceLow ToleranceMedium ToleranceHigh ToleranceIntervalShort ToleranceIntervalMedium ToleranceIntervalLong */
static void tolerances(void **state) {
    (void)state;
    static const struct name shares[] = {{"ToleranceLow", 1}, {"ToleranceMedium", 2}, {"ToleranceHigh", 3}};
    static const struct name intervals[] = {
        {"ToleranceIntervalShort", 1}, {"ToleranceIntervalMedium", 2}, {"ToleranceIntervalLong", 3}};
    for (size_t i = 0; i < 3; i++) {
        struct jp_job_info info = {.notification = {.cpu_tolerance = shares[i].value, .cpu_tolerance_interval = intervals[i].value}};
        assert_reads(JP_JOB_NotificationLimitInformation, "RateControlTolerance", &shares[i], &info);
        assert_reads(JP_JOB_NotificationLimitInformation, "RateControlToleranceInterval", &intervals[i], &info);
        assert_reads(JP_JOB_NotificationLimitInformation2, "CpuRateControlTolerance", &shares[i], &info);
    }
}

/* shows: JOB_OBJECT_MSG_END_OF_JOB_TIME JOB_OBJECT_MSG_END_OF_PROCESS_TIME JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT
 * JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO JOB_OBJECT_MSG_NEW_PROCESS JOB_OBJECT_MSG_EXIT_PROCESS JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS
 * JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT JOB_OBJECT_MSG_JOB_MEMORY_LIMIT JOB_OBJECT_MSG_NOTIFICATION_LIMIT
 * JOB_OBJECT_MSG_JOB_CYCLE_TIME_LIMIT JOB_OBJECT_MSG_SILO_TERMINATED */
static void messages(void **state) {
    (void)state;
    static const struct name rows[] = {
        {"JOB_OBJECT_MSG_END_OF_JOB_TIME", 1},     {"JOB_OBJECT_MSG_END_OF_PROCESS_TIME", 2},
        {"JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT", 3}, {"JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO", 4},
        {"JOB_OBJECT_MSG_NEW_PROCESS", 6},         {"JOB_OBJECT_MSG_EXIT_PROCESS", 7},
        {"JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS", 8}, {"JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT", 9},
        {"JOB_OBJECT_MSG_JOB_MEMORY_LIMIT", 10},   {"JOB_OBJECT_MSG_NOTIFICATION_LIMIT", 11},
        {"JOB_OBJECT_MSG_JOB_CYCLE_TIME_LIMIT", 12}, {"JOB_OBJECT_MSG_SILO_TERMINATED", 13}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_string_equal(jp_job_message_name(rows[i].value), rows[i].name);
        assert_int_equal(jp_job_message_number(rows[i].name), rows[i].value);
    }
}

/* shows: JobObjectBasicAccountingInformation JobObjectBasicLimitInformation JobObjectBasicProcessIdList JobObjectBasicUIRestrictions
 * JobObjectSecurityLimitInformation JobObjectEndOfJobTimeInformation JobObjectAssociateCompletionPortInformation
 * JobObjectBasicAndIoAccountingInformation JobObjectExtendedLimitInformation JobObjectJobSetInformation JobObjectGroupInformation
 * JobObjectNotificationLimitInformation JobObjectLimitViolationInformation JobObjectGroupInformationEx
 * JobObjectCpuRateControlInformation JobObjectMemoryUsageInformation JobObjectNetRateControlInformation
 * JobObjectNotificationLimitInformation2 JobObjectLimitViolationInformation2 MaxJobObjectInfoClass */
static void classes(void **state) {
    (void)state;
    static const struct name rows[] = {
        {"JobObjectBasicAccountingInformation", 1},   {"JobObjectBasicLimitInformation", 2},
        {"JobObjectBasicProcessIdList", 3},           {"JobObjectBasicUIRestrictions", 4},
        {"JobObjectSecurityLimitInformation", 5},     {"JobObjectEndOfJobTimeInformation", 6},
        {"JobObjectAssociateCompletionPortInformation", 7}, {"JobObjectBasicAndIoAccountingInformation", 8},
        {"JobObjectExtendedLimitInformation", 9},     {"JobObjectJobSetInformation", 10},
        {"JobObjectGroupInformation", 11},            {"JobObjectNotificationLimitInformation", 12},
        {"JobObjectLimitViolationInformation", 13},   {"JobObjectGroupInformationEx", 14},
        {"JobObjectCpuRateControlInformation", 15},   {"JobObjectMemoryUsageInformation", 28},
        {"JobObjectNetRateControlInformation", 32},   {"JobObjectNotificationLimitInformation2", 33},
        {"JobObjectLimitViolationInformation2", 34}};
    size_t count = COUNT(rows), known = 0;
    for (size_t i = 0; i < count; i++) {
        const struct jp_job_class_row *row = jp_job_class_find((enum jp_job_class)rows[i].value);
        assert_non_null(row);
        assert_string_equal(row->name, rows[i].name);
        assert_true(row->can & JP_CLASS_QUERY);
        assert_int_equal(choice(jp_job_class_choices, rows[i].name), rows[i].value);
        assert_int_equal(choice(jp_job_class_choices, rows[i].name + strlen("JobObject")), rows[i].value);
    }
    for (uint32_t number = 0; number < 100; number++) /* MaxJobObjectInfoClass of every Windows so far is among them */
        known += jp_job_class_find((enum jp_job_class)number) != NULL;
    assert_int_equal(known, count);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(access_rights), cmocka_unit_test(limit_flags), cmocka_unit_test(notification_flags), cmocka_unit_test(ui_flags),
        cmocka_unit_test(security_flags), cmocka_unit_test(codes),      cmocka_unit_test(rate_flags),         cmocka_unit_test(tolerances),
        cmocka_unit_test(messages),      cmocka_unit_test(classes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
