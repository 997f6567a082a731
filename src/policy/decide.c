/* From a picture of all pools and members to what is to be done: the totals, and the ends by time and by the use of one process.
 *
 * A picture is gone through a fixed number of times: members, pools, members, and once more where memory is to be given back. What
 * holds for the members of a pool is worked out once for the pool (struct jp__plan), so a member costs the same wherever it is. */
#include "base/str.h"
#include "base/units.h"
#include "policy/plan.h"

#include <stdio.h>

static const struct jp__reason job_time = {.message = "JOB_OBJECT_MSG_END_OF_JOB_TIME", .key = "job_time", .exit_code = JP_EXIT_QUOTA,
                                           .needs_sample = true};
static const struct jp__reason process_time = {.message = "JOB_OBJECT_MSG_END_OF_PROCESS_TIME", .key = "process_time",
                                               .exit_code = JP_EXIT_PROCESS_QUOTA};
static const struct jp__reason process_memory = {.message = "JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT", .key = "process_memory",
                                                 .exit_code = JP_EXIT_PROCESS_QUOTA, .in_bytes = true};
static const struct jp__reason pool_wall_clock = {.message = "POOL_WALL_CLOCK_LIMIT", .key = "pool_wall_clock",
                                                  .exit_code = JP_EXIT_TIMEOUT, .graceful = true};
static const struct jp__reason wall_clock = {.message = "WALL_CLOCK_LIMIT", .key = "wall_clock", .exit_code = JP_EXIT_TIMEOUT, .graceful = true};
static const struct jp__reason idle = {.message = "IDLE_LIMIT", .key = "idle", .exit_code = JP_EXIT_TIMEOUT, .graceful = true};

/* --- telling --- */

void jp__tell(struct jp__decider *decider, enum jp_decision_kind kind, size_t pool, struct jp_policy_member *member,
              const struct jp__reason *reason, uint64_t have, uint64_t limit) {
    char had[JP_UNITS_TEXT], allowed[JP_UNITS_TEXT], detail[128];
    const char *(*format)(uint64_t, char *) = reason->in_bytes ? jp_bytes_format : jp_duration_format;
    bool ends = kind == JP_DECIDE_END_MEMBER || kind == JP_DECIDE_END_POOL;
    snprintf(detail, sizeof detail, "%s %s %s %s", reason->key, format(have, had), have < limit ? "under" : "over", format(limit, allowed));
    decider->decide(decider->context, &(struct jp_decision){.kind = kind, .pool = pool, .member = member ? member->member : NULL,
                                                            .message = reason->message, .exit_code = ends ? reason->exit_code : 0,
                                                            .graceful = ends && reason->graceful, .detail = detail});
}

static void leave(struct jp__decider *decider, struct jp_policy_member *member) {
    member->spared = true;
    if (!member->sampled) /* its memory was not counted */
        return;
    for (size_t pool = member->pool; pool != SIZE_MAX; pool = decider->picture->pools[pool].parent) {
        decider->plans[pool].leaving.commit_bytes += member->commit_bytes;
        decider->plans[pool].leaving.working_set_bytes += member->working_set_bytes;
    }
}

void jp__end_member(struct jp__decider *decider, size_t pool, struct jp_policy_member *member, const struct jp__reason *reason,
                    uint64_t have, uint64_t limit) {
    leave(decider, member);
    jp__tell(decider, JP_DECIDE_END_MEMBER, pool, member, reason, have, limit);
}

void jp__end_pool(struct jp__decider *decider, size_t pool, const struct jp__reason *reason, uint64_t have, uint64_t limit) {
    decider->plans[pool].ended = true;
    jp__tell(decider, JP_DECIDE_END_POOL, pool, NULL, reason, have, limit);
}

/* --- totals --- */

static void add(struct jp_policy_totals *sum, const struct jp_policy_totals *more) {
    sum->members += more->members;
    sum->user_100ns += more->user_100ns;
    sum->kernel_100ns += more->kernel_100ns;
    sum->commit_bytes += more->commit_bytes;
    sum->working_set_bytes += more->working_set_bytes;
    sum->read_bytes += more->read_bytes;
    sum->write_bytes += more->write_bytes;
}

static void add_member(struct jp__plan *plan, const struct jp_policy_member *member) {
    struct jp_policy_totals *sum = member->sampled ? &plan->fresh : &plan->stale;
    sum->members++;
    sum->user_100ns += member->user_100ns;
    sum->kernel_100ns += member->kernel_100ns;
    sum->commit_bytes += member->commit_bytes;
    sum->working_set_bytes += member->working_set_bytes;
    sum->read_bytes += member->read_bytes;
    sum->write_bytes += member->write_bytes;
    plan->endable += !member->spared;
}

/* A parent stands before its children, so from behind each is complete when it is added to its parent. What ended members used is in
 * `past` of the parents already, and is laid on top. */
static void add_up(struct jp__decider *decider) {
    struct jp_policy_picture *picture = decider->picture;
    for (size_t i = 0; i < picture->member_count; i++)
        add_member(&decider->plans[picture->members[i].pool], &picture->members[i]);
    for (size_t i = picture->pool_count; i-- > 0;) {
        struct jp_policy_pool *pool = &picture->pools[i];
        struct jp__plan *plan = &decider->plans[i];
        if (pool->parent != SIZE_MAX) {
            add(&decider->plans[pool->parent].fresh, &plan->fresh);
            add(&decider->plans[pool->parent].stale, &plan->stale);
            decider->plans[pool->parent].endable += plan->endable;
        }
        pool->totals = pool->past;
        add(&pool->totals, &plan->fresh);
        add(&pool->totals, &plan->stale);
    }
}

/* --- what holds for the members of a pool --- */

static bool by_service(const struct jp__decider *decider, size_t pool, enum jp_limit limit) {
    const struct jp_pool_spec *spec = decider->picture->pools[pool].spec;
    return (spec->limits.present & JP_SCHEMA_BIT(limit)) &&
           jp_policy_enforcer(decider->picture->host, spec, limit) == JP_ENFORCED_BY_SERVICE;
}

static void narrow(struct jp__least *least, bool given, uint64_t value, size_t pool) {
    if (given && value < least->value)
        *least = (struct jp__least){.pool = pool, .value = value};
}

/* The limits of each process by the rule of nested jobs (jp_effective_limit): the most restrictive of the chain. Timeouts likewise. */
static void inherit(struct jp__decider *decider, size_t index) {
    const struct jp_policy_pool *pool = &decider->picture->pools[index];
    const struct jp_pool_spec *spec = pool->spec;
    const struct jp_timeouts *timeouts = &spec->timeouts;
    struct jp__plan *plan = &decider->plans[index];
    static const struct jp__least nobody = {.pool = SIZE_MAX, .value = UINT64_MAX};
    if (pool->parent != SIZE_MAX) {
        const struct jp__plan *parent = &decider->plans[pool->parent];
        plan->process_time = parent->process_time;
        plan->process_memory = parent->process_memory;
        for (size_t i = 0; i < JP__CLOCKS; i++) {
            plan->wall_clock[i] = parent->wall_clock[i];
            plan->idle[i] = parent->idle[i];
        }
        plan->late = parent->late;
        plan->ended = parent->ended;
        plan->frozen = parent->frozen;
        plan->wants_above = parent->wants_above;
    } else {
        plan->process_time = plan->process_memory = nobody;
        for (size_t i = 0; i < JP__CLOCKS; i++)
            plan->wall_clock[i] = plan->idle[i] = nobody;
    }
    plan->frozen |= pool->frozen;
    narrow(&plan->process_time, by_service(decider, index, JP_LIMIT_PROCESS_TIME), spec->limits.process_time_100ns, index);
    narrow(&plan->process_memory, by_service(decider, index, JP_LIMIT_PROCESS_MEMORY), spec->limits.process_memory_bytes, index);
    size_t clock = timeouts->asleep ? JP__TOTAL : JP__AWAKE;
    narrow(&plan->wall_clock[clock], timeouts->present & JP_SCHEMA_BIT(JP_TIMEOUT_WALL_CLOCK), timeouts->wall_clock_100ns, index);
    narrow(&plan->idle[clock], timeouts->present & JP_SCHEMA_BIT(JP_TIMEOUT_IDLE), timeouts->idle_100ns, index);
}

/* --- pools --- */

/* What was past the moment of the clock's reading has taken no time. */
static uint64_t elapsed_100ns(const struct jp_policy_clock *now, const struct jp_policy_clock *since, size_t clock) {
    uint64_t to = clock == JP__TOTAL ? now->total_ms : now->awake_ms, from = clock == JP__TOTAL ? since->total_ms : since->awake_ms;
    return to > from ? (to - from) * JP_100NS_PER_MS : 0;
}

/* Once; and those that come when it is over, each for itself. */
static void end_or_await(struct jp__decider *decider, size_t index, bool *over, const struct jp__reason *reason, uint64_t have, uint64_t limit) {
    struct jp__plan *plan = &decider->plans[index];
    if (*over) {
        if (!plan->late.reason)
            plan->late = (struct jp__late){.reason = reason, .pool = index, .have = have, .limit = limit};
    } else if (plan->endable && (plan->fresh.members || !reason->needs_sample)) {
        *over = true;
        jp__end_pool(decider, index, reason, have, limit);
    }
}

static uint64_t job_time_of(const struct jp_policy_pool *pool, uint64_t user_100ns) {
    return user_100ns > pool->job_time_base_100ns ? user_100ns - pool->job_time_base_100ns : 0;
}

static void decide_job_time(struct jp__decider *decider, size_t index) {
    struct jp_policy_pool *pool = &decider->picture->pools[index];
    const struct jp__plan *plan = &decider->plans[index];
    if (!by_service(decider, index, JP_LIMIT_JOB_TIME))
        return;
    uint64_t limit = pool->spec->limits.job_time_100ns, have = job_time_of(pool, pool->past.user_100ns + plan->fresh.user_100ns);
    if (have <= limit) {
        if (job_time_of(pool, pool->totals.user_100ns) <= limit) /* it was set anew */
            pool->state->job_time_over = false;
    } else if (pool->spec->end_of_job_time != JP_END_OF_JOB_POST) {
        end_or_await(decider, index, &pool->state->job_time_over, &job_time, have, limit);
    } else if (!pool->state->job_time_over && plan->fresh.members) {
        pool->state->job_time_over = true;
        jp__tell(decider, JP_DECIDE_LIFT_JOB_TIME, index, NULL, &job_time, have, limit);
    }
}

static void decide_run(struct jp__decider *decider, size_t index) {
    struct jp_policy_pool *pool = &decider->picture->pools[index];
    const struct jp_timeouts *timeouts = &pool->spec->timeouts;
    uint64_t limit = timeouts->pool_wall_clock_100ns;
    uint64_t have = elapsed_100ns(&decider->picture->now, &pool->run, timeouts->asleep ? JP__TOTAL : JP__AWAKE);
    bool empty = !pool->run.awake_ms && !pool->run.total_ms;
    if (empty || !(timeouts->present & JP_SCHEMA_BIT(JP_TIMEOUT_POOL_WALL_CLOCK)) || have < limit)
        pool->state->run_over = false;
    else
        end_or_await(decider, index, &pool->state->run_over, &pool_wall_clock, have, limit);
}

static void decide_pool(struct jp__decider *decider, size_t index) {
    const struct jp__plan *plan = &decider->plans[index];
    inherit(decider, index);
    jp__notify(decider, index);
    if (!plan->ended)
        decide_job_time(decider, index);
    if (!plan->ended)
        decide_run(decider, index);
    if (!plan->ended)
        jp__decide_memory_policy(decider, index);
}

/* --- members --- */

/* The clock that has struck, or JP__CLOCKS. */
static size_t struck(const struct jp__least limits[JP__CLOCKS], const struct jp_policy_clock *now, const struct jp_policy_clock *since) {
    size_t clock = JP__AWAKE;
    while (clock < JP__CLOCKS && (limits[clock].pool == SIZE_MAX || elapsed_100ns(now, since, clock) < limits[clock].value))
        clock++;
    return clock;
}

static void decide_clocks(struct jp__decider *decider, struct jp_policy_member *member) {
    const struct jp_policy_clock *now = &decider->picture->now;
    const struct jp__plan *plan = &decider->plans[member->pool];
    size_t wall = struck(plan->wall_clock, now, &member->joined);
    size_t still = plan->frozen || !member->sampled ? JP__CLOCKS : struck(plan->idle, now, &member->active); /* the frozen cannot but idle */
    if (wall < JP__CLOCKS)
        jp__end_member(decider, plan->wall_clock[wall].pool, member, &wall_clock, elapsed_100ns(now, &member->joined, wall),
                       plan->wall_clock[wall].value);
    else if (still < JP__CLOCKS)
        jp__end_member(decider, plan->idle[still].pool, member, &idle, elapsed_100ns(now, &member->active, still), plan->idle[still].value);
}

static void decide_member(struct jp__decider *decider, struct jp_policy_member *member) {
    const struct jp__plan *plan = &decider->plans[member->pool];
    const struct jp__late *late = &plan->late;
    if (member->spared)
        return;
    if (plan->ended)
        leave(decider, member);
    else if (late->reason && (member->sampled || !late->reason->needs_sample))
        jp__end_member(decider, late->pool, member, late->reason, late->have, late->limit);
    else if (member->sampled && member->user_100ns > plan->process_time.value)
        jp__end_member(decider, plan->process_time.pool, member, &process_time, member->user_100ns, plan->process_time.value);
    else if (member->sampled && member->commit_bytes > plan->process_memory.value)
        jp__end_member(decider, plan->process_memory.pool, member, &process_memory, member->commit_bytes, plan->process_memory.value);
    else
        decide_clocks(decider, member);
}

void jp_policy_decide(struct jp_policy_picture *picture, jp_decide_fn *decide, void *context) {
    struct jp__decider decider = {.picture = picture, .plans = jp_alloc(picture->pool_count * sizeof *decider.plans), .decide = decide,
                                  .context = context};
    add_up(&decider);
    for (size_t i = 0; i < picture->pool_count; i++)
        decide_pool(&decider, i);
    for (size_t i = 0; i < picture->member_count; i++)
        decide_member(&decider, &picture->members[i]);
    jp__decide_who_gives_memory(&decider);
    jp_free(decider.plans);
}

size_t jp_policy_too_many(const struct jp_capabilities *host, const struct jp_pool_spec *const *chain, const size_t *counts, size_t length) {
    for (size_t i = 0; i < length; i++)
        if ((chain[i]->limits.present & JP_SCHEMA_BIT(JP_LIMIT_ACTIVE_PROCESSES)) && counts[i] > chain[i]->limits.active_processes &&
            jp_policy_enforcer(host, chain[i], JP_LIMIT_ACTIVE_PROCESSES) == JP_ENFORCED_BY_SERVICE)
            return i;
    return SIZE_MAX;
}
