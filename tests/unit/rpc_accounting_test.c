/* The methods of the accounts: counters, reports, purges, and the state of the database. */
#include "base/units.h"
#include "rpc_world.h"

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

    jp_sim_client_say(&world->client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"accounting.reset\",\"params\":{\"pool\":\"build\"}}\n");
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
    jp_sim_client_say(&world->client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"accounting.report\",\"params\":{\"by\":[\"pool\"],\"progressToken\":\"t\"}}\n");
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

    jp_sim_client_say(&world->client, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"accounting.report\"}\n"
                         "{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":{\"id\":2}}\n");
    expect_error(take(&world->client), -32800, NULL);
    settle(world); /* the accounts' own answer goes nowhere */
    expect_silence(&world->client);
    expect_error(call(world, "accounting.report", "{\"by\":[\"colour\"]}"), -32602, "by");
    expect_error(call(world, "accounting.report", "{\"ending\":\"badly\"}"), -32602, "ending: expected running");
    expect_error(call(world, "accounting.report", "{\"from\":\"yesterday\"}"), -32602, NULL);
    struct jp_sim_client other = {0};
    jp_sim_client_connect(&other, world->rpc);
    jp_sim_client_say(&other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"accounting.report\"}\n");
    jp_sim_client_hang_up(&other); /* nobody waits for it any more */
    settle(world);
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
    struct jp_sim_client other = {0};
    jp_sim_client_connect(&other, world->rpc);
    jp_sim_client_say(&other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"accounting.purge\",\"params\":{\"olderThan\":\"0s\"}}\n"
                 "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"accounting.reset\",\"params\":{\"pool\":\"build\"}}\n");
    jp_sim_client_hang_up(&other);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(counters_and_their_reset),
        TEST(a_report_is_made_told_of_and_taken_back),
        TEST(what_the_host_does_not_tell_is_null),
        TEST(purging_says_who_and_what),
        TEST(purges_that_are_refused_or_fail),
        TEST(a_purge_goes_on_without_its_client),
        TEST(the_state_of_the_accounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
