/* The command job: any job object by information class, as Windows' functions have it. */
#include "cli/cli.h"

#include "base/units.h"
#include "cli/show_info.h"
#include "job/info.h"

#include <string.h>
#include <windows.h>

#define CLASS_PREFIX "JobObject"

static void show_text(const cJSON *result, struct jp_str *out) {
    jp_show_value(JP_SHOW_TEXT, result, out);
    jp_str_putc(out, '\n');
}

/* Calls a method that has nothing to tell but that it succeeded. `done` is what then is said to people. Takes `params`. */
static int say_done(struct jp_cli *cli, const char *method, cJSON *params, const char *done) {
    cJSON *result = NULL;
    int code = jp_cli_call(cli, method, params, JP_CLI_PATIENCE_MS, &result);
    if (code != JP_EXIT_OK)
        return code;
    if (cli->json)
        return jp_cli_print(cli, result, JP_VIEW(show_text));
    cJSON_Delete(result);
    return jp_cli_print(cli, cJSON_CreateString(done), JP_VIEW(show_text));
}

/* ------------------------------------------------------------------------------------------------------------- classes */

/* A class by name, with or without "JobObject" before it and in any case, or by number: also one that we do not know, as long as
 * it is a number. 0 after saying what is wrong. */
static uint32_t parse_class(const struct jp_cli *cli, const char *text) {
    uint64_t number;
    struct jp_error error;
    if (jp_u64_parse(text, &number, &error) == JP_OK && number > 0 && number <= INT32_MAX)
        return (uint32_t)number;
    size_t prefix = strlen(CLASS_PREFIX), count = 0;
    char *full = jp_sprintf("%s%s", strncmp(text, CLASS_PREFIX, prefix) == 0 ? "" : CLASS_PREFIX, text);
    uint32_t class = 0;
    for (; jp_job_classes[count].name != NULL; count++)
        if (jp_ascii_equal_nocase(jp_job_classes[count].name, full))
            class = jp_job_classes[count].class;
    const char *nearest = jp_nearest(full, &jp_job_classes[0].name, count, sizeof jp_job_classes[0]);
    jp_free(full);
    if (class == 0 && nearest != NULL)
        jp_cli_misuse(cli, "there is no information class \"%s\"; did you mean %s?", text, nearest);
    else if (class == 0)
        jp_cli_misuse(cli, "there is no information class \"%s\"; \"jobpool job classes\" lists them", text);
    return class;
}

static const struct jp_show class_columns[] = {
    {"CLASS", "class", JP_SHOW_NUMBER}, {"NAME", "name", JP_SHOW_TEXT}, {"CAN", "can", JP_SHOW_JSON},
    {"SINCE", "since", JP_SHOW_TEXT},   {0},
};

static const struct jp_view classes_view = {.list = "classes", .columns = class_columns};

static int classes(struct jp_cli *cli, cJSON *options) {
    cJSON_Delete(options);
    cJSON *result = cJSON_CreateObject();
    cJSON *rows = cJSON_AddArrayToObject(result, "classes");
    for (const struct jp_job_class_row *row = jp_job_classes; row->name != NULL; row++) {
        cJSON *object = cJSON_CreateObject();
        jp_json_add_u64(object, "class", row->class);
        jp_json_add_string(object, "name", row->name);
        cJSON *can = cJSON_AddArrayToObject(object, "can");
        if (row->can & JP_CLASS_QUERY)
            cJSON_AddItemToArray(can, cJSON_CreateString("query"));
        if (row->can & JP_CLASS_SET)
            cJSON_AddItemToArray(can, cJSON_CreateString("set"));
        jp_json_add_string(object, "since", row->since);
        cJSON_AddItemToArray(rows, object);
    }
    return jp_cli_print(cli, result, &classes_view);
}

/* ------------------------------------------------------------------------------------------------------- query and set */

static const struct jp_option query_options[] = {
    {"own", NULL, JP_OPTION_SWITCH, "--own", "instead of JOB: the job that this program itself is in; asks no service"},
    {0},
};

static void show_info(const cJSON *result, struct jp_str *out) {
    uint64_t class = 0;
    jp_json_get_u64(jp_get(result, "class"), &class);
    jp_show_job_info(class, jp_get(result, "info"), out);
}

static int query_own(struct jp_cli *cli, uint32_t class) {
    struct jp_job_info info = {0};
    struct jp_error error = {0};
    if (jp_job_query(NULL, (enum jp_job_class)class, &info, &error) != JP_OK) {
        jp_complain("%s", error.text);
        return JP_EXIT_FAILED;
    }
    const struct jp_job_class_row *row = jp_job_class_find((enum jp_job_class)class);
    cJSON *result = cJSON_CreateObject();
    jp_json_add_u64(result, "class", class);
    jp_json_add_string(result, "name", row == NULL ? NULL : row->name);
    cJSON_AddItemToObject(result, "info", jp_job_info_write(&info));
    jp_job_info_clear(&info);
    return jp_cli_print(cli, result, JP_VIEW(show_info));
}

static int query(struct jp_cli *cli, cJSON *options) {
    bool own = jp_take_switch(options, "--own");
    uint32_t class = 0;
    if (cli->argument_count != (own ? 1 : 2))
        jp_cli_misuse(cli, own ? "--own takes the place of JOB: give only CLASS" : "give JOB and CLASS, or --own and CLASS");
    else
        class = parse_class(cli, cli->arguments[own ? 0 : 1]);
    if (class == 0 || own) {
        cJSON_Delete(options);
        return class == 0 ? JP_EXIT_USAGE : query_own(cli, class);
    }
    jp_json_add_string(options, "job", cli->arguments[0]);
    jp_json_add_u64(options, "class", class);
    return jp_cli_ask(cli, "job.queryInformation", options, JP_VIEW(show_info));
}

/* What is to be set: a dictionary, or a whole answer of query --json, whose dictionary is taken if it is of the same class. */
static int read_info(const struct jp_cli *cli, uint32_t class, cJSON **ret_info) {
    bool from_input = strcmp(cli->arguments[2], "-") == 0;
    struct jp_str text = {0};
    int code = JP_EXIT_OK;
    if (from_input)
        code = jp_cli_read_text(NULL, &text);
    else
        jp_str_puts(&text, cli->arguments[2]);
    if (code == JP_EXIT_OK && !jp_cli_parse_json(cli, from_input ? "standard input" : "JSON", &text, from_input, ret_info))
        code = JP_EXIT_USAGE;
    jp_str_free(&text);
    const cJSON *info = code == JP_EXIT_OK ? jp_get(*ret_info, "info") : NULL;
    if (info == NULL)
        return code;
    uint64_t of_class = 0;
    jp_json_get_u64(jp_get(*ret_info, "class"), &of_class);
    cJSON *whole = *ret_info;
    *ret_info = cJSON_Duplicate(info, true);
    cJSON_Delete(whole);
    if (of_class == class)
        return JP_EXIT_OK;
    cJSON_Delete(*ret_info);
    return jp_cli_misuse(cli, "that is an answer about class %llu, not %lu", (unsigned long long)of_class, (unsigned long)class);
}

static int set(struct jp_cli *cli, cJSON *options) {
    uint32_t class = parse_class(cli, cli->arguments[1]);
    cJSON *info = NULL;
    int code = class == 0 ? JP_EXIT_USAGE : read_info(cli, class, &info);
    if (code != JP_EXIT_OK) {
        cJSON_Delete(options);
        return code;
    }
    jp_json_add_string(options, "job", cli->arguments[0]);
    jp_json_add_u64(options, "class", class);
    cJSON_AddItemToObject(options, "info", info);
    const struct jp_job_class_row *row = jp_job_class_find((enum jp_job_class)class);
    char *done = jp_sprintf("set %s of %s", row == NULL ? cli->arguments[1] : row->name, cli->arguments[0]);
    code = say_done(cli, "job.setInformation", options, done);
    jp_free(done);
    return code;
}

/* -------------------------------------------------------------------------------------------------------------- create */

static const struct jp_option create_options[] = {
    {"security", "SDDL", JP_OPTION_TEXT, "security", "who may do what with the job (default: what the caller's new objects get)"},
    {0},
};

static HANDLE let_go; /* set when the job is to be held no longer */

static BOOL WINAPI on_control(DWORD control) {
    (void)control;
    SetEvent(let_go);
    return TRUE;
}

static DWORD WINAPI wait_for_end_of_input(void *unused) {
    char chunk[256];
    DWORD length = 0;
    (void)unused;
    while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), chunk, sizeof chunk, &length, NULL) && length > 0)
        continue;
    SetEvent(let_go);
    return 0;
}

/* Set when the service is gone; `error` says why, and is there before. */
static struct {
    HANDLE event;
    struct jp_error error;
} gone;

static void on_state(void *context, enum jp_client_state state, const struct jp_error *error) {
    (void)context;
    if (state != JP_CLIENT_GONE)
        return;
    gone.error = *error;
    SetEvent(gone.event);
}

/* Until Ctrl-C or the end of standard input, or of the service. */
static int hold(const struct jp_cli *cli) {
    HANDLE either[] = {let_go, gone.event};
    if (WaitForMultipleObjects(2, either, FALSE, INFINITE) == WAIT_OBJECT_0)
        return JP_EXIT_OK;
    return jp_cli_unreachable(cli, &gone.error);
}

static void show_created(const cJSON *result, struct jp_str *out) {
    const cJSON *name = jp_get(result, "name");
    jp_str_puts(out, cJSON_IsTrue(jp_get(result, "existed")) ? "opened the job object " : "created the job object ");
    if (cJSON_IsString(name))
        jp_add_harmless(out, name->valuestring);
    else
        jp_str_puts(out, "(without a name)");
    jp_str_puts(out, cJSON_IsTrue(jp_get(result, "existed")) ? ", which was there already" : "");
    jp_str_puts(out, "; it is held open until Ctrl-C or the end of standard input\n");
}

static int create(struct jp_cli *cli, cJSON *options) {
    let_go = CreateEventW(NULL, TRUE, FALSE, NULL);
    gone.event = CreateEventW(NULL, TRUE, FALSE, NULL);
    cli->connection.on_state = on_state;
    if (let_go == NULL || gone.event == NULL) {
        cJSON_Delete(options);
        jp_complain("cannot prepare to hold a job (CreateEventW, error %lu)", (unsigned long)GetLastError());
        return JP_EXIT_FAILED;
    }
    if (cli->argument_count == 1)
        jp_json_add_string(options, "name", cli->arguments[0]);
    cJSON *result = NULL;
    int code = jp_cli_call(cli, "job.create", options, JP_CLI_PATIENCE_MS, &result);
    if (code != JP_EXIT_OK)
        return code;
    cJSON *close = cJSON_CreateObject();
    cJSON_AddItemToObject(close, "job", cJSON_Duplicate(jp_get(result, "job"), true));
    SetConsoleCtrlHandler(on_control, TRUE);
    jp_cli_print(cli, result, JP_VIEW(show_created));
    HANDLE reader = CreateThread(NULL, 0, wait_for_end_of_input, NULL, 0, NULL);
    if (reader == NULL) /* then Ctrl-C is what is left */
        jp_complain("the end of standard input will not be noticed (CreateThread, error %lu)", (unsigned long)GetLastError());
    else
        CloseHandle(reader);
    code = hold(cli);
    cJSON *closed = NULL;
    if (code == JP_EXIT_OK)
        code = jp_cli_call(cli, "job.close", close, JP_CLI_PATIENCE_MS, &closed);
    else
        cJSON_Delete(close);
    cJSON_Delete(closed);
    return code;
}

/* ------------------------------------------------------------------------------------------- assign, contains, terminate */

static const struct jp_option assign_options[] = {
    {"start-time", "T", JP_OPTION_NUMBER, "startTime", "only the process that began then (startTime, 100 ns since 1601)"},
    {0},
};

static int assign(struct jp_cli *cli, cJSON *options) {
    if (!jp_cli_add_pid(cli, options, cli->arguments[1])) {
        cJSON_Delete(options);
        return JP_EXIT_USAGE;
    }
    jp_json_add_string(options, "job", cli->arguments[0]);
    char *done = jp_sprintf("process %s is in job %s", cli->arguments[1], cli->arguments[0]);
    int code = say_done(cli, "job.assignProcess", options, done);
    jp_free(done);
    return code;
}

static const struct jp_option contains_options[] = {
    {"any", NULL, JP_OPTION_SWITCH, "--any", "instead of JOB: in whatever job"},
    {0},
};

static void show_in_job(const cJSON *result, struct jp_str *out) {
    jp_str_puts(out, cJSON_IsTrue(jp_get(result, "inJob")) ? "yes\n" : "no\n");
}

static int contains(struct jp_cli *cli, cJSON *options) {
    bool any = jp_take_switch(options, "--any");
    int code = JP_EXIT_OK;
    if (cli->argument_count != (any ? 1 : 2))
        code = jp_cli_misuse(cli, any ? "--any takes the place of JOB: give only PID" : "give JOB and PID, or --any and PID");
    else if (!jp_cli_add_pid(cli, options, cli->arguments[any ? 0 : 1]))
        code = JP_EXIT_USAGE;
    if (code != JP_EXIT_OK) {
        cJSON_Delete(options);
        return code;
    }
    jp_json_add_string(options, "job", any ? NULL : cli->arguments[0]);
    cJSON *result = NULL;
    code = jp_cli_call(cli, "job.isProcessInJob", options, JP_CLI_PATIENCE_MS, &result);
    if (code != JP_EXIT_OK)
        return code;
    bool in_job = cJSON_IsTrue(jp_get(result, "inJob"));
    jp_cli_print(cli, result, JP_VIEW(show_in_job));
    return in_job ? JP_EXIT_OK : JP_EXIT_FAILED;
}

static const struct jp_option terminate_options[] = {
    {"exit-code", "N", JP_OPTION_NUMBER, "exitCode", "the exit code that the processes get (1)"},
    {0},
};

static int terminate(struct jp_cli *cli, cJSON *options) {
    uint64_t exit_code = jp_take_number(options, "exitCode", JP_EXIT_FAILED);
    jp_json_add_string(options, "job", cli->arguments[0]);
    jp_json_add_u64(options, "exitCode", exit_code);
    char *done = jp_sprintf("ended the processes of job %s", cli->arguments[0]);
    int code = say_done(cli, "job.terminate", options, done);
    jp_free(done);
    return code;
}

/* All as the caller: jobs that are no pool's are opened with the caller's rights. */
const struct jp_command jp_job_verbs[] = {
    {.name = "query", .arguments = "JOB CLASS | --own CLASS",
     .summary = "what an information class says of a job",
     .details = "CLASS is a number, or a name with or without \"JobObject\": 9, ExtendedLimitInformation. What the numbers mean stands beside them:\n"
                "LimitFlags 0x208 JOB_OBJECT_LIMIT_ACTIVE_PROCESS | JOB_OBJECT_LIMIT_JOB_MEMORY, JobMemoryLimit 536870912 (512MiB).",
     .examples = "jobpool job query build ExtendedLimitInformation\n"
                 "# on Windows: what holds for this program itself; asks no service\n"
                 "jobpool job query --own BasicAccountingInformation",
     .options = query_options, .min_arguments = 1, .max_arguments = 2, .impersonate = true, .run = query},
    {.name = "set", .arguments = "JOB CLASS JSON",
     .summary = "set an information class of a job",
     .details = "JSON is the dictionary that query --json shows, with every key of the class (or that whole answer);\n"
                "- reads it from standard input. Flags may be given by name: \"LimitFlags\": [\"JOB_OBJECT_LIMIT_ACTIVE_PROCESS\"].\n"
                "Setting what was queried changes nothing.",
     .examples = "# change what was queried, and set it\n"
                 "jobpool --json job query build 9 > limits.json\n"
                 "jobpool job set build 9 - < limits.json",
     .min_arguments = 3, .max_arguments = 3, .impersonate = true, .run = set},
    {.name = "create", .arguments = "[NAME]",
     .summary = "make a job object, or open the one of that name, and hold it open",
     .details = "A job object is there as long as somebody has it open, or a process is in it. It is held open until Ctrl-C or the end\n"
                "of standard input. To keep one, make a pool: jobpool create.",
     .examples = "# on Windows: until Ctrl-C\n"
                 "jobpool job create Local\\mine",
     .options = create_options, .max_arguments = 1, .impersonate = true, .run = create},
    {.name = "assign", .arguments = "JOB PID",
     .summary = "put a process into a job, by Windows' rules",
     .details = "Windows ENDS a process that is assigned to a job that is full or has used up its time. To be refused instead, or to\n"
                "wait: jobpool assign --pool.",
     .examples = "jobpool job assign nightly 4711",
     .options = assign_options, .min_arguments = 2, .max_arguments = 2, .impersonate = true, .run = assign},
    {.name = "contains", .arguments = "JOB PID | --any PID",
     .summary = "whether a process is in a job: exit code 0 if it is, 1 if not",
     .examples = "# whether it is in that pool; one of a pool below it is too\n"
                 "jobpool job contains nightly 4711",
     .options = contains_options, .min_arguments = 1, .max_arguments = 2, .impersonate = true, .run = contains},
    {.name = "terminate", .arguments = "JOB",
     .summary = "end all processes of a job and of the jobs below it",
     .examples = "jobpool job terminate nightly --exit-code 3",
     .options = terminate_options, .min_arguments = 1, .max_arguments = 1, .impersonate = true, .run = terminate},
    {.name = "classes",
     .summary = "the information classes",
     .examples = "jobpool job classes --sort name",
     .view = &classes_view, .run = classes},
    {0},
};
