/* Owns the statements that write. */
#include "store/commit.h"

#include "store/database.h"
#include "store/rows.h"

#include <stdio.h>
#include <string.h>

#define KEEP_IF_SAME(what) "purged_" what " = iif(created_100ns = excluded.created_100ns, purged_" what ", 0)"

static const char *const texts[JP__COMMIT_STATEMENTS] = {
    [JP__COMMIT_EVENT] = "INSERT INTO events(" JP__EVENT_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?)"
                         " ON CONFLICT(seq) DO NOTHING",

    [JP__COMMIT_AUDIT] = "INSERT INTO audit(" JP__AUDIT_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO NOTHING",

    /* Whatever stands in the way, of this id or of the same process, is replaced: the triggers take out what it counted. */
    [JP__COMMIT_PROCESS] = "INSERT OR REPLACE INTO processes(" JP__PROCESS_COLUMNS ")"
                           " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",

    /* A pool keeps the time of its making until it is made again, and, when deleted, the parent it had. */
    [JP__COMMIT_POOL] =
        "INSERT INTO pools(" JP__POOL_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT(name) DO UPDATE SET"
        "  parent = iif(excluded.deleted_100ns IS NULL, excluded.parent, coalesce(excluded.parent, parent)),"
        "  definition = excluded.definition,"
        "  created_100ns = iif(deleted_100ns IS NULL, created_100ns, excluded.created_100ns),"
        "  deleted_100ns = excluded.deleted_100ns, frozen = excluded.frozen,"
        "  ephemeral = iif(excluded.deleted_100ns IS NULL, excluded.ephemeral, max(excluded.ephemeral, ephemeral)),"
        "  busy_since_100ns = excluded.busy_since_100ns, job_time_used_100ns = excluded.job_time_used_100ns",

    /* One of the same time of making is the same job, told again. One that is older than this run may have rows of any age. */
    [JP__COMMIT_JOB] =
        "INSERT INTO jobs(object_name, pool, session, created_100ns, before_processes, before_user_100ns, before_kernel_100ns,"
        "  before_read_bytes, before_write_bytes, after_id)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, iif(?4 >= (SELECT started_100ns FROM runs ORDER BY number DESC LIMIT 1),"
        "                            (SELECT value FROM meta WHERE key = 'last_process_id'), 0))"
        " ON CONFLICT(object_name) DO UPDATE SET pool = excluded.pool, session = excluded.session,"
        "  created_100ns = excluded.created_100ns, before_processes = excluded.before_processes,"
        "  before_user_100ns = excluded.before_user_100ns, before_kernel_100ns = excluded.before_kernel_100ns,"
        "  before_read_bytes = excluded.before_read_bytes, before_write_bytes = excluded.before_write_bytes,"
        "  after_id = iif(created_100ns = excluded.created_100ns, after_id, excluded.after_id)," KEEP_IF_SAME("processes") ","
        KEEP_IF_SAME("unobserved") "," KEEP_IF_SAME("user_100ns") "," KEEP_IF_SAME("kernel_100ns") ","
        KEEP_IF_SAME("read_bytes") "," KEEP_IF_SAME("write_bytes"),

    [JP__COMMIT_JOB_GONE] = "DELETE FROM jobs WHERE object_name = ?",

    [JP__COMMIT_UNOBSERVED] = "INSERT INTO unobserved(" JP__UNOBSERVED_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?,?)"
                              " ON CONFLICT DO NOTHING",

    [JP__COMMIT_RESET] = "INSERT INTO resets(" JP__RESET_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
                         " ON CONFLICT DO NOTHING",

    /* Of two of one moment the later one counts. */
    [JP__COMMIT_SAMPLE] = "INSERT OR REPLACE INTO samples(day, " JP__SAMPLE_COLUMNS ")"
                          " VALUES(?2 / 864000000000, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [JP__COMMIT_SAMPLED] = "INSERT OR REPLACE INTO sampled(" JP__SAMPLED_COLUMNS ") VALUES(?,?,?,?,?,?,?,?)",

    [JP__COMMIT_KEEPER] = "UPDATE meta SET value = iif(key = 'keeper_pid', ?1, ?2)"
                          " WHERE key IN ('keeper_pid', 'keeper_start_100ns')",

    [JP__COMMIT_NUMBERS] =
        "UPDATE meta SET value = CASE key WHEN 'last_seq' THEN max(value, ?1) WHEN 'last_process_id' THEN max(value, ?2)"
        " WHEN 'last_audit_id' THEN max(value, ?3) ELSE ?4 END"
        " WHERE key IN ('last_seq', 'last_process_id', 'last_audit_id', 'last_commit_100ns')",
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

static int write_audits(struct jp__committer *committer, const struct jp__list *audits) {
    sqlite3_stmt *statement = NULL;
    int code = prepare(committer, JP__COMMIT_AUDIT, &statement);
    for (size_t i = 0; code == SQLITE_OK && i < audits->count; i++)
        code = run(statement, jp__bind_audit(statement, audits->items[i]));
    return code;
}

static int write_processes(struct jp__committer *committer, const struct jp__list *processes) {
    sqlite3_stmt *statement = NULL;
    int code = prepare(committer, JP__COMMIT_PROCESS, &statement);
    for (size_t i = 0; code == SQLITE_OK && i < processes->count; i++)
        code = run(statement, jp__bind_process(statement, processes->items[i], committer->run));
    return code;
}

static int write_pools(struct jp__committer *committer, const struct jp__list *pools) {
    sqlite3_stmt *statement = NULL;
    int code = prepare(committer, JP__COMMIT_POOL, &statement);
    for (size_t i = 0; code == SQLITE_OK && i < pools->count; i++)
        code = run(statement, jp__bind_pool(statement, pools->items[i]));
    return code;
}

static int write_job(struct jp__committer *committer, const struct jp__job_row *row) {
    sqlite3_stmt *statement = NULL;
    int code = prepare(committer, row->gone ? JP__COMMIT_JOB_GONE : JP__COMMIT_JOB, &statement);
    if (code != SQLITE_OK)
        return code;
    return run(statement, row->gone ? sqlite3_bind_text(statement, 1, row->object_name, -1, SQLITE_STATIC)
                                    : jp__bind_job(statement, row));
}

static int write_jobs(struct jp__committer *committer, const struct jp__list *jobs) {
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < jobs->count; i++)
        code = write_job(committer, jobs->items[i]);
    return code;
}

static int write_unobserved(struct jp__committer *committer, const struct jp__list *unobserved) {
    sqlite3_stmt *statement = NULL;
    int code = prepare(committer, JP__COMMIT_UNOBSERVED, &statement);
    for (size_t i = 0; code == SQLITE_OK && i < unobserved->count; i++)
        code = run(statement, jp__bind_unobserved(statement, unobserved->items[i], committer->run));
    return code;
}

static int write_resets(struct jp__committer *committer, const struct jp__list *resets) {
    sqlite3_stmt *statement = NULL;
    int code = prepare(committer, JP__COMMIT_RESET, &statement);
    for (size_t i = 0; code == SQLITE_OK && i < resets->count; i++)
        code = run(statement, jp__bind_reset(statement, resets->items[i], committer->run));
    return code;
}

static int write_samples(struct jp__committer *committer, const struct jp__list *samples) {
    sqlite3_stmt *sample = NULL, *sampled = NULL;
    int code = prepare(committer, JP__COMMIT_SAMPLE, &sample);
    if (code == SQLITE_OK)
        code = prepare(committer, JP__COMMIT_SAMPLED, &sampled);
    for (size_t i = 0; code == SQLITE_OK && i < samples->count; i++) {
        code = run(sample, jp__bind_sample(sample, samples->items[i]));
        if (code == SQLITE_OK)
            code = run(sampled, jp__bind_sampled(sampled, samples->items[i]));
    }
    return code;
}

static int write_keeper(struct jp__committer *committer, const struct jp__keeper_row *keeper) {
    sqlite3_stmt *statement = NULL;
    if (keeper == NULL)
        return SQLITE_OK;
    int code = prepare(committer, JP__COMMIT_KEEPER, &statement);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 1, keeper->pid);
    if (code == SQLITE_OK)
        code = run(statement, sqlite3_bind_int64(statement, 2, keeper->start_100ns));
    return code;
}

static int write_numbers(struct jp__committer *committer, const struct jp__batch *batch) {
    sqlite3_stmt *statement = NULL;
    int code = prepare(committer, JP__COMMIT_NUMBERS, &statement);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 1, (int64_t)batch->last_seq);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 2, batch->last_process_id);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 3, batch->last_audit_id);
    if (code == SQLITE_OK)
        code = run(statement, sqlite3_bind_int64(statement, 4, jp__now_100ns()));
    return code;
}

int jp__commit(struct jp__committer *committer, const struct jp__batch *batch, char *reason, size_t size) {
    int code = jp__db_exec(committer->db, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK)
        code = write_pools(committer, &batch->pools);
    if (code == SQLITE_OK)
        code = write_jobs(committer, &batch->jobs); /* before the processes: a job notes which of them were there before it */
    if (code == SQLITE_OK)
        code = write_processes(committer, &batch->processes);
    if (code == SQLITE_OK)
        code = write_unobserved(committer, &batch->unobserved);
    if (code == SQLITE_OK)
        code = write_resets(committer, &batch->resets);
    if (code == SQLITE_OK)
        code = write_samples(committer, &batch->samples);
    if (code == SQLITE_OK)
        code = write_events(committer, &batch->events);
    if (code == SQLITE_OK)
        code = write_audits(committer, &batch->audits);
    if (code == SQLITE_OK)
        code = write_keeper(committer, batch->keeper);
    if (code == SQLITE_OK)
        code = write_numbers(committer, batch);
    if (code == SQLITE_OK)
        code = jp__db_exec(committer->db, "COMMIT");
    if (code == SQLITE_OK)
        return SQLITE_OK;
    jp__db_reason(committer->db, code, reason, size);
    return jp__db_end(committer->db, code);
}

void jp__committer_clear(struct jp__committer *committer) {
    for (int i = 0; i < JP__COMMIT_STATEMENTS; i++) {
        sqlite3_finalize(committer->statements[i]);
        committer->statements[i] = NULL;
    }
}
