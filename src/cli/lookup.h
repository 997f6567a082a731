/* From words to rows of the table of commands: short forms, noun and verb, verbs of a command. */
#ifndef JP_CLI_LOOKUP_H
#define JP_CLI_LOOKUP_H

#include "cli/cli.h"

const struct jp_noun *jp_find_noun(const char *word);                                /* NULL: there is none */
const struct jp_command *jp_find_short(const char *word);                            /* by its short form, or an alias */
const struct jp_command *jp_find_full(const char *noun, const char *verb);           /* "pool", "list"; also "pool", "ls" */
const struct jp_command *jp_find_verb(const struct jp_command *group, const char *verb); /* "accounting", "purge" */

/* Whether a command has this full form: `noun` and, in *ret_verb (jp_free), its verb there. */
bool jp_verb_of_noun(const struct jp_command *command, const char *noun, char **ret_verb);

/* The command that was most likely meant by a word, or by the verb `word` of a noun or a group, as it would be written, in quotes
 * ("pool list", jp_free); NULL if nothing is near. `before` NULL: the first word. */
char *jp_nearest_command(const char *before, const char *word);

/* The verbs of a noun or a group: "list, show". jp_free. */
char *jp_list_verbs(const char *before);

#endif
