/* What the commands of jobpool.exe share: the row that describes one, the connection, and the way an answer is shown. */
#ifndef JP_CLI_CLI_H
#define JP_CLI_CLI_H

#include "base/text.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/show.h"
#include "cli/view.h"
#include "client/pipe.h"
#include "jobpool/client.h"

enum jp_exit {
    JP_EXIT_OK = 0,
    JP_EXIT_FAILED = 1,      /* the service said no, or the operation failed here */
    JP_EXIT_USAGE = 2,
    JP_EXIT_UNREACHABLE = 3, /* no service, or it went away */
};

/* Most answers are there at once; whoever waits longer than this, waits for a service that hangs. */
enum { JP_CLI_PATIENCE_MS = 60000 };

struct jp_cli {
    bool json;                          /* results as one line of JSON: format is JP_FORMAT_JSON or JP_FORMAT_NDJSON */
    struct jp_output_options output;
    char *pipe;                         /* NULL: the default */
    const struct jp_command *command;
    const struct jp_command *group;     /* the command that `command` is a verb of, or NULL */
    const char *noun;                   /* the noun that it was called by ("pool" of "pool list"), or NULL */
    size_t argument_count;
    char **arguments;                   /* what follows the options; ends with NULL */
    struct jp_client *client;           /* connected by the first call */
    const char *progress;               /* set before a call that tells how far it is: what is shown on a terminal meanwhile */
    struct jp_client_options connection; /* what of it is the command's own choice; set before the first call */
};

/* A row of the table of commands. What is not there is zero. */
struct jp_command {
    const char *name;      /* the short form: "list" */
    const char *full;      /* noun and verb: "pool list"; several: "pool kill|process kill"; NULL: only the short form */
    bool only_full;        /* there is no short form; `name` is the verb */
    const char *const *aliases; /* other names; ends with NULL */
    const char *arguments; /* as help shows them: "POOL PID"; NULL: none */
    const char *summary;   /* one line */
    const char *details;   /* more lines for the command's own help */
    const char *examples;  /* a command line a line, between lines "# what it does". All are run by a test, but for those below a
                            * line that begins with "# on Windows:" */
    const struct jp_option *options;
    const struct jp_view *view; /* of the list that it prints: its columns are in the help, and can be chosen and sorted by */
    size_t min_arguments, max_arguments;
    bool passes_through;   /* options end at the first argument: what follows is somebody else's command line */
    bool impersonate;      /* the service acts with the caller's rights */
    bool hidden;           /* not in the list of commands */
    /* Returns the exit code. `options` is the command's (cJSON_Delete, or passed on as a call's parameters). */
    int (*run)(struct jp_cli *cli, cJSON *options);
    const struct jp_command *verbs; /* the first argument is one of these, or else `run` is called if there is one; ends with a NULL name */
};

/* For the field `aliases`. */
#define JP_ALIASES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The words before a verb: "pool" of "pool list". Which verbs they have is what the commands say in `full`. */
struct jp_noun {
    const char *name, *summary; /* NULL name: end of the table */
};

extern const struct jp_noun jp_nouns[];
extern const struct jp_command jp_commands[]; /* ends with a NULL name */
extern const struct jp_command jp_accounting_verbs[];
extern const struct jp_command jp_job_verbs[];

/* Why a call failed. */
struct jp_cli_failure {
    bool answered; /* the service said no: `answer` is its error. Otherwise it could not be asked, or did not answer */
    cJSON *answer; /* the error object {code, message, data?}, or NULL */
    struct jp_error error;
};
void jp_cli_failure_clear(struct jp_cli_failure *failure);

/* The tree of a text that the client library gave; NULL for NULL. */
cJSON *jp_cli_tree(const char *text);

/* How this command connects where it moves the bytes itself. */
struct jp_pipe_options jp_cli_pipe_options(const struct jp_cli *cli);

/* Connects if that has not happened yet. JP_EXIT_OK, or the exit code after the reason was given. */
int jp_cli_connect(struct jp_cli *cli);
jp_status jp_cli_try_to_connect(struct jp_cli *cli, struct jp_error *error); /* and says nothing */

/* Calls, and on failure says why. JP_EXIT_OK with the result (cJSON_Delete), or the exit code. `params` is taken. */
int jp_cli_call(struct jp_cli *cli, const char *method, cJSON *params, uint32_t timeout_ms, cJSON **ret_result);

/* The two halves of that, for whom not every failure is one. `failure` is cleared by the second. */
jp_status jp_cli_try(struct jp_cli *cli, const char *method, cJSON *params, uint32_t timeout_ms, cJSON **ret_result,
                     struct jp_cli_failure *failure);
int jp_cli_say_failure(const struct jp_cli *cli, struct jp_cli_failure *failure);

/* Calls and prints the result in the format that was asked for. Returns the exit code. `params` is taken. */
int jp_cli_ask(struct jp_cli *cli, const char *method, cJSON *params, const struct jp_view *view);

/* Whether what `options` name (under "pool", or the list "pools") are pools, or have been: of a pool that is gone there may be rows. JP_EXIT_OK,
 * or the exit code after saying which is none, and what may be meant. */
int jp_cli_check_pools(struct jp_cli *cli, const cJSON *options);

/* Prints a result that was put together from several answers. Takes it. Returns JP_EXIT_OK, or JP_EXIT_USAGE if the view has not
 * the columns that were asked for, after saying so. */
int jp_cli_print(struct jp_cli *cli, cJSON *result, const struct jp_view *view);

/* Says what is wrong with the command line and where help is. Returns JP_EXIT_USAGE. */
int jp_cli_misuse(const struct jp_cli *cli, const char *format, ...) JP_PRINTF(2, 3);

/* Says why the service cannot be asked (any more). Returns JP_EXIT_UNREACHABLE, or JP_EXIT_USAGE for a bad pipe name. */
int jp_cli_unreachable(const struct jp_cli *cli, const struct jp_error *error);

/* Text from a file or standard input (`name` NULL), of which more than JP_CLI_TEXT_MAX is of no use to anybody. JP_EXIT_OK, or
 * the exit code after the reason was given. */
enum { JP_CLI_TEXT_MAX = 1 << 20 };
int jp_cli_read_text(const char *name, struct jp_str *text);

/* A value from a text that a person wrote; `source` names it where it is wrong. False after saying what is. */
bool jp_cli_parse_json(const struct jp_cli *cli, const char *source, const struct jp_str *text, bool comments, cJSON **ret_value);

/* An object with one string. */
cJSON *jp_cli_object(const char *key, const char *text);

/* Moves the items of one list to the end of another. NULL is an empty list. */
void jp_cli_move_items(cJSON *from, cJSON *to);

/* A process id from an argument, added to `params`. False after saying that it is none. */
bool jp_cli_add_pid(const struct jp_cli *cli, cJSON *params, const char *text);

/* The commands, by the file that they stand in. */
/* Of what asks for sums. */
#define JP_EACH_OPTION {"each", NULL, JP_OPTION_SWITCH, "each", "pools of single runs (jobpool run --limit) one by one, not as a part of the pool above"}

extern const struct jp_option jp_assign_options[], jp_complete_options[], jp_audit_options[], jp_report_options[], jp_definition_options[], jp_delete_options[],
    jp_events_options[], jp_freeze_options[], jp_grant_options[], jp_init_options[], jp_kill_options[], jp_launch_options[], jp_match_options[],
    jp_page_options[], jp_process_wait_options[], jp_processes_options[],
    jp_rpc_options[], jp_run_options[], jp_summary_options[], jp_top_options[], jp_wait_options[];
extern const struct jp_view jp_accounting_view, jp_audit_view, jp_capabilities_view, jp_doctor_view, jp_events_view, jp_match_view, jp_pool_view, jp_pools_view, jp_processes_view, jp_ps_view,
    jp_report_view, jp_status_view, jp_summary_view, jp_top_view;
int jp_command_accounting(struct jp_cli *cli, cJSON *options);
int jp_command_assign(struct jp_cli *cli, cJSON *options);
int jp_command_audit(struct jp_cli *cli, cJSON *options);
int jp_command_report(struct jp_cli *cli, cJSON *options);
int jp_command_capabilities(struct jp_cli *cli, cJSON *options);
int jp_command_complete(struct jp_cli *cli, cJSON *options);
int jp_command_completion(struct jp_cli *cli, cJSON *options);
int jp_command_create(struct jp_cli *cli, cJSON *options);
int jp_command_delete(struct jp_cli *cli, cJSON *options);
int jp_command_doctor(struct jp_cli *cli, cJSON *options);
int jp_command_events(struct jp_cli *cli, cJSON *options);
int jp_command_freeze(struct jp_cli *cli, cJSON *options);
int jp_command_grant_handle(struct jp_cli *cli, cJSON *options);
int jp_command_init(struct jp_cli *cli, cJSON *options);
int jp_command_kill(struct jp_cli *cli, cJSON *options);
int jp_command_launch(struct jp_cli *cli, cJSON *options);
int jp_command_list(struct jp_cli *cli, cJSON *options);
int jp_command_match(struct jp_cli *cli, cJSON *options);
int jp_command_page(struct jp_cli *cli, cJSON *options);
int jp_command_process_kill(struct jp_cli *cli, cJSON *options);
int jp_command_process_wait(struct jp_cli *cli, cJSON *options);
int jp_command_processes(struct jp_cli *cli, cJSON *options);
int jp_command_ps(struct jp_cli *cli, cJSON *options);
int jp_command_reload(struct jp_cli *cli, cJSON *options);
int jp_command_rpc(struct jp_cli *cli, cJSON *options);
int jp_command_run(struct jp_cli *cli, cJSON *options);
int jp_command_show(struct jp_cli *cli, cJSON *options);
int jp_command_status(struct jp_cli *cli, cJSON *options);
int jp_command_summary(struct jp_cli *cli, cJSON *options);
int jp_command_thaw(struct jp_cli *cli, cJSON *options);
int jp_command_top(struct jp_cli *cli, cJSON *options);
int jp_command_update(struct jp_cli *cli, cJSON *options);
int jp_command_wait(struct jp_cli *cli, cJSON *options);

#endif
