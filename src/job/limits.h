/* What a pool is told to be: its limits and settings, as the config, the pipe and the job object have them.
 *
 * Numbers of flags are Windows' own (winnt.h), written out here because this layer knows no Windows header. */
#ifndef JP_JOB_LIMITS_H
#define JP_JOB_LIMITS_H

#include "job/access.h"
#include "jobpool/job_constants.h"

/* The rows of jp_limit_fields, and the bits of `present` in struct jp_limits. */
enum jp_limit {
    JP_LIMIT_ACTIVE_PROCESSES,
    JP_LIMIT_PROCESS_MEMORY,
    JP_LIMIT_JOB_MEMORY,
    JP_LIMIT_PROCESS_TIME,
    JP_LIMIT_JOB_TIME,
    JP_LIMIT_PRIORITY_CLASS,
    JP_LIMIT_AFFINITY,
    JP_LIMIT_WORKING_SET,
    JP_LIMIT_SCHEDULING_CLASS,
    JP_LIMIT_CPU_RATE,
    JP_LIMIT_NETWORK_RATE,
    JP_LIMIT_BREAKAWAY,
    JP_LIMIT_DIE_ON_UNHANDLED_EXCEPTION,
    JP_LIMIT_KILL_ON_CLOSE,
    JP_LIMIT_SUBSET_AFFINITY,
    JP_LIMIT_PROCESSOR_GROUPS,
    JP_LIMIT_COUNT
};

enum jp_breakaway { JP_BREAKAWAY_NONE, JP_BREAKAWAY_ALLOW, JP_BREAKAWAY_SILENT };
enum jp_end_of_job_time { JP_END_OF_JOB_TERMINATE = 0, JP_END_OF_JOB_POST = 1 }; /* as Windows numbers them */
enum jp_on_remove { JP_ON_REMOVE_KEEP, JP_ON_REMOVE_TERMINATE };
enum jp_on_service_stop { JP_ON_STOP_KEEP, JP_ON_STOP_TERMINATE };
enum jp_sessions { JP_SESSIONS_EACH, JP_SESSIONS_SINGLE };
enum jp_when_full { JP_WHEN_FULL_REFUSE, JP_WHEN_FULL_WAIT, JP_WHEN_FULL_KILL };

struct jp_working_set {
    uint64_t present;
    uint64_t min_bytes, max_bytes;
};

/* Either a hard cap, or a weight, or a range. */
enum { JP_CPU_HARD_CAP, JP_CPU_WEIGHT, JP_CPU_MIN, JP_CPU_MAX, JP_CPU_NOTIFY };
struct jp_cpu_rate {
    uint64_t present;
    uint32_t hard_cap, weight, min, max; /* 1/100 % of all processors; weight 1 to 9 */
    bool notify;                         /* a message when it was over the rate for the tolerated time */
};

enum { JP_NETWORK_MAX_BANDWIDTH, JP_NETWORK_DSCP };
struct jp_network_rate {
    uint64_t present;
    uint64_t max_bandwidth_bytes; /* a second, outgoing */
    uint32_t dscp;
};

/* What is told when it is exceeded, and not enforced. The only messages that Windows promises to deliver. */
enum { JP_TOLERANCE, JP_TOLERANCE_INTERVAL };
struct jp_tolerance {
    uint64_t present;
    uint32_t tolerance, interval; /* enum jp_job_tolerance, enum jp_job_tolerance_interval */
};
enum {
    JP_NOTIFY_JOB_MEMORY,
    JP_NOTIFY_JOB_MEMORY_LOW,
    JP_NOTIFY_CPU_TIME,
    JP_NOTIFY_IO_READ,
    JP_NOTIFY_IO_WRITE,
    JP_NOTIFY_CPU_RATE,
    JP_NOTIFY_NETWORK_RATE
};
struct jp_notify {
    uint64_t present;
    uint64_t job_memory_bytes, job_memory_low_bytes, cpu_time_100ns, io_read_bytes, io_write_bytes;
    struct jp_tolerance cpu_rate, network_rate;
};

struct jp_limits {
    uint64_t present; /* 1 << enum jp_limit */
    uint32_t active_processes;
    uint64_t process_memory_bytes, job_memory_bytes; /* commit */
    uint64_t process_time_100ns, job_time_100ns;     /* user-mode CPU time */
    uint32_t priority_class;                         /* *_PRIORITY_CLASS of winbase.h */
    uint64_t affinity;
    struct jp_working_set working_set;
    uint32_t scheduling_class; /* 0 to 9 */
    struct jp_cpu_rate cpu_rate;
    struct jp_network_rate network_rate;
    uint32_t breakaway; /* enum jp_breakaway */
    bool die_on_unhandled_exception;
    bool kill_on_close;
    bool subset_affinity;
    struct jp_strings processor_groups; /* "1" or "1:0-3": group, and processors of it */
};

extern const struct jp_field jp_limit_fields[];

/* Who may join, and with which rights: class 5, which Windows has refused since Vista. The service does it. */
enum jp_token_account { JP_TOKEN_NONE, JP_TOKEN_LOCAL_SERVICE, JP_TOKEN_NETWORK_SERVICE };
struct jp_token_filter {
    uint64_t present;
    struct jp_strings sids_to_disable, privileges_to_delete, restricted_sids; /* SIDs "S-1-..." or account names; "Se...Privilege" */
};
enum { JP_SECURITY_LIMITS, JP_SECURITY_ACCOUNT, JP_SECURITY_FILTER };
struct jp_security {
    uint64_t present;
    uint32_t limits;  /* JP_JOB_OBJECT_SECURITY_*, or-ed */
    uint32_t account; /* enum jp_token_account: the token of only_token, unless one was given through the pipe */
    struct jp_token_filter filter;
};

/* --- what no job object does; src/policy decides it --- */

enum { JP_TIMEOUT_WALL_CLOCK, JP_TIMEOUT_POOL_WALL_CLOCK, JP_TIMEOUT_IDLE, JP_TIMEOUT_ASLEEP };
struct jp_timeouts {
    uint64_t present;
    uint64_t wall_clock_100ns;      /* of each process, from its joining */
    uint64_t pool_wall_clock_100ns; /* of the pool's run: from the first process that joins the empty pool until it is empty again */
    uint64_t idle_100ns;            /* of each process: no CPU time used for so long */
    bool asleep;                    /* time that the machine sleeps counts */
};

struct jp_stop {
    uint64_t present;
    uint64_t grace_100ns; /* asked to end first (WM_CLOSE, CTRL_BREAK), ended after so long */
};

enum jp_memory_measure { JP_MEASURE_COMMIT, JP_MEASURE_WORKING_SET };
enum jp_memory_action { JP_MEMORY_NOTIFY, JP_MEMORY_FREEZE, JP_MEMORY_TERMINATE_NEWEST, JP_MEMORY_TERMINATE_LARGEST, JP_MEMORY_TERMINATE_POOL };
enum { JP_MEMORY_MEASURE, JP_MEMORY_SOFT, JP_MEMORY_HARD, JP_MEMORY_ACTION, JP_MEMORY_HOLD };
struct jp_memory_policy { /* over a pool with its children */
    uint64_t present;
    uint32_t measure;                /* enum jp_memory_measure */
    uint64_t soft_bytes, hard_bytes; /* soft: told; hard: acted upon */
    uint32_t action;                 /* enum jp_memory_action */
    uint64_t hold_100ns;             /* only if over for so long */
};

/* Which processes a pool takes by itself: all the keys that a rule has must fit. `*` and `?` stand for what they do everywhere,
 * `**` for folders too; case does not count. */
enum { JP_MATCH_IMAGE, JP_MATCH_PATH, JP_MATCH_USER, JP_MATCH_COMMAND_LINE, JP_MATCH_PARENT };
struct jp_match {
    uint64_t present;
    char *image, *path, *user, *command_line, *parent; /* parent: image name of the parent process */
};

/* The rows of jp_pool_fields, and the bits of `present` in struct jp_pool_spec. */
enum jp_pool_key {
    JP_POOL_DESCRIPTION,
    JP_POOL_PARENT,
    JP_POOL_OBJECT_NAME,
    JP_POOL_LIMITS,
    JP_POOL_UI,
    JP_POOL_SECURITY,
    JP_POOL_END_OF_JOB_TIME,
    JP_POOL_ON_SERVICE_STOP,
    JP_POOL_NOTIFY,
    JP_POOL_SESSIONS,
    JP_POOL_WHEN_FULL,
    JP_POOL_WAIT_TIMEOUT,
    JP_POOL_STRICT,
    JP_POOL_CPU_RATE_FALLBACK,
    JP_POOL_TIMEOUTS,
    JP_POOL_STOP,
    JP_POOL_MEMORY_POLICY,
    JP_POOL_MATCH,
    JP_POOL_EXCLUDE,
    JP_POOL_DEFAULT,
    JP_POOL_ON_REMOVE,
    JP_POOL_ACCESS,
    JP_POOL_KEY_COUNT
};

/* What somebody wrote about a pool, in the config or in pool.create. The name stands outside: it is the key. */
struct jp_pool_spec {
    uint64_t present; /* 1 << enum jp_pool_key */
    char *description;
    char *parent;
    char *object_name; /* the job object's kernel name; NULL: jp_pool_object_name() of the pool's name */
    struct jp_limits limits;
    uint32_t ui;              /* JOB_OBJECT_UILIMIT_* */
    struct jp_security security;
    uint32_t end_of_job_time; /* enum jp_end_of_job_time */
    uint32_t on_service_stop; /* enum jp_on_service_stop; see jp_pool_spec_terminates() */
    struct jp_notify notify;
    uint32_t sessions;           /* enum jp_sessions */
    uint32_t when_full;          /* enum jp_when_full */
    uint64_t wait_timeout_100ns; /* of when_full "wait"; see jp_pool_spec_wait_timeout() */
    bool strict;                 /* refuse to load if nobody can enforce one of its limits */
    bool cpu_rate_fallback;      /* suspend in slices where the kernel has no CPU rate */
    struct jp_timeouts timeouts;
    struct jp_stop stop;
    struct jp_memory_policy memory_policy;
    struct jp_list match, exclude; /* struct jp_match */
    bool takes_all;                /* "default": what matches no pool */
    uint32_t on_remove;            /* enum jp_on_remove: its processes, when the config has it no more */
    struct jp_access access;       /* who may do what with it; not given: as its parent, or the service */
};

extern const struct jp_field jp_pool_fields[];

enum { JP_POOL_NAME_MAX = 64 };

/* A pool's name: 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit. It becomes part of a kernel object's
 * name, of log lines and of command lines, so it is kept plain. */
bool jp_pool_name_valid(const char *name);

/* What no single field can tell: working set needs both ends, a CPU rate one mode, kill-on-close and keep exclude each
 * other, ... Adds faults at the nodes of `object`, which is what `spec` was read from; `path` as in jp_schema_read. */
bool jp_pool_spec_check(const struct jp_pool_spec *spec, const cJSON *object, const char *path, struct jp_faults *faults);

/* Whether the pool's processes end with the service: as it says, or else if it says kill_on_close. */
bool jp_pool_spec_terminates(const struct jp_pool_spec *spec);

/* How long a request waits for room: as the spec says, or a minute. */
uint64_t jp_pool_spec_wait_timeout(const struct jp_pool_spec *spec);

/* "1:0-3": a processor group, and which of its processors; *ret_mask 0: all of them. */
jp_status jp_processor_group_parse(const char *text, uint16_t *ret_group, uint64_t *ret_mask, struct jp_error *error);

/* The job object's kernel name: as the spec says, or "Global\JobPool.<name>". New memory (jp_free). */
char *jp_pool_object_name(const char *name, const struct jp_pool_spec *spec);

extern const struct jp_choice jp_priority_classes[];
extern const struct jp_choice jp_on_service_stop_choices[], jp_on_remove_choices[], jp_sessions_choices[], jp_when_full_choices[];

#endif
