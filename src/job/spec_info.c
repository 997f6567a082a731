/* A pool's spec as information classes, and information classes laid over a spec. */
#include "base/units.h"
#include "job/configure.h"

static bool given(const struct jp_limits *limits, enum jp_limit limit) { return limits->present & JP_SCHEMA_BIT(limit); }

static void set_given(struct jp_limits *limits, enum jp_limit limit, bool is) {
    limits->present = is ? limits->present | JP_SCHEMA_BIT(limit) : limits->present & ~JP_SCHEMA_BIT(limit);
}

/* Limits that one flag of classes 2 and 9 switches. Breakaway and kill-on-close have their own lines below. */
static const struct {
    enum jp_limit limit;
    uint32_t flag;
} flags_of_limits[] = {
    {JP_LIMIT_WORKING_SET, JP_JOB_OBJECT_LIMIT_WORKINGSET},
    {JP_LIMIT_PROCESS_TIME, JP_JOB_OBJECT_LIMIT_PROCESS_TIME},
    {JP_LIMIT_JOB_TIME, JP_JOB_OBJECT_LIMIT_JOB_TIME},
    {JP_LIMIT_ACTIVE_PROCESSES, JP_JOB_OBJECT_LIMIT_ACTIVE_PROCESS},
    {JP_LIMIT_AFFINITY, JP_JOB_OBJECT_LIMIT_AFFINITY},
    {JP_LIMIT_PRIORITY_CLASS, JP_JOB_OBJECT_LIMIT_PRIORITY_CLASS},
    {JP_LIMIT_SCHEDULING_CLASS, JP_JOB_OBJECT_LIMIT_SCHEDULING_CLASS},
    {JP_LIMIT_PROCESS_MEMORY, JP_JOB_OBJECT_LIMIT_PROCESS_MEMORY},
    {JP_LIMIT_JOB_MEMORY, JP_JOB_OBJECT_LIMIT_JOB_MEMORY},
    {JP_LIMIT_DIE_ON_UNHANDLED_EXCEPTION, JP_JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION},
    {JP_LIMIT_SUBSET_AFFINITY, JP_JOB_OBJECT_LIMIT_SUBSET_AFFINITY},
};
enum { FLAGGED = sizeof flags_of_limits / sizeof *flags_of_limits };

static bool is_on(const struct jp_limits *limits, enum jp_limit limit) {
    if (limit == JP_LIMIT_DIE_ON_UNHANDLED_EXCEPTION)
        return limits->die_on_unhandled_exception;
    if (limit == JP_LIMIT_SUBSET_AFFINITY)
        return limits->subset_affinity;
    return given(limits, limit);
}

/* --- from the spec --- */

static uint32_t limit_flags(const struct jp_pool_spec *spec) {
    const struct jp_limits *limits = &spec->limits;
    uint32_t flags = 0;
    for (size_t i = 0; i < FLAGGED; i++)
        if (is_on(limits, flags_of_limits[i].limit))
            flags |= flags_of_limits[i].flag;
    if (limits->breakaway == JP_BREAKAWAY_ALLOW)
        flags |= JP_JOB_OBJECT_LIMIT_BREAKAWAY_OK;
    if (limits->breakaway == JP_BREAKAWAY_SILENT)
        flags |= JP_JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
    if (jp_pool_spec_terminates(spec))
        flags |= JP_JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    return flags;
}

static struct jp_job_basic_limits basic_limits(const struct jp_pool_spec *spec) {
    const struct jp_limits *limits = &spec->limits;
    return (struct jp_job_basic_limits){
        .per_process_user_time_limit_100ns = limits->process_time_100ns,
        .per_job_user_time_limit_100ns = limits->job_time_100ns,
        .limit_flags = limit_flags(spec),
        .minimum_working_set_bytes = limits->working_set.min_bytes,
        .maximum_working_set_bytes = limits->working_set.max_bytes,
        .active_process_limit = limits->active_processes,
        .affinity = limits->affinity,
        .priority_class = limits->priority_class,
        .scheduling_class = limits->scheduling_class,
    };
}

static struct jp_job_cpu_rate cpu_rate(const struct jp_limits *limits) {
    const struct jp_cpu_rate *rate = &limits->cpu_rate;
    struct jp_job_cpu_rate result = {0};
    if (!given(limits, JP_LIMIT_CPU_RATE))
        return result;
    result.control_flags = JP_JOB_OBJECT_CPU_RATE_CONTROL_ENABLE | (rate->notify ? JP_JOB_OBJECT_CPU_RATE_CONTROL_NOTIFY : 0);
    if (rate->present & JP_SCHEMA_BIT(JP_CPU_HARD_CAP)) {
        result.control_flags |= JP_JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP;
        result.cpu_rate = rate->hard_cap;
    } else if (rate->present & JP_SCHEMA_BIT(JP_CPU_WEIGHT)) {
        result.control_flags |= JP_JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED;
        result.weight = rate->weight;
    } else {
        result.control_flags |= JP_JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE;
        result.min_rate = rate->min;
        result.max_rate = rate->max;
    }
    return result;
}

static struct jp_job_net_rate net_rate(const struct jp_limits *limits) {
    const struct jp_network_rate *rate = &limits->network_rate;
    struct jp_job_net_rate result = {0};
    if (!given(limits, JP_LIMIT_NETWORK_RATE))
        return result;
    result.control_flags = JP_JOB_OBJECT_NET_RATE_CONTROL_ENABLE;
    if (rate->present & JP_SCHEMA_BIT(JP_NETWORK_MAX_BANDWIDTH)) {
        result.control_flags |= JP_JOB_OBJECT_NET_RATE_CONTROL_MAX_BANDWIDTH;
        result.max_bandwidth_bytes = rate->max_bandwidth_bytes;
    }
    if (rate->present & JP_SCHEMA_BIT(JP_NETWORK_DSCP)) {
        result.control_flags |= JP_JOB_OBJECT_NET_RATE_CONTROL_DSCP_TAG;
        result.dscp_tag = rate->dscp;
    }
    return result;
}

static const struct {
    unsigned key;
    uint32_t flag;
    bool second; /* class 33 only */
} flags_of_notify[] = {
    {JP_NOTIFY_JOB_MEMORY, JP_JOB_OBJECT_LIMIT_JOB_MEMORY, false},
    {JP_NOTIFY_JOB_MEMORY_LOW, JP_JOB_OBJECT_LIMIT_JOB_MEMORY_LOW, true},
    {JP_NOTIFY_CPU_TIME, JP_JOB_OBJECT_LIMIT_JOB_TIME, false},
    {JP_NOTIFY_IO_READ, JP_JOB_OBJECT_LIMIT_JOB_READ_BYTES, false},
    {JP_NOTIFY_IO_WRITE, JP_JOB_OBJECT_LIMIT_JOB_WRITE_BYTES, false},
    {JP_NOTIFY_CPU_RATE, JP_JOB_OBJECT_LIMIT_CPU_RATE_CONTROL, false},
    {JP_NOTIFY_NETWORK_RATE, JP_JOB_OBJECT_LIMIT_NET_RATE_CONTROL, true},
};
enum { NOTIFIED = sizeof flags_of_notify / sizeof *flags_of_notify };

static struct jp_job_notification_limits notification(const struct jp_notify *notify, bool second) {
    struct jp_job_notification_limits result = {
        .io_read_bytes_limit = notify->io_read_bytes,
        .io_write_bytes_limit = notify->io_write_bytes,
        .per_job_user_time_limit_100ns = notify->cpu_time_100ns,
        .job_high_memory_limit_bytes = notify->job_memory_bytes,
        .job_low_memory_limit_bytes = second ? notify->job_memory_low_bytes : 0,
        .cpu_tolerance = notify->cpu_rate.tolerance,
        .cpu_tolerance_interval = notify->cpu_rate.interval,
        .net_tolerance = second ? notify->network_rate.tolerance : 0,
        .net_tolerance_interval = second ? notify->network_rate.interval : 0,
    };
    for (size_t i = 0; i < NOTIFIED; i++)
        if ((notify->present & JP_SCHEMA_BIT(flags_of_notify[i].key)) && (second || !flags_of_notify[i].second))
            result.limit_flags |= flags_of_notify[i].flag;
    return result;
}

/* The spec was checked: the texts are groups. */
static void groups_of(const struct jp_strings *texts, struct jp_job_info *info) {
    struct jp_error never;
    bool whole = info->class == JP_JOB_GroupInformation;
    uint16_t *groups = whole ? jp_alloc((texts->count + 1) * sizeof *groups) : NULL;
    struct jp_job_group_affinity *affinities = whole ? NULL : jp_alloc((texts->count + 1) * sizeof *affinities);
    for (size_t i = 0; i < texts->count; i++) {
        uint16_t group = 0;
        uint64_t mask = 0;
        jp_processor_group_parse(texts->items[i], &group, &mask, &never);
        if (whole)
            groups[i] = group;
        else
            affinities[i] = (struct jp_job_group_affinity){.group = group, .mask = mask};
    }
    if (whole) {
        info->groups.items = groups;
        info->groups.count = texts->count;
    } else {
        info->group_affinities.items = affinities;
        info->group_affinities.count = texts->count;
    }
}

jp_status jp_job_info_of_spec(const struct jp_pool_spec *spec, enum jp_job_class class, struct jp_job_info *ret_info,
                              struct jp_error *error) {
    *ret_info = (struct jp_job_info){.class = class};
    switch (class) {
    case JP_JOB_BasicLimitInformation:
        ret_info->basic_limits = basic_limits(spec);
        ret_info->basic_limits.limit_flags &= JP_JOB_OBJECT_BASIC_LIMIT_VALID_FLAGS;
        return JP_OK;
    case JP_JOB_ExtendedLimitInformation:
        ret_info->extended_limits = (struct jp_job_extended_limits){
            .basic = basic_limits(spec),
            .process_memory_limit_bytes = spec->limits.process_memory_bytes,
            .job_memory_limit_bytes = spec->limits.job_memory_bytes,
        };
        return JP_OK;
    case JP_JOB_BasicUIRestrictions:
        ret_info->ui_restrictions = spec->ui;
        return JP_OK;
    case JP_JOB_EndOfJobTimeInformation:
        ret_info->end_of_job_time_action = spec->end_of_job_time;
        return JP_OK;
    case JP_JOB_CpuRateControlInformation:
        ret_info->cpu_rate = cpu_rate(&spec->limits);
        return JP_OK;
    case JP_JOB_NetRateControlInformation:
        ret_info->net_rate = net_rate(&spec->limits);
        return JP_OK;
    case JP_JOB_NotificationLimitInformation:
    case JP_JOB_NotificationLimitInformation2:
        ret_info->notification = notification(&spec->notify, class == JP_JOB_NotificationLimitInformation2);
        return JP_OK;
    case JP_JOB_GroupInformation:
    case JP_JOB_GroupInformationEx:
        groups_of(&spec->limits.processor_groups, ret_info);
        return JP_OK;
    default:
        return jp_fail(error, JP_E_UNSUPPORTED, "class %d is no setting", (int)class);
    }
}

/* --- to the spec --- */

static jp_status check_flags(uint32_t flags, uint32_t valid, const char *what, struct jp_error *error) {
    if (!(flags & ~valid))
        return JP_OK;
    return jp_fail_win32(error, JP_E_PARAMS, 87, "SetInformationJobObject", "%s: flags 0x%X are not taken there", what,
                         (unsigned)(flags & ~valid));
}

static jp_status invalid(struct jp_error *error, const char *what) {
    return jp_fail_win32(error, JP_E_PARAMS, 87, "SetInformationJobObject", "%s", what);
}

/* What Windows refuses too. */
static jp_status check_basic(const struct jp_job_basic_limits *from, struct jp_error *error) {
    uint32_t flags = from->limit_flags;
    if ((flags & JP_JOB_OBJECT_LIMIT_JOB_TIME) && (flags & JP_JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME))
        return invalid(error, "LimitFlags: JOB_TIME and PRESERVE_JOB_TIME exclude each other");
    if ((flags & JP_JOB_OBJECT_LIMIT_ACTIVE_PROCESS) && !from->active_process_limit)
        return invalid(error, "ActiveProcessLimit must not be 0");
    if ((flags & JP_JOB_OBJECT_LIMIT_PRIORITY_CLASS) && !jp_choice_name(jp_priority_classes, from->priority_class))
        return invalid(error, "PriorityClass is none of Windows' priority classes");
    if ((flags & JP_JOB_OBJECT_LIMIT_SCHEDULING_CLASS) && from->scheduling_class > 9)
        return invalid(error, "SchedulingClass goes from 0 to 9");
    if ((flags & JP_JOB_OBJECT_LIMIT_AFFINITY) && !from->affinity)
        return invalid(error, "Affinity must not be 0");
    return JP_OK;
}

static void take_basic(const struct jp_job_basic_limits *from, uint32_t mask, struct jp_limits *limits) {
    bool preserve = from->limit_flags & JP_JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME;
    for (size_t i = 0; i < FLAGGED; i++)
        if ((flags_of_limits[i].flag & mask) && !(preserve && flags_of_limits[i].limit == JP_LIMIT_JOB_TIME))
            set_given(limits, flags_of_limits[i].limit, from->limit_flags & flags_of_limits[i].flag);
    limits->process_time_100ns = from->per_process_user_time_limit_100ns;
    if (!preserve)
        limits->job_time_100ns = from->per_job_user_time_limit_100ns;
    limits->working_set = (struct jp_working_set){
        .present = given(limits, JP_LIMIT_WORKING_SET) ? 3 : 0, .min_bytes = from->minimum_working_set_bytes, .max_bytes = from->maximum_working_set_bytes};
    limits->active_processes = from->active_process_limit;
    limits->affinity = from->affinity;
    limits->priority_class = from->priority_class;
    limits->scheduling_class = from->scheduling_class;
}

static void take_kill_on_close(bool kill, struct jp_pool_spec *spec) {
    if (kill == jp_pool_spec_terminates(spec))
        return;
    spec->present &= ~JP_SCHEMA_BIT(JP_POOL_ON_SERVICE_STOP); /* which said otherwise */
    spec->limits.kill_on_close = kill;
    set_given(&spec->limits, JP_LIMIT_KILL_ON_CLOSE, kill);
}

static void take_extended(const struct jp_job_extended_limits *from, struct jp_pool_spec *spec) {
    struct jp_limits *limits = &spec->limits;
    uint32_t flags = from->basic.limit_flags;
    take_basic(&from->basic, JP_JOB_OBJECT_EXTENDED_LIMIT_VALID_FLAGS, limits);
    limits->process_memory_bytes = from->process_memory_limit_bytes;
    limits->job_memory_bytes = from->job_memory_limit_bytes;
    limits->die_on_unhandled_exception = flags & JP_JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION;
    limits->subset_affinity = flags & JP_JOB_OBJECT_LIMIT_SUBSET_AFFINITY;
    limits->breakaway = flags & JP_JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK ? JP_BREAKAWAY_SILENT
                        : flags & JP_JOB_OBJECT_LIMIT_BREAKAWAY_OK      ? JP_BREAKAWAY_ALLOW
                                                                        : JP_BREAKAWAY_NONE;
    set_given(limits, JP_LIMIT_BREAKAWAY, limits->breakaway != JP_BREAKAWAY_NONE);
    take_kill_on_close(flags & JP_JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, spec);
}

static jp_status take_cpu_rate(const struct jp_job_cpu_rate *from, struct jp_limits *limits, struct jp_error *error) {
    if (check_flags(from->control_flags, JP_JOB_OBJECT_CPU_RATE_CONTROL_VALID_FLAGS, "ControlFlags", error))
        return error->status;
    uint32_t mode = from->control_flags & (JP_JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED | JP_JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP |
                                           JP_JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE);
    struct jp_cpu_rate rate = {.notify = from->control_flags & JP_JOB_OBJECT_CPU_RATE_CONTROL_NOTIFY};
    bool good = true;
    if (!(from->control_flags & JP_JOB_OBJECT_CPU_RATE_CONTROL_ENABLE)) {
        set_given(limits, JP_LIMIT_CPU_RATE, false);
        limits->cpu_rate = (struct jp_cpu_rate){0};
        return JP_OK;
    }
    if (mode == JP_JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP) {
        rate.present = JP_SCHEMA_BIT(JP_CPU_HARD_CAP);
        rate.hard_cap = from->cpu_rate;
        good = rate.hard_cap >= 1 && rate.hard_cap <= 10000;
    } else if (mode == JP_JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED) {
        rate.present = JP_SCHEMA_BIT(JP_CPU_WEIGHT);
        rate.weight = from->weight;
        good = rate.weight >= 1 && rate.weight <= 9;
    } else if (mode == JP_JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE) {
        rate.present = JP_SCHEMA_BIT(JP_CPU_MIN) | JP_SCHEMA_BIT(JP_CPU_MAX);
        rate.min = from->min_rate;
        rate.max = from->max_rate;
        good = rate.min >= 1 && rate.min <= rate.max && rate.max <= 10000;
    } else {
        return invalid(error, "ControlFlags: a pool's CPU rate is either HARD_CAP, or WEIGHT_BASED, or MIN_MAX_RATE");
    }
    if (!good)
        return invalid(error, "the CPU rate is out of range: a rate is 1 to 10000 (1/100 %), a weight 1 to 9, MinRate not above MaxRate");
    rate.present |= rate.notify ? JP_SCHEMA_BIT(JP_CPU_NOTIFY) : 0;
    limits->cpu_rate = rate;
    set_given(limits, JP_LIMIT_CPU_RATE, true);
    return JP_OK;
}

static jp_status take_net_rate(const struct jp_job_net_rate *from, struct jp_limits *limits, struct jp_error *error) {
    if (check_flags(from->control_flags, JP_JOB_OBJECT_NET_RATE_CONTROL_VALID_FLAGS, "ControlFlags", error))
        return error->status;
    struct jp_network_rate rate = {0};
    bool on = from->control_flags & JP_JOB_OBJECT_NET_RATE_CONTROL_ENABLE;
    if (on && from->control_flags & JP_JOB_OBJECT_NET_RATE_CONTROL_MAX_BANDWIDTH) {
        rate.present |= JP_SCHEMA_BIT(JP_NETWORK_MAX_BANDWIDTH);
        rate.max_bandwidth_bytes = from->max_bandwidth_bytes;
    }
    if (on && from->control_flags & JP_JOB_OBJECT_NET_RATE_CONTROL_DSCP_TAG) {
        rate.present |= JP_SCHEMA_BIT(JP_NETWORK_DSCP);
        rate.dscp = from->dscp_tag;
    }
    limits->network_rate = rate;
    set_given(limits, JP_LIMIT_NETWORK_RATE, rate.present != 0);
    return JP_OK;
}

static struct jp_tolerance tolerance(uint32_t tolerated, uint32_t interval, bool on) {
    return on ? (struct jp_tolerance){.present = 3, .tolerance = tolerated, .interval = interval} : (struct jp_tolerance){0};
}

static bool tolerance_valid(uint32_t tolerated, uint32_t interval, bool on) {
    return !on || (tolerated >= 1 && tolerated <= 3 && interval >= 1 && interval <= 3);
}

static jp_status take_notification(const struct jp_job_notification_limits *from, bool second, struct jp_notify *notify,
                                   struct jp_error *error) {
    uint32_t flags = from->limit_flags;
    if (check_flags(flags, JP_JOB_OBJECT_NOTIFICATION_LIMIT_VALID_FLAGS, "LimitFlags", error))
        return error->status;
    bool cpu = flags & JP_JOB_OBJECT_LIMIT_CPU_RATE_CONTROL, net = flags & JP_JOB_OBJECT_LIMIT_NET_RATE_CONTROL;
    if (!tolerance_valid(from->cpu_tolerance, from->cpu_tolerance_interval, cpu) ||
        !tolerance_valid(from->net_tolerance, from->net_tolerance_interval, net))
        return invalid(error, "a tolerance is 1 to 3, and so is its interval");
    for (size_t i = 0; i < NOTIFIED; i++)
        if (second || !flags_of_notify[i].second) {
            uint64_t bit = JP_SCHEMA_BIT(flags_of_notify[i].key);
            notify->present = flags & flags_of_notify[i].flag ? notify->present | bit : notify->present & ~bit;
        }
    notify->io_read_bytes = from->io_read_bytes_limit;
    notify->io_write_bytes = from->io_write_bytes_limit;
    notify->cpu_time_100ns = from->per_job_user_time_limit_100ns;
    notify->job_memory_bytes = from->job_high_memory_limit_bytes;
    notify->cpu_rate = tolerance(from->cpu_tolerance, from->cpu_tolerance_interval, cpu);
    if (second) {
        notify->job_memory_low_bytes = from->job_low_memory_limit_bytes;
        notify->network_rate = tolerance(from->net_tolerance, from->net_tolerance_interval, net);
    }
    return JP_OK;
}

static void take_groups(const struct jp_job_info *info, struct jp_limits *limits) {
    bool whole = info->class == JP_JOB_GroupInformation;
    size_t count = whole ? info->groups.count : info->group_affinities.count;
    struct jp_strings texts = {.items = jp_alloc((count + 1) * sizeof *texts.items), .count = count};
    for (size_t i = 0; i < count; i++) {
        uint64_t mask = whole ? 0 : info->group_affinities.items[i].mask;
        char *processors = mask ? jp_affinity_format(mask) : NULL;
        texts.items[i] = jp_sprintf("%u%s%s", (unsigned)(whole ? info->groups.items[i] : info->group_affinities.items[i].group),
                                    mask ? ":" : "", mask ? processors : "");
        jp_free(processors);
    }
    jp_strings_free(&limits->processor_groups);
    limits->processor_groups = texts;
    set_given(limits, JP_LIMIT_PROCESSOR_GROUPS, true);
}

/* Classes 2 and 9. */
static jp_status take_limits(const struct jp_job_info *info, struct jp_pool_spec *spec, bool *ret_restart_job_time, struct jp_error *error) {
    bool extended = info->class == JP_JOB_ExtendedLimitInformation;
    const struct jp_job_basic_limits *basic = extended ? &info->extended_limits.basic : &info->basic_limits;
    uint32_t valid = extended ? JP_JOB_OBJECT_EXTENDED_LIMIT_VALID_FLAGS : JP_JOB_OBJECT_BASIC_LIMIT_VALID_FLAGS;
    jp_status status = check_flags(basic->limit_flags, valid, "LimitFlags", error);
    if (status == JP_OK)
        status = check_basic(basic, error);
    if (status)
        return status;
    bool same_time = given(&spec->limits, JP_LIMIT_JOB_TIME) && spec->limits.job_time_100ns == basic->per_job_user_time_limit_100ns;
    *ret_restart_job_time = (basic->limit_flags & JP_JOB_OBJECT_LIMIT_JOB_TIME) && !same_time;
    if (extended)
        take_extended(&info->extended_limits, spec);
    else
        take_basic(basic, valid, &spec->limits);
    return JP_OK;
}

static jp_status take_ui(uint32_t ui, struct jp_pool_spec *spec, struct jp_error *error) {
    if (check_flags(ui, JP_JOB_OBJECT_UI_VALID_FLAGS, "UIRestrictionsClass", error))
        return error->status;
    spec->ui = ui;
    spec->present = ui ? spec->present | JP_SCHEMA_BIT(JP_POOL_UI) : spec->present & ~JP_SCHEMA_BIT(JP_POOL_UI);
    return JP_OK;
}

static jp_status take_end_of_job_time(uint32_t action, struct jp_pool_spec *spec, struct jp_error *error) {
    if (action > JP_JOB_OBJECT_POST_AT_END_OF_JOB)
        return invalid(error, "EndOfJobTimeAction is 0 (terminate) or 1 (post)");
    spec->end_of_job_time = action;
    spec->present |= JP_SCHEMA_BIT(JP_POOL_END_OF_JOB_TIME);
    return JP_OK;
}

static jp_status take(const struct jp_job_info *info, struct jp_pool_spec *spec, bool *ret_restart_job_time, struct jp_error *error) {
    *ret_restart_job_time = false;
    switch (info->class) {
    case JP_JOB_BasicLimitInformation:
    case JP_JOB_ExtendedLimitInformation:
        return take_limits(info, spec, ret_restart_job_time, error);
    case JP_JOB_BasicUIRestrictions:
        return take_ui(info->ui_restrictions, spec, error);
    case JP_JOB_EndOfJobTimeInformation:
        return take_end_of_job_time(info->end_of_job_time_action, spec, error);
    case JP_JOB_CpuRateControlInformation:
        return take_cpu_rate(&info->cpu_rate, &spec->limits, error);
    case JP_JOB_NetRateControlInformation:
        return take_net_rate(&info->net_rate, &spec->limits, error);
    case JP_JOB_NotificationLimitInformation:
    case JP_JOB_NotificationLimitInformation2:
        return take_notification(&info->notification, info->class == JP_JOB_NotificationLimitInformation2, &spec->notify, error);
    case JP_JOB_GroupInformation:
    case JP_JOB_GroupInformationEx:
        take_groups(info, &spec->limits);
        return JP_OK;
    default:
        return jp_fail(error, JP_E_UNSUPPORTED, "class %d cannot be set", (int)info->class);
    }
}

jp_status jp_job_info_to_spec(const struct jp_job_info *info, struct jp_pool_spec *spec, bool *ret_restart_job_time,
                              struct jp_error *error) {
    if (take(info, spec, ret_restart_job_time, error))
        return error->status;
    spec->present |= spec->limits.present ? JP_SCHEMA_BIT(JP_POOL_LIMITS) : 0;
    spec->present |= spec->notify.present ? JP_SCHEMA_BIT(JP_POOL_NOTIFY) : 0;
    return JP_OK;
}
