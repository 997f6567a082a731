/* The commands: one row each. */
#include "cli/cli.h"

const struct jp_noun jp_nouns[] = {
    {"pool", "Pools"}, {"process", "Processes"}, {"event", "Events"}, {"service", "The service"}, {0},
};

const struct jp_command jp_commands[] = {
    {.name = "status", .full = "service status",
     .summary = "how the service is",
     .run = jp_command_status},
    {.name = "list", .full = "pool list",
     .summary = "all pools",
     .run = jp_command_list},
    {.name = "show", .full = "pool show", .arguments = "POOL",
     .summary = "a pool: its limits, who enforces them, its counters",
     .min_arguments = 1, .max_arguments = 1, .run = jp_command_show},
    {.name = "run", .full = "process run", .arguments = "[--] CMD [ARG ...]",
     .summary = "run a command in a pool, here: in this console, until it ends",
     .details = "The command inherits this console and the standard streams. Nothing of it runs before the service has put it into\n"
                "the pool; if that fails, nothing runs at all. The exit code is the command's own.",
     .options = jp_run_options, .min_arguments = 1, .max_arguments = SIZE_MAX, .passes_through = true, .impersonate = true, .run = jp_command_run},
    {.name = "launch", .full = "process launch", .arguments = "[--] CMD [ARG ...]",
     .summary = "have the service start a command in a pool, without a console",
     .details = "The command runs as the caller, but in the service's session, and outlives this program.",
     .options = jp_launch_options, .min_arguments = 1, .max_arguments = SIZE_MAX, .passes_through = true, .impersonate = true, .run = jp_command_launch},
    {.name = "assign", .full = "process assign", .arguments = "PID",
     .summary = "put a running process into a pool",
     .options = jp_assign_options, .min_arguments = 1, .max_arguments = 1, .impersonate = true, .run = jp_command_assign},
    {.name = "ps", .full = "process list", .arguments = "[POOL]",
     .summary = "the processes in a pool and those below it, or in all pools", .max_arguments = 1,
     .run = jp_command_ps},
    {.name = "top", .full = "pool top",
     .summary = "a live table of pools: CPU, memory, processes, I/O, events",
     .details =
         "One question to the service a frame, however many pools. A pool's numbers are those of all below it too. Keys: c m p i e n sort by\n"
         "CPU, memory, processes, I/O, events, name (once more turns it round); t tree; / filter; Enter shows a pool's processes, Esc goes\n"
         "back; k ends and f freezes or thaws what is selected, after a question; I CPU % of one processor or of the machine; ? help; q quit.\n"
         "\"OF LIMIT\" is the committed memory against the tightest job_memory that holds for the pool; BY is who enforces its limits.\n"
         "Numbers that the system does not tell are \"-\", or null.",
     .examples = "# one frame for a person, by memory\n"
                 "jobpool top --once --sort -commitBytes\n"
                 "# one frame for a program\n"
                 "jobpool top --once --json\n"
                 "# three frames as csv\n"
                 "jobpool top --batch -n 3 -d 1s --format csv\n"
                 "# on Windows: the live table, which needs a console, as a tree, every second\n"
                 "jobpool top --tree --interval 1s",
     .options = jp_top_options, .view = &jp_top_view, .run = jp_command_top},
    {.name = "kill", .full = "pool kill", .arguments = "POOL | --pid PID",
     .summary = "end all processes of a pool, or one process",
     .options = jp_kill_options, .max_arguments = 1, .run = jp_command_kill},
    {.name = "freeze", .full = "pool freeze", .arguments = "POOL",
     .summary = "stop all threads of a pool and those below it, until thaw",
     .details = "New members freeze too. The pool is still frozen when the service was stopped and started again.",
     .options = jp_freeze_options, .min_arguments = 1, .max_arguments = 1, .run = jp_command_freeze},
    {.name = "thaw", .full = "pool thaw", .arguments = "POOL",
     .summary = "let a frozen pool go on",
     .min_arguments = 1, .max_arguments = 1, .run = jp_command_thaw},
    {.name = "match", .full = "process match",
     .summary = "which pool each running process would go to, by the rules of the pools",
     .details = "Only processes that a rule fits are listed; with --json, all.",
     .options = jp_match_options, .run = jp_command_match},
    {.name = "wait", .full = "pool wait", .arguments = "POOL",
     .summary = "wait until a pool is empty, or until one of its processes has ended",
     .options = jp_wait_options, .min_arguments = 1, .max_arguments = 1, .run = jp_command_wait},
    {.name = "events", .full = "event list",
     .summary = "what happened, and with --follow what happens",
     .options = jp_events_options, .run = jp_command_events},
    {.name = "accounting", .arguments = "[summary | processes | VERB ...]",
     .summary = "what was used: totals by pool, or every process; and what becomes of the record",
     .options = jp_accounting_options, .max_arguments = 1, .run = jp_command_accounting, .verbs = jp_accounting_verbs},
    {.name = "create", .full = "pool create", .arguments = "NAME [JSON]",
     .summary = "make a pool",
     .details = "JSON is an object with the keys that a pool has in the configuration, for example {\"limits\": {\"active_processes\": 4}}.",
     .options = jp_definition_options, .min_arguments = 1, .max_arguments = 2, .run = jp_command_create},
    {.name = "update", .full = "pool update", .arguments = "POOL [JSON]",
     .summary = "change a pool that lives; null lifts a limit",
     .options = &jp_definition_options[1], .min_arguments = 1, .max_arguments = 2, .run = jp_command_update},
    {.name = "delete", .full = "pool delete", .arguments = "POOL",
     .summary = "remove a pool that has no processes",
     .options = jp_delete_options, .min_arguments = 1, .max_arguments = 1, .run = jp_command_delete},
    {.name = "job", .arguments = "VERB ...",
     .summary = "any job object, pool or not, as Windows' own functions have it",
     .details = "JOB is a pool's name or a job object's kernel name (Global\\name, Local\\name, or name in this session). Jobs that are no\n"
                "pools are opened with your own rights.", .max_arguments = SIZE_MAX, .impersonate = true, .verbs = jp_job_verbs},
    {.name = "grant-handle", .arguments = "HANDLE --job JOB",
     .summary = "let the processes of a job use a window or another USER handle",
     .details = "For processes under the UI limit \"handles\". It is this program that grants, in its session, to a job that it is not in.",
     .options = jp_grant_options, .min_arguments = 1, .max_arguments = 1, .run = jp_command_grant_handle},
    {.name = "reload", .full = "service reload",
     .summary = "read the configuration again; a faulty one changes nothing",
     .run = jp_command_reload},
    {.name = "capabilities", .full = "service capabilities",
     .summary = "which limits this host's kernel enforces, which the service, which nobody",
     .run = jp_command_capabilities},
    {.name = "rpc", .arguments = "METHOD [JSON] | --stdio",
     .summary = "call any method, or speak the protocol over standard input and output",
     .options = jp_rpc_options, .max_arguments = 2, .impersonate = true, .run = jp_command_rpc},
    {0},
};
