/* Reads what was running, which pools are to come back, and what was counted of all. */
#include "store/start.h"

#include "base/str.h"
#include "store/database.h"
#include "store/jobs.h"
#include "store/rows.h"
#include "store/runs.h"

/* Room for one more. There may be very many names: every pool that was made for one run leaves one, for as long as its rows are kept. */
#define MAKE_ROOM(items, count)                                                                             \
    do {                                                                                                    \
        if (((count) & ((count) - 1)) == 0) /* 0, 1, 2, 4, ... */                                           \
            (items) = jp_realloc_array((items), (count) == 0 ? 1 : (count) * 2, sizeof *(items));           \
    } while (0)

static int load_running(sqlite3 *db, struct jp_accounts_start *start) {
    static const char sql[] = "SELECT " JP__PROCESS_COLUMNS " FROM processes WHERE ended_100ns IS NULL ORDER BY id";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        MAKE_ROOM(start->running, start->running_count);
        jp__read_process(statement, &start->running[start->running_count++]);
    }
    return sqlite3_finalize(statement);
}

static int load_pools(sqlite3 *db, struct jp_accounts_start *start) {
    /* Parents come before their children: they were made first. */
    static const char sql[] = "SELECT name, definition FROM pools"
                              " WHERE definition IS NOT NULL AND deleted_100ns IS NULL ORDER BY created_100ns, rowid";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        MAKE_ROOM(start->pools, start->pool_count);
        struct jp_stored_pool *pool = &start->pools[start->pool_count++];
        pool->name = jp_strdup((const char *)sqlite3_column_text(statement, 0));
        pool->definition = jp_strdup((const char *)sqlite3_column_text(statement, 1));
    }
    return sqlite3_finalize(statement);
}

static int load_pasts(sqlite3 *db, struct jp_accounts_start *start) {
    static const char sql[] = "SELECT name, frozen, busy_since_100ns, job_time_used_100ns, parent, definition IS NOT NULL, ephemeral"
                              " FROM pools WHERE deleted_100ns IS NULL"
                              " ORDER BY created_100ns, rowid";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        MAKE_ROOM(start->pasts, start->past_count);
        int bits = sqlite3_column_int(statement, 1);
        start->pasts[start->past_count++] = (struct jp_pool_past){
            .name = jp_strdup((const char *)sqlite3_column_text(statement, 0)),
            .parent = jp_strdup((const char *)sqlite3_column_text(statement, 4)),
            .frozen = bits & 1,
            .keep_frozen = bits & 2,
            .suspends = bits & 4,
            .below_frozen = bits & 8,
            .defined = sqlite3_column_int(statement, 5),
            .ephemeral = sqlite3_column_int(statement, 6),
            .busy_since_100ns = sqlite3_column_int64(statement, 2),
            .job_time_used_100ns = sqlite3_column_int64(statement, 3),
        };
    }
    return sqlite3_finalize(statement);
}

static struct jp_spent read_spent(sqlite3_stmt *statement, int column) {
    return (struct jp_spent){.cpu_100ns = (uint64_t)sqlite3_column_int64(statement, column),
                             .read_bytes = (uint64_t)sqlite3_column_int64(statement, column + 1),
                             .write_bytes = (uint64_t)sqlite3_column_int64(statement, column + 2)};
}

/* Of a reset, or a sample, that does not exist all columns are NULL, which is read as 0. */
static int load_counters(sqlite3 *db, struct jp_accounts_start *start) {
    static const char sql[] =
        "SELECT names.name, totals.*, resets.*, sampled.*, coalesce((SELECT ephemeral FROM pools WHERE pools.name = names.name), 0) FROM"
        " (SELECT name FROM pools WHERE deleted_100ns IS NOT NULL OR ephemeral OR name IN (SELECT pool FROM sampled)"
        "  OR name IN (SELECT pool FROM resets) UNION SELECT pool FROM pool_totals) AS names"
        " LEFT JOIN (SELECT pool, " JP__COUNTER_COLUMNS " FROM pool_totals) AS totals ON totals.pool = names.name"
        " LEFT JOIN (SELECT run, number, time_100ns, " JP__COUNTER_COLUMNS " FROM resets) AS resets"
        "  ON (resets.run, resets.number) = (SELECT run, number FROM resets WHERE pool = names.name"
        "                                     ORDER BY run DESC, number DESC LIMIT 1)"
        " LEFT JOIN sampled ON sampled.pool = names.name"
        " ORDER BY sampled.time_100ns, names.name";
    enum { NAME = 0, TOTAL = 2, RESET_TIME = TOTAL + JP__COUNTER_COUNT + 2, BASE = RESET_TIME + 1,
           SAMPLED = BASE + JP__COUNTER_COUNT + 1, EPHEMERAL = SAMPLED + 7 };
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        MAKE_ROOM(start->counters, start->counter_count);
        struct jp_pool_counters *counters = &start->counters[start->counter_count++];
        counters->name = jp_strdup((const char *)sqlite3_column_text(statement, NAME));
        jp__read_counters(statement, TOTAL, &counters->total);
        counters->reset_100ns = sqlite3_column_int64(statement, RESET_TIME);
        jp__read_counters(statement, BASE, &counters->base);
        counters->sampled_100ns = sqlite3_column_int64(statement, SAMPLED);
        counters->sampled = read_spent(statement, SAMPLED + 1);
        counters->sampled_own = read_spent(statement, SAMPLED + 4);
        counters->ephemeral = sqlite3_column_int(statement, EPHEMERAL);
    }
    return sqlite3_finalize(statement);
}

static int load_keeper(sqlite3 *db, struct jp_accounts_start *start) {
    int64_t pid = 0;
    int code = jp__db_number(db, "SELECT value FROM meta WHERE key = 'keeper_pid'", &pid);
    start->keeper_pid = (uint32_t)pid;
    if (code == SQLITE_OK)
        code = jp__db_number(db, "SELECT value FROM meta WHERE key = 'keeper_start_100ns'", &start->keeper_start_100ns);
    return code;
}

int jp__start_load(sqlite3 *db, struct jp_accounts_start *start) {
    int code = jp__runs_last_known(db, start);
    if (code == SQLITE_OK)
        code = load_running(db, start);
    if (code == SQLITE_OK)
        code = load_pools(db, start);
    if (code == SQLITE_OK)
        code = load_pasts(db, start);
    if (code == SQLITE_OK)
        code = load_counters(db, start);
    if (code == SQLITE_OK)
        code = jp__jobs_load(db, start);
    if (code == SQLITE_OK)
        code = load_keeper(db, start);
    return code;
}
