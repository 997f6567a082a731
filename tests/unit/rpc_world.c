#include "rpc_world.h"

static int64_t now_100ns(void *context) { return jp_sim_now_100ns(((struct rpc_world *)context)->pool->sim); }
static uint64_t now_ms(void *context) { return jp_sim_now_ms(((struct rpc_world *)context)->pool->sim); }
static void add_status(void *context, cJSON *status) {
    (void)context;
    cJSON_AddStringToObject(status, "program", "test");
}

static jp_status reload(void *context, struct jp_reload_result *ret_result, cJSON **ret_data, struct jp_error *error) {
    struct rpc_world *world = context;
    *ret_result = (struct jp_reload_result){0};
    if (world->reloads++ == 0)
        return JP_OK;
    *ret_data = cJSON_Parse("{\"faults\": [{\"line\": 3}]}");
    return jp_fail(error, JP_E_CONFIG, "a fault");
}

static void on_event(void *context, const struct jp_event *event) { jp_rpc_on_event(((struct rpc_world *)context)->rpc, event); }

int rpc_world_open(void **state) {
    void *pool;
    pool_world_open(&pool);
    struct rpc_world *world = jp_alloc(sizeof *world);
    world->pool = pool;
    struct jp_rpc_setup setup = {.pools = world->pool->pools, .accounts = jp_ledger_accounts(world->pool->ledger),
                                 .backend = jp_sim_backend(world->pool->sim), .clock_context = world, .now_ms = now_ms, .now_100ns = now_100ns,
                                 .program = {.context = world, .add_status = add_status, .reload = reload}};
    world->rpc = jp_rpc_new(&setup, 0);
    world->pool->on_event = on_event;
    world->pool->event_context = world;
    pool_world_load(world->pool, "{\"build\": {\"limits\": {\"active_processes\": 3}}, \"sub\": {\"parent\": \"build\"}}");
    jp_sim_client_connect(&world->client, world->rpc);
    *state = world;
    return 0;
}

int rpc_world_close(void **state) {
    struct rpc_world *world = *state;
    void *pool = world->pool;
    jp_sim_client_hang_up(&world->client);
    jp_ledger_commit(world->pool->ledger);
    pool_world_close(&pool);
    jp_rpc_free(world->rpc);
    jp_free(world);
    return 0;
}

void settle(struct rpc_world *world) {
    jp_sim_deliver(world->pool->sim, world->pool->pools);
    jp_rpc_on_committed(world->rpc, jp_ledger_commit(world->pool->ledger));
}

cJSON *take(struct jp_sim_client *client) {
    const char *text = jp_str_text(&client->received);
    const char *end = strchr(text, '\n');
    assert_non_null(end);
    cJSON *json = cJSON_ParseWithLength(text, (size_t)(end - text));
    assert_non_null(json);
    jp_str_remove_front(&client->received, (size_t)(end - text) + 1);
    return json;
}

void expect_silence(struct jp_sim_client *client) { assert_string_equal(jp_str_text(&client->received), ""); }

cJSON *call(struct rpc_world *world, const char *method, const char *params) {
    char *line = jp_sprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}\n", method, params);
    jp_sim_client_say(&world->client, line);
    jp_free(line);
    if (!world->client.received.length)
        settle(world);
    return take(&world->client);
}

void expect_error(cJSON *answer, int code, const char *text) {
    const cJSON *error = cJSON_GetObjectItem(answer, "error");
    assert_non_null(error);
    assert_int_equal(cJSON_GetObjectItem(error, "code")->valueint, code);
    if (text && !strstr(cJSON_GetObjectItem(error, "message")->valuestring, text))
        fail_msg("\"%s\" is not in \"%s\"", text, cJSON_GetObjectItem(error, "message")->valuestring);
    assert_non_null(cJSON_GetObjectItem(cJSON_GetObjectItem(error, "data"), "name"));
    assert_null(cJSON_GetObjectItem(answer, "result"));
    cJSON_Delete(answer);
}

const cJSON *result_of(const cJSON *answer) {
    const cJSON *result = cJSON_GetObjectItem(answer, "result");
    if (!result)
        fail_msg("%s", cJSON_PrintUnformatted(answer));
    return result;
}

double number_in(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItem(object, key);
    if (!cJSON_IsNumber(item))
        fail_msg("%s: %s", key, cJSON_PrintUnformatted(object));
    return item->valuedouble;
}
