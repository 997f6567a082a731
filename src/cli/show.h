/* JSON objects as tables and lists for people. A row of a description says which key becomes which column, and how it is
 * written: bytes and durations in the unit that suits, times in local time on a console and in UTC elsewhere. */
#ifndef JP_CLI_SHOW_H
#define JP_CLI_SHOW_H

#include "base/json.h"

enum jp_show_kind {
    JP_SHOW_TEXT,
    JP_SHOW_NUMBER,
    JP_SHOW_BYTES,
    JP_SHOW_DURATION, /* a number of 100 ns */
    JP_SHOW_TIME,     /* an ISO 8601 string */
    JP_SHOW_CODE,     /* an exit code: hexadecimal where it is an exception's */
    JP_SHOW_JSON,     /* objects and lists: "a, b" or "key value, key value"; nested ones as JSON */
    JP_SHOW_STATE,    /* a word from the service's vocabulary, in its colour */
    JP_SHOW_PATH,     /* text whose end says most: it is cut at its beginning */
};

enum { JP_SHOW_COLUMNS_MAX = 40 };

struct jp_show {
    const char *title; /* NULL ends a description */
    const char *key;   /* may lead into objects: "database.file" */
    enum jp_show_kind kind;
};

/* The value under a key that may lead into objects; NULL. */
const cJSON *jp_show_find(const cJSON *object, const char *path);

/* Columns with a heading, one line for each object in the list `rows`. What is null or missing is shown as "-". On a console that is
 * too narrow, the widest columns of text are cut; if that would not leave enough of them, times go without milliseconds, then columns in
 * which nothing is ("-" or 0 in every row) are left out, then others, until a line is one line. What is left out is named below. */
void jp_show_table(const struct jp_show *columns, const cJSON *rows, struct jp_str *out);

/* How else a table may be. */
struct jp_table {
    const cJSON *tail; /* rows below that have no place in the list, in which what is missing is empty; NULL: none */
    bool no_heading;
    bool all_columns; /* none is left out: they were asked for */
    bool can_be_chosen; /* by --columns */
    const char *gives_way; /* "key,key": the columns that are left out before all others where there is no room, in this order */
};
void jp_show_table_with(const struct jp_show *columns, const cJSON *rows, const struct jp_table *table, struct jp_str *out);

/* A text that stands at this column: on a console that is too narrow it goes on in the next line, at a whole word and this column. Colours
 * in it take no room. */
void jp_show_folded(const char *text, size_t indentation, struct jp_str *out);

/* "title  value" lines for one object; what is null or missing is left out. */
void jp_show_fields(const struct jp_show *fields, const cJSON *object, struct jp_str *out);

/* One value, harmless to a terminal. */
void jp_show_value(enum jp_show_kind kind, const cJSON *value, struct jp_str *out);

#endif
