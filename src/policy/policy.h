/* Decisions over plain structs: what the samples, the clock and the limits of the pools mean for their processes.
 *
 * Nothing here has a side effect. The caller fills in a picture of all pools and members, and is handed decisions, which it carries
 * out. Nothing is decided on old numbers: a member that the last sample did not have is in the totals with what is known of it, but
 * neither it nor its pool is ended for that. One member gets one decision at a time, with one reason; the first of this order stands:
 * the end of a whole pool (job time, pool_wall_clock, memory_policy; outer pools first), then of single processes (process time,
 * process memory, wall clock, idle), then of those that use too much of a pool's memory (inner pools first: what is given back there
 * helps the outer ones; who is ended already counts as gone). Time per call is linear in members times the depth of the hierarchy.
 *
 * In a hierarchy the most restrictive limit of a process holds (time, memory, wall clock, idle), as the rule of nested jobs has it; what
 * counts together is each pool's own, over itself and those below it.
 *
 * Exit codes are those that Windows' kernel leaves: ERROR_NOT_ENOUGH_QUOTA (1816) for job time, active processes; STATUS_QUOTA_EXCEEDED
 * (0xC0000044) for process time and memory; ERROR_TIMEOUT (1460) for our own timeouts, ERROR_COMMITMENT_LIMIT (1455) for the memory policy.
 * See docs/config.md, "Who enforces". */
#ifndef JP_POLICY_POLICY_H
#define JP_POLICY_POLICY_H

#include "job/job_backend.h"

enum {
    JP_EXIT_QUOTA = 1816,
    JP_EXIT_TIMEOUT = 1460,
    JP_EXIT_MEMORY = 1455, /* ERROR_COMMITMENT_LIMIT: memory policy */
};
#define JP_EXIT_PROCESS_QUOTA UINT32_C(0xC0000044)

/* --- who enforces --- */

/* The kernel where it does; else the service for what it can stand in for (of cpu_rate only a hard cap, and if the pool says
 * cpu_rate_fallback); else nobody. `spec` NULL: for a pool that asks for all the service can do. */
enum jp_enforcer jp_policy_enforcer(const struct jp_capabilities *host, const struct jp_pool_spec *spec, enum jp_limit limit);

/* JP_E_CONFIG for a strict pool with a limit (UI limits included) that nobody enforces; names the limits. */
jp_status jp_policy_check_strict(const struct jp_capabilities *host, const char *pool, const struct jp_pool_spec *spec, struct jp_error *error);

/* What the service sets on a member when it joins and when the limits change: the effective limits of the chain (outermost first)
 * that it stands in for. False if there is nothing to set. */
bool jp_policy_adjustment(const struct jp_capabilities *host, const struct jp_pool_spec *const *chain, size_t length,
                          struct jp_adjustment *ret_adjustment);

/* How often the picture must be made for this pool's sake, in ms; UINT64_MAX: never. `interval_ms`: the configured one, for what is
 * counted (memory, times, rates) and for rules; idle and wall clocks want it less often when they are long (to strike 2 % late at most,
 * and never more than 10 s), never more often than that. But for rules it is wanted only while the pool or one below has members. */
uint64_t jp_policy_interval_ms(const struct jp_capabilities *host, const struct jp_pool_spec *spec, uint64_t interval_ms);

/* --- the picture --- */

/* Milliseconds since some moment: without and with the time that the machine slept. Neither jumps when somebody sets the clock. */
struct jp_policy_clock {
    uint64_t awake_ms, total_ms;
};

struct jp_policy_member {
    void *member; /* the caller's: comes back in decisions */
    size_t pool;  /* index of the pool that it is in */
    struct jp_policy_clock joined, active; /* when it joined; when its CPU time last moved, or it was thawed */
    uint64_t number;                       /* rises with each one that joins: the newest has the highest */
    uint64_t user_100ns, kernel_100ns, commit_bytes, working_set_bytes, read_bytes, write_bytes;
    bool sampled; /* these numbers are of now */
    bool spared;  /* on its way out already, or cannot be ended: counts, but is not chosen */
};

/* What a pool remembers from one picture to the next. All zero at first. Well below: by 5 %. */
struct jp_policy_state {
    uint64_t soft_since_ms, hard_since_ms; /* awake; 0: not above */
    bool soft_told, hard_told;             /* told or done since it was last well below */
    bool job_time_over;                    /* its end was decided; false again when the used time is below the limit */
    bool run_over;                         /* likewise, until the pool is empty */
    bool was_above_low;                    /* above job_memory_low since that was last told */
    uint64_t notified;                     /* JP_SCHEMA_BIT(JP_NOTIFY_*): told since it was last well below (job_memory_low: well above) */
    uint64_t hard_acted_ms, job_memory_acted_ms; /* awake; when somebody was last ended for his memory, and the member's number: the */
    uint64_t hard_victim, job_memory_victim;     /* next one is chosen when he is gone, or seems not to go */
};

struct jp_policy_totals {
    uint64_t members, user_100ns, kernel_100ns, commit_bytes, working_set_bytes, read_bytes, write_bytes;
};

struct jp_policy_pool {
    const struct jp_pool_spec *spec;
    size_t parent;                 /* SIZE_MAX: none; a parent stands before its children */
    struct jp_policy_state *state; /* written */
    struct jp_policy_totals past;  /* of members that have ended, of this pool and of those below it; memory: zero */
    uint64_t job_time_base_100ns;  /* totals.user_100ns when the job time was set */
    struct jp_policy_clock run;    /* when the first member joined the empty pool; 0: it is empty */
    bool frozen;                   /* itself; what is above is known from the parent */
    struct jp_policy_totals totals; /* written: past and present, of the pool and of those below it */
};

struct jp_policy_picture {
    const struct jp_capabilities *host;
    struct jp_policy_clock now;
    struct jp_policy_pool *pools;
    size_t pool_count;
    struct jp_policy_member *members; /* `spared` is written: who was chosen */
    size_t member_count;
};

enum jp_decision_kind {
    JP_DECIDE_TELL,          /* an event only */
    JP_DECIDE_END_MEMBER,
    JP_DECIDE_END_POOL,      /* all members of the pool and of those below it; who joins while its time is over gets an END_MEMBER */
    JP_DECIDE_FREEZE_POOL,
    JP_DECIDE_LIFT_JOB_TIME, /* end of job time with "post": told once, and the limit is lifted */
};
struct jp_decision {
    enum jp_decision_kind kind;
    size_t pool;         /* whose limit it is */
    void *member;        /* END_MEMBER; else NULL */
    const char *message; /* JOB_OBJECT_MSG_ and END_OF_PROCESS_TIME, END_OF_JOB_TIME, PROCESS_MEMORY_LIMIT, JOB_MEMORY_LIMIT or
                            NOTIFICATION_LIMIT, or our own: MEMORY_POLICY_SOFT, MEMORY_POLICY_HARD, WALL_CLOCK_LIMIT, POOL_WALL_CLOCK_LIMIT,
                            IDLE_LIMIT */
    uint32_t exit_code;  /* END_MEMBER, END_POOL */
    bool graceful;       /* may be asked to end first, which is done if the pool says stop.grace: timeouts and the memory policy; limits
                            that the kernel would keep are not */
    const char *detail;  /* "process_time 31s over 30s"; lives until the callback returns */
};
typedef void jp_decide_fn(void *context, const struct jp_decision *decision);

void jp_policy_decide(struct jp_policy_picture *picture, jp_decide_fn *decide, void *context);

/* A process has come: whether it is one too many for a pool of the chain (outermost first) whose limit of active processes the service
 * keeps. `counts[i]`: members of chain[i] and below, with the new one. The outermost pool's index in the chain, or SIZE_MAX. */
size_t jp_policy_too_many(const struct jp_capabilities *host, const struct jp_pool_spec *const *chain, const size_t *counts, size_t length);

/* --- rules --- */

struct jp_match_process {
    const char *image; /* file name */
    const char *path, *user, *command_line; /* NULL: not known, fits nothing */
    const char *parent;                     /* file name, or NULL */
};
/* The first of the pools, in order, that takes the process: a rule of match fits, and none of the pool's exclude. If there is none, the
 * default pool, unless it excludes the process. *ret_rule: which rule; SIZE_MAX for the default pool. SIZE_MAX: none. */
size_t jp_policy_match(const struct jp_pool_spec *const *specs, size_t count, const struct jp_match_process *process, size_t *ret_rule);
/* "*.exe", "C:\ci\**": `*` any characters but \, `?` one of those, `**` any; case of ASCII does not count. Linear in pattern times text,
 * whatever the pattern. Rules take it for paths; in names and command lines, which have no folders, `*` stands for \ too. */
bool jp_policy_glob(const char *pattern, const char *text);

/* --- CPU rate by suspending --- */

enum { JP_SLICE_MS = 50 };
/* One slice of at most JP_SLICE_MS: how long the members run of it, given the rate (1/100 % of all processors), how many processors
 * there are, and what they used in the slice before, of which they ran `last_run_ms`. 1 to JP_SLICE_MS: a rate below 2 % of
 * the processors that they keep busy is not to be had. */
uint32_t jp_policy_slice_ms(uint32_t rate, uint32_t processors, uint64_t used_100ns, uint32_t last_run_ms);

#endif
