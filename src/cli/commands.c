/* The commands: one row each. */
#include "cli/cli.h"
#include "cli/events.h"

static int follow(struct jp_cli *cli, cJSON *options) {
    jp_take_switch(options, "--follow");
    cJSON_AddTrueToObject(options, "--follow");
    return jp_command_events(cli, options);
}

const struct jp_noun jp_nouns[] = {
    {"pool", "Pools"}, {"process", "Processes"}, {"event", "Events"}, {"service", "The service"}, {0},
};

const struct jp_command jp_commands[] = {
    {.name = "status", .full = "service status",
     .summary = "how the service is",
     .details = "Since when it runs, how its database is and what it keeps how long, how it samples, and whether one of these is degraded.",
     .examples = "jobpool status\n"
                 "# only whether it answers, for a script: exit code 0 or 3\n"
                 "jobpool status --format csv --columns version --no-header",
     .view = &jp_status_view, .run = jp_command_status},
    {.name = "list", .aliases = JP_ALIASES("ls", "pools"), .full = "pool list",
     .summary = "all pools",
     .examples = "jobpool list\n"
                 "# pools with most processes first\n"
                 "jobpool pool list --columns name,totalMembers --sort -totalMembers",
     .view = &jp_pools_view, .run = jp_command_list},
    {.name = "show", .full = "pool show", .arguments = "POOL",
     .summary = "a pool: its limits, who enforces them, its counters",
     .details = "Which of its limits holds under its parents and who enforces it (kernel, service, none), whether it is frozen, what it uses with\n"
                "the pools below it, what has ended in it since its counters were set to zero, its job objects by session, and what went wrong (TROUBLES).",
     .examples = "jobpool show build\n"
                 "# the limits alone\n"
                 "jobpool show build --json --columns limits",
     .min_arguments = 1, .max_arguments = 1, .view = &jp_pool_view, .run = jp_command_show},
    {.name = "run", .full = "process run", .arguments = "[--] CMD [ARG ...]",
     .summary = "run a command in a pool, here: in this console, until it ends",
     .details = "The command inherits this console, the standard streams, the environment and the folder; nothing of what it reads or writes\n"
                "goes through this program. Nothing of it runs before the service has put it into the pool; if that fails, nothing runs at\n"
                "all. Ctrl-C and Ctrl-Break are the command's. The exit code is the command's own, all 32 bits of it.\n"
                "\n"
                "The program is searched as Windows does: beside jobpool.exe, here, in Windows' folders, in PATH. Options of jobpool end at\n"
                "the command, with or without --; arguments arrive as they were given: they are quoted as CommandLineToArgvW reads them.\n"
                "What cmd.exe knows by itself (dir, echo, pipes), and scripts, run with cmd /c, which reads what follows by rules of its own.\n"
                "\n"
                "--limit, --limits, --timeout and --report make a pool for this run below the one that is named: POOL.run-PID-TIME. It goes\n"
                "with its last process; its accounts stay. Limits are those of the configuration (jobpool help units). The service\n"
                "keeps the time, also when this program is gone; what it ends has exit code 1460 (ERROR_TIMEOUT), unless the pool's\n"
                "\"stop\" lets it end by itself.\n"
                "\n"
                "If this program is ended by force, the command goes on in its pool. With --end-tree it ends, and all that came of it: they\n"
                "are in a job object of this program's too, which Windows closes with it. It also ends what the command leaves behind.\n"
                "\n"
                "--detach: the command has a console of its own that nobody sees, so no Ctrl-C reaches it; of the standard streams it has\n"
                "those that are files, and NUL for the others. The process id is printed (--json: the process).\n"
                "\n"
                "--report writes to standard error when the command has ended: real time, CPU time, the largest process's peak commit,\n"
                "bytes read and written, processes, exit code; with --json as a line {\"report\": ...}.",
     .examples = "# a compiler, with what the pool allows\n"
                 "jobpool run --pool build -- cmd /c exit 0\n"
                 "# for this run alone: half a GiB, four processes, ten minutes; then say what it used\n"
                 "jobpool run -p build --limit job_memory=512MiB --limit active_processes=4 --timeout 10min --report -- cmd /c exit 0\n"
                 "# as a wrapper: nothing outlives it, however it is ended\n"
                 "jobpool run -p build --end-tree -C C:\\ -e MODE=full -e DEBUG -- cmd /c exit 0\n",
     .options = jp_run_options, .min_arguments = 1, .max_arguments = SIZE_MAX, .passes_through = true, .impersonate = true, .run = jp_command_run},
    {.name = "launch", .full = "process launch", .arguments = "[--] CMD [ARG ...]",
     .summary = "have the service start a command in a pool, without a console",
     .details = "The service starts it as you and in your session, without a console: it goes on when this prompt is closed, and ends with the\n"
                "session when you log off. It begins in your profile's folder, with the variables that a new prompt has, not with those of this one.\n"
                "Without --stdin, --stdout and --stderr it has NUL; files are opened with your rights.\n"
                "\n"
                "Options of jobpool end at the command, with or without --; arguments arrive as they were given: they are quoted as\n"
                "CommandLineToArgvW reads them (what follows cmd /c, cmd.exe reads by rules of its own). What cmd.exe knows by itself (dir, echo,\n"
                "pipes), and scripts, run with cmd /c.\n"
                "\n"
                "--wait waits until it has ended and says how; the exit code is 0 all the same: the launch succeeded (--json has exitCode).",
     .examples = "jobpool launch --pool nightly -- cmd /c exit 0\n"
                 "# with a folder and an environment of its own; DEBUG is removed\n"
                 "jobpool launch -p nightly -C C:\\windows -e MODE=full -e DEBUG --wait -- cmd /c exit 0",
     .options = jp_launch_options, .min_arguments = 1, .max_arguments = SIZE_MAX, .passes_through = true, .impersonate = true, .run = jp_command_launch},
    {.name = "assign", .full = "process assign", .arguments = "PID",
     .summary = "put a running process into a pool",
     .details = "With its startTime (ps --columns pid,startTime) it is certain to be that process and no later one of the same id. In a pool that lets\n"
                "callers wait for room (when_full: wait), the pool's wait_timeout holds, or --wait-for-room.",
     .examples = "jobpool assign --pool build 4711",
     .options = jp_assign_options, .min_arguments = 1, .max_arguments = 1, .impersonate = true, .run = jp_command_assign},
    {.name = "ps", .aliases = JP_ALIASES("processes"), .full = "process list", .arguments = "[POOL]",
     .summary = "the processes in a pool and those below it, or in all pools",
     .examples = "jobpool ps build\n"
                 "# who uses most memory, in all pools\n"
                 "jobpool process list --sort -peakCommitBytes --columns pid,pool,peakCommitBytes,image",
     .max_arguments = 1,
     .view = &jp_ps_view, .run = jp_command_ps},
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
     .examples = "# every process of a pool and of those below it\n"
                 "jobpool kill nightly --exit-code 3\n"
                 "# one process, whatever its pool\n"
                 "jobpool kill --pid 4711",
     .options = jp_kill_options, .max_arguments = 1, .run = jp_command_kill},
    {.name = "freeze", .full = "pool freeze", .arguments = "POOL",
     .summary = "stop all threads of a pool and those below it, until thaw",
     .details = "Also of what joins later. The pool is still frozen when the service was stopped and started again; with --keep also after a crash of\n"
                "the service, without it the next start thaws it then.",
     .examples = "jobpool freeze build\n"
                 "jobpool thaw build",
     .options = jp_freeze_options, .min_arguments = 1, .max_arguments = 1, .run = jp_command_freeze},
    {.name = "thaw", .full = "pool thaw", .arguments = "POOL",
     .summary = "let a frozen pool go on",
     .examples = "jobpool freeze build\n"
                 "jobpool thaw build",
     .min_arguments = 1, .max_arguments = 1, .run = jp_command_thaw},
    {.name = "kill", .full = "process kill", .only_full = true, .arguments = "PID",
     .summary = "end one process, whatever its pool",
     .examples = "jobpool process kill 4711",
     .options = &jp_kill_options[1], .min_arguments = 1, .max_arguments = 1, .run = jp_command_process_kill},
    {.name = "wait", .full = "process wait", .only_full = true, .arguments = "PID",
     .summary = "wait until a process of a pool has ended",
     .details = "Also afterwards, from the accounts.",
     .examples = "jobpool process wait 4711 --pool build --timeout 1h",
     .options = jp_process_wait_options, .min_arguments = 1, .max_arguments = 1, .run = jp_command_process_wait},
    {.name = "match", .full = "process match",
     .summary = "which pool each running process would go to, by the rules of the pools",
     .details = "Nothing is done without --apply. Why a process is not taken stands beside it. In tables only processes that a rule fits are listed;\n"
                "other formats have all.",
     .examples = "jobpool match\n"
                 "# do it, for one process\n"
                 "jobpool match --apply --pid 4711",
     .options = jp_match_options, .view = &jp_match_view, .run = jp_command_match},
    {.name = "wait", .full = "pool wait", .arguments = "POOL",
     .summary = "wait until a pool is empty, or until one of its processes has ended",
     .details = "Exit code 1 when the time of --timeout is over.",
     .examples = "jobpool wait nightly --timeout 30s",
     .options = jp_wait_options, .min_arguments = 1, .max_arguments = 1, .run = jp_command_wait},
    {.name = "events", .full = "event list",
     .summary = "what happened, and with --follow what happens",
     .details = "Without --since and --from-seq the last ones. --message EXIT_PROCESS, in any case, is short for JOB_OBJECT_MSG_EXIT_PROCESS.\n"
                "One line an event: its number, time, pool, what happened, process, exit code, who told\n"
                "(kernel: Windows; reconciler: the service found out; service: it did it). --format ndjson: an event a line;\n"
                "csv: also with --follow.\n"
                "\n"
                "--follow with --since or --from-seq goes from the past into the present, none missing and none twice. Events that are\n"
                "gone, or come late because they were not read, are told on standard error, with --json as a line {\"gap\": ...}. With\n"
                "--reconnect, if the service's database was replaced, all that is in the new one follows: {\"renumbered\": ...}.\n"
                "\n"
                "--exec runs a program for each event, one after the other, and waits for it; what comes meanwhile waits too and is not\n"
                "lost. CMD is a command line as it is: nothing of an event gets into it. The program has the event as a line of JSON on\n"
                "standard input, and as JOBPOOL_EVENT_SEQ, _TIME, _POOL, _MESSAGE, _PID, _START_TIME, _PROCESS, _EXIT_CODE, _ORIGIN and\n"
                "_DETAIL in its environment. Others choose what is in an event: PowerShell's $env:JOBPOOL_EVENT_DETAIL is safe; in a\n"
                "batch file %JOBPOOL_EVENT_DETAIL% would be read as commands, so use !JOBPOOL_EVENT_DETAIL! (setlocal\n"
                "EnableDelayedExpansion). What it prints goes to standard error. An exit code other than 0 is told, and makes this\n"
                "program's 1 when --limit is reached. If it cannot be run, following ends. Ctrl-C waits for the one that runs.",
     .examples = "# the last ten\n"
                 "jobpool events -n 10\n"
                 "# ends of processes since yesterday, as csv\n"
                 "jobpool events --since yesterday --message EXIT_PROCESS --format csv\n"
                 "# the last two hours of a pool, in the service's own words\n"
                 "jobpool events --since 2h --pool build --origin service\n"
                 "# on Windows: as they happen, with a script for each limit that is hit\n"
                 "jobpool events -f -p build -m JOB_MEMORY_LIMIT --exec \"powershell -NoProfile -File on-limit.ps1\"\n",
     .options = jp_events_options, .view = &jp_events_view, .run = jp_command_events},
    {.name = "follow", .full = "event follow", .only_full = true,
     .summary = "what happens, as it happens: event list --follow",
     .details = "The same as event list --follow; jobpool help event list has more.",
     .examples = "jobpool event follow --from-seq 1 --limit 1",
     .options = jp_events_options, .view = &jp_events_view, .run = follow},
    {.name = "accounting", .arguments = "[VERB ...]",
     .summary = "what was used, by pool, user, program, day and ending; and what becomes of the record",
     .details = "Without a verb: totals by pool, as accounting summary; with --by, --user, --image, --ending or --top a report, as accounting report.\n"
                "Tables end with a TOTAL: it is the sum of the rows above it, peaks are the greatest. csv and ndjson have only the rows; json is the\n"
                "service's whole answer.",
     .examples = "jobpool accounting\n"
                 "# who used most CPU time in the last week\n"
                 "jobpool accounting --by user --from 7d --top 10\n"
                 "# each day of a pool as csv\n"
                 "jobpool accounting --by day --pool build --format csv\n"
                 "# what ended how since midnight\n"
                 "jobpool accounting --by pool,ending --from today",
     .options = jp_report_options, .view = &jp_accounting_view, .run = jp_command_accounting, .verbs = jp_accounting_verbs},
    {.name = "report",
     .summary = "a page of HTML with charts: what pools used over time against their limits, failures, events, who used the most",
     .details = "One file that loads nothing from anywhere and needs no script to be read. Times in it are local ones. CPU and memory over\n"
                "time are the samples that the service records (sampling.record); all else is made of the rows of processes, and the\n"
                "numbers are those of \"accounting report\" with the same --from and --to. The file appears when it is whole, and takes the\n"
                "place of one with its name.",
     .examples = "# The last seven days (or as long as the service has been there), in a file of this folder with the date in its name\n"
                 "jobpool report\n"
                 "# November, in a file of one's own choice\n"
                 "jobpool report --output november.html --from 2026-11-01 --to 2026-12-01\n"
                 "# To another program\n"
                 "jobpool report -o -",
     .options = jp_page_options, .run = jp_command_page},
    {.name = "create", .full = "pool create", .arguments = "NAME [JSON]",
     .summary = "make a pool",
     .details = "JSON is an object with the keys that a pool has in the configuration. It ends with the service, unless --persist.",
     .examples = "jobpool create test \"{\\\"limits\\\": {\\\"active_processes\\\": 4}}\"\n"
                 "jobpool delete test",
     .options = jp_definition_options, .min_arguments = 1, .max_arguments = 2, .run = jp_command_create},
    {.name = "update", .full = "pool update", .arguments = "POOL [JSON]",
     .summary = "change a pool that lives; null lifts a limit",
     .details = "Keys that are not given stay as they are; null lifts a limit.",
     .examples = "jobpool update build \"{\\\"limits\\\": {\\\"active_processes\\\": 16}}\"\n"
                 "jobpool update build \"{\\\"limits\\\": {\\\"active_processes\\\": null}}\"",
     .options = &jp_definition_options[1], .min_arguments = 1, .max_arguments = 2, .run = jp_command_update},
    {.name = "delete", .aliases = JP_ALIASES("rm"), .full = "pool delete", .arguments = "POOL",
     .summary = "remove a pool that has no processes",
     .details = "Only pools made by create; those of the configuration go with it.",
     .examples = "jobpool create test\n"
                 "jobpool delete test --terminate",
     .options = jp_delete_options, .min_arguments = 1, .max_arguments = 1, .run = jp_command_delete},
    {.name = "job", .arguments = "VERB ...",
     .summary = "any job object, pool or not, as Windows' own functions have it",
     .details = "JOB is a pool's name or a job object's kernel name (Global\\name, Local\\name, or name in this session). Jobs that are no\n"
                "pools are opened with your own rights.",
     .examples = "jobpool job query build ExtendedLimitInformation\n"
                 "jobpool job classes",
     .max_arguments = SIZE_MAX, .impersonate = true, .verbs = jp_job_verbs},
    {.name = "grant-handle", .arguments = "HANDLE --job JOB",
     .summary = "let the processes of a job use a window or another USER handle",
     .details = "For processes under the UI limit \"handles\". It is this program that grants, not the service: in its session, with your rights, to a job\n"
                "that it is not in.",
     .examples = "# on Windows: a window that there is\n"
                 "jobpool grant-handle 0x10486 --job build",
     .options = jp_grant_options, .min_arguments = 1, .max_arguments = 1, .run = jp_command_grant_handle},
    {.name = "reload", .full = "service reload",
     .summary = "read the configuration again; a faulty one changes nothing",
     .details = "All or nothing; faults are told with line and column.",
     .examples = "jobpool reload",
     .run = jp_command_reload},
    {.name = "capabilities", .full = "service capabilities",
     .summary = "which limits this host's kernel enforces, which the service, which nobody",
     .examples = "jobpool capabilities\n"
                 "# what nobody enforces here\n"
                 "jobpool capabilities --format csv --sort enforcer",
     .view = &jp_capabilities_view, .run = jp_command_capabilities},
    {.name = "doctor", .full = "service doctor",
     .summary = "what is wrong with the service, its installation and its configuration, and what to do about it",
     .details = "Every check is a line: ok, note, warning or failed; what was found; what to do. Works without a service, and for everybody: what you\n"
                "may not look at is said, and is no failure. Exit code 1 if something failed.",
     .examples = "jobpool doctor\njobpool doctor --format csv --columns check,state,advice",
     .view = &jp_doctor_view, .run = jp_command_doctor},
    {.name = "init",
     .summary = "write a first configuration",
     .details = "At a console it asks for what no option says; elsewhere that is the default. What it writes is valid, and has comments. It ends with the\n"
                "command lines that install the service.",
     .examples = "# on Windows: as an administrator\njobpool init\njobpool init --yes --pool build --memory 8GiB --processes 50 --allow Users",
     .options = jp_init_options, .run = jp_command_init},
    {.name = "rpc", .arguments = "METHOD [JSON] | --stdio",
     .summary = "call any method, or speak the protocol over standard input and output",
     .details = "docs/rpc.md has the methods. An error goes to standard error as JSON, exit code 1.\n"
                "\n"
                "--stdio is the pipe on standard input and output: lines in, lines out, nothing kept back; with it a program that cannot open a Windows\n"
                "pipe speaks the protocol, also from elsewhere: ssh builder jobpool rpc --stdio. It ends when its input has ended and every request is\n"
                "answered (exit code 0), or when the service closes (3). A subscription lasts as long as the input.",
     .examples = "jobpool rpc pool.get \"{\\\"pool\\\": \\\"build\\\"}\"\n"
                 "jobpool rpc rpc.discover",
     .options = jp_rpc_options, .max_arguments = 2, .impersonate = true, .run = jp_command_rpc},
    {.name = "completion", .arguments = "powershell|clink|bash",
     .summary = "print a script that lets a shell complete jobpool's commands, options and names of pools",
     .details = "Everything is found out by the program itself; the script only asks it. powershell: Windows PowerShell 5.1 and PowerShell 7; clink:\n"
                "for cmd.exe (https://chrisant996.github.io/clink).",
     .examples = "jobpool completion bash\n"
                 "# on Windows: for this PowerShell; put it into $PROFILE to keep it\n"
                 "jobpool completion powershell | Out-String | Invoke-Expression",
     .min_arguments = 1, .max_arguments = 1, .run = jp_command_completion},
    {.name = "complete", .arguments = "[--] WORD ...",
     .summary = "what could stand where the last word is, a line each; asked by the scripts of completion",
     .options = jp_complete_options, .max_arguments = SIZE_MAX, .passes_through = true, .hidden = true, .run = jp_command_complete},
    {0},
};
