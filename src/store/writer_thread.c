/* The thread that writes: when it does, what it takes, and what it has to tell. It has the write connection; the upkeep is done here too. */
#include "store/writer_internal.h"

#include "base/str.h"
#include "store/database.h"

#include <stdio.h>

enum { RETRY_FIRST_MS = 250, RETRY_LAST_MS = 5000 };

/* When to write next: now or earlier means at once. Under the mutex. */
static uint64_t due_ms(const struct jp__writer *writer) {
    uint64_t pause = writer->retry_ms == 0 ? 0 : jp__writer_hurried(writer, writer->retry_ms);
    uint64_t short_pause = jp__writer_hurried(writer, RETRY_FIRST_MS);
    if (writer->stop_by_ms != 0)
        return writer->began_ms + (pause > short_pause ? short_pause : pause);
    if (pause != 0)
        return writer->began_ms + pause;
    if (writer->suspected)
        return 0;
    if (writer->backlog.ticket == 0 && writer->batch.ticket == 0)
        return UINT64_MAX; /* nothing was recorded, nor is left from before */
    uint64_t flush = writer->began_ms + writer->options.flush_interval_ms;
    return writer->urgent ? 0 : flush > writer->held_until_ms ? flush : writer->held_until_ms;
}

/* The same for what the thread does beside writing. A database that cannot be written cannot be purged either, but who asked is told. */
static uint64_t upkeep_due_ms(const struct jp__writer *writer) {
    if (writer->stop_by_ms != 0)
        return UINT64_MAX;
    if (writer->retry_ms != 0)
        return writer->upkeep.asked.first != NULL ? 0 : UINT64_MAX;
    return jp__upkeep_due_ms(&writer->upkeep, writer->news.committed_ticket);
}

/* Waits until something is due. True: it is time to write. Under the mutex. */
static bool wait_until_due(struct jp__writer *writer) {
    for (;;) {
        uint64_t write = due_ms(writer), upkeep = upkeep_due_ms(writer), now = jp__now_ms();
        uint64_t due = write < upkeep ? write : upkeep;
        if (due <= now)
            return write <= now;
        if (due == UINT64_MAX)
            uv_cond_wait(&writer->wake, &writer->mutex);
        else
            uv_cond_timedwait(&writer->wake, &writer->mutex, (due - now) * 1000000);
    }
}

/* Waits until there is something to do, and takes all that is to be written now. False: the end, nothing to write or no time left. */
static bool take_batch(struct jp__writer *writer, bool *ret_write) {
    uv_mutex_lock(&writer->mutex);
    *ret_write = wait_until_due(writer);
    if (!*ret_write) {
        uv_mutex_unlock(&writer->mutex);
        return true;
    }
    jp__batch_absorb(&writer->batch, &writer->backlog);
    writer->in_flight = jp__batch_count(&writer->batch);
    writer->urgent = false;
    if (writer->suspected)
        jp__connection_suspect(&writer->connection);
    writer->suspected = false;
    writer->began_ms = jp__now_ms();
    bool stopping = writer->stop_by_ms != 0;
    bool go_on = !stopping || (writer->batch.ticket != 0 && writer->began_ms < writer->stop_by_ms);
    uv_mutex_unlock(&writer->mutex);
    return go_on;
}

/* What the full backlog could not keep, ever. */
struct dropped {
    uint64_t events, from_seq, to_seq, audits, samples;
};

static void log_recovery(struct jp__writer *writer, const struct dropped *dropped) {
    const struct jp_log *log = writer->options.log;
    jp_log(log, JP_LOG_INFO, "the accounting database \"%s\" can be written again", writer->options.file);
    if (dropped->events > writer->reported_drops)
        jp_log(log, JP_LOG_WARNING, "%llu events were dropped meanwhile, numbers %llu to %llu: the backlog was full",
               (unsigned long long)(dropped->events - writer->reported_drops), (unsigned long long)dropped->from_seq,
               (unsigned long long)dropped->to_seq);
    if (dropped->audits > writer->reported_audit_drops)
        jp_log(log, JP_LOG_WARNING, "%llu rows of the audit trail were dropped meanwhile: the backlog was full",
               (unsigned long long)(dropped->audits - writer->reported_audit_drops));
    if (dropped->samples > writer->reported_sample_drops)
        jp_log(log, JP_LOG_WARNING, "%llu samples of pools were dropped meanwhile: the backlog was half full; what was used is in the next ones",
               (unsigned long long)(dropped->samples - writer->reported_sample_drops));
    writer->reported_drops = dropped->events;
    writer->reported_audit_drops = dropped->audits;
    writer->reported_sample_drops = dropped->samples;
}

/* Under the mutex. */
static void note_renewal(struct jp__writer *writer) {
    struct jp__renewal *renewal = &writer->connection.renewal;
    if (!renewal->anew)
        return;
    writer->news.renewals++;
    jp_free(writer->news.kept_as);
    writer->news.kept_as = renewal->kept_as;
    renewal->kept_as = NULL;
    renewal->anew = false;
    writer->suspected = false; /* of the one before */
}

static uint64_t file_bytes(sqlite3 *db, int which) {
    sqlite3_file *file = NULL;
    sqlite3_int64 bytes = 0;
    if (sqlite3_file_control(db, "main", which, &file) != SQLITE_OK || file == NULL || file->pMethods == NULL ||
        file->pMethods->xFileSize(file, &bytes) != SQLITE_OK)
        return 0;
    return (uint64_t)bytes;
}

struct jp__figures jp__writer_measure(const struct jp__writer *writer, uint64_t first_seq) {
    sqlite3 *db = writer->connection.committer.db;
    if (db == NULL)
        return writer->news.figures; /* of the last time that there was one */
    int64_t first = writer->connection.renewal.anew ? 0 : (int64_t)first_seq;
    if (first == 0)
        jp__db_number(db, "SELECT min(seq) FROM events", &first); /* what cannot be read stays 0 */
    return (struct jp__figures){.first_seq = (uint64_t)first,
                            .file_bytes = file_bytes(db, SQLITE_FCNTL_FILE_POINTER),
                            .wal_bytes = file_bytes(db, SQLITE_FCNTL_JOURNAL_POINTER),
                            .last_purge_100ns = writer->upkeep.last_purge_100ns};
}

static void tell_success(struct jp__writer *writer) {
    bool recovered = writer->retry_ms != 0;
    struct jp__figures figures = jp__writer_measure(writer, writer->news.figures.first_seq); /* which only this thread changes */
    writer->retry_ms = 0;
    uv_mutex_lock(&writer->mutex);
    writer->news.figures = figures;
    writer->dropping = false;
    writer->in_flight = 0;
    if (writer->batch.ticket != 0)
        writer->news.committed_ticket = writer->batch.ticket;
    if (writer->batch.last_seq > writer->news.committed_seq)
        writer->news.committed_seq = writer->batch.last_seq;
    writer->news.degraded = false;
    writer->news.reason[0] = '\0';
    note_renewal(writer);
    struct dropped dropped = {.events = writer->dropped_events, .from_seq = writer->dropped_from_seq, .to_seq = writer->dropped_to_seq,
                              .audits = writer->dropped_audits, .samples = writer->dropped_samples};
    uv_mutex_unlock(&writer->mutex);
    if (recovered)
        log_recovery(writer, &dropped);
    jp__batch_clear(&writer->batch);
    uv_async_send(&writer->async);
}

static void tell_failure(struct jp__writer *writer, const char *reason) {
    bool first = writer->retry_ms == 0;
    writer->retry_ms = first ? RETRY_FIRST_MS : writer->retry_ms * 2;
    if (writer->retry_ms > RETRY_LAST_MS)
        writer->retry_ms = RETRY_LAST_MS;
    uv_mutex_lock(&writer->mutex);
    writer->news.degraded = true;
    snprintf(writer->news.reason, sizeof writer->news.reason, "%s", reason);
    uv_mutex_unlock(&writer->mutex);
    if (!first)
        return;
    jp_log(writer->options.log, JP_LOG_ERROR, "the accounting database \"%s\" cannot be written: %s; records wait in memory",
           writer->options.file, reason);
    uv_async_send(&writer->async);
}

/* Does a little of what is due beside writing. */
static void keep_up(struct jp__writer *writer) {
    struct jp__upkeep *upkeep = &writer->upkeep;
    struct jp__purges done = {0};
    struct jp_error error;
    uv_mutex_lock(&writer->mutex);
    bool due = upkeep_due_ms(writer) <= jp__now_ms();
    if (due)
        jp__upkeep_hear(upkeep, writer->retry_ms == 0 ? writer->news.committed_ticket : UINT64_MAX);
    uv_mutex_unlock(&writer->mutex);
    if (!due)
        return;
    if (writer->retry_ms == 0) {
        if (jp__db_is_damage(jp__upkeep_turn(upkeep, writer->connection.committer.db, writer->options.log, &done)))
            jp__writer_suspect_damage(writer);
    } else {
        jp_fail(&error, JP_E_STORE, "the accounting database cannot be written, so nothing was purged");
        jp__upkeep_refuse(upkeep, &done, &error);
    }
    struct jp__figures figures = jp__writer_measure(writer, 0);
    uv_mutex_lock(&writer->mutex);
    bool told = figures.last_purge_100ns != writer->news.figures.last_purge_100ns;
    writer->news.figures = figures;
    told |= jp__upkeep_tell(upkeep, &done);
    uv_mutex_unlock(&writer->mutex);
    if (told)
        uv_async_send(&writer->async);
}

static void end_upkeep(struct jp__writer *writer) {
    struct jp__purges done = {0};
    struct jp_error error;
    jp_fail(&error, JP_E_STOPPING, "the service is stopping");
    uv_mutex_lock(&writer->mutex);
    jp__upkeep_hear(&writer->upkeep, UINT64_MAX);
    jp__upkeep_refuse(&writer->upkeep, &done, &error);
    jp__upkeep_tell(&writer->upkeep, &done);
    uv_mutex_unlock(&writer->mutex);
}

void jp__writer_run(void *argument) {
    struct jp__writer *writer = argument;
    char reason[sizeof writer->news.reason];
    bool write = false;
    while (take_batch(writer, &write)) {
        if (!write) {
            keep_up(writer);
            continue;
        }
        if (jp__connection_commit(&writer->connection, &writer->batch, reason, sizeof reason) == SQLITE_OK) {
            tell_success(writer);
            jp__connection_level(&writer->connection);
        } else {
            tell_failure(writer, reason);
        }
        keep_up(writer); /* also where there is always something to write */
    }
    end_upkeep(writer);
    jp__connection_close(&writer->connection, writer->batch.ticket == 0);
    uint64_t lost = jp__batch_count(&writer->batch);
    if (lost > 0)
        jp_log(writer->options.log, JP_LOG_ERROR,
               "%llu records could not be written to the accounting database and are lost",
               (unsigned long long)lost);
    jp__batch_free(&writer->batch);
    uv_mutex_lock(&writer->mutex);
    writer->news.ended = true;
    writer->news.lost = lost;
    uv_mutex_unlock(&writer->mutex);
    uv_async_send(&writer->async);
}
