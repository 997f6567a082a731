/* A subscription, from its request to its end, over pools and accounts; all orders of what can happen to one: subscriptions_orders_test.c. */
#include "rpc_world.h"

static uint64_t next_seq(struct jp_sim_client *client) {
    cJSON *message = take(client);
    assert_string_equal(cJSON_GetObjectItem(message, "method")->valuestring, "event");
    uint64_t seq = (uint64_t)cJSON_GetObjectItem(cJSON_GetObjectItem(message, "params"), "seq")->valueint;
    cJSON_Delete(message);
    return seq;
}

static void from_the_past_into_the_present(void **state) {
    struct rpc_world *world = *state;
    for (int i = 0; i < 700; i++) { /* more than a page */
        char *name = jp_sprintf("%d", i);
        jp_pools_note(world->pool->pools, "NOTE", name);
        jp_free(name);
    }
    settle(world);
    jp_sim_client_say(&world->client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.subscribe\",\"params\":{\"fromSeq\":1}}\n");
    cJSON_Delete(take(&world->client));
    uint64_t expected = 1;
    for (int i = 0; i < 50; i++) {
        jp_pools_note(world->pool->pools, "LATER", NULL);
        if (i % 3 == 0)
            settle(world);
    }
    settle(world);
    uint64_t last = jp_pools_last_seq(world->pool->pools);
    while (world->client.received.length)
        assert_int_equal(next_seq(&world->client), expected++);
    assert_int_equal(expected, last + 1);
}

static void an_event_is_shown_only_when_it_is_on_disk(void **state) {
    struct rpc_world *world = *state;
    settle(world);
    cJSON_Delete(call(world, "events.subscribe", "{}"));
    uint64_t seq = jp_pools_note(world->pool->pools, "NOTE", NULL);
    expect_silence(&world->client);
    settle(world);
    assert_int_equal(next_seq(&world->client), seq);
}

static void a_slow_reader_misses_nothing(void **state) {
    struct rpc_world *world = *state;
    settle(world);
    cJSON_Delete(call(world, "events.subscribe", "{}"));
    uint64_t first = jp_pools_last_seq(world->pool->pools) + 1;
    world->client.unread = JP_RPC_PAUSE_UNSENT + 1;
    for (int i = 0; i < JP_RPC_RECENT_EVENTS + 100; i++) { /* more than memory keeps */
        jp_pools_note(world->pool->pools, "NOTE", NULL);
        if (i % 100 == 0)
            settle(world);
    }
    settle(world);
    expect_silence(&world->client);
    world->client.unread = 0;
    jp_rpc_drained(world->client.connection);
    settle(world);
    cJSON *message = take(&world->client);
    const cJSON *gap = cJSON_GetObjectItem(cJSON_GetObjectItem(message, "params"), "gap");
    assert_int_equal(cJSON_GetObjectItem(gap, "from")->valueint, first);
    assert_int_equal(cJSON_GetObjectItem(gap, "to")->valueint, first + JP_RPC_RECENT_EVENTS + 99);
    assert_string_equal(cJSON_GetObjectItem(gap, "reason")->valuestring, "slow");
    cJSON_Delete(message);
    for (uint64_t seq = first; seq < first + JP_RPC_RECENT_EVENTS + 100; seq++)
        assert_int_equal(next_seq(&world->client), seq);
    expect_silence(&world->client);
}

static void filters_and_unsubscribing(void **state) {
    struct rpc_world *world = *state;
    settle(world);
    cJSON_Delete(call(world, "events.subscribe", "{\"pools\":[\"sub\"],\"messages\":[\"NEW_PROCESS\"]}"));
    launch(world->pool, "sub", "x.exe");
    settle(world);
    cJSON *message = take(&world->client);
    const cJSON *event = cJSON_GetObjectItem(message, "params");
    assert_string_equal(cJSON_GetObjectItem(event, "message")->valuestring, "JOB_OBJECT_MSG_NEW_PROCESS");
    assert_string_equal(cJSON_GetObjectItem(event, "pool")->valuestring, "sub");
    assert_string_equal(cJSON_GetObjectItem(event, "process")->valuestring, "x.exe");
    assert_int_equal(cJSON_GetObjectItem(event, "subscription")->valueint, 1);
    cJSON_Delete(message);
    expect_silence(&world->client);
    expect_error(call(world, "events.unsubscribe", "{\"subscription\":2}"), -32015, NULL);
    cJSON_Delete(call(world, "events.unsubscribe", "{\"subscription\":1}"));
    launch(world->pool, "sub", "y.exe");
    settle(world);
    expect_silence(&world->client);
    for (int i = 0; i < 16; i++)
        cJSON_Delete(call(world, "events.subscribe", "{}"));
    expect_error(call(world, "events.subscribe", "{}"), -32007, "16 subscriptions");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(from_the_past_into_the_present),
        TEST(an_event_is_shown_only_when_it_is_on_disk),
        TEST(a_slow_reader_misses_nothing),
        TEST(filters_and_unsubscribing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
