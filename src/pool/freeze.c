/* Frozen pools, and the slices of a CPU rate that the kernel does not keep: both suspend members and let them go on. */
#include "pool/pools_internal.h"

const struct jp_pool *jp_pool_frozen_by(const struct jp_pool *pool) {
    while (pool && !pool->frozen)
        pool = pool->parent;
    return pool;
}

/* The next start would find it by its row, as it is now. */
static bool is_on_record(const struct jp_member *member) { return !member->freezes_awaited && member->record.start_exact; }

/* As its chain says now. A member is suspended once, however many pools of its chain are frozen. */
static void follow_chain(struct jp_pools *pools, struct jp_member *member) {
    bool wanted = jp_pool_frozen_by(member->pool) != NULL;
    if (wanted == member->frozen || !jp__member_runs(member) || (wanted && !is_on_record(member)) || jp__member_freeze(pools, member, wanted))
        return;
    member->frozen = wanted;
    member->active = jp__clock(pools); /* it could not do anything before */
}

static void follow_below(struct jp_pools *pools, struct jp_pool *pool) {
    struct jp_member *next;
    for (struct jp_member *member = pool->first_member; member; member = next) {
        next = member->next;
        follow_chain(pools, member);
    }
    for (size_t i = 0; i < pool->child_count; i++)
        follow_below(pools, pool->children[i]);
}

/* --- on record first --- */

/* Nobody is suspended before the disk says so: else a service that died now would find nobody to let go of at its next start. Where the
 * disk refuses, it is done all the same. */
struct recorded {
    struct jp_pools *pools;
    char *pool;
    uint32_t pid; /* 0: the pool with all that is below it */
    int64_t id;   /* of the member; resting: of the newest that is on record, too */
};

static void on_recorded(void *context, jp_status status) {
    struct recorded *recorded = context;
    struct jp_pool *pool = jp_pools_find(recorded->pools, recorded->pool);
    struct jp_member *member = recorded->pid ? jp__member_by_pid(recorded->pools, recorded->pid) : NULL;
    (void)status;
    if (pool && !recorded->pid)
        follow_below(recorded->pools, pool);
    if (member && member->record.id == recorded->id) {
        member->freezes_awaited--;
        if (member->pool)
            follow_chain(recorded->pools, member);
    }
    jp_free(recorded->pool);
    jp_free(recorded);
}

static void follow_when_recorded(struct jp_pools *pools, const struct jp_pool *pool, struct jp_member *member) {
    struct recorded *recorded = jp_alloc(sizeof *recorded);
    *recorded = (struct recorded){.pools = pools, .pool = jp_strdup(pool->name)};
    if (member) {
        member->freezes_awaited++;
        recorded->pid = member->record.facts.pid;
        recorded->id = member->record.id;
    }
    pools->with.accounts->ops->when_durable(pools->with.accounts, on_recorded, recorded);
}

void jp__freeze_join(struct jp_pools *pools, struct jp_member *member) {
    if (pools->adopting) /* the last run has put it on record */
        follow_chain(pools, member);
    else if (jp_pool_frozen_by(member->pool) && !member->frozen)
        follow_when_recorded(pools, member->pool, member);
}

static void record_below(struct jp_pools *pools, const struct jp_pool *pool) {
    jp__pool_record(pools, pool);
    for (size_t i = 0; i < pool->child_count; i++)
        record_below(pools, pool->children[i]);
}

static void set_frozen(struct jp_pools *pools, struct jp_pool *pool, bool frozen, bool keep) {
    pool->frozen = frozen;
    pool->keep_frozen = frozen && keep;
    record_below(pools, pool);
    jp__emit(pools, &(struct jp__event){.pool = pool, .message = frozen ? "POOL_FROZEN" : "POOL_THAWED", .origin = JP_ORIGIN_SERVICE});
    if (frozen)
        follow_when_recorded(pools, pool, NULL);
    else
        follow_below(pools, pool);
}

jp_status jp_pools_freeze(struct jp_pools *pools, struct jp_pool *pool, bool keep, struct jp_error *error) {
    if (pool->frozen && pool->keep_frozen == keep)
        return jp_fail(error, JP_E_PARAMS, "pool \"%s\" is frozen already", pool->name);
    set_frozen(pools, pool, true, keep);
    return JP_OK;
}

jp_status jp_pools_thaw(struct jp_pools *pools, struct jp_pool *pool, struct jp_error *error) {
    const struct jp_pool *by = pool->frozen ? pool : jp_pool_frozen_by(pool->parent);
    if (!by)
        return jp_fail(error, JP_E_PARAMS, "pool \"%s\" is not frozen", pool->name);
    if (by != pool)
        return jp_fail(error, JP_E_PARAMS, "pool \"%s\" is frozen by \"%s\" above it; thaw that one", pool->name, by->name);
    set_frozen(pools, pool, false, false);
    return JP_OK;
}

/* --- over a restart --- */

/* Before members are taken up: in an orderly stop a frozen pool stays so; after a crash only one that was told to. In the accounts it
 * stays what it was until all its members have been let go of. */
void jp__freeze_restore(struct jp_pools *pools, const struct jp_accounts_start *start) {
    size_t position = 0;
    for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;) {
        pool->thaw_freeze = start->unclean && pool->frozen;
        pool->thaw_rate = start->unclean && pool->suspends;
        pool->frozen = pool->frozen && (!start->unclean || pool->keep_frozen);
        pool->suspends = false;
        if (pool->thaw_freeze && !pool->frozen)
            jp__emit(pools, &(struct jp__event){.pool = pool, .message = "POOL_THAWED", .origin = JP_ORIGIN_SERVICE,
                                                .detail = "the service did not end in order while it was frozen"});
    }
}

/* One of the last run. In order, it is as its pool is. After a crash nobody knows how far it had got: it is let go of, once for all
 * freezes and once for a rate, and frozen anew if its pool is; thawing one that runs does nothing. */
void jp__freeze_adopt(struct jp_pools *pools, struct jp_member *member) {
    bool thaw_freeze = false, thaw_rate = false;
    for (const struct jp_pool *pool = member->pool; pool; pool = pool->parent) {
        thaw_freeze |= pool->thaw_freeze;
        thaw_rate |= pool->thaw_rate;
    }
    member->frozen = !thaw_freeze && jp_pool_frozen_by(member->pool);
    if (thaw_freeze)
        jp__member_freeze(pools, member, false);
    if (thaw_rate)
        jp__member_freeze(pools, member, false);
}

/* One whose pool did not come back: nobody would ever let it go on. */
void jp__freeze_release(struct jp_pools *pools, const struct jp_accounts_start *start, const struct jp_process_record *row) {
    struct jp_process *process;
    struct jp_error ignored;
    unsigned thaws = 0;
    if (jp_pools_find(pools, row->pool))
        return;
    bool crashed = start->unclean;
    const struct jp_pool_past *last = jp_map_get(&pools->pasts, row->pool);
    if (last)
        thaws = (unsigned)(last->frozen || last->below_frozen) + (crashed && last->suspends);
    if (!thaws || jp__ops(pools)->process_open(pools->with.backend, row->facts.pid, row->facts.start_100ns, JP_PROCESS_CONTROL, NULL, &process, &ignored))
        return;
    const struct jp_pool *above = jp__pool_that_has(pools, process); /* which takes it up, as it is or as after a crash */
    bool looked_after = false;
    for (const struct jp_pool *pool = above; pool; pool = pool->parent)
        looked_after |= pool->frozen || pool->thaw_freeze || pool->thaw_rate;
    while (!looked_after && thaws--)
        jp__ops(pools)->process_freeze(process, false, &ignored);
    jp__ops(pools)->process_close(process);
}

void jp__freeze_restored(struct jp_pools *pools) {
    size_t position = 0;
    for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;) {
        if (!pool->thaw_freeze && !pool->thaw_rate)
            continue;
        pool->thaw_freeze = pool->thaw_rate = false;
        pool->keep_frozen = pool->frozen && pool->keep_frozen;
        jp__pool_record(pools, pool);
    }
}

/* --- slices --- */

/* Whether the pool, or one above it, has a CPU rate that the service keeps: the outermost such one. */
struct jp_pool *jp__pool_slices(struct jp_pools *pools, struct jp_pool *pool) {
    struct jp_pool *found = NULL;
    for (; pool; pool = pool->parent)
        if (pool->spec.limits.present & JP_SCHEMA_BIT(JP_LIMIT_CPU_RATE) &&
            jp_policy_enforcer(jp__host(pools), &pool->spec, JP_LIMIT_CPU_RATE) == JP_ENFORCED_BY_SERVICE)
            found = pool;
    return found;
}

static uint64_t cpu_of(struct jp_pools *pools, const struct jp_pool *pool) {
    struct jp_policy_totals totals;
    jp_pools_totals(pools, pool, &totals);
    return totals.user_100ns + totals.kernel_100ns;
}

/* Which pools suspend, and which members there are, is on the disk up to here. */
static void on_rest_recorded(void *context, jp_status status) {
    struct recorded *recorded = context;
    struct jp_pool *pool = jp_pools_find(recorded->pools, recorded->pool);
    (void)status;
    if (pool) {
        pool->rest_awaited = false;
        pool->rest_id = pool->suspends ? recorded->id : 0;
    }
    jp_free(recorded->pool);
    jp_free(recorded);
}

static void rest_when_recorded(struct jp_pools *pools, struct jp_pool *pool) {
    if (pool->rest_awaited)
        return;
    struct recorded *recorded = jp_alloc(sizeof *recorded);
    *recorded = (struct recorded){.pools = pools, .pool = jp_strdup(pool->name), .id = pools->last_id};
    pool->rest_awaited = true;
    pools->with.accounts->ops->when_durable(pools->with.accounts, on_rest_recorded, recorded);
}

/* How long the members run of each slice, by what they used since the last measure. */
void jp__slices_measure(struct jp_pools *pools) {
    uint64_t now_ms = jp__now_ms(pools);
    for (struct jp_pool *pool = pools->first_present; pool; pool = pool->present_next) {
        if (jp__pool_slices(pools, pool) != pool)
            continue;
        uint64_t slices = (now_ms - pool->slice_measured_ms) / JP_SLICE_MS;
        if (pool->slice_measured_ms && !slices)
            continue;
        uint64_t cpu_100ns = cpu_of(pools, pool), used = cpu_100ns > pool->slice_cpu_100ns ? cpu_100ns - pool->slice_cpu_100ns : 0;
        uint32_t last = pool->slice_measured_ms ? pool->slice_run_ms : JP_SLICE_MS;
        if (pool->slice_measured_ms)
            pool->slice_run_ms = jp_policy_slice_ms(pool->spec.limits.cpu_rate.hard_cap, jp__host(pools)->processors, used / slices, last);
        else
            pool->slice_run_ms = JP_SLICE_MS;
        pool->slice_cpu_100ns = cpu_100ns;
        pool->slice_measured_ms = now_ms;
        if (pool->slice_run_ms < JP_SLICE_MS && pools->next_slice_ms == UINT64_MAX)
            pools->next_slice_ms = now_ms;
        if (!pool->suspends) {
            pool->suspends = true;
            jp__pool_record(pools, pool);
            rest_when_recorded(pools, pool);
        }
    }
}

/* A debugger would take a process that rests for one that hangs. */
static bool may_rest(struct jp_pools *pools, struct jp_member *member) {
    struct jp_process *process = NULL;
    struct jp_error error;
    return jp__member_control(pools, member, &process, &error) == JP_OK && !jp__ops(pools)->process_is_debugged(process);
}

/* `top` is the pool whose rate it is. Who joined since its members were last on record is left alone until he is on it, too. */
static void rest(struct jp_pools *pools, struct jp_pool *top, struct jp_pool *pool, bool rest_now) {
    for (struct jp_member *member = pool->first_member; member; member = member->next) {
        if (!jp__member_runs(member) || member->resting == rest_now || (rest_now && !may_rest(pools, member)))
            continue;
        if (rest_now && member->record.id > top->rest_id) {
            rest_when_recorded(pools, top);
            continue;
        }
        if (jp__member_freeze(pools, member, rest_now) == JP_OK)
            member->resting = rest_now;
    }
    for (size_t i = 0; i < pool->child_count; i++)
        rest(pools, top, pool->children[i], rest_now);
}

/* From running to resting and back. */
static void turn_slice(struct jp_pools *pools, struct jp_pool *pool, uint64_t now_ms) {
    bool rest_now = pool->rest_id && (!pool->slice_run_ms || (!pool->slice_resting && pool->slice_run_ms < JP_SLICE_MS));
    if (rest_now != pool->slice_resting)
        rest(pools, pool, pool, rest_now);
    pool->slice_resting = rest_now;
    pool->slice_turn_ms = now_ms + (rest_now ? JP_SLICE_MS - pool->slice_run_ms : pool->slice_run_ms);
}

uint64_t jp__slices_on_time(struct jp_pools *pools, uint64_t now_ms) {
    if (pools->next_slice_ms > now_ms)
        return pools->next_slice_ms;
    uint64_t next = UINT64_MAX;
    for (struct jp_pool *pool = pools->first_present; pool; pool = pool->present_next) {
        bool slices = jp__pool_slices(pools, pool) == pool && jp_pool_total_members(pool) && !pools->stopping;
        if (!slices || (pool->slice_run_ms >= JP_SLICE_MS && !pool->slice_resting)) {
            if (pool->slice_resting)
                rest(pools, pool, pool, pool->slice_resting = false);
            continue;
        }
        if (pool->slice_turn_ms <= now_ms)
            turn_slice(pools, pool, now_ms);
        if (pool->slice_turn_ms < next)
            next = pool->slice_turn_ms;
    }
    pools->next_slice_ms = next;
    return next;
}

/* The service ends: nobody is left suspended who would not be found so on purpose. */
void jp__slices_end(struct jp_pools *pools) {
    size_t position = 0;
    for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;)
        if (pool->suspends) {
            rest(pools, pool, pool, pool->slice_resting = false);
            pool->suspends = false;
            pool->rest_id = 0;
            jp__pool_record(pools, pool);
        }
}
