/* From one run of the service to the next: what is kept, taken up, counted and told. */
#include "pool_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ONE "{\"one\": {}}"
#define PAIR "{\"one\": {}, \"two\": {\"parent\": \"one\"}}"

static void restart(struct pool_world *world, const char *config) { pool_world_restart(world, config); }

/* --- the keeper --- */

static uint32_t only_keeper(struct pool_world *world) {
    uint32_t pid = 0;
    assert_int_equal(jp_sim_keepers(world->sim, &pid, 1), 1);
    return pid;
}

static void a_service_without_members_has_no_keeper(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, ONE);
    deliver(world);
    assert_int_equal(jp_sim_keepers(world->sim, NULL, 0), 0);
    assert_int_equal(jp_pools_keeper(world->pools), 0);
}

static void the_keeper_holds_what_has_members_and_is_to_be_kept(void **state) {
    struct pool_world *world = *state;
    const char *names[4] = {NULL};
    pool_world_load(world, "{\"kept\": {}, \"ends\": {\"on_service_stop\": \"terminate\"}, \"idle\": {}}");
    launch(world, "ends", "tool.exe");
    assert_int_equal(jp_sim_keepers(world->sim, NULL, 0), 0);
    launch(world, "kept", "tool.exe");
    uint32_t keeper = only_keeper(world);
    assert_int_equal(jp_pools_keeper(world->pools), keeper);
    assert_int_equal(jp_ledger_keeper(world->ledger), keeper);
    assert_int_equal(jp_sim_kept_jobs(world->sim, keeper, names, 4), 1);
    assert_string_equal(names[0], "Global\\JobPool.kept");
}

static void a_keeper_that_dies_is_followed_by_another_at_once(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, ONE);
    launch(world, "one", "tool.exe");
    pass(world, 5000);
    uint32_t first = only_keeper(world);
    jp_sim_exit(world->sim, first, 1);
    deliver(world);
    uint32_t second = only_keeper(world);
    assert_true(second != first);
    assert_int_equal(jp_sim_kept_jobs(world->sim, second, NULL, 0), 1);
    assert_int_equal(jp_ledger_keeper(world->ledger), second);
    assert_int_equal(jp_ledger_count(world->ledger, "KEEPER_ENDED", "", 0), 1);

    for (int i = 0; i < 5; i++) { /* again and again: not in a hurry any more */
        jp_sim_exit(world->sim, only_keeper(world), 1);
        deliver(world);
    }
    assert_int_equal(jp_sim_keepers(world->sim, NULL, 0), 0);
    pass(world, 6000);
    only_keeper(world);
}

static void a_keeper_that_cannot_start_is_tried_again(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, ONE);
    jp_sim_fail_next(world->sim, "CreateKeeper", 5);
    launch(world, "one", "tool.exe");
    deliver(world);
    assert_int_equal(jp_pools_keeper(world->pools), 0);
    assert_int_equal(jp_ledger_count(world->ledger, "KEEPER_FAILED", "", 0), 1);
    pass(world, 6000);
    assert_int_equal(jp_sim_kept_jobs(world->sim, only_keeper(world), NULL, 0), 1);
}

static void a_job_that_it_cannot_hold_is_tried_again(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, ONE);
    jp_sim_fail_next(world->sim, "DuplicateHandle", 5);
    launch(world, "one", "tool.exe");
    assert_int_equal(jp_sim_kept_jobs(world->sim, only_keeper(world), NULL, 0), 0);
    pass(world, 6000);
    assert_int_equal(jp_sim_kept_jobs(world->sim, only_keeper(world), NULL, 0), 1);
}

static void the_last_pool_to_keep_takes_the_keeper_with_it(void **state) {
    struct pool_world *world = *state;
    struct jp_pool *pool;
    size_t ended;
    assert_int_equal(jp_pools_create(world->pools, "passing", &(struct jp_pool_spec){0}, false, &pool, &world->error), JP_OK);
    launch(world, "passing", "tool.exe");
    only_keeper(world);
    assert_int_equal(jp_pools_delete(world->pools, pool, true, &ended, &world->error), JP_OK);
    deliver(world);
    pass(world, 3000);
    assert_int_equal(jp_sim_keepers(world->sim, NULL, 0), 0);
    assert_int_equal(jp_pools_keeper(world->pools), 0);
    assert_int_equal(jp_ledger_keeper(world->ledger), 0);
}

static void a_change_of_mind_is_followed(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, ONE);
    launch(world, "one", "tool.exe");
    only_keeper(world);
    pool_world_load(world, "{\"one\": {\"on_service_stop\": \"terminate\"}}");
    deliver(world);
    assert_int_equal(jp_sim_keepers(world->sim, NULL, 0), 0);
    pool_world_load(world, ONE);
    assert_int_equal(jp_sim_kept_jobs(world->sim, only_keeper(world), NULL, 0), 1);
}

static void names_live_on_over_a_crash(void **state) {
    struct pool_world *world = *state;
    jp_sim_names_die(world->sim);
    pool_world_load(world, PAIR);
    uint32_t pid = launch(world, "two", "tool.exe");
    deliver(world);
    uint32_t first = only_keeper(world);
    pool_world_crash(world, PAIR);
    deliver(world);
    assert_true(jp_sim_in_job(world->sim, pid, "Global\\JobPool.two"));
    assert_int_equal(jp_sim_job_size(world->sim, "Global\\JobPool.two"), 1); /* the same job, not one beside it */
    expect_row(world, pid, "two", JP_ENDING_NONE, 0);
    assert_true(only_keeper(world) != first); /* the old one was dismissed */
    assert_int_equal(jp_sim_kept_jobs(world->sim, only_keeper(world), NULL, 0), 2);
}

static void the_old_keeper_stays_where_no_new_one_can_be_had(void **state) {
    struct pool_world *world = *state;
    jp_sim_names_die(world->sim);
    pool_world_load(world, ONE);
    launch(world, "one", "tool.exe");
    deliver(world);
    uint32_t first = only_keeper(world);
    jp_sim_fail_next(world->sim, "CreateKeeper", 5);
    pool_world_crash(world, ONE);
    assert_int_equal(only_keeper(world), first);
}

/* --- members --- */

static void members_of_a_pool_without_a_job_stay_its_members(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, ONE);
    uint32_t pid = launch(world, "one", "tool.exe");
    deliver(world);
    jp_ledger_commit(world->ledger);
    jp_sim_crash(world->sim);
    jp_sim_fail_next(world->sim, "CreateJobObject", 1450);
    pool_world_crash(world, ONE);
    assert_int_equal(pool_of(world, "one")->state, JP_POOL_FAILED);
    expect_row(world, pid, "one", JP_ENDING_NONE, 0);
    assert_int_equal(pool_of(world, "one")->member_count, 1);
    pool_world_load(world, ONE); /* a reload tries again */
    assert_int_equal(pool_of(world, "one")->state, JP_POOL_ACTIVE);
    assert_true(jp_sim_in_job(world->sim, pid, "Global\\JobPool.one"));
    jp_sim_exit(world->sim, pid, 3);
    deliver(world);
    pass(world, 3000);
    expect_row(world, pid, "one", JP_ENDING_EXITED, 3);
    assert_int_equal(jp_ledger_process_count(world->ledger), 1);
}

static void a_launch_on_record_is_carried_out(void **state) {
    struct pool_world *world = *state;
    struct jp_launch request = {.command_line = "tool.exe"};
    pool_world_load(world, ONE);
    jp_sim_fail_next(world->sim, "ResumeThread", 5);
    jp_sim_fail_next(world->sim, "TerminateProcess", 5); /* as if the service had died in between */
    join(world, "one", (struct jp_joining){.launch = &request});
    jp_ledger_commit(world->ledger);
    uint32_t pid = jp_ledger_process(world->ledger, 0)->facts.pid;
    assert_true(jp_sim_suspended(world->sim, pid));
    assert_true(jp_ledger_process(world->ledger, 0)->starting);
    pool_world_crash(world, ONE);
    assert_false(jp_sim_suspended(world->sim, pid));
    assert_false(jp_ledger_process(world->ledger, 0)->starting);
    expect_row(world, pid, "one", JP_ENDING_NONE, 0);
}

static void a_launch_that_was_not_recorded_does_not_wait_for_ever(void **state) {
    struct pool_world *world = *state;
    struct jp_launch request = {.command_line = "tool.exe"};
    uint32_t services[] = {4711, JP_SIM_SERVICE_PID}; /* the last of them was killed at its start */
    struct jp_accounts_start nothing = {.run = 3, .unclean = true, .service_pids = services, .service_pid_count = 2};
    pool_world_load(world, ONE);
    join(world, "one", (struct jp_joining){.launch = &request});
    uint32_t pid = jp_ledger_process(world->ledger, 0)->facts.pid;
    jp_ledger_break(world->ledger, true);
    jp_sim_fail_next(world->sim, "ResumeThread", 5);
    jp_sim_fail_next(world->sim, "TerminateProcess", 5);
    jp_ledger_commit(world->ledger);
    jp_ledger_break(world->ledger, false);
    assert_true(jp_sim_suspended(world->sim, pid));
    jp_sim_crash(world->sim);
    pool_world_begin(world, ONE, &nothing);
    assert_false(jp_sim_suspended(world->sim, pid));
}

/* --- clocks and counters --- */

static void the_pools_clock_goes_on(void **state) {
    static const char config[] = "{\"one\": {\"timeouts\": {\"pool_wall_clock\": \"60s\"}}}";
    struct pool_world *world = *state;
    pool_world_load(world, config);
    uint32_t first = launch(world, "one", "a.exe");
    pass(world, 40000);
    uint32_t second = launch(world, "one", "b.exe");
    jp_sim_exit(world->sim, first, 0); /* who began the run is not there any more when the service comes back */
    deliver(world);
    pool_world_crash(world, config);
    pass(world, 15000);
    assert_true(jp_sim_alive(world->sim, second));
    pass(world, 8000);
    assert_false(jp_sim_alive(world->sim, second));
}

static void an_idle_pools_clock_does_not(void **state) {
    static const char config[] = "{\"one\": {\"timeouts\": {\"pool_wall_clock\": \"60s\"}}}";
    struct pool_world *world = *state;
    pool_world_load(world, config);
    uint32_t first = launch(world, "one", "a.exe");
    pass(world, 40000);
    jp_sim_exit(world->sim, first, 0);
    deliver(world);
    restart(world, config);
    uint32_t second = launch(world, "one", "b.exe");
    pass(world, 40000);
    assert_true(jp_sim_alive(world->sim, second));
}

static void a_job_time_that_the_service_keeps_goes_on(void **state) {
    static const char config[] = "{\"one\": {\"limits\": {\"job_time\": \"10s\"}}}";
    struct pool_world *world = *state;
    pool_world_load(world, config);
    uint32_t first = launch(world, "one", "a.exe");
    jp_sim_grow_usage(world->sim, first, 70000000);
    look(world);
    jp_sim_exit(world->sim, first, 0);
    deliver(world);
    pool_world_crash(world, config);
    uint32_t second = launch(world, "one", "b.exe");
    jp_sim_grow_usage(world->sim, second, 20000000);
    pass(world, 2000);
    assert_true(jp_sim_alive(world->sim, second));
    jp_sim_grow_usage(world->sim, second, 20000000);
    pass(world, 2000);
    assert_false(jp_sim_alive(world->sim, second));
}

/* Whatever a damaged record says. */
static void times_that_nobody_recorded_do_no_harm(void **state) {
    struct pool_world *world = *state;
    struct jp_accounts_start start;
    pool_world_load(world, ONE);
    uint32_t pid = launch(world, "one", "a.exe");
    deliver(world);
    jp_sim_crash(world->sim);
    jp_ledger_start(world->ledger, &start);
    assert_int_equal(start.past_count, 1);
    start.pasts[0].job_time_used_100ns = start.pasts[0].busy_since_100ns = INT64_MIN;
    start.running[0].joined_100ns = INT64_MIN;
    start.last_run_ended_100ns = INT64_MIN;
    assert_int_equal(start.counter_count, 0);
    start.counters = jp_alloc(sizeof *start.counters);
    start.counters[start.counter_count++] = (struct jp_pool_counters){.name = jp_strdup("one"), .reset_100ns = INT64_MIN, .sampled_100ns = INT64_MIN};
    pool_world_begin(world, ONE, &start);
    jp_accounts_start_clear(&start);
    jp_pools_set_record_interval(world->pools, 1000);
    pass(world, 5000);
    assert_true(jp_sim_alive(world->sim, pid));
    assert_int_equal(pool_of(world, "one")->member_count, 1);
}

/* What is recorded for a job time that the service keeps is no use of this run's. */
static void what_is_told_as_used_begins_with_the_service(void **state) {
    struct pool_world *world = *state;
    struct jp_policy_totals totals;
    pool_world_load(world, ONE);
    uint32_t pid = launch(world, "one", "a.exe");
    jp_sim_grow_usage(world->sim, pid, 70000000);
    jp_sim_exit(world->sim, pid, 0);
    deliver(world);
    assert_int_equal(jp_pools_freeze(world->pools, pool_of(world, "one"), false, &world->error), JP_OK); /* which records it, with that */
    assert_int_equal(jp_pools_thaw(world->pools, pool_of(world, "one"), &world->error), JP_OK);
    restart(world, ONE);
    jp_pools_totals(world->pools, pool_of(world, "one"), &totals);
    assert_int_equal(totals.user_100ns, 0);
}

/* --- what nobody saw --- */

static uint64_t unobserved(struct pool_world *world, const char *pool) {
    uint64_t count = 0;
    for (size_t i = 0; i < jp_ledger_unobserved_count(world->ledger); i++)
        if (strcmp(jp_ledger_unobserved(world->ledger, i)->pool, pool) == 0)
            count += jp_ledger_unobserved(world->ledger, i)->processes;
    return count;
}

static void a_child_that_nobody_saw_is_counted(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, PAIR);
    uint32_t pid = launch(world, "two", "make.exe");
    deliver(world);
    jp_sim_crash(world->sim);
    uint32_t child = jp_sim_spawn(world->sim, pid, "cc.exe");
    jp_sim_grow_usage(world->sim, child, 30000000);
    jp_sim_exit(world->sim, child, 0);
    pool_world_crash(world, PAIR);
    pass(world, 5000);
    assert_int_equal(jp_ledger_unobserved_count(world->ledger), 1); /* once, though both jobs have counted it */
    assert_int_equal(unobserved(world, "two"), 1);
    assert_int_equal(jp_ledger_unobserved(world->ledger, 0)->user_100ns, 30000000);
    assert_int_equal(jp_ledger_count(world->ledger, "PROCESSES_UNOBSERVED", "two", 0), 1);
    pool_world_crash(world, PAIR); /* it is told already */
    pass(world, 5000);
    assert_int_equal(jp_ledger_unobserved_count(world->ledger), 1);
}

static void a_child_whose_messages_were_lost_is_counted(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, ONE);
    uint32_t pid = launch(world, "one", "make.exe");
    deliver(world);
    uint32_t child = jp_sim_spawn(world->sim, pid, "cc.exe");
    jp_sim_exit(world->sim, child, 0);
    jp_sim_queue_set(world->sim, NULL, 0);
    pass(world, 130000);
    assert_int_equal(unobserved(world, "one"), 1);
}

static void assert_not_ahead(struct pool_world *world) {
    const struct jp_unobserved_record *record = jp_ledger_unobserved(world->ledger, 0);
    assert_int_equal(jp_ledger_unobserved_count(world->ledger), 1);
    assert_true(record->from_100ns <= record->to_100ns);
    assert_true(record->to_100ns <= jp_sim_now_100ns(world->sim));
}

/* Else it would be counted in an hour that is still to come, and in no report until then. */
static void what_nobody_saw_is_of_no_later_time_when_the_clock_was_set_back(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, ONE);
    uint32_t pid = launch(world, "one", "make.exe");
    deliver(world);
    pass(world, 130000);
    jp_sim_shift_clock(world->sim, -86400000);
    uint32_t child = jp_sim_spawn(world->sim, pid, "cc.exe");
    jp_sim_exit(world->sim, child, 0);
    jp_sim_queue_set(world->sim, NULL, 0);
    pass(world, 3700000);
    assert_int_equal(unobserved(world, "one"), 1);
    assert_not_ahead(world);
}

static void nor_is_what_a_crash_left_unseen(void **state) {
    struct pool_world *world = *state;
    struct jp_accounts_start start;
    pool_world_load(world, ONE);
    uint32_t pid = launch(world, "one", "make.exe");
    deliver(world);
    int64_t last_commit_100ns = jp_sim_now_100ns(world->sim);
    jp_sim_crash(world->sim);
    uint32_t child = jp_sim_spawn(world->sim, pid, "cc.exe");
    jp_sim_exit(world->sim, child, 0);
    jp_sim_shift_clock(world->sim, -86400000);
    jp_ledger_start(world->ledger, &start);
    start.unclean = true;
    start.last_run_ended_100ns = last_commit_100ns; /* all that the rows say */
    pool_world_begin(world, ONE, &start);
    jp_accounts_start_clear(&start);
    pass(world, 5000);
    assert_int_equal(unobserved(world, "one"), 1);
    assert_not_ahead(world);
}

static void nobody_is_claimed_who_was_seen(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, PAIR);
    uint32_t pid = launch(world, "two", "make.exe");
    deliver(world);
    for (int i = 0; i < 5; i++) {
        uint32_t child = jp_sim_spawn(world->sim, pid, "cc.exe");
        jp_sim_grow_usage(world->sim, child, 1000);
        deliver(world);
        jp_sim_exit(world->sim, child, 0);
        deliver(world);
        pool_world_crash(world, PAIR);
        pass(world, 5000);
    }
    uint32_t other = jp_sim_spawn(world->sim, 0, "other.exe");
    assign(world, "two", other);
    restart(world, PAIR);
    pass(world, 130000);
    assert_int_equal(jp_ledger_unobserved_count(world->ledger), 0);
}

static void a_job_that_the_accounts_do_not_know_claims_nothing(void **state) {
    struct pool_world *world = *state;
    struct jp_accounts_start nothing = {.run = 2, .unclean = true};
    pool_world_load(world, ONE);
    uint32_t pid = launch(world, "one", "make.exe");
    uint32_t child = jp_sim_spawn(world->sim, pid, "cc.exe");
    deliver(world);
    jp_sim_exit(world->sim, child, 0);
    deliver(world);
    jp_sim_crash(world->sim);
    pool_world_begin(world, ONE, &nothing);
    pass(world, 5000);
    assert_int_equal(jp_ledger_unobserved_count(world->ledger), 0);
}

static void an_empty_job_that_was_there_claims_nothing(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, ONE);
    uint32_t pid = launch(world, "one", "tool.exe");
    deliver(world);
    jp_sim_hold_job(world->sim, "Global\\JobPool.one", true); /* another program keeps the job, not its members */
    jp_sim_exit(world->sim, pid, 0);
    deliver(world);
    pass(world, 3000);
    pool_world_begin(world, ONE, &(struct jp_accounts_start){.run = 2}); /* another database */
    launch(world, "one", "tool.exe");
    deliver(world);
    pass(world, 130000);
    assert_int_equal(jp_ledger_unobserved_count(world->ledger), 0);
    jp_sim_hold_job(world->sim, "Global\\JobPool.one", false);
}

/* --- pools on record --- */

static void a_pool_that_is_on_record_is_not_recorded_again(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, PAIR);
    assert_int_equal(jp_ledger_pool_records(world->ledger), 2);
    restart(world, PAIR);
    pool_world_crash(world, PAIR);
    assert_int_equal(jp_ledger_pool_records(world->ledger), 2);
    restart(world, "{\"one\": {}, \"two\": {}}"); /* not below it any more */
    assert_int_equal(jp_ledger_pool_records(world->ledger), 3);
    restart(world, "{\"one\": {}, \"two\": {}}");
    assert_int_equal(jp_ledger_pool_records(world->ledger), 3);
}

static void a_pool_that_was_made_with_persist_is_recorded_as_the_configs(void **state) {
    struct pool_world *world = *state;
    struct jp_pool_spec spec = {0};
    struct jp_pool *pool;
    struct jp_accounts_start start;
    pool_world_load(world, "{}");
    assert_int_equal(jp_pools_create(world->pools, "one", &spec, true, &pool, &world->error), JP_OK);
    restart(world, ONE);
    jp_ledger_start(world->ledger, &start);
    assert_int_equal(start.pool_count, 0); /* it has no definition any more */
    assert_int_equal(start.past_count, 1);
    jp_accounts_start_clear(&start);
}

/* --- the end --- */

static void those_that_end_with_the_service_are_asked_first(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"ends\": {\"on_service_stop\": \"terminate\", \"stop\": {\"grace\": \"5s\"}}, \"stays\": {}}");
    uint32_t polite = launch(world, "ends", "a.exe"), deaf = launch(world, "ends", "b.exe"), rude = launch(world, "ends", "c.exe");
    uint32_t kept = launch(world, "stays", "d.exe");
    jp_sim_obeys(world->sim, polite, 1000, 0);
    jp_sim_obeys(world->sim, rude, JP_SIM_NEVER, 0);
    deliver(world);
    assert_int_equal(jp_pools_longest_grace_ms(world->pools), 5000);
    assert_false(jp_pools_stop(world->pools));
    deliver(world);
    assert_false(jp_sim_alive(world->sim, deaf)); /* has nobody to ask */
    pass(world, 2000);
    deliver(world);
    assert_false(jp_pools_stop(world->pools));
    expect_row(world, polite, "ends", JP_ENDING_EXITED, 0);
    assert_true(jp_sim_alive(world->sim, rude));
    pass(world, 4000);
    deliver(world);
    pass(world, 1000);
    assert_true(jp_pools_stop(world->pools));
    assert_false(jp_sim_alive(world->sim, rude));
    expect_row(world, rude, "ends", JP_ENDING_TERMINATED, 1);
    assert_true(jp_sim_alive(world->sim, kept));
}

static void a_new_database_gets_all_that_is_there(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, PAIR);
    uint32_t pid = launch(world, "two", "tool.exe");
    deliver(world);
    jp_ledger_renew(world->ledger);
    jp_pools_record_all(world->pools);
    expect_row(world, pid, "two", JP_ENDING_NONE, 0);
    assert_int_equal(jp_ledger_keeper(world->ledger), jp_pools_keeper(world->pools));
    pool_world_crash(world, PAIR); /* all that the next run needs is in the new one */
    assert_int_equal(pool_of(world, "two")->member_count, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_world_open, pool_world_close)
#define FORGETFUL(name) cmocka_unit_test_setup_teardown(name, pool_world_open_forgetful, pool_world_close)
        TEST(a_service_without_members_has_no_keeper),
        TEST(the_keeper_holds_what_has_members_and_is_to_be_kept),
        TEST(a_keeper_that_dies_is_followed_by_another_at_once),
        TEST(a_keeper_that_cannot_start_is_tried_again),
        TEST(a_job_that_it_cannot_hold_is_tried_again),
        TEST(the_last_pool_to_keep_takes_the_keeper_with_it),
        TEST(a_change_of_mind_is_followed),
        TEST(names_live_on_over_a_crash),
        TEST(the_old_keeper_stays_where_no_new_one_can_be_had),
        TEST(members_of_a_pool_without_a_job_stay_its_members),
        TEST(a_launch_on_record_is_carried_out),
        TEST(a_launch_that_was_not_recorded_does_not_wait_for_ever),
        TEST(the_pools_clock_goes_on),
        TEST(an_idle_pools_clock_does_not),
        FORGETFUL(a_job_time_that_the_service_keeps_goes_on),
        FORGETFUL(times_that_nobody_recorded_do_no_harm),
        TEST(what_is_told_as_used_begins_with_the_service),
        TEST(a_child_that_nobody_saw_is_counted),
        TEST(a_child_whose_messages_were_lost_is_counted),
        TEST(what_nobody_saw_is_of_no_later_time_when_the_clock_was_set_back),
        TEST(nor_is_what_a_crash_left_unseen),
        TEST(nobody_is_claimed_who_was_seen),
        TEST(a_job_that_the_accounts_do_not_know_claims_nothing),
        TEST(an_empty_job_that_was_there_claims_nothing),
        TEST(a_pool_that_is_on_record_is_not_recorded_again),
        TEST(a_pool_that_was_made_with_persist_is_recorded_as_the_configs),
        TEST(those_that_end_with_the_service_are_asked_first),
        TEST(a_new_database_gets_all_that_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
