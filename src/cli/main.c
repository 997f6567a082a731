/* jobpool.exe: finds the command, reads its options, runs it. */
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/lookup.h"

#include "base/units.h"
#include "win32/wide.h"

#include <string.h>
#include <wchar.h>

/* Patterns like *.c are the command's to expand, not ours: mingw-w64's start-up code would do it. */
extern int _dowildcard;
int _dowildcard = 0;

/* ------------------------------------------------------------------------------------------------------ common options */

static void take_last(char **place, char *text) {
    if (text == NULL)
        return;
    jp_free(*place);
    *place = text;
}

static enum jp_format format_of(const char *name) {
    static const struct {
        const char *name;
        enum jp_format format;
    } formats[] = {{"table", JP_FORMAT_TABLE}, {"csv", JP_FORMAT_CSV}, {"ndjson", JP_FORMAT_NDJSON}, {"json", JP_FORMAT_JSON}};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].format;
    return JP_FORMAT_TABLE; /* there are no others: the row of the option has them as choices */
}

static void take_common(struct jp_cli *cli, cJSON *options) {
    struct jp_output_options *output = &cli->output;
    char *format = jp_take_text(options, "--format");
    if (jp_take_switch(options, "--json"))
        output->format = JP_FORMAT_JSON;
    if (format != NULL)
        output->format = format_of(format);
    jp_free(format);
    cli->json = output->format == JP_FORMAT_JSON || output->format == JP_FORMAT_NDJSON;
    output->no_header = jp_take_switch(options, "--no-header") || output->no_header;
    take_last(&output->columns, jp_take_text(options, "--columns"));
    take_last(&output->sort, jp_take_text(options, "--sort"));
    take_last(&cli->pipe, jp_take_text(options, "--pipe"));
}

/* ---------------------------------------------------------------------------------------------------------- dispatch */

/* Says that there is no such command, or verb of `before`, and which was meant. */
static int no_command(const struct jp_cli *cli, const char *before, const char *word) {
    char *nearest = jp_nearest_command(before, word);
    const char *kind = before == NULL ? "command" : "verb";
    if (nearest != NULL)
        jp_cli_misuse(cli, "there is no %s \"%s\"; did you mean %s?", kind, word, nearest);
    else
        jp_cli_misuse(cli, "there is no %s \"%s\"", kind, word);
    jp_free(nearest);
    return JP_EXIT_USAGE;
}

/* Asked before anything is done: afterwards it would be too late to say that it cannot be shown so. */
static int check_output(const struct jp_cli *cli) {
    struct jp_error error;
    if (jp_view_check(cli->command->view, &cli->output, &error) == JP_OK)
        return JP_EXIT_OK;
    return jp_cli_misuse(cli, "%s", error.text);
}

/* The option that gives `key`, as it is written. */
static char *option_of(const struct jp_command *command, const char *key) {
    for (const struct jp_option *option = command->options; option != NULL && option->name != NULL; option++)
        if (strcmp(option->key, key) == 0)
            return jp_option_name(option);
    return jp_strdup(key);
}

/* A time that ends before it begins has nothing in it: not what somebody wanted who gave both. */
static int check_period(const struct jp_cli *cli, const cJSON *options) {
    int64_t from_100ns, to_100ns;
    struct jp_error error;
    const char *from = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(options, "from"));
    const char *to = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(options, "to"));
    if (from == NULL || to == NULL || jp_time_parse(from, &from_100ns, &error) != JP_OK || jp_time_parse(to, &to_100ns, &error) != JP_OK ||
        from_100ns < to_100ns)
        return JP_EXIT_OK;
    char *begin = option_of(cli->command, "from"), *end = option_of(cli->command, "to");
    int code = jp_cli_misuse(cli, "--%s (%s) is not before --%s (%s)", begin, from, end, to);
    jp_free(begin);
    jp_free(end);
    return code;
}

/* What stands where a verb could: either it comes too late, or there is none. */
static int no_verb(const struct jp_cli *cli, const char *word) {
    if (jp_find_verb(cli->command, word) != NULL)
        return jp_cli_misuse(cli, "the verb \"%s\" comes before its options", word);
    return no_command(cli, cli->command->name, word);
}

static int check_argument_count(const struct jp_cli *cli) {
    const struct jp_command *command = cli->command;
    if (command->verbs != NULL && cli->argument_count > command->max_arguments)
        return no_verb(cli, cli->arguments[command->max_arguments]);
    if (cli->argument_count < command->min_arguments)
        return jp_cli_misuse(cli, "an argument is missing: %s", command->arguments);
    if (cli->argument_count > command->max_arguments)
        return jp_cli_misuse(cli, "\"%s\" is one argument too many", cli->arguments[command->max_arguments]);
    for (size_t i = 0; i < cli->argument_count && !command->passes_through; i++) /* what an unset variable of a script leaves */
        if (*cli->arguments[i] == '\0')
            return jp_cli_misuse(cli, "an argument is empty: %s", command->arguments);
    return JP_EXIT_OK;
}

/* argv[0] is the command's name. */
static int run_command(struct jp_cli *cli, int argc, char **argv) {
    cJSON *options = cJSON_CreateObject();
    struct jp_error error = {0};
    int first = jp_options_read(jp_common_options, cli->command->options, cli->command->passes_through, argc, argv, options, &error);
    cli->arguments = argv + first;
    cli->argument_count = (size_t)(argc - first);
    int code = JP_EXIT_OK;
    if (first == 0) {
        code = jp_cli_misuse(cli, "%s", error.text);
    } else if (jp_take_switch(options, "--help")) {
        code = jp_help_command(cli->group, cli->command);
    } else if (jp_take_switch(options, "--version")) {
        code = jp_help_version();
    } else {
        take_common(cli, options);
        if ((code = check_argument_count(cli)) == JP_EXIT_OK && (code = check_output(cli)) == JP_EXIT_OK &&
            (code = check_period(cli, options)) == JP_EXIT_OK)
            return cli->command->run(cli, options);
    }
    cJSON_Delete(options);
    return code;
}

/* Reads the options that stand before the first word, and does what they say. 0 if they are all there was to do, with *ret_code;
 * otherwise where the first word stands, argc if there is none. */
static int read_leading(struct jp_cli *cli, int argc, char **argv, bool *ret_help, int *ret_code) {
    cJSON *options = cJSON_CreateObject();
    struct jp_error error = {0};
    int first = jp_options_read(jp_common_options, NULL, true, argc, argv, options, &error);
    bool version = jp_take_switch(options, "--version");
    *ret_help = jp_take_switch(options, "--help");
    take_common(cli, options);
    cJSON_Delete(options);
    if (first == 0)
        *ret_code = jp_cli_misuse(cli, "%s", error.text);
    else if (version)
        *ret_code = jp_help_version();
    return version ? 0 : first;
}

/* "accounting help", "pool help list": as people write it who know git or docker. argv[0] is "help". */
static int help_of(struct jp_cli *cli, const char *word, int argc, char **argv) {
    char *words[] = {argv[0], jp_strdup(word), argc > 1 ? argv[1] : NULL};
    cli->command = NULL;
    int code = jp_help_run(cli, argc > 1 ? 3 : 2, words);
    jp_free(words[1]);
    return code;
}

static int which_verb(const struct jp_cli *cli, const char *before) {
    char *verbs = jp_list_verbs(before);
    jp_cli_misuse(cli, "which verb? There are: %s", verbs);
    jp_free(verbs);
    return JP_EXIT_USAGE;
}

/* argv[0] is the name of a command whose first argument is a verb. */
static int run_verb(struct jp_cli *cli, int argc, char **argv) {
    bool help;
    int code = JP_EXIT_OK, first = read_leading(cli, argc, argv, &help, &code);
    if (first == 0)
        return code;
    if (help)
        return jp_help_command(NULL, cli->command);
    if (first == argc)
        return which_verb(cli, cli->command->name);
    if (strcmp(argv[first], "help") == 0)
        return help_of(cli, cli->command->name, argc - first, argv + first);
    const struct jp_command *verb = jp_find_verb(cli->command, argv[first]);
    if (verb == NULL)
        return no_command(cli, cli->command->name, argv[first]);
    cli->group = cli->command;
    cli->command = verb;
    return run_command(cli, argc - first, argv + first);
}

/* Of a command that does something without a verb too: whether one comes first, behind options that every command has. */
static bool begins_with_verb(const struct jp_command *command, int argc, char **argv) {
    cJSON *ignored = cJSON_CreateObject();
    struct jp_error error;
    int first = jp_options_read(jp_common_options, NULL, true, argc, argv, ignored, &error);
    cJSON_Delete(ignored);
    return first > 0 && first < argc && (strcmp(argv[first], "help") == 0 || jp_find_verb(command, argv[first]) != NULL);
}

/* argv[0] is a noun. */
static int run_noun(struct jp_cli *cli, const struct jp_noun *noun, int argc, char **argv) {
    bool help;
    int code = JP_EXIT_OK, first = read_leading(cli, argc, argv, &help, &code);
    cli->noun = noun->name;
    if (first == 0)
        return code;
    if (help)
        return jp_help_noun(noun);
    if (first == argc)
        return which_verb(cli, noun->name);
    if (strcmp(argv[first], "help") == 0)
        return help_of(cli, noun->name, argc - first, argv + first);
    cli->command = jp_find_full(noun->name, argv[first]);
    if (cli->command == NULL)
        return no_command(cli, noun->name, argv[first]);
    return run_command(cli, argc - first, argv + first);
}

static int run_program(struct jp_cli *cli, int argc, char **argv) {
    bool help;
    int code = JP_EXIT_OK, first = read_leading(cli, argc, argv, &help, &code);
    if (first == 0)
        return code;
    if (help)
        return jp_help_program();
    if (first == argc)
        return jp_help_beginning();
    argc -= first;
    argv += first;
    const struct jp_noun *noun = jp_find_noun(argv[0]);
    if (strcmp(argv[0], "help") == 0)
        return jp_help_run(cli, argc, argv);
    if (strcmp(argv[0], "version") == 0 && argc == 1)
        return jp_help_version();
    if (noun != NULL)
        return run_noun(cli, noun, argc, argv);
    cli->command = jp_find_short(argv[0]);
    if (cli->command == NULL)
        return no_command(cli, NULL, argv[0]);
    bool has_verb = cli->command->verbs != NULL && (cli->command->run == NULL || begins_with_verb(cli->command, argc, argv));
    return has_verb ? run_verb(cli, argc, argv) : run_command(cli, argc, argv);
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
    jp_free(cli.output.columns);
    jp_free(cli.output.sort);
    for (int i = 0; i < argc; i++)
        jp_free(argv[i]);
    jp_free(argv);
    return code;
}
