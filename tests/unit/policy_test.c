/* What is decided on one picture of pools and members, and on the next: every limit, every order of two, every clock.
 * What pools use together is in policy_memory_test.c. */
#include "base/units.h"
#include "policy_world.h"

#include "unit.h"

enum { MIB = 1 << 20, S = 10000000 };

/* --- one process --- */

struct use {
    const char *spec;
    uint64_t user_s, kernel_s, commit_mib, lived_ms, idle_ms;
    bool unsampled, spared;
    const char *expected;
};

static void limits_of_one_process(void **state) {
    (void)state;
    static const struct use rows[] = {
        {.spec = "{}", .user_s = 9999, .commit_mib = 99999, .lived_ms = 1000000, .idle_ms = 1000000, .expected = ""},
        {.spec = "{\"limits\":{\"process_time\":\"30s\"}}", .user_s = 30, .kernel_s = 99, .expected = ""}, /* user time only */
        {.spec = "{\"limits\":{\"process_time\":\"30s\"}}", .user_s = 31,
         .expected = "end 0 of pool 0: JOB_OBJECT_MSG_END_OF_PROCESS_TIME C0000044: process_time 31s over 30s\n"},
        {.spec = "{\"limits\":{\"process_time\":\"30s\"}}", .user_s = 31, .unsampled = true, .expected = ""},
        {.spec = "{\"limits\":{\"process_time\":\"30s\"}}", .user_s = 31, .spared = true, .expected = ""},
        {.spec = "{\"limits\":{\"process_memory\":\"64MiB\"}}", .commit_mib = 64, .expected = ""},
        {.spec = "{\"limits\":{\"process_memory\":\"64MiB\"}}", .commit_mib = 65,
         .expected = "end 0 of pool 0: JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT C0000044: process_memory 65MiB over 64MiB\n"},
        {.spec = "{\"limits\":{\"process_memory\":\"64MiB\"}}", .commit_mib = 65, .unsampled = true, .expected = ""},
        {.spec = "{\"limits\":{\"process_memory\":\"64MiB\"}}", .commit_mib = 65, .spared = true, .expected = ""},
        {.spec = "{\"timeouts\":{\"wall_clock\":\"1m\"}}", .lived_ms = 59999, .expected = ""},
        {.spec = "{\"timeouts\":{\"wall_clock\":\"1m\"}}", .lived_ms = 60000, .expected = "ask 0 of pool 0: WALL_CLOCK_LIMIT 1460: wall_clock 1m over 1m\n"},
        {.spec = "{\"timeouts\":{\"wall_clock\":\"1m\"}}", .lived_ms = 61000, .unsampled = true, /* a clock needs no sample */
         .expected = "ask 0 of pool 0: WALL_CLOCK_LIMIT 1460: wall_clock 1m1s over 1m\n"},
        {.spec = "{\"timeouts\":{\"wall_clock\":\"1m\"}}", .lived_ms = 61000, .spared = true, .expected = ""},
        {.spec = "{\"timeouts\":{\"idle\":\"10s\"}}", .lived_ms = 60000, .idle_ms = 9999, .expected = ""},
        {.spec = "{\"timeouts\":{\"idle\":\"10s\"}}", .lived_ms = 60000, .idle_ms = 12000, .expected = "ask 0 of pool 0: IDLE_LIMIT 1460: idle 12s over 10s\n"},
        {.spec = "{\"timeouts\":{\"idle\":\"10s\"}}", .lived_ms = 60000, .idle_ms = 12000, .unsampled = true, .expected = ""},
        {.spec = "{\"timeouts\":{\"idle\":\"10s\"}}", .lived_ms = 60000, .idle_ms = 12000, .spared = true, .expected = ""},
        {.spec = "{\"timeouts\":{\"asleep\":true}}", .lived_ms = 60000, .idle_ms = 12000, .expected = ""},
        /* of two that hit at once, the first in this order */
        {.spec = "{\"limits\":{\"process_time\":\"1s\",\"process_memory\":\"1MiB\"},\"timeouts\":{\"wall_clock\":\"1s\",\"idle\":\"1s\"}}",
         .user_s = 2, .commit_mib = 2, .lived_ms = 2000, .idle_ms = 2000,
         .expected = "end 0 of pool 0: JOB_OBJECT_MSG_END_OF_PROCESS_TIME C0000044: process_time 2s over 1s\n"},
        {.spec = "{\"limits\":{\"process_time\":\"1s\",\"process_memory\":\"1MiB\"},\"timeouts\":{\"wall_clock\":\"1s\",\"idle\":\"1s\"}}",
         .user_s = 1, .commit_mib = 2, .lived_ms = 2000, .idle_ms = 2000,
         .expected = "end 0 of pool 0: JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT C0000044: process_memory 2MiB over 1MiB\n"},
        {.spec = "{\"limits\":{\"process_time\":\"1s\",\"process_memory\":\"1MiB\"},\"timeouts\":{\"wall_clock\":\"1s\",\"idle\":\"1s\"}}",
         .user_s = 1, .commit_mib = 1, .lived_ms = 2000, .idle_ms = 2000, .expected = "ask 0 of pool 0: WALL_CLOCK_LIMIT 1460: wall_clock 2s over 1s\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world world;
        const struct use *row = &rows[i];
        world_open_pool(&world, row->spec, 1);
        struct jp_policy_member *member = &world.members[0];
        world_wait(&world, row->lived_ms - row->idle_ms);
        member->active = world.picture.now;
        world_wait(&world, row->idle_ms);
        member->user_100ns = row->user_s * S;
        member->kernel_100ns = row->kernel_s * S;
        member->commit_bytes = row->commit_mib * MIB;
        member->sampled = !row->unsampled;
        member->spared = row->spared;
        const char *told = world_decide(&world);
        CHECK(strcmp(told, row->expected) == 0, "row %zu: %s", i, told);
        assert_int_equal(member->spared, row->spared || *row->expected);
        EXPECT(&world, ""); /* once */
        world_close(&world);
    }
}

static void what_the_kernel_keeps_is_left_to_it(void **state) {
    (void)state;
    static const struct {
        enum jp_limit limit;
        const char *spec;
    } rows[] = {
        {JP_LIMIT_PROCESS_TIME, "{\"limits\":{\"process_time\":\"1s\"}}"},  {JP_LIMIT_JOB_TIME, "{\"limits\":{\"job_time\":\"1s\"}}"},
        {JP_LIMIT_PROCESS_MEMORY, "{\"limits\":{\"process_memory\":\"1MiB\"}}"}, {JP_LIMIT_JOB_MEMORY, "{\"limits\":{\"job_memory\":\"1MiB\"}}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int kernel = 0; kernel < 2; kernel++) {
            struct world world;
            world_open_pool(&world, rows[i].spec, 1);
            world.host.limits[rows[i].limit] = kernel ? JP_ENFORCED_BY_KERNEL : JP_ENFORCED_BY_NONE;
            world.members[0].user_100ns = 10 * S;
            world.members[0].commit_bytes = 10 * MIB;
            CHECK(!*world_decide(&world) == (kernel == 1), "row %zu", i);
            world_close(&world);
        }
}

/* Sleep counts only where it is asked for; neither clock goes backwards for us. */
static void clocks(void **state) {
    (void)state;
    static const char *const keys[] = {"wall_clock", "idle", "pool_wall_clock"};
    for (size_t i = 0; i < COUNT(keys); i++)
        for (int asleep = 0; asleep < 2; asleep++) {
            struct world world;
            char *spec = jp_sprintf("{\"timeouts\":{\"%s\":\"1m\"%s}}", keys[i], asleep ? ",\"asleep\":true" : "");
            world_open_pool(&world, spec, 1);
            world_wait(&world, 59999);
            EXPECT(&world, "");
            world_sleep(&world, 1);
            CHECK(!*world_decide(&world) == !asleep, "%s", spec);
            world.members[0].joined = world.members[0].active = world.pools[0].run =
                (struct jp_policy_clock){.awake_ms = UINT64_MAX, .total_ms = UINT64_MAX};
            world.members[0].spared = false;
            EXPECT(&world, ""); /* a moment that has not been */
            world_close(&world);
            jp_free(spec);
        }
}

static void the_frozen_are_not_idle(void **state) {
    (void)state;
    struct world world;
    world_open(&world);
    world_pool(&world, TOP, "{}");
    world_pool(&world, 0, "{\"timeouts\":{\"idle\":\"10s\",\"wall_clock\":\"1m\"}}");
    world_member(&world, 1);
    world_wait(&world, 20000);
    world.pools[0].frozen = true; /* and what is below */
    EXPECT(&world, "");
    world_wait(&world, 40000);
    EXPECT(&world, "ask 0 of pool 1: WALL_CLOCK_LIMIT 1460: wall_clock 1m over 1m\n");
    world.members[0].spared = false;
    world.members[0].joined = world.picture.now;
    world.pools[0].frozen = false;
    EXPECT(&world, "ask 0 of pool 1: IDLE_LIMIT 1460: idle 1m over 10s\n");
    world_close(&world);
}

static void a_limit_below_what_is_used_holds_at_once(void **state) {
    (void)state;
    struct world world;
    world_open_pool(&world, "{}", 1);
    world.members[0].commit_bytes = 9 * MIB;
    world.members[0].sampled = false;
    EXPECT(&world, "");
    world_set(&world, 0, "{\"limits\":{\"process_memory\":\"8MiB\"}}");
    EXPECT(&world, "");
    world.members[0].sampled = true; /* the first sample */
    EXPECT(&world, "end 0 of pool 0: JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT C0000044: process_memory 9MiB over 8MiB\n");
    world_close(&world);
}

/* --- nested pools --- */

static void the_most_restrictive_of_a_chain_holds(void **state) {
    (void)state;
    struct world world;
    world_open(&world);
    world_pool(&world, TOP, "{\"limits\":{\"process_time\":\"10s\",\"process_memory\":\"8MiB\"},\"timeouts\":{\"wall_clock\":\"1h\"}}");
    world_pool(&world, 0, "{\"limits\":{\"process_time\":\"20s\",\"process_memory\":\"4MiB\"},\"timeouts\":{\"wall_clock\":\"1m\"}}");
    world_pool(&world, 1, "{\"limits\":{\"process_time\":\"5s\",\"process_memory\":\"4MiB\"},\"timeouts\":{\"wall_clock\":\"1m\",\"asleep\":true}}");
    world_pool(&world, TOP, "{}");
    for (size_t i = 0; i < 4; i++)
        world_member(&world, i)->user_100ns = 11 * S;
    EXPECT(&world, "end 0 of pool 0: JOB_OBJECT_MSG_END_OF_PROCESS_TIME C0000044: process_time 11s over 10s\n"
                   "end 1 of pool 0: JOB_OBJECT_MSG_END_OF_PROCESS_TIME C0000044: process_time 11s over 10s\n"
                   "end 2 of pool 2: JOB_OBJECT_MSG_END_OF_PROCESS_TIME C0000044: process_time 11s over 5s\n");
    for (size_t i = 0; i < 4; i++) {
        world.members[i].spared = false;
        world.members[i].user_100ns = 0;
        world.members[i].commit_bytes = 5 * MIB;
    }
    EXPECT(&world, "end 1 of pool 1: JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT C0000044: process_memory 5MiB over 4MiB\n"
                   "end 2 of pool 1: JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT C0000044: process_memory 5MiB over 4MiB\n");
    for (size_t i = 0; i < 4; i++) {
        world.members[i].spared = false;
        world.members[i].commit_bytes = 0;
    }
    world_sleep(&world, 60000);
    EXPECT(&world, "ask 2 of pool 2: WALL_CLOCK_LIMIT 1460: wall_clock 1m over 1m\n");
    world_wait(&world, 60000);
    EXPECT(&world, "ask 1 of pool 1: WALL_CLOCK_LIMIT 1460: wall_clock 1m over 1m\n");
    world_close(&world);
}

static void totals_add_up(void **state) {
    (void)state;
    struct world world;
    world_open(&world);
    world_pool(&world, TOP, "{}");
    world_pool(&world, 0, "{}");
    world_pool(&world, 0, "{}");
    for (size_t i = 0; i < 3; i++) {
        uint64_t one = i + 1;
        *world_member(&world, i) = (struct jp_policy_member){.pool = i, .user_100ns = one, .kernel_100ns = one * 10, .commit_bytes = one * 100,
                                                             .working_set_bytes = one * 1000, .read_bytes = one * 10000,
                                                             .write_bytes = one * 100000, .sampled = i != 2};
        world.pools[i].past.user_100ns = 1000 * one;
    }
    EXPECT(&world, "");
    static const uint64_t ones[] = {6, 2, 3}, members[] = {3, 1, 1}; /* old numbers count too */
    for (size_t i = 0; i < 3; i++) {
        const struct jp_policy_totals *totals = &world.pools[i].totals;
        assert_int_equal(totals->members, members[i]);
        assert_int_equal(totals->user_100ns, ones[i] + 1000 * (i + 1)); /* the past of children is in their parents' */
        assert_int_equal(totals->kernel_100ns, ones[i] * 10);
        assert_int_equal(totals->commit_bytes, ones[i] * 100);
        assert_int_equal(totals->working_set_bytes, ones[i] * 1000);
        assert_int_equal(totals->read_bytes, ones[i] * 10000);
        assert_int_equal(totals->write_bytes, ones[i] * 100000);
    }
    world_close(&world);
}

/* --- the end of a whole pool --- */

#define JOB_TIME_OVER "JOB_OBJECT_MSG_END_OF_JOB_TIME 1816: job_time "

static void job_time_ends_all(void **state) {
    (void)state;
    struct world world;
    world_open_pool(&world, "{\"limits\":{\"job_time\":\"10s\"}}", 2);
    world.pools[0].past.user_100ns = 100 * S;
    world.pools[0].job_time_base_100ns = 99 * S;
    world.members[0].user_100ns = 4 * S;
    world.members[1].user_100ns = 5 * S;
    EXPECT(&world, "");
    world.members[1].user_100ns = 6 * S;
    world.members[0].sampled = world.members[1].sampled = false;
    EXPECT(&world, ""); /* not on old numbers */
    world.members[0].sampled = world.members[1].sampled = true;
    EXPECT(&world, "end all of pool 0: " JOB_TIME_OVER "11s over 10s\n");
    assert_true(world.members[0].spared && world.members[1].spared);
    EXPECT(&world, "");
    world_member(&world, 0)->sampled = false; /* who comes now came too late */
    EXPECT(&world, "");
    world.members[2].sampled = true;
    EXPECT(&world, "end 2 of pool 0: " JOB_TIME_OVER "11s over 10s\n");
    EXPECT(&world, "");
    world.pools[0].job_time_base_100ns = 110 * S; /* set anew */
    world_member(&world, 0);
    EXPECT(&world, "");
    assert_false(world.states[0].job_time_over);
    world.members[3].user_100ns = 11 * S;
    EXPECT(&world, "end all of pool 0: " JOB_TIME_OVER "11s over 10s\n");
    world_close(&world);
}

static void job_time_with_post_is_told_once(void **state) {
    (void)state;
    struct world world;
    world_open_pool(&world, "{\"limits\":{\"job_time\":\"10s\"},\"end_of_job_time\":\"post\"}", 1);
    world.members[0].user_100ns = 11 * S;
    EXPECT(&world, "lift of pool 0: JOB_OBJECT_MSG_END_OF_JOB_TIME: job_time 11s over 10s\n");
    world.members[0].user_100ns = 20 * S;
    EXPECT(&world, "");
    assert_false(world.members[0].spared);
    world_close(&world);
}

static void a_pool_has_its_run(void **state) {
    (void)state;
    struct world world;
    world_open_pool(&world, "{\"timeouts\":{\"pool_wall_clock\":\"1m\"}}", 1);
    world_wait(&world, 50000);
    world_member(&world, 0)->sampled = false;
    world.members[0].sampled = false;
    EXPECT(&world, "");
    world_wait(&world, 10000);
    EXPECT(&world, "ask all of pool 0: POOL_WALL_CLOCK_LIMIT 1460: pool_wall_clock 1m over 1m\n");
    EXPECT(&world, "");
    world_wait(&world, 1000);
    world_member(&world, 0)->sampled = false;
    EXPECT(&world, "ask 2 of pool 0: POOL_WALL_CLOCK_LIMIT 1460: pool_wall_clock 1m1s over 1m\n");
    world.picture.member_count = 0; /* empty: the next run */
    world.pools[0].run = (struct jp_policy_clock){0};
    EXPECT(&world, "");
    world.pools[0].run = world.picture.now;
    world_member(&world, 0);
    EXPECT(&world, "");
    world_wait(&world, 60000);
    EXPECT(&world, "ask all of pool 0: POOL_WALL_CLOCK_LIMIT 1460: pool_wall_clock 1m over 1m\n");
    world_close(&world);
}

/* All limits of a row are hit at once. */
static void one_decision_and_one_reason(void **state) {
    (void)state;
    static const struct {
        const char *parent, *pool, *expected;
    } rows[] = {
        {"{}", "{\"limits\":{\"job_memory\":\"1MiB\"}}", "end 0 of pool 1: JOB_OBJECT_MSG_JOB_MEMORY_LIMIT C0000044: job_memory 2MiB over 1MiB\n"},
        {"{}", "{\"limits\":{\"job_memory\":\"1MiB\"},\"memory_policy\":{\"hard\":\"1MiB\",\"action\":\"terminate_newest\"}}",
         "end 0 of pool 1: JOB_OBJECT_MSG_JOB_MEMORY_LIMIT C0000044: job_memory 2MiB over 1MiB\n"},
        {"{}", "{\"limits\":{\"job_memory\":\"1MiB\"},\"timeouts\":{\"idle\":\"1s\"}}", "ask 0 of pool 1: IDLE_LIMIT 1460: idle 2s over 1s\n"},
        {"{}", "{\"limits\":{\"process_time\":\"1s\",\"job_memory\":\"1MiB\"},\"memory_policy\":{\"hard\":\"1MiB\",\"action\":\"terminate_pool\"}}",
         "ask all of pool 1: MEMORY_POLICY_HARD 1455: memory_policy.hard 2MiB over 1MiB\n"},
        {"{}", "{\"timeouts\":{\"pool_wall_clock\":\"1s\"},\"memory_policy\":{\"hard\":\"1MiB\",\"action\":\"terminate_pool\"}}",
         "ask all of pool 1: POOL_WALL_CLOCK_LIMIT 1460: pool_wall_clock 2s over 1s\n"},
        {"{}", "{\"limits\":{\"job_time\":\"1s\"},\"timeouts\":{\"pool_wall_clock\":\"1s\"},\"memory_policy\":{\"hard\":\"1MiB\",\"action\":\"freeze\"}}",
         "end all of pool 1: JOB_OBJECT_MSG_END_OF_JOB_TIME 1816: job_time 2s over 1s\n"},
        {"{\"timeouts\":{\"pool_wall_clock\":\"1s\"}}", "{\"limits\":{\"job_time\":\"1s\"}}",
         "ask all of pool 0: POOL_WALL_CLOCK_LIMIT 1460: pool_wall_clock 2s over 1s\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world world;
        world_open(&world);
        world_pool(&world, TOP, rows[i].parent);
        world_pool(&world, 0, rows[i].pool);
        struct jp_policy_member *member = world_member(&world, 1);
        member->user_100ns = 2 * S;
        member->commit_bytes = 2 * MIB;
        world_wait(&world, 2000);
        const char *told = world_decide(&world);
        CHECK(strcmp(told, rows[i].expected) == 0, "row %zu: %s", i, told);
        EXPECT(&world, "");
        world_close(&world);
    }
}

int main(void) {
    const struct CMUnitTest single[] = {cmocka_unit_test(limits_of_one_process), cmocka_unit_test(what_the_kernel_keeps_is_left_to_it),
                                        cmocka_unit_test(clocks), cmocka_unit_test(the_frozen_are_not_idle),
                                        cmocka_unit_test(a_limit_below_what_is_used_holds_at_once)};
    const struct CMUnitTest pools[] = {cmocka_unit_test(the_most_restrictive_of_a_chain_holds), cmocka_unit_test(totals_add_up),
                                       cmocka_unit_test(job_time_ends_all), cmocka_unit_test(job_time_with_post_is_told_once),
                                       cmocka_unit_test(a_pool_has_its_run), cmocka_unit_test(one_decision_and_one_reason)};
    int failed = cmocka_run_group_tests(single, NULL, NULL);
    return failed + cmocka_run_group_tests(pools, NULL, NULL);
}
