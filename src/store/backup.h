/* A copy of a database, and whether a database is sound: for whoever has the right to read the file, whether or not a service has it
 * open. Both read one state of it, take their time, and change nothing. */
#ifndef JP_STORE_BACKUP_H
#define JP_STORE_BACKUP_H

#include "base/status.h"

#include <sqlite3.h>

struct jp_backup_options {
    bool overwrite; /* the target, if there is one */
    void *context;
    void (*on_progress)(void *context, uint64_t done_bytes, uint64_t total_bytes); /* now and then; may be NULL */
};

/* Copies the database `from_file` to `to_file`, complete and checked or not at all: what is unfinished is called "<to_file>.partial", and is
 * removed after a failure. JP_E_STORE says what failed, on which file. */
jp_status jp_store_backup(const char *from_file, const char *to_file, const struct jp_backup_options *options, struct jp_error *error);

/* Tells each fault of the database `file` in a sentence. JP_OK: there is none. JP_E_STORE: there are some, `error` says how many, or it cannot
 * be read. */
jp_status jp_store_check(const char *file, void (*on_fault)(void *context, const char *text), void *context, struct jp_error *error);

/* Opens one of our databases for reading only. */
jp_status jp__open_to_read(const char *file, sqlite3 **ret_db, struct jp_error *error);

#endif
