/* The store: what is old goes, a little at a time, and every sum stays what it was. */
#include "store_world.h"

#include "base/units.h"
#include "store/database.h"
#include "store/upkeep.h"

#include <stdlib.h>

/* --- reports --- */

static struct jp_summary summary_of(struct world *world, struct jp_summary_filter filter) {
    struct answer *answer = ask_summary(world, filter);
    assert_int_equal(answer->status, JP_OK);
    assert_true(answer->count <= 1); /* the filter is of one pool */
    struct jp_summary summary = answer->summaries[0];
    summary.pool = NULL;
    free_answer(answer);
    return summary;
}

static void assert_same_summary(const struct jp_summary *one, const struct jp_summary *other) {
    assert_memory_equal(one, other, sizeof *one);
}

static uint64_t processes_of(struct world *world, int64_t from_100ns, int64_t to_100ns) {
    return summary_of(world, (struct jp_summary_filter){.pool = "build", .from_100ns = from_100ns, .to_100ns = to_100ns}).processes;
}

static struct jp_process_record ended_record(int64_t id, int64_t start_100ns) {
    struct jp_process_record process = full_record(id);
    process.facts.start_100ns = start_100ns;
    process.joined_100ns = start_100ns + 5;
    process.ended_100ns = start_100ns + 10;
    return process;
}

/* `count` processes, ids from `first_id` on, that began `step` after each other. */
static void record_ended(struct world *world, int64_t first_id, int64_t count, int64_t start_100ns, int64_t step_100ns) {
    for (int64_t i = 0; i < count; i++) {
        struct jp_process_record process = ended_record(first_id + i, start_100ns + i * step_100ns);
        record(world, &process);
    }
}

static int64_t rows_of(struct world *world, const char *table) {
    char sql[64];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    return ask_number(world->file, sql);
}

/* An hour that is over, so long ago. */
static int64_t hour_ago(int64_t hours) {
    return (now_100ns() / an_hour - hours) * an_hour;
}

/* --- what goes, and what stays --- */

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

/* --- reports over what is gone --- */

static void a_report_is_the_same_before_and_after_a_purge(void **state) {
    struct world *world = *state;
    open_store(world);
    int64_t first = (now_100ns() / a_day - 4) * a_day, second = first + a_day;
    record_ended(world, 1, 96, first, an_hour / 2); /* two days of two an hour */
    struct jp_process_record running = ended_record(500, first + an_hour);
    running.ended_100ns = 0;
    running.ending = JP_ENDING_NONE;
    record(world, &running);
    world->accounts->ops->record_unobserved(
        world->accounts, &(struct jp_unobserved_record){.pool = build, .from_100ns = first + 5, .to_100ns = first + 10, .processes = 3,
                                                        .user_100ns = 7, .kernel_100ns = 8, .read_bytes = 9, .write_bytes = 10});
    const struct jp_summary_filter ranges[] = {
        {.pool = "build"},
        {.pool = "build", .from_100ns = first, .to_100ns = second},
        {.pool = "build", .from_100ns = second, .to_100ns = second + a_day},
        {.pool = "build", .from_100ns = first, .to_100ns = first + a_day * 2},
        {.pool = "build", .from_100ns = second},
        {.pool = "build", .to_100ns = second},
    };
    enum { RANGES = sizeof ranges / sizeof *ranges };
    struct jp_summary expected[RANGES];
    for (int i = 0; i < RANGES; i++)
        expected[i] = summary_of(world, ranges[i]);
    assert_int_equal(expected[0].processes, 97);
    assert_int_equal(expected[0].running, 1);
    assert_int_equal(expected[0].unobserved, 3);
    assert_int_equal(expected[1].processes, 49);
    assert_int_equal(expected[1].unobserved, 3);
    assert_int_equal(expected[1].user_100ns, 49 * 11 + 7);
    assert_int_equal(expected[1].with_cpu, 49);
    assert_int_equal(expected[1].wall_100ns - expected[0].wall_100ns + 48 * 10 < (uint64_t)an_hour, true);
    assert_int_equal(expected[2].processes, 48);
    assert_int_equal(expected[2].unobserved, 0);

    for (int purges = 0; purges < 4; purges++) { /* a part of the rows, all, the unobserved ones too, and the hours as days */
        if (purges < 2)
            purge(world, (struct jp_purge_filter){.before_100ns = first + (purges ? 3 : 1) * a_day + an_hour / 3, .processes = true});
        else
            retain(world, (struct jp_retention){.processes_100ns = (uint64_t)an_hour,
                                                .hours_100ns = purges == 3 ? (uint64_t)(now_100ns() - second) : 0});
        for (int i = 0; i < RANGES; i++) {
            struct jp_summary summary = summary_of(world, ranges[i]);
            summary.wall_100ns = expected[i].running != 0 ? expected[i].wall_100ns : summary.wall_100ns; /* that goes on */
            assert_same_summary(&summary, &expected[i]);
        }
    }
    close_store(world);
    assert_int_equal(rows_of(world, "processes"), 1);
    assert_int_equal(rows_of(world, "unobserved"), 0);
    assert_int_equal(rows_of(world, "usage_days"), 1);
    assert_int_equal(rows_of(world, "usage_hours"), 24);
}

static void the_ends_of_a_report_are_exact_while_there_are_rows(void **state) {
    struct world *world = *state;
    open_store(world);
    int64_t hour = hour_ago(100);
    record_ended(world, 1, 60, hour, an_hour / 10); /* six hours of ten */
    world->accounts->ops->record_unobserved(
        world->accounts, &(struct jp_unobserved_record){.pool = build, .from_100ns = hour + 5, .to_100ns = hour + an_hour * 4, .processes = 3});
    assert_int_equal(processes_of(world, hour + 1, hour + an_hour * 2), 19);
    assert_int_equal(processes_of(world, hour + 1, hour + an_hour / 2), 4);
    assert_int_equal(processes_of(world, hour + an_hour / 2, hour + an_hour / 2 + 1), 1);
    assert_int_equal(processes_of(world, hour + an_hour / 2 + 1, hour + an_hour * 5 / 2), 19);
    assert_int_equal(processes_of(world, hour, hour + an_hour * 2 + 1), 21);
    assert_int_equal(processes_of(world, hour + an_hour * 2 + 1, hour + an_hour * 3), 9);
    struct jp_summary_filter edge = {.pool = "build", .from_100ns = hour + 5, .to_100ns = hour + 6};
    assert_int_equal(summary_of(world, edge).unobserved, 3);
    edge.from_100ns++;
    assert_int_equal(summary_of(world, edge).unobserved, 0);

    /* Of three of these hours some rows go: they count as a whole where they begin, the others as before. */
    purge(world, (struct jp_purge_filter){.before_100ns = hour + an_hour * 5 / 2, .processes = true});
    assert_int_equal(processes_of(world, hour + 1, hour + an_hour * 2), 10);
    assert_int_equal(processes_of(world, hour + 1, hour + an_hour / 2), 0);
    assert_int_equal(processes_of(world, hour, hour + 1), 10);
    assert_int_equal(processes_of(world, hour + an_hour / 2 + 1, hour + an_hour * 5 / 2), 20);
    assert_int_equal(processes_of(world, hour + an_hour * 5 / 2, hour + an_hour * 7 / 2), 5);
    assert_int_equal(processes_of(world, hour + an_hour * 7 / 2, 0), 25);
    edge.from_100ns = hour; /* the unobserved ones are of such an hour, though their row is there */
    edge.to_100ns = hour + 1;
    assert_int_equal(summary_of(world, edge).unobserved, 3);
    assert_int_equal(processes_of(world, 0, 0), 60);
    close_store(world);
}

/* A process may end long after the hour in which it began has become a part of its day. */
static void an_hour_that_is_a_day_already_takes_late_ones(void **state) {
    struct world *world = *state;
    open_store(world);
    int64_t day = (now_100ns() / a_day - 10) * a_day;
    struct jp_process_record late = ended_record(10, day + 7);
    late.ended_100ns = 0;
    late.ending = JP_ENDING_NONE;
    record(world, &late);
    record_ended(world, 1, 5, day, 1);
    struct jp_retention retention = {.processes_100ns = (uint64_t)a_day, .hours_100ns = (uint64_t)a_day};
    retain(world, retention);
    assert_int_equal(rows_of(world, "usage_hours"), 0);
    late.ended_100ns = now_100ns();
    late.ending = JP_ENDING_EXITED;
    record(world, &late);
    assert_int_equal(processes_of(world, day, day + a_day), 6);
    assert_int_equal(processes_of(world, day + 1, day + a_day), 1); /* of this one there is a row */
    retain(world, retention);
    assert_int_equal(rows_of(world, "usage_hours"), 1); /* kept while there is */
    purge(world, (struct jp_purge_filter){.before_100ns = INT64_MAX, .processes = true});
    retain(world, retention);
    assert_int_equal(rows_of(world, "usage_hours"), 0);
    assert_int_equal(processes_of(world, day, day + a_day), 6);
    close_store(world);
    assert_int_equal(ask_number(world->file, "SELECT processes FROM usage_days"), 6);
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

/* --- a full backlog --- */

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

/* --- at random --- */

enum { MODEL_POOLS = 3, MODEL_ROWS = 600, MODEL_DAYS = 6 };
static char pool_names[MODEL_POOLS][4] = {"a", "b", "c"};

/* What was recorded, as somebody would who forgets nothing. */
struct model {
    struct world *world;
    struct jp_process_record rows[MODEL_ROWS];
    bool removed[MODEL_ROWS], purged[MODEL_ROWS];
    int count;
    struct jp_unobserved_record unobserved[MODEL_ROWS];
    int unobserved_count;
    int64_t now_100ns, first_day;
    bool folded;
};

static bool same_process(const struct jp_process_record *one, const struct jp_process_record *other) {
    return one->start_exact && other->start_exact && one->run == other->run && one->pool == other->pool &&
           one->facts.pid == other->facts.pid && one->facts.start_100ns == other->facts.start_100ns;
}

static void begin_one(struct model *model) {
    if (model->count == MODEL_ROWS)
        return;
    struct jp_process_record *row = &model->rows[model->count];
    *row = (struct jp_process_record){
        .id = ++model->count, .run = model->world->start.run, .pool = pool_names[rand() % MODEL_POOLS], .start_exact = rand() % 8 != 0,
        .facts = {.pid = (uint32_t)(rand() % 4 + 1), .start_100ns = model->first_day + rand() % (MODEL_DAYS * 12) * (an_hour / 4)}};
    row->joined_100ns = row->facts.start_100ns;
    record(model->world, row);
    for (int i = 0; i < model->count - 1; i++) /* whoever is the same makes room, if it is still there */
        model->removed[i] |= !model->purged[i] && same_process(&model->rows[i], row);
}

/* Ends, or tells more of one that has ended. */
static void end_one(struct model *model) {
    int i = model->count != 0 ? rand() % model->count : 0;
    struct jp_process_record *row = &model->rows[i];
    if (model->count == 0 || model->removed[i] || (model->purged[i] && row->ended_100ns < model->now_100ns - an_hour / 2))
        return;
    struct jp_process_record more = *row;
    if (more.ended_100ns == 0)
        more.ended_100ns = rand() % 2 ? model->now_100ns - rand() % 1000 : more.facts.start_100ns + rand() % 100000;
    more.ending = (enum jp_ending)(JP_ENDING_EXITED + rand() % 4);
    more.has_exit_code = rand() % 3 != 0;
    more.exit_code = (uint32_t)(rand() % 2);
    more.usage.known |= (uint32_t)rand() % 8;
    if (more.usage.known & JP_USAGE_CPU)
        more.usage.user_100ns += (uint64_t)rand() % 1000, more.usage.kernel_100ns += (uint64_t)rand() % 1000;
    if (more.usage.known & JP_USAGE_MEMORY)
        more.usage.peak_commit_bytes += (uint64_t)rand() % 1000;
    if (more.usage.known & JP_USAGE_IO)
        more.usage.read_bytes += (uint64_t)rand() % 1000, more.usage.write_bytes += 1, more.usage.other_operations += 2;
    record(model->world, &more);
    if (!model->purged[i]) /* else it was counted as it was */
        *row = more;
}

static void miss_some(struct model *model) {
    if (model->unobserved_count == MODEL_ROWS)
        return;
    struct jp_unobserved_record *one = &model->unobserved[model->unobserved_count++];
    *one = (struct jp_unobserved_record){.pool = pool_names[rand() % MODEL_POOLS], .processes = (uint64_t)rand() % 5,
                                         .user_100ns = (uint64_t)rand() % 100, .write_bytes = (uint64_t)rand() % 100};
    one->from_100ns = model->first_day + rand() % (MODEL_DAYS * 24) * an_hour;
    one->to_100ns = one->from_100ns + 1;
    model->world->accounts->ops->record_unobserved(model->world->accounts, one);
}

static void mark_purged(struct model *model, const char *pool, int64_t before_100ns, uint64_t *count) {
    for (int i = 0; i < model->count; i++) {
        const struct jp_process_record *row = &model->rows[i];
        if (model->removed[i] || model->purged[i] || row->ended_100ns == 0 || row->ended_100ns >= before_100ns || (pool && pool != row->pool))
            continue;
        model->purged[i] = true;
        ++*count;
    }
}

static void purge_some(struct model *model) {
    struct jp_purge_filter filter = {.pool = rand() % 2 ? pool_names[rand() % MODEL_POOLS] : NULL, .processes = true,
                                     .before_100ns = model->first_day + rand() % (MODEL_DAYS * 24) * an_hour};
    if (rand() % 8 == 0)
        filter.before_100ns = INT64_MAX;
    uint64_t expected = 0;
    mark_purged(model, filter.pool, filter.before_100ns, &expected);
    assert_int_equal(purge(model->world, filter).processes, expected);
}

/* Old rows and hours go: everything before a day. */
static void retain_some(struct model *model) {
    int64_t then = model->first_day + rand() % MODEL_DAYS * a_day + an_hour / 8; /* about which time none ends */
    uint64_t age_100ns = (uint64_t)(now_100ns() - then), ignored = 0;
    retain(model->world, (struct jp_retention){.processes_100ns = age_100ns, .hours_100ns = age_100ns});
    model->world->accounts->ops->set_retention(model->world->accounts, &(struct jp_retention){0}); /* the model knows of one pass */
    mark_purged(model, NULL, then, &ignored);
    model->folded = true;
}

static void add_to(struct jp_summary *summary, const struct jp_process_record *row) {
    bool ended = row->ended_100ns != 0;
    summary->processes++;
    summary->running += !ended;
    summary->exited += row->ending == JP_ENDING_EXITED;
    summary->crashed += row->ending == JP_ENDING_CRASHED;
    summary->terminated += row->ending == JP_ENDING_TERMINATED;
    summary->unknown += row->ending == JP_ENDING_UNKNOWN;
    summary->failures += ended && row->has_exit_code && row->exit_code != 0;
    summary->user_100ns += row->usage.user_100ns;
    summary->kernel_100ns += row->usage.kernel_100ns;
    summary->read_bytes += row->usage.read_bytes;
    summary->write_bytes += row->usage.write_bytes;
    summary->with_cpu += (row->usage.known & JP_USAGE_CPU) != 0;
    summary->with_io += (row->usage.known & JP_USAGE_IO) != 0;
    if (ended)
        summary->wall_100ns += (uint64_t)(row->ended_100ns - row->facts.start_100ns);
}

static void check_report(struct model *model) {
    int64_t step = model->folded ? a_day : an_hour / 4; /* parts of hours are exact, as long as nothing was purged of them */
    bool whole = model->folded;
    for (int i = 0; i < model->count && !whole; i++)
        whole = model->purged[i];
    if (whole && !model->folded)
        step = an_hour;
    int64_t from = model->first_day + rand() % (int)(MODEL_DAYS * a_day / step) * step;
    struct jp_summary_filter filter = {.pool = pool_names[rand() % MODEL_POOLS], .from_100ns = from,
                                       .to_100ns = from + (1 + rand() % 20) * step};
    if (rand() % 8 == 0)
        filter.from_100ns = filter.to_100ns = 0;
    struct jp_summary expected = {0}, found = summary_of(model->world, filter);
    int64_t to = filter.to_100ns != 0 ? filter.to_100ns : INT64_MAX;
    bool running = false;
    for (int i = 0; i < model->count; i++) {
        const struct jp_process_record *row = &model->rows[i];
        if (model->removed[i] || row->pool != filter.pool || row->facts.start_100ns < filter.from_100ns || row->facts.start_100ns >= to)
            continue;
        add_to(&expected, row);
        running |= row->ended_100ns == 0;
    }
    for (int i = 0; i < model->unobserved_count; i++) {
        const struct jp_unobserved_record *one = &model->unobserved[i];
        if (one->pool != filter.pool || one->from_100ns < filter.from_100ns || one->from_100ns >= to)
            continue;
        expected.unobserved += one->processes;
        expected.user_100ns += one->user_100ns;
        expected.write_bytes += one->write_bytes;
    }
    expected.peak_commit_bytes = found.peak_commit_bytes; /* of those that made room too */
    if (running)
        expected.wall_100ns = found.wall_100ns;
    if (expected.processes + expected.unobserved == 0)
        memset(&expected, 0, sizeof expected);
    assert_same_summary(&found, &expected);
}

static void check_counters(struct model *model) {
    struct world *world = model->world;
    close_store(world);
    open_store(world);
    assert_int_equal(world->start.last_process_id, model->count);
    for (size_t pool = 0; pool < world->start.counter_count; pool++) {
        struct jp_counters expected = {0}, *found = &world->start.counters[pool].total;
        for (int i = 0; i < model->count; i++) {
            if (!model->removed[i] && model->rows[i].ended_100ns != 0 && strcmp(model->rows[i].pool, world->start.counters[pool].name) == 0)
                jp_counters_add(&expected, &model->rows[i]);
        }
        for (int i = 0; i < model->unobserved_count; i++) {
            if (strcmp(model->unobserved[i].pool, world->start.counters[pool].name) == 0)
                jp_counters_add_unobserved(&expected, &model->unobserved[i]);
        }
        assert_true(found->peak_commit_bytes >= expected.peak_commit_bytes);
        expected.peak_commit_bytes = found->peak_commit_bytes;
        assert_memory_equal(found, &expected, sizeof expected);
    }
}

static void sums_are_right_whatever_happens(void **state) {
    struct model *model = jp_alloc(sizeof *model);
    const char *wanted = getenv("JOBPOOL_SEED");
    unsigned seed = wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : 1;
    print_message("seed %u\n", seed); /* another one: JOBPOOL_SEED */
    srand(seed);
    model->world = *state;
    model->now_100ns = now_100ns();
    model->first_day = (model->now_100ns / a_day - MODEL_DAYS - 1) * a_day;
    open_store(model->world);
    for (int i = 0; i < 2500; i++) {
        int dice = rand() % 1000;
        if (dice < 300)
            begin_one(model);
        else if (dice < 750)
            end_one(model);
        else if (dice < 780)
            miss_some(model);
        else if (dice < 790)
            purge_some(model);
        else if (dice < 793 && i > 1200)
            retain_some(model);
        else if (dice < 800)
            check_counters(model);
        else if (dice < 850)
            check_report(model);
    }
    check_counters(model);
    close_store(model->world);
    jp_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_old_goes_and_what_runs_stays),
        TEST(a_purge_takes_what_it_is_asked_for),
        TEST(a_row_that_comes_after_its_purge_counts_once),
        TEST(a_pool_that_left_nothing_is_forgotten),
        TEST(a_report_is_the_same_before_and_after_a_purge),
        TEST(the_ends_of_a_report_are_exact_while_there_are_rows),
        TEST(an_hour_that_is_a_day_already_takes_late_ones),
        TEST(purges_go_on_in_the_midst_of_writes),
        TEST(who_purges_a_database_that_cannot_be_written_is_told),
        TEST(a_purge_that_is_not_done_at_the_end_is_told),
        TEST(a_database_that_is_too_large_shrinks),
        TEST(what_a_purge_frees_is_given_back),
        TEST(a_pass_waits_longer_while_nothing_is_written),
        TEST(the_numbers_that_were_dropped_are_told),
        TEST(sums_are_right_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
