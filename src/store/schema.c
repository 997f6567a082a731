/* Owns the tables' definition.
 *
 * They are made to be read by a person with the sqlite3 shell too: names are kept as text, and STRICT keeps every column to
 * its type. Times are FILETIMEs: 100 ns since 1601, UTC. What is not known is NULL. */
#include "store/schema.h"

#include "store/database.h"

#include <stdio.h>

/* Step i makes version i + 1 of version i. A step that was released is never changed: add another.
 *
 * `meta` is about the database itself: `clean` is 0 while a service has it open; the highest numbers ever given out stand
 * there because rows may be purged, and numbers must not come back.
 *
 * Processes are not unique by (pid, start): a process that goes from one pool to another is a member twice. */
static const char *const steps[JP__SCHEMA_VERSION] = {
    "CREATE TABLE meta("
    "  key TEXT PRIMARY KEY NOT NULL,"
    "  value INTEGER NOT NULL) STRICT;"
    "INSERT INTO meta VALUES('clean', 1), ('last_seq', 0), ('last_process_id', 0);"

    "CREATE TABLE pools("
    "  name TEXT PRIMARY KEY NOT NULL,"
    "  parent TEXT,"
    "  definition TEXT,"
    "  created_100ns INTEGER NOT NULL,"
    "  deleted_100ns INTEGER) STRICT;"

    "CREATE TABLE processes("
    "  id INTEGER PRIMARY KEY,"
    "  pool TEXT NOT NULL,"
    "  pid INTEGER NOT NULL,"
    "  start_100ns INTEGER,"
    "  start_exact INTEGER NOT NULL,"
    "  parent_pid INTEGER,"
    "  session INTEGER,"
    "  user TEXT,"
    "  image TEXT,"
    "  command_line TEXT,"
    "  joined_100ns INTEGER NOT NULL,"
    "  joined_by TEXT NOT NULL,"
    "  ended_100ns INTEGER,"
    "  ending TEXT NOT NULL,"
    "  exit_code INTEGER,"
    "  user_100ns INTEGER,"
    "  kernel_100ns INTEGER,"
    "  peak_commit_bytes INTEGER,"
    "  peak_working_set_bytes INTEGER,"
    "  read_operations INTEGER,"
    "  write_operations INTEGER,"
    "  other_operations INTEGER,"
    "  read_bytes INTEGER,"
    "  write_bytes INTEGER,"
    "  other_bytes INTEGER) STRICT;"
    "CREATE INDEX processes_by_pid ON processes(pid, start_100ns);"
    "CREATE INDEX processes_by_pool ON processes(pool, id);" /* a pool's rows are read page by page, in order of id */
    "CREATE INDEX processes_open ON processes(id) WHERE ended_100ns IS NULL;"

    "CREATE TABLE events("
    "  seq INTEGER PRIMARY KEY,"
    "  time_100ns INTEGER NOT NULL,"
    "  pool TEXT NOT NULL,"
    "  message TEXT NOT NULL,"
    "  pid INTEGER,"
    "  start_100ns INTEGER,"
    "  process TEXT,"
    "  origin TEXT NOT NULL,"
    "  exit_code INTEGER,"
    "  detail TEXT) STRICT;"
    "CREATE INDEX events_by_pool ON events(pool, seq);"
    "CREATE INDEX events_by_time ON events(time_100ns);",

    /* 1: frozen by pool.freeze, 2: to stay so though the service crashes, 4: a CPU rate suspends its
     * members, 8: one above it is frozen. */
    "ALTER TABLE pools ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0;",
};

int jp__schema_migrate(sqlite3 *db, int from) {
    for (int version = from; version < JP__SCHEMA_VERSION; version++) {
        char set_version[64];
        snprintf(set_version, sizeof set_version, "PRAGMA user_version = %d", version + 1);
        int code = jp__db_exec(db, "BEGIN IMMEDIATE");
        if (code == SQLITE_OK)
            code = jp__db_exec(db, steps[version]);
        if (code == SQLITE_OK)
            code = jp__db_exec(db, set_version);
        if (code == SQLITE_OK)
            code = jp__db_exec(db, "COMMIT");
        if (code != SQLITE_OK)
            return code; /* whoever opened the connection closes it, which rolls back */
    }
    return SQLITE_OK;
}
