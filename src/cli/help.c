/* Help, as text. */
#include "cli/help.h"

#include "cli/lookup.h"

#include <string.h>

#define PROGRAM_TEXT "jobpool " JP_VERSION

enum { NAME_COLUMN = 30, TEXT_WIDTH = 110, NARROWEST = 60, DEEPEST = 40 };

const struct jp_option jp_common_options[] = {
    {"format", "table|csv|ndjson|json", JP_OPTION_TEXT, "--format", "how results are printed (see: help formats)"},
    {"json", NULL, JP_OPTION_SWITCH, "--json", "the same as --format json"},
    {"columns", "NAME,...", JP_OPTION_TEXT, "--columns", "of a list: these columns, in this order; all: whatever there is"},
    {"sort|s", "[-]NAME", JP_OPTION_TEXT, "--sort", "of a list: by this column; with - the greatest first"},
    {"no-header", NULL, JP_OPTION_SWITCH, "--no-header", "no headings in tables and csv"},
    {"pipe", "NAME", JP_OPTION_TEXT, "--pipe", "the service's pipe (or: environment JOBPOOL_PIPE; default jobpool)"},
    {"help|h", NULL, JP_OPTION_SWITCH, "--help", "what the program, or the command, does"},
    {"version", NULL, JP_OPTION_SWITCH, "--version", "print the version"},
    {0},
};

/* Where the text of a line begins, behind the name that may stand in front of it. */
static size_t indentation_of(const char *line, size_t length) {
    size_t at = strspn(line, " ");
    for (size_t i = at; i + 1 < length && i < DEEPEST; i++)
        if (line[i] == ' ' && line[i + 1] == ' ')
            at = i + strspn(line + i, " ");
    return at < length && at <= DEEPEST ? at : 0;
}

/* Whether what stands at `line` is the same paragraph as a line above it that went on at `indentation`. Examples stand at 2: each of
 * their lines is for itself. */
static bool goes_on(const char *line, size_t indentation) {
    size_t length = strcspn(line, "\n");
    return length > 0 && indentation != 2 && strspn(line, " ") == indentation && indentation_of(line, length) == indentation;
}

/* A line in pieces that fit, parted at blanks, each below the text of the first. Names and colours stand in what is not parted. */
static void add_folded(const char *line, size_t length, size_t indentation, size_t width, struct jp_str *out) {
    size_t least = indentation, room = width;
    while (length > room) {
        size_t end = room;
        while (end > least && line[end] != ' ')
            end--;
        if (end <= least) /* a word that is too long by itself */
            break;
        jp_str_add(out, line, end);
        jp_str_printf(out, "\n%*s", (int)indentation, "");
        length -= end + 1;
        line += end + 1;
        least = 0;
        room = width - indentation;
    }
    jp_str_add(out, line, length);
}

/* Help is written for wide pages; on a console that is narrower, what does not fit goes on below itself, at whole words. */
static void fold(const struct jp_str *text, size_t width, struct jp_str *out) {
    for (const char *at = jp_str_text(text); *at != '\0';) {
        size_t length = strcspn(at, "\n"), indentation = indentation_of(at, length);
        struct jp_str paragraph = {0};
        bool is_long = length > width;
        jp_str_add(&paragraph, at, length);
        at += length + (at[length] == '\n');
        while (is_long && goes_on(at, indentation)) {
            length = strcspn(at, "\n");
            jp_str_putc(&paragraph, ' ');
            jp_str_add(&paragraph, at + indentation, length - indentation);
            at += length + (at[length] == '\n');
        }
        add_folded(jp_str_text(&paragraph), paragraph.length, indentation, width, out);
        jp_str_putc(out, '\n');
        jp_str_free(&paragraph);
    }
}

static int print_to(void (*write)(const char *bytes, size_t length), struct jp_str *text) {
    size_t width = jp_output_width(); /* its last column stays free: see show.c */
    struct jp_str folded = {0};
    if (width >= NARROWEST)
        fold(text, width - 1, &folded);
    const struct jp_str *shown = width >= NARROWEST ? &folded : text;
    write(jp_str_text(shown), shown->length);
    jp_str_free(&folded);
    jp_str_free(text);
    return JP_EXIT_OK;
}

static int print(struct jp_str *text) { return print_to(jp_output, text); }

static void add_heading(const char *heading, struct jp_str *out) {
    jp_str_putc(out, '\n');
    jp_colour_text(out, JP_COLOUR_BOLD, heading);
    jp_str_puts(out, ":\n");
}

static void add_entry(const char *name, const char *summary, struct jp_str *out) {
    jp_str_printf(out, "  %-*s%s%s\n", NAME_COLUMN - 2, name, strlen(name) < NAME_COLUMN - 2 ? "" : "  ", summary);
}

/* ---------------------------------------------------------------------------------------------------------- the program */

int jp_help_version(void) {
    struct jp_str text = {0};
    jp_str_puts(&text, PROGRAM_TEXT "\n");
    return print(&text);
}

/* By its full form, with what is short for it. */
static void add_verbs_of_noun(const struct jp_noun *noun, struct jp_str *out) {
    for (const struct jp_command *command = jp_commands; command->name != NULL; command++) {
        char *verb = NULL;
        if (jp_verb_of_noun(command, noun->name, &verb)) {
            char *name = jp_sprintf("%s %s", noun->name, verb);
            add_entry(name, command->summary, out);
            jp_free(name);
        }
        jp_free(verb);
    }
}

/* As people write it: "list, ls"; the full form only where there is no other. */
static void add_short_forms(const struct jp_noun *noun, struct jp_str *out) {
    for (const struct jp_command *command = jp_commands; command->name != NULL; command++) {
        char *verb = NULL;
        if (jp_verb_of_noun(command, noun->name, &verb)) {
            struct jp_str name = {0};
            jp_str_puts(&name, command->only_full ? noun->name : command->name);
            if (command->only_full)
                jp_str_printf(&name, " %s", verb);
            for (const char *const *alias = command->aliases; alias != NULL && *alias != NULL; alias++)
                jp_str_printf(&name, ", %s", *alias);
            add_entry(jp_str_text(&name), command->summary, out);
            jp_str_free(&name);
        }
        jp_free(verb);
    }
}

static void add_program(struct jp_str *out) {
    jp_str_puts(out, "usage: jobpool [OPTION ...] COMMAND [OPTION ...] [ARGUMENT ...]\n\n"
                       "Talks to the JobPool service on this machine: named pools of processes, with limits and accounts.\n");
    for (const struct jp_noun *noun = jp_nouns; noun->name != NULL; noun++) {
        add_heading(noun->summary, out);
        add_short_forms(noun, out);
    }
    add_heading("More", out);
    for (const struct jp_command *command = jp_commands; command->name != NULL; command++)
        if (command->full == NULL && !command->hidden)
            add_entry(command->name, command->summary, out);
    add_heading("Topics", out);
    for (const struct jp_topic *topic = jp_topics; topic->name != NULL; topic++) {
        char *name = jp_sprintf("help %s", topic->name);
        add_entry(name, topic->summary, out);
        jp_free(name);
    }
    add_heading("Everywhere", out);
    jp_options_describe(jp_common_options, out);
    jp_str_puts(out, "\njobpool help COMMAND, or COMMAND --help, says what one takes, with examples. Each is also a noun and a verb, as in pool list,\n"
                       "process run, event list, service status: jobpool help pool|process|event|service lists them.\n");
}

int jp_help_program(void) {
    struct jp_str text = {0};
    add_program(&text);
    return print(&text);
}

static void complain(const char *bytes, size_t length) {
    (void)length;
    jp_complain_plain(bytes);
}

int jp_help_beginning(void) {
    struct jp_str text = {0};
    add_program(&text);
    print_to(complain, &text);
    return JP_EXIT_USAGE;
}

int jp_help_noun(const struct jp_noun *noun) {
    struct jp_str text = {0};
    jp_str_printf(&text, "usage: jobpool %s VERB [OPTION ...] [ARGUMENT ...]\n", noun->name);
    add_heading(noun->summary, &text);
    add_verbs_of_noun(noun, &text);
    jp_str_printf(&text, "\njobpool help %s VERB says what one takes.\n", noun->name);
    return print(&text);
}

/* --------------------------------------------------------------------------------------------------------- one command */

static void add_usage(const struct jp_command *command, const char *words, bool first, struct jp_str *out) {
    jp_str_printf(out, "%s jobpool %s%s%s%s\n", first ? "usage:" : "   or:", words, command->options == NULL ? "" : " [OPTION ...]",
                  command->arguments == NULL ? "" : " ", command->arguments == NULL ? "" : command->arguments);
}

/* Each way to write it on a line. */
static void add_usages(const struct jp_command *group, const struct jp_command *command, struct jp_str *out) {
    if (group != NULL) {
        char *words = jp_sprintf("%s %s", group->name, command->name);
        add_usage(command, words, true, out);
        jp_free(words);
        return;
    }
    bool first = true;
    if (!command->only_full)
        add_usage(command, command->name, true, out);
    first = command->only_full;
    for (const char *at = command->full; at != NULL && *at != '\0'; first = false) {
        size_t length = strcspn(at, "|");
        char *words = jp_strndup(at, length);
        add_usage(command, words, first, out);
        jp_free(words);
        at += length + (at[length] == '|');
    }
    for (const char *const *alias = command->aliases; alias != NULL && *alias != NULL; alias++)
        add_usage(command, *alias, false, out);
}

/* Indented, comments dim. */
static void add_examples(const char *examples, struct jp_str *out) {
    for (const char *at = examples; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        char *line = jp_strndup(at, length);
        jp_str_puts(out, "  ");
        jp_colour_text(out, line[0] == '#' ? JP_COLOUR_DIM : JP_COLOUR_NONE, line);
        jp_str_putc(out, '\n');
        jp_free(line);
        at += length + (at[length] == '\n');
    }
}

/* "name, state, ...", a few lines of them. */
static void add_columns(const struct jp_view *view, struct jp_str *out) {
    struct jp_str all = {0};
    jp_view_describe(view, &all);
    size_t column = 0;
    for (const char *at = jp_str_text(&all); *at != '\0';) {
        size_t length = strcspn(at, " ");
        bool begins = column == 0 || column + length > TEXT_WIDTH;
        jp_str_printf(out, "%s%s%.*s", begins && column > 0 ? "\n" : "", begins ? "  " : " ", (int)length, at);
        column = (begins ? 1 : column) + length + 1;
        at += length + (at[length] == ' ');
    }
    jp_str_putc(out, '\n');
    jp_str_free(&all);
}

static void add_command(const struct jp_command *group, const struct jp_command *command, bool everywhere, struct jp_str *out) {
    add_usages(group, command, out);
    jp_str_printf(out, "\n%s\n", command->summary);
    if (command->details != NULL)
        jp_str_printf(out, "\n%s\n", command->details);
    if (command->verbs != NULL) {
        add_heading("Verbs", out);
        for (const struct jp_command *verb = command->verbs; verb->name != NULL; verb++)
            add_entry(verb->name, verb->summary, out);
        jp_str_printf(out, "\n  jobpool help %s VERB says what one takes\n", command->name);
    }
    if (command->options != NULL) {
        add_heading("Options", out);
        jp_options_describe(command->options, out);
    }
    if (everywhere) {
        add_heading("Everywhere", out);
        jp_options_describe(jp_common_options, out);
    }
    if (command->view != NULL && command->view->columns != NULL) {
        add_heading("Columns", out);
        add_columns(command->view, out);
    }
    if (command->examples != NULL) {
        add_heading("Examples", out);
        add_examples(command->examples, out);
    }
}

int jp_help_command(const struct jp_command *group, const struct jp_command *command) {
    struct jp_str text = {0};
    add_command(group, command, true, &text);
    return print(&text);
}

/* ------------------------------------------------------------------------------------------------------------ docs/cli.md */

/* What the documents' tests are told of a block: who runs its command lines. */
#define SHOWN_BY_TEST "<!-- shown by: tests/e2e/test_cli_help.py::test_examples_work -->\n"
#define NOT_RUN "<!-- not run: help text -->\n"

/* Fenced, because much of it would mean something else in Markdown. */
static void add_section(const char *title, const struct jp_command *group, const struct jp_command *command, struct jp_str *out) {
    jp_str_printf(out, "### %s\n\n" SHOWN_BY_TEST "```\n", title);
    add_command(group, command, false, out);
    jp_str_puts(out, "```\n\n");
}

static void add_with_verbs(const char *title, const struct jp_command *command, struct jp_str *out) {
    add_section(title, NULL, command, out);
    for (const struct jp_command *verb = command->verbs; verb != NULL && verb->name != NULL; verb++) {
        char *words = jp_sprintf("%s %s", command->name, verb->name);
        add_section(words, command, verb, out);
        jp_free(words);
    }
}

/* Each command once, under the noun that its full form begins with. */
static int print_markdown(void) {
    struct jp_str text = {0};
    for (const struct jp_noun *noun = jp_nouns; noun->name != NULL; noun++) {
        jp_str_printf(&text, "## %s\n\n", noun->summary);
        size_t length = strlen(noun->name);
        for (const struct jp_command *command = jp_commands; command->name != NULL; command++) {
            bool first = command->full != NULL && strncmp(command->full, noun->name, length) == 0 && command->full[length] == ' ';
            char *title = first ? jp_strndup(command->full, strcspn(command->full, "|")) : NULL;
            if (first && !command->hidden)
                add_with_verbs(title, command, &text);
            jp_free(title);
        }
    }
    jp_str_puts(&text, "## More\n\n");
    for (const struct jp_command *command = jp_commands; command->name != NULL; command++)
        if (command->full == NULL && !command->hidden)
            add_with_verbs(command->name, command, &text);
    jp_str_puts(&text, "## Everywhere\n\n" NOT_RUN "```\n");
    jp_options_describe(jp_common_options, &text);
    jp_str_puts(&text, "```\n\n## Topics\n\n");
    for (const struct jp_topic *topic = jp_topics; topic->name != NULL; topic++)
        jp_str_printf(&text, "### %s\n\n%s.\n\n" NOT_RUN "```\n%s\n```\n\n", topic->name, topic->summary, topic->text);
    return print(&text);
}

/* ----------------------------------------------------------------------------------------------------------------- help */

static const struct jp_topic *find_topic(const char *word) {
    for (const struct jp_topic *topic = jp_topics; topic->name != NULL; topic++)
        if (strcmp(topic->name, word) == 0)
            return topic;
    return NULL;
}

static int print_topic(const struct jp_topic *topic) {
    struct jp_str text = {0};
    jp_str_printf(&text, "%s\n", topic->text);
    return print(&text);
}

static int no_help(struct jp_cli *cli, const char *before, const char *word) {
    size_t count = 0;
    while (jp_topics[count].name != NULL)
        count++;
    const char *topic = before == NULL ? jp_nearest(word, &jp_topics[0].name, count, sizeof jp_topics[0]) : NULL;
    char *nearest = topic != NULL ? jp_sprintf("\"%s\"", topic) : jp_nearest_command(before, word);
    jp_cli_misuse(cli, "there is no %s \"%s\"%s%s%s", before == NULL ? "command or topic" : "verb", word,
                  nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
    jp_free(nearest);
    return JP_EXIT_USAGE;
}

int jp_help_run(struct jp_cli *cli, int argc, char **argv) {
    if (argc < 2)
        return jp_help_program();
    if (strcmp(argv[1], "--markdown") == 0)
        return print_markdown();
    const struct jp_noun *noun = jp_find_noun(argv[1]);
    const struct jp_topic *topic = find_topic(argv[1]);
    const struct jp_command *command = jp_find_short(argv[1]), *verb = NULL;
    bool has_verbs = noun != NULL || (command != NULL && command->verbs != NULL);
    int most = has_verbs ? 3 : 2;
    if (argc > most && (has_verbs || command != NULL || topic != NULL))
        return jp_cli_misuse(cli, "\"%s\" is one argument too many", argv[most]);
    if (has_verbs && argc > 2) {
        verb = noun != NULL ? jp_find_full(noun->name, argv[2]) : jp_find_verb(command, argv[2]);
        return verb != NULL ? jp_help_command(noun != NULL ? NULL : command, verb) : no_help(cli, argv[1], argv[2]);
    }
    if (noun != NULL)
        return jp_help_noun(noun);
    if (command != NULL)
        return jp_help_command(NULL, command);
    return topic != NULL ? print_topic(topic) : no_help(cli, NULL, argv[1]);
}
