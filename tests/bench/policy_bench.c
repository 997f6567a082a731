/* What one picture costs: the time of jp_policy_decide for so many members in 20 pools, with every limit that the service keeps, none
 * of them reached. Prints one line of JSON: the whole picture, one of empty pools, and what each member adds to that.
 *
 * Small pictures are timed in turn until as many members were seen as a large one has, so that all find them in the same (cold)
 * memory: what differs is the size of the picture, and not of the cache. */
#include "policy/policy.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { POOLS = 20, MAX_MEMBERS = 10000000, LEAST_SEEN = 200000, ROUNDS = 15 };

static const char spec_text[] =
    "{\"limits\":{\"process_memory\":\"1GiB\",\"process_time\":\"1h\",\"job_time\":\"30d\"},"
    "\"timeouts\":{\"wall_clock\":\"1d\",\"idle\":\"1h\",\"pool_wall_clock\":\"7d\"},"
    "\"memory_policy\":{\"soft\":\"900000GiB\",\"hard\":\"1000000GiB\",\"action\":\"terminate_largest\"},"
    "\"notify\":{\"job_memory\":\"1000000GiB\",\"cpu_time\":\"30d\",\"io_read\":\"1000000GiB\",\"io_write\":\"1000000GiB\"}}";

static struct jp_pool_spec spec;
static struct jp_policy_state states[POOLS];
static struct jp_policy_pool pools[POOLS];
static const struct jp_capabilities host;

static void read_spec(void) {
    struct jp_faults faults = {0};
    cJSON *json = cJSON_Parse(spec_text);
    if (!json || !jp_schema_read(&(struct jp_schema_context){.faults = &faults}, jp_pool_fields, json, "", &spec) ||
        !jp_pool_spec_check(&spec, json, "", &faults)) {
        fprintf(stderr, "policy_bench: %s\n", faults.count ? faults.items[0].text : "the pool's text is not JSON");
        exit(EXIT_FAILURE);
    }
    cJSON_Delete(json);
}

/* Four pools at the top, each with a chain of four below it; members are dealt out in turn, as they would come. */
static struct jp_policy_member *make_members(size_t count, struct jp_policy_clock now) {
    struct jp_policy_member *members = jp_alloc(count * sizeof *members);
    for (size_t i = 0; i < count; i++)
        members[i] = (struct jp_policy_member){.member = &members[i], .pool = i % POOLS, .number = i, .joined = now, .active = now,
                                               .user_100ns = i % 1000, .kernel_100ns = i % 500, .commit_bytes = (i % 100) << 20,
                                               .working_set_bytes = (i % 50) << 20, .read_bytes = i % 4096, .write_bytes = i % 1024,
                                               .sampled = true};
    for (size_t i = 0; i < POOLS; i++)
        pools[i] = (struct jp_policy_pool){.spec = &spec, .parent = i < 4 ? SIZE_MAX : i - 4, .state = &states[i], .run = now};
    return members;
}

static void fail_on_decision(void *context, const struct jp_decision *decision) {
    (void)context;
    fprintf(stderr, "policy_bench: something was decided: %s %s\n", decision->message, decision->detail);
    exit(EXIT_FAILURE);
}

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds for one picture of `size` of the members, or for one of empty pools; the least of some rounds: what disturbs only adds. */
static double time_pictures(struct jp_policy_member *members, size_t count, size_t size, bool empty, struct jp_policy_clock now) {
    struct jp_policy_picture picture = {.host = &host, .now = now, .pools = pools, .pool_count = POOLS, .member_count = empty ? 0 : size};
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double begin = now_ns();
        for (size_t at = 0; at + size <= count; at += size) {
            picture.members = members + at;
            jp_policy_decide(&picture, fail_on_decision, NULL);
        }
        double one = (now_ns() - begin) / (double)(count / size);
        best = round == 0 || one < best ? one : best;
    }
    return best;
}

int main(int argc, char **argv) {
    uint64_t members = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
    if (members == 0 || members > MAX_MEMBERS) {
        fputs("policy_bench MEMBERS: times the decisions about so many members in 20 pools\n", stderr);
        return 64;
    }
    read_spec();
    const struct jp_policy_clock now = {.awake_ms = 3600000, .total_ms = 3600000};
    size_t size = (size_t)members, count = size > LEAST_SEEN ? size : LEAST_SEEN / size * size;
    struct jp_policy_member *all = make_members(count, now);
    double empty = time_pictures(all, count, size, true, now), full = time_pictures(all, count, size, false, now);
    printf("{\"members\": %zu, \"picture_ns\": %.1f, \"pools_ns\": %.1f, \"member_ns\": %.2f}\n", size, full, empty, (full - empty) / (double)size);
    jp_free(all);
    jp_schema_clear(jp_pool_fields, &spec);
    return 0;
}
