/* Those who wait for a process to end or a pool to be empty. */
#include "pool/pools_internal.h"

struct jp_waiter {
    struct jp_waiter *next, *previous; /* of those who wait for the same */
    const void *target;                /* a pool or a member */
    jp_waited_fn *callback;
    void *context;
};

static uint64_t key_of(const void *target) { return (uint64_t)(uintptr_t)target; }

static struct jp_waiter *first_for(const struct jp_pools *pools, const void *target) { return jp_map_get_u64(&pools->waiters, key_of(target)); }

static void set_first(struct jp_pools *pools, const void *target, struct jp_waiter *waiter) {
    jp_map_remove_u64(&pools->waiters, key_of(target));
    if (waiter)
        jp_map_put_u64(&pools->waiters, key_of(target), waiter);
}

static void link_waiter(struct jp_pools *pools, struct jp_waiter *waiter) {
    waiter->next = first_for(pools, waiter->target);
    if (waiter->next)
        waiter->next->previous = waiter;
    set_first(pools, waiter->target, waiter);
}

void jp_pools_wait_cancel(struct jp_pools *pools, struct jp_waiter *waiter) {
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        set_first(pools, waiter->target, waiter->next);
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    jp_free(waiter);
}

struct jp_waiter *jp_pools_wait(struct jp_pools *pools, struct jp_pool *pool, struct jp_member *member, jp_waited_fn *callback,
                                void *context) {
    if (!member && !jp_pool_total_members(pool)) {
        callback(context, NULL);
        return NULL;
    }
    struct jp_waiter *waiter = jp_alloc(sizeof *waiter);
    *waiter = (struct jp_waiter){.target = member ? (const void *)member : (const void *)pool, .callback = callback, .context = context};
    link_waiter(pools, waiter);
    return waiter;
}

static void tell(struct jp_pools *pools, struct jp_waiter *waiter, const struct jp_process_record *record) {
    jp_waited_fn *callback = waiter->callback;
    void *context = waiter->context;
    jp_pools_wait_cancel(pools, waiter);
    callback(context, record);
}

static void tell_all(struct jp_pools *pools, const void *target, const struct jp_process_record *record) {
    for (struct jp_waiter *waiter; (waiter = first_for(pools, target)) != NULL;)
        tell(pools, waiter, record);
}

void jp__wait_on_exit(struct jp_pools *pools, struct jp_member *member) { tell_all(pools, member, &member->record); }

void jp__wait_on_empty(struct jp_pools *pools, struct jp_pool *pool) {
    for (; pool && !jp_pool_total_members(pool); pool = pool->parent)
        jp__wait_on_discard(pools, pool);
}

void jp__wait_on_discard(struct jp_pools *pools, struct jp_pool *pool) { tell_all(pools, pool, NULL); }
