/* The command events: what the service wrote down, and what it tells as it happens. */
#include "cli/cli.h"

#include <string.h>

#define JOB_PREFIX "JOB_OBJECT_MSG_"

const struct jp_option jp_events_options[] = {
    {"follow", NULL, JP_OPTION_SWITCH, "--follow", "show events as they happen, until Ctrl-C"},
    {"pool", "NAME", JP_OPTION_LIST, "pools", "of this pool only; may be repeated"},
    {"message", "NAME", JP_OPTION_LIST, "messages", "this message only, for example EXIT_PROCESS; may be repeated"},
    {"from-seq", "N", JP_OPTION_NUMBER, "fromSeq", "from this event on (default: the last ones; with --follow: new ones)"},
    {"limit", "N", JP_OPTION_NUMBER, "limit", "at most so many"},
    {0},
};

static void add_field(struct jp_str *out, const char *before, const cJSON *event, const char *key, enum jp_show_kind kind) {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(event, key);
    if (value == NULL || cJSON_IsNull(value))
        return;
    jp_str_puts(out, before);
    jp_show_value(kind, value, out);
}

/* One line an event; columns are not lined up, because nobody knows what is still to come. */
static void show_event(const cJSON *event, struct jp_str *out) {
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "message"));
    const char *pool = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(event, "pool"));
    size_t prefix = strlen(JOB_PREFIX);
    message = message == NULL ? "?" : strncmp(message, JOB_PREFIX, prefix) == 0 ? message + prefix : message;
    add_field(out, "", event, "seq", JP_SHOW_NUMBER);
    add_field(out, "  ", event, "time", JP_SHOW_TIME);
    jp_str_puts(out, "  ");
    jp_add_harmless(out, pool == NULL || *pool == '\0' ? "-" : pool);
    jp_str_puts(out, "  ");
    jp_add_harmless(out, message);
    add_field(out, "  pid ", event, "pid", JP_SHOW_NUMBER);
    add_field(out, " ", event, "process", JP_SHOW_TEXT);
    add_field(out, "  exit code ", event, "exitCode", JP_SHOW_CODE);
    add_field(out, "  by ", event, "origin", JP_SHOW_TEXT);
    add_field(out, "  ", event, "detail", JP_SHOW_TEXT);
    jp_str_putc(out, '\n');
}

static void show_events(const cJSON *result, struct jp_str *out) {
    const cJSON *event;
    cJSON_ArrayForEach(event, cJSON_GetObjectItemCaseSensitive(result, "events")) {
        show_event(event, out);
    }
}

/* Prints `limit` events of the subscription. Nobody reads any more: that is an end too. */
static int print_as_they_come(struct jp_cli *cli, uint64_t limit) {
    for (uint64_t shown = 0; shown < limit; shown++) {
        cJSON *event = NULL;
        struct jp_error error = {0};
        if (jp_client_next_event(cli->client, JP_CLIENT_NO_TIMEOUT, &event, &error) != JP_OK)
            return jp_cli_unreachable(cli, &error);
        jp_cli_print(cli, event, show_event);
        if (!jp_output_good())
            return JP_EXIT_FAILED;
    }
    return JP_EXIT_OK;
}

static int follow(struct jp_cli *cli, cJSON *options) {
    uint64_t limit = jp_take_number(options, "limit", UINT64_MAX);
    cJSON *subscribed = NULL;
    int code = jp_cli_call(cli, "events.subscribe", options, JP_CLI_PATIENCE_MS, &subscribed);
    cJSON_Delete(subscribed);
    return code == JP_EXIT_OK ? print_as_they_come(cli, limit) : code;
}

int jp_command_events(struct jp_cli *cli, cJSON *options) {
    if (jp_take_switch(options, "--follow"))
        return follow(cli, options);
    if (cJSON_GetObjectItemCaseSensitive(options, "fromSeq") == NULL)
        cJSON_AddTrueToObject(options, "newest");
    return jp_cli_ask(cli, "events.query", options, show_events);
}
