/* What the simulated kernel can do that no Windows does when asked: faults, chance, a crash of its owner. The rules that it keeps are
 * in tests/rules/. */
#include "kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct jp_error error;

static int open_sim(void **state) {
    *state = jp_sim_new();
    jp_sim_seed(*state, 1);
    return 0;
}

static int close_sim(void **state) {
    jp_sim_free(*state);
    return 0;
}

static const struct jp_backend_ops *ops_of(struct jp_sim *sim) { return jp_sim_backend(sim)->ops; }

static struct jp_job *obtain(struct jp_sim *sim, const char *name, uint64_t key) {
    struct jp_job_obtained obtained;
    assert_int_equal(ops_of(sim)->job_obtain(jp_sim_backend(sim), name, key, &obtained, &error), JP_OK);
    return obtained.job;
}

static uint32_t member(struct jp_sim *sim, struct jp_job *job) {
    struct jp_process *process;
    uint32_t pid = jp_sim_spawn(sim, 0, "tool.exe");
    assert_int_equal(ops_of(sim)->process_open(jp_sim_backend(sim), pid, 0, JP_PROCESS_ASSIGN, NULL, &process, &error), JP_OK);
    assert_int_equal(ops_of(sim)->job_assign(job, process, &error), JP_OK);
    ops_of(sim)->process_close(process);
    return pid;
}

static size_t waiting(struct jp_sim *sim) {
    size_t count;
    jp_sim_queue(sim, &count);
    return count;
}

/* --- weather --- */

static void messages_get_lost(void **state) {
    struct jp_sim *sim = *state;
    struct jp_job *job = obtain(sim, "Global\\a", 16);
    uint32_t pid = member(sim, job);
    jp_sim_queue_set(sim, NULL, 0);
    jp_sim_weather(sim, &(struct jp_sim_weather){.lose_per_mille = 1000});
    struct jp_process *process;
    assert_int_equal(ops_of(sim)->process_open(jp_sim_backend(sim), pid, 0, JP_PROCESS_OBSERVE, NULL, &process, &error), JP_OK);
    assert_int_equal(ops_of(sim)->process_watch(process, 77, &error), JP_OK);
    jp_sim_exit(sim, pid, 0);
    struct jp_sim_item item;
    assert_int_equal(jp_sim_take(sim, &item, 1), 1); /* the end of a watched process is no message */
    assert_true(item.key == 77 && item.message == 0);
    assert_int_equal(waiting(sim), 0);
    ops_of(sim)->process_close(process);
    ops_of(sim)->job_close(job);
}

static void messages_come_twice(void **state) {
    struct jp_sim *sim = *state;
    struct jp_job *job = obtain(sim, "Global\\a", 16);
    jp_sim_weather(sim, &(struct jp_sim_weather){.double_per_mille = 1000});
    uint32_t pid = member(sim, job);
    struct jp_sim_item items[4];
    assert_int_equal(jp_sim_take(sim, items, 4), 2);
    assert_int_equal(items[0].pid, pid);
    assert_int_equal(items[1].pid, pid);
    ops_of(sim)->job_close(job);
}

static void messages_come_late(void **state) {
    struct jp_sim *sim = *state;
    struct jp_job *job = obtain(sim, "Global\\a", 16);
    jp_sim_weather(sim, &(struct jp_sim_weather){.delay_per_mille = 1000, .delay_ms = 50});
    uint32_t late = member(sim, job);
    jp_sim_weather(sim, NULL);
    uint32_t prompt = member(sim, job);
    struct jp_sim_item item;
    assert_int_equal(jp_sim_due(sim), 1);
    assert_int_equal(jp_sim_take(sim, &item, 1), 1);
    assert_int_equal(item.pid, prompt); /* nobody waits for the late one */
    assert_int_equal(jp_sim_take(sim, &item, 1), 0);
    uint64_t due = jp_sim_next_due_ms(sim);
    assert_in_range(due, jp_sim_now_ms(sim) + 1, jp_sim_now_ms(sim) + 50);
    jp_sim_pass(sim, due - jp_sim_now_ms(sim));
    assert_int_equal(jp_sim_take(sim, &item, 1), 1);
    assert_int_equal(item.pid, late);
    assert_true(jp_sim_next_due_ms(sim) == UINT64_MAX);
    ops_of(sim)->job_close(job);
}

static void messages_change_places(void **state) {
    struct jp_sim *sim = *state;
    struct jp_job *job = obtain(sim, "Global\\a", 16);
    uint32_t first = member(sim, job);
    jp_sim_weather(sim, &(struct jp_sim_weather){.swap_per_mille = 1000});
    uint32_t second = member(sim, job);
    struct jp_sim_item items[2];
    assert_int_equal(jp_sim_take(sim, items, 2), 2);
    assert_int_equal(items[0].pid, second);
    assert_int_equal(items[1].pid, first);
    ops_of(sim)->job_close(job);
}

/* The keys and pids of what comes out of a stormy minute. */
static size_t storm(uint64_t seed, struct jp_sim_item *items, size_t room) {
    struct jp_sim *sim = jp_sim_new();
    struct jp_job *job = obtain(sim, "Global\\a", 16);
    jp_sim_seed(sim, seed);
    jp_sim_weather(sim, &(struct jp_sim_weather){300, 300, 300, 300, 20});
    for (int i = 0; i < 20; i++)
        jp_sim_exit(sim, member(sim, job), (uint32_t)i);
    jp_sim_pass(sim, 100);
    size_t count = jp_sim_take(sim, items, room);
    ops_of(sim)->job_close(job);
    jp_sim_free(sim);
    return count;
}

static void a_seed_tells_all(void **state) {
    (void)state;
    static struct jp_sim_item one[200], same[200], other[200];
    size_t counts[] = {storm(7, one, 200), storm(7, same, 200), storm(8, other, 200)};
    assert_int_equal(counts[0], counts[1]);
    assert_memory_equal(one, same, sizeof one);
    assert_true(counts[0] != counts[2] || memcmp(one, other, sizeof one) != 0);
}

/* --- calls that fail --- */

static void calls_fail_once(void **state) {
    struct jp_sim *sim = *state;
    struct jp_job *job = obtain(sim, "Global\\a", 16);
    struct jp_job_info info;
    jp_sim_fail_next(sim, "QueryInformationJobObject", 1450);
    jp_sim_fail_next(sim, "TerminateJobObject", 5);
    assert_int_equal(ops_of(sim)->job_query(job, JP_JOB_BasicLimitInformation, &info, &error), JP_E_SYSTEM);
    assert_int_equal(error.win32, 1450);
    assert_int_equal(ops_of(sim)->job_query(job, JP_JOB_BasicLimitInformation, &info, &error), JP_OK);
    uint32_t pid = member(sim, job);
    assert_int_equal(ops_of(sim)->job_terminate(job, 1, &error), JP_E_SYSTEM);
    assert_true(jp_sim_alive(sim, pid));
    assert_int_equal(ops_of(sim)->job_terminate(job, 1, &error), JP_OK);
    assert_false(jp_sim_alive(sim, pid));
    ops_of(sim)->job_close(job);
}

static void calls_fail_now_and_then(void **state) {
    struct jp_sim *sim = *state;
    struct jp_job *job = obtain(sim, "Global\\a", 16);
    struct jp_job_info info;
    int failed = 0;
    jp_sim_fail_often(sim, NULL, 1450, 250);
    for (int i = 0; i < 400; i++)
        failed += ops_of(sim)->job_query(job, JP_JOB_BasicLimitInformation, &info, &error) != JP_OK;
    assert_in_range(failed, 60, 140);
    jp_sim_fail_often(sim, NULL, 1450, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(ops_of(sim)->job_query(job, JP_JOB_BasicLimitInformation, &info, &error), JP_OK);
    ops_of(sim)->job_close(job);
}

/* --- pids --- */

static void a_pid_is_used_again_at_once(void **state) {
    struct jp_sim *sim = *state;
    struct jp_sim_fate fate;
    jp_sim_reuse_pids(sim, true);
    uint32_t first = jp_sim_spawn(sim, 0, "one.exe");
    int64_t born = jp_sim_start_time(sim, first);
    jp_sim_exit(sim, first, 3);
    uint32_t second = jp_sim_spawn(sim, 0, "two.exe");
    assert_int_equal(first, second);
    assert_true(jp_sim_start_time(sim, second) != born);
    assert_true(jp_sim_fate(sim, first, born, &fate) && fate.end == JP_SIM_EXITED && fate.exit_code == 3);
    assert_true(jp_sim_fate(sim, first, 0, &fate) && fate.end == JP_SIM_ALIVE);
}

static void a_pid_is_not_given_away_while_it_is_held(void **state) {
    struct jp_sim *sim = *state;
    uint32_t held, next;
    jp_sim_reuse_pids(sim, true);
    assert_int_equal(jp_sim_spawn_child(sim, &(struct jp_sim_child){.image = "held.exe", .held = true}, &held), 0);
    jp_sim_exit(sim, held, 0);
    next = jp_sim_spawn(sim, 0, "next.exe");
    assert_true(next != held);
    jp_sim_let_go(sim, held);
    assert_int_equal(jp_sim_spawn(sim, 0, "again.exe"), held);
}

/* --- the end of the owner --- */

static void a_crash_leaves_handles_that_can_only_be_closed(void **state) {
    struct jp_sim *sim = *state;
    const struct jp_backend_ops *ops = ops_of(sim);
    struct jp_job *job = obtain(sim, "Global\\a", 16), *forgotten = obtain(sim, "Global\\b", 17);
    uint32_t pid = member(sim, job), code;
    struct jp_process *process, *lost;
    struct jp_process_facts facts;
    assert_int_equal(ops->process_open(jp_sim_backend(sim), pid, 0, JP_PROCESS_TERMINATE, NULL, &process, &error), JP_OK);
    assert_int_equal(ops->process_open(jp_sim_backend(sim), pid, 0, JP_PROCESS_OBSERVE, NULL, &lost, &error), JP_OK);
    jp_sim_crash(sim);
    assert_int_equal(waiting(sim), 0);
    assert_int_equal(ops->job_terminate(job, 1, &error), JP_E_SYSTEM);
    assert_int_equal(error.win32, 6);
    assert_int_equal(ops->process_terminate(process, 1, &error), JP_E_SYSTEM);
    assert_int_equal(ops->process_facts(process, &facts, &error), JP_E_SYSTEM);
    assert_false(ops->process_exited(process, &code));
    assert_true(jp_sim_alive(sim, pid));
    ops->job_close(job);
    ops->process_close(process);
    (void)forgotten; /* goes with the machine, as does `lost` */
    (void)lost;
    struct jp_job *again = obtain(sim, "Global\\a", 18); /* the next run of the service */
    struct jp_sim_item item;
    assert_int_equal(jp_sim_take(sim, &item, 1), 1);
    assert_true(item.key == 18 && item.message == JP_MSG_NEW_PROCESS && item.pid == pid);
    ops->job_close(again);
}

static void a_job_that_another_program_holds_outlives_a_crash(void **state) {
    struct jp_sim *sim = *state;
    struct jp_job *job = obtain(sim, "Global\\a", 16);
    struct jp_job_info limits = {.class = JP_JOB_ExtendedLimitInformation,
                                 .extended_limits.basic.limit_flags = JP_JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    jp_sim_names_die(sim);
    assert_int_equal(ops_of(sim)->job_set(job, &limits, &error), JP_OK);
    uint32_t pid = member(sim, job);
    jp_sim_hold_job(sim, "Global\\a", true);
    jp_sim_crash(sim);
    assert_true(jp_sim_alive(sim, pid));
    uint32_t child = jp_sim_spawn(sim, pid, "child.exe");
    assert_int_equal(waiting(sim), 0); /* there is no port */
    jp_sim_hold_job(sim, "Global\\a", false);
    assert_false(jp_sim_alive(sim, pid) || jp_sim_alive(sim, child));
    assert_true(jp_sim_job_size(sim, "Global\\a") == SIZE_MAX);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_sim, close_sim)
    const struct CMUnitTest tests[] = {
        TEST(messages_get_lost),
        TEST(messages_come_twice),
        TEST(messages_come_late),
        TEST(messages_change_places),
        TEST(a_seed_tells_all),
        TEST(calls_fail_once),
        TEST(calls_fail_now_and_then),
        TEST(a_pid_is_used_again_at_once),
        TEST(a_pid_is_not_given_away_while_it_is_held),
        TEST(a_crash_leaves_handles_that_can_only_be_closed),
        TEST(a_job_that_another_program_holds_outlives_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
