/* From a file's name to a connection that can be written, or a sentence about why not. */
#ifndef JP_STORE_OPENING_H
#define JP_STORE_OPENING_H

#include "base/log.h"
#include "pool/accounts.h"
#include "store/owner.h"

#include <sqlite3.h>

enum {
    JP__APPLICATION_ID = 0x4A504F4C, /* "JPOL" */
    JP__BUSY_MS = 2000,              /* how long SQLite waits for somebody else's lock */
};

/* Which database, and how to deal with it. */
struct jp__place {
    const char *file;
    const struct jp_log *log;
    uint32_t service_pid;
    int busy_ms;
    struct jp__owner *owner; /* taken by opening; released by whoever has it */
};

/* Opens or creates the database for writing, marks it as in use, and reads what the last run left. See jp_store_open. */
jp_status jp__open_database(const struct jp__place *place, sqlite3 **ret_db, struct jp_accounts_start *ret_start,
                            struct jp_error *error);

/* What becomes of a database that is opened again while the store is open. Kept from one attempt to the next. */
struct jp__renewal {
    bool damaged;  /* it is to be set aside before anything else */
    bool anew;     /* another one has begun */
    char *kept_as; /* the name of the one before; NULL: it is gone. jp_free'd */
};

/* Opens the database again after its connection was closed because it broke, or because the file is damaged. A damaged one is set aside;
 * in its place, or where there is none any more, a new one begins, which goes on numbering from `known`. */
jp_status jp__reopen_database(const struct jp__place *place, const struct jp_accounts_start *known, struct jp__renewal *renewal,
                              sqlite3 **ret_db, struct jp_error *error);

#endif
