/* One question to the database: its filter, its answer, and whom to tell. */
#ifndef JP_STORE_QUERY_H
#define JP_STORE_QUERY_H

#include "store/fold.h"
#include "store/store.h"

#include <sqlite3.h>

struct jp__reader;

enum jp__query_kind { JP__QUERY_EVENTS, JP__QUERY_PROCESSES, JP__QUERY_SUMMARY, JP__QUERY_AUDIT, JP__QUERY_REPORT, JP__QUERY_SERIES };

struct jp__query {
    struct jp__query *next;    /* in whatever queue it stands */
    struct jp__reader *reader; /* while it waits for the writer */
    enum jp__query_kind kind;
    union {
        struct jp_event_filter events;
        struct jp_process_filter processes;
        struct jp_summary_filter summary;
        struct jp_audit_filter audit;
    } filter;
    struct jp_strings pools, messages, origins; /* what the filters' lists point to */
    char *pool, *ending, *user, *method, *image; /* what their texts point to */
    union {
        jp_events_fn *events;
        jp_processes_fn *processes;
        jp_summaries_fn *summaries;
        jp_audits_fn *audits;
        jp_report_fn *report;
        jp_series_fn *series;
    } callback;
    void *context;

    jp_status status;
    struct jp_error error;
    struct jp_event **events; /* each jp_free'd */
    struct jp_audit_record **audits; /* likewise */
    struct jp_process_record *records;
    struct jp_summary *summaries;
    struct jp__fold fold; /* of the summaries */
    struct jp_map lines;  /* of them: by pool, its index + 1 */
    size_t count, capacity;
    size_t bytes; /* of text in the rows */

    /* of what is answered in steps only; see report.h and series.h */
    struct jp__report *report;
    struct jp__series *series;
    bool unfinished;                 /* jp__query_run is to be called again */
    uint64_t number;
    jp_report_progress_fn *progress; /* or NULL */
    struct jp__query *next_report;   /* of those that were not answered yet: the loop's thread */
    uint64_t done_rows, told_rows, all_rows; /* how far it is, and what the loop has told of it: under the reader's mutex */
    bool begun;                      /* likewise */
    bool cancelled;                  /* likewise; set by the loop's thread */
    unsigned connection;             /* the reader's, on which it began */
};

/* The filter is copied. A filter that is out of bounds makes a query that has failed already. */
struct jp__query *jp__query_events(const struct jp_event_filter *filter, jp_events_fn *callback, void *context);
struct jp__query *jp__query_processes(const struct jp_process_filter *filter, jp_processes_fn *callback, void *context);
struct jp__query *jp__query_summary(const struct jp_summary_filter *filter, jp_summaries_fn *callback, void *context);
struct jp__query *jp__query_audit(const struct jp_audit_filter *filter, jp_audits_fn *callback, void *context);
struct jp__query *jp__query_report(const struct jp_report_filter *filter, jp_report_progress_fn *progress, jp_report_fn *callback, void *context);

struct jp__query *jp__query_series(const struct jp_series_filter *filter, jp_series_fn *callback, void *context);

/* Whether it is answered in steps, between other queries. */
bool jp__query_in_steps(const struct jp__query *query);

/* Fills the answer, or, of one in steps, a part of it. SQLite's code: SQLITE_OK also for a query that failed by itself (see query->status). */
int jp__query_run(struct jp__query *query, sqlite3 *db);

/* Makes it a failed one: error as jp_fail has filled it. */
void jp__query_fail(struct jp__query *query, const struct jp_error *error);

/* Calls back, and frees. */
void jp__query_deliver(struct jp__query *query);

#endif
