/* Commands about pools: list, show, create, update, delete. */
#include "cli/cli.h"

#include <string.h>

static const struct jp_show pool_columns[] = {
    {"POOL", "name", JP_SHOW_TEXT},           {"STATE", "state", JP_SHOW_STATE},
    {"SOURCE", "source", JP_SHOW_TEXT},       {"PARENT", "parent", JP_SHOW_TEXT},
    {"PROCESSES", "members", JP_SHOW_NUMBER}, {"WITH CHILDREN", "totalMembers", JP_SHOW_NUMBER},
    {"DESCRIPTION", "description", JP_SHOW_TEXT}, {"FROZEN", "frozen", JP_SHOW_TEXT},
    {"EPHEMERAL", "ephemeral", JP_SHOW_TEXT}, {"RIGHTS", "rights", JP_SHOW_JSON}, {0},
};

/* People look for "frozen" where it says how a pool is. */
static cJSON *pool_rows(const cJSON *result, bool for_people) {
    if (!for_people)
        return NULL;
    cJSON *rows = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(result, "pools"), true), *row;
    cJSON_ArrayForEach(row, rows) {
        const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "state"));
        if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(row, "frozen")) && state != NULL && strcmp(state, "active") == 0)
            cJSON_ReplaceItemInObjectCaseSensitive(row, "state", cJSON_CreateString("frozen"));
    }
    return rows;
}

const struct jp_view jp_pools_view = {.list = "pools", .columns = pool_columns, .shown = 7, .nothing = "no pools that you may view", .rows = pool_rows};

int jp_command_list(struct jp_cli *cli, cJSON *options) { return jp_cli_ask(cli, "pool.list", options, &jp_pools_view); }

/* What is enforced and is no limit: the pool's own, whole. */
static void add_enforced(cJSON *rows, const cJSON *pool, const cJSON *enforced) {
    const cJSON *effective = jp_get(pool, "effective"), *by;
    cJSON_ArrayForEach(by, enforced) {
        const cJSON *value = jp_get(pool, by->string);
        if (value == NULL || jp_get(effective, by->string) != NULL)
            continue;
        cJSON *row = jp_cli_object("limit", by->string);
        jp_json_add_string(row, "from", cJSON_GetStringValue(jp_get(pool, "name")));
        cJSON_AddItemToObject(row, "value", cJSON_Duplicate(value, true));
        cJSON_AddItemToObject(row, "own", cJSON_Duplicate(value, true));
        cJSON_AddItemToObject(row, "by", cJSON_Duplicate(by, true));
        cJSON_AddItemToArray(rows, row);
    }
}

/* Which limit holds, and whose: under a parent it need not be the pool's own. Who enforces it stands beside it. */
static void show_effective(const cJSON *pool, struct jp_str *out) {
    static const struct jp_show columns[] = {
        {"LIMIT", "limit", JP_SHOW_TEXT}, {"HOLDS", "value", JP_SHOW_JSON}, {"SET BY POOL", "from", JP_SHOW_TEXT},
        {"OWN", "own", JP_SHOW_JSON},     {"ENFORCED BY", "by", JP_SHOW_STATE}, {0},
    };
    const cJSON *limits = jp_get(pool, "limits");
    const cJSON *enforced = jp_get(pool, "enforcedBy");
    cJSON *rows = cJSON_CreateArray();
    const cJSON *limit;
    cJSON_ArrayForEach(limit, jp_get(pool, "effective")) {
        cJSON *row = cJSON_Duplicate(limit, true);
        jp_json_add_string(row, "limit", limit->string);
        cJSON_AddItemToObject(row, "own", cJSON_Duplicate(jp_get(limits, limit->string), true));
        cJSON_AddItemToObject(row, "by", cJSON_Duplicate(jp_get(enforced, limit->string), true));
        cJSON_AddItemToArray(rows, row);
    }
    add_enforced(rows, pool, enforced);
    if (rows->child != NULL) {
        jp_str_putc(out, '\n');
        jp_show_table_with(columns, rows, &(const struct jp_table){.gives_way = "own,from"}, out);
    }
    cJSON_Delete(rows);
}

/* What the service could not do, a sentence a line. */
static void show_troubles(const cJSON *pool, struct jp_str *out) {
    const cJSON *trouble, *troubles = jp_get(pool, "troubles");
    if (!cJSON_IsArray(troubles) || troubles->child == NULL)
        return;
    jp_str_puts(out, "\nTROUBLES\n");
    cJSON_ArrayForEach(trouble, troubles) {
        jp_show_value(JP_SHOW_TEXT, trouble, out);
        jp_str_putc(out, '\n');
    }
}

static void show_sessions(const cJSON *pool, struct jp_str *out) {
    static const struct jp_show columns[] = {
        {"SESSION", "session", JP_SHOW_NUMBER},
        {"JOB OBJECT", "objectName", JP_SHOW_TEXT},
        {"PROCESSES", "members", JP_SHOW_NUMBER},
        {"EVER", "counters.totalProcesses", JP_SHOW_NUMBER},
        {"ACTIVE", "counters.activeProcesses", JP_SHOW_NUMBER},
        {"ENDED BY LIMITS", "counters.terminatedProcesses", JP_SHOW_NUMBER},
        {0},
    };
    const cJSON *sessions = jp_get(pool, "sessions");
    if (!cJSON_IsArray(sessions) || sessions->child == NULL)
        return;
    jp_str_putc(out, '\n');
    jp_show_table(columns, sessions, out);
}

/* What has ended since the counters were set to zero, a line. */
static void show_counters(const cJSON *pool, struct jp_str *out) {
    static const struct jp_show columns[] = {
        {"COUNTED SINCE", "since", JP_SHOW_TIME},      {"ENDED", "processes", JP_SHOW_NUMBER},
        {"EXITED", "exited", JP_SHOW_NUMBER},          {"CRASHED", "crashed", JP_SHOW_NUMBER},
        {"TERMINATED", "terminated", JP_SHOW_NUMBER},  {"UNKNOWN", "unknown", JP_SHOW_NUMBER},
        {"UNOBSERVED", "unobserved", JP_SHOW_NUMBER},  {"CODE NOT 0", "failures", JP_SHOW_NUMBER},
        {"CPU USER", "userTime100ns", JP_SHOW_DURATION}, {"CPU KERNEL", "kernelTime100ns", JP_SHOW_DURATION},
        {"PEAK COMMIT", "peakCommitBytes", JP_SHOW_BYTES}, {"READ", "readBytes", JP_SHOW_BYTES},
        {"WRITTEN", "writeBytes", JP_SHOW_BYTES},      {0},
    };
    cJSON *rows = cJSON_CreateArray();
    cJSON_AddItemToArray(rows, cJSON_Duplicate(jp_get(pool, "counters"), true));
    jp_str_putc(out, '\n');
    jp_show_table(columns, rows, out);
    cJSON_Delete(rows);
}

static bool is_text(const cJSON *object, const char *key, const char *text) {
    const char *found = cJSON_GetStringValue(jp_get(object, key));
    return found != NULL && strcmp(found, text) == 0;
}

/* How long to wait where nobody waits, what counts by session where there is only one, how long a pool stays frozen that is not. */
static void drop_what_means_nothing(cJSON *pool) {
    if (!is_text(pool, "when_full", "wait")) {
        cJSON_DeleteItemFromObjectCaseSensitive(pool, "wait_timeout");
        cJSON_DeleteItemFromObjectCaseSensitive(pool, "waiting");
    }
    if (is_text(pool, "sessionMode", "single"))
        cJSON_DeleteItemFromObjectCaseSensitive(pool, "limitsPerSession");
    bool frozen_by = cJSON_IsString(jp_get(pool, "frozenBy"));
    bool frozen = cJSON_IsTrue(jp_get(pool, "frozen"));
    if (!frozen)
        cJSON_DeleteItemFromObjectCaseSensitive(pool, "frozen");
    if (!frozen || frozen_by)
        cJSON_DeleteItemFromObjectCaseSensitive(pool, "keepFrozen");
}

static const struct jp_show pool_fields[] = {
    {"pool", "name", JP_SHOW_TEXT},
    {"description", "description", JP_SHOW_TEXT},
    {"state", "state", JP_SHOW_STATE},
    {"error", "error", JP_SHOW_JSON},
    {"frozen", "frozen", JP_SHOW_TEXT},
    {"frozen with pool", "frozenBy", JP_SHOW_TEXT},
    {"also over a crash", "keepFrozen", JP_SHOW_TEXT},
    {"source", "source", JP_SHOW_TEXT},
    {"created", "created", JP_SHOW_TIME},
    {"parent", "parent", JP_SHOW_TEXT},
    {"children", "children", JP_SHOW_JSON},
    {"job object", "objectName", JP_SHOW_TEXT},
    {"job messages", "listening", JP_SHOW_TEXT},
    {"processes", "members", JP_SHOW_NUMBER},
    {"with children", "totalMembers", JP_SHOW_NUMBER},
    {"limits", "limits", JP_SHOW_JSON},
    {"strict", "strict", JP_SHOW_TEXT},
    {"CPU rate fallback", "cpu_rate_fallback", JP_SHOW_TEXT},
    {"timeouts", "timeouts", JP_SHOW_JSON},
    {"before ending", "stop", JP_SHOW_JSON},
    {"memory policy", "memory_policy", JP_SHOW_JSON},
    {"takes", "match", JP_SHOW_JSON},
    {"does not take", "exclude", JP_SHOW_JSON},
    {"takes all others", "default", JP_SHOW_TEXT},
    {"ui", "ui", JP_SHOW_JSON},
    {"security", "security", JP_SHOW_JSON},
    {"notify at", "notify", JP_SHOW_JSON},
    {"at end of job time", "end_of_job_time", JP_SHOW_TEXT},
    {"when it is full", "when_full", JP_SHOW_TEXT},
    {"waits at most", "wait_timeout", JP_SHOW_TEXT},
    {"waiting for room", "waiting", JP_SHOW_NUMBER},
    {"when the service stops", "on_service_stop", JP_SHOW_TEXT},
    {"sessions", "sessionMode", JP_SHOW_TEXT},
    {"limits per session", "limitsPerSession", JP_SHOW_JSON},
    {"CPU time, user", "usage.userTime100ns", JP_SHOW_DURATION},
    {"CPU time, kernel", "usage.kernelTime100ns", JP_SHOW_DURATION},
    {"memory committed", "usage.commitBytes", JP_SHOW_BYTES},
    {"memory in working sets", "usage.workingSetBytes", JP_SHOW_BYTES},
    {"bytes read", "usage.readBytes", JP_SHOW_BYTES},
    {"bytes written", "usage.writeBytes", JP_SHOW_BYTES},
    {"processes ever", "jobCounters.totalProcesses", JP_SHOW_NUMBER},
    {"active", "jobCounters.activeProcesses", JP_SHOW_NUMBER},
    {"ended by limits", "jobCounters.terminatedProcesses", JP_SHOW_NUMBER},
    {0},
};

static void show_pool(const cJSON *result, struct jp_str *out) {
    cJSON *pool = cJSON_Duplicate(result, true);
    drop_what_means_nothing(pool);
    jp_show_fields(pool_fields, pool, out);
    show_counters(pool, out);
    show_effective(pool, out);
    show_sessions(pool, out);
    show_troubles(pool, out);
    cJSON_Delete(pool);
}

const struct jp_view jp_pool_view = {.columns = pool_fields, .show = show_pool};

int jp_command_show(struct jp_cli *cli, cJSON *options) {
    jp_json_add_string(options, "pool", cli->arguments[0]);
    return jp_cli_ask(cli, "pool.get", options, &jp_pool_view);
}

/* ------------------------------------------------------------------------------------------------ create and update */

const struct jp_option jp_definition_options[] = {
    {"persist", NULL, JP_OPTION_SWITCH, "persist", "keep the pool when the service ends"},
    /* update begins here */
    {"file", "FILE", JP_OPTION_TEXT, "--file", "read the JSON from a file; comments are allowed there"},
    {0},
};

/* The definition's keys, laid into `options`. `source` names the text where it is wrong. */
static bool add_definition(const struct jp_cli *cli, const char *source, const struct jp_str *text, bool comments,
                           cJSON *options) {
    cJSON *definition = NULL;
    if (!jp_cli_parse_json(cli, source, text, comments, &definition))
        return false;
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
    int code = JP_EXIT_OK;
    if (file != NULL && cli->argument_count == 2)
        code = jp_cli_misuse(cli, "either JSON or --file, not both");
    else if (file != NULL)
        code = jp_cli_read_text(file, &text);
    else
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
    return jp_cli_ask(cli, method, options, &jp_pool_view);
}

int jp_command_create(struct jp_cli *cli, cJSON *options) { return define(cli, "pool.create", "name", options); }

int jp_command_update(struct jp_cli *cli, cJSON *options) {
    if (cli->argument_count == 1 && jp_get(options, "--file") == NULL) {
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
    const cJSON *terminated = jp_get(result, "terminated");
    jp_str_puts(out, "deleted ");
    jp_show_value(JP_SHOW_TEXT, jp_get(result, "pool"), out);
    if (cJSON_IsNumber(terminated) && terminated->valueint > 0)
        jp_str_printf(out, "; %d processes ended", terminated->valueint);
    jp_str_putc(out, '\n');
}

int jp_command_delete(struct jp_cli *cli, cJSON *options) {
    jp_json_add_string(options, "pool", cli->arguments[0]);
    return jp_cli_ask(cli, "pool.delete", options, JP_VIEW(show_deleted));
}
