/* SQLite in the house's words: small calls that all of the store uses, and its failures as text. */
#ifndef JP_STORE_DATABASE_H
#define JP_STORE_DATABASE_H

#include "base/status.h"

#include <sqlite3.h>

/* All of these return SQLite's code. */

/* Runs statements without parameters or results. */
int jp__db_exec(sqlite3 *db, const char *sql);

/* Runs one statement without results, its parameters bound in order: texts, or numbers where `text` is NULL. */
struct jp__value {
    const char *text;
    int64_t number;
};
#define JP__TEXT(value) ((struct jp__value){.text = (value)})
#define JP__NUMBER(value) ((struct jp__value){.number = (value)})
int jp__db_run(sqlite3 *db, const char *sql, const struct jp__value *values, int count);
int jp__db_prepare(sqlite3 *db, const char *sql, const struct jp__value *values, int count, sqlite3_stmt **ret_statement);

/* Ends a transaction: commits it if `code` is SQLITE_OK, else rolls it back, if there is still one, and returns `code`. */
int jp__db_end(sqlite3 *db, int code);

/* The first column of the first row; 0, or "", if there is no row. */
int jp__db_number(sqlite3 *db, const char *sql, int64_t *ret_number);
int jp__db_ask(sqlite3 *db, const char *sql, const struct jp__value *values, int count, int64_t *ret_number);
int jp__db_text(sqlite3 *db, const char *sql, char *ret_text, size_t size);

/* Sets one value of `meta`, unless it is higher already. */
int jp__db_raise_meta(sqlite3 *db, const char *key, int64_t value);

/* Says in the database that it is at rest (1) or in use (0). */
int jp__db_mark_clean(sqlite3 *db, int clean);

/* Why the last call on `db` (NULL: none was opened) failed with `code`: "database or disk is full (SQLITE_FULL, 13)". */
void jp__db_reason(sqlite3 *db, int code, char *buffer, size_t size);

/* The file's content is not what it should be, as opposed to: it cannot be had now. */
bool jp__db_is_damage(int code);

int64_t jp__now_100ns(void); /* wall clock, as a FILETIME */
uint64_t jp__now_ms(void);   /* monotonic */

#endif
