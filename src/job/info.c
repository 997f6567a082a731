/* The tables of information classes: which keys a dictionary has, and where they stand in struct jp_job_info. */
#include "job/info.h"

#include "base/str.h"

#include <stddef.h>
#include <string.h>

/* --- names --- */

const struct jp_job_class_row jp_job_classes[] = {
    {"JobObjectBasicAccountingInformation", JP_JOB_BasicAccountingInformation, JP_CLASS_QUERY, NULL},
    {"JobObjectBasicLimitInformation", JP_JOB_BasicLimitInformation, JP_CLASS_QUERY | JP_CLASS_SET, NULL},
    {"JobObjectBasicProcessIdList", JP_JOB_BasicProcessIdList, JP_CLASS_QUERY, NULL},
    {"JobObjectBasicUIRestrictions", JP_JOB_BasicUIRestrictions, JP_CLASS_QUERY | JP_CLASS_SET, NULL},
    {"JobObjectSecurityLimitInformation", JP_JOB_SecurityLimitInformation, JP_CLASS_QUERY | JP_CLASS_SET, NULL},
    {"JobObjectEndOfJobTimeInformation", JP_JOB_EndOfJobTimeInformation, JP_CLASS_QUERY | JP_CLASS_SET, NULL},
    {"JobObjectAssociateCompletionPortInformation", JP_JOB_AssociateCompletionPortInformation, JP_CLASS_QUERY, NULL},
    {"JobObjectBasicAndIoAccountingInformation", JP_JOB_BasicAndIoAccountingInformation, JP_CLASS_QUERY, NULL},
    {"JobObjectExtendedLimitInformation", JP_JOB_ExtendedLimitInformation, JP_CLASS_QUERY | JP_CLASS_SET, NULL},
    {"JobObjectJobSetInformation", JP_JOB_JobSetInformation, JP_CLASS_QUERY, NULL},
    {"JobObjectGroupInformation", JP_JOB_GroupInformation, JP_CLASS_QUERY | JP_CLASS_SET, NULL},
    {"JobObjectNotificationLimitInformation", JP_JOB_NotificationLimitInformation, JP_CLASS_QUERY | JP_CLASS_SET, "Windows 8"},
    {"JobObjectLimitViolationInformation", JP_JOB_LimitViolationInformation, JP_CLASS_QUERY, "Windows 8"},
    {"JobObjectGroupInformationEx", JP_JOB_GroupInformationEx, JP_CLASS_QUERY | JP_CLASS_SET, "Windows 8"},
    {"JobObjectCpuRateControlInformation", JP_JOB_CpuRateControlInformation, JP_CLASS_QUERY | JP_CLASS_SET, "Windows 8"},
    {"JobObjectMemoryUsageInformation", JP_JOB_MemoryUsageInformation, JP_CLASS_QUERY, "Windows 10"},
    {"JobObjectNetRateControlInformation", JP_JOB_NetRateControlInformation, JP_CLASS_QUERY | JP_CLASS_SET, "Windows 10"},
    {"JobObjectNotificationLimitInformation2", JP_JOB_NotificationLimitInformation2, JP_CLASS_QUERY | JP_CLASS_SET, "Windows 10"},
    {"JobObjectLimitViolationInformation2", JP_JOB_LimitViolationInformation2, JP_CLASS_QUERY, "Windows 10"},
    {NULL, 0, 0, NULL}};

const struct jp_job_class_row *jp_job_class_find(enum jp_job_class class) {
    for (const struct jp_job_class_row *row = jp_job_classes; row->name; row++)
        if (row->class == class)
            return row;
    return NULL;
}

#define OBJECT_NAME(name, value) {"JOB_OBJECT_" #name, value},
#define PLAIN_NAME(name, value) {#name, value},
#define LONG_CLASS(name, value) {"JobObject" #name, value},
#define END {NULL, 0}

const struct jp_choice jp_job_class_choices[] = {JP_JOB_CLASS_TABLE(LONG_CLASS) JP_JOB_CLASS_TABLE(PLAIN_NAME) END};
const struct jp_choice jp_job_access_choices[] = {JP_JOB_ACCESS_TABLE(OBJECT_NAME) END};
const struct jp_choice jp_job_security_choices[] = {JP_JOB_SECURITY_TABLE(OBJECT_NAME) END};
static const struct jp_choice limit_choices[] = {JP_JOB_LIMIT_TABLE(OBJECT_NAME) JP_JOB_LIMIT_MASK_TABLE(OBJECT_NAME) END};
static const struct jp_choice ui_choices[] = {JP_JOB_UI_TABLE(OBJECT_NAME) END};
static const struct jp_choice end_choices[] = {JP_JOB_END_TABLE(OBJECT_NAME) END};
static const struct jp_choice cpu_choices[] = {JP_JOB_CPU_RATE_TABLE(OBJECT_NAME) END};
static const struct jp_choice net_choices[] = {JP_JOB_NET_RATE_TABLE(OBJECT_NAME) END};
static const struct jp_choice tolerance_choices[] = {JP_JOB_TOLERANCE_TABLE(PLAIN_NAME) END};
static const struct jp_choice interval_choices[] = {JP_JOB_TOLERANCE_INTERVAL_TABLE(PLAIN_NAME) END};
static const struct jp_choice priority_choices[] = {JP_JOB_PRIORITY_TABLE(PLAIN_NAME) END};

/* --- records --- */

#define AT(of, member) .offset = offsetof(struct of, member)
#define NUMBER64(windows, of, member) {.key = windows, .type = JP_FIELD_U64, AT(of, member)}
#define NUMBER32(windows, of, member) {.key = windows, .type = JP_FIELD_U32, AT(of, member)}
#define CODE(windows, of, member, names) {.key = windows, .type = JP_FIELD_CODE, AT(of, member), .choices = names}
#define BITS(windows, of, member, names) {.key = windows, .type = JP_FIELD_BITS, AT(of, member), .choices = names}
#define RECORD(windows, of, member, table) {.key = windows, .type = JP_FIELD_RECORD, AT(of, member), .fields = table}

static const struct jp_field accounting[] = {
    NUMBER64("TotalUserTime", jp_job_accounting, total_user_time_100ns),
    NUMBER64("TotalKernelTime", jp_job_accounting, total_kernel_time_100ns),
    NUMBER64("ThisPeriodTotalUserTime", jp_job_accounting, this_period_total_user_time_100ns),
    NUMBER64("ThisPeriodTotalKernelTime", jp_job_accounting, this_period_total_kernel_time_100ns),
    NUMBER32("TotalPageFaultCount", jp_job_accounting, total_page_fault_count),
    NUMBER32("TotalProcesses", jp_job_accounting, total_processes),
    NUMBER32("ActiveProcesses", jp_job_accounting, active_processes),
    NUMBER32("TotalTerminatedProcesses", jp_job_accounting, total_terminated_processes),
    {0}};

static const struct jp_field io[] = {
    NUMBER64("ReadOperationCount", jp_job_io, read_operation_count),
    NUMBER64("WriteOperationCount", jp_job_io, write_operation_count),
    NUMBER64("OtherOperationCount", jp_job_io, other_operation_count),
    NUMBER64("ReadTransferCount", jp_job_io, read_transfer_bytes),
    NUMBER64("WriteTransferCount", jp_job_io, write_transfer_bytes),
    NUMBER64("OtherTransferCount", jp_job_io, other_transfer_bytes),
    {0}};

static const struct jp_field accounting_and_io[] = {
    RECORD("BasicInfo", jp_job_accounting_and_io, basic, accounting), RECORD("IoInfo", jp_job_accounting_and_io, io, io), {0}};

static const struct jp_field basic_limits[] = {
    NUMBER64("PerProcessUserTimeLimit", jp_job_basic_limits, per_process_user_time_limit_100ns),
    NUMBER64("PerJobUserTimeLimit", jp_job_basic_limits, per_job_user_time_limit_100ns),
    BITS("LimitFlags", jp_job_basic_limits, limit_flags, limit_choices),
    NUMBER64("MinimumWorkingSetSize", jp_job_basic_limits, minimum_working_set_bytes),
    NUMBER64("MaximumWorkingSetSize", jp_job_basic_limits, maximum_working_set_bytes),
    NUMBER32("ActiveProcessLimit", jp_job_basic_limits, active_process_limit),
    NUMBER64("Affinity", jp_job_basic_limits, affinity),
    CODE("PriorityClass", jp_job_basic_limits, priority_class, priority_choices),
    NUMBER32("SchedulingClass", jp_job_basic_limits, scheduling_class),
    {0}};

static const struct jp_field extended_limits[] = {
    RECORD("BasicLimitInformation", jp_job_extended_limits, basic, basic_limits),
    RECORD("IoInfo", jp_job_extended_limits, io, io),
    NUMBER64("ProcessMemoryLimit", jp_job_extended_limits, process_memory_limit_bytes),
    NUMBER64("JobMemoryLimit", jp_job_extended_limits, job_memory_limit_bytes),
    NUMBER64("PeakProcessMemoryUsed", jp_job_extended_limits, peak_process_memory_bytes),
    NUMBER64("PeakJobMemoryUsed", jp_job_extended_limits, peak_job_memory_bytes),
    {0}};

/* Classes of one number: the record is the number itself. */
static const struct jp_field ui_restrictions[] = {
    {.key = "UIRestrictionsClass", .type = JP_FIELD_BITS, .offset = 0, .choices = ui_choices}, {0}};
static const struct jp_field end_of_job_time[] = {
    {.key = "EndOfJobTimeAction", .type = JP_FIELD_CODE, .offset = 0, .choices = end_choices}, {0}};
static const struct jp_field member_level[] = {{.key = "MemberLevel", .type = JP_FIELD_U32, .offset = 0}, {0}};

static const struct jp_field notification[] = {
    NUMBER64("IoReadBytesLimit", jp_job_notification_limits, io_read_bytes_limit),
    NUMBER64("IoWriteBytesLimit", jp_job_notification_limits, io_write_bytes_limit),
    NUMBER64("PerJobUserTimeLimit", jp_job_notification_limits, per_job_user_time_limit_100ns),
    NUMBER64("JobMemoryLimit", jp_job_notification_limits, job_high_memory_limit_bytes),
    CODE("RateControlTolerance", jp_job_notification_limits, cpu_tolerance, tolerance_choices),
    CODE("RateControlToleranceInterval", jp_job_notification_limits, cpu_tolerance_interval, interval_choices),
    BITS("LimitFlags", jp_job_notification_limits, limit_flags, limit_choices),
    {0}};

static const struct jp_field notification_2[] = {
    NUMBER64("IoReadBytesLimit", jp_job_notification_limits, io_read_bytes_limit),
    NUMBER64("IoWriteBytesLimit", jp_job_notification_limits, io_write_bytes_limit),
    NUMBER64("PerJobUserTimeLimit", jp_job_notification_limits, per_job_user_time_limit_100ns),
    NUMBER64("JobHighMemoryLimit", jp_job_notification_limits, job_high_memory_limit_bytes),
    CODE("CpuRateControlTolerance", jp_job_notification_limits, cpu_tolerance, tolerance_choices),
    CODE("CpuRateControlToleranceInterval", jp_job_notification_limits, cpu_tolerance_interval, interval_choices),
    BITS("LimitFlags", jp_job_notification_limits, limit_flags, limit_choices),
    CODE("IoRateControlTolerance", jp_job_notification_limits, io_tolerance, tolerance_choices),
    NUMBER64("JobLowMemoryLimit", jp_job_notification_limits, job_low_memory_limit_bytes),
    CODE("IoRateControlToleranceInterval", jp_job_notification_limits, io_tolerance_interval, interval_choices),
    CODE("NetRateControlTolerance", jp_job_notification_limits, net_tolerance, tolerance_choices),
    CODE("NetRateControlToleranceInterval", jp_job_notification_limits, net_tolerance_interval, interval_choices),
    {0}};

/* What both versions tell alike. */
#define VIOLATION_COUNTS                                                                                    \
    BITS("LimitFlags", jp_job_violations, limit_flags, limit_choices),                                      \
    BITS("ViolationLimitFlags", jp_job_violations, violation_limit_flags, limit_choices),                   \
    NUMBER64("IoReadBytes", jp_job_violations, io_read_bytes),                                              \
    NUMBER64("IoReadBytesLimit", jp_job_violations, io_read_bytes_limit),                                   \
    NUMBER64("IoWriteBytes", jp_job_violations, io_write_bytes),                                            \
    NUMBER64("IoWriteBytesLimit", jp_job_violations, io_write_bytes_limit),                                 \
    NUMBER64("PerJobUserTime", jp_job_violations, per_job_user_time_100ns),                                 \
    NUMBER64("PerJobUserTimeLimit", jp_job_violations, per_job_user_time_limit_100ns),                      \
    NUMBER64("JobMemory", jp_job_violations, job_memory_bytes)

static const struct jp_field violations[] = {
    VIOLATION_COUNTS,
    NUMBER64("JobMemoryLimit", jp_job_violations, job_high_memory_limit_bytes),
    CODE("RateControlTolerance", jp_job_violations, cpu_tolerance, tolerance_choices),
    CODE("RateControlToleranceLimit", jp_job_violations, cpu_tolerance_limit, tolerance_choices),
    {0}};

static const struct jp_field violations_2[] = {
    VIOLATION_COUNTS,
    NUMBER64("JobHighMemoryLimit", jp_job_violations, job_high_memory_limit_bytes),
    CODE("CpuRateControlTolerance", jp_job_violations, cpu_tolerance, tolerance_choices),
    CODE("CpuRateControlToleranceLimit", jp_job_violations, cpu_tolerance_limit, tolerance_choices),
    NUMBER64("JobLowMemoryLimit", jp_job_violations, job_low_memory_limit_bytes),
    CODE("IoRateControlTolerance", jp_job_violations, io_tolerance, tolerance_choices),
    CODE("IoRateControlToleranceLimit", jp_job_violations, io_tolerance_limit, tolerance_choices),
    CODE("NetRateControlTolerance", jp_job_violations, net_tolerance, tolerance_choices),
    CODE("NetRateControlToleranceLimit", jp_job_violations, net_tolerance_limit, tolerance_choices),
    {0}};

static const struct jp_field memory_usage[] = {
    NUMBER64("JobMemory", jp_job_memory_usage, job_memory_bytes),
    NUMBER64("PeakJobMemoryUsed", jp_job_memory_usage, peak_job_memory_bytes),
    {0}};

static const struct jp_field net_rate[] = {
    NUMBER64("MaxBandwidth", jp_job_net_rate, max_bandwidth_bytes),
    BITS("ControlFlags", jp_job_net_rate, control_flags, net_choices),
    {.key = "DscpTag", .type = JP_FIELD_U32, AT(jp_job_net_rate, dscp_tag), .max = UINT8_MAX},
    {0}};

struct wide_group {
    uint64_t mask;
    uint32_t group; /* 16 bits of it */
};
static const struct jp_field group_affinity[] = {
    NUMBER64("Mask", wide_group, mask), {.key = "Group", .type = JP_FIELD_U32, AT(wide_group, group), .max = UINT16_MAX}, {0}};

/* A union: the flags say which of its members the dictionary has. */
#define CPU_FLAGS BITS("ControlFlags", jp_job_cpu_rate, control_flags, cpu_choices)
static const struct jp_field cpu_rate_cap[] = {CPU_FLAGS, NUMBER32("CpuRate", jp_job_cpu_rate, cpu_rate), {0}};
static const struct jp_field cpu_rate_weight[] = {CPU_FLAGS, NUMBER32("Weight", jp_job_cpu_rate, weight), {0}};
static const struct jp_field cpu_rate_range[] = {
    CPU_FLAGS,
    {.key = "MinRate", .type = JP_FIELD_U32, AT(jp_job_cpu_rate, min_rate), .max = UINT16_MAX},
    {.key = "MaxRate", .type = JP_FIELD_U32, AT(jp_job_cpu_rate, max_rate), .max = UINT16_MAX},
    {0}};

static const struct jp_field *cpu_rate_table(uint32_t flags) {
    if (flags & JP_JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED)
        return cpu_rate_weight;
    return flags & JP_JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE ? cpu_rate_range : cpu_rate_cap;
}

/* The union's table: `flags` are those of class 15. NULL: a list, or a class that is not in struct jp_job_info. */
static const struct jp_field *table_of(enum jp_job_class class, uint32_t flags) {
    switch (class) {
    case JP_JOB_BasicAccountingInformation:
        return accounting;
    case JP_JOB_BasicLimitInformation:
        return basic_limits;
    case JP_JOB_BasicUIRestrictions:
        return ui_restrictions;
    case JP_JOB_EndOfJobTimeInformation:
        return end_of_job_time;
    case JP_JOB_BasicAndIoAccountingInformation:
        return accounting_and_io;
    case JP_JOB_ExtendedLimitInformation:
        return extended_limits;
    case JP_JOB_JobSetInformation:
        return member_level;
    case JP_JOB_NotificationLimitInformation:
        return notification;
    case JP_JOB_LimitViolationInformation:
        return violations;
    case JP_JOB_CpuRateControlInformation:
        return cpu_rate_table(flags);
    case JP_JOB_MemoryUsageInformation:
        return memory_usage;
    case JP_JOB_NetRateControlInformation:
        return net_rate;
    case JP_JOB_NotificationLimitInformation2:
        return notification_2;
    case JP_JOB_LimitViolationInformation2:
        return violations_2;
    case JP_JOB_BasicProcessIdList:
    case JP_JOB_GroupInformation:
    case JP_JOB_GroupInformationEx:
    case JP_JOB_SecurityLimitInformation:
    case JP_JOB_AssociateCompletionPortInformation:
        break;
    }
    return NULL;
}

/* --- there and back --- */

static void *body(struct jp_job_info *info) { return &info->accounting; }
static const void *body_of(const struct jp_job_info *info) { return &info->accounting; }

static cJSON *write_group_affinity(const struct jp_job_group_affinity *affinity) {
    struct wide_group wide = {.mask = affinity->mask, .group = affinity->group};
    return jp_schema_write_record(group_affinity, &wide);
}

cJSON *jp_job_info_write(const struct jp_job_info *info) {
    const struct jp_field *table = table_of(info->class, info->cpu_rate.control_flags);
    if (table)
        return jp_schema_write_record(table, body_of(info));
    cJSON *list = cJSON_CreateArray();
    if (info->class == JP_JOB_BasicProcessIdList)
        for (size_t i = 0; i < info->pids.count; i++)
            cJSON_AddItemToArray(list, jp_json_u64(info->pids.items[i]));
    else if (info->class == JP_JOB_GroupInformation)
        for (size_t i = 0; i < info->groups.count; i++)
            cJSON_AddItemToArray(list, jp_json_u64(info->groups.items[i]));
    else if (info->class == JP_JOB_GroupInformationEx)
        for (size_t i = 0; i < info->group_affinities.count; i++)
            cJSON_AddItemToArray(list, write_group_affinity(&info->group_affinities.items[i]));
    return list;
}

static bool read_group(const struct jp_schema_context *context, const cJSON *item, struct jp_job_info *info, size_t index) {
    struct wide_group wide = {0};
    uint64_t number;
    if (info->class == JP_JOB_GroupInformationEx) {
        bool good = jp_schema_read_record(context, group_affinity, item, "", &wide);
        info->group_affinities.items[index] = (struct jp_job_group_affinity){.mask = wide.mask, .group = (uint16_t)wide.group};
        return good;
    }
    if (!jp_json_get_u64(item, &number) || number > UINT16_MAX) {
        jp_faults_add(context->faults, item, false, "expected the number of a processor group");
        return false;
    }
    info->groups.items[index] = (uint16_t)number;
    return true;
}

enum { MOST_GROUPS = 256 };

static bool read_groups(const struct jp_schema_context *context, const cJSON *json, struct jp_job_info *info) {
    size_t count = (size_t)cJSON_GetArraySize(json);
    if (!cJSON_IsArray(json) || !count || count > MOST_GROUPS) {
        jp_faults_add(context->faults, json, false, "expected a list of 1 to %d processor groups", MOST_GROUPS);
        return false;
    }
    if (info->class == JP_JOB_GroupInformation) {
        info->groups.items = jp_alloc(count * sizeof *info->groups.items);
        info->groups.count = count;
    } else {
        info->group_affinities.items = jp_alloc(count * sizeof *info->group_affinities.items);
        info->group_affinities.count = count;
    }
    size_t index = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, json) {
        if (!read_group(context, item, info, index++))
            return false;
    }
    return true;
}

/* Which of the union's tables a dictionary wants: flags that cannot be read are told by the reading itself. */
static uint32_t cpu_flags_of(const cJSON *json) {
    static const struct jp_field flags_only[] = {CPU_FLAGS, {0}};
    struct jp_faults ignored = {0};
    struct jp_schema_context context = {.faults = &ignored};
    struct jp_job_cpu_rate rate = {0};
    cJSON *only = cJSON_CreateObject();
    cJSON_AddItemToObject(only, "ControlFlags", cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(json, "ControlFlags"), true));
    jp_schema_read_record(&context, flags_only, only, "", &rate);
    cJSON_Delete(only);
    jp_faults_free(&ignored);
    return rate.control_flags;
}

jp_status jp_job_info_read(enum jp_job_class class, const cJSON *json, struct jp_job_info *ret_info, struct jp_error *error) {
    struct jp_faults faults = {0};
    struct jp_schema_context context = {.faults = &faults};
    const struct jp_job_class_row *row = jp_job_class_find(class);
    const struct jp_field *table = table_of(class, class == JP_JOB_CpuRateControlInformation ? cpu_flags_of(json) : 0);
    bool groups = class == JP_JOB_GroupInformation || class == JP_JOB_GroupInformationEx;
    *ret_info = (struct jp_job_info){.class = class};
    if (!row || (!table && !groups))
        return jp_fail(error, JP_E_PARAMS, "class %d has nothing that can be given", (int)class);
    bool good = groups ? read_groups(&context, json, ret_info) : jp_schema_read_record(&context, table, json, "", body(ret_info));
    jp_status status = JP_OK;
    if (!good) {
        status = jp_fail(error, JP_E_PARAMS, "%s: %s", row->name, faults.items[0].text);
        jp_job_info_clear(ret_info);
    }
    jp_faults_free(&faults);
    return status;
}

static cJSON *write_settings(const struct jp_job_info *info) {
    static const char *const only_read[] = {"PeakProcessMemoryUsed", "PeakJobMemoryUsed", "IoInfo"};
    cJSON *json = jp_job_info_write(info);
    for (size_t i = 0; info->class == JP_JOB_ExtendedLimitInformation && i < sizeof only_read / sizeof *only_read; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(json, only_read[i]);
    return json;
}

/* By their texts: cJSON_Compare takes numbers for equal that differ in the last of 53 bits. */
bool jp_job_info_equal(const struct jp_job_info *one, const struct jp_job_info *other) {
    struct jp_str a = {0}, b = {0};
    if (memcmp((const void *)one, (const void *)other, sizeof *one) == 0) /* the usual case, without the texts; padding at worst costs them */
        return true;
    cJSON *json_a = write_settings(one), *json_b = write_settings(other);
    jp_json_print(json_a, &a);
    jp_json_print(json_b, &b);
    bool equal = one->class == other->class && strcmp(jp_str_text(&a), jp_str_text(&b)) == 0;
    cJSON_Delete(json_a);
    cJSON_Delete(json_b);
    jp_str_free(&a);
    jp_str_free(&b);
    return equal;
}
