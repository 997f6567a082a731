/* Members over the simulated kernel: what happens when messages come, come twice, come late or never. */
#include "pool_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- coming and going --- */

static void a_process_is_assigned_runs_and_ends(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t pid = jp_sim_spawn(world->sim, 0, "tool.exe");
    assign(world, "a", pid);
    assert_int_equal(world->joined_status, JP_OK);
    assert_int_equal(world->joined.facts.start_100ns, jp_sim_start_time(world->sim, pid));
    deliver(world);
    expect_row(world, pid, "a", JP_ENDING_NONE, 0);
    jp_sim_grow_usage(world->sim, pid, 5000);
    jp_sim_exit(world->sim, pid, 7);
    deliver(world);
    expect_row(world, pid, "a", JP_ENDING_EXITED, 7);
    assert_int_equal(jp_ledger_find(world->ledger, pid)->usage.user_100ns, 5000);
    assert_int_equal(jp_ledger_process_count(world->ledger), 1);
    assert_int_equal(jp_ledger_count(world->ledger, NEW, "a", pid), 1);
    assert_int_equal(jp_ledger_count(world->ledger, NEW, "root", pid), 1);
    assert_int_equal(jp_ledger_count(world->ledger, EXIT, "a", pid), 1);
    assert_int_equal(jp_ledger_count(world->ledger, EXIT, "root", pid), 1);
    assert_int_equal(jp_ledger_count(world->ledger, ZERO, "a", 0), 1);
    expect_origin(world, EXIT, JP_ORIGIN_KERNEL);
}

static void a_launch_runs_only_when_it_is_recorded(void **state) {
    struct pool_world *world = *state;
    struct jp_launch request = {.command_line = "tool.exe"};
    pool_world_load(world, TREE);
    join(world, "a", (struct jp_joining){.launch = &request});
    uint32_t pid = jp_ledger_process(world->ledger, 0)->facts.pid;
    assert_int_equal(world->joined_calls, 0);
    assert_true(jp_sim_suspended(world->sim, pid));
    jp_ledger_commit(world->ledger);
    assert_int_equal(world->joined_calls, 1);
    assert_false(jp_sim_suspended(world->sim, pid));
}

static void a_broken_disk_does_not_stop_launches(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    jp_ledger_break(world->ledger, true);
    uint32_t pid = launch(world, "a", "tool.exe");
    assert_false(jp_sim_suspended(world->sim, pid));
}

static void a_launch_that_cannot_be_resumed_fails_and_is_ended(void **state) {
    struct pool_world *world = *state;
    struct jp_launch request = {.command_line = "tool.exe"};
    pool_world_load(world, TREE);
    jp_sim_fail_next(world->sim, "ResumeThread", 5);
    join(world, "a", (struct jp_joining){.launch = &request});
    jp_ledger_commit(world->ledger);
    assert_int_equal(world->joined_status, JP_E_SYSTEM);
    deliver(world);
    assert_int_equal(jp_ledger_process(world->ledger, 0)->ending, JP_ENDING_TERMINATED);
}

static void children_join_the_pool_of_their_parent(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t parent = launch(world, "b", "make.exe");
    uint32_t child = jp_sim_spawn(world->sim, parent, "cc.exe");
    deliver(world);
    expect_row(world, child, "b", JP_ENDING_NONE, 0);
    assert_int_equal(jp_ledger_find(world->ledger, child)->joined_by, JP_ORIGIN_KERNEL);
    assert_int_equal(jp_ledger_find(world->ledger, child)->facts.parent_pid, parent);
    assert_int_equal(pool_of(world, "b")->member_count, 2);
    assert_int_equal(jp_pool_total_members(pool_of(world, "root")), 2);
}

static void a_child_that_is_gone_before_it_can_be_opened_counts(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t parent = launch(world, "b", "make.exe");
    uint32_t child = jp_sim_spawn(world->sim, parent, "true.exe");
    jp_sim_exit(world->sim, child, 0);
    deliver(world);
    const struct jp_process_record *row = jp_ledger_find(world->ledger, child);
    assert_non_null(row);
    assert_false(row->start_exact);
    assert_string_equal(row->pool, "b"); /* told by root's port first, and by b's then */
    assert_int_equal(row->ending, JP_ENDING_EXITED);
    assert_false(row->has_exit_code);
    assert_int_equal(jp_ledger_process_count(world->ledger), 2);
}

static void a_process_that_is_still_being_made_has_not_ended(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t parent = launch(world, "b", "make.exe");
    uint32_t child = jp_sim_spawn_unborn(world->sim, parent, "cc.exe");
    deliver(world);
    pass(world, 400);
    deliver(world);
    expect_row(world, child, "b", JP_ENDING_NONE, 0);
    assert_null(jp_ledger_find(world->ledger, child)->facts.image);
    assert_false(jp_ledger_find(world->ledger, child)->start_exact);
    jp_sim_bear(world->sim, child);
    pass(world, 100);
    deliver(world);
    assert_string_equal(jp_ledger_find(world->ledger, child)->facts.image, "C:\\sim\\cc.exe");
    assert_int_equal(jp_ledger_find(world->ledger, child)->facts.start_100ns, jp_sim_start_time(world->sim, child));
    assert_true(jp_ledger_find(world->ledger, child)->start_exact);
    jp_sim_exit(world->sim, child, 3);
    deliver(world);
    expect_row(world, child, "b", JP_ENDING_EXITED, 3);
    expect_origin(world, EXIT, JP_ORIGIN_KERNEL);
}

/* What was making it was killed. The system keeps it in its job as long as somebody holds it, and no message tells of it any more. */
static void a_process_that_is_never_made_is_let_go_of(void **state) {
    struct pool_world *world = *state;
    struct jp_sim_item lost[4];
    pool_world_load(world, TREE);
    uint32_t parent = launch(world, "b", "make.exe");
    uint32_t child = jp_sim_spawn_unborn(world->sim, parent, "cc.exe");
    deliver(world);
    assert_int_equal(jp_sim_held(world->sim, child), 1);
    for (int i = 0; i < 200; i++) {
        pass(world, 20);
        deliver(world);
    }
    assert_int_equal(jp_sim_held(world->sim, child), 0);
    expect_row(world, child, "b", JP_ENDING_NONE, 0);
    jp_sim_exit(world->sim, child, 0);
    jp_sim_take(world->sim, lost, sizeof lost / sizeof *lost);
    pass(world, 1000);
    deliver(world);
    pass(world, 1000);
    assert_int_equal(jp_ledger_find(world->ledger, child)->ending, JP_ENDING_UNKNOWN);
}

static void a_crash_is_told_from_its_exit_code(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t pid = launch(world, "a", "bad.exe");
    deliver(world);
    jp_sim_exit(world->sim, pid, 0xC0000005);
    size_t count;
    struct jp_sim_item *items = jp_sim_queue(world->sim, &count);
    for (size_t i = 0; i < count; i++) /* a host that says 7 where Windows says 8 */
        if (items[i].message == JP_MSG_ABNORMAL_EXIT_PROCESS)
            items[i].message = JP_MSG_EXIT_PROCESS;
    deliver(world);
    expect_row(world, pid, "a", JP_ENDING_CRASHED, 0xC0000005);
    assert_int_equal(jp_ledger_count(world->ledger, CRASH, "a", pid), 1);
    assert_string_equal(jp_ledger_last(world->ledger, CRASH)->detail, "STATUS_ACCESS_VIOLATION");

    static const struct {
        uint32_t code;
        const char *message;
        enum jp_ending ending;
    } others[] = {{0xC00000FD, CRASH, JP_ENDING_CRASHED}, {0xC0000374, EXIT, JP_ENDING_CRASHED},  /* not on Windows' list */
                  {0xC000013A, CRASH, JP_ENDING_EXITED}, /* on it, and no crash: Ctrl-C */
                  {3, EXIT, JP_ENDING_EXITED}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        pid = launch(world, "a", "bad.exe");
        deliver(world);
        jp_sim_exit(world->sim, pid, others[i].code);
        deliver(world);
        expect_row(world, pid, "a", others[i].ending, others[i].code);
        assert_int_equal(jp_ledger_count(world->ledger, others[i].message, "a", pid), 1);
    }
}

/* Of a child that came and went unseen, when the next process of the pool has its pid: of it no handle kept the pid. */
static void a_late_end_of_an_earlier_process_ends_nobody(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t parent = launch(world, "a", "make.exe");
    deliver(world);
    jp_sim_reuse_pids(world->sim, true);
    uint32_t child = jp_sim_spawn(world->sim, parent, "cc.exe");
    jp_sim_exit(world->sim, child, 3);
    struct jp_launch request = {.command_line = "tool.exe"};
    join(world, "a", (struct jp_joining){.launch = &request});
    deliver(world);
    assert_int_equal(world->joined.facts.pid, child);
    assert_int_equal(jp_ledger_count(world->ledger, EXIT, NULL, child), 0);
    expect_row(world, child, "a", JP_ENDING_NONE, 0);
    jp_sim_exit(world->sim, child, 0xC0000005);
    deliver(world);
    expect_row(world, child, "a", JP_ENDING_CRASHED, 0xC0000005);
    assert_int_equal(jp_ledger_count(world->ledger, EXIT, NULL, child), 0);
    assert_int_equal(jp_ledger_count(world->ledger, CRASH, "a", child), 1);
    assert_int_equal(jp_ledger_count(world->ledger, CRASH, "root", child), 1);
    expect_origin(world, CRASH, JP_ORIGIN_KERNEL);
}

static void where_handles_do_not_tell_the_last_look_counts(void **state) {
    struct pool_world *world = *state;
    jp_sim_capabilities(world->sim)->process_times = false;
    pool_world_load(world, TREE);
    uint32_t pid = launch(world, "a", "tool.exe");
    deliver(world);
    jp_sim_grow_usage(world->sim, pid, 7000);
    pass(world, 600);
    jp_sim_fail_next(world->sim, "NtQuerySystemInformation", 5); /* a look that fails loses nothing */
    pass(world, 600);
    jp_sim_exit(world->sim, pid, 0);
    deliver(world);
    assert_int_equal(jp_ledger_find(world->ledger, pid)->usage.user_100ns, 7000);
    assert_true(jp_ledger_find(world->ledger, pid)->usage.known & JP_USAGE_CPU);
    pass(world, 61000);
    assert_int_equal(jp_pools_on_time(world->pools), UINT64_MAX); /* nobody left to look at */
}

/* --- a host where nothing happens --- */

/* Passes time until `until_ms` as the loop does, asleep between what is due; says how often it woke up. */
static unsigned wake_ups(struct pool_world *world, uint64_t until_ms) {
    unsigned count = 0;
    for (uint64_t next; (next = jp_pools_on_time(world->pools)) <= until_ms; count++) {
        assert_true(next > jp_sim_now_ms(world->sim)); /* what is due has been done */
        jp_sim_pass(world->sim, next - jp_sim_now_ms(world->sim));
        deliver(world);
    }
    jp_sim_pass(world->sim, until_ms - jp_sim_now_ms(world->sim));
    return count;
}

static void where_nothing_happens_nothing_is_looked_at(void **state) {
    enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS, SETTLED_MS = 130000 };
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t first = launch(world, "a", "first.exe"), second = launch(world, "a", "second.exe");
    deliver(world);
    uint64_t began_ms = jp_sim_now_ms(world->sim);
    assert_in_range(wake_ups(world, began_ms + SETTLED_MS), 1, 3);
    assert_int_equal(wake_ups(world, began_ms + SETTLED_MS + MINUTE_MS), 0);
    assert_true(jp_pools_next_sample_ms(world->pools) == UINT64_MAX);
    assert_in_range(wake_ups(world, began_ms + 24 * (uint64_t)HOUR_MS), 24, 30);

    uint32_t child = jp_sim_spawn(world->sim, first, "child.exe");
    jp_sim_queue_drop(world->sim, JP_MSG_NEW_PROCESS); /* of which nobody tells */
    deliver(world);
    assert_in_range(wake_ups(world, jp_sim_now_ms(world->sim) + HOUR_MS), 1, 4);
    expect_row(world, child, "a", JP_ENDING_NONE, 0);

    wake_ups(world, jp_sim_now_ms(world->sim) + 24 * (uint64_t)HOUR_MS);
    child = jp_sim_spawn(world->sim, first, "child.exe");
    jp_sim_queue_drop(world->sim, JP_MSG_NEW_PROCESS);
    jp_sim_exit(world->sim, second, 0); /* something happens: the lists are read soon */
    deliver(world);
    wake_ups(world, jp_sim_now_ms(world->sim) + MINUTE_MS + 1000);
    expect_row(world, child, "a", JP_ENDING_NONE, 0);
}

/* --- what the port does not tell --- */

static void lost_messages_are_made_up_for(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t pid = launch(world, "a", "tool.exe");
    deliver(world);
    jp_sim_exit(world->sim, pid, 3);
    jp_sim_queue_drop(world->sim, JP_MSG_EXIT_PROCESS);
    deliver(world);
    expect_row(world, pid, "a", JP_ENDING_NONE, 0); /* the port has a moment */
    pass(world, 300);
    expect_row(world, pid, "a", JP_ENDING_EXITED, 3);
    expect_origin(world, EXIT, JP_ORIGIN_RECONCILER);
    assert_int_equal(jp_ledger_count(world->ledger, EXIT, NULL, pid), 2); /* a and root */
}

static void a_late_message_after_the_reconciler_is_not_told_again(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t pid = launch(world, "a", "tool.exe");
    deliver(world);
    jp_sim_exit(world->sim, pid, 3);
    size_t count;
    struct jp_sim_item late[16], *items = jp_sim_queue(world->sim, &count);
    assert_true(count <= 16);
    memcpy(late, items, count * sizeof *items);
    jp_sim_queue_drop(world->sim, JP_MSG_EXIT_PROCESS);
    deliver(world);
    pass(world, 300);
    jp_sim_queue_set(world->sim, late, count);
    deliver(world);
    assert_int_equal(jp_ledger_count(world->ledger, EXIT, "a", pid), 1);
    assert_int_equal(jp_ledger_process_count(world->ledger), 1);
}

static void a_lost_new_process_is_found_in_the_list(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t parent = launch(world, "a", "make.exe");
    deliver(world);
    uint32_t child = jp_sim_spawn(world->sim, parent, "cc.exe");
    jp_sim_queue_drop(world->sim, JP_MSG_NEW_PROCESS);
    jp_pools_on_overflow(world->pools);
    jp_ledger_commit(world->ledger);
    expect_row(world, child, "a", JP_ENDING_NONE, 0);
    assert_int_equal(jp_ledger_find(world->ledger, child)->joined_by, JP_ORIGIN_RECONCILER);
    expect_origin(world, NEW, JP_ORIGIN_RECONCILER);
}

static void terminated_members_are_told_by_their_handles(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t pids[20];
    size_t count;
    for (size_t i = 0; i < 20; i++)
        pids[i] = launch(world, i % 2 ? "a" : "b", "tool.exe");
    deliver(world);
    assert_int_equal(jp_pools_terminate(world->pools, pool_of(world, "root"), 99, &count, &world->error), JP_OK);
    assert_int_equal(count, 20);
    deliver(world);
    for (size_t i = 0; i < 20; i++)
        expect_row(world, pids[i], i % 2 ? "a" : "b", JP_ENDING_TERMINATED, 99);
    assert_int_equal(jp_ledger_count(world->ledger, EXIT, "a", 0), 10);
    assert_int_equal(jp_ledger_count(world->ledger, EXIT, "root", 0), 20);
    expect_origin(world, EXIT, JP_ORIGIN_RECONCILER);
    assert_int_equal(jp_pools_member_count(world->pools), 0);
}

static void a_member_that_cannot_be_opened_ends_by_the_list(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t parent = launch(world, "a", "make.exe");
    uint32_t child = jp_sim_spawn(world->sim, parent, "secret.exe");
    jp_sim_protect(world->sim, child);
    deliver(world);
    expect_row(world, child, "a", JP_ENDING_NONE, 0);
    jp_sim_exit(world->sim, child, 0);
    jp_sim_queue_drop(world->sim, JP_MSG_EXIT_PROCESS);
    deliver(world);
    pass(world, 3000);
    expect_row(world, child, "a", JP_ENDING_UNKNOWN, 0);
}

/* Every order in which four packets of a short life can come, each also doubled, ends in the same accounts. */
static void any_order_settles_to_the_same(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {}}");
    static const unsigned orders[24][4] = {
        {0, 1, 2, 3}, {0, 1, 3, 2}, {0, 2, 1, 3}, {0, 2, 3, 1}, {0, 3, 1, 2}, {0, 3, 2, 1}, {1, 0, 2, 3}, {1, 0, 3, 2},
        {1, 2, 0, 3}, {1, 2, 3, 0}, {1, 3, 0, 2}, {1, 3, 2, 0}, {2, 0, 1, 3}, {2, 0, 3, 1}, {2, 1, 0, 3}, {2, 1, 3, 0},
        {2, 3, 0, 1}, {2, 3, 1, 0}, {3, 0, 1, 2}, {3, 0, 2, 1}, {3, 1, 0, 2}, {3, 1, 2, 0}, {3, 2, 0, 1}, {3, 2, 1, 0}};
    for (size_t order = 0; order < 48; order++) {
        bool doubled = order >= 24;
        uint32_t pid = launch(world, "p", "tool.exe");
        jp_sim_exit(world->sim, pid, 5);
        size_t count;
        struct jp_sim_item mixed[8], *items = jp_sim_queue(world->sim, &count);
        assert_int_equal(count, 4); /* new, exit, zero, handle */
        for (size_t i = 0; i < 4; i++)
            mixed[i] = mixed[i + 4] = items[orders[order % 24][i]];
        jp_sim_queue_set(world->sim, mixed, doubled ? 8 : 4);
        deliver(world);
        pass(world, 3000);
        expect_row(world, pid, "p", JP_ENDING_EXITED, 5);
        assert_int_equal(jp_ledger_count(world->ledger, NEW, "p", pid), 1);
        assert_int_equal(jp_ledger_count(world->ledger, EXIT, "p", pid), 1);
        assert_int_equal(jp_pools_member_count(world->pools), 0);
    }
    assert_int_equal(jp_ledger_process_count(world->ledger), 48);
}

/* --- at random --- */

/* Random spawns, exits, assignments, terminations, losses and restarts from a printed seed: afterwards every process is in
 * the accounts once, and no row is open but for those that live. */
static void random_histories(void **state) {
    struct pool_world *world = *state;
    const char *given = getenv("JOBPOOL_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 20261122;
    unsigned steps = getenv("JOBPOOL_STEPS") ? (unsigned)strtoul(getenv("JOBPOOL_STEPS"), NULL, 10) : 4000;
    uint32_t alive[512];
    size_t alive_count = 0, joined = 0;
    static const char *const names[] = {"root", "a", "b"};
    print_message("seed %u, %u steps\n", seed, steps);
    srand(seed);
    pool_world_load(world, TREE);
    for (unsigned step = 0; step < steps; step++) {
        int dice = rand() % 100;
        if (dice < 30 && alive_count < 500) {
            alive[alive_count++] = launch(world, names[rand() % 3], "tool.exe");
            joined++;
        } else if (dice < 55 && alive_count && alive_count < 500) {
            uint32_t parent = alive[(size_t)rand() % alive_count];
            if (jp_sim_alive(world->sim, parent)) {
                alive[alive_count++] = jp_sim_spawn(world->sim, parent, "child.exe");
                deliver(world); /* it is seen while it lives; what nobody could see is another test */
                joined++;
            }
        } else if (dice < 85 && alive_count) {
            size_t i = (size_t)rand() % alive_count;
            if (jp_sim_alive(world->sim, alive[i]))
                jp_sim_exit(world->sim, alive[i], (uint32_t)rand() % 3 ? 0 : 0xC0000005);
            alive[i] = alive[--alive_count];
        } else if (dice < 88) {
            jp_sim_queue_drop(world->sim, rand() % 2 ? JP_MSG_EXIT_PROCESS : JP_MSG_NEW_PROCESS);
        } else if (dice < 90) {
            size_t count;
            jp_pools_terminate(world->pools, pool_of(world, names[rand() % 3]), 1, &count, &world->error);
        } else if (dice < 91) {
            pool_world_restart(world, TREE);
        }
        if (dice % 3 == 0)
            deliver(world);
        if (dice % 7 == 0)
            pass(world, (uint64_t)rand() % 500);
    }
    deliver(world);
    pass(world, 5000);
    deliver(world);
    size_t open = 0;
    for (size_t i = 0; i < jp_ledger_process_count(world->ledger); i++) {
        const struct jp_process_record *row = jp_ledger_process(world->ledger, i);
        open += row->ending == JP_ENDING_NONE;
        for (size_t j = 0; j < i; j++) {
            const struct jp_process_record *other = jp_ledger_process(world->ledger, j);
            assert_false(row->facts.pid == other->facts.pid && row->facts.start_100ns == other->facts.start_100ns);
        }
    }
    size_t living = 0;
    for (size_t i = 0; i < alive_count; i++)
        living += jp_sim_alive(world->sim, alive[i]);
    assert_int_equal(open, living);
    assert_int_equal(jp_pools_member_count(world->pools), living);
    assert_int_equal(jp_ledger_process_count(world->ledger), joined);
    for (size_t i = 1; i < jp_ledger_event_count(world->ledger); i++)
        assert_int_equal(jp_ledger_event(world->ledger, i)->seq, jp_ledger_event(world->ledger, i - 1)->seq + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_world_open, pool_world_close)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_process_is_assigned_runs_and_ends),
        TEST(where_nothing_happens_nothing_is_looked_at),
        TEST(a_launch_runs_only_when_it_is_recorded),
        TEST(a_broken_disk_does_not_stop_launches),
        TEST(a_launch_that_cannot_be_resumed_fails_and_is_ended),
        TEST(children_join_the_pool_of_their_parent),
        TEST(a_child_that_is_gone_before_it_can_be_opened_counts),
        TEST(a_process_that_is_still_being_made_has_not_ended),
        TEST(a_process_that_is_never_made_is_let_go_of),
        TEST(a_crash_is_told_from_its_exit_code),
        TEST(a_late_end_of_an_earlier_process_ends_nobody),
        TEST(where_handles_do_not_tell_the_last_look_counts),
        TEST(lost_messages_are_made_up_for),
        TEST(a_late_message_after_the_reconciler_is_not_told_again),
        TEST(a_lost_new_process_is_found_in_the_list),
        TEST(terminated_members_are_told_by_their_handles),
        TEST(a_member_that_cannot_be_opened_ends_by_the_list),
        TEST(any_order_settles_to_the_same),
        TEST(random_histories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
