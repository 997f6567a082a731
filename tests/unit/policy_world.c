#include "policy_world.h"

#include "unit.h"

#include <inttypes.h>

void world_open(struct world *world) {
    *world = (struct world){.host = {.nested_jobs = true}};
    world->picture = (struct jp_policy_picture){
        .host = &world->host, .now = {.awake_ms = 1000000, .total_ms = 3000000}, .pools = world->pools, .members = world->members};
}

void world_close(struct world *world) {
    for (size_t i = 0; i < world->picture.pool_count; i++)
        jp_schema_clear(jp_pool_fields, &world->specs[i]);
    jp_str_free(&world->told);
}

void world_open_pool(struct world *world, const char *spec, size_t members) {
    world_open(world);
    world_pool(world, TOP, spec);
    for (size_t i = 0; i < members; i++)
        world_member(world, 0);
}

void world_set(struct world *world, size_t pool, const char *spec) {
    struct jp_faults faults = {0};
    cJSON *json = cJSON_Parse(spec);
    assert_non_null(json);
    jp_schema_clear(jp_pool_fields, &world->specs[pool]);
    if (!jp_schema_read(&(struct jp_schema_context){.faults = &faults}, jp_pool_fields, json, "", &world->specs[pool]) ||
        !jp_pool_spec_check(&world->specs[pool], json, "", &faults))
        fail_msg("%s: %s", spec, faults.items[0].text);
    cJSON_Delete(json);
}

size_t world_pool(struct world *world, int parent, const char *spec) {
    size_t pool = world->picture.pool_count++;
    assert_true(pool < WORLD_POOLS);
    world_set(world, pool, spec);
    world->pools[pool] = (struct jp_policy_pool){.spec = &world->specs[pool], .parent = parent == TOP ? SIZE_MAX : (size_t)parent,
                                                 .state = &world->states[pool], .run = world->picture.now};
    return pool;
}

struct jp_policy_member *world_member(struct world *world, size_t pool) {
    size_t index = world->picture.member_count++;
    assert_true(index < WORLD_MEMBERS);
    struct jp_policy_member *member = &world->members[index];
    *member = (struct jp_policy_member){.member = member, .pool = pool, .joined = world->picture.now, .active = world->picture.now,
                                        .number = index + 1, .sampled = true};
    return member;
}

void world_remove(struct world *world, size_t index) {
    const struct jp_policy_member *member = &world->members[index];
    for (size_t pool = member->pool; pool != SIZE_MAX; pool = world->pools[pool].parent) {
        world->pools[pool].past.user_100ns += member->user_100ns;
        world->pools[pool].past.read_bytes += member->read_bytes;
        world->pools[pool].past.write_bytes += member->write_bytes;
    }
    memmove(&world->members[index], &world->members[index + 1], (--world->picture.member_count - index) * sizeof *world->members);
}

void world_sleep(struct world *world, uint64_t ms) { world->picture.now.total_ms += ms; }

void world_wait(struct world *world, uint64_t ms) {
    world->picture.now.awake_ms += ms;
    world_sleep(world, ms);
}

static void write_down(void *context, const struct jp_decision *decision) {
    struct world *world = context;
    static const char *const words[] = {[JP_DECIDE_TELL] = "tell", [JP_DECIDE_END_MEMBER] = "end", [JP_DECIDE_END_POOL] = "end all",
                                        [JP_DECIDE_FREEZE_POOL] = "freeze", [JP_DECIDE_LIFT_JOB_TIME] = "lift"};
    const struct jp_policy_member *member = decision->member;
    const char *word = words[decision->kind];
    if (decision->graceful)
        word = decision->kind == JP_DECIDE_END_POOL ? "ask all" : "ask";
    assert_true((member != NULL) == (decision->kind == JP_DECIDE_END_MEMBER));
    jp_str_puts(&world->told, word);
    if (member)
        jp_str_printf(&world->told, " %" PRIu64, member->number - 1);
    jp_str_printf(&world->told, " of pool %zu: %s", decision->pool, decision->message);
    if (decision->exit_code)
        jp_str_printf(&world->told, decision->exit_code > 0xFFFF ? " %" PRIX32 : " %" PRIu32, decision->exit_code);
    jp_str_printf(&world->told, ": %s\n", decision->detail);
}

const char *world_decide(struct world *world) {
    jp_str_clear(&world->told);
    jp_policy_decide(&world->picture, write_down, world);
    return jp_str_text(&world->told);
}
