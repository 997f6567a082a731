/* What callers ask for of processes that are in a pool: ending them. */
#include "pool/pools_internal.h"

#include <inttypes.h>

/* Who has ended already was not ended by us, though nobody may have heard of it yet. */
static void mark_ended(struct jp_pools *pools, struct jp_pool *pool) {
    uint32_t exit_code;
    for (struct jp_member *member = pool->first_member; member; member = member->next)
        member->ended_before = member->process && jp__ops(pools)->process_exited(member->process, &exit_code);
    for (size_t i = 0; i < pool->child_count; i++)
        mark_ended(pools, pool->children[i]);
}

/* TerminateJobObject tells the port nothing of those whom it ends: their handles will. */
static void mark_terminated(struct jp_pool *pool) {
    for (struct jp_member *member = pool->first_member; member; member = member->next)
        if (!member->ended_before)
            member->terminated = member->silent = true;
    for (size_t i = 0; i < pool->child_count; i++)
        mark_terminated(pool->children[i]);
}

jp_status jp__pool_end_all(struct jp_pools *pools, struct jp_pool *pool, uint32_t exit_code, size_t *ret_count, struct jp_error *error) {
    *ret_count = jp_pool_total_members(pool);
    if (jp__pool_available(pool, error))
        return error->status;
    mark_ended(pools, pool);
    for (size_t i = 0; i < pool->job_count; i++) {
        jp_status status = jp__ops(pools)->job_terminate(pool->jobs[i]->job, exit_code, error);
        if (status)
            return status; /* who was ended in the sessions before is seen to end by the handle */
    }
    mark_terminated(pool);
    return JP_OK;
}

jp_status jp_pools_terminate(struct jp_pools *pools, struct jp_pool *pool, uint32_t exit_code, size_t *ret_count,
                             struct jp_error *error) {
    size_t count;
    jp_status status = jp__pool_end_all(pools, pool, exit_code, &count, error);
    if (status)
        return status;
    if (pool->ephemeral)
        jp__ephemeral_ended(pools, pool);
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

/* --- the service stops --- */

static bool ends_with_service(const struct jp_pool *pool) { return pool->job_count && jp_pool_spec_terminates(&pool->spec); }

/* Somebody in it was asked to end, and still has time. */
static bool is_awaited(const struct jp_pool *pool) {
    for (const struct jp_member *member = pool->first_member; member; member = member->next)
        if (member->asked_to_stop && jp__member_runs(member))
            return true;
    for (size_t i = 0; i < pool->child_count; i++)
        if (is_awaited(pool->children[i]))
            return true;
    return false;
}

static void end_with_service(struct jp_pools *pools, struct jp_pool *pool, bool first) {
    struct jp_error error;
    size_t count;
    if (first && jp__pool_grace(pool)) {
        jp__pool_stop(pools, pool, 1, true);
    } else if (!pool->ended_with_service && !is_awaited(pool)) {
        pool->ended_with_service = true;
        if (jp_pools_terminate(pools, pool, 1, &count, &error))
            jp_log(pools->with.log, JP_LOG_ERROR, "%s", error.text);
    }
}

bool jp_pools_stop(struct jp_pools *pools) {
    bool first = !pools->stopping, done = true;
    pools->stopping = true;
    jp__queue_discard(pools, NULL);
    jp__looked(pools, false);
    jp__slices_end(pools);
    size_t position = 0;
    for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;) {
        if (!ends_with_service(pool) || !jp_pool_total_members(pool))
            continue;
        end_with_service(pools, pool, first);
        done = done && !jp_pool_total_members(pool);
    }
    if (done)
        jp__series_end(pools);
    return done;
}

uint64_t jp_pools_longest_grace_ms(const struct jp_pools *pools) {
    uint64_t longest = 0;
    size_t position = 0;
    for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;)
        if (ends_with_service(pool) && jp_pool_total_members(pool) && jp__pool_grace(pool) / 10000 > longest)
            longest = jp__pool_grace(pool) / 10000;
    return longest;
}
