/* Owns the statements that write. */
#include "store/commit.h"

#include "store/database.h"
#include "store/rows.h"

#include <stdio.h>
#include <string.h>

static const char *const texts[JP__COMMIT_STATEMENTS] = {
    [JP__COMMIT_EVENT] = "INSERT INTO events(" JP__EVENT_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?)"
                         " ON CONFLICT(seq) DO NOTHING",

    [JP__COMMIT_PROCESS] =
        "INSERT INTO processes(" JP__PROCESS_COLUMNS ")"
        " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT(id) DO UPDATE SET"
        "  pool = excluded.pool, pid = excluded.pid, start_100ns = excluded.start_100ns,"
        "  start_exact = excluded.start_exact, parent_pid = excluded.parent_pid, session = excluded.session,"
        "  user = excluded.user, image = excluded.image, command_line = excluded.command_line,"
        "  joined_100ns = excluded.joined_100ns, joined_by = excluded.joined_by, ended_100ns = excluded.ended_100ns,"
        "  ending = excluded.ending, exit_code = excluded.exit_code,"
        "  user_100ns = excluded.user_100ns, kernel_100ns = excluded.kernel_100ns,"
        "  peak_commit_bytes = excluded.peak_commit_bytes, peak_working_set_bytes = excluded.peak_working_set_bytes,"
        "  read_operations = excluded.read_operations, write_operations = excluded.write_operations,"
        "  other_operations = excluded.other_operations, read_bytes = excluded.read_bytes,"
        "  write_bytes = excluded.write_bytes, other_bytes = excluded.other_bytes",

    /* A pool keeps the time of its making until it is made again, and, when deleted, the parent it had. */
    [JP__COMMIT_POOL] =
        "INSERT INTO pools(" JP__POOL_COLUMNS ") VALUES(?,?,?,?,?,?)"
        " ON CONFLICT(name) DO UPDATE SET"
        "  parent = iif(excluded.deleted_100ns IS NULL, excluded.parent, coalesce(excluded.parent, parent)),"
        "  definition = excluded.definition,"
        "  created_100ns = iif(deleted_100ns IS NULL, created_100ns, excluded.created_100ns),"
        "  deleted_100ns = excluded.deleted_100ns, frozen = excluded.frozen",

    [JP__COMMIT_NUMBERS] =
        "UPDATE meta SET value = max(value, iif(key = 'last_seq', ?1, ?2)) WHERE key IN ('last_seq', 'last_process_id')",
};

static int prepare(struct jp__committer *committer, int which, sqlite3_stmt **ret_statement) {
    sqlite3_stmt **slot = &committer->statements[which];
    if (*slot == NULL) {
        int code = sqlite3_prepare_v3(committer->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
        if (code != SQLITE_OK)
            return code;
    }
    *ret_statement = *slot;
    return SQLITE_OK;
}

/* Runs a bound statement that has no rows. */
static int run(sqlite3_stmt *statement, int bound) {
    if (bound != SQLITE_OK)
        return bound;
    sqlite3_step(statement);
    return sqlite3_reset(statement); /* what step said */
}

static int write_events(struct jp__committer *committer, const struct jp__list *events) {
    sqlite3_stmt *statement = NULL;
    int code = prepare(committer, JP__COMMIT_EVENT, &statement);
    for (size_t i = 0; code == SQLITE_OK && i < events->count; i++)
        code = run(statement, jp__bind_event(statement, events->items[i]));
    return code;
}

static int write_processes(struct jp__committer *committer, const struct jp__list *processes) {
    sqlite3_stmt *statement = NULL;
    int code = prepare(committer, JP__COMMIT_PROCESS, &statement);
    for (size_t i = 0; code == SQLITE_OK && i < processes->count; i++)
        code = run(statement, jp__bind_process(statement, processes->items[i]));
    return code;
}

static int write_pools(struct jp__committer *committer, const struct jp__list *pools) {
    sqlite3_stmt *statement = NULL;
    int code = prepare(committer, JP__COMMIT_POOL, &statement);
    for (size_t i = 0; code == SQLITE_OK && i < pools->count; i++)
        code = run(statement, jp__bind_pool(statement, pools->items[i]));
    return code;
}

static int write_numbers(struct jp__committer *committer, const struct jp__batch *batch) {
    sqlite3_stmt *statement = NULL;
    int code = prepare(committer, JP__COMMIT_NUMBERS, &statement);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 1, (int64_t)batch->last_seq);
    if (code == SQLITE_OK)
        code = run(statement, sqlite3_bind_int64(statement, 2, batch->last_process_id));
    return code;
}

int jp__commit(struct jp__committer *committer, const struct jp__batch *batch, char *reason, size_t size) {
    int code = jp__db_exec(committer->db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = write_pools(committer, &batch->pools);
    if (code == SQLITE_OK)
        code = write_processes(committer, &batch->processes);
    if (code == SQLITE_OK)
        code = write_events(committer, &batch->events);
    if (code == SQLITE_OK)
        code = write_numbers(committer, batch);
    if (code == SQLITE_OK)
        code = jp__db_exec(committer->db, "COMMIT");
    if (code == SQLITE_OK)
        return SQLITE_OK;
    jp__db_reason(committer->db, code, reason, size);
    if (!sqlite3_get_autocommit(committer->db)) /* some failures have rolled back already */
        jp__db_exec(committer->db, "ROLLBACK");
    return code;
}

void jp__committer_clear(struct jp__committer *committer) {
    for (int i = 0; i < JP__COMMIT_STATEMENTS; i++) {
        sqlite3_finalize(committer->statements[i]);
        committer->statements[i] = NULL;
    }
}
