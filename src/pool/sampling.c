/* Looking at all processes of the machine: what members use, who is new, and what follows. Only while somebody needs it. */
#include "pool/pools_internal.h"

#include <stdio.h>

enum { DEFAULT_INTERVAL_MS = 500 };

static uint64_t configured_interval(const struct jp_pools *pools) {
    return pools->with.sample_interval_ms ? pools->with.sample_interval_ms : DEFAULT_INTERVAL_MS;
}

struct jp_policy_clock jp__clock(const struct jp_pools *pools) {
    const struct jp_pools_surroundings *with = &pools->with;
    return (struct jp_policy_clock){.awake_ms = with->awake_ms ? with->awake_ms(with->context) : with->now_ms(with->context),
                                    .total_ms = with->total_ms ? with->total_ms(with->context) : with->now_ms(with->context)};
}

struct jp_policy_clock jp__clock_at(const struct jp_pools *pools, int64_t wall_100ns) {
    struct jp_policy_clock clock = jp__clock(pools);
    int64_t now_100ns = jp__now(pools);
    if (now_100ns > wall_100ns) { /* of the clock on the wall: what else is there */
        uint64_t ago_ms = ((uint64_t)now_100ns - (uint64_t)wall_100ns) / 10000;
        clock.awake_ms -= ago_ms;
        clock.total_ms -= ago_ms;
    }
    return clock;
}

/* --- who needs it --- */

static uint64_t shorter(uint64_t one, uint64_t other) { return one < other ? one : other; }

/* Members whose handles do not tell what they used; rules that wait for new processes. */
static uint64_t least_interval(const struct jp_pools *pools) {
    const struct jp_capabilities *host = jp__host(pools);
    bool handles_tell = host->process_times && host->memory_after_exit;
    return (!handles_tell && pools->member_count) || pools->ruled_count ? configured_interval(pools) : UINT64_MAX;
}

/* Limits that the service keeps. */
static uint64_t interval_of(const struct jp_pools *pools, const struct jp_pool *pool) {
    return jp_pool_total_members(pool) ? jp_policy_interval_ms(jp__host(pools), &pool->spec, configured_interval(pools)) : UINT64_MAX;
}

static void set_interval(struct jp_pools *pools, uint64_t interval_ms) {
    pools->sample_interval_ms = pools->stopping ? UINT64_MAX : interval_ms;
    uint64_t due = pools->sample_interval_ms == UINT64_MAX ? UINT64_MAX : jp__now_ms(pools) + pools->sample_interval_ms;
    if (due < pools->next_sample_ms || due == UINT64_MAX)
        pools->next_sample_ms = due;
}

void jp__schedule_sample(struct jp_pools *pools) {
    uint64_t interval_ms = least_interval(pools);
    for (const struct jp_pool *pool = pools->first_present; pool; pool = pool->present_next)
        interval_ms = shorter(interval_ms, interval_of(pools, pool));
    set_interval(pools, interval_ms);
}

void jp__schedule_sample_for(struct jp_pools *pools, const struct jp_pool *pool) {
    uint64_t interval_ms = shorter(pools->sample_interval_ms, least_interval(pools));
    for (; pool; pool = pool->parent)
        interval_ms = shorter(interval_ms, interval_of(pools, pool));
    set_interval(pools, interval_ms);
}

uint64_t jp_pools_next_sample_ms(const struct jp_pools *pools) {
    return pools->first_looker ? 0 : shorter(pools->next_sample_ms, pools->next_record_ms);
}

void jp_pools_set_sample_interval(struct jp_pools *pools, uint64_t interval_ms) {
    pools->with.sample_interval_ms = interval_ms;
    pools->next_sample_ms = UINT64_MAX;
    jp__schedule_sample(pools);
}

void jp_pools_sampling(const struct jp_pools *pools, struct jp_sampling *ret_sampling) {
    *ret_sampling = pools->sampling;
    ret_sampling->interval_ms = pools->sample_interval_ms == UINT64_MAX ? 0 : pools->sample_interval_ms;
}

/* --- what was seen --- */

static void take_in(struct jp_pools *pools, struct jp_member *member, const struct jp_sample *sample, struct jp_policy_clock now) {
    uint64_t cpu_100ns = sample->usage.user_100ns + sample->usage.kernel_100ns; /* its record may be younger than the last sample */
    jp__member_merge_usage(member, &sample->usage);
    jp__used_memory(member, sample->commit_bytes, sample->working_set_bytes);
    member->sampled_in = pools->sample_number;
    if (member->frozen || cpu_100ns != member->sampled_cpu_100ns)
        member->active = now;
    member->sampled_cpu_100ns = cpu_100ns;
}

static void match_to_members(struct jp_pools *pools, const struct jp_samples *samples) {
    struct jp_policy_clock now = jp__clock(pools);
    for (size_t i = 0; i < samples->count; i++) {
        const struct jp_sample *sample = &samples->items[i];
        struct jp_member *member = jp__member_by_pid(pools, sample->pid);
        if (!member || !jp__member_runs(member))
            continue;
        jp__member_learn(pools, member);
        if (member->record.facts.start_100ns == sample->start_100ns)
            take_in(pools, member, sample, now);
    }
}

static void note_failure(struct jp_pools *pools, const struct jp_error *error) {
    if (!pools->sampling.degraded) {
        jp_log(pools->with.log, JP_LOG_WARNING, "%s; limits that the service keeps are not looked after until that works again", error->text);
        jp_pools_note(pools, "SAMPLING_FAILED", error->text);
    }
    pools->sampling.degraded = true;
    snprintf(pools->sampling.reason, sizeof pools->sampling.reason, "%s", error->text);
}

void jp_pools_on_sample(struct jp_pools *pools, jp_status status, struct jp_samples *samples, const struct jp_error *error) {
    pools->next_sample_ms = UINT64_MAX;
    jp__schedule_sample(pools);
    pools->sample_number++;
    if (status) { /* nothing is decided on old numbers; clocks need none */
        note_failure(pools, error);
        if (!pools->stopping)
            jp__enforce(pools);
        jp__looked(pools, false);
        jp__series_on_sample(pools, false);
        return;
    }
    if (pools->sampling.degraded)
        jp_log(pools->with.log, JP_LOG_INFO, "the processes can be looked at again");
    pools->sampling.degraded = false;
    pools->sampling.reason[0] = '\0';
    pools->sampling.last_100ns = jp__now(pools);
    pools->sampling.processes = samples->count;
    match_to_members(pools, samples);
    jp__looked(pools, true);
    jp__series_on_sample(pools, true); /* before anybody is ended for what it uses */
    if (!pools->stopping) {
        jp__rules_on_sample(pools, samples);
        jp__enforce(pools);
    }
    jp_samples_clear(samples);
    jp__queue_advance(pools);
}
