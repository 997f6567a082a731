/* Owns the way up from an ephemeral pool. */
#include "store/fold.h"

#include "base/str.h"
#include "store/database.h"

enum { MOST_ABOVE = 64 }; /* pools cannot stand below each other in a ring, but what is written in a file can */

struct seen {
    char *pool, *shown; /* the second NULL: not wanted */
};

/* The pool above; NULL if this one is not ephemeral, or unknown. */
static int find_above(sqlite3 *db, const char *pool, char **ret_above) {
    struct jp__value name = JP__TEXT(pool);
    sqlite3_stmt *statement = NULL;
    *ret_above = NULL;
    int code = jp__db_prepare(db, "SELECT coalesce(parent, '') FROM pools WHERE name = ?1 AND ephemeral <> 0", &name, 1, &statement);
    if (code != SQLITE_OK)
        return code;
    if (sqlite3_step(statement) == SQLITE_ROW)
        *ret_above = jp_strdup((const char *)sqlite3_column_text(statement, 0));
    return sqlite3_finalize(statement);
}

static bool is_wanted(const struct jp__fold *fold, const char *pool) { return fold->pools == NULL || jp_map_get(&fold->wanted, pool) != NULL; }

/* The highest one on the way up that is wanted, or, of those with names, the first. */
static int walk(struct jp__fold *fold, sqlite3 *db, const char *pool, char **ret_shown) {
    bool by_name = fold->how.named && fold->pools != NULL;
    char *name = jp_strdup(pool), *above = NULL;
    int code = SQLITE_OK;
    *ret_shown = NULL;
    for (int i = 0; i < MOST_ABOVE && name != NULL; i++) {
        bool wanted = is_wanted(fold, name);
        if (wanted) {
            jp_free(*ret_shown);
            *ret_shown = jp_strdup(name);
        }
        above = NULL;
        if (!wanted || !by_name)
            code = find_above(db, name, &above);
        jp_free(name);
        name = above;
    }
    jp_free(name);
    return code;
}

void jp__fold_begin(struct jp__fold *fold, const struct jp_strings *pools, struct jp_folding how) {
    *fold = (struct jp__fold){.how = how, .pools = pools};
    for (size_t i = 0; how.on && pools != NULL && i < pools->count; i++)
        if (jp_map_get(&fold->wanted, pools->items[i]) == NULL)
            jp_map_put(&fold->wanted, pools->items[i], pools->items[i]);
}

void jp__fold_end(struct jp__fold *fold) {
    size_t position = 0;
    for (struct seen *seen; (seen = jp_map_next(&fold->seen, &position)) != NULL;) {
        jp_free(seen->pool);
        jp_free(seen->shown);
        jp_free(seen);
    }
    jp_map_free(&fold->seen);
    jp_map_free(&fold->wanted);
}

int jp__fold_shown(struct jp__fold *fold, sqlite3 *db, const char *pool, const char **ret_shown) {
    *ret_shown = pool;
    if (!fold->how.on)
        return SQLITE_OK;
    struct seen *seen = jp_map_get(&fold->seen, pool);
    if (seen == NULL) {
        char *shown;
        int code = walk(fold, db, pool, &shown);
        if (code != SQLITE_OK) {
            jp_free(shown);
            return code;
        }
        seen = jp_alloc(sizeof *seen);
        *seen = (struct seen){.pool = jp_strdup(pool), .shown = shown};
        jp_map_put(&fold->seen, seen->pool, seen);
    }
    *ret_shown = seen->shown;
    return SQLITE_OK;
}

int jp__fold_heir(sqlite3 *db, const char *pool, char **ret_heir) {
    struct jp__fold all = {.how = {.on = true}};
    return walk(&all, db, pool, ret_heir);
}
