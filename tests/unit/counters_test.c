/* What pools have used: over ends, moves, deletion, restarts and crashes, and since somebody set it to zero. */
#include "pool_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct jp_counters counters_of(struct pool_world *world, const char *pool) {
    struct jp_counters counters;
    int64_t since;
    jp_pools_counters(world->pools, pool_of(world, pool), &counters, &since);
    return counters;
}

static struct jp_counters reset(struct pool_world *world, const char *pool, const char *by) {
    struct jp_counters old;
    assert_int_equal(jp_pools_reset_counters(world->pools, pool_of(world, pool), by, &old, &world->error), JP_OK);
    return old;
}

/* Runs a process in the pool that uses so much and ends with this code. */
static void work(struct pool_world *world, const char *pool, uint64_t user_100ns, uint32_t exit_code) {
    uint32_t pid = launch(world, pool, "work.exe");
    jp_sim_grow_usage(world->sim, pid, user_100ns);
    jp_sim_read(world->sim, pid, 10);
    jp_sim_exit(world->sim, pid, exit_code);
    deliver(world);
}

static void expect(struct pool_world *world, const char *pool, uint64_t processes, uint64_t user_100ns) {
    struct jp_counters counters = counters_of(world, pool);
    assert_int_equal(counters.processes, processes);
    assert_int_equal(counters.user_100ns, user_100ns);
    assert_int_equal(counters.exited + counters.crashed + counters.terminated + counters.unknown, processes);
}

static void what_ended_is_counted_by_how(void **state) {
    struct pool_world *world = *state;
    size_t count;
    pool_world_load(world, TREE);
    work(world, "a", 100, 0);
    work(world, "a", 200, 3);
    work(world, "a", 300, 0xC0000005);
    launch(world, "a", "x.exe");
    assert_int_equal(jp_pools_terminate(world->pools, pool_of(world, "a"), 1, &count, &world->error), JP_OK);
    deliver(world);
    pass(world, 1000);
    struct jp_counters counters = counters_of(world, "a");
    assert_int_equal(counters.processes, 4);
    assert_int_equal(counters.exited, 2);
    assert_int_equal(counters.crashed, 1);
    assert_int_equal(counters.terminated, 1);
    assert_int_equal(counters.failures, 3);
    assert_int_equal(counters.user_100ns, 600);
    assert_int_equal(counters.read_bytes, 30);
    assert_int_equal(counters.read_operations, 3);
    expect(world, "root", 0, 0); /* those of its children are theirs */
}

static void who_runs_counts_by_what_it_has_used(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t pid = launch(world, "a", "x.exe");
    jp_sim_grow_usage(world->sim, pid, 700);
    expect(world, "a", 0, 700);
    jp_sim_exit(world->sim, pid, 0);
    deliver(world);
    expect(world, "a", 1, 700);
}

static void a_reset_is_zero_recorded_and_told(void **state) {
    struct pool_world *world = *state;
    struct jp_counters counters;
    int64_t since;
    pool_world_load(world, TREE);
    work(world, "a", 100, 0);
    uint32_t pid = launch(world, "a", "x.exe");
    jp_sim_grow_usage(world->sim, pid, 50);
    jp_pools_counters(world->pools, pool_of(world, "a"), &counters, &since);
    assert_int_equal(since, 0);
    struct jp_counters old = reset(world, "a", "SIM\\anna");
    assert_int_equal(old.processes, 1);
    assert_int_equal(old.user_100ns, 150);
    jp_pools_counters(world->pools, pool_of(world, "a"), &counters, &since);
    assert_int_equal(since, jp_sim_now_100ns(world->sim));
    expect(world, "a", 0, 0); /* who runs begins at zero too */
    jp_sim_grow_usage(world->sim, pid, 5);
    jp_sim_exit(world->sim, pid, 0);
    deliver(world);
    expect(world, "a", 1, 5);

    assert_int_equal(jp_ledger_reset_count(world->ledger), 1);
    assert_string_equal(jp_ledger_reset(world->ledger, 0)->by, "SIM\\anna");
    assert_string_equal(jp_ledger_reset(world->ledger, 0)->pool, "a");
    assert_int_equal(jp_ledger_reset(world->ledger, 0)->base.user_100ns, 150);
    expect_told(world, "COUNTERS_RESET", "a", 0, 1);
    const char *detail = jp_ledger_last(world->ledger, "COUNTERS_RESET")->detail;
    assert_non_null(strstr(detail, "SIM\\anna"));
    assert_non_null(strstr(detail, "1 processes"));
    assert_int_equal(reset(world, "a", "SIM\\berta").user_100ns, 5); /* since the first one */
    expect(world, "a", 0, 0);
    assert_int_equal(jp_ledger_reset(world->ledger, 1)->base.user_100ns, 155); /* but the record has all */
}

static void they_outlive_the_pool_and_the_service(void **state) {
    struct pool_world *world = *state;
    struct jp_pool_spec spec = {0};
    struct jp_pool *pool;
    size_t count;
    pool_world_load(world, TREE);
    assert_int_equal(jp_pools_create(world->pools, "t", &spec, false, &pool, &world->error), JP_OK);
    work(world, "t", 100, 0);
    reset(world, "t", "SIM\\anna");
    work(world, "t", 20, 0);
    assert_int_equal(jp_pools_delete(world->pools, pool, false, &count, &world->error), JP_OK);
    assert_int_equal(jp_pools_create(world->pools, "t", &spec, false, &pool, &world->error), JP_OK);
    expect(world, "t", 1, 20);
    work(world, "t", 3, 0);
    pool_world_restart(world, TREE);
    assert_int_equal(jp_pools_create(world->pools, "t", &spec, false, &pool, &world->error), JP_OK);
    expect(world, "t", 2, 23);
    pool_world_restart(world, "{\"t\": {}}");
    expect(world, "t", 2, 23);
    reset(world, "t", "SIM\\anna");
    pool_world_restart(world, "{\"t\": {}}");
    expect(world, "t", 0, 0);
}

/* The row had what the base has; whatever it used afterwards, nobody saw. */
static void a_reset_and_a_crash_do_not_go_below_zero(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t pid = launch(world, "a", "x.exe");
    jp_sim_grow_usage(world->sim, pid, 500);
    reset(world, "a", "SIM\\anna");
    assert_int_equal(jp_ledger_find(world->ledger, pid)->usage.user_100ns, 500);
    jp_sim_grow_usage(world->sim, pid, 50);
    jp_ledger_commit(world->ledger);
    jp_sim_exit(world->sim, pid, 0);
    pool_world_crash(world, TREE);
    expect(world, "a", 1, 0);
    assert_int_equal(counters_of(world, "a").unknown, 1);
}

static void ends_of_the_last_run_are_counted_where_their_rows_are(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t gone = launch(world, "a", "x.exe"), stays = launch(world, "a", "y.exe");
    deliver(world);
    jp_sim_exit(world->sim, gone, 0);
    pool_world_crash(world, TREE);
    expect_row(world, gone, "a", JP_ENDING_UNKNOWN, 0);
    expect(world, "a", 1, 0);
    jp_sim_grow_usage(world->sim, stays, 9);
    jp_sim_exit(world->sim, stays, 0);
    deliver(world);
    pass(world, 1000);
    expect(world, "a", 2, 9);
    pool_world_restart(world, TREE);
    expect(world, "a", 2, 9);
}

/* The messages of the parent's job come first: the row is closed there, and found to be the child's afterwards. */
static void a_row_that_moves_takes_its_count_along(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, TREE);
    uint32_t parent = launch(world, "a", "x.exe");
    deliver(world);
    uint32_t child = jp_sim_spawn(world->sim, parent, "y.exe");
    jp_sim_exit(world->sim, child, 0);
    size_t count, placed = 0;
    const struct jp_sim_item *waiting = jp_sim_queue(world->sim, &count);
    struct jp_sim_item sorted[16];
    assert_in_range(count, 4, 16);
    uint64_t root = pool_of(world, "root")->jobs[0]->key;
    for (int of_root = 1; of_root >= 0; of_root--)
        for (size_t i = 0; i < count; i++)
            if ((waiting[i].key == root) == of_root)
                sorted[placed++] = waiting[i];
    size_t first = 0;
    while (sorted[first].key == root)
        first++;
    jp_sim_queue_set(world->sim, sorted, first);
    deliver(world);
    assert_string_equal(jp_ledger_find(world->ledger, child)->pool, "root");
    expect(world, "root", 1, 0);
    jp_sim_queue_set(world->sim, sorted + first, count - first);
    deliver(world);
    assert_string_equal(jp_ledger_find(world->ledger, child)->pool, "a");
    expect(world, "root", 0, 0);
    expect(world, "a", 1, 0);
}

/* Names without a pool are kept up to a bound: the one that was let go of first, first. */
static void names_are_bounded(void **state) {
    enum { NAMES = 10050 };
    struct pool_world *world = *state;
    struct jp_accounts_start start = {.counters = jp_alloc(NAMES * sizeof *start.counters), .counter_count = NAMES};
    for (size_t i = 0; i < NAMES; i++)
        start.counters[i] = (struct jp_pool_counters){.name = jp_sprintf("p%zu", i), .total.processes = i + 1};
    pool_world_begin(world, "{\"p0\": {}}", &start);
    jp_accounts_start_clear(&start);
    assert_int_equal(counters_of(world, "p0").processes, 1);
    assert_int_equal(pool_world_load(world, "{\"p0\": {}, \"p1\": {}, \"p10049\": {}}"), JP_OK);
    assert_int_equal(counters_of(world, "p1").processes, 0); /* forgotten */
    assert_int_equal(counters_of(world, "p10049").processes, 10050);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_world_open, pool_world_close)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_ended_is_counted_by_how),
        TEST(who_runs_counts_by_what_it_has_used),
        TEST(a_reset_is_zero_recorded_and_told),
        TEST(they_outlive_the_pool_and_the_service),
        TEST(a_reset_and_a_crash_do_not_go_below_zero),
        TEST(ends_of_the_last_run_are_counted_where_their_rows_are),
        TEST(a_row_that_moves_takes_its_count_along),
        TEST(names_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
