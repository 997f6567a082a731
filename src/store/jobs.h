/* What the rows have of each job that was recorded. */
#ifndef JP_STORE_JOBS_H
#define JP_STORE_JOBS_H

#include "pool/accounts.h"

#include <sqlite3.h>

/* Both return SQLite's code. */

/* Fills start->jobs. What was read until a failure stands there. */
int jp__jobs_load(sqlite3 *db, struct jp_accounts_start *start);

/* Adds what the rows in `purging`, and the unobserved ones up to `unobserved_before_100ns`, have counted for jobs to what the jobs
 * keep of purged ones. Called before they are deleted, in the same transaction. */
int jp__jobs_keep_processes(sqlite3 *db);
int jp__jobs_keep_unobserved(sqlite3 *db, int64_t unobserved_before_100ns);

#endif
