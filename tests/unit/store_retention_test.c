/* The store: what grows too old or too large goes by itself, and what runs stays. What is asked to go: store_purge_test.c. */
#include "store_world.h"

#include "store/database.h"
#include "store/upkeep.h"

static void what_is_old_goes_and_what_runs_stays(void **state) {
    struct world *world = *state;
    open_store(world);
    record_ended(world, 1, 1200, hour_ago(50), 1000); /* more than go in a step */
    record_ended(world, 2001, 3, hour_ago(1), 1);
    struct jp_process_record running = running_record(3000); /* since 1601 */
    record(world, &running);
    for (uint64_t seq = 1; seq <= 1500; seq++)
        record_event(world, seq);
    struct jp_event event = {.seq = 1501, .time_100ns = now_100ns(), .pool = "build", .message = "M", .origin = JP_ORIGIN_SERVICE};
    world->accounts->ops->record_event(world->accounts, &event);
    assert_int_equal(wait_durable(world), JP_OK);
    assert_int_equal(state_of(world).first_seq, 1);
    assert_int_equal(state_of(world).last_purge_100ns, 0);
    assert_true(state_of(world).file_bytes > 0 && state_of(world).wal_bytes > 0);

    retain(world, (struct jp_retention){.processes_100ns = 10 * (uint64_t)an_hour});
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){0})), "2001 2002 2003 3000");
    assert_int_equal(rows_of(world, "events"), 1501);
    retain(world, (struct jp_retention){.events_100ns = 10 * (uint64_t)an_hour});
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){0})), "1501");
    assert_int_equal(state_of(world).first_seq, 1501);
    assert_true(logged(world, "info: purged what is older than the accounts are kept: 1200 processes, 0 events, 0 samples; the accounting database has"));
    assert_true(logged(world, "0 processes, 1500 events"));
    close_store(world);

    world->retention.processes_100ns = world->retention.events_100ns = 1; /* also without being told anew */
    open_store(world);
    while (state_of(world).first_seq != 0)
        uv_run(&world->loop, UV_RUN_ONCE);
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){0})), "3000");
    close_store(world);
    memset(&world->retention, 0, sizeof world->retention);
    open_store(world);
    assert_int_equal(world->start.last_seq, 1501); /* numbers do not come back */
    assert_int_equal(world->start.last_process_id, 3000);
    close_store(world);
}

static void a_pool_that_left_nothing_is_forgotten(void **state) {
    struct world *world = *state;
    open_store(world);
    const struct jp_accounts_ops *ops = world->accounts->ops;
    static const char *const parents[] = {NULL, "gone", NULL}, *const names[] = {"gone", "below", "lives"};
    for (int i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "%s", names[i]);
        struct jp_process_record process = ended_record(i + 1, hour_ago(20));
        process.pool = name;
        ops->record_pool(world->accounts, &(struct jp_pool_record){.name = name, .parent = parents[i]});
        record(world, &process);
        ops->record_reset(world->accounts, &(struct jp_reset_record){.pool = name, .time_100ns = 1, .by = "ada"});
    }
    ops->forget_pool(world->accounts, "below");
    ops->forget_pool(world->accounts, "gone");
    struct jp_retention retention = {.processes_100ns = 10 * (uint64_t)an_hour};
    retain(world, retention);
    assert_int_equal(rows_of(world, "processes"), 0);
    assert_int_equal(rows_of(world, "pools"), 3); /* deleted just now */
    close_store(world);
    execute_alone(world->file, "UPDATE pools SET deleted_100ns = 1 WHERE deleted_100ns IS NOT NULL");
    open_store(world);
    retain(world, retention);
    assert_int_equal(rows_of(world, "pools"), 1);
    assert_int_equal(rows_of(world, "pool_totals"), 1);
    assert_int_equal(rows_of(world, "resets"), 1);
    struct answer *answer = ask_summary(world, (struct jp_summary_filter){0}); /* the reports are as they were */
    assert_int_equal(answer->count, 3);
    free_answer(answer);
    close_store(world);
    open_store(world);
    assert_int_equal(world->start.counter_count, 1);
    assert_string_equal(world->start.counters[0].name, "lives");
    assert_int_equal(world->start.counters[0].total.processes, 1);
    close_store(world);
}

/* --- size --- */

static int64_t file_size(const char *file) {
    uv_fs_t request;
    assert_int_equal(uv_fs_stat(NULL, &request, file, NULL), 0);
    int64_t size = (int64_t)request.statbuf.st_size;
    uv_fs_req_cleanup(&request);
    return size;
}

static void a_database_that_is_too_large_shrinks(void **state) {
    struct world *world = *state;
    open_store(world);
    enum { MAX_BYTES = 1024 * 1024 };
    int64_t begin = hour_ago(48);
    for (int64_t id = 1; id <= 6000; id++) {
        struct jp_process_record process = ended_record(id, begin + id * 1000);
        record(world, &process);
        struct jp_event event = {.seq = (uint64_t)id, .time_100ns = begin + id * 1000, .pool = build, .message = "JOB_OBJECT_MSG_NEW_PROCESS"};
        world->accounts->ops->record_event(world->accounts, &event);
    }
    assert_int_equal(wait_durable(world), JP_OK);
    close_store(world);
    assert_true(file_size(world->file) > 2 * MAX_BYTES);
    open_store(world);
    retain(world, (struct jp_retention){.max_bytes = MAX_BYTES});
    assert_true(state_of(world).file_bytes <= MAX_BYTES); /* while the service runs */
    assert_true(file_size(world->file) <= MAX_BYTES);
    assert_true(logged(world, "and more because they were too large: "));
    struct answer *answer = ask_processes(world, (struct jp_process_filter){0});
    assert_true(answer->count > 500 && answer->count < 5000); /* the newest stay, of both */
    assert_int_equal(answer->keys[answer->count - 1], 6000);
    assert_int_equal(answer->keys[0], 6001 - answer->count);
    free_answer(answer);
    assert_true(state_of(world).first_seq > 1000 && state_of(world).first_seq < 5500);
    assert_int_equal(processes_of(world, 0, 0), 6000);
    retain(world, (struct jp_retention){.max_bytes = 1}); /* cannot be: it ends all the same, with what cannot go */
    assert_int_equal(rows_of(world, "processes") + rows_of(world, "events"), 0);
    close_store(world);
    assert_int_equal(ask_number(world->file, "SELECT processes FROM pool_totals"), 6000);
}

static void what_a_purge_frees_is_given_back(void **state) {
    struct world *world = *state;
    open_store(world);
    record_ended(world, 1, 5000, 1000, 1000);
    assert_int_equal(wait_durable(world), JP_OK);
    close_store(world);
    int64_t before = file_size(world->file);
    open_store(world);
    purge(world, (struct jp_purge_filter){.before_100ns = INT64_MAX, .processes = true});
    uint64_t small = (uint64_t)before / 4;
    while (state_of(world).file_bytes > small) { /* a pass follows by itself, which nothing tells of */
        record_event(world, world->committed_seq + 1);
        assert_int_equal(wait_durable(world), JP_OK);
    }
    close_store(world);
}

/* While nothing is written nothing is purged but what grows old: the disk, and the thread, are left alone for longer. */
static void a_pass_waits_longer_while_nothing_is_written(void **state) {
    enum { MINUTE_MS = 60000 };
    struct world *world = *state;
    open_store(world); /* makes the tables */
    close_store(world);
    sqlite3 *db = connect_other(world->file);
    static const struct {
        struct jp_retention retention;
        uint64_t quiet_ms; /* until the next pass */
    } rows[] = {{{.processes_100ns = (uint64_t)90 * 864000000000, .audit_100ns = (uint64_t)400 * 864000000000}, 60 * MINUTE_MS},
                {{.max_bytes = 1 << 30}, 60 * MINUTE_MS},
                {{.events_100ns = UINT64_C(36000000000) * 12}, 30 * MINUTE_MS},
                {{.samples_100ns = UINT64_C(600000000) * 10}, MINUTE_MS}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct jp_log log = {0};
        struct jp__upkeep upkeep = {0};
        struct jp__purges done = {0};
        jp__upkeep_set_retention(&upkeep, &rows[i].retention);
        uint64_t began_ms = jp__now_ms();
        for (jp__upkeep_hear(&upkeep, 7); upkeep.phase != JP__UPKEEP_REST || upkeep.next_ms <= jp__now_ms();)
            assert_int_equal(jp__upkeep_turn(&upkeep, db, &log, &done), SQLITE_OK);
        uint64_t took_ms = jp__now_ms() - began_ms;
        assert_in_range(jp__upkeep_due_ms(&upkeep, 7), began_ms + rows[i].quiet_ms, began_ms + rows[i].quiet_ms + took_ms);
        assert_in_range(jp__upkeep_due_ms(&upkeep, 8), began_ms + MINUTE_MS, began_ms + MINUTE_MS + took_ms); /* something was written */
    }
    sqlite3_close(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_old_goes_and_what_runs_stays),
        TEST(a_pool_that_left_nothing_is_forgotten),
        TEST(a_database_that_is_too_large_shrinks),
        TEST(what_a_purge_frees_is_given_back),
        TEST(a_pass_waits_longer_while_nothing_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
