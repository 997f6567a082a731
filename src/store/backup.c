/* Owns the copying of a database that may be in use. */
#include "store/backup.h"

#include "base/str.h"
#include "store/database.h"
#include "store/opening.h"
#include "store/schema.h"

#include <string.h>
#include <uv.h>

enum { PAGES_PER_STEP = 1024 };

/* --- files --- */

/* libuv's error, or 0. */
static int look_at(const char *file, uv_stat_t *ret_stat) {
    uv_fs_t request;
    int result = uv_fs_stat(NULL, &request, file, NULL);
    if (result == 0)
        *ret_stat = request.statbuf;
    uv_fs_req_cleanup(&request);
    return result;
}

static void remove_file(const char *file) {
    uv_fs_t request;
    uv_fs_unlink(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
}

/* A journal that is left belongs to the unfinished file. */
static void remove_partial(const char *file) {
    char *journal = jp_sprintf("%s-journal", file);
    remove_file(journal);
    remove_file(file);
    jp_free(journal);
}

static jp_status fail_on(const char *file, sqlite3 *db, int code, const char *what_cannot_be, struct jp_error *error) {
    char reason[256];
    jp__db_reason(db, code, reason, sizeof reason);
    return jp_fail(error, JP_E_STORE, "\"%s\" cannot be %s: %s", file, what_cannot_be, reason);
}

static jp_status refuse_target(const char *from_file, const char *to_file, bool overwrite, struct jp_error *error) {
    uv_stat_t from, to;
    if (look_at(to_file, &to) != 0)
        return JP_OK;
    if ((to.st_mode & S_IFMT) == S_IFDIR)
        return jp_fail(error, JP_E_STORE, "\"%s\" is a folder; give the name of a file in it", to_file);
    if (look_at(from_file, &from) == 0 && from.st_dev == to.st_dev && from.st_ino == to.st_ino)
        return jp_fail(error, JP_E_STORE, "\"%s\" and \"%s\" are the same file", from_file, to_file);
    if (!overwrite)
        return jp_fail(error, JP_E_STORE, "\"%s\" is there already, and is not overwritten", to_file);
    return JP_OK;
}

/* --- the source --- */

static jp_status identify(sqlite3 *db, const char *file, struct jp_error *error) {
    int64_t application = 0, version = 0;
    int code = jp__db_number(db, "PRAGMA application_id", &application);
    if (code == SQLITE_OK)
        code = jp__db_number(db, "PRAGMA user_version", &version);
    if (code != SQLITE_OK)
        return fail_on(file, db, code, "read", error);
    if (application != JP__APPLICATION_ID)
        return jp_fail(error, JP_E_STORE, "\"%s\" is not a JobPool database", file);
    if (version < 1 || version > JP__SCHEMA_VERSION)
        return jp_fail(error, JP_E_STORE, "\"%s\" has schema %lld; this jobpool knows 1 to %d", file, (long long)version, JP__SCHEMA_VERSION);
    return JP_OK;
}

jp_status jp__open_to_read(const char *file, sqlite3 **ret_db, struct jp_error *error) {
    sqlite3 *db = NULL;
    uv_stat_t stat;
    int found = look_at(file, &stat);
    if (found != 0)
        return jp_fail(error, JP_E_STORE, "\"%s\" cannot be read: %s", file, uv_strerror(found));
    int code = sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, JP__BUSY_MS);
    jp_status status = code == SQLITE_OK ? identify(db, file, error) : fail_on(file, db, code, "opened", error);
    if (status == JP_OK)
        *ret_db = db;
    else
        sqlite3_close(db);
    return status;
}

/* --- copying --- */

static void tell_progress(const struct jp_backup_options *options, sqlite3_backup *backup, int64_t page_bytes) {
    int pages = sqlite3_backup_pagecount(backup), left = sqlite3_backup_remaining(backup);
    if (options->on_progress != NULL)
        options->on_progress(options->context, (uint64_t)(pages - left) * (uint64_t)page_bytes, (uint64_t)pages * (uint64_t)page_bytes);
}

/* All steps read the state of one transaction, so what is written meanwhile does not begin the copy anew. Whose fault a failure is, only the
 * codes tell: both files are in it. */
static int copy_pages(sqlite3 *from, sqlite3 *to, const struct jp_backup_options *options) {
    int64_t page_bytes = 0, rows = 0;
    int code = jp__db_exec(from, "BEGIN");
    if (code == SQLITE_OK)
        code = jp__db_number(from, "SELECT count(*) FROM sqlite_schema", &rows); /* now it has begun to read */
    if (code == SQLITE_OK)
        code = jp__db_number(from, "PRAGMA page_size", &page_bytes);
    if (code != SQLITE_OK)
        return code;
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == NULL)
        return sqlite3_extended_errcode(to);
    while ((code = sqlite3_backup_step(backup, PAGES_PER_STEP)) == SQLITE_OK)
        tell_progress(options, backup, page_bytes);
    if (code == SQLITE_DONE)
        tell_progress(options, backup, page_bytes);
    int end = sqlite3_backup_finish(backup);
    jp__db_exec(from, "COMMIT");
    return code == SQLITE_DONE ? end : code;
}

/* One file, with nothing beside it: a service that is given it turns its WAL on again. */
static jp_status finish_copy(sqlite3 *to, const char *file, struct jp_error *error) {
    char verdict[256] = "", mode[16] = "";
    int code = jp__db_text(to, "PRAGMA journal_mode = DELETE", mode, sizeof mode);
    if (code == SQLITE_OK)
        code = jp__db_text(to, "PRAGMA quick_check(1)", verdict, sizeof verdict);
    if (code != SQLITE_OK)
        return fail_on(file, to, code, "checked", error);
    if (strcmp(verdict, "ok") != 0)
        return jp_fail(error, JP_E_STORE, "the copy is damaged, so the database is: %s", verdict);
    return JP_OK;
}

static jp_status write_copy(sqlite3 *from, const char *from_file, const char *to_file, const struct jp_backup_options *options,
                            struct jp_error *error) {
    sqlite3 *to = NULL;
    jp_status status = JP_OK;
    int code = sqlite3_open_v2(to_file, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    sqlite3_extended_result_codes(to, 1);
    if (code != SQLITE_OK) {
        status = fail_on(to_file, to, code, "made", error);
    } else if ((code = copy_pages(from, to, options)) != SQLITE_OK) {
        char reason[256];
        jp__db_reason(NULL, code, reason, sizeof reason);
        status = jp_fail(error, JP_E_STORE, "\"%s\" cannot be copied to \"%s\": %s", from_file, to_file, reason);
    } else {
        status = finish_copy(to, to_file, error);
    }
    sqlite3_close(to);
    return status;
}

static jp_status give_name(const char *partial, const char *to_file, struct jp_error *error) {
    uv_fs_t request;
    int result = uv_fs_rename(NULL, &request, partial, to_file, NULL);
    uv_fs_req_cleanup(&request);
    if (result == 0)
        return JP_OK;
    return jp_fail(error, JP_E_STORE, "\"%s\" cannot be renamed to \"%s\": %s", partial, to_file, uv_strerror(result));
}

jp_status jp_store_backup(const char *from_file, const char *to_file, const struct jp_backup_options *options, struct jp_error *error) {
    sqlite3 *from = NULL;
    jp_status status = refuse_target(from_file, to_file, options->overwrite, error);
    if (status == JP_OK)
        status = jp__open_to_read(from_file, &from, error);
    if (status != JP_OK)
        return status;
    char *partial = jp_sprintf("%s.partial", to_file);
    remove_partial(partial); /* of an attempt that was ended */
    status = write_copy(from, from_file, partial, options, error);
    sqlite3_close(from);
    if (status == JP_OK)
        status = refuse_target(from_file, to_file, options->overwrite, error); /* it took its time */
    if (status == JP_OK)
        status = give_name(partial, to_file, error);
    if (status != JP_OK)
        remove_partial(partial);
    jp_free(partial);
    return status;
}
