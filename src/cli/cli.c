/* Asking the service, showing what it answers, and saying what went wrong. */
#include "cli/cli.h"

#include "base/units.h"
#include "win32/wide.h"

#include <string.h>
#include <windows.h>

enum { CONNECT_TIMEOUT_MS = 5000, JSON_MAX_DEPTH = 64 };

/* --------------------------------------------------------------------------------------------------- what went wrong */

int jp_cli_misuse(const struct jp_cli *cli, const char *format, ...) {
    struct jp_str text = {0};
    va_list arguments;
    va_start(arguments, format);
    jp_str_vprintf(&text, format, arguments);
    va_end(arguments);
    struct jp_str name = {0};
    if (cli->group != NULL || cli->noun != NULL)
        jp_str_puts(&name, cli->group != NULL ? cli->group->name : cli->noun);
    if (cli->command != NULL)
        jp_str_printf(&name, "%s%s", name.length > 0 ? " " : "", cli->command->name);
    jp_complain("%s%s%s", jp_str_text(&name), name.length > 0 ? ": " : "", jp_str_text(&text));
    jp_complain("see: jobpool help%s%s", name.length > 0 ? " " : "", jp_str_text(&name));
    jp_str_free(&name);
    jp_str_free(&text);
    return JP_EXIT_USAGE;
}

int jp_cli_unreachable(const struct jp_cli *cli, const struct jp_error *error) {
    jp_complain("%s", error->text);
    if (error->status == JP_E_PARAMS)
        return JP_EXIT_USAGE;
    if (cli->client == NULL && error->status == JP_E_SYSTEM)
        jp_complain("the service seems not to run; an administrator starts it with: sc start JobPool (jobpool doctor says more)");
    else if (cli->client == NULL && error->status == JP_E_DENIED && error->win32 != 0)
        jp_complain("the service lets in whom its pipe's \"security\" allows: by default whoever is logged on at this machine (jobpool doctor says more)");
    return JP_EXIT_UNREACHABLE;
}

/* The places in a configuration, below the message. */
static void complain_of_faults(const cJSON *faults) {
    const cJSON *fault;
    cJSON_ArrayForEach(fault, faults) {
        const cJSON *line = jp_get(fault, "line");
        const cJSON *column = jp_get(fault, "column");
        const char *text = cJSON_GetStringValue(jp_get(fault, "text"));
        if (cJSON_IsNumber(line) && cJSON_IsNumber(column) && line->valueint > 0)
            jp_complain("%d:%d: %s", line->valueint, column->valueint, text == NULL ? "" : text);
        else
            jp_complain("%s", text == NULL ? "" : text);
    }
}

/* What a person can do about it who came by a command; the service's own words are for programs too. */
static const struct {
    const char *name, *command, *hint; /* `command` NULL: of any */
} hints[] = {
    {"unknown_pool", NULL, "see: jobpool list"},
    {"pool_exists", "create", "to change it: jobpool update"},
    {"no_such_process", "kill", "see: jobpool ps"},
};

static void complain_of_hint(const struct jp_cli *cli, const char *name) {
    for (size_t i = 0; name != NULL && i < sizeof hints / sizeof *hints; i++)
        if (strcmp(hints[i].name, name) == 0 && (hints[i].command == NULL || strcmp(hints[i].command, cli->command->name) == 0))
            jp_complain("%s", hints[i].hint);
}

static int answered_no(const struct jp_cli *cli, const struct jp_cli_failure *failure) {
    if (cli->json) {
        struct jp_str line = {0};
        jp_json_print(failure->answer, &line);
        jp_str_putc(&line, '\n');
        jp_complain_plain(jp_str_text(&line));
        jp_str_free(&line);
        return JP_EXIT_FAILED;
    }
    const cJSON *data = jp_get(failure->answer, "data");
    jp_complain("%s", cJSON_GetStringValue(jp_get(failure->answer, "message")));
    complain_of_faults(jp_get(data, "faults"));
    complain_of_hint(cli, cJSON_GetStringValue(jp_get(data, "name")));
    return JP_EXIT_FAILED;
}

/* --------------------------------------------------------------------------------------------------------- the service */

struct jp_pipe_options jp_cli_pipe_options(const struct jp_cli *cli) {
    return (struct jp_pipe_options){
        .name = cli->pipe,
        .level = cli->command->impersonate ? JP_PIPE_IMPERSONATE : JP_PIPE_IDENTIFY,
        .timeout_ms = CONNECT_TIMEOUT_MS,
    };
}

void jp_cli_failure_clear(struct jp_cli_failure *failure) {
    cJSON_Delete(failure->answer);
    *failure = (struct jp_cli_failure){0};
}

cJSON *jp_cli_tree(const char *text) {
    static const struct jp_json_rules rules = {.max_bytes = JP_CLIENT_LINE_MAX, .max_depth = JSON_MAX_DEPTH};
    struct jp_json json = {0};
    struct jp_json_place place;
    struct jp_error error;
    if (text == NULL || jp_json_parse(text, strlen(text), &rules, &json, &place, &error) != JP_OK)
        return NULL;
    cJSON *tree = jp_json_take_root(&json);
    jp_json_free(&json);
    return tree;
}

jp_status jp_cli_try_to_connect(struct jp_cli *cli, struct jp_error *error) {
    struct jp_client_options options = cli->connection;
    options.pipe = cli->pipe;
    options.impersonate = cli->command->impersonate;
    if (options.connect_timeout_ms == 0)
        options.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    return cli->client ? JP_OK : jp_client_connect(&options, &cli->client, error);
}

int jp_cli_connect(struct jp_cli *cli) {
    struct jp_error error = {0};
    return jp_cli_try_to_connect(cli, &error) == JP_OK ? JP_EXIT_OK : jp_cli_unreachable(cli, &error);
}

/* {"done", "total"} of a report, {"members"} of a wait. */
static void on_progress(void *context, uint64_t call, const char *value) {
    const struct jp_cli *cli = context;
    (void)call;
    cJSON *progress = jp_cli_tree(value);
    uint64_t done = 0, total = 0, members = 0;
    struct jp_str text = {0};
    if (jp_json_get_u64(jp_get(progress, "members"), &members))
        jp_str_printf(&text, "%s; processes: %llu", cli->progress, (unsigned long long)members);
    else if (jp_json_get_u64(jp_get(progress, "done"), &done) &&
             jp_json_get_u64(jp_get(progress, "total"), &total) && total > 0)
        jp_str_printf(&text, "%s: %3.0f%% (%llu of %llu)", cli->progress, (double)done * 100 / (double)total, (unsigned long long)done,
                      (unsigned long long)total);
    jp_progress(text.length > 0 ? jp_str_text(&text) : NULL);
    jp_str_free(&text);
    cJSON_Delete(progress);
}

jp_status jp_cli_try(struct jp_cli *cli, const char *method, cJSON *params, uint32_t timeout_ms, cJSON **ret_result,
                     struct jp_cli_failure *failure) {
    *failure = (struct jp_cli_failure){0};
    struct jp_client_answer answer = {0};
    struct jp_str text = {0};
    jp_status status = jp_cli_try_to_connect(cli, &failure->error);
    if (params != NULL)
        jp_json_print(params, &text);
    cJSON_Delete(params);
    if (status == JP_OK) {
        struct jp_client_request request = {.method = method, .params = text.data, .timeout_ms = timeout_ms};
        if (cli->progress != NULL && jp_progress_is_shown()) {
            request.context = cli;
            request.on_progress = on_progress;
            jp_progress(cli->progress);
        }
        status = jp_client_ask(cli->client, &request, &answer);
        if (cli->progress != NULL)
            jp_progress(NULL);
        failure->error = answer.error;
        failure->answer = jp_cli_tree(answer.refusal);
        failure->answered = failure->answer != NULL;
        if (status == JP_OK)
            *ret_result = jp_cli_tree(answer.result);
    }
    jp_client_answer_clear(&answer);
    jp_str_free(&text);
    return status;
}

int jp_cli_say_failure(const struct jp_cli *cli, struct jp_cli_failure *failure) {
    int code = failure->answered ? answered_no(cli, failure) : jp_cli_unreachable(cli, &failure->error);
    jp_cli_failure_clear(failure);
    return code;
}

int jp_cli_call(struct jp_cli *cli, const char *method, cJSON *params, uint32_t timeout_ms, cJSON **ret_result) {
    struct jp_cli_failure failure;
    jp_status status = jp_cli_try(cli, method, params, timeout_ms, ret_result, &failure);
    return status == JP_OK ? JP_EXIT_OK : jp_cli_say_failure(cli, &failure);
}

int jp_cli_print(struct jp_cli *cli, cJSON *result, const struct jp_view *view) {
    struct jp_str text = {0};
    struct jp_error error;
    if (jp_view_check(view, &cli->output, &error) != JP_OK) {
        cJSON_Delete(result);
        return jp_cli_misuse(cli, "%s", error.text);
    }
    jp_view_print(view, &cli->output, result, &text);
    jp_output(jp_str_text(&text), text.length);
    jp_str_free(&text);
    cJSON_Delete(result);
    return JP_EXIT_OK;
}

int jp_cli_ask(struct jp_cli *cli, const char *method, cJSON *params, const struct jp_view *view) {
    cJSON *result = NULL;
    struct jp_error error;
    if (jp_view_check(view, &cli->output, &error) != JP_OK) {
        cJSON_Delete(params);
        return jp_cli_misuse(cli, "%s", error.text);
    }
    int code = jp_cli_call(cli, method, params, JP_CLI_PATIENCE_MS, &result);
    return code == JP_EXIT_OK ? jp_cli_print(cli, result, view) : code;
}

/* ------------------------------------------------------------------------------------------------------------ arguments */

static jp_status read_all(HANDLE file, const char *name, struct jp_str *text, struct jp_error *error) {
    char chunk[4096];
    DWORD length = 0, code;
    BOOL good;
    do {
        good = ReadFile(file, chunk, sizeof chunk, &length, NULL);
        code = GetLastError();
        jp_str_add(text, chunk, good ? length : 0);
    } while (good && length > 0 && text->length <= JP_CLI_TEXT_MAX);
    if (!good && code == ERROR_BROKEN_PIPE) /* so ends standard input whose writer is gone */
        good = TRUE;
    return good ? JP_OK : jp_fail_win32(error, JP_E_SYSTEM, code, "ReadFile", "cannot read %s", name);
}

int jp_cli_read_text(const char *name, struct jp_str *text) {
    struct jp_error error = {0};
    jp_status status;
    if (name == NULL) {
        status = read_all(GetStdHandle(STD_INPUT_HANDLE), "standard input", text, &error);
    } else {
        wchar_t *wide = jp_win32_wide(name);
        HANDLE file = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
        DWORD code = GetLastError();
        jp_free(wide);
        status = file == INVALID_HANDLE_VALUE
                     ? jp_fail_win32(&error, JP_E_SYSTEM, code, "CreateFileW", "cannot open \"%s\"", name)
                     : read_all(file, name, text, &error);
        if (file != INVALID_HANDLE_VALUE)
            CloseHandle(file);
    }
    if (status == JP_OK)
        return JP_EXIT_OK;
    jp_complain("%s", error.text);
    return JP_EXIT_FAILED;
}

bool jp_cli_parse_json(const struct jp_cli *cli, const char *source, const struct jp_str *text, bool comments,
                       cJSON **ret_value) {
    struct jp_json_rules rules = {.max_bytes = JP_CLI_TEXT_MAX, .max_depth = JSON_MAX_DEPTH, .comments = comments};
    struct jp_json json = {0};
    struct jp_json_place place = {0};
    struct jp_error error;
    if (jp_json_parse(jp_str_text(text), text->length, &rules, &json, &place, &error) != JP_OK) {
        jp_cli_misuse(cli, "%s:%u:%u: %s", source, place.line, place.column, error.text);
        return false;
    }
    *ret_value = jp_json_take_root(&json);
    jp_json_free(&json);
    return true;
}

cJSON *jp_cli_object(const char *key, const char *text) {
    cJSON *object = cJSON_CreateObject();
    jp_json_add_string(object, key, text);
    return object;
}

void jp_cli_move_items(cJSON *from, cJSON *to) {
    while (from != NULL && from->child != NULL)
        cJSON_AddItemToArray(to, cJSON_DetachItemViaPointer(from, from->child));
}

bool jp_cli_add_pid(const struct jp_cli *cli, cJSON *params, const char *text) {
    uint64_t pid;
    struct jp_error error;
    if (jp_u64_parse(text, &pid, &error) != JP_OK) {
        jp_cli_misuse(cli, "\"%s\" is no process id", text);
        return false;
    }
    jp_json_add_u64(params, "pid", pid);
    return true;
}
