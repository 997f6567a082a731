/* Owns the store as a whole: puts database, writer and reader together and takes them apart in order. */
#include "store/store.h"

#include "base/str.h"
#include "store/database.h"
#include "store/opening.h"
#include "store/reader.h"
#include "store/runs.h"
#include "store/writer.h"

struct jp_store {
    struct jp_accounts accounts; /* first: the one is the other */
    struct jp__writer *writer;
    struct jp__reader *reader;
    struct jp__owner owner;
    char *file;
    jp_store_closed_fn *on_closed;
    void *on_closed_context;
};

static struct jp_store *store_of(struct jp_accounts *accounts) {
    return (struct jp_store *)accounts;
}

static void record_event(struct jp_accounts *accounts, const struct jp_event *event) {
    jp__writer_add_event(store_of(accounts)->writer, event);
}

static void record_audit(struct jp_accounts *accounts, const struct jp_audit_record *record) {
    jp__writer_add_audit(store_of(accounts)->writer, record);
}

static void record_process(struct jp_accounts *accounts, const struct jp_process_record *record) {
    jp__writer_add_process(store_of(accounts)->writer, record);
}

static void record_pool(struct jp_accounts *accounts, const struct jp_pool_record *record) {
    jp__writer_add_pool(store_of(accounts)->writer, record);
}

static void forget_pool(struct jp_accounts *accounts, const char *name) {
    jp__writer_forget_pool(store_of(accounts)->writer, name);
}

static void record_job(struct jp_accounts *accounts, const struct jp_job_record *record) {
    jp__writer_add_job(store_of(accounts)->writer, record);
}

static void forget_job(struct jp_accounts *accounts, const char *object_name) {
    jp__writer_forget_job(store_of(accounts)->writer, object_name);
}

static void record_unobserved(struct jp_accounts *accounts, const struct jp_unobserved_record *record) {
    jp__writer_add_unobserved(store_of(accounts)->writer, record);
}

static void record_reset(struct jp_accounts *accounts, const struct jp_reset_record *record) {
    jp__writer_add_reset(store_of(accounts)->writer, record);
}

static void record_sample(struct jp_accounts *accounts, const struct jp_sample_record *record) {
    jp__writer_add_sample(store_of(accounts)->writer, record);
}

static void record_keeper(struct jp_accounts *accounts, uint32_t pid, int64_t start_100ns) {
    jp__writer_set_keeper(store_of(accounts)->writer, pid, start_100ns);
}

static void when_durable(struct jp_accounts *accounts, jp_durable_fn *callback, void *context) {
    jp__writer_when_durable(store_of(accounts)->writer, callback, context);
}

static void query_events(struct jp_accounts *accounts, const struct jp_event_filter *filter, jp_events_fn *callback,
                         void *context) {
    struct jp_store *store = store_of(accounts);
    jp__reader_ask(store->reader, store->writer, jp__query_events(filter, callback, context));
}

static void query_processes(struct jp_accounts *accounts, const struct jp_process_filter *filter,
                            jp_processes_fn *callback, void *context) {
    struct jp_store *store = store_of(accounts);
    jp__reader_ask(store->reader, store->writer, jp__query_processes(filter, callback, context));
}

static void query_summary(struct jp_accounts *accounts, const struct jp_summary_filter *filter,
                          jp_summaries_fn *callback, void *context) {
    struct jp_store *store = store_of(accounts);
    jp__reader_ask(store->reader, store->writer, jp__query_summary(filter, callback, context));
}

static void query_audit(struct jp_accounts *accounts, const struct jp_audit_filter *filter, jp_audits_fn *callback, void *context) {
    struct jp_store *store = store_of(accounts);
    jp__reader_ask(store->reader, store->writer, jp__query_audit(filter, callback, context));
}

static uint64_t query_report(struct jp_accounts *accounts, const struct jp_report_filter *filter, jp_report_progress_fn *progress,
                             jp_report_fn *callback, void *context) {
    struct jp_store *store = store_of(accounts);
    return jp__reader_ask_report(store->reader, store->writer, jp__query_report(filter, progress, callback, context));
}

static uint64_t query_series(struct jp_accounts *accounts, const struct jp_series_filter *filter, jp_series_fn *callback, void *context) {
    struct jp_store *store = store_of(accounts);
    return jp__reader_ask_report(store->reader, store->writer, jp__query_series(filter, callback, context));
}

static void report_cancel(struct jp_accounts *accounts, uint64_t report) {
    jp__reader_cancel_report(store_of(accounts)->reader, report);
}

static void state(struct jp_accounts *accounts, struct jp_accounts_state *ret_state) {
    jp__writer_state(store_of(accounts)->writer, ret_state);
}

static void purge(struct jp_accounts *accounts, const struct jp_purge_filter *filter, jp_purged_fn *callback, void *context) {
    jp__writer_purge(store_of(accounts)->writer, filter, callback, context);
}

static void set_retention(struct jp_accounts *accounts, const struct jp_retention *retention) {
    jp__writer_set_retention(store_of(accounts)->writer, retention);
}

static const struct jp_accounts_ops operations = {
    .record_event = record_event,
    .record_process = record_process,
    .record_pool = record_pool,
    .forget_pool = forget_pool,
    .record_job = record_job,
    .forget_job = forget_job,
    .record_unobserved = record_unobserved,
    .record_reset = record_reset,
    .record_sample = record_sample,
    .record_keeper = record_keeper,
    .when_durable = when_durable,
    .query_events = query_events,
    .query_processes = query_processes,
    .query_summary = query_summary,
    .record_audit = record_audit,
    .query_audit = query_audit,
    .query_report = query_report,
    .report_cancel = report_cancel,
    .query_series = query_series,
    .state = state,
    .purge = purge,
    .set_retention = set_retention,
};

struct jp_accounts *jp_store_accounts(struct jp_store *store) {
    return &store->accounts;
}

/* --- open and close --- */

void jp_store_release(struct jp_store *store) {
    jp__writer_release(store->writer);
}

static void free_store(struct jp_store *store) {
    jp__owner_release(&store->owner);
    jp_free(store->file);
    jp_free(store);
}

static void free_reader(void *context) {
    jp__reader_free(context);
}

static struct jp_store_options settled(const struct jp_store_options *options, const char *file) {
    struct jp_store_options settled = *options;
    settled.file = file;
    if (settled.max_backlog == 0)
        settled.max_backlog = JP_STORE_MAX_BACKLOG;
    if (settled.hurry == 0)
        settled.hurry = 1;
    return settled;
}

jp_status jp_store_open(const struct jp_store_options *given, struct jp_store **ret_store,
                        struct jp_accounts_start *ret_start, struct jp_error *error) {
    struct jp_store *store = jp_alloc(sizeof *store);
    store->accounts.ops = &operations;
    store->file = jp_strdup(given->file);
    struct jp_store_options options = settled(given, store->file);
    struct jp__place place = {.file = store->file, .log = options.log, .service_pid = options.service_pid, .busy_ms = JP__BUSY_MS / (int)options.hurry,
                              .owner = &store->owner};
    sqlite3 *db = NULL;
    struct jp_accounts_start start = {0};
    jp_status status = jp__open_database(&place, &db, &start, error);
    if (status != JP_OK)
        goto release_file;
    status = jp__reader_start(options.loop, store->file, place.busy_ms, &store->reader, error);
    if (status != JP_OK)
        goto close_database;
    status = jp__writer_start(&options, &place, db, &start, store->reader, &store->writer, error);
    if (status != JP_OK)
        goto stop_reader;
    *ret_store = store;
    *ret_start = start;
    return JP_OK;

stop_reader:
    jp__reader_stop(store->reader, free_reader, store->reader);
close_database:
    if (!start.unclean)
        jp__run_end(db, start.run);
    sqlite3_close(db);
    jp_accounts_start_clear(&start);
release_file:
    free_store(store);
    return status;
}

/* The reader ends first: the connection that is closed last, the writer's, takes the WAL away. */

static void on_writer_stopped(void *context, uint64_t lost) {
    struct jp_store *store = context;
    jp_store_closed_fn *callback = store->on_closed;
    void *callback_context = store->on_closed_context;
    jp__reader_free(store->reader);
    free_store(store);
    callback(callback_context, lost);
}

static void on_reader_stopped(void *context) {
    struct jp_store *store = context;
    jp__writer_stop(store->writer, on_writer_stopped, store);
}

void jp_store_close(struct jp_store *store, jp_store_closed_fn *callback, void *context) {
    store->on_closed = callback;
    store->on_closed_context = context;
    jp__reader_stop(store->reader, on_reader_stopped, store);
}
