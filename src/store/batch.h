/* What waits to be written: the backlog while it grows, then the transaction that the writer makes of it.
 *
 * A process, pool or job that is recorded again takes the place of its earlier record, so a batch holds each once. Records of
 * one kind keep their order; kinds are written in the order of jp__commit. A batch is touched by one thread at a time; whose it
 * is, is the writer's business. All zero is a valid empty batch.
 *
 * Records lie in the batch's arena and go all at once, so that one costs no allocation of its own. Rows of pools and jobs, which may be
 * recorded any number of times while the database cannot be written, have memory of their own. */
#ifndef JP_STORE_BATCH_H
#define JP_STORE_BATCH_H

#include "base/map.h"
#include "pool/accounts.h"
#include "store/arena.h"

/* A pool's row. Made and deleted within one batch, it is still history and is written. */
struct jp__pool_row {
    char *name;
    char *parent;
    char *definition;
    int64_t created_100ns;
    int64_t deleted_100ns; /* 0: it lives */
    int frozen;            /* bits: see schema.c */
    bool ephemeral;        /* a deletion does not know it */
    int64_t busy_since_100ns;
    int64_t job_time_used_100ns;
};

/* A job's row, or that it is to go. */
struct jp__job_row {
    char *object_name;
    char *pool;
    uint32_t session;
    int64_t created_100ns;
    struct jp_job_use before;
    bool gone;
};

/* These have no number of their own to be known by, so they get the ticket's: written twice, they still count once. */
struct jp__unobserved_row {
    uint64_t number;
    struct jp_unobserved_record record;
};
struct jp__reset_row {
    uint64_t number;
    struct jp_reset_record record;
};

struct jp__keeper_row {
    uint32_t pid;
    int64_t start_100ns;
};

struct jp__list {
    void **items;
    size_t count, capacity;
};

struct jp__batch {
    struct jp__arena arena;    /* of all records but the pools' and jobs' */
    struct jp__list events;    /* struct jp_event */
    struct jp__list audits;    /* struct jp_audit_record */
    struct jp__list processes; /* struct jp_process_record */
    struct jp__list pools;     /* struct jp__pool_row */
    struct jp__list jobs;      /* struct jp__job_row */
    struct jp__list unobserved; /* struct jp__unobserved_row */
    struct jp__list resets;     /* struct jp__reset_row */
    struct jp__list samples;    /* struct jp_sample_record */
    bool has_keeper;           /* false: nothing was said of it */
    struct jp__keeper_row keeper;
    struct jp_map process_by_id;
    struct jp_map pool_by_name;
    struct jp_map job_by_name;
    uint64_t ticket;         /* of the newest record in it; they count from 1 in the order of recording */
    uint64_t last_seq;       /* the highest number given out, whether or not its event was kept */
    int64_t last_process_id;
    int64_t last_audit_id;   /* likewise */
};

/* All of these copy what they are given. */
void jp__batch_add_event(struct jp__batch *batch, const struct jp_event *event);
void jp__batch_add_audit(struct jp__batch *batch, const struct jp_audit_record *record); /* which has its id */
void jp__batch_add_process(struct jp__batch *batch, const struct jp_process_record *record);
void jp__batch_add_pool(struct jp__batch *batch, const struct jp_pool_record *record, int64_t now_100ns);
void jp__batch_add_forgotten_pool(struct jp__batch *batch, const char *name, int64_t now_100ns);
void jp__batch_add_job(struct jp__batch *batch, const struct jp_job_record *record);
void jp__batch_add_forgotten_job(struct jp__batch *batch, const char *object_name);
void jp__batch_add_unobserved(struct jp__batch *batch, const struct jp_unobserved_record *record, uint64_t number);
void jp__batch_add_reset(struct jp__batch *batch, const struct jp_reset_record *record, uint64_t number);
void jp__batch_add_sample(struct jp__batch *batch, const struct jp_sample_record *record);
void jp__batch_set_keeper(struct jp__batch *batch, uint32_t pid, int64_t start_100ns);

/* Records in it. */
size_t jp__batch_count(const struct jp__batch *batch);

/* Moves everything from `newer` to the end of `batch`; `newer` is empty afterwards. */
void jp__batch_absorb(struct jp__batch *batch, struct jp__batch *newer);

void jp__batch_clear(struct jp__batch *batch); /* empties; some of the memory is kept for the next one */
void jp__batch_free(struct jp__batch *batch);  /* all zero after */

void jp__list_add(struct jp__list *list, void *item);
void jp__list_free(struct jp__list *list); /* the list's memory, not the items */

/* A copy that carries its strings in the same piece of memory: jp_free ends all of it. */
struct jp_event *jp__event_clone(const struct jp_event *event);
struct jp_audit_record *jp__audit_clone(const struct jp_audit_record *record);

/* Texts that lie behind a struct in one piece of memory: the size of one with its end (NULL: 0), and its copy at *place, which moves behind it. */
size_t jp__stored_size(const char *text);
const char *jp__store_text(char **place, const char *text);

#endif
