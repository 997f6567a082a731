/* Limits and the name of a pool for one run. Pure: tests/unit/run_limits_test.c. */
#include "cli/run_limits.h"

#include "job/limits.h"

#include <stdio.h>
#include <string.h>

enum { SUFFIX_MAX = 40 };

static const struct jp_json_rules rules = {.max_bytes = 4096, .max_depth = 8};

static cJSON *value_of(const char *text) {
    struct jp_json json = {0};
    struct jp_json_place place;
    struct jp_error ignored;
    if (jp_json_parse(text, strlen(text), &rules, &json, &place, &ignored) != JP_OK)
        return cJSON_CreateString(text);
    cJSON *value = jp_json_take_root(&json);
    jp_json_free(&json);
    return value;
}

/* The object under `key`, made if there is nothing; NULL if there is something else. */
static cJSON *object_under(cJSON *object, const char *key) {
    cJSON *found = jp_get(object, key);
    if (found == NULL)
        found = cJSON_AddObjectToObject(object, key);
    return cJSON_IsObject(found) ? found : NULL;
}

jp_status jp_run_add_limit(cJSON *limits, const char *key, const char *value, struct jp_error *error) {
    if (value == NULL)
        return jp_fail(error, JP_E_PARAMS, "--limit: \"%s\" has no value; write %s=VALUE", key, key);
    const char *dot = strchr(key, '.');
    if (dot == NULL) {
        cJSON_DeleteItemFromObjectCaseSensitive(limits, key);
        cJSON_AddItemToObject(limits, key, value_of(value));
        return JP_OK;
    }
    char *first = jp_strndup(key, (size_t)(dot - key));
    cJSON *inner = object_under(limits, first);
    jp_status status = inner == NULL ? jp_fail(error, JP_E_PARAMS, "--limit: \"%s\" is given with and without a key behind a dot", first)
                                     : jp_run_add_limit(inner, dot + 1, value, error);
    jp_free(first);
    return status;
}

char *jp_run_pool_name(const char *parent, uint32_t pid, uint64_t time_ms) {
    char suffix[SUFFIX_MAX];
    snprintf(suffix, sizeof suffix, ".run-%u-%llx", (unsigned)pid, (unsigned long long)time_ms);
    return jp_sprintf("%.*s%s", (int)(JP_POOL_NAME_MAX - strlen(suffix)), parent, suffix);
}
