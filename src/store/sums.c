/* Owns the statements that make sums of sums: hours become days, and what ephemeral pools have used becomes that of the pools above them. */
#include "base/schema.h"
#include "base/str.h"
#include "base/units.h"
#include "store/database.h"
#include "store/fold.h"
#include "store/purge.h"
#include "store/rows.h"

#define DAY "864000000000"
#define DAY_100NS INT64_C(864000000000)

enum { DROP_POOLS = 50 }; /* in a step; each takes some ten statements */

#define ADD(column) column " = CAST(" column " + excluded." column " AS INTEGER)"
#define ADD_USAGE                                                                                                   \
    ADD("processes") "," ADD("exited") "," ADD("crashed") "," ADD("terminated") "," ADD("unknown") "," ADD("failures") "," \
    ADD("user_100ns") "," ADD("kernel_100ns") "," ADD("wall_100ns") "," ADD("read_bytes") "," ADD("write_bytes") "," \
    ADD("with_cpu") "," ADD("with_io") "," ADD("unobserved") ", peak_commit_bytes = max(peak_commit_bytes, excluded.peak_commit_bytes)"

/* --- hours into days --- */

#define OLD_HOURS "FROM usage_hours WHERE hour_100ns < ?1 AND kept = 0 ORDER BY hour_100ns, pool LIMIT ?2"

int jp__fold_hours(sqlite3 *db, int64_t before_100ns, bool *ret_done) {
    struct jp__value values[] = {JP__NUMBER(before_100ns), JP__NUMBER(JP__PURGE_ROWS)};
    int code = jp__db_exec(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = jp__db_run(db,
                          "INSERT INTO usage_days(day_100ns, " JP__USAGE_COLUMNS ")"
                          " SELECT hour_100ns / " DAY " * " DAY ", " JP__USAGE_COLUMNS " " OLD_HOURS
                          " ON CONFLICT(day_100ns, pool) DO UPDATE SET " ADD_USAGE,
                          values, 2);
    if (code == SQLITE_OK)
        code = jp__db_run(db, "DELETE FROM usage_hours WHERE (hour_100ns, pool) IN (SELECT hour_100ns, pool " OLD_HOURS ")", values, 2);
    *ret_done = sqlite3_changes(db) < JP__PURGE_ROWS;
    return jp__db_end(db, code);
}

/* --- pools that are forgotten --- */

/* A parent goes after its children, so that these can be found below it. */
#define LEFT_POOLS                                                                                                  \
    "SELECT name FROM pools WHERE ephemeral = ?1 AND deleted_100ns < ?2 AND definition IS NULL"                     \
    " AND NOT EXISTS(SELECT 1 FROM processes WHERE processes.pool = pools.name)"                                    \
    " AND NOT EXISTS(SELECT 1 FROM unobserved WHERE unobserved.pool = pools.name)"                                  \
    " AND NOT EXISTS(SELECT 1 FROM jobs WHERE jobs.pool = pools.name)"                                              \
    " AND NOT EXISTS(SELECT 1 FROM sampled WHERE sampled.pool = pools.name AND sampled.time_100ns >= ?3)"           \
    " AND NOT EXISTS(SELECT 1 FROM pools child WHERE child.parent = pools.name)"                                    \
    " AND (?1 = 0 OR NOT EXISTS(SELECT 1 FROM events WHERE events.pool = pools.name))"                              \
    " ORDER BY deleted_100ns LIMIT ?4"

/* Before the oldest row that there is: an ephemeral pool that went before that has none, so only such ones are looked at. Its name is nobody's again,
 * so it is not kept for one who might be made again; but it is let go of with its last event, because the name is free then. */
static int find_oldest(sqlite3 *db, int64_t *ret_time) {
    struct jp__value none = JP__NUMBER(jp__now_100ns() - (int64_t)JP__MAY_COME_AGAIN_S * JP_100NS_PER_S);
    return jp__db_ask(db,
                      "SELECT min(?1, coalesce((SELECT min(ended_100ns) FROM processes WHERE ended_100ns IS NOT NULL), ?1),"
                      " coalesce((SELECT min(time_100ns) FROM events), ?1), coalesce((SELECT min(day) * " DAY " FROM samples), ?1))",
                      &none, 1, ret_time);
}

static int find_left(sqlite3 *db, bool ephemeral, int64_t before_100ns, int64_t samples_before_100ns, struct jp_strings *names) {
    struct jp__value values[] = {JP__NUMBER(ephemeral), JP__NUMBER(before_100ns), JP__NUMBER(samples_before_100ns / DAY_100NS * DAY_100NS),
                                 JP__NUMBER(DROP_POOLS)};
    sqlite3_stmt *statement = NULL;
    int code = jp__db_prepare(db, LEFT_POOLS, values, 4, &statement);
    if (code != SQLITE_OK)
        return code;
    while (sqlite3_step(statement) == SQLITE_ROW)
        jp_strings_add(names, (const char *)sqlite3_column_text(statement, 0));
    return sqlite3_finalize(statement);
}

/* Its rows are gone, so nothing is taken from, or added to, its sums any more. */
static int hand_over(sqlite3 *db, const char *pool, const char *heir) {
    static const char *const steps[] = {
        "INSERT INTO usage_hours(hour_100ns, purged, " JP__USAGE_COLUMNS ") SELECT hour_100ns, purged, ?2, " JP__USAGE_NUMBERS
        " FROM usage_hours WHERE pool = ?1 ON CONFLICT(hour_100ns, pool) DO UPDATE SET " ADD("purged") "," ADD_USAGE,
        "DELETE FROM usage_hours WHERE pool = ?1",
        "INSERT INTO usage_days(day_100ns, " JP__USAGE_COLUMNS ") SELECT day_100ns, ?2, " JP__USAGE_NUMBERS
        " FROM usage_days WHERE pool = ?1 ON CONFLICT(day_100ns, pool) DO UPDATE SET " ADD_USAGE,
        "DELETE FROM usage_days WHERE pool = ?1",
    };
    struct jp__value values[] = {JP__TEXT(pool), JP__TEXT(heir)};
    int code = SQLITE_OK;
    for (int i = 0; code == SQLITE_OK && i < 4; i++)
        code = jp__db_run(db, steps[i], values, i % 2 == 0 ? 2 : 1);
    return code;
}

static int hand_to_heir(sqlite3 *db, const char *pool) {
    char *heir;
    int code = jp__fold_heir(db, pool, &heir);
    if (code == SQLITE_OK)
        code = hand_over(db, pool, heir);
    jp_free(heir);
    return code;
}

static int drop(sqlite3 *db, const struct jp_strings *names, bool ephemeral) {
    static const char *const tables[] = {"DELETE FROM pool_totals WHERE pool = ?1", "DELETE FROM resets WHERE pool = ?1",
                                         "DELETE FROM sampled WHERE pool = ?1", "DELETE FROM pools WHERE name = ?1"};
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < names->count; i++) {
        struct jp__value name = JP__TEXT(names->items[i]);
        if (ephemeral)
            code = hand_to_heir(db, name.text);
        for (size_t table = 0; code == SQLITE_OK && table < sizeof tables / sizeof *tables; table++)
            code = jp__db_run(db, tables[table], &name, 1);
    }
    return code;
}

int jp__drop_pools(sqlite3 *db, int64_t before_100ns, int64_t samples_before_100ns, struct jp_strings *forgotten, bool *ret_done) {
    int64_t before[] = {before_100ns, 0};
    struct jp_strings names[2] = {{0}};
    int code = jp__db_exec(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = find_oldest(db, &before[true]);
    for (int ephemeral = 0; code == SQLITE_OK && ephemeral < 2; ephemeral++)
        code = find_left(db, ephemeral, before[ephemeral], samples_before_100ns, &names[ephemeral]);
    *ret_done = names[false].count + names[true].count == 0; /* parents may have become free */
    for (int ephemeral = 0; code == SQLITE_OK && ephemeral < 2; ephemeral++)
        code = drop(db, &names[ephemeral], ephemeral);
    code = jp__db_end(db, code);
    if (code == SQLITE_OK)
        jp_strings_add_all(forgotten, &names[true]);
    jp_strings_free(&names[false]);
    jp_strings_free(&names[true]);
    return code;
}
