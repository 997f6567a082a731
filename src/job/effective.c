/* Which limit holds in a hierarchy of jobs. */
#include "job/configure.h"

/* From the least to the most. */
static unsigned rank_of_priority(uint32_t priority_class) {
    static const uint32_t order[] = {JP_JOB_IDLE_PRIORITY_CLASS,         JP_JOB_BELOW_NORMAL_PRIORITY_CLASS, JP_JOB_NORMAL_PRIORITY_CLASS,
                                     JP_JOB_ABOVE_NORMAL_PRIORITY_CLASS, JP_JOB_HIGH_PRIORITY_CLASS,         JP_JOB_REALTIME_PRIORITY_CLASS};
    unsigned rank = 0;
    while (rank < sizeof order / sizeof *order && order[rank] != priority_class)
        rank++;
    return rank;
}

/* The number by which two settings of a limit are compared: the smaller one is the more restrictive. */
static uint64_t measure(const struct jp_limits *limits, enum jp_limit limit) {
    switch (limit) {
    case JP_LIMIT_PRIORITY_CLASS:
        return rank_of_priority(limits->priority_class);
    case JP_LIMIT_PROCESS_MEMORY:
        return limits->process_memory_bytes;
    case JP_LIMIT_JOB_MEMORY:
        return limits->job_memory_bytes;
    case JP_LIMIT_PROCESS_TIME:
        return limits->process_time_100ns;
    case JP_LIMIT_SCHEDULING_CLASS:
        return limits->scheduling_class;
    case JP_LIMIT_WORKING_SET:
        return limits->working_set.max_bytes;
    default:
        return 0;
    }
}

static bool most_restrictive_counts(enum jp_limit limit) {
    return limit == JP_LIMIT_PRIORITY_CLASS || limit == JP_LIMIT_AFFINITY || limit == JP_LIMIT_PROCESS_MEMORY || limit == JP_LIMIT_JOB_MEMORY ||
           limit == JP_LIMIT_PROCESS_TIME || limit == JP_LIMIT_SCHEDULING_CLASS || limit == JP_LIMIT_WORKING_SET;
}

static bool given(const struct jp_pool_spec *spec, enum jp_limit limit) { return spec->limits.present & JP_SCHEMA_BIT(limit); }

/* A job below another has the processors that it names if the one above it has them all, else those of the one above.
 * https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-jobobject_basic_limit_information (Affinity) */
static size_t effective_affinity(const struct jp_pool_spec *const *chain, size_t length, uint64_t *ret_mask) {
    size_t from = SIZE_MAX;
    uint64_t mask = UINT64_MAX;
    for (size_t i = 0; i < length; i++) {
        if (!given(chain[i], JP_LIMIT_AFFINITY))
            continue;
        if (chain[i]->limits.affinity & ~mask)
            continue;
        from = i;
        mask = chain[i]->limits.affinity;
    }
    *ret_mask = mask;
    return from;
}

size_t jp_effective_limit(const struct jp_pool_spec *const *chain, size_t length, enum jp_limit limit, struct jp_limits *ret_limits) {
    size_t from = SIZE_MAX;
    uint64_t mask = 0;
    if (!length)
        return SIZE_MAX;
    if (limit == JP_LIMIT_AFFINITY) {
        from = effective_affinity(chain, length, &mask);
    } else if (!most_restrictive_counts(limit)) {
        from = given(chain[length - 1], limit) ? length - 1 : SIZE_MAX;
    } else {
        for (size_t i = 0; i < length; i++)
            if (given(chain[i], limit) && (from == SIZE_MAX || measure(&chain[i]->limits, limit) < measure(&chain[from]->limits, limit)))
                from = i;
    }
    if (from == SIZE_MAX)
        return SIZE_MAX;
    *ret_limits = chain[from]->limits;
    ret_limits->present = JP_SCHEMA_BIT(limit);
    if (limit == JP_LIMIT_AFFINITY)
        ret_limits->affinity = mask;
    return from;
}
