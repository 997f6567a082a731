/* Owns the statements that write. */
#include "store/commit.h"

#include "store/database.h"
#include "store/rows.h"

#include <stdio.h>
#include <string.h>

#define KEEP_IF_SAME(what) "purged_" what " = iif(created_100ns = excluded.created_100ns, purged_" what ", 0)"

static const char *const texts[JP__COMMIT_STATEMENTS] = {
    [JP__COMMIT_BEGIN] = "BEGIN IMMEDIATE",
    [JP__COMMIT_END] = "COMMIT",

    [JP__COMMIT_EVENT] = "INSERT INTO events(" JP__EVENT_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?)"
                         " ON CONFLICT(seq) DO NOTHING",

    [JP__COMMIT_AUDIT] = "INSERT INTO audit(" JP__AUDIT_COLUMNS ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO NOTHING",

    /* Whatever stands in the way, of this id or of the same process, is replaced: the triggers take out what it counted. */
    [JP__COMMIT_PROCESS] = "INSERT OR REPLACE INTO processes(" JP__PROCESS_COLUMNS ")"
                           " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",

    /* The same, where the row is there, is open, and says who it is as the record does: which is how processes mostly end. Of the keys only
     * the two that go by the end are written. */
    [JP__COMMIT_PROCESS_ENDED] =
        "UPDATE processes SET ended_100ns = ?13, ending = ?14, exit_code = ?15, user_100ns = ?16, kernel_100ns = ?17,"
        "  peak_commit_bytes = ?18, peak_working_set_bytes = ?19, read_operations = ?20, write_operations = ?21,"
        "  other_operations = ?22, read_bytes = ?23, write_bytes = ?24, other_bytes = ?25, starting = ?27"
        " WHERE id = ?1 AND ended_100ns IS NULL AND pool = ?2 AND pid = ?3 AND start_100ns IS ?4 AND start_exact = ?5"
        "  AND parent_pid IS ?6 AND session IS ?7 AND user IS ?8 AND image IS ?9 AND command_line IS ?10 AND joined_100ns = ?11"
        "  AND joined_by = ?12 AND run = ?26",

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

    /* One of the same time of making is the same job, told again. */
    [JP__COMMIT_JOB] =
        "INSERT INTO jobs(object_name, pool, session, created_100ns, before_processes, before_user_100ns, before_kernel_100ns,"
        "  before_read_bytes, before_write_bytes, after_id)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
        "        (SELECT max(value, coalesce((SELECT max(id) FROM processes), 0)) FROM meta WHERE key = 'last_process_id'))"
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

    [JP__COMMIT_NUMBER] = "UPDATE meta SET value = ?2 WHERE key = ?1 AND value < ?2",
    [JP__COMMIT_TIME] = "UPDATE meta SET value = ?1 WHERE key = 'last_commit_100ns'",
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
    sqlite3_stmt *whole = NULL, *ended = NULL;
    int code = prepare(committer, JP__COMMIT_PROCESS, &whole);
    if (code == SQLITE_OK)
        code = prepare(committer, JP__COMMIT_PROCESS_ENDED, &ended);
    for (size_t i = 0; code == SQLITE_OK && i < processes->count; i++) {
        const struct jp_process_record *record = processes->items[i];
        bool written = false;
        if (record->id <= committer->last_process_id) {
            code = run(ended, jp__bind_process(ended, record, committer->run));
            written = code != SQLITE_OK || sqlite3_changes(committer->db) > 0;
        }
        if (!written)
            code = run(whole, jp__bind_process(whole, record, committer->run));
    }
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
    int code = prepare(committer, JP__COMMIT_KEEPER, &statement);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 1, keeper->pid);
    if (code == SQLITE_OK)
        code = run(statement, sqlite3_bind_int64(statement, 2, keeper->start_100ns));
    return code;
}

static int write_number(struct jp__committer *committer, const char *key, int64_t value) {
    sqlite3_stmt *statement = NULL;
    int code = prepare(committer, JP__COMMIT_NUMBER, &statement);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    return code == SQLITE_OK ? run(statement, sqlite3_bind_int64(statement, 2, value)) : code;
}

static int write_time(struct jp__committer *committer, int64_t now_100ns) {
    sqlite3_stmt *statement = NULL;
    int code = prepare(committer, JP__COMMIT_TIME, &statement);
    return code == SQLITE_OK ? run(statement, sqlite3_bind_int64(statement, 1, now_100ns)) : code;
}

/* By the newest event: it is not older than what stands in `meta`. */
static bool time_is_told(const struct jp__committer *committer, const struct jp__batch *batch) {
    const struct jp_event *last = batch->events.count > 0 ? batch->events.items[batch->events.count - 1] : NULL;
    return last != NULL && committer->told_100ns != 0 && last->time_100ns >= committer->told_100ns;
}

/* What the rows do not say themselves (see numbers.h): numbers that were spent on what was dropped, and the time where the newest event does not
 * have it. Mostly there is nothing to write, which spares a page in each commit. */
static int write_numbers(struct jp__committer *committer, const struct jp__batch *batch, int64_t now_100ns) {
    const struct jp_event *last_event = batch->events.count > 0 ? batch->events.items[batch->events.count - 1] : NULL;
    const struct jp_audit_record *last_audit = batch->audits.count > 0 ? batch->audits.items[batch->audits.count - 1] : NULL;
    int code = SQLITE_OK;
    if (batch->last_seq > (last_event != NULL ? last_event->seq : 0))
        code = write_number(committer, "last_seq", (int64_t)batch->last_seq);
    if (code == SQLITE_OK && batch->last_audit_id > (last_audit != NULL ? last_audit->id : 0))
        code = write_number(committer, "last_audit_id", batch->last_audit_id);
    return code == SQLITE_OK && !time_is_told(committer, batch) ? write_time(committer, now_100ns) : code;
}

static int run_alone(struct jp__committer *committer, int which) {
    sqlite3_stmt *statement = NULL;
    int code = prepare(committer, which, &statement);
    return code == SQLITE_OK ? run(statement, SQLITE_OK) : code;
}

static int write_batch(struct jp__committer *committer, const struct jp__batch *batch, int64_t now_100ns) {
    int code = run_alone(committer, JP__COMMIT_BEGIN);
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
    if (code == SQLITE_OK && batch->has_keeper)
        code = write_keeper(committer, &batch->keeper);
    if (code == SQLITE_OK)
        code = write_numbers(committer, batch, now_100ns);
    return code == SQLITE_OK ? run_alone(committer, JP__COMMIT_END) : code;
}

int jp__commit(struct jp__committer *committer, const struct jp__batch *batch, char *reason, size_t size) {
    int64_t now_100ns = jp__now_100ns();
    int code = write_batch(committer, batch, now_100ns);
    if (code == SQLITE_OK) {
        if (!time_is_told(committer, batch))
            committer->told_100ns = now_100ns;
        if (batch->last_process_id > committer->last_process_id)
            committer->last_process_id = batch->last_process_id;
        return SQLITE_OK;
    }
    jp__db_reason(committer->db, code, reason, size);
    return jp__db_end(committer->db, code);
}

void jp__committer_clear(struct jp__committer *committer) {
    for (int i = 0; i < JP__COMMIT_STATEMENTS; i++) {
        sqlite3_finalize(committer->statements[i]);
        committer->statements[i] = NULL;
    }
}
