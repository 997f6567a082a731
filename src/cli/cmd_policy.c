/* Commands for what the service does beyond job objects: freeze and thaw a pool, match. */
#include "cli/cli.h"

#include <string.h>

static bool is_null(const cJSON *object, const char *key) {
    const cJSON *item = jp_get(object, key);
    return item == NULL || cJSON_IsNull(item);
}

/* ---------------------------------------------------------------------------------------------------- freeze and thaw */

const struct jp_option jp_freeze_options[] = {
    {"keep", NULL, JP_OPTION_SWITCH, "keep", "it stays frozen after a crash of the service too; without this the next start thaws it then"},
    {0},
};

static void add_named(struct jp_str *out, const char *before, const cJSON *object, const char *key) {
    jp_str_puts(out, before);
    jp_show_value(JP_SHOW_TEXT, jp_get(object, key), out);
}

static void show_frozen(const cJSON *pool, struct jp_str *out) {
    add_named(out, "pool ", pool, "name");
    if (!is_null(pool, "frozenBy"))
        add_named(out, " is frozen, with pool ", pool, "frozenBy");
    else
        jp_str_puts(out, cJSON_IsTrue(jp_get(pool, "frozen")) ? " is frozen" : " goes on");
    if (cJSON_IsTrue(jp_get(pool, "keepFrozen")))
        jp_str_puts(out, ", also over a crash of the service");
    jp_str_puts(out, "; processes: ");
    jp_show_value(JP_SHOW_NUMBER, jp_get(pool, "totalMembers"), out);
    jp_str_putc(out, '\n');
}

int jp_command_freeze(struct jp_cli *cli, cJSON *options) {
    jp_json_add_string(options, "pool", cli->arguments[0]);
    return jp_cli_ask(cli, "pool.freeze", options, JP_VIEW(show_frozen));
}

int jp_command_thaw(struct jp_cli *cli, cJSON *options) {
    jp_json_add_string(options, "pool", cli->arguments[0]);
    return jp_cli_ask(cli, "pool.thaw", options, JP_VIEW(show_frozen));
}

/* -------------------------------------------------------------------------------------------------------------- match */

const struct jp_option jp_match_options[] = {
    {"dry-run", NULL, JP_OPTION_SWITCH, "--dry-run", "only show it (that is so without --apply too)"},
    {"apply", NULL, JP_OPTION_SWITCH, "apply", "do it: put them into their pools"},
    {"pid", "PID", JP_OPTION_NUMBER, "pid", "this process only"},
    {0},
};

static const struct jp_show match_columns[] = {
    {"PID", "pid", JP_SHOW_NUMBER}, {"IMAGE", "image", JP_SHOW_PATH}, {"USER", "user", JP_SHOW_TEXT},
    {"POOL", "pool", JP_SHOW_TEXT}, {"RULE", "rule", JP_SHOW_JSON},   {"NOT TAKEN BECAUSE", "why", JP_SHOW_TEXT},
    {"START TIME", "startTime", JP_SHOW_NUMBER}, /* only if asked for */
    {0},
};

/* What no rule fits stays out of the table: that is most of a machine. */
static cJSON *matches(const cJSON *result, bool for_people) {
    cJSON *rows = cJSON_CreateArray();
    const cJSON *process;
    cJSON_ArrayForEach(process, jp_get(result, "processes")) {
        if (!for_people || !is_null(process, "pool") || !is_null(process, "why"))
            cJSON_AddItemToArray(rows, cJSON_Duplicate(process, true));
    }
    return rows;
}

static void after_matches(const cJSON *result, struct jp_str *out) {
    const cJSON *processes = jp_get(result, "processes"), *process;
    int taken = 0;
    cJSON_ArrayForEach(process, processes) {
        taken += !is_null(process, "pool") && is_null(process, "why");
    }
    jp_str_printf(out, "processes: %d; taken by a rule: %d\n", cJSON_GetArraySize(processes), taken);
}

const struct jp_view jp_match_view = {
    .list = "processes", .columns = match_columns, .shown = 6, .rows = matches, .after = after_matches};

int jp_command_match(struct jp_cli *cli, cJSON *options) {
    if (jp_take_switch(options, "--dry-run") && jp_get(options, "apply") != NULL) {
        cJSON_Delete(options);
        return jp_cli_misuse(cli, "either --dry-run or --apply, not both");
    }
    return jp_cli_ask(cli, "pool.match", options, &jp_match_view);
}
