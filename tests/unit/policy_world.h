/* A picture for src/policy that is put together line by line, and what was decided on it as text. */
#ifndef JP_TESTS_POLICY_WORLD_H
#define JP_TESTS_POLICY_WORLD_H

#include "base/str.h"
#include "policy/policy.h"

enum { WORLD_POOLS = 16, WORLD_MEMBERS = 64, TOP = -1 };

struct world {
    struct jp_capabilities host; /* keeps nothing at first */
    struct jp_pool_spec specs[WORLD_POOLS];
    struct jp_policy_state states[WORLD_POOLS];
    struct jp_policy_pool pools[WORLD_POOLS];
    struct jp_policy_member members[WORLD_MEMBERS];
    struct jp_policy_picture picture;
    struct jp_str told;
};

void world_open(struct world *world);
void world_open_pool(struct world *world, const char *spec, size_t members); /* with one pool, and so many in it */
void world_close(struct world *world);

/* A pool that is told so, or the limits of one that is there told anew; its index. */
size_t world_pool(struct world *world, int parent, const char *spec);
void world_set(struct world *world, size_t pool, const char *spec);

/* One that joins now and is in the sample. Number n is members[n]. */
struct jp_policy_member *world_member(struct world *world, size_t pool);

/* Both clocks go on; the machine sleeps. */
void world_wait(struct world *world, uint64_t ms);
void world_sleep(struct world *world, uint64_t ms);

/* What is decided now, a line for each: "end 0 of pool 1: MESSAGE 1816: detail" ("end all", "tell", "freeze", "lift"; "ask 0 of ..."
 * and "ask all" where it may be graceful). In the world's memory until the next call. */
const char *world_decide(struct world *world);
#define EXPECT(world, expected) assert_string_equal(world_decide(world), expected)

void world_remove(struct world *world, size_t member); /* and what it used is past */

#endif
