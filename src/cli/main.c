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

static void add_table(const struct jp_command *commands, struct jp_str *out) {
    for (; commands->name != NULL; commands++)
        jp_str_printf(out, "  %-14s%s\n", commands->name, commands->summary);
}

static int print_help(void) {
    struct jp_str text = {0};
    jp_str_puts(&text, "usage: jobpool [OPTION ...] COMMAND [OPTION ...] [ARGUMENT ...]\n\n"
                       "Talks to the JobPool service on this machine: named pools of processes, with limits and accounts.\n\n");
    add_table(jp_commands, &text);
    jp_str_puts(&text, "  help COMMAND  a command's arguments and options\n\n");
    jp_options_describe(common_options, &text);
    jp_str_puts(&text, "\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 the service cannot be reached; run passes on the command's.\n");
    return print(&text);
}

/* `group`: the command that this one is a verb of, or NULL. */
static int print_command_help(const struct jp_command *group, const struct jp_command *command) {
    struct jp_str text = {0};
    jp_str_printf(&text, "usage: jobpool %s%s%s%s%s%s\n\n%s\n", group == NULL ? "" : group->name, group == NULL ? "" : " ",
                  command->name, command->options == NULL ? "" : " [OPTION ...]", *command->arguments == '\0' ? "" : " ",
                  command->arguments, command->summary);
    if (command->details != NULL)
        jp_str_printf(&text, "\n%s\n", command->details);
    jp_str_putc(&text, '\n');
    if (command->verbs != NULL) {
        add_table(command->verbs, &text);
        jp_str_printf(&text, "\n  help %s VERB  a verb's arguments and options\n\n", command->name);
    }
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

static const struct jp_command *look_up(const struct jp_command *table, const char *name, size_t *ret_count) {
    for (*ret_count = 0; table[*ret_count].name != NULL; ++*ret_count)
        if (strcmp(table[*ret_count].name, name) == 0)
            return &table[*ret_count];
    return NULL;
}

static const struct jp_command *find_command(const struct jp_cli *cli, const struct jp_command *table, const char *name) {
    const char *kind = table == jp_commands ? "command" : "verb";
    size_t count;
    const struct jp_command *found = look_up(table, name, &count);
    if (found != NULL)
        return found;
    const char *nearest = jp_nearest(name, &table[0].name, count, sizeof table[0]);
    if (nearest != NULL)
        jp_cli_misuse(cli, "there is no %s \"%s\"; did you mean \"%s\"?", kind, name, nearest);
    else
        jp_cli_misuse(cli, "there is no %s \"%s\"", kind, name);
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
    cJSON *options = cJSON_CreateObject();
    struct jp_error error = {0};
    int first = jp_options_read(common_options, cli->command->options, cli->command->passes_through, argc, argv, options, &error);
    cli->arguments = argv + first;
    cli->argument_count = (size_t)(argc - first);
    int code = JP_EXIT_OK;
    if (first == 0)
        code = jp_cli_misuse(cli, "%s", error.text);
    else if (jp_take_switch(options, "--help"))
        code = print_command_help(cli->group, cli->command);
    else if (jp_take_switch(options, "--version"))
        code = print_version();
    else if ((code = check_argument_count(cli)) == JP_EXIT_OK) {
        take_common(cli, options);
        return cli->command->run(cli, options);
    }
    cJSON_Delete(options);
    return code;
}

/* argv[0] is the name of a command whose first argument is a verb. */
static int run_verb(struct jp_cli *cli, int argc, char **argv) {
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
        return print_command_help(NULL, cli->command);
    if (first == argc)
        return jp_cli_misuse(cli, "which verb?");
    const struct jp_command *verb = find_command(cli, cli->command->verbs, argv[first]);
    if (verb == NULL)
        return JP_EXIT_USAGE;
    cli->group = cli->command;
    cli->command = verb;
    return run_command(cli, argc - first, argv + first);
}

/* Of a command that does something without a verb too: whether one comes first, behind options that every command has. */
static bool begins_with_verb(const struct jp_command *command, int argc, char **argv) {
    cJSON *ignored = cJSON_CreateObject();
    struct jp_error error;
    size_t count;
    int first = jp_options_read(common_options, NULL, true, argc, argv, ignored, &error);
    cJSON_Delete(ignored);
    return first > 0 && first < argc && look_up(command->verbs, argv[first], &count) != NULL;
}

static bool wants_verb(const struct jp_command *command, int argc, char **argv) {
    return command->verbs != NULL && (command->run == NULL || begins_with_verb(command, argc, argv));
}

/* help [COMMAND [VERB]] */
static int run_help(struct jp_cli *cli, int argc, char **argv) {
    if (argc < 2)
        return print_help();
    cli->command = find_command(cli, jp_commands, argv[1]);
    if (cli->command == NULL)
        return JP_EXIT_USAGE;
    if (argc < 3 || !wants_verb(cli->command, argc - 1, argv + 1))
        return print_command_help(NULL, cli->command);
    const struct jp_command *verb = find_command(cli, cli->command->verbs, argv[2]);
    return verb == NULL ? JP_EXIT_USAGE : print_command_help(cli->command, verb);
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
    cli->command = find_command(cli, jp_commands, argv[first]);
    if (cli->command == NULL)
        return JP_EXIT_USAGE;
    argc -= first;
    argv += first;
    return wants_verb(cli->command, argc, argv) ? run_verb(cli, argc, argv) : run_command(cli, argc, argv);
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
