/* Owns the way from rows to a report. */
#include "store/report.h"

#include "base/map.h"
#include "base/str.h"
#include "store/batch.h"
#include "store/database.h"
#include "store/fold.h"
#include "store/select.h"

#include <stdlib.h>
#include <string.h>

static const int64_t hour_100ns = INT64_C(36000000000), day_100ns = INT64_C(864000000000);

#define BEGAN "coalesce(start_100ns, joined_100ns)"
#define ROWS                                                                                                        \
    "SELECT id, " BEGAN ", ended_100ns, ending, exit_code, user_100ns, kernel_100ns, peak_commit_bytes, read_bytes," \
    " write_bytes, pool, user, image FROM processes WHERE id > ?1 AND id <= ?2"

/* Its texts stand behind it in the same piece of memory; the key, too. */
struct group {
    struct jp_report_row row;
    const char *key;
};

struct jp__report {
    struct jp_report_filter filter;
    struct jp__fold fold;
    struct jp_strings pools; /* the filter's, each once, and those that are folded into them */
    size_t pool;             /* the one whose rows are being read */
    bool began;
    int64_t first_id, last_id; /* what is read */
    int64_t after_id;          /* of that pool: up to here it was read */
    int64_t now_100ns;         /* until when running processes have run */

    struct group **groups;
    size_t group_count, capacity, text_bytes;
    struct jp_map group_by_key;
    struct jp_str key; /* of the row that is looked at */
    struct jp_report_row *rows;
    struct jp_report result;
};

/* A process's row, as far as a report wants it. Its texts live until the statement moves on. */
struct row {
    int64_t began_100ns, ended_100ns;
    enum jp_ending ending;
    bool failed, has_cpu, has_io;
    uint64_t user_100ns, kernel_100ns, peak_commit_bytes, read_bytes, write_bytes;
    const char *pool, *user, *image; /* `image`: its file name; NULL: unknown */
};

struct jp__report *jp__report_new(const struct jp_report_filter *filter) {
    struct jp__report *report = jp_alloc(sizeof *report);
    report->filter = *filter;
    jp__fold_begin(&report->fold, filter->pools, filter->folding);
    return report;
}

void jp__report_free(struct jp__report *report) {
    if (report == NULL)
        return;
    for (size_t i = 0; i < report->group_count; i++)
        jp_free(report->groups[i]);
    jp_free(report->groups);
    jp_map_free(&report->group_by_key);
    jp_str_free(&report->key);
    jp_strings_free(&report->pools);
    jp__fold_end(&report->fold);
    jp_free(report->rows);
    jp_free(report);
}

/* --- what is read --- */

/* Ids rise in about the order in which processes begin, but not quite: the lowest and the highest of those in question are looked up. */
static int find_bounds(struct jp__report *report, sqlite3 *db) {
    const struct jp_report_filter *filter = &report->filter;
    struct jp__value values[] = {JP__NUMBER(filter->from_100ns != 0 ? filter->from_100ns : INT64_MIN),
                                 JP__NUMBER(filter->to_100ns != 0 ? filter->to_100ns : INT64_MAX)};
    bool all = filter->from_100ns == 0 && filter->to_100ns == 0;
    sqlite3_stmt *statement = NULL;
    int code = jp__db_prepare(db,
                              all ? "SELECT (SELECT min(id) FROM processes), (SELECT max(id) FROM processes)"
                                  : "SELECT min(id), max(id) FROM processes INDEXED BY processes_by_begin WHERE " BEGAN " >= ?1 AND " BEGAN " < ?2",
                              values, all ? 0 : 2, &statement);
    if (code != SQLITE_OK)
        return code;
    report->first_id = report->last_id = 0;
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL) {
        report->first_id = sqlite3_column_int64(statement, 0);
        report->last_id = sqlite3_column_int64(statement, 1);
    }
    return sqlite3_finalize(statement);
}

static bool reads_all_pools(const struct jp__report *report) { return report->filter.pools == NULL; }

/* How many there are to be read, one after the other. */
static size_t pools_of(const struct jp__report *report) { return reads_all_pools(report) ? 1 : report->pools.count; }

static int find_pools(struct jp__report *report, sqlite3 *db) {
    struct jp__select select;
    sqlite3_stmt *statement = NULL;
    if (reads_all_pools(report))
        return SQLITE_OK;
    jp__select_begin(&select, "");
    jp__select_with_pools(&select, report->filter.pools, report->filter.folding.on);
    jp__select_text(&select, "SELECT DISTINCT pool FROM wanted");
    int code = jp__select_prepare(&select, db, &statement);
    jp__select_end(&select);
    if (code != SQLITE_OK)
        return code;
    while (sqlite3_step(statement) == SQLITE_ROW)
        jp_strings_add(&report->pools, (const char *)sqlite3_column_text(statement, 0));
    return sqlite3_finalize(statement);
}

static int begin(struct jp__report *report, sqlite3 *db) {
    int code = find_bounds(report, db);
    if (code == SQLITE_OK)
        code = find_pools(report, db);
    if (code != SQLITE_OK)
        return code;
    report->began = true;
    report->after_id = report->first_id - 1;
    report->now_100ns = jp__now_100ns();
    return SQLITE_OK;
}

void jp__report_progress(const struct jp__report *report, uint64_t *ret_done, uint64_t *ret_all) {
    uint64_t span = report->began && report->last_id >= report->first_id ? (uint64_t)(report->last_id - report->first_id) + 1 : 0;
    uint64_t in_pool = report->began ? (uint64_t)(report->after_id - (report->first_id - 1)) : 0;
    *ret_all = span * pools_of(report);
    *ret_done = span * report->pool + in_pool;
    if (*ret_done > *ret_all)
        *ret_done = *ret_all;
}

/* --- groups --- */

static int compare_names(const char *one, const char *other) { /* what is unknown comes last */
    if (one == NULL || other == NULL)
        return (one == NULL) - (other == NULL);
    return strcmp(one, other);
}

static int compare_groups(const void *left, const void *right) {
    const struct jp_report_row *one = &(*(struct group *const *)left)->row, *other = &(*(struct group *const *)right)->row;
    uint64_t one_cpu = one->sums.user_100ns + one->sums.kernel_100ns, other_cpu = other->sums.user_100ns + other->sums.kernel_100ns;
    int order = (one_cpu < other_cpu) - (one_cpu > other_cpu);
    order = order != 0 ? order : compare_names(one->pool, other->pool);
    order = order != 0 ? order : compare_names(one->user, other->user);
    order = order != 0 ? order : compare_names(one->image, other->image);
    order = order != 0 ? order : (one->day_100ns > other->day_100ns) - (one->day_100ns < other->day_100ns);
    return order != 0 ? order : compare_names(one->ending, other->ending);
}

static char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter; }

/* With its length before it, so that no two lists of names give the same key. */
static void add_to_key(struct jp_str *key, const char *name, bool any_case) {
    if (name == NULL) {
        jp_str_putc(key, '-');
        return;
    }
    jp_str_printf(key, "%zu:", strlen(name));
    size_t start = key->length;
    jp_str_puts(key, name);
    for (size_t i = start; any_case && i < key->length; i++)
        key->data[i] = lower(key->data[i]);
}

static int64_t day_of(int64_t time_100ns) { return time_100ns > 0 ? time_100ns / day_100ns * day_100ns : 0; }

/* The names that the row is grouped by; others are NULL. */
static struct jp_report_row names_of(const struct jp__report *report, const struct row *row) {
    uint32_t by = report->filter.by;
    return (struct jp_report_row){.pool = by & JP_REPORT_POOL ? row->pool : NULL,
                                  .user = by & JP_REPORT_USER ? row->user : NULL,
                                  .image = by & JP_REPORT_IMAGE ? row->image : NULL,
                                  .ending = by & JP_REPORT_ENDING ? jp_ending_name(row->ending) : NULL,
                                  .day_100ns = by & JP_REPORT_DAY ? day_of(row->began_100ns) : 0};
}

static struct group *add_group(struct jp__report *report, const struct jp_report_row *names) {
    const char *key = jp_str_text(&report->key);
    size_t texts = jp__stored_size(key) + jp__stored_size(names->pool) + jp__stored_size(names->user) + jp__stored_size(names->image);
    struct group *group = jp_alloc(sizeof *group + texts);
    char *place = (char *)(group + 1);
    group->key = jp__store_text(&place, key);
    group->row = *names; /* an ending's name is static */
    group->row.pool = jp__store_text(&place, names->pool);
    group->row.user = jp__store_text(&place, names->user);
    group->row.image = jp__store_text(&place, names->image);
    if (report->group_count == report->capacity) {
        report->capacity = report->capacity == 0 ? 64 : report->capacity * 2;
        report->groups = jp_realloc_array(report->groups, report->capacity, sizeof *report->groups);
    }
    report->groups[report->group_count++] = group;
    report->text_bytes += texts;
    jp_map_put(&report->group_by_key, group->key, group);
    return group;
}

static struct group *group_of(struct jp__report *report, const struct row *row) {
    struct jp_report_row names = names_of(report, row);
    jp_str_clear(&report->key);
    add_to_key(&report->key, names.pool, false);
    add_to_key(&report->key, names.user, true);
    add_to_key(&report->key, names.image, true);
    add_to_key(&report->key, names.ending, false);
    jp_str_printf(&report->key, "%lld", (long long)names.day_100ns);
    struct group *group = jp_map_get(&report->group_by_key, jp_str_text(&report->key));
    return group != NULL ? group : add_group(report, &names);
}

/* --- rows --- */

static uint64_t number(sqlite3_stmt *statement, int column) {
    int64_t value = sqlite3_column_int64(statement, column);
    return value > 0 ? (uint64_t)value : 0;
}

static enum jp_ending ending_of(const char *name) {
    for (const struct jp_choice *ending = jp_endings; name != NULL && ending->name != NULL; ending++)
        if (strcmp(ending->name, name) == 0)
            return (enum jp_ending)ending->value;
    return JP_ENDING_UNKNOWN;
}

static const char *file_name(const char *path) {
    const char *name = path;
    for (; path != NULL && *path != '\0'; path++)
        if (*path == '\\' || *path == '/')
            name = path + 1;
    return name;
}

static struct row read_row(sqlite3_stmt *statement) {
    struct row row = {.began_100ns = sqlite3_column_int64(statement, 1), .ended_100ns = sqlite3_column_int64(statement, 2)};
    bool ended = sqlite3_column_type(statement, 2) != SQLITE_NULL;
    row.ending = ended ? ending_of((const char *)sqlite3_column_text(statement, 3)) : JP_ENDING_NONE;
    row.failed = ended && sqlite3_column_int64(statement, 4) != 0;
    row.has_cpu = sqlite3_column_type(statement, 5) != SQLITE_NULL;
    row.user_100ns = number(statement, 5);
    row.kernel_100ns = number(statement, 6);
    row.peak_commit_bytes = number(statement, 7);
    row.has_io = sqlite3_column_type(statement, 8) != SQLITE_NULL;
    row.read_bytes = number(statement, 8);
    row.write_bytes = number(statement, 9);
    row.pool = (const char *)sqlite3_column_text(statement, 10);
    row.user = (const char *)sqlite3_column_text(statement, 11);
    row.image = file_name((const char *)sqlite3_column_text(statement, 12));
    return row;
}

static bool is_wanted(const char *wanted, const char *name) {
    return wanted == NULL || (name != NULL && jp_ascii_equal_nocase(wanted, name));
}

static bool is_counted(const struct jp_report_filter *filter, const struct row *row) {
    return (filter->from_100ns == 0 || row->began_100ns >= filter->from_100ns) && (filter->to_100ns == 0 || row->began_100ns < filter->to_100ns)
           && is_wanted(filter->user, row->user) && is_wanted(filter->image, row->image)
           && (filter->ending == NULL || strcmp(filter->ending, jp_ending_name(row->ending)) == 0);
}

static void count(struct jp_summary *sums, const struct row *row, int64_t now_100ns) {
    int64_t end_100ns = row->ending == JP_ENDING_NONE ? now_100ns : row->ended_100ns;
    sums->processes++;
    sums->running += row->ending == JP_ENDING_NONE;
    sums->exited += row->ending == JP_ENDING_EXITED;
    sums->crashed += row->ending == JP_ENDING_CRASHED;
    sums->terminated += row->ending == JP_ENDING_TERMINATED;
    sums->unknown += row->ending == JP_ENDING_UNKNOWN;
    sums->failures += row->failed;
    sums->user_100ns += row->user_100ns;
    sums->kernel_100ns += row->kernel_100ns;
    sums->wall_100ns += end_100ns > row->began_100ns ? (uint64_t)(end_100ns - row->began_100ns) : 0;
    sums->read_bytes += row->read_bytes;
    sums->write_bytes += row->write_bytes;
    sums->with_cpu += row->has_cpu;
    sums->with_io += row->has_io;
    if (row->peak_commit_bytes > sums->peak_commit_bytes)
        sums->peak_commit_bytes = row->peak_commit_bytes;
}

static jp_status check_size(const struct jp__report *report, struct jp_error *error) {
    if (report->group_count > JP__REPORT_MAX_GROUPS || report->text_bytes > JP__REPORT_MAX_TEXT_BYTES)
        return jp_fail(error, JP_E_QUOTA, "the report would have more than %d groups, or 64 MiB of names: group by less, or narrow it by pool, user, "
                                          "image, ending or time", JP__REPORT_MAX_GROUPS);
    return JP_OK;
}

/* Rows of the pool, or of all, from where the last step ended. *ret_rows: how many there were. */
static int read_rows(struct jp__report *report, sqlite3 *db, size_t *ret_rows, jp_status *ret_status, struct jp_error *error) {
    bool all = reads_all_pools(report);
    struct jp__value values[] = {JP__NUMBER(report->after_id), JP__NUMBER(report->last_id), JP__NUMBER(JP__REPORT_STEP_ROWS),
                                 JP__TEXT(all ? NULL : report->pools.items[report->pool])};
    sqlite3_stmt *statement = NULL;
    int code = jp__db_prepare(db, all ? ROWS " ORDER BY id LIMIT ?3" : ROWS " AND pool = ?4 ORDER BY id LIMIT ?3", values, all ? 3 : 4, &statement);
    if (code != SQLITE_OK)
        return code;
    while (*ret_status == JP_OK && sqlite3_step(statement) == SQLITE_ROW) {
        struct row row = read_row(statement);
        report->after_id = sqlite3_column_int64(statement, 0);
        ++*ret_rows;
        if (!is_counted(&report->filter, &row))
            continue;
        if (report->filter.by & JP_REPORT_POOL)
            code = jp__fold_shown(&report->fold, db, row.pool, &row.pool);
        if (code != SQLITE_OK)
            break;
        count(&group_of(report, &row)->row.sums, &row, report->now_100ns);
        count(&report->result.total, &row, report->now_100ns);
        *ret_status = check_size(report, error);
    }
    int end = sqlite3_finalize(statement);
    return code == SQLITE_OK ? end : code;
}

/* --- the end --- */

/* The end of the last hour, or day, within the filter's time of which rows were purged. */
static int find_purged(const struct jp__report *report, sqlite3 *db, const char *sql, const char *from, const char *to, int64_t span_100ns,
                       int64_t *ret_end) {
    const struct jp_report_filter *filter = &report->filter;
    struct jp__select select;
    sqlite3_stmt *statement = NULL;
    jp__select_begin(&select, "");
    if (!reads_all_pools(report))
        jp__select_with_pools(&select, filter->pools, filter->folding.on);
    jp__select_text(&select, sql);
    if (filter->from_100ns != 0)
        jp__select_where_number(&select, from, filter->from_100ns / span_100ns * span_100ns);
    if (filter->to_100ns != 0)
        jp__select_where_number(&select, to, filter->to_100ns);
    if (!reads_all_pools(report))
        jp__select_where(&select, "pool IN wanted");
    int code = jp__select_prepare(&select, db, &statement);
    jp__select_end(&select);
    if (code != SQLITE_OK)
        return code;
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        *ret_end = sqlite3_column_int64(statement, 0) + span_100ns;
    return sqlite3_finalize(statement);
}

static void sort(struct jp__report *report) {
    size_t wanted = report->filter.limit;
    size_t shown = wanted == 0 || wanted > report->group_count ? report->group_count : wanted;
    if (report->group_count > 0)
        qsort(report->groups, report->group_count, sizeof *report->groups, compare_groups);
    report->rows = jp_realloc_array(NULL, shown + 1, sizeof *report->rows);
    for (size_t i = 0; i < shown; i++)
        report->rows[i] = report->groups[i]->row;
    report->result.rows = report->rows;
    report->result.count = shown;
    report->result.groups = report->group_count;
}

/* Looked up at the end, when what was purged meanwhile is known. */
static int finish(struct jp__report *report, sqlite3 *db) {
    int64_t hour_end = 0, day_end = 0;
    int code = find_purged(report, db, "SELECT max(hour_100ns) FROM (SELECT * FROM usage_hours WHERE purged > 0)", "hour_100ns >= ?",
                           "hour_100ns < ?", hour_100ns, &hour_end);
    if (code == SQLITE_OK)
        code = find_purged(report, db, "SELECT max(day_100ns) FROM usage_days", "day_100ns >= ?", "day_100ns < ?", day_100ns, &day_end);
    if (code != SQLITE_OK)
        return code;
    report->result.complete_from_100ns = hour_end > day_end ? hour_end : day_end;
    sort(report);
    return SQLITE_OK;
}

/* A part of one pool's rows, or those of some pools that have few. */
static int read_some(struct jp__report *report, sqlite3 *db, jp_status *ret_status, struct jp_error *error) {
    enum { A_LOOK = 16 }; /* finding a pool's rows costs as much as some rows */
    int code = SQLITE_OK;
    for (size_t looked = 0; code == SQLITE_OK && *ret_status == JP_OK && report->pool < pools_of(report) && looked < JP__REPORT_STEP_ROWS;) {
        size_t rows = 0;
        code = read_rows(report, db, &rows, ret_status, error);
        if (code == SQLITE_OK && rows < JP__REPORT_STEP_ROWS) { /* there are no more of it */
            report->pool++;
            report->after_id = report->first_id - 1;
        }
        looked += A_LOOK + rows;
    }
    return code;
}

int jp__report_step(struct jp__report *report, sqlite3 *db, bool *ret_done, jp_status *ret_status, struct jp_error *error) {
    *ret_done = false;
    *ret_status = JP_OK;
    int code = report->began ? SQLITE_OK : begin(report, db);
    if (code == SQLITE_OK)
        code = read_some(report, db, ret_status, error);
    if (code != SQLITE_OK || *ret_status != JP_OK || report->pool < pools_of(report))
        return code;
    *ret_done = true;
    return finish(report, db);
}

const struct jp_report *jp__report_result(const struct jp__report *report) { return &report->result; }
