/* accounting.report: what processes have used, grouped by what one likes. */
#include "rpc/rpc_internal.h"

#include "base/units.h"

#include <string.h>

/* A report outlives its call when that is cancelled: the accounts call back all the same. */
struct making {
    struct jp_call *call; /* NULL: nobody wants it any more */
    struct jp_accounts *accounts;
    uint64_t number;
    uint32_t by;
    uint64_t done_rows, all_rows;
};

/* --- what is asked --- */

static bool read_time(const char *text, int64_t *ret_time, struct jp_error *error) {
    return !text || jp_time_parse(text, ret_time, error) == JP_OK;
}

static bool read_filter(struct jp_call *call, const struct jp_report_parameters *given, struct jp_report_filter *filter) {
    struct jp_error error;
    bool known = !given->ending;
    *filter = (struct jp_report_filter){.by = jp__given(call, given->present, "by") ? given->by : JP_REPORT_POOL, .user = given->user,
                                        .image = given->image, .ending = given->ending, .limit = given->top};
    for (const struct jp_choice *ending = jp_endings; ending->name && !known; ending++)
        known = strcmp(ending->name, given->ending) == 0;
    if (!known)
        jp_fail(&error, JP_E_PARAMS, "accounting.report: ending: expected running, exited, crashed, terminated or unknown");
    else if (read_time(given->from, &filter->from_100ns, &error) && read_time(given->to, &filter->to_100ns, &error))
        return true;
    jp__refuse(call, &error);
    return false;
}

/* --- what is answered --- */

/* What a group is of; what is not known of it is null. */
static void put_group(struct jp_json_out *out, const struct jp_report_row *row, uint32_t by) {
    char time[JP_TIME_TEXT];
    if (by & JP_REPORT_POOL)
        jp_out_string(out, "pool", row->pool);
    if (by & JP_REPORT_USER)
        jp_out_string(out, "user", row->user);
    if (by & JP_REPORT_IMAGE)
        jp_out_string(out, "image", row->image);
    if (by & JP_REPORT_DAY) {
        jp_time_format(row->day_100ns, time);
        time[strcspn(time, "T")] = '\0';
        jp_out_string(out, "day", time);
    }
    if (by & JP_REPORT_ENDING)
        jp_out_string(out, "ending", row->ending);
}

static void put_report(struct jp_json_out *out, const struct jp_report *report, uint32_t by) {
    size_t before = out->text->length;
    jp_out_array(out, "rows");
    for (size_t i = 0; i < report->count && out->text->length - before < JP_RPC_MAX_ANSWER; i++) {
        jp_out_object(out, NULL);
        put_group(out, &report->rows[i], by);
        jp__put_sums(out, &report->rows[i].sums);
        jp_out_end_object(out);
    }
    jp_out_end_array(out);
    jp_out_u64(out, "groups", report->groups);
    jp_out_object(out, "total");
    jp__put_sums(out, &report->total);
    jp_out_end_object(out);
    jp_out_bool(out, "complete", !report->complete_from_100ns);
    jp_out_time(out, "completeFrom", report->complete_from_100ns);
}

/* --- on the way --- */

static void on_progress(void *context, uint64_t done_rows, uint64_t all_rows) {
    struct making *making = context;
    making->done_rows = done_rows;
    making->all_rows = all_rows;
}

static void tell(struct jp_call *call) {
    const struct making *making = call->waiting_for;
    cJSON *value = cJSON_CreateObject();
    jp_json_add_u64(value, "done", making->done_rows);
    jp_json_add_u64(value, "total", making->all_rows);
    jp__progress(call, value);
}

static void on_report(void *context, jp_status status, const struct jp_error *error, const struct jp_report *report) {
    struct making *making = context;
    struct jp_call *call = making->call;
    uint32_t by = making->by;
    jp_free(making);
    if (!call)
        return;
    call->cancel = NULL;
    if (status) {
        jp__refuse(call, error);
        return;
    }
    if (jp__refuse_unread(call))
        return;
    put_report(jp__reply_begin(call), report, by);
    jp__reply_end(call);
}

static void cancel_report(struct jp_call *call) {
    struct making *making = call->waiting_for;
    making->call = NULL;
    making->accounts->ops->report_cancel(making->accounts, making->number);
}

void jp__on_accounting_report(struct jp_call *call, const void *parameters) {
    const struct jp_report_parameters *given = parameters;
    struct jp_accounts *accounts = call->rpc->with.accounts;
    struct jp_report_filter filter;
    struct jp_strings viewable;
    if (!read_filter(call, given, &filter) || !jp__viewable(call, &given->pools, &viewable, &filter.pools))
        return;
    filter.folding = jp__folding(given->each, given->pools.count);
    struct making *making = jp_alloc(sizeof *making);
    *making = (struct making){.call = call, .accounts = accounts, .by = filter.by};
    call->waiting_for = making;
    call->cancel = cancel_report;
    making->number = accounts->ops->query_report(accounts, &filter, on_progress, on_report, making);
    jp_strings_free(&viewable);
    jp__call_tell_progress(call, tell);
}
