/* What a pool is told to be: its limits and settings, as the config, the pipe and the job object have them.
 *
 * Numbers of flags are Windows' own (winnt.h), written out here because this layer knows no Windows header. */
#ifndef JP_JOB_LIMITS_H
#define JP_JOB_LIMITS_H

#include "base/schema.h"

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
    JP_LIMIT_COUNT
};

enum jp_breakaway { JP_BREAKAWAY_NONE, JP_BREAKAWAY_ALLOW, JP_BREAKAWAY_SILENT };
enum jp_end_of_job_time { JP_END_OF_JOB_TERMINATE = 0, JP_END_OF_JOB_POST = 1 }; /* as Windows numbers them */
enum jp_on_service_stop { JP_ON_STOP_KEEP, JP_ON_STOP_TERMINATE };

/* JOB_OBJECT_SECURITY_* of winnt.h. Windows has refused them since Vista; the service does what it can of them. */
enum jp_security_limit {
    JP_SECURITY_NO_ADMIN = 0x1,
    JP_SECURITY_RESTRICTED_TOKEN = 0x2,
    JP_SECURITY_ONLY_TOKEN = 0x4,
    JP_SECURITY_FILTER_TOKENS = 0x8,
};

struct jp_working_set {
    uint64_t present;
    uint64_t min_bytes, max_bytes;
};

/* Either a hard cap, or a weight, or a range. */
enum { JP_CPU_HARD_CAP, JP_CPU_WEIGHT, JP_CPU_MIN, JP_CPU_MAX };
struct jp_cpu_rate {
    uint64_t present;
    uint32_t hard_cap, weight, min, max; /* 1/100 % of all processors; weight 1 to 9 */
};

enum { JP_NETWORK_MAX_BANDWIDTH, JP_NETWORK_DSCP };
struct jp_network_rate {
    uint64_t present;
    uint64_t max_bandwidth_bytes; /* a second, outgoing */
    uint32_t dscp;
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
};

extern const struct jp_field jp_limit_fields[];

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
    uint32_t security;        /* enum jp_security_limit, or-ed */
    uint32_t end_of_job_time; /* enum jp_end_of_job_time */
    uint32_t on_service_stop; /* enum jp_on_service_stop; see jp_pool_spec_terminates() */
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

/* The job object's kernel name: as the spec says, or "Global\JobPool.<name>". New memory (jp_free). */
char *jp_pool_object_name(const char *name, const struct jp_pool_spec *spec);

/* The limit's JOB_OBJECT_LIMIT_* flag(s) for class 2/9 as this spec sets it; 0 for limits that have a class of their own. */
uint32_t jp_limit_flag(const struct jp_limits *limits, enum jp_limit limit);

extern const struct jp_choice jp_priority_classes[];
extern const struct jp_choice jp_on_service_stop_choices[];

#endif
