/* The way into a pool: a running process is assigned, a new one is launched.
 *
 * Windows terminates a process that is assigned over the active-process limit or after the job time is used up, so room is looked
 * for before anything is tried. A process that joins is recorded on disk before the caller hears of it, and a launched one before
 * its first instruction, unless the caller would rather not wait for that. */
#include "pool/pools_internal.h"

#include <inttypes.h>
#include <string.h>

/* --- recorded before it is told --- */

/* A member on its way onto the disk. It is found again by its id: it may have ended meanwhile. */
struct recording {
    struct jp_pools *pools;
    struct jp_process_record record;
    uint64_t seq;
    bool resume;
    jp_joined_fn *callback;
    void *context;
};

static bool resume(struct recording *recording, struct jp_error *error) {
    struct jp_pools *pools = recording->pools;
    struct jp_member *member = jp__member_by_pid(pools, recording->record.facts.pid);
    if (!member || member->record.id != recording->record.id || !jp__member_runs(member))
        return true; /* somebody ended it before it began; its row says so */
    if (jp__ops(pools)->process_resume(member->process, error) == JP_OK) {
        member->record.starting = false;
        pools->with.accounts->ops->record_process(pools->with.accounts, &member->record);
        return true;
    }
    struct jp_error ignored;
    member->terminated = true; /* its handle tells when it is gone */
    jp__ops(pools)->process_terminate(member->process, 1, &ignored);
    return false;
}

/* It may run, and the caller hears of it. */
static void conclude(struct recording *recording) {
    struct jp_error error;
    if (recording->resume && !resume(recording, &error))
        recording->callback(recording->context, error.status, &error, NULL, 0);
    else
        recording->callback(recording->context, JP_OK, NULL, &recording->record, recording->seq);
    jp_process_record_clear(&recording->record);
    jp_free(recording);
}

static void on_durable(void *context, jp_status status) {
    struct recording *recording = context;
    if (status) /* serving goes on; the row is in the backlog, and the service says that it is degraded */
        jp_log(recording->pools->with.log, JP_LOG_WARNING, "process %" PRIu32 " joined pool \"%s\" before it could be recorded on disk",
               recording->record.facts.pid, recording->record.pool);
    conclude(recording);
}

static void when_recorded(struct jp_pools *pools, const struct jp_member *member, const struct jp_joining *joining) {
    struct recording *recording = jp_alloc(sizeof *recording);
    bool launched = joining->launch != NULL;
    *recording = (struct recording){.pools = pools, .resume = launched, .callback = joining->callback, .context = joining->context};
    jp_process_record_copy(&member->record, &recording->record);
    recording->seq = jp__emit(pools, &(struct jp__event){.pool = member->pool, .message = launched ? "PROCESS_LAUNCHED" : "PROCESS_ASSIGNED",
                                                         .member = member, .origin = JP_ORIGIN_SERVICE});
    if (joining->at_once && !jp_pool_frozen_by(member->pool)) /* nobody is frozen before it is on the disk, and this one would run till then */
        conclude(recording);
    else
        pools->with.accounts->ops->when_durable(pools->with.accounts, on_durable, recording);
}

/* --- room --- */

/* JP_E_POOL_FULL or JP_E_JOB_TIME with the numbers, by the limits of one pool; *ret_full is that pool, if it is full. */
static jp_status check_pool(struct jp_pools *pools, const struct jp_pool_job *job, struct jp_pool **ret_full, struct jp_error *error) {
    struct jp_pool *pool = job->pool;
    const struct jp_limits *limits = &pool->spec.limits;
    if (pool->state == JP_POOL_ORPHAN)
        return jp_fail(error, JP_E_NO_POOL, "pool \"%s\" was removed; it takes no more processes", pool->name);
    if (pool->spec.when_full == JP_WHEN_FULL_KILL)
        return JP_OK;
    if (pool->policy.job_time_over && pool->spec.end_of_job_time == JP_END_OF_JOB_TERMINATE)
        return jp_fail(error, JP_E_JOB_TIME, "pool \"%s\" takes no more processes: its job time is used up; set it anew", pool->name);
    if (limits->present & JP_SCHEMA_BIT(JP_LIMIT_JOB_TIME) && jp_job_check_time(pools->with.backend, job->job, error))
        return jp_fail_because(error, "pool \"%s\" takes no more processes", pool->name);
    if (!(limits->present & JP_SCHEMA_BIT(JP_LIMIT_ACTIVE_PROCESSES)))
        return JP_OK;
    size_t active = jp__job_active_processes(pools, job);
    if (active < limits->active_processes)
        return JP_OK;
    *ret_full = pool;
    return jp_fail(error, JP_E_POOL_FULL, "pool \"%s\" is full: %zu of %" PRIu32 " processes", pool->name, active, limits->active_processes);
}

/* In every pool of the chain from `from` on. *ret_wait: the full one lets requests wait. */
static jp_status check_room(struct jp_pools *pools, struct jp_pool_job *const *chain, size_t from, size_t length, bool *ret_wait,
                            struct jp_error *error) {
    struct jp_pool *full = NULL;
    jp_status status = JP_OK;
    for (size_t i = from; i < length && status == JP_OK; i++)
        status = check_pool(pools, chain[i], &full, error);
    *ret_wait = full && full->spec.when_full == JP_WHEN_FULL_WAIT;
    return status;
}

/* --- security limits, which Windows no longer keeps --- */

static uint32_t security_of(const struct jp_pool *pool) {
    uint32_t limits = 0;
    for (; pool; pool = pool->parent)
        limits |= pool->spec.security.limits;
    return limits;
}

static jp_status check_running(const struct jp_pool *pool, uint32_t pid, struct jp_error *error) {
    uint32_t limits = security_of(pool) & (JP_JOB_OBJECT_SECURITY_ONLY_TOKEN | JP_JOB_OBJECT_SECURITY_FILTER_TOKENS);
    if (!limits)
        return JP_OK;
    return jp_fail(error, JP_E_DENIED,
                   "pool \"%s\" gives its processes their token (%s), so it takes only those that it launches; process %" PRIu32 " runs already",
                   pool->name, limits & JP_JOB_OBJECT_SECURITY_ONLY_TOKEN ? "only_token" : "filter_tokens", pid);
}

/* The token of the innermost pool that has one, else that of the account that a template names. */
static jp_status token_for(struct jp_pools *pools, const struct jp_pool *pool, enum jp_token_account run_as, struct jp_principal **ret_token,
                           bool *ret_ours, struct jp_error *error) {
    *ret_token = NULL;
    *ret_ours = false;
    while (pool && !(pool->spec.security.limits & JP_JOB_OBJECT_SECURITY_ONLY_TOKEN))
        pool = pool->parent;
    if (!pool && run_as == JP_TOKEN_NONE)
        return JP_OK;
    if (!pool) {
        *ret_ours = true;
        return jp__ops(pools)->token_of_account(pools->with.backend, run_as, ret_token, error);
    }
    if (run_as != JP_TOKEN_NONE)
        return jp_fail(error, JP_E_DENIED, "pool \"%s\" launches only with its own token (only_token), so nothing can be run there as another account",
                       pool->name);
    if (pool->token) {
        *ret_token = pool->token;
        return JP_OK;
    }
    if (!pool->spec.security.account)
        return jp_fail(error, JP_E_DENIED,
                       "pool \"%s\" launches only with its own token (only_token), and has none: name an account in its security, or give a token "
                       "with job.setInformation (JobObjectSecurityLimitInformation)",
                       pool->name);
    *ret_ours = true;
    return jp__ops(pools)->token_of_account(pools->with.backend, (enum jp_token_account)pool->spec.security.account, ret_token, error);
}

static void borrow(struct jp_strings *all, const struct jp_strings *more) {
    if (!more->count)
        return;
    all->items = jp_realloc_array(all->items, all->count + more->count, sizeof *all->items);
    memcpy(all->items + all->count, more->items, more->count * sizeof *all->items);
    all->count += more->count;
}

/* All filters of the chain together; the texts stay the pools'. Restricting SIDs of two pools would have to hold both. */
static jp_status filter_for(const struct jp_pool *pool, struct jp_token_filter *ret_filter, struct jp_error *error) {
    for (; pool; pool = pool->parent) {
        const struct jp_token_filter *filter = &pool->spec.security.filter;
        if (!(pool->spec.security.limits & JP_JOB_OBJECT_SECURITY_FILTER_TOKENS))
            continue;
        if (filter->restricted_sids.count && ret_filter->restricted_sids.count)
            return jp_fail(error, JP_E_DENIED, "restricted_sids of pool \"%s\" and of a pool below it cannot be combined; give them once", pool->name);
        borrow(&ret_filter->sids_to_disable, &filter->sids_to_disable);
        borrow(&ret_filter->privileges_to_delete, &filter->privileges_to_delete);
        borrow(&ret_filter->restricted_sids, &filter->restricted_sids);
    }
    return JP_OK;
}

static void release_filter(struct jp_token_filter *filter) {
    jp_free(filter->sids_to_disable.items);
    jp_free(filter->privileges_to_delete.items);
    jp_free(filter->restricted_sids.items);
}

/* --- a running process --- */

/* Where a process that is a member already stands in the chain: *ret_from is the first pool that it is not in. */
static jp_status find_step(struct jp_pools *pools, struct jp_pool *pool, uint32_t pid, int64_t start_100ns, size_t *ret_from,
                           struct jp_member **ret_member, struct jp_error *error) {
    struct jp_member *member = jp__member_by_pid(pools, pid);
    *ret_from = 0;
    *ret_member = NULL;
    if (!member || !jp__member_runs(member) || (start_100ns && member->record.facts.start_100ns != start_100ns))
        return JP_OK;
    if (!jp__pool_is_within(pool, member->pool))
        return jp_fail(error, JP_E_PARAMS,
                       "process %" PRIu32 " is in pool \"%s\" already; from there a process can only move into child pools", pid,
                       member->pool->name);
    *ret_from = member->pool->depth + 1;
    *ret_member = member;
    return JP_OK;
}

/* The jobs from `from` on, outermost first, as nesting wants it. A process that got only part of the way stays where it got:
 * Windows has no way out of a job. */
static jp_status assign_chain(struct jp_pools *pools, struct jp_pool_job *const *chain, size_t from, size_t length,
                              struct jp_process *process, uint32_t pid, size_t *ret_reached, struct jp_error *error) {
    for (size_t i = from; i < length; i++) {
        *ret_reached = i;
        if (jp__ops(pools)->job_assign(chain[i]->job, process, error))
            return jp_fail_because(error, "cannot assign process %" PRIu32 " to pool \"%s\"", pid, chain[i]->pool->name);
    }
    *ret_reached = length;
    return JP_OK;
}

jp_status jp__assign_anew(struct jp_pools *pools, struct jp_pool *pool, const struct jp_process_record *row, struct jp_error *error) {
    struct jp_pool_job *chain[JP_POOL_MAX_DEPTH];
    size_t length, reached;
    struct jp_process *process;
    jp_status status = jp__pool_chain(pools, pool, row->facts.session, chain, &length, error);
    if (status == JP_OK)
        status = jp__ops(pools)->process_open(pools->with.backend, row->facts.pid, row->facts.start_100ns, JP_PROCESS_ASSIGN, NULL, &process, error);
    if (status)
        return status;
    status = assign_chain(pools, chain, 0, length, process, row->facts.pid, &reached, error);
    jp__ops(pools)->process_close(process);
    return status;
}

/* As the caller, even for a member: a process is not moved by one who could not touch it. */
static jp_status open_for_assign(struct jp_pools *pools, const struct jp_joining *joining, struct jp_process **ret_process,
                                 struct jp_process_facts *ret_facts, struct jp_error *error) {
    uint32_t security = security_of(joining->pool);
    struct jp_process *process;
    jp_status status = jp__ops(pools)->process_open(pools->with.backend, joining->pid, joining->start_100ns, JP_PROCESS_ASSIGN,
                                                    joining->principal, &process, error);
    if (status)
        return status;
    status = jp__ops(pools)->process_facts(process, ret_facts, error);
    if (status == JP_OK)
        status = check_running(joining->pool, joining->pid, error);
    if (status == JP_OK && security)
        status = jp__ops(pools)->process_check_token(process, security, error);
    if (status) {
        jp_process_facts_clear(ret_facts);
        jp__ops(pools)->process_close(process);
        return status;
    }
    *ret_process = process;
    return JP_OK;
}

/* A member's child whose NEW_PROCESS is still on its way is a member all the same. */
static jp_status notice_member(struct jp_pools *pools, struct jp_process *process, const struct jp_process_facts *facts,
                               struct jp_error *error) {
    struct jp_member *known = jp__member_by_pid(pools, facts->pid);
    bool in_job = false;
    if (known && jp__member_runs(known)) {
        jp__member_identify(pools, known);
        return JP_OK;
    }
    if (jp__ops(pools)->job_contains(NULL, process, &in_job, error))
        return error->status; /* it could be a member of another tree of pools, which the kernel would nest this one under */
    if (!in_job)
        return JP_OK;
    struct jp_pool *pool = jp__pool_that_has(pools, process);
    struct jp_pool_job *job = pool ? jp__pool_job_of(pool, facts->session) : NULL;
    if (job)
        jp__discover(pools, job, facts->pid, JP_ORIGIN_RECONCILER);
    return JP_OK;
}

/* `process` and `facts` are taken, unless it must wait (*ret_wait). */
static jp_status assign(struct jp_pools *pools, const struct jp_joining *joining, struct jp_process *process, struct jp_process_facts *facts,
                        bool *ret_wait, struct jp_member **ret_member, struct jp_error *error) {
    struct jp_pool_job *chain[JP_POOL_MAX_DEPTH];
    size_t length = 0, from = 0, reached;
    struct jp_member *member = NULL;
    jp_status status = jp__pool_chain(pools, joining->pool, facts->session, chain, &length, error);
    if (status == JP_OK)
        status = notice_member(pools, process, facts, error);
    if (status == JP_OK)
        status = find_step(pools, joining->pool, joining->pid, facts->start_100ns, &from, &member, error);
    if (status == JP_OK && !joining->as_windows)
        status = check_room(pools, chain, from, length, ret_wait, error);
    reached = from;
    if (status == JP_OK)
        status = assign_chain(pools, chain, from, length, process, joining->pid, &reached, error);
    if (status && *ret_wait)
        return status;

    bool nowhere = status && reached == from;
    if (member || nowhere) { /* a member keeps its own handle; who got nowhere is nobody's */
        jp__ops(pools)->process_close(process);
        jp_process_facts_clear(facts);
        if (member && reached > from)
            jp__member_move(pools, member, chain[reached - 1]->pool);
    } else {
        member = jp__member_join(pools, chain[reached - 1]->pool, process, facts, &(struct jp__joined){.by = JP_ORIGIN_SERVICE, .exact = true});
    }
    if (status == JP_OK)
        *ret_member = member;
    return status;
}

/* --- a new process --- */

static jp_status check_born(struct jp_pools *pools, const struct jp_pool *pool, struct jp_process *process, struct jp_process_facts *ret_facts,
                            struct jp_error *error) {
    uint32_t security = security_of(pool);
    jp_status status = jp__ops(pools)->process_facts(process, ret_facts, error);
    if (status == JP_OK && security)
        status = jp__ops(pools)->process_check_token(process, security, error);
    if (status) { /* nothing of it has run */
        struct jp_error ignored;
        jp__ops(pools)->process_terminate(process, 1, &ignored);
        jp__ops(pools)->process_close(process);
        jp_process_facts_clear(ret_facts);
    }
    return status;
}

static bool wants_no_dialogs(struct jp_pools *pools, const struct jp_pool *pool) {
    for (; pool; pool = pool->parent)
        if (pool->spec.limits.die_on_unhandled_exception &&
            jp_policy_enforcer(jp__host(pools), &pool->spec, JP_LIMIT_DIE_ON_UNHANDLED_EXCEPTION) == JP_ENFORCED_BY_SERVICE)
            return true;
    return false;
}

static jp_status give_birth(struct jp_pools *pools, const struct jp_joining *joining, struct jp_pool_job *const *chain, size_t length,
                            struct jp_process **ret_process, struct jp_error *error) {
    struct jp_job *jobs[JP_POOL_MAX_DEPTH];
    struct jp_launch launch = *joining->launch;
    struct jp_token_filter filter = {0};
    bool ours = false;
    for (size_t i = 0; i < length; i++)
        jobs[i] = chain[i]->job;
    launch.chain = jobs;
    launch.chain_length = length;
    launch.no_error_dialogs = wants_no_dialogs(pools, joining->pool);
    jp_status status = token_for(pools, joining->pool, launch.run_as, &launch.token, &ours, error);
    if (status)
        return status;
    status = filter_for(joining->pool, &filter, error);
    if (security_of(joining->pool) & JP_JOB_OBJECT_SECURITY_FILTER_TOKENS)
        launch.filter = &filter;
    if (status == JP_OK)
        status = jp__ops(pools)->process_launch(pools->with.backend, &launch, ret_process, error);
    release_filter(&filter);
    if (ours)
        jp__ops(pools)->token_free(pools->with.backend, launch.token);
    return status;
}

static jp_status launch(struct jp_pools *pools, const struct jp_joining *joining, bool *ret_wait, struct jp_member **ret_member,
                        struct jp_error *error) {
    struct jp_pool_job *chain[JP_POOL_MAX_DEPTH];
    size_t length;
    struct jp_process *process = NULL;
    struct jp_process_facts facts = {0};
    uint32_t session = jp__ops(pools)->session_of(pools->with.backend, joining->launch->principal);
    jp_status status = jp__pool_chain(pools, joining->pool, session, chain, &length, error);
    if (status == JP_OK && !joining->as_windows)
        status = check_room(pools, chain, 0, length, ret_wait, error);
    if (status == JP_OK)
        status = give_birth(pools, joining, chain, length, &process, error);
    if (status == JP_OK)
        status = check_born(pools, joining->pool, process, &facts, error);
    if (status == JP_OK)
        *ret_member = jp__member_join(pools, joining->pool, process, &facts,
                                      &(struct jp__joined){.by = JP_ORIGIN_SERVICE, .exact = true, .launched = true});
    return status;
}

/* --- through the interface --- */

static char *text_copy(const char *text) { return text ? jp_strdup(text) : NULL; }

/* Takes the process, if there is one. */
static struct jp_queued *enqueue(struct jp_pools *pools, const struct jp_joining *joining, struct jp_process *process,
                                 struct jp_process_facts *facts) {
    struct jp_queued *queued = jp_alloc(sizeof *queued);
    uint64_t timeout_100ns = joining->timeout_100ns ? joining->timeout_100ns : jp_pool_spec_wait_timeout(&joining->pool->spec);
    queued->joining = *joining;
    queued->process = process;
    queued->facts = *facts;
    *facts = (struct jp_process_facts){0};
    queued->deadline_ms = jp__now_ms(pools) + timeout_100ns / 10000;
    if (joining->launch) {
        queued->launch = *joining->launch;
        queued->launch.command_line = queued->command_line = jp_strdup(joining->launch->command_line);
        queued->launch.directory = queued->directory = text_copy(joining->launch->directory);
        queued->launch.input_file = queued->input_file = text_copy(joining->launch->input_file);
        queued->launch.output_file = queued->output_file = text_copy(joining->launch->output_file);
        queued->launch.error_file = queued->error_file = text_copy(joining->launch->error_file);
        const struct jp_strings *environment = joining->launch->environment;
        if (environment)
            jp_strings_add_all(&queued->environment, environment);
        queued->launch.environment = environment ? &queued->environment : NULL;
        queued->joining.launch = &queued->launch;
    }
    jp__queue_add(pools, queued);
    return queued;
}

void jp__queued_free(struct jp_pools *pools, struct jp_queued *queued) {
    if (queued->process)
        jp__ops(pools)->process_close(queued->process);
    jp_process_facts_clear(&queued->facts);
    jp_strings_free(&queued->environment);
    jp_free(queued->command_line);
    jp_free(queued->directory);
    jp_free(queued->input_file);
    jp_free(queued->output_file);
    jp_free(queued->error_file);
    jp_free(queued);
}

/* One try. `process` is set for an assignment, and taken unless it must wait. */
static jp_status try_to_join(struct jp_pools *pools, const struct jp_joining *joining, struct jp_process *process,
                             struct jp_process_facts *facts, bool *ret_wait, struct jp_error *error) {
    struct jp_member *member = NULL;
    *ret_wait = false;
    jp_status status = joining->launch ? launch(pools, joining, ret_wait, &member, error)
                                       : assign(pools, joining, process, facts, ret_wait, &member, error);
    if (status == JP_OK)
        when_recorded(pools, member, joining);
    return status;
}

bool jp__join_queued(struct jp_pools *pools, struct jp_queued *queued) {
    bool wait;
    struct jp_error error;
    jp_status status = try_to_join(pools, &queued->joining, queued->process, &queued->facts, &wait, &error);
    if (wait)
        return false;
    queued->process = NULL;
    if (status)
        queued->joining.callback(queued->joining.context, status, &error, NULL, 0);
    return true;
}

struct jp_queued *jp_pools_join(struct jp_pools *pools, const struct jp_joining *joining) {
    struct jp_process *process = NULL;
    struct jp_process_facts facts = {0};
    struct jp_error error;
    struct jp_member *member;
    bool wait = false;
    size_t from;
    jp_status status = pools->stopping ? jp_fail(&error, JP_E_STOPPING, "the service is stopping") : jp__pool_available(joining->pool, &error);
    if (status == JP_OK && !joining->launch) {
        status = find_step(pools, joining->pool, joining->pid, joining->start_100ns, &from, &member, &error);
        if (status == JP_OK)
            status = open_for_assign(pools, joining, &process, &facts, &error);
    }
    if (status == JP_OK && !joining->as_windows && joining->pool->queue_length)
        wait = true; /* first come, first served */
    else if (status == JP_OK)
        status = try_to_join(pools, joining, process, &facts, &wait, &error);
    if (wait)
        return enqueue(pools, joining, process, &facts);
    if (status)
        joining->callback(joining->context, status, &error, NULL, 0);
    return NULL;
}
