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

/* --- the keeper --- */

static struct jp_keeper *keeper_of(struct jp_sim *sim, uint64_t watch, uint32_t *ret_pid, int64_t *ret_start) {
    struct jp_keeper *keeper = NULL;
    assert_int_equal(ops_of(sim)->keeper_start(jp_sim_backend(sim), watch, &keeper, &error), JP_OK);
    ops_of(sim)->keeper_facts(keeper, ret_pid, ret_start);
    assert_true(jp_sim_alive(sim, *ret_pid) && jp_sim_start_time(sim, *ret_pid) == *ret_start);
    return keeper;
}

static bool told(struct jp_sim *sim, uint64_t watch) {
    struct jp_sim_item item;
    while (jp_sim_take(sim, &item, 1))
        if (item.message == 0 && item.key == watch)
            return true;
    return false;
}

static void a_keeper_keeps_a_name_after_a_crash(void **state) {
    struct jp_sim *sim = *state;
    const struct jp_backend_ops *ops = ops_of(sim);
    uint32_t pid, keepers[2];
    int64_t start;
    jp_sim_names_die(sim);
    struct jp_job *full = obtain(sim, "Global\\full", 16), *empty = obtain(sim, "Global\\empty", 17), *loose = obtain(sim, "Global\\loose", 18);
    uint32_t inside = member(sim, full), lost = member(sim, loose);
    struct jp_keeper *keeper = keeper_of(sim, 70, &pid, &start);
    assert_int_equal(ops->keeper_hold(keeper, full, &error), JP_OK);
    assert_int_equal(ops->keeper_hold(keeper, full, &error), JP_OK); /* no second handle */
    assert_int_equal(ops->keeper_hold(keeper, empty, &error), JP_OK);
    ops->keeper_let_go(keeper, loose); /* which it does not hold */
    const char *names[2];
    assert_int_equal(jp_sim_kept_jobs(sim, pid, names, 2), 2);
    assert_string_equal(names[0], "Global\\full");

    jp_sim_crash(sim);
    ops->keeper_let_go(keeper, full); /* the dead handles can only be closed */
    assert_int_not_equal(ops->keeper_hold(keeper, full, &error), JP_OK);
    ops->keeper_close(keeper);
    ops->job_close(full);
    ops->job_close(empty);
    ops->job_close(loose);
    assert_true(jp_sim_job_size(sim, "Global\\loose") == SIZE_MAX && jp_sim_alive(sim, lost));
    assert_int_equal(jp_sim_job_size(sim, "Global\\full"), 1);
    assert_int_equal(jp_sim_job_size(sim, "Global\\empty"), 0); /* it has not looked yet */
    jp_sim_pass(sim, 1000);
    assert_true(jp_sim_job_size(sim, "Global\\empty") == SIZE_MAX);
    assert_true(jp_sim_alive(sim, pid) && jp_sim_kept_jobs(sim, pid, NULL, 0) == 1);
    assert_int_equal(waiting(sim), 0); /* it has no port */

    struct jp_job_obtained again;
    assert_int_equal(ops->job_obtain(jp_sim_backend(sim), "Global\\full", 19, &again, &error), JP_OK);
    assert_true(again.existed && jp_sim_in_job(sim, inside, "Global\\full"));
    ops->job_close(again.job);
    jp_sim_exit(sim, inside, 0);
    jp_sim_pass(sim, 1000);
    assert_int_equal(jp_sim_keepers(sim, keepers, 2), 0);
    assert_true(jp_sim_job_size(sim, "Global\\full") == SIZE_MAX);
}

static void a_keeper_ends_with_the_last_job(void **state) {
    struct jp_sim *sim = *state;
    const struct jp_backend_ops *ops = ops_of(sim);
    uint32_t pid;
    int64_t start;
    struct jp_job *one = obtain(sim, "Global\\one", 16), *other = obtain(sim, "Global\\other", 17);
    struct jp_keeper *keeper = keeper_of(sim, 70, &pid, &start);
    jp_sim_pass(sim, 5000);
    assert_true(jp_sim_alive(sim, pid)); /* with its service there, it waits */
    ops->keeper_hold(keeper, one, &error);
    ops->keeper_hold(keeper, other, &error);
    jp_sim_pass(sim, 5000);
    assert_int_equal(jp_sim_kept_jobs(sim, pid, NULL, 0), 2); /* empty ones too */
    ops->keeper_let_go(keeper, one);
    assert_true(jp_sim_alive(sim, pid) && !told(sim, 70));
    ops->keeper_let_go(keeper, other);
    assert_true(!jp_sim_alive(sim, pid) && told(sim, 70));
    assert_int_equal(ops->keeper_hold(keeper, one, &error), JP_E_NO_PROCESS);
    ops->keeper_close(keeper);
    ops->job_close(one);
    ops->job_close(other);
}

static void a_keeper_that_is_killed_lets_go_first(void **state) {
    struct jp_sim *sim = *state;
    const struct jp_backend_ops *ops = ops_of(sim);
    uint32_t pid;
    int64_t start;
    jp_sim_names_die(sim);
    struct jp_job *job = obtain(sim, "Global\\a", 16);
    struct jp_job_info limits = {.class = JP_JOB_ExtendedLimitInformation,
                                 .extended_limits.basic.limit_flags = JP_JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    assert_int_equal(ops->job_set(job, &limits, &error), JP_OK);
    uint32_t inside = member(sim, job);
    struct jp_keeper *keeper = keeper_of(sim, 70, &pid, &start);
    assert_int_equal(ops->keeper_hold(keeper, job, &error), JP_OK);
    ops->job_close(job);
    assert_true(jp_sim_alive(sim, inside)); /* kill-on-close: not with one handle left */
    jp_sim_exit(sim, pid, 9);
    assert_true(told(sim, 70));
    assert_false(jp_sim_alive(sim, inside));
    assert_true(jp_sim_job_size(sim, "Global\\a") == SIZE_MAX);
    ops->keeper_close(keeper);
}

static void a_keeper_is_nobodys_to_take(void **state) {
    struct jp_sim *sim = *state;
    const struct jp_backend_ops *ops = ops_of(sim);
    struct jp_backend *backend = jp_sim_backend(sim);
    struct jp_process *process;
    uint32_t pid;
    int64_t start;
    struct jp_keeper *keeper = keeper_of(sim, 70, &pid, &start);
    assert_int_equal(ops->process_open(backend, pid, start, JP_PROCESS_ASSIGN, NULL, &process, &error), JP_E_DENIED);
    assert_int_equal(ops->process_open(backend, pid, start, JP_PROCESS_OBSERVE, NULL, &process, &error), JP_OK);
    assert_true(ops->process_is_critical(process));
    ops->process_close(process);
    ops->keeper_close(keeper);
}

static void the_keeper_of_the_earlier_run_is_dismissed(void **state) {
    struct jp_sim *sim = *state;
    const struct jp_backend_ops *ops = ops_of(sim);
    struct jp_backend *backend = jp_sim_backend(sim);
    uint32_t pid, other = jp_sim_spawn(sim, 0, "jobpoold.exe");
    int64_t start;
    struct jp_job *job = obtain(sim, "Global\\a", 16);
    uint32_t inside = member(sim, job);
    struct jp_keeper *keeper = keeper_of(sim, 70, &pid, &start);
    ops->keeper_hold(keeper, job, &error);
    jp_sim_crash(sim);
    ops->keeper_close(keeper);
    ops->job_close(job);
    assert_int_equal(ops->keeper_dismiss(backend, pid, start, &error), JP_E_SYSTEM); /* by the dead */
    backend = jp_sim_backend(sim);
    assert_int_equal(ops->keeper_dismiss(backend, pid, start + 1, &error), JP_E_NO_PROCESS);
    assert_int_equal(ops->keeper_dismiss(backend, other, jp_sim_start_time(sim, other), &error), JP_E_OTHER_PROCESS);
    assert_true(jp_sim_alive(sim, pid) && jp_sim_alive(sim, other));
    assert_int_equal(ops->keeper_dismiss(backend, pid, start, &error), JP_OK);
    assert_true(!jp_sim_alive(sim, pid) && jp_sim_alive(sim, inside));
    assert_int_equal(ops->keeper_dismiss(backend, pid, start, &error), JP_E_NO_PROCESS);
}

static void a_keeper_that_fails_leaves_nothing(void **state) {
    struct jp_sim *sim = *state;
    const struct jp_backend_ops *ops = ops_of(sim);
    struct jp_keeper *keeper = NULL;
    uint32_t pid;
    int64_t start;
    jp_sim_fail_next(sim, "CreateKeeper", 1450);
    assert_int_equal(ops->keeper_start(jp_sim_backend(sim), 70, &keeper, &error), JP_E_SYSTEM);
    jp_sim_fail_next(sim, "RegisterWaitForSingleObject", 1450);
    assert_int_equal(ops->keeper_start(jp_sim_backend(sim), 70, &keeper, &error), JP_E_SYSTEM);
    assert_true(keeper == NULL && jp_sim_keepers(sim, NULL, 0) == 0);
    struct jp_job *job = obtain(sim, "Global\\a", 16);
    keeper = keeper_of(sim, 71, &pid, &start);
    jp_sim_fail_next(sim, "DuplicateHandle", 1450);
    assert_int_equal(ops->keeper_hold(keeper, job, &error), JP_E_SYSTEM);
    assert_int_equal(error.win32, 1450);
    assert_int_equal(jp_sim_kept_jobs(sim, pid, NULL, 0), 0);
    ops->keeper_close(keeper);
    jp_sim_pass(sim, 1);
    assert_int_equal(jp_sim_keepers(sim, NULL, 0), 0); /* it had nothing to hold */
    ops->job_close(job);
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
        TEST(a_keeper_keeps_a_name_after_a_crash),
        TEST(a_keeper_ends_with_the_last_job),
        TEST(a_keeper_that_is_killed_lets_go_first),
        TEST(a_keeper_is_nobodys_to_take),
        TEST(the_keeper_of_the_earlier_run_is_dismissed),
        TEST(a_keeper_that_fails_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
