/* events.* and accounting.*: what has been recorded. */
#include "rpc/rpc_internal.h"

#include "base/units.h"
#include "job/messages.h"

#include <string.h>

enum { DEFAULT_LIMIT = 1000 };

static uint32_t limit_of(const struct jp_record_parameters *given) { return given->limit ? given->limit : DEFAULT_LIMIT; }

/* False with the call refused. */
static bool read_times(struct jp_call *call, const struct jp_record_parameters *given, int64_t *ret_from, int64_t *ret_to) {
    struct jp_error error;
    *ret_from = *ret_to = 0;
    if ((given->from && jp_time_parse(given->from, ret_from, &error)) || (given->to && jp_time_parse(given->to, ret_to, &error))) {
        jp__refuse(call, &error);
        return false;
    }
    return true;
}

/* Names of job messages may be given without JOB_OBJECT_MSG_; they are recorded whole. Our own stay as they are. */
static const char *full_message_name(const char *name) {
    const char *full = jp_job_message_name(jp_job_message_number(name));
    return full ? full : name;
}

static struct jp_strings full_message_names(const struct jp_strings *names) {
    struct jp_strings full = {.items = jp_realloc_array(NULL, names->count, sizeof *full.items), .count = names->count};
    for (size_t i = 0; i < names->count; i++)
        full.items[i] = jp_strdup(full_message_name(names->items[i]));
    return full;
}

/* How many rows are shown: so many as may be, as long as there is room in the answer, which was so long before the first. */
static bool room_for_more(const struct jp_call *call, const struct jp_json_out *out, size_t before, size_t shown) {
    return shown < call->number && out->text->length - before < JP_RPC_MAX_ANSWER;
}

/* --- events --- */

void jp__on_events_subscribe(struct jp_call *call, const void *parameters) {
    const struct jp_record_parameters *given = parameters;
    struct jp_error error;
    uint32_t most = call->rpc->with.quotas.subscriptions;
    if (call->connection->subscription_count >= most) {
        jp_fail(&error, JP_E_QUOTA, "this connection has %u subscriptions; that is the bound", (unsigned)most);
        jp__refuse(call, &error);
        return;
    }
    struct jp_rpc_connection *connection = call->connection;
    struct jp_strings viewable;
    const struct jp_strings *filter;
    if (!jp__viewable(call, &given->pools, &viewable, &filter)) /* what it may view later counts then, event by event */
        return;
    jp_strings_free(&viewable);
    struct jp__wanted wanted = {.pools = given->pools, .messages = full_message_names(&given->messages), .origins = given->origins, .pid = given->pid,
                                .durable = given->durable || !jp__given(call, given->present, "durable"),
                                .from_past = jp__given(call, given->present, "fromSeq"), .from_seq = given->from_seq};
    struct jp_json_out *out = jp__reply_begin(call);
    jp_out_u64(out, "subscription", connection->last_subscription + 1);
    jp_out_u64(out, "seq", wanted.durable ? call->rpc->delivered_seq : call->rpc->newest_seq);
    jp__reply_end(call); /* before the first event */
    jp__subscribe(connection, &wanted);
    jp_strings_free(&wanted.messages);
}

void jp__on_events_unsubscribe(struct jp_call *call, const void *parameters) {
    const struct jp_record_parameters *given = parameters;
    struct jp_error error;
    if (!jp__unsubscribe(call->connection, given->subscription)) {
        jp_fail(&error, JP_E_NO_SUBSCRIPTION, "this connection has no subscription %llu", (unsigned long long)given->subscription);
        jp__refuse(call, &error);
        return;
    }
    jp_out_u64(jp__reply_begin(call), "subscription", given->subscription);
    jp__reply_end(call);
}

static void on_events(void *context, jp_status status, const struct jp_error *error, const struct jp_event *events, size_t count) {
    struct jp_call *call = context;
    if (status) {
        jp__refuse(call, error);
        return;
    }
    if (jp__refuse_unread(call))
        return;
    struct jp_json_out *out = jp__reply_begin(call);
    size_t shown = 0, before = out->text->length;
    jp_out_array(out, "events");
    for (; shown < count && room_for_more(call, out, before, shown); shown++) {
        jp_out_object(out, NULL);
        jp__put_event(out, &events[shown]);
        jp_out_end_object(out);
    }
    jp_out_end_array(out);
    jp_out_bool(out, "more", shown < count);
    jp__reply_end(call);
}

void jp__on_events_query(struct jp_call *call, const void *parameters) {
    const struct jp_record_parameters *given = parameters;
    struct jp_accounts *accounts = call->rpc->with.accounts;
    /* One more than is shown, to tell whether there are more; not of the newest, whose first is not the next. */
    uint32_t limit = limit_of(given);
    struct jp_event_filter filter = {.from_seq = given->from_seq, .pid = given->pid, .limit = limit + !given->newest, .newest = given->newest};
    struct jp_strings viewable;
    if (!read_times(call, given, &filter.from_100ns, &filter.to_100ns) || !jp__viewable(call, &given->pools, &viewable, &filter.pools))
        return;
    call->number = limit;
    struct jp_strings messages = full_message_names(&given->messages);
    filter.messages = messages.count ? &messages : NULL;
    filter.origins = given->origins.count ? &given->origins : NULL;
    accounts->ops->query_events(accounts, &filter, on_events, call);
    jp_strings_free(&messages);
    jp_strings_free(&viewable);
}

/* --- accounting --- */

static void on_summaries(void *context, jp_status status, const struct jp_error *error, const struct jp_summary *summaries, size_t count) {
    if (status) {
        jp__refuse(context, error);
        return;
    }
    if (jp__refuse_unread(context))
        return;
    struct jp_json_out *out = jp__reply_begin(context);
    jp_out_array(out, "pools");
    for (size_t i = 0; i < count; i++) {
        jp_out_object(out, NULL);
        jp__put_summary(out, &summaries[i]);
        jp_out_end_object(out);
    }
    jp_out_end_array(out);
    jp__reply_end(context);
}

/* The list of the pool that was asked for, which may be none; borrowed. */
static struct jp_strings one_pool(const struct jp_record_parameters *given) {
    return (struct jp_strings){.items = (char **)(uintptr_t)&given->pool, .count = given->pool != NULL};
}

struct jp_folding jp__folding(bool each, size_t asked) { return (struct jp_folding){.on = !each, .named = asked > 0}; }

void jp__on_accounting_summary(struct jp_call *call, const void *parameters) {
    const struct jp_record_parameters *given = parameters;
    struct jp_accounts *accounts = call->rpc->with.accounts;
    struct jp_error error;
    struct jp_strings asked = given->pool ? one_pool(given) : given->pools, viewable;
    struct jp_summary_filter filter = {.folding = jp__folding(given->each, asked.count)};
    if (given->pool && given->pools.count) {
        jp_fail(&error, JP_E_PARAMS, "accounting.summary: give either pool or pools");
        jp__refuse(call, &error);
        return;
    }
    if (!read_times(call, given, &filter.from_100ns, &filter.to_100ns) || !jp__viewable(call, &asked, &viewable, &filter.pools))
        return;
    accounts->ops->query_summary(accounts, &filter, on_summaries, call);
    jp_strings_free(&viewable);
}

static void on_processes(void *context, jp_status status, const struct jp_error *error, const struct jp_process_record *records, size_t count) {
    struct jp_call *call = context;
    if (status) {
        jp__refuse(call, error);
        return;
    }
    if (jp__refuse_unread(call))
        return;
    struct jp_json_out *out = jp__reply_begin(call);
    size_t shown = 0, before = out->text->length;
    jp_out_array(out, "processes");
    for (; shown < count && room_for_more(call, out, before, shown); shown++) { /* one more was asked for than is shown */
        jp_out_object(out, NULL);
        jp__put_process_for(out, call->connection, &records[shown]);
        jp_out_end_object(out);
    }
    jp_out_end_array(out);
    jp_out_bool(out, "more", shown < count);
    jp__reply_end(call);
}

void jp__on_accounting_processes(struct jp_call *call, const void *parameters) {
    const struct jp_record_parameters *given = parameters;
    struct jp_accounts *accounts = call->rpc->with.accounts;
    struct jp_error error;
    struct jp_process_filter filter = {.pid = given->pid, .start_100ns = (int64_t)given->start_100ns,
                                       .ending = given->ending, .after_id = (int64_t)given->after_id};
    bool known = !given->ending;
    for (const struct jp_choice *ending = jp_endings; ending->name && !known; ending++)
        known = strcmp(ending->name, given->ending) == 0;
    if (!known) {
        jp_fail(&error, JP_E_PARAMS, "accounting.processes: ending: expected running, exited, crashed, terminated or unknown");
        jp__refuse(call, &error);
        return;
    }
    struct jp_strings asked = one_pool(given), viewable;
    if (!read_times(call, given, &filter.from_100ns, &filter.to_100ns) || !jp__viewable(call, &asked, &viewable, &filter.pools))
        return;
    call->number = limit_of(given);
    filter.limit = limit_of(given) + 1;
    accounts->ops->query_processes(accounts, &filter, on_processes, call);
    jp_strings_free(&viewable);
}

/* --- purging --- */

static jp_status read_filter(const struct jp_call *call, const struct jp_purge_parameters *given, struct jp_purge_filter *filter,
                             struct jp_error *error) {
    const struct jp_rpc_setup *with = &call->rpc->with;
    bool by_age = jp__given(call, given->present, "olderThan");
    filter->pool = given->pool;
    filter->processes = !jp__given(call, given->present, "processes") || given->processes;
    filter->events = !jp__given(call, given->present, "events") || given->events;
    if (!filter->processes && !filter->events)
        return jp_fail(error, JP_E_PARAMS, "accounting.purge: neither processes nor events: then there is nothing to delete");
    if (by_age == (given->before != NULL))
        return jp_fail(error, JP_E_PARAMS, "accounting.purge: give either before or olderThan");
    if (!by_age)
        return jp_time_parse(given->before, &filter->before_100ns, error);
    filter->before_100ns = with->now_100ns(with->clock_context) - (int64_t)given->older_than_100ns;
    return JP_OK;
}

static const char *kinds(const struct jp_purge_filter *filter) {
    return filter->processes && filter->events ? "processes and events" : filter->processes ? "processes" : "events";
}

static void on_purged(void *context, jp_status status, const struct jp_error *error, const struct jp_purged *purged) {
    struct jp_call *call = context;
    char *detail = status ? jp_sprintf("%s; broken off: %s", call->text, error->text)
                          : jp_sprintf("%s: %llu processes, %llu events", call->text, (unsigned long long)purged->processes,
                                       (unsigned long long)purged->events);
    jp_pools_note(call->rpc->with.pools, "ACCOUNTING_PURGED", detail); /* also if it failed: part of it may be gone */
    jp_free(detail);
    if (status) {
        jp__refuse(call, error);
        return;
    }
    struct jp_json_out *out = jp__reply_begin(call);
    jp_out_u64(out, "processes", purged->processes);
    jp_out_u64(out, "events", purged->events);
    jp__reply_end(call);
}

void jp__on_accounting_purge(struct jp_call *call, const void *parameters) {
    const struct jp_purge_parameters *given = parameters;
    struct jp_accounts *accounts = call->rpc->with.accounts;
    struct jp_purge_filter filter = {0};
    struct jp_error error;
    char time[JP_TIME_TEXT];
    if (read_filter(call, given, &filter, &error)) {
        jp__refuse(call, &error);
        return;
    }
    call->text = jp_sprintf("by %s, %s before %s of %s%s", jp__caller(call), kinds(&filter), jp_time_format(filter.before_100ns, time),
                            given->pool ? "pool " : "all pools", given->pool ? given->pool : "");
    accounts->ops->purge(accounts, &filter, on_purged, call);
}

/* --- counters --- */

void jp__on_accounting_reset(struct jp_call *call, const void *parameters) {
    struct jp_pool *pool = call->pool;
    struct jp_error error;
    struct jp_counters old;
    int64_t since_100ns;
    (void)parameters;
    jp_pools_counters(call->rpc->with.pools, pool, &old, &since_100ns);
    if (jp_pools_reset_counters(call->rpc->with.pools, pool, jp__caller(call), &old, &error)) {
        jp__refuse(call, &error);
        return;
    }
    jp__put_counters(jp__reply_hold(call), call->rpc, &old, since_100ns);
    jp__reply_when_durable(call);
}

/* --- the audit trail --- */

static void put_audit(struct jp_json_out *out, const struct jp_audit_record *audit) {
    jp_out_object(out, NULL);
    jp_out_i64(out, "id", audit->id);
    jp_out_time(out, "time", audit->time_100ns);
    jp_out_string(out, "user", audit->user);
    jp_out_string(out, "sid", audit->sid);
    jp_out_u64(out, "clientPid", audit->client_pid);
    jp_out_string(out, "method", audit->method);
    jp_out_string(out, "pool", audit->pool);
    jp_out_u64_if(out, "pid", audit->pid != 0, audit->pid);
    jp_out_bool(out, "allowed", audit->allowed);
    jp_out_string(out, "error", audit->status ? jp_status_name(audit->status) : NULL);
    jp_out_string(out, "detail", audit->detail);
    jp_out_u64(out, "count", audit->count);
    jp_out_end_object(out);
}

static void on_audits(void *context, jp_status status, const struct jp_error *error, const struct jp_audit_record *records, size_t count) {
    struct jp_call *call = context;
    if (status) {
        jp__refuse(call, error);
        return;
    }
    if (jp__refuse_unread(call))
        return;
    struct jp_json_out *out = jp__reply_begin(call);
    size_t shown = 0, before = out->text->length;
    jp_out_array(out, "records");
    for (; shown < count && room_for_more(call, out, before, shown); shown++)
        put_audit(out, &records[shown]);
    jp_out_end_array(out);
    jp_out_bool(out, "more", shown < count);
    jp__reply_end(call);
}

void jp__on_accounting_audit(struct jp_call *call, const void *parameters) {
    const struct jp_audit_parameters *given = parameters;
    struct jp_accounts *accounts = call->rpc->with.accounts;
    struct jp_record_parameters times = {.from = given->from, .to = given->to};
    uint32_t limit = given->limit ? given->limit : DEFAULT_LIMIT;
    struct jp_audit_filter filter = {.user = given->user, .pool = given->pool, .method = given->method, .denied = given->denied,
                                     .after_id = (int64_t)given->after_id, .limit = limit + !given->newest, .newest = given->newest};
    if (!read_times(call, &times, &filter.from_100ns, &filter.to_100ns))
        return;
    call->number = limit;
    accounts->ops->query_audit(accounts, &filter, on_audits, call);
}
