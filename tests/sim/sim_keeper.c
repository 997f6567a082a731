/* The keeper: a process of the service's that holds jobs, so that their names and their limits outlive the service. What it holds are
 * its own handles; the service has a handle to its process, and the other end of its pipe. */
#include "sim_internal.h"

struct sim_keeper {
    struct sim_job **jobs;
    size_t count;
    bool alone; /* the other end of its pipe is closed: the service let it go, or is dead */
};

struct jp_keeper { /* the service's end */
    struct jp_process *process;
    uint32_t pid;
    int64_t start_100ns;
};

/* --- the process --- */

/* Its handles are closed before anybody hears of its end, as the system does it. */
void jp__keeper_ended(struct sim_process *process) {
    struct sim_keeper *keeper = process->keeper;
    while (keeper && keeper->count)
        jp__drop_job_handle(keeper->jobs[--keeper->count]);
}

void jp__keeper_free(struct sim_keeper *keeper) {
    if (!keeper)
        return;
    jp_free(keeper->jobs);
    jp_free(keeper);
}

static void release_job(struct sim_keeper *keeper, size_t at) {
    struct sim_job *job = keeper->jobs[at];
    keeper->jobs[at] = keeper->jobs[--keeper->count];
    jp__drop_job_handle(job);
}

bool jp__keeper_serves(const struct sim_process *process) { return process->keeper && process->alive && !process->keeper->alone; }

void jp__leave_keepers_alone(struct jp_sim *sim) {
    for (size_t i = 0; i < sim->process_count; i++)
        if (sim->processes[i]->keeper)
            sim->processes[i]->keeper->alone = true;
}

void jp__keepers_look(struct jp_sim *sim) {
    for (size_t i = sim->process_count; i-- > 0;) { /* an ended row's place is taken by the last, which was looked at */
        struct sim_process *process = sim->processes[i];
        struct sim_keeper *keeper = process->keeper;
        if (!keeper || !process->alive || !keeper->alone)
            continue;
        for (size_t at = keeper->count; at-- > 0;)
            if (keeper->jobs[at]->sum.basic.active_processes == 0)
                release_job(keeper, at);
        if (keeper->count == 0)
            jp__end(process, 0, JP_SIM_EXITED);
    }
}

/* --- the service's end --- */

jp_status jp__keeper_start(struct jp_backend *backend, uint64_t watch, struct jp_keeper **ret_keeper, struct jp_error *error) {
    struct jp_sim *sim = jp__sim(backend);
    if (jp__fails(sim, "CreateKeeper", error))
        return error->status;
    struct sim_process *process = jp__new_process(sim, JP_SIM_SERVICE_PID, "jobpoold.exe", &sim->service);
    process->keeper = jp_alloc(sizeof *process->keeper);
    struct jp_process *handle = jp__process_handle(process, 0);
    if (jp__process_watch(handle, watch, error)) {
        jp__end(process, 1, JP_SIM_TERMINATED);
        jp__process_close(handle);
        return error->status;
    }
    struct jp_keeper *keeper = jp_alloc(sizeof *keeper);
    *keeper = (struct jp_keeper){.process = handle, .pid = process->pid, .start_100ns = process->start_100ns};
    *ret_keeper = keeper;
    return JP_OK;
}

void jp__keeper_facts(const struct jp_keeper *keeper, uint32_t *ret_pid, int64_t *ret_start_100ns) {
    *ret_pid = keeper->pid;
    *ret_start_100ns = keeper->start_100ns;
}

static size_t place_of(const struct sim_keeper *keeper, const struct sim_job *job) {
    size_t at = 0;
    while (at < keeper->count && keeper->jobs[at] != job)
        at++;
    return at;
}

jp_status jp__keeper_hold(struct jp_keeper *keeper, struct jp_job *handle, struct jp_error *error) {
    const char *operation = "DuplicateHandle";
    struct sim_process *process = keeper->process->process;
    if (jp__fails(keeper->process->sim, operation, error))
        return error->status;
    if (!process || !handle->job)
        return jp__dead_handle(error, operation);
    if (!process->alive)
        return jp_fail(error, JP_E_NO_PROCESS, "the keeper (process %u) has ended", (unsigned)keeper->pid);
    struct sim_keeper *keeps = process->keeper;
    if (place_of(keeps, handle->job) < keeps->count)
        return JP_OK;
    keeps->jobs = jp_realloc_array(keeps->jobs, keeps->count + 1, sizeof *keeps->jobs);
    keeps->jobs[keeps->count++] = handle->job;
    handle->job->handles++;
    return JP_OK;
}

void jp__keeper_let_go(struct jp_keeper *keeper, struct jp_job *handle) {
    struct sim_process *process = keeper->process->process;
    if (!process || !process->alive || !handle->job)
        return;
    struct sim_keeper *keeps = process->keeper;
    size_t at = place_of(keeps, handle->job);
    if (at == keeps->count)
        return;
    release_job(keeps, at);
    if (keeps->count == 0)
        jp__end(process, 0, JP_SIM_EXITED);
}

void jp__keeper_close(struct jp_keeper *keeper) {
    if (!keeper)
        return;
    struct sim_process *process = keeper->process->process;
    if (process)
        process->keeper->alone = true;
    jp__process_close(keeper->process);
    jp_free(keeper);
}

jp_status jp__keeper_dismiss(struct jp_backend *backend, uint32_t pid, int64_t start_100ns, struct jp_error *error) {
    struct jp_sim *sim = jp__sim(backend);
    if (jp__fails(sim, "OpenProcess", error))
        return error->status;
    struct sim_process *process = jp__find(sim, pid);
    if (!process || !process->alive || process->start_100ns != start_100ns)
        return jp_fail(error, JP_E_NO_PROCESS, "the keeper of the earlier run (process %u) is gone", (unsigned)pid);
    if (!process->keeper)
        return jp_fail(error, JP_E_OTHER_PROCESS, "process %u is no keeper", (unsigned)pid);
    if (jp__fails(sim, "TerminateProcess", error))
        return error->status;
    jp__end(process, 0, JP_SIM_TERMINATED);
    return JP_OK;
}

/* --- the truth --- */

size_t jp_sim_keepers(const struct jp_sim *sim, uint32_t *pids, size_t room) {
    size_t count = 0;
    for (size_t i = 0; i < sim->process_count; i++) {
        if (!sim->processes[i]->keeper || !sim->processes[i]->alive)
            continue;
        if (count < room)
            pids[count] = sim->processes[i]->pid;
        count++;
    }
    return count;
}

size_t jp_sim_kept_jobs(const struct jp_sim *sim, uint32_t keeper_pid, const char **names, size_t room) {
    const struct sim_keeper *keeper = jp__known(sim, keeper_pid)->keeper;
    for (size_t i = 0; keeper && i < keeper->count && i < room; i++)
        names[i] = keeper->jobs[i]->name;
    return keeper ? keeper->count : 0;
}
