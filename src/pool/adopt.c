/* What the last run left: pools that were made with `persist`, processes that still run or have ended meanwhile, names and clocks. */
#include "pool/pools_internal.h"

#include <string.h>

/* --- pools --- */

void jp__pool_remember(struct jp_pools *pools, struct jp_pool *pool) {
    const struct jp_pool_past *past = jp_map_get(&pools->pasts, pool->name);
    if (!past)
        return;
    pool->frozen = past->frozen;
    pool->keep_frozen = past->keep_frozen;
    pool->suspends = past->suspends;
    pool->busy_since_100ns = past->busy_since_100ns;
    if (past->job_time_used_100ns > 0)
        pool->restored_user_100ns = (uint64_t)past->job_time_used_100ns;
    else
        pool->job_time_base_100ns = 0 - (uint64_t)past->job_time_used_100ns; /* damaged, it may be the one number that has no opposite */
}

/* Nobody is in it any more: what it was busy with is over. */
static void forget_idle_clocks(struct jp_pools *pools) {
    size_t position = 0;
    for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;)
        if (pool->busy_since_100ns && !jp_pool_total_members(pool)) {
            pool->busy_since_100ns = 0;
            jp__pool_record(pools, pool);
        }
}

/* Another pool has its name by now, or the one above it is gone: who was in it is left to those whose jobs still have him. */
static void lose(struct jp_pools *pools, const char *name, const struct jp_error *error) {
    jp_log(pools->with.log, JP_LOG_WARNING, "the ephemeral pool \"%s\" cannot come back: %s", name, error->text);
    jp_map_put(&pools->lost, name, pools);
    if (!jp_pools_find(pools, name))
        pools->with.accounts->ops->forget_pool(pools->with.accounts, name);
}

static void restore_pool(struct jp_pools *pools, const char *name, const char *definition) {
    static const struct jp_json_rules rules = {.max_bytes = 1 << 20, .max_depth = 16};
    struct jp_json json = {0};
    struct jp_json_place place;
    struct jp_error error;
    struct jp_faults faults = {0};
    struct jp_schema_context context = {.environment = pools->with.environment, .faults = &faults};
    struct jp_pool_spec spec = {0};
    struct jp_pool *pool, *parent = NULL;
    jp_status status = jp_json_parse(definition, strlen(definition), &rules, &json, &place, &error);
    cJSON *ephemeral = status == JP_OK ? cJSON_DetachItemFromObjectCaseSensitive(json.root, JP__EPHEMERAL_KEY) : NULL;
    if (status == JP_OK && !jp_schema_read(&context, jp_pool_fields, json.root, "", &spec))
        status = jp_fail(&error, JP_E_CONFIG, "%s", faults.items[0].text);
    if (status == JP_OK)
        status = jp__pool_check_new(pools, name, &spec, &parent, &error);
    if (status == JP_OK) {
        pool = jp__pool_new(pools, name, &spec, parent, ephemeral ? JP_POOL_TRANSIENT : JP_POOL_PERSISTENT);
        if (ephemeral)
            jp__ephemeral_restore(pools, pool, ephemeral);
        jp__pool_open(pools, pool);
    } else if (ephemeral) {
        lose(pools, name, &error);
    } else {
        jp_log(pools->with.log, JP_LOG_ERROR, "pool \"%s\" was made with persist, and cannot come back: %s", name, error.text);
    }
    cJSON_Delete(ephemeral);
    jp_schema_clear(jp_pool_fields, &spec);
    jp_faults_free(&faults);
    jp_json_free(&json);
}

/* A job's name goes with its last handle, so a new run may have made a new job: a kept process joins it anew. Where Windows
 * does not let it (siblings of one old tree), it goes on under its old limits, and stays in the accounts. */
static void rejoin(struct jp_pools *pools, struct jp_pool *pool, const struct jp_process_record *row, struct jp_process *process) {
    struct jp_error error;
    bool contains = false;
    uint32_t exit_code;
    if (jp__ops(pools)->process_exited(process, &exit_code) ||
        (jp_pools_contains(pools, pool, process, &contains, &error) == JP_OK && contains))
        return;
    if (jp__assign_anew(pools, pool, row, &error))
        jp_log(pools->with.log, JP_LOG_WARNING, "process %u of pool \"%s\" is watched, but limits that change from now on do not reach it: %s",
               (unsigned)row->facts.pid, pool->name, error.text);
}

void jp__pool_rejoin(struct jp_pools *pools, struct jp_pool *pool) {
    for (struct jp_member *member = pool->first_member; member; member = member->next)
        if (member->process && jp__member_runs(member))
            rejoin(pools, pool, &member->record, member->process);
    for (size_t i = 0; i < pool->child_count; i++)
        jp__pool_rejoin(pools, pool->children[i]);
}

struct jp_pool *jp__pool_that_has(struct jp_pools *pools, struct jp_process *process) {
    size_t position = 0;
    struct jp_error ignored;
    for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;) {
        bool contains = false;
        if (!pool->parent && jp_pools_contains(pools, pool, process, &contains, &ignored) == JP_OK && contains)
            return jp__deepest_with(pools, pool, process, 0);
    }
    return NULL;
}

static bool is_service(const struct jp_accounts_start *start, uint32_t pid) {
    for (size_t i = 0; i < start->service_pid_count; i++)
        if (start->service_pids[i] == pid)
            return pid != 0;
    return false;
}

/* A run before had launched it, and got no further: without a row, nobody has been told of it, and it would wait for ever. It need not have
 * been the last one: that may have been killed before it got here. */
static void let_unrecorded_begin(struct jp_pools *pools, const struct jp_accounts_start *start) {
    size_t position = 0;
    for (struct jp_member *member; (member = jp_map_next(&pools->by_pid, &position)) != NULL;)
        if (jp__member_runs(member) && member->record.run == pools->run && is_service(start, member->record.facts.parent_pid))
            jp__member_freeze(pools, member, false);
}

/* True if the process of the row is there still: then it is a member again. One that has ended, and whose end can be read
 * from its handle, is closed by that handle like any other. */
static bool take_up(struct jp_pools *pools, const struct jp_process_record *row) {
    struct jp_pool *pool = jp_map_get(&pools->lost, row->pool) ? NULL : jp_pools_find(pools, row->pool);
    struct jp_process *process;
    struct jp_error error;
    if (!row->start_exact ||
        jp__ops(pools)->process_open(pools->with.backend, row->facts.pid, row->facts.start_100ns, JP_PROCESS_OBSERVE, NULL, &process,
                                     &error))
        return false;
    bool kept = pool && pool->job_count;
    struct jp_pool *other = kept ? NULL : jp__pool_that_has(pools, process);
    if (other) /* a pool that did not outlive the service leaves its processes to those above it */
        pool = other;
    if (!pool) { /* a pool that has no job now has its members all the same: they join the job that it will have */
        jp__ops(pools)->process_close(process);
        return false;
    }
    if (kept)
        rejoin(pools, pool, row, process);
    struct jp_process_record record = {0};
    jp_process_record_copy(row, &record);
    jp_free(record.pool);
    record.pool = jp_strdup(pool->name);
    jp__member_adopt(pools, pool, process, &record);
    jp_process_record_clear(&record);
    return true;
}

void jp_pools_adopt(struct jp_pools *pools, const struct jp_accounts_start *start) {
    for (size_t i = 0; i < start->pool_count; i++)
        restore_pool(pools, start->pools[i].name, start->pools[i].definition);

    size_t adopted = 0, closed = 0;
    jp__seen_restore(pools, start);
    jp__freeze_restore(pools, start);
    for (size_t i = 0; i < start->running_count; i++) {
        jp__freeze_release(pools, start, &start->running[i]);
        if (take_up(pools, &start->running[i])) {
            adopted++;
            continue;
        }
        struct jp_process_record row = {0};
        jp_process_record_copy(&start->running[i], &row);
        row.ended_100ns = jp__now(pools); /* at the latest */
        row.ending = JP_ENDING_UNKNOWN;
        pools->with.accounts->ops->record_process(pools->with.accounts, &row);
        jp__count_ended(pools, &row);
        jp_process_record_clear(&row);
        closed++;
    }
    jp__freeze_restored(pools);
    forget_idle_clocks(pools);
    jp__keeper_dismiss_last(pools, start);
    jp__series_adopted(pools, start);
    pools->adopting = false;
    jp_map_free(&pools->pasts);
    jp_map_free(&pools->lost);
    jp__counters_trim(pools);
    jp__read_first_lists(pools);
    jp__used_adopted(pools);
    jp__schedule_sample(pools); /* pools that came back may have rules */
    let_unrecorded_begin(pools, start);
    if (adopted || closed)
        jp_log(pools->with.log, JP_LOG_INFO, "of the last run's processes %zu still run; %zu ended while no service was there", adopted,
               closed);
}


/* --- a new database --- */

void jp_pools_record_all(struct jp_pools *pools) {
    size_t position = 0;
    for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;)
        jp__pool_record(pools, pool);
    position = 0;
    for (struct jp_member *member; (member = jp_map_next(&pools->by_pid, &position)) != NULL;)
        pools->with.accounts->ops->record_process(pools->with.accounts, &member->record);
    position = 0;
    for (struct jp_pool_job *job; (job = jp_map_next(&pools->by_key, &position)) != NULL;) {
        if (!job->settled)
            continue;
        job->created_100ns = jp__now(pools); /* its rows are not in there, but for those of the members */
        job->before = job->seen;
        jp__job_record(pools, job);
    }
    jp__keeper_record(pools);
}
