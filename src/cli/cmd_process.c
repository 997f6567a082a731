/* Commands about processes: launch, assign, ps, kill, wait. */
#include "cli/cli.h"

#include <string.h>
#include <windows.h>

/* Copies what names a process, and its pool, from an answer to a question. */
static cJSON *same_process(const cJSON *result) {
    static const char *const keys[] = {"pool", "pid", "startTime"};
    cJSON *params = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        cJSON_AddItemToObject(params, keys[i], cJSON_Duplicate(jp_get(result, keys[i]), true));
    return params;
}

/* ------------------------------------------------------------------------------------------------- assign and launch */

static bool has_pool(const struct jp_cli *cli, cJSON *options) {
    bool given = jp_get(options, "pool") != NULL;
    if (!given)
        jp_cli_misuse(cli, "which pool? Give --pool NAME");
    return given;
}

const struct jp_option jp_assign_options[] = {
    {"pool|p", "POOL", JP_OPTION_TEXT, "pool", "the pool (required)"},
    {"start-time", "T", JP_OPTION_NUMBER, "startTime", "only the process that began then (startTime, 100 ns since 1601)"},
    {"wait-for-room", "TIME", JP_OPTION_DURATION, "timeout", "how long to wait for room, if the pool lets callers wait (as the pool says)"},
    {0},
};

static void show_joined(const cJSON *result, struct jp_str *out) {
    jp_str_puts(out, "process ");
    jp_show_value(JP_SHOW_NUMBER, jp_get(result, "pid"), out);
    jp_str_puts(out, " is in pool ");
    jp_show_value(JP_SHOW_TEXT, jp_get(result, "pool"), out);
    jp_str_putc(out, '\n');
}

/* What people type who think of a prompt of cmd.exe. A file for its input may be missing, too. */
static bool program_is_missing(const struct jp_cli_failure *failure) {
    const cJSON *data = jp_get(failure->answer, "data");
    const char *operation = cJSON_GetStringValue(jp_get(data, "operation"));
    uint64_t code = 0;
    return jp_json_get_u64(jp_get(data, "win32"), &code) && code == ERROR_FILE_NOT_FOUND && operation != NULL &&
           strncmp(operation, "CreateProcess", strlen("CreateProcess")) == 0;
}

/* A pool may let its callers wait for room, for a time that it knows and we do not: so this has no patience of its own, which would
 * also leave a request behind that is granted when nobody waits any more. */
static int join(struct jp_cli *cli, const char *method, cJSON *params, cJSON **ret_result) {
    struct jp_cli_failure failure;
    if (jp_cli_try(cli, method, params, JP_CLIENT_NO_TIMEOUT, ret_result, &failure) == JP_OK)
        return JP_EXIT_OK;
    bool is_missing = program_is_missing(&failure) && strcmp(method, "pool.launch") == 0 && !cli->json;
    int code = jp_cli_say_failure(cli, &failure);
    if (is_missing)
        jp_complain("what cmd.exe knows by itself, and scripts, run with: cmd /c %s", cli->arguments[0]);
    return code;
}

int jp_command_assign(struct jp_cli *cli, cJSON *options) {
    if (!has_pool(cli, options) || !jp_cli_add_pid(cli, options, cli->arguments[0])) {
        cJSON_Delete(options);
        return JP_EXIT_USAGE;
    }
    cJSON *joined = NULL;
    int code = join(cli, "pool.assign", options, &joined);
    return code == JP_EXIT_OK ? jp_cli_print(cli, joined, JP_VIEW(show_joined)) : code;
}

const struct jp_option jp_launch_options[] = {
    {"pool|p", "POOL", JP_OPTION_TEXT, "pool", "the pool (required)"},
    {"cwd|C", "FOLDER", JP_OPTION_TEXT, "cwd", "where the command starts (your profile's folder)"},
    {"env|e", "NAME=VALUE", JP_OPTION_SETTING, "env", "set an environment variable; NAME alone removes it; may be repeated"},
    {"stdin", "FILE", JP_OPTION_TEXT, "stdin", "a file on a drive, by its full name, to read from (NUL)"},
    {"stdout", "FILE", JP_OPTION_TEXT, "stdout", "a file for its output (NUL)"},
    {"stderr", "FILE", JP_OPTION_TEXT, "stderr", "a file for its errors; may be that of --stdout (NUL)"},
    {"append", NULL, JP_OPTION_SWITCH, "append", "go on with these files instead of beginning them anew"},
    {"wait", NULL, JP_OPTION_SWITCH, "--wait", "wait until it has ended, and say how"},
    {"wait-for-room", "TIME", JP_OPTION_DURATION, "timeout", "how long to wait for room, if the pool lets callers wait (as the pool says)"},
    {0},
};

static void show_ended(const cJSON *result, struct jp_str *out) {
    if (jp_get(result, "pid") == NULL) {
        jp_str_puts(out, "pool ");
        jp_show_value(JP_SHOW_TEXT, jp_get(result, "pool"), out);
        jp_str_puts(out, " is empty\n");
        return;
    }
    jp_str_puts(out, "process ");
    jp_show_value(JP_SHOW_NUMBER, jp_get(result, "pid"), out);
    jp_str_putc(out, ' ');
    jp_show_value(JP_SHOW_TEXT, jp_get(result, "ending"), out);
    jp_str_puts(out, " with code ");
    jp_show_value(JP_SHOW_CODE, jp_get(result, "exitCode"), out);
    jp_str_putc(out, '\n');
}

int jp_command_launch(struct jp_cli *cli, cJSON *options) {
    bool wait = jp_take_switch(options, "--wait");
    if (!has_pool(cli, options)) {
        cJSON_Delete(options);
        return JP_EXIT_USAGE;
    }
    cJSON *argv = cJSON_AddArrayToObject(options, "argv");
    for (size_t i = 0; i < cli->argument_count; i++)
        cJSON_AddItemToArray(argv, cJSON_CreateString(cli->arguments[i]));
    cJSON *launched = NULL;
    int code = join(cli, "pool.launch", options, &launched);
    if (code != JP_EXIT_OK || !wait)
        return code == JP_EXIT_OK ? jp_cli_print(cli, launched, JP_VIEW(show_joined)) : code;
    cJSON *ended = NULL;
    code = jp_cli_call(cli, "pool.wait", same_process(launched), JP_CLIENT_NO_TIMEOUT, &ended);
    cJSON_Delete(launched);
    return code == JP_EXIT_OK ? jp_cli_print(cli, ended, JP_VIEW(show_ended)) : code;
}

/* ------------------------------------------------------------------------------------------------------------------ ps */

static const struct jp_show running_columns[] = {
    {"PID", "pid", JP_SHOW_NUMBER},
    {"POOL", "pool", JP_SHOW_TEXT},
    {"STARTED", "started", JP_SHOW_TIME},
    {"USER", "user", JP_SHOW_TEXT},
    {"CPU USER", "userTime100ns", JP_SHOW_DURATION},
    {"CPU KERNEL", "kernelTime100ns", JP_SHOW_DURATION},
    {"PEAK COMMIT", "peakCommitBytes", JP_SHOW_BYTES},
    {"COMMAND", "commandLine", JP_SHOW_TEXT},
    {"START TIME", "startTime", JP_SHOW_NUMBER}, /* from here on only if asked for */
    {"JOINED", "joined", JP_SHOW_TIME},
    {"JOINED BY", "joinedBy", JP_SHOW_TEXT},
    {"PARENT", "parentPid", JP_SHOW_NUMBER},
    {"SESSION", "session", JP_SHOW_NUMBER},
    {"IMAGE", "image", JP_SHOW_PATH},
    {"PEAK WORKING SET", "peakWorkingSetBytes", JP_SHOW_BYTES},
    {"READ", "readBytes", JP_SHOW_BYTES},
    {"WRITTEN", "writeBytes", JP_SHOW_BYTES},
    {"ID", "id", JP_SHOW_NUMBER},
    {0},
};

const struct jp_view jp_ps_view = {.list = "processes", .columns = running_columns, .shown = 8,
    .gives_way = "user,kernelTime100ns,userTime100ns,started", .nothing = "no processes"};

/* Adds the processes of a pool and of those below it. A pool that was deleted since it was listed has none. */
static int append_pool(struct jp_cli *cli, const char *pool, cJSON *rows) {
    cJSON *result = NULL;
    struct jp_cli_failure failure;
    jp_status status =
        jp_cli_try(cli, "pool.processes", jp_cli_object("pool", pool), JP_CLI_PATIENCE_MS, &result, &failure);
    if (status == JP_E_NO_POOL) {
        jp_cli_failure_clear(&failure);
        return JP_EXIT_OK;
    }
    if (status != JP_OK)
        return jp_cli_say_failure(cli, &failure);
    jp_cli_move_items(jp_get(result, "processes"), rows);
    cJSON_Delete(result);
    return JP_EXIT_OK;
}

/* Everything, by asking for each pool that is under no other. */
static int append_all(struct jp_cli *cli, cJSON *rows) {
    cJSON *list = NULL;
    int code = jp_cli_call(cli, "pool.list", NULL, JP_CLI_PATIENCE_MS, &list);
    const cJSON *pool;
    cJSON_ArrayForEach(pool, jp_get(list, "pools")) {
        if (code == JP_EXIT_OK && !cJSON_IsString(jp_get(pool, "parent")))
            code = append_pool(cli, cJSON_GetStringValue(jp_get(pool, "name")), rows);
    }
    cJSON_Delete(list);
    return code;
}

int jp_command_ps(struct jp_cli *cli, cJSON *options) {
    if (cli->argument_count == 1) {
        jp_json_add_string(options, "pool", cli->arguments[0]);
        return jp_cli_ask(cli, "pool.processes", options, &jp_ps_view);
    }
    cJSON_Delete(options);
    cJSON *all = cJSON_CreateObject();
    int code = append_all(cli, cJSON_AddArrayToObject(all, "processes"));
    if (code == JP_EXIT_OK)
        return jp_cli_print(cli, all, &jp_ps_view);
    cJSON_Delete(all);
    return code;
}

/* ------------------------------------------------------------------------------------------------------- kill and wait */

const struct jp_option jp_kill_options[] = {
    {"pid", "PID", JP_OPTION_NUMBER, "pid", "this process only, whatever its pool"},
    /* process kill begins here */
    {"start-time", "T", JP_OPTION_NUMBER, "startTime", "of a process: only if it began then (startTime, 100 ns since 1601)"},
    {"exit-code", "N", JP_OPTION_NUMBER, "exitCode", "the exit code they get (1)"},
    {0},
};

static void show_killed(const cJSON *result, struct jp_str *out) {
    bool one = jp_get(result, "pid") != NULL;
    jp_str_puts(out, one ? "ended process " : "ended processes: ");
    jp_show_value(JP_SHOW_NUMBER, jp_get(result, one ? "pid" : "terminated"), out);
    jp_str_putc(out, '\n');
}

/* A name that pools seldom have. */
static bool is_number(const char *text) { return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0'; }

int jp_command_kill(struct jp_cli *cli, cJSON *options) {
    bool by_pid = jp_get(options, "pid") != NULL;
    if (by_pid == (cli->argument_count == 1) || (!by_pid && jp_get(options, "startTime") != NULL)) {
        cJSON_Delete(options);
        return jp_cli_misuse(cli, "give either a pool, or --pid PID (with --start-time T)");
    }
    if (!by_pid)
        jp_json_add_string(options, "pool", cli->arguments[0]);
    int code = jp_cli_ask(cli, by_pid ? "process.terminate" : "pool.terminate", options, JP_VIEW(show_killed));
    if (code == JP_EXIT_FAILED && !by_pid && !cli->json && is_number(cli->arguments[0]))
        jp_complain("one process is ended by: jobpool kill --pid %s", cli->arguments[0]);
    return code;
}

int jp_command_process_kill(struct jp_cli *cli, cJSON *options) {
    if (!jp_cli_add_pid(cli, options, cli->arguments[0])) {
        cJSON_Delete(options);
        return JP_EXIT_USAGE;
    }
    return jp_cli_ask(cli, "process.terminate", options, JP_VIEW(show_killed));
}

const struct jp_option jp_wait_options[] = {
    {"pid", "PID", JP_OPTION_NUMBER, "pid", "wait for this process of the pool instead"},
    {"start-time", "T", JP_OPTION_NUMBER, "startTime", "with --pid: only the process that began then"},
    {"timeout", "TIME", JP_OPTION_DURATION, "timeout", "give up after so long, for example 30s or 2h (exit code 1)"},
    {0},
};

static int wait_for(struct jp_cli *cli, cJSON *options) {
    cJSON *result = NULL;
    struct jp_cli_failure failure;
    char *pool = jp_strdup(cJSON_GetStringValue(jp_get(options, "pool")));
    cli->progress = "waiting";
    int code = JP_EXIT_OK;
    if (jp_cli_try(cli, "pool.wait", options, JP_CLIENT_NO_TIMEOUT, &result, &failure) != JP_OK) {
        const char *name = cJSON_GetStringValue(jp_get(jp_get(failure.answer, "data"), "name"));
        bool is_late = name != NULL && strcmp(name, "timed_out") == 0 && !cli->json;
        code = jp_cli_say_failure(cli, &failure);
        if (is_late)
            jp_complain("who is still there: jobpool ps %s", pool);
    }
    jp_free(pool);
    return code == JP_EXIT_OK ? jp_cli_print(cli, result, JP_VIEW(show_ended)) : code;
}

int jp_command_wait(struct jp_cli *cli, cJSON *options) {
    jp_json_add_string(options, "pool", cli->arguments[0]);
    return wait_for(cli, options);
}

const struct jp_option jp_process_wait_options[] = {
    {"pool|p", "POOL", JP_OPTION_TEXT, "pool", "the process's pool (required)"},
    {"start-time", "T", JP_OPTION_NUMBER, "startTime", "only the process that began then (startTime, 100 ns since 1601)"},
    {"timeout", "TIME", JP_OPTION_DURATION, "timeout", "give up after so long, for example 30s or 2h (exit code 1)"},
    {0},
};

int jp_command_process_wait(struct jp_cli *cli, cJSON *options) {
    if (!has_pool(cli, options) || !jp_cli_add_pid(cli, options, cli->arguments[0])) {
        cJSON_Delete(options);
        return JP_EXIT_USAGE;
    }
    return wait_for(cli, options);
}
