/* Those who wait for a process to end or a pool to be empty. */
#include "pool/pools_internal.h"

struct jp_waiter {
    struct jp_waiter *next, *previous;
    struct jp_pool *pool;     /* NULL: waits for `member` */
    struct jp_member *member;
    jp_waited_fn *callback;
    void *context;
};

static void link_waiter(struct jp_pools *pools, struct jp_waiter *waiter) {
    waiter->next = pools->first_waiter;
    if (waiter->next)
        waiter->next->previous = waiter;
    pools->first_waiter = waiter;
}

void jp_pools_wait_cancel(struct jp_pools *pools, struct jp_waiter *waiter) {
    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        pools->first_waiter = waiter->next;
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
    *waiter = (struct jp_waiter){.pool = member ? NULL : pool, .member = member, .callback = callback, .context = context};
    link_waiter(pools, waiter);
    return waiter;
}

static void tell(struct jp_pools *pools, struct jp_waiter *waiter, const struct jp_process_record *record) {
    jp_waited_fn *callback = waiter->callback;
    void *context = waiter->context;
    jp_pools_wait_cancel(pools, waiter);
    callback(context, record);
}

void jp__wait_on_exit(struct jp_pools *pools, struct jp_member *member) {
    struct jp_waiter *next;
    for (struct jp_waiter *waiter = pools->first_waiter; waiter; waiter = next) {
        next = waiter->next;
        if (waiter->member == member)
            tell(pools, waiter, &member->record);
    }
}

void jp__wait_on_empty(struct jp_pools *pools, struct jp_pool *pool) {
    for (; pool && !jp_pool_total_members(pool); pool = pool->parent)
        jp__wait_on_discard(pools, pool);
}

void jp__wait_on_discard(struct jp_pools *pools, struct jp_pool *pool) {
    struct jp_waiter *next;
    for (struct jp_waiter *waiter = pools->first_waiter; waiter; waiter = next) {
        next = waiter->next;
        if (waiter->pool == pool)
            tell(pools, waiter, NULL);
    }
}
