/* Any picture at all, and what must never be decided on it. */
#include "base/units.h"
#include "job/configure.h"
#include "policy_world.h"

#include "unit.h"

#include <stdio.h>

enum { MAX_TOLD = 1000 };

/* A picture and all that was decided on it until nothing more was. */
struct run {
    struct world world;
    struct jp_policy_member before[WORLD_MEMBERS]; /* as they were when the picture was decided */
    bool chosen[WORLD_MEMBERS];                    /* in an earlier one */
    struct jp_decision told[MAX_TOLD];
    size_t count, first; /* of this picture */
};

/* --- pictures --- */

static void add_key(struct jp_str *text, uint64_t *random, const char *key, const char *unit, unsigned most) {
    if (random_below(random, 3) == 0)
        jp_str_printf(text, "%s\"%s\":\"%u%s\"", text->data[text->length - 1] == '{' ? "" : ",", key, 1 + random_below(random, most), unit);
}

static char *random_spec(uint64_t *random) {
    static const char *const actions[] = {"notify", "freeze", "terminate_newest", "terminate_largest", "terminate_pool"};
    struct jp_str text = {0};
    jp_str_puts(&text, "{\"limits\":{");
    add_key(&text, random, "process_time", "s", 20);
    add_key(&text, random, "job_time", "s", 60);
    if (random_below(random, 2))
        add_key(&text, random, "process_memory", "MiB", 20);
    else
        add_key(&text, random, "job_memory", "MiB", 60);
    jp_str_puts(&text, "},\"timeouts\":{");
    add_key(&text, random, "wall_clock", "s", 20);
    add_key(&text, random, "pool_wall_clock", "s", 40);
    add_key(&text, random, "idle", "s", 10);
    jp_str_printf(&text, "},\"end_of_job_time\":\"%s\",\"notify\":{", random_below(random, 2) ? "post" : "terminate");
    add_key(&text, random, "job_memory", "MiB", 50);
    add_key(&text, random, "job_memory_low", "MiB", 50);
    add_key(&text, random, "cpu_time", "s", 50);
    add_key(&text, random, "io_read", "MiB", 50);
    add_key(&text, random, "io_write", "MiB", 50);
    jp_str_puts(&text, "}");
    if (random_below(random, 2)) {
        unsigned soft = 1 + random_below(random, 40);
        jp_str_printf(&text, ",\"memory_policy\":{\"soft\":\"%uMiB\",\"hard\":\"%uMiB\",\"action\":\"%s\",\"measure\":\"%s\",\"hold\":\"%us\"}", soft,
                      soft + 1 + random_below(random, 20), actions[random_below(random, COUNT(actions))],
                      random_below(random, 2) ? "commit" : "working_set", random_below(random, 2));
    }
    jp_str_puts(&text, "}");
    return jp_str_take(&text);
}

static void change_member(struct jp_policy_member *member, uint64_t *random) {
    member->user_100ns += random_below(random, 5) * (uint64_t)JP_100NS_PER_S;
    member->kernel_100ns += random_below(random, 5) * (uint64_t)JP_100NS_PER_S;
    member->commit_bytes = (uint64_t)random_below(random, 25) << 20;
    member->working_set_bytes = (uint64_t)random_below(random, 25) << 20;
    member->read_bytes += (uint64_t)random_below(random, 10) << 20;
    member->write_bytes += (uint64_t)random_below(random, 10) << 20;
    member->sampled = random_below(random, 5) != 0;
}

static void draw(struct run *run, uint64_t *random) {
    struct world *world = &run->world;
    unsigned pools = 1 + random_below(random, 8), members = random_below(random, 20);
    world_open(world);
    for (unsigned i = 0; i < JP_LIMIT_COUNT; i++)
        world->host.limits[i] = random_below(random, 4) ? JP_ENFORCED_BY_NONE : JP_ENFORCED_BY_KERNEL;
    world->host.notify = random_below(random, 4) ? JP_ENFORCED_BY_NONE : JP_ENFORCED_BY_KERNEL;
    for (unsigned i = 0; i < pools; i++) {
        char *spec = random_spec(random);
        size_t pool = world_pool(world, i && random_below(random, 3) ? (int)random_below(random, i) : TOP, spec);
        world->pools[pool].frozen = random_below(random, 6) == 0;
        jp_free(spec);
    }
    for (unsigned i = 0; i < members; i++) {
        struct jp_policy_member *member = world_member(world, random_below(random, pools));
        change_member(member, random);
        member->spared = random_below(random, 6) == 0;
    }
}

/* --- what is decided --- */

static bool within(const struct world *world, size_t pool, size_t outer) {
    while (pool != SIZE_MAX && pool != outer)
        pool = world->pools[pool].parent;
    return pool == outer;
}

static void keep(void *context, const struct jp_decision *decision) {
    struct run *run = context;
    assert_true(run->count < MAX_TOLD);
    assert_non_null(decision->detail);
    run->told[run->count] = *decision;
    run->told[run->count++].detail = jp_strdup(decision->detail);
}

static bool limit_is_ours(const struct run *run, size_t pool, enum jp_limit limit) {
    return (run->world.specs[pool].limits.present & JP_SCHEMA_BIT(limit)) && run->world.host.limits[limit] != JP_ENFORCED_BY_KERNEL;
}

/* That the pool which is named has such a limit, and that nobody else keeps it. */
static bool is_founded(const struct run *run, const struct jp_decision *decision) {
    const struct jp_pool_spec *spec = &run->world.specs[decision->pool];
    const char *message = decision->message;
    if (strcmp(message, "JOB_OBJECT_MSG_END_OF_PROCESS_TIME") == 0)
        return limit_is_ours(run, decision->pool, JP_LIMIT_PROCESS_TIME);
    if (strcmp(message, "JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT") == 0)
        return limit_is_ours(run, decision->pool, JP_LIMIT_PROCESS_MEMORY);
    if (strcmp(message, "JOB_OBJECT_MSG_JOB_MEMORY_LIMIT") == 0)
        return limit_is_ours(run, decision->pool, JP_LIMIT_JOB_MEMORY);
    if (strcmp(message, "JOB_OBJECT_MSG_END_OF_JOB_TIME") == 0)
        return limit_is_ours(run, decision->pool, JP_LIMIT_JOB_TIME) &&
               (decision->kind == JP_DECIDE_LIFT_JOB_TIME) == (spec->end_of_job_time == JP_END_OF_JOB_POST);
    if (strcmp(message, "WALL_CLOCK_LIMIT") == 0)
        return spec->timeouts.present & JP_SCHEMA_BIT(JP_TIMEOUT_WALL_CLOCK);
    if (strcmp(message, "POOL_WALL_CLOCK_LIMIT") == 0)
        return spec->timeouts.present & JP_SCHEMA_BIT(JP_TIMEOUT_POOL_WALL_CLOCK);
    if (strcmp(message, "IDLE_LIMIT") == 0)
        return spec->timeouts.present & JP_SCHEMA_BIT(JP_TIMEOUT_IDLE);
    if (strncmp(message, "MEMORY_POLICY_", 14) == 0)
        return spec->present & JP_SCHEMA_BIT(JP_POOL_MEMORY_POLICY);
    assert_string_equal(message, "JOB_OBJECT_MSG_NOTIFICATION_LIMIT");
    return spec->notify.present && run->world.host.notify != JP_ENFORCED_BY_KERNEL && decision->kind == JP_DECIDE_TELL;
}

static void check_member(struct run *run, const struct jp_decision *decision) {
    const struct jp_policy_member *member = decision->member;
    size_t index = (size_t)(member - run->world.members);
    bool clock = strstr(decision->message, "WALL_CLOCK");
    CHECK(!run->before[index].spared, "%s: %zu was spared", decision->detail, index);
    CHECK(!run->chosen[index], "%s: %zu was chosen before", decision->detail, index);
    CHECK(member->sampled || clock, "%s: %zu was not in the sample", decision->detail, index);
    CHECK(within(&run->world, member->pool, decision->pool), "%s: %zu is not in that pool", decision->detail, index);
    CHECK(member->spared, "%s: %zu is to be spared", decision->detail, index);
    run->chosen[index] = true;
}

static void check_end_of_pool(struct run *run, const struct jp_decision *decision) {
    size_t ended = 0;
    for (size_t i = 0; i < run->world.picture.member_count; i++) {
        const struct jp_policy_member *member = &run->world.members[i];
        if (!within(&run->world, member->pool, decision->pool) || run->before[i].spared)
            continue;
        CHECK(!run->chosen[i], "%s: %zu was chosen before", decision->detail, i);
        assert_true(member->spared);
        run->chosen[i] = true;
        ended++;
    }
    CHECK(ended, "%s: of nobody", decision->detail);
}

/* What the kernel's rule says of nested limits is what is done. */
static void check_process_time(const struct run *run, size_t index) {
    const struct jp_policy_member *member = &run->before[index];
    const struct jp_pool_spec *chain[WORLD_POOLS];
    size_t length = 0;
    struct jp_limits limits;
    for (size_t pool = member->pool; pool != SIZE_MAX; pool = run->world.pools[pool].parent)
        length++;
    for (size_t pool = member->pool, i = length; pool != SIZE_MAX; pool = run->world.pools[pool].parent)
        chain[--i] = run->world.pools[pool].spec;
    if (run->world.host.limits[JP_LIMIT_PROCESS_TIME] == JP_ENFORCED_BY_KERNEL || !member->sampled || member->spared ||
        jp_effective_limit(chain, length, JP_LIMIT_PROCESS_TIME, &limits) == SIZE_MAX)
        return;
    CHECK(run->world.members[index].spared || member->user_100ns <= limits.process_time_100ns, "member %zu is over its time", index);
}

static void decide(struct run *run) {
    run->first = run->count;
    memset(run->chosen, 0, sizeof run->chosen);
    memcpy(run->before, run->world.members, sizeof run->before);
    jp_policy_decide(&run->world.picture, keep, run);
    for (size_t i = run->first; i < run->count; i++) {
        const struct jp_decision *decision = &run->told[i];
        CHECK(is_founded(run, decision), "%s: %s", decision->message, decision->detail);
        if (decision->kind == JP_DECIDE_END_MEMBER)
            check_member(run, decision);
        else
            assert_null(decision->member);
        if (decision->kind == JP_DECIDE_END_POOL)
            check_end_of_pool(run, decision);
    }
    for (size_t i = 0; i < run->world.picture.member_count; i++)
        check_process_time(run, i);
}

static bool same_key(const struct jp_decision *one, const struct jp_decision *other) {
    return one->kind == other->kind && one->pool == other->pool && one->member == other->member && strcmp(one->message, other->message) == 0 &&
           strcmp(one->detail, other->detail) == 0;
}

/* The same picture again and again: what was told stays told, and it comes to an end. */
static void decide_until_quiet(struct run *run) {
    size_t begin = run->count, rounds = 0;
    do {
        decide(run);
        for (size_t i = run->first; i < run->count; i++)
            for (size_t j = begin; j < run->first; j++)
                CHECK(!same_key(&run->told[i], &run->told[j]), "told twice: %s", run->told[i].detail);
        assert_true(rounds++ <= WORLD_MEMBERS + WORLD_POOLS);
    } while (run->count > run->first);
}

static void end_run(struct run *run) {
    for (size_t i = 0; i < run->count; i++)
        jp_free((char *)(uintptr_t)run->told[i].detail);
    world_close(&run->world);
    jp_free(run);
}

static void no_picture_is_decided_wrongly(void **state) {
    (void)state;
    uint64_t random = new_seed();
    size_t told = 0;
    for (int i = 0; i < 3000; i++) {
        struct run *run = jp_alloc(sizeof *run);
        draw(run, &random);
        world_wait(&run->world, random_below(&random, 50000));
        decide_until_quiet(run);
        told += run->count;
        end_run(run);
    }
    assert_true(told > 3000); /* or nothing was tested */
}

/* Pictures of one machine that goes on: members use more, come and go, and some that were to end do not. */
static void no_history_is_decided_wrongly(void **state) {
    (void)state;
    uint64_t random = new_seed();
    for (int i = 0; i < 300; i++) {
        struct run *run = jp_alloc(sizeof *run);
        struct world *world = &run->world;
        draw(run, &random);
        for (int step = 0; step < 30; step++) {
            decide_until_quiet(run);
            world_wait(world, random_below(&random, 3000));
            for (size_t j = world->picture.member_count; j-- > 0;) {
                if (world->members[j].spared && random_below(&random, 2)) {
                    *(&world->members[j]) = world->members[--world->picture.member_count];
                    world->members[j].member = &world->members[j];
                } else if (random_below(&random, 3)) {
                    change_member(&world->members[j], &random);
                    world->members[j].active = world->picture.now;
                }
            }
            if (world->picture.member_count < WORLD_MEMBERS)
                world_member(world, random_below(&random, (unsigned)world->picture.pool_count))->number = 1000 + (uint64_t)step;
            while (run->count)
                jp_free((char *)(uintptr_t)run->told[--run->count].detail);
        }
        end_run(run);
    }
}

/* Without limits nothing is decided, whatever is used. */
static void nobody_is_ended_for_nothing(void **state) {
    (void)state;
    uint64_t random = new_seed();
    for (int i = 0; i < 1000; i++) {
        struct run *run = jp_alloc(sizeof *run);
        draw(run, &random);
        for (size_t j = 0; j < run->world.picture.pool_count; j++)
            world_set(&run->world, j, "{}");
        world_wait(&run->world, random_magnitude(&random) >> 10);
        decide(run);
        assert_int_equal(run->count, 0);
        end_run(run);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_picture_is_decided_wrongly), cmocka_unit_test(no_history_is_decided_wrongly),
                                       cmocka_unit_test(nobody_is_ended_for_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
