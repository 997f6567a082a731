/* Pools over time: a row of the accounts for each pool that has members, or has had some since the last time, now and then.
 *
 * What a row has as used is cumulative and has that of the pools below: it goes on from the last row by what the counters of each pool of the tree
 * (counters.c) have risen since. Counters go by name and outlast the service, so a run goes on where the last one stood, and what happened between
 * is in the next row. What a pool that goes had used since its last row is its parent's. */
#include "pool/pools_internal.h"

#include "base/units.h"

enum { MANY = 2 }; /* intervals without a row, after which the beginning has a row of its own */

void jp__series_load(struct jp__series_state *state, const struct jp_pool_counters *counters) {
    state->row_100ns = counters->sampled_100ns;
    state->spent = counters->sampled;
    state->own = counters->sampled_own;
}

static struct jp__series_state *state_of(const struct jp_pool *pool) { return jp__counted_series(pool->counted); }

/* --- when --- */

/* At round times of the clock on the wall, so that the rows of all pools, and those of other machines, are of the same moments. */
static uint64_t next_round_ms(const struct jp_pools *pools, int64_t not_before_100ns) {
    int64_t interval = (int64_t)pools->record_interval_ms * JP_100NS_PER_MS, now = jp__now(pools);
    int64_t due = (not_before_100ns / interval + 1) * interval;
    return jp__now_ms(pools) + (uint64_t)(due - now + JP_100NS_PER_MS - 1) / JP_100NS_PER_MS;
}

static void schedule(struct jp_pools *pools, int64_t not_before_100ns) {
    pools->next_record_ms = pools->record_interval_ms && !pools->stopping ? next_round_ms(pools, not_before_100ns) : UINT64_MAX;
}

static void set_awake(struct jp_pools *pools, struct jp__series_state *state, bool awake) {
    pools->awake_count += awake;
    pools->awake_count -= state->awake;
    state->awake = awake;
}

static void fall_asleep(struct jp_pools *pools, struct jp_pool *pool) {
    if (jp__counted_has_series(pool->counted))
        set_awake(pools, state_of(pool), false);
}

void jp__series_wake(struct jp_pools *pools, struct jp_pool *pool) {
    for (; pool; pool = pool->parent) {
        struct jp__series_state *state = state_of(pool);
        if (!state->awake)
            state->woke_100ns = jp__now(pools);
        set_awake(pools, state, true);
    }
    if (pools->next_record_ms == UINT64_MAX)
        schedule(pools, jp__now(pools));
}

void jp_pools_set_record_interval(struct jp_pools *pools, uint64_t interval_ms) {
    pools->record_interval_ms = interval_ms;
    pools->next_record_ms = UINT64_MAX;
    if (pools->awake_count)
        schedule(pools, jp__now(pools));
}

uint64_t jp_pools_record_interval_ms(const struct jp_pools *pools) { return pools->record_interval_ms; }

/* --- what --- */

/* A pool with those below it. */
struct picture {
    uint64_t members, commit_bytes, working_set_bytes;
    struct jp__risen risen; /* since its last row */
};

static void add_risen(struct jp__risen *sum, const struct jp__risen *other) {
    sum->cpu_100ns += other->cpu_100ns;
    sum->read_bytes += other->read_bytes;
    sum->write_bytes += other->write_bytes;
}

static void add(struct picture *sum, const struct picture *below) {
    sum->members += below->members;
    sum->commit_bytes += below->commit_bytes;
    sum->working_set_bytes += below->working_set_bytes;
    add_risen(&sum->risen, &below->risen);
}

/* What a pool has used that has ended. */
static struct jp_spent ended_of(const struct jp_counted *counted) {
    const struct jp_counters *total = jp__counted_total(counted);
    return (struct jp_spent){.cpu_100ns = total->user_100ns + total->kernel_100ns, .read_bytes = total->read_bytes, .write_bytes = total->write_bytes};
}

/* Makes `own` what the pool alone has used. */
static struct jp__risen rise_to(struct jp__series_state *state, const struct jp_spent *own) {
    struct jp__risen risen = {.cpu_100ns = (int64_t)(own->cpu_100ns - state->own.cpu_100ns),
                              .read_bytes = (int64_t)(own->read_bytes - state->own.read_bytes),
                              .write_bytes = (int64_t)(own->write_bytes - state->own.write_bytes)};
    state->own = *own;
    return risen;
}

/* What the pool alone has used, and what it has since its last row. A member that the last look did not have is asked itself. */
static struct picture look_at(struct jp_pools *pools, struct jp_pool *pool) {
    struct jp__series_state *state = state_of(pool);
    struct jp_spent own = ended_of(pool->counted);
    struct picture picture = {.members = pool->member_count, .risen = state->inherited};
    for (struct jp_member *member = pool->first_member; member; member = member->next) {
        const struct jp_usage *usage = &member->record.usage;
        bool seen = member->sampled_in && member->sampled_in == pools->sample_number;
        if (!seen)
            jp_pools_refresh_usage(pools, member);
        own.cpu_100ns += usage->user_100ns + usage->kernel_100ns;
        own.read_bytes += usage->read_bytes;
        own.write_bytes += usage->write_bytes;
        picture.commit_bytes += seen ? member->commit_bytes : 0;
        picture.working_set_bytes += seen ? member->working_set_bytes : 0;
    }
    struct jp__risen risen = rise_to(state, &own);
    add_risen(&picture.risen, &risen);
    state->inherited = (struct jp__risen){0};
    return picture;
}

static void add_limits(const struct jp_pool *pool, struct jp_sample_record *record) {
    const struct jp_pool_spec *specs[JP_POOL_MAX_DEPTH];
    struct jp_limits limits;
    size_t length = jp__spec_chain(pool, specs);
    record->memory_limit_bytes = record->process_limit = UINT64_MAX;
    if (jp_effective_limit(specs, length, JP_LIMIT_JOB_MEMORY, &limits) != SIZE_MAX)
        record->memory_limit_bytes = limits.job_memory_bytes;
    if (jp_effective_limit(specs, length, JP_LIMIT_ACTIVE_PROCESSES, &limits) != SIZE_MAX)
        record->process_limit = limits.active_processes;
    if (jp_effective_limit(specs, length, JP_LIMIT_CPU_RATE, &limits) != SIZE_MAX && limits.cpu_rate.present & JP_SCHEMA_BIT(JP_CPU_HARD_CAP))
        record->cpu_rate_limit = limits.cpu_rate.hard_cap;
}

static void rise(uint64_t *spent, int64_t by) { *spent += by > 0 ? (uint64_t)by : 0; }

/* The row of this moment; and after a long rest one of when it ended, so that nothing that was used since belongs to the rest. */
static void record(struct jp_pools *pools, struct jp_pool *pool, const struct picture *picture, bool seen) {
    struct jp__series_state *state = state_of(pool);
    const struct jp_accounts_ops *ops = pools->with.accounts->ops;
    int64_t rest = (int64_t)pools->record_interval_ms * JP_100NS_PER_MS * MANY;
    struct jp_sample_record row = {.pool = pool->name, .time_100ns = state->woke_100ns, .processes = 1, .spent = state->spent, .own = state->own,
                                   .has_io = jp__host(pools)->process_io};
    add_limits(pool, &row);
    if (state->row_100ns < state->woke_100ns - rest)
        ops->record_sample(pools->with.accounts, &row);
    rise(&state->spent.cpu_100ns, picture->risen.cpu_100ns);
    rise(&state->spent.read_bytes, picture->risen.read_bytes);
    rise(&state->spent.write_bytes, picture->risen.write_bytes);
    row.time_100ns = state->row_100ns = jp__now(pools);
    row.processes = picture->members;
    row.has_memory = seen || !picture->members;
    row.commit_bytes = picture->commit_bytes;
    row.working_set_bytes = picture->working_set_bytes;
    row.spent = state->spent;
    ops->record_sample(pools->with.accounts, &row);
}

/* Nobody was ever in it, or below it. */
static bool never_used(const struct jp_pool *pool) {
    struct jp_spent ended = ended_of(pool->counted);
    return !jp__counted_has_series(pool->counted) && !pool->child_count && !pool->member_count && !ended.cpu_100ns && !ended.read_bytes && !ended.write_bytes;
}

/* Those below it first: what is told of a pool is the sum. */
static struct picture visit(struct jp_pools *pools, struct jp_pool *pool, bool seen) {
    if (never_used(pool))
        return (struct picture){0};
    struct jp__series_state *state = state_of(pool);
    struct picture picture = look_at(pools, pool);
    for (size_t i = 0; i < pool->child_count; i++) {
        struct picture below = visit(pools, pool->children[i], seen);
        add(&picture, &below);
    }
    bool used = picture.risen.cpu_100ns > 0 || picture.risen.read_bytes > 0 || picture.risen.write_bytes > 0;
    if (!state->awake && used) /* it was counted late */
        state->woke_100ns = jp__now(pools) - (int64_t)pools->record_interval_ms * JP_100NS_PER_MS;
    if (state->awake || used)
        record(pools, pool, &picture, seen);
    set_awake(pools, state, picture.members > 0);
    return picture;
}

static void record_all(struct jp_pools *pools, bool seen) {
    size_t position = 0;
    for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;)
        if (!pool->parent)
            visit(pools, pool, seen);
}

void jp__series_on_sample(struct jp_pools *pools, bool seen) {
    if (pools->next_record_ms > jp__now_ms(pools))
        return;
    if (seen) /* else the next one has it all */
        record_all(pools, true);
    if (pools->awake_count) /* one that came a little early is not followed by another at once */
        schedule(pools, jp__now(pools) + (int64_t)pools->record_interval_ms * JP_100NS_PER_MS / 2);
    else
        pools->next_record_ms = UINT64_MAX;
}

void jp__series_end_pool(struct jp_pools *pools, struct jp_pool *pool) {
    if (!pools->record_interval_ms || pools->next_record_ms == UINT64_MAX) { /* nothing has happened since the last rows */
        fall_asleep(pools, pool);
        return;
    }
    struct picture picture = visit(pools, pool, false);
    if (pool->parent)
        add_risen(&state_of(pool->parent)->inherited, &picture.risen);
}

/* The pool that it was below, or was at last; NULL: there is none any more. */
static struct jp_pool *heir_of(struct jp_pools *pools, const struct jp_pool_past *past) {
    for (unsigned level = 0; past && past->parent && level < JP_POOL_MAX_DEPTH; level++) {
        struct jp_pool *heir = jp_pools_find(pools, past->parent);
        if (heir)
            return heir;
        past = jp_map_get(&pools->pasts, past->parent);
    }
    return NULL;
}

/* Pools that did not come back: what they have used since their last row is that of the pools above them. */
void jp__series_adopted(struct jp_pools *pools, const struct jp_accounts_start *start) {
    for (size_t i = 0; i < start->past_count; i++) {
        const struct jp_pool_past *past = &start->pasts[i];
        struct jp_counted *counted = jp_pools_find(pools, past->name) ? NULL : jp__counted_named(pools, past->name);
        struct jp_pool *heir = counted ? heir_of(pools, past) : NULL;
        if (!heir)
            continue;
        struct jp_spent own = ended_of(counted);
        struct jp__risen risen = rise_to(jp__counted_series(counted), &own);
        add_risen(&state_of(heir)->inherited, &risen);
        if (risen.cpu_100ns || risen.read_bytes || risen.write_bytes)
            jp__series_wake(pools, heir);
    }
}

void jp__series_end(struct jp_pools *pools) {
    if (pools->record_interval_ms && pools->awake_count)
        record_all(pools, false);
    pools->next_record_ms = UINT64_MAX;
    size_t position = 0;
    for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;)
        fall_asleep(pools, pool);
}
