/* Shared by the writer's two files: what the loop's thread (writer.c) and the writing thread (writer_thread.c) have between them. */
#ifndef JP_STORE_WRITER_INTERNAL_H
#define JP_STORE_WRITER_INTERNAL_H

#include "store/connection.h"
#include "store/upkeep.h"
#include "store/writer.h"

struct jp__waiter;

/* Of the database, as of the last commit. */
struct jp__figures {
    uint64_t first_seq, file_bytes, wal_bytes;
    int64_t last_purge_100ns;
};

/* What the thread has to tell. */
struct jp__news {
    uint64_t committed_ticket;
    uint64_t committed_seq;
    bool degraded;
    char reason[256];
    unsigned renewals; /* how many databases have begun in the place of another */
    char *kept_as;     /* of the last of these */
    struct jp__figures figures;
    bool ended;
    uint64_t lost;
};

struct jp__writer {
    /* the loop's thread only */
    struct jp_store_options options; /* the thread reads its log and numbers */
    uv_async_t async;
    uv_prepare_t turn_end;
    bool unheard;       /* the thread, which may sleep without a time to wake by, was not woken for what is recorded */
    size_t unheard_count;
    bool waited_for;    /* by somebody, of which the thread was not told yet */
    uv_thread_t thread;
    uint64_t ticket; /* of the newest record */
    int64_t last_audit_id;
    struct jp__waiter *first_waiter, **last_waiter;
    struct jp__news heard;
    jp_store_closed_fn *on_stopped;
    void *on_stopped_context;

    /* under the mutex */
    uv_mutex_t mutex;
    uv_cond_t wake;
    struct jp__batch backlog;
    size_t in_flight; /* records that the thread has taken and not yet committed */
    uint64_t dropped_events, dropped_from_seq, dropped_to_seq, dropped_audits, dropped_samples;
    bool dropping;     /* since the last commit */
    bool suspected;    /* the file is damaged, says the reader */
    bool urgent;       /* somebody waits for what is in the backlog, or it fills */
    uint64_t held_until_ms; /* what nobody waits for is not written before */
    uint64_t stop_by_ms; /* not 0: stopping, and trying until then */
    struct jp__news news;
    struct jp__upkeep upkeep; /* says itself whose is what of it */

    /* the thread's only */
    struct jp__connection connection;
    struct jp__batch batch; /* being written; kept over a failure */
    uint64_t began_ms;      /* when the last attempt began */
    uint64_t retry_ms;      /* pause before the next one; 0: the last one succeeded */
    uint64_t reported_drops, reported_audit_drops, reported_sample_drops;
};

/* Nobody waits for nothing: a wait that is hurried to less than a millisecond is one. */
static inline uint64_t jp__writer_hurried(const struct jp__writer *writer, uint64_t ms) {
    uint64_t left = ms / writer->options.hurry;
    return left > 0 ? left : 1;
}

/* writer_thread.c */
void jp__writer_run(void *writer); /* the thread */
/* `first_seq`: what it was, if no event can have gone since then. */
struct jp__figures jp__writer_measure(const struct jp__writer *writer, uint64_t first_seq);

#endif
