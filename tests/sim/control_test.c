/* The simulated kernel's side of what the service enforces itself: samples, adjustments, freezing, asking, a machine that sleeps. */
#include "kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct jp_error error;

static int open_sim(void **state) {
    *state = jp_sim_new();
    return 0;
}

static int close_sim(void **state) {
    jp_sim_free(*state);
    return 0;
}

static const struct jp_backend_ops *ops_of(struct jp_sim *sim) { return jp_sim_backend(sim)->ops; }

static struct jp_process *open_process(struct jp_sim *sim, uint32_t pid, enum jp_process_use use) {
    struct jp_process *process;
    assert_int_equal(ops_of(sim)->process_open(jp_sim_backend(sim), pid, 0, use, NULL, &process, &error), JP_OK);
    return process;
}

static const struct jp_sample *sample_of(const struct jp_samples *samples, uint32_t pid) {
    for (size_t i = 0; i < samples->count; i++)
        if (samples->items[i].pid == pid)
            return &samples->items[i];
    return NULL;
}

static void a_sample_has_everybody_at_once(void **state) {
    struct jp_sim *sim = *state;
    struct jp_samples samples;
    uint32_t parent = jp_sim_spawn(sim, 0, "make.exe"), child = jp_sim_spawn(sim, parent, "cl.exe"), gone = jp_sim_spawn(sim, 0, "gone.exe");
    jp_sim_grow_usage(sim, child, 70);
    jp_sim_grow_kernel(sim, child, 30);
    jp_sim_commit(sim, child, 1000);
    jp_sim_page_out(sim, child, 400);
    jp_sim_read(sim, child, 5);
    jp_sim_exit(sim, gone, 0);
    assert_int_equal(ops_of(sim)->sample(jp_sim_backend(sim), &samples, &error), JP_OK);
    assert_int_equal(samples.count, 3);
    assert_null(samples.items[0].image);
    assert_null(sample_of(&samples, gone));
    assert_string_equal(sample_of(&samples, parent)->image, "make.exe");
    const struct jp_sample *one = sample_of(&samples, child);
    assert_string_equal(one->image, "cl.exe");
    assert_int_equal(one->parent_pid, parent);
    assert_int_equal(one->session, 1);
    assert_true(one->start_100ns == jp_sim_start_time(sim, child));
    assert_int_equal(one->commit_bytes, 1000);
    assert_int_equal(one->working_set_bytes, 600);
    assert_true(one->usage.user_100ns == 70 && one->usage.kernel_100ns == 30 && one->usage.read_bytes == 5);
    assert_int_equal(one->usage.known, JP_USAGE_CPU | JP_USAGE_MEMORY | JP_USAGE_IO);
    jp_samples_clear(&samples);
    jp_sim_fail_next(sim, "NtQuerySystemInformation", 1450);
    assert_int_equal(ops_of(sim)->sample(jp_sim_backend(sim), &samples, &error), JP_E_SYSTEM);
    assert_int_equal(jp_sim_sample_count(sim), 2);
}

static void members_are_adjusted_by_a_handle_that_may(void **state) {
    struct jp_sim *sim = *state;
    uint32_t pid = jp_sim_spawn(sim, 0, "tool.exe");
    struct jp_process *observed = open_process(sim, pid, JP_PROCESS_OBSERVE), *held = open_process(sim, pid, JP_PROCESS_CONTROL);
    struct jp_adjustment wanted = {.present = JP_SCHEMA_BIT(JP_LIMIT_PRIORITY_CLASS) | JP_SCHEMA_BIT(JP_LIMIT_AFFINITY) | JP_SCHEMA_BIT(JP_LIMIT_WORKING_SET),
                                   .priority_class = JP_JOB_IDLE_PRIORITY_CLASS, .affinity = 3, .min_working_set_bytes = 1, .max_working_set_bytes = 2};
    uint64_t least, most;
    assert_int_equal(ops_of(sim)->process_adjust(observed, &wanted, &error), JP_E_DENIED);
    jp_sim_fail_next(sim, "SetProcessAffinityMask", 87);
    assert_int_equal(ops_of(sim)->process_adjust(held, &wanted, &error), JP_E_SYSTEM);
    assert_int_equal(ops_of(sim)->process_adjust(held, &wanted, &error), JP_OK);
    jp_sim_working_set(sim, pid, &least, &most);
    assert_int_equal(jp_sim_priority(sim, pid), JP_JOB_IDLE_PRIORITY_CLASS);
    assert_int_equal(jp_sim_affinity(sim, pid), 3);
    assert_true(least == 1 && most == 2);
    jp_sim_protect(sim, pid);
    assert_int_equal(ops_of(sim)->process_adjust(held, &wanted, &error), JP_E_DENIED);
    jp_sim_exit(sim, pid, 0);
    assert_int_equal(ops_of(sim)->process_adjust(held, &wanted, &error), JP_E_NO_PROCESS);
    ops_of(sim)->process_close(observed);
    ops_of(sim)->process_close(held);
}

static void freezes_are_counted(void **state) {
    struct jp_sim *sim = *state;
    uint32_t pid = jp_sim_spawn(sim, 0, "tool.exe");
    struct jp_process *held = open_process(sim, pid, JP_PROCESS_CONTROL);
    for (int i = 0; i < 2; i++)
        assert_int_equal(ops_of(sim)->process_freeze(held, true, &error), JP_OK);
    assert_int_equal(jp_sim_frozen(sim, pid), 2);
    assert_false(jp_sim_grow_usage(sim, pid, 1) || jp_sim_grow_kernel(sim, pid, 1) || jp_sim_commit(sim, pid, 1));
    assert_int_equal(jp_sim_user_time(sim, pid), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(ops_of(sim)->process_freeze(held, false, &error), JP_OK);
    assert_int_equal(jp_sim_idle_thaws(sim), 0);
    assert_true(jp_sim_grow_usage(sim, pid, 1));
    assert_int_equal(ops_of(sim)->process_freeze(held, false, &error), JP_OK);
    assert_int_equal(jp_sim_idle_thaws(sim), 1);
    jp_sim_crash(sim); /* does not thaw */
    ops_of(sim)->process_close(held);
}

static void processes_end_when_asked_or_not(void **state) {
    struct jp_sim *sim = *state;
    struct jp_sim_fate fate;
    uint32_t deaf = jp_sim_spawn(sim, 0, "deaf.exe"), stubborn = jp_sim_spawn(sim, 0, "stubborn.exe"), polite = jp_sim_spawn(sim, 0, "polite.exe");
    struct jp_process *held[] = {open_process(sim, deaf, JP_PROCESS_CONTROL), open_process(sim, stubborn, JP_PROCESS_CONTROL),
                                 open_process(sim, polite, JP_PROCESS_CONTROL)};
    jp_sim_obeys(sim, stubborn, JP_SIM_NEVER, 0);
    jp_sim_obeys(sim, polite, 300, 7);
    assert_int_equal(ops_of(sim)->process_request_stop(held[0], &error), JP_E_UNSUPPORTED);
    assert_int_equal(ops_of(sim)->process_request_stop(held[1], &error), JP_OK);
    assert_int_equal(ops_of(sim)->process_request_stop(held[2], &error), JP_OK);
    assert_true(jp_sim_next_stir_ms(sim) == jp_sim_now_ms(sim) + 300);
    jp_sim_sleep(sim, 1000);
    jp_sim_pass(sim, 299);
    assert_true(jp_sim_alive(sim, polite));
    assert_int_equal(ops_of(sim)->process_freeze(held[2], true, &error), JP_OK);
    jp_sim_pass(sim, 100);
    assert_true(jp_sim_alive(sim, polite));
    assert_int_equal(ops_of(sim)->process_freeze(held[2], false, &error), JP_OK);
    jp_sim_pass(sim, 1);
    assert_true(jp_sim_fate(sim, polite, 0, &fate) && fate.end == JP_SIM_EXITED && fate.exit_code == 7);
    assert_true(jp_sim_next_stir_ms(sim) == UINT64_MAX);
    assert_true(jp_sim_alive(sim, deaf) && jp_sim_alive(sim, stubborn));
    assert_int_equal(jp_sim_asked(sim, stubborn), 1);
    for (size_t i = 0; i < 3; i++)
        ops_of(sim)->process_close(held[i]);
}

static void some_must_be_left_alone(void **state) {
    struct jp_sim *sim = *state;
    uint32_t pid = jp_sim_spawn(sim, 0, "lsass.exe");
    struct jp_process *seen = open_process(sim, pid, JP_PROCESS_OBSERVE);
    assert_false(ops_of(sim)->process_is_critical(seen) || ops_of(sim)->process_is_debugged(seen));
    jp_sim_fail_next(sim, "NtQueryInformationProcess", 5);
    assert_true(ops_of(sim)->process_is_critical(seen));
    assert_false(ops_of(sim)->process_is_critical(seen));
    jp_sim_critical(sim, pid);
    jp_sim_debug(sim, pid, true);
    assert_true(ops_of(sim)->process_is_critical(seen) && ops_of(sim)->process_is_debugged(seen));
    ops_of(sim)->process_close(seen);
}

static void the_error_mode_is_inherited(void **state) {
    struct jp_sim *sim = *state;
    struct jp_launch launch = {.command_line = "quiet.exe", .no_error_dialogs = true};
    struct jp_process *made;
    struct jp_process_facts facts;
    assert_int_equal(ops_of(sim)->process_launch(jp_sim_backend(sim), &launch, &made, &error), JP_OK);
    assert_int_equal(ops_of(sim)->process_facts(made, &facts, &error), JP_OK);
    assert_true(jp_sim_error_mode(sim, facts.pid));
    assert_true(jp_sim_error_mode(sim, jp_sim_spawn(sim, facts.pid, "child.exe")));
    assert_false(jp_sim_error_mode(sim, jp_sim_spawn(sim, 0, "other.exe")));
    jp_process_facts_clear(&facts);
    ops_of(sim)->process_close(made);
}

static void a_machine_that_sleeps_grows_older(void **state) {
    struct jp_sim *sim = *state;
    uint64_t awake = jp_sim_awake_ms(sim), total = jp_sim_now_ms(sim);
    int64_t wall = jp_sim_now_100ns(sim);
    jp_sim_sleep(sim, 3000);
    jp_sim_pass(sim, 10);
    assert_int_equal(jp_sim_awake_ms(sim), awake + 10);
    assert_int_equal(jp_sim_now_ms(sim), total + 3010);
    assert_true(jp_sim_now_100ns(sim) == wall + 30100000);
    jp_sim_shift_clock(sim, -3600000);
    assert_true(jp_sim_now_100ns(sim) < wall && jp_sim_now_ms(sim) == total + 3010);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_sim, close_sim)
    const struct CMUnitTest tests[] = {
        TEST(a_sample_has_everybody_at_once),  TEST(members_are_adjusted_by_a_handle_that_may), TEST(freezes_are_counted),
        TEST(processes_end_when_asked_or_not), TEST(some_must_be_left_alone),                   TEST(the_error_mode_is_inherited),
        TEST(a_machine_that_sleeps_grows_older),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
