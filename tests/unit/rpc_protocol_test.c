/* JSON-RPC as it is spoken: requests, batches and notifications, what bounds them, and who gets no answer. */
#include "rpc_world.h"

#include <stdlib.h>

/* A line in, a line out; NULL: nothing comes back. From the specification, and from what clients get wrong. */
static void the_letter_of_the_specification(void **state) {
    struct rpc_world *world = *state;
    static const struct {
        const char *in;
        int code; /* 0: a result */
        const char *id; /* as JSON */
    } lines[] = {
        {"{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":1}", 0, "1"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":0}", 0, "0"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":\"abc\"}", 0, "\"abc\""},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":null}", 0, "null"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":1.5}", 0, "1.5"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"params\":{},\"id\":7}", 0, "7"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"foobar\",\"id\":\"1\"}", -32601, "\"1\""},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"foobar, \"params\":\"bar\",\"baz]", -32700, "null"},
        {"{\"jsonrpc\":\"2.0\",\"method\":1,\"params\":\"bar\"}", -32600, "null"},
        {"{\"jsonrpc\":\"1.0\",\"method\":\"pool.list\",\"id\":1}", -32600, "1"},
        {"{\"method\":\"pool.list\",\"id\":1}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":{}}", -32600, "null"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":true}", -32600, "null"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"params\":\"x\",\"id\":1}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"pool.get\",\"params\":[\"build\"],\"id\":1}", -32602, "1"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"pool.get\",\"params\":{},\"id\":1}", -32602, "1"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"pool.get\",\"params\":{\"pool\":7},\"id\":1}", -32602, "1"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"pool.get\",\"params\":{\"pool\":\"build\",\"x\":1},\"id\":1}", -32602, "1"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"pool.get\",\"params\":{\"pool\":\"nope\"},\"id\":1}", -32001, "1"},
        {"42", -32600, "null"},
        {"\"text\"", -32600, "null"},
        {"[]", -32600, "null"},
        {"nonsense", -32700, "null"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":1,\"id\":2}", -32700, "null"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"\\ud800\",\"id\":1}", -32601, "1"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\",\"id\":1}", -32700, "null"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        jp_sim_client_say(&world->client, lines[i].in);
        expect_silence(&world->client); /* the line has no end yet */
        jp_sim_client_say(&world->client, i % 2 ? "\n" : "\r\n");
        cJSON *answer = take(&world->client);
        char *id = cJSON_PrintUnformatted(cJSON_GetObjectItem(answer, "id"));
        assert_string_equal(id, lines[i].id);
        assert_string_equal(cJSON_GetObjectItem(answer, "jsonrpc")->valuestring, "2.0");
        cJSON_free(id);
        if (lines[i].code) {
            expect_error(answer, lines[i].code, NULL);
        } else {
            result_of(answer);
            cJSON_Delete(answer);
        }
        expect_silence(&world->client);
    }
}

static int calls_until_there_is_no_memory; /* once */
static void *allocate_mostly(size_t size) { return calls_until_there_is_no_memory-- ? malloc(size) : NULL; }

/* Else a request would be carried out as if it had none. */
static void nothing_is_done_without_its_parameters(void **state) {
    struct rpc_world *world = *state;
    cJSON_Hooks hooks = {.malloc_fn = allocate_mostly, .free_fn = free};
    for (int i = 0; i < 4; i++) {
        calls_until_there_is_no_memory = i;
        cJSON_InitHooks(&hooks);
        jp_sim_client_say(&world->client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"service.ping\",\"params\":{\"a\":{\"b\":1}}}\n");
        cJSON_InitHooks(NULL);
        cJSON *answer = take(&world->client);
        assert_non_null(cJSON_GetObjectItem(answer, "error"));
        cJSON_Delete(answer);
    }
}

static void notifications_are_not_answered(void **state) {
    struct rpc_world *world = *state;
    jp_sim_client_say(&world->client, "{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\"}\n\n\r\n\xEF\xBB\xBF\r\n");
    jp_sim_client_say(&world->client, "{\"jsonrpc\":\"2.0\",\"method\":\"foobar\"}\n{\"jsonrpc\":\"2.0\",\"method\":\"pool.get\",\"params\":{}}\n");
    settle(world);
    expect_silence(&world->client);
}

/* By its value, however it was written; and by no other. */
static void a_request_is_taken_back_by_its_id(void **state) {
    static const struct {
        const char *id, *given;
        bool same;
    } ids[] = {{"1", "1.0", true}, {"-2.5e1", "-25", true}, {"1", "\"1\"", false}, {"null", "null", true}, {"\"a\"", "\"\\u0061\"", true},
               {"\"\\u0061\\u0062\"", "\"ab\"", true}, {"\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\"", true},
               {"\"\\\\\"", "\"\\u005c\"", true}, {"\"ab\"", "\"a\"", false}, {"\"\\u0061b\"", "\"ac\"", false},
               {"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", "\"a\"", false}};
    struct rpc_world *world = *state;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct jp_sim_client client = {0};
        jp_sim_client_connect(&client, world->rpc);
        char *text = jp_sprintf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"accounting.report\"}\n"
                                "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"rpc.cancel\",\"params\":{\"id\":%s}}\n", ids[i].id, ids[i].given);
        jp_sim_client_say(&client, text);
        jp_free(text);
        if (ids[i].same)
            expect_error(take(&client), -32800, NULL);
        cJSON *answer = take(&client);
        assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(result_of(answer), "cancelled")), ids[i].same);
        cJSON_Delete(answer);
        jp_sim_client_hang_up(&client);
        settle(world);
    }
}

static void batches(void **state) {
    struct rpc_world *world = *state;
    jp_sim_client_say(&world->client, "[1,{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":\"a\"},{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\"},"
                         "{\"jsonrpc\":\"2.0\",\"method\":\"pool.launch\",\"params\":{\"pool\":\"sub\",\"argv\":[\"x.exe\"]},\"id\":\"b\"}]\n");
    expect_silence(&world->client); /* the launch waits for the disk, and the batch for it */
    settle(world);
    cJSON *answers = take(&world->client);
    assert_true(cJSON_IsArray(answers));
    assert_int_equal(cJSON_GetArraySize(answers), 3);
    cJSON_Delete(answers);
    jp_sim_client_say(&world->client, "[{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\"}]\n");
    expect_silence(&world->client);
    struct jp_str big = {0};
    for (int i = 0; i <= 100; i++)
        jp_str_puts(&big, i ? ",1" : "[1");
    jp_str_puts(&big, "]\n");
    jp_sim_client_say(&world->client, big.data);
    expect_error(take(&world->client), -32007, "a batch may have 100 requests; this one has 101");
    jp_str_free(&big);
}

static void bounds_of_a_message(void **state) {
    struct rpc_world *world = *state;
    char *block = jp_alloc(70001);
    memset(block, 'x', 70000);
    for (int i = 0; i < 40; i++) /* a line that never ends costs one error, and no memory */
        jp_sim_client_say(&world->client, block);
    expect_error(take(&world->client), -32007, "1048576 bytes");
    expect_silence(&world->client);
    jp_sim_client_say(&world->client, "\n");
    expect_silence(&world->client);
    cJSON *answer = call(world, "pool.list", "{}");
    result_of(answer);
    cJSON_Delete(answer);
    jp_free(block);
    struct jp_str deep = {0};
    for (int i = 0; i < 100; i++)
        jp_str_puts(&deep, "[");
    jp_str_puts(&deep, "\n");
    jp_sim_client_say(&world->client, deep.data);
    expect_error(take(&world->client), -32007, "nested deeper than 64");
    jp_str_free(&deep);
}

static void bounds_of_a_connection(void **state) {
    struct rpc_world *world = *state;
    launch(world->pool, "build", "x.exe");
    for (int i = 0; i < 64; i++)
        jp_sim_client_say(&world->client, "{\"jsonrpc\":\"2.0\",\"method\":\"pool.wait\",\"params\":{\"pool\":\"build\"},\"id\":1}\n");
    expect_silence(&world->client);
    expect_error(call(world, "pool.list", "{}"), -32007, "64 requests of this connection");
    struct jp_sim_client other = {0};
    jp_sim_client_connect(&other, world->rpc);
    jp_sim_client_say(&other, "{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":1}\n");
    assert_true(other.received.length > 0);
    jp_sim_client_hang_up(&other);
}

static void a_client_that_does_not_read_waits_and_is_cut_off(void **state) {
    struct rpc_world *world = *state;
    world->client.unread = (4 << 20) + 1;
    jp_sim_client_say(&world->client, "{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":1}\n{\"jsonrpc\":\"2.0\",\"meth");
    expect_silence(&world->client);
    assert_true(jp_rpc_stalled(world->client.connection));
    world->client.unread = 0;
    jp_rpc_drained(world->client.connection);
    cJSON_Delete(take(&world->client));
    jp_sim_client_say(&world->client, "od\":\"pool.list\",\"id\":2}\n"); /* the second one, in two pieces */
    cJSON_Delete(take(&world->client));
    assert_false(jp_rpc_stalled(world->client.connection));
    world->client.unread = (4 << 20) + 1;
    jp_sim_client_say(&world->client, "{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":3}\n");
    assert_true(jp_rpc_on_time(world->rpc) < UINT64_MAX);
    assert_false(world->client.closed);
    jp_sim_pass(world->pool->sim, 60000 + 1);
    jp_rpc_on_time(world->rpc);
    assert_true(world->client.closed);
    expect_silence(&world->client);
}

static void long_answers_say_that_there_are_more(void **state) {
    struct rpc_world *world = *state;
    char *detail = jp_alloc(100001);
    memset(detail, 'x', 100000);
    for (int i = 0; i < 50; i++)
        jp_pools_note(world->pool->pools, "NOTE", detail);
    jp_free(detail);
    settle(world);
    cJSON *answer = call(world, "events.query", "{}");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(result_of(answer), "more")));
    assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(result_of(answer), "events")) < 30);
    cJSON_Delete(answer);
    answer = call(world, "events.query", "{\"limit\":2}");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(result_of(answer), "more")));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(result_of(answer), "events")), 2);
    cJSON_Delete(answer);
}

static void put_request(struct jp_str *batch, const char *request) {
    jp_str_printf(batch, "%s{\"jsonrpc\":\"2.0\",%s}", batch->length ? "," : "[", request);
}

/* A few kilobytes, whose answers would be many mebibytes, and go out only with the last of their batch. */
static void give_greedy_batch(struct jp_sim_client *client, int number) {
    struct jp_str batch = {0};
    char *wait = jp_sprintf("\"id\":\"wait%d\",\"method\":\"pool.wait\",\"params\":{\"pool\":\"build\"}", number);
    put_request(&batch, wait);
    for (int i = 0; i < 60; i++)
        put_request(&batch, "\"id\":1,\"method\":\"rpc.discover\"");
    jp_str_puts(&batch, "]\n");
    jp_sim_client_say(client, batch.data);
    jp_str_free(&batch);
    jp_free(wait);
}

static void batches_are_not_answered_without_end(void **state) {
    struct rpc_world *world = *state;
    launch(world->pool, "build", "x.exe");
    give_greedy_batch(&world->client, 0);
    expect_silence(&world->client);
    give_greedy_batch(&world->client, 1); /* of whose requests none is begun: the first batch has taken all there is */
    cJSON *answers = take(&world->client);
    for (int i = 0; i < 61; i++)
        expect_error(cJSON_DetachItemFromArray(answers, 0), -32007, "quotas.unread");
    cJSON_Delete(answers);
    jp_sim_client_say(&world->client, "{\"jsonrpc\":\"2.0\",\"method\":\"rpc.cancel\",\"params\":{\"id\":\"wait0\"}}\n");
    assert_in_range(world->client.received.length, 4 << 20, 5 << 20);
    answers = take(&world->client);
    assert_int_equal(cJSON_GetArraySize(answers), 61);
    result_of(cJSON_GetArrayItem(answers, 0));
    expect_error(cJSON_DetachItemFromArray(answers, 59), -32007, "quotas.unread");
    cJSON_Delete(answers);
    jp_sim_client_say(&world->client, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rpc.discover\"}]\n"); /* it has what it was to have */
    answers = take(&world->client);
    result_of(cJSON_GetArrayItem(answers, 0));
    cJSON_Delete(answers);
}

static void long_answers_on_their_way_are_bounded_too(void **state) {
    struct rpc_world *world = *state;
    jp_sim_client_say(&world->client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.query\"}\n");
    expect_silence(&world->client);
    world->client.unread = (4 << 20) + 1; /* by the answers to others before it */
    settle(world);
    expect_error(take(&world->client), -32007, "4194305 bytes of answers wait");
}

static void who_cannot_be_identified_gets_nothing(void **state) {
    struct rpc_world *world = *state;
    world->client.nobody = true;
    expect_error(call(world, "pool.create", "{\"name\":\"x\"}"), -32008, "who are you?");
    assert_null(jp_pools_find(world->pool->pools, "x"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_letter_of_the_specification),
        TEST(nothing_is_done_without_its_parameters),
        TEST(notifications_are_not_answered),
        TEST(batches),
        TEST(batches_are_not_answered_without_end),
        TEST(long_answers_on_their_way_are_bounded_too),
        TEST(bounds_of_a_message),
        TEST(bounds_of_a_connection),
        TEST(a_client_that_does_not_read_waits_and_is_cut_off),
        TEST(long_answers_say_that_there_are_more),
        TEST(who_cannot_be_identified_gets_nothing),
        TEST(a_request_is_taken_back_by_its_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
