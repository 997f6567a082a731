/* pool.usage: one call, one picture, however many pools there are. */
#include "rpc/rpc_internal.h"

#include <string.h>

static void add_process(struct jp_rpc_connection *connection, const struct jp_member *member, cJSON *list) {
    cJSON *process = jp__render_process_for(connection, &member->record);
    jp__add_if(process, "commitBytes", member->sampled_in != 0, member->commit_bytes);
    jp__add_if(process, "workingSetBytes", member->sampled_in != 0, member->working_set_bytes);
    cJSON_AddItemToArray(list, process);
}

static void add_processes(struct jp_rpc_connection *connection, const struct jp_pool *pool, cJSON *list) {
    if (!(jp__rights(connection, pool) & JP_RIGHT_VIEW))
        return;
    for (const struct jp_member *member = pool->first_member; member; member = member->next)
        add_process(connection, member, list);
    for (size_t i = 0; i < pool->child_count; i++)
        add_processes(connection, pool->children[i], list);
}

/* `top` NULL: all; `processes_of` NULL: no processes. */
static cJSON *render_picture(struct jp_rpc_connection *connection, struct jp_pool *top, const struct jp_pool *processes_of) {
    struct jp_rpc *rpc = connection->rpc;
    struct jp_usage_picture picture;
    jp_pools_usage(rpc->with.pools, top, &picture);
    cJSON *result = cJSON_CreateObject();
    jp_json_add_time(result, "time", picture.time_100ns);
    jp_json_add_u64(result, "clock100ns", picture.clock_100ns);
    jp_json_add_u64(result, "processors", rpc->with.backend->ops->capabilities(rpc->with.backend)->processors);
    jp_json_add_u64(result, "lastSeq", jp_pools_last_seq(rpc->with.pools));
    cJSON *pools = cJSON_AddArrayToObject(result, "pools");
    for (size_t i = 0; i < picture.count; i++)
        if (jp__rights(connection, picture.pools[i].pool) & JP_RIGHT_VIEW)
            cJSON_AddItemToArray(pools, jp__render_pool_usage(connection, &picture.pools[i]));
    if (processes_of)
        add_processes(connection, processes_of, cJSON_AddArrayToObject(result, "processes"));
    jp_usage_picture_clear(&picture);
    return result;
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
    if (find(call, *first ? first : NULL, &top) && find(call, *second ? second : NULL, &processes_of))
        jp__reply(call, render_picture(call->connection, top, processes_of));
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
