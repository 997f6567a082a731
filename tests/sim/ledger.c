/* Lists that only grow, but for rows and pools, which are replaced under their key. */
#include "ledger.h"

#include <string.h>

struct waiting {
    enum { DURABLE, EVENTS, PROCESSES, SUMMARY } kind;
    void *context;
    jp_durable_fn *on_durable;
    jp_events_fn *on_events;
    jp_processes_fn *on_processes;
    jp_summaries_fn *on_summaries;
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
        char *name, *definition;
        bool frozen, keep_frozen, suspends, below_frozen;
    } *pools;
    size_t pool_count;
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
            jp_free(ledger->pools[i].definition);
            ledger->pools[i] = ledger->pools[--ledger->pool_count];
            return;
        }
}

static void record_pool(struct jp_accounts *accounts, const struct jp_pool_record *record) {
    struct jp_ledger *ledger = of(accounts);
    forget_pool(accounts, record->name);
    ledger->pools = jp_realloc_array(ledger->pools, ledger->pool_count + 1, sizeof *ledger->pools);
    ledger->pools[ledger->pool_count++] = (struct ledger_pool){.name = jp_strdup(record->name), .definition = jp_strdup(record->definition),
                                                               .frozen = record->frozen, .keep_frozen = record->keep_frozen, .suspends = record->suspends, .below_frozen = record->below_frozen};
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

static void state(struct jp_accounts *accounts, struct jp_accounts_state *ret_state) {
    struct jp_ledger *ledger = of(accounts);
    *ret_state = (struct jp_accounts_state){.degraded = ledger->broken, .committed_seq = ledger->committed};
}

static const struct jp_accounts_ops ops = {
    .record_event = record_event, .record_process = record_process, .record_pool = record_pool, .forget_pool = forget_pool,
    .when_durable = when_durable, .query_events = query_events, .query_processes = query_processes, .query_summary = query_summary,
    .state = state,
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
        else
            waiting.on_summaries(waiting.context, JP_OK, NULL, NULL, 0);
        jp_free(waiting.pool);
    }
    return ledger->committed;
}

void jp_ledger_free(struct jp_ledger *ledger) {
    while (ledger->waiting_count)
        jp_ledger_commit(ledger);
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
    jp_free(ledger->events);
    jp_free(ledger->processes);
    jp_free(ledger->pools);
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

void jp_ledger_start(const struct jp_ledger *ledger, struct jp_accounts_start *ret_start) {
    *ret_start = (struct jp_accounts_start){.last_seq = ledger->event_count ? ledger->events[ledger->event_count - 1].seq : 0};
    ret_start->running = jp_alloc((ledger->process_count + 1) * sizeof *ret_start->running);
    ret_start->pools = jp_alloc((ledger->pool_count + 1) * sizeof *ret_start->pools);
    for (size_t i = 0; i < ledger->process_count; i++) {
        const struct jp_process_record *record = &ledger->processes[i];
        if (record->id > ret_start->last_process_id)
            ret_start->last_process_id = record->id;
        if (record->ending == JP_ENDING_NONE)
            jp_process_record_copy(record, &ret_start->running[ret_start->running_count++]);
    }
    ret_start->frozen = jp_alloc((ledger->pool_count + 1) * sizeof *ret_start->frozen);
    for (size_t i = 0; i < ledger->pool_count; i++) {
        const struct ledger_pool *pool = &ledger->pools[i];
        if (pool->definition)
            ret_start->pools[ret_start->pool_count++] = (struct jp_stored_pool){jp_strdup(pool->name), jp_strdup(pool->definition)};
        if (pool->frozen || pool->suspends || pool->below_frozen)
            ret_start->frozen[ret_start->frozen_count++] = (struct jp_frozen_pool){
                .name = jp_strdup(pool->name), .frozen = pool->frozen, .keep = pool->keep_frozen, .suspends = pool->suspends,
                .below_frozen = pool->below_frozen};
    }
}
