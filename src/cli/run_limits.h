/* Limits and the name of a pool for one run. Pure. */
#ifndef JP_CLI_RUN_LIMITS_H
#define JP_CLI_RUN_LIMITS_H

#include "base/json.h"

/* "active_processes", "4" as a member of `limits`: what is JSON by itself (4, true) is that, anything else a string. A dot in a key
 * leads into an object: "cpu_rate.weight". `value` NULL: it was forgotten, and is told. */
jp_status jp_run_add_limit(cJSON *limits, const char *key, const char *value, struct jp_error *error);

/* "POOL.run-PID-TIME", cut so that it is a pool's name whatever the parent's is. New memory (jp_free). */
char *jp_run_pool_name(const char *parent, uint32_t pid, uint64_t time_ms);

#endif
