/* Owns the lock that keeps a second service off the database. WAL would let two write by turns, each numbering by itself.
 *
 * The lock is SQLite's own, on an empty database beside the real one: it works the same on every system, and goes with the process. */
#include "store/owner.h"

#include "base/str.h"
#include "store/database.h"

#include <string.h>
#include <uv.h>

static void unlock(struct jp__owner *owner) {
    sqlite3_close(owner->lock);
    owner->lock = NULL;
}

static int lock_file(struct jp__owner *owner) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(owner->file, &owner->lock, flags, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_extended_result_codes(owner->lock, 1);
    return code == SQLITE_OK ? jp__db_exec(owner->lock, "PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE") : code;
}

/* The file that was locked may be one that the last owner has just removed: another one would lock the next of that name. */
static bool file_was_removed(struct jp__owner *owner) {
    int moved = 0;
    sqlite3_file_control(owner->lock, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return moved != 0;
}

jp_status jp__owner_take(struct jp__owner *owner, const char *file, struct jp_error *error) {
    enum { ATTEMPTS = 5 };
    unlock(owner);
    if (owner->file == NULL)
        owner->file = jp_sprintf("%s-owner", file);
    int code = SQLITE_BUSY;
    for (int i = 0; i < ATTEMPTS; i++) {
        code = lock_file(owner);
        if (code != SQLITE_OK || !file_was_removed(owner))
            break;
        unlock(owner);
        code = SQLITE_BUSY;
    }
    if (code == SQLITE_OK)
        return JP_OK;
    char reason[256];
    jp__db_reason(owner->lock, code, reason, sizeof reason);
    unlock(owner);
    if ((code & 0xff) == SQLITE_BUSY)
        return jp_fail(error, JP_E_STORE, "another service uses the accounting database \"%s\" already (it has locked \"%s\"):"
                       " end it, or name another file", file, owner->file);
    return jp_fail(error, JP_E_STORE, "\"%s\", which keeps other services off the accounting database, cannot be locked: %s",
                   owner->file, reason);
}

static int remove_file(const char *file) {
    uv_fs_t request;
    int result = uv_fs_unlink(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
    return result;
}

void jp__owner_release(struct jp__owner *owner) {
    if (owner->lock != NULL) {
        /* Removed while it is locked, so that it cannot be the next owner's. Windows removes no open file; there it goes afterwards,
         * unless the next owner has it open by then. */
        bool removed = remove_file(owner->file) == 0;
        unlock(owner);
        if (!removed)
            remove_file(owner->file);
    }
    jp_free(owner->file);
    memset(owner, 0, sizeof *owner);
}
