/* Owns what `meta` knows beyond the rows. */
#include "store/numbers.h"

#include "store/database.h"

enum { LAST_SEQ, LAST_PROCESS_ID, LAST_RUN, LAST_AUDIT_ID, NUMBERS };

static const struct {
    const char *key;    /* in `meta` */
    const char *newest; /* what rows say */
} numbers[NUMBERS] = {
    [LAST_SEQ] = {"last_seq", "SELECT coalesce(max(seq), 0) FROM events"},
    [LAST_PROCESS_ID] = {"last_process_id", "SELECT coalesce(max(id), 0) FROM processes"},
    [LAST_RUN] = {"last_run", "SELECT coalesce(max(number), 0) FROM runs"},
    [LAST_AUDIT_ID] = {"last_audit_id", "SELECT coalesce(max(id), 0) FROM audit"},
};

/* The higher of the two; what cannot be read, or makes no sense, does not count. */
static int load(sqlite3 *db, int which, int64_t *ret_number, const char **ret_wrong) {
    struct jp__value key = JP__TEXT(numbers[which].key);
    int64_t said[2] = {0};
    int codes[2] = {jp__db_ask(db, "SELECT coalesce((SELECT value FROM meta WHERE key = ?1), -1)", &key, 1, &said[0]),
                    jp__db_number(db, numbers[which].newest, &said[1])};
    *ret_number = 0;
    for (int i = 0; i < 2; i++) {
        if (said[i] < 0 || said[i] > JP__NUMBER_MAX)
            *ret_wrong = numbers[which].key;
        else if (said[i] > *ret_number)
            *ret_number = said[i];
    }
    return codes[0] != SQLITE_OK ? codes[0] : codes[1];
}

int jp__numbers_load(sqlite3 *db, struct jp_accounts_start *start, const char **ret_wrong) {
    int64_t loaded[NUMBERS];
    int code = SQLITE_OK;
    *ret_wrong = NULL;
    for (int i = 0; i < NUMBERS; i++) {
        int one = load(db, i, &loaded[i], ret_wrong);
        if (code == SQLITE_OK)
            code = one;
    }
    start->last_seq = (uint64_t)loaded[LAST_SEQ];
    start->last_process_id = loaded[LAST_PROCESS_ID];
    start->run = loaded[LAST_RUN];
    start->last_audit_id = loaded[LAST_AUDIT_ID];
    return code;
}

#define KEEP(name, known) "UPDATE meta SET value = " known " WHERE key = '" name "' AND value < " known ";"

int jp__numbers_keep(sqlite3 *db) {
    int code = jp__db_exec(db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = jp__db_exec(db, KEEP("last_seq", "(SELECT max(seq) FROM events)") KEEP("last_process_id", "(SELECT max(id) FROM processes)")
                                   KEEP("last_audit_id", "(SELECT max(id) FROM audit)") KEEP("last_commit_100ns", JP__LAST_COMMIT));
    return jp__db_end(db, code);
}
