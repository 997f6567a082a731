/* Owns the table of runs. */
#include "store/runs.h"

#include "base/str.h"
#include "store/database.h"
#include "store/numbers.h"

/* At most so many: a pid may be another's by now. */
static int load_service_pids(sqlite3 *db, struct jp_accounts_start *start) {
    static const char sql[] = "SELECT service_pid FROM runs WHERE number > (SELECT coalesce(max(number), 0) FROM runs WHERE ended_100ns IS NOT NULL)"
                              " ORDER BY number DESC LIMIT 64";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        start->service_pids = jp_realloc_array(start->service_pids, start->service_pid_count + 1, sizeof *start->service_pids);
        start->service_pids[start->service_pid_count++] = (uint32_t)sqlite3_column_int64(statement, 0);
    }
    return sqlite3_finalize(statement);
}

int jp__runs_last_known(sqlite3 *db, struct jp_accounts_start *start) {
    int code = load_service_pids(db, start);
    if (code != SQLITE_OK)
        return code;
    return jp__db_number(db,
                         "SELECT coalesce("
                         " (SELECT ended_100ns FROM runs ORDER BY number DESC LIMIT 1),"
                         " " JP__LAST_COMMIT ","
                         " max((SELECT coalesce(max(time_100ns), 0) FROM events),"
                         "     (SELECT coalesce(max(ended_100ns), 0) FROM processes WHERE ended_100ns IS NOT NULL),"
                         "     (SELECT coalesce(max(joined_100ns), 0) FROM processes WHERE ended_100ns IS NULL)))",
                         &start->last_run_ended_100ns);
}

int jp__run_begin(sqlite3 *db, int64_t number, uint32_t service_pid) {
    struct jp__value values[] = {JP__NUMBER(number), JP__NUMBER(jp__now_100ns()), JP__NUMBER(service_pid)};
    int code = jp__numbers_keep(db); /* the file may be another's for a while, who deletes rows by hand */
    if (code == SQLITE_OK)
        code = jp__db_exec(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = jp__db_run(db,
                          "UPDATE runs SET last_commit_100ns = " JP__LAST_COMMIT
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
    int code = jp__numbers_keep(db); /* the file may be another's for a while, who deletes rows by hand */
    if (code == SQLITE_OK)
        code = jp__db_exec(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = jp__db_run(db,
                          "UPDATE runs SET ended_100ns = ?2,"
                          " last_commit_100ns = " JP__LAST_COMMIT " WHERE number = ?1",
                          values, 2);
    if (code == SQLITE_OK)
        code = jp__db_mark_clean(db, 1);
    return jp__db_end(db, code);
}
