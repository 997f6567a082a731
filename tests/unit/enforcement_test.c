/* Limits that the kernel forgets and the service keeps: each of them, below parents, and beside a kernel that does keep them. */
#include "unit.h"

#include "pool_world.h"

#define PROCESS_TIME "JOB_OBJECT_MSG_END_OF_PROCESS_TIME"
#define JOB_TIME "JOB_OBJECT_MSG_END_OF_JOB_TIME"
#define PROCESS_MEMORY "JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT"
#define JOB_MEMORY "JOB_OBJECT_MSG_JOB_MEMORY_LIMIT"
#define ACTIVE "JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT"
#define NOTIFIED "JOB_OBJECT_MSG_NOTIFICATION_LIMIT"

enum { QUOTA = 1816, SECOND = 10000000, MB = 1 << 20 };
#define STATUS_QUOTA UINT32_C(0xC0000044)

static void burn(struct pool_world *world, uint32_t pid, uint64_t seconds) {
    jp_sim_grow_usage(world->sim, pid, seconds * SECOND);
    deliver(world);
}

static void commit(struct pool_world *world, uint32_t pid, uint64_t megabytes) {
    jp_sim_commit(world->sim, pid, megabytes * MB);
    deliver(world);
}

static uint32_t spawn(struct pool_world *world, uint32_t parent) {
    uint32_t pid = jp_sim_spawn(world->sim, parent, "child.exe");
    deliver(world);
    return pid;
}

/* One look and what follows from it, and enough after it for a second decision to show. */
static void settle(struct pool_world *world) {
    look(world);
    deliver(world);
    pass(world, 1500);
    deliver(world);
}

/* --- of a process --- */

static void process_time_ends_whoever_used_it(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"process_time\": \"10s\"}}}");
    uint32_t one = launch(world, "p", "one.exe"), other = launch(world, "p", "other.exe");
    burn(world, one, 10); /* as much as it may */
    burn(world, other, 9);
    settle(world);
    assert_true(jp_sim_alive(world->sim, one));
    burn(world, one, 1);
    settle(world);
    expect_ended(world, one, "p", STATUS_QUOTA);
    expect_told(world, PROCESS_TIME, "p", one, 1);
    assert_true(jp_sim_alive(world->sim, other));
    assert_true(jp_ledger_find(world->ledger, one)->usage.user_100ns == 11 * (uint64_t)SECOND);
    assert_int_equal(jp_ledger_count(world->ledger, EXIT, "p", one), 1);
}

static void process_memory_ends_whoever_has_more(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"process_memory\": \"100MiB\"}}}");
    uint32_t one = launch(world, "p", "one.exe"), other = launch(world, "p", "other.exe");
    commit(world, one, 100);
    commit(world, other, 101);
    jp_sim_decommit(world->sim, other, MB); /* nobody saw it */
    settle(world);
    assert_true(jp_sim_alive(world->sim, one) && jp_sim_alive(world->sim, other));
    commit(world, one, 1);
    settle(world);
    expect_ended(world, one, "p", STATUS_QUOTA);
    expect_told(world, PROCESS_MEMORY, "p", one, 1);
    assert_true(jp_sim_alive(world->sim, other));
}

static void what_it_used_up_before_it_joined_counts(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"process_time\": \"10s\"}}}");
    uint32_t pid = jp_sim_spawn(world->sim, 0, "old.exe");
    jp_sim_grow_usage(world->sim, pid, 11 * (uint64_t)SECOND);
    assign(world, "p", pid);
    settle(world);
    expect_ended(world, pid, "p", STATUS_QUOTA);
    expect_told(world, PROCESS_TIME, "p", pid, 1);
}

static void a_limit_below_what_is_used_holds_from_then_on(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {}}");
    uint32_t pid = launch(world, "p", "big.exe"), small = launch(world, "p", "small.exe");
    commit(world, pid, 200);
    pass(world, 5000);
    assert_int_equal(jp_sim_sample_count(world->sim), 0); /* nobody needs to know */
    pool_world_load(world, "{\"p\": {\"limits\": {\"process_memory\": \"100MiB\"}}}");
    pass(world, 1000);
    deliver(world);
    pass(world, 1000);
    expect_told(world, "LIMIT_BELOW_USE", "p", pid, 1);
    expect_ended(world, pid, "p", STATUS_QUOTA);
    assert_true(jp_sim_alive(world->sim, small));
}

/* Where the kernel keeps it, there is no look to wait for: the members are asked. */
static void a_time_below_what_is_used_is_told_of_at_once(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {}}");
    uint32_t pid = launch(world, "p", "old.exe");
    launch(world, "p", "young.exe");
    jp_sim_grow_usage(world->sim, pid, 11 * (uint64_t)SECOND);
    pool_world_load(world, "{\"p\": {\"limits\": {\"process_time\": \"10s\"}}}");
    assert_int_equal(jp_sim_sample_count(world->sim), 0);
    expect_told(world, "LIMIT_BELOW_USE", "p", pid, 1);
}

/* --- of a pool --- */

static void the_newest_over_active_processes_is_ended(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"active_processes\": 2}}}");
    uint32_t first = launch(world, "p", "first.exe");
    deliver(world);
    uint32_t second = spawn(world, first), third = spawn(world, second);
    pass(world, 1000);
    deliver(world);
    pass(world, 1000);
    assert_true(jp_sim_alive(world->sim, first) && jp_sim_alive(world->sim, second));
    expect_ended(world, third, "p", QUOTA);
    expect_told(world, ACTIVE, "p", third, 1);
    uint32_t pid = jp_sim_spawn(world->sim, 0, "other.exe"); /* who asks first is refused as ever */
    assign(world, "p", pid);
    assert_int_equal(world->joined_status, JP_E_POOL_FULL);
    assert_true(jp_sim_alive(world->sim, pid));
}

static void when_full_kill_ends_who_is_assigned(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"active_processes\": 1}, \"when_full\": \"kill\"}}");
    uint32_t first = launch(world, "p", "first.exe"), second = jp_sim_spawn(world->sim, 0, "second.exe");
    deliver(world);
    assign(world, "p", second);
    deliver(world);
    pass(world, 1000);
    struct jp_sim_fate fate;
    assert_true(jp_sim_fate(world->sim, second, 0, &fate));
    assert_int_equal(fate.end, JP_SIM_TERMINATED);
    assert_int_equal(fate.exit_code, QUOTA);
    assert_true(jp_sim_alive(world->sim, first));
    expect_told(world, ACTIVE, "p", second, 1);
}

static void a_bunch_of_children_is_cut_to_the_limit(void **state) {
    struct pool_world *world = *state;
    uint32_t pids[10];
    pool_world_load(world, "{\"p\": {\"limits\": {\"active_processes\": 4}}}");
    uint32_t first = launch(world, "p", "first.exe");
    deliver(world);
    for (size_t i = 0; i < 10; i++)
        pids[i] = jp_sim_spawn(world->sim, first, "bunch.exe");
    deliver(world);
    pass(world, 1000);
    deliver(world);
    pass(world, 1000);
    assert_int_equal(jp_sim_job_size(world->sim, "Global\\JobPool.p"), 4);
    assert_int_equal(jp_pool_total_members(pool_of(world, "p")), 4);
    for (size_t i = 0; i < 10; i++)
        assert_true(jp_sim_alive(world->sim, pids[i]) == (i < 3));
    expect_told(world, ACTIVE, "p", 0, 7);
}

static void job_memory_ends_one(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"job_memory\": \"100MiB\"}}}");
    uint32_t pids[] = {launch(world, "p", "one.exe"), launch(world, "p", "two.exe"), launch(world, "p", "three.exe")};
    for (size_t i = 0; i < 3; i++)
        commit(world, pids[i], 33);
    settle(world);
    expect_told(world, JOB_MEMORY, "p", 0, 0);
    commit(world, pids[1], 2);
    settle(world);
    size_t alive = 0;
    for (size_t i = 0; i < 3; i++) {
        alive += jp_sim_alive(world->sim, pids[i]);
        if (!jp_sim_alive(world->sim, pids[i]))
            expect_ended(world, pids[i], "p", STATUS_QUOTA);
    }
    assert_int_equal(alive, 2); /* that was enough */
    expect_told(world, JOB_MEMORY, "p", 0, 1);
}

static void job_time_ends_all_and_the_pool_takes_no_more(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"job_time\": \"10s\"}}}");
    uint32_t gone = launch(world, "p", "gone.exe"), one = launch(world, "p", "one.exe"), other = launch(world, "p", "other.exe");
    burn(world, gone, 4);
    look(world);
    jp_sim_exit(world->sim, gone, 0); /* what it has used stays used */
    deliver(world);
    burn(world, one, 5);
    settle(world);
    assert_true(jp_sim_alive(world->sim, one));
    burn(world, other, 2);
    settle(world);
    expect_ended(world, one, "p", QUOTA);
    expect_ended(world, other, "p", QUOTA);
    expect_row(world, gone, "p", JP_ENDING_EXITED, 0);
    expect_told(world, JOB_TIME, "p", 0, 1);
    uint32_t late = jp_sim_spawn(world->sim, 0, "late.exe");
    assign(world, "p", late);
    assert_true(world->joined_status != JP_OK);
    assert_true(jp_sim_alive(world->sim, late));
}

static void a_new_job_time_begins_a_new_period(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"job_time\": \"10s\"}}}");
    uint32_t first = launch(world, "p", "first.exe");
    burn(world, first, 11);
    settle(world);
    expect_ended(world, first, "p", QUOTA);
    pool_world_load(world, "{\"p\": {\"limits\": {\"job_time\": \"5s\"}}}");
    uint32_t second = launch(world, "p", "second.exe");
    burn(world, second, 4);
    settle(world);
    assert_true(jp_sim_alive(world->sim, second));
    burn(world, second, 2);
    settle(world);
    expect_ended(world, second, "p", QUOTA);
    expect_told(world, JOB_TIME, "p", 0, 2);
}

static void job_time_is_posted_once(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"job_time\": \"10s\"}, \"end_of_job_time\": \"post\"}}");
    uint32_t pid = launch(world, "p", "one.exe");
    burn(world, pid, 11);
    settle(world);
    burn(world, pid, 100);
    settle(world);
    assert_true(jp_sim_alive(world->sim, pid));
    expect_told(world, JOB_TIME, "p", 0, 1);
    assign(world, "p", jp_sim_spawn(world->sim, 0, "more.exe")); /* the limit is lifted */
    assert_int_equal(world->joined_status, JP_OK);
}

/* --- set on members --- */

static void expect_adjusted(struct pool_world *world, uint32_t pid, uint32_t priority, uint64_t affinity, uint64_t most) {
    uint64_t least, has_most;
    jp_sim_working_set(world->sim, pid, &least, &has_most);
    assert_int_equal(jp_sim_priority(world->sim, pid), priority);
    assert_int_equal(jp_sim_affinity(world->sim, pid), affinity);
    assert_int_equal(has_most, most);
}

#define ADJUSTED "\"priority_class\": \"below_normal\", \"affinity\": \"0-1\", \"working_set\": {\"min\": \"1MiB\", \"max\": \"9MiB\"}"

static void members_are_adjusted_as_they_come(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {" ADJUSTED "}}}");
    uint32_t launched = launch(world, "p", "one.exe"), assigned = jp_sim_spawn(world->sim, 0, "two.exe");
    assign(world, "p", assigned);
    deliver(world);
    uint32_t child = spawn(world, launched);
    expect_adjusted(world, launched, 0x4000, 3, 9 * MB);
    expect_adjusted(world, assigned, 0x4000, 3, 9 * MB);
    expect_adjusted(world, child, 0x4000, 3, 9 * MB);
    pass(world, 5000);
    assert_int_equal(jp_sim_sample_count(world->sim), 0); /* that is all there is to do */
}

static void members_are_adjusted_as_limits_change(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {" ADJUSTED "}}, \"q\": {\"parent\": \"p\"}}");
    uint32_t one = launch(world, "p", "one.exe"), below = launch(world, "q", "below.exe");
    deliver(world);
    expect_adjusted(world, below, 0x4000, 3, 9 * MB);
    pool_world_load(world, "{\"p\": {\"limits\": {\"priority_class\": \"idle\", \"affinity\": \"2\"}}, \"q\": {\"parent\": \"p\"}}");
    expect_adjusted(world, one, 0x40, 4, 9 * MB);
    expect_adjusted(world, below, 0x40, 4, 9 * MB);
}

static void the_chain_adjusts_its_members(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"priority_class\": \"below_normal\", \"affinity\": \"0-1\"}},"
                           " \"q\": {\"parent\": \"p\", \"limits\": {\"priority_class\": \"high\", \"affinity\": \"1\"}}}");
    uint32_t pid = launch(world, "q", "one.exe");
    deliver(world);
    assert_int_equal(jp_sim_priority(world->sim, pid), 0x4000); /* the least favoured of the chain */
    assert_int_equal(jp_sim_affinity(world->sim, pid), 2);
}

static void who_moves_down_is_under_the_limits_there(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {}, \"q\": {\"parent\": \"p\", \"limits\": {\"priority_class\": \"idle\", \"process_time\": \"5s\"}}}");
    uint32_t pid = launch(world, "p", "mover.exe");
    deliver(world);
    burn(world, pid, 6);
    settle(world);
    assert_true(jp_sim_alive(world->sim, pid));
    assign(world, "q", pid);
    assert_int_equal(world->joined_status, JP_OK);
    assert_int_equal(jp_sim_priority(world->sim, pid), 0x40);
    settle(world);
    expect_ended(world, pid, "q", STATUS_QUOTA);
    expect_told(world, PROCESS_TIME, "q", pid, 1);
}

static void launched_processes_crash_without_a_dialog(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"die_on_unhandled_exception\": true}}, \"q\": {\"parent\": \"p\"}, \"r\": {}}");
    assert_true(jp_sim_error_mode(world->sim, launch(world, "p", "one.exe")));
    assert_true(jp_sim_error_mode(world->sim, launch(world, "q", "two.exe")));
    assert_false(jp_sim_error_mode(world->sim, launch(world, "r", "three.exe")));
}

/* --- notifications --- */

static void notifications_are_told_once_for_each_crossing(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"notify\": {\"job_memory\": \"100MiB\", \"cpu_time\": \"10s\", \"io_read\": \"1MiB\"}}}");
    uint32_t pid = launch(world, "p", "one.exe");
    commit(world, pid, 101);
    settle(world);
    expect_told(world, NOTIFIED, "p", 0, 1);
    commit(world, pid, 10);
    settle(world);
    expect_told(world, NOTIFIED, "p", 0, 1);
    jp_sim_decommit(world->sim, pid, 90 * MB);
    settle(world);
    commit(world, pid, 90);
    settle(world);
    expect_told(world, NOTIFIED, "p", 0, 2);
    burn(world, pid, 11);
    settle(world);
    expect_told(world, NOTIFIED, "p", 0, 3);
    jp_sim_read(world->sim, pid, 2 * MB);
    settle(world);
    expect_told(world, NOTIFIED, "p", 0, 4);
    burn(world, pid, 11);
    settle(world);
    expect_told(world, NOTIFIED, "p", 0, 4); /* used time never comes back */
    assert_true(jp_sim_alive(world->sim, pid));
}

/* --- hierarchies --- */

static void the_tightest_of_the_chain_holds_and_tells(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"process_time\": \"5s\", \"process_memory\": \"300MiB\"}},"
                           " \"q\": {\"parent\": \"p\", \"limits\": {\"process_time\": \"10s\", \"process_memory\": \"100MiB\"}}}");
    uint32_t one = launch(world, "q", "one.exe"), other = launch(world, "q", "other.exe"), above = launch(world, "p", "above.exe");
    burn(world, one, 6);
    commit(world, other, 200);
    commit(world, above, 200);
    settle(world);
    expect_ended(world, one, "q", STATUS_QUOTA);
    expect_ended(world, other, "q", STATUS_QUOTA);
    assert_true(jp_sim_alive(world->sim, above));
    expect_told(world, PROCESS_TIME, "p", one, 1);
    expect_told(world, PROCESS_MEMORY, "q", other, 1);
}

static void a_parent_counts_those_below(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"active_processes\": 2, \"job_memory\": \"100MiB\"}},"
                           " \"q\": {\"parent\": \"p\"}, \"r\": {\"parent\": \"p\"}}");
    uint32_t one = launch(world, "q", "one.exe"), other = launch(world, "r", "other.exe");
    deliver(world);
    uint32_t third = spawn(world, other);
    pass(world, 1000);
    deliver(world);
    expect_told(world, ACTIVE, "p", third, 1);
    pass(world, 500);
    expect_ended(world, third, "r", QUOTA);
    commit(world, one, 60);
    commit(world, other, 60);
    settle(world);
    assert_int_equal(jp_sim_alive(world->sim, one) + jp_sim_alive(world->sim, other), 1);
    expect_told(world, JOB_MEMORY, "p", 0, 1);
}

static void a_parents_job_time_ends_all_below(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"job_time\": \"10s\"}}, \"q\": {\"parent\": \"p\"}, \"r\": {\"parent\": \"p\"}, \"s\": {}}");
    uint32_t one = launch(world, "q", "one.exe"), other = launch(world, "r", "other.exe"), apart = launch(world, "s", "apart.exe");
    burn(world, one, 6);
    burn(world, other, 6);
    burn(world, apart, 20);
    settle(world);
    expect_ended(world, one, "q", QUOTA);
    expect_ended(world, other, "r", QUOTA);
    assert_true(jp_sim_alive(world->sim, apart));
    expect_told(world, JOB_TIME, "p", 0, 1);
}

static void one_that_breaks_two_limits_has_one_end(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"process_time\": \"5s\", \"process_memory\": \"50MiB\", \"job_memory\": \"60MiB\"},"
                           " \"timeouts\": {\"wall_clock\": \"1s\"}}}");
    uint32_t pid = launch(world, "p", "greedy.exe");
    burn(world, pid, 6);
    commit(world, pid, 100);
    jp_sim_pass(world->sim, 2000);
    settle(world);
    expect_ended(world, pid, "p", STATUS_QUOTA);
    size_t told = 0;
    const char *reasons[] = {PROCESS_TIME, PROCESS_MEMORY, JOB_MEMORY, "WALL_CLOCK_LIMIT"};
    for (size_t i = 0; i < COUNT(reasons); i++)
        told += jp_ledger_count(world->ledger, reasons[i], NULL, 0);
    assert_int_equal(told, 1);
    expect_told(world, PROCESS_TIME, "p", pid, 1);
}

/* The message of a child comes when that has ended, and its pid is somebody's who has nothing to do with the pool. */
static uint32_t stranger_with_a_childs_pid(struct pool_world *world, uint32_t parent) {
    jp_sim_reuse_pids(world->sim, true);
    uint32_t child = jp_sim_spawn(world->sim, parent, "child.exe");
    jp_sim_exit(world->sim, child, 0);
    uint32_t stranger = jp_sim_spawn(world->sim, 0, "stranger.exe");
    assert_int_equal(stranger, child);
    deliver(world);
    return stranger;
}

static void a_stranger_is_not_taken_for_a_child_that_has_ended(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"active_processes\": 1, \"priority_class\": \"idle\", \"process_time\": \"5s\"}}, \"f\": {}}");
    uint32_t pid = launch(world, "p", "one.exe"), frozen = launch(world, "f", "two.exe");
    deliver(world);
    uint32_t stranger = stranger_with_a_childs_pid(world, pid);
    assert_true(jp_sim_alive(world->sim, stranger));
    assert_int_equal(jp_sim_priority(world->sim, stranger), 0x20);
    burn(world, stranger, 10);
    settle(world);
    assert_true(jp_sim_alive(world->sim, stranger));
    assert_int_equal(jp_pools_freeze(world->pools, pool_of(world, "f"), false, &world->error), JP_OK);
    stranger = stranger_with_a_childs_pid(world, frozen);
    assert_int_equal(jp_sim_frozen(world->sim, stranger), 0);
    settle(world);
    assert_int_equal(jp_sim_frozen(world->sim, stranger), 0);
}

/* --- a kernel that keeps them --- */

static void where_the_kernel_enforces_nothing_is_done_twice(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"t\": {\"limits\": {\"process_time\": \"5s\"}}, \"m\": {\"limits\": {\"process_memory\": \"50MiB\"}},"
                           " \"a\": {\"limits\": {\"active_processes\": 1}}, \"j\": {\"limits\": {\"job_time\": \"5s\", \"priority_class\": \"idle\"}}}");
    uint32_t timed = launch(world, "t", "t.exe"), greedy = launch(world, "m", "m.exe"), lone = launch(world, "a", "a.exe"), job = launch(world, "j", "j.exe");
    uint32_t child;
    deliver(world);
    burn(world, timed, 6);
    assert_false(jp_sim_commit(world->sim, greedy, 100 * MB));
    assert_int_equal(jp_sim_spawn_child(world->sim, &(struct jp_sim_child){.parent = lone, .image = "child.exe"}, &child), QUOTA);
    burn(world, job, 6);
    settle(world);
    struct {
        const char *message, *pool;
    } told[] = {{PROCESS_TIME, "t"}, {PROCESS_MEMORY, "m"}, {ACTIVE, "a"}};
    for (size_t i = 0; i < COUNT(told); i++) {
        assert_int_equal(jp_ledger_count(world->ledger, told[i].message, NULL, 0), 1);
        expect_origin(world, told[i].message, JP_ORIGIN_KERNEL);
    }
    assert_true(jp_sim_alive(world->sim, greedy) && jp_sim_alive(world->sim, lone));
    struct jp_sim_fate fate;
    assert_true(jp_sim_fate(world->sim, timed, 0, &fate) && fate.end == JP_SIM_PROCESS_TIME_UP);
    assert_true(jp_sim_fate(world->sim, job, 0, &fate) && fate.end == JP_SIM_JOB_TIME_UP);
    pass(world, 10000);
    assert_int_equal(jp_sim_sample_count(world->sim), 1); /* settle's own: nobody else wanted one */
}

/* --- strict --- */

static void a_strict_pool_refuses_what_nobody_keeps(void **state) {
    struct pool_world *world = *state;
    assert_int_equal(pool_world_load(world, "{\"p\": {\"strict\": true, \"limits\": {\"scheduling_class\": 3, \"process_time\": \"1s\"}}}"), JP_E_CONFIG);
    assert_non_null(strstr(world->error.text, "scheduling_class"));
    assert_null(strstr(world->error.text, "process_time"));
    assert_null(jp_pools_find(world->pools, "p"));
    assert_int_equal(pool_world_load(world, "{\"p\": {\"strict\": true, \"limits\": {\"cpu_rate\": {\"hard_cap\": \"10%\"}}}}"), JP_E_CONFIG);
    assert_int_equal(pool_world_load(world, "{\"p\": {\"strict\": true, \"cpu_rate_fallback\": true, \"limits\": {\"cpu_rate\": {\"hard_cap\": \"10%\"},"
                                            " \"process_time\": \"1s\", \"active_processes\": 3}}}"), JP_OK);
    assert_int_equal(pool_world_load(world, "{\"p\": {\"limits\": {\"scheduling_class\": 3}}}"), JP_OK);
    assert_int_equal(pool_world_load(world, "{\"p\": {\"strict\": true, \"limits\": {\"scheduling_class\": 3}}}"), JP_E_CONFIG);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_world_open_forgetful, pool_world_close)
    const struct CMUnitTest tests[] = {
        TEST(process_time_ends_whoever_used_it),
        TEST(process_memory_ends_whoever_has_more),
        TEST(what_it_used_up_before_it_joined_counts),
        TEST(a_limit_below_what_is_used_holds_from_then_on),
        TEST(the_newest_over_active_processes_is_ended),
        TEST(when_full_kill_ends_who_is_assigned),
        TEST(a_bunch_of_children_is_cut_to_the_limit),
        TEST(job_memory_ends_one),
        TEST(job_time_ends_all_and_the_pool_takes_no_more),
        TEST(a_new_job_time_begins_a_new_period),
        TEST(job_time_is_posted_once),
        TEST(members_are_adjusted_as_they_come),
        TEST(members_are_adjusted_as_limits_change),
        TEST(the_chain_adjusts_its_members),
        TEST(who_moves_down_is_under_the_limits_there),
        TEST(launched_processes_crash_without_a_dialog),
        TEST(notifications_are_told_once_for_each_crossing),
        TEST(the_tightest_of_the_chain_holds_and_tells),
        TEST(a_parent_counts_those_below),
        TEST(a_parents_job_time_ends_all_below),
        TEST(one_that_breaks_two_limits_has_one_end),
        TEST(a_stranger_is_not_taken_for_a_child_that_has_ended),
        TEST(a_strict_pool_refuses_what_nobody_keeps),
        cmocka_unit_test_setup_teardown(where_the_kernel_enforces_nothing_is_done_twice, pool_world_open, pool_world_close),
        cmocka_unit_test_setup_teardown(a_time_below_what_is_used_is_told_of_at_once, pool_world_open, pool_world_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
