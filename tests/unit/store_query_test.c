/* The store: what can be asked, and that every question is answered. */
#include "store_world.h"

static void events_are_filtered(void **state) {
    struct world *world = *state;
    open_store(world);
    static const char *const pools[] = {"a", "b", "c"}, *const messages[] = {"NEW", "EXIT"};
    for (uint64_t seq = 1; seq <= 12; seq++) {
        struct jp_event event = {.seq = seq, .time_100ns = (int64_t)seq * 100, .pool = pools[seq % 3],
                                 .message = messages[seq % 2], .pid = (uint32_t)seq / 4,
                                 .origin = seq % 4 == 0 ? JP_ORIGIN_SERVICE : JP_ORIGIN_KERNEL};
        world->accounts->ops->record_event(world->accounts, &event);
    }
    char b[] = "b", c[] = "c", ended[] = "EXIT", by_service[] = "service", hostile[] = "a') OR 1=1 --";
    struct jp_strings b_and_c = {(char *[]){b, c}, 2}, ends = {(char *[]){ended}, 1}, ours = {(char *[]){by_service}, 1};
    struct jp_strings injected = {(char *[]){hostile}, 1};
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){0})), "1 2 3 4 5 6 7 8 9 10 11 12");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.from_seq = 11})), "11 12");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.limit = 3})), "1 2 3");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.limit = 3, .newest = true})), "10 11 12");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.from_100ns = 300, .to_100ns = 500})), "3 4");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.pools = &b_and_c})), "1 2 4 5 7 8 10 11");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.pools = &b_and_c, .messages = &ends,
                                                                           .pid = 1})), "5 7");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.origins = &ours})), "4 8 12");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.pools = &injected})), "");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.from_seq = UINT64_MAX})), "");
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.pools = &(struct jp_strings){0}})), ""); /* of none */
    close_store(world);
}

static void processes_are_filtered(void **state) {
    struct world *world = *state;
    open_store(world);
    for (int64_t id = 1; id <= 6; id++) { /* starts at id * 10, the even ones end 15 later */
        struct jp_process_record process = running_record(id);
        process.pool = id <= 3 ? build : test;
        if (id % 2 == 0) {
            process.ended_100ns = id * 10 + 15;
            process.ending = JP_ENDING_EXITED;
        }
        record(world, &process);
    }
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.pool = "build"})), "1 2 3");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.pid = 4})), "4");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.pid = 4, .start_100ns = 41})), "");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.ending = "exited"})), "2 4 6");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.ending = "running"})), "1 3 5");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.after_id = 2, .limit = 2})), "3 4");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.from_100ns = 40, .to_100ns = 50})),
                        "1 3 4"); /* 2 ended at 35, 5 begins at 50 */
    char other[] = "other";
    struct jp_strings some = {(char *[]){other, test}, 2}, both = {(char *[]){build, test}, 2}, none = {0};
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.pools = &some})), "4 5 6");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.pools = &both, .ending = "exited"})), "2 4 6");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.pools = &some, .pool = "build"})), "");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.pools = &none})), "");
    close_store(world);
}

static void bounds_are_kept(void **state) {
    struct world *world = *state;
    open_store(world);
    for (uint64_t seq = 1; seq <= JP_STORE_MAX_ROWS + 50; seq++)
        record_event(world, seq);
    struct answer *answer = ask_events(world, (struct jp_event_filter){.limit = UINT32_MAX});
    assert_int_equal(answer->count, JP_STORE_MAX_ROWS);
    free_answer(answer);

    char name[] = "x";
    char *names[JP_STORE_MAX_NAMES + 1];
    for (size_t i = 0; i <= JP_STORE_MAX_NAMES; i++)
        names[i] = name;
    struct jp_strings pools = {names, JP_STORE_MAX_NAMES + 1};
    answer = ask_events(world, (struct jp_event_filter){.pools = &pools});
    assert_int_equal(answer->status, JP_E_QUOTA);
    free_answer(answer);
    pools.count = JP_STORE_MAX_NAMES;
    assert_string_equal(keys_of(ask_events(world, (struct jp_event_filter){.pools = &pools, .messages = &pools})), "");
    assert_string_equal(keys_of(ask_processes(world, (struct jp_process_filter){.pools = &pools})), "");
    answer = ask_summary(world, (struct jp_summary_filter){.pools = &pools});
    assert_int_equal(answer->status, JP_OK);
    free_answer(answer);
    pools.count++;
    answer = ask_processes(world, (struct jp_process_filter){.pools = &pools});
    assert_int_equal(answer->status, JP_E_QUOTA);
    free_answer(answer);
    answer = ask_summary(world, (struct jp_summary_filter){.pools = &pools});
    assert_int_equal(answer->status, JP_E_QUOTA);
    free_answer(answer);
    close_store(world);
}

struct tally {
    struct world *world;
    int ok, quota, stopping;
};

static void tally_answer(void *context, jp_status status, const struct jp_error *error, const struct jp_summary *summaries,
                         size_t count) {
    struct tally *tally = context;
    (void)error, (void)summaries, (void)count;
    tally->ok += status == JP_OK;
    tally->quota += status == JP_E_QUOTA;
    tally->stopping += status == JP_E_STOPPING;
    tally->world->done = true;
}

static void queries_are_bounded_and_all_are_answered(void **state) {
    struct world *world = *state;
    open_store(world);
    struct tally tally = {.world = world};
    for (int i = 0; i < JP_STORE_MAX_QUERIES + 10; i++)
        world->accounts->ops->query_summary(world->accounts, &(struct jp_summary_filter){0}, tally_answer, &tally);
    while (tally.ok + tally.quota < JP_STORE_MAX_QUERIES + 10)
        await(world);
    assert_int_equal(tally.quota, 10);

    for (int i = 0; i < 100; i++) {
        record_event(world, (uint64_t)i + 1); /* so that they wait for the writer first */
        world->accounts->ops->query_summary(world->accounts, &(struct jp_summary_filter){0}, tally_answer, &tally);
    }
    tally.ok = 0;
    jp_store_close(world->store, note_closed, world);
    while (world->store != NULL)
        await(world);
    assert_int_equal(tally.ok + tally.stopping, 100);
    assert_int_equal(world->lost, 0);
    assert_int_equal(ask_number(world->file, "SELECT count(*) FROM events"), 100);
}

static void the_summary_is_the_sum_of_its_rows(void **state) {
    struct world *world = *state;
    open_store(world);
    static const enum jp_ending endings[] = {JP_ENDING_EXITED, JP_ENDING_CRASHED, JP_ENDING_TERMINATED, JP_ENDING_UNKNOWN};
    struct jp_summary expected = {0};
    for (int64_t id = 1; id <= 101; id++) {
        struct jp_process_record process = full_record(id);
        process.ending = endings[id % 4];
        process.has_exit_code = id % 4 != 3;
        process.exit_code = id % 3 == 0 ? 0 : 1;
        process.usage.user_100ns = (uint64_t)id * 7;
        process.usage.kernel_100ns = (uint64_t)id;
        process.usage.peak_commit_bytes = (uint64_t)(id * 37 % 101);
        if (id % 5 == 0)
            process.usage.known &= ~(uint32_t)JP_USAGE_CPU;
        record(world, &process);
        expected.processes++;
        expected.exited += process.ending == JP_ENDING_EXITED;
        expected.crashed += process.ending == JP_ENDING_CRASHED;
        expected.terminated += process.ending == JP_ENDING_TERMINATED;
        expected.unknown += process.ending == JP_ENDING_UNKNOWN;
        expected.failures += process.has_exit_code && process.exit_code != 0;
        expected.wall_100ns += (uint64_t)(process.ended_100ns - process.facts.start_100ns);
        expected.with_io += (process.usage.known & JP_USAGE_IO) != 0;
        expected.read_bytes += process.usage.read_bytes;
        expected.write_bytes += process.usage.write_bytes;
        if (process.usage.peak_commit_bytes > expected.peak_commit_bytes)
            expected.peak_commit_bytes = process.usage.peak_commit_bytes;
        if (process.usage.known & JP_USAGE_CPU) {
            expected.user_100ns += process.usage.user_100ns;
            expected.kernel_100ns += process.usage.kernel_100ns;
            expected.with_cpu++;
        }
    }
    struct jp_process_record running = running_record(200);
    running.pool = test;
    record(world, &running);

    struct answer *answer = ask_summary(world, (struct jp_summary_filter){0});
    assert_int_equal(answer->status, JP_OK);
    assert_int_equal(answer->count, 2);
    assert_string_equal(answer->pools[0], "build");
    expected.pool = answer->summaries[0].pool;
    assert_memory_equal(&answer->summaries[0], &expected, sizeof expected);
    assert_string_equal(answer->pools[1], "test");
    assert_int_equal(answer->summaries[1].running, 1);
    assert_int_equal(answer->summaries[1].failures, 0);
    assert_true(answer->summaries[1].wall_100ns > 0); /* until now */
    free_answer(answer);
    answer = ask_summary(world, (struct jp_summary_filter){.pool = "test", .from_100ns = 2000, .to_100ns = 2001});
    assert_int_equal(answer->count, 1);
    free_answer(answer);
    answer = ask_summary(world, (struct jp_summary_filter){.from_100ns = 1, .to_100ns = 2000});
    assert_int_equal(answer->count, 0);
    free_answer(answer);
    char other[] = "other";
    struct jp_strings some = {(char *[]){other, test}, 2}, none = {0};
    answer = ask_summary(world, (struct jp_summary_filter){.pools = &some});
    assert_int_equal(answer->count, 1);
    assert_string_equal(answer->pools[0], "test");
    free_answer(answer);
    answer = ask_summary(world, (struct jp_summary_filter){.pools = &some, .pool = "build"});
    assert_int_equal(answer->count, 0);
    free_answer(answer);
    answer = ask_summary(world, (struct jp_summary_filter){.pools = &none});
    assert_int_equal(answer->status, JP_OK);
    assert_int_equal(answer->count, 0);
    free_answer(answer);
    close_store(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(events_are_filtered),
        TEST(processes_are_filtered),
        TEST(bounds_are_kept),
        TEST(queries_are_bounded_and_all_are_answered),
        TEST(the_summary_is_the_sum_of_its_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
