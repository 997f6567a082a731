/* What the files of the command events share. */
#ifndef JP_CLI_EVENTS_H
#define JP_CLI_EVENTS_H

#include "cli/cli.h"

/* --- one event as a line, in events_show.c --- */

void jp_event_show(const cJSON *event, struct jp_str *out);
void jp_event_complain_of_gap(const cJSON *gap);

/* --- what one can tell, in events_messages.c --- */

void jp_event_each_message(jp_choice_fn *tell, void *context);

/* Writes the names in the list as the service knows them. JP_EXIT_OK, or the exit code after saying which is none; NULL is an empty list. */
int jp_event_read_messages(const struct jp_cli *cli, cJSON *messages);

/* --- a program for each event, in events_exec.c --- */

struct jp_event_exec {
    const char *command; /* the command line, as CreateProcessW takes it: nothing of an event gets into it */
    uint64_t failures;   /* so many ended with another code than 0 */
};

/* Runs it to its end: the event on standard input, and in JOBPOOL_EVENT_* of its environment. What it prints goes to standard error, so
 * that standard output has events and nothing else. Its exit code is told if it is not 0; a failure here is that it could not be run. */
jp_status jp_event_run(struct jp_event_exec *exec, const cJSON *event, struct jp_error *error);

/* --- as they happen, in events_follow.c --- */

struct jp_event_following {
    cJSON *params;    /* of events.subscribe */
    uint64_t limit;   /* so many, then it is done */
    char *exec;       /* NULL: nothing is run */
};

/* Until the limit, Ctrl-C, or the end of the service. Takes what is in `wanted`. */
int jp_events_follow(struct jp_cli *cli, struct jp_event_following *wanted);

#endif
