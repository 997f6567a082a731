/* Reads where numbering goes on, what was running, and which pools are to come back. */
#include "store/start.h"

#include "base/str.h"
#include "store/database.h"
#include "store/rows.h"

int jp__start_load_numbers(sqlite3 *db, struct jp_accounts_start *start) {
    int64_t seq = 0;
    int code = jp__db_number(db,
                             "SELECT max((SELECT value FROM meta WHERE key = 'last_seq'),"
                             "           (SELECT coalesce(max(seq), 0) FROM events))",
                             &seq);
    if (code != SQLITE_OK)
        return code;
    start->last_seq = (uint64_t)seq;
    return jp__db_number(db,
                         "SELECT max((SELECT value FROM meta WHERE key = 'last_process_id'),"
                         "           (SELECT coalesce(max(id), 0) FROM processes))",
                         &start->last_process_id);
}

static int load_running(sqlite3 *db, struct jp_accounts_start *start) {
    static const char sql[] = "SELECT " JP__PROCESS_COLUMNS " FROM processes WHERE ended_100ns IS NULL ORDER BY id";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    size_t capacity = 0;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        if (start->running_count == capacity) {
            capacity = capacity == 0 ? 64 : capacity * 2;
            start->running = jp_realloc_array(start->running, capacity, sizeof *start->running);
        }
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
        start->pools = jp_realloc_array(start->pools, start->pool_count + 1, sizeof *start->pools);
        struct jp_stored_pool *pool = &start->pools[start->pool_count++];
        pool->name = jp_strdup((const char *)sqlite3_column_text(statement, 0));
        pool->definition = jp_strdup((const char *)sqlite3_column_text(statement, 1));
    }
    return sqlite3_finalize(statement);
}

static int load_frozen(sqlite3 *db, struct jp_accounts_start *start) {
    static const char sql[] = "SELECT name, frozen FROM pools WHERE frozen <> 0 AND deleted_100ns IS NULL";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        start->pasts = jp_realloc_array(start->pasts, start->past_count + 1, sizeof *start->pasts);
        int bits = sqlite3_column_int(statement, 1);
        start->pasts[start->past_count++] = (struct jp_pool_past){
            .name = jp_strdup((const char *)sqlite3_column_text(statement, 0)), .frozen = bits & 1, .keep_frozen = bits & 2, .suspends = bits & 4, .below_frozen = bits & 8};
    }
    return sqlite3_finalize(statement);
}

int jp__start_load(sqlite3 *db, struct jp_accounts_start *start) {
    int code = jp__start_load_numbers(db, start);
    if (code == SQLITE_OK)
        code = load_running(db, start);
    if (code == SQLITE_OK)
        code = load_pools(db, start);
    if (code == SQLITE_OK)
        code = load_frozen(db, start);
    return code;
}
