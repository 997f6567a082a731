/* Verbs of the command accounting that change the accounts, or have to do with the database as a file: purge, reset, backup, check.
 *
 * backup and check are done here, with the rights of whoever calls, not by the service: it would write, or read, with its own rights
 * what a client names. */
#include "cli/cli.h"

#include "store/backup.h"
#include "win32/paths.h"

#include <string.h>

/* -------------------------------------------------------------------------------------------------------------- purge */

static const struct jp_option purge_options[] = {
    {"before", "TIME", JP_OPTION_TIME, "before", "what ended or happened before then: yesterday, 90d, 2026-11-22 (help units)"},
    {"older-than", "TIME", JP_OPTION_DURATION, "olderThan", "what is older than this: 90d"},
    {"pool|p", "POOL", JP_OPTION_TEXT, "pool", "of this pool only, which need not be there any more"},
    {"processes-only", NULL, JP_OPTION_SWITCH, "--processes-only", "no events"},
    {"events-only", NULL, JP_OPTION_SWITCH, "--events-only", "no rows of processes"},
    {0},
};

static void show_purged(const cJSON *result, struct jp_str *out) {
    jp_str_puts(out, "deleted: ");
    jp_show_value(JP_SHOW_NUMBER, jp_get(result, "processes"), out);
    jp_str_puts(out, " rows of processes, ");
    jp_show_value(JP_SHOW_NUMBER, jp_get(result, "events"), out);
    jp_str_puts(out, " events\n");
}

static int purge(struct jp_cli *cli, cJSON *options) {
    bool processes_only = jp_take_switch(options, "--processes-only"), events_only = jp_take_switch(options, "--events-only");
    int code = JP_EXIT_OK;
    if ((jp_get(options, "before") == NULL) == (jp_get(options, "olderThan") == NULL))
        code = jp_cli_misuse(cli, "how old? Give either --before or --older-than");
    else if (processes_only && events_only)
        code = jp_cli_misuse(cli, "either --processes-only or --events-only, not both");
    if (code == JP_EXIT_OK)
        code = jp_cli_check_pools(cli, options);
    if (code != JP_EXIT_OK) {
        cJSON_Delete(options);
        return code;
    }
    if (processes_only)
        cJSON_AddFalseToObject(options, "events");
    if (events_only)
        cJSON_AddFalseToObject(options, "processes");
    cJSON *result = NULL; /* it takes as long as there is to delete */
    jp_progress("deleting what is old");
    code = jp_cli_call(cli, "accounting.purge", options, JP_CLIENT_NO_TIMEOUT, &result);
    jp_progress(NULL);
    return code == JP_EXIT_OK ? jp_cli_print(cli, result, JP_VIEW(show_purged)) : code;
}

/* -------------------------------------------------------------------------------------------------------------- reset */

static void show_counters(const cJSON *result, struct jp_str *out) {
    static const struct jp_show fields[] = {
        {"since", "since", JP_SHOW_TIME},
        {"processes ended", "processes", JP_SHOW_NUMBER},
        {"exited", "exited", JP_SHOW_NUMBER},
        {"crashed", "crashed", JP_SHOW_NUMBER},
        {"terminated", "terminated", JP_SHOW_NUMBER},
        {"unknown", "unknown", JP_SHOW_NUMBER},
        {"code not 0", "failures", JP_SHOW_NUMBER},
        {"unobserved", "unobserved", JP_SHOW_NUMBER},
        {"CPU time, user", "userTime100ns", JP_SHOW_DURATION},
        {"CPU time, kernel", "kernelTime100ns", JP_SHOW_DURATION},
        {"bytes read", "readBytes", JP_SHOW_BYTES},
        {"bytes written", "writeBytes", JP_SHOW_BYTES},
        {"peak commit", "peakCommitBytes", JP_SHOW_BYTES},
        {0},
    };
    jp_str_puts(out, "set to zero; before that:\n");
    jp_show_fields(fields, result, out);
}

static int reset(struct jp_cli *cli, cJSON *options) {
    jp_json_add_string(options, "pool", cli->arguments[0]);
    return jp_cli_ask(cli, "accounting.reset", options, JP_VIEW(show_counters));
}

/* ------------------------------------------------------------------------------------------------------- the database */

static bool is_absolute(const char *file) {
    return file[0] == '\\' || file[0] == '/' || (file[0] != '\0' && file[1] == ':');
}

/* The service's database. `instead` says how the file is named where no service can. JP_EXIT_OK with the name (jp_free). */
static int ask_for_file(struct jp_cli *cli, const char *instead, char **ret_file) {
    cJSON *status = NULL;
    int code = jp_cli_call(cli, "service.status", NULL, JP_CLI_PATIENCE_MS, &status);
    if (code == JP_EXIT_UNREACHABLE)
        jp_complain("without the service, say which file: %s", instead);
    if (code != JP_EXIT_OK)
        return code;
    const char *file = cJSON_GetStringValue(jp_get(jp_get(status, "database"), "file"));
    if (file != NULL && is_absolute(file)) {
        *ret_file = jp_strdup(file);
    } else {
        jp_complain("the service's database is \"%s\", in a folder of its own choice; say which file: %s", file == NULL ? "" : file, instead);
        code = JP_EXIT_FAILED;
    }
    cJSON_Delete(status);
    return code;
}

/* A large database takes minutes. */
static void show_progress(void *context, uint64_t done_bytes, uint64_t total_bytes) {
    int *shown = context, percent = total_bytes > 0 ? (int)((double)done_bytes * 100 / (double)total_bytes) : 100;
    if (percent == *shown)
        return;
    *shown = percent;
    char *text = jp_sprintf("copying: %3d%%", percent);
    jp_progress(percent == 100 ? NULL : text);
    jp_free(text);
}

static const struct jp_option backup_options[] = {
    {"database", "FILE", JP_OPTION_TEXT, "--database", "the database to copy; without it, the one that the service has open"},
    {"force", NULL, JP_OPTION_SWITCH, "--force", "the copy takes the place of a file that is there"},
    {0},
};

static void show_backup(const cJSON *result, struct jp_str *out) {
    jp_str_puts(out, "copied ");
    jp_show_value(JP_SHOW_TEXT, jp_get(result, "database"), out);
    jp_str_puts(out, " to ");
    jp_show_value(JP_SHOW_TEXT, jp_get(result, "file"), out);
    jp_str_putc(out, '\n');
}

static int backup(struct jp_cli *cli, cJSON *options) {
    char *from = jp_take_text(options, "--database");
    int code = JP_EXIT_OK, shown = -1;
    struct jp_backup_options how = {
        .overwrite = jp_take_switch(options, "--force"), .context = &shown, .on_progress = jp_progress_is_shown() ? show_progress : NULL};
    struct jp_error error;
    cJSON_Delete(options);
    if (from == NULL)
        code = ask_for_file(cli, "--database FILE", &from);
    if (code == JP_EXIT_OK && jp_store_backup(from, cli->arguments[0], &how, &error) != JP_OK) {
        jp_progress(NULL);
        jp_complain("%s", error.text);
        if (!how.overwrite && from != NULL && !jp_ascii_equal_nocase(from, cli->arguments[0]) && jp_win32_file_exists(cli->arguments[0]) &&
            !jp_win32_is_folder(cli->arguments[0]))
            jp_complain("--force puts the copy into its place");
        code = JP_EXIT_FAILED;
    }
    if (code == JP_EXIT_OK) {
        cJSON *result = jp_cli_object("database", from);
        jp_json_add_string(result, "file", cli->arguments[0]);
        jp_cli_print(cli, result, JP_VIEW(show_backup));
    }
    jp_free(from);
    return code;
}

/* SQLite's own may have several lines. */
static void add_finding(void *context, const char *finding) {
    while (*finding != '\0') {
        size_t length = strcspn(finding, "\n");
        char *line = jp_strndup(finding, length);
        cJSON_AddItemToArray(context, cJSON_CreateString(line));
        jp_free(line);
        finding += length + (finding[length] == '\n');
    }
}

static void show_check(const cJSON *result, struct jp_str *out) {
    const cJSON *finding;
    cJSON_ArrayForEach(finding, jp_get(result, "findings")) {
        jp_show_value(JP_SHOW_TEXT, finding, out);
        jp_str_putc(out, '\n');
    }
    jp_show_value(JP_SHOW_TEXT, jp_get(result, "file"), out);
    jp_str_puts(out, cJSON_IsTrue(jp_get(result, "ok")) ? ": ok\n" : ": damaged\n");
}

static int check(struct jp_cli *cli, cJSON *options) {
    char *file = cli->argument_count == 1 ? jp_strdup(cli->arguments[0]) : NULL;
    struct jp_error error;
    int code = JP_EXIT_OK;
    cJSON_Delete(options);
    if (file == NULL)
        code = ask_for_file(cli, "jobpool accounting check FILE", &file);
    if (code != JP_EXIT_OK)
        return code;
    cJSON *result = jp_cli_object("file", file);
    cJSON *findings = cJSON_CreateArray();
    jp_progress("reading the database");
    if (jp_store_check(file, add_finding, findings, &error) != JP_OK)
        code = JP_EXIT_FAILED;
    jp_progress(NULL);
    cJSON_AddBoolToObject(result, "ok", code == JP_EXIT_OK);
    if (code == JP_EXIT_FAILED && findings->child == NULL) { /* it could not be looked at */
        jp_complain("%s", error.text);
        cJSON_Delete(findings);
        cJSON_Delete(result);
    } else {
        cJSON_AddItemToObject(result, "findings", findings);
        jp_cli_print(cli, result, JP_VIEW(show_check));
    }
    jp_free(file);
    return code;
}

const struct jp_command jp_accounting_verbs[] = {
    {.name = "summary",
     .summary = "totals by pool",
     .details = "Whole hours come from sums that outlive the rows of processes: what was purged is still counted. Pools that were made for one run of\n"
                "something (jobpool run --limit) are counted in the pool above; --each shows them one by one, --pool NAME one of them, until their rows\n"
                "are purged.",
     .examples = "jobpool accounting summary --from yesterday --to today\n"
                 "jobpool accounting summary --from today --each",
     .options = jp_summary_options, .view = &jp_summary_view, .run = jp_command_summary},
    {.name = "processes",
     .summary = "a row for each process",
     .details = "Oldest first. Processes of single runs (jobpool run --limit) stand under the pools that were made for them, POOL.run-PID-TIME.",
     .examples = "jobpool accounting processes --pool build --ending crashed\n"
                 "# the ten that began last\n"
                 "jobpool accounting processes --sort -started -n 10\n"
                 "# the whole record as lines of JSON\n"
                 "jobpool accounting processes --format ndjson",
     .options = jp_processes_options, .view = &jp_processes_view, .run = jp_command_processes},
    {.name = "report",
     .summary = "what processes have used, by pool, user, program, day and ending",
     .details = "KEYS of --by are any of pool, user, image, day (UTC, of the beginning) and ending. --image is a file name without a folder. Rows stand\n"
                "by CPU time. With --top the groups that are not shown are one row above the TOTAL, in tables. Running processes count with what they\n"
                "have used so far. Where rows were purged, the report says from when on it is complete. Pools that were made for one run of something\n"
                "(jobpool run --limit) are counted in the pool above; --each shows them one by one.",
     .examples = "jobpool accounting report --by image --top 5\n"
                 "jobpool accounting report --by pool,day --from 30d --format csv",
     .options = jp_report_options, .view = &jp_report_view, .run = jp_command_report},
    {.name = "audit",
     .summary = "who asked the service for what, and whether it was done",
     .details = "Only an administrator of the service may see it. --denied: what was refused for want of a right; --newest: the last ones instead of\n"
                "the first.",
     .examples = "jobpool accounting audit --newest -n 20",
     .options = jp_audit_options, .view = &jp_audit_view, .run = jp_command_audit},
    {.name = "purge",
     .summary = "delete rows of ended processes, and events, that are old",
     .details = "What the processes used stays in the totals, by the hour and by the day, and in the counters of the pools. Rows of\n"
                "processes that run are not touched. What is deleted is told as the event ACCOUNTING_PURGED.",
     .examples = "jobpool accounting purge --older-than 90d",
     .options = purge_options, .run = purge},
    {.name = "reset", .arguments = "POOL",
     .summary = "set a pool's counters to zero",
     .details = "Who did it and what they stood at is recorded. Rows and totals stay as they are.",
     .examples = "jobpool accounting reset build",
     .min_arguments = 1, .max_arguments = 1, .run = reset},
    {.name = "backup", .arguments = "FILE",
     .summary = "copy the database, while the service writes to it",
     .details = "The copy is whole, as of the moment that copying began. It is this program that copies, with your rights: you must be able to\n"
                "read the service's database.",
     .examples = "jobpool accounting backup copy.db --force",
     .options = backup_options, .min_arguments = 1, .max_arguments = 1, .run = backup},
    {.name = "check", .arguments = "[FILE]",
     .summary = "look whether the database, or a copy, is damaged: exit code 0 if not, 1 if it is",
     .details = "Reads all of it, with your rights; without FILE, that of the service. A line for each finding.",
     .examples = "jobpool accounting check",
     .max_arguments = 1, .run = check},
    {0},
};
