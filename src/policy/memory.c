/* Decisions about what pools use together: the memory policy, the memory limit that the service keeps, and what is only told. */
#include "base/units.h"
#include "policy/plan.h"

/* One that was ended is given so long to go before another one is, beyond the grace that it has. */
enum { SETTLE_MS = 2000 };

static const struct jp__reason job_memory = {.message = "JOB_OBJECT_MSG_JOB_MEMORY_LIMIT", .key = "job_memory",
                                             .exit_code = JP_EXIT_PROCESS_QUOTA, .in_bytes = true};
static const struct jp__reason soft = {.message = "MEMORY_POLICY_SOFT", .key = "memory_policy.soft", .in_bytes = true};
static const struct jp__reason hard = {.message = "MEMORY_POLICY_HARD", .key = "memory_policy.hard", .exit_code = JP_EXIT_MEMORY,
                                       .graceful = true, .in_bytes = true, .needs_sample = true};

/* Well below: what was told of may be told of again. */
static uint64_t well_below(uint64_t limit) { return limit - limit / 20; }

static uint64_t measured(const struct jp_memory_policy *policy, const struct jp_policy_totals *totals) {
    return policy->measure == JP_MEASURE_WORKING_SET ? totals->working_set_bytes : totals->commit_bytes;
}

/* --- the memory policy --- */

/* Whether it has been above for as long as it must. That it is no longer above is believed only of the numbers that include those
 * not in the sample: a sample that is missing is no relief. */
static bool held(uint64_t limit, uint64_t fresh, uint64_t known, uint64_t hold_100ns, uint64_t now_ms, uint64_t *since_ms, bool *told) {
    if (known <= well_below(limit))
        *told = false;
    if (fresh <= limit) {
        if (known <= limit)
            *since_ms = 0;
        return false;
    }
    if (!*since_ms)
        *since_ms = now_ms ? now_ms : 1;
    return (now_ms > *since_ms ? now_ms - *since_ms : 0) * JP_100NS_PER_MS >= hold_100ns;
}

static bool acts_once(const struct jp_memory_policy *policy) {
    return policy->action == JP_MEMORY_NOTIFY || policy->action == JP_MEMORY_FREEZE;
}

/* Done before, and there was no time yet to see what came of it. */
static bool is_waiting(const struct jp_policy_pool *pool, uint64_t acted_ms, uint64_t now_ms) {
    uint64_t patience_ms = SETTLE_MS + pool->spec->stop.grace_100ns / JP_100NS_PER_MS;
    return acted_ms && now_ms < acted_ms + patience_ms;
}

static void note_action(struct jp_policy_state *state, uint64_t now_ms) {
    state->hard_told = true;
    state->hard_acted_ms = state->hard_since_ms = now_ms ? now_ms : 1; /* `hold` begins anew */
}

static void act(struct jp__decider *decider, size_t index, uint64_t have) {
    struct jp_policy_pool *pool = &decider->picture->pools[index];
    struct jp__plan *plan = &decider->plans[index];
    const struct jp_memory_policy *policy = &pool->spec->memory_policy;
    uint64_t now_ms = decider->picture->now.awake_ms;
    if (pool->state->hard_told && acts_once(policy))
        return;
    switch (policy->action) {
    case JP_MEMORY_NOTIFY:
        note_action(pool->state, now_ms);
        jp__tell(decider, JP_DECIDE_TELL, index, NULL, &hard, have, policy->hard_bytes);
        break;
    case JP_MEMORY_FREEZE:
        if (plan->frozen || !plan->endable) /* who goes anyway is not held up */
            break;
        plan->frozen = true;
        note_action(pool->state, now_ms);
        jp__tell(decider, JP_DECIDE_FREEZE_POOL, index, NULL, &hard, have, policy->hard_bytes);
        break;
    case JP_MEMORY_TERMINATE_POOL:
        if (!plan->endable || (pool->state->hard_told && is_waiting(pool, pool->state->hard_acted_ms, now_ms)))
            break;
        note_action(pool->state, now_ms);
        jp__end_pool(decider, index, &hard, have, policy->hard_bytes);
        break;
    default:
        plan->wants_policy = plan->wants_above = true; /* when it is known who is ended anyway */
    }
}

void jp__decide_memory_policy(struct jp__decider *decider, size_t index) {
    struct jp_policy_pool *pool = &decider->picture->pools[index];
    struct jp_policy_state *state = pool->state;
    struct jp__plan *plan = &decider->plans[index];
    const struct jp_memory_policy *policy = &pool->spec->memory_policy;
    const struct jp_limits *limits = &pool->spec->limits;
    if ((limits->present & JP_SCHEMA_BIT(JP_LIMIT_JOB_MEMORY)) && plan->fresh.commit_bytes > limits->job_memory_bytes &&
        jp_policy_enforcer(decider->picture->host, pool->spec, JP_LIMIT_JOB_MEMORY) == JP_ENFORCED_BY_SERVICE)
        plan->wants_job_memory = plan->wants_above = true;
    if (!(pool->spec->present & JP_SCHEMA_BIT(JP_POOL_MEMORY_POLICY)))
        return;
    uint64_t have = measured(policy, &plan->fresh), known = measured(policy, &pool->totals), now_ms = decider->picture->now.awake_ms;
    if ((policy->present & JP_SCHEMA_BIT(JP_MEMORY_SOFT)) &&
        held(policy->soft_bytes, have, known, policy->hold_100ns, now_ms, &state->soft_since_ms, &state->soft_told) && !state->soft_told) {
        state->soft_told = true;
        jp__tell(decider, JP_DECIDE_TELL, index, NULL, &soft, have, policy->soft_bytes);
    }
    if ((policy->present & JP_SCHEMA_BIT(JP_MEMORY_HARD)) &&
        held(policy->hard_bytes, have, known, policy->hold_100ns, now_ms, &state->hard_since_ms, &state->hard_told))
        act(decider, index, have);
}

/* --- who gives memory back --- */

/* Of equal ones the newer. */
static bool is_larger(const struct jp_policy_member *member, const struct jp_policy_member *than, bool working_set) {
    uint64_t have = working_set ? member->working_set_bytes : member->commit_bytes;
    uint64_t other = !than ? 0 : working_set ? than->working_set_bytes : than->commit_bytes;
    return !than || have > other || (have == other && member->number > than->number);
}

static bool is_better(const struct jp_memory_policy *policy, const struct jp_policy_member *member, const struct jp_policy_member *than) {
    if (policy->action == JP_MEMORY_TERMINATE_NEWEST)
        return !than || member->number > than->number;
    return is_larger(member, than, policy->measure == JP_MEASURE_WORKING_SET);
}

static void propose(struct jp__decider *decider, struct jp_policy_member *member) {
    for (size_t index = member->pool; index != SIZE_MAX && decider->plans[index].wants_above; index = decider->picture->pools[index].parent) {
        struct jp__plan *plan = &decider->plans[index];
        const struct jp_policy_pool *pool = &decider->picture->pools[index];
        plan->job_memory_victim_here |= member->spared && member->number == pool->state->job_memory_victim;
        plan->policy_victim_here |= member->spared && member->number == pool->state->hard_victim;
        if (member->spared || !member->sampled)
            continue;
        if (plan->wants_job_memory && is_larger(member, plan->largest, false))
            plan->largest = member;
        if (plan->wants_policy && is_better(&pool->spec->memory_policy, member, plan->pick))
            plan->pick = member;
    }
}

static void choose_for_job_memory(struct jp__decider *decider, size_t index) {
    const struct jp_policy_pool *pool = &decider->picture->pools[index];
    const struct jp__plan *plan = &decider->plans[index];
    struct jp_policy_state *state = pool->state;
    uint64_t now_ms = decider->picture->now.awake_ms, limit = pool->spec->limits.job_memory_bytes;
    bool waits = plan->job_memory_victim_here && state->job_memory_acted_ms && now_ms < state->job_memory_acted_ms + SETTLE_MS;
    if (waits || !plan->largest || plan->largest->spared || plan->fresh.commit_bytes - plan->leaving.commit_bytes <= limit)
        return;
    state->job_memory_victim = plan->largest->number;
    state->job_memory_acted_ms = now_ms ? now_ms : 1;
    jp__end_member(decider, index, plan->largest, &job_memory, plan->fresh.commit_bytes, limit);
}

static void choose_for_policy(struct jp__decider *decider, size_t index) {
    const struct jp_policy_pool *pool = &decider->picture->pools[index];
    const struct jp_memory_policy *policy = &pool->spec->memory_policy;
    const struct jp__plan *plan = &decider->plans[index];
    struct jp_policy_state *state = pool->state;
    uint64_t now_ms = decider->picture->now.awake_ms, have = measured(policy, &plan->fresh);
    bool waits = state->hard_told && plan->policy_victim_here && is_waiting(pool, state->hard_acted_ms, now_ms);
    if (waits || !plan->pick || plan->pick->spared || have - measured(policy, &plan->leaving) <= policy->hard_bytes)
        return;
    state->hard_victim = plan->pick->number;
    note_action(state, now_ms);
    jp__end_member(decider, index, plan->pick, &hard, have, policy->hard_bytes);
}

/* From the innermost pools outwards: what is given back inside helps outside too. */
void jp__decide_who_gives_memory(struct jp__decider *decider) {
    struct jp_policy_picture *picture = decider->picture;
    bool wanted = false;
    for (size_t i = 0; i < picture->pool_count; i++)
        wanted |= decider->plans[i].wants_job_memory || decider->plans[i].wants_policy;
    for (size_t i = 0; i < picture->member_count && wanted; i++)
        propose(decider, &picture->members[i]);
    for (size_t i = picture->pool_count; i-- > 0 && wanted;) {
        if (decider->plans[i].wants_job_memory)
            choose_for_job_memory(decider, i);
        if (decider->plans[i].wants_policy)
            choose_for_policy(decider, i);
    }
}

/* --- what is only told --- */

#define NOTE(name) .message = "JOB_OBJECT_MSG_NOTIFICATION_LIMIT", .key = name
static const struct jp__reason notes[] = {
    [JP_NOTIFY_JOB_MEMORY] = {NOTE("job_memory"), .in_bytes = true}, [JP_NOTIFY_JOB_MEMORY_LOW] = {NOTE("job_memory_low"), .in_bytes = true},
    [JP_NOTIFY_CPU_TIME] = {NOTE("cpu_time")},                       [JP_NOTIFY_IO_READ] = {NOTE("io_read"), .in_bytes = true},
    [JP_NOTIFY_IO_WRITE] = {NOTE("io_write"), .in_bytes = true}};

/* Told once when it is over, and again only after `rearm` was reached from above: never for what only grows, unless the threshold
 * is another one. */
static void notify_over(struct jp__decider *decider, size_t index, unsigned key, uint64_t limit, uint64_t rearm, uint64_t fresh, uint64_t known) {
    const struct jp_policy_pool *pool = &decider->picture->pools[index];
    uint64_t bit = JP_SCHEMA_BIT(key);
    if (!(pool->spec->notify.present & bit) || known <= rearm)
        pool->state->notified &= ~bit;
    if (!(pool->spec->notify.present & bit) || fresh <= limit || (pool->state->notified & bit))
        return;
    pool->state->notified |= bit;
    jp__tell(decider, JP_DECIDE_TELL, index, NULL, &notes[key], fresh, limit);
}

/* The other way round: it must have been above. */
static void notify_low(struct jp__decider *decider, size_t index) {
    const struct jp_policy_pool *pool = &decider->picture->pools[index];
    const uint64_t bit = JP_SCHEMA_BIT(JP_NOTIFY_JOB_MEMORY_LOW), limit = pool->spec->notify.job_memory_low_bytes;
    uint64_t fresh = decider->plans[index].fresh.commit_bytes, known = pool->totals.commit_bytes;
    if (!(pool->spec->notify.present & bit) || fresh >= limit + limit / 20)
        pool->state->notified &= ~bit;
    if (!(pool->spec->notify.present & bit)) {
        pool->state->was_above_low = false;
    } else if (fresh >= limit) {
        pool->state->was_above_low = true;
    } else if (known < limit && pool->state->was_above_low) {
        pool->state->was_above_low = false;
        if (!(pool->state->notified & bit))
            jp__tell(decider, JP_DECIDE_TELL, index, NULL, &notes[JP_NOTIFY_JOB_MEMORY_LOW], known, limit);
        pool->state->notified |= bit;
    }
}

void jp__notify(struct jp__decider *decider, size_t index) {
    const struct jp_policy_pool *pool = &decider->picture->pools[index];
    const struct jp_policy_totals *fresh = &decider->plans[index].fresh, *past = &pool->past, *all = &pool->totals;
    const struct jp_notify *notify = &pool->spec->notify;
    if (decider->picture->host->notify == JP_ENFORCED_BY_KERNEL)
        return;
    notify_over(decider, index, JP_NOTIFY_JOB_MEMORY, notify->job_memory_bytes, well_below(notify->job_memory_bytes), fresh->commit_bytes,
                all->commit_bytes);
    notify_low(decider, index);
    notify_over(decider, index, JP_NOTIFY_CPU_TIME, notify->cpu_time_100ns, notify->cpu_time_100ns, past->user_100ns + fresh->user_100ns,
                all->user_100ns);
    notify_over(decider, index, JP_NOTIFY_IO_READ, notify->io_read_bytes, notify->io_read_bytes, past->read_bytes + fresh->read_bytes,
                all->read_bytes);
    notify_over(decider, index, JP_NOTIFY_IO_WRITE, notify->io_write_bytes, notify->io_write_bytes, past->write_bytes + fresh->write_bytes,
                all->write_bytes);
}
