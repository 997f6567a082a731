/* The protocol over pools on the simulated kernel: what a client sends, and what comes back. */
#include "base/units.h"
#include "pool_world.h"
#include "rpc/rpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct client {
    struct jp_peer peer; /* first */
    struct jp_str received;
    struct jp_rpc_connection *connection;
    size_t unread; /* what unsent() says */
    bool closed, nobody;
};

struct rpc_world {
    struct pool_world *pool;
    struct jp_rpc *rpc;
    struct client client;
    int reloads;
};

/* --- a peer --- */

static struct client *of(struct jp_peer *peer) { return (struct client *)(void *)peer; }

static jp_status identify(struct jp_peer *peer, struct jp_principal **ret_principal, struct jp_error *error) {
    static int somebody;
    if (of(peer)->nobody)
        return jp_fail(error, JP_E_DENIED, "who are you?");
    *ret_principal = (struct jp_principal *)(void *)&somebody;
    return JP_OK;
}

static void principal_free(struct jp_peer *peer, struct jp_principal *principal) {
    (void)peer;
    (void)principal;
}

static const char *principal_name(struct jp_peer *peer, const struct jp_principal *principal) {
    (void)peer;
    (void)principal;
    return "SIM\\admin";
}

static const char *principal_sid(struct jp_peer *peer, const struct jp_principal *principal) {
    (void)peer;
    (void)principal;
    return "S-1-5-21-1-2-3-500";
}

static uint32_t process_id(const struct jp_peer *peer) {
    (void)peer;
    return 0;
}

static struct jp_str *output(struct jp_peer *peer) { return &of(peer)->received; }
static void peer_send(struct jp_peer *peer) { (void)peer; }
static size_t unsent(const struct jp_peer *peer) { return ((const struct client *)(const void *)peer)->unread; }
static void peer_close(struct jp_peer *peer) { of(peer)->closed = true; }

static const struct jp_peer_ops peer_ops = {.identify = identify, .principal_free = principal_free, .principal_name = principal_name,
                                            .principal_sid = principal_sid, .process_id = process_id, .output = output, .send = peer_send,
                                            .unsent = unsent, .finish = peer_close, .close = peer_close};

static void connect_client(struct rpc_world *world, struct client *client) {
    *client = (struct client){.peer.ops = &peer_ops};
    client->connection = jp_rpc_open(world->rpc, &client->peer);
}

static void disconnect(struct client *client) {
    if (client->connection)
        jp_rpc_closed(client->connection);
    client->connection = NULL;
    jp_str_free(&client->received);
}

/* --- the world --- */

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

static int open_world(void **state) {
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
    connect_client(world, &world->client);
    *state = world;
    return 0;
}

static int close_world(void **state) {
    struct rpc_world *world = *state;
    void *pool = world->pool;
    disconnect(&world->client);
    jp_ledger_commit(world->pool->ledger);
    pool_world_close(&pool);
    jp_rpc_free(world->rpc);
    jp_free(world);
    return 0;
}

static void settle(struct rpc_world *world) {
    jp_sim_deliver(world->pool->sim, world->pool->pools);
    jp_rpc_on_committed(world->rpc, jp_ledger_commit(world->pool->ledger));
}

static void give(struct client *client, const char *text) { jp_rpc_receive(client->connection, text, strlen(text)); }

/* The next line that the client got. The caller deletes it. */
static cJSON *take(struct client *client) {
    const char *text = jp_str_text(&client->received);
    const char *end = strchr(text, '\n');
    assert_non_null(end);
    cJSON *json = cJSON_ParseWithLength(text, (size_t)(end - text));
    assert_non_null(json);
    jp_str_remove_front(&client->received, (size_t)(end - text) + 1);
    return json;
}

static void expect_silence(struct client *client) { assert_string_equal(jp_str_text(&client->received), ""); }

static cJSON *call(struct rpc_world *world, const char *method, const char *params) {
    char *line = jp_sprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}\n", method, params);
    give(&world->client, line);
    jp_free(line);
    if (!world->client.received.length)
        settle(world);
    return take(&world->client);
}

static void expect_error(cJSON *answer, int code, const char *text) {
    const cJSON *error = cJSON_GetObjectItem(answer, "error");
    assert_non_null(error);
    assert_int_equal(cJSON_GetObjectItem(error, "code")->valueint, code);
    if (text && !strstr(cJSON_GetObjectItem(error, "message")->valuestring, text))
        fail_msg("\"%s\" is not in \"%s\"", text, cJSON_GetObjectItem(error, "message")->valuestring);
    assert_non_null(cJSON_GetObjectItem(cJSON_GetObjectItem(error, "data"), "name"));
    assert_null(cJSON_GetObjectItem(answer, "result"));
    cJSON_Delete(answer);
}

static const cJSON *result_of(const cJSON *answer) {
    const cJSON *result = cJSON_GetObjectItem(answer, "result");
    if (!result)
        fail_msg("%s", cJSON_PrintUnformatted(answer));
    return result;
}

/* --- JSON-RPC --- */

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
        give(&world->client, lines[i].in);
        expect_silence(&world->client); /* the line has no end yet */
        give(&world->client, i % 2 ? "\n" : "\r\n");
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
        give(&world->client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"service.ping\",\"params\":{\"a\":{\"b\":1}}}\n");
        cJSON_InitHooks(NULL);
        cJSON *answer = take(&world->client);
        assert_non_null(cJSON_GetObjectItem(answer, "error"));
        cJSON_Delete(answer);
    }
}

static void notifications_are_not_answered(void **state) {
    struct rpc_world *world = *state;
    give(&world->client, "{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\"}\n\n\r\n\xEF\xBB\xBF\r\n");
    give(&world->client, "{\"jsonrpc\":\"2.0\",\"method\":\"foobar\"}\n{\"jsonrpc\":\"2.0\",\"method\":\"pool.get\",\"params\":{}}\n");
    settle(world);
    expect_silence(&world->client);
}

static void batches(void **state) {
    struct rpc_world *world = *state;
    give(&world->client, "[1,{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":\"a\"},{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\"},"
                         "{\"jsonrpc\":\"2.0\",\"method\":\"pool.launch\",\"params\":{\"pool\":\"sub\",\"argv\":[\"x.exe\"]},\"id\":\"b\"}]\n");
    expect_silence(&world->client); /* the launch waits for the disk, and the batch for it */
    settle(world);
    cJSON *answers = take(&world->client);
    assert_true(cJSON_IsArray(answers));
    assert_int_equal(cJSON_GetArraySize(answers), 3);
    cJSON_Delete(answers);
    give(&world->client, "[{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\"}]\n");
    expect_silence(&world->client);
    struct jp_str big = {0};
    for (int i = 0; i <= 100; i++)
        jp_str_puts(&big, i ? ",1" : "[1");
    jp_str_puts(&big, "]\n");
    give(&world->client, big.data);
    expect_error(take(&world->client), -32007, "a batch may have 100 requests; this one has 101");
    jp_str_free(&big);
}

static void bounds_of_a_message(void **state) {
    struct rpc_world *world = *state;
    char *block = jp_alloc(70001);
    memset(block, 'x', 70000);
    for (int i = 0; i < 40; i++) /* a line that never ends costs one error, and no memory */
        give(&world->client, block);
    expect_error(take(&world->client), -32007, "1048576 bytes");
    expect_silence(&world->client);
    give(&world->client, "\n");
    expect_silence(&world->client);
    cJSON *answer = call(world, "pool.list", "{}");
    result_of(answer);
    cJSON_Delete(answer);
    jp_free(block);
    struct jp_str deep = {0};
    for (int i = 0; i < 100; i++)
        jp_str_puts(&deep, "[");
    jp_str_puts(&deep, "\n");
    give(&world->client, deep.data);
    expect_error(take(&world->client), -32007, "nested deeper than 64");
    jp_str_free(&deep);
}

static void bounds_of_a_connection(void **state) {
    struct rpc_world *world = *state;
    launch(world->pool, "build", "x.exe");
    for (int i = 0; i < 64; i++)
        give(&world->client, "{\"jsonrpc\":\"2.0\",\"method\":\"pool.wait\",\"params\":{\"pool\":\"build\"},\"id\":1}\n");
    expect_silence(&world->client);
    expect_error(call(world, "pool.list", "{}"), -32007, "64 requests of this connection");
    struct client other;
    connect_client(world, &other);
    give(&other, "{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":1}\n");
    assert_true(other.received.length > 0);
    disconnect(&other);
}

static void a_client_that_does_not_read_waits_and_is_cut_off(void **state) {
    struct rpc_world *world = *state;
    world->client.unread = (4 << 20) + 1;
    give(&world->client, "{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":1}\n{\"jsonrpc\":\"2.0\",\"meth");
    expect_silence(&world->client);
    assert_true(jp_rpc_stalled(world->client.connection));
    world->client.unread = 0;
    jp_rpc_drained(world->client.connection);
    cJSON_Delete(take(&world->client));
    give(&world->client, "od\":\"pool.list\",\"id\":2}\n"); /* the second one, in two pieces */
    cJSON_Delete(take(&world->client));
    assert_false(jp_rpc_stalled(world->client.connection));
    world->client.unread = (4 << 20) + 1;
    give(&world->client, "{\"jsonrpc\":\"2.0\",\"method\":\"pool.list\",\"id\":3}\n");
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
static void give_greedy_batch(struct client *client, int number) {
    struct jp_str batch = {0};
    char *wait = jp_sprintf("\"id\":\"wait%d\",\"method\":\"pool.wait\",\"params\":{\"pool\":\"build\"}", number);
    put_request(&batch, wait);
    for (int i = 0; i < 60; i++)
        put_request(&batch, "\"id\":1,\"method\":\"rpc.discover\"");
    jp_str_puts(&batch, "]\n");
    give(client, batch.data);
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
    give(&world->client, "{\"jsonrpc\":\"2.0\",\"method\":\"rpc.cancel\",\"params\":{\"id\":\"wait0\"}}\n");
    assert_in_range(world->client.received.length, 4 << 20, 5 << 20);
    answers = take(&world->client);
    assert_int_equal(cJSON_GetArraySize(answers), 61);
    result_of(cJSON_GetArrayItem(answers, 0));
    expect_error(cJSON_DetachItemFromArray(answers, 59), -32007, "quotas.unread");
    cJSON_Delete(answers);
    give(&world->client, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rpc.discover\"}]\n"); /* it has what it was to have */
    answers = take(&world->client);
    result_of(cJSON_GetArrayItem(answers, 0));
    cJSON_Delete(answers);
}

static void long_answers_on_their_way_are_bounded_too(void **state) {
    struct rpc_world *world = *state;
    give(&world->client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.query\"}\n");
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

/* --- methods --- */

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
    give(&world->client, wait);
    settle(world);
    expect_silence(&world->client);
    jp_sim_exit(world->pool->sim, pid, 5);
    settle(world);
    answer = take(&world->client);
    assert_int_equal(cJSON_GetObjectItem(result_of(answer), "exitCode")->valueint, 5);
    cJSON_Delete(answer);
    give(&world->client, wait); /* it has ended already */
    settle(world);
    answer = take(&world->client);
    assert_int_equal(cJSON_GetObjectItem(result_of(answer), "exitCode")->valueint, 5);
    cJSON_Delete(answer);
    jp_free(wait);
    launch(world->pool, "sub", "y.exe");
    give(&world->client, "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"pool.wait\",\"params\":{\"pool\":\"sub\",\"timeout\":\"2s\"}}\n");
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
    struct client other;
    launch(world->pool, "build", "x.exe");
    connect_client(world, &other);
    give(&other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pool.wait\",\"params\":{\"pool\":\"build\"}}\n"
                 "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pool.wait\",\"params\":{\"pool\":\"build\"}}]\n"
                 "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"pool.launch\",\"params\":{\"pool\":\"sub\",\"argv\":[\"y.exe\"]}}\n"
                 "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"events.subscribe\",\"params\":{\"fromSeq\":1}}\n"
                 "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"accounting.processes\"}\n{\"jsonrpc\"");
    disconnect(&other);
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

/* --- accounting --- */

static double number_in(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItem(object, key);
    if (!cJSON_IsNumber(item))
        fail_msg("%s: %s", key, cJSON_PrintUnformatted(object));
    return item->valuedouble;
}

static void end_one(struct rpc_world *world, const char *pool, uint64_t user_100ns, uint32_t exit_code) {
    uint32_t pid = launch(world->pool, pool, "x.exe");
    jp_sim_grow_usage(world->pool->sim, pid, user_100ns);
    jp_sim_exit(world->pool->sim, pid, exit_code);
    settle(world);
}

static void counters_and_their_reset(void **state) {
    struct rpc_world *world = *state;
    end_one(world, "build", 70, 3);
    cJSON *answer = call(world, "pool.get", "{\"pool\":\"build\"}");
    const cJSON *counters = cJSON_GetObjectItem(result_of(answer), "counters");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(counters, "since")));
    assert_int_equal(number_in(counters, "processes"), 1);
    assert_int_equal(number_in(counters, "failures"), 1);
    assert_int_equal(number_in(counters, "unobserved"), 0);
    assert_int_equal(number_in(counters, "userTime100ns"), 70);
    assert_int_equal(number_in(cJSON_GetObjectItem(result_of(answer), "jobCounters"), "totalProcesses"), 1);
    cJSON_Delete(answer);

    give(&world->client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"accounting.reset\",\"params\":{\"pool\":\"build\"}}\n");
    expect_silence(&world->client); /* until it is on the disk */
    settle(world);
    answer = take(&world->client);
    assert_int_equal(number_in(result_of(answer), "userTime100ns"), 70); /* as they stood */
    cJSON_Delete(answer);
    assert_string_equal(jp_ledger_reset(world->pool->ledger, 0)->by, "SIM\\admin");
    answer = call(world, "pool.get", "{\"pool\":\"build\"}");
    counters = cJSON_GetObjectItem(result_of(answer), "counters");
    assert_true(cJSON_IsString(cJSON_GetObjectItem(counters, "since")));
    assert_int_equal(number_in(counters, "processes"), 0);
    cJSON_Delete(answer);
    expect_error(call(world, "accounting.reset", "{\"pool\":\"buidl\"}"), -32001, "did you mean \"build\"?");
    expect_error(call(world, "accounting.reset", "{}"), -32602, "pool: missing");
}

static void what_the_host_does_not_tell_is_null(void **state) {
    struct rpc_world *world = *state;
    jp_sim_capabilities(world->pool->sim)->process_io = false;
    cJSON *answer = call(world, "pool.get", "{\"pool\":\"build\"}");
    const cJSON *counters = cJSON_GetObjectItem(result_of(answer), "counters");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(counters, "readBytes")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(counters, "peakCommitBytes")));
    assert_int_equal(number_in(counters, "userTime100ns"), 0);
    cJSON_Delete(answer);
    jp_sim_capabilities(world->pool->sim)->process_times = false;
    uint32_t pid = launch(world->pool, "build", "x.exe");
    jp_sim_grow_usage(world->pool->sim, pid, 8);
    look(world->pool);
    answer = call(world, "pool.get", "{\"pool\":\"build\"}");
    assert_int_equal(number_in(cJSON_GetObjectItem(result_of(answer), "counters"), "userTime100ns"), 8); /* a sample has told */
    cJSON_Delete(answer);
}

static void a_report_is_made_told_of_and_taken_back(void **state) {
    struct rpc_world *world = *state;
    end_one(world, "build", 70, 3);
    end_one(world, "sub", 30, 0);
    give(&world->client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"accounting.report\",\"params\":{\"by\":[\"pool\"],\"progressToken\":\"t\"}}\n");
    cJSON *told = take(&world->client);
    assert_string_equal(cJSON_GetObjectItem(told, "method")->valuestring, "$/progress");
    assert_string_equal(cJSON_GetObjectItem(cJSON_GetObjectItem(told, "params"), "token")->valuestring, "t");
    cJSON_Delete(told);
    expect_silence(&world->client);
    settle(world);
    cJSON *answer = take(&world->client);
    const cJSON *rows = cJSON_GetObjectItem(result_of(answer), "rows");
    assert_int_equal(cJSON_GetArraySize(rows), 2);
    assert_string_equal(cJSON_GetObjectItem(rows->child, "pool")->valuestring, "build");
    assert_null(cJSON_GetObjectItem(rows->child, "user")); /* it was not grouped by that */
    assert_null(cJSON_GetObjectItem(rows->child, "unobserved"));
    assert_int_equal(number_in(cJSON_GetObjectItem(result_of(answer), "total"), "processes"), 2);
    assert_int_equal(number_in(result_of(answer), "groups"), 2);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(result_of(answer), "complete")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(result_of(answer), "completeFrom")));
    cJSON_Delete(answer);

    give(&world->client, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"accounting.report\"}\n"
                         "{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":{\"id\":2}}\n");
    expect_error(take(&world->client), -32800, NULL);
    settle(world); /* the accounts' own answer goes nowhere */
    expect_silence(&world->client);
    expect_error(call(world, "accounting.report", "{\"by\":[\"colour\"]}"), -32602, "by");
    expect_error(call(world, "accounting.report", "{\"ending\":\"badly\"}"), -32602, "ending: expected running");
    expect_error(call(world, "accounting.report", "{\"from\":\"yesterday\"}"), -32602, NULL);
    struct client other;
    connect_client(world, &other);
    give(&other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"accounting.report\"}\n");
    disconnect(&other); /* nobody waits for it any more */
    settle(world);
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
        struct client client;
        connect_client(world, &client);
        char *text = jp_sprintf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"accounting.report\"}\n"
                                "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"rpc.cancel\",\"params\":{\"id\":%s}}\n", ids[i].id, ids[i].given);
        give(&client, text);
        jp_free(text);
        if (ids[i].same)
            expect_error(take(&client), -32800, NULL);
        cJSON *answer = take(&client);
        assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(result_of(answer), "cancelled")), ids[i].same);
        cJSON_Delete(answer);
        disconnect(&client);
        settle(world);
    }
}

static void purging_says_who_and_what(void **state) {
    struct rpc_world *world = *state;
    end_one(world, "build", 0, 0);
    end_one(world, "sub", 0, 0);
    jp_sim_pass(world->pool->sim, 60000);
    cJSON *answer = call(world, "accounting.purge", "{\"olderThan\":\"30s\",\"pool\":\"build\",\"events\":false}");
    assert_int_equal(number_in(result_of(answer), "processes"), 1);
    assert_int_equal(number_in(result_of(answer), "events"), 0);
    cJSON_Delete(answer);
    const struct jp_purge_filter *filter = jp_ledger_purge(world->pool->ledger);
    assert_string_equal(filter->pool, "build");
    assert_true(filter->processes && !filter->events);
    assert_int_equal(filter->before_100ns, jp_sim_now_100ns(world->pool->sim) - INT64_C(300000000));
    const char *detail = jp_ledger_last(world->pool->ledger, "ACCOUNTING_PURGED")->detail;
    assert_non_null(strstr(detail, "by SIM\\admin, processes before "));
    assert_non_null(strstr(detail, " of pool build: 1 processes, 0 events"));

    cJSON_Delete(call(world, "accounting.purge", "{\"before\":\"2001-02-03T04:05:06Z\"}"));
    assert_null(filter->pool);
    assert_true(filter->processes && filter->events);
    char time[JP_TIME_TEXT];
    assert_string_equal(jp_time_format(filter->before_100ns, time), "2001-02-03T04:05:06.0000000Z");
    detail = jp_ledger_last(world->pool->ledger, "ACCOUNTING_PURGED")->detail;
    assert_non_null(strstr(detail, "processes and events before 2001-02-03T04:05:06.0000000Z of all pools: 0 processes, 0 events"));
}

static void purges_that_are_refused_or_fail(void **state) {
    struct rpc_world *world = *state;
    expect_error(call(world, "accounting.purge", "{}"), -32602, "either before or olderThan");
    expect_error(call(world, "accounting.purge", "{\"before\":\"2001-01-01\",\"olderThan\":\"1d\"}"), -32602, "either before or olderThan");
    expect_error(call(world, "accounting.purge", "{\"before\":\"yesterday\"}"), -32602, NULL);
    expect_error(call(world, "accounting.purge", "{\"olderThan\":\"40000d\"}"), -32602, "olderThan: too large");
    expect_error(call(world, "accounting.purge", "{\"olderThan\":\"1d\",\"processes\":false,\"events\":false}"), -32602, "nothing to delete");
    assert_int_equal(jp_ledger_count(world->pool->ledger, "ACCOUNTING_PURGED", NULL, 0), 0);
    jp_ledger_break(world->pool->ledger, true);
    expect_error(call(world, "accounting.purge", "{\"olderThan\":\"1d\"}"), -32012, "the disk is full");
    assert_non_null(strstr(jp_ledger_last(world->pool->ledger, "ACCOUNTING_PURGED")->detail, "broken off: the disk is full"));
}

static void a_purge_goes_on_without_its_client(void **state) {
    struct rpc_world *world = *state;
    struct client other;
    connect_client(world, &other);
    give(&other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"accounting.purge\",\"params\":{\"olderThan\":\"0s\"}}\n"
                 "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"accounting.reset\",\"params\":{\"pool\":\"build\"}}\n");
    disconnect(&other);
    settle(world);
    assert_int_equal(jp_ledger_count(world->pool->ledger, "ACCOUNTING_PURGED", NULL, 0), 1);
    assert_int_equal(jp_ledger_count(world->pool->ledger, "COUNTERS_RESET", "build", 0), 1);
}

static void the_state_of_the_accounts(void **state) {
    struct rpc_world *world = *state;
    cJSON *answer = call(world, "service.status", "{}");
    const cJSON *database = cJSON_GetObjectItem(result_of(answer), "database");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(database, "dropped")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(database, "lastPurge")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(database, "firstSeq")));
    cJSON_Delete(answer);
    *jp_ledger_state(world->pool->ledger) = (struct jp_accounts_state){
        .degraded = true, .reason = "full", .backlog = 7, .dropped_events = 3, .dropped_from_seq = 11, .dropped_to_seq = 14, .first_seq = 5,
        .file_bytes = 4096, .wal_bytes = 512, .last_purge_100ns = jp_sim_now_100ns(world->pool->sim)};
    answer = call(world, "service.status", "{}");
    database = cJSON_GetObjectItem(result_of(answer), "database");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(database, "degraded")));
    assert_string_equal(cJSON_GetObjectItem(database, "reason")->valuestring, "full");
    assert_int_equal(number_in(database, "backlog"), 7);
    assert_int_equal(number_in(database, "droppedEvents"), 3);
    assert_int_equal(number_in(cJSON_GetObjectItem(database, "dropped"), "from"), 11);
    assert_int_equal(number_in(cJSON_GetObjectItem(database, "dropped"), "to"), 14);
    assert_int_equal(number_in(database, "firstSeq"), 5);
    assert_int_equal(number_in(database, "fileBytes"), 4096);
    assert_int_equal(number_in(database, "walBytes"), 512);
    assert_true(cJSON_IsString(cJSON_GetObjectItem(database, "lastPurge")));
    cJSON_Delete(answer);
}

/* --- events --- */

static uint64_t next_seq(struct client *client) {
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
    give(&world->client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.subscribe\",\"params\":{\"fromSeq\":1}}\n");
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

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
        TEST(pools_by_the_configs_words),
        TEST(launching_and_waiting),
        TEST(refusals_of_assign),
        TEST(a_client_that_leaves_takes_nothing_with_it),
        TEST(reloading),
        TEST(counters_and_their_reset),
        TEST(a_report_is_made_told_of_and_taken_back),
        TEST(what_the_host_does_not_tell_is_null),
        TEST(a_request_is_taken_back_by_its_id),
        TEST(purging_says_who_and_what),
        TEST(purges_that_are_refused_or_fail),
        TEST(a_purge_goes_on_without_its_client),
        TEST(the_state_of_the_accounts),
        TEST(from_the_past_into_the_present),
        TEST(an_event_is_shown_only_when_it_is_on_disk),
        TEST(a_slow_reader_misses_nothing),
        TEST(filters_and_unsubscribing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
