/* Information classes other than the limits: what may be asked and set, and what Windows refuses.
 * https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-queryinformationjobobject
 * https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-setinformationjobobject */
#include "sim_internal.h"

enum {
    NOTIFY_V1 = JP_JOB_OBJECT_LIMIT_JOB_TIME | JP_JOB_OBJECT_LIMIT_JOB_MEMORY | JP_JOB_OBJECT_LIMIT_JOB_READ_BYTES |
                JP_JOB_OBJECT_LIMIT_JOB_WRITE_BYTES | JP_JOB_OBJECT_LIMIT_CPU_RATE_CONTROL,
    NOTIFY_V2 = JP_JOB_OBJECT_NOTIFICATION_LIMIT_VALID_FLAGS,
    MAX_RATE = 10000,
    MAX_WEIGHT = 9,
    MAX_DSCP = 0x3F,
};

/* --- asking --- */

void jp__accounting(const struct sim_job *job, struct jp_job_accounting_and_io *ret_accounting) {
    struct jp_job_accounting *basic = &ret_accounting->basic;
    *ret_accounting = job->sum;
    basic->this_period_total_user_time_100ns = basic->total_user_time_100ns - job->period_user_base;
    basic->this_period_total_kernel_time_100ns = basic->total_kernel_time_100ns - job->period_kernel_base;
}

static void list_pids(const struct sim_job *job, struct jp_job_pid_list *list) {
    list->items = jp_alloc((job->member_count + 1) * sizeof *list->items);
    for (size_t i = 0; i < job->member_count; i++)
        list->items[list->count++] = job->members[i]->pid;
}

static void list_groups(const struct sim_job *job, struct jp_job_group_list *list) {
    list->items = jp_alloc(JP_SIM_MAX_GROUPS * sizeof *list->items);
    for (size_t group = 0; group < job->sim->group_count; group++)
        if (job->groups[group])
            list->items[list->count++] = (uint16_t)group;
}

static void list_affinities(const struct sim_job *job, struct jp_job_group_affinity_list *list) {
    list->items = jp_alloc(JP_SIM_MAX_GROUPS * sizeof *list->items);
    for (size_t group = 0; group < job->sim->group_count; group++)
        if (job->groups[group])
            list->items[list->count++] = (struct jp_job_group_affinity){.mask = job->groups[group], .group = (uint16_t)group};
}

/* The first version knows neither the low memory limit nor other rates than the processors'. */
static struct jp_job_notification_limits notification(const struct sim_job *job, bool first_version) {
    struct jp_job_notification_limits limits = job->notify;
    if (first_version) {
        limits.limit_flags &= NOTIFY_V1;
        limits.job_low_memory_limit_bytes = 0;
        limits.io_tolerance = limits.io_tolerance_interval = limits.net_tolerance = limits.net_tolerance_interval = 0;
    }
    return limits;
}

/* Having been asked, the kernel may send the next message. */
static struct jp_job_violations violations(struct sim_job *job, bool first_version) {
    struct jp_job_violations found = job->violations;
    struct jp_job_notification_limits limits = notification(job, first_version);
    found.limit_flags = limits.limit_flags;
    if (first_version)
        found.violation_limit_flags &= NOTIFY_V1;
    found.io_read_bytes_limit = limits.io_read_bytes_limit;
    found.io_write_bytes_limit = limits.io_write_bytes_limit;
    found.per_job_user_time_limit_100ns = limits.per_job_user_time_limit_100ns;
    found.job_high_memory_limit_bytes = limits.job_high_memory_limit_bytes;
    found.job_low_memory_limit_bytes = limits.job_low_memory_limit_bytes;
    found.cpu_tolerance_limit = limits.cpu_tolerance;
    found.io_tolerance_limit = limits.io_tolerance;
    found.net_tolerance_limit = limits.net_tolerance;
    job->violations = (struct jp_job_violations){0};
    job->violation_told = false;
    return found;
}

static void query_limits(const struct sim_job *job, enum jp_job_class class, struct jp_job_info *info) {
    if (job->sim->tells_no_limits)
        return;
    if (class == JP_JOB_ExtendedLimitInformation) {
        info->extended_limits = job->limits;
    } else {
        info->basic_limits = job->limits.basic;
        info->basic_limits.limit_flags &= JP_JOB_OBJECT_BASIC_LIMIT_VALID_FLAGS;
    }
}

/* False: there is no such class to be read. */
static bool query(struct sim_job *job, enum jp_job_class class, struct jp_job_info *info) {
    *info = (struct jp_job_info){.class = class};
    switch (class) {
    case JP_JOB_BasicAccountingInformation:
    case JP_JOB_BasicAndIoAccountingInformation: {
        struct jp_job_accounting_and_io all;
        jp__accounting(job, &all);
        if (class == JP_JOB_BasicAccountingInformation)
            info->accounting = all.basic;
        else
            info->accounting_and_io = all;
        return true;
    }
    case JP_JOB_BasicLimitInformation:
    case JP_JOB_ExtendedLimitInformation:
        query_limits(job, class, info);
        return true;
    case JP_JOB_BasicProcessIdList:
        list_pids(job, &info->pids);
        return true;
    case JP_JOB_BasicUIRestrictions:
        info->ui_restrictions = job->ui;
        return true;
    case JP_JOB_EndOfJobTimeInformation:
        info->end_of_job_time_action = job->end_action;
        return true;
    case JP_JOB_JobSetInformation: /* of no job set: level 0 */
        return true;
    case JP_JOB_GroupInformation:
        list_groups(job, &info->groups);
        return true;
    case JP_JOB_GroupInformationEx:
        list_affinities(job, &info->group_affinities);
        return true;
    case JP_JOB_NotificationLimitInformation:
    case JP_JOB_NotificationLimitInformation2:
        info->notification = notification(job, class == JP_JOB_NotificationLimitInformation);
        return true;
    case JP_JOB_LimitViolationInformation:
    case JP_JOB_LimitViolationInformation2:
        info->violations = violations(job, class == JP_JOB_LimitViolationInformation);
        return true;
    case JP_JOB_CpuRateControlInformation:
        info->cpu_rate = job->cpu;
        return true;
    case JP_JOB_NetRateControlInformation:
        info->net_rate = job->net;
        return true;
    case JP_JOB_MemoryUsageInformation:
        info->memory_usage = (struct jp_job_memory_usage){job->memory, job->limits.peak_job_memory_bytes};
        return true;
    case JP_JOB_SecurityLimitInformation:
    case JP_JOB_AssociateCompletionPortInformation:
        break;
    }
    return false;
}

jp_status jp__job_query(struct jp_job *handle, enum jp_job_class class, struct jp_job_info *ret_info, struct jp_error *error) {
    const char *operation = "QueryInformationJobObject";
    if (jp__fails(handle->sim, operation, error))
        return error->status;
    uint32_t win32 = jp__check_handle(handle, JP_JOB_OBJECT_QUERY);
    if (win32)
        return jp_fail_win32(error, jp__status_of(win32), win32, operation, "cannot read the job's information");
    if ((unsigned)class < JP_SIM_CLASSES)
        win32 = handle->sim->query_error[class];
    if (!win32 && query(handle->job, class, ret_info))
        return JP_OK;
    win32 = win32 ? win32 : WIN32_INVALID_PARAMETER;
    return jp_fail_win32(error, JP_E_UNSUPPORTED, win32, operation, "this host cannot read information class %d", (int)class);
}

/* --- setting --- */

static bool has_child(const struct sim_job *job) {
    for (size_t i = 0; i < job->sim->job_count; i++)
        if (job->sim->jobs[i]->parent == job && job->sim->jobs[i]->sum.basic.active_processes)
            return true;
    return false;
}

/* Jobs with limits on the user interface are not nested. */
static uint32_t set_ui(struct sim_job *job, uint32_t ui) {
    bool nested = (job->parent && job->sum.basic.active_processes) || has_child(job);
    if (ui & ~(uint32_t)JP_JOB_OBJECT_UI_VALID_FLAGS)
        return WIN32_INVALID_PARAMETER;
    if (ui && nested)
        return WIN32_ACCESS_DENIED;
    job->ui = job->sim->host.ui == JP_ENFORCED_BY_NONE ? 0 : ui;
    return 0;
}

/* Groups exclude the affinity limit, which is one of a single group. */
static uint32_t set_groups(struct sim_job *job, const struct jp_job_group_affinity *wanted, size_t count, bool masked) {
    uint64_t groups[JP_SIM_MAX_GROUPS] = {0};
    if (count == 0 || job->limits.basic.limit_flags & JP_JOB_OBJECT_LIMIT_AFFINITY)
        return WIN32_INVALID_PARAMETER;
    for (size_t i = 0; i < count; i++) {
        uint16_t group = wanted[i].group;
        if (group >= job->sim->group_count || groups[group])
            return WIN32_INVALID_PARAMETER;
        groups[group] = masked ? wanted[i].mask : job->sim->group_masks[group];
        if (!groups[group] || groups[group] & ~job->sim->group_masks[group])
            return WIN32_INVALID_PARAMETER;
    }
    memcpy(job->groups, groups, sizeof groups);
    job->grouped = true;
    job->group_masked = masked;
    return 0;
}

static uint32_t set_group_list(struct sim_job *job, const struct jp_job_group_list *list) {
    struct jp_job_group_affinity wanted[JP_SIM_MAX_GROUPS + 1] = {{0}};
    if (list->count > JP_SIM_MAX_GROUPS)
        return WIN32_INVALID_PARAMETER;
    for (size_t i = 0; i < list->count; i++)
        wanted[i].group = list->items[i];
    return set_groups(job, wanted, list->count, false);
}

static bool tolerance_valid(uint32_t tolerance, uint32_t interval) {
    return tolerance <= JP_JOB_ToleranceHigh && interval <= JP_JOB_ToleranceIntervalLong;
}

/* Without a value Windows takes the high tolerance and the short interval. */
static void default_tolerance(bool set, uint32_t *tolerance, uint32_t *interval) {
    *tolerance = set && !*tolerance ? JP_JOB_ToleranceHigh : set ? *tolerance : 0;
    *interval = set && !*interval ? JP_JOB_ToleranceIntervalShort : set ? *interval : 0;
}

static uint32_t set_notification(struct sim_job *job, const struct jp_job_notification_limits *wanted, uint32_t valid) {
    uint32_t flags = wanted->limit_flags;
    struct jp_job_notification_limits limits = {.limit_flags = flags};
    if (flags & ~valid)
        return WIN32_INVALID_PARAMETER;
    if (flags & JP_JOB_OBJECT_LIMIT_JOB_READ_BYTES)
        limits.io_read_bytes_limit = wanted->io_read_bytes_limit;
    if (flags & JP_JOB_OBJECT_LIMIT_JOB_WRITE_BYTES)
        limits.io_write_bytes_limit = wanted->io_write_bytes_limit;
    if (flags & JP_JOB_OBJECT_LIMIT_JOB_TIME)
        limits.per_job_user_time_limit_100ns = wanted->per_job_user_time_limit_100ns;
    if (flags & JP_JOB_OBJECT_LIMIT_JOB_MEMORY)
        limits.job_high_memory_limit_bytes = wanted->job_high_memory_limit_bytes;
    if (flags & JP_JOB_OBJECT_LIMIT_JOB_MEMORY_LOW)
        limits.job_low_memory_limit_bytes = wanted->job_low_memory_limit_bytes;
#define TOLERANCE(flag, kind)                                                                               \
    do {                                                                                                    \
        bool given = flags & JP_JOB_OBJECT_LIMIT_##flag##_RATE_CONTROL;                                     \
        limits.kind##_tolerance = wanted->kind##_tolerance;                                                 \
        limits.kind##_tolerance_interval = wanted->kind##_tolerance_interval;                               \
        if (given && !tolerance_valid(limits.kind##_tolerance, limits.kind##_tolerance_interval))           \
            return WIN32_INVALID_PARAMETER;                                                                 \
        default_tolerance(given, &limits.kind##_tolerance, &limits.kind##_tolerance_interval);              \
    } while (0)
    TOLERANCE(CPU, cpu);
    TOLERANCE(IO, io);
    TOLERANCE(NET, net);
#undef TOLERANCE
    job->notify = limits;
    job->notify_time_base = job->sum.basic.total_user_time_100ns; /* the time that was used counts on top */
    job->violations = (struct jp_job_violations){0};
    job->violation_told = false;
    return 0;
}

static uint32_t set_cpu_rate(struct sim_job *job, const struct jp_job_cpu_rate *wanted) {
    uint32_t flags = wanted->control_flags;
    const uint32_t weight = JP_JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED, range = JP_JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE;
    struct jp_job_cpu_rate rate = {.control_flags = flags};
    if (flags & ~(uint32_t)JP_JOB_OBJECT_CPU_RATE_CONTROL_VALID_FLAGS)
        return WIN32_INVALID_PARAMETER;
    if (!(flags & JP_JOB_OBJECT_CPU_RATE_CONTROL_ENABLE)) {
        bool was_on = job->cpu.control_flags & JP_JOB_OBJECT_CPU_RATE_CONTROL_ENABLE;
        if (flags || !was_on)
            return WIN32_INVALID_PARAMETER;
    } else if (flags & range) {
        if (flags & (weight | JP_JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP) || wanted->max_rate == 0 || wanted->max_rate > MAX_RATE ||
            wanted->min_rate > wanted->max_rate)
            return WIN32_INVALID_PARAMETER;
        rate.min_rate = wanted->min_rate;
        rate.max_rate = wanted->max_rate;
    } else if (flags & weight) {
        if (wanted->weight == 0 || wanted->weight > MAX_WEIGHT)
            return WIN32_INVALID_PARAMETER;
        rate.weight = wanted->weight;
    } else {
        if (wanted->cpu_rate == 0 || wanted->cpu_rate > MAX_RATE)
            return WIN32_INVALID_PARAMETER;
        rate.cpu_rate = wanted->cpu_rate;
    }
    job->cpu = rate;
    return 0;
}

static const struct sim_job *root_of(const struct sim_job *job) {
    while (job->parent)
        job = job->parent;
    return job;
}

/* One job of a hierarchy may control the network. */
static bool net_is_controlled_elsewhere(const struct sim_job *job) {
    for (size_t i = 0; i < job->sim->job_count; i++) {
        const struct sim_job *other = job->sim->jobs[i];
        if (other != job && other->net.control_flags && root_of(other) == root_of(job))
            return true;
    }
    return false;
}

static uint32_t set_net_rate(struct sim_job *job, const struct jp_job_net_rate *wanted) {
    uint32_t flags = wanted->control_flags;
    bool enabled = flags & JP_JOB_OBJECT_NET_RATE_CONTROL_ENABLE;
    if (flags & ~(uint32_t)JP_JOB_OBJECT_NET_RATE_CONTROL_VALID_FLAGS || (flags && !enabled))
        return WIN32_INVALID_PARAMETER;
    if (flags & JP_JOB_OBJECT_NET_RATE_CONTROL_DSCP_TAG && wanted->dscp_tag > MAX_DSCP)
        return WIN32_INVALID_PARAMETER;
    if (enabled && net_is_controlled_elsewhere(job))
        return WIN32_INVALID_PARAMETER;
    job->net = (struct jp_job_net_rate){.control_flags = flags};
    if (flags & JP_JOB_OBJECT_NET_RATE_CONTROL_MAX_BANDWIDTH)
        job->net.max_bandwidth_bytes = wanted->max_bandwidth_bytes;
    if (flags & JP_JOB_OBJECT_NET_RATE_CONTROL_DSCP_TAG)
        job->net.dscp_tag = wanted->dscp_tag;
    return 0;
}

static uint32_t set_end_action(struct sim_job *job, uint32_t action) {
    if (action > JP_JOB_OBJECT_POST_AT_END_OF_JOB)
        return WIN32_INVALID_PARAMETER;
    job->end_action = action;
    return 0;
}

/* False: there is no such class to be set. */
static bool set(struct sim_job *job, const struct jp_job_info *info, uint32_t *ret_win32) {
    switch (info->class) {
    case JP_JOB_BasicLimitInformation:
        *ret_win32 = jp__set_limits(job, info->class, &(struct jp_job_extended_limits){.basic = info->basic_limits});
        return true;
    case JP_JOB_ExtendedLimitInformation:
        *ret_win32 = jp__set_limits(job, info->class, &info->extended_limits);
        return true;
    case JP_JOB_BasicUIRestrictions:
        *ret_win32 = set_ui(job, info->ui_restrictions);
        return true;
    case JP_JOB_EndOfJobTimeInformation:
        *ret_win32 = set_end_action(job, info->end_of_job_time_action);
        return true;
    case JP_JOB_GroupInformation:
        *ret_win32 = set_group_list(job, &info->groups);
        return true;
    case JP_JOB_GroupInformationEx:
        *ret_win32 = set_groups(job, info->group_affinities.items, info->group_affinities.count, true);
        return true;
    case JP_JOB_NotificationLimitInformation:
        *ret_win32 = set_notification(job, &info->notification, NOTIFY_V1);
        return true;
    case JP_JOB_NotificationLimitInformation2:
        *ret_win32 = set_notification(job, &info->notification, NOTIFY_V2);
        return true;
    case JP_JOB_CpuRateControlInformation:
        *ret_win32 = set_cpu_rate(job, &info->cpu_rate);
        return true;
    case JP_JOB_NetRateControlInformation:
        *ret_win32 = set_net_rate(job, &info->net_rate);
        return true;
    default:
        return false;
    }
}

jp_status jp__job_set(struct jp_job *handle, const struct jp_job_info *info, struct jp_error *error) {
    const char *operation = "SetInformationJobObject";
    if (jp__fails(handle->sim, operation, error))
        return error->status;
    uint32_t win32 = jp__check_handle(handle, JP_JOB_OBJECT_SET_ATTRIBUTES);
    if (win32)
        return jp_fail_win32(error, jp__status_of(win32), win32, operation, "cannot set the job's information");
    if ((unsigned)info->class < JP_SIM_CLASSES)
        win32 = handle->sim->set_error[info->class];
    if (win32 || !set(handle->job, info, &win32))
        return jp_fail_win32(error, JP_E_UNSUPPORTED, win32 ? win32 : WIN32_INVALID_PARAMETER, operation,
                             "this host cannot set information class %d", (int)info->class);
    if (win32)
        return jp_fail_win32(error, jp__status_of(win32), win32, operation, "the kernel refuses this for information class %d",
                             (int)info->class);
    return JP_OK;
}

/* --- the truth --- */

bool jp_sim_job_accounting(const struct jp_sim *sim, const char *object_name, struct jp_job_accounting_and_io *ret_accounting) {
    const struct sim_job *job = jp__known_job(sim, object_name);
    if (job)
        jp__accounting(job, ret_accounting);
    return job != NULL;
}

bool jp_sim_job_limits(const struct jp_sim *sim, const char *object_name, struct jp_job_extended_limits *ret_limits) {
    const struct sim_job *job = jp__known_job(sim, object_name);
    if (job)
        *ret_limits = job->limits;
    return job != NULL;
}

uint32_t jp_sim_job_ui(const struct jp_sim *sim, const char *object_name) {
    const struct sim_job *job = jp__known_job(sim, object_name);
    return job ? job->ui : 0;
}
