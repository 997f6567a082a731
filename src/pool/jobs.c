/* A pool's job objects: one for each session that has members, all with the pool's settings.
 *
 * The first bears the pool's kernel name and is there as long as the pool; whoever joins first decides on its session. Those of
 * further sessions are made when a process of such a session comes, and closed when they are empty. */
#include "pool/pools_internal.h"

#include <inttypes.h>
#include <string.h>

struct jp_pool_job *jp__pool_job_of(const struct jp_pool *pool, uint32_t session) {
    for (size_t i = 0; i < pool->job_count; i++)
        if (pool->jobs[i]->settled && pool->jobs[i]->session == session)
            return pool->jobs[i];
    return NULL;
}

struct jp_pool_job *jp__job_of_member(const struct jp_member *member) {
    return jp__pool_job_of(member->pool, member->record.facts.session);
}

/* It has a process, or is made for one: from now on it is worth to be known to the next run, and to be kept for it. */
static void settle(struct jp_pools *pools, struct jp_pool_job *job, uint32_t session) {
    job->settled = true;
    job->session = session;
    jp__job_record(pools, job);
    jp__keeper_follow(pools, job);
}

struct jp_pool_job *jp__job_in(struct jp_pools *pools, const struct jp_pool *pool, uint32_t session) {
    struct jp_pool_job *job = jp__pool_job_of(pool, session);
    if (job || !pool->job_count || pool->jobs[0]->settled)
        return job;
    settle(pools, pool->jobs[0], session);
    return pool->jobs[0];
}

bool jp__job_accounting(struct jp_pools *pools, const struct jp_pool_job *job, struct jp_job_accounting_and_io *ret_accounting) {
    struct jp_job_info info;
    struct jp_error ignored;
    if (jp__ops(pools)->job_query(job->job, JP_JOB_BasicAndIoAccountingInformation, &info, &ignored) == JP_OK)
        *ret_accounting = info.accounting_and_io;
    else if (jp__ops(pools)->job_query(job->job, JP_JOB_BasicAccountingInformation, &info, &ignored) == JP_OK)
        *ret_accounting = (struct jp_job_accounting_and_io){.basic = info.accounting};
    else
        return false;
    return true;
}

size_t jp__job_active_processes(struct jp_pools *pools, const struct jp_pool_job *job) {
    struct jp_job_info info;
    struct jp_error ignored;
    if (jp__ops(pools)->job_query(job->job, JP_JOB_BasicAccountingInformation, &info, &ignored) == JP_OK)
        return info.accounting.active_processes;
    return job->settled ? jp_pool_session_members(job->pool, job->session) : 0;
}

/* Neither we nor the kernel know of a process in it, and nothing is still to be told. */
static bool is_idle(struct jp_pools *pools, const struct jp_pool_job *job) {
    return !job->zero_due && !jp_pool_session_members(job->pool, job->session) && !jp__job_active_processes(pools, job);
}

bool jp_pool_listening(const struct jp_pool *pool) {
    for (size_t i = 0; i < pool->job_count; i++)
        if (!pool->jobs[i]->listening)
            return false;
    return pool->job_count > 0;
}

/* --- opening and closing --- */

/* A job that was there has members of the session that it is of. One of whom nobody can be asked has members all the same. */
static void find_session(struct jp_pools *pools, struct jp_pool_job *job) {
    uint32_t *pids;
    size_t count;
    struct jp_error ignored;
    if (jp_job_pids(pools->with.backend, job->job, &pids, &count, &ignored)) {
        job->inhabited = true; /* for all that is known */
        return;
    }
    job->inhabited = count > 0;
    for (size_t i = 0; i < count && !job->settled; i++) {
        struct jp_process *process;
        struct jp_process_facts facts = {0};
        if (jp__ops(pools)->process_open(pools->with.backend, pids[i], 0, JP_PROCESS_OBSERVE, NULL, &process, &ignored))
            continue;
        if (jp__ops(pools)->process_facts(process, &facts, &ignored) == JP_OK) {
            job->settled = true;
            job->session = facts.session;
        }
        jp_process_facts_clear(&facts);
        jp__ops(pools)->process_close(process);
    }
    jp_free(pids);
}

/* For good: the next run will not find it. */
static void forget_job(struct jp_pools *pools, struct jp_pool_job *job) {
    jp__keeper_forget(pools, job);
    if (job->settled)
        pools->with.accounts->ops->forget_job(pools->with.accounts, job->object_name);
}

static void stays(struct jp_pools *pools, struct jp_pool_job *job) {
    struct jp_pool_job **link = &pools->first_leaving;
    while (job->leaving && *link != job)
        link = &(*link)->next_leaving;
    if (job->leaving)
        *link = job->next_leaving;
    job->leaving = false;
}

static void free_job(struct jp_pools *pools, struct jp_pool_job *job) {
    stays(pools, job);
    jp_map_remove_u64(&pools->by_key, job->key);
    jp__ops(pools)->job_close(job->job);
    jp_free(job->object_name);
    jp_free(job);
}

/* Takes `object_name`. */
static jp_status open_job(struct jp_pools *pools, struct jp_pool *pool, char *object_name, struct jp_pool_job **ret_job,
                          struct jp_error *error) {
    struct jp_job_obtained obtained;
    uint64_t key = ++pools->last_key;
    jp_status status = jp__ops(pools)->job_obtain(pools->with.backend, object_name, key, &obtained, error);
    if (status == JP_OK) {
        status = obtained.existed ? jp_job_configure(pools->with.backend, obtained.job, &pool->spec, false, error)
                                  : jp_job_configure_new(pools->with.backend, obtained.job, &pool->spec, error);
        if (status)
            jp__ops(pools)->job_close(obtained.job);
    }
    if (status) {
        jp_free(object_name);
        return status;
    }
    struct jp_pool_job *job = jp_alloc(sizeof *job);
    *job = (struct jp_pool_job){
        .pool = pool, .object_name = object_name, .job = obtained.job, .key = key, .listening = obtained.listening,
        .existed = obtained.existed, .created_100ns = jp__now(pools), .quiet_since_100ns = jp__now(pools)};
    jp_map_put_u64(&pools->by_key, key, job);
    if (obtained.existed) {
        find_session(pools, job);
        jp__used_found(pools, job);
        jp__keeper_follow(pools, job);
        if (!pools->adopting) /* else the accounts may know of it: see jp__seen_restore */
            jp__seen_begin(pools, job);
    }
    if (!job->listening)
        jp_log(pools->with.log, JP_LOG_WARNING,
               "pool \"%s\": this host did not let us attach to the messages of \"%s\" again; its processes are watched by their "
               "handles and its list of processes is read every %d ms",
               pool->name, object_name, LIST_INTERVAL_DEAF_MS);
    *ret_job = job;
    return JP_OK;
}

jp_status jp__pool_open_first_job(struct jp_pools *pools, struct jp_pool *pool, struct jp_error *error) {
    struct jp_pool_job *job;
    jp_status status = open_job(pools, pool, jp_strdup(pool->object_name), &job, error);
    if (status)
        return status;
    pool->jobs = jp_alloc(sizeof(struct jp_pool_job *));
    pool->jobs[0] = job;
    pool->job_count = 1;
    return JP_OK;
}

/* What a job has counted goes on in the pool when the job is closed. */
static void keep_accounting(struct jp_pools *pools, struct jp_pool_job *job) {
    struct jp_job_accounting_and_io counted, **past = &job->pool->past;
    if (!jp__job_accounting(pools, job, &counted))
        return;
    counted.basic.active_processes = 0;
    if (!*past)
        *past = jp_alloc(sizeof **past);
    jp__add_accounting(*past, &counted);
}

/* Its last word, and the end of what is known of it. */
static void take_leave(struct jp_pools *pools, struct jp_pool_job *job) {
    jp__seen_last(pools, job);
    keep_accounting(pools, job);
    forget_job(pools, job);
}

void jp__pool_forget_jobs(struct jp_pools *pools, struct jp_pool *pool) {
    for (size_t i = 0; i < pool->job_count; i++) {
        jp__seen_last(pools, pool->jobs[i]);
        forget_job(pools, pool->jobs[i]);
    }
}

void jp__pool_close_jobs(struct jp_pools *pools, struct jp_pool *pool) {
    for (size_t i = 0; i < pool->job_count; i++)
        free_job(pools, pool->jobs[i]);
    jp_free(pool->jobs);
    pool->jobs = NULL;
    pool->job_count = 0;
}

static void close_further(struct jp_pools *pools, struct jp_pool_job *job) {
    struct jp_pool *pool = job->pool;
    size_t index = 0;
    while (pool->jobs[index] != job)
        index++;
    take_leave(pools, job);
    free_job(pools, job);
    pool->jobs[index] = pool->jobs[--pool->job_count];
}

void jp__job_emptied(struct jp_pools *pools, struct jp_pool_job *job) {
    if (!job || job->leaving || job == job->pool->jobs[0])
        return;
    job->leaving = true;
    job->next_leaving = pools->first_leaving;
    pools->first_leaving = job;
    pools->next_leaving_ms = 0;
    pools->leaving_wait_ms = SETTLE_MS;
}

/* Who is still to be told of, or comes back, is heard of again when that is over. A used-up clock must not begin anew. */
static bool must_stay(const struct jp_pool_job *job) {
    return job->zero_due || jp_pool_session_members(job->pool, job->session) || job->pool->spec.limits.present & JP_SCHEMA_BIT(JP_LIMIT_JOB_TIME);
}

/* The kernel's count may lag behind for a moment. Then somebody is in it of whom nothing was told: the list says who, and he is a member from then
 * on. Where it does not, it is asked less and less often. */
uint64_t jp__leaving_jobs_on_time(struct jp_pools *pools, uint64_t now_ms) {
    if (pools->next_leaving_ms > now_ms)
        return pools->next_leaving_ms;
    bool lags = pools->leaving_wait_ms == SETTLE_MS;
    struct jp_pool_job *next;
    for (struct jp_pool_job *job = pools->first_leaving; job; job = next) {
        next = job->next_leaving;
        if (must_stay(job))
            stays(pools, job);
        else if (!jp__job_active_processes(pools, job))
            close_further(pools, job);
        else if (!lags)
            jp__read_list_of(pools, job);
    }
    pools->next_leaving_ms = pools->first_leaving ? now_ms + pools->leaving_wait_ms : UINT64_MAX;
    pools->leaving_wait_ms = pools->leaving_wait_ms < LIST_INTERVAL_QUIET_MS / 2 ? 2 * pools->leaving_wait_ms : LIST_INTERVAL_QUIET_MS;
    return pools->next_leaving_ms;
}

/* --- for a session --- */

/* The first job is empty, and of a session that has no more members: a new one in its place can be another session's. */
static jp_status renew_first_job(struct jp_pools *pools, struct jp_pool *pool, struct jp_error *error) {
    struct jp_pool_job *old = pool->jobs[0], *fresh;
    take_leave(pools, old);
    jp_map_remove_u64(&pools->by_key, old->key);
    jp__ops(pools)->job_close(old->job); /* first: the name is to be a new object's */
    jp_status status = open_job(pools, pool, jp_strdup(pool->object_name), &fresh, error);
    if (status) { /* without its job the pool is of no use; the next reload tries again */
        jp__pool_fail(pool, error);
        pool->job_count = 0;
        jp_free(pool->jobs);
        pool->jobs = NULL;
    } else {
        pool->jobs[0] = fresh;
    }
    jp_free(old->object_name);
    jp_free(old);
    return status;
}

static jp_status job_for(struct jp_pools *pools, struct jp_pool *pool, uint32_t session, struct jp_pool_job **ret_job,
                         struct jp_error *error) {
    struct jp_pool_job *job = jp__pool_job_of(pool, session);
    jp_status status = job ? JP_OK : jp__pool_available(pool, error);
    if (status)
        return status;
    bool single = pool->spec.sessions == JP_SESSIONS_SINGLE;
    if (!job && single && pool->job_count == 1 && pool->jobs[0]->settled && is_idle(pools, pool->jobs[0]))
        status = renew_first_job(pools, pool, error);
    if (status)
        return status;
    if (!job && !pool->jobs[0]->settled)
        job = pool->jobs[0];
    if (!job && single)
        return jp_fail(error, JP_E_SESSION,
                       "pool \"%s\" is of session %" PRIu32 " as long as it has processes there (\"sessions\": \"single\"); this process is in session %" PRIu32,
                       pool->name, pool->jobs[0]->session, session);
    if (!job) {
        status = open_job(pools, pool, jp_sprintf("%s#%" PRIu32, pool->object_name, session), &job, error);
        if (status)
            return jp_fail_because(error, "pool \"%s\" cannot have a job object for session %" PRIu32, pool->name, session);
        pool->jobs = jp_realloc_array(pool->jobs, pool->job_count + 1, sizeof *pool->jobs);
        pool->jobs[pool->job_count++] = job;
        settle(pools, job, session); /* its name says so */
        jp__job_emptied(pools, job); /* if nobody joins it after all */
    }
    *ret_job = job;
    return JP_OK;
}

jp_status jp__pool_chain(struct jp_pools *pools, struct jp_pool *pool, uint32_t session, struct jp_pool_job **chain, size_t *ret_length,
                         struct jp_error *error) {
    *ret_length = pool->depth + 1;
    for (struct jp_pool *at = pool; at; at = at->parent) {
        jp_status status = job_for(pools, at, session, &chain[at->depth], error);
        if (status)
            return status;
    }
    return JP_OK;
}

/* --- settings --- */

jp_status jp__pool_configure(struct jp_pools *pools, struct jp_pool *pool, const struct jp_pool_spec *spec, bool restart_job_time,
                             struct jp_error *error) {
    struct jp_error ignored;
    for (size_t i = 0; i < pool->job_count; i++) {
        jp_status status = jp_job_configure(pools->with.backend, pool->jobs[i]->job, spec, restart_job_time, error);
        if (status == JP_OK)
            continue;
        while (i-- > 0)
            jp_job_configure(pools->with.backend, pool->jobs[i]->job, &pool->spec, false, &ignored);
        return status;
    }
    return JP_OK;
}
