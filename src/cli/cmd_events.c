/* The command events: what the service wrote down, and what it tells as it happens. */
#include "cli/cli.h"

#include <string.h>

#define JOB_PREFIX "JOB_OBJECT_MSG_"

const struct jp_option jp_events_options[] = {
    {"follow", NULL, JP_OPTION_SWITCH, "--follow", "show events as they happen, until Ctrl-C"},
    {"at-once", NULL, JP_OPTION_SWITCH, "--at-once", "with --follow: do not wait until an event is in the database"},
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
    if (cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(event, "durable")))
        jp_str_puts(out, "  (not in the database yet)");
    jp_str_putc(out, '\n');
}

static void show_events(const cJSON *result, struct jp_str *out) {
    const cJSON *event;
    cJSON_ArrayForEach(event, cJSON_GetObjectItemCaseSensitive(result, "events")) {
        show_event(event, out);
    }
}

static const struct {
    const char *reason, *sentence;
} gap_reasons[] = {
    {"slow", "they came faster than they were read; they follow now, from the database"},
    {"purged", "they are no longer kept"},
    {"dropped", "the database could not be written, and there were too many to wait for it; what of them is there follows"},
    {"missing", "the database does not have them"},
};

static void complain_of_gap(const cJSON *gap) {
    struct jp_str text = {0};
    const char *reason = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(gap, "reason"));
    add_field(&text, "events ", gap, "from", JP_SHOW_NUMBER);
    add_field(&text, " to ", gap, "to", JP_SHOW_NUMBER);
    for (size_t i = 0; reason != NULL && i < sizeof gap_reasons / sizeof *gap_reasons; i++)
        if (strcmp(gap_reasons[i].reason, reason) == 0)
            jp_str_printf(&text, ": %s", gap_reasons[i].sentence);
    jp_complain("%s", jp_str_text(&text));
    jp_str_free(&text);
}

/* The service cannot go on: says why, and how to go on later. */
static int complain_of_end(const cJSON *end) {
    struct jp_str text = {0};
    add_field(&text, "", cJSON_GetObjectItemCaseSensitive(end, "error"), "message", JP_SHOW_TEXT);
    add_field(&text, "; go on with --from-seq ", end, "nextSeq", JP_SHOW_NUMBER);
    jp_complain("%s", jp_str_text(&text));
    jp_str_free(&text);
    return JP_EXIT_FAILED;
}

/* What there is to say beside an event goes to standard error; with --json it is a line among the others. */
static int show_notification(struct jp_cli *cli, cJSON *event) {
    const cJSON *gap = cJSON_GetObjectItemCaseSensitive(event, "gap"), *end = cJSON_GetObjectItemCaseSensitive(event, "end");
    int code = JP_EXIT_OK;
    if (end != NULL)
        code = complain_of_end(end);
    else if (gap != NULL && !cli->json)
        complain_of_gap(gap);
    if (cli->json || (gap == NULL && end == NULL))
        jp_cli_print(cli, event, show_event);
    else
        cJSON_Delete(event);
    return code;
}

/* Prints `limit` events of the subscription. Nobody reads any more: that is an end too. */
static int print_as_they_come(struct jp_cli *cli, uint64_t limit) {
    for (uint64_t shown = 0; shown < limit;) {
        cJSON *event = NULL;
        struct jp_error error = {0};
        if (jp_client_next_event(cli->client, JP_CLIENT_NO_TIMEOUT, &event, &error) != JP_OK)
            return jp_cli_unreachable(cli, &error);
        shown += cJSON_HasObjectItem(event, "seq") ? 1 : 0;
        int code = show_notification(cli, event);
        if (code != JP_EXIT_OK || !jp_output_good())
            return code != JP_EXIT_OK ? code : JP_EXIT_FAILED;
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
    bool at_once = jp_take_switch(options, "--at-once");
    if (jp_take_switch(options, "--follow")) {
        if (at_once)
            cJSON_AddFalseToObject(options, "durable");
        return follow(cli, options);
    }
    if (at_once)
        return jp_cli_misuse(cli, "--at-once goes with --follow");
    if (cJSON_GetObjectItemCaseSensitive(options, "fromSeq") == NULL)
        cJSON_AddTrueToObject(options, "newest");
    return jp_cli_ask(cli, "events.query", options, show_events);
}
