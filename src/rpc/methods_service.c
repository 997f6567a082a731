/* service.* */
#include "rpc/rpc_internal.h"

/* How the accounts are, beside what the program told of the database already. */
static void add_accounts(struct jp_rpc *rpc, cJSON *database) {
    struct jp_accounts_state state;
    rpc->with.accounts->ops->state(rpc->with.accounts, &state);
    cJSON_AddBoolToObject(database, "degraded", state.degraded);
    jp_json_add_string(database, "reason", state.degraded ? state.reason : NULL);
    jp_json_add_u64(database, "backlog", state.backlog);
    jp_json_add_u64(database, "droppedEvents", state.dropped_events);
    jp_json_add_u64(database, "droppedAudits", state.dropped_audits);
    jp_json_add_u64(database, "droppedSamples", state.dropped_samples);
    if (state.dropped_to_seq) {
        cJSON *range = cJSON_AddObjectToObject(database, "dropped");
        jp_json_add_u64(range, "from", state.dropped_from_seq);
        jp_json_add_u64(range, "to", state.dropped_to_seq);
    } else {
        cJSON_AddNullToObject(database, "dropped");
    }
    if (state.first_seq)
        jp_json_add_u64(database, "firstSeq", state.first_seq);
    else
        cJSON_AddNullToObject(database, "firstSeq");
    jp_json_add_u64(database, "committedSeq", state.committed_seq);
    jp_json_add_u64(database, "fileBytes", state.file_bytes);
    jp_json_add_u64(database, "walBytes", state.wal_bytes);
    jp_json_add_time(database, "lastPurge", state.last_purge_100ns);
}

static void add_deprecated(cJSON *status) {
    cJSON *names = cJSON_AddArrayToObject(status, "deprecated");
    for (const struct jp_method *method = jp__methods; method->name; method++)
        if (method->deprecated)
            cJSON_AddItemToArray(names, cJSON_CreateString(method->name));
}

static void add_caller(struct jp_rpc_connection *connection, cJSON *status) {
    const struct jp_peer_ops *ops = connection->peer->ops;
    cJSON *caller = cJSON_AddObjectToObject(status, "caller");
    cJSON_AddStringToObject(caller, "user", ops->principal_name(connection->peer, connection->principal));
    cJSON_AddStringToObject(caller, "sid", ops->principal_sid(connection->peer, connection->principal));
    cJSON_AddItemToObject(caller, "rights", jp__render_rights(jp__rights(connection, NULL)));
}

void jp__on_service_ping(struct jp_call *call, const void *parameters) {
    (void)parameters;
    jp_out_u64(jp__reply_begin(call), "protocol", JP_RPC_PROTOCOL);
    jp__reply_end(call);
}

void jp__on_service_status(struct jp_call *call, const void *parameters) {
    (void)parameters;
    struct jp_rpc *rpc = call->rpc;
    cJSON *status = cJSON_CreateObject();
    jp_json_add_u64(status, "protocol", JP_RPC_PROTOCOL);
    rpc->with.program.add_status(rpc->with.program.context, status);
    add_deprecated(status);
    jp_json_add_u64(status, "pools", jp_pools_count(rpc->with.pools));
    jp_json_add_u64(status, "members", jp_pools_member_count(rpc->with.pools));
    jp_json_add_u64(status, "connections", rpc->open_count);
    jp_json_add_u64(status, "seq", jp_pools_last_seq(rpc->with.pools));
    cJSON *database = cJSON_GetObjectItemCaseSensitive(status, "database");
    if (!database)
        database = cJSON_AddObjectToObject(status, "database");
    add_accounts(rpc, database);
    cJSON_AddItemToObject(status, "sampling", jp__render_sampling(rpc));
    add_caller(call->connection, status);
    cJSON_AddItemToObject(status, "quotas", jp_schema_write(jp_quota_fields, &rpc->with.quotas));
    jp__reply(call, status);
}

void jp__on_service_capabilities(struct jp_call *call, const void *parameters) {
    (void)parameters;
    struct jp_backend *backend = call->rpc->with.backend;
    jp__reply(call, jp__render_capabilities(backend->ops->capabilities(backend)));
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
    cJSON *result = cJSON_CreateObject();
    cJSON_AddItemToObject(result, "added", jp__render_names(&changes.added));
    cJSON_AddItemToObject(result, "changed", jp__render_names(&changes.changed));
    cJSON_AddItemToObject(result, "removed", jp__render_names(&changes.removed));
    cJSON_AddItemToObject(result, "orphaned", jp__render_names(&changes.orphaned));
    jp_reload_result_clear(&changes);
    jp__reply_when_durable(call, result);
}
