/* One picture being decided. Private to src/policy. */
#ifndef JP_POLICY_PLAN_H
#define JP_POLICY_PLAN_H

#include "policy/policy.h"

/* Why something is decided: what the event says, and how the process ends. */
struct jp__reason {
    const char *message, *key; /* the limit as the configuration calls it */
    uint32_t exit_code;
    bool graceful;
    bool in_bytes; /* else 100 ns */
    bool needs_sample;
};

/* The smallest value that a pool or one above it sets, and which of them does; the outermost one of equal ones. */
struct jp__least {
    size_t pool;
    uint64_t value; /* UINT64_MAX: nobody */
};

enum { JP__AWAKE, JP__TOTAL, JP__CLOCKS };

struct jp__late { /* its members were ended before, and who is here now came after that */
    const struct jp__reason *reason; /* NULL: none */
    size_t pool;
    uint64_t have, limit;
};

/* What is found out about a pool from one picture. */
struct jp__plan {
    struct jp_policy_totals fresh;   /* of the members in the sample: nobody is ended for older numbers */
    struct jp_policy_totals stale;   /* what is known of the others */
    struct jp_policy_totals leaving; /* memory of those that were chosen in this picture */
    size_t endable;                  /* members that are not spared; of the pool and of those below it, as all of the above */
    struct jp__least process_time, process_memory, wall_clock[JP__CLOCKS], idle[JP__CLOCKS];
    struct jp__late late;
    bool ended;  /* in this picture, with the pool itself or one above */
    bool frozen; /* likewise */
    bool wants_job_memory, wants_policy, wants_above; /* a member that gives memory back; the last: this pool or one above */
    bool job_memory_victim_here, policy_victim_here;  /* the one that was chosen before has not gone yet */
    struct jp_policy_member *largest, *pick;          /* for job memory, and for the memory policy */
};

struct jp__decider {
    struct jp_policy_picture *picture;
    struct jp__plan *plans; /* as many as pools */
    jp_decide_fn *decide;
    void *context;
};

/* Tells a decision; `have` and `limit` are the numbers of its sentence. */
void jp__tell(struct jp__decider *decider, enum jp_decision_kind kind, size_t pool, struct jp_policy_member *member,
              const struct jp__reason *reason, uint64_t have, uint64_t limit);
/* The same for the end of a member: it is spared from now on, and its memory does not count any more. */
void jp__end_member(struct jp__decider *decider, size_t pool, struct jp_policy_member *member, const struct jp__reason *reason,
                    uint64_t have, uint64_t limit);
void jp__end_pool(struct jp__decider *decider, size_t pool, const struct jp__reason *reason, uint64_t have, uint64_t limit);

/* memory.c */
void jp__decide_memory_policy(struct jp__decider *decider, size_t pool); /* what concerns the whole pool; `wants_*` for the rest */
void jp__decide_who_gives_memory(struct jp__decider *decider);           /* after all else */
void jp__notify(struct jp__decider *decider, size_t pool);

#endif
