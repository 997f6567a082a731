/* The memory policy: what it measures, when it acts, and whom it ends. On a kernel that keeps everything it can: no kernel has this. */
#include "unit.h"

#include "pool_world.h"

#define SOFT "MEMORY_POLICY_SOFT"
#define HARD "MEMORY_POLICY_HARD"
#define POLICY(more) "{\"p\": {\"memory_policy\": {\"soft\": \"80MiB\", \"hard\": \"100MiB\"" more "}}, \"q\": {\"parent\": \"p\"}}"

enum { MEMORY = 1455, MB = 1 << 20 };

static void commit(struct pool_world *world, uint32_t pid, uint64_t megabytes) {
    jp_sim_commit(world->sim, pid, megabytes * MB);
    deliver(world);
}

static void settle(struct pool_world *world) {
    for (int i = 0; i < 20; i++) {
        pass(world, 100);
        deliver(world);
    }
}

/* Three processes, the largest of them neither the first nor the last, one in the pool below. */
static void fill(struct pool_world *world, uint32_t pids[3]) {
    pids[0] = launch(world, "p", "first.exe");
    pids[1] = launch(world, "q", "large.exe");
    pids[2] = launch(world, "p", "last.exe");
    commit(world, pids[0], 30);
    commit(world, pids[1], 50);
    commit(world, pids[2], 25);
}

static void it_notifies_and_no_more(void **state) {
    struct pool_world *world = *state;
    uint32_t pids[3];
    pool_world_load(world, POLICY(""));
    fill(world, pids);
    settle(world);
    for (size_t i = 0; i < 3; i++)
        assert_true(jp_sim_alive(world->sim, pids[i]));
    expect_told(world, SOFT, "p", 0, 1);
    expect_told(world, HARD, "p", 0, 1);
    assert_non_null(jp_ledger_last(world->ledger, HARD)->detail);
}

static void each_crossing_is_told_once(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, POLICY(""));
    uint32_t pid = launch(world, "p", "one.exe");
    commit(world, pid, 85);
    settle(world);
    expect_told(world, SOFT, "p", 0, 1);
    jp_sim_decommit(world->sim, pid, 6 * MB); /* just below: a crossing that wobbles is one */
    settle(world);
    commit(world, pid, 6);
    settle(world);
    expect_told(world, SOFT, "p", 0, 1);
    jp_sim_decommit(world->sim, pid, 50 * MB);
    settle(world);
    commit(world, pid, 70);
    settle(world);
    expect_told(world, SOFT, "p", 0, 2);
    expect_told(world, HARD, "p", 0, 1);
}

static void the_largest_goes(void **state) {
    struct pool_world *world = *state;
    uint32_t pids[3];
    pool_world_load(world, POLICY(", \"action\": \"terminate_largest\""));
    fill(world, pids);
    settle(world);
    expect_ended(world, pids[1], "q", MEMORY);
    assert_true(jp_sim_alive(world->sim, pids[0]) && jp_sim_alive(world->sim, pids[2]));
    assert_int_equal(jp_ledger_count(world->ledger, HARD, NULL, 0), 1);
    assert_int_equal(jp_ledger_count(world->ledger, HARD, "p", pids[1]), 1);
}

static void the_newest_goes(void **state) {
    struct pool_world *world = *state;
    uint32_t pids[3];
    pool_world_load(world, POLICY(", \"action\": \"terminate_newest\""));
    fill(world, pids);
    settle(world);
    expect_ended(world, pids[2], "p", MEMORY);
    assert_true(jp_sim_alive(world->sim, pids[0]) && jp_sim_alive(world->sim, pids[1]));
    assert_int_equal(jp_ledger_count(world->ledger, HARD, "p", pids[2]), 1);
}

static void another_goes_if_that_was_not_enough(void **state) {
    struct pool_world *world = *state;
    uint32_t pids[3];
    pool_world_load(world, POLICY(", \"action\": \"terminate_newest\""));
    fill(world, pids);
    commit(world, pids[1], 60);
    settle(world);
    expect_ended(world, pids[2], "p", MEMORY);
    expect_ended(world, pids[1], "q", MEMORY);
    assert_true(jp_sim_alive(world->sim, pids[0]));
    assert_int_equal(jp_ledger_count(world->ledger, HARD, "p", 0), 2);
}

static void the_whole_pool_goes(void **state) {
    struct pool_world *world = *state;
    uint32_t pids[3];
    pool_world_load(world, POLICY(", \"action\": \"terminate_pool\""));
    fill(world, pids);
    settle(world);
    expect_ended(world, pids[0], "p", MEMORY);
    expect_ended(world, pids[1], "q", MEMORY);
    expect_ended(world, pids[2], "p", MEMORY);
    expect_told(world, HARD, "p", 0, 1);
    uint32_t next = launch(world, "p", "next.exe"); /* it may begin anew */
    commit(world, next, 50);
    settle(world);
    assert_true(jp_sim_alive(world->sim, next));
    commit(world, next, 60);
    settle(world);
    expect_ended(world, next, "p", MEMORY);
    expect_told(world, HARD, "p", 0, 2);
}

static void the_pool_freezes(void **state) {
    struct pool_world *world = *state;
    uint32_t pids[3];
    pool_world_load(world, POLICY(", \"action\": \"freeze\""));
    fill(world, pids);
    settle(world);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(jp_sim_frozen(world->sim, pids[i]), 1);
    expect_told(world, HARD, "p", 0, 1);
    expect_told(world, "POOL_FROZEN", "p", 0, 1);
    assert_int_equal(jp_pools_thaw(world->pools, pool_of(world, "p"), &world->error), JP_OK);
    settle(world);
    assert_int_equal(jp_sim_frozen(world->sim, pids[0]), 0); /* somebody wanted it so: not again before it was below */
    jp_sim_decommit(world->sim, pids[1], 50 * MB);
    settle(world);
    commit(world, pids[1], 50);
    settle(world);
    assert_int_equal(jp_sim_frozen(world->sim, pids[0]), 1);
    expect_told(world, HARD, "p", 0, 2);
}

static void a_peak_that_passes_is_nobodys_end(void **state) {
    struct pool_world *world = *state;
    uint32_t pids[3];
    pool_world_load(world, POLICY(", \"action\": \"terminate_largest\", \"hold\": \"10s\""));
    fill(world, pids);
    for (int i = 0; i < 4; i++)
        settle(world);
    jp_sim_decommit(world->sim, pids[0], 30 * MB);
    settle(world);
    commit(world, pids[0], 30);
    for (int i = 0; i < 4; i++)
        settle(world);
    assert_int_equal(jp_ledger_count(world->ledger, HARD, NULL, 0), 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(jp_sim_alive(world->sim, pids[i]));
    settle(world);
    settle(world);
    expect_ended(world, pids[1], "q", MEMORY);
    assert_int_equal(jp_ledger_count(world->ledger, HARD, "p", pids[1]), 1);
}

static void a_hold_is_waking_time(void **state) {
    struct pool_world *world = *state;
    uint32_t pids[3];
    pool_world_load(world, POLICY(", \"action\": \"terminate_largest\", \"hold\": \"10s\""));
    fill(world, pids);
    settle(world);
    jp_sim_sleep(world->sim, 3600000);
    settle(world);
    for (size_t i = 0; i < 3; i++)
        assert_true(jp_sim_alive(world->sim, pids[i]));
}

static void the_working_set_can_be_the_measure(void **state) {
    struct pool_world *world = *state;
    uint32_t pids[3];
    pool_world_load(world, POLICY(", \"action\": \"terminate_largest\", \"measure\": \"working_set\""));
    fill(world, pids);
    jp_sim_page_out(world->sim, pids[1], 45 * MB);
    settle(world);
    for (size_t i = 0; i < 3; i++)
        assert_true(jp_sim_alive(world->sim, pids[i]));
    commit(world, pids[2], 60);
    settle(world);
    expect_ended(world, pids[2], "p", MEMORY);
    assert_true(jp_sim_alive(world->sim, pids[0]) && jp_sim_alive(world->sim, pids[1]));
}

static void a_pool_below_has_a_policy_of_its_own(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"memory_policy\": {\"hard\": \"100MiB\", \"action\": \"terminate_newest\"}},"
                           " \"q\": {\"parent\": \"p\", \"memory_policy\": {\"hard\": \"50MiB\", \"action\": \"terminate_largest\"}}}");
    uint32_t large = launch(world, "q", "large.exe"), small = launch(world, "q", "small.exe"), above = launch(world, "p", "above.exe");
    commit(world, large, 45);
    commit(world, small, 10);
    commit(world, above, 50);
    settle(world);
    expect_ended(world, large, "q", MEMORY); /* which helps the pool above as well */
    assert_true(jp_sim_alive(world->sim, small) && jp_sim_alive(world->sim, above));
    assert_int_equal(jp_ledger_count(world->ledger, HARD, NULL, 0), 1);
    assert_int_equal(jp_ledger_count(world->ledger, HARD, "q", large), 1);
}

static void what_was_asked_to_go_is_waited_for(void **state) {
    struct pool_world *world = *state;
    uint32_t pids[3];
    pool_world_load(world, "{\"p\": {\"memory_policy\": {\"hard\": \"100MiB\", \"action\": \"terminate_largest\"}, \"stop\": {\"grace\": \"5s\"}}, \"q\": {\"parent\": \"p\"}}");
    fill(world, pids);
    jp_sim_obeys(world->sim, pids[1], 4000, 0);
    settle(world);
    assert_int_equal(jp_sim_asked(world->sim, pids[1]), 1);
    settle(world);
    settle(world);
    struct jp_sim_fate fate;
    assert_true(jp_sim_fate(world->sim, pids[1], 0, &fate));
    assert_int_equal(fate.end, JP_SIM_EXITED);
    assert_true(jp_sim_alive(world->sim, pids[0]) && jp_sim_alive(world->sim, pids[2]));
    assert_int_equal(jp_ledger_count(world->ledger, HARD, NULL, 0), 1);
}

static void one_that_cannot_be_ended_does_not_cost_the_others_their_lives(void **state) {
    struct pool_world *world = *state;
    uint32_t pids[3];
    pool_world_load(world, POLICY(", \"action\": \"terminate_largest\""));
    fill(world, pids);
    jp_sim_protect(world->sim, pids[1]);
    jp_sim_fail_often(world->sim, "TerminateProcess", 5, 1000);
    settle(world);
    assert_int_equal(jp_ledger_count(world->ledger, "ENFORCEMENT_FAILED", "q", pids[1]), 1);
    jp_sim_fail_often(world->sim, "TerminateProcess", 5, 0);
    commit(world, pids[2], 20);
    settle(world);
    settle(world);
    assert_true(jp_sim_alive(world->sim, pids[1]));
    assert_int_equal(jp_sim_alive(world->sim, pids[0]) + jp_sim_alive(world->sim, pids[2]), 1); /* one was enough */
    assert_int_equal(jp_ledger_count(world->ledger, "ENFORCEMENT_FAILED", NULL, pids[1]), 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_world_open, pool_world_close)
    const struct CMUnitTest tests[] = {
        TEST(it_notifies_and_no_more),
        TEST(each_crossing_is_told_once),
        TEST(the_largest_goes),
        TEST(the_newest_goes),
        TEST(another_goes_if_that_was_not_enough),
        TEST(the_whole_pool_goes),
        TEST(the_pool_freezes),
        TEST(a_peak_that_passes_is_nobodys_end),
        TEST(a_hold_is_waking_time),
        TEST(the_working_set_can_be_the_measure),
        TEST(a_pool_below_has_a_policy_of_its_own),
        TEST(what_was_asked_to_go_is_waited_for),
        TEST(one_that_cannot_be_ended_does_not_cost_the_others_their_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
