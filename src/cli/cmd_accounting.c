/* The command accounting: totals by pool, or one row a process. Its other verbs stand in cmd_report.c and cmd_database.c. */
#include "cli/cli.h"
#include "cli/totals.h"

#include <string.h>

enum { PAGE = 1000 };

/* ------------------------------------------------------------------------------------------------------------ summary */

const struct jp_option jp_summary_options[] = {
    {"pool|p", "POOL", JP_OPTION_TEXT, "pool", "of this pool only"},
    {"from", "TIME", JP_OPTION_TIME, "from", "processes that began from then on: today, 7d, 2026-11-22 (help units)"},
    {"to", "TIME", JP_OPTION_TIME, "to", "and before then"},
    JP_EACH_OPTION,
    {0},
};

#define SUM_COLUMNS \
    {"PROCESSES", "processes", JP_SHOW_NUMBER}, \
    {"RUNNING", "running", JP_SHOW_NUMBER}, \
    {"EXITED", "exited", JP_SHOW_NUMBER}, \
    {"CRASHED", "crashed", JP_SHOW_NUMBER}, \
    {"TERMINATED", "terminated", JP_SHOW_NUMBER}, \
    {"UNKNOWN", "unknown", JP_SHOW_NUMBER}, \
    {"UNOBSERVED", "unobserved", JP_SHOW_NUMBER}, \
    {"CODE NOT 0", "failures", JP_SHOW_NUMBER}, \
    {"CPU USER", "userTime100ns", JP_SHOW_DURATION}, \
    {"CPU KERNEL", "kernelTime100ns", JP_SHOW_DURATION}, \
    {"WALL", "wallTime100ns", JP_SHOW_DURATION}, \
    {"PEAK COMMIT", "peakCommitBytes", JP_SHOW_BYTES}, \
    {"READ", "readBytes", JP_SHOW_BYTES}, \
    {"WRITTEN", "writeBytes", JP_SHOW_BYTES}, \
    {"CPU KNOWN OF", "withCpu", JP_SHOW_NUMBER}, \
    {"I/O KNOWN OF", "withIo", JP_SHOW_NUMBER}

static const struct jp_show summary_columns[] = {
    {"POOL", "pool", JP_SHOW_TEXT},
    SUM_COLUMNS,
    {0},
};

static cJSON *summary_tail(const cJSON *result, const struct jp_show *columns) {
    const cJSON *rows = jp_get(result, "pools");
    cJSON *tail = cJSON_CreateArray();
    if (cJSON_GetArraySize(rows) > 0) {
        cJSON *total = jp_totals_sum(rows);
        jp_totals_label(total, columns, "TOTAL");
        cJSON_AddItemToArray(tail, total);
    }
    return tail;
}

const struct jp_view jp_summary_view = {.list = "pools", .columns = summary_columns, .shown = 15,
    .gives_way = "unknown,unobserved,running,terminated,exited,writeBytes,readBytes,crashed,userTime100ns", .nothing = "no processes", .tail = summary_tail};

int jp_command_summary(struct jp_cli *cli, cJSON *options) {
    int code = jp_cli_check_pools(cli, options);
    if (code == JP_EXIT_OK)
        return jp_cli_ask(cli, "accounting.summary", options, &jp_summary_view);
    cJSON_Delete(options);
    return code;
}

/* ---------------------------------------------------------------------------------------------------------- processes */

const struct jp_option jp_processes_options[] = {
    {"pool|p", "POOL", JP_OPTION_TEXT, "pool", "of this pool only"},
    {"from", "TIME", JP_OPTION_TIME, "from", "alive then or later: today, 7d, 2026-11-22 (help units)"},
    {"to", "TIME", JP_OPTION_TIME, "to", "that began before then"},
    {"pid", "PID", JP_OPTION_NUMBER, "pid", "those that had this id"},
    {"ending", "running|exited|crashed|terminated|unknown", JP_OPTION_TEXT, "ending", "that ended so"},
    {"limit|n", "N", JP_OPTION_NUMBER, "limit", "at most so many; with --sort the first of all when they are sorted"},
    {0},
};

static const struct jp_show process_columns[] = {
    {"ID", "id", JP_SHOW_NUMBER},
    {"POOL", "pool", JP_SHOW_TEXT},
    {"PID", "pid", JP_SHOW_NUMBER},
    {"STARTED", "started", JP_SHOW_TIME},
    {"ENDED", "ended", JP_SHOW_TIME},
    {"ENDING", "ending", JP_SHOW_STATE},
    {"CODE", "exitCode", JP_SHOW_CODE},
    {"CPU USER", "userTime100ns", JP_SHOW_DURATION},
    {"CPU KERNEL", "kernelTime100ns", JP_SHOW_DURATION},
    {"PEAK COMMIT", "peakCommitBytes", JP_SHOW_BYTES},
    {"USER", "user", JP_SHOW_TEXT},
    {"IMAGE", "image", JP_SHOW_PATH},
    {"START TIME", "startTime", JP_SHOW_NUMBER}, /* from here on only if asked for */
    {"JOINED", "joined", JP_SHOW_TIME},
    {"JOINED BY", "joinedBy", JP_SHOW_TEXT},
    {"CODE NAME", "exitCodeName", JP_SHOW_TEXT},
    {"PARENT", "parentPid", JP_SHOW_NUMBER},
    {"SESSION", "session", JP_SHOW_NUMBER},
    {"COMMAND", "commandLine", JP_SHOW_TEXT},
    {"PEAK WORKING SET", "peakWorkingSetBytes", JP_SHOW_BYTES},
    {"READS", "readOperations", JP_SHOW_NUMBER},
    {"WRITES", "writeOperations", JP_SHOW_NUMBER},
    {"OTHER OPERATIONS", "otherOperations", JP_SHOW_NUMBER},
    {"READ", "readBytes", JP_SHOW_BYTES},
    {"WRITTEN", "writeBytes", JP_SHOW_BYTES},
    {"OTHER BYTES", "otherBytes", JP_SHOW_BYTES},
    {0},
};

const struct jp_view jp_processes_view = {.list = "processes", .columns = process_columns, .shown = 12,
    .gives_way = "ended,user,peakCommitBytes,kernelTime100ns,pid,userTime100ns,started", .nothing = "no processes"};

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
        cJSON *processes = jp_get(page, "processes");
        uint64_t count = (uint64_t)cJSON_GetArraySize(processes);
        const cJSON *last = count == 0 ? NULL : processes->child->prev; /* cJSON: the first item's predecessor is the last */
        jp_json_get_u64(jp_get(last, "id"), &after_id);
        *ret_more = count > 0 && cJSON_IsTrue(jp_get(page, "more"));
        wanted -= count < wanted ? count : wanted;
        jp_cli_move_items(processes, rows);
        cJSON_Delete(page);
    }
    return JP_EXIT_OK;
}

int jp_command_processes(struct jp_cli *cli, cJSON *options) {
    uint64_t wanted = jp_take_number(options, "limit", UINT64_MAX);
    cJSON *result = cJSON_CreateObject();
    bool more = false;
    bool sorted = cli->output.sort != NULL && wanted > 0; /* what is first is not known before all are there */
    cli->output.limit = sorted && wanted != UINT64_MAX ? wanted : 0;
    int code = jp_cli_check_pools(cli, options);
    if (code == JP_EXIT_OK)
        code = append_pages(cli, options, sorted ? UINT64_MAX : wanted, cJSON_AddArrayToObject(result, "processes"), &more);
    cJSON_Delete(options);
    if (code != JP_EXIT_OK) {
        cJSON_Delete(result);
        return code;
    }
    cJSON *rows = jp_get(result, "processes");
    cJSON_AddBoolToObject(result, "more", more || (uint64_t)cJSON_GetArraySize(rows) > wanted);
    return jp_cli_print(cli, result, &jp_processes_view);
}

/* --------------------------------------------------------------------------------------------------------- without a verb */

/* What the summary and the report have; which of them is asked for is not known before the options are. */
static const struct jp_show either_columns[] = {
    {"DAY", "day", JP_SHOW_TEXT},
    {"POOL", "pool", JP_SHOW_TEXT},
    {"USER", "user", JP_SHOW_TEXT},
    {"IMAGE", "image", JP_SHOW_TEXT},
    {"ENDING", "ending", JP_SHOW_TEXT},
    SUM_COLUMNS,
    {0},
};

const struct jp_view jp_accounting_view = {.list = "rows", .columns = either_columns};

/* What only a report can answer makes it one. */
static bool wants_report(const cJSON *options) {
    static const char *const only_report[] = {"by", "user", "image", "ending", "top"};
    for (size_t i = 0; i < sizeof only_report / sizeof *only_report; i++)
        if (jp_get(options, only_report[i]) != NULL)
            return true;
    return cJSON_GetArraySize(jp_get(options, "pools")) > 1;
}

int jp_command_accounting(struct jp_cli *cli, cJSON *options) {
    if (wants_report(options))
        return jp_command_report(cli, options);
    cJSON *pools = cJSON_DetachItemFromObjectCaseSensitive(options, "pools");
    if (pools != NULL)
        jp_json_add_string(options, "pool", pools->child->valuestring);
    cJSON_Delete(pools);
    return jp_command_summary(cli, options);
}
