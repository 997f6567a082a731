/* What pools use now, for people who watch: looks at the machine's processes when somebody asks, and one walk over the pools. */
#include "pool/pools_internal.h"

/* --- a look on demand --- */

struct jp_looker {
    struct jp_looker *next, *previous;
    jp_looked_fn *callback;
    void *context;
};

static bool is_fresh(const struct jp_pools *pools) {
    return pools->stopping || (pools->looked_ms && jp__now_ms(pools) - pools->looked_ms < JP_POOLS_LOOK_MS);
}

struct jp_looker *jp_pools_look(struct jp_pools *pools, jp_looked_fn *callback, void *context) {
    bool fresh = is_fresh(pools);
    if (fresh || !pools->member_count) {
        if (!fresh)
            jp__looked(pools, true); /* there is nothing that the system could tell */
        callback(context);
        return NULL;
    }
    struct jp_looker *looker = jp_alloc(sizeof *looker);
    *looker = (struct jp_looker){.next = pools->first_looker, .callback = callback, .context = context};
    if (looker->next)
        looker->next->previous = looker;
    pools->first_looker = looker;
    return looker;
}

void jp_pools_look_cancel(struct jp_pools *pools, struct jp_looker *looker) {
    if (looker->previous)
        looker->previous->next = looker->next;
    else
        pools->first_looker = looker->next;
    if (looker->next)
        looker->next->previous = looker->previous;
    jp_free(looker);
}

void jp__looked(struct jp_pools *pools, bool seen) {
    pools->looked_ms = jp__now_ms(pools);
    if (seen) {
        pools->seen_ms = pools->looked_ms;
        pools->seen_100ns = jp__now(pools);
    }
    while (pools->first_looker) {
        struct jp_looker looker = *pools->first_looker;
        jp_pools_look_cancel(pools, pools->first_looker);
        looker.callback(looker.context);
    }
}

/* --- the walk --- */

struct walk {
    struct jp_pool_usage *found; /* parents first; a pool's place is in its picture_index */
    size_t count;
};

static bool limits(const struct jp_pool *pool, enum jp_limit limit) { return pool->spec.limits.present & JP_SCHEMA_BIT(limit); }

/* Every job of a chain counts: the tightest limit is the one that is met first. Of equal ones, the outer. */
static void take_limits(struct jp_pool_usage *usage, const struct jp_pool *pool) {
    const struct jp_limits *own = &pool->spec.limits;
    if (limits(pool, JP_LIMIT_JOB_MEMORY) &&
        (!usage->memory_limit_of || own->job_memory_bytes < usage->memory_limit_of->spec.limits.job_memory_bytes))
        usage->memory_limit_of = pool;
    if (limits(pool, JP_LIMIT_ACTIVE_PROCESSES) &&
        (!usage->process_limit_of || own->active_processes < usage->process_limit_of->spec.limits.active_processes))
        usage->process_limit_of = pool;
    usage->frozen |= pool->frozen;
}

/* As of the look: neither handles nor jobs are asked. */
static void take_sums(struct jp_pool_usage *usage, const struct jp_pool_used *sums) {
    const uint64_t *running = sums->running.of, *ended = sums->ended.of;
    usage->cpu_100ns = running[JP__USED_USER] + running[JP__USED_KERNEL] + ended[JP__USED_USER] + ended[JP__USED_KERNEL];
    usage->read_bytes = running[JP__USED_READ_BYTES] + ended[JP__USED_READ_BYTES];
    usage->write_bytes = running[JP__USED_WRITE_BYTES] + ended[JP__USED_WRITE_BYTES];
    usage->commit_bytes = sums->commit_bytes;
    usage->working_set_bytes = sums->working_set_bytes;
}

static void walk_from(struct walk *walk, struct jp_pool *pool, const struct jp_pool_usage *above) {
    struct jp_pool_usage *usage = &walk->found[pool->picture_index = walk->count++];
    *usage = (struct jp_pool_usage){.pool = pool, .total_members = jp_pool_total_members(pool), .frozen = above->frozen,
                                    .memory_limit_of = above->memory_limit_of, .process_limit_of = above->process_limit_of, .events = pool->told};
    take_limits(usage, pool);
    if (pool->used)
        take_sums(usage, pool->used);
    for (size_t i = 0; i < pool->child_count; i++)
        walk_from(walk, pool->children[i], usage);
}

static void walk_below(struct walk *walk, struct jp_pool *top) {
    struct jp_pool_usage above = {0};
    for (const struct jp_pool *at = top->parent; at; at = at->parent)
        take_limits(&above, at);
    walk_from(walk, top, &above);
}

void jp_pools_usage(struct jp_pools *pools, struct jp_pool *top, struct jp_usage_picture *ret_picture) {
    size_t count;
    struct jp_pool *const *all = jp_pools_sorted(pools, &count);
    struct walk walk = {.found = jp_realloc_array(NULL, count, sizeof *walk.found)};
    *ret_picture = (struct jp_usage_picture){.pools = jp_realloc_array(NULL, count, sizeof *ret_picture->pools),
                                             .time_100ns = pools->seen_ms ? pools->seen_100ns : jp__now(pools),
                                             .clock_100ns = (pools->seen_ms ? pools->seen_ms : jp__now_ms(pools)) * 10000};
    for (size_t i = 0; i < count; i++)
        if (top ? all[i] == top : !all[i]->parent)
            walk_below(&walk, all[i]);
    for (size_t i = 0; i < count; i++) {
        size_t index = all[i]->picture_index;
        if (index < walk.count && walk.found[index].pool == all[i]) /* else it was not walked over; the index is of another picture */
            ret_picture->pools[ret_picture->count++] = walk.found[index];
    }
    jp_free(walk.found);
}

void jp_usage_picture_clear(struct jp_usage_picture *picture) {
    jp_free(picture->pools);
    *picture = (struct jp_usage_picture){0};
}
