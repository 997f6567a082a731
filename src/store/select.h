/* A SELECT that is put together from fixed pieces of text; values only ever go in as parameters. */
#ifndef JP_STORE_SELECT_H
#define JP_STORE_SELECT_H

#include "base/schema.h"
#include "store/database.h"
#include "store/store.h"

#include <sqlite3.h>

enum { JP__SELECT_VALUES = 2 * JP_STORE_MAX_NAMES + 16 };

struct jp__select {
    struct jp_str sql;
    bool has_condition;
    struct jp__value values[JP__SELECT_VALUES];
    int value_count;
};

void jp__select_begin(struct jp__select *select, const char *text); /* "SELECT ... FROM ..." */
void jp__select_text(struct jp__select *select, const char *text);  /* "ORDER BY ..." */
void jp__select_value(struct jp__select *select, int64_t number);   /* for a ? in what was added last */
void jp__select_text_value(struct jp__select *select, const char *text);

/* Each adds a condition; `condition` has a ? for the value, if any. Texts must live until jp__select_prepare's statement
 * is finalized. */
void jp__select_where(struct jp__select *select, const char *condition);
void jp__select_where_number(struct jp__select *select, const char *condition, int64_t number);
void jp__select_where_text(struct jp__select *select, const char *condition, const char *text);
/* `column` is one of `names`, of which there are at most JP_STORE_MAX_NAMES; NULL adds nothing, an empty list lets nothing through. */
void jp__select_where_among(struct jp__select *select, const char *column, const struct jp_strings *names);

/* "WITH RECURSIVE wanted(pool) AS (...)": these pools as a table, and, where they are to be folded, the ephemeral ones below them. Their names are the
 * parameters behind those that there are. Texts as above. */
void jp__select_with_pools(struct jp__select *select, const struct jp_strings *pools, bool fold);

/* SQLite's code. The statement has its values. */
int jp__select_prepare(const struct jp__select *select, sqlite3 *db, sqlite3_stmt **ret_statement);

void jp__select_end(struct jp__select *select); /* frees */

#endif
