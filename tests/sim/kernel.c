/* The simulated machine: its clock, chance, faults, and the queue that stands for the service's completion port. */
#include "sim_internal.h"

#include "job/messages.h"

static const struct jp_capabilities *capabilities(struct jp_backend *backend) { return &jp__sim(backend)->host; }

static const struct jp_backend_ops ops = {
    .capabilities = capabilities,
    .job_obtain = jp__job_obtain,
    .job_create = jp__job_create,
    .job_open = jp__job_open,
    .job_close = jp__job_close,
    .job_query = jp__job_query,
    .job_set = jp__job_set,
    .job_assign = jp__job_assign,
    .job_terminate = jp__job_terminate,
    .job_contains = jp__job_contains,
    .job_grant_user_handle = jp__job_grant_user_handle,
    .token_of_process = jp__token_of_process,
    .token_of_account = jp__token_of_account,
    .token_free = jp__token_free,
    .session_of = jp__session_of,
    .account_sid = jp__account_sid,
    .descriptor_new = jp__descriptor_new,
    .descriptor_free = jp__descriptor_free,
    .descriptor_rights = jp__descriptor_rights,
    .process_open = jp__process_open,
    .process_close = jp__process_close,
    .process_facts = jp__process_facts,
    .process_usage = jp__process_usage,
    .sample = jp__sample,
    .process_adjust = jp__process_adjust,
    .process_freeze = jp__process_freeze,
    .process_request_stop = jp__process_request_stop,
    .process_is_debugged = jp__process_is_debugged,
    .process_is_critical = jp__process_is_critical,
    .process_exited = jp__process_exited,
    .process_terminate = jp__process_terminate,
    .process_check_token = jp__process_check_token,
    .process_watch = jp__process_watch,
    .process_launch = jp__process_launch,
    .process_resume = jp__process_resume,
    .keeper_start = jp__keeper_start,
    .keeper_facts = jp__keeper_facts,
    .keeper_hold = jp__keeper_hold,
    .keeper_let_go = jp__keeper_let_go,
    .keeper_close = jp__keeper_close,
    .keeper_dismiss = jp__keeper_dismiss,
};

struct jp_sim *jp__sim(struct jp_backend *backend) { return (struct jp_sim *)(void *)backend; }

static uint32_t count_processors(const struct jp_sim *sim) {
    uint32_t count = 0;
    for (size_t i = 0; i < sim->group_count; i++)
        for (uint64_t left = sim->group_masks[i]; left; left &= left - 1)
            count++;
    return count;
}

struct jp_sim *jp_sim_new(void) {
    struct jp_sim *sim = jp_alloc(sizeof *sim);
    sim->backend.ops = &ops;
    sim->now_ms = 1000;
    sim->next_pid = 100;
    sim->service = (struct jp_principal){.user = "NT AUTHORITY\\SYSTEM", .session = 1, .admin = true, .elevated = true, .system = true};
    sim->group_masks[0] = 0xFF;
    sim->group_count = 1;
    sim->host.processors = count_processors(sim);
    for (size_t i = 0; i < JP_LIMIT_COUNT; i++)
        sim->host.limits[i] = JP_ENFORCED_BY_KERNEL;
    sim->host.ui = sim->host.end_of_job_time = sim->host.notify = JP_ENFORCED_BY_KERNEL;
    sim->host.nested_jobs = sim->host.process_times = sim->host.process_io = sim->host.memory_after_exit = true;
    sim->host.host = jp_strdup("simulated");
    return sim;
}

static void check_leaks(const struct jp_sim *sim) {
    for (const struct jp_process *handle = sim->process_handles; handle; handle = handle->next)
        fprintf(stderr, "simulated kernel: a handle of %s %u was not closed\n", handle->process->keeper ? "the keeper" : "process",
                (unsigned)handle->process->pid);
    for (const struct jp_job *handle = sim->job_handles; handle; handle = handle->next)
        fprintf(stderr, "simulated kernel: a handle of the job \"%s\" was not closed\n", handle->job->name ? handle->job->name : "");
    for (size_t i = 0; i < sim->principal_count; i++)
        fprintf(stderr, "simulated kernel: a token of %s was not freed\n", sim->principals[i]->user);
    if (sim->descriptors)
        fprintf(stderr, "simulated kernel: %zu security descriptors were not freed\n", sim->descriptors);
    if (sim->process_handles || sim->job_handles || sim->principal_count || sim->descriptors)
        abort();
}

static void free_dead_handles(struct jp_sim *sim) {
    while (sim->dead_process_handles) {
        struct jp_process *handle = sim->dead_process_handles;
        sim->dead_process_handles = handle->next;
        jp_free(handle);
    }
    while (sim->dead_job_handles) {
        struct jp_job *handle = sim->dead_job_handles;
        sim->dead_job_handles = handle->next;
        jp_free(handle);
    }
}

void jp_sim_free(struct jp_sim *sim) {
    check_leaks(sim);
    free_dead_handles(sim);
    for (size_t i = 0; i < sim->process_count; i++)
        jp__free_process(sim->processes[i]);
    for (size_t i = 0; i < sim->job_count; i++)
        jp__free_job(sim->jobs[i]);
    jp_map_free(&sim->by_pid);
    jp_free(sim->processes);
    jp_free(sim->fates);
    jp_free(sim->jobs);
    jp_free(sim->principals);
    jp_free(sim->queue);
    jp_free(sim->failures);
    jp_free(sim->host.host);
    jp_free(sim);
}

struct jp_backend *jp_sim_backend(struct jp_sim *sim) {
    sim->service_dead = false;
    return &sim->backend;
}

struct jp_capabilities *jp_sim_capabilities(struct jp_sim *sim) { return &sim->host; }
uint64_t jp_sim_now_ms(const struct jp_sim *sim) { return sim->now_ms; }
uint64_t jp_sim_awake_ms(const struct jp_sim *sim) { return sim->now_ms - sim->slept_ms; }

int64_t jp_sim_now_100ns(const struct jp_sim *sim) {
    return INT64_C(134000000000000000) + ((int64_t)sim->now_ms + sim->clock_shift_ms) * 10000;
}

void jp_sim_pass(struct jp_sim *sim, uint64_t ms) {
    sim->now_ms += ms;
    jp__finish_terminations(sim);
    jp__end_obedient(sim);
    jp__keepers_look(sim);
}

/* What was under way goes on afterwards. */
void jp_sim_sleep(struct jp_sim *sim, uint64_t ms) {
    sim->now_ms += ms;
    sim->slept_ms += ms;
    for (size_t i = 0; i < sim->job_count; i++)
        sim->jobs[i]->terminated_ms += ms;
}

void jp_sim_shift_clock(struct jp_sim *sim, int64_t ms) { sim->clock_shift_ms += ms; }

/* --- chance --- */

void jp_sim_seed(struct jp_sim *sim, uint64_t seed) { sim->random = seed; }

uint64_t jp_sim_random(struct jp_sim *sim, uint64_t below) { /* splitmix64 */
    uint64_t mixed = (sim->random += UINT64_C(0x9E3779B97F4A7C15));
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
    mixed ^= mixed >> 31;
    return below ? mixed % below : mixed;
}

static bool happens(struct jp_sim *sim, unsigned per_mille) { return per_mille && jp_sim_random(sim, 1000) < per_mille; }

/* --- faults --- */

static void add_failure(struct jp_sim *sim, const char *operation, uint32_t win32, unsigned per_mille) {
    sim->failures = jp_realloc_array(sim->failures, sim->failure_count + 1, sizeof *sim->failures);
    struct sim_failure *failure = &sim->failures[sim->failure_count++];
    *failure = (struct sim_failure){.win32 = win32, .per_mille = per_mille};
    snprintf(failure->operation, sizeof failure->operation, "%s", operation ? operation : "");
}

static void remove_failure(struct jp_sim *sim, size_t at) {
    memmove(sim->failures + at, sim->failures + at + 1, (--sim->failure_count - at) * sizeof *sim->failures);
}

void jp_sim_fail_next(struct jp_sim *sim, const char *operation, uint32_t win32) { add_failure(sim, operation, win32, 0); }

void jp_sim_fail_often(struct jp_sim *sim, const char *operation, uint32_t win32, unsigned per_mille) {
    for (size_t i = sim->failure_count; i-- > 0;)
        if (sim->failures[i].per_mille && strcmp(sim->failures[i].operation, operation ? operation : "") == 0)
            remove_failure(sim, i);
    if (per_mille)
        add_failure(sim, operation, win32, per_mille);
}

/* `operation` must have static storage: the error keeps it. */
bool jp__fails(struct jp_sim *sim, const char *operation, struct jp_error *error) {
    if (sim->service_dead) {
        jp_fail_win32(error, JP_E_SYSTEM, WIN32_INVALID_HANDLE, operation, "the process that calls is dead");
        return true;
    }
    for (size_t i = 0; i < sim->failure_count; i++) {
        struct sim_failure *failure = &sim->failures[i];
        if (failure->operation[0] && strcmp(failure->operation, operation) != 0)
            continue;
        if (failure->per_mille && !happens(sim, failure->per_mille))
            continue;
        jp_fail_win32(error, JP_E_SYSTEM, failure->win32, operation, "simulated failure");
        if (!failure->per_mille)
            remove_failure(sim, i);
        return true;
    }
    return false;
}

jp_status jp__status_of(uint32_t win32) {
    switch (win32) {
    case WIN32_FILE_NOT_FOUND:
        return JP_E_NO_JOB;
    case WIN32_ACCESS_DENIED:
    case WIN32_BAD_IMPERSONATION_LEVEL:
        return JP_E_DENIED;
    case WIN32_NOT_ENOUGH_QUOTA:
        return JP_E_POOL_FULL;
    default:
        return JP_E_SYSTEM;
    }
}

void jp_sim_weather(struct jp_sim *sim, const struct jp_sim_weather *weather) {
    sim->weather = weather ? *weather : (struct jp_sim_weather){0};
}

void jp_sim_deaf(struct jp_sim *sim, bool deaf) { sim->deaf = deaf; }
void jp_sim_reuse_pids(struct jp_sim *sim, bool at_once) { sim->reuse_pids = at_once; }
void jp_sim_slow_ends(struct jp_sim *sim, uint64_t ms) { sim->slow_ends_ms = ms; }
void jp_sim_names_die(struct jp_sim *sim) { sim->names_die = true; }
void jp_sim_service_session(struct jp_sim *sim, uint32_t session) { sim->service.session = session; }

/* --- what this Windows is like --- */

void jp_sim_groups(struct jp_sim *sim, const uint64_t *masks, size_t count) {
    if (count == 0 || count > JP_SIM_MAX_GROUPS)
        abort();
    memset(sim->group_masks, 0, sizeof sim->group_masks);
    memcpy(sim->group_masks, masks, count * sizeof *masks);
    sim->group_count = count;
    sim->host.processors = count_processors(sim);
}

void jp_sim_lack_class(struct jp_sim *sim, enum jp_job_class class) {
    sim->query_error[class] = sim->set_error[class] = WIN32_INVALID_PARAMETER;
}

void jp_sim_forget_limits(struct jp_sim *sim, uint32_t limit_flags) {
    static const struct {
        uint32_t flag;
        enum jp_limit limit;
    } rows[] = {{JP_JOB_OBJECT_LIMIT_ACTIVE_PROCESS, JP_LIMIT_ACTIVE_PROCESSES}, {JP_JOB_OBJECT_LIMIT_PROCESS_MEMORY, JP_LIMIT_PROCESS_MEMORY},
                {JP_JOB_OBJECT_LIMIT_JOB_MEMORY, JP_LIMIT_JOB_MEMORY},           {JP_JOB_OBJECT_LIMIT_PROCESS_TIME, JP_LIMIT_PROCESS_TIME},
                {JP_JOB_OBJECT_LIMIT_JOB_TIME, JP_LIMIT_JOB_TIME},               {JP_JOB_OBJECT_LIMIT_PRIORITY_CLASS, JP_LIMIT_PRIORITY_CLASS},
                {JP_JOB_OBJECT_LIMIT_AFFINITY, JP_LIMIT_AFFINITY},               {JP_JOB_OBJECT_LIMIT_WORKINGSET, JP_LIMIT_WORKING_SET},
                {JP_JOB_OBJECT_LIMIT_SCHEDULING_CLASS, JP_LIMIT_SCHEDULING_CLASS}, {JP_JOB_OBJECT_LIMIT_SUBSET_AFFINITY, JP_LIMIT_SUBSET_AFFINITY},
                {JP_JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION, JP_LIMIT_DIE_ON_UNHANDLED_EXCEPTION}};
    sim->forgotten |= limit_flags;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (limit_flags & rows[i].flag)
            sim->host.limits[rows[i].limit] = JP_ENFORCED_BY_NONE;
    if (limit_flags & JP_JOB_OBJECT_LIMIT_JOB_TIME)
        sim->host.end_of_job_time = JP_ENFORCED_BY_NONE;
}

void jp_sim_like_wine(struct jp_sim *sim) {
    static const enum jp_job_class lacking[] = {
        JP_JOB_GroupInformation, JP_JOB_NotificationLimitInformation, JP_JOB_LimitViolationInformation,
        JP_JOB_GroupInformationEx, JP_JOB_CpuRateControlInformation, JP_JOB_MemoryUsageInformation,
        JP_JOB_NetRateControlInformation, JP_JOB_NotificationLimitInformation2, JP_JOB_LimitViolationInformation2};
    for (size_t i = 0; i < sizeof lacking / sizeof *lacking; i++)
        jp_sim_lack_class(sim, lacking[i]);
    sim->query_error[JP_JOB_BasicAndIoAccountingInformation] = sim->query_error[JP_JOB_BasicUIRestrictions] =
        sim->query_error[JP_JOB_EndOfJobTimeInformation] = WIN32_INVALID_FUNCTION;
    sim->forgotten = ~(uint32_t)(JP_JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JP_JOB_OBJECT_LIMIT_BREAKAWAY_OK |
                                 JP_JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK);
    sim->names_die = false;
    sim->port_once = sim->no_abnormal = sim->tells_no_limits = true;
    for (size_t i = 0; i < JP_LIMIT_COUNT; i++)
        if (i != JP_LIMIT_KILL_ON_CLOSE && i != JP_LIMIT_BREAKAWAY)
            sim->host.limits[i] = JP_ENFORCED_BY_NONE;
    sim->host.ui = sim->host.end_of_job_time = sim->host.notify = JP_ENFORCED_BY_NONE;
    sim->host.process_times = sim->host.process_io = sim->host.memory_after_exit = false;
    jp_free(sim->host.host);
    sim->host.host = jp_strdup("simulated (Wine 8.0)");
}

/* --- the queue --- */

static void push(struct jp_sim *sim, struct jp_sim_item item) {
    if (sim->queued == sim->capacity) {
        sim->capacity = sim->capacity ? 2 * sim->capacity : 64;
        sim->queue = jp_realloc_array(sim->queue, sim->capacity, sizeof *sim->queue);
    }
    sim->queue[sim->queued++] = item;
    if (sim->posted)
        sim->posted(sim->posted_context);
}

static void swap_last(struct jp_sim *sim) {
    struct jp_sim_item last = sim->queue[sim->queued - 1];
    sim->queue[sim->queued - 1] = sim->queue[sim->queued - 2];
    sim->queue[sim->queued - 2] = last;
}

void jp__post(struct jp_sim *sim, uint64_t key, uint32_t message, uint32_t pid) {
    if (!key)
        return;
    struct jp_sim_item item = {.key = key, .message = message, .pid = pid};
    bool packet = message != 0, guaranteed = !packet || message == JP_MSG_NOTIFICATION_LIMIT;
    const struct jp_sim_weather *weather = &sim->weather;
    if (!guaranteed && happens(sim, weather->lose_per_mille))
        return;
    if (weather->delay_ms && happens(sim, weather->delay_per_mille))
        item.due_ms = sim->now_ms + 1 + jp_sim_random(sim, weather->delay_ms);
    bool twice = packet && happens(sim, weather->double_per_mille);
    push(sim, item);
    if (packet && sim->queued > 1 && happens(sim, weather->swap_per_mille))
        swap_last(sim);
    if (twice)
        push(sim, item);
}

void jp__post_chain(const struct sim_job *job, uint32_t message, uint32_t pid) {
    for (; job; job = job->parent)
        jp__post(job->sim, job->key, message, pid);
}

struct jp_sim_item *jp_sim_queue(struct jp_sim *sim, size_t *ret_count) {
    *ret_count = sim->queued;
    return sim->queue;
}

void jp_sim_queue_set(struct jp_sim *sim, const struct jp_sim_item *items, size_t count) {
    sim->queued = 0;
    for (size_t i = 0; i < count; i++)
        push(sim, items[i]);
}

void jp_sim_queue_push(struct jp_sim *sim, const struct jp_sim_item *item) { push(sim, *item); }

void jp_sim_queue_drop(struct jp_sim *sim, uint32_t message) {
    size_t kept = 0;
    for (size_t i = 0; i < sim->queued; i++)
        if (sim->queue[i].message != message)
            sim->queue[kept++] = sim->queue[i];
    sim->queued = kept;
}

size_t jp_sim_take(struct jp_sim *sim, struct jp_sim_item *items, size_t room) {
    size_t taken = 0, kept = 0;
    for (size_t i = 0; i < sim->queued; i++)
        if (taken < room && sim->queue[i].due_ms <= sim->now_ms)
            items[taken++] = sim->queue[i];
        else
            sim->queue[kept++] = sim->queue[i];
    sim->queued = kept;
    return taken;
}

size_t jp_sim_due(const struct jp_sim *sim) {
    size_t due = 0;
    for (size_t i = 0; i < sim->queued; i++)
        due += sim->queue[i].due_ms <= sim->now_ms;
    return due;
}

uint64_t jp_sim_next_due_ms(const struct jp_sim *sim) {
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < sim->queued; i++)
        next = sim->queue[i].due_ms < next ? sim->queue[i].due_ms : next;
    return next;
}

void jp_sim_on_post(struct jp_sim *sim, void (*posted)(void *context), void *context) {
    sim->posted = posted;
    sim->posted_context = context;
}

void jp_sim_deliver(struct jp_sim *sim, struct jp_pools *pools) {
    struct jp_sim_item item = {0};
    while (jp_sim_take(sim, &item, 1)) { /* one by one: what it leads to comes in its turn */
        struct jp_job_packet packet = {.key = item.key, .message = item.message, .pid = item.pid};
        if (item.message)
            jp_pools_on_packets(pools, &packet, 1);
        else
            jp_pools_on_exit(pools, item.key);
    }
}
