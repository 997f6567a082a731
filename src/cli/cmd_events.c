/* The command events: what the service wrote down, and what it tells as it happens. */
#include "cli/cli.h"

#include <string.h>
#include <windows.h>

#define JOB_PREFIX "JOB_OBJECT_MSG_"

const struct jp_option jp_events_options[] = {
    {"follow", NULL, JP_OPTION_SWITCH, "--follow", "show events as they happen, until Ctrl-C"},
    {"at-once", NULL, JP_OPTION_SWITCH, "--at-once", "with --follow: do not wait until an event is in the database"},
    {"reconnect", NULL, JP_OPTION_SWITCH, "--reconnect", "with --follow: when the service goes, wait for it, and go on where it stopped"},
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

/* --- following --- */

struct follower {
    struct jp_cli *cli;
    uint64_t limit, shown;
    bool subscribed;
    HANDLE done; /* an event; after that nothing is shown any more */
    bool is_done;
    int code;
};

static void finish(struct follower *follower, int code) {
    follower->code = code;
    follower->is_done = true;
    SetEvent(follower->done);
}

/* Nobody reads any more: that is an end too. */
static void print(struct follower *follower, cJSON *object) {
    jp_cli_print(follower->cli, object, JP_VIEW(show_event));
    if (!jp_output_good())
        finish(follower, JP_EXIT_FAILED);
}

static void on_event(void *context, uint64_t seq, const char *event) {
    struct follower *follower = context;
    (void)seq;
    if (follower->is_done)
        return;
    print(follower, jp_cli_tree(event));
    if (++follower->shown >= follower->limit && !follower->is_done)
        finish(follower, JP_EXIT_OK);
}

/* What there is to say beside an event goes to standard error; with --json it is a line among the others. */
static cJSON *wrapped(const char *key, cJSON *value) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(object, key, value);
    return object;
}

static void tell_gap(struct follower *follower, const char *json) {
    cJSON *gap = jp_cli_tree(json);
    if (follower->cli->json) {
        print(follower, wrapped("gap", gap));
        return;
    }
    complain_of_gap(gap);
    cJSON_Delete(gap);
}

static void tell_renumbered(struct follower *follower, uint64_t seq) {
    cJSON *body = cJSON_CreateObject();
    jp_json_add_u64(body, "seq", seq);
    if (follower->cli->json) {
        print(follower, wrapped("renumbered", body));
        return;
    }
    cJSON_Delete(body);
    jp_complain("the service has another database, in which events are numbered anew: all of them follow");
}

/* The service cannot go on with it: says why, and how to go on later. */
static int tell_end(struct follower *follower, const struct jp_client_news *news) {
    jp_complain("%s; go on with --from-seq %llu", news->error->text, (unsigned long long)news->seq);
    if (follower->cli->json) {
        cJSON *body = cJSON_CreateObject();
        jp_json_add_u64(body, "nextSeq", news->seq);
        cJSON_AddItemToObject(body, "error", jp_cli_tree(news->json));
        print(follower, wrapped("end", body));
    }
    return JP_EXIT_FAILED;
}

static int tell_why(struct follower *follower, const struct jp_client_news *news) {
    struct jp_cli_failure failure = {.answered = news->json != NULL, .answer = jp_cli_tree(news->json), .error = *news->error};
    return failure.answered && follower->subscribed ? (jp_cli_failure_clear(&failure), tell_end(follower, news))
                                                    : jp_cli_say_failure(follower->cli, &failure);
}

static void on_news(void *context, const struct jp_client_news *news) {
    struct follower *follower = context;
    if (follower->is_done)
        return;
    switch (news->notice) {
    case JP_CLIENT_SUBSCRIBED:
        if (follower->subscribed)
            jp_complain("connected again");
        follower->subscribed = true;
        if (follower->limit == 0)
            finish(follower, JP_EXIT_OK);
        break;
    case JP_CLIENT_INTERRUPTED:
        jp_complain("%s; trying again", news->error->text);
        break;
    case JP_CLIENT_GAP:
        tell_gap(follower, news->json);
        break;
    case JP_CLIENT_RENUMBERED:
        tell_renumbered(follower, news->seq);
        break;
    case JP_CLIENT_ENDED:
        finish(follower, tell_why(follower, news));
        break;
    }
}

static int follow(struct jp_cli *cli, cJSON *options) {
    struct follower follower = {.cli = cli, .limit = jp_take_number(options, "limit", UINT64_MAX)};
    struct jp_str params = {0};
    struct jp_error error = {0};
    uint64_t subscription = 0;
    jp_json_print(options, &params);
    cJSON_Delete(options);
    follower.done = CreateEventW(NULL, TRUE, FALSE, NULL);
    struct jp_client_wish wish = {.params = jp_str_text(&params), .context = &follower, .on_event = on_event, .on_news = on_news};
    int code = jp_cli_connect(cli);
    if (code == JP_EXIT_OK && jp_client_subscribe(cli->client, &wish, &subscription, &error) != JP_OK)
        code = jp_cli_unreachable(cli, &error);
    if (code == JP_EXIT_OK) {
        WaitForSingleObject(follower.done, INFINITE);
        jp_client_unsubscribe(cli->client, subscription); /* waits for the callback, so that `code` is final */
        code = follower.code;
    }
    CloseHandle(follower.done);
    jp_str_free(&params);
    return code;
}

int jp_command_events(struct jp_cli *cli, cJSON *options) {
    bool at_once = jp_take_switch(options, "--at-once"), reconnect = jp_take_switch(options, "--reconnect");
    if (jp_take_switch(options, "--follow")) {
        if (at_once)
            cJSON_AddFalseToObject(options, "durable");
        if (reconnect)
            cli->connection.reconnect_ms = JP_CLIENT_NO_TIMEOUT;
        return follow(cli, options);
    }
    if (at_once || reconnect) {
        cJSON_Delete(options);
        return jp_cli_misuse(cli, "--%s goes with --follow", at_once ? "at-once" : "reconnect");
    }
    if (cJSON_GetObjectItemCaseSensitive(options, "fromSeq") == NULL)
        cJSON_AddTrueToObject(options, "newest");
    return jp_cli_ask(cli, "events.query", options, JP_VIEW(show_events));
}
