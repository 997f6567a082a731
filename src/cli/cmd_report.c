/* Verbs of the command accounting that look at more than one row: report and audit. */
#include "cli/cli.h"
#include "cli/totals.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------------------------- report */

const struct jp_option jp_report_options[] = {
    {"by", "pool|user|image|day|ending", JP_OPTION_LIST, "by", "what makes a group; several: pool,day. Default pool"},
    {"from", "TIME", JP_OPTION_TIME, "from", "processes that began from then on: today, 7d, 2026-11-22 (help units)"},
    {"to", "TIME", JP_OPTION_TIME, "to", "and before then"},
    {"pool|p", "POOL", JP_OPTION_LIST, "pools", "of this pool only; may be repeated"},
    {"user", "ACCOUNT", JP_OPTION_TEXT, "user", "of this account only: DOMAIN\\name"},
    {"image", "FILE", JP_OPTION_TEXT, "image", "of programs of this file name only: cl.exe"},
    {"ending", "running|exited|crashed|terminated|unknown", JP_OPTION_TEXT, "ending", "only what ended so"},
    {"top|n", "N", JP_OPTION_NUMBER, "top", "the N groups that have used the most CPU time"},
    JP_EACH_OPTION,
    {0},
};

static const struct jp_show report_columns[] = {
    {"DAY", "day", JP_SHOW_TEXT},
    {"POOL", "pool", JP_SHOW_TEXT},
    {"USER", "user", JP_SHOW_TEXT},
    {"IMAGE", "image", JP_SHOW_TEXT},
    {"ENDING", "ending", JP_SHOW_TEXT},
    {"PROCESSES", "processes", JP_SHOW_NUMBER},
    {"RUNNING", "running", JP_SHOW_NUMBER},
    {"CODE NOT 0", "failures", JP_SHOW_NUMBER},
    {"CPU USER", "userTime100ns", JP_SHOW_DURATION},
    {"CPU KERNEL", "kernelTime100ns", JP_SHOW_DURATION},
    {"WALL", "wallTime100ns", JP_SHOW_DURATION},
    {"PEAK COMMIT", "peakCommitBytes", JP_SHOW_BYTES},
    {"READ", "readBytes", JP_SHOW_BYTES},
    {"WRITTEN", "writeBytes", JP_SHOW_BYTES},
    {"EXITED", "exited", JP_SHOW_NUMBER}, /* from here on only if asked for */
    {"CRASHED", "crashed", JP_SHOW_NUMBER},
    {"TERMINATED", "terminated", JP_SHOW_NUMBER},
    {"UNKNOWN", "unknown", JP_SHOW_NUMBER},
    {"CPU KNOWN OF", "withCpu", JP_SHOW_NUMBER},
    {"I/O KNOWN OF", "withIo", JP_SHOW_NUMBER},
    {0},
};

enum { GROUP_COLUMNS = 5, REPORT_SHOWN = 14 };

/* The groups that are not shown as one row, so that the rows add up to the last one, the service's own total. */
static cJSON *report_tail(const cJSON *result, const struct jp_show *columns) {
    const cJSON *rows = jp_get(result, "rows");
    uint64_t groups = 0, shown = (uint64_t)cJSON_GetArraySize(rows);
    cJSON *tail = cJSON_CreateArray();
    if (jp_json_get_u64(jp_get(result, "groups"), &groups) && groups > shown) {
        cJSON *rest = jp_totals_rest(jp_get(result, "total"), rows);
        char *label = jp_sprintf("(%llu more)", (unsigned long long)(groups - shown));
        jp_totals_label(rest, columns, label);
        jp_free(label);
        cJSON_AddItemToArray(tail, rest);
    }
    cJSON *total = cJSON_Duplicate(jp_get(result, "total"), true);
    jp_totals_label(total, columns, "TOTAL");
    cJSON_AddItemToArray(tail, total);
    return tail;
}

static void after_report(const cJSON *result, struct jp_str *out) {
    if (!cJSON_IsFalse(jp_get(result, "complete")))
        return;
    jp_str_puts(out, "not complete: of processes that began before ");
    jp_show_value(JP_SHOW_TIME, jp_get(result, "completeFrom"), out);
    jp_str_puts(out, " some were purged (\"accounting summary\" has them)\n");
}

const struct jp_view jp_report_view = {
    .list = "rows", .columns = report_columns, .shown = REPORT_SHOWN,
    .gives_way = "running,writeBytes,readBytes,kernelTime100ns", .after = after_report, .tail = report_tail};

static bool is_among(const cJSON *words, const char *word) {
    const cJSON *item;
    cJSON_ArrayForEach(item, words) {
        if (strcmp(item->valuestring, word) == 0)
            return true;
    }
    return false;
}

/* Of the five that can make a group, only those that do have columns. */
static struct jp_view view_by(const cJSON *by, struct jp_show *columns) {
    size_t left_out = 0, count = 0;
    for (size_t i = 0; report_columns[i].title != NULL; i++) {
        const char *key = report_columns[i].key;
        bool shown = i >= GROUP_COLUMNS || (by == NULL ? strcmp(key, "pool") == 0 : is_among(by, key));
        if (shown)
            columns[count++] = report_columns[i];
        else
            left_out++;
    }
    struct jp_view view = jp_report_view;
    view.columns = columns;
    view.shown = REPORT_SHOWN - left_out;
    return view;
}

int jp_command_report(struct jp_cli *cli, cJSON *options) {
    struct jp_show columns[sizeof report_columns / sizeof *report_columns] = {0};
    struct jp_view view = view_by(jp_get(options, "by"), columns);
    struct jp_error error;
    if (jp_view_check(&view, &cli->output, &error) != JP_OK) {
        cJSON_Delete(options);
        return jp_cli_misuse(cli, "%s", error.text);
    }
    int code = jp_cli_check_pools(cli, options);
    if (code != JP_EXIT_OK) {
        cJSON_Delete(options);
        return code;
    }
    cJSON *result = NULL;
    cli->progress = "reading the accounts";
    code = jp_cli_call(cli, "accounting.report", options, JP_CLIENT_NO_TIMEOUT, &result); /* as long as there are rows */
    return code == JP_EXIT_OK ? jp_cli_print(cli, result, &view) : code;
}

/* -------------------------------------------------------------------------------------------------------------- audit */

const struct jp_option jp_audit_options[] = {
    {"user", "ACCOUNT", JP_OPTION_TEXT, "user", "what this account asked for: DOMAIN\\name"},
    {"pool|p", "POOL", JP_OPTION_TEXT, "pool", "what was about this pool"},
    {"method", "NAME", JP_OPTION_TEXT, "method", "this method only: pool.terminate"},
    {"denied", NULL, JP_OPTION_SWITCH, "denied", "only what was refused for want of a right"},
    {"from", "TIME", JP_OPTION_TIME, "from", "from then on: today, 7d, 2026-11-22 (help units)"},
    {"to", "TIME", JP_OPTION_TIME, "to", "until then"},
    {"newest", NULL, JP_OPTION_SWITCH, "newest", "the last ones instead of the first"},
    {"limit|n", "N", JP_OPTION_NUMBER, "limit", "at most so many; default 1000"},
    {0},
};

static const struct jp_show audit_columns[] = {
    {"ID", "id", JP_SHOW_NUMBER},
    {"TIME", "time", JP_SHOW_TIME},
    {"USER", "user", JP_SHOW_TEXT},
    {"FROM PID", "clientPid", JP_SHOW_NUMBER},
    {"METHOD", "method", JP_SHOW_TEXT},
    {"POOL", "pool", JP_SHOW_TEXT},
    {"PID", "pid", JP_SHOW_NUMBER},
    {"ALLOWED", "allowed", JP_SHOW_JSON},
    {"ERROR", "error", JP_SHOW_TEXT},
    {"TIMES", "count", JP_SHOW_NUMBER},
    {"DETAIL", "detail", JP_SHOW_TEXT},
    {"SID", "sid", JP_SHOW_TEXT}, /* only if asked for */
    {0},
};

static void after_audit(const cJSON *result, struct jp_str *out) {
    if (cJSON_IsTrue(jp_get(result, "more")))
        jp_str_puts(out, "there are more\n");
}

const struct jp_view jp_audit_view = {.list = "records", .columns = audit_columns, .shown = 11,
    .gives_way = "clientPid,count,pid,id", .nothing = "no requests", .after = after_audit};

int jp_command_audit(struct jp_cli *cli, cJSON *options) { return jp_cli_ask(cli, "accounting.audit", options, &jp_audit_view); }
