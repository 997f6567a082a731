/* From a file's name to a connection that can be written, or a sentence about why not. */
#ifndef JP_STORE_OPENING_H
#define JP_STORE_OPENING_H

#include "base/log.h"
#include "pool/accounts.h"

#include <sqlite3.h>

enum {
    JP__APPLICATION_ID = 0x4A504F4C, /* "JPOL" */
    JP__BUSY_MS = 2000,              /* how long SQLite waits for somebody else's lock */
};

/* Opens or creates the database for writing, marks it as in use, and reads what the last run left. See jp_store_open. */
jp_status jp__open_database(const char *file, const struct jp_log *log, sqlite3 **ret_db,
                            struct jp_accounts_start *ret_start, struct jp_error *error);

#endif
