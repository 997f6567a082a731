/* Which pool a process belongs to by its name, path, user, command line or parent. */
#include "base/str.h"
#include "policy/policy.h"

#include <string.h>

/* --- patterns --- */

/* The pattern is run as a machine whose states are its bytes: `now[i]` is set while the text so far fits what stands before byte i.
 * However many stars there are, a character of the text costs one pass over the pattern. */
struct glob {
    const char *pattern;
    size_t length;
    bool *now, *next;
    bool in_folder; /* `*` and `?` stop at a backslash */
};

enum { STATES_ON_STACK = 256 };

/* How many bytes the star at `at` has: 0, 1 or 2. */
static size_t star(const char *at) { return *at != '*' ? 0 : at[1] == '*' ? 2 : 1; }

/* A star may stand for nothing: where it stands, what comes after it does too. True if any state is set. */
static bool pass_stars(const struct glob *glob, bool *states) {
    bool any = states[glob->length];
    for (size_t i = 0; i < glob->length; i++) {
        if (!states[i])
            continue;
        any = true;
        if (star(glob->pattern + i))
            states[i + star(glob->pattern + i)] = true;
    }
    return any;
}

/* Bytes of the UTF-8 character that begins here; of a stray byte: one. */
static size_t character_length(const char *text) {
    size_t length = 1;
    while (((unsigned char)*text & 0xC0) == 0xC0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length++;
    return length;
}

static char fold(char character) { return character >= 'A' && character <= 'Z' ? (char)(character | 0x20) : character; }

static bool same(const char *one, const char *other, size_t length) {
    return length == 1 ? fold(*one) == fold(*other) : strncmp(one, other, length) == 0;
}

static void take(struct glob *glob, const char *text, size_t length) {
    bool fenced = glob->in_folder && *text == '\\';
    memset(glob->next, 0, glob->length + 1);
    for (size_t i = 0; i < glob->length; i++) {
        const char *at = glob->pattern + i;
        if (!glob->now[i])
            continue;
        if (star(at) == 2 || (star(at) == 1 && !fenced))
            glob->next[i] = true;
        else if (!star(at) && *at == '?' && !fenced)
            glob->next[i + 1] = true;
        else if (!star(at) && same(at, text, length))
            glob->next[i + length] = true;
    }
    bool *swap = glob->now;
    glob->now = glob->next;
    glob->next = swap;
}

static bool fits(const char *pattern, const char *text, bool in_folder) {
    bool states[2][STATES_ON_STACK] = {{false}};
    size_t length = strlen(pattern);
    bool *memory = length < STATES_ON_STACK ? NULL : jp_alloc(2 * (length + 1) * sizeof *memory);
    struct glob glob = {.pattern = pattern, .length = length, .now = memory ? memory : states[0],
                        .next = memory ? memory + length + 1 : states[1], .in_folder = in_folder};
    glob.now[0] = true;
    bool alive = pass_stars(&glob, glob.now);
    while (*text && alive) {
        size_t step = character_length(text);
        take(&glob, text, step);
        alive = pass_stars(&glob, glob.now);
        text += step;
    }
    bool fit = alive && glob.now[length];
    jp_free(memory);
    return fit;
}

bool jp_policy_glob(const char *pattern, const char *text) { return fits(pattern, text, true); }

/* --- rules --- */

static bool rule_has(const struct jp_match *rule, unsigned key) { return rule->present & JP_SCHEMA_BIT(key); }

/* Only a path has folders: "*--batch*" is to find its switch behind any file name. */
static bool key_fits(const struct jp_match *rule, unsigned key, const char *pattern, const char *text) {
    return !rule_has(rule, key) || (text && fits(pattern, text, key == JP_MATCH_PATH));
}

static bool rule_fits(const struct jp_match *rule, const struct jp_match_process *process) {
    return (rule->present & UINT32_MAX) && key_fits(rule, JP_MATCH_IMAGE, rule->image, process->image) &&
           key_fits(rule, JP_MATCH_PARENT, rule->parent, process->parent) && key_fits(rule, JP_MATCH_USER, rule->user, process->user) &&
           key_fits(rule, JP_MATCH_PATH, rule->path, process->path) &&
           key_fits(rule, JP_MATCH_COMMAND_LINE, rule->command_line, process->command_line);
}

static size_t first_that_fits(const struct jp_list *rules, const struct jp_match_process *process) {
    const struct jp_match *rule = rules->items;
    for (size_t i = 0; i < rules->count; i++)
        if (rule_fits(&rule[i], process))
            return i;
    return SIZE_MAX;
}

size_t jp_policy_match(const struct jp_pool_spec *const *specs, size_t count, const struct jp_match_process *process, size_t *ret_rule) {
    *ret_rule = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t rule = first_that_fits(&specs[i]->match, process);
        if (rule != SIZE_MAX && first_that_fits(&specs[i]->exclude, process) == SIZE_MAX) {
            *ret_rule = rule;
            return i;
        }
    }
    for (size_t i = 0; i < count; i++)
        if (specs[i]->takes_all && first_that_fits(&specs[i]->exclude, process) == SIZE_MAX)
            return i;
    return SIZE_MAX;
}
