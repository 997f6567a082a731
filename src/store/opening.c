/* Owns the decision what to do with the file that the config names: use it, refuse it, or set it aside and begin anew. */
#include "store/opening.h"

#include "base/str.h"
#include "store/damage.h"
#include "store/database.h"
#include "store/numbers.h"
#include "store/runs.h"
#include "store/schema.h"
#include "store/start.h"

#include <string.h>
#include <uv.h>

struct opening {
    const struct jp__place *place;
    const char *file; /* the place's */
    sqlite3 *db;
    struct jp_accounts_start start;
    bool again;   /* in the same run: what the last one left is of no interest */
    bool created; /* there was none */
    bool damaged; /* the failure was the file's content */
    struct jp_error *error;
};

static jp_status fail_sqlite(struct opening *opening, int code, const char *what_cannot_be) {
    char reason[256];
    jp__db_reason(opening->db, code, reason, sizeof reason);
    opening->damaged = jp__db_is_damage(code);
    return jp_fail(opening->error, JP_E_STORE, "the accounting database \"%s\" cannot be %s: %s", opening->file,
                   what_cannot_be, reason);
}

static char *folder_of(const char *file) {
    size_t length = strlen(file);
    while (length > 0 && file[length - 1] != '/' && file[length - 1] != '\\')
        length--;
    if (length == 0)
        return jp_strdup(".");
    return jp_strndup(file, length > 1 ? length - 1 : length);
}

/* 0, or libuv's error. */
static int try_folder(const char *folder) {
    uv_fs_t request;
    int result = uv_fs_opendir(NULL, &request, folder, NULL);
    uv_dir_t *opened = request.ptr;
    uv_fs_req_cleanup(&request);
    if (result < 0)
        return result;
    uv_fs_closedir(NULL, &request, opened, NULL);
    uv_fs_req_cleanup(&request);
    return 0;
}

/* SQLite does not say why a file cannot be opened. Mostly it is the folder. */
static jp_status fail_connect(struct opening *opening, int code) {
    char *folder = folder_of(opening->file);
    int found = try_folder(folder);
    jp_status status;
    if (found == UV_ENOENT)
        status = jp_fail(opening->error, JP_E_STORE, "the folder \"%s\" does not exist: create it", folder);
    else if (found < 0)
        status = jp_fail(opening->error, JP_E_STORE, "the folder \"%s\" cannot be used: %s", folder, uv_strerror(found));
    else
        status = fail_sqlite(opening, code, "opened");
    jp_free(folder);
    return status;
}

static jp_status connect_file(struct opening *opening) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(opening->file, &opening->db, flags, NULL);
    if (code != SQLITE_OK)
        return fail_connect(opening, code);
    if (sqlite3_db_readonly(opening->db, "main") == 1)
        return jp_fail(opening->error, JP_E_STORE, "the accounting database \"%s\" is not writable", opening->file);
    sqlite3_extended_result_codes(opening->db, 1);
    sqlite3_busy_timeout(opening->db, opening->place->busy_ms);
    return JP_OK;
}

/* Refuses what is not ours, so that a wrong path in the config harms nobody. */
static jp_status identify(struct opening *opening, int *ret_version) {
    int64_t application = 0, version = 0, tables = 0;
    int code = jp__db_number(opening->db, "PRAGMA application_id", &application);
    if (code == SQLITE_OK)
        code = jp__db_number(opening->db, "PRAGMA user_version", &version);
    if (code == SQLITE_OK)
        code = jp__db_number(opening->db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (code != SQLITE_OK)
        return fail_sqlite(opening, code, "read");
    bool empty = application == 0 && version == 0 && tables == 0;
    if (application != JP__APPLICATION_ID && !empty)
        return jp_fail(opening->error, JP_E_STORE, "\"%s\" is not a JobPool database but another program's",
                       opening->file);
    if (version < 0 || version > JP__SCHEMA_VERSION)
        return jp_fail(opening->error, JP_E_STORE,
                       "the accounting database \"%s\" was written by a newer jobpool (schema %lld; this one knows %d)",
                       opening->file, (long long)version, JP__SCHEMA_VERSION);
    *ret_version = (int)version;
    return JP_OK;
}

/* The identity is written before WAL is on, so that it stands in the file itself whatever becomes of the WAL. */
static jp_status configure(struct opening *opening, int version) {
    char mode[16] = "";
    int code = SQLITE_OK;
    if (version == 0)
        code = jp__db_exec(opening->db, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = 0x4A504F4C");
    if (code == SQLITE_OK)
        code = jp__db_text(opening->db, "PRAGMA journal_mode = WAL", mode, sizeof mode);
    if (code == SQLITE_OK)
        code = jp__db_exec(opening->db, "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216;"
                                        "PRAGMA recursive_triggers = ON"); /* see schema.c: a replaced row is a deleted one */
    if (code != SQLITE_OK)
        return fail_sqlite(opening, code, "prepared for writing");
    if (strcmp(mode, "wal") != 0)
        return jp_fail(opening->error, JP_E_STORE,
                       "the accounting database \"%s\" cannot have a write-ahead log there: use a local disk",
                       opening->file);
    return JP_OK;
}

static int quick_check(struct opening *opening, char *verdict, size_t size) {
    return jp__db_text(opening->db, "PRAGMA quick_check(1)", verdict, size);
}

/* SQLite's check also calls damage what the disk did not give it, and does not say so. So damage is what it still finds when all of the
 * file could be read since it found the first. */
static jp_status check(struct opening *opening) {
    char verdict[256] = "";
    int code = quick_check(opening, verdict, sizeof verdict);
    if (code == SQLITE_OK && strcmp(verdict, "ok") != 0) {
        code = jp__db_read_through(opening->db);
        if (code == SQLITE_OK)
            code = quick_check(opening, verdict, sizeof verdict);
    }
    if (code != SQLITE_OK)
        return fail_sqlite(opening, code, "checked");
    if (strcmp(verdict, "ok") == 0)
        return JP_OK;
    opening->damaged = true;
    return jp_fail(opening->error, JP_E_STORE, "the accounting database \"%s\" is damaged: %s", opening->file, verdict);
}

static jp_status check_if_unclean(struct opening *opening) {
    int64_t clean = 0;
    int code = jp__db_number(opening->db, "SELECT value FROM meta WHERE key = 'clean'", &clean);
    if (code != SQLITE_OK)
        return fail_sqlite(opening, code, "read");
    if (clean == 1)
        return JP_OK;
    opening->start.unclean = true;
    if (!opening->again)
        jp_log(opening->place->log, JP_LOG_INFO, "the last run did not end in order: checking the accounting database \"%s\"",
               opening->file);
    return check(opening);
}

static jp_status load_numbers(struct opening *opening) {
    const char *wrong;
    int code = jp__numbers_load(opening->db, &opening->start, &wrong);
    if (code != SQLITE_OK)
        return fail_sqlite(opening, code, "read");
    if (wrong == NULL)
        return JP_OK;
    opening->damaged = true;
    return jp_fail(opening->error, JP_E_STORE, "the accounting database \"%s\" is damaged: its number \"%s\" is none that can have been given out",
                   opening->file, wrong);
}

static jp_status open_once(struct opening *opening) {
    int version = 0;
    jp_status status = connect_file(opening);
    if (status == JP_OK)
        status = identify(opening, &version);
    if (status == JP_OK)
        status = jp__owner_take(opening->place->owner, opening->file, opening->error);
    if (status == JP_OK)
        status = configure(opening, version);
    if (status == JP_OK && version > 0)
        status = check_if_unclean(opening);
    if (status != JP_OK)
        return status;

    opening->created = version == 0;
    int code = jp__schema_migrate(opening->db, version);
    if (code != SQLITE_OK)
        return fail_sqlite(opening, code, "brought up to date");
    status = load_numbers(opening);
    if (status != JP_OK)
        return status;
    code = opening->again ? SQLITE_OK : jp__start_load(opening->db, &opening->start);
    if (code != SQLITE_OK)
        return fail_sqlite(opening, code, "read");
    code = jp__db_mark_clean(opening->db, 0);
    return code == SQLITE_OK ? JP_OK : fail_sqlite(opening, code, "written");
}

/* Forgets the failed attempt. A WAL stays as it is: it may hold what the database has not. */
static void close_attempt(struct opening *opening) {
    sqlite3_db_config(opening->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(opening->db);
    opening->db = NULL;
    jp_accounts_start_clear(&opening->start);
    memset(&opening->start, 0, sizeof opening->start);
}

/* Numbers never come back: a database that knows less goes on counting where the one before stood. */
static jp_status raise_numbers(struct opening *opening, const struct jp_accounts_start *known) {
    int code = jp__db_raise_meta(opening->db, "last_seq", (int64_t)known->last_seq);
    if (code == SQLITE_OK)
        code = jp__db_raise_meta(opening->db, "last_process_id", known->last_process_id);
    if (code == SQLITE_OK)
        code = jp__db_raise_meta(opening->db, "last_audit_id", known->last_audit_id);
    if (code == SQLITE_OK)
        code = jp__db_raise_meta(opening->db, "last_run", known->run);
    if (code != SQLITE_OK)
        return fail_sqlite(opening, code, "written");
    if (opening->start.last_seq < known->last_seq)
        opening->start.last_seq = known->last_seq;
    if (opening->start.last_process_id < known->last_process_id)
        opening->start.last_process_id = known->last_process_id;
    if (opening->start.last_audit_id < known->last_audit_id)
        opening->start.last_audit_id = known->last_audit_id;
    if (opening->start.run < known->run)
        opening->start.run = known->run;
    return JP_OK;
}

static jp_status begin_run(struct opening *opening) {
    int code = jp__run_begin(opening->db, ++opening->start.run, opening->place->service_pid);
    return code == SQLITE_OK ? JP_OK : fail_sqlite(opening, code, "written");
}

static jp_status go_on_with_run(struct opening *opening, int64_t number) {
    int code = jp__run_go_on(opening->db, number, opening->place->service_pid);
    return code == SQLITE_OK ? JP_OK : fail_sqlite(opening, code, "written");
}

static jp_status set_aside(struct opening *opening, const struct jp_accounts_start *known, char **ret_name) {
    jp_status status = jp__owner_take(opening->place->owner, opening->file, opening->error); /* it may be another service's */
    if (status == JP_OK)
        status = jp__damage_set_aside(opening->file, ret_name, opening->error);
    if (status == JP_OK)
        jp_log(opening->place->log, JP_LOG_ERROR,
               "the damaged accounting database is kept as \"%s\"; a new one begins, its events at number %llu", *ret_name,
               (unsigned long long)known->last_seq + 1);
    return status;
}

static jp_status begin_anew(struct opening *opening, const struct jp_accounts_start *known) {
    jp_status status = open_once(opening);
    if (status == JP_OK)
        status = raise_numbers(opening, known);
    opening->start.unclean = true;
    return status;
}

jp_status jp__open_database(const struct jp__place *place, sqlite3 **ret_db, struct jp_accounts_start *ret_start,
                            struct jp_error *error) {
    struct opening opening = {.place = place, .file = place->file, .error = error};
    jp_status status = open_once(&opening);
    if (status != JP_OK && opening.damaged) {
        struct jp_accounts_start known = {0};
        char *name = NULL;
        const char *wrong;
        jp__numbers_load(opening.db, &known, &wrong); /* what cannot be read stays 0 */
        close_attempt(&opening);
        if (jp__damage_was_ours(place->file)) {
            jp_log(place->log, JP_LOG_ERROR, "%s", error->text);
            status = set_aside(&opening, &known, &name);
            if (status == JP_OK)
                status = begin_anew(&opening, &known);
            jp_free(name);
        } else {
            jp_fail(error, JP_E_STORE, "\"%s\" is not a JobPool database, nor any SQLite can read", place->file);
        }
    }
    if (status == JP_OK)
        status = begin_run(&opening);
    if (status != JP_OK) {
        if (opening.db != NULL)
            close_attempt(&opening);
        return status;
    }
    *ret_db = opening.db;
    *ret_start = opening.start;
    return JP_OK;
}

static jp_status renew(struct opening *opening, const struct jp_accounts_start *known, struct jp__renewal *renewal) {
    char *name = NULL;
    jp_status status = set_aside(opening, known, &name);
    if (status != JP_OK)
        return status;
    jp_free(renewal->kept_as);
    renewal->kept_as = name;
    renewal->damaged = false;
    renewal->anew = true;
    return begin_anew(opening, known);
}

static jp_status open_again(struct opening *opening, const struct jp_accounts_start *known, struct jp__renewal *renewal) {
    jp_status status = open_once(opening);
    if (status == JP_OK && opening->created) {
        renewal->anew = true;
        jp_log(opening->place->log, JP_LOG_ERROR, "the accounting database \"%s\" is gone; a new one begins, its events at number %llu",
               opening->file, (unsigned long long)known->last_seq + 1);
    }
    if (status == JP_OK)
        return raise_numbers(opening, known);
    if (!opening->damaged)
        return status;
    close_attempt(opening);
    if (!jp__damage_was_ours(opening->file))
        return jp_fail(opening->error, JP_E_STORE, "\"%s\" is not a JobPool database any more", opening->file);
    jp_log(opening->place->log, JP_LOG_ERROR, "%s", opening->error->text);
    renewal->damaged = true;
    return renew(opening, known, renewal);
}

jp_status jp__reopen_database(const struct jp__place *place, const struct jp_accounts_start *known, struct jp__renewal *renewal,
                              sqlite3 **ret_db, struct jp_error *error) {
    struct opening opening = {.place = place, .file = place->file, .again = true, .error = error};
    jp_status status = renewal->damaged ? renew(&opening, known, renewal) : open_again(&opening, known, renewal);
    if (status == JP_OK)
        status = go_on_with_run(&opening, known->run);
    jp_accounts_start_clear(&opening.start);
    memset(&opening.start, 0, sizeof opening.start);
    if (status == JP_OK)
        *ret_db = opening.db;
    else if (opening.db != NULL)
        close_attempt(&opening);
    return status;
}
