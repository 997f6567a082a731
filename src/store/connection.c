/* Owns the write connection: when it is trusted no more, and what comes in its place. */
#include "store/connection.h"

#include "base/str.h"
#include "store/database.h"
#include "store/reader.h"
#include "store/runs.h"

#include <stdio.h>
#include <string.h>

enum {
    FAILURES_BEFORE_REOPENING = 2,
    END_BUSY_MS = 250,        /* for what is only tidy */
    CHECKPOINT_PAGES = 1000,  /* folded into the database as far as readers allow, without waiting for any */
    WAL_LEVEL_PAGES = 4096,   /* 16 MiB: from here on readers are waited for, a little */
    WAL_PATIENCE_PAGES = 1024 /* further, before that is tried again */
};

/* --- the WAL --- */

static int on_wal(void *context, sqlite3 *db, const char *name, int pages) {
    struct jp__connection *connection = context;
    (void)db, (void)name;
    connection->wal_pages = pages;
    return SQLITE_OK;
}

/* Readers who overlap keep a WAL from beginning anew for ever. So from some size on the writer, who lets nobody begin to read an older state
 * meanwhile, waits for them: those who begin then do not need the WAL. Who reads for longer than that is waited for again when it
 * has grown on. */
static int level_wal(struct jp__connection *connection) {
    sqlite3 *db = connection->committer.db;
    if (connection->wal_pages < connection->tried_pages)
        connection->tried_pages = 0; /* it has begun anew */
    bool wait = connection->wal_pages >= WAL_LEVEL_PAGES && connection->wal_pages >= connection->tried_pages + WAL_PATIENCE_PAGES;
    if (wait) {
        connection->tried_pages = connection->wal_pages;
        sqlite3_busy_timeout(db, END_BUSY_MS);
        int code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        sqlite3_busy_timeout(db, connection->place.busy_ms);
        return code;
    }
    if (connection->wal_pages >= CHECKPOINT_PAGES)
        return sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK;
}

/* --- another connection --- */

static void drop(struct jp__connection *connection) {
    jp__committer_clear(&connection->committer);
    sqlite3_db_config(connection->committer.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); /* to whatever is there now */
    sqlite3_close(connection->committer.db);
    connection->committer.db = NULL;
}

/* Linux lets a file that is open be removed or renamed, and would take what is written to it. */
static bool file_is_elsewhere(struct jp__connection *connection) {
    int moved = 0;
    sqlite3_file_control(connection->committer.db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return moved != 0;
}

static int reopen(struct jp__connection *connection, char *reason, size_t size) {
    struct jp_error error;
    jp__reader_hold(connection->reader);
    jp_status status = jp__reopen_database(&connection->place, &connection->known, &connection->renewal, &connection->committer.db,
                                           &error);
    jp__reader_let_go(connection->reader);
    if (status == JP_OK)
        return SQLITE_OK;
    snprintf(reason, size, "%s", error.text);
    return SQLITE_CANTOPEN;
}

static int make_ready(struct jp__connection *connection, char *reason, size_t size) {
    bool trusted = connection->failures < FAILURES_BEFORE_REOPENING && !connection->renewal.damaged;
    if (connection->committer.db != NULL && (!trusted || file_is_elsewhere(connection)))
        drop(connection);
    if (connection->committer.db == NULL) {
        int code = reopen(connection, reason, size);
        if (code != SQLITE_OK)
            return code;
        connection->failures = 0;
        connection->committer.told_100ns = 0;
        connection->wal_pages = connection->tried_pages = 0;
    }
    sqlite3_wal_hook(connection->committer.db, on_wal, connection);
    return SQLITE_OK;
}

/* Whether a new connection may do what this one could not. */
static bool is_broken(int code) {
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_NOMEM: return false;
    default: return true;
    }
}

/* --- committing --- */

static void know_numbers(struct jp__connection *connection, const struct jp__batch *batch) {
    if (batch->last_seq > connection->known.last_seq)
        connection->known.last_seq = batch->last_seq;
    if (batch->last_process_id > connection->known.last_process_id)
        connection->known.last_process_id = batch->last_process_id;
    if (batch->last_audit_id > connection->known.last_audit_id)
        connection->known.last_audit_id = batch->last_audit_id;
}

static int commit(struct jp__connection *connection, const struct jp__batch *batch, char *reason, size_t size) {
    int code = make_ready(connection, reason, size);
    if (code != SQLITE_OK || batch->ticket == 0)
        return code;
    code = jp__commit(&connection->committer, batch, reason, size);
    if (jp__db_is_damage(code)) {
        jp_log(connection->place.log, JP_LOG_ERROR, "the accounting database \"%s\" is damaged: %s", connection->place.file, reason);
        jp__connection_suspect(connection);
    } else if (is_broken(code)) {
        connection->failures += code != SQLITE_OK;
    }
    return code;
}

int jp__connection_commit(struct jp__connection *connection, const struct jp__batch *batch, char *reason, size_t size) {
    know_numbers(connection, batch);
    int code = commit(connection, batch, reason, size);
    if (jp__db_is_damage(code))
        code = commit(connection, batch, reason, size); /* into the next one */
    if (code == SQLITE_OK)
        connection->failures = 0;
    return code;
}

void jp__connection_level(struct jp__connection *connection) {
    if (connection->committer.db != NULL && jp__db_is_damage(level_wal(connection))) /* a failure of any other kind comes again if it matters */
        jp__connection_suspect(connection);
}

void jp__connection_suspect(struct jp__connection *connection) {
    connection->renewal.damaged = true;
}

void jp__connection_close(struct jp__connection *connection, bool in_order) {
    sqlite3 *db = connection->committer.db;
    if (db == NULL)
        return;
    sqlite3_busy_timeout(db, END_BUSY_MS);
    jp__committer_clear(&connection->committer);
    if (connection->renewal.damaged)
        drop(connection); /* the next start looks at it as it is */
    else if (in_order && jp__run_end(db, connection->committer.run) == SQLITE_OK)
        sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_close(connection->committer.db);
    connection->committer.db = NULL;
}
