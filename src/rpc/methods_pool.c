/* pool.*: the pools themselves. What is done to processes stands in methods_process.c. */
#include "rpc/rpc_internal.h"

void jp__on_pool_list(struct jp_call *call, const void *parameters) {
    (void)parameters;
    size_t count;
    struct jp_pool *const *all = jp_pools_sorted(call->rpc->with.pools, &count);
    struct jp_json_out *out = jp__reply_begin(call);
    jp_out_array(out, "pools");
    for (size_t i = 0; i < count; i++) {
        uint32_t rights = jp__rights(call->connection, all[i]);
        if (!(rights & JP_RIGHT_VIEW))
            continue;
        jp_out_object(out, NULL);
        jp__put_pool_row(out, call->connection, all[i], rights);
        jp_out_end_object(out);
    }
    jp_out_end_array(out);
    jp__reply_end(call);
}

void jp__on_pool_get(struct jp_call *call, const void *parameters) {
    (void)parameters;
    jp__put_pool(jp__reply_begin(call), call->connection, call->pool);
    jp__reply_end(call);
}

/* What was changed is on the disk when the caller hears of it. */
static void answer_with_pool(struct jp_call *call, jp_status status, const struct jp_error *error, struct jp_pool *pool) {
    if (status) {
        jp__refuse(call, error);
        return;
    }
    jp__put_pool(jp__reply_hold(call), call->connection, pool);
    jp__reply_when_durable(call);
}

/* What reaches beyond the pool: processes of others, another account's rights, names that other programs may use; and a descriptor as it is, which
 * could shut the administrators out. Who has been given a pool may not change that. */
static jp_status check_reach(struct jp_call *call, const struct jp_pool_spec *spec, struct jp_error *error) {
    const uint64_t reaching = JP_SCHEMA_BIT(JP_POOL_MATCH) | JP_SCHEMA_BIT(JP_POOL_EXCLUDE) | JP_SCHEMA_BIT(JP_POOL_DEFAULT) |
                              JP_SCHEMA_BIT(JP_POOL_SECURITY) | JP_SCHEMA_BIT(JP_POOL_OBJECT_NAME);
    static const struct jp_limits none = {0};
    if ((spec->access.sddl || spec->present & (reaching | reaching << 32)) && jp__need(call, NULL, JP_RIGHT_ADMIN, error))
        return error->status;
    return jp__need_for_limits(call, &spec->limits, call->pool ? &call->pool->spec.limits : &none, error);
}

/* Pools stand below one that the caller is an admin of, or it is one of the service. */
static jp_status may_make(struct jp_call *call, const struct jp_pool_spec *spec, struct jp_error *error) {
    const struct jp_pool *parent = spec->parent ? jp__find_pool(call, spec->parent, error) : NULL;
    if (spec->parent && !parent)
        return error->status;
    jp_status status = jp__need(call, parent, JP_RIGHT_ADMIN, error);
    return status ? status : check_reach(call, spec, error);
}

/* Who may put processes into a pool may put them into a smaller one. */
static jp_status may_make_ephemeral(struct jp_call *call, const struct jp_pool_parameters *given, struct jp_error *error) {
    static const struct jp_limits none = {0};
    const struct jp_peer_ops *ops = call->connection->peer->ops;
    const char *parent_name = given->spec.parent, *sid = ops->principal_sid(call->connection->peer, call->connection->principal);
    uint32_t most = call->rpc->with.quotas.ephemeral_pools;
    const struct jp_pool *parent = parent_name ? jp__find_pool(call, parent_name, error) : NULL;
    if (parent_name && !parent)
        return error->status;
    bool may_use = parent && jp__rights(call->connection, parent) & (JP_RIGHT_ASSIGN | JP_RIGHT_LAUNCH);
    jp_status status = may_use ? JP_OK : jp__need(call, parent, parent ? JP_RIGHT_LAUNCH : JP_RIGHT_ADMIN, error);
    if (status == JP_OK)
        status = jp__need_for_limits(call, &given->spec.limits, &none, error);
    if (status == JP_OK && given->flag)
        status = jp_fail(error, JP_E_PARAMS, "pool.create: give either persist or ephemeral");
    if (status == JP_OK && jp_pools_ephemeral_count(call->rpc->with.pools, sid) >= most)
        status = jp_fail(error, JP_E_QUOTA, "%s has %u ephemeral pools already; that is the bound for one account (quotas.ephemeral_pools)", jp__caller(call),
                         (unsigned)most);
    return status;
}

static void create_ephemeral(struct jp_call *call, const struct jp_pool_parameters *given) {
    struct jp_rpc_connection *connection = call->connection;
    struct jp_pool *pool = NULL;
    struct jp_error error;
    jp_status status = may_make_ephemeral(call, given, &error);
    if (status == JP_OK)
        status = jp_pools_create_ephemeral(call->rpc->with.pools, given->pool, &given->spec,
                                           connection->peer->ops->principal_sid(connection->peer, connection->principal), connection, &pool, &error);
    connection->holds_pools |= pool != NULL;
    answer_with_pool(call, status, &error, pool);
}

void jp__on_pool_create(struct jp_call *call, const void *parameters) {
    const struct jp_pool_parameters *given = parameters;
    struct jp_pool *pool = NULL;
    struct jp_error error;
    if (given->ephemeral) {
        create_ephemeral(call, given);
        return;
    }
    jp_status status = may_make(call, &given->spec, &error);
    if (status == JP_OK)
        status = jp_pools_create(call->rpc->with.pools, given->pool, &given->spec, given->flag, &pool, &error);
    answer_with_pool(call, status, &error, pool);
}

void jp__on_pool_update(struct jp_call *call, const void *parameters) {
    const struct jp_pool_parameters *given = parameters;
    struct jp_error error;
    jp_status status = check_reach(call, &given->spec, &error);
    if (status == JP_OK)
        status = jp_pools_update(call->rpc->with.pools, call->pool, &given->spec, &error);
    answer_with_pool(call, status, &error, call->pool);
}

void jp__on_pool_freeze(struct jp_call *call, const void *parameters) {
    const struct jp_pool_parameters *given = parameters;
    struct jp_error error;
    answer_with_pool(call, jp_pools_freeze(call->rpc->with.pools, call->pool, given->flag, &error), &error, call->pool);
}

void jp__on_pool_thaw(struct jp_call *call, const void *parameters) {
    struct jp_error error;
    (void)parameters;
    answer_with_pool(call, jp_pools_thaw(call->rpc->with.pools, call->pool, &error), &error, call->pool);
}

static void put_matched(void *context, const struct jp_matched *matched) {
    struct jp_json_out *out = context;
    jp_out_object(out, NULL);
    jp_out_u64(out, "pid", matched->pid);
    jp_out_decimal(out, "startTime", matched->facts->start_100ns);
    jp_out_string(out, "image", matched->facts->image);
    jp_out_string(out, "user", matched->facts->user);
    jp_out_string(out, "pool", matched->pool ? matched->pool->name : NULL);
    jp_out_u64_if(out, "rule", matched->pool && matched->rule != SIZE_MAX, matched->rule);
    jp_out_string(out, "why", matched->why);
    jp_out_end_object(out);
}

void jp__on_pool_match(struct jp_call *call, const void *parameters) {
    const struct jp_pool_parameters *given = parameters;
    struct jp_error error;
    struct jp_json_out *out = jp__reply_hold(call); /* while it goes on, things happen */
    call->audited.wanted &= given->flag; /* otherwise it is only told */
    jp_out_array(out, "processes");
    jp_status status = jp_pools_match(call->rpc->with.pools, given->pid, given->flag, put_matched, out, &error);
    jp_out_end_array(out);
    if (status)
        jp__refuse(call, &error);
    else
        jp__reply_held(call);
}

static void answer_with_count(struct jp_call *call, jp_status status, const struct jp_error *error, const char *pool, size_t terminated) {
    if (status) {
        jp__refuse(call, error);
        return;
    }
    struct jp_json_out *out = jp__reply_hold(call);
    jp_out_string(out, "pool", pool);
    jp_out_u64(out, "terminated", terminated);
    jp__reply_when_durable(call);
}

void jp__on_pool_delete(struct jp_call *call, const void *parameters) {
    const struct jp_pool_parameters *given = parameters;
    struct jp_error error;
    size_t count = 0;
    jp_status status = jp_pools_delete(call->rpc->with.pools, call->pool, given->flag, &count, &error);
    answer_with_count(call, status, &error, given->pool, count);
}

void jp__on_pool_terminate(struct jp_call *call, const void *parameters) {
    const struct jp_pool_parameters *given = parameters;
    struct jp_error error;
    size_t count = 0;
    uint32_t exit_code = jp__given(call, given->present, "exitCode") ? given->exit_code : 1;
    jp_status status = jp_pools_terminate(call->rpc->with.pools, call->pool, exit_code, &count, &error);
    answer_with_count(call, status, &error, given->pool, count);
}

static void put_processes(struct jp_json_out *out, struct jp_rpc_connection *connection, const struct jp_pool *pool, bool recursive) {
    if (!(jp__rights(connection, pool) & JP_RIGHT_VIEW))
        return;
    for (struct jp_member *member = pool->first_member; member; member = member->next) {
        jp_pools_refresh_usage(connection->rpc->with.pools, member);
        jp_out_object(out, NULL);
        jp__put_process_for(out, connection, &member->record);
        jp_out_end_object(out);
    }
    for (size_t i = 0; recursive && i < pool->child_count; i++)
        put_processes(out, connection, pool->children[i], true);
}

void jp__on_pool_processes(struct jp_call *call, const void *parameters) {
    const struct jp_pool_parameters *given = parameters;
    bool recursive = jp__given(call, given->present, "recursive") ? given->flag : true;
    struct jp_json_out *out = jp__reply_begin(call);
    jp_out_array(out, "processes");
    put_processes(out, call->connection, call->pool, recursive);
    jp_out_end_array(out);
    jp__reply_end(call);
}

/* --- pool.wait --- */

static void on_waited(void *context, const struct jp_process_record *record) {
    struct jp_call *call = context;
    call->cancel = NULL;
    struct jp_json_out *out = jp__reply_begin(call);
    if (record) {
        jp__put_process_for(out, call->connection, record);
    } else {
        jp_out_string(out, "pool", call->text);
        jp_out_bool(out, "empty", true);
    }
    jp__reply_end(call);
}

/* Of the pool, which cannot go while somebody waits for it. */
static void tell_waiting(struct jp_call *call) {
    const struct jp_pool *pool = jp_pools_find(call->rpc->with.pools, call->text);
    cJSON *value = cJSON_CreateObject();
    cJSON_AddStringToObject(value, "pool", call->text);
    jp_json_add_u64(value, "members", pool ? jp_pool_total_members(pool) : 0);
    jp__progress(call, value);
}

static void cancel_wait(struct jp_call *call) { jp_pools_wait_cancel(call->rpc->with.pools, call->waiting_for); }

/* The process may have ended before the request came: the accounts know. */
static void on_found_ended(void *context, jp_status status, const struct jp_error *error, const struct jp_process_record *records,
                           size_t count) {
    struct jp_call *call = context;
    struct jp_error never;
    if (status) {
        jp__refuse(call, error);
    } else if (count && records[count - 1].ending != JP_ENDING_NONE) {
        jp__put_process_for(jp__reply_begin(call), call->connection, &records[count - 1]);
        jp__reply_end(call);
    } else {
        jp_fail(&never, JP_E_NO_PROCESS, "process %u is not in pool \"%s\", and has not been", (unsigned)call->number, call->text);
        jp__refuse(call, &never);
    }
}

/* A member of the pool or of one below it; one that the caller may not view is none. */
static jp_status find_member(struct jp_call *call, const struct jp_process_parameters *given, struct jp_member **ret_member, struct jp_error *error) {
    const struct jp_pool *pool = call->pool;
    struct jp_member *member;
    jp_status status = jp_pools_find_process(call->rpc->with.pools, given->pid, (int64_t)given->start_100ns, &member, error);
    if (status)
        return status;
    if (!(jp__rights(call->connection, member->pool) & JP_RIGHT_VIEW))
        return jp_fail(error, JP_E_NO_PROCESS, "no pool has a process %u", (unsigned)given->pid);
    for (const struct jp_pool *at = member->pool; at != pool; at = at->parent)
        if (!at->parent)
            return jp_fail(error, JP_E_PARAMS, "process %u is in another pool, not in \"%s\"", (unsigned)given->pid, pool->name);
    *ret_member = member;
    return JP_OK;
}

static void ask_accounts(struct jp_call *call, const struct jp_process_parameters *given) {
    struct jp_accounts *accounts = call->rpc->with.accounts;
    struct jp_process_filter filter = {.pool = call->text, .pid = given->pid, .start_100ns = (int64_t)given->start_100ns, .limit = 10000};
    accounts->ops->query_processes(accounts, &filter, on_found_ended, call);
}

/* What an ephemeral pool was made for may be over before its maker gets to wait for it. */
static void wait_for_gone(struct jp_call *call, const struct jp_process_parameters *given) {
    if (given->pid)
        ask_accounts(call, given);
    else
        on_waited(call, NULL);
}

void jp__on_pool_wait(struct jp_call *call, const void *parameters) {
    const struct jp_process_parameters *given = parameters;
    struct jp_rpc *rpc = call->rpc;
    struct jp_member *member = NULL;
    struct jp_error error;
    call->text = jp_strdup(given->pool);
    call->number = given->pid;
    if (jp__made_and_gone(call->connection, given->pool)) {
        wait_for_gone(call, given);
        return;
    }
    struct jp_pool *pool = call->pool = jp__find_pool(call, given->pool, &error);
    bool running = pool && (!given->pid || find_member(call, given, &member, &error) == JP_OK);
    if (!pool || (!running && error.status == JP_E_PARAMS)) {
        jp__refuse(call, &error);
        return;
    }
    if (!running) {
        ask_accounts(call, given);
        return;
    }
    struct jp_waiter *waiter = jp_pools_wait(rpc->with.pools, pool, member, on_waited, call);
    if (!waiter)
        return; /* answered */
    call->cancel = cancel_wait;
    call->waiting_for = waiter;
    if (jp__given(call, given->present, "timeout"))
        jp__call_set_deadline(call, rpc->with.now_ms(rpc->with.clock_context) + given->timeout_100ns / 10000);
    jp__call_tell_progress(call, tell_waiting);
}
