/* Finding commands by name. */
#include "cli/lookup.h"

#include <string.h>

const struct jp_noun *jp_find_noun(const char *word) {
    for (const struct jp_noun *noun = jp_nouns; noun->name != NULL; noun++)
        if (strcmp(noun->name, word) == 0)
            return noun;
    return NULL;
}

static bool has_alias(const struct jp_command *command, const char *word) {
    for (const char *const *alias = command->aliases; alias != NULL && *alias != NULL; alias++)
        if (strcmp(*alias, word) == 0)
            return true;
    return false;
}

static bool is_called(const struct jp_command *command, const char *word) {
    return strcmp(command->name, word) == 0 || has_alias(command, word);
}

const struct jp_command *jp_find_short(const char *word) {
    for (const struct jp_command *command = jp_commands; command->name != NULL; command++)
        if (!command->only_full && is_called(command, word))
            return command;
    return NULL;
}

bool jp_verb_of_noun(const struct jp_command *command, const char *noun, char **ret_verb) {
    size_t length = strlen(noun);
    for (const char *at = command->full; at != NULL && *at != '\0';) {
        size_t end = strcspn(at, "|");
        if (end > length + 1 && strncmp(at, noun, length) == 0 && at[length] == ' ') {
            *ret_verb = jp_strndup(at + length + 1, end - length - 1);
            return true;
        }
        at += end + (at[end] == '|');
    }
    return false;
}

/* Also by what is short for it: "pool ls", "pool rm", "process ps". */
const struct jp_command *jp_find_full(const char *noun, const char *verb) {
    const struct jp_command *by_short_form = NULL;
    for (const struct jp_command *command = jp_commands; command->name != NULL; command++) {
        char *own = NULL;
        bool is_of_noun = jp_verb_of_noun(command, noun, &own), same = is_of_noun && strcmp(own, verb) == 0;
        if (is_of_noun && by_short_form == NULL && (is_called(command, verb) || (strcmp(verb, "ls") == 0 && strcmp(own, "list") == 0)))
            by_short_form = command;
        jp_free(own);
        if (same)
            return command;
    }
    return by_short_form;
}

const struct jp_command *jp_find_verb(const struct jp_command *group, const char *verb) {
    for (const struct jp_command *command = group->verbs; command != NULL && command->name != NULL; command++)
        if (is_called(command, verb))
            return command;
    return NULL;
}

/* ---------------------------------------------------------------------------------------------------------- suggestions */

enum { MAX_CANDIDATES = 160 };

/* A word that could have been meant, and what is then written. */
struct candidate {
    char *word, *phrase;
};

struct candidates {
    struct candidate rows[MAX_CANDIDATES];
    size_t count;
};

static void add(struct candidates *candidates, const char *word, const char *before) {
    if (candidates->count == MAX_CANDIDATES)
        return;
    candidates->rows[candidates->count++] =
        (struct candidate){jp_strdup(word), jp_sprintf("%s%s%s", before == NULL ? "" : before, before == NULL ? "" : " ", word)};
}

/* The verbs of a noun, or of a command that has verbs. */
static void add_verbs(struct candidates *candidates, const char *before) {
    if (jp_find_noun(before) != NULL) {
        for (const struct jp_command *command = jp_commands; command->name != NULL; command++) {
            char *verb = NULL;
            if (jp_verb_of_noun(command, before, &verb))
                add(candidates, verb, before);
            jp_free(verb);
        }
        return;
    }
    const struct jp_command *group = jp_find_short(before);
    for (const struct jp_command *verb = group == NULL ? NULL : group->verbs; verb != NULL && verb->name != NULL; verb++)
        add(candidates, verb->name, before);
}

static void forget(struct candidates *candidates) {
    for (size_t i = 0; i < candidates->count; i++) {
        jp_free(candidates->rows[i].word);
        jp_free(candidates->rows[i].phrase);
    }
}

char *jp_list_verbs(const char *before) {
    struct candidates verbs = {0};
    struct jp_str text = {0};
    add_verbs(&verbs, before);
    for (size_t i = 0; i < verbs.count; i++)
        jp_str_printf(&text, "%s%s", i == 0 ? "" : ", ", verbs.rows[i].word);
    forget(&verbs);
    return jp_str_take(&text);
}

static void add_first_words(struct candidates *candidates, const char *before) {
    for (const struct jp_command *command = jp_commands; command->name != NULL; command++)
        if (!command->only_full && !command->hidden)
            add(candidates, command->name, before);
    add(candidates, "help", before);
    for (const struct jp_noun *noun = jp_nouns; noun->name != NULL; noun++)
        add(candidates, noun->name, before);
}

static void add_all_verbs(struct candidates *candidates) {
    for (const struct jp_noun *noun = jp_nouns; noun->name != NULL; noun++)
        add_verbs(candidates, noun->name);
    for (const struct jp_command *command = jp_commands; command->name != NULL; command++)
        if (command->verbs != NULL)
            add_verbs(candidates, command->name);
}

/* What begins so was cut short, rather than misspelt. */
static const char *find_longer(const struct candidates *candidates, const char *word) {
    size_t length = strlen(word);
    for (size_t i = 0; length >= 2 && i < candidates->count; i++)
        if (strncmp(candidates->rows[i].word, word, length) == 0)
            return candidates->rows[i].word;
    return NULL;
}

static char *take_nearest(struct candidates *candidates, const char *word) {
    const char *const *first = (const char *const *)&candidates->rows[0].word;
    const char *nearest = find_longer(candidates, word);
    if (nearest == NULL)
        nearest = jp_nearest(word, first, candidates->count, sizeof candidates->rows[0]);
    char *phrase = NULL;
    for (size_t i = 0; i < candidates->count; i++) {
        if (candidates->rows[i].word == nearest)
            phrase = jp_sprintf("\"%s\"", candidates->rows[i].phrase);
    }
    forget(candidates);
    return phrase;
}

/* What people are used to from other tools, and how it is written here: for pools and processes, and for the service itself. */
static const struct {
    const char *word, *phrase, *of_service;
} elsewhere_called[] = {
    {"add", "create", NULL},           {"cancel", "kill", NULL},
    {"check", "doctor", NULL},         {"configure", "init", NULL},
    {"describe", "show", NULL},        {"diagnose", "doctor", NULL},
    {"edit", "update", NULL},          {"exec", "run", NULL},
    {"get", "show", NULL},             {"health", "doctor", NULL},
    {"history", "accounting", NULL},   {"info", "status", NULL},
    {"inspect", "show", NULL},         {"install", "jobpoold install", NULL},
    {"limits", "show", NULL},          {"log", "events", NULL},
    {"logs", "events", NULL},          {"monitor", "top", NULL},
    {"new", "create", NULL},           {"pause", "freeze", NULL},
    {"remove", "delete", NULL},        {"restart", "net stop JobPool && net start JobPool", NULL},
    {"resume", "thaw", NULL},          {"rules", "match", NULL},
    {"sacct", "accounting", NULL},     {"set", "update", NULL},
    {"spawn", "launch", NULL},         {"sreport", "accounting report", NULL},
    {"start", "launch", "sc start JobPool"}, {"stats", "top --once", NULL},
    {"stop", "kill", "sc stop JobPool"}, {"suspend", "freeze", NULL},
    {"tail", "events --follow", NULL}, {"terminate", "kill", NULL},
    {"tree", "top --tree", NULL},      {"unfreeze", "thaw", NULL},
    {"uninstall", "jobpoold uninstall", NULL}, {"unpause", "thaw", NULL},
    {"upgrade", "jobpoold upgrade", NULL}, {"usage", "accounting", NULL},
    {"watch", "events --follow", NULL},
};

/* In quotes; NULL if it is not one of those. */
static char *find_elsewhere(const char *word) {
    for (size_t i = 0; i < sizeof elsewhere_called / sizeof *elsewhere_called; i++) {
        const char *of_service = elsewhere_called[i].of_service;
        if (strcmp(elsewhere_called[i].word, word) == 0)
            return jp_sprintf("\"%s\"%s%s%s", elsewhere_called[i].phrase, of_service != NULL ? ", or of the service \"" : "",
                              of_service != NULL ? of_service : "", of_service != NULL ? "\"" : "");
    }
    return NULL;
}

/* What fits where the word stands counts before what would fit elsewhere: "accounting top" is no verb, but "jobpool top" is a command. */
char *jp_nearest_command(const char *before, const char *word) {
    char *known = before == NULL || jp_find_noun(before) != NULL ? find_elsewhere(word) : NULL;
    if (known != NULL)
        return known;
    struct candidates here = {0}, elsewhere = {0};
    if (before == NULL)
        add_first_words(&here, NULL);
    else
        add_verbs(&here, before);
    char *nearest = take_nearest(&here, word);
    if (nearest != NULL)
        return nearest;
    if (before != NULL)
        add_first_words(&elsewhere, "jobpool");
    add_all_verbs(&elsewhere);
    return take_nearest(&elsewhere, word);
}
