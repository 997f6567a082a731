/* The pool that is made for one run, below the one that was named: for limits, for a time, and to count the whole tree. */
#include "cli/run.h"
#include "cli/run_limits.h"

#include "base/units.h"
#include "job/limits.h"
#include "win32/clock.h"

#include <string.h>

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

/* Said here, where "limits.memroy" of a request that nobody wrote would be no help. */
static bool know_limits(const struct jp_cli *cli, const cJSON *limits) {
    size_t count = 0;
    while (jp_limit_fields[count].key != NULL)
        count++;
    const cJSON *item;
    cJSON_ArrayForEach(item, limits) {
        size_t i = 0;
        while (i < count && strcmp(jp_limit_fields[i].key, item->string) != 0)
            i++;
        if (i < count)
            continue;
        const char *nearest = jp_nearest(item->string, &jp_limit_fields->key, count, sizeof *jp_limit_fields);
        jp_cli_misuse(cli, "there is no limit \"%s\"%s%s%s (\"jobpool capabilities\" has them)", item->string, nearest != NULL ? "; did you mean \"" : "",
                      nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
        return false;
    }
    return true;
}

static char *new_name(const char *parent) {
    return jp_run_pool_name(parent, GetCurrentProcessId(), (uint64_t)jp_win32_now_100ns() / JP_100NS_PER_MS);
}

int jp_run_make_pool(struct jp_cli *cli, cJSON *options) {
    cJSON *limits = take_limits(cli, options);
    if (limits == NULL)
        return JP_EXIT_USAGE;
    if (!know_limits(cli, limits)) {
        cJSON_Delete(limits);
        return JP_EXIT_USAGE;
    }
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
