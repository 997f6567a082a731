/* What a command's result looks like: a table for people, csv, ndjson or json for programs; all of it, or the columns that were
 * asked for, in the order that was asked for. */
#ifndef JP_CLI_VIEW_H
#define JP_CLI_VIEW_H

#include "cli/show.h"

enum jp_format { JP_FORMAT_TABLE, JP_FORMAT_CSV, JP_FORMAT_NDJSON, JP_FORMAT_JSON };

/* How a result is printed. */
struct jp_output_options {
    enum jp_format format;
    char *columns;  /* "name,state": only these, in this order; "all"; NULL: the view's own */
    char *sort;     /* "name", or "-name" to begin with the greatest; NULL: as the service gave them */
    bool no_header; /* of a table, or csv */
    uint64_t limit; /* of what is sorted: only so many rows, the first; 0: all */
};

typedef void jp_show_fn(const cJSON *result, struct jp_str *out);

/* How a result is shown. In csv and ndjson a list is a row for each of its objects, and anything else one row. */
struct jp_view {
    const char *list;              /* the key of the result's list of objects; NULL: the result is one object */
    const struct jp_show *columns; /* of the list, or the fields of the object; NULL: `show` does it, and there is no csv */
    size_t shown;                  /* so many of the columns are in a table if nobody asks for others; 0: all */
    jp_show_fn *show;              /* what people see instead of columns, unless they ask for columns */
    const char *gives_way;         /* "key,key": the columns that a narrow console goes without first (show.h) */
    const char *nothing;           /* what a person at a console is told instead of a heading above no rows; NULL: the heading */
    jp_show_fn *after;             /* what people are told below a table */
    /* A new list of rows that stand below the others in a table: totals. `columns` are those that are shown. */
    cJSON *(*tail)(const cJSON *result, const struct jp_show *columns);
    /* Where the result has no list of objects, or some are not for people: a new list, of which `list` is NULL or the original. json
     * prints the result as it is. */
    cJSON *(*rows)(const cJSON *result, bool for_people);
};

/* For a view that only people see, in the command's own words. */
#define JP_VIEW(show_function) (&(const struct jp_view){.show = (show_function)})

/* Whether the view has the columns that were asked for. JP_E_PARAMS with a sentence that names the nearest, and those there are. */
jp_status jp_view_check(const struct jp_view *view, const struct jp_output_options *options, struct jp_error *error);

/* For checked options. The rows of `result` are sorted by it. */
void jp_view_print(const struct jp_view *view, const struct jp_output_options *options, cJSON *result, struct jp_str *out);

/* "name, state, ...": what can be written after --columns and --sort. */
void jp_view_describe(const struct jp_view *view, struct jp_str *out);

#endif
