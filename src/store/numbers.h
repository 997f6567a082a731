/* The highest numbers that were ever given out, which must not come back, and the time of the last commit.
 *
 * Rows say these themselves, so a commit of rows writes no more than the rows. `meta` has what no row says: numbers of what was dropped or
 * purged, and the time of a commit that had no event. */
#ifndef JP_STORE_NUMBERS_H
#define JP_STORE_NUMBERS_H

#include "pool/accounts.h"

#include <sqlite3.h>

/* When the last commit was, as a value in SQL; NULL: an older version wrote, which did not say. (Where the clock was set back, a commit
 * tells its time in `meta`: see commit.c. If it had no event, the newest event is of a later time than that, and is taken: who goes by this asks
 * whether it is yet to come.) */
#define JP__LAST_COMMIT                                                                                            \
    "(SELECT max(value, coalesce((SELECT time_100ns FROM events ORDER BY seq DESC LIMIT 1), 0)) FROM meta"         \
    " WHERE key = 'last_commit_100ns' AND value <> 0)"

/* No service comes that far. A number that is higher, below 0, or not there at all is damage: counting on from it would overflow, or
 * give out again what is in the rows already. */
#define JP__NUMBER_MAX (INT64_C(1) << 62)
#define JP__NUMBER_MAX_SQL "(1 << 62)"

/* All return SQLite's code. */

/* *ret_wrong: which number is damaged, or NULL. Whatever could be read, and makes sense, stands in *start in any case. start->run is the
 * number of the last run: the one that begins gets the next. */
int jp__numbers_load(sqlite3 *db, struct jp_accounts_start *start, const char **ret_wrong);

/* Before rows are deleted, or may be: what they say is kept in `meta`. */
int jp__numbers_keep(sqlite3 *db);

#endif
