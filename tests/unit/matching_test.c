/* Programs that come into pools by themselves: which rule takes whom, who is never taken, what is told. */
#include "unit.h"

#include <stdio.h>

#include "pool_world.h"

#define MATCHED "PROCESS_MATCHED"
#define REFUSED "MATCH_REFUSED"

static uint32_t start(struct pool_world *world, struct jp_sim_child child) {
    uint32_t pid;
    assert_int_equal(jp_sim_spawn_child(world->sim, &child, &pid), 0);
    return pid;
}

static uint32_t run(struct pool_world *world, const char *image) { return start(world, (struct jp_sim_child){.image = image}); }

/* Loads the pools; what runs by then has been seen. */
static void open_rules(struct pool_world *world, const char *config) {
    assert_int_equal(pool_world_load(world, config), JP_OK);
    pass(world, 1000);
}

static void see(struct pool_world *world) {
    pass(world, 600);
    deliver(world);
}

static bool inside(struct pool_world *world, uint32_t pid, const char *pool) {
    struct jp_member *member;
    return jp_pools_find_process(world->pools, pid, 0, &member, &world->error) == JP_OK && strcmp(member->pool->name, pool) == 0;
}

/* --- who is taken --- */

static void a_new_process_is_taken_within_a_tick(void **state) {
    struct pool_world *world = *state;
    uint32_t old = run(world, "cl.exe");
    open_rules(world, "{\"p\": {\"match\": [{\"image\": \"link.exe\"}, {\"image\": \"CL.exe\"}]}}");
    uint32_t pid = run(world, "cl.exe"), other = run(world, "notepad.exe");
    see(world);
    assert_true(inside(world, pid, "p"));
    assert_true(jp_sim_in_job(world->sim, pid, "Global\\JobPool.p"));
    assert_false(inside(world, other, "p") || inside(world, old, "p")); /* who ran before stays where it is */
    assert_int_equal(jp_ledger_count(world->ledger, MATCHED, NULL, 0), 1);
    assert_int_equal(jp_ledger_count(world->ledger, MATCHED, "p", pid), 1);
    assert_string_equal(jp_ledger_last(world->ledger, MATCHED)->detail, "match[1]");
    expect_row(world, pid, "p", JP_ENDING_NONE, 0);
    see(world);
    assert_int_equal(jp_ledger_count(world->ledger, MATCHED, NULL, 0), 1);
}

static void its_children_follow_by_inheritance(void **state) {
    struct pool_world *world = *state;
    open_rules(world, "{\"p\": {\"match\": [{\"image\": \"make.exe\"}]}, \"q\": {\"match\": [{\"image\": \"cl.exe\"}]}}");
    uint32_t make = run(world, "make.exe");
    see(world);
    uint32_t child = jp_sim_spawn(world->sim, make, "cl.exe");
    deliver(world);
    see(world);
    assert_true(inside(world, child, "p")); /* and the rule of q does not ask for it */
    assert_int_equal(jp_ledger_count(world->ledger, MATCHED, NULL, child), 0);
}

static void children_from_before_are_looked_at_on_their_own(void **state) {
    struct pool_world *world = *state;
    open_rules(world, "{\"p\": {\"match\": [{\"image\": \"make.exe\"}, {\"parent\": \"make.exe\"}]}}");
    uint32_t make = run(world, "make.exe"), child = jp_sim_spawn(world->sim, make, "cl.exe"), grandchild = jp_sim_spawn(world->sim, child, "c1.exe");
    see(world);
    assert_true(inside(world, make, "p") && inside(world, child, "p"));
    assert_false(inside(world, grandchild, "p"));
}

static void each_key_is_asked(void **state) {
    struct pool_world *world = *state;
    struct jp_principal *ci = jp_sim_user(world->sim, "DOMAIN\\ci", 1);
    open_rules(world, "{\"i\": {\"match\": [{\"image\": \"image.*\"}]}, \"pa\": {\"match\": [{\"path\": \"C:\\\\ci\\\\**\"}]},"
                      " \"u\": {\"match\": [{\"user\": \"domain\\\\CI\", \"image\": \"mine.exe\"}]}, \"c\": {\"match\": [{\"command_line\": \"*--batch*\"}]},"
                      " \"pp\": {\"match\": [{\"parent\": \"agent.exe\"}]}}");
    uint32_t agent = run(world, "agent.exe");
    see(world);
    uint32_t image = run(world, "image.com"), path = start(world, (struct jp_sim_child){.image = "a.exe", .folder = "c:\\CI\\x\\y"}),
             user = start(world, (struct jp_sim_child){.image = "mine.exe", .token = ci}), not_user = run(world, "mine.exe"),
             not_image = start(world, (struct jp_sim_child){.image = "his.exe", .token = ci}),
             command = start(world, (struct jp_sim_child){.image = "b.exe", .command_line = "b.exe C:\\dir\\f.txt --batch -x"}),
             child = jp_sim_spawn(world->sim, agent, "work.exe");
    see(world);
    assert_true(inside(world, image, "i") && inside(world, path, "pa") && inside(world, user, "u") && inside(world, command, "c") && inside(world, child, "pp"));
    assert_false(inside(world, not_user, "u") || inside(world, not_image, "u"));
    jp_sim_principal_free(world->sim, ci);
}

static void the_first_pool_wins_and_the_default_comes_last(void **state) {
    struct pool_world *world = *state;
    open_rules(world, "{\"a\": {\"default\": true}, \"m\": {\"match\": [{\"image\": \"x*.exe\"}], \"exclude\": [{\"command_line\": \"*--not*\"}]},"
                      " \"n\": {\"match\": [{\"image\": \"x.exe\"}, {\"image\": \"y.exe\"}]}}");
    uint32_t x = run(world, "x.exe"), y = run(world, "y.exe"), z = run(world, "z.exe"),
             excluded = start(world, (struct jp_sim_child){.image = "x.exe", .command_line = "x.exe --not"});
    see(world);
    assert_true(inside(world, x, "m") && inside(world, y, "n") && inside(world, z, "a") && inside(world, excluded, "n"));
    assert_string_equal(jp_ledger_find(world->ledger, z)->pool, "a");
}

static void without_rules_nobody_is_looked_at(void **state) {
    struct pool_world *world = *state;
    open_rules(world, "{\"a\": {}}");
    run(world, "x.exe");
    pass(world, 10000);
    assert_int_equal(jp_sim_sample_count(world->sim), 0);
    open_rules(world, "{\"a\": {\"match\": [{\"image\": \"x.exe\"}]}}");
    uint32_t pid = run(world, "x.exe");
    see(world);
    assert_true(inside(world, pid, "a"));
    open_rules(world, "{\"a\": {}}");
    uint64_t samples = jp_sim_sample_count(world->sim);
    jp_sim_exit(world->sim, pid, 0);
    deliver(world);
    pass(world, 10000);
    assert_true(jp_sim_sample_count(world->sim) <= samples + 1);
}

static void a_reused_pid_is_another_process(void **state) {
    struct pool_world *world = *state;
    jp_sim_reuse_pids(world->sim, true);
    open_rules(world, "{\"p\": {\"match\": [{\"image\": \"x.exe\"}]}}");
    uint32_t other = run(world, "other.exe");
    see(world);
    jp_sim_exit(world->sim, other, 0);
    uint32_t pid = run(world, "x.exe");
    assert_int_equal(pid, other);
    see(world);
    assert_true(inside(world, pid, "p"));
}

/* Its parent has ended, and that one's pid is the agent's by now. */
static void a_parent_is_older_than_its_child(void **state) {
    struct pool_world *world = *state;
    jp_sim_reuse_pids(world->sim, true);
    open_rules(world, "{\"p\": {\"match\": [{\"parent\": \"agent.exe\"}]}}");
    uint32_t parent = run(world, "explorer.exe");
    see(world);
    uint32_t child = jp_sim_spawn(world->sim, parent, "work.exe");
    jp_sim_pass(world->sim, 1);
    jp_sim_exit(world->sim, parent, 0);
    assert_int_equal(run(world, "agent.exe"), parent);
    see(world);
    assert_false(inside(world, child, "p"));
}

/* --- who is not --- */

static void some_are_never_taken(void **state) {
    struct pool_world *world = *state;
    open_rules(world, "{\"p\": {\"default\": true}}");
    uint32_t critical = run(world, "lsass.exe"), protected = run(world, "antivirus.exe"), pid = run(world, "x.exe");
    jp_sim_critical(world->sim, critical);
    jp_sim_protect(world->sim, protected);
    for (int i = 0; i < 5; i++)
        see(world);
    assert_false(inside(world, critical, "p") || inside(world, protected, "p"));
    assert_false(jp_sim_in_job(world->sim, critical, "Global\\JobPool.p") || jp_sim_in_job(world->sim, protected, "Global\\JobPool.p"));
    assert_true(inside(world, pid, "p"));
    assert_true(jp_ledger_count(world->ledger, REFUSED, "p", critical) <= 1);
    assert_int_equal(jp_ledger_count(world->ledger, "ENFORCEMENT_FAILED", NULL, 0), 0);
}

static void a_single_session_is_not_left(void **state) {
    struct pool_world *world = *state;
    struct jp_principal *two = jp_sim_user(world->sim, "SIM\\user", 2);
    open_rules(world, "{\"p\": {\"match\": [{\"image\": \"x.exe\"}], \"sessions\": \"single\"}, \"q\": {\"match\": [{\"image\": \"y.exe\"}]}}");
    uint32_t first = run(world, "x.exe"), first_y = run(world, "y.exe");
    see(world);
    uint32_t other = start(world, (struct jp_sim_child){.image = "x.exe", .token = two}), other_y = start(world, (struct jp_sim_child){.image = "y.exe", .token = two});
    see(world);
    see(world);
    assert_true(inside(world, first, "p") && inside(world, first_y, "q") && inside(world, other_y, "q"));
    assert_false(inside(world, other, "p"));
    assert_int_equal(jp_ledger_count(world->ledger, REFUSED, "p", other), 1);
    jp_sim_principal_free(world->sim, two);
}

/* Its job has others in it that are not in ours, so ours, which has members, cannot be nested there. */
static void one_in_anothers_job_is_told_of_once(void **state) {
    struct pool_world *world = *state;
    const struct jp_backend_ops *ops = jp_sim_backend(world->sim)->ops;
    struct jp_job *foreign;
    struct jp_process *process;
    bool existed;
    assert_int_equal(ops->job_create(jp_sim_backend(world->sim), &(struct jp_job_naming){.name = "Global\\Foreign"}, &foreign, &existed, &world->error), JP_OK);
    open_rules(world, "{\"p\": {\"match\": [{\"image\": \"x.exe\"}]}, \"e\": {\"match\": [{\"image\": \"y.exe\"}]}}");
    launch(world, "p", "inside.exe");
    deliver(world);
    uint32_t pid = run(world, "x.exe"), nests = run(world, "y.exe");
    uint32_t both[] = {pid, nests};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ops->process_open(jp_sim_backend(world->sim), both[i], 0, JP_PROCESS_ASSIGN, NULL, &process, &world->error), JP_OK);
        assert_int_equal(ops->job_assign(foreign, process, &world->error), JP_OK);
        ops->process_close(process);
    }
    for (int i = 0; i < 10; i++)
        see(world);
    assert_false(inside(world, pid, "p"));
    assert_int_equal(jp_ledger_count(world->ledger, REFUSED, "p", pid), 1);
    assert_true(inside(world, nests, "e")); /* an empty job becomes a child of the other's */
    ops->job_close(foreign);
}

static void a_full_pool_takes_no_more(void **state) {
    struct pool_world *world = *state;
    open_rules(world, "{\"p\": {\"match\": [{\"image\": \"x.exe\"}], \"limits\": {\"active_processes\": 1}, \"when_full\": \"wait\"}}");
    uint32_t first = run(world, "x.exe");
    see(world);
    uint32_t second = run(world, "x.exe");
    see(world);
    see(world);
    assert_true(inside(world, first, "p"));
    assert_true(jp_sim_alive(world->sim, second));
    assert_int_equal(jp_ledger_count(world->ledger, REFUSED, "p", second), 1);
    assert_int_equal(pool_of(world, "p")->queue_length, 0);
}

static void a_failure_that_passes_is_tried_again(void **state) {
    struct pool_world *world = *state;
    open_rules(world, "{\"p\": {\"match\": [{\"image\": \"x.exe\"}]}}");
    uint32_t pid = start(world, (struct jp_sim_child){.image = "x.exe"});
    jp_sim_fail_next(world->sim, "OpenProcess", 8); /* no memory, for a moment */
    for (int i = 0; i < 4; i++)
        see(world);
    assert_true(inside(world, pid, "p"));
}

static void who_is_still_being_made_is_looked_at_again(void **state) {
    struct pool_world *world = *state;
    open_rules(world, "{\"p\": {\"match\": [{\"image\": \"x.exe\"}]}}");
    uint32_t pid = jp_sim_spawn_unborn(world->sim, 0, "x.exe");
    see(world);
    jp_sim_bear(world->sim, pid);
    see(world);
    see(world);
    assert_true(inside(world, pid, "p"));
    assert_int_equal(jp_ledger_count(world->ledger, MATCHED, "p", pid), 1);
}

/* --- asked for --- */

struct answers {
    size_t count, fits;
    uint32_t pid;
    char pool[64], why[200];
};

static void on_matched(void *context, const struct jp_matched *matched) {
    struct answers *answers = context;
    answers->count++;
    answers->fits += matched->pool && !matched->why;
    answers->pid = matched->pid;
    snprintf(answers->pool, sizeof answers->pool, "%s", matched->pool ? matched->pool->name : "");
    snprintf(answers->why, sizeof answers->why, "%s", matched->why ? matched->why : "");
}

static void a_dry_run_changes_nothing(void **state) {
    struct pool_world *world = *state;
    uint32_t old = run(world, "x.exe"), other = run(world, "other.exe"), critical = run(world, "x.exe");
    jp_sim_critical(world->sim, critical);
    open_rules(world, "{\"p\": {\"match\": [{\"image\": \"x.exe\"}]}}");
    struct answers answers = {0};
    assert_int_equal(jp_pools_match(world->pools, 0, false, on_matched, &answers, &world->error), JP_OK);
    assert_int_equal(answers.count, 3);
    assert_int_equal(answers.fits, 1);
    assert_int_equal(jp_pools_match(world->pools, critical, false, on_matched, &answers, &world->error), JP_OK);
    assert_int_equal(answers.pid, critical);
    assert_true(answers.why[0] != '\0');
    assert_int_equal(jp_pools_match(world->pools, other, false, on_matched, &answers, &world->error), JP_OK);
    assert_string_equal(answers.pool, "");
    assert_int_equal(jp_pools_match(world->pools, 77777, false, on_matched, &answers, &world->error), JP_E_NO_PROCESS);
    assert_false(inside(world, old, "p"));
    assert_int_equal(jp_pools_match(world->pools, 0, true, on_matched, &answers, &world->error), JP_OK);
    deliver(world);
    assert_true(inside(world, old, "p"));
    assert_false(inside(world, critical, "p"));
    jp_sim_fail_next(world->sim, "NtQuerySystemInformation", 1450);
    assert_int_equal(jp_pools_match(world->pools, 0, true, on_matched, &answers, &world->error), JP_E_SYSTEM);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_world_open, pool_world_close)
    const struct CMUnitTest tests[] = {
        TEST(a_new_process_is_taken_within_a_tick),
        TEST(its_children_follow_by_inheritance),
        TEST(children_from_before_are_looked_at_on_their_own),
        TEST(each_key_is_asked),
        TEST(the_first_pool_wins_and_the_default_comes_last),
        TEST(without_rules_nobody_is_looked_at),
        TEST(a_reused_pid_is_another_process),
        TEST(a_parent_is_older_than_its_child),
        TEST(some_are_never_taken),
        TEST(a_single_session_is_not_left),
        TEST(one_in_anothers_job_is_told_of_once),
        TEST(a_full_pool_takes_no_more),
        TEST(a_failure_that_passes_is_tried_again),
        TEST(who_is_still_being_made_is_looked_at_again),
        TEST(a_dry_run_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
