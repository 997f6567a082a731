/* service.* */
#include "rpc/rpc_internal.h"

/* How the accounts are, beside what the program told of the database already. */
static void put_accounts(struct jp_json_out *out, struct jp_rpc *rpc) {
    struct jp_accounts_state state;
    rpc->with.accounts->ops->state(rpc->with.accounts, &state);
    jp_out_bool(out, "degraded", state.degraded);
    jp_out_string(out, "reason", state.degraded ? state.reason : NULL);
    jp_out_u64(out, "backlog", state.backlog);
    jp_out_u64(out, "droppedEvents", state.dropped_events);
    jp_out_u64(out, "droppedAudits", state.dropped_audits);
    jp_out_u64(out, "droppedSamples", state.dropped_samples);
    if (state.dropped_to_seq) {
        jp_out_object(out, "dropped");
        jp_out_u64(out, "from", state.dropped_from_seq);
        jp_out_u64(out, "to", state.dropped_to_seq);
        jp_out_end_object(out);
    } else {
        jp_out_null(out, "dropped");
    }
    jp_out_u64_if(out, "firstSeq", state.first_seq != 0, state.first_seq);
    jp_out_u64(out, "committedSeq", state.committed_seq);
    jp_out_u64(out, "fileBytes", state.file_bytes);
    jp_out_u64(out, "walBytes", state.wal_bytes);
    jp_out_time(out, "lastPurge", state.last_purge_100ns);
}

static void put_deprecated(struct jp_json_out *out) {
    jp_out_array(out, "deprecated");
    for (const struct jp_method *method = jp__methods; method->name; method++)
        if (method->deprecated)
            jp_out_string(out, NULL, method->name);
    jp_out_end_array(out);
}

static void put_caller(struct jp_json_out *out, struct jp_rpc_connection *connection) {
    const struct jp_peer_ops *ops = connection->peer->ops;
    jp_out_object(out, "caller");
    jp_out_string(out, "user", ops->principal_name(connection->peer, connection->principal));
    jp_out_string(out, "sid", ops->principal_sid(connection->peer, connection->principal));
    jp__put_rights(out, "rights", jp__rights(connection, NULL));
    jp_out_end_object(out);
}

void jp__on_service_ping(struct jp_call *call, const void *parameters) {
    (void)parameters;
    jp_out_u64(jp__reply_begin(call), "protocol", JP_RPC_PROTOCOL);
    jp__reply_end(call);
}

void jp__on_service_status(struct jp_call *call, const void *parameters) {
    (void)parameters;
    struct jp_rpc *rpc = call->rpc;
    cJSON *told = cJSON_CreateObject(); /* by the program */
    rpc->with.program.add_status(rpc->with.program.context, told);
    cJSON *database = cJSON_DetachItemFromObjectCaseSensitive(told, "database"), *quotas = jp_schema_write(jp_quota_fields, &rpc->with.quotas);

    struct jp_json_out *out = jp__reply_begin(call);
    jp_out_u64(out, "protocol", JP_RPC_PROTOCOL);
    jp_out_members(out, told);
    put_deprecated(out);
    jp_out_u64(out, "pools", jp_pools_count(rpc->with.pools));
    jp_out_u64(out, "members", jp_pools_member_count(rpc->with.pools));
    jp_out_u64(out, "connections", rpc->open_count);
    jp_out_u64(out, "droppedNotifications", rpc->dropped_notifications);
    jp_out_u64(out, "seq", jp_pools_last_seq(rpc->with.pools));
    jp_out_object(out, "database");
    jp_out_members(out, database);
    put_accounts(out, rpc);
    jp_out_end_object(out);
    jp_out_object(out, "sampling");
    jp__put_sampling(out, rpc);
    jp_out_end_object(out);
    put_caller(out, call->connection);
    jp_out_tree(out, "quotas", quotas);
    jp__reply_end(call);
    cJSON_Delete(told);
    cJSON_Delete(database);
    cJSON_Delete(quotas);
}

void jp__on_service_capabilities(struct jp_call *call, const void *parameters) {
    (void)parameters;
    struct jp_backend *backend = call->rpc->with.backend;
    jp__put_capabilities(jp__reply_begin(call), backend->ops->capabilities(backend));
    jp__reply_end(call);
}

void jp__on_service_reload(struct jp_call *call, const void *parameters) {
    (void)parameters;
    struct jp_reload_result changes = {0};
    struct jp_error error;
    cJSON *data = NULL;
    if (call->rpc->with.program.reload(call->rpc->with.program.context, &changes, &data, &error)) {
        jp__refuse_with(call, &error, data);
        return;
    }
    struct jp_json_out *out = jp__reply_hold(call);
    jp__put_names(out, "added", &changes.added);
    jp__put_names(out, "changed", &changes.changed);
    jp__put_names(out, "removed", &changes.removed);
    jp__put_names(out, "orphaned", &changes.orphaned);
    jp_reload_result_clear(&changes);
    jp__reply_when_durable(call);
}
