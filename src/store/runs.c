/* Owns the table of runs. */
#include "store/runs.h"

#include "store/database.h"

int jp__runs_last_known(sqlite3 *db, struct jp_accounts_start *start) {
    int64_t pid = 0;
    int code = jp__db_number(db, "SELECT service_pid FROM runs ORDER BY number DESC LIMIT 1", &pid);
    start->last_service_pid = (uint32_t)pid;
    if (code != SQLITE_OK)
        return code;
    return jp__db_number(db,
                         "SELECT coalesce("
                         " (SELECT ended_100ns FROM runs ORDER BY number DESC LIMIT 1),"
                         " nullif((SELECT value FROM meta WHERE key = 'last_commit_100ns'), 0),"
                         " max((SELECT coalesce(max(time_100ns), 0) FROM events),"
                         "     (SELECT coalesce(max(ended_100ns), 0) FROM processes WHERE ended_100ns IS NOT NULL),"
                         "     (SELECT coalesce(max(joined_100ns), 0) FROM processes WHERE ended_100ns IS NULL)))",
                         &start->last_run_ended_100ns);
}

int jp__run_begin(sqlite3 *db, int64_t number, uint32_t service_pid) {
    struct jp__value values[] = {JP__NUMBER(number), JP__NUMBER(jp__now_100ns()), JP__NUMBER(service_pid)};
    int code = jp__db_exec(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = jp__db_run(db,
                          "UPDATE runs SET last_commit_100ns = (SELECT value FROM meta WHERE key = 'last_commit_100ns')"
                          " WHERE number = (SELECT max(number) FROM runs)",
                          NULL, 0);
    if (code == SQLITE_OK)
        code = jp__db_run(db, "INSERT INTO runs(number, started_100ns, service_pid) VALUES(?1, ?2, ?3)", values, 3);
    if (code == SQLITE_OK)
        code = jp__db_run(db,
                          "UPDATE meta SET value = iif(key = 'last_run', ?1, ?2) WHERE key IN ('last_run', 'last_commit_100ns')",
                          values, 2);
    return jp__db_end(db, code);
}

int jp__run_go_on(sqlite3 *db, int64_t number, uint32_t service_pid) {
    struct jp__value values[] = {JP__NUMBER(number), JP__NUMBER(jp__now_100ns()), JP__NUMBER(service_pid)};
    return jp__db_run(db, "INSERT INTO runs(number, started_100ns, service_pid) VALUES(?1, ?2, ?3) ON CONFLICT(number) DO NOTHING", values, 3);
}

int jp__run_end(sqlite3 *db, int64_t number) {
    struct jp__value values[] = {JP__NUMBER(number), JP__NUMBER(jp__now_100ns())};
    int code = jp__db_exec(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = jp__db_run(db,
                          "UPDATE runs SET ended_100ns = ?2,"
                          " last_commit_100ns = (SELECT value FROM meta WHERE key = 'last_commit_100ns') WHERE number = ?1",
                          values, 2);
    if (code == SQLITE_OK)
        code = jp__db_mark_clean(db, 1);
    return jp__db_end(db, code);
}
