/* Clocks and what they end: wall clocks of processes and pools, idle ones, a machine that sleeps; and asking before ending. */
#include "unit.h"

#include "pool_world.h"

#define WALL "WALL_CLOCK_LIMIT"
#define POOL_WALL "POOL_WALL_CLOCK_LIMIT"
#define IDLE "IDLE_LIMIT"
#define ASKED "STOP_REQUESTED"

enum { TIMEOUT = 1460, SECOND = 10000000 };

static uint32_t spawn(struct pool_world *world, uint32_t parent) {
    uint32_t pid = jp_sim_spawn(world->sim, parent, "child.exe");
    deliver(world);
    return pid;
}

static void wait_ms(struct pool_world *world, uint64_t ms) {
    for (; ms > 100; ms -= 100) {
        pass(world, 100);
        deliver(world);
    }
    pass(world, ms);
    deliver(world);
}

/* So much later its end is seen, at most. */
enum { TICK = 600 };

/* --- wall clocks --- */

static void a_process_has_its_time_from_its_joining(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"wall_clock\": \"10s\"}}}");
    uint32_t old = jp_sim_spawn(world->sim, 0, "old.exe");
    wait_ms(world, 20000);
    assign(world, "p", old);
    wait_ms(world, 5000);
    uint32_t young = launch(world, "p", "young.exe"), child = spawn(world, old);
    wait_ms(world, 4900);
    assert_true(jp_sim_alive(world->sim, old));
    wait_ms(world, 100 + TICK);
    expect_ended(world, old, "p", TIMEOUT);
    expect_told(world, WALL, "p", old, 1);
    expect_ended(world, child, "p", TIMEOUT); /* its tree goes with it */
    assert_true(jp_sim_alive(world->sim, young));
    wait_ms(world, 5000);
    expect_ended(world, young, "p", TIMEOUT);
    expect_told(world, WALL, "p", 0, 2);
}

static void a_pool_has_its_time_from_its_first_process(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"pool_wall_clock\": \"10s\"}}, \"q\": {\"parent\": \"p\"}}");
    uint32_t first = launch(world, "q", "first.exe");
    wait_ms(world, 8000);
    uint32_t last = launch(world, "p", "last.exe");
    jp_sim_exit(world->sim, first, 0);
    uint32_t next = launch(world, "q", "next.exe");
    wait_ms(world, 1900);
    assert_true(jp_sim_alive(world->sim, last));
    wait_ms(world, 100 + TICK);
    expect_ended(world, last, "p", TIMEOUT);
    expect_ended(world, next, "q", TIMEOUT);
    expect_told(world, POOL_WALL, "p", 0, 1);
    uint32_t again = launch(world, "p", "again.exe"); /* a new run */
    wait_ms(world, 9900);
    assert_true(jp_sim_alive(world->sim, again));
    wait_ms(world, 100 + TICK);
    expect_ended(world, again, "p", TIMEOUT);
    expect_told(world, POOL_WALL, "p", 0, 2);
}

static void an_empty_pool_has_no_time(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"pool_wall_clock\": \"10s\", \"wall_clock\": \"10s\", \"idle\": \"5s\"}}}");
    wait_ms(world, 5000);
    uint32_t first = launch(world, "p", "first.exe");
    wait_ms(world, 3000);
    jp_sim_exit(world->sim, first, 0);
    wait_ms(world, 30000);
    uint64_t samples = jp_sim_sample_count(world->sim);
    wait_ms(world, 30000);
    assert_int_equal(jp_sim_sample_count(world->sim), samples); /* nobody needs one */
    uint32_t second = launch(world, "p", "second.exe");
    wait_ms(world, 4900);
    assert_true(jp_sim_alive(world->sim, second));
    expect_told(world, POOL_WALL, "p", 0, 0);
}

static void a_wall_clock_goes_on_over_a_restart(void **state) {
    static const char config[] = "{\"p\": {\"timeouts\": {\"wall_clock\": \"10s\"}}}";
    struct pool_world *world = *state;
    pool_world_load(world, config);
    uint32_t pid = launch(world, "p", "long.exe");
    wait_ms(world, 7000);
    pool_world_crash(world, config);
    wait_ms(world, 2500);
    assert_true(jp_sim_alive(world->sim, pid));
    wait_ms(world, 500 + TICK);
    expect_ended(world, pid, "p", TIMEOUT);
    expect_told(world, WALL, "p", pid, 1);
}

/* --- sleep, and clocks that jump --- */

static void time_asleep_does_not_count(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"wall_clock\": \"10s\", \"pool_wall_clock\": \"11s\", \"idle\": \"9s\"}}}");
    uint32_t pid = launch(world, "p", "one.exe");
    wait_ms(world, 4000);
    jp_sim_sleep(world->sim, 3600000);
    wait_ms(world, 4500);
    assert_true(jp_sim_alive(world->sim, pid));
    wait_ms(world, 500 + TICK);
    expect_ended(world, pid, "p", TIMEOUT);
    expect_told(world, IDLE, "p", pid, 1);
}

static void time_asleep_counts_if_asked_for(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"wall_clock\": \"10s\", \"asleep\": true}}, \"q\": {\"timeouts\": {\"wall_clock\": \"10s\"}}}");
    uint32_t pid = launch(world, "p", "one.exe"), other = launch(world, "q", "other.exe");
    wait_ms(world, 1000);
    jp_sim_sleep(world->sim, 9000);
    wait_ms(world, TICK);
    expect_ended(world, pid, "p", TIMEOUT);
    assert_true(jp_sim_alive(world->sim, other));
}

static void the_clock_on_the_wall_ends_nobody(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"wall_clock\": \"10s\", \"pool_wall_clock\": \"11s\", \"idle\": \"8s\", \"asleep\": true}}}");
    uint32_t pid = launch(world, "p", "one.exe");
    wait_ms(world, 1000);
    jp_sim_shift_clock(world->sim, 86400000);
    wait_ms(world, 3000);
    jp_sim_shift_clock(world->sim, -2 * INT64_C(86400000));
    wait_ms(world, 3900);
    assert_true(jp_sim_alive(world->sim, pid));
    wait_ms(world, 100 + TICK);
    expect_ended(world, pid, "p", TIMEOUT);
    expect_told(world, IDLE, "p", pid, 1);
}

/* --- idle --- */

static void whoever_does_nothing_is_ended(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"idle\": \"10s\"}}}");
    uint32_t busy = launch(world, "p", "busy.exe"), system = launch(world, "p", "system.exe"), idle = launch(world, "p", "idle.exe");
    for (int i = 0; i < 4; i++) {
        wait_ms(world, 2400);
        jp_sim_grow_usage(world->sim, busy, 1);
        jp_sim_grow_kernel(world->sim, system, 1); /* is CPU time as well */
        jp_sim_read(world->sim, idle, 1000);
    }
    assert_true(jp_sim_alive(world->sim, idle));
    wait_ms(world, 400 + TICK);
    expect_ended(world, idle, "p", TIMEOUT);
    expect_told(world, IDLE, "p", idle, 1);
    assert_true(jp_sim_alive(world->sim, busy) && jp_sim_alive(world->sim, system));
    wait_ms(world, 10000 + TICK);
    expect_ended(world, busy, "p", TIMEOUT);
    expect_ended(world, system, "p", TIMEOUT);
}

/* Somebody asks for the process again and again; what was used is not news to the next sample then. */
static void who_is_looked_at_is_not_idle(void **state) {
    struct pool_world *world = *state;
    struct jp_member *member;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"idle\": \"10s\"}}}");
    uint32_t pid = launch(world, "p", "one.exe");
    assert_int_equal(jp_pools_find_process(world->pools, pid, 0, &member, &world->error), JP_OK);
    for (int i = 0; i < 10; i++) {
        wait_ms(world, 2000);
        assert_true(jp_sim_alive(world->sim, pid));
        jp_sim_grow_usage(world->sim, pid, SECOND);
        jp_pools_refresh_usage(world->pools, member);
    }
}

static void who_is_frozen_is_not_idle(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"idle\": \"10s\"}}}");
    uint32_t pid = launch(world, "p", "one.exe");
    wait_ms(world, 5000);
    assert_int_equal(jp_pools_freeze(world->pools, pool_of(world, "p"), false, &world->error), JP_OK);
    wait_ms(world, 60000);
    assert_true(jp_sim_alive(world->sim, pid));
    assert_int_equal(jp_pools_thaw(world->pools, pool_of(world, "p"), &world->error), JP_OK);
    wait_ms(world, 4000);
    assert_true(jp_sim_alive(world->sim, pid)); /* it has had no chance to do anything */
    wait_ms(world, 6000 + TICK);
    expect_ended(world, pid, "p", TIMEOUT);
}

static void a_wall_clock_runs_on_over_a_frozen_pool(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"wall_clock\": \"10s\"}}}");
    uint32_t pid = launch(world, "p", "one.exe");
    assert_int_equal(jp_pools_freeze(world->pools, pool_of(world, "p"), false, &world->error), JP_OK);
    wait_ms(world, 10000 + TICK);
    expect_ended(world, pid, "p", TIMEOUT);
}

/* --- asking first --- */

#define GRACE "{\"p\": {\"timeouts\": {\"wall_clock\": \"5s\"}, \"stop\": {\"grace\": \"3s\"}}}"

static void who_obeys_ends_itself(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, GRACE);
    uint32_t pid = launch(world, "p", "polite.exe");
    jp_sim_obeys(world->sim, pid, 2000, 7);
    wait_ms(world, 5000 + TICK);
    assert_true(jp_sim_alive(world->sim, pid));
    expect_told(world, WALL, "p", pid, 1);
    expect_told(world, ASKED, "p", pid, 1);
    wait_ms(world, 10000);
    struct jp_sim_fate fate;
    assert_true(jp_sim_fate(world->sim, pid, 0, &fate) && fate.end == JP_SIM_EXITED);
    assert_int_equal(fate.exit_code, 7);
    assert_int_equal(jp_ledger_find(world->ledger, pid)->exit_code, 7);
    assert_true(jp_ledger_find(world->ledger, pid)->ending != JP_ENDING_NONE);
    expect_told(world, WALL, "p", pid, 1);
}

static void who_ignores_it_is_ended_with_its_tree(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, GRACE);
    uint32_t pid = launch(world, "p", "stubborn.exe"), apart = jp_sim_spawn(world->sim, 0, "apart.exe");
    jp_sim_obeys(world->sim, pid, JP_SIM_NEVER, 0);
    deliver(world);
    wait_ms(world, 3000);
    uint32_t child = spawn(world, pid), grandchild = spawn(world, child);
    wait_ms(world, 2000 + TICK);
    assert_int_equal(jp_sim_asked(world->sim, pid), 1);
    assign(world, "p", apart); /* in the pool, but nobody's child */
    wait_ms(world, 3000 + TICK);
    expect_ended(world, pid, "p", TIMEOUT);
    expect_ended(world, child, "p", TIMEOUT);
    expect_ended(world, grandchild, "p", TIMEOUT);
    assert_true(jp_sim_alive(world->sim, apart)); /* its own time is not over */
    expect_told(world, WALL, "p", pid, 1);
    expect_told(world, ASKED, "p", pid, 1);
}

#define SHORT_GRACE "{\"p\": {\"timeouts\": {\"wall_clock\": \"5s\"}, \"stop\": {\"grace\": \"1s\"}}, \"q\": {\"parent\": \"p\"}}"

static void the_tree_ends_though_a_part_of_it_has_moved_down(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, SHORT_GRACE);
    uint32_t pid = launch(world, "p", "stubborn.exe");
    jp_sim_obeys(world->sim, pid, JP_SIM_NEVER, 0);
    deliver(world);
    wait_ms(world, 4800);
    uint32_t child = spawn(world, pid);
    assign(world, "q", child);
    uint32_t grandchild = spawn(world, child);
    wait_ms(world, 1200 + TICK);
    expect_ended(world, pid, "p", TIMEOUT);
    expect_ended(world, child, "q", TIMEOUT); /* long before its own time */
    expect_ended(world, grandchild, "q", TIMEOUT);
}

static void the_tree_ends_though_a_link_of_it_has_gone(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, SHORT_GRACE);
    uint32_t pid = launch(world, "p", "stubborn.exe");
    jp_sim_obeys(world->sim, pid, JP_SIM_NEVER, 0);
    deliver(world);
    wait_ms(world, 4800);
    uint32_t child = spawn(world, pid), grandchild = spawn(world, child);
    jp_sim_exit(world->sim, child, 0); /* the shell between make and cc */
    wait_ms(world, 1200 + TICK);
    expect_ended(world, pid, "p", TIMEOUT);
    assert_false(jp_sim_alive(world->sim, grandchild));
}

static void where_nobody_can_be_asked_it_ends_at_once(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, GRACE);
    uint32_t pid = launch(world, "p", "service.exe");
    wait_ms(world, 5000 + TICK);
    expect_ended(world, pid, "p", TIMEOUT);
    expect_told(world, ASKED, "p", pid, 0);
}

static void whoever_is_asked_is_asked_once_and_for_one_reason(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"wall_clock\": \"5s\", \"idle\": \"6s\"}, \"stop\": {\"grace\": \"4s\"},"
                           " \"memory_policy\": {\"hard\": \"100MiB\", \"action\": \"terminate_largest\"}}}");
    uint32_t pid = launch(world, "p", "stubborn.exe");
    jp_sim_obeys(world->sim, pid, JP_SIM_NEVER, 0);
    wait_ms(world, 5000 + TICK);
    jp_sim_commit(world->sim, pid, 200 << 20);
    wait_ms(world, 2500);
    assert_true(jp_sim_alive(world->sim, pid));
    assert_int_equal(jp_sim_asked(world->sim, pid), 1);
    wait_ms(world, 2000);
    expect_ended(world, pid, "p", TIMEOUT);
    expect_told(world, WALL, "p", pid, 1);
    expect_told(world, IDLE, "p", pid, 0);
}

static void a_hard_limit_does_not_wait_for_the_polite_one(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"wall_clock\": \"5s\"}, \"stop\": {\"grace\": \"1m\"}}, \"q\": {\"parent\": \"p\"}}");
    uint32_t pid = launch(world, "q", "stubborn.exe");
    jp_sim_obeys(world->sim, pid, JP_SIM_NEVER, 0);
    wait_ms(world, 5000 + TICK);
    assert_true(jp_sim_alive(world->sim, pid)); /* its grace is that of the pool above it */
    assert_int_equal(jp_sim_asked(world->sim, pid), 1);
    size_t count;
    assert_int_equal(jp_pools_terminate(world->pools, pool_of(world, "p"), 9, &count, &world->error), JP_OK);
    deliver(world);
    pass(world, 1000);
    expect_ended(world, pid, "q", 9);
}

static void a_pools_end_asks_each_of_its_members(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"pool_wall_clock\": \"5s\"}, \"stop\": {\"grace\": \"3s\"}}, \"q\": {\"parent\": \"p\"}}");
    uint32_t polite = launch(world, "p", "polite.exe"), stubborn = launch(world, "q", "stubborn.exe"), deaf = launch(world, "q", "deaf.exe");
    jp_sim_obeys(world->sim, polite, 1000, 3);
    jp_sim_obeys(world->sim, stubborn, JP_SIM_NEVER, 0);
    wait_ms(world, 5000 + TICK);
    expect_ended(world, deaf, "q", TIMEOUT);
    assert_true(jp_sim_alive(world->sim, stubborn));
    wait_ms(world, 3000 + TICK);
    assert_int_equal(jp_ledger_find(world->ledger, polite)->exit_code, 3);
    expect_ended(world, stubborn, "q", TIMEOUT);
    expect_told(world, POOL_WALL, "p", 0, 1);
    assert_int_equal(jp_ledger_count(world->ledger, ASKED, NULL, 0), 2);
}

static void the_polite_child_of_a_deaf_parent_is_asked_all_the_same(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"pool_wall_clock\": \"5s\"}, \"stop\": {\"grace\": \"3s\"}}}");
    uint32_t deaf = launch(world, "p", "deaf.exe");
    deliver(world);
    uint32_t polite = spawn(world, deaf);
    jp_sim_obeys(world->sim, polite, 1000, 3);
    wait_ms(world, 5000 + TICK);
    expect_ended(world, deaf, "p", TIMEOUT);
    wait_ms(world, 3000);
    assert_int_equal(jp_ledger_find(world->ledger, polite)->exit_code, 3);
}

static void a_grace_is_waking_time(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, GRACE);
    uint32_t pid = launch(world, "p", "polite.exe");
    jp_sim_obeys(world->sim, pid, 2000, 7);
    wait_ms(world, 5000 + TICK);
    jp_sim_sleep(world->sim, 60000); /* neither it nor the service could do anything */
    wait_ms(world, 3000);
    struct jp_sim_fate fate;
    assert_true(jp_sim_fate(world->sim, pid, 0, &fate));
    assert_int_equal(fate.end, JP_SIM_EXITED);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_world_open, pool_world_close)
    const struct CMUnitTest tests[] = {
        TEST(a_process_has_its_time_from_its_joining),
        TEST(a_pool_has_its_time_from_its_first_process),
        TEST(an_empty_pool_has_no_time),
        TEST(a_wall_clock_goes_on_over_a_restart),
        TEST(time_asleep_does_not_count),
        TEST(time_asleep_counts_if_asked_for),
        TEST(the_clock_on_the_wall_ends_nobody),
        TEST(whoever_does_nothing_is_ended),
        TEST(who_is_looked_at_is_not_idle),
        TEST(who_is_frozen_is_not_idle),
        TEST(a_wall_clock_runs_on_over_a_frozen_pool),
        TEST(who_obeys_ends_itself),
        TEST(who_ignores_it_is_ended_with_its_tree),
        TEST(the_tree_ends_though_a_part_of_it_has_moved_down),
        TEST(the_tree_ends_though_a_link_of_it_has_gone),
        TEST(where_nobody_can_be_asked_it_ends_at_once),
        TEST(whoever_is_asked_is_asked_once_and_for_one_reason),
        TEST(a_hard_limit_does_not_wait_for_the_polite_one),
        TEST(a_pools_end_asks_each_of_its_members),
        TEST(the_polite_child_of_a_deaf_parent_is_asked_all_the_same),
        TEST(a_grace_is_waking_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
