/* Makes a job object what a pool's spec says, through the information classes. */
#include "job/configure.h"

#include "base/units.h"
#include "job/info.h"

#include <string.h>

static const struct jp_capabilities *host_of(struct jp_backend *backend) { return backend->ops->capabilities(backend); }
static bool kernel_keeps(const struct jp_capabilities *host, enum jp_limit limit) { return host->limits[limit] == JP_ENFORCED_BY_KERNEL; }

enum { STEPS_MAX = 8 };
struct step {
    struct jp_job_info wanted, previous;
    bool done;
};

static size_t add_step(struct step *steps, size_t count, const struct jp_pool_spec *spec, enum jp_job_class class) {
    struct jp_error never; /* the class is a setting */
    jp_job_info_of_spec(spec, class, &steps[count].wanted, &never);
    return count + 1;
}

static bool names_processors(const struct jp_strings *groups) { return groups->count && strchr(groups->items[0], ':'); }

/* The settings that have a class of their own, and that this host's kernel keeps. */
static size_t plan(const struct jp_capabilities *host, const struct jp_pool_spec *spec, struct step steps[STEPS_MAX]) {
    size_t count = 0;
    if (host->ui == JP_ENFORCED_BY_KERNEL)
        count = add_step(steps, count, spec, JP_JOB_BasicUIRestrictions);
    if (host->end_of_job_time == JP_ENFORCED_BY_KERNEL)
        count = add_step(steps, count, spec, JP_JOB_EndOfJobTimeInformation);
    if (kernel_keeps(host, JP_LIMIT_CPU_RATE))
        count = add_step(steps, count, spec, JP_JOB_CpuRateControlInformation);
    if (kernel_keeps(host, JP_LIMIT_NETWORK_RATE))
        count = add_step(steps, count, spec, JP_JOB_NetRateControlInformation);
    if (host->notify == JP_ENFORCED_BY_KERNEL)
        count = add_step(steps, count, spec, JP_JOB_NotificationLimitInformation2);
    if (kernel_keeps(host, JP_LIMIT_PROCESSOR_GROUPS) && spec->limits.processor_groups.count)
        count = add_step(steps, count, spec,
                         names_processors(&spec->limits.processor_groups) ? JP_JOB_GroupInformationEx : JP_JOB_GroupInformation);
    return count;
}

/* Compares with what the job has, not with what we once set: an adopted job was set by an earlier run. Windows refuses to switch
 * off a rate that is not on, so what is as it should be is left alone. */
static jp_status take_step(struct jp_backend *backend, struct jp_job *job, struct step *step, struct jp_error *error) {
    jp_status status = backend->ops->job_query(job, step->wanted.class, &step->previous, error);
    if (status || jp_job_info_equal(&step->wanted, &step->previous))
        return status;
    status = backend->ops->job_set(job, &step->wanted, error);
    step->done = status == JP_OK;
    return status;
}

/* What cannot be put back is told by the next change, which compares again. */
static void take_back(struct jp_backend *backend, struct jp_job *job, struct step *step) {
    struct jp_error ignored;
    if (step->done)
        backend->ops->job_set(job, &step->previous, &ignored);
}

/* Class 9 as this host is to have it. The job-time clock goes on under PRESERVE_JOB_TIME, which may not stand beside JOB_TIME and
 * means something only while a job time is set. Breakaway and kill-on-close are asked of every host: Wine keeps them, though it
 * does not say so when asked. */
static uint32_t kept_flags(const struct jp_capabilities *host, uint32_t flags) {
    static const struct {
        enum jp_limit limit;
        uint32_t flag;
    } rows[] = {
        {JP_LIMIT_ACTIVE_PROCESSES, JP_JOB_OBJECT_LIMIT_ACTIVE_PROCESS}, {JP_LIMIT_PROCESS_MEMORY, JP_JOB_OBJECT_LIMIT_PROCESS_MEMORY},
        {JP_LIMIT_JOB_MEMORY, JP_JOB_OBJECT_LIMIT_JOB_MEMORY},           {JP_LIMIT_PROCESS_TIME, JP_JOB_OBJECT_LIMIT_PROCESS_TIME},
        {JP_LIMIT_JOB_TIME, JP_JOB_OBJECT_LIMIT_JOB_TIME},               {JP_LIMIT_PRIORITY_CLASS, JP_JOB_OBJECT_LIMIT_PRIORITY_CLASS},
        {JP_LIMIT_AFFINITY, JP_JOB_OBJECT_LIMIT_AFFINITY},               {JP_LIMIT_WORKING_SET, JP_JOB_OBJECT_LIMIT_WORKINGSET},
        {JP_LIMIT_SCHEDULING_CLASS, JP_JOB_OBJECT_LIMIT_SCHEDULING_CLASS}, {JP_LIMIT_SUBSET_AFFINITY, JP_JOB_OBJECT_LIMIT_SUBSET_AFFINITY},
        {JP_LIMIT_DIE_ON_UNHANDLED_EXCEPTION, JP_JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!kernel_keeps(host, rows[i].limit))
            flags &= ~rows[i].flag;
    return flags;
}

static jp_status set_extended_limits(struct jp_backend *backend, struct jp_job *job, const struct jp_pool_spec *spec,
                                     bool restart_job_time, struct jp_error *error) {
    struct jp_job_info limits, now;
    jp_status status = backend->ops->job_query(job, JP_JOB_ExtendedLimitInformation, &now, error);
    if (status == JP_OK)
        status = jp_job_info_of_spec(spec, JP_JOB_ExtendedLimitInformation, &limits, error);
    if (status)
        return status;
    uint32_t *flags = &limits.extended_limits.basic.limit_flags;
    bool clock_runs = now.extended_limits.basic.limit_flags & JP_JOB_OBJECT_LIMIT_JOB_TIME;
    *flags = kept_flags(host_of(backend), *flags);
    if ((*flags & JP_JOB_OBJECT_LIMIT_JOB_TIME) && clock_runs && !restart_job_time)
        *flags ^= JP_JOB_OBJECT_LIMIT_JOB_TIME | JP_JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME;
    return backend->ops->job_set(job, &limits, error);
}

/* Class 9 comes last: a failure before it leaves the job-time clock alone, and a failure of it changes nothing. */
jp_status jp_job_configure(struct jp_backend *backend, struct jp_job *job, const struct jp_pool_spec *spec, bool restart_job_time,
                           struct jp_error *error) {
    struct step steps[STEPS_MAX] = {0};
    size_t count = plan(host_of(backend), spec, steps);
    jp_status status = JP_OK;
    for (size_t i = 0; i < count && status == JP_OK; i++)
        status = take_step(backend, job, &steps[i], error);
    if (status == JP_OK)
        status = set_extended_limits(backend, job, spec, restart_job_time, error);
    while (count-- > 0) {
        if (status)
            take_back(backend, job, &steps[count]);
        jp_job_info_clear(&steps[count].wanted);
        jp_job_info_clear(&steps[count].previous);
    }
    return status;
}

/* What a spec says nothing of is in a new job as it is in every new job. */
static jp_status set_if_said(struct jp_backend *backend, struct jp_job *job, const struct jp_job_info *wanted, struct jp_error *error) {
    static const struct jp_pool_spec silent;
    struct jp_job_info unsaid;
    struct jp_error never; /* the class is a setting */
    jp_job_info_of_spec(&silent, wanted->class, &unsaid, &never);
    bool said = !jp_job_info_equal(wanted, &unsaid);
    jp_job_info_clear(&unsaid);
    return said ? backend->ops->job_set(job, wanted, error) : JP_OK;
}

jp_status jp_job_configure_new(struct jp_backend *backend, struct jp_job *job, const struct jp_pool_spec *spec, struct jp_error *error) {
    struct step steps[STEPS_MAX] = {0};
    size_t count = plan(host_of(backend), spec, steps);
    struct jp_job_info limits;
    jp_status status = JP_OK;
    for (size_t i = 0; i < count; i++) {
        if (status == JP_OK)
            status = set_if_said(backend, job, &steps[i].wanted, error);
        jp_job_info_clear(&steps[i].wanted);
    }
    if (status == JP_OK)
        status = jp_job_info_of_spec(spec, JP_JOB_ExtendedLimitInformation, &limits, error);
    if (status)
        return status;
    uint32_t *flags = &limits.extended_limits.basic.limit_flags;
    *flags = kept_flags(host_of(backend), *flags);
    return *flags ? backend->ops->job_set(job, &limits, error) : JP_OK;
}

/* A job time that stays as it is keeps its clock. */
static void keep_clock(const struct jp_job_basic_limits *now, struct jp_job_basic_limits *wanted) {
    uint32_t both = now->limit_flags & wanted->limit_flags & JP_JOB_OBJECT_LIMIT_JOB_TIME;
    if (both && now->per_job_user_time_limit_100ns == wanted->per_job_user_time_limit_100ns &&
        !(wanted->limit_flags & JP_JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME))
        wanted->limit_flags ^= JP_JOB_OBJECT_LIMIT_JOB_TIME | JP_JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME;
}

/* Where the handle may not read, or the host cannot, there is nothing to compare with. */
jp_status jp_job_set_information(struct jp_backend *backend, struct jp_job *job, const struct jp_job_info *info,
                                 struct jp_error *error) {
    struct jp_job_info now, wanted = *info; /* shallow: lists stay the caller's */
    struct jp_error ignored;
    if (backend->ops->job_query(job, info->class, &now, &ignored))
        return backend->ops->job_set(job, info, error);
    bool equal = jp_job_info_equal(&now, info);
    if (info->class == JP_JOB_BasicLimitInformation)
        keep_clock(&now.basic_limits, &wanted.basic_limits);
    else if (info->class == JP_JOB_ExtendedLimitInformation)
        keep_clock(&now.extended_limits.basic, &wanted.extended_limits.basic);
    jp_job_info_clear(&now);
    return equal ? JP_OK : backend->ops->job_set(job, &wanted, error);
}

jp_status jp_job_pids(struct jp_backend *backend, struct jp_job *job, uint32_t **ret_pids, size_t *ret_count, struct jp_error *error) {
    struct jp_job_info info;
    jp_status status = backend->ops->job_query(job, JP_JOB_BasicProcessIdList, &info, error);
    if (status)
        return status;
    *ret_pids = info.pids.items;
    *ret_count = info.pids.count;
    return JP_OK;
}

jp_status jp_job_check_time(struct jp_backend *backend, struct jp_job *job, struct jp_error *error) {
    struct jp_job_info limits, used;
    struct jp_error unknown;
    if (host_of(backend)->limits[JP_LIMIT_JOB_TIME] != JP_ENFORCED_BY_KERNEL ||
        backend->ops->job_query(job, JP_JOB_BasicLimitInformation, &limits, &unknown) ||
        !(limits.basic_limits.limit_flags & JP_JOB_OBJECT_LIMIT_JOB_TIME) ||
        backend->ops->job_query(job, JP_JOB_BasicAccountingInformation, &used, &unknown) ||
        used.accounting.this_period_total_user_time_100ns < limits.basic_limits.per_job_user_time_limit_100ns)
        return JP_OK;
    char of[JP_UNITS_TEXT], have[JP_UNITS_TEXT];
    return jp_fail(error, JP_E_JOB_TIME, "its job time is used up: %s of %s",
                   jp_duration_format(used.accounting.this_period_total_user_time_100ns, have),
                   jp_duration_format(limits.basic_limits.per_job_user_time_limit_100ns, of));
}
