/* jobpoold.exe: what was asked for at the prompt, or by the SCM. */
#include "run.h"
#include "setup.h"
#include "win32/harden.h"
#include "win32/keeper.h"
#include "win32/paths.h"
#include "win32/stop_helper.h"
#include "win32/wide.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

static const char help[] =
    "usage: jobpoold [--config FILE] [--console | --check-config | --version | --help]\n"
    "       jobpoold install [--config FILE] [--no-start] [--dry-run]\n"
    "       jobpoold uninstall [--purge [--yes]] [--dry-run]\n"
    "       jobpoold upgrade [--from FILE] [--dry-run]\n"
    "\n"
    "The JobPool service: pools of processes on job objects. Without a command and --console it expects to be started by the\n"
    "service control manager.\n"
    "\n"
    "  --config FILE    the configuration; default %ProgramData%\\JobPool\\jobpool.json\n"
    "  --console        run here, with the log on standard error, until Ctrl-C\n"
    "  --check-config   say every fault of the configuration, then exit with 0 (none) or 2\n"
    "  --version        say the version and exit\n"
    "\n"
    "As an administrator; each step is printed as the sc, reg or icacls line that does the same:\n"
    "\n"
    "  install          make this program the service, or bring the one that is installed in line: account, privileges, restart\n"
    "                   after failures, event source, data folder, a first configuration where there is none; and start it\n"
    "  uninstall        stop the service and take away what install made; configuration, log and accounts stay\n"
    "  upgrade          put another jobpoold.exe into the place of the installed one; the old one comes back if it does not start\n"
    "  --dry-run        print what would be done, and do nothing\n"
    "  --no-start       leave the service as it is, stopped or running\n"
    "  --purge          delete configuration, log and accounts too; asks, unless there is --yes\n"
    "  --from FILE      the new program; without it, the one that you run\n";

static const char version[] = "jobpoold " JP_VERSION "\n";

struct arguments {
    char *config; /* NULL: not given */
    bool console, check_config;
    struct jp_setup_options setup;
};

static int misused(const char *what, const char *argument) {
    fprintf(stderr, "jobpoold: %s: %s\njobpoold: see: jobpoold --help\n", what, argument);
    return JP_RUN_USAGE;
}

static int serve(struct arguments *given) {
    if (given->setup.from || given->setup.dry_run || given->setup.no_start || given->setup.purge || given->setup.yes)
        return misused("which command?", "install, uninstall or upgrade goes before these options");
    if (!given->config)
        given->config = jp_win32_default_config();
    return given->check_config ? jp_run_check_config(given->config) : jp_run(given->config, given->console);
}

/* A command and the options that are its own. */
static int set_up(const struct arguments *given, const char *command) {
    static const struct {
        const char *name;
        int (*run)(const struct jp_setup_options *options);
        bool config, from, no_start, purge;
    } commands[] = {{"install", jp_install, .config = true, .no_start = true},
                    {"uninstall", jp_uninstall, .purge = true},
                    {"upgrade", jp_upgrade, .from = true}};
    const struct jp_setup_options *setup = &given->setup;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, command) != 0)
            continue;
        bool foreign = given->console || given->check_config || (setup->config && !commands[i].config) || (setup->from && !commands[i].from) ||
                       (setup->no_start && !commands[i].no_start) || ((setup->purge || setup->yes) && !commands[i].purge);
        return foreign ? misused("an option does not go with the command", command) : commands[i].run(setup);
    }
    const char *nearest = jp_nearest(command, &commands[0].name, sizeof commands / sizeof *commands, sizeof *commands);
    fprintf(stderr, "jobpoold: there is no command \"%s\"%s%s%s\njobpoold: see: jobpoold --help\n", command, nearest ? "; did you mean \"" : "",
            nearest ? nearest : "", nearest ? "\"?" : "");
    return JP_RUN_USAGE;
}

static int say(const char *text) {
    fputs(text, stdout);
    return JP_RUN_DONE;
}

/* argv is UTF-8. */
static int main_utf8(int argc, char **argv, struct arguments *given) {
    static const struct option options[] = {{"config", required_argument, NULL, 'c'}, {"console", no_argument, NULL, 'o'},
                                            {"check-config", no_argument, NULL, 'k'}, {"version", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},         {"ask-to-stop", required_argument, NULL, 'a'},
                                            {"keeper", no_argument, NULL, 'p'},       {"from", required_argument, NULL, 'f'},
                                            {"dry-run", no_argument, NULL, 'n'},      {"no-start", no_argument, NULL, 's'},
                                            {"purge", no_argument, NULL, 'x'},        {"yes", no_argument, NULL, 'y'},
                                            {NULL, 0, NULL, 0}};
    opterr = 0; /* what is wrong is said here, as jobpool says it */
    for (int option; (option = getopt_long(argc, argv, ":c:hny", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            jp_free(given->config);
            given->config = jp_strdup(optarg);
            given->setup.config = given->config;
            break;
        case 'o':
            given->console = true;
            break;
        case 'k':
            given->check_config = true;
            break;
        case 'f':
            given->setup.from = optarg;
            break;
        case 'n':
            given->setup.dry_run = true;
            break;
        case 's':
            given->setup.no_start = true;
            break;
        case 'x':
            given->setup.purge = true;
            break;
        case 'y':
            given->setup.yes = true;
            break;
        case 'a': /* from the service itself, for whose sake the help is silent about it */
            return jp_win32_stop_helper(optarg);
        case 'p': /* likewise */
            return jp_win32_keeper();
        case 'v':
            return say(version);
        case 'h':
            return say(help);
        case ':':
            return misused(strchr(argv[optind - 1], '=') ? "takes no value" : "wants a value", argv[optind - 1]);
        default:
            return misused("there is no option", argv[optind - 1]);
        }
    }
    if (optind + 1 < argc)
        return misused("unexpected argument", argv[optind + 1]);
    if (optind == argc)
        return serve(given);
    const char *command = argv[optind];
    return strcmp(command, "help") == 0 ? say(help) : strcmp(command, "version") == 0 ? say(version) : set_up(given, command);
}

int wmain(int argc, wchar_t **wide_argv);
int wmain(int argc, wchar_t **wide_argv) {
    jp_win32_harden();
    SetConsoleOutputCP(CP_UTF8);
    struct arguments given = {0};
    char **argv = jp_realloc_array(NULL, (size_t)argc + 1, sizeof *argv);
    for (int i = 0; i < argc; i++)
        argv[i] = jp_win32_utf8(wide_argv[i]);
    argv[argc] = NULL;
    int exit_code = main_utf8(argc, argv, &given);
    for (int i = 0; i < argc; i++)
        jp_free(argv[i]);
    jp_free(argv);
    jp_free(given.config);
    return exit_code;
}
