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
static void add_names(cJSON *object, const struct jp_report_row *row, uint32_t by) {
    char time[JP_TIME_TEXT];
    if (by & JP_REPORT_POOL)
        jp_json_add_string(object, "pool", row->pool);
    if (by & JP_REPORT_USER)
        jp_json_add_string(object, "user", row->user);
    if (by & JP_REPORT_IMAGE)
        jp_json_add_string(object, "image", row->image);
    if (by & JP_REPORT_DAY) {
        jp_time_format(row->day_100ns, time);
        time[strcspn(time, "T")] = '\0';
        cJSON_AddStringToObject(object, "day", time);
    }
    if (by & JP_REPORT_ENDING)
        jp_json_add_string(object, "ending", row->ending);
}

/* As in accounting.summary, but for what has no rows. */
static void add_sums(cJSON *object, const struct jp_summary *sums) {
    cJSON *all = jp__render_summary(sums);
    cJSON_DeleteItemFromObjectCaseSensitive(all, "pool");
    cJSON_DeleteItemFromObjectCaseSensitive(all, "unobserved");
    while (all->child) {
        cJSON *item = cJSON_DetachItemViaPointer(all, all->child);
        cJSON_AddItemToObject(object, item->string, item);
    }
    cJSON_Delete(all);
}

static size_t length_of(const char *text) { return text ? strlen(text) : 0; }

static cJSON *render(const struct jp_report *report, uint32_t by) {
    enum { ROW_WITHOUT_TEXT = 400 };
    char since[JP_TIME_TEXT];
    cJSON *result = cJSON_CreateObject();
    cJSON *rows = cJSON_AddArrayToObject(result, "rows");
    size_t size = 0;
    for (size_t i = 0; i < report->count && size < JP_RPC_MAX_ANSWER; i++) {
        const struct jp_report_row *row = &report->rows[i];
        cJSON *object = cJSON_CreateObject();
        add_names(object, row, by);
        add_sums(object, &row->sums);
        cJSON_AddItemToArray(rows, object);
        size += ROW_WITHOUT_TEXT + length_of(row->pool) + length_of(row->user) + length_of(row->image);
    }
    jp_json_add_u64(result, "groups", report->groups);
    add_sums(cJSON_AddObjectToObject(result, "total"), &report->total);
    cJSON_AddBoolToObject(result, "complete", !report->complete_from_100ns);
    jp_json_add_string(result, "completeFrom", report->complete_from_100ns ? jp_time_format(report->complete_from_100ns, since) : NULL);
    return result;
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
    if (status)
        jp__refuse(call, error);
    else
        jp__reply(call, render(report, by));
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
