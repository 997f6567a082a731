/* What `jobpool help TOPIC` says. */
#include "cli/help.h"

static const char formats[] =
    "How results are printed: --format table|csv|ndjson|json, of every command that has something to show.\n"
    "\n"
    "table    for people. Sizes and times are rounded, times are local on a console and UTC elsewhere, \"-\" is what is not known. On a\n"
    "         console that is too narrow the widest columns of text are cut (...), times are to the second, and columns are left out and\n"
    "         named below: first those with nothing in them, then those that matter least; nowhere else. A TOTAL stands below accounts\n"
    "csv      RFC 4180: a heading with the keys, a line for each row, ended by CR LF; UTF-8 without a byte order mark. Numbers are exact,\n"
    "         times UTC, nothing is what is not known, lists and objects are JSON. Text that begins with = + - @ or ' gets a ' before\n"
    "         it, because others chose it and a spreadsheet would calculate it; control characters are written \\xNN. Who needs texts\n"
    "         byte for byte takes ndjson\n"
    "ndjson   one line of JSON for each row, with all its keys, or those of --columns\n"
    "json     one line of JSON, as the method behind the command gave it (docs/rpc.md); --json is short for it. An error of the service is\n"
    "         JSON too, on standard error\n"
    "\n"
    "--columns name,state     these columns, in this order, by key or heading, in any case; all: also those that tables leave out.\n"
    "                         A command's help has their names. Fields within fields: --columns database.file\n"
    "--sort name, --sort -pid  by a column, ascending or descending: numbers by value, times by time, text by letters whatever their\n"
    "                         case; what is not known comes last\n"
    "--no-header              without the heading\n"
    "\n"
    "Integers beyond 2^53 are strings in JSON, because many readers would round them. Output is UTF-8 in files and pipes whatever the\n"
    "console's code page. Control characters in what others chose (a command line, a description) are shown as \\xNN.\n"
    "\n"
    "Colours are on if standard output is a console that has them, unless NO_COLOR is set or TERM is dumb.";

static const char units[] =
    "Sizes      4096, 64KiB, 512MiB, 1.5GiB, 10MB: bytes; KiB, MiB, GiB, TiB are powers of 1024, kB, MB, GB, TB of 1000\n"
    "Durations  90s, 250ms, 10min, 2h, 1h30m, 7d\n"
    "Shares     50%, 12.5%\n"
    "Processors 0-3,6 or a mask, 0xF\n"
    "\n"
    "Times, as --from, --to, --before and --since take them:\n"
    "  today, yesterday                     the midnight with which the day began, here\n"
    "  now\n"
    "  7d, 7d ago, 1h30m                    so long before now\n"
    "  2026-11-22, \"2026-11-22 07:15\", 2026-11-22T07:15:30\n"
    "                                       on this machine's clock. What it skips when it is set forward is read as if it were not;\n"
    "                                       what it shows twice is one of both, as Windows has it\n"
    "  2026-11-22Z, 2026-11-22T07:15:30Z    in UTC: for scripts, because it is the same moment everywhere\n"
    "  2026-11-22T07:15:30+01:00            an hour before that in UTC\n"
    "--from is the first moment that belongs to it, --to the first that does not. Days in reports (--by day) are days in UTC.\n"
    "\n"
    "In JSON and csv sizes are bytes, and what ends in 100ns counts 100 ns; tables choose the unit that suits.";

static const char rules[] =
    "Rules put processes into pools by themselves. A pool's \"match\" in the configuration is a list of them:\n"
    "\n"
    "  \"match\": [{ \"image\": \"cl.exe\" }, { \"path\": \"C:\\\\ci\\\\**\", \"user\": \"DOMAIN\\\\ci\" }],\n"
    "  \"exclude\": [{ \"image\": \"vctip.exe\" }]\n"
    "\n"
    "A pool takes a process if one rule of \"match\" fits and none of \"exclude\". In a rule all keys that it has must fit. Of several pools\n"
    "the first one counts; \"default\": true takes what no rule does. docs/config.md has every key.\n"
    "\n"
    "A process is asked about once, when it is new. What ran before the service, or the rule, stays where it is.\n"
    "\n"
    "  jobpool match               where each running process would go, and why not; nothing is done\n"
    "  jobpool match --apply       do it, also for those that ran before\n"
    "\n"
    "   PID  IMAGE                    USER   POOL   RULE  NOT TAKEN BECAUSE\n"
    "  4711  C:\\ci\\bin\\cl.exe         CI\\me  build  0     -\n"
    "  4712  C:\\Windows\\explorer.exe  CI\\me  guest  1     it is in another pool already";

static const char exit_codes[] =
    "0  done\n"
    "1  failed: the service said no, or the operation failed here; the reason is on standard error\n"
    "2  wrong usage: nothing was done\n"
    "3  the service cannot be reached, or went away\n"
    "\n"
    "run passes on the exit code of its command. Some commands answer a question by it: accounting check (1: damaged), job contains\n"
    "(1: no), wait (1: the time of --timeout was over).\n"
    "\n"
    "With --json or --format ndjson an error of the service is its error object on standard error: code, message, data.";

static const char environment[] =
    "JOBPOOL_PIPE   another pipe than jobpool; --pipe wins\n"
    "JOBPOOL_COLOR  always: colours also where standard output is no console; never: none anywhere. It wins over the two below\n"
    "NO_COLOR       if it is there and not empty: no colours\n"
    "TERM           dumb: no colours\n"
    "\n"
    "Before it sends a byte, the program makes sure that the pipe's server is the service, somebody with administrators' rights, or you\n"
    "yourself (jobpoold --console). It lets the service act with your rights only where that is the point: run, launch, assign, job, rpc.";

const struct jp_topic jp_topics[] = {
    {"formats", "table, csv, ndjson and json; columns, order, colours", formats},
    {"units", "sizes, durations, times", units},
    {"rules", "how processes come into pools by themselves", rules},
    {"exit-codes", "what a script can rely on", exit_codes},
    {"environment", "variables, and whom jobpool trusts", environment},
    {0},
};
