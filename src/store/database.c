/* Owns the store's dealings with SQLite that are the same everywhere. */
#include "store/database.h"

#include "base/units.h"

#include <stdio.h>
#include <uv.h>

int jp__db_exec(sqlite3 *db, const char *sql) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int jp__db_prepare(sqlite3 *db, const char *sql, const struct jp__value *values, int count, sqlite3_stmt **ret_statement) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    for (int i = 0; code == SQLITE_OK && i < count; i++)
        code = values[i].text != NULL ? sqlite3_bind_text(statement, i + 1, values[i].text, -1, SQLITE_STATIC)
                                      : sqlite3_bind_int64(statement, i + 1, values[i].number);
    if (code != SQLITE_OK) {
        sqlite3_finalize(statement);
        return code;
    }
    *ret_statement = statement;
    return SQLITE_OK;
}

int jp__db_run(sqlite3 *db, const char *sql, const struct jp__value *values, int count) {
    sqlite3_stmt *statement = NULL;
    int code = jp__db_prepare(db, sql, values, count, &statement);
    if (code != SQLITE_OK)
        return code;
    sqlite3_step(statement);
    return sqlite3_finalize(statement); /* what step said */
}

int jp__db_end(sqlite3 *db, int code) {
    if (code == SQLITE_OK)
        code = jp__db_exec(db, "COMMIT");
    if (code != SQLITE_OK && !sqlite3_get_autocommit(db)) /* some failures have rolled back already */
        jp__db_exec(db, "ROLLBACK");
    return code;
}

int jp__db_ask(sqlite3 *db, const char *sql, const struct jp__value *values, int count, int64_t *ret_number) {
    sqlite3_stmt *statement = NULL;
    int code = jp__db_prepare(db, sql, values, count, &statement);
    if (code != SQLITE_OK)
        return code;
    int64_t number = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    code = sqlite3_finalize(statement);
    if (code == SQLITE_OK)
        *ret_number = number;
    return code;
}

int jp__db_number(sqlite3 *db, const char *sql, int64_t *ret_number) {
    return jp__db_ask(db, sql, NULL, 0, ret_number);
}

int jp__db_text(sqlite3 *db, const char *sql, char *ret_text, size_t size) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    const char *text = NULL;
    if (sqlite3_step(statement) == SQLITE_ROW)
        text = (const char *)sqlite3_column_text(statement, 0);
    snprintf(ret_text, size, "%s", text != NULL ? text : "");
    return sqlite3_finalize(statement);
}

int jp__db_raise_meta(sqlite3 *db, const char *key, int64_t value) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, "UPDATE meta SET value = ?2 WHERE key = ?1 AND value < ?2", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 2, value);
    if (code == SQLITE_OK)
        sqlite3_step(statement); /* its code comes again from finalize */
    int end = sqlite3_finalize(statement);
    return code != SQLITE_OK ? code : end;
}

int jp__db_mark_clean(sqlite3 *db, int clean) {
    return jp__db_exec(db, clean ? "UPDATE meta SET value = 1 WHERE key = 'clean'"
                                 : "UPDATE meta SET value = 0 WHERE key = 'clean'");
}

static const char *code_name(int code) {
#define NAME(code) case code: return #code
    switch (code & 0xff) { /* the rest says more of the same */
        NAME(SQLITE_ERROR);
        NAME(SQLITE_INTERNAL);
        NAME(SQLITE_PERM);
        NAME(SQLITE_ABORT);
        NAME(SQLITE_BUSY);
        NAME(SQLITE_LOCKED);
        NAME(SQLITE_NOMEM);
        NAME(SQLITE_READONLY);
        NAME(SQLITE_INTERRUPT);
        NAME(SQLITE_IOERR);
        NAME(SQLITE_CORRUPT);
        NAME(SQLITE_FULL);
        NAME(SQLITE_CANTOPEN);
        NAME(SQLITE_PROTOCOL);
        NAME(SQLITE_SCHEMA);
        NAME(SQLITE_TOOBIG);
        NAME(SQLITE_CONSTRAINT);
        NAME(SQLITE_MISMATCH);
        NAME(SQLITE_MISUSE);
        NAME(SQLITE_AUTH);
        NAME(SQLITE_RANGE);
        NAME(SQLITE_NOTADB);
    default: return "SQLite";
    }
#undef NAME
}

void jp__db_reason(sqlite3 *db, int code, char *buffer, size_t size) {
    const char *text = db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    snprintf(buffer, size, "%s (%s, %d)", text, code_name(code), code);
}

bool jp__db_is_damage(int code) {
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

int64_t jp__now_100ns(void) {
    uv_timespec64_t now = {0};
    uv_clock_gettime(UV_CLOCK_REALTIME, &now);
    return JP_UNIX_EPOCH_100NS + now.tv_sec * JP_100NS_PER_S + now.tv_nsec / 100;
}

uint64_t jp__now_ms(void) {
    return uv_hrtime() / 1000000;
}
