/* Owns what `meta` knows beyond the rows. */
#include "store/numbers.h"

#include "store/database.h"

int jp__numbers_load(sqlite3 *db, struct jp_accounts_start *start) {
    int64_t seq = 0;
    int code = jp__db_number(db,
                             "SELECT max((SELECT value FROM meta WHERE key = 'last_seq'),"
                             "           (SELECT coalesce(max(seq), 0) FROM events))",
                             &seq);
    if (code != SQLITE_OK)
        return code;
    start->last_seq = (uint64_t)seq;
    code = jp__db_number(db,
                         "SELECT max((SELECT value FROM meta WHERE key = 'last_process_id'),"
                         "           (SELECT coalesce(max(id), 0) FROM processes))",
                         &start->last_process_id);
    if (code != SQLITE_OK)
        return code;
    code = jp__db_number(db, "SELECT value FROM meta WHERE key = 'last_run'", &start->run);
    if (code != SQLITE_OK)
        return code;
    return jp__db_number(db, /* last: a database of an older schema that is damaged has no such table */
                         "SELECT max((SELECT value FROM meta WHERE key = 'last_audit_id'), (SELECT coalesce(max(id), 0) FROM audit))",
                         &start->last_audit_id);
}

#define KEEP(name, known) "UPDATE meta SET value = " known " WHERE key = '" name "' AND value < " known ";"

int jp__numbers_keep(sqlite3 *db) {
    int code = jp__db_exec(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = jp__db_exec(db, KEEP("last_seq", "(SELECT max(seq) FROM events)") KEEP("last_process_id", "(SELECT max(id) FROM processes)")
                                   KEEP("last_audit_id", "(SELECT max(id) FROM audit)") KEEP("last_commit_100ns", JP__LAST_COMMIT));
    return jp__db_end(db, code);
}
