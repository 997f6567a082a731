/* Our rows of options as getopt's, and what getopt found as JSON. */
#include "cli/options.h"

#include "base/units.h"
#include "cli/when.h"

#include <getopt.h>
#include <string.h>

enum { MAX_OPTIONS = 40, FIRST_VALUE = 256, HELP_COLUMN = 26 };

/* getopt's table for our rows; `rows[i]` is the row of getopt's value FIRST_VALUE + i. */
struct getopt_table {
    struct option options[MAX_OPTIONS + 1];
    const struct jp_option *rows[MAX_OPTIONS];
    char letters[2 + 2 * MAX_OPTIONS + 1]; /* as getopt wants them: "+:fp:" */
    size_t count;
};

char *jp_option_name(const struct jp_option *option) { return jp_strndup(option->name, strcspn(option->name, "|")); }

char jp_option_letter(const struct jp_option *option) {
    const char *bar = strchr(option->name, '|');
    return (char)(bar == NULL ? '\0' : bar[1]);
}

static void add_letter(struct getopt_table *table, const struct jp_option *row) {
    char letter = jp_option_letter(row);
    if (letter == '\0' || strchr(table->letters, letter) != NULL) /* a command's own before those of all */
        return;
    size_t length = strlen(table->letters);
    table->letters[length++] = letter;
    if (row->kind != JP_OPTION_SWITCH)
        table->letters[length] = ':';
}

static void add_rows(struct getopt_table *table, const struct jp_option *rows) {
    for (; rows != NULL && rows->name != NULL && table->count < MAX_OPTIONS; rows++) {
        table->rows[table->count] = rows;
        table->options[table->count] = (struct option){
            .name = jp_option_name(rows),
            .has_arg = rows->kind == JP_OPTION_SWITCH ? no_argument : required_argument,
            .val = FIRST_VALUE + (int)table->count,
        };
        table->count++;
        add_letter(table, rows);
    }
}

static void free_table(struct getopt_table *table) {
    for (size_t i = 0; i < table->count; i++) {
        char *name; /* getopt's field is const, the memory is ours */
        memcpy(&name, &table->options[i].name, sizeof name);
        jp_free(name);
    }
}

static const struct jp_option *row_of(const struct getopt_table *table, int value) {
    if (value >= FIRST_VALUE)
        return table->rows[value - FIRST_VALUE];
    for (size_t i = 0; i < table->count; i++)
        if (jp_option_letter(table->rows[i]) == (char)value)
            return table->rows[i];
    return NULL;
}

/* A value that is missing, or ("--report=yes" of a switch) one too many: getopt says ':' of both. */
static void wrong_value(const struct getopt_table *table, const char *word, struct jp_error *error) {
    const struct jp_option *row = row_of(table, optopt);
    if (row == NULL || row->kind != JP_OPTION_SWITCH) {
        jp_fail(error, JP_E_PARAMS, "%s wants a value", word);
        return;
    }
    char *name = jp_option_name(row);
    jp_fail(error, JP_E_PARAMS, "--%s takes no value", name);
    jp_free(name);
}

/* getopt tells a letter that it does not know in `optopt`; at a word, that is 0. */
static void unknown_option(const struct getopt_table *table, const char *word, struct jp_error *error) {
    if (optopt != 0 && optopt < FIRST_VALUE) {
        jp_fail(error, JP_E_PARAMS, "there is no option \"-%c\"", optopt);
        return;
    }
    char *name = jp_strndup(word, strcspn(word, "="));
    if (optopt >= FIRST_VALUE) {
        jp_fail(error, JP_E_PARAMS, "%s takes no value", name);
        jp_free(name);
        return;
    }
    const char *nearest = jp_nearest(name + 2, &table->options[0].name, table->count, sizeof table->options[0]);
    jp_fail(error, JP_E_PARAMS, "there is no option \"%s\"%s%s%s", name, nearest ? "; did you mean --" : "",
            nearest ? nearest : "", nearest ? "?" : "");
    jp_free(name);
}

/* The object or list under `key`, made if it is not there yet. */
static cJSON *collection(cJSON *into, const char *key, cJSON *(*create)(void)) {
    cJSON *found = jp_get(into, key);
    if (found == NULL) {
        found = create();
        cJSON_AddItemToObject(into, key, found);
    }
    return found;
}

static jp_status add_setting(cJSON *settings, const char *text, struct jp_error *error) {
    size_t length = strcspn(text, "=");
    if (length == 0)
        return jp_fail(error, JP_E_PARAMS, "\"%s\" has no name; write NAME=VALUE", text);
    char *name = jp_strndup(text, length);
    cJSON_DeleteItemFromObjectCaseSensitive(settings, name);
    jp_json_add_string(settings, name, text[length] == '=' ? text + length + 1 : NULL);
    jp_free(name);
    return JP_OK;
}

void jp_option_each_choice(const struct jp_option *option, jp_choice_fn *tell, void *context) {
    if (option->value == NULL || strchr(option->value, '|') == NULL)
        return;
    for (const char *at = option->value; *at != '\0';) {
        size_t length = strcspn(at, "|");
        char *choice = jp_strndup(at, length);
        tell(context, choice);
        jp_free(choice);
        at += length + (at[length] == '|');
    }
}

struct wanted_choice {
    const char *text;
    bool found, any;
};

static void compare_choice(void *context, const char *choice) {
    struct wanted_choice *wanted = context;
    wanted->any = true;
    wanted->found = wanted->found || strcmp(choice, wanted->text) == 0;
}

static jp_status check_choice(const struct jp_option *row, const char *text, struct jp_error *error) {
    struct wanted_choice wanted = {.text = text};
    jp_option_each_choice(row, compare_choice, &wanted);
    if (!wanted.any || wanted.found)
        return JP_OK;
    return jp_fail(error, JP_E_PARAMS, "\"%s\" is none of %s", text, row->value);
}

/* Of a list with choices, "one,another" is two. */
static jp_status add_to_list(const struct jp_option *row, const char *text, cJSON *list, struct jp_error *error) {
    if (row->value == NULL || strchr(row->value, '|') == NULL) {
        cJSON_AddItemToArray(list, cJSON_CreateString(text));
        return JP_OK;
    }
    jp_status status = JP_OK;
    while (status == JP_OK && *text != '\0') {
        size_t length = strcspn(text, ",");
        char *word = jp_strndup(text, length);
        status = check_choice(row, word, error);
        if (status == JP_OK)
            cJSON_AddItemToArray(list, cJSON_CreateString(word));
        jp_free(word);
        text += length + (text[length] == ',');
    }
    return status;
}

/* A single value: the last one given counts. */
static jp_status add_value(const struct jp_option *row, const char *text, cJSON *into, struct jp_error *error) {
    uint64_t number = 0;
    int64_t time = 0;
    jp_status status = JP_OK;
    if (row->kind == JP_OPTION_NUMBER)
        status = jp_u64_parse(text, &number, error);
    else if (row->kind == JP_OPTION_TIME)
        status = jp_when_parse(text, &time, error);
    else if (row->kind == JP_OPTION_DURATION)
        status = jp_duration_parse(text, &number, error);
    else
        status = check_choice(row, text, error);
    if (status != JP_OK)
        return status;
    cJSON_DeleteItemFromObjectCaseSensitive(into, row->key);
    if (row->kind == JP_OPTION_NUMBER)
        jp_json_add_u64(into, row->key, number);
    else if (row->kind == JP_OPTION_TIME)
        jp_json_add_time(into, row->key, time);
    else
        jp_json_add_string(into, row->key, text);
    return JP_OK;
}

static jp_status add_of_kind(const struct jp_option *row, const char *text, cJSON *into, struct jp_error *error) {
    switch (row->kind) {
    case JP_OPTION_SWITCH:
        cJSON_DeleteItemFromObjectCaseSensitive(into, row->key);
        cJSON_AddTrueToObject(into, row->key);
        return JP_OK;
    case JP_OPTION_LIST:
        return add_to_list(row, text, collection(into, row->key, cJSON_CreateArray), error);
    case JP_OPTION_SETTING:
        return add_setting(collection(into, row->key, cJSON_CreateObject), text, error);
    case JP_OPTION_TEXT:
    case JP_OPTION_TEXT_OR_NONE:
    case JP_OPTION_NUMBER:
    case JP_OPTION_TIME:
    case JP_OPTION_DURATION:
        break;
    }
    return add_value(row, text, into, error);
}

static jp_status add_option(const struct jp_option *row, const char *text, cJSON *into, struct jp_error *error) {
    bool needs_text = row->kind == JP_OPTION_TEXT || row->kind == JP_OPTION_LIST;
    jp_status status = needs_text && *text == '\0' ? jp_fail(error, JP_E_PARAMS, "\"\" is no value")
                                                   : add_of_kind(row, text, into, error);
    if (status == JP_OK)
        return JP_OK;
    struct jp_error why = *error;
    char *name = jp_option_name(row);
    jp_fail(error, status, "--%s: %s", name, why.text);
    jp_free(name);
    return status;
}

static int read_options(const struct getopt_table *table, int argc, char **argv, cJSON *into, struct jp_error *error) {
    optind = 0; /* begins anew, at argv[1] */
    opterr = 0;
    for (;;) {
        int value = getopt_long(argc, argv, table->letters, table->options, NULL);
        if (value == -1)
            return optind;
        const struct jp_option *row = value == '?' || value == ':' ? NULL : row_of(table, value);
        if (value == ':') {
            wrong_value(table, argv[optind - 1], error);
            return 0;
        }
        if (row == NULL) {
            unknown_option(table, argv[optind - 1], error);
            return 0;
        }
        if (add_option(row, optarg, into, error) != JP_OK)
            return 0;
    }
}

int jp_options_read(const struct jp_option *common, const struct jp_option *own, bool stop_early, int argc, char **argv,
                    cJSON *into, struct jp_error *error) {
    struct getopt_table table = {.letters = ":"};
    if (stop_early)
        memcpy(table.letters, "+:", 3);
    add_rows(&table, own);
    add_rows(&table, common);
    int first = read_options(&table, argc, argv, into, error);
    free_table(&table);
    return first;
}

bool jp_take_switch(cJSON *options, const char *key) {
    cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(options, key);
    bool given = cJSON_IsTrue(item);
    cJSON_Delete(item);
    return given;
}

char *jp_take_text(cJSON *options, const char *key) {
    cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(options, key);
    char *text = jp_strdup(cJSON_GetStringValue(item));
    cJSON_Delete(item);
    return text;
}

uint64_t jp_take_number(cJSON *options, const char *key, uint64_t otherwise) {
    cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(options, key);
    uint64_t number = otherwise;
    jp_json_get_u64(item, &number);
    cJSON_Delete(item);
    return number;
}

void jp_options_describe(const struct jp_option *options, struct jp_str *out) {
    for (; options != NULL && options->name != NULL; options++) {
        char *name = jp_option_name(options), letter = jp_option_letter(options);
        size_t start = out->length;
        jp_str_printf(out, letter == '\0' ? "      " : "  -%c, ", letter);
        jp_str_printf(out, "--%s%s%s", name, options->value == NULL ? "" : " ", options->value == NULL ? "" : options->value);
        size_t width = out->length - start;
        if (width + 2 > HELP_COLUMN)
            jp_str_printf(out, "\n%*s%s\n", (int)HELP_COLUMN, "", options->help);
        else
            jp_str_printf(out, "%*s%s\n", (int)(HELP_COLUMN - width), "", options->help);
        jp_free(name);
    }
}
