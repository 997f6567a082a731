/* What nobody told: reading the jobs' PID lists, and everything else that time brings. */
#include "pool/pools_internal.h"

#include <stdlib.h>

enum { JUST_JOINED_MS = 1000 }; /* whose messages may still be on their way */

static uint64_t interval(const struct jp_pools *pools, const struct jp_pool *pool) {
    return jp_pool_listening(pool) && !pools->unwatched_count ? pools->list_interval_ms : LIST_INTERVAL_DEAF_MS;
}

void jp__schedule_list(struct jp_pools *pools, const struct jp_pool *pool) {
    uint64_t due = jp__now_ms(pools) + interval(pools, pool);
    if (due < pools->next_list_ms)
        pools->next_list_ms = due;
}

static int compare_pids(const void *one, const void *other) {
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

static void find_unknown(struct jp_pools *pools, struct jp_pool_job *job, const uint32_t *pids, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct jp_member *member = jp__member_by_pid(pools, pids[i]);
        if (!member) {
            member = jp__discover(pools, job, pids[i], JP_ORIGIN_RECONCILER);
            jp__announce_missing(pools, member, false);
        } else if (jp__member_runs(member)) {
            jp__move_deeper(pools, member, job->pool);
        }
    }
}

/* Members whose handle nobody holds end when two lists in a row do not have them; the others tell by their handle. */
static void check_members(struct jp_pools *pools, struct jp_pool *pool, const struct jp_pool_job *job, const uint32_t *pids, size_t count,
                          uint64_t now_ms) {
    struct jp_member *next;
    for (struct jp_member *member = pool->first_member; member; member = next) {
        next = member->next;
        uint32_t exit_code;
        bool listed = bsearch(&member->record.facts.pid, pids, count, sizeof *pids, compare_pids) != NULL;
        if (!jp__member_runs(member) || member->record.facts.session != job->session || now_ms - member->joined_ms < JUST_JOINED_MS)
            continue;
        jp__announce_missing(pools, member, false);
        if (member->process && jp__ops(pools)->process_exited(member->process, &exit_code))
            jp__member_ended(pools, member); /* it is not watched, or that was not told */
        else if (!member->process && !listed && member->stray)
            jp__member_settle(pools, member);
        else
            member->stray = !listed;
        if (listed)
            jp__member_identify(pools, member);
    }
}

void jp__announce_zero(struct jp_pools *pools, struct jp_pool_job *job) {
    if (!job->zero_due || jp_pool_session_members(job->pool, job->session))
        return;
    job->zero_due = false;
    jp__job_emptied(pools, job);
    char *detail = jp__session_detail(job);
    jp__emit(pools, &(struct jp__event){.pool = job->pool, .message = jp_job_message_name(JP_MSG_ACTIVE_PROCESS_ZERO),
                                        .origin = JP_ORIGIN_RECONCILER, .detail = detail});
    jp_free(detail);
}

static void read_list(struct jp_pools *pools, struct jp_pool_job *job, uint64_t now_ms) {
    uint32_t *pids;
    size_t count;
    struct jp_error error;
    if (jp_job_pids(pools->with.backend, job->job, &pids, &count, &error)) {
        jp_log(pools->with.log, JP_LOG_WARNING, "cannot read the list of processes of pool \"%s\": %s", job->pool->name, error.text);
        return;
    }
    qsort(pids, count, sizeof *pids, compare_pids);
    find_unknown(pools, job, pids, count);
    check_members(pools, job->pool, job, pids, count, now_ms);
    jp__announce_zero(pools, job);
    jp_free(pids);
}

void jp__read_list_of(struct jp_pools *pools, struct jp_pool_job *job) { read_list(pools, job, jp__now_ms(pools)); }

void jp__read_lists_of(struct jp_pools *pools, const struct jp_pool *pool) {
    for (size_t i = 0; i < pool->job_count; i++)
        read_list(pools, pool->jobs[i], jp__now_ms(pools));
}

/* How long until the next time, if nothing is told meanwhile. */
static void set_interval(struct jp_pools *pools) {
    bool quiet = pools->last_seq == pools->listed_seq;
    uint64_t longer = pools->list_interval_ms < LIST_INTERVAL_QUIET_MS / 2 ? 2 * pools->list_interval_ms : LIST_INTERVAL_QUIET_MS;
    pools->list_interval_ms = quiet ? longer : LIST_INTERVAL_MS;
    pools->listed_seq = pools->last_seq;
}

/* It was quiet, and something has been told. */
static void end_quiet(struct jp_pools *pools, uint64_t now_ms) {
    if (pools->last_seq == pools->listed_seq || pools->list_interval_ms == LIST_INTERVAL_MS)
        return;
    pools->list_interval_ms = LIST_INTERVAL_MS;
    if (pools->next_list_ms != UINT64_MAX && pools->next_list_ms > now_ms + LIST_INTERVAL_MS)
        pools->next_list_ms = now_ms + LIST_INTERVAL_MS;
}

/* Someone may be in it who has not been told of. */
static bool may_have_processes(const struct jp_pool *pool, const struct jp_pool_job *job) {
    return job->existed || job->settled || pool->member_count;
}

static void read_lists(struct jp_pools *pools, bool also_of_new_jobs) {
    uint64_t now_ms = jp__now_ms(pools);
    size_t position = 0;
    pools->next_list_ms = UINT64_MAX;
    set_interval(pools);
    for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;) {
        bool due = pool->member_count > 0;
        for (size_t i = 0; i < pool->job_count; i++) {
            if (also_of_new_jobs || may_have_processes(pool, pool->jobs[i]))
                read_list(pools, pool->jobs[i], now_ms);
            due |= pool->jobs[i]->zero_due;
        }
        if (due)
            jp__schedule_list(pools, pool);
    }
    jp__find_unobserved(pools);
}

void jp__read_lists(struct jp_pools *pools) { read_lists(pools, true); }
void jp__read_first_lists(struct jp_pools *pools) { read_lists(pools, false); }

void jp_pools_on_overflow(struct jp_pools *pools) {
    jp_log(pools->with.log, JP_LOG_WARNING, "job messages were lost because they came faster than they were taken; reading every list");
    jp_pools_note(pools, "MESSAGES_LOST", "the queue of job messages overflowed; the lists of processes were read instead");
    jp__read_lists(pools);
}

uint64_t jp_pools_on_time(struct jp_pools *pools) {
    uint64_t now_ms = jp__now_ms(pools);
    uint64_t next = jp__members_on_time(pools, now_ms);
    end_quiet(pools, now_ms);
    if (pools->next_list_ms <= now_ms)
        jp__read_lists(pools);
    jp__pools_reap(pools);
    uint64_t next_leaving = jp__leaving_jobs_on_time(pools, now_ms), next_queue = jp__queue_on_time(pools, now_ms);
    uint64_t others[] = {next_leaving, next_queue, jp__enforcement_on_time(pools, now_ms), jp__slices_on_time(pools, now_ms),
                         jp__keeper_on_time(pools, now_ms), pools->next_list_ms};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i] < next)
            next = others[i];
    uint64_t next_ephemeral = jp__ephemerals_on_time(pools, now_ms); /* last: what was done may have emptied some */
    if (pools->reap_due) /* since then the last pool below an orphan has gone */
        return now_ms;
    return next_ephemeral < next ? next_ephemeral : next;
}
