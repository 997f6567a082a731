/* Frozen pools: nested, with members that come and go meanwhile, over restarts and crashes. The kernel counts how often each process
 * was frozen; it must be once or not at all, whatever happened, and nobody may be thawed who was not frozen. */
#include "unit.h"

#include "pool_world.h"

#define NESTED "{\"p\": {}, \"q\": {\"parent\": \"p\"}, \"r\": {\"parent\": \"q\"}}"

static void freeze(struct pool_world *world, const char *pool, bool keep) {
    assert_int_equal(jp_pools_freeze(world->pools, pool_of(world, pool), keep, &world->error), JP_OK);
    deliver(world);
}

static void thaw(struct pool_world *world, const char *pool) {
    assert_int_equal(jp_pools_thaw(world->pools, pool_of(world, pool), &world->error), JP_OK);
    deliver(world);
}

static void expect_frozen(struct pool_world *world, uint32_t pid, unsigned times) {
    assert_int_equal(jp_sim_frozen(world->sim, pid), times);
    assert_int_equal(jp_sim_idle_thaws(world->sim), 0);
    assert_true(jp_sim_grow_usage(world->sim, pid, 1) == (times == 0));
}

static uint32_t spawn(struct pool_world *world, uint32_t parent) {
    uint32_t pid = jp_sim_spawn(world->sim, parent, "child.exe");
    deliver(world);
    return pid;
}

/* --- one service --- */

static void a_frozen_pool_stands_still_with_all_below(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t above = launch(world, "p", "above.exe"), in = launch(world, "q", "in.exe"), below = launch(world, "r", "below.exe");
    freeze(world, "q", false);
    expect_frozen(world, above, 0);
    expect_frozen(world, in, 1);
    expect_frozen(world, below, 1);
    expect_told(world, "POOL_FROZEN", "q", 0, 1);
    assert_ptr_equal(jp_pool_frozen_by(pool_of(world, "r")), pool_of(world, "q"));
    assert_null(jp_pool_frozen_by(pool_of(world, "p")));
    pass(world, 5000);
    thaw(world, "q");
    expect_frozen(world, in, 0);
    expect_frozen(world, below, 0);
    expect_told(world, "POOL_THAWED", "q", 0, 1);
}

static void a_launch_at_once_does_not_run_before_it_is_frozen(void **state) {
    struct pool_world *world = *state;
    struct jp_launch request = {.command_line = "tool.exe"};
    pool_world_load(world, NESTED);
    freeze(world, "p", false);
    join(world, "r", (struct jp_joining){.launch = &request, .at_once = true});
    assert_int_equal(world->joined_calls, 0);
    deliver(world);
    assert_int_equal(world->joined_calls, 1);
    expect_frozen(world, world->joined.facts.pid, 1);
}

static void who_is_frozen_twice_is_thawed_when_nobody_freezes_it(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t above = launch(world, "p", "above.exe"), below = launch(world, "r", "below.exe");
    freeze(world, "r", false);
    freeze(world, "p", false);
    expect_frozen(world, below, 1);
    thaw(world, "p");
    expect_frozen(world, above, 0);
    expect_frozen(world, below, 1);
    freeze(world, "p", false);
    thaw(world, "r");
    expect_frozen(world, below, 1);
    thaw(world, "p");
    expect_frozen(world, below, 0);
}

static void what_cannot_be_done_is_refused(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t pid = launch(world, "r", "one.exe");
    assert_int_equal(jp_pools_thaw(world->pools, pool_of(world, "r"), &world->error), JP_E_PARAMS);
    freeze(world, "q", false);
    assert_int_equal(jp_pools_freeze(world->pools, pool_of(world, "q"), false, &world->error), JP_E_PARAMS);
    assert_int_equal(jp_pools_thaw(world->pools, pool_of(world, "r"), &world->error), JP_E_PARAMS);
    assert_non_null(strstr(world->error.text, "\"q\""));
    expect_frozen(world, pid, 1);
    expect_told(world, "POOL_FROZEN", "q", 0, 1);
}

static void who_comes_into_a_frozen_pool_is_frozen_too(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t inside = launch(world, "p", "inside.exe");
    freeze(world, "p", false);
    uint32_t launched = launch(world, "r", "launched.exe"), assigned = jp_sim_spawn(world->sim, 0, "assigned.exe");
    assign(world, "q", assigned);
    deliver(world);
    uint32_t child = spawn(world, inside); /* made just before, told just after */
    expect_frozen(world, launched, 1);
    assert_false(jp_sim_suspended(world->sim, launched)); /* but for the freeze it would run */
    expect_frozen(world, assigned, 1);
    expect_frozen(world, child, 1);
    thaw(world, "p");
    uint32_t pids[] = {inside, launched, assigned, child};
    for (size_t i = 0; i < COUNT(pids); i++)
        expect_frozen(world, pids[i], 0);
    expect_frozen(world, launch(world, "r", "late.exe"), 0);
}

static void who_moves_down_into_a_frozen_pool_is_frozen(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t pid = launch(world, "p", "mover.exe");
    deliver(world);
    freeze(world, "q", false);
    expect_frozen(world, pid, 0);
    assign(world, "q", pid);
    assert_int_equal(world->joined_status, JP_OK);
    deliver(world);
    expect_frozen(world, pid, 1);
    thaw(world, "q");
    expect_frozen(world, pid, 0);
}

static void one_that_cannot_be_frozen_is_told_of_and_not_thawed(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t one = launch(world, "p", "one.exe"), other = launch(world, "p", "other.exe");
    jp_sim_fail_next(world->sim, "NtSuspendProcess", 5);
    freeze(world, "p", false);
    assert_int_equal(jp_sim_frozen(world->sim, one) + jp_sim_frozen(world->sim, other), 1);
    assert_int_equal(jp_ledger_count(world->ledger, "ENFORCEMENT_FAILED", "p", 0), 1);
    assert_int_equal(pool_of(world, "p")->troubles.count, 1);
    thaw(world, "p");
    expect_frozen(world, one, 0);
    expect_frozen(world, other, 0);
}

static void one_that_cannot_be_thawed_is_tried_again(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t pid = launch(world, "p", "one.exe");
    freeze(world, "p", false);
    jp_sim_fail_next(world->sim, "NtResumeProcess", 5);
    thaw(world, "p");
    pass(world, 2000);
    if (jp_sim_frozen(world->sim, pid)) { /* at the latest when somebody says it again */
        freeze(world, "p", false);
        thaw(world, "p");
    }
    expect_frozen(world, pid, 0);
}

static void a_frozen_pool_can_be_ended_and_deleted(void **state) {
    struct pool_world *world = *state;
    struct jp_pool *pool;
    size_t count;
    assert_int_equal(jp_pools_create(world->pools, "t", &(struct jp_pool_spec){0}, false, &pool, &world->error), JP_OK);
    uint32_t one = launch(world, "t", "one.exe"), other = launch(world, "t", "other.exe");
    freeze(world, "t", true);
    struct jp_member *member;
    assert_int_equal(jp_pools_find_process(world->pools, one, 0, &member, &world->error), JP_OK);
    assert_int_equal(jp_pools_terminate_process(world->pools, member, 3, NULL, &world->error), JP_OK);
    deliver(world);
    expect_row(world, one, "t", JP_ENDING_TERMINATED, 3);
    assert_int_equal(jp_pools_delete(world->pools, pool, true, &count, &world->error), JP_OK);
    deliver(world);
    pass(world, 5000);
    assert_false(jp_sim_alive(world->sim, other));
}

static void a_new_pool_of_an_old_name_is_not_frozen(void **state) {
    struct pool_world *world = *state;
    struct jp_pool *pool;
    size_t count;
    struct jp_pool_spec spec = {0};
    assert_int_equal(jp_pools_create(world->pools, "t", &spec, true, &pool, &world->error), JP_OK);
    freeze(world, "t", true);
    assert_int_equal(jp_pools_delete(world->pools, pool, true, &count, &world->error), JP_OK);
    assert_int_equal(jp_pools_create(world->pools, "t", &spec, true, &pool, &world->error), JP_OK);
    pool_world_restart(world, "{}");
    expect_frozen(world, launch(world, "t", "one.exe"), 0);
}

/* Deleted, and only waiting for the news that its members have ended, when the one above it is frozen, or it itself. */
static void a_freeze_does_not_bring_a_deleted_pool_back(void **state) {
    struct pool_world *world = *state;
    struct jp_pool *pool;
    struct jp_error error;
    size_t count;
    pool_world_load(world, NESTED);
    for (int i = 0; i < 2; i++) {
        struct jp_pool_spec spec = {.present = JP_SCHEMA_BIT(JP_POOL_PARENT), .parent = (char *)(uintptr_t)"p"};
        assert_int_equal(jp_pools_create(world->pools, "t", &spec, true, &pool, &world->error), JP_OK);
        launch(world, "t", "one.exe");
        assert_int_equal(jp_pools_delete(world->pools, pool, true, &count, &world->error), JP_OK);
        jp_pools_freeze(world->pools, pool_of(world, i ? "t" : "p"), false, &error);
        deliver(world);
        pass(world, 5000);
        pool_world_restart(world, NESTED);
        assert_null(jp_pools_find(world->pools, "t"));
    }
}

static void a_changed_pool_stays_frozen(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t pid = launch(world, "r", "one.exe");
    freeze(world, "q", false);
    pool_world_load(world, "{\"p\": {}, \"q\": {\"parent\": \"p\", \"timeouts\": {\"idle\": \"1h\"}}, \"r\": {\"parent\": \"q\"}}");
    expect_frozen(world, pid, 1);
    thaw(world, "q");
    expect_frozen(world, pid, 0);
}

static void an_orphan_can_be_thawed(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {}, \"gone\": {}}");
    uint32_t pid = launch(world, "gone", "one.exe");
    freeze(world, "gone", false);
    pool_world_load(world, "{\"p\": {}}");
    expect_frozen(world, pid, 1);
    thaw(world, "gone");
    expect_frozen(world, pid, 0);
}

static void members_of_all_sessions_are_frozen(void **state) {
    struct pool_world *world = *state;
    struct jp_principal *two = jp_sim_user(world->sim, "SIM\\user", 2);
    uint32_t other;
    pool_world_load(world, NESTED);
    uint32_t pid = launch(world, "q", "one.exe");
    assert_int_equal(jp_sim_spawn_child(world->sim, &(struct jp_sim_child){.image = "two.exe", .token = two}, &other), 0);
    assign(world, "q", other);
    deliver(world);
    freeze(world, "p", false);
    expect_frozen(world, pid, 1);
    expect_frozen(world, other, 1);
    pool_world_restart(world, NESTED);
    thaw(world, "p");
    expect_frozen(world, pid, 0);
    expect_frozen(world, other, 0);
    jp_sim_principal_free(world->sim, two);
}

/* --- over the end of the service --- */

static void a_restart_in_order_keeps_a_pool_frozen(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t pid = launch(world, "r", "one.exe"), free_one = launch(world, "p", "free.exe");
    freeze(world, "q", false);
    pool_world_restart(world, NESTED);
    deliver(world);
    expect_frozen(world, pid, 1);
    expect_frozen(world, free_one, 0);
    expect_frozen(world, launch(world, "r", "new.exe"), 1);
    pool_world_restart(world, NESTED); /* and over another one */
    deliver(world);
    expect_frozen(world, pid, 1);
    thaw(world, "q");
    expect_frozen(world, pid, 0);
    pool_world_restart(world, NESTED);
    expect_frozen(world, launch(world, "r", "newer.exe"), 0);
}

static void a_crash_thaws(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t pid = launch(world, "r", "one.exe"), free_one = launch(world, "p", "free.exe");
    freeze(world, "q", false);
    pool_world_crash(world, NESTED);
    deliver(world);
    expect_frozen(world, pid, 0);
    expect_frozen(world, free_one, 0);
    assert_null(jp_pool_frozen_by(pool_of(world, "r")));
    expect_told(world, "POOL_THAWED", "q", 0, 1);
    pool_world_crash(world, NESTED); /* and is over with that */
    expect_frozen(world, pid, 0);
    expect_told(world, "POOL_THAWED", "q", 0, 1);
}

static void a_crash_does_not_thaw_what_is_to_be_kept(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t pid = launch(world, "r", "one.exe");
    freeze(world, "q", true);
    for (int i = 0; i < 2; i++) {
        pool_world_crash(world, NESTED);
        deliver(world);
        expect_frozen(world, pid, 1);
        assert_non_null(jp_pool_frozen_by(pool_of(world, "r")));
    }
    thaw(world, "q");
    expect_frozen(world, pid, 0);
}

static void a_start_that_crashes_forgets_no_freeze(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t kept = launch(world, "r", "kept.exe"), other = launch(world, "p", "other.exe");
    freeze(world, "r", true);
    freeze(world, "p", false);
    pool_world_crash_twice(world, NESTED);
    expect_frozen(world, kept, 1);
    expect_frozen(world, other, 0);
    thaw(world, "r");
    expect_frozen(world, kept, 0);
}

static void what_is_kept_below_what_is_not_stays_frozen(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t above = launch(world, "p", "above.exe"), below = launch(world, "r", "below.exe");
    freeze(world, "p", false);
    freeze(world, "r", true);
    pool_world_crash(world, NESTED);
    deliver(world);
    expect_frozen(world, above, 0);
    expect_frozen(world, below, 1);
    thaw(world, "r");
    expect_frozen(world, below, 0);
}

/* ... unless one above it does, and is frozen. */
static void who_falls_up_into_a_frozen_pool_stays_frozen(void **state) {
    struct pool_world *world = *state;
    struct jp_pool *pool;
    for (int i = 0; i < 4; i++) { /* in order or not; kept or not */
        struct jp_pool_spec spec = {.present = JP_SCHEMA_BIT(JP_POOL_PARENT), .parent = (char *)(uintptr_t)"q"};
        pool_world_load(world, NESTED);
        assert_int_equal(jp_pools_create(world->pools, "t", &spec, false, &pool, &world->error), JP_OK);
        uint32_t pid = launch(world, "t", "one.exe");
        deliver(world);
        freeze(world, "q", i & 2);
        (i & 1 ? pool_world_crash : pool_world_restart)(world, NESTED);
        deliver(world);
        pass(world, 61000);
        struct jp_member *member;
        assert_int_equal(jp_pools_find_process(world->pools, pid, 0, &member, &world->error), JP_OK);
        assert_string_equal(member->pool->name, "q");
        expect_frozen(world, pid, i != 1);
        if (i != 1)
            thaw(world, "q");
        expect_frozen(world, pid, 0);
        jp_sim_exit(world->sim, pid, 0);
        deliver(world);
    }
}

static void a_child_made_while_no_service_was_there_is_treated_alike(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t free_one = launch(world, "p", "free.exe");
    deliver(world);
    freeze(world, "q", true);
    uint32_t other = jp_sim_spawn(world->sim, free_one, "other.exe");
    jp_sim_queue_drop(world->sim, JP_MSG_NEW_PROCESS);
    pool_world_crash(world, NESTED);
    deliver(world);
    expect_frozen(world, free_one, 0);
    expect_frozen(world, other, 0);
}

/* Made in a frozen pool by one that was not yet stopped, and never told of: nobody froze it, so nobody may thaw it. */
static void a_child_that_was_never_frozen_is_not_thawed_after_a_crash(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t pid = launch(world, "q", "one.exe"), child;
    deliver(world);
    freeze(world, "q", false);
    assert_int_equal(jp_sim_spawn_child(world->sim, &(struct jp_sim_child){.parent = pid, .image = "held.exe", .suspended = true}, &child), 0);
    jp_sim_queue_drop(world->sim, JP_MSG_NEW_PROCESS);
    pool_world_crash(world, NESTED);
    deliver(world);
    pass(world, 1000);
    expect_frozen(world, pid, 0);
    assert_true(jp_sim_suspended(world->sim, child));
}

/* Likewise in a pool that is to be kept frozen: it has to be frozen now. */
static void a_child_that_was_never_frozen_is_frozen_after_a_crash(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, NESTED);
    uint32_t pid = launch(world, "q", "one.exe");
    deliver(world);
    freeze(world, "q", true);
    uint32_t child = jp_sim_spawn(world->sim, pid, "child.exe");
    jp_sim_queue_drop(world->sim, JP_MSG_NEW_PROCESS);
    pool_world_crash(world, NESTED);
    deliver(world);
    pass(world, 1000);
    expect_frozen(world, child, 1);
    thaw(world, "q");
    expect_frozen(world, pid, 0);
    expect_frozen(world, child, 0);
}

/* The pool was not made to last, or left the configuration meanwhile: nobody could thaw who is left over. */
static void nobody_stays_frozen_whose_pool_does_not_come_back(void **state) {
    struct pool_world *world = *state;
    struct jp_pool *pool;
    for (int crash = 0; crash < 2; crash++) {
        pool_world_load(world, "{\"p\": {}, \"left\": {}}");
        assert_int_equal(jp_pools_create(world->pools, "t", &(struct jp_pool_spec){0}, false, &pool, &world->error), JP_OK);
        uint32_t transient = launch(world, "t", "one.exe"), left = launch(world, "left", "two.exe");
        freeze(world, "t", false);
        freeze(world, "left", false);
        if (!crash)
            jp_pools_stop(world->pools);
        (crash ? pool_world_crash : pool_world_restart)(world, "{\"p\": {}}");
        deliver(world);
        pass(world, 1000);
        expect_frozen(world, transient, 0);
        expect_frozen(world, left, 0);
        jp_sim_exit(world->sim, transient, 0);
        jp_sim_exit(world->sim, left, 0);
        pool_world_restart(world, "{}");
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_world_open, pool_world_close)
    const struct CMUnitTest tests[] = {
        TEST(a_frozen_pool_stands_still_with_all_below),
        TEST(a_launch_at_once_does_not_run_before_it_is_frozen),
        TEST(who_is_frozen_twice_is_thawed_when_nobody_freezes_it),
        TEST(what_cannot_be_done_is_refused),
        TEST(who_comes_into_a_frozen_pool_is_frozen_too),
        TEST(who_moves_down_into_a_frozen_pool_is_frozen),
        TEST(one_that_cannot_be_frozen_is_told_of_and_not_thawed),
        TEST(one_that_cannot_be_thawed_is_tried_again),
        TEST(a_frozen_pool_can_be_ended_and_deleted),
        TEST(a_new_pool_of_an_old_name_is_not_frozen),
        TEST(a_freeze_does_not_bring_a_deleted_pool_back),
        TEST(a_changed_pool_stays_frozen),
        TEST(an_orphan_can_be_thawed),
        TEST(members_of_all_sessions_are_frozen),
        TEST(a_restart_in_order_keeps_a_pool_frozen),
        TEST(a_crash_thaws),
        TEST(a_crash_does_not_thaw_what_is_to_be_kept),
        TEST(a_start_that_crashes_forgets_no_freeze),
        TEST(what_is_kept_below_what_is_not_stays_frozen),
        TEST(nobody_stays_frozen_whose_pool_does_not_come_back),
        TEST(who_falls_up_into_a_frozen_pool_stays_frozen),
        TEST(a_child_made_while_no_service_was_there_is_treated_alike),
        TEST(a_child_that_was_never_frozen_is_not_thawed_after_a_crash),
        TEST(a_child_that_was_never_frozen_is_frozen_after_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
