/* The command accounting: totals by pool, or one row a process. Its verbs stand in cmd_database.c. */
#include "cli/cli.h"

#include <string.h>

enum { PAGE = 1000 };

const struct jp_option jp_accounting_options[] = {
    {"pool", "NAME", JP_OPTION_TEXT, "pool", "of this pool only"},
    {"from", "TIME", JP_OPTION_TIME, "from", "from then on, in UTC: 2026-11-22, or 2026-11-22T07:15:30Z"},
    {"to", "TIME", JP_OPTION_TIME, "to", "until then"},
    {"pid", "PID", JP_OPTION_NUMBER, "pid", "processes: those that had this id"},
    {"ending", "HOW", JP_OPTION_TEXT, "ending", "processes: running, exited, crashed, terminated or unknown"},
    {"limit", "N", JP_OPTION_NUMBER, "limit", "processes: at most so many"},
    {0},
};

static void show_summary(const cJSON *result, struct jp_str *out) {
    static const struct jp_show columns[] = {
        {"POOL", "pool", JP_SHOW_TEXT},
        {"PROCESSES", "processes", JP_SHOW_NUMBER},
        {"RUNNING", "running", JP_SHOW_NUMBER},
        {"EXITED", "exited", JP_SHOW_NUMBER},
        {"CRASHED", "crashed", JP_SHOW_NUMBER},
        {"TERMINATED", "terminated", JP_SHOW_NUMBER},
        {"UNKNOWN", "unknown", JP_SHOW_NUMBER},
        {"UNOBSERVED", "unobserved", JP_SHOW_NUMBER},
        {"CODE NOT 0", "failures", JP_SHOW_NUMBER},
        {"CPU USER", "userTime100ns", JP_SHOW_DURATION},
        {"CPU KERNEL", "kernelTime100ns", JP_SHOW_DURATION},
        {"WALL", "wallTime100ns", JP_SHOW_DURATION},
        {"PEAK COMMIT", "peakCommitBytes", JP_SHOW_BYTES},
        {"READ", "readBytes", JP_SHOW_BYTES},
        {"WRITTEN", "writeBytes", JP_SHOW_BYTES},
        {0},
    };
    jp_show_table(columns, cJSON_GetObjectItemCaseSensitive(result, "pools"), out);
}

static int summary(struct jp_cli *cli, cJSON *options) {
    static const char *const only_processes[] = {"pid", "ending", "limit"};
    for (size_t i = 0; i < sizeof only_processes / sizeof only_processes[0]; i++) {
        if (cJSON_GetObjectItemCaseSensitive(options, only_processes[i]) != NULL) {
            cJSON_Delete(options);
            return jp_cli_misuse(cli, "--%s is for \"accounting processes\"", only_processes[i]);
        }
    }
    return jp_cli_ask(cli, "accounting.summary", options, JP_VIEW(show_summary));
}

static void show_processes(const cJSON *result, struct jp_str *out) {
    static const struct jp_show columns[] = {
        {"ID", "id", JP_SHOW_NUMBER},
        {"POOL", "pool", JP_SHOW_TEXT},
        {"PID", "pid", JP_SHOW_NUMBER},
        {"STARTED", "started", JP_SHOW_TIME},
        {"ENDED", "ended", JP_SHOW_TIME},
        {"ENDING", "ending", JP_SHOW_TEXT},
        {"CODE", "exitCode", JP_SHOW_CODE},
        {"CPU USER", "userTime100ns", JP_SHOW_DURATION},
        {"CPU KERNEL", "kernelTime100ns", JP_SHOW_DURATION},
        {"PEAK COMMIT", "peakCommitBytes", JP_SHOW_BYTES},
        {"USER", "user", JP_SHOW_TEXT},
        {"IMAGE", "image", JP_SHOW_TEXT},
        {0},
    };
    jp_show_table(columns, cJSON_GetObjectItemCaseSensitive(result, "processes"), out);
}

/* One page of the question `filter`, after the row `after_id`. */
static int ask_page(struct jp_cli *cli, const cJSON *filter, uint64_t after_id, uint64_t limit, cJSON **ret_page) {
    cJSON *params = cJSON_Duplicate(filter, true);
    if (after_id > 0)
        jp_json_add_u64(params, "afterId", after_id);
    jp_json_add_u64(params, "limit", limit);
    return jp_cli_call(cli, "accounting.processes", params, JP_CLI_PATIENCE_MS, ret_page);
}

/* Asks page by page, so that no answer grows without bound. *ret_more: there are more rows than were wanted. */
static int append_pages(struct jp_cli *cli, const cJSON *filter, uint64_t wanted, cJSON *rows, bool *ret_more) {
    uint64_t after_id = 0;
    *ret_more = true;
    while (wanted > 0 && *ret_more) {
        cJSON *page = NULL;
        int code = ask_page(cli, filter, after_id, wanted < PAGE ? wanted : PAGE, &page);
        if (code != JP_EXIT_OK)
            return code;
        cJSON *processes = cJSON_GetObjectItemCaseSensitive(page, "processes");
        uint64_t count = (uint64_t)cJSON_GetArraySize(processes);
        const cJSON *last = count == 0 ? NULL : processes->child->prev; /* cJSON: the first item's predecessor is the last */
        jp_json_get_u64(cJSON_GetObjectItemCaseSensitive(last, "id"), &after_id);
        *ret_more = count > 0 && cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(page, "more"));
        wanted -= count < wanted ? count : wanted;
        jp_cli_move_items(processes, rows);
        cJSON_Delete(page);
    }
    return JP_EXIT_OK;
}

static int processes(struct jp_cli *cli, cJSON *options) {
    uint64_t wanted = jp_take_number(options, "limit", UINT64_MAX);
    cJSON *result = cJSON_CreateObject();
    bool more = false;
    int code = append_pages(cli, options, wanted, cJSON_AddArrayToObject(result, "processes"), &more);
    cJSON_Delete(options);
    if (code != JP_EXIT_OK) {
        cJSON_Delete(result);
        return code;
    }
    cJSON_AddBoolToObject(result, "more", more);
    return jp_cli_print(cli, result, JP_VIEW(show_processes));
}

int jp_command_accounting(struct jp_cli *cli, cJSON *options) {
    const char *what = cli->argument_count == 0 ? "summary" : cli->arguments[0];
    if (strcmp(what, "summary") == 0)
        return summary(cli, options);
    if (strcmp(what, "processes") == 0)
        return processes(cli, options);
    cJSON_Delete(options);
    for (const struct jp_command *verb = jp_accounting_verbs; verb->name != NULL; verb++)
        if (strcmp(verb->name, what) == 0)
            return jp_cli_misuse(cli, "\"%s\" comes before its options", what);
    return jp_cli_misuse(cli, "\"%s\" is none of summary, processes, report, audit, purge, reset, backup and check", what);
}
