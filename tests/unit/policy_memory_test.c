/* What is decided about what pools use together: their memory limit, the memory policy, and what is only told. */
#include "policy_world.h"

#include "unit.h"

enum { MIB = 1 << 20, S = 10000000 };

/* --- memory of a pool --- */

#define JOB_MEMORY "JOB_OBJECT_MSG_JOB_MEMORY_LIMIT C0000044: job_memory "

static void job_memory_ends_the_largest_until_it_is_below(void **state) {
    (void)state;
    struct world world;
    world_open_pool(&world, "{\"limits\":{\"job_memory\":\"10MiB\"}}", 5);
    static const uint64_t mib[] = {4, 9, 1, 9, 20};
    for (size_t i = 0; i < COUNT(mib); i++)
        world.members[i].commit_bytes = mib[i] * MIB;
    world.members[4].sampled = false; /* nobody knows whether it still has that */
    EXPECT(&world, "end 3 of pool 0: " JOB_MEMORY "23MiB over 10MiB\n"); /* of equal ones the newer */
    world_wait(&world, 500);
    EXPECT(&world, ""); /* it is still going */
    world_remove(&world, 3);
    EXPECT(&world, "end 1 of pool 0: " JOB_MEMORY "14MiB over 10MiB\n");
    world_remove(&world, 1);
    EXPECT(&world, "");
    world_close(&world);
}

static void one_that_does_not_go_is_not_waited_for(void **state) {
    (void)state;
    struct world world;
    world_open_pool(&world, "{\"limits\":{\"job_memory\":\"10MiB\"}}", 2);
    world.members[0].commit_bytes = 20 * MIB;
    world.members[1].commit_bytes = 15 * MIB;
    EXPECT(&world, "end 0 of pool 0: " JOB_MEMORY "35MiB over 10MiB\n");
    world_wait(&world, 1999);
    EXPECT(&world, "");
    world_wait(&world, 1);
    EXPECT(&world, "end 1 of pool 0: " JOB_MEMORY "35MiB over 10MiB\n");
    world_wait(&world, 60000);
    EXPECT(&world, ""); /* nobody is left */
    world_close(&world);
}

static void what_is_given_back_inside_helps_outside(void **state) {
    (void)state;
    struct world world;
    world_open(&world);
    world_pool(&world, TOP, "{\"limits\":{\"job_memory\":\"20MiB\"}}");
    world_pool(&world, 0, "{\"limits\":{\"job_memory\":\"5MiB\"}}");
    world_member(&world, 0)->commit_bytes = 15 * MIB;
    world_member(&world, 1)->commit_bytes = 6 * MIB;
    EXPECT(&world, "end 1 of pool 1: " JOB_MEMORY "6MiB over 5MiB\n");
    world_remove(&world, 1);
    EXPECT(&world, "");
    /* and likewise what one gives back that is ended for another reason */
    world_set(&world, 1, "{\"limits\":{\"process_memory\":\"5MiB\"}}");
    world_member(&world, 1)->commit_bytes = 6 * MIB;
    EXPECT(&world, "end 1 of pool 1: JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT C0000044: process_memory 6MiB over 5MiB\n");
    world_remove(&world, 1);
    world_set(&world, 1, "{\"timeouts\":{\"pool_wall_clock\":\"1s\"}}");
    world_member(&world, 1)->commit_bytes = 6 * MIB;
    world_wait(&world, 1000);
    EXPECT(&world, "ask all of pool 1: POOL_WALL_CLOCK_LIMIT 1460: pool_wall_clock 1s over 1s\n");
    world_close(&world);
}

/* --- the memory policy --- */

#define SOFT "tell of pool 0: MEMORY_POLICY_SOFT: memory_policy.soft "
#define HARD "MEMORY_POLICY_HARD: memory_policy.hard "
#define HARD_END "MEMORY_POLICY_HARD 1455: memory_policy.hard "

/* What a member commits in MiB from one picture to the next, 500 ms apart, and what is told then. */
struct step {
    uint64_t mib;
    const char *expected;
};

static void take_steps(const char *spec, const struct step *steps, size_t count, bool working_set) {
    struct world world;
    world_open_pool(&world, spec, 1);
    for (size_t i = 0; i < count; i++) {
        uint64_t bytes = steps[i].mib * MIB;
        world.members[0].commit_bytes = working_set ? 0 : bytes;
        world.members[0].working_set_bytes = working_set ? bytes : UINT64_C(1) << 40;
        const char *told = world_decide(&world);
        CHECK(strcmp(told, steps[i].expected) == 0, "%s: step %zu: %s", spec, i, told);
        world_wait(&world, 500);
    }
    world_close(&world);
}

static void the_memory_policy_tells_once_per_crossing(void **state) {
    (void)state;
    static const struct step steps[] = {
        {50, ""},
        {101, SOFT "101MiB over 100MiB\n"},
        {150, ""},
        {201, "tell of pool 0: " HARD "201MiB over 200MiB\n"},
        {300, ""},
        {191, ""}, /* below, and not well below */
        {201, ""},
        {190, ""}, /* 5 % */
        {201, "tell of pool 0: " HARD "201MiB over 200MiB\n"},
        {96, ""},
        {101, ""},
        {95, ""},
        {300, SOFT "300MiB over 100MiB\ntell of pool 0: " HARD "300MiB over 200MiB\n"},
        {100, ""}, /* not above */
        {0, ""},
        {100, ""},
    };
    take_steps("{\"memory_policy\":{\"soft\":\"100MiB\",\"hard\":\"200MiB\"}}", steps, COUNT(steps), false);
    take_steps("{\"memory_policy\":{\"soft\":\"100MiB\",\"hard\":\"200MiB\",\"measure\":\"working_set\"}}", steps, COUNT(steps), true);
}

static void the_memory_policy_holds(void **state) {
    (void)state;
    static const struct step steps[] = {
        {101, ""}, {101, ""}, {101, SOFT "101MiB over 100MiB\n"},                    /* a second */
        {90, ""},  {101, ""}, {101, ""}, {100, ""}, {101, ""}, {201, ""},            /* it was not above in between */
        {201, SOFT "201MiB over 100MiB\n"}, {201, "tell of pool 0: " HARD "201MiB over 200MiB\n"}, {201, ""}, {201, ""},
    };
    take_steps("{\"memory_policy\":{\"soft\":\"100MiB\",\"hard\":\"200MiB\",\"hold\":\"1s\"}}", steps, COUNT(steps), false);
}

static void a_missing_sample_is_no_relief(void **state) {
    (void)state;
    struct world world;
    world_open_pool(&world, "{\"memory_policy\":{\"soft\":\"100MiB\",\"hard\":\"200MiB\",\"hold\":\"1s\",\"action\":\"terminate_largest\"}}", 1);
    world.members[0].commit_bytes = 201 * MIB;
    EXPECT(&world, "");
    world_wait(&world, 500);
    world.members[0].sampled = false;
    EXPECT(&world, "");
    world_wait(&world, 500);
    EXPECT(&world, ""); /* nor is it a reason */
    world.members[0].sampled = true;
    EXPECT(&world, SOFT "201MiB over 100MiB\nask 0 of pool 0: " HARD_END "201MiB over 200MiB\n");
    world.members[0].sampled = false;
    EXPECT(&world, "");
    world.members[0].sampled = true;
    EXPECT(&world, "");
    world_close(&world);
}

static void the_policy_freezes_who_is_not_frozen(void **state) {
    (void)state;
    struct world world;
    world_open(&world);
    world_pool(&world, TOP, "{}");
    world_pool(&world, 0, "{\"memory_policy\":{\"hard\":\"200MiB\",\"action\":\"freeze\"}}");
    world_member(&world, 1)->commit_bytes = 300 * MIB;
    world.pools[0].frozen = true;
    EXPECT(&world, "");
    world.pools[0].frozen = false;
    EXPECT(&world, "freeze of pool 1: " HARD "300MiB over 200MiB\n");
    world.pools[1].frozen = true;
    EXPECT(&world, "");
    world.pools[1].frozen = false; /* somebody thawed it, though it is above: his will */
    EXPECT(&world, "");
    world.members[0].commit_bytes = 100 * MIB;
    EXPECT(&world, "");
    world.members[0].commit_bytes = 300 * MIB;
    EXPECT(&world, "freeze of pool 1: " HARD "300MiB over 200MiB\n");
    assert_false(world.members[0].spared);
    world_close(&world);
}

static void the_policy_ends_one(void **state) {
    (void)state;
    static const struct {
        const char *action, *measure;
        int first, second;
    } rows[] = {{"terminate_newest", "commit", 3, 2}, {"terminate_largest", "commit", 1, 3}, {"terminate_largest", "working_set", 0, 1}};
    static const uint64_t commit[] = {20, 200, 30, 90}, set[] = {200, 90, 30, 20};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world world;
        char *spec = jp_sprintf("{\"stop\":{\"grace\":\"10s\"},\"memory_policy\":{\"hard\":\"100MiB\",\"action\":\"%s\",\"measure\":\"%s\"}}",
                                rows[i].action, rows[i].measure);
        world_open_pool(&world, "{}", 4);
        world_set(&world, 0, spec);
        for (size_t j = 0; j < 4; j++) {
            world.members[j].commit_bytes = commit[j] * MIB;
            world.members[j].working_set_bytes = set[j] * MIB;
        }
        char *first = jp_sprintf("ask %d of pool 0: " HARD_END "340MiB over 100MiB\n", rows[i].first);
        char *second = jp_sprintf("ask %d of pool 0: " HARD_END "340MiB over 100MiB\n", rows[i].second);
        EXPECT(&world, first);
        world_wait(&world, 11999); /* its grace, and a little */
        EXPECT(&world, "");
        world_wait(&world, 1);
        EXPECT(&world, second);
        jp_free(first);
        jp_free(second);
        jp_free(spec);
        world_close(&world);
    }
}

static void the_policy_ends_the_next_when_one_was_not_enough(void **state) {
    (void)state;
    struct world world;
    world_open_pool(&world, "{\"memory_policy\":{\"hard\":\"100MiB\",\"action\":\"terminate_largest\",\"hold\":\"1s\"}}", 3);
    for (size_t i = 0; i < 3; i++)
        world.members[i].commit_bytes = (60 + i) * MIB;
    EXPECT(&world, "");
    world_wait(&world, 1000);
    EXPECT(&world, "ask 2 of pool 0: " HARD_END "183MiB over 100MiB\n");
    world_remove(&world, 2);
    world_wait(&world, 500);
    EXPECT(&world, ""); /* held anew */
    world_wait(&world, 500);
    EXPECT(&world, "ask 1 of pool 0: " HARD_END "121MiB over 100MiB\n");
    world_remove(&world, 1);
    world_wait(&world, 5000);
    EXPECT(&world, "");
    world_close(&world);
}

static void the_policy_counts_a_pool_with_its_children(void **state) {
    (void)state;
    struct world world;
    world_open(&world);
    world_pool(&world, TOP, "{\"memory_policy\":{\"hard\":\"100MiB\",\"action\":\"terminate_pool\"}}");
    world_pool(&world, 0, "{\"memory_policy\":{\"hard\":\"50MiB\",\"action\":\"terminate_pool\"}}");
    world_pool(&world, TOP, "{}");
    world_member(&world, 0)->commit_bytes = 60 * MIB;
    world_member(&world, 1)->commit_bytes = 45 * MIB;
    world_member(&world, 2)->commit_bytes = 1000 * MIB;
    EXPECT(&world, "ask all of pool 0: " HARD_END "105MiB over 100MiB\n");
    assert_true(world.members[0].spared && world.members[1].spared && !world.members[2].spared);
    EXPECT(&world, "");
    world_remove(&world, 0);
    world.members[0].spared = false;
    world.members[0].commit_bytes = 55 * MIB;
    EXPECT(&world, "ask all of pool 1: " HARD_END "55MiB over 50MiB\n");
    world_close(&world);
}

/* --- what is only told --- */

#define TOLD "tell of pool 0: JOB_OBJECT_MSG_NOTIFICATION_LIMIT: "

static void thresholds_are_told_once_per_crossing(void **state) {
    (void)state;
    static const struct step memory[] = {
        {100, ""}, {101, TOLD "job_memory 101MiB over 100MiB\n"}, {200, ""}, {96, ""}, {101, ""}, {95, ""}, {101, TOLD "job_memory 101MiB over 100MiB\n"}};
    static const struct step low[] = {
        {50, ""}, {101, ""}, {99, TOLD "job_memory_low 99MiB under 100MiB\n"}, {104, ""}, {99, ""}, {105, ""}, {100, ""},
        {99, TOLD "job_memory_low 99MiB under 100MiB\n"}, {0, ""}};
    take_steps("{\"notify\":{\"job_memory\":\"100MiB\"}}", memory, COUNT(memory), false);
    take_steps("{\"notify\":{\"job_memory_low\":\"100MiB\"}}", low, COUNT(low), false);
}

static void what_only_grows_is_told_once(void **state) {
    (void)state;
    struct world world;
    world_open_pool(&world, "{\"notify\":{\"cpu_time\":\"10s\",\"io_read\":\"1MiB\",\"io_write\":\"2MiB\"}}", 2);
    world.members[0].user_100ns = 10 * S;
    world.members[0].kernel_100ns = 10 * S;
    world.members[0].read_bytes = MIB;
    world.members[0].write_bytes = 2 * MIB;
    EXPECT(&world, "");
    world.members[1].user_100ns = S;
    EXPECT(&world, TOLD "cpu_time 11s over 10s\n");
    world_remove(&world, 1); /* what it used is past, and still used */
    EXPECT(&world, "");
    world.members[0].read_bytes = 3 * MIB;
    world.members[0].write_bytes = 3 * MIB;
    EXPECT(&world, TOLD "io_read 3MiB over 1MiB\n" TOLD "io_write 3MiB over 2MiB\n");
    EXPECT(&world, "");
    world_set(&world, 0, "{\"notify\":{\"cpu_time\":\"20s\"}}"); /* another threshold is another crossing */
    EXPECT(&world, "");
    world.members[0].user_100ns = 20 * S;
    EXPECT(&world, TOLD "cpu_time 21s over 20s\n");
    world_close(&world);
}

static void thresholds_that_the_kernel_keeps_are_left_to_it(void **state) {
    (void)state;
    struct world world;
    world_open_pool(&world, "{\"notify\":{\"cpu_time\":\"10s\",\"job_memory\":\"1MiB\",\"job_memory_low\":\"1MiB\",\"io_read\":\"1MiB\",\"io_write\":\"2MiB\"}}", 1);
    world.host.notify = JP_ENFORCED_BY_KERNEL;
    world.members[0] = (struct jp_policy_member){.user_100ns = 11 * S, .commit_bytes = 9 * MIB, .read_bytes = 9 * MIB, .write_bytes = 9 * MIB, .sampled = true};
    EXPECT(&world, "");
    world.members[0].commit_bytes = 0;
    EXPECT(&world, "");
    world_close(&world);
}

int main(void) {
    const struct CMUnitTest memory[] = {
        cmocka_unit_test(job_memory_ends_the_largest_until_it_is_below), cmocka_unit_test(one_that_does_not_go_is_not_waited_for),
        cmocka_unit_test(what_is_given_back_inside_helps_outside),       cmocka_unit_test(the_memory_policy_tells_once_per_crossing),
        cmocka_unit_test(the_memory_policy_holds),                       cmocka_unit_test(a_missing_sample_is_no_relief),
        cmocka_unit_test(the_policy_freezes_who_is_not_frozen),          cmocka_unit_test(the_policy_ends_one),
        cmocka_unit_test(the_policy_ends_the_next_when_one_was_not_enough), cmocka_unit_test(the_policy_counts_a_pool_with_its_children)};
    const struct CMUnitTest notes[] = {cmocka_unit_test(thresholds_are_told_once_per_crossing), cmocka_unit_test(what_only_grows_is_told_once),
                                       cmocka_unit_test(thresholds_that_the_kernel_keeps_are_left_to_it)};
    int failed = cmocka_run_group_tests(memory, NULL, NULL);
    return failed + cmocka_run_group_tests(notes, NULL, NULL);
}
