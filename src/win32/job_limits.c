/* Owns the settings of job objects: makes a job what a pool's spec says, all of it or nothing. */
#include "win32/internal.h"
#include "win32/winnt_extra.h"

#include <string.h>

/* A setting that has an information class of its own. */
struct step {
    JOBOBJECTINFOCLASS class;
    DWORD size;
    const char *what;
    union step_value {
        JOBOBJECT_BASIC_UI_RESTRICTIONS ui;
        JOBOBJECT_END_OF_JOB_TIME_INFORMATION end_of_job_time;
        struct jp__cpu_rate_information cpu_rate;
        struct jp__net_rate_information net_rate;
    } wanted, previous;
    bool done;
};

static bool kernel_keeps(const struct jp_job *job, const struct jp_limits *limits, enum jp_limit limit) {
    return (limits->present & JP_SCHEMA_BIT(limit)) && job->backend->capabilities.limits[limit] == JP_ENFORCED_BY_KERNEL;
}

static struct jp__cpu_rate_information cpu_rate(const struct jp_cpu_rate *rate) {
    struct jp__cpu_rate_information result = {.flags = JP__CPU_RATE_ENABLE};
    if (rate->present & JP_SCHEMA_BIT(JP_CPU_HARD_CAP)) {
        result.flags |= JP__CPU_RATE_HARD_CAP;
        result.value.rate = rate->hard_cap;
    } else if (rate->present & JP_SCHEMA_BIT(JP_CPU_WEIGHT)) {
        result.flags |= JP__CPU_RATE_WEIGHT_BASED;
        result.value.weight = rate->weight;
    } else {
        result.flags |= JP__CPU_RATE_MIN_MAX;
        result.value.range.min = (uint16_t)rate->min;
        result.value.range.max = (uint16_t)(rate->present & JP_SCHEMA_BIT(JP_CPU_MAX) ? rate->max : 10000);
    }
    return result;
}

static struct jp__net_rate_information net_rate(const struct jp_network_rate *rate) {
    struct jp__net_rate_information result = {.flags = JP__NET_RATE_ENABLE};
    if (rate->present & JP_SCHEMA_BIT(JP_NETWORK_MAX_BANDWIDTH)) {
        result.flags |= JP__NET_RATE_MAX_BANDWIDTH;
        result.max_bandwidth = rate->max_bandwidth_bytes;
    }
    if (rate->present & JP_SCHEMA_BIT(JP_NETWORK_DSCP)) {
        result.flags |= JP__NET_RATE_DSCP_TAG;
        result.dscp_tag = (uint8_t)rate->dscp;
    }
    return result;
}

enum { STEPS_MAX = 4 };

/* The steps that this host's kernel knows, with what is to be. A CPU or network rate that is not wanted is all zero, which
 * switches one off that is on. */
static size_t plan(const struct jp_job *job, const struct jp_pool_spec *spec, struct step steps[STEPS_MAX]) {
    const struct jp_capabilities *can = &job->backend->capabilities;
    size_t count = 0;
    memset(steps, 0, STEPS_MAX * sizeof *steps); /* padding too: the values are compared as bytes */
    if (can->end_of_job_time == JP_ENFORCED_BY_KERNEL) {
        struct step *step = &steps[count++];
        step->class = JobObjectEndOfJobTimeInformation;
        step->size = sizeof step->wanted.end_of_job_time;
        step->what = "the end-of-job-time action";
        step->wanted.end_of_job_time.EndOfJobTimeAction = spec->end_of_job_time;
    }
    if (can->ui == JP_ENFORCED_BY_KERNEL) {
        struct step *step = &steps[count++];
        step->class = JobObjectBasicUIRestrictions;
        step->size = sizeof step->wanted.ui;
        step->what = "the user-interface limits";
        step->wanted.ui.UIRestrictionsClass = spec->ui;
    }
    if (can->limits[JP_LIMIT_CPU_RATE] == JP_ENFORCED_BY_KERNEL) {
        struct step *step = &steps[count++];
        step->class = (JOBOBJECTINFOCLASS)JP__JOB_CPU_RATE_CLASS;
        step->size = sizeof step->wanted.cpu_rate;
        step->what = "the CPU rate";
        if (spec->limits.present & JP_SCHEMA_BIT(JP_LIMIT_CPU_RATE))
            step->wanted.cpu_rate = cpu_rate(&spec->limits.cpu_rate);
    }
    if (can->limits[JP_LIMIT_NETWORK_RATE] == JP_ENFORCED_BY_KERNEL) {
        struct step *step = &steps[count++];
        step->class = (JOBOBJECTINFOCLASS)JP__JOB_NET_RATE_CLASS;
        step->size = sizeof step->wanted.net_rate;
        step->what = "the network rate";
        if (spec->limits.present & JP_SCHEMA_BIT(JP_LIMIT_NETWORK_RATE))
            step->wanted.net_rate = net_rate(&spec->limits.network_rate);
    }
    return count;
}

static bool is_off(const struct step *step, const union step_value *value) {
    switch ((int)step->class) {
    case JP__JOB_CPU_RATE_CLASS:
        return !(value->cpu_rate.flags & JP__CPU_RATE_ENABLE);
    case JP__JOB_NET_RATE_CLASS:
        return !(value->net_rate.flags & JP__NET_RATE_ENABLE);
    default:
        return false;
    }
}

/* Compares with what the job has, not with what we once set: an adopted job was set by an earlier run. Windows refuses to
 * switch off a rate that is not on, so what is as it should be is left alone. */
static jp_status take_step(struct jp_job *job, struct step *step, struct jp_error *error) {
    if (!QueryInformationJobObject(job->handle, step->class, &step->previous, step->size, NULL)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "QueryInformationJobObject", "cannot read %s of the job object \"%s\"",
                             step->what, job->name);
    }
    if (memcmp(&step->previous, &step->wanted, step->size) == 0 ||
        (is_off(step, &step->wanted) && is_off(step, &step->previous)))
        return JP_OK;
    if (!SetInformationJobObject(job->handle, step->class, &step->wanted, step->size)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "SetInformationJobObject", "cannot set %s of the job object \"%s\"",
                             step->what, job->name);
    }
    step->done = true;
    return JP_OK;
}

static void take_back(struct jp_job *job, struct step *step) {
    if (!step->done)
        return;
    if (!SetInformationJobObject(job->handle, step->class, &step->previous, step->size)) {
        DWORD win32 = GetLastError();
        jp_log(job->backend->log, JP_LOG_ERROR, "cannot put %s of the job object \"%s\" back after another setting failed: %s (%lu)",
               step->what, job->name, jp_win32_text(win32), (unsigned long)win32);
    }
}

/* Class 9 as the spec wants it. The job-time clock goes on under PRESERVE_JOB_TIME, which may not stand beside JOB_TIME
 * and means something only while a job time is set. */
static JOBOBJECT_EXTENDED_LIMIT_INFORMATION extended_limits(const struct jp_job *job, const struct jp_pool_spec *spec,
                                                            bool clock_runs, bool restart_job_time) {
    static const enum jp_limit in_class_9[] = {
        JP_LIMIT_ACTIVE_PROCESSES, JP_LIMIT_PROCESS_MEMORY, JP_LIMIT_JOB_MEMORY,  JP_LIMIT_PROCESS_TIME,     JP_LIMIT_PRIORITY_CLASS,
        JP_LIMIT_AFFINITY,         JP_LIMIT_WORKING_SET,    JP_LIMIT_SCHEDULING_CLASS, JP_LIMIT_DIE_ON_UNHANDLED_EXCEPTION,
    };
    const struct jp_limits *limits = &spec->limits;
    DWORD flags = 0;
    for (size_t i = 0; i < sizeof in_class_9 / sizeof *in_class_9; i++)
        if (kernel_keeps(job, limits, in_class_9[i]))
            flags |= jp_limit_flag(limits, in_class_9[i]);
    if (kernel_keeps(job, limits, JP_LIMIT_JOB_TIME))
        flags |= clock_runs && !restart_job_time ? JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME : JOB_OBJECT_LIMIT_JOB_TIME;
    /* Every host is asked for these two: Wine keeps them, though it does not say so when asked. */
    if (limits->present & JP_SCHEMA_BIT(JP_LIMIT_BREAKAWAY))
        flags |= jp_limit_flag(limits, JP_LIMIT_BREAKAWAY);
    if (jp_pool_spec_terminates(spec))
        flags |= JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;

    /* Fields without their flag are ignored. */
    return (JOBOBJECT_EXTENDED_LIMIT_INFORMATION){
        .BasicLimitInformation =
            {
                .PerProcessUserTimeLimit.QuadPart = (LONGLONG)limits->process_time_100ns,
                .PerJobUserTimeLimit.QuadPart = (LONGLONG)limits->job_time_100ns,
                .LimitFlags = flags,
                .MinimumWorkingSetSize = limits->working_set.min_bytes,
                .MaximumWorkingSetSize = limits->working_set.max_bytes,
                .ActiveProcessLimit = limits->active_processes,
                .Affinity = limits->affinity,
                .PriorityClass = limits->priority_class,
                .SchedulingClass = limits->scheduling_class,
            },
        .ProcessMemoryLimit = limits->process_memory_bytes,
        .JobMemoryLimit = limits->job_memory_bytes,
    };
}

static jp_status set_extended_limits(struct jp_job *job, const struct jp_pool_spec *spec, bool restart_job_time,
                                     struct jp_error *error) {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    if (!QueryInformationJobObject(job->handle, JobObjectExtendedLimitInformation, &limits, sizeof limits, NULL)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "QueryInformationJobObject",
                             "cannot read the limits of the job object \"%s\"", job->name);
    }
    DWORD job_time_flags = JOB_OBJECT_LIMIT_JOB_TIME | JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME;
    bool clock_runs = limits.BasicLimitInformation.LimitFlags & job_time_flags;
    limits = extended_limits(job, spec, clock_runs, restart_job_time);
    if (!SetInformationJobObject(job->handle, JobObjectExtendedLimitInformation, &limits, sizeof limits)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "SetInformationJobObject",
                             "cannot set the limits of the job object \"%s\"", job->name);
    }
    return JP_OK;
}

/* The extended limits come last: a failure before them leaves the job-time clock alone, and one of theirs changes nothing. */
jp_status jp__job_configure(struct jp_job *job, const struct jp_pool_spec *spec, bool restart_job_time, struct jp_error *error) {
    struct step steps[STEPS_MAX];
    size_t count = plan(job, spec, steps);
    jp_status status = JP_OK;
    for (size_t i = 0; i < count && status == JP_OK; i++)
        status = take_step(job, &steps[i], error);
    if (status == JP_OK)
        status = set_extended_limits(job, spec, restart_job_time, error);
    if (status != JP_OK)
        while (count-- > 0)
            take_back(job, &steps[count]);
    return status;
}
