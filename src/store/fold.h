/* What ephemeral pools have used, told as the use of the pools that they stood below.
 *
 * Each run of something may have had such a pool of its own. It is counted in the nearest pool above it that is not ephemeral; one that stood
 * below none, in "". A parent stays known as long as there is anything below it, so that also holds where it is gone itself. */
#ifndef JP_STORE_FOLD_H
#define JP_STORE_FOLD_H

#include "base/map.h"
#include "pool/accounts.h"

#include <sqlite3.h>

struct jp__fold {
    struct jp_folding how;
    const struct jp_strings *pools; /* those wanted; NULL: all */
    struct jp_map wanted, seen;
};

/* The list and its texts must live as long as *fold. */
void jp__fold_begin(struct jp__fold *fold, const struct jp_strings *pools, struct jp_folding how);
void jp__fold_end(struct jp__fold *fold); /* all zero is fine */

/* Under which name the pool's use is shown; NULL: it is not wanted. The name lives as long as *fold and `pool`. SQLite's code. */
int jp__fold_shown(struct jp__fold *fold, sqlite3 *db, const char *pool, const char **ret_shown);

/* Where it goes when the pool itself is forgotten: `pool`, if that is not ephemeral. New memory (jp_free). SQLite's code. */
int jp__fold_heir(sqlite3 *db, const char *pool, char **ret_heir);

#endif
