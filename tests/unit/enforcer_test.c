/* Who keeps which limit on which host, what that costs, and how long the members run of a slice. */
#include "policy_world.h"

#include "unit.h"

static struct jp_capabilities host_that_keeps(uint64_t limits) {
    struct jp_capabilities host = {0};
    for (unsigned i = 0; i < JP_LIMIT_COUNT; i++)
        host.limits[i] = limits & JP_SCHEMA_BIT(i) ? JP_ENFORCED_BY_KERNEL : JP_ENFORCED_BY_NONE;
    host.ui = host.notify = limits == UINT64_MAX ? JP_ENFORCED_BY_KERNEL : JP_ENFORCED_BY_NONE;
    return host;
}

static void each_limit_has_its_keeper(void **state) {
    (void)state;
    static const enum jp_enforcer expected[JP_LIMIT_COUNT] = {
        [JP_LIMIT_ACTIVE_PROCESSES] = JP_ENFORCED_BY_SERVICE, [JP_LIMIT_PROCESS_MEMORY] = JP_ENFORCED_BY_SERVICE,
        [JP_LIMIT_JOB_MEMORY] = JP_ENFORCED_BY_SERVICE,       [JP_LIMIT_PROCESS_TIME] = JP_ENFORCED_BY_SERVICE,
        [JP_LIMIT_JOB_TIME] = JP_ENFORCED_BY_SERVICE,         [JP_LIMIT_PRIORITY_CLASS] = JP_ENFORCED_BY_SERVICE,
        [JP_LIMIT_AFFINITY] = JP_ENFORCED_BY_SERVICE,         [JP_LIMIT_WORKING_SET] = JP_ENFORCED_BY_SERVICE,
        [JP_LIMIT_CPU_RATE] = JP_ENFORCED_BY_NONE,            [JP_LIMIT_DIE_ON_UNHANDLED_EXCEPTION] = JP_ENFORCED_BY_SERVICE,
    };
    const struct jp_capabilities all = host_that_keeps(UINT64_MAX), none = host_that_keeps(0);
    const struct jp_pool_spec spec = {0};
    for (unsigned i = 0; i < JP_LIMIT_COUNT; i++) {
        assert_int_equal(jp_policy_enforcer(&all, &spec, i), JP_ENFORCED_BY_KERNEL);
        assert_int_equal(jp_policy_enforcer(&all, NULL, i), JP_ENFORCED_BY_KERNEL);
        CHECK(jp_policy_enforcer(&none, &spec, i) == expected[i], "limit %u", i);
        if (i != JP_LIMIT_CPU_RATE)
            CHECK(jp_policy_enforcer(&none, NULL, i) == expected[i], "limit %u", i);
    }
    assert_int_equal(jp_policy_enforcer(&none, NULL, JP_LIMIT_CPU_RATE), JP_ENFORCED_BY_SERVICE); /* it could */
}

static void a_rate_is_kept_if_asked_for(void **state) {
    (void)state;
    static const struct {
        const char *spec;
        enum jp_enforcer by;
    } rows[] = {
        {"{\"limits\":{\"cpu_rate\":\"50%\"}}", JP_ENFORCED_BY_NONE},
        {"{\"limits\":{\"cpu_rate\":\"50%\"},\"cpu_rate_fallback\":false}", JP_ENFORCED_BY_NONE},
        {"{\"limits\":{\"cpu_rate\":\"50%\"},\"cpu_rate_fallback\":true}", JP_ENFORCED_BY_SERVICE},
        {"{\"limits\":{\"cpu_rate\":{\"weight\":5}}}", JP_ENFORCED_BY_NONE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world world;
        world_open(&world);
        world_pool(&world, TOP, rows[i].spec);
        assert_int_equal(jp_policy_enforcer(&world.host, &world.specs[0], JP_LIMIT_CPU_RATE), rows[i].by);
        world.host.limits[JP_LIMIT_CPU_RATE] = JP_ENFORCED_BY_KERNEL;
        assert_int_equal(jp_policy_enforcer(&world.host, &world.specs[0], JP_LIMIT_CPU_RATE), JP_ENFORCED_BY_KERNEL);
        world_close(&world);
    }
}

static void strict_pools_want_a_keeper_for_each(void **state) {
    (void)state;
    static const struct {
        const char *spec, *fault; /* NULL: fine */
    } rows[] = {
        {"{\"limits\":{\"network_rate\":\"1MiB\",\"scheduling_class\":3},\"ui\":[\"desktop\"]}", NULL}, /* not strict */
        {"{\"strict\":true}", NULL},
        {"{\"strict\":true,\"limits\":{\"process_memory\":\"1MiB\",\"job_time\":\"1s\"},\"timeouts\":{\"idle\":\"1s\"}}", NULL},
        {"{\"strict\":true,\"limits\":{\"cpu_rate\":\"5%\"},\"cpu_rate_fallback\":true}", NULL},
        {"{\"strict\":true,\"limits\":{\"cpu_rate\":\"5%\"}}", "pool \"build\" is strict, and nobody on this host enforces its limits.cpu_rate"},
        {"{\"strict\":true,\"limits\":{\"network_rate\":\"1MiB\",\"job_time\":\"1s\",\"scheduling_class\":3},\"ui\":[\"desktop\"]}",
         "pool \"build\" is strict, and nobody on this host enforces its limits.scheduling_class, limits.network_rate, ui"},
    };
    const struct jp_capabilities all = host_that_keeps(UINT64_MAX);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world world;
        struct jp_error error = {0};
        world_open(&world);
        world_pool(&world, TOP, rows[i].spec);
        jp_status status = jp_policy_check_strict(&world.host, "build", &world.specs[0], &error);
        assert_int_equal(status, rows[i].fault ? JP_E_CONFIG : JP_OK);
        if (rows[i].fault)
            assert_string_equal(error.text, rows[i].fault);
        assert_int_equal(jp_policy_check_strict(&all, "build", &world.specs[0], &error), JP_OK);
        world_close(&world);
    }
}

static void what_is_set_on_members(void **state) {
    (void)state;
    struct world world;
    struct jp_adjustment set;
    world_open(&world);
    world_pool(&world, TOP, "{\"limits\":{\"priority_class\":\"below_normal\",\"affinity\":\"0-3\"}}");
    world_pool(&world, 0, "{\"limits\":{\"priority_class\":\"high\",\"affinity\":\"2-3\",\"working_set\":{\"min\":\"1MiB\",\"max\":\"2MiB\"}}}");
    const struct jp_pool_spec *chain[] = {&world.specs[0], &world.specs[1]};
    assert_true(jp_policy_adjustment(&world.host, chain, 2, &set));
    assert_int_equal(set.present, JP_SCHEMA_BIT(JP_LIMIT_PRIORITY_CLASS) | JP_SCHEMA_BIT(JP_LIMIT_AFFINITY) | JP_SCHEMA_BIT(JP_LIMIT_WORKING_SET));
    assert_int_equal(set.priority_class, 0x4000); /* the outer one, which is lower */
    assert_int_equal(set.affinity, 0xC); /* the inner one, which is in the outer one */
    assert_int_equal(set.min_working_set_bytes, 1 << 20);
    assert_int_equal(set.max_working_set_bytes, 2 << 20);
    assert_true(jp_policy_adjustment(&world.host, chain, 1, &set));
    assert_int_equal(set.present, JP_SCHEMA_BIT(JP_LIMIT_PRIORITY_CLASS) | JP_SCHEMA_BIT(JP_LIMIT_AFFINITY));
    assert_int_equal(set.affinity, 0xF);
    world.host.limits[JP_LIMIT_AFFINITY] = JP_ENFORCED_BY_KERNEL;
    assert_true(jp_policy_adjustment(&world.host, chain, 1, &set));
    assert_int_equal(set.present, JP_SCHEMA_BIT(JP_LIMIT_PRIORITY_CLASS));
    world.host.limits[JP_LIMIT_PRIORITY_CLASS] = JP_ENFORCED_BY_KERNEL;
    assert_false(jp_policy_adjustment(&world.host, chain, 1, &set));
    assert_int_equal(set.present, 0);
    assert_false(jp_policy_adjustment(&world.host, chain, 0, &set));
    world_close(&world);
}

static void how_often_somebody_looks(void **state) {
    (void)state;
    static const struct {
        const char *spec;
        uint64_t bare_ms, kernel_ms; /* where the kernel keeps nothing, and where it keeps all; 0: never */
    } rows[] = {
        {"{}", 0, 0},
        {"{\"limits\":{\"active_processes\":5,\"priority_class\":\"idle\",\"affinity\":\"0\",\"network_rate\":\"1MiB\"}}", 0, 0},
        {"{\"limits\":{\"process_memory\":\"1MiB\"}}", 500, 0},
        {"{\"limits\":{\"job_memory\":\"1MiB\"}}", 500, 0},
        {"{\"limits\":{\"process_time\":\"1s\"}}", 500, 0},
        {"{\"limits\":{\"job_time\":\"1s\"}}", 500, 0},
        {"{\"limits\":{\"cpu_rate\":\"5%\"}}", 0, 0},
        {"{\"limits\":{\"cpu_rate\":\"5%\"},\"cpu_rate_fallback\":true}", 500, 0},
        {"{\"notify\":{\"io_read\":\"1MiB\"}}", 500, 0},
        {"{\"notify\":{\"cpu_rate\":{\"tolerance\":\"low\",\"interval\":\"long\"}}}", 0, 0},
        {"{\"memory_policy\":{\"soft\":\"1MiB\"}}", 500, 500},
        {"{\"match\":[{\"image\":\"a\"}]}", 500, 500},
        {"{\"match\":[]}", 0, 0},
        {"{\"default\":true}", 500, 500},
        {"{\"timeouts\":{\"asleep\":true}}", 0, 0},
        {"{\"timeouts\":{\"wall_clock\":\"10s\"}}", 500, 500},
        {"{\"timeouts\":{\"wall_clock\":\"1m\"}}", 1200, 1200},
        {"{\"timeouts\":{\"idle\":\"2m\",\"wall_clock\":\"1h\"}}", 2400, 2400},
        {"{\"timeouts\":{\"pool_wall_clock\":\"30d\"}}", 10000, 10000},
        {"{\"timeouts\":{\"pool_wall_clock\":\"30d\"},\"limits\":{\"job_time\":\"1s\"}}", 500, 10000},
    };
    const struct jp_capabilities all = host_that_keeps(UINT64_MAX);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world world;
        world_open(&world);
        world_pool(&world, TOP, rows[i].spec);
        uint64_t bare = jp_policy_interval_ms(&world.host, &world.specs[0], 500), kernel = jp_policy_interval_ms(&all, &world.specs[0], 500);
        CHECK((bare == UINT64_MAX ? 0 : bare) == rows[i].bare_ms, "%s: %llu", rows[i].spec, (unsigned long long)bare);
        CHECK((kernel == UINT64_MAX ? 0 : kernel) == rows[i].kernel_ms, "%s: %llu", rows[i].spec, (unsigned long long)kernel);
        CHECK(jp_policy_interval_ms(&all, &world.specs[0], 60000) >= 60000, "%s: more often than wanted", rows[i].spec);
        world_close(&world);
    }
}

static void one_too_many(void **state) {
    (void)state;
    struct world world;
    world_open(&world);
    world_pool(&world, TOP, "{\"limits\":{\"active_processes\":5}}");
    world_pool(&world, 0, "{}");
    world_pool(&world, 1, "{\"limits\":{\"active_processes\":2}}");
    const struct jp_pool_spec *chain[] = {&world.specs[0], &world.specs[1], &world.specs[2]};
    static const struct {
        size_t counts[3], pool;
    } rows[] = {{{5, 5, 2}, SIZE_MAX}, {{6, 5, 2}, 0}, {{5, 5, 3}, 2}, {{6, 6, 3}, 0}, {{1, 9, 1}, SIZE_MAX}};
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(jp_policy_too_many(&world.host, chain, rows[i].counts, 3) == rows[i].pool, "row %zu", i);
    world.host.limits[JP_LIMIT_ACTIVE_PROCESSES] = JP_ENFORCED_BY_KERNEL;
    assert_true(jp_policy_too_many(&world.host, chain, rows[3].counts, 3) == SIZE_MAX);
    world_close(&world);
}

/* --- slices --- */

static void a_slice_by_the_one_before(void **state) {
    (void)state;
    static const struct {
        uint32_t rate, processors, used_ms, last_ms, run_ms;
    } rows[] = {
        {5000, 1, 0, 0, 25},    /* nothing is known: as if all processors were busy */
        {5000, 8, 0, 0, 25},
        {5000, 1, 25, 25, 25},  /* right */
        {5000, 1, 50, 50, 25},  /* too much */
        {5000, 1, 5, 50, 50},   /* far from it */
        {5000, 1, 0, 50, 50},   /* idle */
        {5000, 4, 25, 25, 50},  /* one thread of four processors stays below by itself */
        {5000, 4, 100, 25, 25}, /* four threads do not */
        {2500, 4, 100, 25, 12},
        {10000, 2, 100, 50, 50},
        {20000, 2, 100, 50, 50}, /* more than all there is */
        {1, 1, 50, 50, 1},       /* always a little */
        {1, 1, 0, 0, 1},
        {0, 0, 50, 50, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t run = jp_policy_slice_ms(rows[i].rate, rows[i].processors, (uint64_t)rows[i].used_ms * 10000, rows[i].last_ms);
        CHECK(run == rows[i].run_ms, "row %zu: %u", i, run);
    }
    assert_int_equal(jp_policy_slice_ms(5000, 64, UINT64_C(50) * 64 * 10000, 50), 25); /* the largest machine */
}

/* Threads that run whenever they may, on any number of processors: what they get is the rate, after the first slice, if it can be had. */
static void the_rate_is_kept(void **state) {
    (void)state;
    static const uint32_t rates[] = {200, 500, 1000, 2500, 5000, 9000}, processors[] = {1, 2, 8, 64};
    for (size_t i = 0; i < COUNT(rates); i++)
        for (size_t j = 0; j < COUNT(processors); j++)
            for (uint32_t threads = 1; threads <= processors[j]; threads *= 2) {
                uint64_t used_100ns = 0, sum_ms = 0;
                uint32_t run_ms = 0;
                for (int slice = 0; slice < 1000; slice++) {
                    run_ms = jp_policy_slice_ms(rates[i], processors[j], used_100ns, run_ms);
                    assert_in_range(run_ms, 1, JP_SLICE_MS);
                    used_100ns = (uint64_t)run_ms * threads * 10000;
                    sum_ms += (uint64_t)run_ms * threads;
                }
                double allowed = (double)JP_SLICE_MS * 1000 * processors[j] * rates[i] / 10000, most = (double)JP_SLICE_MS * 1000 * threads;
                double expected = allowed < most ? allowed : most;
                CHECK((double)sum_ms <= expected * 1.01, "%u of %u with %u: %llu", rates[i], processors[j], threads, (unsigned long long)sum_ms);
                CHECK((double)sum_ms >= expected * 0.5, "%u of %u with %u: %llu", rates[i], processors[j], threads, (unsigned long long)sum_ms);
            }
}

int main(void) {
    const struct CMUnitTest enforcers[] = {cmocka_unit_test(each_limit_has_its_keeper), cmocka_unit_test(a_rate_is_kept_if_asked_for),
                                           cmocka_unit_test(strict_pools_want_a_keeper_for_each), cmocka_unit_test(what_is_set_on_members),
                                           cmocka_unit_test(how_often_somebody_looks), cmocka_unit_test(one_too_many)};
    const struct CMUnitTest slices[] = {cmocka_unit_test(a_slice_by_the_one_before), cmocka_unit_test(the_rate_is_kept)};
    int failed = cmocka_run_group_tests(enforcers, NULL, NULL);
    return failed + cmocka_run_group_tests(slices, NULL, NULL);
}
