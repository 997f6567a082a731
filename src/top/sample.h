/* What one answer of pool.usage says, as rows; and rates, from two answers. Owns its texts. */
#ifndef JP_TOP_SAMPLE_H
#define JP_TOP_SAMPLE_H

#include "base/json.h"

/* A number that the service may not know. */
struct jp_top_number {
    bool known;
    uint64_t value;
};

struct jp_top_rate {
    bool known;
    double value;
};

/* A pool, with all that is below it, or a process. What does not apply is not known, or NULL. All texts are harmless to a terminal but
 * `key` and `parent`, which go back to the service as they came. */
struct jp_top_row {
    char *key;  /* what it is known by from answer to answer: the pool's name; "PID START" of a process */
    char *name; /* the pool's name, or the command line */
    char *parent;
    char *pool, *user;              /* of a process */
    char *enforced_by, *memory_by;  /* "kernel", "service", "none", "mixed" */
    char *state;
    char *start_time;               /* of a process */
    bool frozen;
    struct jp_top_number pid, processes, process_limit, memory_bytes, memory_limit_bytes, working_set_bytes;
    struct jp_top_number cpu_100ns, read_bytes, write_bytes, events; /* these only rise, as long as it is the same pool and service */
    struct jp_top_rate cpu_percent;                                  /* of one processor */
    struct jp_top_rate read_per_s, write_per_s, io_per_s, events_per_s;
};

struct jp_top_rows {
    struct jp_top_row *items;
    size_t count;
};

struct jp_top_sample {
    char *time; /* ISO 8601 */
    uint64_t clock_100ns;
    uint64_t processors; /* at least 1 */
    struct jp_top_rows pools, processes;
    bool has_processes; /* they were asked for */
};

/* JP_E_PARSE if it is no answer of pool.usage. A member of a row that is missing or of another kind is taken for unknown. */
jp_status jp_top_sample_read(const cJSON *answer, struct jp_top_sample *ret_sample, struct jp_error *error);
void jp_top_sample_free(struct jp_top_sample *sample); /* all zero afterwards; harmless on zero */

/* Fills in the rates of `now`. What `before` did not have, and counters that fell, have none. */
void jp_top_sample_rate(struct jp_top_sample *now, const struct jp_top_sample *before);

/* All pools together: sums over those that stand below no other one of the answer. */
struct jp_top_row jp_top_sample_total(const struct jp_top_sample *sample);

#endif
