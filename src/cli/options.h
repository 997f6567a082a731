/* The command line as a JSON object: each option is a row that says what its value must be and under which key it goes, so
 * that most commands pass the object on as their method's parameters. */
#ifndef JP_CLI_OPTIONS_H
#define JP_CLI_OPTIONS_H

#include "base/json.h"

enum jp_option_kind {
    JP_OPTION_SWITCH,   /* no value: true */
    JP_OPTION_TEXT,     /* a string; not an empty one, which is what an unset variable of a script leaves */
    JP_OPTION_TEXT_OR_NONE, /* a string that may be empty */
    JP_OPTION_LIST,     /* may be repeated: a list of strings, of which none is empty */
    JP_OPTION_NUMBER,   /* a decimal number */
    JP_OPTION_TIME,     /* "2026-11-22T07:15:30Z", "yesterday", "7d": passed on in UTC */
    JP_OPTION_DURATION, /* "30s": checked, passed on as it is */
    JP_OPTION_SETTING,  /* "NAME=value", or "NAME" for null; may be repeated: an object */
};

struct jp_option {
    const char *name;  /* without "--", and its letter if it has one: "follow|f"; NULL ends a table */
    const char *value; /* what help calls the value; NULL for a switch. "table|csv": it must be one of these (a list: each of them) */
    enum jp_option_kind kind;
    const char *key;
    const char *help;
};

/* Reads options of `common` and `own` (NULL: none) from argv[1] on. With `stop_early`, the first argument that is no option
 * ends them; otherwise they may stand anywhere before "--". Returns the index of the first argument (argv is reordered so
 * that they come last), or 0 if the command line is wrong: then `error` says how. The object's switches that were not
 * given are absent. */
int jp_options_read(const struct jp_option *common, const struct jp_option *own, bool stop_early, int argc, char **argv,
                    cJSON *into, struct jp_error *error);

/* Takes a switch, a string (jp_free) or a number out of what was read. */
bool jp_take_switch(cJSON *options, const char *key);
char *jp_take_text(cJSON *options, const char *key);                          /* NULL if not given */
uint64_t jp_take_number(cJSON *options, const char *key, uint64_t otherwise); /* `otherwise` if not given */

/* The name without its letter (jp_free), and the letter or 0. */
char *jp_option_name(const struct jp_option *option);
char jp_option_letter(const struct jp_option *option);

/* Tells each of the choices in the row's `value` ("table|csv"); nothing where there are none. */
typedef void jp_choice_fn(void *context, const char *choice);
void jp_option_each_choice(const struct jp_option *option, jp_choice_fn *tell, void *context);

/* One line an option, for help. */
void jp_options_describe(const struct jp_option *options, struct jp_str *out);

#endif
