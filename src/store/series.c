/* Owns the way from samples, and rows of processes, to a few points for each pool. */
#include "store/series.h"

#include "base/map.h"
#include "base/str.h"
#include "base/units.h"
#include "store/database.h"
#include "store/fold.h"

#include <stdlib.h>
#include <string.h>

static const int64_t day_100ns = INT64_C(864000000000);

#define BEGAN "coalesce(start_100ns, joined_100ns)"
#define SAMPLE                                                                                                     \
    "SELECT time_100ns, processes, cpu_100ns, read_bytes, write_bytes, commit_bytes, working_set_bytes, memory_limit_bytes, process_limit," \
    " cpu_rate_limit FROM samples WHERE day = ?1 AND pool = ?2"

/* A row of samples. */
struct row {
    int64_t time_100ns;
    uint64_t processes, commit_bytes, working_set_bytes, memory_limit_bytes, process_limit;
    struct jp_spent spent;
    bool has_memory, has_io;
    uint32_t cpu_rate_limit;
};

struct pool {
    char *name;
    int64_t first_day, last_day;    /* that may have samples of it */
    struct jp_series_point *points; /* one for each step; NULL while nothing is known */
};

enum phase { NAMES, SAMPLES, BEGINS, ENDS, DONE };

struct jp__series {
    struct jp_series_filter filter;
    struct jp__fold fold;
    int64_t origin_100ns, step_100ns;
    size_t steps;
    bool began;
    enum phase phase;
    struct pool **pools;
    size_t pool_count, capacity, point_count;
    struct jp_map by_name;
    bool more;

    /* of the samples: */
    size_t pool;
    int64_t first_day, last_day, day; /* of the pool, the one to be read next */
    struct row last;                  /* its row before */
    bool has_last;
    /* of the processes: those after this time and id */
    int64_t after_100ns, after_id;

    struct jp_series *series;
    struct jp_series_result result;
};

/* --- steps of time --- */

int64_t jp__series_round_step(int64_t from_100ns, int64_t to_100ns, uint32_t points, int64_t least_100ns) {
    static const int32_t round_s[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200};
    const size_t count = sizeof round_s / sizeof *round_s;
    for (size_t i = 0;; i++) {
        static const int days[] = {1, 2, 5};
        int64_t step = i < count ? round_s[i] * (int64_t)JP_100NS_PER_S : days[(i - count) % 3] * day_100ns;
        for (size_t tens = i < count ? 0 : (i - count) / 3; tens > 0; tens--)
            step *= 10;
        int64_t steps = (to_100ns - 1) / step - from_100ns / step + 1; /* the first and the last may stand over */
        if ((step >= least_100ns && steps <= (int64_t)points) || step > INT64_MAX / 4) /* there are no longer ones */
            return step;
    }
}

/* Before the first: below 0. */
static int64_t index_of(const struct jp__series *series, int64_t time_100ns) {
    int64_t offset = time_100ns - series->origin_100ns;
    return offset >= 0 ? offset / series->step_100ns : -((-offset - 1) / series->step_100ns) - 1;
}

struct jp__series *jp__series_new(const struct jp_series_filter *filter) {
    struct jp__series *series = jp_alloc(sizeof *series);
    series->filter = *filter;
    jp__fold_begin(&series->fold, filter->pools, filter->folding);
    series->step_100ns = jp__series_round_step(filter->from_100ns, filter->to_100ns, filter->points, filter->least_step_100ns);
    series->origin_100ns = filter->from_100ns / series->step_100ns * series->step_100ns;
    series->steps = (size_t)index_of(series, filter->to_100ns - 1) + 1;
    return series;
}

void jp__series_free(struct jp__series *series) {
    if (series == NULL)
        return;
    for (size_t i = 0; i < series->pool_count; i++) {
        jp_free(series->pools[i]->name);
        jp_free(series->pools[i]->points);
        jp_free(series->pools[i]);
    }
    jp_free(series->pools);
    jp_map_free(&series->by_name);
    jp__fold_end(&series->fold);
    jp_free(series->series);
    jp_free(series);
}

/* --- pools --- */

static struct pool *add_pool(struct jp__series *series, const char *name) {
    struct pool *pool = jp_map_get(&series->by_name, name);
    if (pool != NULL)
        return pool;
    pool = jp_alloc(sizeof *pool);
    pool->name = jp_strdup(name);
    if (series->pool_count == series->capacity) {
        series->capacity = series->capacity == 0 ? 64 : series->capacity * 2;
        series->pools = jp_realloc_array(series->pools, series->capacity, sizeof *series->pools);
    }
    series->pools[series->pool_count++] = pool;
    jp_map_put(&series->by_name, pool->name, pool);
    return pool;
}

/* The pool's point of that step; NULL where it is outside of the time, or there is no room for this pool any more. */
static struct jp_series_point *point_at(struct jp__series *series, struct pool *pool, int64_t index) {
    if (index < 0 || index >= (int64_t)series->steps)
        return NULL;
    if (pool->points == NULL) {
        if (series->point_count + series->steps > JP__SERIES_MAX_POINTS) {
            series->more = true;
            return NULL;
        }
        series->point_count += series->steps;
        pool->points = jp_alloc(series->steps * sizeof *pool->points);
    }
    struct jp_series_point *point = &pool->points[index];
    point->time_100ns = series->origin_100ns + index * series->step_100ns; /* so it is one of which something is known */
    return point;
}

/* --- samples --- */

static int compare_pools(const void *left, const void *right) {
    return strcmp((*(struct pool *const *)left)->name, (*(struct pool *const *)right)->name);
}

static int64_t greater(int64_t one, int64_t other) { return one > other ? one : other; }
static int64_t lesser(int64_t one, int64_t other) { return one < other ? one : other; }

/* One that is folded into another has nothing to add: that one's samples have it already. *ret_pool is NULL then. */
static int add_sampled(struct jp__series *series, sqlite3 *db, const char *name, struct pool **ret_pool) {
    const char *shown;
    int code = jp__fold_shown(&series->fold, db, name, &shown);
    if (code == SQLITE_OK && shown != NULL && strcmp(shown, name) == 0)
        *ret_pool = add_pool(series, name);
    return code;
}

/* Of all pools that have samples of that day: one search for each, not a look at all rows. Most pools that there ever were lived for a moment of
 * one day, so nobody looks for them in the others. */
static int read_names(struct jp__series *series, sqlite3 *db) {
    static const char sql[] =
        "WITH RECURSIVE names(pool) AS (SELECT min(pool) FROM samples WHERE day = ?1 UNION ALL"
        " SELECT (SELECT min(pool) FROM samples WHERE day = ?1 AND pool > names.pool) FROM names WHERE names.pool IS NOT NULL)"
        " SELECT pool FROM names WHERE pool IS NOT NULL";
    struct jp__value day = JP__NUMBER(series->day);
    sqlite3_stmt *statement = NULL;
    int code = jp__db_prepare(db, sql, &day, 1, &statement);
    if (code != SQLITE_OK)
        return code;
    while (code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
        size_t known = series->pool_count;
        struct pool *pool = NULL;
        code = add_sampled(series, db, (const char *)sqlite3_column_text(statement, 0), &pool);
        if (pool != NULL && series->pool_count > known)
            pool->first_day = series->day;
        if (pool != NULL)
            pool->last_day = series->day;
    }
    series->day++;
    int end = sqlite3_finalize(statement);
    return code == SQLITE_OK ? end : code;
}

static int take_names(struct jp__series *series, sqlite3 *db) {
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < series->filter.pools->count; i++) {
        struct pool *pool = NULL;
        code = add_sampled(series, db, series->filter.pools->items[i], &pool);
        if (pool != NULL) {
            pool->first_day = series->first_day;
            pool->last_day = series->last_day;
        }
    }
    series->day = series->last_day + 1;
    return code;
}

static void begin_samples(struct jp__series *series) {
    if (series->pool_count > 0) {
        qsort(series->pools, series->pool_count, sizeof *series->pools, compare_pools);
        series->day = series->pools[0]->first_day;
    }
    series->phase++;
}

/* The days of the time of which there are samples, and one more at each end, where the neighbours of its first and last row are. */
static int begin(struct jp__series *series, sqlite3 *db) {
    int64_t first = 0, last = 0, from = 0;
    int code = jp__db_number(db, "SELECT coalesce(min(day), 0) FROM samples", &first);
    if (code == SQLITE_OK)
        code = jp__db_number(db, "SELECT coalesce(max(day), -1) FROM samples", &last);
    if (code != SQLITE_OK)
        return code;
    series->first_day = series->day = greater(first, series->origin_100ns / day_100ns - 1);
    series->last_day = lesser(last, (series->origin_100ns + (int64_t)series->steps * series->step_100ns) / day_100ns + 1);
    if (series->filter.pools != NULL && (code = take_names(series, db)) != SQLITE_OK)
        return code;
    code = jp__db_number(db, "SELECT value FROM meta WHERE key = 'samples_from_100ns'", &from);
    series->result.complete_from_100ns = from > series->filter.from_100ns ? from : 0;
    series->began = true;
    return code;
}

static uint64_t number(sqlite3_stmt *statement, int column) {
    int64_t value = sqlite3_column_int64(statement, column);
    return value > 0 ? (uint64_t)value : 0;
}

static bool known(sqlite3_stmt *statement, int column) { return sqlite3_column_type(statement, column) != SQLITE_NULL; }

static struct row read_row(sqlite3_stmt *statement) {
    return (struct row){.time_100ns = sqlite3_column_int64(statement, 0),
                        .processes = number(statement, 1),
                        .spent = {.cpu_100ns = number(statement, 2), .read_bytes = number(statement, 3), .write_bytes = number(statement, 4)},
                        .has_io = known(statement, 3) && known(statement, 4),
                        .has_memory = known(statement, 5) && known(statement, 6),
                        .commit_bytes = number(statement, 5),
                        .working_set_bytes = number(statement, 6),
                        .memory_limit_bytes = known(statement, 7) ? number(statement, 7) : UINT64_MAX,
                        .process_limit = known(statement, 8) ? number(statement, 8) : UINT64_MAX,
                        .cpu_rate_limit = (uint32_t)number(statement, 9)};
}

static void take_most(uint64_t *most, uint64_t value) {
    if (value > *most)
        *most = value;
}

static void add_spent(struct jp_series_point *point, const struct jp_spent *spent, bool has_io) {
    if (point == NULL)
        return;
    point->spent.cpu_100ns += spent->cpu_100ns;
    point->spent.read_bytes += has_io ? spent->read_bytes : 0;
    point->spent.write_bytes += has_io ? spent->write_bytes : 0;
    point->has_io |= has_io;
}

static uint64_t risen(uint64_t from, uint64_t to) { return to > from ? to - from : 0; }

static uint64_t share(uint64_t whole, double part) {
    uint64_t result = (uint64_t)((double)whole * part);
    return result < whole ? result : whole;
}

/* What was used between two samples. In two steps side by side it is divided as the time is; where there are others between them nobody looked
 * for long, and it counts when it was seen. Each bit counts once, so steps add up to what was used. */
static void spread(struct jp__series *series, struct pool *pool, const struct row *row) {
    const struct row *last = &series->last;
    int64_t before = index_of(series, last->time_100ns), now = index_of(series, row->time_100ns);
    bool has_io = last->has_io && row->has_io;
    struct jp_spent whole = {.cpu_100ns = risen(last->spent.cpu_100ns, row->spent.cpu_100ns),
                             .read_bytes = risen(last->spent.read_bytes, row->spent.read_bytes),
                             .write_bytes = risen(last->spent.write_bytes, row->spent.write_bytes)};
    if (now == before + 1) {
        int64_t border = series->origin_100ns + now * series->step_100ns;
        double part = (double)(border - last->time_100ns) / (double)(row->time_100ns - last->time_100ns);
        struct jp_spent first = {.cpu_100ns = share(whole.cpu_100ns, part),
                                 .read_bytes = share(whole.read_bytes, part),
                                 .write_bytes = share(whole.write_bytes, part)};
        add_spent(point_at(series, pool, before), &first, has_io);
        whole.cpu_100ns -= first.cpu_100ns;
        whole.read_bytes -= first.read_bytes;
        whole.write_bytes -= first.write_bytes;
    }
    add_spent(point_at(series, pool, now), &whole, has_io);
}

static void count_row(struct jp__series *series, struct pool *pool, const struct row *row) {
    struct jp_series_point *point = point_at(series, pool, index_of(series, row->time_100ns));
    if (series->has_last && row->time_100ns > series->last.time_100ns)
        spread(series, pool, row);
    series->last = *row;
    series->has_last = true;
    if (point == NULL)
        return;
    point->looked = true;
    point->has_memory |= row->has_memory;
    point->has_io |= row->has_io;
    take_most(&point->processes, row->processes);
    take_most(&point->commit_bytes, row->commit_bytes);
    take_most(&point->working_set_bytes, row->working_set_bytes);
    point->memory_limit_bytes = row->memory_limit_bytes;
    point->process_limit = row->process_limit;
    point->cpu_rate_limit = row->cpu_rate_limit;
}

/* One day of one pool: of the day before the first step only its last row, of what is behind the last step only its first. */
static int read_day(struct jp__series *series, sqlite3 *db, size_t *rows) {
    struct pool *pool = series->pools[series->pool];
    int64_t end_100ns = series->origin_100ns + (int64_t)series->steps * series->step_100ns;
    bool before = (series->day + 1) * day_100ns <= series->origin_100ns;
    struct jp__value values[] = {JP__NUMBER(series->day), JP__TEXT(pool->name)};
    sqlite3_stmt *statement = NULL;
    int code = jp__db_prepare(db, before ? SAMPLE " ORDER BY time_100ns DESC LIMIT 1" : SAMPLE " ORDER BY time_100ns", values, 2, &statement);
    if (code != SQLITE_OK)
        return code;
    bool beyond = false;
    while (!beyond && sqlite3_step(statement) == SQLITE_ROW) {
        struct row row = read_row(statement);
        count_row(series, pool, &row);
        ++*rows;
        beyond = row.time_100ns >= end_100ns;
    }
    if (beyond)
        series->day = pool->last_day; /* no need to look at another one */
    return sqlite3_finalize(statement);
}

static int read_samples(struct jp__series *series, sqlite3 *db) {
    enum { A_LOOK = 16 }; /* finding a day costs as much as some rows */
    size_t rows = 0;
    while (rows < JP__SERIES_STEP_ROWS && series->pool < series->pool_count) {
        bool full = series->point_count + series->steps > JP__SERIES_MAX_POINTS && series->pools[series->pool]->points == NULL;
        series->more |= full;
        if (full || series->day > series->pools[series->pool]->last_day) {
            series->pool++;
            if (series->pool < series->pool_count)
                series->day = series->pools[series->pool]->first_day;
            series->has_last = false;
            continue;
        }
        int code = read_day(series, db, &rows);
        if (code != SQLITE_OK)
            return code;
        series->day++;
        rows += A_LOOK;
    }
    if (series->pool == series->pool_count)
        series->phase++;
    return SQLITE_OK;
}

/* --- processes --- */

static int count_process(struct jp__series *series, sqlite3_stmt *statement) {
    const char *name;
    int code = jp__fold_shown(&series->fold, sqlite3_db_handle(statement), (const char *)sqlite3_column_text(statement, 2), &name);
    struct pool *pool = code == SQLITE_OK && name != NULL ? jp_map_get(&series->by_name, name) : NULL;
    if (code != SQLITE_OK || name == NULL || (pool == NULL && series->filter.pools != NULL))
        return code;
    if (pool == NULL)
        pool = add_pool(series, name); /* of before there were samples */
    struct jp_series_point *point = point_at(series, pool, index_of(series, series->after_100ns));
    if (point == NULL)
        return SQLITE_OK;
    point->started += series->phase == BEGINS;
    point->ended += series->phase == ENDS;
    point->failures += series->phase == ENDS && sqlite3_column_int64(statement, 3) != 0;
    return SQLITE_OK;
}

static int read_processes(struct jp__series *series, sqlite3 *db) {
    static const char begins[] = "SELECT " BEGAN ", id, pool, 0 FROM processes INDEXED BY processes_by_begin"
                                 " WHERE " BEGAN " >= ?1 AND " BEGAN " < ?2 AND (" BEGAN " > ?1 OR id > ?3) ORDER BY " BEGAN ", id LIMIT ?4";
    static const char ends[] = "SELECT ended_100ns, id, pool, exit_code FROM processes INDEXED BY processes_by_end WHERE ended_100ns IS NOT NULL"
                               " AND ended_100ns >= ?1 AND ended_100ns < ?2 AND (ended_100ns > ?1 OR id > ?3) ORDER BY ended_100ns, id LIMIT ?4";
    struct jp__value values[] = {JP__NUMBER(greater(series->after_100ns, series->filter.from_100ns)), JP__NUMBER(series->filter.to_100ns),
                                 JP__NUMBER(series->after_id), JP__NUMBER(JP__SERIES_STEP_ROWS)};
    sqlite3_stmt *statement = NULL;
    size_t rows = 0;
    int code = jp__db_prepare(db, series->phase == BEGINS ? begins : ends, values, 4, &statement);
    if (code != SQLITE_OK)
        return code;
    for (; code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW; rows++) {
        series->after_100ns = sqlite3_column_int64(statement, 0);
        series->after_id = sqlite3_column_int64(statement, 1);
        code = count_process(series, statement);
    }
    if (rows < JP__SERIES_STEP_ROWS) {
        series->phase++;
        series->after_100ns = series->after_id = 0;
    }
    int end = sqlite3_finalize(statement);
    return code == SQLITE_OK ? end : code;
}

/* --- the end --- */

/* The points of which something is known, moved together. */
static size_t pack(struct pool *pool, size_t steps) {
    size_t count = 0;
    for (size_t i = 0; i < steps; i++)
        if (pool->points[i].looked || pool->points[i].started > 0 || pool->points[i].ended > 0)
            pool->points[count++] = pool->points[i];
    return count;
}

static void finish(struct jp__series *series) {
    struct jp_series_result *result = &series->result;
    series->series = jp_realloc_array(NULL, series->pool_count + 1, sizeof *series->series);
    if (series->pool_count > 0)
        qsort(series->pools, series->pool_count, sizeof *series->pools, compare_pools); /* some were found late */
    for (size_t i = 0; i < series->pool_count; i++) {
        struct pool *pool = series->pools[i];
        size_t count = pool->points != NULL ? pack(pool, series->steps) : 0;
        if (count > 0)
            series->series[result->count++] = (struct jp_series){.pool = pool->name, .points = pool->points, .count = count};
    }
    result->series = series->series;
    result->step_100ns = series->step_100ns;
    result->more = series->more;
}

int jp__series_step(struct jp__series *series, sqlite3 *db, bool *ret_done) {
    int code = series->began ? SQLITE_OK : begin(series, db);
    if (code == SQLITE_OK && series->phase == NAMES && series->day > series->last_day)
        begin_samples(series);
    else if (code == SQLITE_OK && series->phase == NAMES)
        code = read_names(series, db);
    else if (code == SQLITE_OK)
        code = series->phase == SAMPLES ? read_samples(series, db) : read_processes(series, db);
    *ret_done = code == SQLITE_OK && series->phase == DONE;
    if (*ret_done)
        finish(series);
    return code;
}

const struct jp_series_result *jp__series_result(const struct jp__series *series) { return &series->result; }
