/* Who does what a limit promises on this host, and what that costs: what is set on members, how often they are looked at. */
#include "base/str.h"
#include "base/units.h"
#include "job/configure.h"
#include "policy/policy.h"

static bool given(const struct jp_pool_spec *spec, enum jp_limit limit) { return spec->limits.present & JP_SCHEMA_BIT(limit); }

static bool service_stands_in(const struct jp_pool_spec *spec, enum jp_limit limit) {
    switch (limit) {
    case JP_LIMIT_ACTIVE_PROCESSES:
    case JP_LIMIT_PROCESS_MEMORY:
    case JP_LIMIT_JOB_MEMORY:
    case JP_LIMIT_PROCESS_TIME:
    case JP_LIMIT_JOB_TIME:
    case JP_LIMIT_PRIORITY_CLASS:
    case JP_LIMIT_AFFINITY:
    case JP_LIMIT_WORKING_SET:
    case JP_LIMIT_DIE_ON_UNHANDLED_EXCEPTION:
        return true;
    case JP_LIMIT_CPU_RATE:
        return !spec || (spec->cpu_rate_fallback && given(spec, limit) && (spec->limits.cpu_rate.present & JP_SCHEMA_BIT(JP_CPU_HARD_CAP)));
    default:
        return false;
    }
}

enum jp_enforcer jp_policy_enforcer(const struct jp_capabilities *host, const struct jp_pool_spec *spec, enum jp_limit limit) {
    if (host->limits[limit] == JP_ENFORCED_BY_KERNEL)
        return JP_ENFORCED_BY_KERNEL;
    return service_stands_in(spec, limit) ? JP_ENFORCED_BY_SERVICE : JP_ENFORCED_BY_NONE;
}

jp_status jp_policy_check_strict(const struct jp_capabilities *host, const char *pool, const struct jp_pool_spec *spec, struct jp_error *error) {
    if (!spec->strict)
        return JP_OK;
    struct jp_str names = {0};
    for (unsigned i = 0; i < JP_LIMIT_COUNT; i++)
        if (given(spec, i) && jp_policy_enforcer(host, spec, i) == JP_ENFORCED_BY_NONE)
            jp_str_printf(&names, ", limits.%s", jp_limit_fields[i].key);
    if (spec->ui && host->ui != JP_ENFORCED_BY_KERNEL)
        jp_str_puts(&names, ", ui");
    jp_status status = JP_OK;
    if (names.length)
        status = jp_fail(error, JP_E_CONFIG, "pool \"%s\" is strict, and nobody on this host enforces its %s", pool, jp_str_text(&names) + 2);
    jp_str_free(&names);
    return status;
}

/* Whether the service is to set it on each member, and to what. */
static bool stood_in_for(const struct jp_capabilities *host, const struct jp_pool_spec *const *chain, size_t length, enum jp_limit limit,
                         struct jp_limits *ret_limits) {
    size_t from = jp_effective_limit(chain, length, limit, ret_limits);
    return from != SIZE_MAX && jp_policy_enforcer(host, chain[from], limit) == JP_ENFORCED_BY_SERVICE;
}

bool jp_policy_adjustment(const struct jp_capabilities *host, const struct jp_pool_spec *const *chain, size_t length,
                          struct jp_adjustment *ret_adjustment) {
    struct jp_limits limits;
    *ret_adjustment = (struct jp_adjustment){0};
    if (stood_in_for(host, chain, length, JP_LIMIT_PRIORITY_CLASS, &limits)) {
        ret_adjustment->present |= JP_SCHEMA_BIT(JP_LIMIT_PRIORITY_CLASS);
        ret_adjustment->priority_class = limits.priority_class;
    }
    if (stood_in_for(host, chain, length, JP_LIMIT_AFFINITY, &limits)) {
        ret_adjustment->present |= JP_SCHEMA_BIT(JP_LIMIT_AFFINITY);
        ret_adjustment->affinity = limits.affinity;
    }
    if (stood_in_for(host, chain, length, JP_LIMIT_WORKING_SET, &limits)) {
        ret_adjustment->present |= JP_SCHEMA_BIT(JP_LIMIT_WORKING_SET);
        ret_adjustment->min_working_set_bytes = limits.working_set.min_bytes;
        ret_adjustment->max_working_set_bytes = limits.working_set.max_bytes;
    }
    return ret_adjustment->present != 0;
}

/* --- how often --- */

enum { TOLERATED_PARTS = 50, LONGEST_WAIT_MS = 10000 }; /* a clock may strike 2 % late, and at most so much */

static bool is_counted(const struct jp_capabilities *host, const struct jp_pool_spec *spec) {
    static const enum jp_limit counted[] = {JP_LIMIT_PROCESS_MEMORY, JP_LIMIT_JOB_MEMORY, JP_LIMIT_PROCESS_TIME, JP_LIMIT_JOB_TIME,
                                            JP_LIMIT_CPU_RATE};
    const uint64_t notes = JP_SCHEMA_BIT(JP_NOTIFY_JOB_MEMORY) | JP_SCHEMA_BIT(JP_NOTIFY_JOB_MEMORY_LOW) | JP_SCHEMA_BIT(JP_NOTIFY_CPU_TIME) |
                           JP_SCHEMA_BIT(JP_NOTIFY_IO_READ) | JP_SCHEMA_BIT(JP_NOTIFY_IO_WRITE);
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        if (given(spec, counted[i]) && jp_policy_enforcer(host, spec, counted[i]) == JP_ENFORCED_BY_SERVICE)
            return true;
    return (spec->notify.present & notes && host->notify != JP_ENFORCED_BY_KERNEL) || spec->present & JP_SCHEMA_BIT(JP_POOL_MEMORY_POLICY);
}

/* Where a rule waits for processes that are in no pool yet, they are to be seen within a tick. */
static bool has_rules(const struct jp_pool_spec *spec) { return spec->match.count || spec->takes_all; }

static uint64_t wait_for(const struct jp_timeouts *timeouts, unsigned key, uint64_t timeout_100ns, uint64_t interval_ms) {
    if (!(timeouts->present & JP_SCHEMA_BIT(key)))
        return UINT64_MAX;
    uint64_t wait = timeout_100ns / JP_100NS_PER_MS / TOLERATED_PARTS;
    wait = wait < LONGEST_WAIT_MS ? wait : LONGEST_WAIT_MS;
    return wait > interval_ms ? wait : interval_ms;
}

static uint64_t sooner(uint64_t one, uint64_t other) { return one < other ? one : other; }

uint64_t jp_policy_interval_ms(const struct jp_capabilities *host, const struct jp_pool_spec *spec, uint64_t interval_ms) {
    if (is_counted(host, spec) || has_rules(spec))
        return interval_ms;
    const struct jp_timeouts *timeouts = &spec->timeouts;
    uint64_t wait = wait_for(timeouts, JP_TIMEOUT_WALL_CLOCK, timeouts->wall_clock_100ns, interval_ms);
    wait = sooner(wait, wait_for(timeouts, JP_TIMEOUT_POOL_WALL_CLOCK, timeouts->pool_wall_clock_100ns, interval_ms));
    return sooner(wait, wait_for(timeouts, JP_TIMEOUT_IDLE, timeouts->idle_100ns, interval_ms));
}
