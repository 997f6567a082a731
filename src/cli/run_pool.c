/* The pool that is made for one run, below the one that was named: for limits, for a time, and to count the whole tree. */
#include "cli/run.h"
#include "cli/run_limits.h"

#include "base/units.h"
#include "win32/clock.h"

static const char *const reasons[] = {"--limit", "--limits", "--timeout", "--report"};

bool jp_run_wants_pool(const cJSON *options) {
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (jp_get(options, reasons[i]) != NULL)
            return true;
    return false;
}

/* --limits, with what --limit says laid over it. NULL after saying what is wrong. */
static cJSON *take_limits(const struct jp_cli *cli, cJSON *options) {
    struct jp_error error;
    char *text = jp_take_text(options, "--limits");
    cJSON *single = cJSON_DetachItemFromObjectCaseSensitive(options, "--limit");
    cJSON *limits = text == NULL ? cJSON_CreateObject() : NULL;
    struct jp_str source = {0};
    jp_str_puts(&source, text == NULL ? "" : text);
    bool good = text == NULL || jp_cli_parse_json(cli, "--limits", &source, false, &limits);
    if (good && !cJSON_IsObject(limits)) {
        jp_cli_misuse(cli, "--limits: write an object, as in the configuration: {\"job_memory\": \"512MiB\"}");
        good = false;
    }
    const cJSON *item;
    cJSON_ArrayForEach(item, single) {
        if (good && jp_run_add_limit(limits, item->string, cJSON_GetStringValue(item), &error) != JP_OK) {
            jp_cli_misuse(cli, "%s", error.text);
            good = false;
        }
    }
    if (!good) {
        cJSON_Delete(limits);
        limits = NULL;
    }
    cJSON_Delete(single);
    jp_str_free(&source);
    jp_free(text);
    return limits;
}

static char *new_name(const char *parent) {
    return jp_run_pool_name(parent, GetCurrentProcessId(), (uint64_t)jp_win32_now_100ns() / JP_100NS_PER_MS);
}

int jp_run_make_pool(struct jp_cli *cli, cJSON *options) {
    cJSON *limits = take_limits(cli, options);
    if (limits == NULL)
        return JP_EXIT_USAGE;
    char *parent = jp_take_text(options, "pool"), *timeout = jp_take_text(options, "--timeout");
    char *name = new_name(parent);
    cJSON *params = jp_cli_object("name", name);
    jp_json_add_string(params, "parent", parent);
    cJSON_AddTrueToObject(params, "ephemeral");
    cJSON_AddItemToObject(params, "limits", limits);
    if (timeout != NULL)
        jp_json_add_string(cJSON_AddObjectToObject(params, "timeouts"), "pool_wall_clock", timeout);
    cJSON *made = NULL;
    int code = jp_cli_call(cli, "pool.create", params, JP_CLI_PATIENCE_MS, &made);
    jp_json_add_string(options, "pool", name);
    cJSON_Delete(made);
    jp_free(name);
    jp_free(parent);
    jp_free(timeout);
    return code;
}
