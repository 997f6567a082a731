/* Commands about pools: list, show, create, update, delete. */
#include "cli/cli.h"

#include "win32/wide.h"

#include <windows.h>

enum { DEFINITION_MAX_BYTES = 1 << 20, DEFINITION_MAX_DEPTH = 16 };

static void show_pools(const cJSON *result, struct jp_str *out) {
    static const struct jp_show columns[] = {
        {"POOL", "name", JP_SHOW_TEXT},           {"STATE", "state", JP_SHOW_TEXT},
        {"SOURCE", "source", JP_SHOW_TEXT},       {"PARENT", "parent", JP_SHOW_TEXT},
        {"PROCESSES", "members", JP_SHOW_NUMBER}, {"WITH CHILDREN", "totalMembers", JP_SHOW_NUMBER},
        {"DESCRIPTION", "description", JP_SHOW_TEXT}, {0},
    };
    jp_show_table(columns, cJSON_GetObjectItemCaseSensitive(result, "pools"), out);
}

int jp_command_list(struct jp_cli *cli, cJSON *options) { return jp_cli_ask(cli, "pool.list", options, show_pools); }

static void show_pool(const cJSON *result, struct jp_str *out) {
    static const struct jp_show fields[] = {
        {"pool", "name", JP_SHOW_TEXT},
        {"description", "description", JP_SHOW_TEXT},
        {"state", "state", JP_SHOW_TEXT},
        {"error", "error", JP_SHOW_JSON},
        {"source", "source", JP_SHOW_TEXT},
        {"created", "created", JP_SHOW_TIME},
        {"parent", "parent", JP_SHOW_TEXT},
        {"children", "children", JP_SHOW_JSON},
        {"job object", "objectName", JP_SHOW_TEXT},
        {"job messages", "listening", JP_SHOW_TEXT},
        {"processes", "members", JP_SHOW_NUMBER},
        {"with children", "totalMembers", JP_SHOW_NUMBER},
        {"limits", "limits", JP_SHOW_JSON},
        {"enforced by", "enforcedBy", JP_SHOW_JSON},
        {"ui", "ui", JP_SHOW_JSON},
        {"security", "security", JP_SHOW_JSON},
        {"at end of job time", "end_of_job_time", JP_SHOW_TEXT},
        {"when the service stops", "on_service_stop", JP_SHOW_TEXT},
        {"processes ever", "counters.totalProcesses", JP_SHOW_NUMBER},
        {"active", "counters.activeProcesses", JP_SHOW_NUMBER},
        {"ended by limits", "counters.terminatedProcesses", JP_SHOW_NUMBER},
        {0},
    };
    jp_show_fields(fields, result, out);
}

int jp_command_show(struct jp_cli *cli, cJSON *options) {
    jp_json_add_string(options, "pool", cli->arguments[0]);
    return jp_cli_ask(cli, "pool.get", options, show_pool);
}

/* ------------------------------------------------------------------------------------------------ create and update */

const struct jp_option jp_definition_options[] = {
    {"persist", NULL, JP_OPTION_SWITCH, "persist", "keep the pool when the service ends"},
    /* update begins here */
    {"file", "FILE", JP_OPTION_TEXT, "--file", "read the JSON from a file; comments are allowed there"},
    {0},
};

static jp_status read_file(const char *name, struct jp_str *text, struct jp_error *error) {
    wchar_t *wide = jp_win32_wide(name);
    HANDLE file = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    DWORD code = GetLastError();
    jp_free(wide);
    if (file == INVALID_HANDLE_VALUE)
        return jp_fail_win32(error, JP_E_SYSTEM, code, "CreateFileW", "cannot open \"%s\"", name);
    char chunk[4096];
    DWORD length = 0;
    BOOL good;
    do {
        good = ReadFile(file, chunk, sizeof chunk, &length, NULL);
        code = GetLastError();
        jp_str_add(text, chunk, good ? length : 0);
    } while (good && length > 0 && text->length <= DEFINITION_MAX_BYTES);
    CloseHandle(file);
    return good ? JP_OK : jp_fail_win32(error, JP_E_SYSTEM, code, "ReadFile", "cannot read \"%s\"", name);
}

/* The definition's keys, laid into `options`. `source` names the text where it is wrong. */
static bool add_definition(const struct jp_cli *cli, const char *source, const struct jp_str *text, bool comments,
                           cJSON *options) {
    struct jp_json_rules rules = {.max_bytes = DEFINITION_MAX_BYTES, .max_depth = DEFINITION_MAX_DEPTH, .comments = comments};
    struct jp_json json = {0};
    struct jp_json_place place = {0};
    struct jp_error error;
    if (jp_json_parse(jp_str_text(text), text->length, &rules, &json, &place, &error) != JP_OK) {
        jp_cli_misuse(cli, "%s:%u:%u: %s", source, place.line, place.column, error.text);
        return false;
    }
    cJSON *definition = jp_json_take_root(&json);
    jp_json_free(&json);
    bool good = cJSON_IsObject(definition);
    if (!good)
        jp_cli_misuse(cli, "%s: a pool is an object, for example {\"limits\": {\"active_processes\": 4}}", source);
    while (good && definition->child != NULL) {
        cJSON *key = cJSON_DetachItemViaPointer(definition, definition->child);
        cJSON_AddItemToObject(options, key->string, key);
    }
    cJSON_Delete(definition);
    return good;
}

/* JP_EXIT_OK if the definition, from the argument or from the file, is in `options`. */
static int take_definition(const struct jp_cli *cli, cJSON *options) {
    char *file = jp_take_text(options, "--file");
    struct jp_str text = {0};
    struct jp_error error = {0};
    int code = JP_EXIT_OK;
    if (file != NULL && cli->argument_count == 2)
        code = jp_cli_misuse(cli, "either JSON or --file, not both");
    else if (file != NULL && read_file(file, &text, &error) != JP_OK) {
        jp_complain("%s", error.text);
        code = JP_EXIT_FAILED;
    } else if (file == NULL)
        jp_str_puts(&text, cli->argument_count == 2 ? cli->arguments[1] : "{}");
    if (code == JP_EXIT_OK && !add_definition(cli, file == NULL ? "JSON" : file, &text, file != NULL, options))
        code = JP_EXIT_USAGE;
    jp_str_free(&text);
    jp_free(file);
    return code;
}

static int define(struct jp_cli *cli, const char *method, const char *name_key, cJSON *options) {
    int code = take_definition(cli, options);
    if (code != JP_EXIT_OK) {
        cJSON_Delete(options);
        return code;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(options, name_key);
    jp_json_add_string(options, name_key, cli->arguments[0]);
    return jp_cli_ask(cli, method, options, show_pool);
}

int jp_command_create(struct jp_cli *cli, cJSON *options) { return define(cli, "pool.create", "name", options); }

int jp_command_update(struct jp_cli *cli, cJSON *options) {
    if (cli->argument_count == 1 && cJSON_GetObjectItemCaseSensitive(options, "--file") == NULL) {
        cJSON_Delete(options);
        return jp_cli_misuse(cli, "what to change? Give JSON or --file");
    }
    return define(cli, "pool.update", "pool", options);
}

/* ------------------------------------------------------------------------------------------------------------- delete */

const struct jp_option jp_delete_options[] = {
    {"terminate", NULL, JP_OPTION_SWITCH, "terminate", "end its processes first"},
    {0},
};

static void show_deleted(const cJSON *result, struct jp_str *out) {
    const cJSON *terminated = cJSON_GetObjectItemCaseSensitive(result, "terminated");
    jp_str_puts(out, "deleted ");
    jp_show_value(JP_SHOW_TEXT, cJSON_GetObjectItemCaseSensitive(result, "pool"), out);
    if (cJSON_IsNumber(terminated) && terminated->valueint > 0)
        jp_str_printf(out, "; %d processes ended", terminated->valueint);
    jp_str_putc(out, '\n');
}

int jp_command_delete(struct jp_cli *cli, cJSON *options) {
    jp_json_add_string(options, "pool", cli->arguments[0]);
    return jp_cli_ask(cli, "pool.delete", options, show_deleted);
}
