/* Membership: who may join which job, who leaves it how, and what the ports are told.
 * https://learn.microsoft.com/windows/win32/api/jobapi2/nf-jobapi2-assignprocesstojobobject
 * https://learn.microsoft.com/windows/win32/procthread/nested-jobs */
#include "sim_internal.h"

bool jp__in_job(const struct sim_process *process, const struct sim_job *job) {
    for (size_t i = 0; i < process->depth; i++)
        if (process->chain[i] == job)
            return true;
    return false;
}

struct sim_job *jp__immediate(const struct sim_process *process) {
    return process->depth ? process->chain[process->depth - 1] : NULL;
}

/* --- joining --- */

/* The system counts a process when its association is tried, and what it ends for a limit as terminated. */
static void count_refused(struct sim_job *job) {
    job->sum.basic.total_processes++;
    job->sum.basic.total_terminated_processes++;
}

uint32_t jp__room(struct sim_job *job) {
    const struct jp_job_basic_limits *limits = &job->limits.basic;
    for (const struct sim_job *above = job; above; above = above->parent)
        if (above->terminating)
            return WIN32_ACCESS_DENIED;
    if (job->time_up)
        return WIN32_NOT_ENOUGH_QUOTA;
    if (!(limits->limit_flags & JP_JOB_OBJECT_LIMIT_ACTIVE_PROCESS) || job->sum.basic.active_processes < limits->active_process_limit)
        return 0;
    count_refused(job);
    jp__post_chain(job, JP_MSG_ACTIVE_PROCESS_LIMIT, 0);
    return WIN32_NOT_ENOUGH_QUOTA;
}

static bool has_ui_limits(const struct sim_process *process, const struct sim_job *job) {
    bool any = job->ui != 0;
    for (size_t i = 0; i < process->depth; i++)
        any = any || process->chain[i]->ui;
    return any;
}

/* A job below another has a part of its processes: so a job with members takes only who is in its parent already, and an empty
 * one becomes a child of the job that the newcomer is in. */
static bool fits(const struct sim_process *process, const struct sim_job *job, const struct sim_job *immediate) {
    if (immediate && (has_ui_limits(process, job) || !job->sim->host.nested_jobs || process->depth == JP_SIM_MAX_CHAIN))
        return false;
    return job->sum.basic.active_processes == 0 || job->parent == immediate;
}

static bool in_session(const struct sim_process *process, const struct sim_job *job) {
    return !job->session_settled || job->session == process->token.session;
}

static void add_member(struct sim_job *job, struct sim_process *process) {
    if (job->member_count == job->member_room) {
        job->member_room = job->member_room ? 2 * job->member_room : 4;
        job->members = jp_realloc_array(job->members, job->member_room, sizeof *job->members);
    }
    process->chain[process->depth] = job;
    process->places[process->depth++] = job->member_count;
    job->members[job->member_count++] = process;
}

/* From the innermost of its jobs, which is returned. The last member takes its place. */
static struct sim_job *remove_member(struct sim_process *process) {
    struct sim_job *job = process->chain[--process->depth];
    size_t place = process->places[process->depth], i = 0;
    struct sim_process *last = job->members[--job->member_count];
    job->members[place] = last;
    while (last != process && last->chain[i] != job)
        i++;
    last->places[last == process ? process->depth : i] = place;
    return job;
}

void jp__enter(struct sim_process *process, struct sim_job *job) {
    job->parent = jp__immediate(process);
    job->session = process->token.session;
    job->session_settled = true;
    add_member(job, process);
    process->sim->fates[process->fate].was_in_job = true;
    job->sum.basic.total_processes++;
    job->sum.basic.active_processes++;
    jp__account_join(process, job);
    jp__post(process->sim, job->key, JP_MSG_NEW_PROCESS, process->pid);
}

/* The refused process is counted until it has ended and nobody holds it: a job at its limit stays full until then. */
static void refuse(struct sim_process *process, struct sim_job *job) {
    if (!job->time_up) {
        job->sum.basic.active_processes++;
        process->refused_by = job;
    }
    jp__end(process, WIN32_NOT_ENOUGH_QUOTA, JP_SIM_REFUSED);
}

static uint32_t assign(struct sim_process *process, struct sim_job *job) {
    if (!process->alive)
        return WIN32_ACCESS_DENIED;
    if (jp__in_job(process, job))
        return 0;
    if (!in_session(process, job) || !fits(process, job, jp__immediate(process)))
        return WIN32_ACCESS_DENIED;
    job->parent = jp__immediate(process);
    uint32_t win32 = jp__room(job);
    if (win32 == WIN32_NOT_ENOUGH_QUOTA)
        refuse(process, job);
    if (win32)
        return win32;
    jp__enter(process, job);
    jp__enforce_times(process);
    return 0;
}

jp_status jp__job_assign(struct jp_job *handle, struct jp_process *of, struct jp_error *error) {
    const char *operation = "AssignProcessToJobObject";
    if (jp__fails(handle->sim, operation, error))
        return error->status;
    uint32_t win32 = jp__check_handle(handle, JP_JOB_OBJECT_ASSIGN_PROCESS);
    struct sim_process *process = of->process;
    if (!win32 && !process)
        win32 = WIN32_INVALID_HANDLE;
    if (!win32 && !(of->rights & SIM_MAY_ASSIGN))
        win32 = WIN32_ACCESS_DENIED;
    if (!win32 && !process->alive)
        return jp_fail_win32(error, JP_E_NO_PROCESS, WIN32_ACCESS_DENIED, operation, "process %u has exited", (unsigned)process->pid);
    if (!win32)
        win32 = assign(process, handle->job);
    if (!win32)
        return JP_OK;
    return jp_fail_win32(error, jp__status_of(win32), win32, operation, "cannot assign process %u",
                         process ? (unsigned)process->pid : 0);
}

/* For a process that is just being made: the Win32 error, or 0 and it is in all of them. */
uint32_t jp__check_chain(struct sim_process *process, struct jp_job *const *chain, size_t length) {
    for (size_t i = 0; i < length; i++) {
        struct sim_job *job = chain[i]->job, *above = i ? chain[i - 1]->job : NULL;
        uint32_t win32 = jp__check_handle(chain[i], JP_JOB_OBJECT_ASSIGN_PROCESS);
        if (win32)
            return win32;
        if (!in_session(process, job) || (above && (above->ui || job->ui)) ||
            (job->sum.basic.active_processes && job->parent != above))
            return WIN32_ACCESS_DENIED;
    }
    for (size_t i = 0; i < length; i++) {
        chain[i]->job->parent = i ? chain[i - 1]->job : NULL;
        uint32_t win32 = jp__room(chain[i]->job);
        if (win32)
            return win32;
    }
    for (size_t i = 0; i < length; i++)
        jp__enter(process, chain[i]->job);
    return 0;
}

/* --- leaving --- */

static void leave(struct sim_process *process, struct sim_job *job, bool silent) {
    bool abnormal = jp_exit_code_abnormal(process->exit_code) && !process->sim->no_abnormal;
    if (!silent)
        jp__post(process->sim, job->key, abnormal ? JP_MSG_ABNORMAL_EXIT_PROCESS : JP_MSG_EXIT_PROCESS, process->pid);
    if (--job->sum.basic.active_processes == 0)
        jp__post(process->sim, job->key, JP_MSG_ACTIVE_PROCESS_ZERO, 0);
}

/* What the kernel ends with a whole job is not told of one by one. */
static bool ends_silently(enum jp_sim_end end) {
    return end == JP_SIM_JOB_ENDED || end == JP_SIM_JOB_CLOSED || end == JP_SIM_JOB_TIME_UP;
}

void jp__end(struct sim_process *process, uint32_t exit_code, enum jp_sim_end end) {
    struct jp_sim *sim = process->sim;
    if (!process->alive)
        return;
    process->handles++; /* ours, until all is told */
    process->alive = false;
    process->exit_code = exit_code;
    jp__no_longer_obeys(process);
    sim->fates[process->fate].end = end;
    sim->fates[process->fate].exit_code = exit_code;
    jp__account_end(process);
    while (process->depth)
        leave(process, remove_member(process), ends_silently(end));
    jp__keeper_ended(process);
    jp__tell_watches(process);
    jp__release(process);
}

/* Those in child jobs are in this one too: from the bottom of the hierarchy up. */
void jp__end_all(struct sim_job *job, uint32_t exit_code, enum jp_sim_end end) {
    struct jp_sim *sim = job->sim;
    for (size_t depth = JP_SIM_MAX_CHAIN; depth > 0; depth--)
        for (size_t i = sim->process_count; i-- > 0;) /* an ended row's place is taken by the last, which was looked at */
            if (sim->processes[i]->alive && sim->processes[i]->depth == depth && jp__in_job(sim->processes[i], job))
                jp__end(sim->processes[i], exit_code, end);
}

void jp__finish_terminations(struct jp_sim *sim) {
    for (size_t i = 0; i < sim->job_count; i++) {
        struct sim_job *job = sim->jobs[i];
        if (!job->terminating || sim->now_ms < job->terminated_ms)
            continue;
        job->terminating = false;
        jp__end_all(job, job->terminate_code, JP_SIM_JOB_ENDED);
    }
}

uint64_t jp__next_termination_ms(const struct jp_sim *sim) {
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < sim->job_count; i++)
        if (sim->jobs[i]->terminating && sim->jobs[i]->terminated_ms < next)
            next = sim->jobs[i]->terminated_ms;
    return next;
}

jp_status jp__job_terminate(struct jp_job *handle, uint32_t exit_code, struct jp_error *error) {
    const char *operation = "TerminateJobObject";
    struct jp_sim *sim = handle->sim;
    if (jp__fails(sim, operation, error))
        return error->status;
    uint32_t win32 = jp__check_handle(handle, JP_JOB_OBJECT_TERMINATE);
    if (win32)
        return jp_fail_win32(error, jp__status_of(win32), win32, operation, "cannot terminate the job");
    struct sim_job *job = handle->job;
    if (!sim->slow_ends_ms) {
        jp__end_all(job, exit_code, JP_SIM_JOB_ENDED);
    } else if (!job->terminating && job->sum.basic.active_processes) {
        job->terminating = true;
        job->terminated_ms = sim->now_ms + sim->slow_ends_ms;
        job->terminate_code = exit_code;
    }
    return JP_OK;
}

jp_status jp__job_contains(struct jp_job *handle, struct jp_process *of, bool *ret_contains, struct jp_error *error) {
    const char *operation = "IsProcessInJob";
    if (jp__fails(of->sim, operation, error))
        return error->status;
    uint32_t win32 = handle ? jp__check_handle(handle, JP_JOB_OBJECT_QUERY) : 0;
    if (!win32 && !of->process)
        win32 = WIN32_INVALID_HANDLE;
    if (win32)
        return jp_fail_win32(error, jp__status_of(win32), win32, operation, "cannot tell whether the process is in the job");
    *ret_contains = of->process->alive && (handle ? jp__in_job(of->process, handle->job) : of->process->depth > 0);
    return JP_OK;
}

/* --- USER handles --- */

static void grant(struct sim_job *job, uint64_t user_handle, bool grant_it) {
    for (size_t i = job->grant_count; i-- > 0;)
        if (job->grants[i] == user_handle)
            job->grants[i] = job->grants[--job->grant_count];
    if (!grant_it)
        return;
    job->grants = jp_realloc_array(job->grants, job->grant_count + 1, sizeof *job->grants);
    job->grants[job->grant_count++] = user_handle;
}

jp_status jp__job_grant_user_handle(struct jp_job *handle, uint64_t user_handle, bool grant_it, struct jp_principal *principal,
                                    struct jp_error *error) {
    const char *operation = "UserHandleGrantAccess";
    struct jp_sim *sim = handle->sim;
    if (jp__fails(sim, operation, error))
        return error->status;
    uint32_t session = jp__who(sim, principal)->session;
    if (session != sim->service.session)
        return jp_fail(error, JP_E_SESSION, "the desktop of session %u is not the service's", (unsigned)session);
    uint32_t win32 = jp__check_handle(handle, JP_JOB_OBJECT_SET_ATTRIBUTES);
    if (!win32 && !user_handle)
        win32 = WIN32_INVALID_HANDLE;
    if (win32)
        return jp_fail_win32(error, jp__status_of(win32), win32, operation, "cannot grant the handle");
    grant(handle->job, user_handle, grant_it);
    return JP_OK;
}

size_t jp_sim_grants(const struct jp_sim *sim, const char *object_name) {
    const struct sim_job *job = jp__known_job(sim, object_name);
    return job ? job->grant_count : 0;
}
