/* accounting.series: pools over time. */
#include "rpc/rpc_internal.h"

#include "base/units.h"

enum { DEFAULT_POINTS = 200, DEFAULT_DAYS = 1, POINT_BYTES = 330, SERIES_BYTES = 100, LEAST_STEP_S = 60 };

/* It outlives its call when that is cancelled: the accounts call back all the same. */
struct making {
    struct jp_call *call; /* NULL: nobody wants it any more */
    struct jp_accounts *accounts;
    uint64_t number;
    int64_t from_100ns, to_100ns;
};

/* --- what is asked --- */

static bool read_time(const char *text, int64_t *ret_time, struct jp_error *error) {
    return !text || jp_time_parse(text, ret_time, error) == JP_OK;
}

/* No step is shorter than the time between two samples: each has one then, and what was used in it is not what was used in ten. */
static bool read_filter(struct jp_call *call, const struct jp_series_parameters *given, struct jp_series_filter *filter) {
    const struct jp_rpc_setup *with = &call->rpc->with;
    struct jp_error error;
    uint64_t recorded_ms = jp_pools_record_interval_ms(with->pools);
    *filter = (struct jp_series_filter){.to_100ns = with->now_100ns(with->clock_context),
                                        .points = given->points ? given->points : DEFAULT_POINTS,
                                        .least_step_100ns = recorded_ms ? (int64_t)recorded_ms * JP_100NS_PER_MS : (int64_t)LEAST_STEP_S * JP_100NS_PER_S};
    if (!read_time(given->to, &filter->to_100ns, &error)) {
        jp__refuse(call, &error);
        return false;
    }
    filter->from_100ns = filter->to_100ns - DEFAULT_DAYS * INT64_C(86400) * JP_100NS_PER_S;
    bool read = read_time(given->from, &filter->from_100ns, &error);
    if (read && filter->from_100ns >= 0 && filter->from_100ns < filter->to_100ns)
        return true;
    if (read)
        jp_fail(&error, JP_E_PARAMS, "accounting.series: from is not before to, or before 1601");
    jp__refuse(call, &error);
    return false;
}

/* --- what is answered --- */

static void put_point(struct jp_json_out *out, const struct jp_series_point *point) {
    bool memory = point->looked && point->has_memory, io = point->looked && point->has_io;
    jp_out_object(out, NULL);
    jp_out_time(out, "time", point->time_100ns);
    jp_out_u64_if(out, "processes", point->looked, point->processes);
    jp_out_u64(out, "cpuTime100ns", point->spent.cpu_100ns);
    jp_out_u64_if(out, "commitBytes", memory, point->commit_bytes);
    jp_out_u64_if(out, "workingSetBytes", memory, point->working_set_bytes);
    jp_out_u64_if(out, "readBytes", io, point->spent.read_bytes);
    jp_out_u64_if(out, "writeBytes", io, point->spent.write_bytes);
    jp_out_u64_if(out, "memoryLimitBytes", point->looked && point->memory_limit_bytes != UINT64_MAX, point->memory_limit_bytes);
    jp_out_u64_if(out, "processLimit", point->looked && point->process_limit != UINT64_MAX, point->process_limit);
    jp_out_u64_if(out, "cpuRateLimit", point->cpu_rate_limit != 0, point->cpu_rate_limit);
    jp_out_u64(out, "started", point->started);
    jp_out_u64(out, "ended", point->ended);
    jp_out_u64(out, "failures", point->failures);
    jp_out_end_object(out);
}

/* Pools are shown whole or not at all; the first in any case. */
static void put_series(struct jp_json_out *out, const struct making *making, const struct jp_series_result *series) {
    jp_out_time(out, "from", making->from_100ns);
    jp_out_time(out, "to", making->to_100ns);
    jp_out_i64(out, "step100ns", series->step_100ns);
    jp_out_array(out, "series");
    size_t size = 0, shown = 0;
    for (; shown < series->count; shown++) {
        const struct jp_series *pool = &series->series[shown];
        size += SERIES_BYTES + pool->count * POINT_BYTES;
        if (shown && size > JP_RPC_MAX_ANSWER)
            break;
        jp_out_object(out, NULL);
        jp_out_string(out, "pool", pool->pool);
        jp_out_array(out, "points");
        for (size_t i = 0; i < pool->count; i++)
            put_point(out, &pool->points[i]);
        jp_out_end_array(out);
        jp_out_end_object(out);
    }
    jp_out_end_array(out);
    bool more = shown < series->count || series->more;
    jp_out_bool(out, "more", more);
    jp_out_bool(out, "complete", !more && !series->complete_from_100ns);
    jp_out_time(out, "completeFrom", series->complete_from_100ns);
}

static void on_series(void *context, jp_status status, const struct jp_error *error, const struct jp_series_result *series) {
    struct making *making = context;
    struct jp_call *call = making->call;
    if (call) {
        call->cancel = NULL;
        if (status) {
            jp__refuse(call, error);
        } else if (!jp__refuse_unread(call)) {
            put_series(jp__reply_begin(call), making, series);
            jp__reply_end(call);
        }
    }
    jp_free(making);
}

static void cancel_series(struct jp_call *call) {
    struct making *making = call->waiting_for;
    making->call = NULL;
    making->accounts->ops->report_cancel(making->accounts, making->number);
}

void jp__on_accounting_series(struct jp_call *call, const void *parameters) {
    const struct jp_series_parameters *given = parameters;
    struct jp_accounts *accounts = call->rpc->with.accounts;
    struct jp_series_filter filter;
    struct jp_strings viewable;
    if (!read_filter(call, given, &filter) || !jp__viewable(call, &given->pools, &viewable, &filter.pools))
        return;
    filter.folding = jp__folding(given->each, given->pools.count);
    struct making *making = jp_alloc(sizeof *making);
    *making = (struct making){.call = call, .accounts = accounts, .from_100ns = filter.from_100ns, .to_100ns = filter.to_100ns};
    call->waiting_for = making;
    call->cancel = cancel_series;
    making->number = accounts->ops->query_series(accounts, &filter, on_series, making);
    jp_strings_free(&viewable);
}
