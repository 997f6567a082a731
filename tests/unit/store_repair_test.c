/* The store when its files are damaged, removed, moved or taken by somebody else while it has them open. */
#include "fault_vfs.h"
#include "store_world.h"

#include "base/units.h"

#include <unistd.h>

enum { HURRY = 100 };

static void open_in_a_hurry(struct world *world) {
    world->hurry = HURRY;
    open_store(world);
}

static void record_events(struct world *world, uint64_t from, uint64_t to) {
    for (uint64_t seq = from; seq <= to; seq++)
        record_event(world, seq);
}

static void await_renewal(struct world *world, int renewals) {
    uv_timer_start(&world->patience, out_of_patience, PATIENCE_MS, 0);
    while (world->renewals < renewals)
        uv_run(&world->loop, UV_RUN_ONCE);
    uv_timer_stop(&world->patience);
}

/* All that is in the file after its first page becomes garbage, and no connection has it in memory. */
static void damage(struct world *world) {
    execute_alone(world->file, "UPDATE meta SET value = value + 1 WHERE key = 'last_process_id'; PRAGMA wal_checkpoint(TRUNCATE)");
    char garbage[4096];
    memset(garbage, 0xA5, sizeof garbage);
    int64_t pages = ask_number(world->file, "PRAGMA page_count");
    for (int64_t page = 1; page < pages; page++)
        overwrite(world->file, page * 4096, garbage, sizeof garbage);
}

static void open_damaged(struct world *world) {
    open_in_a_hurry(world);
    record_events(world, 1, 2000);
    assert_int_equal(wait_durable(world), JP_OK);
    damage(world);
}

static void assert_renewed(struct world *world) {
    assert_string_not_equal(world->kept_as, "");
    assert_int_equal(access(world->kept_as, F_OK), 0);
    assert_true(logged(world, "is kept as"));
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
}

static void what_the_writer_finds_damaged_is_replaced(void **state) {
    struct world *world = *state;
    open_in_a_hurry(world);
    record_events(world, 1, 2000);
    struct jp_process_record process = running_record(7);
    record(world, &process);
    assert_int_equal(wait_durable(world), JP_OK);
    free_answer(ask_events(world, (struct jp_event_filter){.limit = 1})); /* the reader has it open too */
    damage(world);

    record_event(world, 2001);
    assert_int_equal(wait_durable(world), JP_OK); /* in the new one: nobody waits for a restart */
    assert_int_equal(world->renewals, 1);
    assert_renewed(world);
    assert_true(logged(world, "error: the accounting database"));
    assert_false(state_of(world).degraded);
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){0})), "2001"); /* the reader has changed over too */
    close_store(world);
    open_store(world);
    assert_int_equal(world->start.last_seq, 2001);
    assert_true(world->start.last_process_id >= 7);
    assert_false(world->start.unclean);
    close_store(world);
}

static void what_the_reader_finds_damaged_is_replaced(void **state) {
    struct world *world = *state;
    open_in_a_hurry(world);
    record_events(world, 1, 2000);
    retain(world, (struct jp_retention){.events_100ns = UINT64_C(36500) * 24 * 3600 * JP_100NS_PER_S}); /* the writer has looked, and reads no more */
    damage(world);
    struct answer *answer = ask_events(world, (struct jp_event_filter){0});
    assert_int_equal(answer->status, JP_E_STORE);
    free_answer(answer);
    await_renewal(world, 1); /* though nothing is to be written */
    assert_renewed(world);
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){0})), "");
    record_event(world, 2001);
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){0})), "2001");
    close_store(world);
    assert_int_equal(world->renewals, 1);
    assert_int_equal(world->lost, 0);
}

static void note_one(void *context, jp_status status, const struct jp_error *error, const struct jp_event *events, size_t count) {
    int *answers = context;
    (void)status, (void)error, (void)events, (void)count;
    ++*answers;
}

static void queries_in_the_midst_of_it_are_answered(void **state) {
    enum { QUERIES = 300 };
    struct world *world = *state;
    open_damaged(world);
    int answers = 0;
    for (int i = 0; i < QUERIES; i++) {
        if (i % 50 == 0)
            record_event(world, 2001 + (uint64_t)i);
        world->accounts->ops->query_events(world->accounts, &(struct jp_event_filter){0}, note_one, &answers);
    }
    await_renewal(world, 1);
    uv_timer_start(&world->patience, out_of_patience, PATIENCE_MS, 0);
    while (answers < QUERIES)
        uv_run(&world->loop, UV_RUN_ONCE);
    uv_timer_stop(&world->patience);
    assert_int_equal(wait_durable(world), JP_OK);
    assert_int_equal(world->renewals, 1); /* two saw the same damage */
    close_store(world);
}

static void closing_in_the_midst_of_it_ends(void **state) {
    struct world *world = *state;
    open_damaged(world);
    int answers = 0;
    world->accounts->ops->query_events(world->accounts, &(struct jp_event_filter){0}, note_one, &answers);
    record_event(world, 2001);
    close_store(world);
    assert_int_equal(answers, 1);
    assert_int_equal(world->lost, 0);
    open_store(world);
    assert_int_equal(world->start.last_seq, 2001);
    close_store(world);
}

static void two_in_a_second_have_two_names(void **state) {
    struct world *world = *state;
    char first[sizeof world->kept_as];
    open_in_a_hurry(world);
    for (int renewals = 1; renewals <= 3; renewals++) {
        snprintf(first, sizeof first, "%s", world->kept_as);
        record_event(world, (uint64_t)renewals * 2 - 1);
        assert_int_equal(wait_durable(world), JP_OK);
        damage(world);
        record_event(world, (uint64_t)renewals * 2);
        await_renewal(world, renewals);
        assert_string_not_equal(world->kept_as, first);
        assert_renewed(world);
    }
    close_store(world);
}

static void a_new_one_that_cannot_begin_at_once_begins_later(void **state) {
    struct world *world = *state;
    open_damaged(world);
    fault_vfs_arm(FAULT_WRITE, 2, 6); /* the first is of the batch, into the WAL of the damaged one or of the new one */
    record_event(world, 2001);
    await_renewal(world, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    assert_true(fault_vfs_injected() > 0);
    fault_vfs_arm(FAULT_NONE, 0, 0);
    assert_renewed(world);
    assert_int_equal(world->renewals, 1);
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){0})), "2001");
    close_store(world);
}

static void remove_it(void *context, const char *path) {
    (void)context;
    unlink(path);
}

static void a_file_that_vanished_is_begun_anew(void **state) {
    struct world *world = *state;
    open_in_a_hurry(world);
    record_events(world, 1, 10);
    assert_int_equal(wait_durable(world), JP_OK);
    each_file(world, remove_it, NULL);
    record_event(world, 11);
    assert_int_equal(wait_durable(world), JP_OK);
    assert_int_equal(world->renewals, 1);
    assert_string_equal(world->kept_as, ""); /* there is none */
    assert_true(logged(world, "is gone; a new one begins, its events at number 12"));
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){0})), "11");
    close_store(world);
    open_store(world);
    assert_int_equal(world->start.last_seq, 11);
    close_store(world);
}

static void a_volume_that_comes_back_is_used_again(void **state) {
    struct world *world = *state;
    open_in_a_hurry(world);
    record_events(world, 1, 10);
    assert_int_equal(wait_durable(world), JP_OK);
    char *elsewhere = jp_sprintf("%s-unmounted", world->folder);
    assert_int_equal(rename(world->folder, elsewhere), 0);
    record_event(world, 11);
    assert_int_equal(wait_durable(world), JP_E_STORE);
    assert_true(state_of(world).degraded);
    assert_non_null(strstr(state_of(world).reason, "does not exist"));
    assert_int_equal(rename(elsewhere, world->folder), 0);
    jp_free(elsewhere);
    await_state(world, false);
    assert_int_equal(wait_durable(world), JP_OK);
    assert_int_equal(world->renewals, 0);
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){0})), "1 2 3 4 5 6 7 8 9 10 11");
    close_store(world);
}

static void a_database_has_one_owner(void **state) {
    struct world *world = *state, *second = NULL;
    void *made = NULL;
    open_store(world);
    set_up(&made);
    second = made;
    char *own = second->file;
    second->file = world->file;
    assert_int_equal(try_open(second), JP_E_STORE);
    assert_non_null(strstr(second->error.text, "another service uses the accounting database"));
    record_event(world, 1);
    assert_int_equal(wait_durable(world), JP_OK); /* the first has noticed nothing */
    close_store(world);
    open_store(second);
    assert_int_equal(second->start.last_seq, 1);
    assert_false(second->start.unclean);
    close_store(second);
    second->file = own;
    tear_down(&made);
}

static void a_lock_left_by_a_killed_service_does_not_matter(void **state) {
    struct world *world = *state;
    char *lock = jp_sprintf("%s-owner", world->file);
    overwrite(lock, 0, "", 0);
    open_store(world);
    close_store(world);
    assert_int_not_equal(access(lock, F_OK), 0);
    jp_free(lock);
}

static void a_full_backlog_says_what_it_lost(void **state) {
    struct world *world = *state;
    world->max_backlog = 10;
    open_in_a_hurry(world);
    for (int i = 0; i < 2; i++) {
        uint64_t first = 100 * (uint64_t)i + 1;
        sqlite3 *other = connect_other(world->file);
        execute(other, "BEGIN IMMEDIATE");
        record_events(world, first, first + 14);
        assert_int_equal(state_of(world).dropped_events, 5 * (i + 1));
        assert_int_equal(state_of(world).dropped_from_seq, first + 10);
        assert_int_equal(state_of(world).dropped_to_seq, first + 14);
        assert_int_equal(wait_durable(world), JP_E_STORE);
        execute(other, "COMMIT");
        sqlite3_close(other);
        await_state(world, false);
        assert_true(logged(world, i == 0 ? "5 events were dropped meanwhile, numbers 11 to 15" :
                                           "5 events were dropped meanwhile, numbers 111 to 115"));
    }
    close_store(world);
}

/* --- the WAL's size --- */

struct readers {
    struct world *world;
    sqlite3 *db[2];
    int turn;
    uv_timer_t timer;
};

/* Two who read by turns, so that at every moment one of them does, and none sees the newest for long. */
static void change_over(struct readers *readers) {
    readers->turn = !readers->turn;
    execute(readers->db[readers->turn], "BEGIN; SELECT count(*) FROM sqlite_schema");
    execute(readers->db[!readers->turn], "COMMIT");
}

/* A commit that takes so long waits for them. */
static void on_long_commit(uv_timer_t *timer) { change_over(timer->data); }

static void the_wal_stays_level_under_constant_readers(void **state) {
    enum { COMMITS = 160, EVENTS = 100, DETAIL_BYTES = 4000, LIMIT_BYTES = 32 * 1024 * 1024 }; /* 64 MB in all */
    struct world *world = *state;
    open_store(world);
    struct readers readers = {.world = world};
    for (int i = 0; i < 2; i++)
        readers.db[i] = connect_other(world->file);
    execute(readers.db[0], "BEGIN; SELECT count(*) FROM sqlite_schema");
    uv_timer_init(&world->loop, &readers.timer);
    readers.timer.data = &readers;
    char *wal = jp_sprintf("%s-wal", world->file);
    char detail[DETAIL_BYTES + 1] = "";
    memset(detail, 'x', DETAIL_BYTES);
    uint64_t largest = 0;
    for (uint64_t i = 0; i < COMMITS; i++) {
        for (uint64_t seq = i * EVENTS + 1; seq <= (i + 1) * EVENTS; seq++)
            world->accounts->ops->record_event(world->accounts, &(struct jp_event){.seq = seq, .pool = "build", .message = "M",
                                                                                   .detail = detail});
        uv_timer_start(&readers.timer, on_long_commit, 60, 60);
        assert_int_equal(wait_durable(world), JP_OK);
        uv_timer_stop(&readers.timer);
        if (i % 10 == 0)
            change_over(&readers);
        uv_fs_t request;
        assert_int_equal(uv_fs_stat(NULL, &request, wal, NULL), 0);
        largest = request.statbuf.st_size > largest ? request.statbuf.st_size : largest;
        uv_fs_req_cleanup(&request);
    }
    print_message("the WAL's largest size: %llu KiB\n", (unsigned long long)largest / 1024);
    assert_true(largest < LIMIT_BYTES);
    jp_free(wal);
    uv_close((uv_handle_t *)&readers.timer, NULL);
    for (int i = 0; i < 2; i++)
        sqlite3_close(readers.db[i]);
    close_store(world);
}

static int set_up_disk(void **state) {
    fault_vfs_arm(FAULT_NONE, 0, 0);
    return set_up(state);
}

#define REPAIR(function) cmocka_unit_test_setup_teardown(function, set_up_disk, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        REPAIR(what_the_writer_finds_damaged_is_replaced),
        REPAIR(what_the_reader_finds_damaged_is_replaced),
        REPAIR(queries_in_the_midst_of_it_are_answered),
        REPAIR(closing_in_the_midst_of_it_ends),
        REPAIR(two_in_a_second_have_two_names),
        REPAIR(a_new_one_that_cannot_begin_at_once_begins_later),
        REPAIR(a_file_that_vanished_is_begun_anew),
        REPAIR(a_volume_that_comes_back_is_used_again),
        REPAIR(a_database_has_one_owner),
        REPAIR(a_lock_left_by_a_killed_service_does_not_matter),
        REPAIR(a_full_backlog_says_what_it_lost),
        REPAIR(the_wal_stays_level_under_constant_readers),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
