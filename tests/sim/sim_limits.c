/* Classes 2 and 9: which limits Windows takes, and which hold for a process in a chain of jobs.
 * https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_basic_limit_information */
#include "sim_internal.h"

/* From the least to the most favoured. */
static const uint32_t priorities[] = {JP_JOB_IDLE_PRIORITY_CLASS,         JP_JOB_BELOW_NORMAL_PRIORITY_CLASS,
                                      JP_JOB_NORMAL_PRIORITY_CLASS,       JP_JOB_ABOVE_NORMAL_PRIORITY_CLASS,
                                      JP_JOB_HIGH_PRIORITY_CLASS,         JP_JOB_REALTIME_PRIORITY_CLASS};
enum { PRIORITIES = sizeof priorities / sizeof *priorities, MAX_SCHEDULING_CLASS = 9 };

static size_t rank(uint32_t priority_class) {
    size_t at = 0;
    while (at < PRIORITIES && priorities[at] != priority_class)
        at++;
    return at;
}

bool jp__priority_valid(uint32_t priority_class) { return rank(priority_class) < PRIORITIES; }

/* --- setting --- */

static bool flags_valid(uint32_t flags, enum jp_job_class class) {
    uint32_t both = JP_JOB_OBJECT_LIMIT_JOB_TIME | JP_JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME;
    uint32_t valid = class == JP_JOB_BasicLimitInformation ? JP_JOB_OBJECT_BASIC_LIMIT_VALID_FLAGS
                                                           : JP_JOB_OBJECT_EXTENDED_LIMIT_VALID_FLAGS;
    bool subset_alone = flags & JP_JOB_OBJECT_LIMIT_SUBSET_AFFINITY && !(flags & JP_JOB_OBJECT_LIMIT_AFFINITY);
    return !(flags & ~valid) && (flags & both) != both && !subset_alone;
}

static bool affinity_valid(const struct sim_job *job, uint64_t affinity) {
    return affinity && !(affinity & ~job->sim->group_masks[0]) && !job->grouped && !job->group_masked;
}

static bool limits_valid(const struct sim_job *job, const struct jp_job_basic_limits *limits) {
    uint32_t flags = limits->limit_flags;
    if (flags & JP_JOB_OBJECT_LIMIT_ACTIVE_PROCESS && limits->active_process_limit == 0)
        return false;
    if (flags & JP_JOB_OBJECT_LIMIT_WORKINGSET &&
        (limits->minimum_working_set_bytes == 0 || limits->minimum_working_set_bytes > limits->maximum_working_set_bytes))
        return false;
    if (flags & JP_JOB_OBJECT_LIMIT_AFFINITY && !affinity_valid(job, limits->affinity))
        return false;
    if (flags & JP_JOB_OBJECT_LIMIT_PRIORITY_CLASS && rank(limits->priority_class) == PRIORITIES)
        return false;
    return !(flags & JP_JOB_OBJECT_LIMIT_SCHEDULING_CLASS) || limits->scheduling_class <= MAX_SCHEDULING_CLASS;
}

static void set_job_time(struct sim_job *job, struct jp_job_basic_limits *wanted, uint32_t given) {
    const struct jp_job_basic_limits *old = &job->limits.basic;
    wanted->limit_flags &= ~(uint32_t)JP_JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME;
    if (given & JP_JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME) {
        wanted->limit_flags |= old->limit_flags & JP_JOB_OBJECT_LIMIT_JOB_TIME;
        wanted->per_job_user_time_limit_100ns = old->per_job_user_time_limit_100ns;
        return;
    }
    job->time_up = false;
    if (given & JP_JOB_OBJECT_LIMIT_JOB_TIME) { /* a new period begins */
        job->period_user_base = job->sum.basic.total_user_time_100ns;
        job->period_kernel_base = job->sum.basic.total_kernel_time_100ns;
    }
}

/* What no flag calls valid is not kept. */
static struct jp_job_extended_limits flagged(const struct jp_job_extended_limits *limits) {
    const struct jp_job_basic_limits *basic = &limits->basic;
    uint32_t flags = basic->limit_flags;
    struct jp_job_extended_limits kept = {.basic.limit_flags = flags};
#define KEEP(flag, member)                                                                                  \
    if (flags & JP_JOB_OBJECT_LIMIT_##flag)                                                                 \
    kept.member = limits->member
    KEEP(PROCESS_TIME, basic.per_process_user_time_limit_100ns);
    KEEP(JOB_TIME, basic.per_job_user_time_limit_100ns);
    KEEP(WORKINGSET, basic.minimum_working_set_bytes);
    KEEP(WORKINGSET, basic.maximum_working_set_bytes);
    KEEP(ACTIVE_PROCESS, basic.active_process_limit);
    KEEP(AFFINITY, basic.affinity);
    KEEP(PRIORITY_CLASS, basic.priority_class);
    KEEP(SCHEDULING_CLASS, basic.scheduling_class);
    KEEP(PROCESS_MEMORY, process_memory_limit_bytes);
    KEEP(JOB_MEMORY, job_memory_limit_bytes);
#undef KEEP
    return kept;
}

/* A per-process time limit holds for those who are there already. */
static void enforce_on_members(struct sim_job *job) {
    struct jp_sim *sim = job->sim;
    for (size_t i = sim->process_count; i-- > 0;)
        if (i < sim->process_count && sim->processes[i]->alive && jp__in_job(sim->processes[i], job))
            jp__enforce_times(sim->processes[i]);
}

uint32_t jp__set_limits(struct sim_job *job, enum jp_job_class class, const struct jp_job_extended_limits *limits) {
    uint32_t given = limits->basic.limit_flags, extended = JP_JOB_OBJECT_EXTENDED_LIMIT_VALID_FLAGS & ~JP_JOB_OBJECT_BASIC_LIMIT_VALID_FLAGS;
    if (!flags_valid(given, class) || !limits_valid(job, &limits->basic))
        return WIN32_INVALID_PARAMETER;
    struct jp_job_extended_limits wanted = *limits;
    if (class == JP_JOB_BasicLimitInformation) { /* the others stay as they are */
        wanted = job->limits;
        wanted.basic = limits->basic;
        wanted.basic.limit_flags |= job->limits.basic.limit_flags & extended;
    }
    set_job_time(job, &wanted.basic, given);
    wanted.basic.limit_flags &= ~job->sim->forgotten;
    wanted.peak_process_memory_bytes = wanted.peak_job_memory_bytes = 0;
    uint64_t peaks[] = {job->limits.peak_process_memory_bytes, job->limits.peak_job_memory_bytes};
    job->limits = flagged(&wanted);
    job->limits.peak_process_memory_bytes = peaks[0];
    job->limits.peak_job_memory_bytes = peaks[1];
    enforce_on_members(job);
    return 0;
}

/* --- what holds --- */

/* True where the limit of `job` is the first of its kind, or tighter than what held so far. */
static bool tighter(uint32_t flag, uint32_t held, uint32_t job_flags, uint64_t value, uint64_t so_far) {
    return job_flags & flag && (!(held & flag) || value < so_far);
}

static void tighten(struct jp_job_extended_limits *held, const struct jp_job_extended_limits *limits) {
    struct jp_job_basic_limits *to = &held->basic;
    const struct jp_job_basic_limits *from = &limits->basic;
    uint32_t flags = from->limit_flags, had = to->limit_flags;
    if (tighter(JP_JOB_OBJECT_LIMIT_PROCESS_TIME, had, flags, from->per_process_user_time_limit_100ns, to->per_process_user_time_limit_100ns))
        to->per_process_user_time_limit_100ns = from->per_process_user_time_limit_100ns;
    if (tighter(JP_JOB_OBJECT_LIMIT_SCHEDULING_CLASS, had, flags, from->scheduling_class, to->scheduling_class))
        to->scheduling_class = from->scheduling_class;
    if (tighter(JP_JOB_OBJECT_LIMIT_PRIORITY_CLASS, had, flags, rank(from->priority_class), rank(to->priority_class)))
        to->priority_class = from->priority_class;
    if (tighter(JP_JOB_OBJECT_LIMIT_WORKINGSET, had, flags, from->maximum_working_set_bytes, to->maximum_working_set_bytes)) {
        to->minimum_working_set_bytes = from->minimum_working_set_bytes;
        to->maximum_working_set_bytes = from->maximum_working_set_bytes;
    }
    if (tighter(JP_JOB_OBJECT_LIMIT_PROCESS_MEMORY, had, flags, limits->process_memory_limit_bytes, held->process_memory_limit_bytes))
        held->process_memory_limit_bytes = limits->process_memory_limit_bytes;
    if (tighter(JP_JOB_OBJECT_LIMIT_JOB_MEMORY, had, flags, limits->job_memory_limit_bytes, held->job_memory_limit_bytes))
        held->job_memory_limit_bytes = limits->job_memory_limit_bytes;
    /* One that is no part of the parent's is ignored. */
    if (flags & JP_JOB_OBJECT_LIMIT_AFFINITY && (!(had & JP_JOB_OBJECT_LIMIT_AFFINITY) || !(from->affinity & ~to->affinity)))
        to->affinity = from->affinity;
    to->limit_flags |= flags;
}

void jp__effective(const struct sim_process *process, struct jp_job_extended_limits *ret_limits) {
    const uint32_t chained = JP_JOB_OBJECT_LIMIT_PROCESS_TIME | JP_JOB_OBJECT_LIMIT_SCHEDULING_CLASS | JP_JOB_OBJECT_LIMIT_PRIORITY_CLASS |
                             JP_JOB_OBJECT_LIMIT_WORKINGSET | JP_JOB_OBJECT_LIMIT_PROCESS_MEMORY | JP_JOB_OBJECT_LIMIT_JOB_MEMORY |
                             JP_JOB_OBJECT_LIMIT_AFFINITY;
    const struct sim_job *immediate = jp__immediate(process);
    *ret_limits = (struct jp_job_extended_limits){0};
    for (size_t i = 0; i < process->depth; i++)
        tighten(ret_limits, &process->chain[i]->limits);
    if (!immediate)
        return;
    const struct jp_job_basic_limits *own = &immediate->limits.basic;
    ret_limits->basic.limit_flags = (ret_limits->basic.limit_flags & chained) | (own->limit_flags & ~chained);
    ret_limits->basic.active_process_limit = own->active_process_limit;
    ret_limits->basic.per_job_user_time_limit_100ns = own->per_job_user_time_limit_100ns;
}

/* --- what processes ask for --- */

void jp_sim_effective(const struct jp_sim *sim, uint32_t pid, struct jp_job_extended_limits *ret_limits) {
    jp__effective(jp__known(sim, pid), ret_limits);
}

void jp_sim_ask_priority(struct jp_sim *sim, uint32_t pid, uint32_t priority_class) { jp__known(sim, pid)->priority = priority_class; }

void jp_sim_ask_affinity(struct jp_sim *sim, uint32_t pid, uint64_t affinity) {
    struct sim_process *process = jp__known(sim, pid);
    process->affinity = affinity;
    process->asked_affinity = true;
}

void jp_sim_ask_working_set(struct jp_sim *sim, uint32_t pid, uint64_t min_bytes, uint64_t max_bytes) {
    struct sim_process *process = jp__known(sim, pid);
    process->min_working_set = min_bytes;
    process->max_working_set = max_bytes;
}

uint32_t jp_sim_priority(const struct jp_sim *sim, uint32_t pid) {
    struct jp_job_extended_limits limits;
    jp_sim_effective(sim, pid, &limits);
    uint32_t asked = jp__known(sim, pid)->priority;
    return limits.basic.limit_flags & JP_JOB_OBJECT_LIMIT_PRIORITY_CLASS ? limits.basic.priority_class : asked;
}

uint64_t jp_sim_affinity(const struct jp_sim *sim, uint32_t pid) {
    struct jp_job_extended_limits limits;
    const struct sim_process *process = jp__known(sim, pid);
    jp_sim_effective(sim, pid, &limits);
    if (!(limits.basic.limit_flags & JP_JOB_OBJECT_LIMIT_AFFINITY))
        return process->asked_affinity ? process->affinity : sim->group_masks[0];
    bool subset = limits.basic.limit_flags & JP_JOB_OBJECT_LIMIT_SUBSET_AFFINITY && process->asked_affinity &&
                  !(process->affinity & ~limits.basic.affinity);
    return subset ? process->affinity : limits.basic.affinity;
}

void jp_sim_working_set(const struct jp_sim *sim, uint32_t pid, uint64_t *ret_min_bytes, uint64_t *ret_max_bytes) {
    struct jp_job_extended_limits limits;
    const struct sim_process *process = jp__known(sim, pid);
    jp_sim_effective(sim, pid, &limits);
    bool limited = limits.basic.limit_flags & JP_JOB_OBJECT_LIMIT_WORKINGSET;
    *ret_min_bytes = limited ? limits.basic.minimum_working_set_bytes : process->min_working_set;
    *ret_max_bytes = limited ? limits.basic.maximum_working_set_bytes : process->max_working_set;
}
