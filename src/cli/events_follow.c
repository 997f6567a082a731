/* Events as they happen: a subscription of the client library's, which sees to it that none is missing and none comes twice. Each event is
 * done with, shown and its program run, before the next one is looked at: who is slow here makes the service wait, and loses nothing. */
#include "cli/events.h"

#include <string.h>
#include <windows.h>

struct follower {
    struct jp_cli *cli;
    uint64_t limit, shown;
    uint64_t next_seq; /* where to go on later; 0: nothing was shown yet */
    struct jp_event_exec exec;
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

/* -------------------------------------------------------------------------------------------------------------- Ctrl-C */

/* With a program to run, Ctrl-C lets the one that runs end (it gets the Ctrl-C too) and starts no more. The second one ends us at once. */
static HANDLE stopped; /* the follower's event */
static volatile LONG stops;

static BOOL WINAPI on_control(DWORD control) {
    if ((control != CTRL_C_EVENT && control != CTRL_BREAK_EVENT) || InterlockedIncrement(&stops) > 1)
        return FALSE;
    SetEvent(stopped);
    return TRUE;
}

static int tell_stop(const struct follower *follower) {
    if (follower->next_seq != 0)
        jp_complain("stopped; go on with --from-seq %llu", (unsigned long long)follower->next_seq);
    return (int)STATUS_CONTROL_C_EXIT;
}

/* ------------------------------------------------------------------------------------------------------------- printing */

static void print_line(struct follower *follower, const cJSON *object) {
    struct jp_str text = {0};
    if (follower->cli->json) {
        jp_json_print(object, &text);
        jp_str_putc(&text, '\n');
    } else {
        jp_event_show(object, &text);
    }
    jp_output(jp_str_text(&text), text.length);
    jp_str_free(&text);
}

/* As a table of one, of which only the first has a heading; the rows of the others are as wide as it, so that they stand below it. */
static void print_row(struct follower *follower, const cJSON *event) {
    const struct jp_output_options *output = &follower->cli->output;
    struct jp_output_options row = *output;
    bool is_table = output->format == JP_FORMAT_TABLE, headed = follower->shown > 0 || output->no_header;
    struct jp_str text = {0};
    row.no_header = headed && !is_table;
    cJSON *page = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(page, "events"), cJSON_Duplicate(event, true));
    jp_view_print(&jp_events_view, &row, page, &text);
    size_t heading = headed && is_table ? strcspn(jp_str_text(&text), "\n") + 1 : 0;
    jp_output(jp_str_text(&text) + heading, text.length - heading);
    jp_str_free(&text);
    cJSON_Delete(page);
}

/* Nobody reads any more: that is an end too. */
static void print(struct follower *follower, const cJSON *event) {
    const struct jp_output_options *output = &follower->cli->output;
    if (output->format == JP_FORMAT_CSV || (output->columns != NULL && output->format != JP_FORMAT_JSON))
        print_row(follower, event);
    else
        print_line(follower, event);
    if (!jp_output_good())
        finish(follower, JP_EXIT_FAILED);
}

/* ---------------------------------------------------------------------------------------------------- what the service tells */

static void run_program(struct follower *follower, const cJSON *event, uint64_t seq) {
    struct jp_error error;
    if (jp_event_run(&follower->exec, event, &error) == JP_OK)
        return;
    jp_complain("%s; go on with --from-seq %llu", error.text, (unsigned long long)seq);
    finish(follower, JP_EXIT_FAILED);
}

static void on_event(void *context, uint64_t seq, const char *text) {
    struct follower *follower = context;
    if (follower->is_done || stops > 0)
        return;
    cJSON *event = jp_cli_tree(text);
    print(follower, event);
    if (follower->exec.command != NULL && !follower->is_done)
        run_program(follower, event, seq);
    cJSON_Delete(event);
    follower->next_seq = seq + 1;
    if (++follower->shown >= follower->limit && !follower->is_done)
        finish(follower, follower->exec.failures > 0 ? JP_EXIT_FAILED : JP_EXIT_OK);
}

/* What there is to say beside an event goes to standard error; with --json it is a line among the others. */
static void print_wrapped(struct follower *follower, const char *key, cJSON *value) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(object, key, value);
    print_line(follower, object);
    cJSON_Delete(object);
    if (!jp_output_good())
        finish(follower, JP_EXIT_FAILED);
}

static void tell_gap(struct follower *follower, const char *json) {
    cJSON *gap = jp_cli_tree(json);
    if (follower->cli->json) {
        print_wrapped(follower, "gap", gap);
        return;
    }
    jp_event_complain_of_gap(gap);
    cJSON_Delete(gap);
}

static void tell_renumbered(struct follower *follower, uint64_t seq) {
    if (follower->cli->json) {
        cJSON *body = cJSON_CreateObject();
        jp_json_add_u64(body, "seq", seq);
        print_wrapped(follower, "renumbered", body);
        return;
    }
    jp_complain("the service has another database, in which events are numbered anew: all of them follow");
}

/* The service cannot go on with it: says why, and how to go on later. */
static int tell_end(struct follower *follower, const struct jp_client_news *news) {
    jp_complain("%s; go on with --from-seq %llu", news->error->text, (unsigned long long)news->seq);
    if (follower->cli->json) {
        cJSON *body = cJSON_CreateObject();
        jp_json_add_u64(body, "nextSeq", news->seq);
        cJSON_AddItemToObject(body, "error", jp_cli_tree(news->json));
        print_wrapped(follower, "end", body);
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

int jp_events_follow(struct jp_cli *cli, struct jp_event_following *wanted) {
    struct follower follower = {.cli = cli, .limit = wanted->limit, .exec.command = wanted->exec};
    struct jp_str params = {0};
    struct jp_error error = {0};
    uint64_t subscription = 0;
    jp_json_print(wanted->params, &params);
    follower.done = stopped = CreateEventW(NULL, TRUE, FALSE, NULL);
    DWORD cannot = GetLastError();
    if (wanted->exec != NULL)
        SetConsoleCtrlHandler(on_control, TRUE);
    struct jp_client_wish wish = {.params = jp_str_text(&params), .context = &follower, .on_event = on_event, .on_news = on_news};
    int code = jp_cli_connect(cli);
    if (code == JP_EXIT_OK && follower.done == NULL) {
        jp_complain("cannot wait for events (CreateEventW, error %lu)", (unsigned long)cannot);
        code = JP_EXIT_FAILED;
    }
    if (code == JP_EXIT_OK && jp_client_subscribe(cli->client, &wish, &subscription, &error) != JP_OK)
        code = jp_cli_unreachable(cli, &error);
    if (code == JP_EXIT_OK) {
        WaitForSingleObject(follower.done, INFINITE);
        jp_client_unsubscribe(cli->client, subscription); /* waits for the callback, so that what it left is final */
        code = follower.is_done ? follower.code : tell_stop(&follower);
    }
    if (wanted->exec != NULL)
        SetConsoleCtrlHandler(on_control, FALSE);
    if (follower.done != NULL)
        CloseHandle(follower.done);
    jp_str_free(&params);
    cJSON_Delete(wanted->params);
    jp_free(wanted->exec);
    return code;
}
