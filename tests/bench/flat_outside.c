#include "flat_outside.h"

#include "base/str.h"

#include <stdlib.h>

#include <valgrind/callgrind.h>

/* --- counting --- */

static bool counting;
static unsigned pauses;

void count_begin(void) {
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    counting = true;
    CALLGRIND_TOGGLE_COLLECT;
}

void count_end(const char *name, size_t count) {
    CALLGRIND_TOGGLE_COLLECT;
    counting = false;
    char *title = jp_sprintf("%s %zu", name, count);
    CALLGRIND_DUMP_STATS_AT(title);
    CALLGRIND_STOP_INSTRUMENTATION;
    jp_free(title);
}

void count_pause(bool pause) {
    bool outermost = pause ? pauses++ == 0 : --pauses == 0;
    if (counting && outermost)
        CALLGRIND_TOGGLE_COLLECT;
}

/* --- the kernel: what pools and rpc ask of it in what is counted, which is so many calls of the system (tests/harness/callgrind.py) --- */

static const struct jp_backend_ops *inner;

static jp_status system_job_obtain(struct jp_backend *backend, const char *object_name, uint64_t key, struct jp_job_obtained *ret_job,
                            struct jp_error *error) {
    count_pause(true);
    jp_status status = inner->job_obtain(backend, object_name, key, ret_job, error);
    count_pause(false);
    return status;
}

static void system_job_close(struct jp_job *job) {
    count_pause(true);
    inner->job_close(job);
    count_pause(false);
}

static jp_status system_job_query(struct jp_job *job, enum jp_job_class class, struct jp_job_info *ret_info, struct jp_error *error) {
    count_pause(true);
    jp_status status = inner->job_query(job, class, ret_info, error);
    count_pause(false);
    return status;
}

static jp_status system_job_set(struct jp_job *job, const struct jp_job_info *info, struct jp_error *error) {
    count_pause(true);
    jp_status status = inner->job_set(job, info, error);
    count_pause(false);
    return status;
}

static jp_status system_job_assign(struct jp_job *job, struct jp_process *process, struct jp_error *error) {
    count_pause(true);
    jp_status status = inner->job_assign(job, process, error);
    count_pause(false);
    return status;
}

static jp_status system_job_contains(struct jp_job *job, struct jp_process *process, bool *ret_contains, struct jp_error *error) {
    count_pause(true);
    jp_status status = inner->job_contains(job, process, ret_contains, error);
    count_pause(false);
    return status;
}

static jp_status system_process_open(struct jp_backend *backend, uint32_t pid, int64_t start_100ns, enum jp_process_use use,
                              struct jp_principal *principal, struct jp_process **ret_process, struct jp_error *error) {
    count_pause(true);
    jp_status status = inner->process_open(backend, pid, start_100ns, use, principal, ret_process, error);
    count_pause(false);
    return status;
}

static void system_process_close(struct jp_process *process) {
    count_pause(true);
    inner->process_close(process);
    count_pause(false);
}

static jp_status system_process_facts(struct jp_process *process, struct jp_process_facts *ret_facts, struct jp_error *error) {
    count_pause(true);
    jp_status status = inner->process_facts(process, ret_facts, error);
    count_pause(false);
    return status;
}

static void system_process_usage(struct jp_process *process, struct jp_usage *ret_usage) {
    count_pause(true);
    inner->process_usage(process, ret_usage);
    count_pause(false);
}

static bool system_process_exited(struct jp_process *process, uint32_t *ret_exit_code) {
    count_pause(true);
    bool exited = inner->process_exited(process, ret_exit_code);
    count_pause(false);
    return exited;
}

static jp_status system_process_watch(struct jp_process *process, uint64_t watch, struct jp_error *error) {
    count_pause(true);
    jp_status status = inner->process_watch(process, watch, error);
    count_pause(false);
    return status;
}

static uint32_t system_descriptor_rights(const struct jp_descriptor *descriptor, const struct jp_principal *principal) {
    count_pause(true);
    uint32_t rights = inner->descriptor_rights(descriptor, principal);
    count_pause(false);
    return rights;
}

static jp_status system_keeper_hold(struct jp_keeper *keeper, struct jp_job *job, struct jp_error *error) {
    count_pause(true);
    jp_status status = inner->keeper_hold(keeper, job, error);
    count_pause(false);
    return status;
}

static void system_keeper_let_go(struct jp_keeper *keeper, struct jp_job *job) {
    count_pause(true);
    inner->keeper_let_go(keeper, job);
    count_pause(false);
}

struct jp_backend *outside_backend(struct jp_sim *sim) {
    static struct jp_backend_ops ops;
    struct jp_backend *backend = jp_sim_backend(sim);
    inner = backend->ops;
    ops = *inner;
    ops.job_obtain = system_job_obtain;
    ops.job_close = system_job_close;
    ops.job_query = system_job_query;
    ops.job_set = system_job_set;
    ops.job_assign = system_job_assign;
    ops.job_contains = system_job_contains;
    ops.keeper_hold = system_keeper_hold;
    ops.keeper_let_go = system_keeper_let_go;
    ops.process_open = system_process_open;
    ops.process_close = system_process_close;
    ops.process_facts = system_process_facts;
    ops.process_usage = system_process_usage;
    ops.process_exited = system_process_exited;
    ops.process_watch = system_process_watch;
    ops.descriptor_rights = system_descriptor_rights;
    backend->ops = &ops;
    return backend;
}

/* --- the accounts --- */

enum { MOST_WAITING = 16 };

static uint64_t newest_seq;
static struct waiting {
    jp_durable_fn *callback;
    void *context;
} waiting[MOST_WAITING];
static size_t waiting_count;

static void record_event(struct jp_accounts *accounts, const struct jp_event *event) {
    (void)accounts;
    newest_seq = event->seq;
}

static void record_process(struct jp_accounts *accounts, const struct jp_process_record *record) {
    (void)accounts;
    (void)record;
}

static void record_pool(struct jp_accounts *accounts, const struct jp_pool_record *record) {
    (void)accounts;
    (void)record;
}

static void record_job(struct jp_accounts *accounts, const struct jp_job_record *record) {
    (void)accounts;
    (void)record;
}

static void forget(struct jp_accounts *accounts, const char *name) {
    (void)accounts;
    (void)name;
}

static void record_sample(struct jp_accounts *accounts, const struct jp_sample_record *record) {
    (void)accounts;
    (void)record;
}

static void record_keeper(struct jp_accounts *accounts, uint32_t pid, int64_t start_100ns) {
    (void)accounts;
    (void)pid;
    (void)start_100ns;
}

static void record_audit(struct jp_accounts *accounts, const struct jp_audit_record *record) {
    (void)accounts;
    (void)record;
}

static void when_durable(struct jp_accounts *accounts, jp_durable_fn *callback, void *context) {
    (void)accounts;
    if (waiting_count == MOST_WAITING)
        abort();
    waiting[waiting_count++] = (struct waiting){callback, context};
}

/* There are none. */
static void query_events(struct jp_accounts *accounts, const struct jp_event_filter *filter, jp_events_fn *callback, void *context) {
    (void)accounts;
    (void)filter;
    callback(context, JP_OK, NULL, NULL, 0);
}

static void state(struct jp_accounts *accounts, struct jp_accounts_state *ret_state) {
    (void)accounts;
    *ret_state = (struct jp_accounts_state){.first_seq = 1, .committed_seq = newest_seq};
}

struct jp_accounts *outside_accounts(void) {
    static const struct jp_accounts_ops ops = {
        .record_event = record_event, .record_process = record_process, .record_pool = record_pool, .forget_pool = forget,
        .record_job = record_job, .forget_job = forget, .record_sample = record_sample, .record_keeper = record_keeper,
        .record_audit = record_audit, .when_durable = when_durable, .query_events = query_events, .state = state};
    static struct jp_accounts accounts = {.ops = &ops};
    return &accounts;
}

uint64_t outside_commit(void) {
    for (size_t i = 0; i < waiting_count; i++)
        waiting[i].callback(waiting[i].context, JP_OK);
    waiting_count = 0;
    return newest_seq;
}
