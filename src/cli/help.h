/* What `jobpool help` and --help print, from the rows of the commands; and the same as docs/cli.md. */
#ifndef JP_CLI_HELP_H
#define JP_CLI_HELP_H

#include "cli/cli.h"

extern const struct jp_option jp_common_options[];

/* A subject that is no command. */
struct jp_topic {
    const char *name, *summary, *text; /* NULL name: end of the table */
};
extern const struct jp_topic jp_topics[];

int jp_help_program(void);
int jp_help_beginning(void); /* the same on standard error, for who gave no command: JP_EXIT_USAGE */
int jp_help_noun(const struct jp_noun *noun);
int jp_help_command(const struct jp_command *group, const struct jp_command *command); /* `group`: whose verb it is, or NULL */
int jp_help_version(void);

/* help [COMMAND [VERB] | TOPIC | --markdown]; argv[0] is "help". */
int jp_help_run(struct jp_cli *cli, int argc, char **argv);

#endif
