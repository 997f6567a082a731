/* Who has the database: one store at a time, in whatever process. */
#ifndef JP_STORE_OWNER_H
#define JP_STORE_OWNER_H

#include "base/status.h"

#include <sqlite3.h>

/* All zero: not the owner. */
struct jp__owner {
    sqlite3 *lock; /* of "<database>-owner" */
    char *file;
};

/* Takes the database `file`, anew if it was taken already. JP_E_STORE if another store has it, or the lock's file cannot be made.
 * What a process that was killed leaves behind does not matter: its lock went with it. */
jp_status jp__owner_take(struct jp__owner *owner, const char *file, struct jp_error *error);

void jp__owner_release(struct jp__owner *owner); /* all zero after */

#endif
