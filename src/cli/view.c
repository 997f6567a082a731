/* Formats, columns and order of a result. */
#include "cli/view.h"

#include "base/text.h"
#include "base/units.h"
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

static bool is_list(const struct jp_view *view) { return view->list != NULL || view->rows != NULL; }

/* -------------------------------------------------------------------------------------------------------------- columns */

/* A column is known by its key, and by its heading with "-" for blanks, in any case. */
static bool is_called(const struct jp_show *column, const char *name) {
    char *title = jp_strdup(column->title);
    for (char *at = title; *at != '\0'; at++)
        if (*at == ' ')
            *at = '-';
    bool same = jp_ascii_equal_nocase(column->key, name) || jp_ascii_equal_nocase(title, name);
    jp_free(title);
    return same;
}

static const struct jp_show *find_column(const struct jp_view *view, const char *name) {
    const struct jp_show *by_title = NULL;
    for (const struct jp_show *column = view->columns; column != NULL && column->title != NULL; column++) {
        if (jp_ascii_equal_nocase(column->key, name))
            return column;
        if (by_title == NULL && is_called(column, name))
            by_title = column;
    }
    return by_title;
}

void jp_view_describe(const struct jp_view *view, struct jp_str *out) {
    for (const struct jp_show *column = view->columns; column != NULL && column->title != NULL; column++)
        jp_str_printf(out, "%s%s", column == view->columns ? "" : ", ", column->key);
}

static jp_status no_column(const struct jp_view *view, const char *name, struct jp_error *error) {
    size_t count = 0;
    while (view->columns[count].title != NULL)
        count++;
    const char *nearest = jp_nearest(name, &view->columns[0].key, count, sizeof view->columns[0]);
    struct jp_str all = {0};
    jp_view_describe(view, &all);
    jp_fail(error, JP_E_PARAMS, "there is no column \"%s\"%s%s%s There are: %s", name, nearest == NULL ? "." : "; did you mean \"",
            nearest == NULL ? "" : nearest, nearest == NULL ? "" : "\"?", jp_str_text(&all));
    jp_str_free(&all);
    return JP_E_PARAMS;
}

/* Whether `column` is one that was chosen before: twice would be an object with two keys of one name. */
static bool is_chosen(const struct jp_show *chosen, size_t count, const struct jp_show *column) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(chosen[i].key, column->key) == 0)
            return true;
    return false;
}

/* The columns named in "a,b", ended by an empty one. */
static jp_status choose(const struct jp_view *view, const char *names, struct jp_show *chosen, struct jp_error *error) {
    size_t count = 0;
    while (*names != '\0') {
        size_t length = strcspn(names, ",");
        char *name = jp_strndup(names, length);
        const struct jp_show *column = find_column(view, name);
        jp_status status = JP_OK;
        if (column == NULL)
            status = no_column(view, name, error);
        else if (count == JP_SHOW_COLUMNS_MAX)
            status = jp_fail(error, JP_E_PARAMS, "too many columns: at most %d", (int)JP_SHOW_COLUMNS_MAX);
        else if (is_chosen(chosen, count, column))
            status = jp_fail(error, JP_E_PARAMS, "column \"%s\" is given twice", name);
        else
            chosen[count++] = *column;
        jp_free(name);
        if (status != JP_OK)
            return status;
        names += length + (names[length] == ',');
    }
    return count > 0 ? JP_OK : jp_fail(error, JP_E_PARAMS, "--columns wants names: name,state");
}

static bool wants_all(const struct jp_output_options *options) {
    return options->columns != NULL && strcmp(options->columns, "all") == 0;
}

static bool wants_some(const struct jp_output_options *options) { return options->columns != NULL && !wants_all(options); }

jp_status jp_view_check(const struct jp_view *view, const struct jp_output_options *options, struct jp_error *error) {
    bool has_columns = view != NULL && view->columns != NULL;
    if (options->format == JP_FORMAT_CSV && !has_columns)
        return jp_fail(error, JP_E_PARAMS, "what this prints has no columns, so there is no csv; use --format json");
    if (options->columns != NULL && !has_columns)
        return jp_fail(error, JP_E_PARAMS, "what this prints has no columns to choose from");
    if (options->columns != NULL && options->format == JP_FORMAT_JSON && is_list(view) && view->list == NULL)
        return jp_fail(error, JP_E_PARAMS, "json is the service's whole answer here, without columns; use --format ndjson");
    if (options->sort != NULL && (!has_columns || !is_list(view)))
        return jp_fail(error, JP_E_PARAMS, "what this prints is no list to sort");
    struct jp_show columns[JP_SHOW_COLUMNS_MAX + 1];
    if (wants_some(options) && choose(view, options->columns, columns, error) != JP_OK)
        return JP_E_PARAMS;
    if (options->sort != NULL) {
        const char *name = options->sort + (options->sort[0] == '-');
        if (find_column(view, name) == NULL)
            return no_column(view, name, error);
    }
    return JP_OK;
}

/* ---------------------------------------------------------------------------------------------------------------- order */

struct sorted_row {
    cJSON *item;
    const cJSON *value;
    size_t place; /* among rows that are alike */
    const struct jp_show *column;
    bool descending;
};

static int compare_u64(uint64_t one, uint64_t other) { return one < other ? -1 : one > other; }

/* Case does not count in names on Windows, nor here, unless nothing else differs. */
static int compare_text(const char *one, const char *other) {
    for (size_t i = 0;; i++) {
        unsigned char a = (unsigned char)one[i], b = (unsigned char)other[i];
        a = (unsigned char)(a >= 'A' && a <= 'Z' ? a + 32 : a);
        b = (unsigned char)(b >= 'A' && b <= 'Z' ? b + 32 : b);
        if (a != b)
            return a < b ? -1 : 1;
        if (a == '\0')
            return strcmp(one, other);
    }
}

static int compare_values(const struct jp_show *column, const cJSON *one, const cJSON *other) {
    uint64_t a, b;
    int64_t time_a, time_b;
    struct jp_error error;
    if (column->kind != JP_SHOW_TIME && jp_json_get_u64(one, &a) && jp_json_get_u64(other, &b))
        return compare_u64(a, b);
    if (column->kind == JP_SHOW_TIME && cJSON_IsString(one) && cJSON_IsString(other) &&
        jp_time_parse(one->valuestring, &time_a, &error) == JP_OK && jp_time_parse(other->valuestring, &time_b, &error) == JP_OK)
        return time_a < time_b ? -1 : time_a > time_b;
    if (cJSON_IsNumber(one) && cJSON_IsNumber(other)) /* with decimals */
        return one->valuedouble < other->valuedouble ? -1 : one->valuedouble > other->valuedouble;
    struct jp_str text_a = {0}, text_b = {0};
    jp_show_value(column->kind, one, &text_a);
    jp_show_value(column->kind, other, &text_b);
    int order = compare_text(jp_str_text(&text_a), jp_str_text(&text_b));
    jp_str_free(&text_a);
    jp_str_free(&text_b);
    return order;
}

/* What is not known comes last, whatever the direction. */
static int compare_rows(const void *one, const void *other) {
    const struct sorted_row *a = one, *b = other;
    bool a_is_nothing = a->value == NULL || cJSON_IsNull(a->value), b_is_nothing = b->value == NULL || cJSON_IsNull(b->value);
    int order = 0;
    if (a_is_nothing != b_is_nothing)
        return a_is_nothing ? 1 : -1;
    if (!a_is_nothing)
        order = compare_values(a->column, a->value, b->value);
    if (order != 0)
        return a->descending ? -order : order;
    return a->place < b->place ? -1 : 1;
}

static void sort_rows(const struct jp_view *view, const char *by, cJSON *list) {
    size_t count = (size_t)cJSON_GetArraySize(list);
    bool descending = by[0] == '-';
    const struct jp_show *column = find_column(view, by + descending);
    if (count < 2 || column == NULL)
        return;
    struct sorted_row *rows = jp_realloc_array(NULL, count, sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        cJSON *item = cJSON_DetachItemViaPointer(list, list->child);
        rows[i] = (struct sorted_row){item, jp_show_find(item, column->key), i, column, descending};
    }
    qsort(rows, count, sizeof *rows, compare_rows);
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(list, rows[i].item);
    jp_free(rows);
}

static void cut_rows(uint64_t limit, cJSON *list) {
    for (uint64_t count = (uint64_t)cJSON_GetArraySize(list); limit > 0 && count > limit; count--)
        cJSON_Delete(cJSON_DetachItemViaPointer(list, list->child->prev)); /* cJSON: the first item's predecessor is the last */
}

/* ------------------------------------------------------------------------------------------------------------------ csv */

/* What a spreadsheet would take for a formula, also in its full-width form. */
static bool begins_like_formula(const char *text) {
    static const char *const beginnings[] = {"=", "+", "-", "@", "'", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncmp(text, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

/* RFC 4180, and an apostrophe before text that a spreadsheet would calculate (or that begins with one itself, so that taking away the
 * first apostrophe always gives the text). */
static void add_csv_text(const char *text, struct jp_str *out) {
    struct jp_str harmless = {0};
    if (begins_like_formula(text))
        jp_str_putc(&harmless, '\'');
    jp_add_harmless(&harmless, text);
    const char *at = jp_str_text(&harmless);
    bool quoted = strpbrk(at, ",\"") != NULL || at[0] == ' ' || (*at != '\0' && at[strlen(at) - 1] == ' ');
    if (quoted)
        jp_str_putc(out, '"');
    for (; *at != '\0'; at++)
        jp_str_printf(out, *at == '"' ? "\"\"" : "%c", *at);
    if (quoted)
        jp_str_putc(out, '"');
    jp_str_free(&harmless);
}

/* Numbers as they are, also those that JSON has as strings; lists and objects as JSON. */
static void add_csv_value(const struct jp_show *column, const cJSON *value, struct jp_str *out) {
    uint64_t number;
    if (value == NULL || cJSON_IsNull(value))
        return;
    bool is_text = cJSON_IsString(value) && (column->kind == JP_SHOW_TEXT || column->kind == JP_SHOW_PATH || column->kind == JP_SHOW_JSON);
    if (!is_text && jp_json_get_u64(value, &number)) {
        jp_str_printf(out, "%llu", (unsigned long long)number);
        return;
    }
    struct jp_str text = {0};
    if (cJSON_IsString(value))
        jp_str_puts(&text, value->valuestring);
    else
        jp_json_print(value, &text);
    add_csv_text(jp_str_text(&text), out);
    jp_str_free(&text);
}

static void add_csv_row(const struct jp_show *columns, const cJSON *row, struct jp_str *out) {
    for (const struct jp_show *column = columns; column->title != NULL; column++) {
        jp_str_puts(out, column == columns ? "" : ",");
        add_csv_value(column, jp_show_find(row, column->key), out);
    }
    jp_str_puts(out, "\r\n");
}

/* `rows` NULL: the result is one row. */
static void add_csv(const struct jp_show *columns, bool heading, const cJSON *rows, const cJSON *result, struct jp_str *out) {
    for (const struct jp_show *column = columns; heading && column->title != NULL; column++)
        jp_str_printf(out, "%s%s", column->key, column[1].title == NULL ? "\r\n" : ",");
    if (rows == NULL)
        add_csv_row(columns, result, out);
    const cJSON *row;
    cJSON_ArrayForEach(row, rows) {
        add_csv_row(columns, row, out);
    }
}

/* ----------------------------------------------------------------------------------------------------------------- json */

/* An object with only the chosen keys, in their order; what is missing is null. */
static cJSON *only(const struct jp_show *columns, const cJSON *object) {
    cJSON *chosen = cJSON_CreateObject();
    for (const struct jp_show *column = columns; column->title != NULL; column++) {
        const cJSON *value = jp_show_find(object, column->key);
        cJSON_AddItemToObject(chosen, column->key, value == NULL ? cJSON_CreateNull() : cJSON_Duplicate(value, true));
    }
    return chosen;
}

static void add_json_line(const struct jp_show *chosen, const cJSON *object, struct jp_str *out) {
    cJSON *part = chosen == NULL ? NULL : only(chosen, object);
    jp_json_print(part == NULL ? object : part, out);
    jp_str_putc(out, '\n');
    cJSON_Delete(part);
}

/* `chosen` NULL: all keys, also those that have no column. */
static void add_ndjson(const struct jp_show *chosen, const cJSON *rows, const cJSON *result, struct jp_str *out) {
    if (rows == NULL)
        add_json_line(chosen, result, out);
    const cJSON *row;
    cJSON_ArrayForEach(row, rows) {
        add_json_line(chosen, row, out);
    }
}

static void add_json(const struct jp_view *view, const struct jp_show *chosen, cJSON *result, struct jp_str *out) {
    if (chosen != NULL && view->list != NULL) {
        cJSON *parts = cJSON_CreateArray();
        const cJSON *row;
        cJSON_ArrayForEach(row, jp_get(result, view->list)) {
            cJSON_AddItemToArray(parts, only(chosen, row));
        }
        cJSON_ReplaceItemInObjectCaseSensitive(result, view->list, parts);
        chosen = NULL;
    }
    add_json_line(chosen, result, out);
}

/* ---------------------------------------------------------------------------------------------------------------- table */

static void add_table(const struct jp_view *view, const struct jp_output_options *options, const struct jp_show *columns,
                      const cJSON *rows, const cJSON *result, struct jp_str *out) {
    if (view->show != NULL && options->columns == NULL && options->sort == NULL) {
        view->show(result, out);
        return;
    }
    if (rows == NULL) {
        jp_show_fields(columns, result, out);
    } else {
        cJSON *tail = view->tail == NULL ? NULL : view->tail(result, columns);
        const struct jp_table table = {.tail = tail, .no_heading = options->no_header, .all_columns = options->columns != NULL,
                                       .can_be_chosen = true, .gives_way = view->gives_way};
        if (rows->child == NULL && view->nothing != NULL && jp_output_is_console())
            jp_str_printf(out, "%s\n", view->nothing);
        else
            jp_show_table_with(columns, rows, &table, out);
        cJSON_Delete(tail);
    }
    if (view->after != NULL)
        view->after(result, out);
}

/* All columns, or those of a table. */
static void default_columns(const struct jp_view *view, bool all, struct jp_show *columns) {
    size_t count = all || view->shown == 0 ? JP_SHOW_COLUMNS_MAX : view->shown;
    for (size_t i = 0; i < count && view->columns[i].title != NULL; i++)
        columns[i] = view->columns[i];
}

void jp_view_print(const struct jp_view *view, const struct jp_output_options *options, cJSON *result, struct jp_str *out) {
    struct jp_show columns[JP_SHOW_COLUMNS_MAX + 1] = {0};
    struct jp_error error;
    bool some = wants_some(options);
    if (some)
        choose(view, options->columns, columns, &error);
    else if (view->columns != NULL)
        default_columns(view, options->format != JP_FORMAT_TABLE || wants_all(options), columns);
    cJSON *made = view->rows == NULL || options->format == JP_FORMAT_JSON ? NULL : view->rows(result, options->format == JP_FORMAT_TABLE);
    cJSON *rows = made != NULL || view->list == NULL ? made : jp_get(result, view->list);
    if (options->sort != NULL)
        sort_rows(view, options->sort, rows);
    if (rows != NULL)
        cut_rows(options->limit, rows);
    switch (options->format) {
    case JP_FORMAT_TABLE:
        add_table(view, options, columns, rows, result, out);
        break;
    case JP_FORMAT_CSV:
        add_csv(columns, !options->no_header, rows, result, out);
        break;
    case JP_FORMAT_NDJSON:
        add_ndjson(some ? columns : NULL, rows, result, out);
        break;
    case JP_FORMAT_JSON:
        add_json(view, some ? columns : NULL, result, out);
        break;
    }
    cJSON_Delete(made);
}
