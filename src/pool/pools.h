/* Pools and their members: the state machine in the middle.
 *
 * It is told what happened (packets from the port, exits of watched processes, time) and does what follows through two
 * interfaces: `job/job_backend.h` towards the system, `pool/accounts.h` towards the record. It has no thread, no clock and
 * no I/O of its own; everything is called on the loop's thread.
 *
 * A job's messages are hints: Windows may lose them and sends none for what TerminateJobObject ends. So each member is also
 * watched by its handle, and PID lists are read after a loss, after a restart and on a slow timer. */
#ifndef JP_POOL_POOLS_H
#define JP_POOL_POOLS_H

#include "base/log.h"
#include "base/map.h"
#include "job/configure.h"
#include "policy/policy.h"
#include "pool/accounts.h"

enum jp_pool_source { JP_POOL_FROM_CONFIG, JP_POOL_PERSISTENT, JP_POOL_TRANSIENT };
const char *jp_pool_source_name(enum jp_pool_source source); /* "config", "persistent", "transient" */

enum jp_pool_state {
    JP_POOL_ACTIVE,
    JP_POOL_FAILED, /* its job object could not be had: `failure` says why */
    JP_POOL_ORPHAN, /* removed from the config while it has members; gone when they are */
};
const char *jp_pool_state_name(enum jp_pool_state state); /* "active", "failed", "orphan" */

struct jp_counted;
struct jp_maker;
struct jp_member;
struct jp_pool;
struct jp_pool_used;

/* Of a pool that goes by itself: when its last process has ended, or nobody is left who would put one in. */
struct jp_ephemeral {
    struct jp_maker *maker; /* the account whose it is */
    const void *held_by; /* who made it, while that one is there; NULL: gone */
    struct jp_pool *held_next, *held_previous; /* while it is held */
    bool inhabited;      /* a process is, or was, in it or below it */
    uint64_t look_ms;    /* nothing keeps it: when it goes, if that is still so; 0: something does */
    struct jp_pool *idle_next, *idle_previous; /* by that time */
};

/* One of a pool's job objects: all processes of a job are in one session, so there is one for each session that has members. */
struct jp_pool_job {
    struct jp_pool *pool;
    char *object_name; /* the pool's, with "#<session>" behind it for all but the first */
    struct jp_job *job;
    uint64_t key;   /* at the port; never used again */
    /* what takes less than eight bytes is together, for there are many */
    bool listening; /* its messages come through the port; if not, the PID list is read often */
    bool zero_due;  /* it had members since ACTIVE_PROCESS_ZERO was last told */
    bool inhabited; /* it had members when it was opened */
    bool existed;   /* an earlier run made it ... */
    bool restored;  /* ... and the accounts know of it */
    bool kept;      /* the keeper holds it too */
    bool leaving;   /* it may be closed when the kernel agrees: see next_leaving */
    bool settled;   /* a process has joined: the job is of that session from then on */
    uint32_t session;
    uint64_t message_count; /* that came through the port */
    int64_t created_100ns;
    struct jp_job_use seen, before; /* what members of it are accounted with; before: of those before created_100ns. See unobserved.c */
    uint64_t excess, excess_messages, excess_since_ms; /* processes that it has counted beyond those; how long that has stood still */
    int64_t quiet_since_100ns;                         /* when it had none */
    struct jp_pool_job *next_leaving;
};

struct jp_pool_session {
    uint32_t session;
    size_t members;
};

struct jp_pool {
    char *name;
    struct jp_pool_spec spec;
    struct jp_pool *parent;
    struct jp_pool **children;
    size_t child_count;
    size_t child_index; /* its place among its parent's */
    unsigned depth; /* 0: no parent */
    enum jp_pool_source source;
    enum jp_pool_state state;
    uint32_t token_pid;       /* of whose process `token` is */
    uint32_t slice_run_ms;    /* its members run so long of each slice ... */
    bool slice_resting;       /* ... and are resting now */
    bool suspends;            /* its CPU rate is kept in slices: so it stands in the accounts ... */
    bool rest_awaited;        /* ... or will: see rest_id */
    bool is_present;          /* it stands in the list of present_next */
    bool frozen, keep_frozen; /* frozen itself; those above it may be too. keep: also over a crash of the service */
    bool thaw_freeze, thaw_rate; /* found frozen, or suspending, after a crash: its members are let go of as they are taken up */
    bool late_limits_due;     /* a limit was set: see jp__report_late_limits */
    bool ended_with_service;  /* the service stops, and has ended it */
    bool access_is_own;       /* it says itself who has which rights */
    struct jp_error *failure; /* FAILED: why; else NULL */
    char *object_name;     /* of its first job */
    struct jp_pool_job **jobs; /* none when FAILED; else the first is made with the pool, the others when a session needs one */
    size_t job_count;
    struct jp_job_accounting_and_io *past; /* of jobs that are closed; NULL: none ever was */
    struct jp_principal *token;           /* what only_token launches with, if it was given through the pipe */
    struct jp_member *first_member;
    size_t member_count; /* immediate ones */
    struct jp_member *first_lingering; /* that were its members, by next and previous */
    size_t total_count;                /* with those of its children, and of those in each session: see presence.c */
    struct jp_pool_session *sessions;
    size_t session_count;
    struct jp_pool *present_next, *present_previous; /* of pools with members, and of those that had some when last looked at */
    struct jp_policy_state policy;  /* what decisions remember */
    struct jp_pool_used *used;      /* used.c: sums over members; NULL: nobody was ever in it, nor below it */
    uint64_t job_time_base_100ns;   /* user time of the totals when the job time was set */
    struct jp_policy_clock run;     /* since when it has members, with those of its children; 0: it has none */
    int64_t busy_since_100ns;       /* the same on the wall, for the next run of the service */
    uint64_t slice_cpu_100ns;       /* cpu_rate_fallback: what its members had used when it was last measured, ... */
    uint64_t slice_measured_ms;     /* ... and when */
    uint64_t slice_turn_ms;         /* they run, or rest, until then */
    int64_t rest_id;                /* it suspends, and that is on the disk with the rows of its members up to this one; 0: it is not yet */
    size_t picture_index;           /* while a picture is drawn: see enforcement.c and usage.c */
    uint64_t told;                  /* events of it and of those below it, since the service began */
    uint64_t restored_user_100ns;   /* of its job time, what was used in an earlier run: see jp__pool_remember */
    struct jp_strings troubles;     /* sentences: what could not be enforced */
    size_t queue_length;    /* requests that wait for room in it */
    uint64_t full_in_round; /* when the queue was last looked at */
    int64_t created_100ns;
    struct jp_descriptor *descriptor; /* of `access` in its spec; NULL: it says nothing (access.c) */
    struct jp_counted *counted; /* its name's counters, which outlive it: see counters.c */
    struct jp_ephemeral *ephemeral; /* NULL: it stays until somebody deletes it */
};

enum { JP_POOL_MAX_DEPTH = 32 }; /* levels of pools; a member keeps a bit for each */

/* Where a member is on its way out. */
enum jp_member_stage {
    JP_MEMBER_LIVE,
    JP_MEMBER_NEWBORN,   /* still being made: who it is cannot be read yet. Looked at again soon */
    JP_MEMBER_SETTLING,  /* its handle says that it ended; the port has a moment to say so too */
    JP_MEMBER_LINGERING, /* closed in the accounts and out of its pool; kept (and its pid with it) for messages on their way */
    JP_MEMBER_STAGES
};

struct jp_member {
    struct jp_process_record record; /* pool, image and user are shared: texts.c */
    struct jp_pool *pool; /* NULL when LINGERING and the pool is gone */
    struct jp_member *next, *previous; /* of the pool; LINGERING: of those that were its members */
    struct jp_process *process;        /* NULL if it could not be opened */
    uint64_t watch;                    /* its number at the backend; 0: not watched */
    struct jp_process *control; /* opened to adjust, freeze and end it; NULL until it is needed, or if that failed */
    struct jp_policy_clock joined, active; /* when it joined; when its CPU time last moved */
    uint64_t commit_bytes, working_set_bytes; /* as of the last sample */
    uint64_t sampled_cpu_100ns; /* user and kernel time as of the last sample */
    uint64_t sampled_in;        /* number of the last sample that had it */
    /* what takes less than eight bytes is together, for there are many members */
    enum jp_member_stage stage;
    bool uncontrollable;        /* it may not be opened or ended: nothing is decided about it any more */
    uint8_t troubles_told;      /* enum trouble of enforcement.c: each once */
    bool enforcement_due;       /* it is still being made: limits are looked at when it is there */
    bool frozen;                /* by us; counted once, however many pools of its chain are */
    bool resting;               /* between two slices of its CPU rate */
    bool asked_to_stop;         /* ... and is ended at stop_deadline_ms */
    bool ended_before;        /* by itself, when its job was ended */
    bool terminated;          /* we ended it */
    bool silent;              /* ended with its whole job: the port will not tell */
    bool abnormal;            /* the port called its end a crash */
    bool watch_spent;         /* its watch was told before it had a thread: it must be watched anew */
    bool stray;               /* there is no handle to ask, and the last PID list did not have it */
    uint32_t looks;           /* at it while it was being made */
    uint32_t freezes_awaited; /* it is in a frozen pool, and that is not on the disk yet */
    uint32_t stop_exit_code;
    uint64_t stop_deadline_ms; /* awake */
    uint32_t seen_in;         /* bit `depth` for each pool of its chain whose job was told that it is seen */
    uint32_t announced;       /* bit `depth` for each pool of its chain that told of its coming ... */
    uint32_t exit_announced;  /* ... and of its going */
    uint32_t exit_heard;      /* bits likewise: a port told of its end while its handle said that it runs */
    uint64_t joined_ms;
    uint64_t deadline_ms;     /* of the stage */
    struct jp_member *queue_next, *queue_previous; /* of all in the same stage, by deadline */
};

struct jp_pools;

struct jp_pools_surroundings {
    struct jp_backend *backend;
    struct jp_accounts *accounts;
    const struct jp_log *log;
    const char *(*environment)(const char *name); /* for %VAR% in definitions that come back from the database */
    void *context;
    int64_t (*now_100ns)(void *context);   /* wall clock */
    uint64_t (*now_ms)(void *context);     /* monotonic */
    uint64_t (*awake_ms)(void *context);   /* monotonic, without the time that the machine slept; NULL: now_ms */
    uint64_t (*total_ms)(void *context);   /* monotonic, with it; NULL: now_ms */
    uint64_t sample_interval_ms;           /* 0: 500 */
    uint64_t record_interval_ms;           /* how often pools with members are recorded; 0: not at all */
    void (*on_event)(void *context, const struct jp_event *event); /* each, in order of seq; recorded already */
};

struct jp_named_spec {
    char *name;
    struct jp_pool_spec spec;
};

/* `start` (what the database held) is read until jp_pools_adopt has returned, and not kept. */
struct jp_pools *jp_pools_new(const struct jp_pools_surroundings *surroundings, const struct jp_accounts_start *start);
void jp_pools_free(struct jp_pools *pools); /* closes all handles: jobs with kill-on-close end here */

/* --- pools --- */

struct jp_reload_result { /* names, each list jp_free'd by jp_reload_result_clear */
    struct jp_strings added, changed, removed, orphaned;
};
void jp_reload_result_clear(struct jp_reload_result *result);

/* Makes the pools from the config what `specs` says; all or nothing: what cannot be done is found before anything is.
 * Pools made by RPC stay, unless a name clashes (then: JP_E_POOL_EXISTS). A pool whose job cannot be opened is kept as
 * FAILED. Removed pools with members become orphans; their processes are ended where the pool's on_remove says so.
 * New pools take their specs over: those are all zero then. `ret_result` may be NULL. */
jp_status jp_pools_load(struct jp_pools *pools, struct jp_named_spec *specs, size_t count, struct jp_reload_result *ret_result,
                        struct jp_error *error);

/* Once, after the first load: pools that were made with `persist` come back, rows of the last run that are still open are
 * taken up again or closed. */
void jp_pools_adopt(struct jp_pools *pools, const struct jp_accounts_start *start);

jp_status jp_pools_create(struct jp_pools *pools, const char *name, const struct jp_pool_spec *spec, bool persist,
                          struct jp_pool **ret_pool, struct jp_error *error);
/* One that goes by itself, `maker`'s (a SID), as soon as jp_pools_holder_gone is told of `held_by`, if it had no process by then. Only settings
 * that narrow (jp_ephemeral_keys; else JP_E_PARAMS), and a name that neither a pool nor the record has (JP_E_POOL_EXISTS): whoever may view the
 * pool may read all that is recorded under its name. Its job object has a name that no other pool's can have. */
jp_status jp_pools_create_ephemeral(struct jp_pools *pools, const char *name, const struct jp_pool_spec *spec, const char *maker, const void *held_by,
                                    struct jp_pool **ret_pool, struct jp_error *error);
size_t jp_pools_ephemeral_count(struct jp_pools *pools, const char *maker); /* that are his now */
const char *jp_pool_maker(const struct jp_pool *pool);                       /* of an ephemeral one: the SID */
void jp_pools_holder_gone(struct jp_pools *pools, const void *held_by);
/* Whose it was: the SID, for some minutes after it has gone; NULL: of such a name nothing is known (any more). */
const char *jp_pools_gone_maker(const struct jp_pools *pools, const char *name);
void jp_pools_each_gone(const struct jp_pools *pools, const char *maker, void (*tell)(void *context, const char *name), void *context);
/* Nothing is recorded under its name any more, so that is free again. A pool that has the name by now keeps it. */
void jp_pools_forget_name(struct jp_pools *pools, const char *name);

/* Lays `change` over the pool's spec (jp_schema_merge) and configures the living job. `parent` and `object_name` cannot
 * change. If the system refuses, the old settings are put back. */
jp_status jp_pools_update(struct jp_pools *pools, struct jp_pool *pool, const struct jp_pool_spec *change,
                          struct jp_error *error);
/* With members: JP_E_POOL_BUSY, unless `terminate`, which ends them first. */
jp_status jp_pools_delete(struct jp_pools *pools, struct jp_pool *pool, bool terminate, size_t *ret_terminated,
                          struct jp_error *error);

struct jp_pool *jp_pools_find(struct jp_pools *pools, const char *name);
/* All pools by name, in alphabetical order; valid until one is created or deleted. */
struct jp_pool *const *jp_pools_sorted(struct jp_pools *pools, size_t *ret_count);
struct jp_pool *const *jp_pools_near(struct jp_pools *pools, const char *name, size_t *ret_count); /* some that stand beside it in that order */
struct jp_pool *jp_pools_find_object(struct jp_pools *pools, const char *object_name);           /* whose job it is; NULL: no pool's */
size_t jp_pools_count(const struct jp_pools *pools);
size_t jp_pool_total_members(const struct jp_pool *pool); /* with those of its children */
size_t jp_pool_session_members(const struct jp_pool *pool, uint32_t session); /* likewise, of one session */
bool jp_pool_listening(const struct jp_pool *pool); /* all its jobs' messages come through the port */

/* --- its job objects, through the information classes --- */

/* Settings are what the pool is told to be, whatever the host keeps of it; the rest is the sum over its jobs (of peaks: the
 * largest). Clear the result with jp_job_info_clear. */
jp_status jp_pools_query_job(struct jp_pools *pools, struct jp_pool *pool, enum jp_job_class class, struct jp_job_info *ret_info,
                             struct jp_error *error);
/* A change of the pool's spec, as jp_pools_update. A job time that stays as it is keeps its clock. */
jp_status jp_pools_set_job(struct jp_pools *pools, struct jp_pool *pool, const struct jp_job_info *info, struct jp_error *error);
/* The security limits, and the token of only_token, which is taken (NULL: the one that it has if `token_pid` is that one's, else as
 * `security->account` says). */
jp_status jp_pools_set_security(struct jp_pools *pools, struct jp_pool *pool, const struct jp_security *security,
                                struct jp_principal *token, uint32_t token_pid, struct jp_error *error);
jp_status jp_pools_contains(struct jp_pools *pools, struct jp_pool *pool, struct jp_process *process, bool *ret_contains,
                            struct jp_error *error);
/* Who counts which limit: per job object, so per session where a pool spans several. Ends with JP_LIMIT_COUNT. */
extern const enum jp_limit jp_limits_per_session[];

/* --- processes --- */

/* Called once the member is recorded on disk (or the database refuses to be written, or `at_once`: then at once). `member` is NULL on
 * failure, and may have ended by the time of the call. */
typedef void jp_joined_fn(void *context, jp_status status, const struct jp_error *error, const struct jp_process_record *record,
                          uint64_t seq);

/* A process on its way into a pool. */
struct jp_joining {
    struct jp_pool *pool;
    /* a running process: */
    uint32_t pid;
    int64_t start_100ns; /* 0: whoever has the pid now */
    struct jp_principal *principal;
    /* or one to start: */
    const struct jp_launch *launch; /* its chain, token and filter are filled in here; its principal counts */
    bool as_windows;        /* do not look for room: Windows ends a process that is assigned over a limit */
    bool at_once;           /* a launch is let run, and told of, without waiting for the disk; but not in a frozen pool */
    bool held;              /* its caller has it suspended: without him nobody ever lets it run (jp_pools_queue_abandon) */
    uint64_t timeout_100ns; /* for when_full "wait"; 0: as the pool says */
    jp_joined_fn *callback;
    void *context;
};
struct jp_queued; /* one that waits for room */

/* Takes a process in, or starts one that runs from the moment that its row is on disk (`at_once`: before). A failure before anything was done, or one
 * that left everything as it was, calls back at once. NULL, or the place in the queue of a pool that is full and says "wait":
 * until then it can be cancelled. What `joining` points to is copied; principals must outlive the waiting. */
struct jp_queued *jp_pools_join(struct jp_pools *pools, const struct jp_joining *joining);
void jp_pools_queue_cancel(struct jp_pools *pools, struct jp_queued *queued); /* no call after this */
/* Likewise, because who asked is gone: a running process that he held ends, by the right to end it with which it was opened. */
void jp_pools_queue_abandon(struct jp_pools *pools, struct jp_queued *queued);

jp_status jp_pools_terminate(struct jp_pools *pools, struct jp_pool *pool, uint32_t exit_code, size_t *ret_count,
                             struct jp_error *error);
/* JP_E_NO_PROCESS if no pool has it. */
jp_status jp_pools_find_process(struct jp_pools *pools, uint32_t pid, int64_t start_100ns, struct jp_member **ret_member,
                                struct jp_error *error);
/* With the principal's rights to the process (NULL: the service's own). */
jp_status jp_pools_terminate_process(struct jp_pools *pools, struct jp_member *member, uint32_t exit_code,
                                     struct jp_principal *principal, struct jp_error *error);
size_t jp_pools_member_count(const struct jp_pools *pools);
/* Brings member->record.usage up to now, as far as its handle tells. */
void jp_pools_refresh_usage(struct jp_pools *pools, struct jp_member *member);

/* --- waiting --- */

struct jp_waiter;
/* `record` is the process waited for, ended; or NULL: the pool has no members left (or is deleted). */
typedef void jp_waited_fn(void *context, const struct jp_process_record *record);
/* Calls back once; at once (before it returns, with NULL returned) if there is nothing to wait for. `member` NULL: until
 * the pool and its children are empty. */
struct jp_waiter *jp_pools_wait(struct jp_pools *pools, struct jp_pool *pool, struct jp_member *member, jp_waited_fn *callback,
                                void *context);
void jp_pools_wait_cancel(struct jp_pools *pools, struct jp_waiter *waiter); /* no call after this */

/* --- what happened --- */

void jp_pools_on_packets(struct jp_pools *pools, const struct jp_job_packet *packets, size_t count);
void jp_pools_on_exit(struct jp_pools *pools, uint64_t watch);
void jp_pools_on_overflow(struct jp_pools *pools); /* packets were lost: read every list */
/* Does what is due, and says when it wants to be called next (milliseconds, monotonic); UINT64_MAX: not before
 * something happens. */
uint64_t jp_pools_on_time(struct jp_pools *pools);

/* --- looking at all processes --- */

/* When the machine's processes are to be looked at next; UINT64_MAX: nobody needs it. */
uint64_t jp_pools_next_sample_ms(const struct jp_pools *pools);
/* What was seen: taken and cleared. `status` not JP_OK: nothing was, and `error` says why. */
void jp_pools_on_sample(struct jp_pools *pools, jp_status status, struct jp_samples *samples, const struct jp_error *error);
void jp_pools_set_sample_interval(struct jp_pools *pools, uint64_t interval_ms);
/* Samples of pools over time: how often they are recorded. 0: not at all. */
void jp_pools_set_record_interval(struct jp_pools *pools, uint64_t interval_ms);
uint64_t jp_pools_record_interval_ms(const struct jp_pools *pools);
struct jp_sampling {
    uint64_t interval_ms; /* now; 0: nobody needs it */
    int64_t last_100ns;   /* wall clock; 0: never */
    size_t processes;     /* that were seen then */
    bool degraded;        /* the last look failed */
    char reason[JP_ERROR_TEXT];
};
void jp_pools_sampling(const struct jp_pools *pools, struct jp_sampling *ret_sampling);

/* For somebody who wants to know what is used now: calls back once when the machine's processes have been looked at. At once (before it
 * returns, with NULL returned) if that was done less than JP_POOLS_LOOK_MS ago, or there is nobody to look at: all callers together cause one
 * look in that time. */
enum { JP_POOLS_LOOK_MS = 500 };
struct jp_looker;
typedef void jp_looked_fn(void *context);
struct jp_looker *jp_pools_look(struct jp_pools *pools, jp_looked_fn *callback, void *context);
void jp_pools_look_cancel(struct jp_pools *pools, struct jp_looker *looker); /* no call after this */

/* What a pool and those below it use, as of the last look; what has ended is in the sums since the service began, so they never fall. */
struct jp_pool_usage {
    const struct jp_pool *pool;
    size_t total_members;
    uint64_t cpu_100ns, read_bytes, write_bytes; /* in all */
    uint64_t commit_bytes, working_set_bytes;    /* now */
    uint64_t events;                             /* told of it and of those below it */
    bool frozen;                                 /* itself or by one above it */
    /* The tightest that holds for it: its own, or of a pool above it; NULL: there is none. */
    const struct jp_pool *memory_limit_of, *process_limit_of;
};
struct jp_usage_picture {
    struct jp_pool_usage *pools; /* in the order of their names */
    size_t count;
    int64_t time_100ns;   /* wall clock of the look */
    uint64_t clock_100ns; /* the same, monotonic */
};
/* Of `top` and those below it, or (NULL) of all: one walk. Clear with jp_usage_picture_clear; valid until a pool is made or goes. */
void jp_pools_usage(struct jp_pools *pools, struct jp_pool *top, struct jp_usage_picture *ret_picture);
void jp_usage_picture_clear(struct jp_usage_picture *picture);

/* What the pool and those below it use and have used since the service began. Times and bytes as of now, where the host's jobs count them;
 * else, and memory, as of the last look. It costs the same however many members there are. */
void jp_pools_totals(struct jp_pools *pools, const struct jp_pool *pool, struct jp_policy_totals *ret_totals);

/* --- counters --- */

/* What ended in the pool since the last reset (`since` 0: for ever), those below it not included. The times, operations and bytes have
 * what running members have used so far as well, as jp_pools_totals; the peak is of all that ever ran in it, of running ones as of the last look. It
 * costs the same however many members there are. */
void jp_pools_counters(struct jp_pools *pools, const struct jp_pool *pool, struct jp_counters *ret_counters, int64_t *ret_since_100ns);
/* Sets them to zero, in the name of `by`: recorded, and told (COUNTERS_RESET). */
jp_status jp_pools_reset_counters(struct jp_pools *pools, struct jp_pool *pool, const char *by, struct jp_counters *ret_old,
                                  struct jp_error *error);

/* --- freezing --- */

/* All members of the pool and of those below it stop, as soon as that is on record, and those who come. JP_E_PARAMS if it is (not) frozen itself already. */
jp_status jp_pools_freeze(struct jp_pools *pools, struct jp_pool *pool, bool keep, struct jp_error *error);
jp_status jp_pools_thaw(struct jp_pools *pools, struct jp_pool *pool, struct jp_error *error);
const struct jp_pool *jp_pool_frozen_by(const struct jp_pool *pool); /* itself or one above it; NULL: it runs */

/* --- rules --- */

/* What the rules say to a process. `pool` NULL: it stays where it is; `why`: the reason, if it is not that no rule fits. */
struct jp_matched {
    uint32_t pid;
    const struct jp_process_facts *facts;
    struct jp_pool *pool;
    size_t rule; /* of the pool's match; SIZE_MAX: it is the default pool */
    const char *why; /* why it is not taken; NULL: it would be, or no rule fits */
};
typedef void jp_matched_fn(void *context, const struct jp_matched *matched);
/* Tells of every process of the machine (`pid` 0) or of one; lives until the callback returns. `apply`: those who fit are taken in. */
jp_status jp_pools_match(struct jp_pools *pools, uint32_t pid, bool apply, jp_matched_fn *tell, void *context, struct jp_error *error);

/* --- who may do what (job/access.h) --- */

/* Of the service, and of pools that say nothing themselves; NULL: the default, which also holds before the first call. */
void jp_pools_set_access(struct jp_pools *pools, const struct jp_access *access);
/* JP_RIGHT_* that the principal has to the pool, or (NULL) to the service. */
uint32_t jp_pools_rights(const struct jp_pools *pools, const struct jp_pool *pool, const struct jp_principal *principal);
/* What that is asked of: the same for the same rights, until the generation changes. */
const struct jp_descriptor *jp_pools_descriptor(const struct jp_pools *pools, const struct jp_pool *pool);
uint64_t jp_pools_access_generation(const struct jp_pools *pools);
bool jp_pools_access_is_one(const struct jp_pools *pools); /* no pool has another descriptor than the service */

/* --- the end --- */

/* Ends the pools that end with the service; their processes are asked first where the pool says stop.grace, and ended when that time
 * is over. True when nothing is left to wait for; call again after exits were told, and when time has passed. */
bool jp_pools_stop(struct jp_pools *pools);
uint64_t jp_pools_longest_grace_ms(const struct jp_pools *pools); /* of the pools that end with the service */

/* The process that holds the jobs for the time when no service runs; 0: there is none, because nothing is to be kept. */
uint32_t jp_pools_keeper(const struct jp_pools *pools);
/* Records pools, jobs and members anew: the database is a new one. */
void jp_pools_record_all(struct jp_pools *pools);

/* An event of the service itself: "SERVICE_STARTED", "CONFIG_RELOADED", ... */
uint64_t jp_pools_note(struct jp_pools *pools, const char *message, const char *detail);
uint64_t jp_pools_note_of(struct jp_pools *pools, struct jp_pool *pool, const char *message, const char *detail); /* of a pool; NULL: the service */
uint64_t jp_pools_last_seq(const struct jp_pools *pools);

#endif
