/* The store: purges that somebody asks for, beside other work, on a disk that cannot be written, at the end. */
#include "store_world.h"

static void a_purge_takes_what_it_is_asked_for(void **state) {
    struct world *world = *state;
    open_store(world);
    for (int64_t id = 1; id <= 1500; id++) { /* of two pools in turn, ending at id * 1000 */
        struct jp_process_record process = ended_record(id, id * 1000 - 10);
        process.pool = id % 2 == 0 ? build : test;
        record(world, &process);
        struct jp_event event = {.seq = (uint64_t)id, .time_100ns = id * 1000, .pool = process.pool, .message = "M"};
        world->accounts->ops->record_event(world->accounts, &event);
    }
    struct jp_purged purged = purge(world, (struct jp_purge_filter){.pool = "build", .before_100ns = 1400 * 1000, .processes = true});
    assert_int_equal(purged.processes, 699);
    assert_int_equal(purged.events, 0);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM processes WHERE pool = 'test'"), 750);
    purged = purge(world, (struct jp_purge_filter){.pool = "test", .before_100ns = 1400 * 1000, .events = true});
    assert_int_equal(purged.processes, 0);
    assert_int_equal(purged.events, 700);
    purged = purge(world, (struct jp_purge_filter){.before_100ns = 1401 * 1000, .processes = true, .events = true});
    assert_int_equal(purged.processes, 701);
    assert_int_equal(purged.events, 700);
    purged = purge(world, (struct jp_purge_filter){.before_100ns = 1401 * 1000, .processes = true, .events = true});
    assert_int_equal(purged.processes + purged.events, 0);
    purged = purge(world, (struct jp_purge_filter){.pool = "a') OR 1=1 --", .before_100ns = INT64_MAX, .processes = true, .events = true});
    assert_int_equal(purged.processes + purged.events, 0);
    assert_int_equal(rows_of(world, "processes"), 100);
    assert_int_equal(rows_of(world, "events"), 100);
    assert_true(logged(world, "info: purged of the accounts of pool \"build\" before 1601-01-01T00:00:00.1400000Z: 699 processes, 0 events"));
    assert_true(state_of(world).last_purge_100ns > 0);
    close_store(world);
    assert_int_equal(rows_of(world, "purging"), 0);
    assert_int_equal(rows_of(world, "purged"), 0); /* all had ended long ago: nobody writes them again */
}

static void a_row_that_comes_after_its_purge_counts_once(void **state) {
    struct world *world = *state;
    open_store(world);
    struct jp_process_record process = ended_record(1, now_100ns() - 100);
    record(world, &process);
    assert_int_equal(purge(world, (struct jp_purge_filter){.before_100ns = INT64_MAX, .processes = true}).processes, 1);
    record(world, &process);
    record_event(world, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    assert_int_equal(rows_of(world, "processes"), 0);
    assert_int_equal(rows_of(world, "events"), 1); /* the rest of the batch is there */
    assert_int_equal(processes_of(world, 0, 0), 1);
    close_store(world);
    assert_int_equal(ask_number(world->file, "SELECT processes FROM pool_totals"), 1);
}

/* --- beside other work --- */

struct flood {
    struct world *world;
    int purges, left;
    uint64_t processes, events;
};

static void note_flood(void *context, jp_status status, const struct jp_error *error, const struct jp_purged *purged) {
    struct flood *flood = context;
    (void)error;
    assert_int_equal(status, JP_OK);
    flood->processes += purged->processes;
    flood->events += purged->events;
    flood->left--;
}

static void purges_go_on_in_the_midst_of_writes(void **state) {
    struct world *world = *state;
    open_store(world);
    struct flood flood = {.world = world};
    uint64_t written = 0;
    for (int round = 0; round < 20 || flood.left > 0; round++) {
        for (int i = 0; i < 300; i++) {
            written++;
            struct jp_process_record process = ended_record((int64_t)written, (int64_t)written * 1000);
            record(world, &process);
            record_event(world, written);
        }
        if (round < 20) {
            flood.left++;
            world->accounts->ops->purge(world->accounts,
                                        &(struct jp_purge_filter){.pool = round % 2 ? "build" : NULL,
                                                                  .before_100ns = (int64_t)(written - 50) * 1000, .processes = true, .events = true},
                                        note_flood, &flood);
        }
        assert_int_equal(wait_durable(world), JP_OK); /* never waits for a whole purge */
    }
    assert_int_equal(flood.left, 0);
    assert_int_equal(rows_of(world, "processes"), (int64_t)(written - flood.processes));
    assert_int_equal(rows_of(world, "events"), (int64_t)(written - flood.events));
    assert_int_equal(processes_of(world, 0, 0), written);
    close_store(world);
    assert_int_equal(ask_number(world->file, "SELECT processes FROM pool_totals"), (int64_t)written);
    assert_int_equal(ask_number(world->file, "SELECT total(kept) FROM usage_hours"), (int64_t)(written - flood.processes));
}

struct refusal {
    struct world *world;
    jp_status status;
    int calls;
};

static void note_refusal(void *context, jp_status status, const struct jp_error *error, const struct jp_purged *purged) {
    struct refusal *refusal = context;
    (void)error, (void)purged;
    refusal->status = status;
    refusal->calls++;
    refusal->world->done = true;
}

static void who_purges_a_database_that_cannot_be_written_is_told(void **state) {
    struct world *world = *state;
    struct refusal refusal = {.world = world};
    struct jp_purge_filter all = {.before_100ns = INT64_MAX, .processes = true, .events = true};
    open_store(world);
    record_ended(world, 1, 1, 1000, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    sqlite3 *other = connect_other(world->file);
    execute(other, "BEGIN IMMEDIATE");
    world->accounts->ops->purge(world->accounts, &all, note_refusal, &refusal); /* found out by trying */
    await(world);
    assert_int_equal(refusal.status, JP_E_STORE);
    record_event(world, 1);
    assert_int_equal(wait_durable(world), JP_E_STORE);
    world->accounts->ops->purge(world->accounts, &all, note_refusal, &refusal); /* known */
    await(world);
    assert_int_equal(refusal.status, JP_E_STORE);
    assert_int_equal(refusal.calls, 2);
    execute(other, "COMMIT");
    sqlite3_close(other);
    await_state(world, false);
    assert_int_equal(purge(world, all).processes, 1);
    close_store(world);
}

static void a_purge_that_is_not_done_at_the_end_is_told(void **state) {
    struct world *world = *state;
    open_store(world);
    record_ended(world, 1, 3000, 1000, 1);
    assert_int_equal(wait_durable(world), JP_OK);
    struct refusal refusal = {.world = world};
    world->accounts->ops->purge(world->accounts, &(struct jp_purge_filter){.before_100ns = INT64_MAX, .processes = true}, note_refusal, &refusal);
    jp_store_close(world->store, note_closed, world);
    while (world->store != NULL)
        await(world);
    assert_int_equal(refusal.calls, 1);
    assert_true(refusal.status == JP_E_STOPPING || refusal.status == JP_OK);
    assert_int_equal(ask_number(world->file, "SELECT processes FROM pool_totals"), 3000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_purge_takes_what_it_is_asked_for),
        TEST(a_row_that_comes_after_its_purge_counts_once),
        TEST(purges_go_on_in_the_midst_of_writes),
        TEST(who_purges_a_database_that_cannot_be_written_is_told),
        TEST(a_purge_that_is_not_done_at_the_end_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
