/* The keeper of job objects: who starts it, what it holds, and what happens when it dies.
 *
 * A job's name goes with its last handle. Where the processes of a pool are to outlive the service, another process holds the pool's
 * jobs too, so that the next run opens the same jobs, with their limits, instead of making new ones beside them. A job that no process
 * ever joined is not worth holding: so a service whose pools are idle has no keeper. */
#include "pool/pools_internal.h"

#include <inttypes.h>

enum { RETRY_MS = 5000, QUICK_DEATH_MS = 2000, QUICK_DEATHS = 5 };

static bool wants_keeping(const struct jp_pool_job *job) { return (job->settled || job->inhabited) && !jp_pool_spec_terminates(&job->pool->spec); }

static void end_keeper(struct jp_pools *pools) {
    size_t position = 0;
    for (struct jp_pool_job *job; pools->kept_count && (job = jp_map_next(&pools->by_key, &position)) != NULL;) {
        pools->kept_count -= job->kept;
        job->kept = false;
    }
    pools->kept_count = 0;
    jp__ops(pools)->keeper_close(pools->keeper);
    pools->keeper = NULL;
}

/* Said once, until it works again. */
static void note_failure(struct jp_pools *pools, const struct jp_error *error) {
    if (!pools->keeper_troubled) {
        jp_log(pools->with.log, JP_LOG_ERROR, "no keeper holds the pools' job objects: %s; should the service be killed now, their processes go on, but "
                                              "the next start must make new job objects for them",
               error->text);
        jp_pools_note(pools, "KEEPER_FAILED", error->text);
    }
    pools->keeper_troubled = true;
    pools->next_keeper_ms = jp__now_ms(pools) + RETRY_MS;
}

static bool start_keeper(struct jp_pools *pools) {
    struct jp_error error;
    uint64_t watch = jp__new_watch(pools, 0);
    if (jp__ops(pools)->keeper_start(pools->with.backend, watch, &pools->keeper, &error)) {
        note_failure(pools, &error);
        return false;
    }
    int64_t start_100ns;
    jp__ops(pools)->keeper_facts(pools->keeper, &pools->keeper_pid, &start_100ns);
    pools->with.accounts->ops->record_keeper(pools->with.accounts, pools->keeper_pid, start_100ns);
    pools->keeper_watch = watch;
    pools->keeper_started_ms = jp__now_ms(pools);
    jp_log(pools->with.log, JP_LOG_INFO, "process %" PRIu32 " keeps the pools' job objects", pools->keeper_pid);
    return true;
}

/* Starts the keeper where there is none. */
static void hold(struct jp_pools *pools, struct jp_pool_job *job) {
    struct jp_error error;
    if (!pools->keeper && !start_keeper(pools))
        return;
    if (jp__ops(pools)->keeper_hold(pools->keeper, job->job, &error)) {
        note_failure(pools, &error);
        return;
    }
    job->kept = true;
    pools->kept_count++;
}

static void let_go(struct jp_pools *pools, struct jp_pool_job *job) {
    jp__ops(pools)->keeper_let_go(pools->keeper, job->job);
    job->kept = false;
    if (--pools->kept_count)
        return;
    end_keeper(pools);
    pools->with.accounts->ops->record_keeper(pools->with.accounts, 0, 0);
}

/* After a death or a failure. */
static void hold_all(struct jp_pools *pools) {
    size_t position = 0;
    pools->next_keeper_ms = UINT64_MAX;
    for (struct jp_pool_job *job; (job = jp_map_next(&pools->by_key, &position)) != NULL && pools->next_keeper_ms == UINT64_MAX;)
        if (wants_keeping(job) && !job->kept)
            hold(pools, job);
    if (pools->next_keeper_ms == UINT64_MAX)
        pools->keeper_troubled = false;
}

void jp__keeper_follow(struct jp_pools *pools, struct jp_pool_job *job) {
    if (pools->stopping) /* what is held stays so */
        return;
    if (!wants_keeping(job) && job->kept)
        let_go(pools, job);
    else if (wants_keeping(job) && !job->kept && pools->next_keeper_ms == UINT64_MAX) /* else all are tried again in a moment */
        hold(pools, job);
}

void jp__keeper_forget(struct jp_pools *pools, struct jp_pool_job *job) {
    if (job->kept)
        let_go(pools, job);
}

bool jp__keeper_on_end(struct jp_pools *pools, uint64_t watch) {
    if (!pools->keeper || watch != pools->keeper_watch)
        return false; /* or one that had nothing to hold any more */
    bool quick = jp__now_ms(pools) - pools->keeper_started_ms < QUICK_DEATH_MS;
    pools->keeper_quick_deaths = quick ? pools->keeper_quick_deaths + 1 : 0;
    bool pause = pools->keeper_quick_deaths >= QUICK_DEATHS; /* who dies at once, again and again, must not keep the machine busy */
    char *detail = jp_sprintf("process %" PRIu32, pools->keeper_pid);
    jp_log(pools->with.log, JP_LOG_WARNING, "the keeper of the pools' job objects, %s, has ended; another one starts%s", detail, pause ? " in a moment" : "");
    jp_pools_note(pools, "KEEPER_ENDED", detail);
    jp_free(detail);
    end_keeper(pools);
    if (pause)
        pools->next_keeper_ms = jp__now_ms(pools) + RETRY_MS;
    else
        hold_all(pools);
    return true;
}

uint64_t jp__keeper_on_time(struct jp_pools *pools, uint64_t now_ms) {
    if (pools->next_keeper_ms <= now_ms && !pools->stopping)
        hold_all(pools);
    return pools->next_keeper_ms;
}

/* The jobs that it held are held by ours by now; where that failed, it stays. It ends by itself when its jobs are empty. */
void jp__keeper_dismiss_last(struct jp_pools *pools, const struct jp_accounts_start *start) {
    struct jp_error error;
    if (!start->keeper_pid || pools->keeper_troubled)
        return;
    jp_status status = jp__ops(pools)->keeper_dismiss(pools->with.backend, start->keeper_pid, start->keeper_start_100ns, &error);
    if (status && status != JP_E_NO_PROCESS && status != JP_E_OTHER_PROCESS)
        jp_log(pools->with.log, JP_LOG_WARNING, "the last run's keeper, process %" PRIu32 ", could not be ended: %s", start->keeper_pid, error.text);
    if (!pools->keeper)
        pools->with.accounts->ops->record_keeper(pools->with.accounts, 0, 0);
}

void jp__keeper_record(struct jp_pools *pools) {
    uint32_t pid;
    int64_t start_100ns;
    if (!pools->keeper)
        return;
    jp__ops(pools)->keeper_facts(pools->keeper, &pid, &start_100ns);
    pools->with.accounts->ops->record_keeper(pools->with.accounts, pid, start_100ns);
}

uint32_t jp_pools_keeper(const struct jp_pools *pools) { return pools->keeper ? pools->keeper_pid : 0; }
