/* What goes wrong where the service keeps limits: samples that fail, members that cannot be touched; and CPU rates by suspending. */
#include "unit.h"

#include "pool_world.h"

#define FAILED "ENFORCEMENT_FAILED"
#define PROCESS_TIME "JOB_OBJECT_MSG_END_OF_PROCESS_TIME"

enum { SECOND = 10000000 };
#define STATUS_QUOTA UINT32_C(0xC0000044)

static void settle(struct pool_world *world) {
    for (int i = 0; i < 15; i++) {
        pass(world, 100);
        deliver(world);
    }
}

static struct jp_sampling sampling_of(struct pool_world *world) {
    struct jp_sampling sampling;
    jp_pools_sampling(world->pools, &sampling);
    return sampling;
}

/* --- samples --- */

static void nobody_is_ended_on_old_numbers(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"process_time\": \"10s\", \"job_memory\": \"100MiB\"}, \"timeouts\": {\"idle\": \"5s\"}}}");
    uint32_t pid = launch(world, "p", "one.exe");
    jp_sim_grow_usage(world->sim, pid, 9 * (uint64_t)SECOND);
    settle(world);
    jp_sim_fail_often(world->sim, "NtQuerySystemInformation", 1450, 1000);
    jp_sim_grow_usage(world->sim, pid, 9 * (uint64_t)SECOND);
    for (int i = 0; i < 10; i++)
        settle(world);
    assert_true(jp_sim_alive(world->sim, pid));
    assert_true(sampling_of(world).degraded);
    assert_true(sampling_of(world).reason[0] != '\0');
    assert_int_equal(jp_ledger_count(world->ledger, "SAMPLING_FAILED", NULL, 0), 1);
    uint64_t tried = jp_sim_sample_count(world->sim);
    settle(world);
    assert_in_range(jp_sim_sample_count(world->sim) - tried, 2, 4); /* goes on, at its pace */
    jp_sim_fail_often(world->sim, "NtQuerySystemInformation", 1450, 0);
    settle(world);
    assert_false(sampling_of(world).degraded);
    expect_ended(world, pid, "p", STATUS_QUOTA);
    expect_told(world, PROCESS_TIME, "p", pid, 1); /* its use counts; that it seemed idle does not */
}

static void who_worked_while_nobody_looked_is_not_idle(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"idle\": \"5s\"}}}");
    uint32_t pid = launch(world, "p", "one.exe");
    settle(world);
    jp_sim_fail_often(world->sim, "NtQuerySystemInformation", 1450, 1000);
    for (int i = 0; i < 10; i++) {
        jp_sim_grow_usage(world->sim, pid, 1000);
        settle(world);
    }
    jp_sim_fail_often(world->sim, "NtQuerySystemInformation", 1450, 0);
    settle(world);
    assert_true(jp_sim_alive(world->sim, pid));
    settle(world);
    settle(world);
    settle(world);
    assert_false(jp_sim_alive(world->sim, pid));
}

static void the_strictest_need_sets_the_pace(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"slow\": {\"timeouts\": {\"wall_clock\": \"1h\"}}, \"fast\": {\"limits\": {\"process_time\": \"10s\"}}, \"none\": {}}");
    assert_int_equal(sampling_of(world).interval_ms, 0);
    launch(world, "none", "none.exe");
    settle(world);
    assert_int_equal(jp_sim_sample_count(world->sim), 0);
    launch(world, "slow", "slow.exe");
    settle(world);
    assert_true(sampling_of(world).interval_ms > 500);
    uint32_t fast = launch(world, "fast", "fast.exe");
    settle(world);
    assert_int_equal(sampling_of(world).interval_ms, 500);
    uint64_t samples = jp_sim_sample_count(world->sim);
    pass(world, 5000);
    assert_in_range(jp_sim_sample_count(world->sim) - samples, 9, 11);
    jp_pools_set_sample_interval(world->pools, 100);
    samples = jp_sim_sample_count(world->sim);
    pass(world, 5000);
    assert_in_range(jp_sim_sample_count(world->sim) - samples, 45, 51);
    jp_sim_exit(world->sim, fast, 0);
    deliver(world);
    settle(world);
    samples = jp_sim_sample_count(world->sim);
    pass(world, 5000);
    assert_true(jp_sim_sample_count(world->sim) <= samples + 1);
}

/* Also on a host whose handles do not tell what a process used, where each member is a need. */
static void nobody_looks_once_nobody_is_there(void **state) {
    struct pool_world *world = *state;
    jp_sim_capabilities(world->sim)->memory_after_exit = false;
    pool_world_load(world, "{\"limited\": {\"limits\": {\"process_time\": \"10s\"}, \"timeouts\": {\"idle\": \"1h\"}}, \"none\": {}}");
    pass(world, 60000);
    assert_int_equal(jp_sim_sample_count(world->sim), 0);
    uint32_t pids[] = {launch(world, "limited", "one.exe"), launch(world, "none", "two.exe")};
    deliver(world);
    pass(world, 5000);
    assert_in_range(jp_sim_sample_count(world->sim), 9, 11);
    for (size_t i = 0; i < 2; i++)
        jp_sim_exit(world->sim, pids[i], 0);
    deliver(world);
    settle(world);
    assert_true(jp_pools_next_sample_ms(world->pools) == UINT64_MAX);
    assert_int_equal(sampling_of(world).interval_ms, 0);
    uint64_t samples = jp_sim_sample_count(world->sim);
    pass(world, 60000);
    assert_true(jp_sim_sample_count(world->sim) == samples);
}

static uint64_t user_time_of(struct pool_world *world, const char *pool) {
    struct jp_policy_totals totals;
    jp_pools_totals(world->pools, pool_of(world, pool), &totals);
    return totals.user_100ns;
}

static void what_ended_members_used_stays_in_the_totals(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"job_time\": \"1h\"}}, \"q\": {\"parent\": \"p\"}}");
    uint32_t one = launch(world, "p", "one.exe"), other = launch(world, "q", "other.exe");
    jp_sim_grow_usage(world->sim, one, 5 * (uint64_t)SECOND);
    jp_sim_grow_usage(world->sim, other, 7 * (uint64_t)SECOND);
    settle(world);
    assert_true(user_time_of(world, "p") == 12 * (uint64_t)SECOND);
    jp_sim_exit(world->sim, other, 0);
    settle(world);
    assert_true(user_time_of(world, "p") == 12 * (uint64_t)SECOND);
    assert_true(user_time_of(world, "q") == 7 * (uint64_t)SECOND);
}

/* --- members that cannot be touched --- */

#define LIMITED "{\"p\": {\"limits\": {\"priority_class\": \"idle\", \"process_time\": \"10s\"}}}"

static void a_protected_member_is_told_of_once_and_marks_the_pool(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, LIMITED);
    uint32_t one = launch(world, "p", "one.exe");
    deliver(world);
    uint32_t guard = jp_sim_spawn(world->sim, one, "guard.exe");
    jp_sim_protect(world->sim, guard);
    deliver(world);
    settle(world);
    jp_sim_grow_usage(world->sim, guard, 20 * (uint64_t)SECOND);
    for (int i = 0; i < 5; i++)
        settle(world);
    assert_true(jp_sim_alive(world->sim, guard));
    assert_int_equal(jp_ledger_count(world->ledger, FAILED, NULL, 0), 1);
    assert_int_equal(jp_ledger_count(world->ledger, FAILED, "p", guard), 1);
    assert_int_equal(pool_of(world, "p")->troubles.count, 1);
    assert_true(jp_ledger_count(world->ledger, PROCESS_TIME, "p", guard) <= 1);
    jp_sim_grow_usage(world->sim, one, 20 * (uint64_t)SECOND);
    settle(world);
    expect_ended(world, one, "p", STATUS_QUOTA); /* the others are under the limits as ever */
}

static void one_that_cannot_be_ended_is_told_of_once(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, LIMITED);
    uint32_t pid = launch(world, "p", "one.exe");
    deliver(world);
    jp_sim_fail_often(world->sim, "TerminateProcess", 5, 1000);
    jp_sim_grow_usage(world->sim, pid, 20 * (uint64_t)SECOND);
    for (int i = 0; i < 5; i++)
        settle(world);
    assert_int_equal(jp_ledger_count(world->ledger, PROCESS_TIME, "p", pid), 1);
    assert_int_equal(jp_ledger_count(world->ledger, FAILED, "p", pid), 1);
    jp_sim_exit(world->sim, pid, 3);
    deliver(world);
    settle(world);
    expect_row(world, pid, "p", JP_ENDING_EXITED, 3); /* it was not us */
}

static void who_cannot_be_adjusted_can_still_be_ended(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, LIMITED);
    jp_sim_fail_next(world->sim, "SetPriorityClass", 1450);
    uint32_t pid = launch(world, "p", "one.exe");
    deliver(world);
    assert_int_equal(jp_ledger_count(world->ledger, FAILED, "p", pid), 1);
    jp_sim_grow_usage(world->sim, pid, 20 * (uint64_t)SECOND);
    settle(world);
    expect_ended(world, pid, "p", STATUS_QUOTA);
}

static void one_that_ends_in_the_same_moment_is_no_trouble(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, LIMITED);
    uint32_t pid = launch(world, "p", "one.exe");
    deliver(world);
    jp_sim_grow_usage(world->sim, pid, 20 * (uint64_t)SECOND);
    struct jp_backend *backend = jp_sim_backend(world->sim);
    struct jp_samples samples;
    assert_int_equal(backend->ops->sample(backend, &samples, &world->error), JP_OK);
    jp_sim_exit(world->sim, pid, 5); /* between the look and the decision */
    jp_pools_on_sample(world->pools, JP_OK, &samples, &world->error);
    deliver(world);
    settle(world);
    expect_row(world, pid, "p", JP_ENDING_EXITED, 5);
    assert_int_equal(jp_ledger_count(world->ledger, FAILED, NULL, 0), 0);
}

/* It has ended; the news are still on their way when the next samples come. */
static void one_that_has_ended_is_told_of_at_most_once(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"timeouts\": {\"wall_clock\": \"3s\"}}}");
    uint32_t pid = launch(world, "p", "one.exe");
    deliver(world);
    pass(world, 2900);
    jp_sim_exit(world->sim, pid, 5);
    pass(world, 1900);
    deliver(world);
    settle(world);
    expect_row(world, pid, "p", JP_ENDING_EXITED, 5);
    assert_true(jp_ledger_count(world->ledger, "WALL_CLOCK_LIMIT", NULL, 0) <= 1);
    assert_int_equal(jp_ledger_count(world->ledger, FAILED, NULL, 0), 0);
}

/* A sample of a process that has ended since, whose pid is another member's by now. */
static void an_old_sample_is_not_taken_for_the_new_owner_of_the_pid(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, LIMITED);
    jp_sim_reuse_pids(world->sim, true);
    uint32_t pid = jp_sim_spawn(world->sim, 0, "stranger.exe");
    jp_sim_grow_usage(world->sim, pid, 20 * (uint64_t)SECOND);
    struct jp_backend *backend = jp_sim_backend(world->sim);
    struct jp_samples samples;
    assert_int_equal(backend->ops->sample(backend, &samples, &world->error), JP_OK);
    jp_sim_exit(world->sim, pid, 0);
    assert_int_equal(launch(world, "p", "one.exe"), pid);
    jp_pools_on_sample(world->pools, JP_OK, &samples, &world->error);
    deliver(world);
    settle(world);
    assert_true(jp_sim_alive(world->sim, pid));
}

/* --- CPU rates by suspending --- */

#define RATE "{\"p\": {\"cpu_rate_fallback\": true, \"limits\": {\"cpu_rate\": {\"hard_cap\": \"12.5%\"}}}}"

/* For `ms`, in steps of 10, the processes use all the time that they get. Returns what they got. */
static uint64_t work(struct pool_world *world, const uint32_t *pids, size_t count, uint64_t ms) {
    uint64_t used = 0;
    for (uint64_t passed = 0; passed < ms; passed += 10) {
        for (size_t i = 0; i < count; i++)
            if (jp_sim_grow_usage(world->sim, pids[i], 100000))
                used += 100000;
        jp_sim_pass(world->sim, 10);
        jp_pools_on_time(world->pools);
        if (jp_pools_next_sample_ms(world->pools) <= jp_sim_now_ms(world->sim))
            look(world);
    }
    deliver(world);
    return used;
}

static void two_that_want_two_processors_get_one(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, RATE); /* of eight processors: one */
    uint32_t pids[] = {launch(world, "p", "one.exe"), launch(world, "p", "two.exe")};
    deliver(world);
    work(world, pids, 2, 5000);
    uint64_t used = work(world, pids, 2, 10000);
    CHECK(used > 70 * (uint64_t)SECOND / 10 && used < 130 * (uint64_t)SECOND / 10, "used %llu", (unsigned long long)used);
    assert_int_equal(jp_sim_idle_thaws(world->sim), 0);
}

static void whoever_is_debugged_is_not_suspended(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, RATE);
    uint32_t pids[] = {launch(world, "p", "one.exe"), launch(world, "p", "two.exe"), launch(world, "p", "three.exe")};
    deliver(world);
    jp_sim_debug(world->sim, pids[0], true);
    uint64_t before = jp_sim_user_time(world->sim, pids[0]);
    work(world, pids, 3, 5000);
    assert_true(jp_sim_user_time(world->sim, pids[0]) - before == 5 * (uint64_t)SECOND); /* all of it */
}

static void work_until_suspended(struct pool_world *world, const uint32_t pids[2]) {
    for (int i = 0; i < 20 && !jp_sim_frozen(world->sim, pids[0]); i++)
        work(world, pids, 2, 10);
}

/* Two processes under a rate, the first just suspended. */
static void slow_two(struct pool_world *world, const char *config, const char *pool, uint32_t ret_pids[2]) {
    pool_world_load(world, config);
    ret_pids[0] = launch(world, pool, "one.exe");
    ret_pids[1] = launch(world, pool, "two.exe");
    deliver(world);
    work(world, ret_pids, 2, 5000);
    work_until_suspended(world, ret_pids);
}

static void nobody_is_left_suspended(void **state) {
    struct pool_world *world = *state;
    uint32_t pids[2];
    slow_two(world, RATE, "p", pids);
    assert_int_equal(jp_sim_frozen(world->sim, pids[0]), 1);
    pool_world_load(world, "{\"p\": {}}");
    pass(world, 200);
    assert_int_equal(jp_sim_frozen(world->sim, pids[0]) + jp_sim_frozen(world->sim, pids[1]), 0);
    assert_int_equal(jp_sim_idle_thaws(world->sim), 0);
}

static void the_end_of_the_service_leaves_nobody_suspended(void **state) {
    struct pool_world *world = *state;
    uint32_t pids[2];
    slow_two(world, RATE, "p", pids);
    assert_int_equal(jp_sim_frozen(world->sim, pids[0]), 1);
    pool_world_crash(world, "{\"p\": {}}"); /* and the limit is gone meanwhile */
    deliver(world);
    pass(world, 200);
    assert_int_equal(jp_sim_frozen(world->sim, pids[0]) + jp_sim_frozen(world->sim, pids[1]), 0);
}

static void a_rate_and_a_freeze_do_not_get_into_each_others_way(void **state) {
    struct pool_world *world = *state;
    uint32_t pids[2];
    slow_two(world, RATE, "p", pids);
    assert_int_equal(jp_pools_freeze(world->pools, pool_of(world, "p"), false, &world->error), JP_OK);
    jp_ledger_commit(world->ledger);
    assert_true(work(world, pids, 2, 3000) == 0);
    assert_int_equal(jp_pools_thaw(world->pools, pool_of(world, "p"), &world->error), JP_OK);
    assert_true(work(world, pids, 2, 3000) > 0);
    assert_true(jp_sim_frozen(world->sim, pids[0]) <= 1);
    work_until_suspended(world, pids);
    assert_int_equal(jp_pools_freeze(world->pools, pool_of(world, "p"), false, &world->error), JP_OK);
    jp_ledger_commit(world->ledger);
    pool_world_crash(world, RATE); /* suspended twice */
    deliver(world);
    assert_true(work(world, pids, 2, 3000) > 0);
    assert_true(jp_sim_frozen(world->sim, pids[0]) <= 1 && jp_sim_frozen(world->sim, pids[1]) <= 1);
}

/* The rate is the upper pool's, the freeze the lower one's. */
static void a_rate_above_a_freeze_is_undone_as_well(void **state) {
    static const char config[] = "{\"p\": {\"cpu_rate_fallback\": true, \"limits\": {\"cpu_rate\": {\"hard_cap\": \"12.5%\"}}}, \"q\": {\"parent\": \"p\"}}";
    struct pool_world *world = *state;
    uint32_t pids[2];
    slow_two(world, config, "q", pids);
    assert_int_equal(jp_sim_frozen(world->sim, pids[0]), 1);
    assert_int_equal(jp_pools_freeze(world->pools, pool_of(world, "q"), false, &world->error), JP_OK);
    pool_world_crash(world, config);
    deliver(world);
    assert_true(work(world, pids, 2, 3000) > 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_world_open_forgetful, pool_world_close)
    const struct CMUnitTest tests[] = {
        TEST(nobody_is_ended_on_old_numbers),
        TEST(who_worked_while_nobody_looked_is_not_idle),
        TEST(the_strictest_need_sets_the_pace),
        TEST(nobody_looks_once_nobody_is_there),
        TEST(what_ended_members_used_stays_in_the_totals),
        TEST(a_protected_member_is_told_of_once_and_marks_the_pool),
        TEST(one_that_cannot_be_ended_is_told_of_once),
        TEST(who_cannot_be_adjusted_can_still_be_ended),
        TEST(one_that_ends_in_the_same_moment_is_no_trouble),
        TEST(one_that_has_ended_is_told_of_at_most_once),
        TEST(an_old_sample_is_not_taken_for_the_new_owner_of_the_pid),
        TEST(two_that_want_two_processors_get_one),
        TEST(whoever_is_debugged_is_not_suspended),
        TEST(nobody_is_left_suspended),
        TEST(the_end_of_the_service_leaves_nobody_suspended),
        TEST(a_rate_and_a_freeze_do_not_get_into_each_others_way),
        TEST(a_rate_above_a_freeze_is_undone_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
