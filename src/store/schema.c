/* Owns the tables' definition, and what the database does by itself when rows come and go.
 *
 * They are made to be read by a person with the sqlite3 shell too: names are kept as text, and STRICT keeps every column to
 * its type. Times are FILETIMEs: 100 ns since 1601, UTC. What is not known is NULL. */
#include "store/schema.h"

#include "store/database.h"

#include <stdio.h>

/* Step i makes version i + 1 of version i. A step that was released is never changed: add another. */

/* `meta` is about the database itself: `clean` is 0 while a service has it open; the highest numbers ever given out stand
 * there because rows may be purged, and numbers must not come back (numbers.h).
 *
 * Processes are not unique by (pid, start): a process that goes from one pool to another is a member twice. */
static const char *const first[] = {
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
    NULL,
};

static const char *const freezing[] = {
    /* 1: frozen by pool.freeze, 2: to stay so though the service crashes, 4: a CPU rate suspends its
     * members, 8: one above it is frozen. */
    "ALTER TABLE pools ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0;",
    NULL,
};

/* --- version 3: runs, sums and jobs ---
 *
 * `pool_totals` and `usage_hours` hold what the ended processes' rows add up to. Triggers keep them, so that no way of writing
 * a row, by hand too, can leave them wrong, and a row and its part of the sums stand in one transaction. A row that
 * counts is never updated: it is written anew under its id (INSERT OR REPLACE, with recursive triggers), which takes what the older one
 * counted out again. Peaks are the exception: what was the largest once stays so.
 *
 * A purge takes rows away and leaves their sums. It puts the rows' ids into `purging`, deletes, and empties `purging`, all in one
 * transaction; the triggers tell by it. So the sums of purged rows are never touched, not even for a moment. In an hour `kept` counts
 * the rows that are still there and `purged` those that are not. `purged` (the table) has the ids of rows that went lately: should
 * such a row be written again, it was counted already.
 *
 * Sums are cut at the largest integer: SQLite would make a REAL of one above, which STRICT refuses, and that commit would
 * fail for ever.
 *
 * `jobs.after_id`: rows up to it were there before the job; it spares looking at them, and where the clock was set back only it tells. The
 * purged_ columns are what purged rows have counted for the job.
 *
 * ROW is "NEW." in a trigger, and "" where the migration fills the sums from the rows that are there. */

#define ADD(column) column " = CAST(" column " + excluded." column " AS INTEGER)"
#define TAKE(column, value) column " = max(0, " column " - " value ")"
#define NONE_IF_NULL(value) "coalesce(" value ", 0)"
#define HOUR_OF(time) time " / 36000000000 * 36000000000"
#define BEGAN(row) "coalesce(" row "start_100ns, " row "joined_100ns)"
#define WALL_OF(row) "CAST(max(0, " row "ended_100ns - " BEGAN(row) ") AS INTEGER)"

#define ENDINGS "exited, crashed, terminated, unknown, failures"
#define ENDINGS_OF(row)                                                                                              \
    row "ending = 'exited', " row "ending = 'crashed', " row "ending = 'terminated', " row "ending = 'unknown', "    \
        NONE_IF_NULL(row "exit_code <> 0")
#define ADD_ENDINGS ADD("exited") "," ADD("crashed") "," ADD("terminated") "," ADD("unknown") "," ADD("failures")
#define TAKE_ENDINGS                                                                                                 \
    TAKE("exited", "(OLD.ending = 'exited')") "," TAKE("crashed", "(OLD.ending = 'crashed')") ","                    \
    TAKE("terminated", "(OLD.ending = 'terminated')") "," TAKE("unknown", "(OLD.ending = 'unknown')") ","            \
    TAKE("failures", NONE_IF_NULL("OLD.exit_code <> 0"))
#define TAKE_NUMBER(column) TAKE(column, NONE_IF_NULL("OLD." column))

#define COUNT_IN_TOTALS(row)                                                                                         \
    "INSERT INTO pool_totals(pool, processes, " ENDINGS ", user_100ns, kernel_100ns, read_operations, "              \
    "  write_operations, other_operations, read_bytes, write_bytes, other_bytes, peak_commit_bytes)"                 \
    " SELECT " row "pool, 1, " ENDINGS_OF(row) "," NONE_IF_NULL(row "user_100ns") ","                                \
    NONE_IF_NULL(row "kernel_100ns") "," NONE_IF_NULL(row "read_operations") ","                                     \
    NONE_IF_NULL(row "write_operations") "," NONE_IF_NULL(row "other_operations") ","                                \
    NONE_IF_NULL(row "read_bytes") "," NONE_IF_NULL(row "write_bytes") "," NONE_IF_NULL(row "other_bytes") ","       \
    NONE_IF_NULL(row "peak_commit_bytes")
#define INTO_TOTALS                                                                                                  \
    " ON CONFLICT(pool) DO UPDATE SET " ADD("processes") "," ADD_ENDINGS "," ADD("user_100ns") ","                   \
    ADD("kernel_100ns") "," ADD("read_operations") "," ADD("write_operations") "," ADD("other_operations") ","       \
    ADD("read_bytes") "," ADD("write_bytes") "," ADD("other_bytes") ","                                              \
    " peak_commit_bytes = max(peak_commit_bytes, excluded.peak_commit_bytes);"

#define COUNT_IN_HOURS(row)                                                                                          \
    "INSERT INTO usage_hours(pool, hour_100ns, processes, " ENDINGS ", user_100ns, kernel_100ns, wall_100ns,"        \
    "  read_bytes, write_bytes, with_cpu, with_io, peak_commit_bytes, kept)"                                         \
    " SELECT " row "pool, " HOUR_OF(BEGAN(row)) ", 1, " ENDINGS_OF(row) "," NONE_IF_NULL(row "user_100ns") ","       \
    NONE_IF_NULL(row "kernel_100ns") "," WALL_OF(row) "," NONE_IF_NULL(row "read_bytes") ","                         \
    NONE_IF_NULL(row "write_bytes") "," row "user_100ns IS NOT NULL, " row "read_bytes IS NOT NULL, "                \
    NONE_IF_NULL(row "peak_commit_bytes") ", 1"
#define INTO_HOURS                                                                                                   \
    " ON CONFLICT(hour_100ns, pool) DO UPDATE SET " ADD("processes") "," ADD_ENDINGS "," ADD("user_100ns") ","       \
    ADD("kernel_100ns") "," ADD("wall_100ns") "," ADD("read_bytes") "," ADD("write_bytes") "," ADD("with_cpu") ","   \
    ADD("with_io") "," ADD("kept") ", peak_commit_bytes = max(peak_commit_bytes, excluded.peak_commit_bytes);"

#define COUNTER_COLUMNS                                                                                              \
    "  processes INTEGER NOT NULL DEFAULT 0, exited INTEGER NOT NULL DEFAULT 0, crashed INTEGER NOT NULL DEFAULT 0," \
    "  terminated INTEGER NOT NULL DEFAULT 0, unknown INTEGER NOT NULL DEFAULT 0,"                                   \
    "  failures INTEGER NOT NULL DEFAULT 0, unobserved INTEGER NOT NULL DEFAULT 0,"                                  \
    "  user_100ns INTEGER NOT NULL DEFAULT 0, kernel_100ns INTEGER NOT NULL DEFAULT 0,"                              \
    "  read_operations INTEGER NOT NULL DEFAULT 0, write_operations INTEGER NOT NULL DEFAULT 0,"                     \
    "  other_operations INTEGER NOT NULL DEFAULT 0, read_bytes INTEGER NOT NULL DEFAULT 0,"                          \
    "  write_bytes INTEGER NOT NULL DEFAULT 0, other_bytes INTEGER NOT NULL DEFAULT 0,"                              \
    "  peak_commit_bytes INTEGER NOT NULL DEFAULT 0"
#define USAGE_COLUMNS                                                                                                \
    "  pool TEXT NOT NULL, processes INTEGER NOT NULL DEFAULT 0, exited INTEGER NOT NULL DEFAULT 0,"                 \
    "  crashed INTEGER NOT NULL DEFAULT 0, terminated INTEGER NOT NULL DEFAULT 0,"                                   \
    "  unknown INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0,"                                     \
    "  user_100ns INTEGER NOT NULL DEFAULT 0, kernel_100ns INTEGER NOT NULL DEFAULT 0,"                              \
    "  wall_100ns INTEGER NOT NULL DEFAULT 0, peak_commit_bytes INTEGER NOT NULL DEFAULT 0,"                         \
    "  read_bytes INTEGER NOT NULL DEFAULT 0, write_bytes INTEGER NOT NULL DEFAULT 0,"                               \
    "  with_cpu INTEGER NOT NULL DEFAULT 0, with_io INTEGER NOT NULL DEFAULT 0,"                                     \
    "  unobserved INTEGER NOT NULL DEFAULT 0"

static const char *const lasting[] = {
    "CREATE TABLE runs("
    "  number INTEGER PRIMARY KEY,"
    "  service_pid INTEGER NOT NULL,"
    "  started_100ns INTEGER NOT NULL,"
    "  ended_100ns INTEGER," /* NULL: it did not end in order, or has not ended */
    "  last_commit_100ns INTEGER) STRICT;"
    "INSERT INTO meta VALUES('last_run', 0), ('last_commit_100ns', 0), ('keeper_pid', 0), ('keeper_start_100ns', 0);"
    "ALTER TABLE pools ADD COLUMN busy_since_100ns INTEGER;"
    "ALTER TABLE pools ADD COLUMN job_time_used_100ns INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX pools_by_parent ON pools(parent);",

    /* Nothing kept older versions from writing a process twice: then the later row is the one that stays. */
    "ALTER TABLE processes ADD COLUMN run INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE processes ADD COLUMN starting INTEGER NOT NULL DEFAULT 0;"
    "DELETE FROM processes WHERE start_exact = 1 AND start_100ns IS NOT NULL AND EXISTS("
    "  SELECT 1 FROM processes later INDEXED BY processes_by_pid WHERE later.pid = processes.pid AND later.start_100ns = processes.start_100ns"
    "   AND later.pool = processes.pool AND later.start_exact = 1 AND later.id > processes.id);"
    "CREATE UNIQUE INDEX processes_once ON processes(run, pool, pid, start_100ns) WHERE start_exact = 1;"
    "CREATE INDEX processes_by_end ON processes(ended_100ns) WHERE ended_100ns IS NOT NULL;"
    "CREATE INDEX processes_by_begin ON processes(coalesce(start_100ns, joined_100ns));",

    "CREATE TABLE pool_totals(pool TEXT PRIMARY KEY NOT NULL," COUNTER_COLUMNS ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE usage_hours(hour_100ns INTEGER NOT NULL," USAGE_COLUMNS ","
    "  kept INTEGER NOT NULL DEFAULT 0, purged INTEGER NOT NULL DEFAULT 0,"
    "  PRIMARY KEY(hour_100ns, pool)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE usage_days(day_100ns INTEGER NOT NULL," USAGE_COLUMNS ","
    "  PRIMARY KEY(day_100ns, pool)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE purging(id INTEGER PRIMARY KEY) STRICT;"
    "CREATE TABLE purged(id INTEGER PRIMARY KEY, purged_100ns INTEGER NOT NULL) STRICT;",

    COUNT_IN_TOTALS("") " FROM processes WHERE ended_100ns IS NOT NULL" INTO_TOTALS
    COUNT_IN_HOURS("") " FROM processes WHERE ended_100ns IS NOT NULL" INTO_HOURS,

    "CREATE TRIGGER processes_refused BEFORE INSERT ON processes WHEN EXISTS(SELECT 1 FROM purged WHERE id = NEW.id) BEGIN"
    "  SELECT RAISE(IGNORE);"
    " END;"
    "CREATE TRIGGER processes_fixed BEFORE UPDATE ON processes BEGIN"
    "  SELECT RAISE(ABORT, 'rows of processes are replaced, not updated: the sums would be wrong');"
    " END;"
    "CREATE TRIGGER processes_counted AFTER INSERT ON processes WHEN NEW.ended_100ns IS NOT NULL BEGIN "
    COUNT_IN_TOTALS("NEW.") " WHERE true" INTO_TOTALS
    COUNT_IN_HOURS("NEW.") " WHERE true" INTO_HOURS
    " END;",

    "CREATE TRIGGER processes_uncounted AFTER DELETE ON processes WHEN OLD.ended_100ns IS NOT NULL"
    "  AND NOT EXISTS(SELECT 1 FROM purging WHERE id = OLD.id) BEGIN"
    "  UPDATE pool_totals SET processes = processes - 1, " TAKE_ENDINGS "," TAKE_NUMBER("user_100ns") ","
    TAKE_NUMBER("kernel_100ns") "," TAKE_NUMBER("read_operations") "," TAKE_NUMBER("write_operations") ","
    TAKE_NUMBER("other_operations") "," TAKE_NUMBER("read_bytes") "," TAKE_NUMBER("write_bytes") ","
    TAKE_NUMBER("other_bytes") " WHERE pool = OLD.pool;"
    "  UPDATE usage_hours SET processes = processes - 1, kept = kept - 1, " TAKE_ENDINGS "," TAKE_NUMBER("user_100ns") ","
    TAKE_NUMBER("kernel_100ns") "," TAKE("wall_100ns", WALL_OF("OLD.")) "," TAKE_NUMBER("read_bytes") ","
    TAKE_NUMBER("write_bytes") "," TAKE("with_cpu", "(OLD.user_100ns IS NOT NULL)") ","
    TAKE("with_io", "(OLD.read_bytes IS NOT NULL)")
    "   WHERE hour_100ns = " HOUR_OF(BEGAN("OLD.")) " AND pool = OLD.pool;"
    " END;"
    "CREATE TRIGGER processes_purged AFTER DELETE ON processes WHEN EXISTS(SELECT 1 FROM purging WHERE id = OLD.id) BEGIN"
    "  UPDATE usage_hours SET kept = kept - 1, purged = purged + 1"
    "   WHERE hour_100ns = " HOUR_OF(BEGAN("OLD.")) " AND pool = OLD.pool;"
    " END;",

    "CREATE TABLE unobserved("
    "  run INTEGER NOT NULL, number INTEGER NOT NULL,"
    "  pool TEXT NOT NULL, session INTEGER NOT NULL,"
    "  from_100ns INTEGER NOT NULL, to_100ns INTEGER NOT NULL,"
    "  processes INTEGER NOT NULL, user_100ns INTEGER NOT NULL, kernel_100ns INTEGER NOT NULL,"
    "  read_bytes INTEGER NOT NULL, write_bytes INTEGER NOT NULL,"
    "  PRIMARY KEY(run, number)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX unobserved_by_pool ON unobserved(pool);"
    "CREATE TRIGGER unobserved_counted AFTER INSERT ON unobserved BEGIN"
    "  INSERT INTO pool_totals(pool, unobserved, user_100ns, kernel_100ns, read_bytes, write_bytes)"
    "   VALUES(NEW.pool, NEW.processes, NEW.user_100ns, NEW.kernel_100ns, NEW.read_bytes, NEW.write_bytes)"
    "   ON CONFLICT(pool) DO UPDATE SET " ADD("unobserved") "," ADD("user_100ns") "," ADD("kernel_100ns") ","
    ADD("read_bytes") "," ADD("write_bytes") ";"
    "  INSERT INTO usage_hours(hour_100ns, pool, unobserved, user_100ns, kernel_100ns, read_bytes, write_bytes, kept)"
    "   VALUES(" HOUR_OF("NEW.from_100ns") ", NEW.pool, NEW.processes, NEW.user_100ns, NEW.kernel_100ns, NEW.read_bytes,"
    "    NEW.write_bytes, 1)"
    "   ON CONFLICT(hour_100ns, pool) DO UPDATE SET " ADD("unobserved") "," ADD("user_100ns") "," ADD("kernel_100ns") ","
    ADD("read_bytes") "," ADD("write_bytes") "," ADD("kept") ";"
    " END;"
    "CREATE TRIGGER unobserved_purged AFTER DELETE ON unobserved BEGIN" /* they are never replaced: it is a purge */
    "  UPDATE usage_hours SET kept = kept - 1, purged = purged + 1"
    "   WHERE hour_100ns = " HOUR_OF("OLD.from_100ns") " AND pool = OLD.pool;"
    " END;",

    "CREATE TABLE resets("
    "  run INTEGER NOT NULL, number INTEGER NOT NULL,"
    "  pool TEXT NOT NULL, time_100ns INTEGER NOT NULL, by_whom TEXT," COUNTER_COLUMNS ","
    "  PRIMARY KEY(run, number)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX resets_by_pool ON resets(pool, run, number);"
    "CREATE TABLE jobs("
    "  object_name TEXT PRIMARY KEY NOT NULL,"
    "  pool TEXT NOT NULL, session INTEGER NOT NULL, created_100ns INTEGER NOT NULL,"
    "  before_processes INTEGER NOT NULL, before_user_100ns INTEGER NOT NULL, before_kernel_100ns INTEGER NOT NULL,"
    "  before_read_bytes INTEGER NOT NULL, before_write_bytes INTEGER NOT NULL,"
    "  after_id INTEGER NOT NULL,"
    "  purged_processes INTEGER NOT NULL DEFAULT 0, purged_unobserved INTEGER NOT NULL DEFAULT 0,"
    "  purged_user_100ns INTEGER NOT NULL DEFAULT 0, purged_kernel_100ns INTEGER NOT NULL DEFAULT 0,"
    "  purged_read_bytes INTEGER NOT NULL DEFAULT 0, purged_write_bytes INTEGER NOT NULL DEFAULT 0) STRICT;",
    NULL,
};

/* Who asked for what. Names and not numbers, so that it says the same when pools and accounts are gone. Accounts' names are alike whatever
 * the case of their letters, as Windows has them. */
static const char *const auditing[] = {
    "CREATE TABLE audit("
    "  id INTEGER PRIMARY KEY,"
    "  time_100ns INTEGER NOT NULL,"
    "  user TEXT NOT NULL COLLATE NOCASE," /* '': it could not be told */
    "  sid TEXT NOT NULL,"
    "  client_pid INTEGER,"
    "  method TEXT NOT NULL,"
    "  pool TEXT,"
    "  pid INTEGER,"
    "  allowed INTEGER NOT NULL,"
    "  status TEXT NOT NULL," /* 'ok', or the error's name */
    "  detail TEXT,"
    "  count INTEGER NOT NULL) STRICT;"
    "CREATE INDEX audit_by_time ON audit(time_100ns);"
    "CREATE INDEX audit_by_user ON audit(user, id);"
    "CREATE INDEX audit_by_pool ON audit(pool, id) WHERE pool IS NOT NULL;"
    "CREATE INDEX audit_by_method ON audit(method, id);"
    "CREATE INDEX audit_denied ON audit(id) WHERE allowed = 0;"
    "INSERT INTO meta VALUES('last_audit_id', 0);",
    NULL,
};

/* Pools over time. `day` is the time's, in days since 1601, and comes first in the key: what is old lies together, so a purge and the search
 * for the oldest row are short; within a day a pool's rows lie together, so one pool is read without the others'.
 *
 * Numbers are of the pool with those below it. What was used is cumulative, so that a row that could not be written loses nothing: what
 * was used between two rows is their difference. A pool that was empty for long gets a row with what it had before, of the moment when its first
 * process came, so a row without one before it in its day or the day before begins a series and counts nothing itself.
 *
 * `sampled` is what each pool's last row had, and what the pool alone (its rows in processes and unobserved) had used by then: a run goes on
 * from there, so what happened between the two is in the next row. What there was before this version is of no time that anybody recorded: its time is 0. */
static const char *const sampling[] = {
    "ALTER TABLE pools ADD COLUMN ephemeral INTEGER NOT NULL DEFAULT 0;" /* stays when it is deleted: its name is one of very many */
    "CREATE TABLE samples("
    "  day INTEGER NOT NULL,"
    "  pool TEXT NOT NULL,"
    "  time_100ns INTEGER NOT NULL,"
    "  processes INTEGER NOT NULL,"
    "  cpu_100ns INTEGER NOT NULL,"
    "  commit_bytes INTEGER,"
    "  working_set_bytes INTEGER,"
    "  read_bytes INTEGER,"
    "  write_bytes INTEGER,"
    "  memory_limit_bytes INTEGER," /* in force; NULL: none */
    "  process_limit INTEGER,"
    "  cpu_rate_limit INTEGER,"
    "  PRIMARY KEY(day, pool, time_100ns)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE sampled("
    "  pool TEXT PRIMARY KEY NOT NULL,"
    "  time_100ns INTEGER NOT NULL,"
    "  cpu_100ns INTEGER NOT NULL, read_bytes INTEGER NOT NULL, write_bytes INTEGER NOT NULL,"
    "  own_cpu_100ns INTEGER NOT NULL, own_read_bytes INTEGER NOT NULL, own_write_bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "INSERT INTO sampled SELECT pool, 0, 0, 0, 0, CAST(user_100ns + kernel_100ns AS INTEGER), read_bytes, write_bytes FROM pool_totals;"
    "INSERT INTO meta VALUES('samples_from_100ns', 0);", /* older ones have been purged */
    NULL,
};

/* What one pool has used is found without the others', and so are the pools that may be forgotten. */
static const char *const folding[] = {
    "CREATE INDEX usage_hours_by_pool ON usage_hours(pool);"
    "CREATE INDEX usage_days_by_pool ON usage_days(pool);"
    "CREATE INDEX pools_gone ON pools(ephemeral, deleted_100ns) WHERE deleted_100ns IS NOT NULL;",
    NULL,
};

/* A row of a process that runs may be updated, as when it ends: only the keys that go by the end are written then. One that has ended is
 * replaced, as before. */
static const char *const ending[] = {
    "DROP TRIGGER processes_fixed;"
    "CREATE TRIGGER processes_fixed BEFORE UPDATE ON processes WHEN OLD.ended_100ns IS NOT NULL OR NEW.id <> OLD.id BEGIN"
    "  SELECT RAISE(ABORT, 'rows of processes that have ended are replaced, not updated: the sums would be wrong');"
    " END;"
    "CREATE TRIGGER processes_ended AFTER UPDATE ON processes WHEN NEW.ended_100ns IS NOT NULL BEGIN "
    COUNT_IN_TOTALS("NEW.") " WHERE true" INTO_TOTALS
    COUNT_IN_HOURS("NEW.") " WHERE true" INTO_HOURS
    " END;",
    NULL,
};

static const char *const *const steps[JP__SCHEMA_VERSION] = {first, freezing, lasting, auditing, sampling, folding, ending};

int jp__schema_migrate(sqlite3 *db, int from) {
    for (int version = from; version < JP__SCHEMA_VERSION; version++) {
        char set_version[64];
        snprintf(set_version, sizeof set_version, "PRAGMA user_version = %d", version + 1);
        int code = jp__db_exec(db, "BEGIN IMMEDIATE");
        for (const char *const *part = steps[version]; code == SQLITE_OK && *part != NULL; part++)
            code = jp__db_exec(db, *part);
        if (code == SQLITE_OK)
            code = jp__db_exec(db, set_version);
        if (code == SQLITE_OK)
            code = jp__db_exec(db, "COMMIT");
        if (code != SQLITE_OK)
            return code; /* whoever opened the connection closes it, which rolls back */
    }
    return SQLITE_OK;
}
