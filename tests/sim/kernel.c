/* Processes and jobs as two tables; the backend's handles are counted references to their rows. */
#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PROCESSES = 20000, MAX_JOBS = 2000, MAX_CHAIN = 33, FIRST_PID = 100 };

struct sim_job {
    char *name;
    struct sim_job *parent; /* found when a process joins both */
    unsigned handles, active, total, terminated;
    uint64_t key; /* 0: no port */
    bool kill_on_close, foreign;
};

struct jp_process {
    struct jp_sim *sim;
    uint32_t pid, parent_pid, exit_code;
    int64_t start_100ns;
    uint64_t watch, user_100ns;
    unsigned handles;
    bool alive, suspended, protected, unborn;
    char image[64];
    struct sim_job *chain[MAX_CHAIN]; /* innermost last */
    size_t depth;
};

struct jp_job { /* a handle */
    struct jp_sim *sim;
    struct sim_job *job;
};

struct jp_sim {
    struct jp_backend backend;
    struct jp_capabilities host;
    uint64_t now_ms;
    struct jp_process *processes[MAX_PROCESSES];
    size_t process_count;
    struct sim_job *jobs[MAX_JOBS];
    size_t job_count, open_jobs;
    uint32_t next_pid;
    uint64_t born;
    struct jp_sim_item *queue;
    size_t queued, capacity;
    char failing[64];
    uint32_t failing_win32;
    bool deaf, names_die;
};

/* --- small things --- */

static void post(struct jp_sim *sim, uint64_t key, uint32_t message, uint32_t pid) {
    if (!key)
        return;
    if (sim->queued == sim->capacity) {
        sim->capacity = sim->capacity ? 2 * sim->capacity : 64;
        sim->queue = jp_realloc_array(sim->queue, sim->capacity, sizeof *sim->queue);
    }
    sim->queue[sim->queued++] = (struct jp_sim_item){key, message, pid};
}

static bool fails(struct jp_sim *sim, const char *operation, jp_status status, struct jp_error *error) {
    if (strcmp(sim->failing, operation) != 0)
        return false;
    sim->failing[0] = '\0';
    jp_fail_win32(error, status, sim->failing_win32, operation, "simulated failure");
    return true;
}

static struct jp_process *find(const struct jp_sim *sim, uint32_t pid) {
    for (size_t i = sim->process_count; i-- > 0;)
        if (sim->processes[i] && sim->processes[i]->pid == pid)
            return sim->processes[i];
    return NULL;
}

/* A test that names a process that is not there is wrong. */
static struct jp_process *known(const struct jp_sim *sim, uint32_t pid) {
    struct jp_process *process = find(sim, pid);
    if (!process) {
        fprintf(stderr, "simulated kernel: there is no process %u\n", (unsigned)pid);
        abort();
    }
    return process;
}

/* A row goes when the process has ended and nobody holds it: its pid is free then. */
static void release(struct jp_sim *sim, struct jp_process *process) {
    if (process->alive || process->handles)
        return;
    for (size_t i = 0; i < sim->process_count; i++)
        if (sim->processes[i] == process) {
            sim->processes[i] = sim->processes[--sim->process_count];
            break;
        }
    jp_free(process);
}

static void enter_job(struct jp_sim *sim, struct jp_process *process, struct sim_job *job) {
    process->chain[process->depth++] = job;
    job->active++;
    job->total++;
    post(sim, job->key, JP_MSG_NEW_PROCESS, process->pid);
}

static void end(struct jp_sim *sim, struct jp_process *process, uint32_t exit_code, bool silent) {
    process->alive = false;
    process->exit_code = exit_code;
    for (size_t i = process->depth; i-- > 0;) {
        struct sim_job *job = process->chain[i];
        bool abnormal = jp_exit_code_abnormal(exit_code);
        job->active--;
        if (!silent)
            post(sim, job->key, abnormal ? JP_MSG_ABNORMAL_EXIT_PROCESS : JP_MSG_EXIT_PROCESS, process->pid);
        if (!job->active)
            post(sim, job->key, JP_MSG_ACTIVE_PROCESS_ZERO, 0);
    }
    if (process->watch)
        post(sim, process->watch, 0, 0);
    release(sim, process);
}

static bool in_job(const struct jp_process *process, const struct sim_job *job) {
    for (size_t i = 0; i < process->depth; i++)
        if (process->chain[i] == job)
            return true;
    return false;
}

static void terminate_all(struct jp_sim *sim, struct sim_job *job, uint32_t exit_code) {
    for (size_t i = 0; i < sim->process_count;) {
        struct jp_process *process = sim->processes[i];
        if (process->alive && in_job(process, job)) {
            end(sim, process, exit_code, true);
            job->terminated++;
            i = 0; /* rows may have moved */
        } else {
            i++;
        }
    }
}

/* --- jobs --- */

static const struct jp_capabilities *capabilities(struct jp_backend *backend) { return &((struct jp_sim *)(void *)backend)->host; }

static struct sim_job *find_job(const struct jp_sim *sim, const char *name) {
    for (size_t i = 0; i < sim->job_count; i++)
        if (sim->jobs[i]->handles + (sim->names_die ? 0 : sim->jobs[i]->active) && strcmp(sim->jobs[i]->name, name) == 0)
            return sim->jobs[i];
    return NULL;
}

static struct sim_job *make_job(struct jp_sim *sim, const char *name) {
    struct sim_job *job = jp_alloc(sizeof *job);
    job->name = jp_strdup(name);
    if (sim->job_count == MAX_JOBS)
        abort();
    sim->jobs[sim->job_count++] = job;
    return job;
}

static jp_status job_open(struct jp_backend *backend, const char *object_name, uint64_t key, struct jp_job_open_result *ret_result,
                          struct jp_error *error) {
    struct jp_sim *sim = (struct jp_sim *)(void *)backend;
    if (fails(sim, "CreateJobObject", JP_E_SYSTEM, error))
        return error->status;
    struct sim_job *job = find_job(sim, object_name);
    if (job && job->foreign)
        return jp_fail(error, JP_E_DENIED, "\"%s\" is somebody else's", object_name);
    ret_result->existed = job != NULL;
    if (!job)
        job = make_job(sim, object_name);
    job->handles++;
    ret_result->listening = !sim->deaf;
    if (!sim->deaf) {
        job->key = key;
        for (size_t i = 0; i < sim->process_count; i++) /* attaching tells of those who are there */
            if (sim->processes[i]->alive && in_job(sim->processes[i], job))
                post(sim, key, JP_MSG_NEW_PROCESS, sim->processes[i]->pid);
    }
    ret_result->job = jp_alloc(sizeof *ret_result->job);
    *ret_result->job = (struct jp_job){sim, job};
    sim->open_jobs++;
    return JP_OK;
}

static void job_close(struct jp_job *handle) {
    struct sim_job *job = handle->job;
    job->key = --job->handles ? job->key : 0;
    handle->sim->open_jobs--;
    if (!job->handles && job->kill_on_close)
        terminate_all(handle->sim, job, 0);
    jp_free(handle);
}

static jp_status job_configure(struct jp_job *handle, const struct jp_pool_spec *spec, bool restart_job_time, struct jp_error *error) {
    (void)restart_job_time;
    if (fails(handle->sim, "SetInformationJobObject", JP_E_SYSTEM, error))
        return error->status;
    handle->job->kill_on_close = jp_pool_spec_terminates(spec);
    return JP_OK;
}

static jp_status job_assign(struct jp_job *handle, struct jp_process *process, struct jp_error *error) {
    struct sim_job *job = handle->job;
    if (fails(handle->sim, "AssignProcessToJobObject", JP_E_SYSTEM, error))
        return error->status;
    struct sim_job *innermost = process->depth ? process->chain[process->depth - 1] : NULL;
    if (!process->alive || (innermost && job->active && job->parent != innermost))
        return jp_fail_win32(error, JP_E_SYSTEM, 5, "AssignProcessToJobObject", "cannot assign");
    if (in_job(process, job))
        return JP_OK;
    job->parent = innermost;
    enter_job(handle->sim, process, job);
    return JP_OK;
}

static jp_status job_terminate(struct jp_job *handle, uint32_t exit_code, struct jp_error *error) {
    if (fails(handle->sim, "TerminateJobObject", JP_E_SYSTEM, error))
        return error->status;
    terminate_all(handle->sim, handle->job, exit_code);
    return JP_OK;
}

static jp_status job_pids(struct jp_job *handle, uint32_t **ret_pids, size_t *ret_count, struct jp_error *error) {
    struct jp_sim *sim = handle->sim;
    if (fails(sim, "QueryInformationJobObject", JP_E_SYSTEM, error))
        return error->status;
    uint32_t *pids = jp_alloc(sim->process_count * sizeof *pids);
    size_t count = 0;
    for (size_t i = 0; i < sim->process_count; i++)
        if (sim->processes[i]->alive && in_job(sim->processes[i], handle->job))
            pids[count++] = sim->processes[i]->pid;
    *ret_pids = pids;
    *ret_count = count;
    return JP_OK;
}

static jp_status job_counters(struct jp_job *handle, struct jp_job_counters *ret_counters, struct jp_error *error) {
    (void)error;
    *ret_counters = (struct jp_job_counters){.total_processes = handle->job->total, .active_processes = handle->job->active,
                                             .terminated_processes = handle->job->terminated};
    return JP_OK;
}

static jp_status job_contains(struct jp_job *handle, struct jp_process *process, bool *ret_contains, struct jp_error *error) {
    (void)error;
    *ret_contains = process->alive && in_job(process, handle->job);
    return JP_OK;
}

/* --- processes --- */

static jp_status process_open(struct jp_backend *backend, uint32_t pid, int64_t start_100ns, enum jp_process_use use,
                              struct jp_principal *principal, struct jp_process **ret_process, struct jp_error *error) {
    struct jp_sim *sim = (struct jp_sim *)(void *)backend;
    (void)principal;
    struct jp_process *process = find(sim, pid);
    if (!process || (!process->alive && use != JP_PROCESS_OBSERVE))
        return jp_fail(error, JP_E_NO_PROCESS, "there is no process %u", (unsigned)pid);
    if (process->protected)
        return jp_fail_win32(error, JP_E_DENIED, 5, "OpenProcess", "cannot open process %u", (unsigned)pid);
    if (start_100ns && process->start_100ns != start_100ns)
        return jp_fail(error, JP_E_OTHER_PROCESS, "process %u is another", (unsigned)pid);
    process->handles++;
    *ret_process = process;
    return JP_OK;
}

static void process_close(struct jp_process *process) {
    struct jp_sim *sim = process->sim;
    process->handles--;
    release(sim, process);
}

static jp_status process_facts(struct jp_process *process, struct jp_process_facts *ret_facts, struct jp_error *error) {
    (void)error;
    *ret_facts = (struct jp_process_facts){.pid = process->pid, .start_100ns = process->unborn ? 0 : process->start_100ns, .parent_pid = process->parent_pid,
                                           .session = 1, .image = process->unborn ? NULL : jp_sprintf("C:\\sim\\%s", process->image),
                                           .command_line = jp_strdup(process->image), .user = jp_strdup("SIM\\user")};
    return JP_OK;
}

static void process_usage(struct jp_process *process, struct jp_usage *ret_usage) {
    bool told = process->sim->host.process_times;
    *ret_usage = told ? (struct jp_usage){.known = JP_USAGE_CPU, .user_100ns = process->user_100ns} : (struct jp_usage){0};
}

static jp_status sample(struct jp_backend *backend, struct jp_sample **ret_samples, size_t *ret_count, struct jp_error *error) {
    struct jp_sim *sim = (struct jp_sim *)(void *)backend;
    if (fails(sim, "NtQuerySystemInformation", JP_E_SYSTEM, error))
        return error->status;
    struct jp_sample *samples = jp_alloc(sim->process_count * sizeof *samples);
    size_t count = 0;
    for (size_t i = 0; i < sim->process_count; i++)
        if (sim->processes[i]->alive)
            samples[count++] = (struct jp_sample){.pid = sim->processes[i]->pid, .start_100ns = sim->processes[i]->start_100ns,
                                                  .usage = {.known = JP_USAGE_CPU, .user_100ns = sim->processes[i]->user_100ns}};
    *ret_samples = samples;
    *ret_count = count;
    return JP_OK;
}

static bool process_exited(struct jp_process *process, uint32_t *ret_exit_code) {
    if (process->alive)
        return false;
    *ret_exit_code = process->exit_code;
    return true;
}

static jp_status process_terminate(struct jp_process *process, uint32_t exit_code, struct jp_error *error) {
    if (fails(process->sim, "TerminateProcess", JP_E_SYSTEM, error))
        return error->status;
    if (process->alive)
        end(process->sim, process, exit_code, false);
    return JP_OK;
}

static jp_status process_check_token(struct jp_process *process, uint32_t security, struct jp_error *error) {
    if (security & JP_SECURITY_NO_ADMIN && strcmp(process->image, "admin.exe") == 0)
        return jp_fail(error, JP_E_DENIED, "process %u is an administrator's", (unsigned)process->pid);
    return JP_OK;
}

/* One watch a process, as the pools use it. */
static jp_status process_watch(struct jp_process *process, uint64_t watch, struct jp_error *error) {
    if (fails(process->sim, "RegisterWaitForSingleObject", JP_E_SYSTEM, error))
        return error->status;
    process->watch = watch;
    if (!process->alive || process->unborn)
        post(process->sim, watch, 0, 0);
    return JP_OK;
}

static struct jp_process *new_process(struct jp_sim *sim, uint32_t parent, const char *image) {
    struct jp_process *process = jp_alloc(sizeof *process);
    if (sim->process_count == MAX_PROCESSES)
        abort();
    while (find(sim, sim->next_pid))
        sim->next_pid += 4;
    process->sim = sim;
    process->pid = sim->next_pid;
    sim->next_pid += 4;
    process->parent_pid = parent;
    process->start_100ns = jp_sim_now_100ns(sim) + (int64_t)++sim->born; /* two of one moment differ */
    process->alive = true;
    snprintf(process->image, sizeof process->image, "%s", image);
    sim->processes[sim->process_count++] = process;
    return process;
}

static jp_status process_launch(struct jp_backend *backend, const struct jp_launch *launch, struct jp_process **ret_process,
                                struct jp_error *error) {
    struct jp_sim *sim = (struct jp_sim *)(void *)backend;
    if (fails(sim, "CreateProcess", JP_E_SYSTEM, error))
        return error->status;
    struct jp_process *process = new_process(sim, 1, launch->command_line);
    process->suspended = true;
    for (size_t i = 0; i < launch->chain_length; i++) {
        launch->chain[i]->job->parent = i ? launch->chain[i - 1]->job : NULL;
        enter_job(sim, process, launch->chain[i]->job);
    }
    process->handles++;
    *ret_process = process;
    return JP_OK;
}

static jp_status process_resume(struct jp_process *process, struct jp_error *error) {
    if (fails(process->sim, "ResumeThread", JP_E_SYSTEM, error))
        return error->status;
    process->suspended = false;
    return JP_OK;
}

static const struct jp_backend_ops ops = {
    .capabilities = capabilities, .job_open = job_open, .job_close = job_close, .job_configure = job_configure, .job_assign = job_assign,
    .job_terminate = job_terminate, .job_pids = job_pids, .job_counters = job_counters, .job_contains = job_contains,
    .process_open = process_open, .process_close = process_close, .process_facts = process_facts, .process_usage = process_usage, .sample = sample,
    .process_exited = process_exited, .process_terminate = process_terminate, .process_check_token = process_check_token,
    .process_watch = process_watch, .process_launch = process_launch, .process_resume = process_resume,
};

/* --- what tests do --- */

struct jp_sim *jp_sim_new(void) {
    struct jp_sim *sim = jp_alloc(sizeof *sim);
    sim->backend.ops = &ops;
    sim->now_ms = 1000;
    sim->next_pid = FIRST_PID;
    for (size_t i = 0; i < JP_LIMIT_COUNT; i++)
        sim->host.limits[i] = JP_ENFORCED_BY_KERNEL;
    sim->host.nested_jobs = sim->host.process_times = sim->host.memory_after_exit = true;
    sim->host.host = jp_strdup("simulated");
    return sim;
}

void jp_sim_free(struct jp_sim *sim) {
    for (size_t i = 0; i < sim->process_count; i++) {
        if (sim->processes[i]->handles) {
            fprintf(stderr, "simulated kernel: process %u has %u handles left\n", (unsigned)sim->processes[i]->pid, sim->processes[i]->handles);
            abort();
        }
        jp_free(sim->processes[i]);
    }
    if (sim->open_jobs) {
        fprintf(stderr, "simulated kernel: %zu job handles left\n", sim->open_jobs);
        abort();
    }
    for (size_t i = 0; i < sim->job_count; i++) {
        jp_free(sim->jobs[i]->name);
        jp_free(sim->jobs[i]);
    }
    jp_free(sim->queue);
    jp_free(sim->host.host);
    jp_free(sim);
}

struct jp_backend *jp_sim_backend(struct jp_sim *sim) { return &sim->backend; }
struct jp_capabilities *jp_sim_capabilities(struct jp_sim *sim) { return &sim->host; }
uint64_t jp_sim_now_ms(const struct jp_sim *sim) { return sim->now_ms; }
int64_t jp_sim_now_100ns(const struct jp_sim *sim) { return INT64_C(134000000000000000) + (int64_t)sim->now_ms * 10000; }
void jp_sim_pass(struct jp_sim *sim, uint64_t ms) { sim->now_ms += ms; }

uint32_t jp_sim_spawn(struct jp_sim *sim, uint32_t parent, const char *image) {
    struct jp_process *process = new_process(sim, parent, image);
    struct jp_process *mother = parent ? find(sim, parent) : NULL;
    for (size_t i = 0; mother && i < mother->depth; i++)
        enter_job(sim, process, mother->chain[i]);
    return process->pid;
}

void jp_sim_exit(struct jp_sim *sim, uint32_t pid, uint32_t exit_code) { end(sim, known(sim, pid), exit_code, false); }

uint32_t jp_sim_spawn_unborn(struct jp_sim *sim, uint32_t parent, const char *image) {
    uint32_t pid = jp_sim_spawn(sim, parent, image);
    known(sim, pid)->unborn = true;
    return pid;
}

void jp_sim_bear(struct jp_sim *sim, uint32_t pid) { known(sim, pid)->unborn = false; }

bool jp_sim_alive(const struct jp_sim *sim, uint32_t pid) {
    struct jp_process *process = find(sim, pid);
    return process && process->alive;
}

bool jp_sim_suspended(const struct jp_sim *sim, uint32_t pid) { return known(sim, pid)->suspended; }
int64_t jp_sim_start_time(const struct jp_sim *sim, uint32_t pid) { return known(sim, pid)->start_100ns; }
void jp_sim_protect(struct jp_sim *sim, uint32_t pid) { known(sim, pid)->protected = true; }
void jp_sim_grow_usage(struct jp_sim *sim, uint32_t pid, uint64_t user_100ns) { known(sim, pid)->user_100ns += user_100ns; }
void jp_sim_next_pid(struct jp_sim *sim, uint32_t pid) { sim->next_pid = pid; }

size_t jp_sim_job_size(const struct jp_sim *sim, const char *object_name) {
    const struct sim_job *job = find_job(sim, object_name);
    return job ? job->active : SIZE_MAX;
}

void jp_sim_squat(struct jp_sim *sim, const char *object_name) {
    struct sim_job *job = make_job(sim, object_name);
    job->foreign = true;
    job->handles = 1;
}

void jp_sim_fail_next(struct jp_sim *sim, const char *operation, uint32_t win32) {
    snprintf(sim->failing, sizeof sim->failing, "%s", operation);
    sim->failing_win32 = win32;
}

void jp_sim_names_die(struct jp_sim *sim) { sim->names_die = true; }
void jp_sim_deaf(struct jp_sim *sim, bool deaf) { sim->deaf = deaf; }

struct jp_sim_item *jp_sim_queue(struct jp_sim *sim, size_t *ret_count) {
    *ret_count = sim->queued;
    return sim->queue;
}

void jp_sim_queue_set(struct jp_sim *sim, const struct jp_sim_item *items, size_t count) {
    sim->queued = 0;
    for (size_t i = 0; i < count; i++)
        post(sim, items[i].key, items[i].message, items[i].pid);
}

void jp_sim_queue_drop(struct jp_sim *sim, uint32_t message) {
    size_t kept = 0;
    for (size_t i = 0; i < sim->queued; i++)
        if (sim->queue[i].message != message)
            sim->queue[kept++] = sim->queue[i];
    sim->queued = kept;
}

void jp_sim_deliver(struct jp_sim *sim, struct jp_pools *pools) {
    while (sim->queued) {
        struct jp_sim_item item = sim->queue[0];
        memmove(sim->queue, sim->queue + 1, --sim->queued * sizeof item);
        struct jp_job_packet packet = {.key = item.key, .message = item.message, .pid = item.pid};
        if (item.message)
            jp_pools_on_packets(pools, &packet, 1);
        else
            jp_pools_on_exit(pools, item.key);
    }
}
