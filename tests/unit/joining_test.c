/* The way into a pool: room and who waits for it, sessions, and the security limits that the service keeps itself. */
#include "unit.h"

#include "pool_world.h"

#include "base/units.h"

static struct jp_principal *user_in(struct pool_world *world, uint32_t session) {
    return jp_sim_user(world->sim, "SIM\\user", session);
}

static uint32_t spawn_in(struct pool_world *world, uint32_t session) {
    struct jp_principal *user = user_in(world, session);
    uint32_t pid;
    assert_int_equal(jp_sim_spawn_child(world->sim, &(struct jp_sim_child){.image = "tool.exe", .token = user}, &pid), 0);
    jp_sim_principal_free(world->sim, user);
    return pid;
}

/* --- room --- */

static void a_full_pool_refuses_and_leaves_the_process_alone(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"active_processes\": 1}}}");
    launch(world, "p", "first.exe");
    uint32_t pid = jp_sim_spawn(world->sim, 0, "second.exe");
    assign(world, "p", pid);
    assert_int_equal(world->joined_status, JP_E_POOL_FULL);
    assert_string_equal(world->error.text, "pool \"p\" is full: 1 of 1 processes");
    assert_true(jp_sim_alive(world->sim, pid));
    assert_false(jp_sim_in_job(world->sim, pid, "Global\\JobPool.p"));
}

static void kill_leaves_it_to_windows(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"active_processes\": 1}, \"when_full\": \"kill\"}}");
    launch(world, "p", "first.exe");
    uint32_t pid = jp_sim_spawn(world->sim, 0, "second.exe");
    assign(world, "p", pid);
    assert_int_equal(world->joined_status, JP_E_POOL_FULL);
    assert_int_equal(world->error.win32, 1816);
    assert_false(jp_sim_alive(world->sim, pid));
    assert_int_equal(jp_pool_total_members(pool_of(world, "p")), 1);
}

static void those_who_wait_come_in_in_their_order(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"active_processes\": 1}, \"when_full\": \"wait\"}}");
    uint32_t first = launch(world, "p", "first.exe"), waiting[3];
    for (size_t i = 0; i < 3; i++) {
        waiting[i] = jp_sim_spawn(world->sim, 0, "next.exe");
        assert_non_null(join(world, "p", (struct jp_joining){.pid = waiting[i]}));
    }
    struct jp_launch request = {.command_line = "last.exe"};
    assert_non_null(join(world, "p", (struct jp_joining){.launch = &request}));
    assert_int_equal(pool_of(world, "p")->queue_length, 4);
    uint32_t inside = first;
    for (size_t i = 0; i < 3; i++) {
        int calls = world->joined_calls;
        jp_sim_exit(world->sim, inside, 0);
        deliver(world);
        deliver(world);
        assert_int_equal(world->joined_calls, calls + 1);
        assert_int_equal(world->joined_status, JP_OK);
        assert_int_equal(world->joined.facts.pid, waiting[i]);
        inside = waiting[i];
    }
    jp_sim_exit(world->sim, inside, 0);
    deliver(world);
    deliver(world);
    assert_int_equal(world->joined_status, JP_OK);
    assert_string_equal(world->joined.facts.command_line, "last.exe"); /* its text was copied */
    assert_int_equal(pool_of(world, "p")->queue_length, 0);
}

static void who_waits_is_told_when_the_time_is_over(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"active_processes\": 1}, \"when_full\": \"wait\", \"wait_timeout\": \"10s\"}}");
    launch(world, "p", "first.exe");
    uint32_t one = jp_sim_spawn(world->sim, 0, "one.exe"), other = jp_sim_spawn(world->sim, 0, "other.exe");
    int calls = world->joined_calls;
    assert_non_null(join(world, "p", (struct jp_joining){.pid = one}));
    assert_non_null(join(world, "p", (struct jp_joining){.pid = other, .timeout_100ns = 20000000}));
    pass(world, 1900);
    assert_int_equal(world->joined_calls, calls);
    pass(world, 200);
    assert_int_equal(world->joined_calls, calls + 1);
    assert_int_equal(world->joined_status, JP_E_TIMEOUT);
    pass(world, 8000);
    assert_int_equal(world->joined_calls, calls + 2);
    assert_int_equal(world->joined_status, JP_E_TIMEOUT);
    assert_true(jp_sim_alive(world->sim, one) && jp_sim_alive(world->sim, other));
}

static void a_caller_that_leaves_waits_no_more(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"active_processes\": 1}, \"when_full\": \"wait\"}}");
    uint32_t first = launch(world, "p", "first.exe");
    uint32_t one = jp_sim_spawn(world->sim, 0, "one.exe"), other = jp_sim_spawn(world->sim, 0, "other.exe");
    struct jp_queued *queued = join(world, "p", (struct jp_joining){.pid = one});
    assert_non_null(join(world, "p", (struct jp_joining){.pid = other}));
    jp_pools_queue_cancel(world->pools, queued);
    jp_sim_exit(world->sim, first, 0);
    deliver(world);
    deliver(world);
    assert_int_equal(world->joined.facts.pid, other);
    assert_false(jp_sim_in_job(world->sim, one, "Global\\JobPool.p"));
}

static void one_that_ended_while_it_waited_is_told_so(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"active_processes\": 1}, \"when_full\": \"wait\"}}");
    uint32_t first = launch(world, "p", "first.exe"), one = jp_sim_spawn(world->sim, 0, "one.exe");
    assert_non_null(join(world, "p", (struct jp_joining){.pid = one}));
    jp_sim_exit(world->sim, one, 0);
    jp_sim_exit(world->sim, first, 0);
    deliver(world);
    deliver(world);
    assert_int_equal(world->joined_status, JP_E_NO_PROCESS);
}

static void more_room_lets_those_who_wait_in(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"active_processes\": 1}, \"when_full\": \"wait\"}}");
    launch(world, "p", "first.exe");
    uint32_t one = jp_sim_spawn(world->sim, 0, "one.exe");
    assert_non_null(join(world, "p", (struct jp_joining){.pid = one}));
    pool_world_load(world, "{\"p\": {\"limits\": {\"active_processes\": 2}, \"when_full\": \"wait\"}}");
    jp_ledger_commit(world->ledger);
    assert_int_equal(world->joined.facts.pid, one);
}

static void who_waits_for_a_deleted_pool_is_told(void **state) {
    struct pool_world *world = *state;
    struct jp_pool *pool;
    struct jp_pool_spec spec = {.present = JP_SCHEMA_BIT(JP_POOL_WHEN_FULL), .when_full = JP_WHEN_FULL_WAIT};
    size_t count;
    spec.limits = (struct jp_limits){.present = JP_SCHEMA_BIT(JP_LIMIT_ACTIVE_PROCESSES), .active_processes = 1};
    assert_int_equal(jp_pools_create(world->pools, "t", &spec, false, &pool, &world->error), JP_OK);
    launch(world, "t", "first.exe");
    uint32_t one = jp_sim_spawn(world->sim, 0, "one.exe");
    assert_non_null(join(world, "t", (struct jp_joining){.pid = one}));
    assert_int_equal(jp_pools_delete(world->pools, pool, true, &count, &world->error), JP_OK);
    deliver(world);
    pass(world, 1000);
    assert_int_equal(world->joined_status, JP_E_NO_POOL);
    assert_true(jp_sim_alive(world->sim, one));
}

static void a_job_time_that_is_used_up_takes_nobody(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"job_time\": \"1s\"}}}");
    uint32_t first = launch(world, "p", "first.exe");
    jp_sim_grow_usage(world->sim, first, 2 * JP_100NS_PER_S);
    deliver(world);
    assert_false(jp_sim_alive(world->sim, first));
    uint32_t pid = jp_sim_spawn(world->sim, 0, "second.exe");
    assign(world, "p", pid);
    assert_int_equal(world->joined_status, JP_E_JOB_TIME);
    assert_true(jp_sim_alive(world->sim, pid));
    pool_world_load(world, "{\"p\": {\"limits\": {\"job_time\": \"5s\"}}}"); /* set anew: the clock starts again */
    assign(world, "p", pid);
    assert_int_equal(world->joined_status, JP_OK);
}

static void changing_other_limits_keeps_the_job_clock(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"limits\": {\"job_time\": \"5s\"}}}");
    uint32_t pid = launch(world, "p", "first.exe");
    jp_sim_grow_usage(world->sim, pid, 3 * JP_100NS_PER_S);
    pool_world_load(world, "{\"p\": {\"limits\": {\"job_time\": \"5s\", \"active_processes\": 9}}}");
    jp_sim_grow_usage(world->sim, pid, 3 * JP_100NS_PER_S);
    assert_false(jp_sim_alive(world->sim, pid));
    uint32_t other = jp_sim_spawn(world->sim, 0, "other.exe");
    pool_world_load(world, "{\"p\": {}}"); /* lifted again */
    assign(world, "p", other);
    assert_int_equal(world->joined_status, JP_OK);
    jp_sim_grow_usage(world->sim, other, 60 * (uint64_t)JP_100NS_PER_S);
    assert_true(jp_sim_alive(world->sim, other));
    deliver(world);
}

/* --- sessions --- */

static void each_session_gets_a_job_of_its_own(void **state) {
    struct pool_world *world = *state;
    struct jp_job_info info;
    pool_world_load(world, "{\"top\": {}, \"p\": {\"parent\": \"top\", \"limits\": {\"active_processes\": 1}}}");
    uint32_t one = spawn_in(world, 1), two = spawn_in(world, 2), three = spawn_in(world, 2);
    assign(world, "p", one);
    assign(world, "p", two);
    assert_int_equal(world->joined_status, JP_OK);
    assert_true(jp_sim_in_job(world->sim, one, "Global\\JobPool.p"));
    assert_true(jp_sim_in_job(world->sim, two, "Global\\JobPool.p#2"));
    assert_true(jp_sim_in_job(world->sim, two, "Global\\JobPool.top#2"));
    assign(world, "p", three); /* the limit counts for each session */
    assert_int_equal(world->joined_status, JP_E_POOL_FULL);
    assert_int_equal(pool_of(world, "p")->job_count, 2);
    assert_int_equal(jp_pools_query_job(world->pools, pool_of(world, "top"), JP_JOB_BasicAccountingInformation, &info, &world->error), JP_OK);
    assert_int_equal(info.accounting.total_processes, 2);
    assert_int_equal(jp_pools_query_job(world->pools, pool_of(world, "p"), JP_JOB_BasicProcessIdList, &info, &world->error), JP_OK);
    assert_int_equal(info.pids.count, 2);
    jp_job_info_clear(&info);
    jp_sim_exit(world->sim, two, 0);
    deliver(world);
    pass(world, 3000);
    assert_int_equal(pool_of(world, "p")->job_count, 1); /* nobody of that session is left; what it counted stays */
    jp_pools_query_job(world->pools, pool_of(world, "top"), JP_JOB_BasicAccountingInformation, &info, &world->error);
    assert_int_equal(info.accounting.total_processes, 2);
    expect_row(world, two, "p", JP_ENDING_EXITED, 0);
}

static void a_pool_of_a_single_session_refuses_others(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"sessions\": \"single\"}}");
    uint32_t one = spawn_in(world, 3), two = spawn_in(world, 4);
    assign(world, "p", one);
    assign(world, "p", two);
    assert_int_equal(world->joined_status, JP_E_SESSION);
    assert_non_null(strstr(world->error.text, "session 3"));
    assert_true(jp_sim_alive(world->sim, two));
    jp_sim_exit(world->sim, one, 0);
    deliver(world);
    pass(world, 3000);
    assign(world, "p", two); /* it is nobody's any more */
    assert_int_equal(world->joined_status, JP_OK);
    assert_true(jp_sim_in_job(world->sim, two, "Global\\JobPool.p"));
}

static void a_launch_is_in_the_session_of_who_asks(void **state) {
    struct pool_world *world = *state;
    struct jp_principal *user = user_in(world, 7);
    struct jp_launch request = {.command_line = "tool.exe", .principal = user};
    pool_world_load(world, "{\"p\": {}}");
    launch(world, "p", "first.exe");
    join(world, "p", (struct jp_joining){.launch = &request});
    jp_ledger_commit(world->ledger);
    assert_int_equal(world->joined_status, JP_OK);
    assert_true(jp_sim_in_job(world->sim, world->joined.facts.pid, "Global\\JobPool.p#7"));
    jp_sim_principal_free(world->sim, user);
}

static void a_launch_at_once_does_not_wait_for_the_disk(void **state) {
    struct pool_world *world = *state;
    struct jp_launch request = {.command_line = "tool.exe"};
    pool_world_load(world, "{\"p\": {}}");
    join(world, "p", (struct jp_joining){.launch = &request});
    assert_int_equal(world->joined_calls, 0); /* the others do */
    jp_ledger_commit(world->ledger);
    assert_int_equal(world->joined_calls, 1);

    join(world, "p", (struct jp_joining){.launch = &request, .at_once = true});
    assert_int_equal(world->joined_calls, 2);
    assert_int_equal(world->joined_status, JP_OK);
    assert_false(jp_sim_suspended(world->sim, world->joined.facts.pid));
    jp_ledger_commit(world->ledger);
    assert_false(jp_ledger_find(world->ledger, world->joined.facts.pid)->starting);
}

static void settings_reach_the_jobs_of_all_sessions_or_none(void **state) {
    struct pool_world *world = *state;
    struct jp_backend *backend = jp_sim_backend(world->sim);
    struct jp_job_extended_limits limits;
    struct jp_process *process;
    struct jp_job *below;
    bool existed;
    pool_world_load(world, "{\"p\": {}}");
    assign(world, "p", spawn_in(world, 1));
    uint32_t two = spawn_in(world, 2);
    assign(world, "p", two);
    struct jp_pool_spec change = {.present = JP_SCHEMA_BIT(JP_POOL_LIMITS),
                                  .limits = {.present = JP_SCHEMA_BIT(JP_LIMIT_JOB_MEMORY), .job_memory_bytes = 1 << 24}};
    assert_int_equal(jp_pools_update(world->pools, pool_of(world, "p"), &change, &world->error), JP_OK);
    jp_sim_job_limits(world->sim, "Global\\JobPool.p#2", &limits);
    assert_int_equal(limits.job_memory_limit_bytes, 1 << 24);

    /* Somebody nests a job below that of session 2: UI limits can be set on the first, and not on the second. */
    assert_int_equal(backend->ops->job_create(backend, &(struct jp_job_naming){0}, &below, &existed, &world->error), JP_OK);
    assert_int_equal(backend->ops->process_open(backend, two, 0, JP_PROCESS_ASSIGN, NULL, &process, &world->error), JP_OK);
    assert_int_equal(backend->ops->job_assign(below, process, &world->error), JP_OK);
    change = (struct jp_pool_spec){.present = JP_SCHEMA_BIT(JP_POOL_UI), .ui = 1};
    assert_true(jp_pools_update(world->pools, pool_of(world, "p"), &change, &world->error) != JP_OK);
    assert_int_equal(jp_sim_job_ui(world->sim, "Global\\JobPool.p"), 0);
    assert_int_equal(pool_of(world, "p")->spec.ui, 0);
    backend->ops->process_close(process);
    backend->ops->job_close(below);
}

static void sessions_are_found_again_after_a_restart(void **state) {
    struct pool_world *world = *state;
    static const char config[] = "{\"p\": {}}";
    pool_world_load(world, config);
    uint32_t one = spawn_in(world, 1), two = spawn_in(world, 2);
    assign(world, "p", two);
    assign(world, "p", one);
    deliver(world);
    pool_world_restart(world, config);
    assert_int_equal(jp_pool_total_members(pool_of(world, "p")), 2);
    assert_int_equal(jp_pool_session_members(pool_of(world, "p"), 2), 1);
    jp_sim_exit(world->sim, one, 3);
    jp_sim_exit(world->sim, two, 4);
    deliver(world);
    pass(world, 3000);
    expect_row(world, one, "p", JP_ENDING_EXITED, 3);
    expect_row(world, two, "p", JP_ENDING_EXITED, 4);
}

/* --- sessions that are over, or seem to be --- */

/* Two sessions have been in the pool, the second's job has told that it is empty, and `left` is in it all the same. Nothing told of him. */
static uint32_t leave_somebody(struct pool_world *world) {
    pool_world_load(world, "{\"p\": {}}");
    assign(world, "p", spawn_in(world, 1));
    uint32_t two = spawn_in(world, 2);
    assign(world, "p", two);
    deliver(world);
    pass(world, 3000);
    uint32_t left = jp_sim_spawn(world->sim, two, "left.exe");
    jp_sim_exit(world->sim, two, 0);
    jp_sim_queue_drop(world->sim, JP_MSG_NEW_PROCESS);
    struct jp_sim_item zero = {.key = pool_of(world, "p")->jobs[1]->key, .message = JP_MSG_ACTIVE_PROCESS_ZERO};
    jp_sim_queue_push(world->sim, &zero); /* from before he came */
    deliver(world);
    return left;
}

static void who_is_left_in_a_sessions_job_is_looked_for(void **state) {
    struct pool_world *world = *state;
    uint32_t left = leave_somebody(world);
    pass(world, 2000);
    assert_int_equal(jp_pool_session_members(pool_of(world, "p"), 2), 1);
    assert_int_equal(pool_of(world, "p")->job_count, 2);
    jp_sim_exit(world->sim, left, 3);
    deliver(world);
    pass(world, 3000);
    assert_int_equal(pool_of(world, "p")->job_count, 1);
    expect_row(world, left, "p", JP_ENDING_EXITED, 3);
}

static const struct jp_backend_ops *sound_ops;
static size_t counts_asked;

/* Whoever the kernel counts there, its list has nobody. */
static jp_status count_a_ghost(struct jp_job *job, enum jp_job_class class, struct jp_job_info *ret_info, struct jp_error *error) {
    jp_status status = sound_ops->job_query(job, class, ret_info, error);
    if (status == JP_OK && class == JP_JOB_BasicAccountingInformation && !ret_info->accounting.active_processes) {
        ret_info->accounting.active_processes = 1;
        counts_asked++;
    }
    return status;
}

static void a_job_that_never_gets_empty_is_asked_less_and_less(void **state) {
    enum { HOUR_MS = 3600000 };
    struct pool_world *world = *state;
    struct jp_backend *backend = jp_sim_backend(world->sim);
    struct jp_backend_ops ops = *backend->ops;
    sound_ops = backend->ops;
    ops.job_query = count_a_ghost;
    uint32_t left = leave_somebody(world);
    backend->ops = &ops;
    jp_sim_exit(world->sim, left, 0);
    deliver(world);
    pass(world, HOUR_MS);
    counts_asked = 0;
    pass(world, HOUR_MS);
    assert_in_range(counts_asked, 0, 2);
    assert_int_equal(pool_of(world, "p")->job_count, 2);
    backend->ops = sound_ops;
    pass(world, 3 * HOUR_MS);
    assert_int_equal(pool_of(world, "p")->job_count, 1);
}

/* --- security limits --- */

static void no_admin_takes_no_administrators(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"security\": [\"no_admin\"]}}");
    uint32_t pid = jp_sim_spawn(world->sim, 0, "admin.exe");
    assign(world, "p", pid);
    assert_int_equal(world->joined_status, JP_E_DENIED);
    assert_false(jp_sim_in_job(world->sim, pid, "Global\\JobPool.p"));
    assign(world, "p", jp_sim_spawn(world->sim, 0, "tool.exe"));
    assert_int_equal(world->joined_status, JP_OK);
}

static void only_token_launches_with_its_account_and_takes_nobody_who_runs(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world, "{\"p\": {\"security\": {\"limits\": [\"only_token\"], \"account\": \"local_service\"}}, \"q\": {\"security\": [\"only_token\"]}}");
    assign(world, "p", jp_sim_spawn(world->sim, 0, "tool.exe"));
    assert_int_equal(world->joined_status, JP_E_DENIED);
    uint32_t pid = launch(world, "p", "tool.exe");
    assert_non_null(strstr(jp_sim_token(world->sim, pid)->user, "LOCAL SERVICE"));
    struct jp_launch request = {.command_line = "tool.exe"};
    join(world, "q", (struct jp_joining){.launch = &request}); /* no account, and no token given yet */
    assert_int_equal(world->joined_status, JP_E_DENIED);
    assert_non_null(strstr(world->error.text, "only_token"));
}

static void a_given_token_is_used_until_another_is_set(void **state) {
    struct pool_world *world = *state;
    struct jp_principal *admin = jp_sim_admin(world->sim, "SIM\\root", 1), *token;
    uint32_t model = jp_sim_spawn(world->sim, 0, "model.exe");
    struct jp_security security = {.present = JP_SCHEMA_BIT(JP_SECURITY_LIMITS), .limits = JP_JOB_OBJECT_SECURITY_ONLY_TOKEN};
    pool_world_load(world, "{\"p\": {}}");
    struct jp_backend *backend = jp_sim_backend(world->sim);
    assert_int_equal(backend->ops->token_of_process(backend, model, admin, &token, &world->error), JP_OK);
    assert_int_equal(jp_pools_set_security(world->pools, pool_of(world, "p"), &security, token, model, &world->error), JP_OK);
    uint32_t pid = launch(world, "p", "tool.exe");
    assert_string_equal(jp_sim_token(world->sim, pid)->user, jp_sim_token(world->sim, model)->user);
    security.limits = 0;
    assert_int_equal(jp_pools_set_security(world->pools, pool_of(world, "p"), &security, NULL, 0, &world->error), JP_OK);
    assert_null(pool_of(world, "p")->token);
    assign(world, "p", jp_sim_spawn(world->sim, 0, "tool.exe"));
    assert_int_equal(world->joined_status, JP_OK);
    jp_sim_principal_free(world->sim, admin);
}

static void filters_of_the_whole_chain_apply(void **state) {
    struct pool_world *world = *state;
    pool_world_load(world,
                    "{\"top\": {\"security\": {\"limits\": [\"filter_tokens\"], \"filter\": {\"privileges_to_delete\": [\"SeShutdownPrivilege\"]}}},"
                    "\"p\": {\"parent\": \"top\", \"security\": {\"limits\": [\"filter_tokens\"], \"filter\": {\"sids_to_disable\": [\"S-1-5-32-544\"]}}}}");
    uint32_t pid = launch(world, "p", "tool.exe");
    assert_int_equal(jp_sim_token(world->sim, pid)->disabled_sids, 1);
    assert_int_equal(jp_sim_token(world->sim, pid)->deleted_privileges, 1);
    assign(world, "p", jp_sim_spawn(world->sim, 0, "tool.exe"));
    assert_int_equal(world->joined_status, JP_E_DENIED);
}

/* --- UI limits and nesting --- */

static void ui_limits_and_nesting_exclude_each_other(void **state) {
    struct pool_world *world = *state;
    struct jp_pool_spec change = {.present = JP_SCHEMA_BIT(JP_POOL_UI), .ui = 1};
    assert_int_equal(pool_world_load(world, "{\"top\": {\"ui\": [\"handles\"]}, \"p\": {\"parent\": \"top\"}}"), JP_E_PARAMS);
    assert_int_equal(pool_world_load(world, TREE), JP_OK);
    assert_int_equal(jp_pools_update(world->pools, pool_of(world, "root"), &change, &world->error), JP_E_PARAMS);
    assert_int_equal(jp_pools_update(world->pools, pool_of(world, "a"), &change, &world->error), JP_E_PARAMS);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, pool_world_open, pool_world_close)
    const struct CMUnitTest tests[] = {
        TEST(a_full_pool_refuses_and_leaves_the_process_alone),
        TEST(kill_leaves_it_to_windows),
        TEST(those_who_wait_come_in_in_their_order),
        TEST(who_waits_is_told_when_the_time_is_over),
        TEST(a_caller_that_leaves_waits_no_more),
        TEST(one_that_ended_while_it_waited_is_told_so),
        TEST(more_room_lets_those_who_wait_in),
        TEST(who_waits_for_a_deleted_pool_is_told),
        TEST(a_job_time_that_is_used_up_takes_nobody),
        TEST(changing_other_limits_keeps_the_job_clock),
        TEST(each_session_gets_a_job_of_its_own),
        TEST(a_pool_of_a_single_session_refuses_others),
        TEST(a_launch_is_in_the_session_of_who_asks),
        TEST(a_launch_at_once_does_not_wait_for_the_disk),
        TEST(settings_reach_the_jobs_of_all_sessions_or_none),
        TEST(sessions_are_found_again_after_a_restart),
        TEST(who_is_left_in_a_sessions_job_is_looked_for),
        TEST(a_job_that_never_gets_empty_is_asked_less_and_less),
        TEST(no_admin_takes_no_administrators),
        TEST(only_token_launches_with_its_account_and_takes_nobody_who_runs),
        TEST(a_given_token_is_used_until_another_is_set),
        TEST(filters_of_the_whole_chain_apply),
        TEST(ui_limits_and_nesting_exclude_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
