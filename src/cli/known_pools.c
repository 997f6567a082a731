/* Whether a pool that was named is one: who misspelt it would take an empty answer for the truth. */
#include "cli/cli.h"

#include <string.h>

/* Whether the record has anything of a pool by that name, from whatever time. What cannot be asked is for the command itself to find out. */
static bool has_left(struct jp_cli *cli, const char *method, const char *list, cJSON *params) {
    cJSON *answer = NULL;
    struct jp_cli_failure failure;
    bool found = jp_cli_try(cli, method, params, JP_CLIENT_NO_TIMEOUT, &answer, &failure) != JP_OK || cJSON_GetArraySize(jp_get(answer, list)) > 0;
    jp_cli_failure_clear(&failure);
    cJSON_Delete(answer);
    return found;
}

static bool has_left_an_event(struct jp_cli *cli, const char *name) {
    cJSON *params = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(params, "pools"), cJSON_CreateString(name));
    jp_json_add_u64(params, "limit", 1);
    return has_left(cli, "events.query", "events", params);
}

/* JP_EXIT_OK also where the service says no for another reason: that is the command's to tell. */
static int check(struct jp_cli *cli, const char *name) {
    struct jp_cli_failure failure;
    cJSON *answer = NULL;
    jp_status status = jp_cli_try(cli, "pool.get", jp_cli_object("pool", name), JP_CLI_PATIENCE_MS, &answer, &failure);
    cJSON_Delete(answer);
    const char *why = cJSON_GetStringValue(jp_get(jp_get(failure.answer, "data"), "name"));
    bool missing = status != JP_OK && why != NULL && strcmp(why, "unknown_pool") == 0 &&
                   !has_left(cli, "accounting.summary", "pools", jp_cli_object("pool", name)) && !has_left_an_event(cli, name);
    if (missing)
        return jp_cli_say_failure(cli, &failure);
    jp_cli_failure_clear(&failure);
    return JP_EXIT_OK;
}

int jp_cli_check_pools(struct jp_cli *cli, const cJSON *options) {
    const char *one = cJSON_GetStringValue(jp_get(options, "pool"));
    int code = one == NULL ? JP_EXIT_OK : check(cli, one);
    const cJSON *name;
    cJSON_ArrayForEach(name, jp_get(options, "pools")) {
        if (code == JP_EXIT_OK)
            code = check(cli, name->valuestring);
    }
    return code;
}
