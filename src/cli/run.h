/* What the files of the command run share: the process that it makes, the pool that it may make for it, and what is said at the end. */
#ifndef JP_CLI_RUN_H
#define JP_CLI_RUN_H

#include "cli/cli.h"

#include <windows.h>

/* --- the process, in run_process.c --- */

struct jp_run_start {
    char **arguments; /* the program and its arguments */
    size_t argument_count;
    const char *cwd;     /* NULL: ours */
    const cJSON *env;    /* {NAME: value or null}, or NULL */
    bool detach;         /* not of our console, and of our streams only those that are files */
    bool end_tree;       /* it and all that comes of it end with us, however we end */
};

struct jp_run_child {
    HANDLE process, thread;
    HANDLE job; /* which ends its processes when it is closed, so also when we are ended; NULL: nothing ties it to us */
    uint32_t pid;
    uint64_t start_100ns;
};

/* Creates the process suspended, and held: if we are asked to end now, it ends without one of its instructions having run. */
jp_status jp_run_create(const struct jp_run_start *start, struct jp_run_child *ret_child, struct jp_error *error);

/* From held to running; of a tree that is to end with us, in a job of ours below the pool's. */
jp_status jp_run_let_go(struct jp_run_child *child, struct jp_error *error);

/* Until it has ended: its exit code. */
int jp_run_wait(const struct jp_run_child *child);

void jp_run_end_tree(struct jp_run_child *child); /* what it left behind. Nothing, if it is not tied to us */
void jp_run_end_held(struct jp_run_child *child); /* it was never let go */
void jp_run_close(struct jp_run_child *child);

/* --- a pool for one run, in run_pool.c --- */

/* Whether there has to be one: options of the command that only a pool of its own can do. */
bool jp_run_wants_pool(const cJSON *options);

/* Takes --limit, --limits and --timeout out of the options, makes the pool below the one that they name, and puts it in that one's place.
 * JP_EXIT_OK, or the exit code after the reason was given. It goes with our connection, or when its last process has ended. */
int jp_run_make_pool(struct jp_cli *cli, cJSON *options);

/* --- what it used, in run_report.c --- */

/* Waits for the command as jp_run_wait() does, and for the service to have written down what it used. */
int jp_run_wait_recorded(struct jp_cli *cli, const char *pool, const struct jp_run_child *child);

/* Ends what it left behind, if it is tied to us, and waits until that is written down too. */
void jp_run_end_tree_recorded(struct jp_cli *cli, const char *pool, struct jp_run_child *child);

/* Says on standard error what it used with all that came of it, as time(1) would; with --json, as a line of JSON. */
void jp_run_report(struct jp_cli *cli, const char *pool, const struct jp_run_child *child, uint32_t exit_code);

#endif
