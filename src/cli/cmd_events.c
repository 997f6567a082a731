/* The command events: what the service wrote down, and what it tells as it happens. */
#include "cli/events.h"

const struct jp_option jp_events_options[] = {
    {"follow|f", NULL, JP_OPTION_SWITCH, "--follow", "show events as they happen, until Ctrl-C"},
    {"since", "TIME", JP_OPTION_TIME, "from", "from this time on: 10min, 2h, yesterday, 2026-11-22T07:15:30Z"},
    {"until", "TIME", JP_OPTION_TIME, "to", "before this time; not with --follow"},
    {"from-seq", "N", JP_OPTION_NUMBER, "fromSeq", "from this event on (default: the last ones; with --follow: new ones)"},
    {"limit|n", "N", JP_OPTION_NUMBER, "limit", "at most so many (without --since, --from-seq and --follow: 1000)"},
    {"pool|p", "NAME", JP_OPTION_LIST, "pools", "of this pool only; may be repeated"},
    {"message|m", "NAME", JP_OPTION_LIST, "messages", "this message only, for example EXIT_PROCESS; may be repeated"},
    {"pid", "PID", JP_OPTION_NUMBER, "pid", "of this process only"},
    {"origin", "kernel|reconciler|service", JP_OPTION_LIST, "origins", "only what this one told; may be repeated"},
    {"exec", "CMD", JP_OPTION_TEXT, "--exec", "with --follow: run this command line for each event, one after the other"},
    {"at-once", NULL, JP_OPTION_SWITCH, "--at-once", "with --follow: do not wait until an event is in the database"},
    {"reconnect", NULL, JP_OPTION_SWITCH, "--reconnect", "with --follow: when the service goes, wait for it, and go on where it stopped"},
    {0},
};

/* --------------------------------------------------------------------------------------------------------- the past */

/* From a place on, all there is, a page after the other; what is to be sorted, or is one JSON text, is one page. */
static bool reads_on(const struct jp_cli *cli, const cJSON *options) {
    return (jp_get(options, "from") != NULL || jp_get(options, "fromSeq") != NULL) && jp_get(options, "limit") == NULL &&
           cli->output.format != JP_FORMAT_JSON && cli->output.sort == NULL;
}

static void go_behind(cJSON *options, const cJSON *page) {
    uint64_t last = 0;
    const cJSON *event;
    cJSON_ArrayForEach(event, jp_get(page, "events")) {
        jp_json_get_u64(jp_get(event, "seq"), &last);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(options, "fromSeq");
    jp_json_add_u64(options, "fromSeq", last + 1);
}

static int show_all(struct jp_cli *cli, cJSON *options) {
    int code;
    bool more = true;
    while (more) {
        cJSON *page = NULL;
        code = jp_cli_call(cli, "events.query", cJSON_Duplicate(options, true), JP_CLI_PATIENCE_MS, &page);
        if (code != JP_EXIT_OK)
            break;
        more = cJSON_IsTrue(jp_get(page, "more")) && cJSON_GetArraySize(jp_get(page, "events")) > 0;
        if (more)
            go_behind(options, page);
        code = jp_cli_print(cli, page, &jp_events_view);
        cli->output.no_header = true;
        more = more && code == JP_EXIT_OK && jp_output_good();
    }
    cJSON_Delete(options);
    return code;
}

/* Takes the options. */
static int query(struct jp_cli *cli, cJSON *options) {
    int code = jp_cli_check_pools(cli, options);
    if (code != JP_EXIT_OK) {
        cJSON_Delete(options);
        return code;
    }
    if (reads_on(cli, options))
        return show_all(cli, options);
    if (jp_get(options, "fromSeq") == NULL)
        cJSON_AddTrueToObject(options, "newest");
    return jp_cli_ask(cli, "events.query", options, &jp_events_view);
}

/* ---------------------------------------------------------------------------------------------- as they happen */

/* The number of the first event of a page. JP_EXIT_OK with 0 if there is none; takes `params`. */
static int first_seq(struct jp_cli *cli, cJSON *params, uint64_t *ret_seq) {
    cJSON *page = NULL;
    *ret_seq = 0;
    jp_json_add_u64(params, "limit", 1);
    int code = jp_cli_call(cli, "events.query", params, JP_CLI_PATIENCE_MS, &page);
    if (code == JP_EXIT_OK)
        jp_json_get_u64(jp_get(cJSON_GetArrayItem(jp_get(page, "events"), 0), "seq"), ret_seq);
    cJSON_Delete(page);
    return code;
}

/* A subscription begins at a number. The last one is asked for first: what comes between the questions has a higher one. */
static int since_as_number(struct jp_cli *cli, cJSON *options) {
    uint64_t newest, first;
    cJSON *last = cJSON_CreateObject();
    cJSON_AddTrueToObject(last, "newest");
    int code = first_seq(cli, last, &newest);
    if (code == JP_EXIT_OK)
        code = first_seq(cli, cJSON_Duplicate(options, true), &first);
    if (code != JP_EXIT_OK)
        return code;
    cJSON_DeleteItemFromObjectCaseSensitive(options, "from");
    uint64_t number;
    if (first == 0)
        first = newest + 1;
    if (!jp_json_get_u64(jp_get(options, "fromSeq"), &number)) /* given both, the later one counts */
        jp_json_add_u64(options, "fromSeq", first);
    else if (number < first)
        cJSON_ReplaceItemInObjectCaseSensitive(options, "fromSeq", jp_json_u64(first));
    return JP_EXIT_OK;
}

static int check_following(const struct jp_cli *cli, const cJSON *options) {
    if (cli->output.sort != NULL)
        return jp_cli_misuse(cli, "what is still to come cannot be sorted: --sort does not go with --follow");
    if (jp_get(options, "to") != NULL)
        return jp_cli_misuse(cli, "--until does not go with --follow");
    return JP_EXIT_OK;
}

/* Takes the options, and the command line to run (NULL: none). */
static int follow(struct jp_cli *cli, cJSON *options, char *exec) {
    struct jp_event_following wanted = {.limit = jp_take_number(options, "limit", UINT64_MAX), .exec = exec};
    int code = check_following(cli, options);
    if (code == JP_EXIT_OK && jp_cli_check_pools(cli, options) != JP_EXIT_OK)
        jp_complain("its events are shown as soon as somebody makes it");
    if (code == JP_EXIT_OK && jp_get(options, "from") != NULL)
        code = since_as_number(cli, options);
    wanted.params = options;
    if (code == JP_EXIT_OK)
        return jp_events_follow(cli, &wanted);
    cJSON_Delete(options);
    jp_free(exec);
    return code;
}

int jp_command_events(struct jp_cli *cli, cJSON *options) {
    bool at_once = jp_take_switch(options, "--at-once"), reconnect = jp_take_switch(options, "--reconnect");
    int code = jp_event_read_messages(cli, jp_get(options, "messages"));
    if (code != JP_EXIT_OK) {
        cJSON_Delete(options);
        return code;
    }
    char *exec = jp_take_text(options, "--exec");
    if (jp_take_switch(options, "--follow")) {
        if (at_once)
            cJSON_AddFalseToObject(options, "durable");
        if (reconnect)
            cli->connection.reconnect_ms = JP_CLIENT_NO_TIMEOUT;
        return follow(cli, options, exec);
    }
    const char *follows = at_once ? "at-once" : reconnect ? "reconnect" : exec != NULL ? "exec" : NULL;
    jp_free(exec);
    if (follows != NULL) {
        cJSON_Delete(options);
        return jp_cli_misuse(cli, "--%s goes with --follow", follows);
    }
    return query(cli, options);
}
