/* Owns the questions: what each filter means in SQL, and how rows become an answer. */
#include "store/query.h"

#include "base/str.h"
#include "store/report.h"
#include "store/rows.h"
#include "store/select.h"
#include "store/series.h"
#include "store/summary.h"

#include <stdlib.h>
#include <string.h>

/* Command lines may be long and rows many; together they must not take the machine's memory. */
enum { MAX_TEXT_BYTES = 64 * 1024 * 1024 };

/* --- making --- */

/* A list of the query's own: `copy`, or NULL where there is none. Too many names make a failed query. */
static const struct jp_strings *copy_names(struct jp__query *query, const struct jp_strings *names, struct jp_strings *copy) {
    if (names == NULL)
        return NULL;
    if (names->count > JP_STORE_MAX_NAMES) {
        query->status = jp_fail(&query->error, JP_E_QUOTA, "a filter may have at most %d names in a list", JP_STORE_MAX_NAMES);
        return copy;
    }
    jp_strings_add_all(copy, names);
    return copy;
}

static uint32_t bounded_limit(uint32_t limit) {
    return limit == 0 || limit > JP_STORE_MAX_ROWS ? JP_STORE_MAX_ROWS : limit;
}

struct jp__query *jp__query_events(const struct jp_event_filter *filter, jp_events_fn *callback, void *context) {
    struct jp__query *query = jp_alloc(sizeof *query);
    query->kind = JP__QUERY_EVENTS;
    query->callback.events = callback;
    query->context = context;
    query->filter.events = *filter;
    query->filter.events.pools = copy_names(query, filter->pools, &query->pools);
    query->filter.events.messages = copy_names(query, filter->messages, &query->messages);
    query->filter.events.origins = copy_names(query, filter->origins, &query->origins);
    query->filter.events.limit = bounded_limit(filter->limit);
    return query;
}

struct jp__query *jp__query_processes(const struct jp_process_filter *filter, jp_processes_fn *callback, void *context) {
    struct jp__query *query = jp_alloc(sizeof *query);
    query->kind = JP__QUERY_PROCESSES;
    query->callback.processes = callback;
    query->context = context;
    query->pool = jp_strdup(filter->pool);
    query->ending = jp_strdup(filter->ending);
    query->filter.processes = *filter;
    query->filter.processes.pool = query->pool;
    query->filter.processes.pools = copy_names(query, filter->pools, &query->pools);
    query->filter.processes.ending = query->ending;
    query->filter.processes.limit = bounded_limit(filter->limit);
    return query;
}

struct jp__query *jp__query_summary(const struct jp_summary_filter *filter, jp_summaries_fn *callback, void *context) {
    struct jp__query *query = jp_alloc(sizeof *query);
    query->kind = JP__QUERY_SUMMARY;
    query->callback.summaries = callback;
    query->context = context;
    query->pool = jp_strdup(filter->pool);
    query->filter.summary = *filter;
    query->filter.summary.pool = query->pool;
    query->filter.summary.pools = copy_names(query, filter->pools, &query->pools);
    jp__fold_begin(&query->fold, query->filter.summary.pools, filter->folding);
    return query;
}

struct jp__query *jp__query_audit(const struct jp_audit_filter *filter, jp_audits_fn *callback, void *context) {
    struct jp__query *query = jp_alloc(sizeof *query);
    query->kind = JP__QUERY_AUDIT;
    query->callback.audits = callback;
    query->context = context;
    query->user = jp_strdup(filter->user);
    query->pool = jp_strdup(filter->pool);
    query->method = jp_strdup(filter->method);
    query->filter.audit = *filter;
    query->filter.audit.user = query->user;
    query->filter.audit.pool = query->pool;
    query->filter.audit.method = query->method;
    query->filter.audit.limit = bounded_limit(filter->limit);
    return query;
}

struct jp__query *jp__query_report(const struct jp_report_filter *filter, jp_report_progress_fn *progress, jp_report_fn *callback, void *context) {
    struct jp__query *query = jp_alloc(sizeof *query);
    struct jp_report_filter own = *filter;
    query->kind = JP__QUERY_REPORT;
    query->callback.report = callback;
    query->progress = progress;
    query->context = context;
    own.user = query->user = jp_strdup(filter->user);
    own.image = query->image = jp_strdup(filter->image);
    own.ending = query->ending = jp_strdup(filter->ending);
    own.pools = copy_names(query, filter->pools, &query->pools);
    query->report = jp__report_new(&own);
    return query;
}

struct jp__query *jp__query_series(const struct jp_series_filter *filter, jp_series_fn *callback, void *context) {
    struct jp__query *query = jp_alloc(sizeof *query);
    struct jp_series_filter own = *filter;
    query->kind = JP__QUERY_SERIES;
    query->callback.series = callback;
    query->context = context;
    own.pools = copy_names(query, filter->pools, &query->pools);
    query->series = jp__series_new(&own);
    return query;
}

bool jp__query_in_steps(const struct jp__query *query) { return query->kind == JP__QUERY_REPORT || query->kind == JP__QUERY_SERIES; }

/* --- filters as SQL --- */

static void select_events(struct jp__select *select, const struct jp_event_filter *filter) {
    jp__select_begin(select, "SELECT " JP__EVENT_COLUMNS " FROM events");
    if (filter->from_seq != 0) /* numbers that no event can have select nothing */
        jp__select_where_number(select, "seq >= ?", filter->from_seq > INT64_MAX ? INT64_MAX : (int64_t)filter->from_seq);
    if (filter->from_100ns != 0)
        jp__select_where_number(select, "time_100ns >= ?", filter->from_100ns);
    if (filter->to_100ns != 0)
        jp__select_where_number(select, "time_100ns < ?", filter->to_100ns);
    jp__select_where_among(select, "pool", filter->pools);
    jp__select_where_among(select, "message", filter->messages);
    jp__select_where_among(select, "origin", filter->origins);
    if (filter->pid != 0)
        jp__select_where_number(select, "pid = ?", filter->pid);
    jp__select_text(select, filter->newest ? "ORDER BY seq DESC LIMIT ?" : "ORDER BY seq LIMIT ?");
    jp__select_value(select, filter->limit);
}

static void select_processes(struct jp__select *select, const struct jp_process_filter *filter) {
    jp__select_begin(select, "SELECT " JP__PROCESS_COLUMNS " FROM processes");
    if (filter->pool != NULL)
        jp__select_where_text(select, "pool = ?", filter->pool);
    jp__select_where_among(select, "pool", filter->pools);
    if (filter->pid != 0)
        jp__select_where_number(select, "pid = ?", filter->pid);
    if (filter->start_100ns != 0)
        jp__select_where_number(select, "start_100ns = ?", filter->start_100ns);
    if (filter->from_100ns != 0)
        jp__select_where_number(select, "(ended_100ns IS NULL OR ended_100ns >= ?)", filter->from_100ns);
    if (filter->to_100ns != 0)
        jp__select_where_number(select, "coalesce(start_100ns, joined_100ns) < ?", filter->to_100ns);
    if (filter->ending != NULL)
        jp__select_where_text(select, "ending = ?", filter->ending);
    if (filter->after_id != 0)
        jp__select_where_number(select, "id > ?", filter->after_id);
    jp__select_text(select, "ORDER BY id LIMIT ?");
    jp__select_value(select, filter->limit);
}

static void select_audit(struct jp__select *select, const struct jp_audit_filter *filter) {
    jp__select_begin(select, "SELECT " JP__AUDIT_COLUMNS " FROM audit");
    if (filter->from_100ns != 0)
        jp__select_where_number(select, "time_100ns >= ?", filter->from_100ns);
    if (filter->to_100ns != 0)
        jp__select_where_number(select, "time_100ns < ?", filter->to_100ns);
    if (filter->user != NULL)
        jp__select_where_text(select, "user = ?", filter->user);
    if (filter->pool != NULL)
        jp__select_where_text(select, "pool = ?", filter->pool);
    if (filter->method != NULL)
        jp__select_where_text(select, "method = ?", filter->method);
    if (filter->denied)
        jp__select_where(select, "allowed = 0");
    if (filter->after_id != 0)
        jp__select_where_number(select, "id > ?", filter->after_id);
    jp__select_text(select, filter->newest ? "ORDER BY id DESC LIMIT ?" : "ORDER BY id LIMIT ?");
    jp__select_value(select, filter->limit);
}

/* --- running --- */

static size_t text_bytes(sqlite3_stmt *row) {
    size_t bytes = 0;
    int columns = sqlite3_column_count(row);
    for (int i = 0; i < columns; i++) {
        if (sqlite3_column_type(row, i) == SQLITE_TEXT)
            bytes += (size_t)sqlite3_column_bytes(row, i);
    }
    return bytes;
}

/* The list with room for one more of `size` bytes each. */
static void *grown(struct jp__query *query, void *list, size_t size) {
    if (query->count < query->capacity)
        return list;
    query->capacity = query->capacity == 0 ? 64 : query->capacity * 2;
    return jp_realloc_array(list, query->capacity, size);
}

static void add_summary(struct jp_summary *sums, const struct jp_summary *more) {
    sums->processes += more->processes;
    sums->running += more->running;
    sums->exited += more->exited;
    sums->crashed += more->crashed;
    sums->terminated += more->terminated;
    sums->unknown += more->unknown;
    sums->failures += more->failures;
    sums->user_100ns += more->user_100ns;
    sums->kernel_100ns += more->kernel_100ns;
    sums->wall_100ns += more->wall_100ns;
    sums->read_bytes += more->read_bytes;
    sums->write_bytes += more->write_bytes;
    sums->with_cpu += more->with_cpu;
    sums->with_io += more->with_io;
    sums->unobserved += more->unobserved;
    if (more->peak_commit_bytes > sums->peak_commit_bytes)
        sums->peak_commit_bytes = more->peak_commit_bytes;
}

/* A line of its own, or a part of the one under whose name it is shown. */
static int take_summary(struct jp__query *query, sqlite3_stmt *row) {
    struct jp_summary one;
    const char *shown;
    jp__read_summary(row, &one);
    int code = jp__fold_shown(&query->fold, sqlite3_db_handle(row), one.pool, &shown);
    if (code != SQLITE_OK || shown == NULL) {
        jp_free(one.pool);
        return code;
    }
    uintptr_t line = query->fold.how.on ? (uintptr_t)jp_map_get(&query->lines, shown) : 0;
    if (line != 0) {
        add_summary(&query->summaries[line - 1], &one);
        jp_free(one.pool);
        return SQLITE_OK;
    }
    query->summaries = grown(query, query->summaries, sizeof *query->summaries);
    query->summaries[query->count] = one;
    if (strcmp(shown, one.pool) != 0) {
        jp_free(one.pool);
        query->summaries[query->count].pool = jp_strdup(shown);
    }
    query->count++;
    if (query->fold.how.on)
        jp_map_put(&query->lines, shown, (void *)(uintptr_t)query->count);
    return SQLITE_OK;
}

static int compare_summaries(const void *left, const void *right) {
    return strcmp(((const struct jp_summary *)left)->pool, ((const struct jp_summary *)right)->pool);
}

/* In order, and no more than one answer may have. */
static void sort_summaries(struct jp__query *query) {
    if (query->count > 0)
        qsort(query->summaries, query->count, sizeof *query->summaries, compare_summaries);
    while (query->count > JP_STORE_MAX_ROWS)
        jp_free(query->summaries[--query->count].pool);
}

static int take_row(struct jp__query *query, sqlite3_stmt *row) {
    switch (query->kind) {
    case JP__QUERY_EVENTS:
        query->events = grown(query, query->events, sizeof *query->events);
        query->events[query->count++] = jp__read_event(row);
        break;
    case JP__QUERY_PROCESSES:
        query->records = grown(query, query->records, sizeof *query->records);
        jp__read_process(row, &query->records[query->count++]);
        break;
    case JP__QUERY_SUMMARY: return take_summary(query, row);
    case JP__QUERY_AUDIT:
        query->audits = grown(query, query->audits, sizeof *query->audits);
        query->audits[query->count++] = jp__read_audit(row);
        break;
    case JP__QUERY_REPORT: /* these two read their rows themselves */
    case JP__QUERY_SERIES: break;
    }
    return SQLITE_OK;
}

static void build(const struct jp__query *query, struct jp__select *select) {
    switch (query->kind) {
    case JP__QUERY_EVENTS: select_events(select, &query->filter.events); break;
    case JP__QUERY_PROCESSES: select_processes(select, &query->filter.processes); break;
    case JP__QUERY_SUMMARY: jp__select_summary(select, &query->filter.summary); break;
    case JP__QUERY_AUDIT: select_audit(select, &query->filter.audit); break;
    case JP__QUERY_REPORT:
    case JP__QUERY_SERIES: break;
    }
}

static int run_step(struct jp__query *query, sqlite3 *db) {
    bool done = false;
    int code = query->kind == JP__QUERY_REPORT ? jp__report_step(query->report, db, &done, &query->status, &query->error)
                                               : jp__series_step(query->series, db, &done);
    query->unfinished = code == SQLITE_OK && query->status == JP_OK && !done;
    return code;
}

int jp__query_run(struct jp__query *query, sqlite3 *db) {
    if (jp__query_in_steps(query))
        return run_step(query, db);
    struct jp__select select;
    sqlite3_stmt *statement = NULL;
    build(query, &select);
    int code = jp__select_prepare(&select, db, &statement);
    jp__select_end(&select);
    if (code != SQLITE_OK)
        return code;
    while (code == SQLITE_OK && query->status == JP_OK && sqlite3_step(statement) == SQLITE_ROW) {
        query->bytes += text_bytes(statement);
        if (query->bytes > MAX_TEXT_BYTES)
            query->status = jp_fail(&query->error, JP_E_QUOTA,
                                    "the rows hold more than 64 MiB of text: ask for fewer of them at a time");
        else
            code = take_row(query, statement);
    }
    int end = sqlite3_finalize(statement);
    if (query->fold.how.on)
        sort_summaries(query);
    return code == SQLITE_OK ? end : code;
}

void jp__query_fail(struct jp__query *query, const struct jp_error *error) {
    query->status = error->status;
    query->error = *error;
}

/* --- telling --- */

static void deliver_events(struct jp__query *query) {
    struct jp_event *events = jp_realloc_array(NULL, query->count + 1, sizeof *events);
    for (size_t i = 0; i < query->count; i++) /* the newest were read from the end */
        events[i] = *query->events[query->filter.events.newest ? query->count - 1 - i : i];
    query->callback.events(query->context, JP_OK, &query->error, events, query->count);
    jp_free(events);
}

static void deliver_audit(struct jp__query *query) {
    struct jp_audit_record *records = jp_realloc_array(NULL, query->count + 1, sizeof *records);
    for (size_t i = 0; i < query->count; i++)
        records[i] = *query->audits[query->filter.audit.newest ? query->count - 1 - i : i];
    query->callback.audits(query->context, JP_OK, &query->error, records, query->count);
    jp_free(records);
}

static void deliver_failure(struct jp__query *query) {
    switch (query->kind) {
    case JP__QUERY_EVENTS: query->callback.events(query->context, query->status, &query->error, NULL, 0); break;
    case JP__QUERY_PROCESSES: query->callback.processes(query->context, query->status, &query->error, NULL, 0); break;
    case JP__QUERY_SUMMARY: query->callback.summaries(query->context, query->status, &query->error, NULL, 0); break;
    case JP__QUERY_AUDIT: query->callback.audits(query->context, query->status, &query->error, NULL, 0); break;
    case JP__QUERY_REPORT: query->callback.report(query->context, query->status, &query->error, NULL); break;
    case JP__QUERY_SERIES: query->callback.series(query->context, query->status, &query->error, NULL); break;
    }
}

static void deliver_rows(struct jp__query *query) {
    switch (query->kind) {
    case JP__QUERY_EVENTS: deliver_events(query); break;
    case JP__QUERY_PROCESSES:
        query->callback.processes(query->context, JP_OK, &query->error, query->records, query->count);
        break;
    case JP__QUERY_SUMMARY:
        query->callback.summaries(query->context, JP_OK, &query->error, query->summaries, query->count);
        break;
    case JP__QUERY_AUDIT: deliver_audit(query); break;
    case JP__QUERY_REPORT: query->callback.report(query->context, JP_OK, &query->error, jp__report_result(query->report)); break;
    case JP__QUERY_SERIES: query->callback.series(query->context, JP_OK, &query->error, jp__series_result(query->series)); break;
    }
}

static void free_rows(struct jp__query *query) {
    for (size_t i = 0; i < query->count; i++) {
        switch (query->kind) {
        case JP__QUERY_EVENTS: jp_free(query->events[i]); break;
        case JP__QUERY_PROCESSES: jp_process_record_clear(&query->records[i]); break;
        case JP__QUERY_SUMMARY: jp_free(query->summaries[i].pool); break;
        case JP__QUERY_AUDIT: jp_free(query->audits[i]); break;
        case JP__QUERY_REPORT:
        case JP__QUERY_SERIES: break;
        }
    }
    jp_free(query->events);
    jp_free(query->records);
    jp_free(query->summaries);
    jp_free(query->audits);
}

void jp__query_deliver(struct jp__query *query) {
    if (query->status == JP_OK)
        deliver_rows(query);
    else
        deliver_failure(query);
    free_rows(query);
    jp_map_free(&query->lines);
    jp__fold_end(&query->fold);
    jp__report_free(query->report);
    jp__series_free(query->series);
    jp_strings_free(&query->pools);
    jp_strings_free(&query->messages);
    jp_strings_free(&query->origins);
    jp_free(query->pool);
    jp_free(query->ending);
    jp_free(query->user);
    jp_free(query->method);
    jp_free(query->image);
    jp_free(query);
}
