/* Owns the statements that delete. */
#include "store/purge.h"

#include "base/units.h"
#include "store/database.h"
#include "store/jobs.h"
#include "store/rows.h"

#define DAY "864000000000"
#define DAY_100NS INT64_C(864000000000)

/* --- rows --- */

/* The rows of one pool are looked at in order of their numbers, so many in a step whether or not they are to go: a step is short also
 * where there is little to delete. *ret_to: the last one of this step. */
static int window(sqlite3 *db, const char *last_sql, const char *sql, struct jp__purge_range *range, int64_t *ret_to, bool *ret_done) {
    int code = range->last == 0 ? jp__db_number(db, last_sql, &range->last) : SQLITE_OK;
    struct jp__value values[] = {JP__TEXT(range->pool), JP__NUMBER(range->after), JP__NUMBER(JP__PURGE_ROWS)};
    if (code == SQLITE_OK) /* where there are fewer than so many, up to the end */
        code = jp__db_ask(db, sql, values, 3, ret_to);
    if (code == SQLITE_OK && (*ret_to == 0 || *ret_to > range->last))
        *ret_to = range->last;
    *ret_done = *ret_to >= range->last;
    return code;
}

static int choose_processes(sqlite3 *db, struct jp__purge_range *range, bool *ret_done) {
    if (range->pool == NULL) {
        struct jp__value values[] = {JP__NUMBER(range->before_100ns), JP__NUMBER(JP__PURGE_ROWS)};
        int code = jp__db_run(db,
                              "INSERT INTO purging SELECT id FROM processes"
                              " WHERE ended_100ns IS NOT NULL AND ended_100ns < ?1 ORDER BY ended_100ns LIMIT ?2",
                              values, 2);
        *ret_done = sqlite3_changes(db) < JP__PURGE_ROWS;
        return code;
    }
    int64_t to = 0;
    int code = window(db, "SELECT max(id) FROM processes",
                      "SELECT id FROM processes WHERE pool = ?1 AND id > ?2 ORDER BY id LIMIT 1 OFFSET ?3 - 1", range, &to, ret_done);
    struct jp__value values[] = {JP__TEXT(range->pool), JP__NUMBER(range->after), JP__NUMBER(to), JP__NUMBER(range->before_100ns)};
    if (code == SQLITE_OK)
        code = jp__db_run(db,
                          "INSERT INTO purging SELECT id FROM processes"
                          " WHERE pool = ?1 AND id > ?2 AND id <= ?3 AND ended_100ns IS NOT NULL AND ended_100ns < ?4",
                          values, 4);
    range->after = to;
    return code;
}

static int delete_chosen(sqlite3 *db, int *ret_deleted) {
    int64_t now = jp__now_100ns();
    struct jp__value values[] = {JP__NUMBER(now), JP__NUMBER(now - (int64_t)JP__MAY_COME_AGAIN_S * JP_100NS_PER_S)};
    int code = jp__jobs_keep_processes(db);
    if (code == SQLITE_OK)
        code = jp__db_run(db, "INSERT INTO purged SELECT id, ?1 FROM processes WHERE id IN purging AND ended_100ns > ?2", values, 2);
    if (code == SQLITE_OK)
        code = jp__db_run(db, "DELETE FROM processes WHERE id IN purging", NULL, 0);
    *ret_deleted = sqlite3_changes(db);
    if (code == SQLITE_OK)
        code = jp__db_run(db, "DELETE FROM purging", NULL, 0);
    return code;
}

int jp__purge_processes(sqlite3 *db, struct jp__purge_range *range, uint64_t *deleted, bool *ret_done) {
    struct jp__purge_range next = *range;
    int count = 0;
    bool done = true;
    int code = jp__db_exec(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = choose_processes(db, &next, &done);
    if (code == SQLITE_OK && sqlite3_changes(db) > 0) /* else nothing is written at all */
        code = delete_chosen(db, &count);
    code = jp__db_end(db, code);
    if (code != SQLITE_OK)
        return code;
    *range = next;
    *deleted += (uint64_t)count;
    *ret_done = done;
    return SQLITE_OK;
}

int jp__purge_events(sqlite3 *db, struct jp__purge_range *range, uint64_t *deleted, bool *ret_done) {
    int64_t to = 0;
    bool done = true;
    int code;
    if (range->pool == NULL) {
        struct jp__value values[] = {JP__NUMBER(range->before_100ns), JP__NUMBER(JP__PURGE_ROWS)};
        code = jp__db_run(db,
                          "DELETE FROM events WHERE seq IN"
                          " (SELECT seq FROM events WHERE time_100ns < ?1 ORDER BY time_100ns LIMIT ?2)",
                          values, 2);
        done = sqlite3_changes(db) < JP__PURGE_ROWS;
    } else {
        code = window(db, "SELECT max(seq) FROM events",
                      "SELECT seq FROM events WHERE pool = ?1 AND seq > ?2 ORDER BY seq LIMIT 1 OFFSET ?3 - 1", range, &to, &done);
        struct jp__value values[] = {JP__TEXT(range->pool), JP__NUMBER(range->after), JP__NUMBER(to), JP__NUMBER(range->before_100ns)};
        if (code == SQLITE_OK)
            code = jp__db_run(db, "DELETE FROM events WHERE pool = ?1 AND seq > ?2 AND seq <= ?3 AND time_100ns < ?4", values, 4);
    }
    if (code != SQLITE_OK)
        return code;
    range->after = to;
    *deleted += (uint64_t)sqlite3_changes(db);
    *ret_done = done;
    return SQLITE_OK;
}

int jp__purge_audit(sqlite3 *db, int64_t before_100ns, uint64_t *deleted, bool *ret_done) {
    struct jp__value values[] = {JP__NUMBER(before_100ns), JP__NUMBER(JP__PURGE_ROWS)};
    int code = jp__db_run(db, "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE time_100ns < ?1 ORDER BY time_100ns LIMIT ?2)", values, 2);
    if (code != SQLITE_OK)
        return code;
    *deleted += (uint64_t)sqlite3_changes(db);
    *ret_done = sqlite3_changes(db) < JP__PURGE_ROWS;
    return SQLITE_OK;
}

/* Days go as a whole, so that nobody looks through the rows of one that is only half old. */
static int purge_samples(sqlite3 *db, int64_t before_100ns, int *ret_deleted) {
    int64_t day = before_100ns / DAY_100NS;
    struct jp__value values[] = {JP__NUMBER(day), JP__NUMBER(JP__PURGE_ROWS)};
    int code = jp__db_run(db,
                          "DELETE FROM samples WHERE (day, pool, time_100ns) IN"
                          " (SELECT day, pool, time_100ns FROM samples WHERE day < ?1 ORDER BY day, pool, time_100ns LIMIT ?2)",
                          values, 2);
    *ret_deleted = sqlite3_changes(db);
    return code == SQLITE_OK && *ret_deleted > 0 ? jp__db_raise_meta(db, "samples_from_100ns", day * DAY_100NS) : code;
}

int jp__purge_samples(sqlite3 *db, int64_t before_100ns, uint64_t *deleted, bool *ret_done) {
    int count = 0;
    int code = jp__db_exec(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = purge_samples(db, before_100ns, &count);
    code = jp__db_end(db, code);
    if (code != SQLITE_OK)
        return code;
    *deleted += (uint64_t)count;
    *ret_done = count < JP__PURGE_ROWS;
    return SQLITE_OK;
}

int jp__purge_unobserved(sqlite3 *db, int64_t before_100ns, bool *ret_done) {
    struct jp__value values[] = {JP__NUMBER(before_100ns), JP__NUMBER(JP__PURGE_ROWS)};
    int64_t some = 0;
    int code = jp__db_exec(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK) /* the time before which there are so many, or more that ended at once */
        code = jp__db_ask(db,
                          "SELECT to_100ns + 1 FROM unobserved WHERE to_100ns < ?1 ORDER BY to_100ns LIMIT 1 OFFSET ?2 - 1", values, 2,
                          &some);
    values[0].number = some != 0 ? some : before_100ns;
    if (code == SQLITE_OK)
        code = jp__jobs_keep_unobserved(db, values[0].number);
    if (code == SQLITE_OK)
        code = jp__db_run(db, "DELETE FROM unobserved WHERE to_100ns < ?1", values, 1);
    *ret_done = some == 0;
    return jp__db_end(db, code);
}

int jp__purge_oldest(sqlite3 *db, struct jp_purged *purged, bool *ret_done) {
    struct jp__purge_range all = {.before_100ns = INT64_MAX};
    struct jp__value last = JP__NUMBER(INT64_MAX);
    int64_t process = 0, event = 0, sample_day = 0;
    bool ignored;
    int code = jp__db_ask(db, "SELECT coalesce(min(ended_100ns), ?1) FROM processes WHERE ended_100ns IS NOT NULL", &last, 1, &process);
    if (code == SQLITE_OK)
        code = jp__db_ask(db, "SELECT coalesce(min(time_100ns), ?1) FROM events", &last, 1, &event);
    if (code == SQLITE_OK)
        code = jp__db_ask(db, "SELECT coalesce(min(day) * " DAY ", ?1) FROM samples", &last, 1, &sample_day);
    if (code != SQLITE_OK)
        return code;
    *ret_done = process == INT64_MAX && event == INT64_MAX && sample_day == INT64_MAX;
    if (*ret_done)
        return SQLITE_OK;
    if (sample_day <= process && sample_day <= event) /* a whole day at a time */
        return jp__purge_samples(db, sample_day + DAY_100NS, &purged->samples, &ignored);
    return process <= event ? jp__purge_processes(db, &all, &purged->processes, &ignored)
                            : jp__purge_events(db, &all, &purged->events, &ignored);
}

int jp__forget_purged(sqlite3 *db) {
    struct jp__value before = JP__NUMBER(jp__now_100ns() - (int64_t)JP__MAY_COME_AGAIN_S * JP_100NS_PER_S);
    return jp__db_run(db, "DELETE FROM purged WHERE purged_100ns < ?1", &before, 1);
}

/* --- size --- */

int jp__size_measure(sqlite3 *db, struct jp__size *ret_size) {
    int64_t page = 0, pages = 0, unused = 0;
    int code = jp__db_number(db, "PRAGMA page_size", &page);
    if (code == SQLITE_OK)
        code = jp__db_number(db, "PRAGMA page_count", &pages);
    if (code == SQLITE_OK)
        code = jp__db_number(db, "PRAGMA freelist_count", &unused);
    if (code == SQLITE_OK)
        *ret_size = (struct jp__size){.bytes = (uint64_t)(page * pages), .free_bytes = (uint64_t)(page * unused)};
    return code;
}

int jp__size_shrink(sqlite3 *db) {
    return jp__db_exec(db, "PRAGMA incremental_vacuum(256)");
}

int jp__size_settle(sqlite3 *db) {
    int code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return code == SQLITE_BUSY ? SQLITE_OK : code; /* then the next one does it */
}
