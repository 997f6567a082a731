/* Verbs of the command accounting that look at more than one row: report and audit. */
#include "cli/cli.h"

#include <string.h>

static cJSON *get(const cJSON *object, const char *key) { return cJSON_GetObjectItemCaseSensitive(object, key); }

/* ------------------------------------------------------------------------------------------------------------- report */

const struct jp_option jp_report_options[] = {
    {"by", "KEYS", JP_OPTION_LIST, "by", "what makes a group: pool, user, image, day, ending, or several: pool,day. Default pool"},
    {"from", "TIME", JP_OPTION_TIME, "from", "processes that began from then on, in UTC: 2026-11-22, or 2026-11-22T07:15:30Z"},
    {"to", "TIME", JP_OPTION_TIME, "to", "and before then"},
    {"pool", "NAME", JP_OPTION_LIST, "pools", "of this pool only; may be repeated"},
    {"user", "ACCOUNT", JP_OPTION_TEXT, "user", "of this account only: DOMAIN\\name"},
    {"image", "FILE", JP_OPTION_TEXT, "image", "of programs of this file name only: cl.exe"},
    {"ending", "HOW", JP_OPTION_TEXT, "ending", "running, exited, crashed, terminated or unknown"},
    {"top", "N", JP_OPTION_NUMBER, "top", "the N groups that have used the most CPU time"},
    {0},
};

/* "pool,day" and repeated options alike. */
static cJSON *split_words(const cJSON *texts) {
    cJSON *words = cJSON_CreateArray();
    const cJSON *text;
    cJSON_ArrayForEach(text, texts) {
        for (const char *at = text->valuestring; *at != '\0';) {
            size_t length = strcspn(at, ",");
            char *word = jp_strndup(at, length);
            if (length > 0)
                cJSON_AddItemToArray(words, cJSON_CreateString(word));
            jp_free(word);
            at += length + (at[length] == ',');
        }
    }
    return words;
}

static void add_cpu_time(const cJSON *sums, const char *key, const char *what, struct jp_str *out) {
    if (!jp_json_get_u64(get(sums, key), &(uint64_t){0})) /* of nobody it is known */
        return;
    jp_str_puts(out, ", CPU ");
    jp_str_puts(out, what);
    jp_str_putc(out, ' ');
    jp_show_value(JP_SHOW_DURATION, get(sums, key), out);
}

/* Only what it was grouped by has columns. */
static void show_report(const cJSON *result, struct jp_str *out) {
    static const struct jp_show all[] = {
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
        {0},
    };
    struct jp_show columns[sizeof all / sizeof *all] = {0};
    const cJSON *rows = get(result, "rows");
    int shown = cJSON_GetArraySize(rows);
    size_t count = 0;
    for (const struct jp_show *column = all; column->title != NULL; column++)
        if (get(rows != NULL ? rows->child : NULL, column->key) != NULL)
            columns[count++] = *column;
    if (count > 0)
        jp_show_table(columns, rows, out);
    jp_str_puts(out, "total: ");
    jp_show_value(JP_SHOW_NUMBER, get(get(result, "total"), "processes"), out);
    jp_str_puts(out, " processes");
    add_cpu_time(get(result, "total"), "userTime100ns", "user", out);
    add_cpu_time(get(result, "total"), "kernelTime100ns", "kernel", out);
    jp_str_putc(out, '\n');
    uint64_t groups = 0;
    if (jp_json_get_u64(get(result, "groups"), &groups) && groups > (uint64_t)shown)
        jp_str_printf(out, "%d of %llu groups are shown\n", shown, (unsigned long long)groups);
    if (cJSON_IsFalse(get(result, "complete"))) {
        jp_str_puts(out, "not complete: of processes that began before ");
        jp_show_value(JP_SHOW_TIME, get(result, "completeFrom"), out);
        jp_str_puts(out, " some were purged (\"accounting summary\" has them)\n");
    }
}

int jp_command_report(struct jp_cli *cli, cJSON *options) {
    cJSON *by = cJSON_DetachItemFromObjectCaseSensitive(options, "by"), *result = NULL;
    if (by != NULL)
        cJSON_AddItemToObject(options, "by", split_words(by));
    cJSON_Delete(by);
    int code = jp_cli_call(cli, "accounting.report", options, JP_CLIENT_NO_TIMEOUT, &result); /* as long as there are rows */
    return code == JP_EXIT_OK ? jp_cli_print(cli, result, JP_VIEW(show_report)) : code;
}

/* -------------------------------------------------------------------------------------------------------------- audit */

const struct jp_option jp_audit_options[] = {
    {"user", "ACCOUNT", JP_OPTION_TEXT, "user", "what this account asked for: DOMAIN\\name"},
    {"pool", "NAME", JP_OPTION_TEXT, "pool", "what was about this pool"},
    {"method", "NAME", JP_OPTION_TEXT, "method", "this method only: pool.terminate"},
    {"denied", NULL, JP_OPTION_SWITCH, "denied", "only what was refused for want of a right"},
    {"from", "TIME", JP_OPTION_TIME, "from", "from then on, in UTC: 2026-11-22, or 2026-11-22T07:15:30Z"},
    {"to", "TIME", JP_OPTION_TIME, "to", "until then"},
    {"newest", NULL, JP_OPTION_SWITCH, "newest", "the last ones instead of the first"},
    {"limit", "N", JP_OPTION_NUMBER, "limit", "at most so many; default 1000"},
    {0},
};

static void show_audit(const cJSON *result, struct jp_str *out) {
    static const struct jp_show columns[] = {
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
        {0},
    };
    jp_show_table(columns, get(result, "records"), out);
    if (cJSON_IsTrue(get(result, "more")))
        jp_str_puts(out, "there are more\n");
}

int jp_command_audit(struct jp_cli *cli, cJSON *options) { return jp_cli_ask(cli, "accounting.audit", options, JP_VIEW(show_audit)); }
