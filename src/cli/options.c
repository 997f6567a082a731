/* Our rows of options as getopt's, and what getopt found as JSON. */
#include "cli/options.h"

#include "base/units.h"

#include <getopt.h>
#include <string.h>

enum { MAX_OPTIONS = 24, FIRST_VALUE = 256, HELP_COLUMN = 24 };

/* getopt's table for our rows; `rows[i]` is the row of getopt's value FIRST_VALUE + i. */
struct getopt_table {
    struct option options[MAX_OPTIONS + 1];
    const struct jp_option *rows[MAX_OPTIONS];
    size_t count;
};

static void add_rows(struct getopt_table *table, const struct jp_option *rows) {
    for (; rows != NULL && rows->name != NULL && table->count < MAX_OPTIONS; rows++) {
        table->rows[table->count] = rows;
        table->options[table->count] = (struct option){
            .name = rows->name,
            .has_arg = rows->kind == JP_OPTION_SWITCH ? no_argument : required_argument,
            .val = FIRST_VALUE + (int)table->count,
        };
        table->count++;
    }
}

/* getopt tells a letter that it does not know in `optopt`; at a word, that is 0. */
static void unknown_option(const struct getopt_table *table, const char *word, struct jp_error *error) {
    if (optopt != 0) {
        jp_fail(error, JP_E_PARAMS, "there is no option \"-%c\"", optopt);
        return;
    }
    char *name = jp_strndup(word, strcspn(word, "="));
    const char *nearest = jp_nearest(name + 2, &table->options[0].name, table->count, sizeof table->options[0]);
    jp_fail(error, JP_E_PARAMS, "there is no option \"%s\"%s%s%s", name, nearest ? "; did you mean --" : "",
            nearest ? nearest : "", nearest ? "?" : "");
    jp_free(name);
}

/* The object or list under `key`, made if it is not there yet. */
static cJSON *collection(cJSON *into, const char *key, cJSON *(*create)(void)) {
    cJSON *found = cJSON_GetObjectItemCaseSensitive(into, key);
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

/* A single value: the last one given counts. */
static jp_status add_value(const struct jp_option *row, const char *text, cJSON *into, struct jp_error *error) {
    uint64_t number = 0;
    int64_t time;
    jp_status status = JP_OK;
    if (row->kind == JP_OPTION_NUMBER)
        status = jp_u64_parse(text, &number, error);
    else if (row->kind == JP_OPTION_TIME)
        status = jp_time_parse(text, &time, error);
    else if (row->kind == JP_OPTION_DURATION)
        status = jp_duration_parse(text, &number, error);
    if (status != JP_OK)
        return status;
    cJSON_DeleteItemFromObjectCaseSensitive(into, row->key);
    if (row->kind == JP_OPTION_NUMBER)
        jp_json_add_u64(into, row->key, number);
    else
        jp_json_add_string(into, row->key, text);
    return JP_OK;
}

static jp_status add_option(const struct jp_option *row, const char *text, cJSON *into, struct jp_error *error) {
    jp_status status = JP_OK;
    switch (row->kind) {
    case JP_OPTION_SWITCH:
        cJSON_DeleteItemFromObjectCaseSensitive(into, row->key);
        cJSON_AddTrueToObject(into, row->key);
        break;
    case JP_OPTION_LIST:
        cJSON_AddItemToArray(collection(into, row->key, cJSON_CreateArray), cJSON_CreateString(text));
        break;
    case JP_OPTION_SETTING:
        status = add_setting(collection(into, row->key, cJSON_CreateObject), text, error);
        break;
    case JP_OPTION_TEXT:
    case JP_OPTION_NUMBER:
    case JP_OPTION_TIME:
    case JP_OPTION_DURATION:
        status = add_value(row, text, into, error);
        break;
    }
    if (status == JP_OK)
        return JP_OK;
    struct jp_error why = *error;
    return jp_fail(error, status, "--%s: %s", row->name, why.text);
}

int jp_options_read(const struct jp_option *common, const struct jp_option *own, bool stop_early, int argc, char **argv,
                    cJSON *into, struct jp_error *error) {
    struct getopt_table table = {0};
    add_rows(&table, own);
    add_rows(&table, common);
    optind = 0; /* begins anew, at argv[1] */
    opterr = 0;
    for (;;) {
        int value = getopt_long(argc, argv, stop_early ? "+:" : ":", table.options, NULL);
        if (value == -1)
            return optind;
        if (value == ':') {
            jp_fail(error, JP_E_PARAMS, "%s wants a value", argv[optind - 1]);
            return 0;
        }
        if (value < FIRST_VALUE) {
            unknown_option(&table, argv[optind - 1], error);
            return 0;
        }
        if (add_option(table.rows[value - FIRST_VALUE], optarg, into, error) != JP_OK)
            return 0;
    }
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
        size_t start = out->length;
        jp_str_printf(out, "  --%s%s%s", options->name, options->value == NULL ? "" : " ",
                      options->value == NULL ? "" : options->value);
        size_t width = out->length - start;
        jp_str_printf(out, "%*s%s\n", (int)(width < HELP_COLUMN ? HELP_COLUMN - width : 2), "", options->help);
    }
}
