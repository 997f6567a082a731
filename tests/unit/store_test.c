/* The store: what is recorded is found again, whatever happens to the database in between. */
#include "store_world.h"

#include <unistd.h>

/* --- opening --- */

static void a_new_database_is_empty_and_ours(void **state) {
    struct world *world = *state;
    open_store(world);
    assert_int_equal(world->start.last_seq, 0);
    assert_int_equal(world->start.last_process_id, 0);
    assert_int_equal(world->start.running_count, 0);
    assert_false(world->start.unclean);
    close_store(world);
    assert_int_equal(world->lost, 0);
    assert_int_equal(ask_number(world->file, "PRAGMA application_id"), 0x4A504F4C);
    assert_int_equal(ask_number(world->file, "PRAGMA user_version"), 7);
    assert_int_equal(ask_number(world->file, "PRAGMA auto_vacuum"), 2);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"), 1);
}

static void count_file(void *context, const char *path) {
    (void)path;
    ++*(int *)context;
}

static void an_orderly_end_leaves_one_file(void **state) {
    struct world *world = *state;
    open_store(world);
    record_event(world, 1);
    free_answer(ask_events(world, (struct jp_event_filter){0})); /* so that the reader has a connection too */
    close_store(world);
    int files = 0;
    each_file(world, count_file, &files);
    assert_int_equal(files, 1);
}

static void a_missing_folder_is_named(void **state) {
    struct world *world = *state;
    jp_free(world->file);
    world->file = jp_sprintf("%s/nowhere/accounting.db", world->folder);
    assert_int_equal(try_open(world), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "/nowhere\" does not exist: create it"));
}

static void a_file_is_no_folder(void **state) {
    struct world *world = *state;
    execute_alone(world->file, "CREATE TABLE t(x)");
    char *inside = jp_sprintf("%s/accounting.db", world->file);
    jp_free(world->file);
    world->file = inside;
    assert_int_equal(try_open(world), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "cannot be used: not a directory"));
}

static void a_newer_schema_is_refused(void **state) {
    struct world *world = *state;
    open_store(world);
    close_store(world);
    execute_alone(world->file, "PRAGMA user_version = 9");
    assert_int_equal(try_open(world), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "was written by a newer jobpool (schema 9; this one knows 7)"));
}

static void another_programs_database_is_refused_and_left_alone(void **state) {
    struct world *world = *state;
    execute_alone(world->file, "PRAGMA application_id = 7; CREATE TABLE t(x)");
    assert_int_equal(try_open(world), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "is not a JobPool database"));
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM t"), 0);
    execute_alone(world->file, "PRAGMA application_id = 0");
    assert_int_equal(try_open(world), JP_E_STORE); /* tables without an id are somebody's as well */
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM t"), 0);
}

static void a_text_file_is_refused_and_left_alone(void **state) {
    struct world *world = *state;
    char text[200];
    memset(text, 'x', sizeof text);
    overwrite(world->file, 0, text, sizeof text);
    assert_int_equal(try_open(world), JP_E_STORE);
    assert_non_null(strstr(world->error.text, "is not a JobPool database"));
    int files = 0;
    each_file(world, count_file, &files);
    assert_int_equal(files, 1);
}

static void find_damaged(void *context, const char *path) {
    if (strstr(path, ".damaged-") != NULL)
        ++*(int *)context;
}

static void a_damaged_database_is_set_aside_loudly(void **state) {
    struct world *world = *state;
    open_store(world);
    for (uint64_t seq = 1; seq <= 2000; seq++)
        record_event(world, seq);
    struct jp_process_record process = full_record(9);
    record(world, &process);
    close_store(world);
    execute_alone(world->file, "UPDATE meta SET value = 0 WHERE key = 'clean'"); /* as if the service had died */
    int64_t page = ask_number(world->file, "SELECT rootpage FROM sqlite_schema WHERE name = 'events_by_pool'");
    char zeros[4096] = {0};
    overwrite(world->file, (page - 1) * 4096, zeros, sizeof zeros);

    open_store(world);
    assert_true(world->start.unclean);
    assert_int_equal(world->start.last_seq, 2000); /* numbering goes on all the same */
    assert_int_equal(world->start.last_process_id, 9);
    int damaged = 0;
    each_file(world, find_damaged, &damaged);
    assert_true(damaged >= 1);
    assert_true(logged(world, "error: the accounting database"));
    assert_true(logged(world, "is kept as"));
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){0})), "");
    record_event(world, 2001);
    close_store(world);

    open_store(world); /* the new one is a good one */
    assert_false(world->start.unclean);
    assert_int_equal(world->start.last_seq, 2001);
    assert_int_equal(world->start.last_process_id, 9);
    close_store(world);
}

/* What was never given out is damage: going on from it would overflow, or give out again what rows have. */
static void numbers_that_make_no_sense_are_damage(void **state) {
    static const struct {
        const char *sql, *number;
    } damages[] = {
        {"DELETE FROM meta WHERE key = 'last_seq'", "last_seq"},
        {"UPDATE meta SET value = -7 WHERE key = 'last_process_id'", "last_process_id"},
        {"UPDATE meta SET value = 9223372036854775807 WHERE key = 'last_run'", "last_run"},
        {"UPDATE meta SET value = 9223372036854775807 WHERE key = 'last_audit_id'", "last_audit_id"},
        {"UPDATE events SET seq = 9223372036854775806 WHERE seq = 30", "last_seq"},
        {"UPDATE runs SET number = 9223372036854775807", "last_run"},
    };
    struct world *world = *state;
    int damaged_before = 0;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        unlink(world->file);
        open_store(world);
        record_event(world, 30);
        struct jp_process_record process = running_record(40);
        record(world, &process);
        close_store(world); /* the rows say what `meta` says */
        execute_alone(world->file, damages[i].sql);

        open_store(world);
        char *text = jp_sprintf("is damaged: its number \"%s\"", damages[i].number);
        assert_true(logged(world, text));
        jp_free(text);
        int damaged = 0;
        each_file(world, find_damaged, &damaged);
        assert_true(damaged > damaged_before);
        damaged_before = damaged;
        assert_int_equal(world->start.last_seq, 30); /* what still makes sense goes on */
        assert_int_equal(world->start.last_process_id, 40);
        assert_int_equal(world->start.run, 2);
        assert_int_equal(world->start.running_count, 0);
        close_store(world);
    }
}

static void a_zeroed_database_is_set_aside(void **state) {
    struct world *world = *state;
    char zeros[8192] = {0};
    overwrite(world->file, 0, zeros, sizeof zeros);
    open_store(world);
    assert_true(world->start.unclean);
    int damaged = 0;
    each_file(world, find_damaged, &damaged);
    assert_int_equal(damaged, 1);
    close_store(world);
}

static void an_unclean_end_is_noticed(void **state) {
    struct world *world = *state;
    open_store(world);
    record_event(world, 1);
    close_store(world);
    execute_alone(world->file, "UPDATE meta SET value = 0 WHERE key = 'clean'");
    open_store(world);
    assert_true(world->start.unclean);
    assert_int_equal(world->start.last_seq, 1);
    assert_true(logged(world, "did not end in order"));
    close_store(world);
    open_store(world);
    assert_false(world->start.unclean);
    close_store(world);
}

/* --- recording --- */

static void every_field_comes_back(void **state) {
    struct world *world = *state;
    open_store(world);
    struct jp_process_record full = full_record(1), bare = {.id = 2, .pool = test};
    record(world, &full);
    record(world, &bare);
    struct answer *answer = ask_processes(world, (struct jp_process_filter){.pool = "build"});
    assert_int_equal(answer->count, 1);
    assert_same_process(&answer->first_process, &full);
    free_answer(answer);
    answer = ask_processes(world, (struct jp_process_filter){.pool = "test"});
    assert_same_process(&answer->first_process, &bare);
    free_answer(answer);

    struct jp_event event = {.seq = 1, .time_100ns = 2, .pool = "build", .message = "M", .pid = 3, .start_100ns = 4,
                             .process = "cl.exe", .origin = JP_ORIGIN_RECONCILER, .has_exit_code = true,
                             .exit_code = UINT32_MAX, .detail = "it's; --"};
    world->accounts->ops->record_event(world->accounts, &event);
    answer = ask_events(world, (struct jp_event_filter){0});
    assert_string_equal(answer->first_event, "1 2 build M 3 4 cl.exe reconciler 1 4294967295 it's; --");
    free_answer(answer);
    event = (struct jp_event){.seq = 2, .time_100ns = 5, .pool = "", .message = "SERVICE_STARTED",
                              .origin = JP_ORIGIN_SERVICE};
    world->accounts->ops->record_event(world->accounts, &event);
    answer = ask_events(world, (struct jp_event_filter){.from_seq = 2});
    assert_string_equal(answer->first_event, "2 5  SERVICE_STARTED 0 0 - service 0 0 -");
    free_answer(answer);
    close_store(world);
}

static void a_person_can_read_the_rows(void **state) {
    struct world *world = *state;
    open_store(world);
    struct jp_process_record full = full_record(1), bare = {.id = 2, .pool = test};
    record(world, &full);
    record(world, &bare);
    close_store(world);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM processes WHERE ending = 'crashed'"
                                             " AND joined_by = 'kernel' AND exit_code = 0xC0000005"), 1);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM processes WHERE ending = 'running' AND exit_code IS NULL"
                                             " AND user_100ns IS NULL AND start_100ns IS NULL AND image IS NULL"), 1);
}

static void a_process_written_again_is_one_row(void **state) {
    struct world *world = *state;
    open_store(world);
    struct jp_process_record process = running_record(1);
    record(world, &process);
    assert_int_equal(wait_durable(world), JP_OK);
    process = full_record(1);
    record(world, &process);
    struct answer *answer = ask_processes(world, (struct jp_process_filter){0});
    assert_int_equal(answer->count, 1);
    assert_same_process(&answer->first_process, &process);
    free_answer(answer);
    close_store(world);
}

static void a_restart_goes_on_where_it_stopped(void **state) {
    struct world *world = *state;
    open_store(world);
    record_event(world, 41);
    record_event(world, 42);
    struct jp_process_record running = running_record(7), ended = full_record(8);
    record(world, &running);
    record(world, &ended);
    const struct jp_accounts_ops *ops = world->accounts->ops;
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "kept", .definition = "{\"a\":1}"});
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "child", .parent = "kept", .definition = "{}"});
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "config"});
    ops->record_pool(world->accounts, &(struct jp_pool_record){.name = "gone", .parent = "kept", .definition = "{}"});
    assert_int_equal(wait_durable(world), JP_OK);
    ops->forget_pool(world->accounts, "gone");
    close_store(world);

    open_store(world);
    assert_int_equal(world->start.last_seq, 42);
    assert_int_equal(world->start.last_process_id, 8);
    assert_int_equal(world->start.running_count, 1);
    assert_same_process(&world->start.running[0], &running);
    assert_int_equal(world->start.pool_count, 2);
    assert_string_equal(world->start.pools[0].name, "kept");
    assert_string_equal(world->start.pools[0].definition, "{\"a\":1}");
    assert_string_equal(world->start.pools[1].name, "child");
    assert_int_equal(world->committed_seq, 42);
    assert_int_equal(state_of(world).committed_seq, 42);
    close_store(world);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM pools WHERE name = 'gone' AND parent = 'kept'"
                                             " AND definition IS NULL AND deleted_100ns IS NOT NULL"), 1);
}

static void numbers_do_not_come_back_after_a_purge(void **state) {
    struct world *world = *state;
    open_store(world);
    record_event(world, 5);
    struct jp_process_record process = full_record(6);
    record(world, &process);
    close_store(world);
    execute_alone(world->file, "DELETE FROM events; DELETE FROM processes");
    open_store(world);
    assert_int_equal(world->start.last_seq, 5);
    assert_int_equal(world->start.last_process_id, 6);
    close_store(world);
}

static void commits_are_told_in_order_and_in_groups(void **state) {
    struct world *world = *state;
    world->flush_interval_ms = 20;
    open_store(world);
    for (uint64_t seq = 1; seq <= 10000; seq++) {
        record_event(world, seq);
        if (seq % 100 == 0)
            uv_run(&world->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(wait_durable(world), JP_OK);
    assert_int_equal(world->committed_seq, 10000); /* told no later than the waiter */
    assert_true(world->commits < 1000);
    assert_int_equal(state_of(world).backlog, 0);
    close_store(world);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM events"), 10000);
}

static void waiting_does_not_wait_for_the_interval(void **state) {
    struct world *world = *state;
    world->flush_interval_ms = 60000;
    open_store(world);
    record_event(world, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    uint64_t began = uv_hrtime();
    record_event(world, 2);
    assert_int_equal(wait_durable(world), JP_OK);
    assert_true(uv_hrtime() - began < UINT64_C(5000000000));
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM events"), 2);
    assert_int_equal(wait_durable(world), JP_OK); /* with nothing to wait for */
    close_store(world);
}

static void records_wait_for_the_interval_when_nobody_waits(void **state) {
    struct world *world = *state;
    world->flush_interval_ms = 60000;
    open_store(world);
    record_event(world, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    struct jp_process_record process = running_record(1);
    for (int i = 0; i < 100; i++)
        record(world, &process);
    record_event(world, 2);
    assert_int_equal(state_of(world).backlog, 2); /* a process waits once */
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM events"), 1);
    close_store(world); /* closing commits what is left */
    assert_int_equal(world->lost, 0);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM events"), 2);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM processes"), 1);
}

static void what_is_held_is_one_commit(void **state) {
    struct world *world = *state;
    world->hold_ms = 60000;
    open_store(world);
    for (uint64_t seq = 1; seq <= 10000; seq++) {
        record_event(world, seq);
        if (seq % 100 == 0)
            uv_run(&world->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(state_of(world).backlog, 10000);
    jp_store_release(world->store);
    await_commit(world, 10000);
    assert_int_equal(world->commits, 1);
    record_event(world, 10001);
    await_commit(world, 10001); /* once is for good */
    close_store(world);
}

static void who_waits_does_not_wait_for_the_release(void **state) {
    struct world *world = *state;
    world->hold_ms = 60000;
    open_store(world);
    record_event(world, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM events"), 1);
    record_event(world, 2);
    close_store(world); /* nor does the end */
    assert_int_equal(world->lost, 0);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM events"), 2);
}

static void a_hold_ends_by_itself(void **state) {
    struct world *world = *state;
    world->hold_ms = 20;
    open_store(world);
    record_event(world, 1);
    await_commit(world, 1);
    close_store(world);
}

/* What is to be kept is not lost for the sake of a hold, or of an interval. */
static void a_backlog_that_fills_is_written(void **state) {
    struct world *world = *state;
    world->hold_ms = world->flush_interval_ms = 60000;
    world->max_backlog = 1000;
    open_store(world);
    for (uint64_t seq = 1; seq <= 500; seq++)
        record_event(world, seq);
    await_commit(world, 500);
    for (uint64_t seq = 501; seq <= 1000; seq++)
        record_event(world, seq);
    await_commit(world, 1000);
    assert_int_equal(state_of(world).dropped_events, 0);
    close_store(world);
}

/* --- a database that cannot be written --- */

static void a_locked_database_degrades_and_recovers(void **state) {
    struct world *world = *state;
    world->max_backlog = 10;
    open_store(world);
    record_event(world, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    sqlite3 *other = connect_other(world->file);
    execute(other, "BEGIN IMMEDIATE");

    struct jp_process_record process = running_record(1);
    record(world, &process);
    assert_int_equal(wait_durable(world), JP_E_STORE);
    assert_true(state_of(world).degraded);
    assert_non_null(strstr(state_of(world).reason, "database is locked (SQLITE_BUSY, 5)"));
    assert_true(logged(world, "error: the accounting database"));
    assert_int_equal(world->state_changes, 1);

    for (uint64_t seq = 2; seq <= 21; seq++) /* nine fit beside the process */
        record_event(world, seq);
    for (int64_t id = 2; id <= 20; id++) { /* processes are never dropped */
        process = running_record(id);
        record(world, &process);
    }
    assert_int_equal(wait_durable(world), JP_E_STORE); /* at once */
    assert_int_equal(state_of(world).dropped_events, 11);
    assert_true(state_of(world).backlog >= 29);
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){0})), "1"); /* what is there can be read */

    execute(other, "COMMIT");
    sqlite3_close(other);
    await_state(world, false);
    assert_string_equal(state_of(world).reason, "");
    assert_true(logged(world, "can be written again"));
    assert_true(logged(world, "11 events were dropped"));
    assert_int_equal(wait_durable(world), JP_OK);
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){0})), "1 2 3 4 5 6 7 8 9 10");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){0})),
                        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20");
    record_event(world, 22);
    close_store(world);
    open_store(world);
    assert_int_equal(world->start.last_seq, 22);
    close_store(world);
}

static void the_numbers_that_were_dropped_are_told(void **state) {
    struct world *world = *state;
    world->max_backlog = 10;
    open_store(world);
    assert_int_equal(state_of(world).dropped_from_seq, 0);
    for (uint64_t first = 1; first <= 201; first += 100) {
        sqlite3 *other = connect_other(world->file);
        execute(other, "BEGIN IMMEDIATE");
        for (uint64_t seq = first; seq < first + 100; seq++)
            record_event(world, seq);
        assert_int_equal(wait_durable(world), JP_E_STORE);
        assert_int_equal(state_of(world).dropped_from_seq, first + 10);
        assert_int_equal(state_of(world).dropped_to_seq, first + 99);
        execute(other, "COMMIT");
        sqlite3_close(other);
        await_state(world, false);
    }
    assert_int_equal(state_of(world).dropped_events, 270);
    assert_int_equal(state_of(world).dropped_to_seq, 300); /* of the last time, also when it is over */
    close_store(world);
}

static void closing_a_locked_database_ends_and_counts_the_loss(void **state) {
    struct world *world = *state;
    open_store(world);
    sqlite3 *other = connect_other(world->file);
    execute(other, "BEGIN IMMEDIATE");
    record_event(world, 1);
    record_event(world, 2);
    struct durable durable = {.world = world};
    world->accounts->ops->when_durable(world->accounts, note_durable, &durable);
    struct answer *answer = new_answer(world);
    world->accounts->ops->query_events(world->accounts, &(struct jp_event_filter){0}, note_events, answer);
    uint64_t began = uv_hrtime();
    jp_store_close(world->store, note_closed, world);
    while (world->store != NULL)
        await(world);
    assert_true(uv_hrtime() - began < UINT64_C(8000000000));
    assert_int_equal(world->lost, 2);
    assert_int_equal(durable.calls, 1);
    assert_int_equal(durable.status, JP_E_STORE);
    assert_int_equal(answer->status, JP_E_STOPPING);
    assert_true(logged(world, "2 records could not be written"));
    free_answer(answer);
    execute(other, "COMMIT");
    sqlite3_close(other);
    open_store(world);
    assert_true(world->start.unclean);
    close_store(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_new_database_is_empty_and_ours),
        TEST(an_orderly_end_leaves_one_file),
        TEST(a_missing_folder_is_named),
        TEST(a_file_is_no_folder),
        TEST(a_newer_schema_is_refused),
        TEST(another_programs_database_is_refused_and_left_alone),
        TEST(a_text_file_is_refused_and_left_alone),
        TEST(a_damaged_database_is_set_aside_loudly),
        TEST(numbers_that_make_no_sense_are_damage),
        TEST(a_zeroed_database_is_set_aside),
        TEST(an_unclean_end_is_noticed),
        TEST(every_field_comes_back),
        TEST(a_person_can_read_the_rows),
        TEST(a_process_written_again_is_one_row),
        TEST(a_restart_goes_on_where_it_stopped),
        TEST(numbers_do_not_come_back_after_a_purge),
        TEST(commits_are_told_in_order_and_in_groups),
        TEST(waiting_does_not_wait_for_the_interval),
        TEST(records_wait_for_the_interval_when_nobody_waits),
        TEST(what_is_held_is_one_commit),
        TEST(who_waits_does_not_wait_for_the_release),
        TEST(a_hold_ends_by_itself),
        TEST(a_backlog_that_fills_is_written),
        TEST(a_locked_database_degrades_and_recovers),
        TEST(the_numbers_that_were_dropped_are_told),
        TEST(closing_a_locked_database_ends_and_counts_the_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
