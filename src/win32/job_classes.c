/* Owns the translation between struct jp_job_info and Windows' structures, one row for each information class. */
#include "win32/job_classes.h"

#include "base/status.h"

/* --- the constants and structures are Windows' --- */

#define SAME(name, value) _Static_assert(JP_JOB_OBJECT_##name == JOB_OBJECT_##name, "JOB_OBJECT_" #name);
JP_JOB_LIMIT_TABLE(SAME)
JP_JOB_UI_TABLE(SAME)
JP_JOB_SECURITY_TABLE(SAME)
JP_JOB_END_TABLE(SAME)
#undef SAME
#define SAME(name, value) _Static_assert((value) == JOB_OBJECT_##name, "JOB_OBJECT_" #name);
JP_JOB_MESSAGE_TABLE(SAME)
#undef SAME
#define SAME(name, value) _Static_assert((int)JP_JOB_##name == (int)name, #name);
JP_JOB_TOLERANCE_TABLE(SAME)
JP_JOB_TOLERANCE_INTERVAL_TABLE(SAME)
JP_JOB_PRIORITY_TABLE(SAME)
#undef SAME
#define SAME(name) _Static_assert(JP_JOB_OBJECT_##name == JOB_OBJECT_##name, "JOB_OBJECT_" #name)
SAME(ASSIGN_PROCESS);
SAME(SET_ATTRIBUTES);
SAME(QUERY);
SAME(TERMINATE);
SAME(SET_SECURITY_ATTRIBUTES);
SAME(LIMIT_JOB_MEMORY_HIGH);
SAME(LIMIT_RATE_CONTROL);
SAME(LIMIT_VALID_FLAGS);
SAME(BASIC_LIMIT_VALID_FLAGS);
SAME(EXTENDED_LIMIT_VALID_FLAGS);
SAME(RESERVED_LIMIT_VALID_FLAGS);
SAME(CPU_RATE_CONTROL_ENABLE);
SAME(CPU_RATE_CONTROL_WEIGHT_BASED);
SAME(CPU_RATE_CONTROL_HARD_CAP);
SAME(CPU_RATE_CONTROL_NOTIFY);
SAME(CPU_RATE_CONTROL_MIN_MAX_RATE);
#undef SAME
/* Masks that grew with Windows: newer headers know one more right (for containers), older ones fewer flags. */
_Static_assert((JP_JOB_OBJECT_ALL_ACCESS & JOB_OBJECT_ALL_ACCESS) == JP_JOB_OBJECT_ALL_ACCESS, "JOB_OBJECT_ALL_ACCESS");
_Static_assert((JP_JOB_OBJECT_CPU_RATE_CONTROL_VALID_FLAGS & JOB_OBJECT_CPU_RATE_CONTROL_VALID_FLAGS) ==
                   JOB_OBJECT_CPU_RATE_CONTROL_VALID_FLAGS,
               "JOB_OBJECT_CPU_RATE_CONTROL_VALID_FLAGS");
_Static_assert((JP_JOB_OBJECT_NOTIFICATION_LIMIT_VALID_FLAGS & JOB_OBJECT_NOTIFICATION_LIMIT_VALID_FLAGS) ==
                   JOB_OBJECT_NOTIFICATION_LIMIT_VALID_FLAGS,
               "JOB_OBJECT_NOTIFICATION_LIMIT_VALID_FLAGS");

#define SAME(name) _Static_assert((int)JP_JOB_##name == (int)JobObject##name, "JobObject" #name)
SAME(BasicAccountingInformation);
SAME(BasicLimitInformation);
SAME(BasicProcessIdList);
SAME(BasicUIRestrictions);
SAME(SecurityLimitInformation);
SAME(EndOfJobTimeInformation);
SAME(AssociateCompletionPortInformation);
SAME(BasicAndIoAccountingInformation);
SAME(ExtendedLimitInformation);
SAME(JobSetInformation);
SAME(GroupInformation);
SAME(NotificationLimitInformation);
SAME(LimitViolationInformation);
SAME(GroupInformationEx);
SAME(CpuRateControlInformation);
#undef SAME

#define AT(type, member, where) _Static_assert(offsetof(struct type, member) == (where), #type "." #member)
_Static_assert(sizeof(struct jp__cpu_rate_information) == 8, "JOBOBJECT_CPU_RATE_CONTROL_INFORMATION");
_Static_assert(sizeof(struct jp__cpu_rate_information) == sizeof(JOBOBJECT_CPU_RATE_CONTROL_INFORMATION), "one size");
_Static_assert(sizeof(struct jp__memory_usage_information) == 16, "JOBOBJECT_MEMORY_USAGE_INFORMATION");
_Static_assert(sizeof(struct jp__net_rate_information) == 16, "JOBOBJECT_NET_RATE_CONTROL_INFORMATION");
AT(jp__net_rate_information, flags, 8);
AT(jp__net_rate_information, dscp_tag, 12);
_Static_assert(sizeof(struct jp__notification_information_2) == 72, "JOBOBJECT_NOTIFICATION_LIMIT_INFORMATION_2");
AT(jp__notification_information_2, job_high_memory_limit, 24);
AT(jp__notification_information_2, limit_flags, 40);
AT(jp__notification_information_2, io_tolerance, 44);
AT(jp__notification_information_2, job_low_memory_limit, 48);
AT(jp__notification_information_2, net_tolerance_interval, 64);
_Static_assert(sizeof(struct jp__violation_information_2) == 104, "JOBOBJECT_LIMIT_VIOLATION_INFORMATION_2");
AT(jp__violation_information_2, per_job_user_time, 40);
AT(jp__violation_information_2, cpu_tolerance, 72);
AT(jp__violation_information_2, job_low_memory_limit, 80);
AT(jp__violation_information_2, net_tolerance_limit, 100);
#undef AT

/* --- each class --- */

static LARGE_INTEGER large(uint64_t value) { return (LARGE_INTEGER){.QuadPart = (LONGLONG)value}; }
static uint64_t number(LARGE_INTEGER value) { return (uint64_t)value.QuadPart; }

static struct jp_job_accounting accounting_of(const JOBOBJECT_BASIC_ACCOUNTING_INFORMATION *from) {
    return (struct jp_job_accounting){
        .total_user_time_100ns = number(from->TotalUserTime),
        .total_kernel_time_100ns = number(from->TotalKernelTime),
        .this_period_total_user_time_100ns = number(from->ThisPeriodTotalUserTime),
        .this_period_total_kernel_time_100ns = number(from->ThisPeriodTotalKernelTime),
        .total_page_fault_count = from->TotalPageFaultCount,
        .total_processes = from->TotalProcesses,
        .active_processes = from->ActiveProcesses,
        .total_terminated_processes = from->TotalTerminatedProcesses,
    };
}

static struct jp_job_io io_of(const IO_COUNTERS *from) {
    return (struct jp_job_io){
        .read_operation_count = from->ReadOperationCount,
        .write_operation_count = from->WriteOperationCount,
        .other_operation_count = from->OtherOperationCount,
        .read_transfer_bytes = from->ReadTransferCount,
        .write_transfer_bytes = from->WriteTransferCount,
        .other_transfer_bytes = from->OtherTransferCount,
    };
}

static IO_COUNTERS io_to(const struct jp_job_io *from) {
    return (IO_COUNTERS){
        .ReadOperationCount = from->read_operation_count,
        .WriteOperationCount = from->write_operation_count,
        .OtherOperationCount = from->other_operation_count,
        .ReadTransferCount = from->read_transfer_bytes,
        .WriteTransferCount = from->write_transfer_bytes,
        .OtherTransferCount = from->other_transfer_bytes,
    };
}

static struct jp_job_basic_limits basic_limits_of(const JOBOBJECT_BASIC_LIMIT_INFORMATION *from) {
    return (struct jp_job_basic_limits){
        .per_process_user_time_limit_100ns = number(from->PerProcessUserTimeLimit),
        .per_job_user_time_limit_100ns = number(from->PerJobUserTimeLimit),
        .limit_flags = from->LimitFlags,
        .minimum_working_set_bytes = from->MinimumWorkingSetSize,
        .maximum_working_set_bytes = from->MaximumWorkingSetSize,
        .active_process_limit = from->ActiveProcessLimit,
        .affinity = from->Affinity,
        .priority_class = from->PriorityClass,
        .scheduling_class = from->SchedulingClass,
    };
}

static JOBOBJECT_BASIC_LIMIT_INFORMATION basic_limits_to(const struct jp_job_basic_limits *from) {
    return (JOBOBJECT_BASIC_LIMIT_INFORMATION){
        .PerProcessUserTimeLimit = large(from->per_process_user_time_limit_100ns),
        .PerJobUserTimeLimit = large(from->per_job_user_time_limit_100ns),
        .LimitFlags = from->limit_flags,
        .MinimumWorkingSetSize = from->minimum_working_set_bytes,
        .MaximumWorkingSetSize = from->maximum_working_set_bytes,
        .ActiveProcessLimit = from->active_process_limit,
        .Affinity = from->affinity,
        .PriorityClass = from->priority_class,
        .SchedulingClass = from->scheduling_class,
    };
}

static void read_accounting(const union jp__job_record *from, struct jp_job_info *to) { to->accounting = accounting_of(&from->accounting); }

static void read_basic_limits(const union jp__job_record *from, struct jp_job_info *to) {
    to->basic_limits = basic_limits_of(&from->basic_limits);
}
static void write_basic_limits(const struct jp_job_info *from, union jp__job_record *to) {
    to->basic_limits = basic_limits_to(&from->basic_limits);
}

static void read_ui(const union jp__job_record *from, struct jp_job_info *to) { to->ui_restrictions = from->ui.UIRestrictionsClass; }
static void write_ui(const struct jp_job_info *from, union jp__job_record *to) { to->ui.UIRestrictionsClass = from->ui_restrictions; }

static void read_end_of_job_time(const union jp__job_record *from, struct jp_job_info *to) {
    to->end_of_job_time_action = from->end_of_job_time.EndOfJobTimeAction;
}
static void write_end_of_job_time(const struct jp_job_info *from, union jp__job_record *to) {
    to->end_of_job_time.EndOfJobTimeAction = from->end_of_job_time_action;
}

static void read_accounting_and_io(const union jp__job_record *from, struct jp_job_info *to) {
    to->accounting_and_io = (struct jp_job_accounting_and_io){
        .basic = accounting_of(&from->accounting_and_io.BasicInfo),
        .io = io_of(&from->accounting_and_io.IoInfo),
    };
}

static void read_extended_limits(const union jp__job_record *from, struct jp_job_info *to) {
    const JOBOBJECT_EXTENDED_LIMIT_INFORMATION *limits = &from->extended_limits;
    to->extended_limits = (struct jp_job_extended_limits){
        .basic = basic_limits_of(&limits->BasicLimitInformation),
        .io = io_of(&limits->IoInfo),
        .process_memory_limit_bytes = limits->ProcessMemoryLimit,
        .job_memory_limit_bytes = limits->JobMemoryLimit,
        .peak_process_memory_bytes = limits->PeakProcessMemoryUsed,
        .peak_job_memory_bytes = limits->PeakJobMemoryUsed,
    };
}
static void write_extended_limits(const struct jp_job_info *from, union jp__job_record *to) {
    const struct jp_job_extended_limits *limits = &from->extended_limits;
    to->extended_limits = (JOBOBJECT_EXTENDED_LIMIT_INFORMATION){
        .BasicLimitInformation = basic_limits_to(&limits->basic),
        .IoInfo = io_to(&limits->io),
        .ProcessMemoryLimit = limits->process_memory_limit_bytes,
        .JobMemoryLimit = limits->job_memory_limit_bytes,
        .PeakProcessMemoryUsed = limits->peak_process_memory_bytes,
        .PeakJobMemoryUsed = limits->peak_job_memory_bytes,
    };
}

static void read_job_set(const union jp__job_record *from, struct jp_job_info *to) { to->member_level = from->job_set.MemberLevel; }
static void write_job_set(const struct jp_job_info *from, union jp__job_record *to) { to->job_set.MemberLevel = from->member_level; }

static void read_notification(const union jp__job_record *from, struct jp_job_info *to) {
    const JOBOBJECT_NOTIFICATION_LIMIT_INFORMATION *limits = &from->notification;
    to->notification = (struct jp_job_notification_limits){
        .io_read_bytes_limit = limits->IoReadBytesLimit,
        .io_write_bytes_limit = limits->IoWriteBytesLimit,
        .per_job_user_time_limit_100ns = number(limits->PerJobUserTimeLimit),
        .job_high_memory_limit_bytes = limits->JobMemoryLimit,
        .cpu_tolerance = (uint32_t)limits->RateControlTolerance,
        .cpu_tolerance_interval = (uint32_t)limits->RateControlToleranceInterval,
        .limit_flags = limits->LimitFlags,
    };
}
static void write_notification(const struct jp_job_info *from, union jp__job_record *to) {
    const struct jp_job_notification_limits *limits = &from->notification;
    to->notification = (JOBOBJECT_NOTIFICATION_LIMIT_INFORMATION){
        .IoReadBytesLimit = limits->io_read_bytes_limit,
        .IoWriteBytesLimit = limits->io_write_bytes_limit,
        .PerJobUserTimeLimit = large(limits->per_job_user_time_limit_100ns),
        .JobMemoryLimit = limits->job_high_memory_limit_bytes,
        .RateControlTolerance = (JOBOBJECT_RATE_CONTROL_TOLERANCE)limits->cpu_tolerance,
        .RateControlToleranceInterval = (JOBOBJECT_RATE_CONTROL_TOLERANCE_INTERVAL)limits->cpu_tolerance_interval,
        .LimitFlags = limits->limit_flags,
    };
}

static void read_notification_2(const union jp__job_record *from, struct jp_job_info *to) {
    const struct jp__notification_information_2 *limits = &from->notification_2;
    to->notification = (struct jp_job_notification_limits){
        .io_read_bytes_limit = limits->io_read_bytes_limit,
        .io_write_bytes_limit = limits->io_write_bytes_limit,
        .per_job_user_time_limit_100ns = (uint64_t)limits->per_job_user_time_limit,
        .job_high_memory_limit_bytes = limits->job_high_memory_limit,
        .job_low_memory_limit_bytes = limits->job_low_memory_limit,
        .cpu_tolerance = limits->cpu_tolerance,
        .cpu_tolerance_interval = limits->cpu_tolerance_interval,
        .io_tolerance = limits->io_tolerance,
        .io_tolerance_interval = limits->io_tolerance_interval,
        .net_tolerance = limits->net_tolerance,
        .net_tolerance_interval = limits->net_tolerance_interval,
        .limit_flags = limits->limit_flags,
    };
}
static void write_notification_2(const struct jp_job_info *from, union jp__job_record *to) {
    const struct jp_job_notification_limits *limits = &from->notification;
    to->notification_2 = (struct jp__notification_information_2){
        .io_read_bytes_limit = limits->io_read_bytes_limit,
        .io_write_bytes_limit = limits->io_write_bytes_limit,
        .per_job_user_time_limit = (int64_t)limits->per_job_user_time_limit_100ns,
        .job_high_memory_limit = limits->job_high_memory_limit_bytes,
        .job_low_memory_limit = limits->job_low_memory_limit_bytes,
        .cpu_tolerance = limits->cpu_tolerance,
        .cpu_tolerance_interval = limits->cpu_tolerance_interval,
        .io_tolerance = limits->io_tolerance,
        .io_tolerance_interval = limits->io_tolerance_interval,
        .net_tolerance = limits->net_tolerance,
        .net_tolerance_interval = limits->net_tolerance_interval,
        .limit_flags = limits->limit_flags,
    };
}

static void read_violations(const union jp__job_record *from, struct jp_job_info *to) {
    const JOBOBJECT_LIMIT_VIOLATION_INFORMATION *violations = &from->violations;
    to->violations = (struct jp_job_violations){
        .limit_flags = violations->LimitFlags,
        .violation_limit_flags = violations->ViolationLimitFlags,
        .io_read_bytes = violations->IoReadBytes,
        .io_read_bytes_limit = violations->IoReadBytesLimit,
        .io_write_bytes = violations->IoWriteBytes,
        .io_write_bytes_limit = violations->IoWriteBytesLimit,
        .per_job_user_time_100ns = number(violations->PerJobUserTime),
        .per_job_user_time_limit_100ns = number(violations->PerJobUserTimeLimit),
        .job_memory_bytes = violations->JobMemory,
        .job_high_memory_limit_bytes = violations->JobMemoryLimit,
        .cpu_tolerance = (uint32_t)violations->RateControlTolerance,
        .cpu_tolerance_limit = (uint32_t)violations->RateControlToleranceLimit,
    };
}

static void read_violations_2(const union jp__job_record *from, struct jp_job_info *to) {
    const struct jp__violation_information_2 *violations = &from->violations_2;
    to->violations = (struct jp_job_violations){
        .limit_flags = violations->limit_flags,
        .violation_limit_flags = violations->violation_limit_flags,
        .io_read_bytes = violations->io_read_bytes,
        .io_read_bytes_limit = violations->io_read_bytes_limit,
        .io_write_bytes = violations->io_write_bytes,
        .io_write_bytes_limit = violations->io_write_bytes_limit,
        .per_job_user_time_100ns = (uint64_t)violations->per_job_user_time,
        .per_job_user_time_limit_100ns = (uint64_t)violations->per_job_user_time_limit,
        .job_memory_bytes = violations->job_memory,
        .job_high_memory_limit_bytes = violations->job_high_memory_limit,
        .job_low_memory_limit_bytes = violations->job_low_memory_limit,
        .cpu_tolerance = violations->cpu_tolerance,
        .cpu_tolerance_limit = violations->cpu_tolerance_limit,
        .io_tolerance = violations->io_tolerance,
        .io_tolerance_limit = violations->io_tolerance_limit,
        .net_tolerance = violations->net_tolerance,
        .net_tolerance_limit = violations->net_tolerance_limit,
    };
}

/* A union there: the flags say which member it is. */
static void read_cpu_rate(const union jp__job_record *from, struct jp_job_info *to) {
    const struct jp__cpu_rate_information *rate = &from->cpu_rate;
    to->cpu_rate = (struct jp_job_cpu_rate){.control_flags = rate->flags};
    if (rate->flags & JP_JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED) {
        to->cpu_rate.weight = rate->value.weight;
    } else if (rate->flags & JP_JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE) {
        to->cpu_rate.min_rate = rate->value.range.min;
        to->cpu_rate.max_rate = rate->value.range.max;
    } else {
        to->cpu_rate.cpu_rate = rate->value.rate;
    }
}
static void write_cpu_rate(const struct jp_job_info *from, union jp__job_record *to) {
    const struct jp_job_cpu_rate *rate = &from->cpu_rate;
    to->cpu_rate.flags = rate->control_flags;
    if (rate->control_flags & JP_JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED) {
        to->cpu_rate.value.weight = rate->weight;
    } else if (rate->control_flags & JP_JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE) {
        to->cpu_rate.value.range.min = (uint16_t)rate->min_rate;
        to->cpu_rate.value.range.max = (uint16_t)rate->max_rate;
    } else {
        to->cpu_rate.value.rate = rate->cpu_rate;
    }
}

static void read_memory_usage(const union jp__job_record *from, struct jp_job_info *to) {
    to->memory_usage = (struct jp_job_memory_usage){
        .job_memory_bytes = from->memory_usage.job_memory,
        .peak_job_memory_bytes = from->memory_usage.peak_job_memory,
    };
}

static void read_net_rate(const union jp__job_record *from, struct jp_job_info *to) {
    to->net_rate = (struct jp_job_net_rate){
        .max_bandwidth_bytes = from->net_rate.max_bandwidth,
        .control_flags = from->net_rate.flags,
        .dscp_tag = from->net_rate.dscp_tag,
    };
}
static void write_net_rate(const struct jp_job_info *from, union jp__job_record *to) {
    to->net_rate = (struct jp__net_rate_information){
        .max_bandwidth = from->net_rate.max_bandwidth_bytes,
        .flags = from->net_rate.control_flags,
        .dscp_tag = (uint8_t)from->net_rate.dscp_tag,
    };
}

#define ROW(name) JP_JOB_##name, "JobObject" #name
#define SIZE(member) JP__RECORD, sizeof((union jp__job_record *)NULL)->member
/* Which Windows: the pages of QueryInformationJobObject and SetInformationJobObject; for 28 phnt. */
static const struct jp__job_class rows[] = {
    {ROW(BasicAccountingInformation), NULL, SIZE(accounting), read_accounting, NULL},
    {ROW(BasicLimitInformation), NULL, SIZE(basic_limits), read_basic_limits, write_basic_limits},
    {ROW(BasicProcessIdList), NULL, JP__PIDS, 0, NULL, NULL},
    {ROW(BasicUIRestrictions), NULL, SIZE(ui), read_ui, write_ui},
    {ROW(SecurityLimitInformation), NULL, JP__NOT_WINDOWS, 0, NULL, NULL},
    {ROW(EndOfJobTimeInformation), NULL, SIZE(end_of_job_time), read_end_of_job_time, write_end_of_job_time},
    {ROW(AssociateCompletionPortInformation), NULL, JP__NOT_WINDOWS, 0, NULL, NULL},
    {ROW(BasicAndIoAccountingInformation), NULL, SIZE(accounting_and_io), read_accounting_and_io, NULL},
    {ROW(ExtendedLimitInformation), NULL, SIZE(extended_limits), read_extended_limits, write_extended_limits},
    {ROW(JobSetInformation), NULL, SIZE(job_set), read_job_set, write_job_set},
    {ROW(GroupInformation), "Windows 7", JP__GROUPS, 0, NULL, NULL},
    {ROW(NotificationLimitInformation), "Windows 8", SIZE(notification), read_notification, write_notification},
    {ROW(LimitViolationInformation), "Windows 8", SIZE(violations), read_violations, NULL},
    {ROW(GroupInformationEx), "Windows 8", JP__GROUPS_EX, 0, NULL, NULL},
    {ROW(CpuRateControlInformation), "Windows 8", SIZE(cpu_rate), read_cpu_rate, write_cpu_rate},
    {ROW(MemoryUsageInformation), "Windows 10", SIZE(memory_usage), read_memory_usage, NULL},
    {ROW(NetRateControlInformation), "Windows 10", SIZE(net_rate), read_net_rate, write_net_rate},
    {ROW(NotificationLimitInformation2), "Windows 10", SIZE(notification_2), read_notification_2, write_notification_2},
    {ROW(LimitViolationInformation2), "Windows 10", SIZE(violations_2), read_violations_2, NULL},
};
#undef ROW
#undef SIZE

const struct jp__job_class *jp__job_class(enum jp_job_class class, struct jp_error *error) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].class != class)
            continue;
        if (rows[i].kind != JP__NOT_WINDOWS)
            return &rows[i];
        jp_fail(error, JP_E_UNSUPPORTED,
                class == JP_JOB_SecurityLimitInformation
                    ? "%s (%d) has not been in Windows since Vista; the JobPool service does it for its pools"
                    : "%s (%d) belongs to whoever reads the port; for a pool's job that is the JobPool service",
                rows[i].name, (int)class);
        return NULL;
    }
    jp_fail(error, JP_E_UNSUPPORTED, "%d is no information class of job objects that is documented", (int)class);
    return NULL;
}
