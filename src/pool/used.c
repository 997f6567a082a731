/* What pools have used up to now, without asking their members one by one: who asks for a pool must not hold everybody else up the longer, the more
 * processes are in it.
 *
 * Sums are kept: of what members that run have told, by samples and whenever one is asked for another reason, and of what those had used that ended.
 * A job object counts the same as its processes, up to this moment. So what the jobs have beyond those sums was used since the members told last, or
 * by a process of which nobody has been told yet; it is added. Where the host's jobs do not count (Wine), the sums are the answer, which are
 * those of the last sample. If a member is in none of its pool's jobs (it was kept over a restart, and could not join the new one), what it uses from
 * then on hides as much of what the jobs have beyond. It is never less than the members have told.
 *
 * Memory, the peak too, is nobody's sum but the members' own: it is as of the last sample. */
#include "pool/pools_internal.h"

static void add(struct jp__used *sum, const struct jp__used *more) {
    for (size_t kind = 0; kind < JP__USED_KINDS; kind++)
        sum->of[kind] += more->of[kind];
}

/* What was added before. */
static void take(struct jp__used *sum, const struct jp__used *part) {
    for (size_t kind = 0; kind < JP__USED_KINDS; kind++)
        sum->of[kind] -= part->of[kind];
}

static void leave_beyond(struct jp__used *counted, const struct jp__used *known) {
    for (size_t kind = 0; kind < JP__USED_KINDS; kind++)
        counted->of[kind] = counted->of[kind] > known->of[kind] ? counted->of[kind] - known->of[kind] : 0;
}

static bool is_any(const struct jp__used *used) {
    uint64_t any = 0;
    for (size_t kind = 0; kind < JP__USED_KINDS; kind++)
        any |= used->of[kind];
    return any != 0;
}

static struct jp__used of_usage(const struct jp_usage *usage) {
    return (struct jp__used){{
        [JP__USED_USER] = usage->user_100ns,
        [JP__USED_KERNEL] = usage->kernel_100ns,
        [JP__USED_READS] = usage->read_operations,
        [JP__USED_WRITES] = usage->write_operations,
        [JP__USED_OTHERS] = usage->other_operations,
        [JP__USED_READ_BYTES] = usage->read_bytes,
        [JP__USED_WRITE_BYTES] = usage->write_bytes,
        [JP__USED_OTHER_BYTES] = usage->other_bytes,
    }};
}

static struct jp__used of_job(const struct jp_job_accounting_and_io *job) {
    return (struct jp__used){{
        [JP__USED_USER] = job->basic.total_user_time_100ns,
        [JP__USED_KERNEL] = job->basic.total_kernel_time_100ns,
        [JP__USED_READS] = job->io.read_operation_count,
        [JP__USED_WRITES] = job->io.write_operation_count,
        [JP__USED_OTHERS] = job->io.other_operation_count,
        [JP__USED_READ_BYTES] = job->io.read_transfer_bytes,
        [JP__USED_WRITE_BYTES] = job->io.write_transfer_bytes,
        [JP__USED_OTHER_BYTES] = job->io.other_transfer_bytes,
    }};
}

static struct jp_pool_used *sums_of(struct jp_pool *pool) {
    if (!pool->used)
        pool->used = jp_alloc(sizeof *pool->used);
    return pool->used;
}

static uint64_t larger(uint64_t one, uint64_t other) { return one > other ? one : other; }

/* --- what members tell --- */

void jp__used_join(const struct jp_member *member) {
    struct jp__used told = of_usage(&member->record.usage);
    struct jp_pool_used *own = sums_of(member->pool);
    add(&own->own_running, &told);
    own->own_peak_commit_bytes = larger(own->own_peak_commit_bytes, member->record.usage.peak_commit_bytes);
    for (struct jp_pool *pool = member->pool; pool; pool = pool->parent) {
        struct jp_pool_used *sums = sums_of(pool);
        add(&sums->running, &told);
        sums->commit_bytes += member->commit_bytes;
        sums->working_set_bytes += member->working_set_bytes;
    }
}

void jp__used_leave(const struct jp_member *member) {
    struct jp__used told = of_usage(&member->record.usage);
    take(&member->pool->used->own_running, &told);
    for (struct jp_pool *pool = member->pool; pool; pool = pool->parent) {
        take(&pool->used->running, &told);
        pool->used->commit_bytes -= member->commit_bytes;
        pool->used->working_set_bytes -= member->working_set_bytes;
    }
}

void jp__used_rise(const struct jp_member *member, const struct jp__used *risen) {
    struct jp_pool_used *own = member->pool->used;
    own->own_peak_commit_bytes = larger(own->own_peak_commit_bytes, member->record.usage.peak_commit_bytes);
    if (!is_any(risen))
        return;
    add(&own->own_running, risen);
    for (struct jp_pool *pool = member->pool; pool; pool = pool->parent)
        add(&pool->used->running, risen);
}

void jp__used_memory(struct jp_member *member, uint64_t commit_bytes, uint64_t working_set_bytes) {
    if (commit_bytes != member->commit_bytes || working_set_bytes != member->working_set_bytes)
        for (struct jp_pool *pool = member->pool; pool; pool = pool->parent) {
            pool->used->commit_bytes += commit_bytes - member->commit_bytes;
            pool->used->working_set_bytes += working_set_bytes - member->working_set_bytes;
        }
    member->commit_bytes = commit_bytes;
    member->working_set_bytes = working_set_bytes;
}

void jp__used_end(struct jp_pool *pool, const struct jp_pool *below, const struct jp_usage *usage) {
    struct jp__used ended = of_usage(usage);
    for (; pool && pool != below; pool = pool->parent)
        add(&sums_of(pool)->ended, &ended);
}

/* --- what jobs tell beyond that --- */

/* Of what processes of this host do not tell, members cannot have told either: then there is nothing to be compared. */
static void leave_comparable(struct jp_pools *pools, struct jp__used *counted) {
    const struct jp_capabilities *host = jp__host(pools);
    for (size_t kind = 0; kind < JP__USED_KINDS; kind++)
        if (!(kind == JP__USED_USER || kind == JP__USED_KERNEL ? host->process_times : host->process_io))
            counted->of[kind] = 0;
}

static bool is_comparable(struct jp_pools *pools) { return jp__host(pools)->process_times || jp__host(pools)->process_io; }

/* What the pool's jobs have counted less what its sums have, whatever was set aside: below 0 (modulo 2^64) for what a member used that is in none of
 * them. False if a job could not be asked. */
static bool counted_beyond(struct jp_pools *pools, const struct jp_pool *pool, struct jp__used *ret_beyond) {
    struct jp_job_accounting_and_io counted;
    *ret_beyond = (struct jp__used){0};
    for (size_t i = 0; i < pool->job_count; i++) {
        if (!jp__job_accounting(pools, pool->jobs[i], &counted))
            return false;
        struct jp__used job = of_job(&counted);
        add(ret_beyond, &job);
    }
    if (pool->past) {
        struct jp__used past = of_job(pool->past);
        add(ret_beyond, &past);
    }
    if (pool->used) {
        take(ret_beyond, &pool->used->ended);
        take(ret_beyond, &pool->used->running);
    }
    leave_comparable(pools, ret_beyond);
    return true;
}

static struct jp__used beyond_members(struct jp_pools *pools, const struct jp_pool *pool) {
    struct jp__used all = {0};
    if (!is_comparable(pools) || !counted_beyond(pools, pool, &all))
        return (struct jp__used){0};
    if (pool->used)
        take(&all, &pool->used->before);
    for (size_t kind = 0; kind < JP__USED_KINDS; kind++)
        if (all.of[kind] > INT64_MAX)
            all.of[kind] = 0;
    return all;
}

static void set_aside(struct jp_pool *pool, const struct jp__used *before) {
    if (is_any(before))
        add(&sums_of(pool)->before, before);
}

/* What those who are in the job have used so far: as members they are going to tell it. */
static struct jp__used of_processes_in(struct jp_pools *pools, struct jp_pool_job *job) {
    struct jp__used all = {0};
    uint32_t *pids;
    size_t count;
    struct jp_error ignored;
    if (jp_job_pids(pools->with.backend, job->job, &pids, &count, &ignored))
        return all;
    for (size_t i = 0; i < count; i++) {
        struct jp_process *process;
        struct jp_usage usage;
        if (jp__ops(pools)->process_open(pools->with.backend, pids[i], 0, JP_PROCESS_OBSERVE, NULL, &process, &ignored))
            continue;
        jp__ops(pools)->process_usage(process, &usage);
        jp__ops(pools)->process_close(process);
        struct jp__used told = of_usage(&usage);
        add(&all, &told);
    }
    jp_free(pids);
    return all;
}

void jp__used_found(struct jp_pools *pools, struct jp_pool_job *job) {
    struct jp_job_accounting_and_io counted;
    if (pools->adopting || !is_comparable(pools) || !jp__job_accounting(pools, job, &counted))
        return;
    struct jp__used before = of_job(&counted), running = of_processes_in(pools, job);
    leave_comparable(pools, &before);
    leave_beyond(&before, &running);
    set_aside(job->pool, &before);
}

/* What the members have used is in the sums, also of those who were found to have ended meanwhile, or could not join a job that had to be made anew. */
void jp__used_adopted(struct jp_pools *pools) {
    size_t position = 0;
    if (!is_comparable(pools))
        return;
    for (struct jp_member *member; (member = jp_map_next(&pools->by_pid, &position)) != NULL;)
        jp_pools_refresh_usage(pools, member);
    position = 0;
    for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;) {
        struct jp__used before;
        if (pool->job_count && counted_beyond(pools, pool, &before))
            set_aside(pool, &before);
    }
}

/* Of that, what was used before the job was found is in no sum here. */
void jp__used_claim(struct jp_pools *pools, struct jp_pool *pool, const struct jp_unobserved_record *record) {
    struct jp__used beyond = beyond_members(pools, pool);
    struct jp_usage claimed = {.user_100ns = record->user_100ns, .kernel_100ns = record->kernel_100ns, .read_bytes = record->read_bytes,
                               .write_bytes = record->write_bytes};
    struct jp__used use = of_usage(&claimed), rest = use;
    leave_beyond(&rest, &beyond);
    take(&use, &rest);
    for (; pool; pool = pool->parent)
        add(&sums_of(pool)->ended, &use);
}

/* --- what is asked --- */

static void add_to_totals(struct jp_policy_totals *totals, const struct jp__used *used) {
    totals->user_100ns += used->of[JP__USED_USER];
    totals->kernel_100ns += used->of[JP__USED_KERNEL];
    totals->read_bytes += used->of[JP__USED_READ_BYTES];
    totals->write_bytes += used->of[JP__USED_WRITE_BYTES];
}

struct jp_policy_totals jp__used_past(const struct jp_pool *pool) {
    struct jp_policy_totals past = {.user_100ns = pool->restored_user_100ns};
    if (pool->used)
        add_to_totals(&past, &pool->used->ended);
    return past;
}

void jp_pools_totals(struct jp_pools *pools, const struct jp_pool *pool, struct jp_policy_totals *ret_totals) {
    struct jp__used beyond = beyond_members(pools, pool);
    *ret_totals = (struct jp_policy_totals){.members = jp_pool_total_members(pool)};
    add_to_totals(ret_totals, &beyond);
    if (!pool->used)
        return;
    add_to_totals(ret_totals, &pool->used->ended);
    add_to_totals(ret_totals, &pool->used->running);
    ret_totals->commit_bytes = pool->used->commit_bytes;
    ret_totals->working_set_bytes = pool->used->working_set_bytes;
}

/* The jobs of the pools below count in the pool's own, too; they are not asked where there is nothing to be told apart. */
static struct jp__used own_beyond_members(struct jp_pools *pools, const struct jp_pool *pool) {
    struct jp__used own = beyond_members(pools, pool), below = {0};
    for (size_t i = 0; i < pool->child_count && is_any(&own); i++) {
        struct jp__used child = beyond_members(pools, pool->children[i]);
        add(&below, &child);
    }
    leave_beyond(&own, &below);
    return own;
}

void jp__used_count(struct jp_pools *pools, const struct jp_pool *pool, struct jp_counters *counters) {
    struct jp__used running = own_beyond_members(pools, pool);
    if (pool->used) {
        add(&running, &pool->used->own_running);
        counters->peak_commit_bytes = larger(counters->peak_commit_bytes, pool->used->own_peak_commit_bytes);
    }
    counters->user_100ns += running.of[JP__USED_USER];
    counters->kernel_100ns += running.of[JP__USED_KERNEL];
    counters->read_operations += running.of[JP__USED_READS];
    counters->write_operations += running.of[JP__USED_WRITES];
    counters->other_operations += running.of[JP__USED_OTHERS];
    counters->read_bytes += running.of[JP__USED_READ_BYTES];
    counters->write_bytes += running.of[JP__USED_WRITE_BYTES];
    counters->other_bytes += running.of[JP__USED_OTHER_BYTES];
}
