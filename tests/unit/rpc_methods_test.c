/* The methods of pools and of the service: what a client asks for, and what comes back. (Of the accounts: rpc_accounting_test.c; of events:
 * rpc_events_test.c.) */
#include "rpc_world.h"

static void pools_by_the_configs_words(void **state) {
    struct rpc_world *world = *state;
    cJSON *answer = call(world, "pool.create",
                         "{\"name\":\"t\",\"limits\":{\"active_processes\":2,\"job_memory\":\"512MiB\",\"cpu_rate\":\"50%\"},"
                         "\"on_service_stop\":\"terminate\",\"ui\":[\"desktop\"]}");
    const cJSON *result = result_of(answer);
    char *limits = cJSON_PrintUnformatted(cJSON_GetObjectItem(result, "limits"));
    assert_string_equal(limits, "{\"active_processes\":2,\"job_memory\":\"512MiB\",\"cpu_rate\":{\"hard_cap\":\"50%\"}}");
    assert_string_equal(cJSON_GetObjectItem(result, "on_service_stop")->valuestring, "terminate");
    assert_string_equal(cJSON_GetObjectItem(result, "source")->valuestring, "transient");
    cJSON_free(limits);
    cJSON_Delete(answer);
    expect_error(call(world, "pool.create", "{\"name\":\"u\",\"limits\":{\"active_proceses\":2}}"), -32602,
                 "did you mean \"active_processes\"?");
    expect_error(call(world, "pool.create", "{\"name\":\"u\",\"limit\":{}}"), -32602, "did you mean \"limits\"?");
    expect_error(call(world, "pool.create", "{\"name\":\"u\",\"limits\":{\"kill_on_close\":true},\"on_service_stop\":\"keep\"}"), -32602,
                 "exclude each other");
    expect_error(call(world, "pool.create", "{\"limits\":{}}"), -32602, "name: missing");
    expect_error(call(world, "pool.create", "{\"name\":\"v\",\"parent\":\"nope\"}"), -32001, NULL);
    answer = call(world, "pool.update", "{\"pool\":\"t\",\"limits\":{\"job_memory\":null}}");
    limits = cJSON_PrintUnformatted(cJSON_GetObjectItem(result_of(answer), "limits"));
    assert_string_equal(limits, "{\"active_processes\":2,\"cpu_rate\":{\"hard_cap\":\"50%\"}}");
    cJSON_free(limits);
    cJSON_Delete(answer);
    expect_error(call(world, "pool.update", "{\"pool\":\"t\",\"parent\":\"build\"}"), -32602, "cannot change");
    cJSON_Delete(call(world, "pool.delete", "{\"pool\":\"t\"}"));
    expect_error(call(world, "pool.get", "{\"pool\":\"t\"}"), -32001, NULL);
    expect_error(call(world, "pool.delete", "{\"pool\":\"build\"}"), -32602, "in the configuration");
    expect_error(call(world, "pool.get", "{\"pool\":\"buidl\"}"), -32001, "did you mean \"build\"?");
}

static void launching_and_waiting(void **state) {
    struct rpc_world *world = *state;
    expect_error(call(world, "pool.launch", "{\"pool\":\"sub\"}"), -32602, "either argv or command");
    expect_error(call(world, "pool.launch", "{\"pool\":\"sub\",\"argv\":[\"a\"],\"command\":\"a\"}"), -32602, "either argv or command");
    cJSON *answer = call(world, "pool.launch", "{\"pool\":\"sub\",\"argv\":[\"x.exe\",\"a b\"],\"env\":{\"A\":\"1\",\"B\":null}}");
    uint32_t pid = (uint32_t)cJSON_GetObjectItem(result_of(answer), "pid")->valueint;
    assert_true(cJSON_IsString(cJSON_GetObjectItem(result_of(answer), "startTime")));
    cJSON_Delete(answer);
    char *wait = jp_sprintf("{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"pool.wait\",\"params\":{\"pool\":\"sub\",\"pid\":%u}}\n", pid);
    jp_sim_client_say(&world->client, wait);
    settle(world);
    expect_silence(&world->client);
    jp_sim_exit(world->pool->sim, pid, 5);
    settle(world);
    answer = take(&world->client);
    assert_int_equal(cJSON_GetObjectItem(result_of(answer), "exitCode")->valueint, 5);
    cJSON_Delete(answer);
    jp_sim_client_say(&world->client, wait); /* it has ended already */
    settle(world);
    answer = take(&world->client);
    assert_int_equal(cJSON_GetObjectItem(result_of(answer), "exitCode")->valueint, 5);
    cJSON_Delete(answer);
    jp_free(wait);
    launch(world->pool, "sub", "y.exe");
    jp_sim_client_say(&world->client, "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"pool.wait\",\"params\":{\"pool\":\"sub\",\"timeout\":\"2s\"}}\n");
    assert_true(jp_rpc_on_time(world->rpc) < UINT64_MAX);
    jp_sim_pass(world->pool->sim, 2001);
    jp_rpc_on_time(world->rpc);
    expect_error(take(&world->client), -32009, "pool.wait");
    jp_sim_pass(world->pool->sim, 5000);
    jp_rpc_on_time(world->rpc);
    expect_silence(&world->client); /* once */
    pid = launch(world->pool, "build", "z.exe");
    wait = jp_sprintf("{\"pool\":\"sub\",\"pid\":%u}", pid);
    expect_error(call(world, "pool.wait", wait), -32602, "is in another pool, not in \"sub\"");
    jp_free(wait);
}

static void refusals_of_assign(void **state) {
    struct rpc_world *world = *state;
    expect_error(call(world, "pool.assign", "{\"pool\":\"build\",\"pid\":4000000000}"), -32004, NULL);
    expect_error(call(world, "pool.assign", "{\"pool\":\"build\",\"pid\":-1}"), -32602, "pid");
    expect_error(call(world, "pool.assign", "{\"pool\":\"build\",\"pid\":0}"), -32602, "pid");
    expect_error(call(world, "pool.assign", "{\"pool\":\"build\",\"pid\":1.5}"), -32602, "pid");
    expect_error(call(world, "pool.assign", "{\"pool\":\"build\",\"pid\":99999999999}"), -32602, "pid");
    uint32_t pid = jp_sim_spawn(world->pool->sim, 0, "x.exe");
    char *params = jp_sprintf("{\"pool\":\"build\",\"pid\":\"%u\",\"startTime\":1}", pid); /* a decimal string is a number too */
    expect_error(call(world, "pool.assign", params), -32005, NULL);
    jp_free(params);
    jp_sim_protect(world->pool->sim, pid);
    params = jp_sprintf("{\"pool\":\"build\",\"pid\":%u}", pid);
    cJSON *answer = call(world, "pool.assign", params);
    const cJSON *data = cJSON_GetObjectItem(cJSON_GetObjectItem(answer, "error"), "data");
    assert_int_equal(cJSON_GetObjectItem(data, "win32")->valueint, 5);
    assert_string_equal(cJSON_GetObjectItem(data, "operation")->valuestring, "OpenProcess");
    cJSON_Delete(answer);
    jp_free(params);
}

static void a_client_that_leaves_takes_nothing_with_it(void **state) {
    struct rpc_world *world = *state;
    struct jp_sim_client other = {0};
    launch(world->pool, "build", "x.exe");
    jp_sim_client_connect(&other, world->rpc);
    jp_sim_client_say(&other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pool.wait\",\"params\":{\"pool\":\"build\"}}\n"
                 "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pool.wait\",\"params\":{\"pool\":\"build\"}}]\n"
                 "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"pool.launch\",\"params\":{\"pool\":\"sub\",\"argv\":[\"y.exe\"]}}\n"
                 "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"events.subscribe\",\"params\":{\"fromSeq\":1}}\n"
                 "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"accounting.processes\"}\n{\"jsonrpc\"");
    jp_sim_client_hang_up(&other);
    settle(world); /* the launch was begun: it goes on; the rest is let go */
    assert_int_equal(jp_pools_member_count(world->pool->pools), 2);
}

static void reloading(void **state) {
    struct rpc_world *world = *state;
    cJSON *answer = call(world, "service.reload", "{}");
    assert_non_null(cJSON_GetObjectItem(result_of(answer), "orphaned"));
    cJSON_Delete(answer);
    answer = call(world, "service.reload", "{}");
    const cJSON *data = cJSON_GetObjectItem(cJSON_GetObjectItem(answer, "error"), "data");
    assert_non_null(cJSON_GetObjectItem(data, "faults"));
    expect_error(answer, -32011, "a fault");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(pools_by_the_configs_words),
        TEST(launching_and_waiting),
        TEST(refusals_of_assign),
        TEST(a_client_that_leaves_takes_nothing_with_it),
        TEST(reloading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
