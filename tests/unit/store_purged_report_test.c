/* The store: reports over what is gone are what they were before. */
#include "store_world.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_report_is_the_same_before_and_after_a_purge),
        TEST(the_ends_of_a_report_are_exact_while_there_are_rows),
        TEST(an_hour_that_is_a_day_already_takes_late_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
