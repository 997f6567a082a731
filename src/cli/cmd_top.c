/* The command top: a live table on a console, and frames for programs. */
#include "cli/cli.h"

#include "base/units.h"
#include "cli/top_watch.h"

#include <windows.h>

enum { INTERVAL_MIN_MS = 1000, INTERVAL_DEFAULT_MS = 2000, INTERVAL_MAX_MS = 24 * 3600 * 1000 };

const struct jp_option jp_top_options[] = {
    {"interval|d", "TIME", JP_OPTION_DURATION, "--interval", "how often the service is asked: from 1s on (2s)"},
    {"tree|t", NULL, JP_OPTION_SWITCH, "--tree", "pools below the pools that they belong to (key t)"},
    {"pool|p", "NAME", JP_OPTION_TEXT, "pool", "this pool and those below it"},
    {"machine", NULL, JP_OPTION_SWITCH, "--machine", "CPU % of the whole machine, not of one processor (key I)"},
    {"once", NULL, JP_OPTION_SWITCH, "--once", "print one frame, after one interval, and end"},
    {"batch|b", NULL, JP_OPTION_SWITCH, "--batch", "print frame after frame instead of drawing: for files and programs"},
    {"frames|n", "N", JP_OPTION_NUMBER, "--frames", "with --batch: end after so many frames"},
    {0},
};

static const struct jp_show columns[] = {
    {"POOL", "name", JP_SHOW_TEXT},
    {"CPU%", "cpuPercent", JP_SHOW_NUMBER},
    {"MEMORY", "commitBytes", JP_SHOW_BYTES},
    {"LIMIT", "memoryLimitBytes", JP_SHOW_BYTES},
    {"PROCS", "processes", JP_SHOW_NUMBER},
    {"MAX", "processLimit", JP_SHOW_NUMBER},
    {"IO/S", "ioBytesPerSecond", JP_SHOW_BYTES},
    {"EVENTS/S", "eventsPerSecond", JP_SHOW_NUMBER},
    {"BY", "enforcedBy", JP_SHOW_STATE},
    {"PARENT", "parent", JP_SHOW_TEXT},
    {"STATE", "state", JP_SHOW_STATE},
    {"FROZEN", "frozen", JP_SHOW_TEXT},
    {"MACHINE%", "machinePercent", JP_SHOW_NUMBER},
    {"CPU TIME", "cpuTime100ns", JP_SHOW_DURATION},
    {"WORKING SET", "workingSetBytes", JP_SHOW_BYTES},
    {"MEMORY BY", "memoryLimitBy", JP_SHOW_STATE},
    {"READ/S", "readBytesPerSecond", JP_SHOW_BYTES},
    {"WRITE/S", "writeBytesPerSecond", JP_SHOW_BYTES},
    {"TIME", "time", JP_SHOW_TIME}, /* of the frame */
    {0},
};

const struct jp_view jp_top_view = {.list = "pools", .columns = columns, .shown = 9};

/* -------------------------------------------------------------------------------------------------------------- options */

struct wish {
    char *pool;
    bool batch;
    uint64_t frames; /* UINT64_MAX: without an end */
};

static int take_interval(const struct jp_cli *cli, cJSON *options, struct jp_top *top) {
    char *text = jp_take_text(options, "--interval");
    uint64_t interval_100ns = (uint64_t)INTERVAL_DEFAULT_MS * JP_100NS_PER_MS;
    struct jp_error error;
    int code = JP_EXIT_OK;
    if (text != NULL && jp_duration_parse(text, &interval_100ns, &error) != JP_OK)
        code = jp_cli_misuse(cli, "--interval: %s", error.text);
    uint64_t interval_ms = interval_100ns / JP_100NS_PER_MS;
    if (code == JP_EXIT_OK && (interval_ms < INTERVAL_MIN_MS || interval_ms > INTERVAL_MAX_MS))
        code = jp_cli_misuse(cli, "--interval: \"%s\" is not from 1s to 24h", text);
    top->interval_ms = (uint32_t)interval_ms;
    jp_free(text);
    return code;
}

/* What can be sorted by while it lives. Plain tables are sorted by whoever prints them, by any column. */
static int take_sort(const struct jp_cli *cli, struct jp_top *top) {
    static const struct {
        const char *names[3];
        enum jp_top_sort sort;
    } sorts[] = {
        {{"cpuPercent", "cpu%", "machinePercent"}, JP_TOP_BY_CPU}, {{"commitBytes", "memory"}, JP_TOP_BY_MEMORY}, {{"processes", "procs"}, JP_TOP_BY_PROCESSES},
        {{"ioBytesPerSecond", "io/s"}, JP_TOP_BY_IO},              {{"eventsPerSecond", "events/s"}, JP_TOP_BY_EVENTS}, {{"name", "pool"}, JP_TOP_BY_NAME},
    };
    const char *wanted = cli->output.sort;
    if (wanted == NULL)
        return JP_EXIT_OK;
    bool descending = wanted[0] == '-';
    for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++) {
        for (size_t n = 0; n < 3 && sorts[i].names[n] != NULL; n++) {
            if (!jp_ascii_equal_nocase(sorts[i].names[n], wanted + descending))
                continue;
            top->sort = sorts[i].sort;
            top->reversed = descending == (top->sort == JP_TOP_BY_NAME); /* numbers begin with the greatest by themselves */
            return JP_EXIT_OK;
        }
    }
    return jp_cli_misuse(cli, "the live table can be sorted by cpuPercent, commitBytes, processes, ioBytesPerSecond, eventsPerSecond and name");
}

static int take_wish(const struct jp_cli *cli, cJSON *options, struct jp_top *top, struct wish *wish) {
    bool once = jp_take_switch(options, "--once");
    wish->frames = jp_take_number(options, "--frames", UINT64_MAX);
    wish->batch = jp_take_switch(options, "--batch") || once;
    wish->pool = jp_take_text(options, "pool");
    top->tree = jp_take_switch(options, "--tree");
    top->machine = jp_take_switch(options, "--machine");
    int code = take_interval(cli, options, top);
    if (code != JP_EXIT_OK)
        return code;
    if (wish->frames != UINT64_MAX && (!wish->batch || once))
        return jp_cli_misuse(cli, "--frames goes with --batch");
    if (wish->frames == 0)
        return jp_cli_misuse(cli, "--frames: \"0\" is not from 1 on");
    if (once)
        wish->frames = 1;
    if (!wish->batch && cli->output.format != JP_FORMAT_TABLE)
        return jp_cli_misuse(cli, "the live table is for people; --once prints one frame in that format, --batch goes on");
    if (!wish->batch && (cli->output.columns != NULL || cli->output.no_header))
        return jp_cli_misuse(cli, "the live table chooses its columns by the width of the console; --columns and --no-header go with --once and --batch");
    if (!wish->batch && !jp_output_is_console())
        return jp_cli_misuse(cli, "standard output is no console; --once prints one frame, --batch goes on");
    return wish->batch ? JP_EXIT_OK : take_sort(cli, top);
}

/* --------------------------------------------------------------------------------------------------------------- frames */

static int ask(struct jp_cli *cli, struct jp_top *top, const char *pool) {
    cJSON *params = jp_top_question(top), *answer = NULL;
    struct jp_error error;
    if (pool != NULL)
        jp_json_add_string(params, "pool", pool);
    int code = jp_cli_call(cli, "pool.usage", params, JP_CLI_PATIENCE_MS, &answer);
    if (code == JP_EXIT_OK && jp_top_take(top, answer, &error) != JP_OK) {
        jp_complain("%s", error.text);
        code = JP_EXIT_FAILED;
    }
    cJSON_Delete(answer);
    return code;
}

/* Of a tree people see the depth. What was sorted by something else is no tree any more. */
static cJSON *report(const struct jp_cli *cli, const struct jp_top *top) {
    cJSON *report = jp_top_report(top), *row = jp_get(report, "pools")->child;
    if (!top->tree || cli->output.format != JP_FORMAT_TABLE || cli->output.sort != NULL)
        return report;
    for (size_t i = 0; row != NULL && i < top->line_count; i++, row = row->next) {
        char *name = jp_sprintf("%*s%s", 2 * (int)top->lines[i].depth, "", top->lines[i].row->key);
        cJSON_ReplaceItemInObjectCaseSensitive(row, "name", cJSON_CreateString(name));
        jp_free(name);
    }
    return report;
}

/* Rates take two looks: the first frame is there after one interval. Between two tables is an empty line; csv is one table, with one heading. */
static int print_frames(struct jp_cli *cli, struct jp_top *top, const struct wish *wish) {
    int code = ask(cli, top, wish->pool);
    for (uint64_t i = 0; code == JP_EXIT_OK && i < wish->frames && jp_output_good(); i++) {
        Sleep(top->interval_ms);
        code = ask(cli, top, wish->pool);
        if (code == JP_EXIT_OK && i > 0 && cli->output.format == JP_FORMAT_TABLE)
            jp_output("\n", 1);
        if (code == JP_EXIT_OK)
            code = jp_cli_print(cli, report(cli, top), &jp_top_view);
        if (cli->output.format == JP_FORMAT_CSV)
            cli->output.no_header = true;
    }
    return code;
}

int jp_command_top(struct jp_cli *cli, cJSON *options) {
    struct jp_top top = {0};
    struct wish wish = {0};
    int code = take_wish(cli, options, &top, &wish);
    cJSON_Delete(options);
    if (code == JP_EXIT_OK)
        code = wish.batch ? print_frames(cli, &top, &wish) : jp_top_watch(cli, &top, wish.pool);
    jp_top_free(&top);
    jp_free(wish.pool);
    return code;
}
