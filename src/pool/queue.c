/* Requests that wait for room in a pool that is full, first come, first served. */
#include "pool/pools_internal.h"

#include <inttypes.h>

void jp__queue_add(struct jp_pools *pools, struct jp_queued *queued) {
    queued->previous = pools->last_queued;
    queued->next = NULL;
    if (queued->previous)
        queued->previous->next = queued;
    else
        pools->first_queued = queued;
    pools->last_queued = queued;
    queued->joining.pool->queue_length++;
    uint64_t soon = jp__now_ms(pools) + QUEUE_INTERVAL_MS;
    if (queued->deadline_ms < soon)
        soon = queued->deadline_ms;
    if (soon < pools->next_queue_ms)
        pools->next_queue_ms = soon;
}

static void unlink_queued(struct jp_pools *pools, struct jp_queued *queued) {
    if (queued->previous)
        queued->previous->next = queued->next;
    else
        pools->first_queued = queued->next;
    if (queued->next)
        queued->next->previous = queued->previous;
    else
        pools->last_queued = queued->previous;
    queued->joining.pool->queue_length--;
    jp__ephemeral_emptied(pools, queued->joining.pool);
}

void jp_pools_queue_cancel(struct jp_pools *pools, struct jp_queued *queued) {
    unlink_queued(pools, queued);
    jp__queued_free(pools, queued);
}

void jp_pools_queue_abandon(struct jp_pools *pools, struct jp_queued *queued) {
    const struct jp_joining *joining = &queued->joining;
    struct jp_error error;
    if (joining->held && queued->process) {
        jp_status status = jp__ops(pools)->process_terminate(queued->process, 1, &error);
        if (status == JP_OK)
            jp_log(pools->with.log, JP_LOG_INFO, "process %" PRIu32 " waited for room in pool \"%s\", held by a caller that is gone: it was ended",
                   joining->pid, joining->pool->name);
        else if (status != JP_E_NO_PROCESS)
            jp_log(pools->with.log, JP_LOG_WARNING, "process %" PRIu32 " is held by a caller that is gone, and stays suspended: %s", joining->pid,
                   error.text);
    }
    jp_pools_queue_cancel(pools, queued);
}

/* Tells the caller and lets it go. */
static void refuse(struct jp_pools *pools, struct jp_queued *queued, const struct jp_error *error) {
    jp_joined_fn *callback = queued->joining.callback;
    void *context = queued->joining.context;
    jp_pools_queue_cancel(pools, queued);
    callback(context, error->status, error, NULL, 0);
}

/* In order: one that finds no room stays where it is, and those behind it are tried, for other pools may have room; but nobody
 * overtakes one who waits for the same pool. */
void jp__queue_advance(struct jp_pools *pools) {
    if (pools->advancing)
        return;
    pools->advancing = true;
    uint64_t round = ++pools->queue_rounds;
    struct jp_queued *next;
    for (struct jp_queued *queued = pools->first_queued; queued; queued = next) {
        next = queued->next;
        if (queued->joining.pool->full_in_round == round)
            continue;
        if (jp__join_queued(pools, queued))
            jp_pools_queue_cancel(pools, queued);
        else
            queued->joining.pool->full_in_round = round;
    }
    pools->advancing = false;
}

static void time_out(struct jp_pools *pools, struct jp_queued *queued) {
    struct jp_error error;
    const struct jp_pool *pool = queued->joining.pool;
    jp_fail(&error, JP_E_TIMEOUT, "pool \"%s\" is full, and no room came free in the time allowed", pool->name);
    refuse(pools, queued, &error);
}

uint64_t jp__queue_on_time(struct jp_pools *pools, uint64_t now_ms) {
    if (pools->next_queue_ms > now_ms)
        return pools->next_queue_ms;
    jp__queue_advance(pools);
    uint64_t due = pools->first_queued ? now_ms + QUEUE_INTERVAL_MS : UINT64_MAX;
    struct jp_queued *queued = pools->first_queued;
    while (queued) {
        struct jp_queued *next = queued->next;
        if (queued->deadline_ms <= now_ms)
            time_out(pools, queued);
        else if (queued->deadline_ms < due)
            due = queued->deadline_ms;
        queued = next;
    }
    pools->next_queue_ms = due;
    return due;
}

void jp__queue_discard(struct jp_pools *pools, struct jp_pool *pool) {
    struct jp_error error;
    struct jp_queued *queued = pools->first_queued;
    while (queued) {
        struct jp_queued *next = queued->next;
        if (!pool)
            jp_fail(&error, JP_E_STOPPING, "the service is stopping");
        else
            jp_fail(&error, JP_E_NO_POOL, "pool \"%s\" was deleted", pool->name);
        if (!pool || queued->joining.pool == pool)
            refuse(pools, queued, &error);
        queued = next;
    }
}
