/* From the pools that are to the pools that the config says: found out whole before anything is done. */
#include "pool/pools_internal.h"

#include <string.h>

void jp_reload_result_clear(struct jp_reload_result *result) {
    jp_strings_free(&result->added);
    jp_strings_free(&result->changed);
    jp_strings_free(&result->removed);
    jp_strings_free(&result->orphaned);
}

static bool same_text(const char *one, const char *other) {
    return one && other ? strcmp(one, other) == 0 : one == other;
}

static bool moved(const struct jp_pool *pool, const struct jp_pool_spec *spec) {
    return !same_text(pool->spec.parent, spec->parent) || !same_text(pool->spec.object_name, spec->object_name);
}

/* What the config says. */
struct wanted {
    struct jp_named_spec *specs;
    size_t count;
    struct jp_map by_name; /* made when a name is looked for */
};

static struct jp_named_spec *find_spec(struct wanted *wanted, const char *name) {
    for (size_t i = wanted->by_name.count; i < wanted->count; i++)
        jp_map_put(&wanted->by_name, wanted->specs[i].name, &wanted->specs[i]);
    return jp_map_get(&wanted->by_name, name);
}

/* Windows nests no jobs that have UI limits. */
static jp_status check_parent(struct jp_pools *pools, struct wanted *wanted, const struct jp_named_spec *spec, struct jp_error *error) {
    const struct jp_named_spec *parent = spec->spec.parent ? find_spec(wanted, spec->spec.parent) : NULL;
    const struct jp_pool *there = spec->spec.parent ? jp_pools_find(pools, spec->spec.parent) : NULL;
    uint32_t ui = parent ? parent->spec.ui : there ? there->spec.ui : 0;
    return ui ? jp__ui_and_nesting(spec->spec.parent, spec->name, error) : JP_OK;
}

static jp_status check(struct jp_pools *pools, struct wanted *wanted, struct jp_error *error) {
    const struct jp_named_spec *specs = wanted->specs;
    for (size_t i = 0; i < wanted->count; i++) {
        const struct jp_pool *pool = jp_pools_find(pools, specs[i].name);
        if (check_parent(pools, wanted, &specs[i], error) ||
            jp_policy_check_strict(jp__host(pools), specs[i].name, &specs[i].spec, error))
            return error->status;
        if (!pool)
            continue;
        if (pool->source != JP_POOL_FROM_CONFIG)
            return jp_fail(error, JP_E_POOL_EXISTS, "pool \"%s\" of the configuration was made through the pipe already; delete that first",
                           pool->name);
        if (moved(pool, &specs[i].spec))
            return jp_fail(error, JP_E_CONFIG,
                           "parent and object_name of pool \"%s\" cannot change while it is there; remove it, reload, then add it anew",
                           pool->name);
    }
    return JP_OK;
}

static bool job_time_changes(const struct jp_limits *old, const struct jp_limits *new) {
    return (old->present ^ new->present) & JP_SCHEMA_BIT(JP_LIMIT_JOB_TIME) || old->job_time_100ns != new->job_time_100ns;
}

/* A pool that has what it needs gets the new settings; if one is refused, those before it get their old ones back. */
static jp_status reconfigure(struct jp_pools *pools, const struct jp_named_spec *specs, size_t count, struct jp_error *error) {
    for (size_t i = 0; i < count; i++) {
        struct jp_pool *pool = jp_pools_find(pools, specs[i].name);
        if (!pool || !pool->job_count || jp_schema_equal(jp_pool_fields, &pool->spec, &specs[i].spec))
            continue;
        jp_status status = jp__pool_check_change(pools, pool, &specs[i].spec, error);
        if (status == JP_OK)
            status = jp__pool_configure(pools, pool, &specs[i].spec, job_time_changes(&pool->spec.limits, &specs[i].spec.limits), error);
        if (status == JP_OK)
            continue;
        struct jp_error ignored;
        for (size_t back = i; back-- > 0;) {
            struct jp_pool *done = jp_pools_find(pools, specs[back].name);
            if (done && done->job_count)
                jp__pool_configure(pools, done, &done->spec, false, &ignored);
        }
        return status;
    }
    return JP_OK;
}

static void take_settings(struct jp_pools *pools, const struct jp_named_spec *spec, struct jp_pool *pool, struct jp_reload_result *result) {
    bool changed = !jp_schema_equal(jp_pool_fields, &pool->spec, &spec->spec);
    bool again = pool->state != JP_POOL_ACTIVE, restart_job_time = job_time_changes(&pool->spec.limits, &spec->spec.limits);
    pools->ruled_count += jp__pool_has_rules(&spec->spec);
    pools->ruled_count -= jp__pool_has_rules(&pool->spec);
    jp_schema_clear(jp_pool_fields, &pool->spec);
    jp_schema_copy(jp_pool_fields, &spec->spec, &pool->spec);
    jp__pool_access_apply(pools, pool);
    if (pool->state == JP_POOL_FAILED)
        jp__pool_open(pools, pool);
    else
        pool->state = JP_POOL_ACTIVE; /* it may have been an orphan */
    if (changed)
        jp__pool_changed(pools, pool, restart_job_time);
    if (changed || again) {
        if (result)
            jp_strings_add(&result->changed, pool->name);
        jp__emit(pools, &(struct jp__event){.pool = pool, .message = "POOL_UPDATED", .origin = JP_ORIGIN_SERVICE, .detail = "reload"});
    }
}

/* Parents first. The config was checked: there is no cycle, and every parent is wanted or there already. */
static struct jp_pool *make(struct jp_pools *pools, struct wanted *wanted, struct jp_named_spec *spec, struct jp_reload_result *result) {
    struct jp_pool *pool = jp_pools_find(pools, spec->name);
    if (pool)
        return pool;
    const char *parent_name = spec->spec.parent;
    struct jp_pool *parent = parent_name ? make(pools, wanted, find_spec(wanted, parent_name), result) : NULL;
    pool = jp__pool_new(pools, spec->name, &spec->spec, parent, JP_POOL_FROM_CONFIG);
    if (pool->depth >= JP_POOL_MAX_DEPTH) {
        struct jp_error error;
        jp_fail(&error, JP_E_QUOTA, "it is nested deeper than %d levels", JP_POOL_MAX_DEPTH);
        jp__pool_fail(pool, &error);
    } else {
        jp__pool_open(pools, pool);
    }
    if (!jp__pool_is_on_record(pools, pool))
        jp__pool_record(pools, pool);
    if (result)
        jp_strings_add(&result->added, pool->name);
    jp__emit(pools, &(struct jp__event){.pool = pool, .message = "POOL_CREATED", .origin = JP_ORIGIN_SERVICE, .detail = "config"});
    return pool;
}

/* True if the pool's processes, and those of the pools below it, go with it. */
static bool end_with_pool(struct jp_pools *pools, struct jp_pool *pool) {
    size_t count;
    struct jp_error error;
    if (pool->spec.on_remove != JP_ON_REMOVE_TERMINATE || !jp_pool_total_members(pool))
        return false;
    if (jp__pool_grace(pool)) { /* asked first, ended when their time is over */
        jp__pool_stop(pools, pool, 1, true);
        return true;
    }
    if (jp_pools_terminate(pools, pool, 1, &count, &error) == JP_OK)
        return true;
    jp_log(pools->with.log, JP_LOG_ERROR, "pool \"%s\" was removed from the configuration, and its processes cannot be ended: %s", pool->name,
           error.text);
    return false;
}

static bool is_of_config(const struct jp_pool *pool) { return pool->source == JP_POOL_FROM_CONFIG && pool->state != JP_POOL_ORPHAN; }

/* All that are wanted are there. */
static bool has_others(const struct jp_pools *pools, const struct wanted *wanted) {
    size_t position = 0, count = 0;
    for (const struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;)
        count += is_of_config(pool);
    return count > wanted->count;
}

static void remove_others(struct jp_pools *pools, struct wanted *wanted, struct jp_reload_result *result) {
    size_t count;
    struct jp_pool *const *all = jp_pools_sorted(pools, &count);
    for (size_t i = 0; i < count; i++) {
        struct jp_pool *pool = all[i];
        if (!is_of_config(pool) || find_spec(wanted, pool->name))
            continue;
        pool->state = JP_POOL_ORPHAN;
        pools->reap_due = true;
        pools->with.accounts->ops->forget_pool(pools->with.accounts, pool->name);
        bool ended = end_with_pool(pools, pool), busy = pool->member_count > 0;
        if (result)
            jp_strings_add(busy && !ended ? &result->orphaned : &result->removed, pool->name);
        if (busy)
            jp__emit(pools, &(struct jp__event){.pool = pool, .message = "POOL_ORPHANED", .origin = JP_ORIGIN_SERVICE,
                                                .detail = ended ? "removed from the configuration; its processes are ended"
                                                                : "removed from the configuration; kept until its processes have ended"});
    }
}

/* Those that were made through the pipe too: what stood in their way may be gone. */
static void retry_failed(struct jp_pools *pools) {
    size_t position = 0;
    for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;)
        if (pool->state == JP_POOL_FAILED && pool->source != JP_POOL_FROM_CONFIG && pool->depth < JP_POOL_MAX_DEPTH)
            jp__pool_open(pools, pool);
}

jp_status jp_pools_load(struct jp_pools *pools, struct jp_named_spec *specs, size_t count, struct jp_reload_result *ret_result,
                        struct jp_error *error) {
    if (pools->stopping)
        return jp_fail(error, JP_E_STOPPING, "the service is stopping");
    struct wanted wanted = {.specs = specs, .count = count};
    jp_status status = check(pools, &wanted, error);
    if (status == JP_OK)
        status = reconfigure(pools, specs, count, error);
    if (status) {
        jp_map_free(&wanted.by_name);
        return status;
    }

    if (ret_result)
        *ret_result = (struct jp_reload_result){0};
    for (size_t i = 0; i < count; i++) {
        struct jp_pool *pool = jp_pools_find(pools, specs[i].name);
        if (pool)
            take_settings(pools, &specs[i], pool, ret_result);
    }
    for (size_t i = 0; i < count; i++)
        make(pools, &wanted, &specs[i], ret_result);
    if (has_others(pools, &wanted))
        remove_others(pools, &wanted, ret_result);
    jp__pools_reap(pools);
    retry_failed(pools);
    jp_map_free(&wanted.by_name);
    jp__schedule_sample(pools);
    jp__queue_advance(pools);
    return JP_OK;
}
