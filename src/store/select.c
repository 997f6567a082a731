/* Puts SELECTs together. */
#include "store/select.h"

void jp__select_begin(struct jp__select *select, const char *text) {
    select->sql = (struct jp_str){0};
    select->has_condition = false;
    select->value_count = 0;
    jp_str_puts(&select->sql, text);
}

void jp__select_text(struct jp__select *select, const char *text) {
    jp_str_putc(&select->sql, ' ');
    jp_str_puts(&select->sql, text);
}

void jp__select_value(struct jp__select *select, int64_t number) {
    select->values[select->value_count++] = JP__NUMBER(number);
}

void jp__select_text_value(struct jp__select *select, const char *text) {
    select->values[select->value_count++] = JP__TEXT(text);
}

void jp__select_where(struct jp__select *select, const char *condition) {
    jp__select_text(select, select->has_condition ? "AND" : "WHERE");
    jp__select_text(select, condition);
    select->has_condition = true;
}

void jp__select_where_number(struct jp__select *select, const char *condition, int64_t number) {
    jp__select_where(select, condition);
    jp__select_value(select, number);
}

void jp__select_where_text(struct jp__select *select, const char *condition, const char *text) {
    jp__select_where(select, condition);
    jp__select_text_value(select, text);
}

void jp__select_where_among(struct jp__select *select, const char *column, const struct jp_strings *names) {
    if (names == NULL)
        return;
    jp__select_where(select, column);
    jp_str_puts(&select->sql, " IN (");
    for (size_t i = 0; i < names->count; i++) {
        jp_str_puts(&select->sql, i == 0 ? "?" : ",?");
        jp__select_text_value(select, names->items[i]);
    }
    jp_str_puts(&select->sql, ")");
}

void jp__select_with_pools(struct jp__select *select, const struct jp_strings *pools, bool fold) {
    jp__select_text(select, "WITH RECURSIVE wanted(pool) AS (");
    for (size_t i = 0; i < pools->count; i++) {
        jp_str_printf(&select->sql, "%s(?%d)", i == 0 ? "VALUES " : ",", select->value_count + 1);
        jp__select_text_value(select, pools->items[i]);
    }
    if (pools->count == 0)
        jp_str_puts(&select->sql, "SELECT NULL WHERE false");
    if (fold) /* what stood below none is below "" */
        jp_str_puts(&select->sql, " UNION SELECT name FROM pools JOIN wanted ON pools.parent IS nullif(wanted.pool, '') WHERE pools.ephemeral <> 0");
    jp_str_puts(&select->sql, ")");
}

int jp__select_prepare(const struct jp__select *select, sqlite3 *db, sqlite3_stmt **ret_statement) {
    return jp__db_prepare(db, jp_str_text(&select->sql), select->values, select->value_count, ret_statement);
}

void jp__select_end(struct jp__select *select) {
    jp_str_free(&select->sql);
}
