/* jobpool.exe: finds the command, reads its options, runs it. */
#include "cli/cli.h"

#include "win32/wide.h"

#include <string.h>
#include <wchar.h>

#define PROGRAM_TEXT "jobpool " JP_VERSION

/* Patterns like *.c are the command's to expand, not ours: mingw-w64's start-up code would do it. */
extern int _dowildcard;
int _dowildcard = 0;

static const struct jp_option common_options[] = {
    {"json", NULL, JP_OPTION_SWITCH, "--json", "results as one line of JSON"},
    {"pipe", "NAME", JP_OPTION_TEXT, "--pipe", "the service's pipe (or: environment JOBPOOL_PIPE; default jobpool)"},
    {"help", NULL, JP_OPTION_SWITCH, "--help", "what the program, or the command, does"},
    {"version", NULL, JP_OPTION_SWITCH, "--version", "print the version"},
    {0},
};

/* -------------------------------------------------------------------------------------------------------------- help */

static int print(struct jp_str *text) {
    jp_output(jp_str_text(text), text->length);
    jp_str_free(text);
    return JP_EXIT_OK;
}

static int print_help(void) {
    struct jp_str text = {0};
    jp_str_puts(&text, "usage: jobpool [OPTION ...] COMMAND [OPTION ...] [ARGUMENT ...]\n\n"
                       "Talks to the JobPool service on this machine: named pools of processes, with limits and accounts.\n\n");
    for (const struct jp_command *command = jp_commands; command->name != NULL; command++)
        jp_str_printf(&text, "  %-14s%s\n", command->name, command->summary);
    jp_str_puts(&text, "  help COMMAND  a command's arguments and options\n\n");
    jp_options_describe(common_options, &text);
    jp_str_puts(&text, "\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 the service cannot be reached; run passes on the command's.\n");
    return print(&text);
}

static int print_command_help(const struct jp_command *command) {
    struct jp_str text = {0};
    jp_str_printf(&text, "usage: jobpool %s%s%s%s\n\n%s\n", command->name, command->options == NULL ? "" : " [OPTION ...]",
                  *command->arguments == '\0' ? "" : " ", command->arguments, command->summary);
    if (command->details != NULL)
        jp_str_printf(&text, "\n%s\n", command->details);
    jp_str_putc(&text, '\n');
    jp_options_describe(command->options, &text);
    jp_options_describe(common_options, &text);
    return print(&text);
}

static int print_version(void) {
    struct jp_str text = {0};
    jp_str_puts(&text, PROGRAM_TEXT "\n");
    return print(&text);
}

/* ---------------------------------------------------------------------------------------------------------- dispatch */

static const struct jp_command *find_command(const struct jp_cli *cli, const char *name) {
    size_t count = 0;
    for (; jp_commands[count].name != NULL; count++)
        if (strcmp(jp_commands[count].name, name) == 0)
            return &jp_commands[count];
    const char *nearest = jp_nearest(name, &jp_commands[0].name, count, sizeof jp_commands[0]);
    if (nearest != NULL)
        jp_cli_misuse(cli, "there is no command \"%s\"; did you mean \"%s\"?", name, nearest);
    else
        jp_cli_misuse(cli, "there is no command \"%s\"", name);
    return NULL;
}

static void take_common(struct jp_cli *cli, cJSON *options) {
    cli->json = jp_take_switch(options, "--json") || cli->json;
    char *pipe = jp_take_text(options, "--pipe");
    if (pipe != NULL) {
        jp_free(cli->pipe);
        cli->pipe = pipe;
    }
}

static int check_argument_count(const struct jp_cli *cli) {
    const struct jp_command *command = cli->command;
    if (cli->argument_count < command->min_arguments)
        return jp_cli_misuse(cli, "an argument is missing: %s", command->arguments);
    if (cli->argument_count > command->max_arguments)
        return jp_cli_misuse(cli, "\"%s\" is one argument too many", cli->arguments[command->max_arguments]);
    return JP_EXIT_OK;
}

/* argv[0] is the command's name. */
static int run_command(struct jp_cli *cli, int argc, char **argv) {
    cli->command = find_command(cli, argv[0]);
    if (cli->command == NULL)
        return JP_EXIT_USAGE;
    cJSON *options = cJSON_CreateObject();
    struct jp_error error = {0};
    int first = jp_options_read(common_options, cli->command->options, cli->command->passes_through, argc, argv, options, &error);
    cli->arguments = argv + first;
    cli->argument_count = (size_t)(argc - first);
    int code = JP_EXIT_OK;
    if (first == 0)
        code = jp_cli_misuse(cli, "%s", error.text);
    else if (jp_take_switch(options, "--help"))
        code = print_command_help(cli->command);
    else if (jp_take_switch(options, "--version"))
        code = print_version();
    else if ((code = check_argument_count(cli)) == JP_EXIT_OK) {
        take_common(cli, options);
        return cli->command->run(cli, options);
    }
    cJSON_Delete(options);
    return code;
}

static int run_help(struct jp_cli *cli, int argc, char **argv) {
    if (argc < 2)
        return print_help();
    const struct jp_command *command = find_command(cli, argv[1]);
    return command == NULL ? JP_EXIT_USAGE : print_command_help(command);
}

static int run_program(struct jp_cli *cli, int argc, char **argv) {
    cJSON *options = cJSON_CreateObject();
    struct jp_error error = {0};
    int first = jp_options_read(common_options, NULL, true, argc, argv, options, &error);
    bool help = jp_take_switch(options, "--help");
    bool version = jp_take_switch(options, "--version");
    take_common(cli, options);
    cJSON_Delete(options);
    if (first == 0)
        return jp_cli_misuse(cli, "%s", error.text);
    if (version)
        return print_version();
    if (help)
        return print_help();
    if (first == argc)
        return jp_cli_misuse(cli, "which command?");
    if (strcmp(argv[first], "help") == 0)
        return run_help(cli, argc - first, argv + first);
    return run_command(cli, argc - first, argv + first);
}

int wmain(int argc, wchar_t **wide);

int wmain(int argc, wchar_t **wide) {
    char **argv = jp_realloc_array(NULL, (size_t)argc + 1, sizeof *argv);
    for (int i = 0; i < argc; i++)
        argv[i] = jp_win32_utf8(wide[i]);
    argv[argc] = NULL;
    struct jp_cli cli = {.pipe = jp_win32_utf8(_wgetenv(L"JOBPOOL_PIPE"))};
    int code = run_program(&cli, argc, argv);
    if (code == JP_EXIT_OK && !jp_output_good()) {
        jp_complain("standard output could not be written");
        code = JP_EXIT_FAILED;
    }
    jp_client_close(cli.client);
    jp_free(cli.pipe);
    for (int i = 0; i < argc; i++)
        jp_free(argv[i]);
    jp_free(argv);
    return code;
}
