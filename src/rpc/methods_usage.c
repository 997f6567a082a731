/* pool.usage: one call, one picture, however many pools there are. */
#include "rpc/rpc_internal.h"

#include <string.h>

static void put_process(struct jp_json_out *out, struct jp_rpc_connection *connection, const struct jp_member *member) {
    jp_out_object(out, NULL);
    jp__put_process_for(out, connection, &member->record);
    jp_out_u64_if(out, "commitBytes", member->sampled_in != 0, member->commit_bytes);
    jp_out_u64_if(out, "workingSetBytes", member->sampled_in != 0, member->working_set_bytes);
    jp_out_end_object(out);
}

static void put_processes(struct jp_json_out *out, struct jp_rpc_connection *connection, const struct jp_pool *pool) {
    if (!(jp__rights(connection, pool) & JP_RIGHT_VIEW))
        return;
    for (const struct jp_member *member = pool->first_member; member; member = member->next)
        put_process(out, connection, member);
    for (size_t i = 0; i < pool->child_count; i++)
        put_processes(out, connection, pool->children[i]);
}

/* `top` NULL: all; `processes_of` NULL: no processes. */
static void put_picture(struct jp_json_out *out, struct jp_rpc_connection *connection, struct jp_pool *top, const struct jp_pool *processes_of) {
    struct jp_rpc *rpc = connection->rpc;
    struct jp_usage_picture picture;
    jp_pools_usage(rpc->with.pools, top, &picture);
    jp_out_time(out, "time", picture.time_100ns);
    jp_out_u64(out, "clock100ns", picture.clock_100ns);
    jp_out_u64(out, "processors", rpc->with.backend->ops->capabilities(rpc->with.backend)->processors);
    jp_out_u64(out, "lastSeq", jp_pools_last_seq(rpc->with.pools));
    jp_out_array(out, "pools");
    for (size_t i = 0; i < picture.count; i++) {
        if (!(jp__rights(connection, picture.pools[i].pool) & JP_RIGHT_VIEW))
            continue;
        jp_out_object(out, NULL);
        jp__put_pool_usage(out, connection, &picture.pools[i]);
        jp_out_end_object(out);
    }
    jp_out_end_array(out);
    if (processes_of) {
        jp_out_array(out, "processes");
        put_processes(out, connection, processes_of);
        jp_out_end_array(out);
    }
    jp_usage_picture_clear(&picture);
}

/* Of those that it asked for; each may be NULL, which is found. False with the call refused: one is not there. */
static bool find(struct jp_call *call, const char *name, struct jp_pool **ret_pool) {
    struct jp_error error;
    *ret_pool = name ? jp__find_pool(call, name, &error) : NULL;
    if (name && !*ret_pool)
        jp__refuse(call, &error);
    return !name || *ret_pool;
}

/* The pools may have gone meanwhile. Their names stand in the call's text, each with a "/" behind it, which no name has. */
static void on_looked(void *context) {
    struct jp_call *call = context;
    struct jp_pool *top, *processes_of;
    call->cancel = NULL;
    char *first = call->text, *second = strchr(first, '/') + 1;
    second[-1] = second[strlen(second) - 1] = '\0';
    if (!find(call, *first ? first : NULL, &top) || !find(call, *second ? second : NULL, &processes_of))
        return;
    if (jp__refuse_unread(call))
        return;
    put_picture(jp__reply_begin(call), call->connection, top, processes_of);
    jp__reply_end(call);
}

static void cancel_look(struct jp_call *call) { jp_pools_look_cancel(call->rpc->with.pools, call->waiting_for); }

void jp__on_pool_usage(struct jp_call *call, const void *parameters) {
    const struct jp_usage_parameters *given = parameters;
    struct jp_pool *pool;
    if (!find(call, given->pool, &pool) || !find(call, given->processes_of, &pool))
        return;
    call->text = jp_sprintf("%s/%s/", given->pool ? given->pool : "", given->processes_of ? given->processes_of : "");
    struct jp_looker *looker = jp_pools_look(call->rpc->with.pools, on_looked, call);
    if (!looker)
        return; /* answered */
    call->cancel = cancel_look;
    call->waiting_for = looker;
}
