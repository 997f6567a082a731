/* What a job counts beyond the processes that anybody saw.
 *
 * A process that began and ended while no service was there, or whose messages were lost, cannot be named any more; but its job has
 * counted it, and what it used. Each job is compared with the members that were seen in it; what it has more goes into the accounts as
 * "unobserved". Nothing is claimed while messages may be on their way: the difference must stand still for a while in which the port
 * says nothing. */
#include "pool/pools_internal.h"

#include "base/units.h"

#include <inttypes.h>

enum { QUIET_MS = 1000 };

/* A process that Windows starts or takes over a limit, and ends for it, is counted though it never was a member. */
void jp__seen_refused(struct jp_pool_job *job) {
    if (job->pool->spec.limits.present & JP_SCHEMA_BIT(JP_LIMIT_ACTIVE_PROCESSES))
        job->seen.processes++;
}

static void add_use(struct jp_job_use *seen, uint64_t user_100ns, uint64_t kernel_100ns, uint64_t read_bytes, uint64_t write_bytes) {
    seen->user_100ns += user_100ns;
    seen->kernel_100ns += kernel_100ns;
    seen->read_bytes += read_bytes;
    seen->write_bytes += write_bytes;
}

void jp__job_record(struct jp_pools *pools, const struct jp_pool_job *job) {
    pools->with.accounts->ops->record_job(
        pools->with.accounts, &(struct jp_job_record){.object_name = job->object_name, .pool = job->pool->name, .session = job->session,
                                                      .created_100ns = job->created_100ns, .before = job->before});
}

/* Whoever was in the pool before the job was made: its row is not among those that the next run compares the job with. */
static bool is_from_before(const struct jp_pool_job *job, const struct jp_member *member) {
    return member->record.joined_100ns < job->created_100ns;
}

void jp__seen_join(struct jp_pools *pools, struct jp_member *member) {
    for (struct jp_pool *pool = member->pool; pool; pool = pool->parent) {
        struct jp_pool_job *job = jp__pool_job_of(pool, member->record.facts.session);
        if (!job || member->seen_in >> pool->depth & 1)
            continue;
        member->seen_in |= UINT32_C(1) << pool->depth;
        if (member->record.run != pools->run && job->restored)
            continue; /* its row was read with the job's */
        job->seen.processes++;
        if (is_from_before(job, member)) {
            job->before.processes++;
            jp__job_record(pools, job);
        }
    }
}

void jp__seen_end(struct jp_pools *pools, const struct jp_member *member, struct jp_pool *pool) {
    const struct jp_usage *usage = &member->record.usage;
    for (; pool; pool = pool->parent) {
        struct jp_pool_job *job = jp__pool_job_of(pool, member->record.facts.session);
        if (!job || !(member->seen_in >> pool->depth & 1))
            continue;
        add_use(&job->seen, usage->user_100ns, usage->kernel_100ns, usage->read_bytes, usage->write_bytes);
        if (is_from_before(job, member)) {
            add_use(&job->before, usage->user_100ns, usage->kernel_100ns, usage->read_bytes, usage->write_bytes);
            jp__job_record(pools, job);
        }
    }
}

/* --- the difference --- */

static void add_living(struct jp_pools *pools, const struct jp_pool *pool, uint32_t session, struct jp_job_use *seen) {
    for (struct jp_member *member = pool->first_member; member; member = member->next) {
        if (member->record.facts.session != session)
            continue;
        jp_pools_refresh_usage(pools, member);
        const struct jp_usage *usage = &member->record.usage;
        add_use(seen, usage->user_100ns, usage->kernel_100ns, usage->read_bytes, usage->write_bytes);
    }
    for (size_t i = 0; i < pool->child_count; i++)
        add_living(pools, pool->children[i], session, seen);
}

static uint64_t beyond(uint64_t counted, uint64_t seen) { return counted > seen ? counted - seen : 0; }

/* What the job used beyond its members, as far as this host tells the same of both. */
static struct jp_job_use find_use(struct jp_pools *pools, const struct jp_pool_job *job, const struct jp_job_accounting_and_io *counted) {
    const struct jp_capabilities *host = jp__host(pools);
    struct jp_job_use seen = job->seen;
    add_living(pools, job->pool, job->session, &seen);
    return (struct jp_job_use){
        .user_100ns = host->process_times ? beyond(counted->basic.total_user_time_100ns, seen.user_100ns) : 0,
        .kernel_100ns = host->process_times ? beyond(counted->basic.total_kernel_time_100ns, seen.kernel_100ns) : 0,
        .read_bytes = host->process_io ? beyond(counted->io.read_transfer_bytes, seen.read_bytes) : 0,
        .write_bytes = host->process_io ? beyond(counted->io.write_transfer_bytes, seen.write_bytes) : 0,
    };
}

static void add_unobserved(struct jp_job_use *sum, const struct jp_unobserved_record *record) {
    sum->processes += record->processes;
    add_use(sum, record->user_100ns, record->kernel_100ns, record->read_bytes, record->write_bytes);
}

static void claim(struct jp_pools *pools, struct jp_pool_job *job, const struct jp_job_accounting_and_io *counted) {
    struct jp_job_use use = find_use(pools, job, counted); /* which asks the members */
    int64_t now_100ns = jp__now(pools), since_100ns = job->quiet_since_100ns;
    struct jp_unobserved_record record = {
        .pool = job->pool->name, .session = job->session, .from_100ns = since_100ns < now_100ns ? since_100ns : now_100ns /* the clock was set back */,
        .to_100ns = now_100ns, .processes = job->excess,
        .user_100ns = use.user_100ns, .kernel_100ns = use.kernel_100ns, .read_bytes = use.read_bytes, .write_bytes = use.write_bytes};
    pools->with.accounts->ops->record_unobserved(pools->with.accounts, &record);
    jp__count_unobserved(pools, &record);
    jp__used_claim(pools, job->pool, &record);
    for (struct jp_pool *pool = job->pool; pool; pool = pool->parent) { /* those above have counted them too */
        struct jp_pool_job *above = jp__pool_job_of(pool, job->session);
        if (!above)
            continue;
        add_unobserved(&above->seen, &record);
        if (record.to_100ns <= above->created_100ns) { /* the clock was set back: see is_from_before */
            add_unobserved(&above->before, &record);
            jp__job_record(pools, above);
        }
    }
    char cpu[JP_UNITS_TEXT];
    char *detail = jp_sprintf("%" PRIu64 " processes began and ended without being seen; they used %s of CPU time", record.processes,
                              jp_duration_format(use.user_100ns + use.kernel_100ns, cpu));
    jp__emit(pools, &(struct jp__event){.pool = job->pool, .message = "PROCESSES_UNOBSERVED", .origin = JP_ORIGIN_RECONCILER, .detail = detail});
    jp_free(detail);
}

/* What a job below has beyond its members, those above have too: it is told there. */
static bool waits_for_child(const struct jp_pool_job *job) {
    for (size_t i = 0; i < job->pool->child_count; i++) {
        const struct jp_pool_job *below = jp__pool_job_of(job->pool->children[i], job->session);
        if (below && (below->excess || waits_for_child(below)))
            return true;
    }
    return false;
}

/* True if it must be looked at again soon. */
static bool compare(struct jp_pools *pools, struct jp_pool_job *job, uint64_t now_ms) {
    struct jp_job_accounting_and_io counted;
    if (!job->settled || !jp__job_accounting(pools, job, &counted))
        return false;
    uint64_t excess = beyond(counted.basic.total_processes, job->seen.processes);
    bool same = excess == job->excess && job->message_count == job->excess_messages;
    if (!same) {
        job->excess = excess;
        job->excess_messages = job->message_count;
        job->excess_since_ms = now_ms;
    } else if (excess && now_ms - job->excess_since_ms >= QUIET_MS && !waits_for_child(job)) {
        claim(pools, job, &counted);
        job->excess = 0;
    }
    if (!job->excess)
        job->quiet_since_100ns = jp__now(pools);
    return job->excess != 0;
}

/* Inner pools first. */
static bool compare_below(struct jp_pools *pools, struct jp_pool *pool, uint64_t now_ms) {
    bool again = false;
    for (size_t i = 0; i < pool->child_count; i++)
        again |= compare_below(pools, pool->children[i], now_ms);
    for (size_t i = 0; i < pool->job_count; i++)
        again |= compare(pools, pool->jobs[i], now_ms);
    return again;
}

void jp__find_unobserved(struct jp_pools *pools) {
    uint64_t now_ms = jp__now_ms(pools);
    size_t position = 0;
    bool again = false;
    for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;)
        if (!pool->parent)
            again |= compare_below(pools, pool, now_ms);
    if (again && now_ms + QUIET_MS < pools->next_list_ms)
        pools->next_list_ms = now_ms + QUIET_MS;
}

void jp__seen_last(struct jp_pools *pools, struct jp_pool_job *job) {
    struct jp_job_accounting_and_io counted;
    if (!job->settled || !jp__job_accounting(pools, job, &counted))
        return;
    job->excess = beyond(counted.basic.total_processes, job->seen.processes);
    if (job->excess)
        claim(pools, job, &counted);
}

/* --- over a restart --- */

/* Of a job that no record tells of, the processes that have ended are as good as seen: these accounts cannot know better. */
void jp__seen_begin(struct jp_pools *pools, struct jp_pool_job *job) {
    struct jp_job_accounting_and_io counted;
    if (!jp__job_accounting(pools, job, &counted))
        return;
    job->before = job->seen = (struct jp_job_use){
        .processes = beyond(counted.basic.total_processes, counted.basic.active_processes), .user_100ns = counted.basic.total_user_time_100ns,
        .kernel_100ns = counted.basic.total_kernel_time_100ns, .read_bytes = counted.io.read_transfer_bytes,
        .write_bytes = counted.io.write_transfer_bytes};
    if (job->settled) /* else it is recorded with its first member */
        jp__job_record(pools, job);
}

static void restore(struct jp_pools *pools, const struct jp_accounts_start *start, struct jp_pool_job *job, const struct jp_stored_job *stored) {
    job->quiet_since_100ns = start->last_run_ended_100ns ? start->last_run_ended_100ns : jp__now(pools);
    if (!stored || !job->settled || stored->session != job->session) {
        jp__seen_begin(pools, job);
        return;
    }
    job->restored = true;
    job->created_100ns = stored->created_100ns;
    job->before = job->seen = stored->before;
    job->seen.processes += stored->processes + stored->unobserved;
    add_use(&job->seen, stored->user_100ns, stored->kernel_100ns, stored->read_bytes, stored->write_bytes);
}

void jp__seen_restore(struct jp_pools *pools, const struct jp_accounts_start *start) {
    struct jp_map stored = {0};
    size_t position = 0;
    for (size_t i = 0; i < start->job_count; i++)
        jp_map_put(&stored, start->jobs[i].object_name, &start->jobs[i]);
    for (struct jp_pool_job *job; (job = jp_map_next(&pools->by_key, &position)) != NULL;)
        if (job->existed)
            restore(pools, start, job, jp_map_get(&stored, job->object_name));
    jp_map_free(&stored);
}
