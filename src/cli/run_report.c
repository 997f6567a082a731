/* What a run used, from the accounts of the pool that was made for it: so of the whole tree, also of what ended long ago. */
#include "cli/run.h"

#include "base/units.h"
#include "win32/filetime.h"

enum { RECORD_TIMEOUT_MS = 30000 };

/* ------------------------------------------------------------------------------------- until it is written down */

static cJSON *process_of(const char *pool, const struct jp_run_child *child) {
    cJSON *params = jp_cli_object("pool", pool);
    jp_json_add_u64(params, "pid", child->pid);
    jp_json_add_u64(params, "startTime", child->start_100ns);
    return params;
}

int jp_run_wait_recorded(struct jp_cli *cli, const char *pool, const struct jp_run_child *child) {
    cJSON *ended = NULL;
    struct jp_cli_failure failure;
    /* Answered when the end is on the disk. If the service goes before, its accounts will say it later; we wait for the process. */
    jp_cli_try(cli, "pool.wait", process_of(pool, child), JP_CLIENT_NO_TIMEOUT, &ended, &failure);
    jp_cli_failure_clear(&failure);
    cJSON_Delete(ended);
    return jp_run_wait(child);
}

static void on_empty(void *context, uint64_t call, const struct jp_client_answer *answer) {
    (void)call;
    (void)answer; /* a pool that is gone is empty too */
    SetEvent(context);
}

/* Asked before they are ended: the pool goes with the last of them. */
void jp_run_end_tree_recorded(struct jp_cli *cli, const char *pool, struct jp_run_child *child) {
    struct jp_error error;
    struct jp_str params = {0};
    HANDLE empty = CreateEventW(NULL, TRUE, FALSE, NULL);
    cJSON *object = jp_cli_object("pool", pool);
    jp_json_print(object, &params);
    cJSON_Delete(object);
    struct jp_client_request request = {.method = "pool.wait", .params = jp_str_text(&params), .timeout_ms = RECORD_TIMEOUT_MS,
                                        .context = empty, .on_answer = on_empty};
    uint64_t call;
    bool asked = empty != NULL && child->job != NULL && jp_client_start(cli->client, &request, &call, &error) == JP_OK;
    jp_run_end_tree(child);
    if (asked)
        WaitForSingleObject(empty, INFINITE); /* the call has a time-out; the event must outlive it */
    if (empty != NULL)
        CloseHandle(empty);
    jp_str_free(&params);
}

/* ------------------------------------------------------------------------------------------------------- the report */

static uint64_t wall_100ns(const struct jp_run_child *child) {
    FILETIME began, ended, kernel, user;
    return GetProcessTimes(child->process, &began, &ended, &kernel, &user) ? (uint64_t)(jp_win32_from_filetime(ended) - jp_win32_from_filetime(began)) : 0;
}

/* From the row of accounting.summary. */
static cJSON *make_report(const cJSON *sums, const char *pool, uint64_t time_100ns, uint32_t exit_code) {
    static const char *const keys[] = {"userTime100ns", "kernelTime100ns", "peakCommitBytes", "readBytes", "writeBytes", "processes",
                                       "running", "unobserved"};
    cJSON *report = jp_cli_object("pool", pool);
    jp_json_add_u64(report, "exitCode", exit_code);
    jp_json_add_u64(report, "realTime100ns", time_100ns);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (jp_get(sums, keys[i]) != NULL)
            cJSON_AddItemToObject(report, keys[i], cJSON_Duplicate(jp_get(sums, keys[i]), true));
    return report;
}

static void show_report(cJSON *report, struct jp_str *out) {
    static const struct jp_show fields[] = {
        {"real", "realTime100ns", JP_SHOW_DURATION},
        {"user", "userTime100ns", JP_SHOW_DURATION},
        {"kernel", "kernelTime100ns", JP_SHOW_DURATION},
        {"peak commit", "peakCommitBytes", JP_SHOW_BYTES},
        {"read", "readBytes", JP_SHOW_BYTES},
        {"written", "writeBytes", JP_SHOW_BYTES},
        {"processes", "processes", JP_SHOW_NUMBER},
        {"still running", "running", JP_SHOW_NUMBER},
        {"not seen", "unobserved", JP_SHOW_NUMBER},
        {"exit code", "exitCode", JP_SHOW_CODE},
        {"pool", "pool", JP_SHOW_TEXT},
        {0},
    };
    static const char *const worth_telling[] = {"running", "unobserved"};
    for (size_t i = 0; i < sizeof worth_telling / sizeof *worth_telling; i++) {
        uint64_t count;
        if (jp_json_get_u64(jp_get(report, worth_telling[i]), &count) && count == 0)
            cJSON_DeleteItemFromObjectCaseSensitive(report, worth_telling[i]);
    }
    jp_show_fields(fields, report, out);
}

static void say(const struct jp_cli *cli, cJSON *report) {
    struct jp_str text = {0};
    if (cli->json) {
        cJSON *line = cJSON_CreateObject();
        cJSON_AddItemReferenceToObject(line, "report", report);
        jp_json_print(line, &text);
        jp_str_putc(&text, '\n');
        cJSON_Delete(line);
    } else {
        show_report(report, &text);
    }
    jp_complain_plain(jp_str_text(&text));
    jp_str_free(&text);
}

void jp_run_report(struct jp_cli *cli, const char *pool, const struct jp_run_child *child, uint32_t exit_code) {
    cJSON *result = NULL;
    int code = jp_cli_call(cli, "accounting.summary", jp_cli_object("pool", pool), JP_CLI_PATIENCE_MS, &result);
    const cJSON *sums = cJSON_GetArrayItem(jp_get(result, "pools"), 0);
    if (code == JP_EXIT_OK && sums != NULL) {
        cJSON *report = make_report(sums, pool, wall_100ns(child), exit_code);
        say(cli, report);
        cJSON_Delete(report);
    } else {
        jp_complain("what the command used cannot be told now; later: jobpool accounting --pool %s", pool);
    }
    cJSON_Delete(result);
}
