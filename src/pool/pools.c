/* Pools: made, changed, deleted; and the whole at its beginning and end. */
#include "pool/pools_internal.h"

#include <string.h>

struct jp_pools *jp_pools_new(const struct jp_pools_surroundings *surroundings, const struct jp_accounts_start *start) {
    struct jp_pools *pools = jp_alloc(sizeof *pools);
    pools->with = *surroundings;
    pools->last_seq = start->last_seq;
    pools->last_id = start->last_process_id;
    pools->run = start->run;
    pools->adopting = true;
    for (size_t i = 0; i < start->past_count; i++)
        jp_map_put(&pools->pasts, start->pasts[i].name, &start->pasts[i]);
    pools->last_key = 15; /* lower keys are the port's own */
    pools->next_list_ms = pools->next_sample_ms = pools->next_queue_ms = pools->next_stop_ms = pools->next_slice_ms = pools->next_keeper_ms =
        pools->next_leaving_ms = UINT64_MAX;
    pools->sample_interval_ms = pools->next_record_ms = UINT64_MAX;
    pools->list_interval_ms = LIST_INTERVAL_MS;
    pools->record_interval_ms = surroundings->record_interval_ms;
    jp__counters_load(pools, start);
    jp_pools_set_access(pools, NULL);
    return pools;
}

/* --- one pool --- */

static void add_child(struct jp_pool *parent, struct jp_pool *child) {
    parent->children = jp_realloc_array(parent->children, parent->child_count + 1, sizeof *parent->children);
    child->child_index = parent->child_count;
    parent->children[parent->child_count++] = child;
}

static void remove_child(struct jp_pools *pools, struct jp_pool *parent, const struct jp_pool *child) {
    struct jp_pool *last = parent->children[--parent->child_count];
    parent->children[child->child_index] = last;
    last->child_index = child->child_index;
    pools->reap_due |= parent->state == JP_POOL_ORPHAN;
}

static void note_object_name(struct jp_pools *pools, struct jp_pool *pool) {
    if (jp_map_get(&pools->by_object, pool->object_name))
        pools->objects_clash = true;
    else
        jp_map_put(&pools->by_object, pool->object_name, pool);
}

static void forget_object_name(struct jp_pools *pools, const struct jp_pool *gone) {
    size_t position = 0;
    if (jp_map_get(&pools->by_object, gone->object_name) != gone)
        return;
    jp_map_remove(&pools->by_object, gone->object_name);
    for (struct jp_pool *pool; pools->objects_clash && (pool = jp_map_next(&pools->by_name, &position)) != NULL;)
        if (strcmp(pool->object_name, gone->object_name) == 0) {
            note_object_name(pools, pool);
            return;
        }
}

struct jp_pool *jp__pool_new(struct jp_pools *pools, const char *name, struct jp_pool_spec *spec, struct jp_pool *parent,
                             enum jp_pool_source source) {
    struct jp_pool *pool = jp_alloc(sizeof *pool);
    pool->name = jp_strdup(name);
    pool->spec = *spec;
    *spec = (struct jp_pool_spec){0};
    pool->parent = parent;
    pool->depth = parent ? parent->depth + 1 : 0;
    pool->source = source;
    pool->object_name = jp_pool_object_name(name, &pool->spec);
    pool->created_100ns = jp__now(pools);
    jp__pool_access_apply(pools, pool);
    if (parent)
        add_child(parent, pool);
    jp_map_put(&pools->by_name, pool->name, pool);
    note_object_name(pools, pool);
    jp__counters_attach(pools, pool);
    jp__order_add(pools, pool);
    pools->ruled_count += jp__pool_has_rules(&pool->spec);
    jp__pool_remember(pools, pool);
    return pool;
}

void jp__pool_fail(struct jp_pool *pool, const struct jp_error *why) {
    if (!pool->failure)
        pool->failure = jp_alloc(sizeof *pool->failure);
    *pool->failure = *why;
    pool->state = JP_POOL_FAILED;
}

void jp__pool_open(struct jp_pools *pools, struct jp_pool *pool) {
    struct jp_error error;
    if (jp__pool_open_first_job(pools, pool, &error)) {
        jp__pool_fail(pool, &error);
        jp_log(pools->with.log, JP_LOG_ERROR, "pool \"%s\" is not available: %s", pool->name, error.text);
        return;
    }
    jp_free(pool->failure);
    pool->failure = NULL;
    pool->state = JP_POOL_ACTIVE;
    jp__pool_rejoin(pools, pool);
}

static void take_apart(struct jp_pools *pools, struct jp_pool *pool) {
    jp__wait_on_discard(pools, pool);
    jp__members_inherit(pool);
    jp__queue_discard(pools, pool);
    jp__pool_close_jobs(pools, pool);
    if (pool->token)
        jp__ops(pools)->token_free(pools->with.backend, pool->token);
    if (pool->parent)
        remove_child(pools, pool->parent, pool);
    jp__presence_forget(pools, pool);
    pools->ruled_count -= jp__pool_has_rules(&pool->spec);
    jp__order_remove(pools, pool);
    jp_map_remove(&pools->by_name, pool->name);
    forget_object_name(pools, pool);
    jp__counters_detach(pools, pool);
    jp_free(pool->sessions);
    jp_free(pool->children);
    jp_free(pool->name);
    jp_free(pool->object_name);
    jp_free(pool->failure);
    jp_free(pool->past);
    jp_free(pool->used);
    jp_strings_free(&pool->troubles);
    jp__ephemeral_free(pools, pool);
    jp__pool_access_clear(pools, pool);
    jp_schema_clear(jp_pool_fields, &pool->spec);
    jp_free(pool);
}

/* It has no members and no children, and is not to come back. */
static void discard(struct jp_pools *pools, struct jp_pool *pool) {
    struct jp_pool *parent = pool->parent;
    jp__pool_forget_jobs(pools, pool);
    jp__series_end_pool(pools, pool);
    if (pool->ephemeral)
        jp__ephemeral_discarded(pools, pool);
    take_apart(pools, pool);
    jp__ephemeral_emptied(pools, parent);
}

void jp__pool_go(struct jp_pools *pools, struct jp_pool *pool, const char *why) {
    jp__emit(pools, &(struct jp__event){.pool = pool, .message = "POOL_DELETED", .origin = JP_ORIGIN_SERVICE, .detail = why});
    pools->with.accounts->ops->forget_pool(pools->with.accounts, pool->name);
    discard(pools, pool);
}

/* --- through the interface --- */

/* But for its definition. */
static struct jp_pool_record record_of(const struct jp_pool *pool) {
    const struct jp_pool *by = jp_pool_frozen_by(pool);
    return (struct jp_pool_record){.name = pool->name,
                                   .parent = pool->parent ? pool->parent->name : NULL,
                                   .frozen = pool->frozen || pool->thaw_freeze,
                                   .keep_frozen = pool->keep_frozen,
                                   .suspends = pool->suspends || pool->thaw_rate,
                                   .below_frozen = by && by != pool,
                                   .ephemeral = pool->ephemeral != NULL,
                                   .busy_since_100ns = pool->busy_since_100ns,
                                   .job_time_used_100ns = (int64_t)(jp__used_past(pool).user_100ns - pool->job_time_base_100ns)};
}

bool jp__pool_is_on_record(const struct jp_pools *pools, const struct jp_pool *pool) {
    const struct jp_pool_past *past = jp_map_get(&pools->pasts, pool->name);
    if (!past || past->defined || past->ephemeral || pool->source == JP_POOL_PERSISTENT || pool->ephemeral)
        return false;
    struct jp_pool_record now = record_of(pool);
    bool same_parent = now.parent && past->parent ? strcmp(now.parent, past->parent) == 0 : now.parent == past->parent;
    return same_parent && now.frozen == past->frozen && now.keep_frozen == past->keep_frozen && now.suspends == past->suspends &&
           now.below_frozen == past->below_frozen && now.busy_since_100ns == past->busy_since_100ns &&
           now.job_time_used_100ns == past->job_time_used_100ns;
}

void jp__pool_record(struct jp_pools *pools, const struct jp_pool *pool) {
    if (pool->state == JP_POOL_ORPHAN)
        return; /* it is forgotten; only its members are waited for */
    struct jp_str definition = {0};
    if (pool->source == JP_POOL_PERSISTENT || pool->ephemeral) {
        cJSON *json = jp_schema_write(jp_pool_fields, &pool->spec);
        if (pool->ephemeral)
            cJSON_AddItemToObject(json, JP__EPHEMERAL_KEY, jp__ephemeral_write(pool));
        jp_json_print(json, &definition);
        cJSON_Delete(json);
    }
    struct jp_pool_record record = record_of(pool);
    record.definition = definition.length ? jp_str_text(&definition) : NULL;
    pools->with.accounts->ops->record_pool(pools->with.accounts, &record);
    jp_str_free(&definition);
}

/* jp_pool_spec_check, the first fault. */
static jp_status check_spec(const struct jp_pool_spec *spec, struct jp_error *error) {
    struct jp_faults faults = {0};
    jp_status status = JP_OK;
    if (!jp_pool_spec_check(spec, NULL, "", &faults))
        status = jp_fail(error, JP_E_PARAMS, "%s", faults.items[0].text);
    jp_faults_free(&faults);
    return status;
}

/* Two pools on one job object would count each other's processes. */
static jp_status check_object_name(struct jp_pools *pools, const char *object_name, struct jp_error *error) {
    const struct jp_pool *other = jp_map_get(&pools->by_object, object_name);
    return other ? jp_fail(error, JP_E_POOL_EXISTS, "job object \"%s\" belongs to pool \"%s\" already", object_name, other->name) : JP_OK;
}

jp_status jp__pool_check_new(struct jp_pools *pools, const char *name, const struct jp_pool_spec *spec, struct jp_pool **ret_parent,
                           struct jp_error *error) {
    if (pools->stopping)
        return jp_fail(error, JP_E_STOPPING, "the service is stopping");
    if (!jp_pool_name_valid(name))
        return jp_fail(error, JP_E_PARAMS, "\"%.80s\" is not a name for a pool; use 1 to %d of A-Z a-z 0-9 . _ -, a letter or digit first",
                       name, JP_POOL_NAME_MAX);
    if (jp_pools_find(pools, name))
        return jp_fail(error, JP_E_POOL_EXISTS, "there is a pool \"%s\" already", name);
    struct jp_pool *parent = spec->parent ? jp_pools_find(pools, spec->parent) : NULL;
    if (spec->parent && !parent)
        return jp_fail(error, JP_E_NO_POOL, "there is no pool \"%s\" to be the parent of \"%s\"", spec->parent, name);
    if (parent && parent->depth + 1 >= JP_POOL_MAX_DEPTH)
        return jp_fail(error, JP_E_QUOTA, "pool \"%s\" would be nested deeper than %d levels", name, JP_POOL_MAX_DEPTH);
    if (parent && parent->spec.ui)
        return jp__ui_and_nesting(parent->name, name, error);
    if (jp_policy_check_strict(jp__host(pools), name, spec, error))
        return error->status;
    *ret_parent = parent;
    char *object_name = jp_pool_object_name(name, spec);
    jp_status status = check_object_name(pools, object_name, error);
    jp_free(object_name);
    if (status == JP_OK)
        status = check_spec(spec, error);
    return status ? status : jp__pool_access_check(pools, spec, error);
}

jp_status jp__pool_make(struct jp_pools *pools, const char *name, const struct jp_pool_spec *spec, enum jp_pool_source source,
                        struct jp_ephemeral *ephemeral, struct jp_pool **ret_pool, struct jp_error *error) {
    struct jp_pool *parent = NULL;
    jp_status status = jp__pool_check_new(pools, name, spec, &parent, error);
    if (status) {
        jp__ephemeral_clear(pools, ephemeral);
        return status;
    }
    struct jp_pool_spec own = {0};
    jp_schema_copy(jp_pool_fields, spec, &own);
    struct jp_pool *pool = jp__pool_new(pools, name, &own, parent, source);
    jp__ephemeral_attach(pools, pool, ephemeral);
    jp__pool_open(pools, pool);
    if (pool->state == JP_POOL_FAILED) {
        *error = *pool->failure;
        discard(pools, pool);
        return error->status;
    }
    jp__pool_record(pools, pool);
    jp__schedule_sample_for(pools, pool);
    jp__emit(pools, &(struct jp__event){.pool = pool, .message = "POOL_CREATED", .origin = JP_ORIGIN_SERVICE,
                                        .detail = ephemeral ? "ephemeral" : jp_pool_source_name(pool->source)});
    *ret_pool = pool;
    return JP_OK;
}

jp_status jp_pools_create(struct jp_pools *pools, const char *name, const struct jp_pool_spec *spec, bool persistent,
                          struct jp_pool **ret_pool, struct jp_error *error) {
    return jp__pool_make(pools, name, spec, persistent ? JP_POOL_PERSISTENT : JP_POOL_TRANSIENT, NULL, ret_pool, error);
}

jp_status jp__ui_and_nesting(const char *parent, const char *child, struct jp_error *error) {
    return jp_fail(error, JP_E_PARAMS, "pool \"%s\" has UI limits, and Windows nests no job objects that have: \"%s\" cannot be its child", parent,
                   child);
}

jp_status jp__pool_check_change(struct jp_pools *pools, const struct jp_pool *pool, const struct jp_pool_spec *merged, struct jp_error *error) {
    if (merged->ui && pool->child_count)
        return jp__ui_and_nesting(pool->name, pool->children[0]->name, error);
    if (jp_policy_check_strict(jp__host(pools), pool->name, merged, error))
        return error->status;
    if (pool->spec.limits.processor_groups.count && !merged->limits.processor_groups.count)
        return jp_fail(error, JP_E_UNSUPPORTED,
                       "the processor groups of pool \"%s\" can be changed, but not lifted: Windows has no way back; name all groups instead",
                       pool->name);
    return JP_OK;
}

void jp__pool_changed(struct jp_pools *pools, struct jp_pool *pool, bool restart_job_time) {
    if (restart_job_time) {
        pool->policy.job_time_over = false;
        jp__restart_job_time(pools, pool);
    }
    for (size_t i = 0; i < pool->job_count; i++) {
        jp__keeper_follow(pools, pool->jobs[i]);
        jp__job_emptied(pools, pool->jobs[i]); /* if it was kept for a clock that is not there any more */
    }
    jp_strings_free(&pool->troubles);
    jp__enforce_on_limits(pools, pool);
    jp__schedule_sample(pools);
    pool->late_limits_due = jp_pool_total_members(pool) > 0;
    if (pool->late_limits_due && pools->next_sample_ms == UINT64_MAX)
        jp__report_late_limits(pools, pool);
}

jp_status jp__pool_respec(struct jp_pools *pools, struct jp_pool *pool, struct jp_pool_spec *merged, bool restart_job_time,
                          struct jp_error *error) {
    jp_status status = check_spec(merged, error);
    if (status == JP_OK)
        status = jp__pool_access_check(pools, merged, error);
    if (status == JP_OK)
        status = jp__pool_check_change(pools, pool, merged, error);
    if (status == JP_OK)
        status = jp__pool_configure(pools, pool, merged, restart_job_time, error);
    if (status) {
        jp_schema_clear(jp_pool_fields, merged);
        return status;
    }
    pools->ruled_count += jp__pool_has_rules(merged);
    pools->ruled_count -= jp__pool_has_rules(&pool->spec);
    jp_schema_clear(jp_pool_fields, &pool->spec);
    pool->spec = *merged;
    jp__pool_access_apply(pools, pool);
    jp__pool_changed(pools, pool, restart_job_time);
    jp__pool_record(pools, pool);
    jp__emit(pools, &(struct jp__event){.pool = pool, .message = "POOL_UPDATED", .origin = JP_ORIGIN_SERVICE});
    jp__queue_advance(pools);
    return JP_OK;
}

jp_status jp_pools_update(struct jp_pools *pools, struct jp_pool *pool, const struct jp_pool_spec *change,
                          struct jp_error *error) {
    struct jp_pool_spec merged = {0};
    uint64_t fixed = JP_SCHEMA_BIT(JP_POOL_PARENT) | JP_SCHEMA_BIT(JP_POOL_OBJECT_NAME) | JP_SCHEMA_NULL_BIT(JP_POOL_PARENT) |
                     JP_SCHEMA_NULL_BIT(JP_POOL_OBJECT_NAME);
    if (change->present & fixed)
        return jp_fail(error, JP_E_PARAMS, "parent and object_name of pool \"%s\" cannot change; delete it and create it anew", pool->name);
    if (jp__pool_available(pool, error))
        return error->status;
    jp_schema_copy(jp_pool_fields, &pool->spec, &merged);
    jp_schema_merge(jp_pool_fields, &merged, change);
    return jp__pool_respec(pools, pool, &merged, change->limits.present & JP_SCHEMA_BIT(JP_LIMIT_JOB_TIME), error);
}

jp_status jp_pools_delete(struct jp_pools *pools, struct jp_pool *pool, bool terminate, size_t *ret_terminated,
                          struct jp_error *error) {
    *ret_terminated = 0;
    if (pool->source == JP_POOL_FROM_CONFIG && pool->state != JP_POOL_ORPHAN)
        return jp_fail(error, JP_E_PARAMS, "pool \"%s\" is in the configuration; remove it there and reload", pool->name);
    if (pool->child_count)
        return jp_fail(error, JP_E_POOL_BUSY, "pool \"%s\" has %zu child pools; delete them first", pool->name, pool->child_count);
    jp__read_lists_of(pools, pool);
    if (pool->member_count && !terminate)
        return jp_fail(error, JP_E_POOL_BUSY, "pool \"%s\" has processes (%zu); terminate them first, or with it: \"terminate\": true, jobpool delete --terminate",
                       pool->name, pool->member_count);
    if (pool->member_count) {
        jp_status status = jp_pools_terminate(pools, pool, 1, ret_terminated, error);
        if (status)
            return status;
    }
    if (!pool->member_count) {
        jp__pool_go(pools, pool, NULL);
        return JP_OK;
    }
    jp__emit(pools, &(struct jp__event){.pool = pool, .message = "POOL_DELETED", .origin = JP_ORIGIN_SERVICE});
    pools->with.accounts->ops->forget_pool(pools->with.accounts, pool->name);
    pool->state = JP_POOL_ORPHAN; /* gone when the last of them has been seen to end */
    return JP_OK;
}

/* One look at all of them, and another only if the last pool below an orphan has gone. */
void jp__pools_reap(struct jp_pools *pools) {
    while (pools->reap_due) {
        size_t count, place = 0;
        struct jp_pool *const *all = jp_pools_sorted(pools, &count);
        pools->reap_due = false;
        while (place < count) {
            struct jp_pool *pool = all[place];
            if (pool->state != JP_POOL_ORPHAN || pool->member_count || pool->child_count) {
                place++;
                continue;
            }
            jp__emit(pools, &(struct jp__event){.pool = pool, .message = "POOL_REMOVED", .origin = JP_ORIGIN_SERVICE});
            discard(pools, pool); /* the next one stands in its place then */
            all = jp_pools_sorted(pools, &count);
        }
    }
}

/* --- the end --- */

void jp_pools_free(struct jp_pools *pools) {
    if (!pools)
        return;
    jp__queue_discard(pools, NULL);
    size_t position = 0;
    for (struct jp_member *member; (member = jp_map_next(&pools->by_pid, &position)) != NULL;)
        jp__member_free(pools, member);
    pools->stages[JP_MEMBER_LINGERING].first = NULL;
    position = 0;
    for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;)
        pool->parent = NULL, pool->first_lingering = NULL; /* each goes by itself */
    jp__ops(pools)->keeper_close(pools->keeper);
    jp__ops(pools)->descriptor_free(pools->descriptor);
    while (pools->by_name.count) { /* a walk may skip one while others are taken out */
        position = 0;
        for (struct jp_pool *pool; (pool = jp_map_next(&pools->by_name, &position)) != NULL;)
            take_apart(pools, pool);
    }
    jp_map_free(&pools->pasts);
    jp_map_free(&pools->by_name);
    jp_map_free(&pools->by_object);
    jp_map_free(&pools->by_key);
    jp_map_free(&pools->by_pid);
    jp_map_free(&pools->waiters);
    jp_map_free(&pools->texts);
    jp__seen_clear(pools);
    jp__ephemerals_end(pools);
    jp__counters_free(pools);
    jp_free(pools->sorted);
    jp_free(pools);
}
