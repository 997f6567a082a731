/* Shared by the files of this folder: the state, and what one file does for the others. */
#ifndef JP_POOL_POOLS_INTERNAL_H
#define JP_POOL_POOLS_INTERNAL_H

#include "job/messages.h"
#include "pool/pools.h"

/* How long the port may lag behind a handle before the reconciler speaks, and how long a closed member is kept for what is
 * still on its way. Both are far above what was ever measured (single milliseconds), and cost only memory.
 * Wine posts NEW_PROCESS before the process has a thread, and holds a process without threads for ended. */
enum { NEWBORN_MS = 20, NEWBORN_LOOKS = 50, SETTLE_MS = 250, LINGER_MS = 2000 };

/* PID lists are read this often while a pool has members: slowly where messages come and handles are held, else often. */
enum { LIST_INTERVAL_MS = 60000, LIST_INTERVAL_DEAF_MS = 500 };

/* Where a handle does not tell what its ended process used, the last look before the end counts. */
enum { SAMPLE_INTERVAL_MS = 500 };

struct jp_member_queue {
    struct jp_member *first, *last;
};

struct jp_pools {
    struct jp_pools_surroundings with;
    struct jp_map by_name; /* struct jp_pool */
    struct jp_map by_key;  /* struct jp_pool with a job */
    struct jp_map by_pid;  /* struct jp_member, lingering ones too: a pid that is held is not given to another */
    struct jp_map by_watch;
    struct jp_pool **sorted; /* by name; NULL when it must be made anew */
    size_t sorted_count;
    struct jp_member_queue stages[JP_MEMBER_STAGES]; /* who is in each but LIVE, by deadline */
    struct jp_waiter *first_waiter;
    size_t member_count;
    size_t unwatched_count; /* members whose end only a list or a message can tell */
    uint64_t last_seq, last_key, last_watch;
    int64_t last_id;
    uint64_t next_list_ms;   /* UINT64_MAX: nobody to look after */
    uint64_t next_sample_ms; /* likewise; always where handles tell */
    bool stopping;
};

static inline const struct jp_backend_ops *jp__ops(const struct jp_pools *pools) { return pools->with.backend->ops; }
static inline int64_t jp__now(const struct jp_pools *pools) { return pools->with.now_100ns(pools->with.context); }
static inline uint64_t jp__now_ms(const struct jp_pools *pools) { return pools->with.now_ms(pools->with.context); }

/* It has not been seen to end. */
static inline bool jp__member_runs(const struct jp_member *member) {
    return member->stage == JP_MEMBER_LIVE || member->stage == JP_MEMBER_NEWBORN;
}

/* lookup.c */
struct jp_member *jp__member_by_pid(struct jp_pools *pools, uint32_t pid); /* lingering ones too */
bool jp__pool_is_within(const struct jp_pool *pool, const struct jp_pool *ancestor); /* itself included */
/* The jobs from the root down to `pool`, in `chain` (JP_POOL_MAX_DEPTH places). JP_E_POOL_FAILED if one is missing. */
jp_status jp__pool_chain(struct jp_pool *pool, struct jp_pool **chain, size_t *ret_length, struct jp_error *error);

/* pools.c */
struct jp_pool *jp__pool_new(struct jp_pools *pools, const char *name, const struct jp_pool_spec *spec,
                             struct jp_pool *parent, enum jp_pool_source source);
void jp__pool_open_job(struct jp_pools *pools, struct jp_pool *pool); /* to ACTIVE or FAILED */
void jp__pools_reap(struct jp_pools *pools);                         /* orphans that nobody is in any more */

/* members.c */
/* `process` and `facts` are taken. Records the row; the event is the caller's. */
struct jp_member *jp__member_join(struct jp_pools *pools, struct jp_pool *pool, struct jp_process *process,
                                  struct jp_process_facts *facts, bool start_exact, enum jp_origin joined_by);
/* Takes up a row of an earlier run. `process` is taken, `record` copied. */
struct jp_member *jp__member_adopt(struct jp_pools *pools, struct jp_pool *pool, struct jp_process *process,
                                   const struct jp_process_record *record);
void jp__member_move(struct jp_pools *pools, struct jp_member *member, struct jp_pool *pool); /* deeper in the same tree */
/* It has just been found: what cannot be read of it yet is read when it is made. */
void jp__member_complete(struct jp_pools *pools, struct jp_member *member);
/* Its handle tells that it ended. */
void jp__member_ended(struct jp_pools *pools, struct jp_member *member);
/* As the handle and the messages have it: how a member that has ended went. */
void jp__member_settle(struct jp_pools *pools, struct jp_member *member);
void jp__member_forget(struct jp_pools *pools, struct jp_member *member); /* the end of lingering */
void jp__members_sample(struct jp_pools *pools); /* one look at all of them */
uint64_t jp__members_on_time(struct jp_pools *pools, uint64_t now_ms);    /* stages that are over; the next deadline */

/* messages.c */
struct jp__event {
    const struct jp_pool *pool;
    const char *message;
    const struct jp_member *member; /* or NULL */
    uint32_t pid;                   /* where there is no member */
    enum jp_origin origin;
    bool with_exit_code; /* of the member */
    const char *detail;
};
uint64_t jp__emit(struct jp_pools *pools, const struct jp__event *event);
/* Tells, as the reconciler, what the port did not: that the member came, or went, in the pools of its chain. */
void jp__announce_missing(struct jp_pools *pools, struct jp_member *member, bool exit);
/* Opens the process and takes it in, into the deepest pool under `pool` whose job has it. */
struct jp_member *jp__discover(struct jp_pools *pools, struct jp_pool *pool, uint32_t pid, enum jp_origin origin);

/* operations.c */
/* Puts the process of the row into the jobs of the pool's chain, with the service's own rights. */
jp_status jp__assign_anew(struct jp_pools *pools, struct jp_pool *pool, const struct jp_process_record *row, struct jp_error *error);

/* reconcile.c */
void jp__read_lists(struct jp_pools *pools);
void jp__schedule_list(struct jp_pools *pools, const struct jp_pool *pool);
void jp__schedule_sample(struct jp_pools *pools);

/* wait.c */
void jp__wait_on_exit(struct jp_pools *pools, struct jp_member *member);
void jp__wait_on_empty(struct jp_pools *pools, struct jp_pool *pool);   /* it has no members left; its ancestors may be too */
void jp__wait_on_discard(struct jp_pools *pools, struct jp_pool *pool);

#endif
