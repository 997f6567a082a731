/* The runs: each time that the database was opened, until it was closed. */
#ifndef JP_STORE_RUNS_H
#define JP_STORE_RUNS_H

#include "pool/accounts.h"

#include <sqlite3.h>

/* All return SQLite's code. */

/* What is known of the newest run: service_pids, and last_run_ended_100ns: its end, or its last commit, or, where an older version
 * wrote, the newest time in the rows. */
int jp__runs_last_known(sqlite3 *db, struct jp_accounts_start *start);

/* Begins run `number`, which no run had before. What becomes known of the one before it is kept in its row. */
int jp__run_begin(sqlite3 *db, int64_t number, uint32_t service_pid);

/* The run goes on in this database, which may be a new one. */
int jp__run_go_on(sqlite3 *db, int64_t number, uint32_t service_pid);

/* Says that the run ended in order, and that the database is at rest. */
int jp__run_end(sqlite3 *db, int64_t number);

#endif
