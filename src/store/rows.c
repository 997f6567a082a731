/* Binds records to statements and reads them back. What is not known is NULL in the database. */
#include "store/rows.h"

#include "base/str.h"

#include <string.h>

/* --- binding --- */

struct binder {
    sqlite3_stmt *statement;
    int parameter; /* the one bound last */
    int code;      /* the first failure */
};

static void keep_code(struct binder *binder, int code) {
    if (binder->code == SQLITE_OK)
        binder->code = code;
}

static void put_null(struct binder *binder) {
    keep_code(binder, sqlite3_bind_null(binder->statement, ++binder->parameter));
}

static void put_i64(struct binder *binder, int64_t value) {
    keep_code(binder, sqlite3_bind_int64(binder->statement, ++binder->parameter, value));
}

static void put_i64_if(struct binder *binder, bool known, int64_t value) {
    if (known)
        put_i64(binder, value);
    else
        put_null(binder);
}

/* SQLite's integers are signed. No true count comes near that bound; what is above it is cut, not made negative. */
static void put_u64_if(struct binder *binder, bool known, uint64_t value) {
    put_i64_if(binder, known, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void put_text(struct binder *binder, const char *text) {
    if (text == NULL)
        put_null(binder);
    else
        keep_code(binder, sqlite3_bind_text(binder->statement, ++binder->parameter, text, -1, SQLITE_STATIC));
}

int jp__bind_event(sqlite3_stmt *statement, const struct jp_event *event) {
    struct binder binder = {.statement = statement};
    put_u64_if(&binder, true, event->seq);
    put_i64(&binder, event->time_100ns);
    put_text(&binder, event->pool != NULL ? event->pool : "");
    put_text(&binder, event->message);
    put_i64_if(&binder, event->pid != 0, event->pid);
    put_i64_if(&binder, event->start_100ns != 0, event->start_100ns);
    put_text(&binder, event->process);
    put_text(&binder, jp_origin_name(event->origin));
    put_i64_if(&binder, event->has_exit_code, event->exit_code);
    put_text(&binder, event->detail);
    return binder.code;
}

int jp__bind_audit(sqlite3_stmt *statement, const struct jp_audit_record *record) {
    struct binder binder = {.statement = statement};
    put_i64(&binder, record->id);
    put_i64(&binder, record->time_100ns);
    put_text(&binder, record->user != NULL ? record->user : "");
    put_text(&binder, record->sid != NULL ? record->sid : "");
    put_i64_if(&binder, record->client_pid != 0, record->client_pid);
    put_text(&binder, record->method);
    put_text(&binder, record->pool);
    put_i64_if(&binder, record->pid != 0, record->pid);
    put_i64(&binder, record->allowed);
    put_text(&binder, jp_status_name(record->status));
    put_text(&binder, record->detail);
    put_u64_if(&binder, true, record->count != 0 ? record->count : 1);
    return binder.code;
}

static void put_usage(struct binder *binder, const struct jp_usage *usage) {
    bool cpu = (usage->known & JP_USAGE_CPU) != 0;
    bool memory = (usage->known & JP_USAGE_MEMORY) != 0;
    bool io = (usage->known & JP_USAGE_IO) != 0;
    put_u64_if(binder, cpu, usage->user_100ns);
    put_u64_if(binder, cpu, usage->kernel_100ns);
    put_u64_if(binder, memory, usage->peak_commit_bytes);
    put_u64_if(binder, memory, usage->peak_working_set_bytes);
    put_u64_if(binder, io, usage->read_operations);
    put_u64_if(binder, io, usage->write_operations);
    put_u64_if(binder, io, usage->other_operations);
    put_u64_if(binder, io, usage->read_bytes);
    put_u64_if(binder, io, usage->write_bytes);
    put_u64_if(binder, io, usage->other_bytes);
}

int jp__bind_sample(sqlite3_stmt *statement, const struct jp_sample_record *record) {
    struct binder binder = {.statement = statement};
    put_text(&binder, record->pool);
    put_i64(&binder, record->time_100ns);
    put_u64_if(&binder, true, record->processes);
    put_u64_if(&binder, true, record->spent.cpu_100ns);
    put_u64_if(&binder, record->has_memory, record->commit_bytes);
    put_u64_if(&binder, record->has_memory, record->working_set_bytes);
    put_u64_if(&binder, record->has_io, record->spent.read_bytes);
    put_u64_if(&binder, record->has_io, record->spent.write_bytes);
    put_u64_if(&binder, record->memory_limit_bytes != UINT64_MAX, record->memory_limit_bytes);
    put_u64_if(&binder, record->process_limit != UINT64_MAX, record->process_limit);
    put_u64_if(&binder, record->cpu_rate_limit != 0, record->cpu_rate_limit);
    return binder.code;
}

int jp__bind_sampled(sqlite3_stmt *statement, const struct jp_sample_record *record) {
    const struct jp_spent *const both[] = {&record->spent, &record->own};
    struct binder binder = {.statement = statement};
    put_text(&binder, record->pool);
    put_i64(&binder, record->time_100ns);
    for (int i = 0; i < 2; i++) {
        put_u64_if(&binder, true, both[i]->cpu_100ns);
        put_u64_if(&binder, true, both[i]->read_bytes);
        put_u64_if(&binder, true, both[i]->write_bytes);
    }
    return binder.code;
}

int jp__bind_process(sqlite3_stmt *statement, const struct jp_process_record *record, int64_t this_run) {
    const struct jp_process_facts *facts = &record->facts;
    struct binder binder = {.statement = statement};
    put_i64(&binder, record->id);
    put_text(&binder, record->pool != NULL ? record->pool : "");
    put_i64(&binder, facts->pid);
    put_i64_if(&binder, facts->start_100ns != 0, facts->start_100ns);
    put_i64(&binder, record->start_exact);
    put_i64_if(&binder, facts->parent_pid != 0, facts->parent_pid);
    put_i64(&binder, facts->session);
    put_text(&binder, facts->user);
    put_text(&binder, facts->image);
    put_text(&binder, facts->command_line);
    put_i64(&binder, record->joined_100ns);
    put_text(&binder, jp_origin_name(record->joined_by));
    put_i64_if(&binder, record->ended_100ns != 0, record->ended_100ns);
    put_text(&binder, jp_ending_name(record->ending));
    put_i64_if(&binder, record->has_exit_code, record->exit_code);
    put_usage(&binder, &record->usage);
    put_i64(&binder, record->run != 0 ? record->run : this_run);
    put_i64(&binder, record->starting);
    return binder.code;
}

int jp__bind_pool(sqlite3_stmt *statement, const struct jp__pool_row *row) {
    struct binder binder = {.statement = statement};
    put_text(&binder, row->name);
    put_text(&binder, row->parent);
    put_text(&binder, row->definition);
    put_i64(&binder, row->created_100ns);
    put_i64_if(&binder, row->deleted_100ns != 0, row->deleted_100ns);
    put_i64(&binder, row->frozen);
    put_i64_if(&binder, row->busy_since_100ns != 0, row->busy_since_100ns);
    put_i64(&binder, row->job_time_used_100ns);
    put_i64(&binder, row->ephemeral);
    return binder.code;
}

int jp__bind_job(sqlite3_stmt *statement, const struct jp__job_row *row) {
    struct binder binder = {.statement = statement};
    put_text(&binder, row->object_name);
    put_text(&binder, row->pool);
    put_i64(&binder, row->session);
    put_i64(&binder, row->created_100ns);
    put_u64_if(&binder, true, row->before.processes);
    put_u64_if(&binder, true, row->before.user_100ns);
    put_u64_if(&binder, true, row->before.kernel_100ns);
    put_u64_if(&binder, true, row->before.read_bytes);
    put_u64_if(&binder, true, row->before.write_bytes);
    return binder.code;
}

int jp__bind_unobserved(sqlite3_stmt *statement, const struct jp__unobserved_row *row, int64_t this_run) {
    const struct jp_unobserved_record *record = &row->record;
    struct binder binder = {.statement = statement};
    put_i64(&binder, this_run);
    put_u64_if(&binder, true, row->number);
    put_text(&binder, record->pool);
    put_i64(&binder, record->session);
    put_i64(&binder, record->from_100ns);
    put_i64(&binder, record->to_100ns);
    put_u64_if(&binder, true, record->processes);
    put_u64_if(&binder, true, record->user_100ns);
    put_u64_if(&binder, true, record->kernel_100ns);
    put_u64_if(&binder, true, record->read_bytes);
    put_u64_if(&binder, true, record->write_bytes);
    return binder.code;
}

int jp__bind_reset(sqlite3_stmt *statement, const struct jp__reset_row *row, int64_t this_run) {
    const struct jp_counters *base = &row->record.base;
    const uint64_t numbers[JP__COUNTER_COUNT] = {
        base->processes, base->exited, base->crashed, base->terminated, base->unknown, base->failures, base->unobserved,
        base->user_100ns, base->kernel_100ns, base->read_operations, base->write_operations, base->other_operations,
        base->read_bytes, base->write_bytes, base->other_bytes, base->peak_commit_bytes};
    struct binder binder = {.statement = statement};
    put_i64(&binder, this_run);
    put_u64_if(&binder, true, row->number);
    put_text(&binder, row->record.pool);
    put_i64(&binder, row->record.time_100ns);
    put_text(&binder, row->record.by);
    for (int i = 0; i < JP__COUNTER_COUNT; i++)
        put_u64_if(&binder, true, numbers[i]);
    return binder.code;
}

/* --- reading --- */

struct cursor {
    sqlite3_stmt *statement;
    int column; /* the next one */
};

static bool next_is_known(const struct cursor *cursor) {
    return sqlite3_column_type(cursor->statement, cursor->column) != SQLITE_NULL;
}

static int64_t get_i64(struct cursor *cursor) { /* NULL is 0 */
    return sqlite3_column_int64(cursor->statement, cursor->column++);
}

static uint64_t get_u64(struct cursor *cursor) {
    return (uint64_t)get_i64(cursor);
}

static uint32_t get_u32(struct cursor *cursor) {
    return (uint32_t)get_i64(cursor);
}

static const char *get_text(struct cursor *cursor) { /* until the statement moves on */
    return (const char *)sqlite3_column_text(cursor->statement, cursor->column++);
}

/* The number behind a name; `otherwise` for what a later version, or somebody by hand, may have written. */
static uint32_t get_choice(struct cursor *cursor, const struct jp_choice *choices, uint32_t otherwise) {
    const char *name = get_text(cursor);
    for (; name != NULL && choices->name != NULL; choices++) {
        if (strcmp(choices->name, name) == 0)
            return choices->value;
    }
    return otherwise;
}

struct jp_event *jp__read_event(sqlite3_stmt *statement) {
    struct cursor cursor = {.statement = statement};
    struct jp_event event = {.seq = get_u64(&cursor)};
    event.time_100ns = get_i64(&cursor);
    event.pool = get_text(&cursor);
    event.message = get_text(&cursor);
    event.pid = get_u32(&cursor);
    event.start_100ns = get_i64(&cursor);
    event.process = get_text(&cursor);
    event.origin = (enum jp_origin)get_choice(&cursor, jp_origins, JP_ORIGIN_SERVICE);
    event.has_exit_code = next_is_known(&cursor);
    event.exit_code = get_u32(&cursor);
    event.detail = get_text(&cursor);
    return jp__event_clone(&event);
}

static jp_status get_status(struct cursor *cursor) {
    static const jp_status statuses[] = {
        JP_OK,
#define X(symbol, code, name, meaning) symbol,
        JP_STATUS_TABLE(X)
#undef X
    };
    const char *name = get_text(cursor);
    for (size_t i = 0; name != NULL && i < sizeof statuses / sizeof *statuses; i++)
        if (strcmp(jp_status_name(statuses[i]), name) == 0)
            return statuses[i];
    return JP_E_INTERNAL; /* a later version's, or written by hand */
}

struct jp_audit_record *jp__read_audit(sqlite3_stmt *statement) {
    struct cursor cursor = {.statement = statement};
    struct jp_audit_record record = {.id = get_i64(&cursor)};
    record.time_100ns = get_i64(&cursor);
    record.user = get_text(&cursor);
    record.sid = get_text(&cursor);
    record.client_pid = get_u32(&cursor);
    record.method = get_text(&cursor);
    record.pool = get_text(&cursor);
    record.pid = get_u32(&cursor);
    record.allowed = get_i64(&cursor) != 0;
    record.status = get_status(&cursor);
    record.detail = get_text(&cursor);
    record.count = get_u64(&cursor);
    return jp__audit_clone(&record);
}

static void read_usage(struct cursor *cursor, struct jp_usage *usage) {
    usage->known |= next_is_known(cursor) ? JP_USAGE_CPU : 0u;
    usage->user_100ns = get_u64(cursor);
    usage->kernel_100ns = get_u64(cursor);
    usage->known |= next_is_known(cursor) ? JP_USAGE_MEMORY : 0u;
    usage->peak_commit_bytes = get_u64(cursor);
    usage->peak_working_set_bytes = get_u64(cursor);
    usage->known |= next_is_known(cursor) ? JP_USAGE_IO : 0u;
    usage->read_operations = get_u64(cursor);
    usage->write_operations = get_u64(cursor);
    usage->other_operations = get_u64(cursor);
    usage->read_bytes = get_u64(cursor);
    usage->write_bytes = get_u64(cursor);
    usage->other_bytes = get_u64(cursor);
}

void jp__read_process(sqlite3_stmt *statement, struct jp_process_record *ret_record) {
    struct cursor cursor = {.statement = statement};
    struct jp_process_record record = {.id = get_i64(&cursor)};
    struct jp_process_facts *facts = &record.facts;
    record.pool = jp_strdup(get_text(&cursor));
    facts->pid = get_u32(&cursor);
    facts->start_100ns = get_i64(&cursor);
    record.start_exact = get_i64(&cursor) != 0;
    facts->parent_pid = get_u32(&cursor);
    facts->session = get_u32(&cursor);
    facts->user = jp_strdup(get_text(&cursor));
    facts->image = jp_strdup(get_text(&cursor));
    facts->command_line = jp_strdup(get_text(&cursor));
    record.joined_100ns = get_i64(&cursor);
    record.joined_by = (enum jp_origin)get_choice(&cursor, jp_origins, JP_ORIGIN_SERVICE);
    record.ended_100ns = get_i64(&cursor);
    record.ending = (enum jp_ending)get_choice(&cursor, jp_endings, JP_ENDING_UNKNOWN);
    record.has_exit_code = next_is_known(&cursor);
    record.exit_code = get_u32(&cursor);
    read_usage(&cursor, &record.usage);
    record.run = get_i64(&cursor);
    record.starting = get_i64(&cursor) != 0;
    *ret_record = record;
}

void jp__read_counters(sqlite3_stmt *statement, int first_column, struct jp_counters *ret_counters) {
    struct cursor cursor = {.statement = statement, .column = first_column};
    struct jp_counters counters = {.processes = get_u64(&cursor)};
    counters.exited = get_u64(&cursor);
    counters.crashed = get_u64(&cursor);
    counters.terminated = get_u64(&cursor);
    counters.unknown = get_u64(&cursor);
    counters.failures = get_u64(&cursor);
    counters.unobserved = get_u64(&cursor);
    counters.user_100ns = get_u64(&cursor);
    counters.kernel_100ns = get_u64(&cursor);
    counters.read_operations = get_u64(&cursor);
    counters.write_operations = get_u64(&cursor);
    counters.other_operations = get_u64(&cursor);
    counters.read_bytes = get_u64(&cursor);
    counters.write_bytes = get_u64(&cursor);
    counters.other_bytes = get_u64(&cursor);
    counters.peak_commit_bytes = get_u64(&cursor);
    *ret_counters = counters;
}

void jp__read_summary(sqlite3_stmt *statement, struct jp_summary *ret_summary) {
    struct cursor cursor = {.statement = statement};
    struct jp_summary summary = {.pool = jp_strdup(get_text(&cursor))};
    summary.processes = get_u64(&cursor);
    summary.running = get_u64(&cursor);
    summary.exited = get_u64(&cursor);
    summary.crashed = get_u64(&cursor);
    summary.terminated = get_u64(&cursor);
    summary.unknown = get_u64(&cursor);
    summary.failures = get_u64(&cursor);
    summary.user_100ns = get_u64(&cursor);
    summary.kernel_100ns = get_u64(&cursor);
    summary.wall_100ns = get_u64(&cursor);
    summary.peak_commit_bytes = get_u64(&cursor);
    summary.read_bytes = get_u64(&cursor);
    summary.write_bytes = get_u64(&cursor);
    summary.with_cpu = get_u64(&cursor);
    summary.with_io = get_u64(&cursor);
    summary.unobserved = get_u64(&cursor);
    *ret_summary = summary;
}
