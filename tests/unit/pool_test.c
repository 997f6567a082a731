/* Pools over the simulated kernel: what is refused, made, changed, reloaded, waited for, and taken up after a restart. */
#include "pool_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* --- refusing --- */

static void a_full_pool_refuses_and_leaves_the_process_alone(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"root\": {\"limits\": {\"active_processes\": 2}}, \"a\": {\"parent\": \"root\"}}");
    launch(world, "a", "one.exe");
    launch(world, "root", "two.exe");
    uint32_t pid = jp_sim_spawn(world->sim, 0, "three.exe");
    assign(world, "a", pid);
    assert_int_equal(world->joined_status, JP_E_POOL_FULL);
    assert_string_equal(world->error.text, "pool \"root\" is full: 2 of 2 processes");
    assert_true(jp_sim_alive(world->sim, pid));
    assert_null(jp_ledger_find(world->ledger, pid));
}

static void a_failed_assignment_changes_nothing(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t pid = jp_sim_spawn(world->sim, 0, "tool.exe");
    jp_sim_fail_next(world->sim, "AssignProcessToJobObject", 5);
    assign(world, "a", pid);
    assert_int_equal(world->joined_status, JP_E_SYSTEM);
    assert_int_equal(world->error.win32, 5);
    assert_non_null(strstr(world->error.text, "cannot assign process"));
    assert_non_null(strstr(world->error.text, "(ERROR_ACCESS_DENIED, 5)"));
    assert_int_equal(jp_pools_member_count(world->pools), 0);
}

static void a_member_moves_only_down(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t pid = launch(world, "root", "tool.exe");
    assign(world, "a", pid);
    assert_int_equal(world->joined_status, JP_OK);
    deliver(world);
    expect_row(world, pid, "a", JP_ENDING_NONE, 0);
    assign(world, "b", pid);
    assert_int_equal(world->joined_status, JP_E_PARAMS);
    assert_int_equal(pool_of(world, "a")->member_count, 1);
    assert_int_equal(pool_of(world, "root")->member_count, 0);
    assert_int_equal(jp_ledger_process_count(world->ledger), 1);
}

static void the_wrong_start_time_is_another_process(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t pid = jp_sim_spawn(world->sim, 0, "tool.exe");
    join(world, "a", (struct jp_joining){.pid = pid, .start_100ns = 1});
    assert_int_equal(world->joined_status, JP_E_OTHER_PROCESS);
    join(world, "a", (struct jp_joining){.pid = 99999});
    assert_int_equal(world->joined_status, JP_E_NO_PROCESS);
}

static void security_limits_are_looked_at_before_joining(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"security\": [\"no_admin\"]}, \"c\": {\"parent\": \"p\"}}");
    uint32_t pid = jp_sim_spawn(world->sim, 0, "admin.exe");
    assign(world, "c", pid);
    assert_int_equal(world->joined_status, JP_E_DENIED);
    assert_int_equal(jp_sim_job_size(world->sim, "Global\\JobPool.p"), 0);
}

/* --- pools --- */

static void a_squatted_name_fails_one_pool_only(void **state) {
    struct pool_world *world = *state;
    jp_sim_squat(world->sim, "Global\\JobPool.a");
    assert_int_equal(pool_world_load(world, TREE), JP_OK);
    assert_int_equal(pool_of(world, "a")->state, JP_POOL_FAILED);
    assert_int_equal(pool_of(world, "b")->state, JP_POOL_ACTIVE);
    uint32_t pid = jp_sim_spawn(world->sim, 0, "tool.exe");
    assign(world, "a", pid);
    assert_int_equal(world->joined_status, JP_E_POOL_FAILED);
    assert_non_null(strstr(world->error.text, "somebody else's"));
}

static void create_update_delete(void **state) {
    struct pool_world *world = *state;
    struct jp_pool *pool;
    struct jp_pool_spec spec = {0}, change = {0};
    size_t terminated;
    assert_int_equal(jp_pools_create(world->pools, "t", &spec, false, &pool, &world->error), JP_OK);
    assert_int_equal(jp_pools_create(world->pools, "t", &spec, false, &pool, &world->error), JP_E_POOL_EXISTS);
    assert_int_equal(jp_pools_create(world->pools, "../t", &spec, false, &pool, &world->error), JP_E_PARAMS);
    pool = pool_of(world, "t");
    change.present = JP_SCHEMA_BIT(JP_POOL_LIMITS);
    change.limits = (struct jp_limits){.present = JP_SCHEMA_BIT(JP_LIMIT_ACTIVE_PROCESSES), .active_processes = 1};
    assert_int_equal(jp_pools_update(world->pools, pool, &change, &world->error), JP_OK);
    launch(world, "t", "tool.exe");
    struct jp_launch request = {.command_line = "second.exe"};
    join(world, "t", (struct jp_joining){.launch = &request});
    assert_int_equal(world->joined_status, JP_E_POOL_FULL);
    change.limits = (struct jp_limits){.present = JP_SCHEMA_NULL_BIT(JP_LIMIT_ACTIVE_PROCESSES)};
    jp_sim_fail_next(world->sim, "SetInformationJobObject", 87);
    assert_int_equal(jp_pools_update(world->pools, pool, &change, &world->error), JP_E_SYSTEM);
    assert_int_equal(pool->spec.limits.active_processes, 1); /* as it was */
    assert_int_equal(jp_pools_update(world->pools, pool, &change, &world->error), JP_OK);
    launch(world, "t", "second.exe");
    deliver(world);
    assert_int_equal(jp_pools_delete(world->pools, pool, false, &terminated, &world->error), JP_E_POOL_BUSY);
    assert_int_equal(jp_pools_delete(world->pools, pool, true, &terminated, &world->error), JP_OK);
    assert_int_equal(terminated, 2);
    deliver(world);
    pass(world, 100);
    assert_null(jp_pools_find(world->pools, "t"));
    pass(world, 3000);
}

static void reload_is_all_or_nothing(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"one\": {}, \"two\": {\"limits\": {\"active_processes\": 5}}}");
    uint32_t pid = launch(world, "one", "tool.exe");
    deliver(world);
    jp_sim_fail_next(world->sim, "SetInformationJobObject", 87);
    assert_int_equal(pool_world_load(world, "{\"two\": {\"limits\": {\"active_processes\": 6}}, \"three\": {}}"), JP_E_SYSTEM);
    assert_null(jp_pools_find(world->pools, "three"));
    assert_int_equal(pool_of(world, "two")->spec.limits.active_processes, 5);
    assert_int_equal(pool_of(world, "one")->state, JP_POOL_ACTIVE);
    assert_int_equal(pool_world_load(world, "{\"two\": {\"parent\": \"three\"}, \"three\": {}}"), JP_E_CONFIG);

    assert_int_equal(pool_world_load(world, "{\"two\": {\"limits\": {\"active_processes\": 6}}, \"three\": {}}"), JP_OK);
    assert_int_equal(pool_of(world, "two")->spec.limits.active_processes, 6);
    assert_int_equal(pool_of(world, "one")->state, JP_POOL_ORPHAN);
    assert_true(jp_sim_alive(world->sim, pid));
    assign(world, "one", jp_sim_spawn(world->sim, 0, "late.exe"));
    assert_int_equal(world->joined_status, JP_E_NO_POOL);
    jp_sim_exit(world->sim, pid, 0);
    deliver(world);
    pass(world, 100);
    assert_null(jp_pools_find(world->pools, "one"));
    expect_row(world, pid, "one", JP_ENDING_EXITED, 0);
}

static void who_is_removed_goes_or_stays(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"keep\": {\"on_remove\": \"keep\"}, \"end\": {\"on_remove\": \"terminate\"}, \"below\": {\"parent\": \"end\"},"
                           " \"none\": {\"on_remove\": \"terminate\"}, \"other\": {}}");
    uint32_t kept = launch(world, "keep", "kept.exe"), ended = launch(world, "end", "ended.exe"), below = launch(world, "below", "below.exe");
    uint32_t other = launch(world, "other", "other.exe");
    deliver(world);
    pool_world_load(world, "{\"other\": {}}");
    assert_int_equal(jp_ledger_count(world->ledger, "POOL_ORPHANED", NULL, 0), 3);
    assert_int_equal(jp_ledger_count(world->ledger, "POOL_TERMINATED", "end", 0), 1);
    assert_int_equal(jp_ledger_count(world->ledger, "POOL_REMOVED", NULL, 0), 1); /* who has nobody */
    deliver(world);
    pass(world, 100);
    expect_row(world, ended, "end", JP_ENDING_TERMINATED, 1);
    expect_row(world, below, "below", JP_ENDING_TERMINATED, 1);
    assert_null(jp_pools_find(world->pools, "end"));
    assert_null(jp_pools_find(world->pools, "below"));
    assert_null(jp_pools_find(world->pools, "none"));
    assert_true(jp_sim_alive(world->sim, kept));
    assert_true(jp_sim_alive(world->sim, other));
    assert_int_equal(pool_of(world, "keep")->state, JP_POOL_ORPHAN);
}

static void an_orphan_goes_with_the_last_pool_below_it(void **state) {
    struct pool_world *world = *state;
    struct jp_pool_spec spec = {.parent = (char *)(uintptr_t)"top", .present = JP_SCHEMA_BIT(JP_POOL_PARENT)};
    struct jp_pool *low;
    pool_world_load(world, "{\"top\": {}}");
    assert_int_equal(jp_pools_create_ephemeral(world->pools, "low", &spec, "S-1-5-21-1", world, &low, &world->error), JP_OK);
    pool_world_load(world, "{}");
    jp_pools_holder_gone(world->pools, world);
    for (uint64_t next; (next = jp_pools_on_time(world->pools)) != UINT64_MAX;) /* as the loop does, asleep between what is due */
        jp_sim_pass(world->sim, next - jp_sim_now_ms(world->sim));
    assert_null(jp_pools_find(world->pools, "low"));
    assert_null(jp_pools_find(world->pools, "top"));
}

static void who_is_removed_is_asked_first(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"end\": {\"on_remove\": \"terminate\", \"stop\": {\"grace\": \"5s\"}}}");
    uint32_t polite = launch(world, "end", "a.exe"), rude = launch(world, "end", "b.exe");
    jp_sim_obeys(world->sim, polite, 1000, 3);
    jp_sim_obeys(world->sim, rude, JP_SIM_NEVER, 0);
    deliver(world);
    pool_world_load(world, "{}");
    pass(world, 2000);
    deliver(world);
    expect_row(world, polite, "end", JP_ENDING_EXITED, 3);
    assert_true(jp_sim_alive(world->sim, rude));
    pass(world, 4000);
    deliver(world);
    pass(world, 1000);
    expect_row(world, rude, "end", JP_ENDING_TERMINATED, 1);
    assert_null(jp_pools_find(world->pools, "end"));
}

static void one_that_cannot_be_ended_is_kept_until_it_is_empty(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"end\": {\"on_remove\": \"terminate\"}}");
    uint32_t pid = launch(world, "end", "tool.exe");
    deliver(world);
    jp_sim_fail_next(world->sim, "TerminateJobObject", 5);
    assert_int_equal(pool_world_load(world, "{}"), JP_OK);
    assert_true(jp_sim_alive(world->sim, pid));
    assert_int_equal(pool_of(world, "end")->state, JP_POOL_ORPHAN);
    jp_sim_exit(world->sim, pid, 0);
    deliver(world);
    pass(world, 100);
    assert_null(jp_pools_find(world->pools, "end"));
}

static void waiting(void **state) {
    struct pool_world *world = *state;
    struct jp_member *member;
    pool_world_load(world, TREE);
    assert_null(jp_pools_wait(world->pools, pool_of(world, "root"), NULL, on_waited, world));
    assert_int_equal(world->waited_calls, 1);
    uint32_t one = launch(world, "a", "one.exe"), two = launch(world, "b", "two.exe");
    assert_int_equal(jp_pools_find_process(world->pools, one, 0, &member, &world->error), JP_OK);
    assert_non_null(jp_pools_wait(world->pools, pool_of(world, "a"), member, on_waited, world));
    assert_non_null(jp_pools_wait(world->pools, pool_of(world, "root"), NULL, on_waited, world));
    struct jp_waiter *cancelled = jp_pools_wait(world->pools, pool_of(world, "b"), NULL, on_waited, world);
    jp_pools_wait_cancel(world->pools, cancelled);
    deliver(world);
    assert_int_equal(world->waited_calls, 1);
    jp_sim_exit(world->sim, one, 0);
    deliver(world);
    assert_int_equal(world->waited_calls, 2);
    assert_int_equal(world->waited_pid, one);
    jp_sim_exit(world->sim, two, 0);
    deliver(world);
    assert_int_equal(world->waited_calls, 3);
    assert_int_equal(world->waited_pid, 0);
}

/* --- restarts --- */

static void kept_processes_are_taken_up_again(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t stays = launch(world, "a", "stays.exe"), ends = launch(world, "a", "ends.exe");
    deliver(world);
    int64_t id = jp_ledger_find(world->ledger, stays)->id;
    uint32_t born_between = 0;
    uint64_t seq = jp_pools_last_seq(world->pools);
    jp_sim_exit(world->sim, ends, 0);
    born_between = jp_sim_spawn(world->sim, stays, "child.exe");
    pool_world_restart(world, TREE);
    deliver(world);
    assert_true(jp_pools_last_seq(world->pools) > seq);
    assert_int_equal(jp_ledger_find(world->ledger, stays)->id, id);
    expect_row(world, stays, "a", JP_ENDING_NONE, 0);
    expect_row(world, born_between, "a", JP_ENDING_NONE, 0);
    assert_int_equal(jp_ledger_process_count(world->ledger), 3);
    jp_sim_exit(world->sim, stays, 4);
    deliver(world);
    expect_row(world, stays, "a", JP_ENDING_EXITED, 4);
}

static void kept_processes_join_the_new_job_where_the_old_name_died(void **state) {
    struct pool_world *world = *state;
    jp_sim_names_die(world->sim);
    pool_world_load(world, TREE);
    uint32_t one = launch(world, "a", "one.exe"), two = launch(world, "a", "two.exe"), other = launch(world, "b", "other.exe");
    deliver(world);
    pool_world_restart(world, TREE);
    deliver(world);
    assert_int_equal(jp_sim_job_size(world->sim, "Global\\JobPool.a"), 2);
    expect_row(world, one, "a", JP_ENDING_NONE, 0);
    expect_row(world, other, "b", JP_ENDING_NONE, 0); /* Windows does not let it into the new tree: it is watched all the same */
    assert_int_equal(jp_ledger_process_count(world->ledger), 3);
    jp_sim_exit(world->sim, two, 2);
    jp_sim_exit(world->sim, other, 3);
    deliver(world);
    pass(world, 500);
    expect_row(world, two, "a", JP_ENDING_EXITED, 2);
    expect_row(world, other, "b", JP_ENDING_EXITED, 3);
}

static void a_deaf_pool_is_watched_by_handles_and_lists(void **state) {
    struct pool_world *world = *state;
    jp_sim_deaf(world->sim, true);
    pool_world_load(world, TREE);
    uint32_t pid = launch(world, "a", "make.exe");
    uint32_t child = jp_sim_spawn(world->sim, pid, "cc.exe");
    deliver(world);
    pass(world, 1200);
    expect_row(world, child, "a", JP_ENDING_NONE, 0);
    jp_sim_exit(world->sim, child, 9);
    jp_sim_exit(world->sim, pid, 0);
    deliver(world);
    expect_row(world, child, "a", JP_ENDING_EXITED, 9);
    pass(world, 1200);
    assert_int_equal(jp_ledger_count(world->ledger, ZERO, "a", 0), 1);
    expect_origin(world, ZERO, JP_ORIGIN_RECONCILER);
}

static void persistent_pools_come_back_and_transient_ones_do_not(void **state) {
    struct pool_world *world = *state;
    struct jp_pool *pool;
    struct jp_pool_spec spec = {.present = JP_SCHEMA_BIT(JP_POOL_LIMITS),
                                .limits = {.present = JP_SCHEMA_BIT(JP_LIMIT_JOB_MEMORY), .job_memory_bytes = 64 << 20}};
    assert_int_equal(jp_pools_create(world->pools, "kept", &spec, true, &pool, &world->error), JP_OK);
    assert_int_equal(jp_pools_create(world->pools, "gone", &spec, false, &pool, &world->error), JP_OK);
    pool_world_restart(world, "{}");
    assert_null(jp_pools_find(world->pools, "gone"));
    assert_int_equal(pool_of(world, "kept")->spec.limits.job_memory_bytes, 64 << 20);
    assert_int_equal(pool_of(world, "kept")->source, JP_POOL_PERSISTENT);
}

static void stopping_ends_only_what_ends_with_the_service(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"keep\": {}, \"end\": {\"on_service_stop\": \"terminate\"}}");
    uint32_t kept = launch(world, "keep", "kept.exe"), ended = launch(world, "end", "ended.exe");
    deliver(world);
    assert_false(jp_pools_stop(world->pools));
    deliver(world);
    assert_true(jp_pools_stop(world->pools));
    expect_row(world, ended, "end", JP_ENDING_TERMINATED, 1);
    expect_row(world, kept, "keep", JP_ENDING_NONE, 0);
    assert_true(jp_sim_alive(world->sim, kept));
    struct jp_launch request = {.command_line = "late.exe"};
    join(world, "keep", (struct jp_joining){.launch = &request});
    assert_int_equal(world->joined_status, JP_E_STOPPING);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_world_open, pool_world_close)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_full_pool_refuses_and_leaves_the_process_alone),
        TEST(a_failed_assignment_changes_nothing),
        TEST(a_member_moves_only_down),
        TEST(the_wrong_start_time_is_another_process),
        TEST(security_limits_are_looked_at_before_joining),
        TEST(a_squatted_name_fails_one_pool_only),
        TEST(create_update_delete),
        TEST(reload_is_all_or_nothing),
        TEST(who_is_removed_goes_or_stays),
        TEST(an_orphan_goes_with_the_last_pool_below_it),
        TEST(who_is_removed_is_asked_first),
        TEST(one_that_cannot_be_ended_is_kept_until_it_is_empty),
        TEST(waiting),
        TEST(kept_processes_are_taken_up_again),
        TEST(kept_processes_join_the_new_job_where_the_old_name_died),
        TEST(a_deaf_pool_is_watched_by_handles_and_lists),
        TEST(persistent_pools_come_back_and_transient_ones_do_not),
        TEST(stopping_ends_only_what_ends_with_the_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
