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
    select->values[select->value_count++] = (struct jp__select_value){.number = number};
}

static void add_text_value(struct jp__select *select, const char *text) {
    select->values[select->value_count++] = (struct jp__select_value){.text = text};
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
    add_text_value(select, text);
}

void jp__select_where_among(struct jp__select *select, const char *column, const struct jp_strings *names) {
    if (names == NULL || names->count == 0)
        return;
    jp__select_where(select, column);
    jp_str_puts(&select->sql, " IN (");
    for (size_t i = 0; i < names->count; i++) {
        jp_str_puts(&select->sql, i == 0 ? "?" : ",?");
        add_text_value(select, names->items[i]);
    }
    jp_str_puts(&select->sql, ")");
}

int jp__select_prepare(const struct jp__select *select, sqlite3 *db, sqlite3_stmt **ret_statement) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, jp_str_text(&select->sql), -1, &statement, NULL);
    for (int i = 0; code == SQLITE_OK && i < select->value_count; i++) {
        const struct jp__select_value *value = &select->values[i];
        code = value->text != NULL ? sqlite3_bind_text(statement, i + 1, value->text, -1, SQLITE_STATIC)
                                   : sqlite3_bind_int64(statement, i + 1, value->number);
    }
    if (code != SQLITE_OK) {
        sqlite3_finalize(statement);
        return code;
    }
    *ret_statement = statement;
    return SQLITE_OK;
}

void jp__select_end(struct jp__select *select) {
    jp_str_free(&select->sql);
}
