/* What is to be recorded, and what can be asked: the interface that `store/` implements.
 *
 * Recording never blocks and never fails towards the caller: records are copied into a bounded queue that one writer thread
 * commits in batches, in the order of recording. A process is one row, found by its id, and once only under (run, pool, pid, creation
 * time); it is written again with cumulative values, so writing twice counts once. Callbacks come on the loop's thread.
 *
 * A run is the time from one opening of the database to the next. What is said of pools goes by their names: a pool that is made again,
 * after a restart or a re-boot too, goes on counting where the last one of its name stood. */
#ifndef JP_POOL_ACCOUNTS_H
#define JP_POOL_ACCOUNTS_H

#include "job/job_backend.h"

struct jp_accounts;

/* Who noticed what an event tells. */
enum jp_origin {
    JP_ORIGIN_KERNEL,     /* the job's completion port */
    JP_ORIGIN_RECONCILER, /* the port did not tell; a handle or a PID list did */
    JP_ORIGIN_SERVICE,    /* the service did it, or was asked to */
};
const char *jp_origin_name(enum jp_origin origin); /* "kernel", "reconciler", "service" */
extern const struct jp_choice jp_origins[];

struct jp_event {
    uint64_t seq;        /* rises by one, for ever */
    int64_t time_100ns;  /* wall clock, FILETIME */
    const char *pool;    /* "" for events of the service itself */
    const char *message; /* "JOB_OBJECT_MSG_NEW_PROCESS", or our own: "POOL_CREATED", "KEEPER_ENDED", ... */
    uint32_t pid;        /* 0: none */
    int64_t start_100ns; /* the process's creation time; 0: none or unknown */
    const char *process; /* image file name without folder, or NULL */
    enum jp_origin origin;
    bool has_exit_code;
    uint32_t exit_code;
    const char *detail; /* a sentence, or NULL */
};

/* How a process left its pool. */
enum jp_ending {
    JP_ENDING_NONE,       /* it has not: it runs */
    JP_ENDING_EXITED,     /* ended by itself */
    JP_ENDING_CRASHED,    /* ended with an exception's code */
    JP_ENDING_TERMINATED, /* ended by us, because somebody asked */
    JP_ENDING_UNKNOWN,    /* gone; how was not seen (the service was not there, or it could not be opened) */
};
const char *jp_ending_name(enum jp_ending ending); /* "running", "exited", "crashed", "terminated", "unknown" */
extern const struct jp_choice jp_endings[];

struct jp_process_record {
    int64_t id;  /* ours: rises by one, for ever */
    int64_t run; /* in which it was first recorded */
    char *pool;
    struct jp_process_facts facts;
    int64_t joined_100ns;
    int64_t ended_100ns;      /* 0: runs */
    enum jp_origin joined_by; /* SERVICE: assigned or launched; KERNEL: a member's child; RECONCILER: found in the list */
    enum jp_ending ending;
    uint32_t exit_code;
    bool has_exit_code;
    bool start_exact; /* false: it was gone before it could be opened; start_100ns is when we heard of it */
    bool starting;    /* launched, but so far nothing of it may have run: it is let run when this is on the disk */
    struct jp_usage usage;
};
void jp_process_record_clear(struct jp_process_record *record);
void jp_process_record_copy(const struct jp_process_record *source, struct jp_process_record *target); /* target all zero */

/* A pool that the database knows. `definition` is JSON for pools made with `persist`, else NULL. */
struct jp_pool_record {
    const char *name;
    const char *parent; /* or NULL */
    const char *definition;
    bool frozen, keep_frozen; /* by pool.freeze; keep: also over a crash of the service */
    bool suspends;            /* its members may be suspended between two slices of their CPU rate */
    bool below_frozen;        /* they are suspended because a pool above it is frozen */
    bool ephemeral;
    int64_t busy_since_100ns; /* wall clock: when the first process joined the empty pool; 0: it is empty */
    int64_t job_time_used_100ns; /* user time of ended processes that counts towards its job time, where the service keeps that; below
                                    zero when what running ones had used before it was set is more */
};

/* How many processes, and what they used. */
struct jp_job_use {
    uint64_t processes, user_100ns, kernel_100ns, read_bytes, write_bytes;
};

/* A job object of a pool, from its making to its end: what it counts, compared with the rows, tells what nobody saw. Recorded again under
 * the same time of its making, it replaces the earlier record. */
struct jp_job_record {
    const char *object_name;
    const char *pool;
    uint32_t session;
    int64_t created_100ns;
    struct jp_job_use before; /* what it has counted of processes whose rows are of before that time, or are not there */
};

/* Processes that were in a pool's jobs though nobody saw them come and go: how many the jobs count beyond the rows, and what they used.
 * Who they were cannot be told. */
struct jp_unobserved_record {
    const char *pool;
    uint32_t session; /* of the jobs that counted them */
    int64_t from_100ns, to_100ns; /* they began and ended between these */
    uint64_t processes, user_100ns, kernel_100ns, read_bytes, write_bytes;
};

/* What a pool's ended processes have used since it was first heard of, those of its children not included. They only grow. */
struct jp_counters {
    uint64_t processes, exited, crashed, terminated, unknown, failures; /* failures: ended with a code other than 0 */
    uint64_t unobserved; /* processes beside these: see jp_unobserved_record; the sums have what they used */
    uint64_t user_100ns, kernel_100ns;
    uint64_t read_operations, write_operations, other_operations;
    uint64_t read_bytes, write_bytes, other_bytes;
    uint64_t peak_commit_bytes; /* the largest of any one process */
};

void jp_counters_add(struct jp_counters *counters, const struct jp_process_record *ended);
void jp_counters_add_unobserved(struct jp_counters *counters, const struct jp_unobserved_record *unobserved);
/* What `total` has beyond `base`; of peaks, the total's. Never below 0, should rows that a reset knew of be lost. */
void jp_counters_less(struct jp_counters *total, const struct jp_counters *base);

/* Somebody set a pool's counters to zero: they are told as what they are less `base` from then on. All resets are kept. */
struct jp_reset_record {
    const char *pool;
    int64_t time_100ns;
    const char *by; /* who: an account's name */
    struct jp_counters base; /* what they stood at */
};

/* What has been used for ever; it only grows. */
struct jp_spent {
    uint64_t cpu_100ns, read_bytes, write_bytes;
};

/* A pool as it was when the machine's processes were looked at, with those below it. */
struct jp_sample_record {
    const char *pool;
    int64_t time_100ns;
    uint64_t processes;
    bool has_memory, has_io; /* false: unknown */
    uint64_t commit_bytes, working_set_bytes;
    struct jp_spent spent;
    struct jp_spent own; /* the pool's alone, as counted in the rows by then: for the next run to go on from */
    uint64_t memory_limit_bytes, process_limit; /* in force; UINT64_MAX: none */
    uint32_t cpu_rate_limit;                    /* a hard cap in 1/100 %; 0: none */
};

/* Totals of the ended and running processes of one group. */
struct jp_summary {
    char *pool;
    uint64_t processes, running, exited, crashed, terminated, unknown, failures; /* failures: ended with a code other than 0 */
    uint64_t user_100ns, kernel_100ns, wall_100ns;
    uint64_t peak_commit_bytes; /* the largest of any one process */
    uint64_t read_bytes, write_bytes;
    uint64_t with_cpu, with_io; /* of how many processes these are known */
    uint64_t unobserved;        /* processes beside these, whose use is in the sums */
};

struct jp_accounts_state {
    bool degraded;          /* the database refuses to be written; the backlog grows */
    char reason[256];       /* why, when degraded */
    uint64_t backlog;       /* records not yet committed */
    uint64_t dropped_events; /* events that the full backlog could not keep */
    uint64_t dropped_from_seq, dropped_to_seq; /* between these, of the last time that it was full; 0: it never was */
    uint64_t dropped_audits; /* rows of the audit trail that it could not keep; their ids are missing in it */
    uint64_t dropped_samples; /* likewise of pools' samples; the next one has what was used */
    uint64_t committed_seq;
    uint64_t first_seq;      /* of the oldest event that is kept; 0: none is */
    uint64_t file_bytes, wal_bytes; /* as of the last commit */
    int64_t last_purge_100ns;       /* when it was last looked for what is to go, whether or not there was any; 0: never in this run */
};

/* Who asked for what, and whether it was done: a row of the audit trail. */
struct jp_audit_record {
    int64_t id;         /* given by the store, rising; not set where it is recorded */
    int64_t time_100ns; /* wall clock, of the first where `count` is more than one */
    const char *user, *sid; /* "DOMAIN\\user" and "S-1-5-...", or "" where it could not be told */
    uint32_t client_pid;    /* of the process at the other end; 0: unknown */
    const char *method;     /* "pool.terminate" */
    const char *pool;       /* or NULL */
    uint32_t pid;           /* of the process that it was about; 0: none */
    bool allowed;           /* false: refused for want of a right */
    jp_status status;       /* JP_OK: done; else why not */
    const char *detail;     /* a sentence: the error's, what was launched, ..., or NULL */
    uint64_t count;         /* the same request so often, within a minute of the first: refusals are put together */
};

/* What to select of it. Zero or NULL means any. */
struct jp_audit_filter {
    int64_t from_100ns, to_100ns;
    const char *user; /* whatever the case of its letters */
    const char *pool, *method;
    bool denied; /* only what was refused for want of a right */
    int64_t after_id;
    uint32_t limit;
    bool newest; /* the last `limit` ones instead of the first; still in rising order */
};

/* By what a report groups; or-ed. */
enum jp_report_key {
    JP_REPORT_POOL = 1,
    JP_REPORT_USER = 2,
    JP_REPORT_IMAGE = 4,   /* file name */
    JP_REPORT_DAY = 8,     /* UTC, of the beginning */
    JP_REPORT_ENDING = 16,
};
extern const struct jp_choice jp_report_keys[]; /* "pool", ... */

/* What ephemeral pools have used may be counted in the nearest pool above that is not ephemeral, "" where there is none. A filter's `pools` are
 * then meant with those. */
struct jp_folding {
    bool on;
    bool named; /* the filter's pools were asked for by their names: also an ephemeral one of them stands for itself */
};

/* Which process rows are counted in a report. */
struct jp_report_filter {
    uint32_t by;                     /* enum jp_report_key */
    const struct jp_strings *pools;  /* NULL: all; an empty list selects nothing */
    const char *user, *image, *ending; /* the first two whatever the case of their letters; `image` is a file name */
    int64_t from_100ns, to_100ns;    /* started within, as in jp_summary_filter */
    uint32_t limit;                  /* at most so many groups: those that used the most CPU time; 0: all */
    struct jp_folding folding;
};
struct jp_report_row {
    const char *pool, *user, *image, *ending; /* NULL: not grouped by it, or unknown */
    int64_t day_100ns;                        /* midnight UTC; 0: not grouped by it */
    struct jp_summary sums;                   /* its `pool` is not used, and `unobserved` is 0: they have no rows */
};
struct jp_report {
    const struct jp_report_row *rows; /* by CPU time, the most first; equal ones by their names */
    size_t count;
    size_t groups;            /* how many there are beyond the filter's limit, too */
    struct jp_summary total;  /* of all groups */
    int64_t complete_from_100ns; /* rows of processes that began earlier, but within the filter's time, were purged; 0: none were */
};

/* Pools over time. */
struct jp_series_filter {
    const struct jp_strings *pools; /* NULL: all; an empty list selects nothing */
    int64_t from_100ns, to_100ns;   /* both are given, the first is the lesser one */
    uint32_t points;                /* at most so many steps, from 1 on */
    int64_t least_step_100ns;       /* no step is shorter: how often samples are recorded */
    struct jp_folding folding;
};
struct jp_series_point {
    int64_t time_100ns;      /* the step's beginning */
    bool looked;             /* there are samples of it; else only of rows of processes */
    bool has_memory, has_io;
    uint64_t processes, commit_bytes, working_set_bytes; /* the most that a sample has */
    struct jp_spent spent;                               /* in the step */
    uint64_t memory_limit_bytes, process_limit;          /* of its last sample; UINT64_MAX: none */
    uint32_t cpu_rate_limit;                             /* 0: none */
    uint64_t started, ended, failures;                   /* processes of the pool alone, those below it not; failures: of the ended */
};
struct jp_series {
    const char *pool;
    const struct jp_series_point *points; /* in order of time; steps of which nothing is known are left out */
    size_t count;
};
struct jp_series_result {
    int64_t step_100ns;             /* steps begin at multiples of it, the first may begin before the filter's time */
    const struct jp_series *series; /* by the pools' names */
    size_t count;
    bool more;                      /* there are more of them than it could hold */
    int64_t complete_from_100ns;    /* samples of before, but within the filter's time, were purged; 0: none were */
};

/* What is to be kept. 0: for ever, however large. */
struct jp_retention {
    uint64_t processes_100ns, events_100ns; /* rows of processes that ended, and events, that are older go */
    uint64_t hours_100ns;                   /* sums of an hour that are older become part of their day's, which stay */
    uint64_t samples_100ns;                 /* samples of pools that are older go */
    uint64_t audit_100ns;                   /* rows of the audit trail that are older go; not for want of room */
    uint64_t max_bytes;                     /* of the database: over it the oldest rows and events go before their time */
};
struct jp_purge_filter {
    const char *pool;    /* NULL: of all pools */
    int64_t before_100ns; /* processes that ended, and events that happened, before this */
    bool processes, events;
};
struct jp_purged {
    uint64_t processes, events;
    uint64_t samples; /* by age, or for want of room; nobody asks for that */
};

/* What to select. Zero or NULL means any. */
struct jp_event_filter {
    uint64_t from_seq; /* inclusive */
    int64_t from_100ns, to_100ns;
    const struct jp_strings *pools, *messages, *origins; /* one of these; an empty list selects nothing */
    uint32_t pid;
    uint32_t limit; /* at most so many */
    bool newest;    /* the last `limit` ones instead of the first; still in rising order */
};
struct jp_process_filter {
    const char *pool;
    const struct jp_strings *pools; /* one of these; an empty list selects nothing */
    uint32_t pid;
    int64_t start_100ns;
    int64_t from_100ns, to_100ns; /* alive at some time within */
    const char *ending;           /* jp_ending_name */
    int64_t after_id;
    uint32_t limit;
};
struct jp_summary_filter {
    const char *pool;
    const struct jp_strings *pools; /* one of these; an empty list selects nothing */
    int64_t from_100ns, to_100ns; /* started within */
    struct jp_folding folding; /* of `pools`, or all */
};

/* `status` not JP_OK: `error` says why, and there are no rows. The rows live until the callback returns. */
typedef void jp_events_fn(void *context, jp_status status, const struct jp_error *error, const struct jp_event *events,
                          size_t count);
typedef void jp_processes_fn(void *context, jp_status status, const struct jp_error *error,
                             const struct jp_process_record *records, size_t count);
typedef void jp_summaries_fn(void *context, jp_status status, const struct jp_error *error,
                             const struct jp_summary *summaries, size_t count);
typedef void jp_audits_fn(void *context, jp_status status, const struct jp_error *error, const struct jp_audit_record *records, size_t count);
typedef void jp_report_fn(void *context, jp_status status, const struct jp_error *error, const struct jp_report *report);
typedef void jp_series_fn(void *context, jp_status status, const struct jp_error *error, const struct jp_series_result *result);
/* Now and then, before the end. About: the rows' ids are counted, and some may have been purged. */
typedef void jp_report_progress_fn(void *context, uint64_t done_rows, uint64_t all_rows);
typedef void jp_purged_fn(void *context, jp_status status, const struct jp_error *error, const struct jp_purged *purged);
typedef void jp_durable_fn(void *context, jp_status status);

struct jp_accounts_ops {
    void (*record_event)(struct jp_accounts *accounts, const struct jp_event *event);
    void (*record_process)(struct jp_accounts *accounts, const struct jp_process_record *record);
    void (*record_pool)(struct jp_accounts *accounts, const struct jp_pool_record *record);
    void (*forget_pool)(struct jp_accounts *accounts, const char *name); /* it is deleted: its definition goes, its history stays */
    void (*record_job)(struct jp_accounts *accounts, const struct jp_job_record *record); /* made anew: an older one of the name is gone */
    void (*forget_job)(struct jp_accounts *accounts, const char *object_name);
    void (*record_unobserved)(struct jp_accounts *accounts, const struct jp_unobserved_record *record);
    void (*record_reset)(struct jp_accounts *accounts, const struct jp_reset_record *record);
    void (*record_sample)(struct jp_accounts *accounts, const struct jp_sample_record *record); /* the first to be dropped when the backlog fills */
    /* The process that keeps the jobs' names while no service runs. 0: there is none. */
    void (*record_keeper)(struct jp_accounts *accounts, uint32_t pid, int64_t start_100ns);

    /* Calls back when all that was recorded so far is on the disk: JP_OK, or JP_E_STORE at once if the database cannot
     * be written now (the records stay in the backlog). */
    void (*when_durable)(struct jp_accounts *accounts, jp_durable_fn *callback, void *context);

    void (*query_events)(struct jp_accounts *accounts, const struct jp_event_filter *filter, jp_events_fn *callback,
                         void *context);
    void (*query_processes)(struct jp_accounts *accounts, const struct jp_process_filter *filter,
                            jp_processes_fn *callback, void *context);
    void (*query_summary)(struct jp_accounts *accounts, const struct jp_summary_filter *filter, jp_summaries_fn *callback,
                          void *context);
    void (*record_audit)(struct jp_accounts *accounts, const struct jp_audit_record *record); /* its id is not looked at */
    void (*query_audit)(struct jp_accounts *accounts, const struct jp_audit_filter *filter, jp_audits_fn *callback, void *context);
    /* Counts rows in steps between other queries. Returns its number, for report_cancel; `callback` is called once, JP_E_CANCELLED if it was
     * cancelled. `progress` may be NULL. */
    uint64_t (*query_report)(struct jp_accounts *accounts, const struct jp_report_filter *filter, jp_report_progress_fn *progress,
                             jp_report_fn *callback, void *context);
    void (*report_cancel)(struct jp_accounts *accounts, uint64_t report); /* `callback` is called from the loop soon after */
    /* Likewise in steps, and cancelled likewise: its number is one of a report. */
    uint64_t (*query_series)(struct jp_accounts *accounts, const struct jp_series_filter *filter, jp_series_fn *callback, void *context);
    void (*state)(struct jp_accounts *accounts, struct jp_accounts_state *ret_state);

    /* Deletes what the filter selects, in small steps between other writes; what processes used stays in the sums of hours and days.
     * Rows of processes that run are not touched. */
    void (*purge)(struct jp_accounts *accounts, const struct jp_purge_filter *filter, jp_purged_fn *callback, void *context);
    void (*set_retention)(struct jp_accounts *accounts, const struct jp_retention *retention);
};

struct jp_accounts {
    const struct jp_accounts_ops *ops;
};

/* What the database held when it was opened: where numbering goes on, and what was open when the last run ended. */
struct jp_accounts_start {
    uint64_t last_seq;
    int64_t last_process_id;
    int64_t last_audit_id;
    int64_t run;  /* the number of the one that begins now */
    bool unclean; /* the last run did not end in order */
    uint32_t *service_pids; /* the services' own, of the runs since the last one that ended in order */
    size_t service_pid_count;
    int64_t last_run_ended_100ns; /* the last that is known of it: its end, or its last commit; 0: there was none. May be ahead of now: the clock
                                   * was set back since */
    struct jp_process_record *running; /* rows without an end */
    size_t running_count;
    struct jp_stored_pool {
        char *name;
        char *definition;
    } *pools; /* those made with `persist` */
    size_t pool_count;
    struct jp_pool_past { /* of pools that were there when the last run ended */
        char *name, *parent; /* NULL: it had none */
        bool defined; /* it has a definition */
        bool frozen, keep_frozen, suspends, below_frozen;
        bool ephemeral;
        int64_t busy_since_100ns;
        int64_t job_time_used_100ns;
    } *pasts;
    size_t past_count;
    struct jp_pool_counters { /* of every pool that there ever was, as long as anything is recorded under its name, but for pasts of which
                                 nothing was counted; who was used last comes last */
        char *name;
        bool ephemeral; /* it was, at last */
        struct jp_counters total;
        int64_t reset_100ns;     /* of the last reset; 0: never */
        struct jp_counters base; /* of it */
        int64_t sampled_100ns;   /* time of the pool's last sample; 0: there never was one */
        struct jp_spent sampled, sampled_own; /* what it had as spent, and own */
    } *counters;
    size_t counter_count;
    struct jp_stored_job { /* the jobs that were recorded, with what the rows have of them: of processes of their pool and of those
                              below it, of their session, that joined since they were made, running ones too */
        char *object_name, *pool;
        uint32_t session;
        int64_t created_100ns;
        uint64_t processes;        /* purged ones too */
        uint64_t unobserved;       /* told already */
        uint64_t user_100ns, kernel_100ns, read_bytes, write_bytes; /* of those that have ended, and unobserved ones */
        struct jp_job_use before;  /* as recorded */
    } *jobs;
    size_t job_count;
    uint32_t keeper_pid; /* 0: there was none */
    int64_t keeper_start_100ns;
};
void jp_accounts_start_clear(struct jp_accounts_start *start);

#endif
