/* Lists that only grow, but for rows and pools, which are replaced under their key. */
#include "ledger.h"

#include <string.h>

struct waiting {
    enum { DURABLE, EVENTS, PROCESSES, SUMMARY, PURGE, AUDIT, REPORT, SERIES } kind;
    void *context;
    jp_durable_fn *on_durable;
    jp_events_fn *on_events;
    jp_processes_fn *on_processes;
    jp_summaries_fn *on_summaries;
    jp_purged_fn *on_purged;
    jp_audits_fn *on_audits;
    jp_report_fn *on_report;
    jp_series_fn *on_series;
    struct jp_audit_filter audit_filter; /* its texts are those below, and `pool` */
    char *user, *method;
    uint32_t report_by;
    uint64_t report; /* its number */
    bool cancelled;
    uint64_t from_seq;
    uint32_t pid, limit;
    char *pool;
};

struct jp_ledger {
    struct jp_accounts accounts;
    struct jp_event *events;
    size_t event_count;
    struct jp_process_record *processes;
    size_t process_count;
    struct ledger_pool {
        char *name, *parent, *definition;
        bool frozen, keep_frozen, suspends, below_frozen, ephemeral;
        int64_t busy_since_100ns;
        int64_t job_time_used_100ns;
    } *pools;
    size_t pool_count, pool_records;
    struct ledger_job {
        char *object_name, *pool;
        uint32_t session;
        int64_t created_100ns;
        struct jp_job_use before;
    } *jobs;
    size_t job_count;
    struct jp_unobserved_record *unobserved;
    size_t unobserved_count;
    struct jp_reset_record *resets;
    size_t reset_count;
    struct jp_audit_record *audits;
    size_t audit_count;
    struct jp_sample_record *samples;
    size_t sample_count;
    uint64_t last_report;
    uint32_t keeper_pid;
    int64_t keeper_start_100ns;
    struct jp_retention retention;
    struct jp_purge_filter purge_filter; /* of the last purge */
    struct jp_accounts_state state;      /* what is told, but for committed_seq */
    struct waiting *waiting;
    size_t waiting_count;
    uint64_t committed;
    bool broken;
};

static struct jp_ledger *of(struct jp_accounts *accounts) { return (struct jp_ledger *)(void *)accounts; }

static void record_event(struct jp_accounts *accounts, const struct jp_event *event) {
    struct jp_ledger *ledger = of(accounts);
    ledger->events = jp_realloc_array(ledger->events, ledger->event_count + 1, sizeof *ledger->events);
    struct jp_event *copy = &ledger->events[ledger->event_count++];
    *copy = *event;
    copy->pool = jp_strdup(event->pool);
    copy->message = jp_strdup(event->message);
    copy->process = jp_strdup(event->process);
    copy->detail = jp_strdup(event->detail);
}

static void record_process(struct jp_accounts *accounts, const struct jp_process_record *record) {
    struct jp_ledger *ledger = of(accounts);
    size_t i = 0;
    while (i < ledger->process_count && ledger->processes[i].id != record->id)
        i++;
    if (i == ledger->process_count) {
        ledger->processes = jp_realloc_array(ledger->processes, i + 1, sizeof *ledger->processes);
        ledger->processes[ledger->process_count++] = (struct jp_process_record){0};
    }
    jp_process_record_clear(&ledger->processes[i]);
    jp_process_record_copy(record, &ledger->processes[i]);
}

static void forget_pool(struct jp_accounts *accounts, const char *name) {
    struct jp_ledger *ledger = of(accounts);
    for (size_t i = 0; i < ledger->pool_count; i++)
        if (strcmp(ledger->pools[i].name, name) == 0) {
            jp_free(ledger->pools[i].name);
            jp_free(ledger->pools[i].parent);
            jp_free(ledger->pools[i].definition);
            ledger->pools[i] = ledger->pools[--ledger->pool_count];
            return;
        }
}

static void record_pool(struct jp_accounts *accounts, const struct jp_pool_record *record) {
    struct jp_ledger *ledger = of(accounts);
    forget_pool(accounts, record->name);
    ledger->pool_records++;
    ledger->pools = jp_realloc_array(ledger->pools, ledger->pool_count + 1, sizeof *ledger->pools);
    ledger->pools[ledger->pool_count++] = (struct ledger_pool){.name = jp_strdup(record->name), .parent = jp_strdup(record->parent), .definition = jp_strdup(record->definition),
                                                               .frozen = record->frozen, .keep_frozen = record->keep_frozen, .suspends = record->suspends, .below_frozen = record->below_frozen, .ephemeral = record->ephemeral,
                                                               .busy_since_100ns = record->busy_since_100ns, .job_time_used_100ns = record->job_time_used_100ns};
}

static void forget_job(struct jp_accounts *accounts, const char *object_name) {
    struct jp_ledger *ledger = of(accounts);
    for (size_t i = 0; i < ledger->job_count; i++)
        if (strcmp(ledger->jobs[i].object_name, object_name) == 0) {
            jp_free(ledger->jobs[i].object_name);
            jp_free(ledger->jobs[i].pool);
            ledger->jobs[i] = ledger->jobs[--ledger->job_count];
            return;
        }
}

static void record_job(struct jp_accounts *accounts, const struct jp_job_record *record) {
    struct jp_ledger *ledger = of(accounts);
    forget_job(accounts, record->object_name);
    ledger->jobs = jp_realloc_array(ledger->jobs, ledger->job_count + 1, sizeof *ledger->jobs);
    ledger->jobs[ledger->job_count++] = (struct ledger_job){.object_name = jp_strdup(record->object_name), .pool = jp_strdup(record->pool),
                                                            .session = record->session, .created_100ns = record->created_100ns, .before = record->before};
}

static void record_unobserved(struct jp_accounts *accounts, const struct jp_unobserved_record *record) {
    struct jp_ledger *ledger = of(accounts);
    ledger->unobserved = jp_realloc_array(ledger->unobserved, ledger->unobserved_count + 1, sizeof *ledger->unobserved);
    ledger->unobserved[ledger->unobserved_count] = *record;
    ledger->unobserved[ledger->unobserved_count++].pool = jp_strdup(record->pool);
}

static void record_reset(struct jp_accounts *accounts, const struct jp_reset_record *record) {
    struct jp_ledger *ledger = of(accounts);
    ledger->resets = jp_realloc_array(ledger->resets, ledger->reset_count + 1, sizeof *ledger->resets);
    struct jp_reset_record *copy = &ledger->resets[ledger->reset_count++];
    *copy = *record;
    copy->pool = jp_strdup(record->pool);
    copy->by = jp_strdup(record->by);
}

static void record_audit(struct jp_accounts *accounts, const struct jp_audit_record *record) {
    struct jp_ledger *ledger = of(accounts);
    ledger->audits = jp_realloc_array(ledger->audits, ledger->audit_count + 1, sizeof *ledger->audits);
    struct jp_audit_record *copy = &ledger->audits[ledger->audit_count++];
    *copy = *record;
    copy->id = (int64_t)ledger->audit_count;
    copy->user = jp_strdup(record->user ? record->user : "");
    copy->sid = jp_strdup(record->sid ? record->sid : "");
    copy->method = jp_strdup(record->method);
    copy->pool = jp_strdup(record->pool);
    copy->detail = jp_strdup(record->detail);
}

static void record_sample(struct jp_accounts *accounts, const struct jp_sample_record *record) {
    struct jp_ledger *ledger = of(accounts);
    ledger->samples = jp_realloc_array(ledger->samples, ledger->sample_count + 1, sizeof *ledger->samples);
    ledger->samples[ledger->sample_count] = *record;
    ledger->samples[ledger->sample_count++].pool = jp_strdup(record->pool);
}

static void record_keeper(struct jp_accounts *accounts, uint32_t pid, int64_t start_100ns) {
    of(accounts)->keeper_pid = pid;
    of(accounts)->keeper_start_100ns = start_100ns;
}

static void add_waiting(struct jp_accounts *accounts, struct waiting waiting) {
    struct jp_ledger *ledger = of(accounts);
    ledger->waiting = jp_realloc_array(ledger->waiting, ledger->waiting_count + 1, sizeof *ledger->waiting);
    ledger->waiting[ledger->waiting_count++] = waiting;
}

static void when_durable(struct jp_accounts *accounts, jp_durable_fn *callback, void *context) {
    add_waiting(accounts, (struct waiting){.kind = DURABLE, .on_durable = callback, .context = context});
}

static void query_events(struct jp_accounts *accounts, const struct jp_event_filter *filter, jp_events_fn *callback, void *context) {
    add_waiting(accounts, (struct waiting){.kind = EVENTS, .on_events = callback, .context = context, .from_seq = filter->from_seq,
                                           .limit = filter->limit});
}

static void query_processes(struct jp_accounts *accounts, const struct jp_process_filter *filter, jp_processes_fn *callback, void *context) {
    add_waiting(accounts, (struct waiting){.kind = PROCESSES, .on_processes = callback, .context = context, .pid = filter->pid,
                                           .limit = filter->limit, .pool = jp_strdup(filter->pool)});
}

static void query_summary(struct jp_accounts *accounts, const struct jp_summary_filter *filter, jp_summaries_fn *callback, void *context) {
    (void)filter;
    add_waiting(accounts, (struct waiting){.kind = SUMMARY, .on_summaries = callback, .context = context});
}

static void query_audit(struct jp_accounts *accounts, const struct jp_audit_filter *filter, jp_audits_fn *callback, void *context) {
    struct waiting waiting = {.kind = AUDIT, .on_audits = callback, .context = context, .audit_filter = *filter, .user = jp_strdup(filter->user),
                              .method = jp_strdup(filter->method), .pool = jp_strdup(filter->pool)};
    add_waiting(accounts, waiting);
}

static uint64_t query_report(struct jp_accounts *accounts, const struct jp_report_filter *filter, jp_report_progress_fn *progress,
                             jp_report_fn *callback, void *context) {
    struct jp_ledger *ledger = of(accounts);
    (void)progress;
    add_waiting(accounts, (struct waiting){.kind = REPORT, .on_report = callback, .context = context, .report_by = filter->by,
                                           .report = ++ledger->last_report});
    return ledger->last_report;
}

static uint64_t query_series(struct jp_accounts *accounts, const struct jp_series_filter *filter, jp_series_fn *callback, void *context) {
    struct jp_ledger *ledger = of(accounts);
    add_waiting(accounts, (struct waiting){.kind = SERIES, .on_series = callback, .context = context, .from_seq = (uint64_t)filter->from_100ns,
                                           .report = ++ledger->last_report});
    return ledger->last_report;
}

static void report_cancel(struct jp_accounts *accounts, uint64_t report) {
    struct jp_ledger *ledger = of(accounts);
    for (size_t i = 0; i < ledger->waiting_count; i++)
        if ((ledger->waiting[i].kind == REPORT || ledger->waiting[i].kind == SERIES) && ledger->waiting[i].report == report)
            ledger->waiting[i].cancelled = true;
}

static void purge(struct jp_accounts *accounts, const struct jp_purge_filter *filter, jp_purged_fn *callback, void *context) {
    struct jp_ledger *ledger = of(accounts);
    jp_free((char *)(uintptr_t)ledger->purge_filter.pool);
    ledger->purge_filter = *filter;
    ledger->purge_filter.pool = jp_strdup(filter->pool);
    add_waiting(accounts, (struct waiting){.kind = PURGE, .on_purged = callback, .context = context});
}

static void set_retention(struct jp_accounts *accounts, const struct jp_retention *retention) { of(accounts)->retention = *retention; }

static void state(struct jp_accounts *accounts, struct jp_accounts_state *ret_state) {
    struct jp_ledger *ledger = of(accounts);
    *ret_state = ledger->state;
    ret_state->degraded = ledger->state.degraded || ledger->broken;
    ret_state->committed_seq = ledger->committed;
}

static const struct jp_accounts_ops ops = {
    .record_event = record_event, .record_process = record_process, .record_pool = record_pool, .forget_pool = forget_pool,
    .when_durable = when_durable, .query_events = query_events, .query_processes = query_processes, .query_summary = query_summary,
    .state = state, .record_job = record_job, .forget_job = forget_job, .record_unobserved = record_unobserved, .record_reset = record_reset,
    .record_audit = record_audit, .query_audit = query_audit, .query_report = query_report, .report_cancel = report_cancel,
    .record_sample = record_sample, .query_series = query_series,
    .record_keeper = record_keeper, .purge = purge, .set_retention = set_retention,
};

struct jp_ledger *jp_ledger_new(void) {
    struct jp_ledger *ledger = jp_alloc(sizeof *ledger);
    ledger->accounts.ops = &ops;
    return ledger;
}

struct jp_accounts *jp_ledger_accounts(struct jp_ledger *ledger) { return &ledger->accounts; }
void jp_ledger_break(struct jp_ledger *ledger, bool broken) { ledger->broken = broken; }

static void answer_events(struct jp_ledger *ledger, const struct waiting *waiting) {
    size_t first = 0, count;
    while (first < ledger->event_count && ledger->events[first].seq < waiting->from_seq)
        first++;
    count = ledger->event_count - first;
    waiting->on_events(waiting->context, JP_OK, NULL, ledger->events + first, count < waiting->limit ? count : waiting->limit);
}

static void answer_processes(struct jp_ledger *ledger, const struct waiting *waiting) {
    struct jp_process_record *found = jp_alloc((ledger->process_count + 1) * sizeof *found);
    size_t count = 0;
    for (size_t i = 0; i < ledger->process_count && count < waiting->limit; i++) {
        const struct jp_process_record *record = &ledger->processes[i];
        if ((!waiting->pid || record->facts.pid == waiting->pid) && (!waiting->pool || strcmp(waiting->pool, record->pool) == 0))
            found[count++] = *record; /* borrowed */
    }
    waiting->on_processes(waiting->context, JP_OK, NULL, found, count);
    jp_free(found);
}

/* What would be deleted is counted, and kept. */
static void answer_purge(const struct jp_ledger *ledger, const struct waiting *waiting) {
    const struct jp_purge_filter *filter = &ledger->purge_filter;
    struct jp_error error;
    struct jp_purged purged = {0};
    for (size_t i = 0; i < ledger->process_count && filter->processes; i++)
        purged.processes += ledger->processes[i].ending != JP_ENDING_NONE && ledger->processes[i].ended_100ns < filter->before_100ns &&
                            (!filter->pool || strcmp(filter->pool, ledger->processes[i].pool) == 0);
    for (size_t i = 0; i < ledger->event_count && filter->events; i++)
        purged.events += ledger->events[i].time_100ns < filter->before_100ns &&
                         (!filter->pool || strcmp(filter->pool, ledger->events[i].pool) == 0);
    jp_status status = ledger->broken ? jp_fail(&error, JP_E_STORE, "the disk is full") : JP_OK;
    waiting->on_purged(waiting->context, status, status ? &error : NULL, &purged);
}

static bool is_any_or(const char *wanted, const char *text) { return !wanted || (text && strcmp(wanted, text) == 0); }

static void answer_audit(struct jp_ledger *ledger, const struct waiting *waiting) {
    const struct jp_audit_filter *filter = &waiting->audit_filter;
    struct jp_audit_record *found = jp_alloc((ledger->audit_count + 1) * sizeof *found);
    size_t count = 0, skipped = 0;
    for (size_t i = 0; i < ledger->audit_count; i++) {
        const struct jp_audit_record *record = &ledger->audits[i];
        if (is_any_or(waiting->user, record->user) && is_any_or(waiting->method, record->method) && is_any_or(waiting->pool, record->pool) &&
            (!filter->denied || !record->allowed) && record->id > filter->after_id && record->time_100ns >= filter->from_100ns &&
            (!filter->to_100ns || record->time_100ns < filter->to_100ns))
            found[count++] = *record; /* borrowed */
    }
    if (filter->limit && count > filter->limit) {
        skipped = filter->newest ? count - filter->limit : 0;
        count = filter->limit;
    }
    waiting->on_audits(waiting->context, JP_OK, NULL, found + skipped, count);
    jp_free(found);
}

/* All rows as one group, whatever is asked for; by pool, one for each row. Enough to see that an answer is passed on. */
static void answer_report(struct jp_ledger *ledger, const struct waiting *waiting) {
    struct jp_report_row *rows = jp_alloc((ledger->process_count + 1) * sizeof *rows);
    struct jp_report report = {.rows = rows};
    struct jp_error error;
    for (size_t i = 0; i < ledger->process_count; i++) {
        const struct jp_process_record *record = &ledger->processes[i];
        struct jp_report_row *row = &rows[waiting->report_by ? report.count : 0];
        if (waiting->report_by & JP_REPORT_POOL)
            row->pool = record->pool;
        row->sums.processes++;
        row->sums.user_100ns += record->usage.user_100ns;
        report.total.processes++;
        report.total.user_100ns += record->usage.user_100ns;
        report.count = waiting->report_by ? report.count + 1 : 1;
    }
    report.groups = report.count;
    jp_status status = waiting->cancelled ? jp_fail(&error, JP_E_CANCELLED, "the report was cancelled") : JP_OK;
    waiting->on_report(waiting->context, status, status ? &error : NULL, status ? NULL : &report);
    jp_free(rows);
}

/* A sample a point, whatever is asked for. */
static void answer_series(struct jp_ledger *ledger, const struct waiting *waiting) {
    struct jp_series_point *points = jp_alloc((ledger->sample_count + 1) * sizeof *points);
    struct jp_series *series = jp_alloc((ledger->sample_count + 1) * sizeof *series);
    struct jp_series_result result = {.series = series, .count = ledger->sample_count, .step_100ns = 1};
    struct jp_error error;
    for (size_t i = 0; i < ledger->sample_count; i++) {
        const struct jp_sample_record *sample = &ledger->samples[i];
        points[i] = (struct jp_series_point){.time_100ns = sample->time_100ns, .looked = true, .processes = sample->processes, .spent = sample->spent};
        series[i] = (struct jp_series){.pool = sample->pool, .points = &points[i], .count = 1};
    }
    jp_status status = waiting->cancelled ? jp_fail(&error, JP_E_CANCELLED, "the query was cancelled") : JP_OK;
    waiting->on_series(waiting->context, status, status ? &error : NULL, status ? NULL : &result);
    jp_free(series);
    jp_free(points);
}

uint64_t jp_ledger_commit(struct jp_ledger *ledger) {
    if (!ledger->broken && ledger->event_count)
        ledger->committed = ledger->events[ledger->event_count - 1].seq;
    while (ledger->waiting_count) {
        struct waiting waiting = ledger->waiting[0];
        memmove(ledger->waiting, ledger->waiting + 1, --ledger->waiting_count * sizeof waiting);
        if (waiting.kind == DURABLE)
            waiting.on_durable(waiting.context, ledger->broken ? JP_E_STORE : JP_OK);
        else if (waiting.kind == EVENTS)
            answer_events(ledger, &waiting);
        else if (waiting.kind == PROCESSES)
            answer_processes(ledger, &waiting);
        else if (waiting.kind == PURGE)
            answer_purge(ledger, &waiting);
        else if (waiting.kind == AUDIT)
            answer_audit(ledger, &waiting);
        else if (waiting.kind == REPORT)
            answer_report(ledger, &waiting);
        else if (waiting.kind == SERIES)
            answer_series(ledger, &waiting);
        else
            waiting.on_summaries(waiting.context, JP_OK, NULL, NULL, 0);
        jp_free(waiting.pool);
        jp_free(waiting.user);
        jp_free(waiting.method);
    }
    return ledger->committed;
}

void jp_ledger_renew(struct jp_ledger *ledger) {
    for (size_t i = 0; i < ledger->event_count; i++) {
        jp_free((char *)(uintptr_t)ledger->events[i].pool);
        jp_free((char *)(uintptr_t)ledger->events[i].message);
        jp_free((char *)(uintptr_t)ledger->events[i].process);
        jp_free((char *)(uintptr_t)ledger->events[i].detail);
    }
    for (size_t i = 0; i < ledger->process_count; i++)
        jp_process_record_clear(&ledger->processes[i]);
    while (ledger->pool_count)
        forget_pool(&ledger->accounts, ledger->pools[0].name);
    while (ledger->job_count)
        forget_job(&ledger->accounts, ledger->jobs[0].object_name);
    for (size_t i = 0; i < ledger->unobserved_count; i++)
        jp_free((char *)(uintptr_t)ledger->unobserved[i].pool);
    for (size_t i = 0; i < ledger->reset_count; i++) {
        jp_free((char *)(uintptr_t)ledger->resets[i].pool);
        jp_free((char *)(uintptr_t)ledger->resets[i].by);
    }
    for (size_t i = 0; i < ledger->audit_count; i++) {
        jp_free((char *)(uintptr_t)ledger->audits[i].user);
        jp_free((char *)(uintptr_t)ledger->audits[i].sid);
        jp_free((char *)(uintptr_t)ledger->audits[i].method);
        jp_free((char *)(uintptr_t)ledger->audits[i].pool);
        jp_free((char *)(uintptr_t)ledger->audits[i].detail);
    }
    for (size_t i = 0; i < ledger->sample_count; i++)
        jp_free((char *)(uintptr_t)ledger->samples[i].pool);
    ledger->audit_count = ledger->sample_count = 0;
    ledger->event_count = ledger->process_count = ledger->unobserved_count = ledger->reset_count = 0;
    ledger->keeper_pid = 0;
}

void jp_ledger_free(struct jp_ledger *ledger) {
    while (ledger->waiting_count)
        jp_ledger_commit(ledger);
    jp_ledger_renew(ledger);
    jp_free((char *)(uintptr_t)ledger->purge_filter.pool);
    jp_free(ledger->events);
    jp_free(ledger->processes);
    jp_free(ledger->pools);
    jp_free(ledger->jobs);
    jp_free(ledger->unobserved);
    jp_free(ledger->resets);
    jp_free(ledger->audits);
    jp_free(ledger->samples);
    jp_free(ledger->waiting);
    jp_free(ledger);
}

size_t jp_ledger_process_count(const struct jp_ledger *ledger) { return ledger->process_count; }
const struct jp_process_record *jp_ledger_process(const struct jp_ledger *ledger, size_t i) { return &ledger->processes[i]; }

const struct jp_process_record *jp_ledger_find(const struct jp_ledger *ledger, uint32_t pid) {
    for (size_t i = ledger->process_count; i-- > 0;)
        if (ledger->processes[i].facts.pid == pid)
            return &ledger->processes[i];
    return NULL;
}

size_t jp_ledger_event_count(const struct jp_ledger *ledger) { return ledger->event_count; }
const struct jp_event *jp_ledger_event(const struct jp_ledger *ledger, size_t i) { return &ledger->events[i]; }

size_t jp_ledger_count(const struct jp_ledger *ledger, const char *message, const char *pool, uint32_t pid) {
    size_t count = 0;
    for (size_t i = 0; i < ledger->event_count; i++) {
        const struct jp_event *event = &ledger->events[i];
        count += (!message || strcmp(event->message, message) == 0) && (!pool || strcmp(event->pool, pool) == 0) &&
                 (!pid || event->pid == pid);
    }
    return count;
}

const struct jp_event *jp_ledger_last(const struct jp_ledger *ledger, const char *message) {
    for (size_t i = ledger->event_count; i-- > 0;)
        if (strcmp(ledger->events[i].message, message) == 0)
            return &ledger->events[i];
    return NULL;
}

size_t jp_ledger_unobserved_count(const struct jp_ledger *ledger) { return ledger->unobserved_count; }
const struct jp_unobserved_record *jp_ledger_unobserved(const struct jp_ledger *ledger, size_t i) { return &ledger->unobserved[i]; }
size_t jp_ledger_reset_count(const struct jp_ledger *ledger) { return ledger->reset_count; }
const struct jp_reset_record *jp_ledger_reset(const struct jp_ledger *ledger, size_t i) { return &ledger->resets[i]; }
size_t jp_ledger_pool_records(const struct jp_ledger *ledger) { return ledger->pool_records; }
size_t jp_ledger_audit_count(const struct jp_ledger *ledger) { return ledger->audit_count; }
const struct jp_audit_record *jp_ledger_audit(const struct jp_ledger *ledger, size_t i) { return &ledger->audits[i]; }
struct jp_accounts_state *jp_ledger_state(struct jp_ledger *ledger) { return &ledger->state; }
const struct jp_purge_filter *jp_ledger_purge(const struct jp_ledger *ledger) { return &ledger->purge_filter; }
uint32_t jp_ledger_keeper(const struct jp_ledger *ledger) { return ledger->keeper_pid; }

/* --- what a next run finds --- */

static void start_pools(const struct jp_ledger *ledger, struct jp_accounts_start *start) {
    start->pools = jp_alloc((ledger->pool_count + 1) * sizeof *start->pools);
    start->pasts = jp_alloc((ledger->pool_count + 1) * sizeof *start->pasts);
    for (size_t i = 0; i < ledger->pool_count; i++) {
        const struct ledger_pool *pool = &ledger->pools[i];
        if (pool->definition)
            start->pools[start->pool_count++] = (struct jp_stored_pool){jp_strdup(pool->name), jp_strdup(pool->definition)};
        start->pasts[start->past_count++] = (struct jp_pool_past){
            .name = jp_strdup(pool->name), .parent = jp_strdup(pool->parent), .defined = pool->definition != NULL,
            .ephemeral = pool->ephemeral, .frozen = pool->frozen, .keep_frozen = pool->keep_frozen, .suspends = pool->suspends,
            .below_frozen = pool->below_frozen, .busy_since_100ns = pool->busy_since_100ns, .job_time_used_100ns = pool->job_time_used_100ns};
    }
}

static struct jp_pool_counters *counters_of(struct jp_accounts_start *start, const char *pool) {
    for (size_t i = 0; i < start->counter_count; i++)
        if (strcmp(start->counters[i].name, pool) == 0)
            return &start->counters[i];
    start->counters = jp_realloc_array(start->counters, start->counter_count + 1, sizeof *start->counters);
    start->counters[start->counter_count] = (struct jp_pool_counters){.name = jp_strdup(pool)};
    return &start->counters[start->counter_count++];
}

static void start_counters(const struct jp_ledger *ledger, struct jp_accounts_start *start) {
    for (size_t i = 0; i < ledger->process_count; i++)
        if (ledger->processes[i].ending != JP_ENDING_NONE)
            jp_counters_add(&counters_of(start, ledger->processes[i].pool)->total, &ledger->processes[i]);
    for (size_t i = 0; i < ledger->unobserved_count; i++)
        jp_counters_add_unobserved(&counters_of(start, ledger->unobserved[i].pool)->total, &ledger->unobserved[i]);
    for (size_t i = 0; i < ledger->reset_count; i++) {
        struct jp_pool_counters *counters = counters_of(start, ledger->resets[i].pool);
        counters->reset_100ns = ledger->resets[i].time_100ns;
        counters->base = ledger->resets[i].base;
    }
}

static bool is_within(const struct jp_ledger *ledger, const char *pool, const char *ancestor) {
    while (pool && strcmp(pool, ancestor) != 0) {
        const struct ledger_pool *row = NULL;
        for (size_t i = 0; i < ledger->pool_count; i++)
            if (strcmp(ledger->pools[i].name, pool) == 0)
                row = &ledger->pools[i];
        pool = row ? row->parent : NULL;
    }
    return pool != NULL;
}

static void start_jobs(const struct jp_ledger *ledger, struct jp_accounts_start *start) {
    start->jobs = jp_alloc((ledger->job_count + 1) * sizeof *start->jobs);
    for (size_t i = 0; i < ledger->job_count; i++) {
        const struct ledger_job *job = &ledger->jobs[i];
        struct jp_stored_job *stored = &start->jobs[start->job_count++];
        *stored = (struct jp_stored_job){.object_name = jp_strdup(job->object_name), .pool = jp_strdup(job->pool), .session = job->session,
                                         .created_100ns = job->created_100ns, .before = job->before};
        for (size_t j = 0; j < ledger->process_count; j++) {
            const struct jp_process_record *row = &ledger->processes[j];
            if (!is_within(ledger, row->pool, job->pool) || row->facts.session != job->session || row->joined_100ns < job->created_100ns)
                continue;
            stored->processes++;
            stored->user_100ns += row->ending != JP_ENDING_NONE ? row->usage.user_100ns : 0;
            stored->kernel_100ns += row->ending != JP_ENDING_NONE ? row->usage.kernel_100ns : 0;
        }
        for (size_t j = 0; j < ledger->unobserved_count; j++)
            if (is_within(ledger, ledger->unobserved[j].pool, job->pool)) {
                stored->unobserved += ledger->unobserved[j].processes;
                stored->user_100ns += ledger->unobserved[j].user_100ns;
                stored->kernel_100ns += ledger->unobserved[j].kernel_100ns;
            }
    }
}

void jp_ledger_start(const struct jp_ledger *ledger, struct jp_accounts_start *ret_start) {
    *ret_start = (struct jp_accounts_start){.last_seq = ledger->event_count ? ledger->events[ledger->event_count - 1].seq : 0, .run = 1,
                                            .keeper_pid = ledger->keeper_pid, .keeper_start_100ns = ledger->keeper_start_100ns};
    ret_start->running = jp_alloc((ledger->process_count + 1) * sizeof *ret_start->running);
    for (size_t i = 0; i < ledger->process_count; i++) {
        const struct jp_process_record *record = &ledger->processes[i];
        if (record->id > ret_start->last_process_id)
            ret_start->last_process_id = record->id;
        if (record->run >= ret_start->run)
            ret_start->run = record->run + 1;
        if (record->ending == JP_ENDING_NONE)
            jp_process_record_copy(record, &ret_start->running[ret_start->running_count++]);
    }
    start_pools(ledger, ret_start);
    start_counters(ledger, ret_start);
    start_jobs(ledger, ret_start);
}
