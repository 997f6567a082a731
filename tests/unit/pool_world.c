#include "pool_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int64_t now_100ns(void *context) { return jp_sim_now_100ns(((struct pool_world *)context)->sim); }
static uint64_t now_ms(void *context) { return jp_sim_now_ms(((struct pool_world *)context)->sim); }

static uint64_t awake_ms(void *context) { return jp_sim_awake_ms(((struct pool_world *)context)->sim); }

static void on_event(void *context, const struct jp_event *event) {
    struct pool_world *world = context;
    if (world->on_event)
        world->on_event(world->event_context, event);
}

static void open_pools(struct pool_world *world, const struct jp_accounts_start *start) {
    struct jp_pools_surroundings surroundings = {.backend = jp_sim_backend(world->sim), .accounts = jp_ledger_accounts(world->ledger),
                                                 .context = world, .now_100ns = now_100ns, .now_ms = now_ms, .awake_ms = awake_ms,
                                                 .total_ms = now_ms, .on_event = on_event};
    world->pools = jp_pools_new(&surroundings, start);
}

int pool_world_open(void **state) {
    struct pool_world *world = jp_alloc(sizeof *world);
    world->sim = jp_sim_new();
    world->ledger = jp_ledger_new();
    open_pools(world, &(struct jp_accounts_start){0});
    *state = world;
    return 0;
}

int pool_world_open_forgetful(void **state) {
    const uint32_t kept = JP_JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JP_JOB_OBJECT_LIMIT_BREAKAWAY_OK | JP_JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
    pool_world_open(state);
    struct pool_world *world = *state;
    jp_sim_forget_limits(world->sim, ~kept);
    jp_sim_capabilities(world->sim)->notify = JP_ENFORCED_BY_NONE;
    jp_sim_capabilities(world->sim)->limits[JP_LIMIT_CPU_RATE] = JP_ENFORCED_BY_NONE;
    jp_sim_capabilities(world->sim)->limits[JP_LIMIT_NETWORK_RATE] = JP_ENFORCED_BY_NONE;
    return 0;
}

int pool_world_close(void **state) {
    struct pool_world *world = *state;
    jp_ledger_commit(world->ledger);
    jp_pools_free(world->pools);
    jp_ledger_free(world->ledger);
    jp_sim_free(world->sim);
    jp_process_record_clear(&world->joined);
    jp_free(world);
    return 0;
}

static void load_again(struct pool_world *world, const char *config, const struct jp_accounts_start *start) {
    jp_pools_free(world->pools);
    jp_sim_queue_set(world->sim, NULL, 0); /* the port died with the service */
    open_pools(world, start);
    assert_int_equal(pool_world_load(world, config), JP_OK);
}

void pool_world_begin(struct pool_world *world, const char *config, const struct jp_accounts_start *start) {
    load_again(world, config, start);
    jp_pools_adopt(world->pools, start);
}

static void start_again(struct pool_world *world, const char *config, bool unclean) {
    struct jp_accounts_start start;
    jp_ledger_start(world->ledger, &start);
    start.unclean = unclean;
    pool_world_begin(world, config, &start);
    jp_accounts_start_clear(&start);
}

void pool_world_restart(struct pool_world *world, const char *config) {
    jp_ledger_commit(world->ledger);
    start_again(world, config, false);
}

void pool_world_crash(struct pool_world *world, const char *config) {
    jp_ledger_commit(world->ledger);
    jp_sim_crash(world->sim); /* what is done to the old pools from now on reaches nobody */
    start_again(world, config, true);
}

void pool_world_crash_twice(struct pool_world *world, const char *config) {
    struct jp_accounts_start start;
    jp_ledger_commit(world->ledger);
    jp_sim_crash(world->sim);
    jp_ledger_start(world->ledger, &start);
    start.unclean = true;
    load_again(world, config, &start);
    jp_accounts_start_clear(&start);
    pool_world_crash(world, config);
}

jp_status pool_world_load(struct pool_world *world, const char *pools_json) {
    static const struct jp_json_rules rules = {.max_bytes = 1 << 20, .max_depth = 16};
    struct jp_json json;
    struct jp_json_place place;
    struct jp_faults faults = {0};
    struct jp_schema_context context = {.faults = &faults};
    struct jp_reload_result result;
    assert_int_equal(jp_json_parse(pools_json, strlen(pools_json), &rules, &json, &place, &world->error), JP_OK);
    size_t count = 0;
    struct jp_named_spec *specs = jp_alloc(((size_t)cJSON_GetArraySize(json.root) + 1) * sizeof *specs);
    const cJSON *item;
    cJSON_ArrayForEach(item, json.root) {
        specs[count].name = jp_strdup(item->string);
        assert_true(jp_schema_read(&context, jp_pool_fields, item, item->string, &specs[count].spec));
        count++;
    }
    jp_status status = jp_pools_load(world->pools, specs, count, &result, &world->error);
    if (status == JP_OK)
        jp_reload_result_clear(&result);
    for (size_t i = 0; i < count; i++) {
        jp_free(specs[i].name);
        jp_schema_clear(jp_pool_fields, &specs[i].spec);
    }
    jp_free(specs);
    jp_json_free(&json);
    return status;
}

struct jp_pool *pool_of(struct pool_world *world, const char *name) {
    struct jp_pool *pool = jp_pools_find(world->pools, name);
    assert_non_null(pool);
    return pool;
}

void deliver(struct pool_world *world) {
    jp_sim_deliver(world->sim, world->pools);
    jp_ledger_commit(world->ledger);
}

void look(struct pool_world *world) {
    struct jp_backend *backend = jp_sim_backend(world->sim);
    struct jp_samples samples = {0};
    struct jp_error error;
    jp_status status = backend->ops->sample(backend, &samples, &error);
    jp_pools_on_sample(world->pools, status, &samples, &error);
    jp_ledger_commit(world->ledger);
}

void pass(struct pool_world *world, uint64_t ms) {
    for (uint64_t passed = 0; passed < ms; passed += 50) {
        jp_sim_pass(world->sim, 50);
        jp_pools_on_time(world->pools);
        if (jp_pools_next_sample_ms(world->pools) <= jp_sim_now_ms(world->sim))
            look(world);
    }
    jp_ledger_commit(world->ledger);
}

void on_joined(void *context, jp_status status, const struct jp_error *error, const struct jp_process_record *record, uint64_t seq) {
    struct pool_world *world = context;
    (void)seq;
    world->joined_calls++;
    world->joined_status = status;
    jp_process_record_clear(&world->joined);
    if (status)
        world->error = *error;
    else
        jp_process_record_copy(record, &world->joined);
}

void on_waited(void *context, const struct jp_process_record *record) {
    struct pool_world *world = context;
    world->waited_calls++;
    world->waited_pid = record ? record->facts.pid : 0;
}

struct jp_queued *join(struct pool_world *world, const char *pool, struct jp_joining joining) {
    joining.pool = pool_of(world, pool);
    joining.callback = on_joined;
    joining.context = world;
    return jp_pools_join(world->pools, &joining);
}

void assign(struct pool_world *world, const char *pool, uint32_t pid) {
    int calls = world->joined_calls;
    assert_null(join(world, pool, (struct jp_joining){.pid = pid}));
    jp_ledger_commit(world->ledger);
    assert_int_equal(world->joined_calls, calls + 1);
}

uint32_t launch(struct pool_world *world, const char *pool, const char *image) {
    struct jp_launch request = {.command_line = image};
    int calls = world->joined_calls;
    assert_null(join(world, pool, (struct jp_joining){.launch = &request}));
    jp_ledger_commit(world->ledger);
    assert_int_equal(world->joined_calls, calls + 1);
    assert_int_equal(world->joined_status, JP_OK);
    return world->joined.facts.pid;
}

void expect_row(struct pool_world *world, uint32_t pid, const char *pool, enum jp_ending ending, uint32_t exit_code) {
    const struct jp_process_record *row = jp_ledger_find(world->ledger, pid);
    assert_non_null(row);
    assert_string_equal(row->pool, pool);
    assert_string_equal(jp_ending_name(row->ending), jp_ending_name(ending));
    if (ending != JP_ENDING_NONE && ending != JP_ENDING_UNKNOWN) {
        assert_true(row->has_exit_code);
        assert_int_equal(row->exit_code, exit_code);
        assert_true(row->ended_100ns > 0);
    }
}

void expect_ended(struct pool_world *world, uint32_t pid, const char *home, uint32_t exit_code) {
    struct jp_sim_fate fate;
    assert_true(jp_sim_fate(world->sim, pid, 0, &fate));
    assert_true(fate.end == JP_SIM_TERMINATED || fate.end == JP_SIM_JOB_ENDED);
    assert_int_equal(fate.exit_code, exit_code);
    expect_row(world, pid, home, JP_ENDING_TERMINATED, exit_code);
}

void expect_told(struct pool_world *world, const char *message, const char *pool, uint32_t pid, size_t times) {
    assert_int_equal(jp_ledger_count(world->ledger, message, NULL, 0), times); /* and of no other */
    assert_int_equal(jp_ledger_count(world->ledger, message, pool, pid), times);
    if (times)
        expect_origin(world, message, JP_ORIGIN_SERVICE);
}

void expect_origin(struct pool_world *world, const char *message, enum jp_origin origin) {
    const struct jp_event *event = jp_ledger_last(world->ledger, message);
    assert_non_null(event);
    assert_string_equal(jp_origin_name(event->origin), jp_origin_name(origin));
}
