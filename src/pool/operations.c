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

jp_status jp_pools_terminate(struct jp_pools *pools, struct jp_pool *pool, uint32_t exit_code, size_t *ret_count,
                             struct jp_error *error) {
    size_t count = jp_pool_total_members(pool);
    if (jp__pool_available(pool, error))
        return error->status;
    mark_ended(pools, pool);
    for (size_t i = 0; i < pool->job_count; i++) {
        jp_status status = jp__ops(pools)->job_terminate(pool->jobs[i]->job, exit_code, error);
        if (status)
            return status; /* who was ended in the sessions before is seen to end by the handle */
    }
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
