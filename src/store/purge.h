/* Deleting what is old, one small transaction at a time, so that no commit of fresh records waits long behind it. What the rows
 * counted stays in the sums: see schema.c. All functions return SQLite's code and, where a range needs several steps, whether this was
 * the last one. */
#ifndef JP_STORE_PURGE_H
#define JP_STORE_PURGE_H

#include "pool/accounts.h"

#include <sqlite3.h>

enum {
    JP__PURGE_ROWS = 500,        /* at most so many in a step: some 20 ms */
    JP__MAY_COME_AGAIN_S = 3600, /* nobody writes a process again so long after its end */
};

struct jp__purge_range {
    const char *pool; /* NULL: all */
    int64_t before_100ns;
    int64_t after; /* of one pool: the id or number up to which its rows were looked at; begins with 0 */
    int64_t last;  /* and where it ends: what comes while the purge goes on is not its business; 0: not known yet */
};

/* Processes that ended before; never one that runs. Adds what was deleted to *deleted. */
int jp__purge_processes(sqlite3 *db, struct jp__purge_range *range, uint64_t *deleted, bool *ret_done);
int jp__purge_events(sqlite3 *db, struct jp__purge_range *range, uint64_t *deleted, bool *ret_done);
/* Of whole days before this. */
int jp__purge_samples(sqlite3 *db, int64_t before_100ns, uint64_t *deleted, bool *ret_done);
int jp__purge_audit(sqlite3 *db, int64_t before_100ns, uint64_t *deleted, bool *ret_done);
int jp__purge_unobserved(sqlite3 *db, int64_t before_100ns, bool *ret_done);

/* The oldest processes, events or samples, whichever are oldest. Nothing is left to delete: *ret_done. */
int jp__purge_oldest(sqlite3 *db, struct jp_purged *purged, bool *ret_done);

/* Hours before this that have no rows any more become part of their day. */
int jp__fold_hours(sqlite3 *db, int64_t before_100ns, bool *ret_done);

/* Forgets pools that were deleted and of which nothing is left but sums: their counters and resets go. One that may be made again stays until
 * it was deleted before `before_100ns`; an ephemeral one does not, and its sums go to its heir (fold.h). Those that have samples of days not before
 * `samples_before_100ns` (0: any) stay. Adds the names of the ephemeral ones to *forgotten. */
int jp__drop_pools(sqlite3 *db, int64_t before_100ns, int64_t samples_before_100ns, struct jp_strings *forgotten, bool *ret_done);

/* Forgets which rows were purged, but those that somebody may still write again. */
int jp__forget_purged(sqlite3 *db);

struct jp__size {
    uint64_t bytes, free_bytes; /* the whole file when the WAL is in it; of that, what has no content */
};
int jp__size_measure(sqlite3 *db, struct jp__size *ret_size);

/* Gives some of what is free at the end of the file back, and, when done, folds the WAL into the file, so that it shrinks. */
int jp__size_shrink(sqlite3 *db);
int jp__size_settle(sqlite3 *db);

#endif
