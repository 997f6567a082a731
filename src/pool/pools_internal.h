/* Shared by the files of this folder: the state, and what one file does for the others. */
#ifndef JP_POOL_POOLS_INTERNAL_H
#define JP_POOL_POOLS_INTERNAL_H

#include "job/messages.h"
#include "pool/pools.h"

/* How long the port may lag behind a handle before the reconciler speaks, and how long a closed member is kept for what is
 * still on its way. Both are far above what was ever measured (single milliseconds), and cost only memory.
 * Wine posts NEW_PROCESS before the process has a thread, and holds a process without threads for ended. On a machine that is busy it may take
 * seconds to get one, and until then it must not be ended; a look costs little. */
enum { NEWBORN_MS = 20, NEWBORN_LOOKS = 150, SETTLE_MS = 250, LINGER_MS = 2000 };

/* PID lists are read this often while a pool has members: slowly where messages come and handles are held, else often. Where nothing is told
 * any more, each time after twice as long: a message gets lost where something happens, and a host where nothing does is left alone. */
enum { LIST_INTERVAL_MS = 60000, LIST_INTERVAL_QUIET_MS = 3600000, LIST_INTERVAL_DEAF_MS = 500 };

/* Room is looked for again when a member leaves; and so often, because the kernel's count may lag behind. */
enum { QUEUE_INTERVAL_MS = 500 };

struct jp_member_queue {
    struct jp_member *first, *last;
};

struct jp_pools {
    struct jp_pools_surroundings with;
    struct jp_map by_name; /* struct jp_pool */
    struct jp_map by_object; /* struct jp_pool, by the name of its first job */
    bool objects_clash;      /* a configuration named one that another pool has: that one stands in the table */
    struct jp_map by_key;  /* struct jp_pool_job */
    struct jp_map by_pid;  /* struct jp_member, lingering ones too: a pid that is held is not given to another */
    struct jp_pool **sorted; /* by name; NULL until somebody asks */
    size_t sorted_count;
    struct jp_pool *first_present, *last_present; /* parents first; see presence.c */
    size_t present_count;
    struct jp_member_queue stages[JP_MEMBER_STAGES]; /* who is in each but LIVE, by deadline */
    struct jp_map waiters; /* wait.c: the first of those who wait for the same, by the address of that */
    struct jp_queued *first_queued, *last_queued; /* for room, in the order of their coming */
    uint64_t next_queue_ms;                       /* UINT64_MAX: nobody waits */
    uint64_t queue_rounds;
    bool advancing; /* the queue is being looked at */
    size_t member_count;
    size_t unwatched_count; /* members whose end only a list or a message can tell */
    uint64_t last_seq, last_key;
    uint32_t last_watch;
    int64_t last_id, run;
    struct jp_keeper *keeper; /* NULL: there is none */
    uint64_t keeper_watch, keeper_started_ms;
    uint64_t next_keeper_ms; /* when what failed is tried again; UINT64_MAX: nothing did */
    uint32_t keeper_pid;
    unsigned keeper_quick_deaths; /* in a row */
    size_t kept_count;
    bool keeper_troubled; /* said already */
    bool adopting;      /* until what the last run left has been taken up */
    struct jp_map texts; /* struct shared_text of texts.c */
    struct jp_map pasts; /* meanwhile: struct jp_pool_past, by name */
    bool reap_due;                   /* an orphan may have nobody left */
    struct jp_pool_job *first_leaving; /* of sessions that seem to be over */
    uint64_t next_leaving_ms, leaving_wait_ms; /* the latter: how long until the time after that */
    size_t ruled_count;      /* pools with rules that take processes in */
    size_t awake_count;      /* series.c: pools of which a row is due */
    uint64_t next_list_ms;   /* UINT64_MAX: nobody to look after */
    uint64_t list_interval_ms; /* where messages come and handles are held */
    uint64_t listed_seq;       /* the last event when lists were read */
    uint64_t next_sample_ms; /* UINT64_MAX: nobody needs one */
    uint64_t sample_interval_ms, sample_number;
    struct jp_sampling sampling;
    struct jp_looker *first_looker; /* who waits for the next look; while there is one, it is due */
    uint64_t looked_ms, seen_ms;    /* when the last one came back; when the last one that worked did; 0: none has */
    int64_t seen_100ns;             /* the latter on the wall */
    uint64_t record_interval_ms; /* how often samples are recorded; 0: not at all */
    uint64_t next_record_ms;     /* UINT64_MAX: nobody has or had members since the last time */
    struct jp_map seen; /* pid -> start time, of the last sample: only while there are rules */
    int64_t *seen_starts;
    bool seen_any;
    uint64_t next_stop_ms;  /* when the first who was asked to stop is ended */
    uint64_t next_slice_ms; /* of a CPU rate */
    struct jp_descriptor *descriptor; /* of the service */
    uint64_t access_generation;       /* rises with each change of a descriptor */
    size_t access_own_count;          /* pools that have one of their own */
    struct jp_map counted;  /* struct jp_counted, by the pool's name */
    struct jp_counted_line {
        struct jp_counted *first, *last;
        size_t count;
    } idle[2]; /* of names that no pool has now; of ephemeral ones the second, so that many of those push out no others */
    struct jp_map let_go;      /* hashes of the names that were let go of while there are records under them: they were used all the same */
    size_t ephemeral_count;
    struct jp_pool *first_held; /* ephemeral ones */
    struct jp_pool *first_idle, *last_idle;
    struct jp_map makers; /* ephemeral.c: struct jp_maker, by SID */
    struct jp_map gone;   /* those that went, by name */
    struct jp_gone *first_gone, *last_gone;
    struct jp_map lost; /* while adopting: names of ephemeral pools that could not come back */
    bool stopping;
};

static inline const struct jp_backend_ops *jp__ops(const struct jp_pools *pools) { return pools->with.backend->ops; }
static inline int64_t jp__now(const struct jp_pools *pools) { return pools->with.now_100ns(pools->with.context); }
static inline uint64_t jp__now_ms(const struct jp_pools *pools) { return pools->with.now_ms(pools->with.context); }

/* access.c */
jp_status jp__pool_access_check(struct jp_pools *pools, const struct jp_pool_spec *spec, struct jp_error *error);
void jp__pool_access_apply(struct jp_pools *pools, struct jp_pool *pool); /* its spec is new */
void jp__pool_access_clear(struct jp_pools *pools, struct jp_pool *pool);

/* enforcement.c */
void jp__restart_job_time(struct jp_pools *pools, struct jp_pool *pool); /* it is measured from now on */
const struct jp_capabilities *jp__host(const struct jp_pools *pools);
size_t jp__spec_chain(const struct jp_pool *pool, const struct jp_pool_spec **specs); /* outermost first, JP_POOL_MAX_DEPTH places; the length */
void jp__enforce(struct jp_pools *pools);                                             /* after a sample */
void jp__enforce_on_join(struct jp_pools *pools, struct jp_member *member);
void jp__enforce_when_made(struct jp_pools *pools, struct jp_member *member); /* the part of it that waits for a newborn */
void jp__report_late_limits(struct jp_pools *pools, struct jp_pool *pool);
void jp__enforce_on_limits(struct jp_pools *pools, struct jp_pool *pool);
void jp__enforce_on_end(struct jp_pools *pools, struct jp_pool *pool); /* a member of it has ended */
uint64_t jp__enforcement_on_time(struct jp_pools *pools, uint64_t now_ms);
/* Its handle to adjust, freeze and end it; the member's. */
jp_status jp__member_control(struct jp_pools *pools, struct jp_member *member, struct jp_process **ret_process, struct jp_error *error);
jp_status jp__member_freeze(struct jp_pools *pools, struct jp_member *member, bool freeze); /* a failure is told */
uint64_t jp__pool_grace(const struct jp_pool *pool); /* of stopping, in 100 ns */
/* Ends its processes; graceful: they are asked first, if the pool says stop.grace. */
void jp__pool_stop(struct jp_pools *pools, struct jp_pool *pool, uint32_t exit_code, bool graceful);

/* counters.c */
void jp__counters_load(struct jp_pools *pools, const struct jp_accounts_start *start);
void jp__counters_trim(struct jp_pools *pools); /* when all pools of the start are there */
void jp__counters_free(struct jp_pools *pools);
void jp__counters_attach(struct jp_pools *pools, struct jp_pool *pool); /* a new pool goes on where the last of its name stood */
void jp__counters_detach(struct jp_pools *pools, struct jp_pool *pool);
struct jp_counted *jp__counted_named(struct jp_pools *pools, const char *name); /* NULL: nothing is known of it */
struct jp__series_state *jp__counted_series(struct jp_counted *counted); /* made now, if it is not there */
bool jp__counted_has_series(const struct jp_counted *counted);
const struct jp_counters *jp__counted_total(const struct jp_counted *counted); /* for ever, whatever was reset */
void jp__count_ended(struct jp_pools *pools, const struct jp_process_record *row); /* the row has been closed */
void jp__count_unobserved(struct jp_pools *pools, const struct jp_unobserved_record *record);
void jp__count_elsewhere(struct jp_pools *pools, const struct jp_process_record *row, const char *pool); /* it was, but in another pool */

bool jp__name_is_used(const struct jp_pools *pools, const char *name); /* by a pool that is, or was */
void jp__name_forget(struct jp_pools *pools, const char *name);        /* no pool has it */

/* ephemeral.c */
#define JP__EPHEMERAL_KEY "ephemeral" /* of a definition, beside those of jp_pool_fields */
void jp__ephemeral_clear(struct jp_pools *pools, struct jp_ephemeral *ephemeral); /* NULL is fine */
void jp__ephemeral_attach(struct jp_pools *pools, struct jp_pool *pool, struct jp_ephemeral *ephemeral); /* takes it; NULL is fine */
cJSON *jp__ephemeral_write(const struct jp_pool *pool); /* what its definition has of it */
void jp__ephemeral_restore(struct jp_pools *pools, struct jp_pool *pool, const cJSON *written);
void jp__ephemeral_inhabited(struct jp_pools *pools, struct jp_pool *pool); /* a process has come */
void jp__ephemeral_ended(struct jp_pools *pools, struct jp_pool *pool); /* its processes were: nobody is to come any more */
/* What kept it is gone, if that was the last thing that did; those above it may have been kept by it. NULL is fine. */
void jp__ephemeral_emptied(struct jp_pools *pools, struct jp_pool *pool);
void jp__ephemeral_discarded(struct jp_pools *pools, struct jp_pool *pool); /* it goes: who made it is remembered */
void jp__ephemeral_free(struct jp_pools *pools, struct jp_pool *pool);
uint64_t jp__ephemerals_on_time(struct jp_pools *pools, uint64_t now_ms);
void jp__ephemerals_end(struct jp_pools *pools); /* with the whole: frees what is remembered */

/* lookup.c */
void jp__order_add(struct jp_pools *pools, struct jp_pool *pool);
void jp__order_remove(struct jp_pools *pools, const struct jp_pool *pool);

/* presence.c */
void jp__presence_add(struct jp_pools *pools, const struct jp_member *member); /* it is in its pool, and its session is what it says */
void jp__presence_remove(struct jp_pools *pools, const struct jp_member *member);
void jp__presence_trim(struct jp_pools *pools); /* all present pools have been looked at: those without members need not be again */
void jp__presence_forget(struct jp_pools *pools, struct jp_pool *pool);

/* freeze.c */
void jp__freeze_join(struct jp_pools *pools, struct jp_member *member); /* it is in its pool now: it is as that is */
void jp__freeze_restore(struct jp_pools *pools, const struct jp_accounts_start *start); /* before members are taken up */
void jp__freeze_adopt(struct jp_pools *pools, struct jp_member *member);                /* each of them */
void jp__freeze_release(struct jp_pools *pools, const struct jp_accounts_start *start, const struct jp_process_record *row); /* its pool is gone */
void jp__freeze_restored(struct jp_pools *pools);                                       /* after */
struct jp_pool *jp__pool_slices(struct jp_pools *pools, struct jp_pool *pool);
void jp__slices_measure(struct jp_pools *pools);
uint64_t jp__slices_on_time(struct jp_pools *pools, uint64_t now_ms);
void jp__slices_end(struct jp_pools *pools);

/* sampling.c */
struct jp_policy_clock jp__clock(const struct jp_pools *pools);
struct jp_policy_clock jp__clock_at(const struct jp_pools *pools, int64_t wall_100ns); /* at that moment; differences to it may wrap */

/* usage.c */
void jp__looked(struct jp_pools *pools, bool seen); /* there was a look, or there will be none any more: who waits for it is called */
/* series.c: pools over time, in the accounts */
struct jp__risen { /* below zero in one pool when a process has been found to be another's */
    int64_t cpu_100ns, read_bytes, write_bytes;
};
struct jp__series_state { /* by the pool's name, as the counters are */
    bool awake;           /* it has, or had, members since its last row */
    int64_t woke_100ns;   /* since when */
    int64_t row_100ns;    /* of its last row; 0: there is none */
    struct jp_spent own;  /* what the pool alone had used by then, as the counters have it */
    struct jp_spent spent; /* what the row has: with those below it, and those that were */
    struct jp__risen inherited; /* since then, in pools below it that are gone */
};
void jp__series_load(struct jp__series_state *state, const struct jp_pool_counters *counters);
void jp__series_wake(struct jp_pools *pools, struct jp_pool *pool); /* a process has joined it */
void jp__series_on_sample(struct jp_pools *pools, bool seen);       /* the processes have been looked at, or could not be */
void jp__series_adopted(struct jp_pools *pools, const struct jp_accounts_start *start); /* what is there is there, and what is not is gone */
void jp__series_end_pool(struct jp_pools *pools, struct jp_pool *pool); /* it goes; it is still below its parent */
void jp__series_end(struct jp_pools *pools);                         /* the service stops, and all that ends with it has ended */

/* rules.c */
bool jp__pool_has_rules(const struct jp_pool_spec *spec); /* that take processes in */
void jp__rules_on_sample(struct jp_pools *pools, const struct jp_samples *samples);
void jp__seen_clear(struct jp_pools *pools);

/* A number for the watch on a process, which leads back to whoever has the pid (0: the keeper): as long as the handle is held, that is one. */
static inline uint64_t jp__new_watch(struct jp_pools *pools, uint32_t pid) { return (uint64_t)++pools->last_watch << 32 | pid; }
struct jp_member *jp__member_by_watch(struct jp_pools *pools, uint64_t watch); /* NULL: it is none's, or an earlier one's */

/* It has not been seen to end. */
static inline bool jp__member_runs(const struct jp_member *member) {
    return member->stage == JP_MEMBER_LIVE || member->stage == JP_MEMBER_NEWBORN;
}

/* lookup.c */
struct jp_member *jp__member_by_pid(struct jp_pools *pools, uint32_t pid); /* lingering ones too */
const char *jp__file_name(const char *path); /* without its folder; NULL for NULL */
bool jp__pool_is_within(const struct jp_pool *pool, const struct jp_pool *ancestor); /* itself included */
jp_status jp__pool_available(const struct jp_pool *pool, struct jp_error *error); /* JP_E_POOL_FAILED if it has no job */

/* jobs.c */
struct jp_pool_job *jp__pool_job_of(const struct jp_pool *pool, uint32_t session); /* NULL: no process of it ever joined */
struct jp_pool_job *jp__job_of_member(const struct jp_member *member);             /* NULL: its job is closed */
/* Likewise; a process of it is in the pool: settles the first. */
struct jp_pool_job *jp__job_in(struct jp_pools *pools, const struct jp_pool *pool, uint32_t session);
bool jp__job_accounting(struct jp_pools *pools, const struct jp_pool_job *job, struct jp_job_accounting_and_io *ret_accounting);
/* The kernel's count, which has what we do not know of; or ours, where it does not tell. */
size_t jp__job_active_processes(struct jp_pools *pools, const struct jp_pool_job *job);
/* The jobs of that session from the root down to `pool`, in `chain` (JP_POOL_MAX_DEPTH places), made where there are none yet.
 * JP_E_POOL_FAILED if a pool has none, JP_E_SESSION if one is another session's alone. */
jp_status jp__pool_chain(struct jp_pools *pools, struct jp_pool *pool, uint32_t session, struct jp_pool_job **chain, size_t *ret_length,
                         struct jp_error *error);
jp_status jp__pool_open_first_job(struct jp_pools *pools, struct jp_pool *pool, struct jp_error *error);
/* Makes all jobs of the pool what `spec` says; all of them, or none. */
jp_status jp__pool_configure(struct jp_pools *pools, struct jp_pool *pool, const struct jp_pool_spec *spec, bool restart_job_time,
                             struct jp_error *error);
void jp__pool_forget_jobs(struct jp_pools *pools, struct jp_pool *pool); /* they are empty, and their pool goes: the next run has none of them */
void jp__pool_close_jobs(struct jp_pools *pools, struct jp_pool *pool);
/* Nobody of its session is left, or that has been told: if it is a further one, it is closed when the kernel agrees. NULL is fine. */
void jp__job_emptied(struct jp_pools *pools, struct jp_pool_job *job);
uint64_t jp__leaving_jobs_on_time(struct jp_pools *pools, uint64_t now_ms);

/* unobserved.c */
void jp__job_record(struct jp_pools *pools, const struct jp_pool_job *job); /* in the accounts */
void jp__seen_join(struct jp_pools *pools, struct jp_member *member); /* its jobs count it; again when more of them are known */
void jp__seen_end(struct jp_pools *pools, const struct jp_member *member, struct jp_pool *pool); /* a member of it has ended */
void jp__seen_refused(struct jp_pool_job *job);
void jp__find_unobserved(struct jp_pools *pools); /* after lists were read */
void jp__seen_last(struct jp_pools *pools, struct jp_pool_job *job); /* it is empty, and closed next */
void jp__seen_begin(struct jp_pools *pools, struct jp_pool_job *job); /* it was there already, and nothing is known of it */
void jp__seen_restore(struct jp_pools *pools, const struct jp_accounts_start *start); /* before members are taken up */

/* pools.c */
/* Takes what is in `spec`, which is all zero then. */
struct jp_pool *jp__pool_new(struct jp_pools *pools, const char *name, struct jp_pool_spec *spec, struct jp_pool *parent,
                             enum jp_pool_source source);
void jp__pool_open(struct jp_pools *pools, struct jp_pool *pool); /* to ACTIVE or FAILED */
void jp__pool_fail(struct jp_pool *pool, const struct jp_error *why); /* it has no job */
jp_status jp__pool_check_new(struct jp_pools *pools, const char *name, const struct jp_pool_spec *spec, struct jp_pool **ret_parent,
                             struct jp_error *error);
/* Its spec is another now: what the service keeps of it is looked at anew. */
void jp__pool_changed(struct jp_pools *pools, struct jp_pool *pool, bool restart_job_time);
/* Puts `merged` (taken) in the place of the pool's spec, in the kernel too; on failure nothing has changed. */
jp_status jp__pool_respec(struct jp_pools *pools, struct jp_pool *pool, struct jp_pool_spec *merged, bool restart_job_time,
                          struct jp_error *error);
jp_status jp__ui_and_nesting(const char *parent, const char *child, struct jp_error *error); /* the failure */
/* What cannot be lifted or changed while the pool lives. */
jp_status jp__pool_check_change(struct jp_pools *pools, const struct jp_pool *pool, const struct jp_pool_spec *merged, struct jp_error *error);
void jp__pool_record(struct jp_pools *pools, const struct jp_pool *pool); /* as it is, in the accounts */
/* The last run has left it there as it is now. To be asked before anything is recorded of it in this run. */
bool jp__pool_is_on_record(const struct jp_pools *pools, const struct jp_pool *pool);
void jp__pools_reap(struct jp_pools *pools);                         /* orphans that nobody is in any more */
void jp__pool_go(struct jp_pools *pools, struct jp_pool *pool, const char *why); /* told, forgotten, discarded: it has no members and no children */
jp_status jp__pool_make(struct jp_pools *pools, const char *name, const struct jp_pool_spec *spec, enum jp_pool_source source,
                        struct jp_ephemeral *ephemeral, struct jp_pool **ret_pool, struct jp_error *error); /* takes `ephemeral` (or NULL) */

/* adopt.c */
void jp__pool_remember(struct jp_pools *pools, struct jp_pool *pool); /* what the last run left of it: before it is recorded */
/* Its job is a new one: who is in the pool joins it. */
void jp__pool_rejoin(struct jp_pools *pools, struct jp_pool *pool);

/* members.c */
struct jp__joined {
    enum jp_origin by;
    bool exact;    /* the facts are the process's own; else it was gone before it could be opened, or is still being made */
    bool launched; /* nothing of it runs yet */
};
/* `process` and `facts` are taken. Records the row; the event is the caller's. */
struct jp_member *jp__member_join(struct jp_pools *pools, struct jp_pool *pool, struct jp_process *process,
                                  struct jp_process_facts *facts, const struct jp__joined *joined);
/* Takes up a row of an earlier run. `process` is taken, `record` copied. */
struct jp_member *jp__member_adopt(struct jp_pools *pools, struct jp_pool *pool, struct jp_process *process,
                                   const struct jp_process_record *record);
void jp__member_move(struct jp_pools *pools, struct jp_member *member, struct jp_pool *pool); /* deeper in the same tree */
/* It has just been found: what cannot be read of it yet is read when it is made. */
void jp__member_complete(struct jp_pools *pools, struct jp_member *member);
/* It could not be opened when it came: tries again. */
void jp__member_identify(struct jp_pools *pools, struct jp_member *member);
/* Its handle tells that it ended. */
void jp__member_ended(struct jp_pools *pools, struct jp_member *member);
/* As the handle and the messages have it: how a member that has ended went. */
void jp__member_settle(struct jp_pools *pools, struct jp_member *member);
void jp__member_forget(struct jp_pools *pools, struct jp_member *member); /* the end of lingering */
void jp__members_inherit(struct jp_pool *pool); /* it goes: those that linger are left to its parent */
void jp__member_merge_usage(struct jp_member *member, const struct jp_usage *fresh); /* what is not told stays as it was */
void jp__member_learn(struct jp_pools *pools, struct jp_member *member); /* what could not be read of it when it came */
uint64_t jp__members_on_time(struct jp_pools *pools, uint64_t now_ms);    /* stages that are over; the next deadline */

void jp__member_free(struct jp_pools *pools, struct jp_member *member); /* itself: nobody leads to it any more */

/* texts.c */
char *jp__text_share(struct jp_pools *pools, const char *text); /* a copy that others have as well: not to be changed or freed. NULL for NULL */
void jp__text_let_go(struct jp_pools *pools, const char *text);

/* messages.c */

/* A request that waits for room: everything that it needs is its own. */
struct jp_queued {
    struct jp_queued *next, *previous;
    struct jp_joining joining;
    struct jp_process *process; /* of an assignment, opened with the principal's rights when it was asked for */
    struct jp_process_facts facts;
    struct jp_launch launch;
    struct jp_strings environment;
    char *command_line, *directory, *input_file, *output_file, *error_file;
    uint64_t deadline_ms;
};

struct jp__event {
    struct jp_pool *pool; /* NULL: the service */
    const char *message;
    const struct jp_member *member; /* or NULL */
    uint32_t pid;                   /* where there is no member */
    enum jp_origin origin;
    bool with_exit_code; /* of the member */
    const char *detail;
};
uint64_t jp__emit(struct jp_pools *pools, const struct jp__event *event);
char *jp__session_detail(const struct jp_pool_job *job); /* "session 2" where the pool has several; new memory, or NULL */
/* Tells, as the reconciler, what the port did not: that the member came, or went, in the pools of its chain. */
void jp__announce_missing(struct jp_pools *pools, struct jp_member *member, bool exit);
/* Tells of its end in the pools whose ports have done so, which its handle did not confirm then. */
void jp__announce_heard(struct jp_pools *pools, struct jp_member *member);
/* The deepest pool, from `pool` on down, whose job has the process; `parent_pid` (0: unknown) spares asking them all. */
struct jp_pool *jp__deepest_with(struct jp_pools *pools, struct jp_pool *pool, struct jp_process *process, uint32_t parent_pid);
/* The deepest pool of all whose job has the process; or NULL. */
struct jp_pool *jp__pool_that_has(struct jp_pools *pools, struct jp_process *process);
/* Opens the process that the job's message or list means: not another that has the pid since. Of one that has ended nobody can tell. */
jp_status jp__open_of_job(struct jp_pools *pools, struct jp_pool_job *job, uint32_t pid, struct jp_process **ret_process,
                          struct jp_error *error);
/* A job's message or list says that the process is, or was, in it: so far it was only known to be in one further up. False: it means an earlier
 * process that had the pid. */
bool jp__move_deeper(struct jp_pools *pools, struct jp_member *member, struct jp_pool *pool);
/* Opens the process and takes it in, into the deepest pool under the job's whose job has it. */
struct jp_member *jp__discover(struct jp_pools *pools, struct jp_pool_job *job, uint32_t pid, enum jp_origin origin);

/* keeper.c */
void jp__keeper_follow(struct jp_pools *pools, struct jp_pool_job *job); /* the job, or its pool's settings, became what they are */
void jp__keeper_forget(struct jp_pools *pools, struct jp_pool_job *job); /* it is closed next */
bool jp__keeper_on_end(struct jp_pools *pools, uint64_t watch);           /* true if the watch was the keeper's */
uint64_t jp__keeper_on_time(struct jp_pools *pools, uint64_t now_ms);
void jp__keeper_dismiss_last(struct jp_pools *pools, const struct jp_accounts_start *start);
void jp__keeper_record(struct jp_pools *pools);

/* information.c */
void jp__add_accounting(struct jp_job_accounting_and_io *sum, const struct jp_job_accounting_and_io *job);

/* queue.c */
void jp__queue_add(struct jp_pools *pools, struct jp_queued *queued);
void jp__queue_advance(struct jp_pools *pools); /* somebody left, or a limit was raised */
uint64_t jp__queue_on_time(struct jp_pools *pools, uint64_t now_ms);
void jp__queue_discard(struct jp_pools *pools, struct jp_pool *pool); /* whoever waits for this pool is told; NULL: all */

/* joining.c */
/* One more try for one who waits: false if there is still no room. Else it has been done, or has failed for good, and the callback
 * was or will be called. */
bool jp__join_queued(struct jp_pools *pools, struct jp_queued *queued);
void jp__queued_free(struct jp_pools *pools, struct jp_queued *queued);
/* Puts the process of the row into the jobs of the pool's chain, with the service's own rights. */
jp_status jp__assign_anew(struct jp_pools *pools, struct jp_pool *pool, const struct jp_process_record *row, struct jp_error *error);

/* operations.c */
/* TerminateJobObject on all its jobs; whoever it ends is accounted as ended by us. */
jp_status jp__pool_end_all(struct jp_pools *pools, struct jp_pool *pool, uint32_t exit_code, size_t *ret_count, struct jp_error *error);

/* reconcile.c */
void jp__read_lists(struct jp_pools *pools);
void jp__read_first_lists(struct jp_pools *pools); /* at the start: a job that was just made has nobody who was not told of */
void jp__read_list_of(struct jp_pools *pools, struct jp_pool_job *job);
void jp__read_lists_of(struct jp_pools *pools, const struct jp_pool *pool); /* who is in it of whom nobody has told is known then */
void jp__schedule_list(struct jp_pools *pools, const struct jp_pool *pool);
void jp__announce_zero(struct jp_pools *pools, struct jp_pool_job *job); /* if that is so, and nobody has told */
void jp__schedule_sample(struct jp_pools *pools);                             /* by all that is known */
void jp__schedule_sample_for(struct jp_pools *pools, const struct jp_pool *pool); /* the pool, or its chain, may need them oftener now */

/* used.c: what pools have used, known without asking each member. */

/* What only rises. */
enum jp__used_kind {
    JP__USED_USER, /* in 100 ns */
    JP__USED_KERNEL,
    JP__USED_READS,
    JP__USED_WRITES,
    JP__USED_OTHERS,
    JP__USED_READ_BYTES,
    JP__USED_WRITE_BYTES,
    JP__USED_OTHER_BYTES,
    JP__USED_KINDS
};
struct jp__used {
    uint64_t of[JP__USED_KINDS];
};
struct jp_pool_used {
    struct jp__used running;                  /* what members have told, of the pool and of those below it */
    uint64_t commit_bytes, working_set_bytes; /* of the same */
    struct jp__used ended;                    /* since the service began: what those used that have ended, also such as nobody saw */
    struct jp__used before;                   /* what its jobs had counted beyond that when they were found, or (modulo 2^64) short of it */
    struct jp__used own_running;              /* of the pool's own members */
    uint64_t own_peak_commit_bytes;           /* of all that it ever had */
};
void jp__used_join(const struct jp_member *member);  /* it is in its pool's list ... */
void jp__used_leave(const struct jp_member *member); /* ... and is taken out of it */
void jp__used_rise(const struct jp_member *member, const struct jp__used *risen); /* it has told that it has used so much more */
void jp__used_memory(struct jp_member *member, uint64_t commit_bytes, uint64_t working_set_bytes);
/* A member that has used so much has ended: in the pool, and those above it that stand below `below`. */
void jp__used_end(struct jp_pool *pool, const struct jp_pool *below, const struct jp_usage *usage);
struct jp_policy_totals jp__used_past(const struct jp_pool *pool); /* by those that have ended, with those below it; an earlier run's job time, too */
void jp__used_found(struct jp_pools *pools, struct jp_pool_job *job); /* it was there already; while adopting, that is seen to by: */
void jp__used_adopted(struct jp_pools *pools); /* whoever was there is known */
void jp__used_claim(struct jp_pools *pools, struct jp_pool *pool, const struct jp_unobserved_record *record);
void jp__used_count(struct jp_pools *pools, const struct jp_pool *pool, struct jp_counters *counters); /* what runs in it alone is added */

/* wait.c */
void jp__wait_on_exit(struct jp_pools *pools, struct jp_member *member);
void jp__wait_on_empty(struct jp_pools *pools, struct jp_pool *pool);   /* it has no members left; its ancestors may be too */
void jp__wait_on_discard(struct jp_pools *pools, struct jp_pool *pool);

#endif
