/* What callers ask for: take a process in, start one, end some.
 *
 * Windows terminates a process that is assigned over the active-process limit, so room is looked for before anything is tried.
 * A process that joins is recorded on disk before the caller hears of it, and a launched one before its first instruction. */
#include "pool/pools_internal.h"

#include <inttypes.h>

/* A member on its way onto the disk. It is found again by its id: it may have ended meanwhile. */
struct joining {
    struct jp_pools *pools;
    struct jp_process_record record;
    uint64_t seq;
    bool resume;
    jp_joined_fn *callback;
    void *context;
};

static void fail(jp_joined_fn *callback, void *context, const struct jp_error *error) {
    callback(context, error->status, error, NULL, 0);
}

static bool resume(struct joining *joining, struct jp_error *error) {
    struct jp_pools *pools = joining->pools;
    struct jp_member *member = jp__member_by_pid(pools, joining->record.facts.pid);
    if (!member || member->record.id != joining->record.id || !jp__member_runs(member))
        return true; /* somebody ended it before it began; its row says so */
    if (jp__ops(pools)->process_resume(member->process, error) == JP_OK)
        return true;
    struct jp_error ignored;
    member->terminated = true; /* its handle tells when it is gone */
    jp__ops(pools)->process_terminate(member->process, 1, &ignored);
    return false;
}

static void on_durable(void *context, jp_status status) {
    struct joining *joining = context;
    struct jp_error error;
    if (status) /* serving goes on; the row is in the backlog, and the service says that it is degraded */
        jp_log(joining->pools->with.log, JP_LOG_WARNING, "process %" PRIu32 " joined pool \"%s\" before it could be recorded on disk",
               joining->record.facts.pid, joining->record.pool);
    if (joining->resume && !resume(joining, &error))
        fail(joining->callback, joining->context, &error);
    else
        joining->callback(joining->context, JP_OK, NULL, &joining->record, joining->seq);
    jp_process_record_clear(&joining->record);
    jp_free(joining);
}

static void when_recorded(struct jp_pools *pools, const struct jp_member *member, const char *message, bool resume_it,
                          jp_joined_fn *callback, void *context) {
    struct joining *joining = jp_alloc(sizeof *joining);
    *joining = (struct joining){.pools = pools, .resume = resume_it, .callback = callback, .context = context};
    jp_process_record_copy(&member->record, &joining->record);
    joining->seq = jp__emit(pools, &(struct jp__event){.pool = member->pool, .message = message, .member = member,
                                                       .origin = JP_ORIGIN_SERVICE});
    pools->with.accounts->ops->when_durable(pools->with.accounts, on_durable, joining);
}

/* Room in every pool of the chain from `from` on, and that none of them is going away. */
static jp_status check_room(struct jp_pools *pools, struct jp_pool *const *chain, size_t from, size_t length, struct jp_error *error) {
    if (pools->stopping)
        return jp_fail(error, JP_E_STOPPING, "the service is stopping");
    for (size_t i = from; i < length; i++) {
        const struct jp_limits *limits = &chain[i]->spec.limits;
        size_t members = jp_pool_total_members(chain[i]);
        if (chain[i]->state == JP_POOL_ORPHAN)
            return jp_fail(error, JP_E_NO_POOL, "pool \"%s\" was removed; it takes no more processes", chain[i]->name);
        if (limits->present & JP_SCHEMA_BIT(JP_LIMIT_ACTIVE_PROCESSES) && members >= limits->active_processes)
            return jp_fail(error, JP_E_POOL_FULL, "pool \"%s\" is full: %zu of %" PRIu32 " processes", chain[i]->name, members,
                           limits->active_processes);
    }
    return JP_OK;
}

static uint32_t security_of(struct jp_pool *const *chain, size_t length) {
    uint32_t security = 0;
    for (size_t i = 0; i < length; i++)
        security |= chain[i]->spec.security;
    return security;
}

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
static jp_status assign_chain(struct jp_pools *pools, struct jp_pool *const *chain, size_t from, size_t length,
                              struct jp_process *process, uint32_t pid, size_t *ret_reached, struct jp_error *error) {
    for (size_t i = from; i < length; i++) {
        *ret_reached = i;
        if (jp__ops(pools)->job_assign(chain[i]->job, process, error))
            return jp_fail_because(error, "cannot assign process %" PRIu32 " to pool \"%s\"", pid, chain[i]->name);
    }
    *ret_reached = length;
    return JP_OK;
}

jp_status jp__assign_anew(struct jp_pools *pools, struct jp_pool *pool, const struct jp_process_record *row, struct jp_error *error) {
    struct jp_pool *chain[JP_POOL_MAX_DEPTH];
    size_t length, reached;
    struct jp_process *process;
    jp_status status = jp__pool_chain(pool, chain, &length, error);
    if (status == JP_OK)
        status = jp__ops(pools)->process_open(pools->with.backend, row->facts.pid, row->facts.start_100ns, JP_PROCESS_ASSIGN, NULL, &process, error);
    if (status)
        return status;
    status = assign_chain(pools, chain, 0, length, process, row->facts.pid, &reached, error);
    jp__ops(pools)->process_close(process);
    return status;
}

static jp_status open_for_assign(struct jp_pools *pools, uint32_t pid, int64_t start_100ns, struct jp_principal *principal,
                                 uint32_t security, struct jp_process **ret_process, struct jp_process_facts *ret_facts,
                                 struct jp_error *error) {
    struct jp_process *process;
    jp_status status = jp__ops(pools)->process_open(pools->with.backend, pid, start_100ns, JP_PROCESS_ASSIGN, principal, &process, error);
    if (status)
        return status;
    status = jp__ops(pools)->process_facts(process, ret_facts, error);
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

static jp_status assign(struct jp_pools *pools, struct jp_pool *pool, uint32_t pid, int64_t start_100ns,
                        struct jp_principal *principal, struct jp_member **ret_member, struct jp_error *error) {
    struct jp_pool *chain[JP_POOL_MAX_DEPTH];
    size_t length, from, reached;
    struct jp_member *member;
    struct jp_process *process;
    struct jp_process_facts facts = {0};
    jp_status status = jp__pool_chain(pool, chain, &length, error);
    if (status == JP_OK)
        status = find_step(pools, pool, pid, start_100ns, &from, &member, error);
    if (status)
        return status;
    /* As the caller, even for a member: a process is not moved by one who could not touch it. */
    status = open_for_assign(pools, pid, start_100ns, principal, security_of(chain, length), &process, &facts, error);
    if (status)
        return status;
    status = check_room(pools, chain, from, length, error);
    reached = from;
    if (status == JP_OK)
        status = assign_chain(pools, chain, from, length, process, pid, &reached, error);

    bool nowhere = status && reached == from;
    if (member || nowhere) { /* a member keeps its own handle; who got nowhere is nobody's */
        jp__ops(pools)->process_close(process);
        jp_process_facts_clear(&facts);
        if (member && reached > from)
            jp__member_move(pools, member, chain[reached - 1]);
    } else {
        member = jp__member_join(pools, chain[reached - 1], process, &facts, true, JP_ORIGIN_SERVICE);
    }
    if (status == JP_OK)
        *ret_member = member;
    return status;
}

void jp_pools_assign(struct jp_pools *pools, struct jp_pool *pool, uint32_t pid, int64_t start_100ns,
                     struct jp_principal *principal, jp_joined_fn *callback, void *context) {
    struct jp_member *member;
    struct jp_error error;
    if (assign(pools, pool, pid, start_100ns, principal, &member, &error))
        fail(callback, context, &error);
    else
        when_recorded(pools, member, "PROCESS_ASSIGNED", false, callback, context);
}

static jp_status launch(struct jp_pools *pools, struct jp_pool *pool, const struct jp_launch *request, struct jp_member **ret_member,
                        struct jp_error *error) {
    struct jp_pool *chain[JP_POOL_MAX_DEPTH];
    struct jp_job *jobs[JP_POOL_MAX_DEPTH];
    size_t length;
    struct jp_process *process;
    struct jp_process_facts facts = {0};
    struct jp_launch full = *request;
    jp_status status = jp__pool_chain(pool, chain, &length, error);
    if (status == JP_OK)
        status = check_room(pools, chain, 0, length, error);
    if (status)
        return status;
    for (size_t i = 0; i < length; i++)
        jobs[i] = chain[i]->job;
    full.chain = jobs;
    full.chain_length = length;
    status = jp__ops(pools)->process_launch(pools->with.backend, &full, &process, error);
    if (status)
        return status;
    uint32_t security = security_of(chain, length);
    status = jp__ops(pools)->process_facts(process, &facts, error);
    if (status == JP_OK && security)
        status = jp__ops(pools)->process_check_token(process, security, error);
    if (status) { /* nothing of it has run */
        struct jp_error ignored;
        jp__ops(pools)->process_terminate(process, 1, &ignored);
        jp__ops(pools)->process_close(process);
        jp_process_facts_clear(&facts);
        return status;
    }
    *ret_member = jp__member_join(pools, pool, process, &facts, true, JP_ORIGIN_SERVICE);
    return JP_OK;
}

void jp_pools_launch(struct jp_pools *pools, struct jp_pool *pool, const struct jp_launch *request, jp_joined_fn *callback,
                     void *context) {
    struct jp_member *member;
    struct jp_error error;
    if (launch(pools, pool, request, &member, &error))
        fail(callback, context, &error);
    else
        when_recorded(pools, member, "PROCESS_LAUNCHED", true, callback, context);
}

/* TerminateJobObject tells the port nothing of those whom it ends: their handles will. */
static void mark_terminated(struct jp_pool *pool) {
    for (struct jp_member *member = pool->first_member; member; member = member->next)
        member->terminated = member->silent = true;
    for (size_t i = 0; i < pool->child_count; i++)
        mark_terminated(pool->children[i]);
}

jp_status jp_pools_terminate(struct jp_pools *pools, struct jp_pool *pool, uint32_t exit_code, size_t *ret_count,
                             struct jp_error *error) {
    if (!pool->job)
        return jp_fail(error, JP_E_POOL_FAILED, "pool \"%s\" has no job object: %s", pool->name, pool->error.text);
    size_t count = jp_pool_total_members(pool);
    jp_status status = jp__ops(pools)->job_terminate(pool->job, exit_code, error);
    if (status)
        return status;
    mark_terminated(pool);
    char *detail = jp_sprintf("%zu processes, exit code %" PRIu32, count, exit_code);
    jp__emit(pools, &(struct jp__event){.pool = pool, .message = "POOL_TERMINATED", .origin = JP_ORIGIN_SERVICE, .detail = detail});
    jp_free(detail);
    *ret_count = count;
    return JP_OK;
}

jp_status jp_pools_terminate_process(struct jp_pools *pools, struct jp_member *member, uint32_t exit_code,
                                     struct jp_principal *principal, struct jp_error *error) {
    struct jp_process *process;
    struct jp_process_facts *facts = &member->record.facts;
    jp_status status = jp__ops(pools)->process_open(pools->with.backend, facts->pid, member->record.start_exact ? facts->start_100ns : 0,
                                                    JP_PROCESS_TERMINATE, principal, &process, error);
    if (status)
        return status;
    status = jp__ops(pools)->process_terminate(process, exit_code, error);
    jp__ops(pools)->process_close(process);
    if (status)
        return status;
    member->terminated = true; /* its message comes all the same: TerminateProcess is an exit like others */
    jp__emit(pools, &(struct jp__event){.pool = member->pool, .message = "PROCESS_TERMINATED", .member = member,
                                        .origin = JP_ORIGIN_SERVICE});
    return JP_OK;
}
