/* A batch as one transaction. */
#ifndef JP_STORE_COMMIT_H
#define JP_STORE_COMMIT_H

#include "store/batch.h"

#include <sqlite3.h>

enum {
    JP__COMMIT_BEGIN,
    JP__COMMIT_END,
    JP__COMMIT_EVENT,
    JP__COMMIT_AUDIT,
    JP__COMMIT_PROCESS,
    JP__COMMIT_PROCESS_ENDED,
    JP__COMMIT_POOL,
    JP__COMMIT_JOB,
    JP__COMMIT_JOB_GONE,
    JP__COMMIT_UNOBSERVED,
    JP__COMMIT_RESET,
    JP__COMMIT_SAMPLE,
    JP__COMMIT_SAMPLED,
    JP__COMMIT_KEEPER,
    JP__COMMIT_NUMBER,
    JP__COMMIT_TIME,
    JP__COMMIT_STATEMENTS
};

/* The write connection with its statements, prepared when first needed and kept. */
struct jp__committer {
    sqlite3 *db;
    int64_t run;             /* of which this connection is */
    int64_t last_process_id; /* newer ones have no row yet; a hint */
    int64_t told_100ns;      /* the time of a commit that stands in `meta`; 0: this connection has told none */
    sqlite3_stmt *statements[JP__COMMIT_STATEMENTS];
};

/* Writes all of `batch` or nothing of it. Writing the same twice is writing it once, so a commit that failed may be tried
 * again whatever became of it. SQLite's code; if it is not SQLITE_OK, `reason` says why. */
int jp__commit(struct jp__committer *committer, const struct jp__batch *batch, char *reason, size_t size);

/* Gives the statements back. The connection stays open. */
void jp__committer_clear(struct jp__committer *committer);

#endif
