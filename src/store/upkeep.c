/* Owns the order in which old things go. */
#include "store/upkeep.h"

#include "base/str.h"
#include "base/units.h"
#include "store/database.h"
#include "store/numbers.h"

#include <stdio.h>

enum {
    PASS_INTERVAL_MS = 60000,
    QUIET_INTERVAL_MS = 3600000,
    AGE_SHARE = 24, /* a part of the shortest age, by which rows may be older than that */
    TURN_MS = 20, /* how long fresh records may wait for it, and a step more */
    FREE_SHARE = 16, /* a part of the file that may be free: what comes next is written there */
};
static const int64_t day_100ns = INT64_C(864000000000);

/* --- queues --- */

static void put(struct jp__purges *queue, struct jp__purge *purge) {
    purge->next = NULL;
    if (queue->first == NULL)
        queue->first = purge;
    else
        queue->last->next = purge;
    queue->last = purge;
}

static struct jp__purge *take(struct jp__purges *queue) {
    struct jp__purge *purge = queue->first;
    if (purge != NULL)
        queue->first = purge->next;
    return purge;
}

static void move(struct jp__purges *from, struct jp__purges *to) {
    for (struct jp__purge *purge; (purge = take(from)) != NULL;)
        put(to, purge);
}

/* --- the loop's thread --- */

struct jp__purge *jp__purge_new(const struct jp_purge_filter *filter, uint64_t ticket, jp_purged_fn *callback, void *context) {
    struct jp__purge *purge = jp_alloc(sizeof *purge);
    purge->ticket = ticket;
    purge->pool = jp_strdup(filter->pool);
    purge->filter = *filter;
    purge->filter.pool = purge->pool;
    purge->callback = callback;
    purge->context = context;
    int64_t now = jp__now_100ns(); /* what comes later is not meant, else a purge of everything might never end */
    purge->processes = purge->events = (struct jp__purge_range){
        .pool = purge->pool, .before_100ns = filter->before_100ns <= now ? filter->before_100ns : now + 1};
    return purge;
}

void jp__upkeep_ask(struct jp__upkeep *upkeep, struct jp__purge *purge) {
    put(&upkeep->asked, purge);
}

void jp__upkeep_set_retention(struct jp__upkeep *upkeep, const struct jp_retention *retention) {
    upkeep->wanted = *retention;
    upkeep->changed = true;
}

struct jp__purge *jp__upkeep_answers(struct jp__upkeep *upkeep) {
    struct jp__purge *first = upkeep->answered.first;
    upkeep->answered = (struct jp__purges){0};
    return first;
}

struct jp_strings jp__upkeep_forgotten(struct jp__upkeep *upkeep) {
    struct jp_strings names = upkeep->told;
    upkeep->told = (struct jp_strings){0};
    return names;
}

void jp__purges_deliver(struct jp__purge *first) {
    while (first != NULL) {
        struct jp__purge *next = first->next;
        first->callback(first->context, first->status, &first->error, &first->purged);
        jp_free(first->pool);
        jp_free(first);
        first = next;
    }
}

/* --- the writer's thread --- */

static bool may_begin(const struct jp__purge *purge, uint64_t committed) {
    return purge != NULL && purge->ticket <= committed;
}

uint64_t jp__upkeep_due_ms(const struct jp__upkeep *upkeep, uint64_t committed) {
    if (may_begin(upkeep->asked.first, committed) || upkeep->changed || upkeep->current.first != NULL || upkeep->phase != JP__UPKEEP_REST)
        return 0;
    if (upkeep->next_ms == 0)
        return UINT64_MAX;
    return committed == upkeep->passed ? upkeep->next_quiet_ms : upkeep->next_ms;
}

/* The next pass is in so many milliseconds, whatever is written. */
static void pass_in(struct jp__upkeep *upkeep, uint64_t ms) { upkeep->next_ms = upkeep->next_quiet_ms = jp__now_ms() + ms; }

void jp__upkeep_hear(struct jp__upkeep *upkeep, uint64_t committed) {
    while (may_begin(upkeep->asked.first, committed))
        put(&upkeep->current, take(&upkeep->asked));
    upkeep->heard = committed;
    if (!upkeep->changed)
        return;
    upkeep->changed = false;
    upkeep->retention = upkeep->wanted;
    upkeep->phase = JP__UPKEEP_REST; /* whatever pass was going on, by the older rules, begins anew */
    pass_in(upkeep, 0);
}

bool jp__upkeep_tell(struct jp__upkeep *upkeep, struct jp__purges *done) {
    bool any = done->first != NULL || upkeep->forgotten.count > 0;
    move(done, &upkeep->answered);
    jp_strings_add_all(&upkeep->told, &upkeep->forgotten);
    jp_strings_free(&upkeep->forgotten);
    return any;
}

static void finish(struct jp__upkeep *upkeep, struct jp__purges *done, const struct jp_error *error) {
    struct jp__purge *purge = take(&upkeep->current);
    if (error != NULL) {
        purge->status = error->status;
        purge->error = *error;
    }
    put(done, purge);
}

void jp__upkeep_refuse(struct jp__upkeep *upkeep, struct jp__purges *done, const struct jp_error *error) {
    while (upkeep->current.first != NULL)
        finish(upkeep, done, error);
}

/* --- somebody's purge --- */

static void log_purge(const struct jp_log *log, const struct jp__purge *purge) {
    char before[JP_TIME_TEXT];
    jp_log(log, JP_LOG_INFO, "purged of the accounts of %s%s%s before %s: %llu processes, %llu events",
           purge->pool != NULL ? "pool \"" : "all pools",
           purge->pool != NULL ? purge->pool : "", purge->pool != NULL ? "\"" : "", jp_time_format(purge->filter.before_100ns, before),
           (unsigned long long)purge->purged.processes, (unsigned long long)purge->purged.events);
}

static int purge_step(struct jp__upkeep *upkeep, sqlite3 *db, const struct jp_log *log, struct jp__purges *done) {
    struct jp__purge *purge = upkeep->current.first;
    bool finished = true;
    int code = jp__numbers_keep(db);
    if (code == SQLITE_OK && purge->filter.processes) {
        code = jp__purge_processes(db, &purge->processes, &purge->purged.processes, &finished);
        purge->filter.processes = code == SQLITE_OK && !finished;
    } else if (code == SQLITE_OK && purge->filter.events) {
        code = jp__purge_events(db, &purge->events, &purge->purged.events, &finished);
        purge->filter.events = code == SQLITE_OK && !finished;
    }
    if (code != SQLITE_OK) {
        struct jp_error error;
        char reason[256];
        jp__db_reason(db, code, reason, sizeof reason);
        jp_fail(&error, JP_E_STORE, "the accounting database cannot be purged: %s; %llu processes and %llu events were deleted before that",
                reason, (unsigned long long)purge->purged.processes, (unsigned long long)purge->purged.events);
        finish(upkeep, done, &error);
        return code;
    }
    if (purge->filter.processes || purge->filter.events)
        return SQLITE_OK;
    log_purge(log, purge);
    upkeep->last_purge_100ns = jp__now_100ns();
    pass_in(upkeep, 0); /* what has become free is given back */
    finish(upkeep, done, NULL);
    return SQLITE_OK;
}

/* --- a pass --- */

/* 0, before which there is nothing: for ever. */
static int64_t before(uint64_t age_100ns) {
    int64_t now = jp__now_100ns();
    return age_100ns == 0 || age_100ns >= (uint64_t)now ? 0 : now - (int64_t)age_100ns;
}

static uint64_t purged_rows(const struct jp_purged *purged) { return purged->processes + purged->events + purged->samples; }

static int size_step(struct jp__upkeep *upkeep, sqlite3 *db, bool *ret_done) {
    struct jp__size size = {0};
    *ret_done = true;
    if (upkeep->retention.max_bytes == 0)
        return SQLITE_OK;
    int code = jp__size_measure(db, &size);
    if (code != SQLITE_OK || size.bytes - size.free_bytes <= upkeep->retention.max_bytes)
        return code;
    uint64_t had = purged_rows(&upkeep->purged);
    code = jp__purge_oldest(db, &upkeep->purged, ret_done);
    upkeep->for_size |= purged_rows(&upkeep->purged) > had;
    return code;
}

static int space_step(struct jp__upkeep *upkeep, sqlite3 *db, bool *ret_done) {
    struct jp__size size = {0};
    int code = jp__size_measure(db, &size);
    if (code != SQLITE_OK)
        return code;
    uint64_t max_bytes = upkeep->retention.max_bytes;
    bool shrink = size.free_bytes > size.bytes / FREE_SHARE || (max_bytes != 0 && size.bytes > max_bytes && size.free_bytes > 0);
    if (shrink) {
        *ret_done = false;
        upkeep->range.after = 1; /* so that it is settled */
        return jp__size_shrink(db);
    }
    *ret_done = true;
    code = upkeep->range.after != 0 ? jp__size_settle(db) : SQLITE_OK;
    return code == SQLITE_OK ? jp__forget_purged(db) : code;
}

static int phase_step(struct jp__upkeep *upkeep, sqlite3 *db, bool *ret_done) {
    const struct jp_retention *retention = &upkeep->retention;
    int64_t processes = before(retention->processes_100ns);
    *ret_done = true;
    switch (upkeep->phase) {
    case JP__UPKEEP_REST: return SQLITE_OK;
    case JP__UPKEEP_PROCESSES:
        upkeep->range.before_100ns = processes;
        return processes == 0 ? SQLITE_OK : jp__purge_processes(db, &upkeep->range, &upkeep->purged.processes, ret_done);
    case JP__UPKEEP_UNOBSERVED: return processes == 0 ? SQLITE_OK : jp__purge_unobserved(db, processes, ret_done);
    case JP__UPKEEP_EVENTS:
        upkeep->range.before_100ns = before(retention->events_100ns);
        return upkeep->range.before_100ns == 0 ? SQLITE_OK : jp__purge_events(db, &upkeep->range, &upkeep->purged.events, ret_done);
    case JP__UPKEEP_SAMPLES:
        upkeep->range.before_100ns = before(retention->samples_100ns);
        return upkeep->range.before_100ns == 0 ? SQLITE_OK
                                               : jp__purge_samples(db, upkeep->range.before_100ns, &upkeep->purged.samples, ret_done);
    case JP__UPKEEP_AUDIT:
        upkeep->range.before_100ns = before(retention->audit_100ns);
        return upkeep->range.before_100ns == 0 ? SQLITE_OK : jp__purge_audit(db, upkeep->range.before_100ns, &upkeep->purged_audits, ret_done);
    case JP__UPKEEP_SIZE: return size_step(upkeep, db, ret_done);
    case JP__UPKEEP_HOURS: {
        int64_t hours = before(retention->hours_100ns) / day_100ns * day_100ns; /* a day at a time */
        return hours == 0 ? SQLITE_OK : jp__fold_hours(db, hours, ret_done);
    }
    case JP__UPKEEP_POOLS: return jp__drop_pools(db, processes, before(retention->samples_100ns), &upkeep->forgotten, ret_done);
    case JP__UPKEEP_SPACE: return space_step(upkeep, db, ret_done);
    }
    return SQLITE_OK;
}

static bool keeps_all(const struct jp_retention *retention) {
    return retention->processes_100ns == 0 && retention->events_100ns == 0 && retention->hours_100ns == 0 && retention->samples_100ns == 0 &&
           retention->audit_100ns == 0 && retention->max_bytes == 0;
}

/* While nothing is written. */
static uint64_t quiet_interval_ms(const struct jp_retention *retention) {
    const uint64_t ages[] = {retention->processes_100ns, retention->events_100ns, retention->hours_100ns, retention->samples_100ns, retention->audit_100ns};
    uint64_t interval = QUIET_INTERVAL_MS;
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
        uint64_t share = ages[i] / JP_100NS_PER_MS / AGE_SHARE;
        if (ages[i] != 0 && share < interval)
            interval = share;
    }
    return interval > PASS_INTERVAL_MS ? interval : PASS_INTERVAL_MS;
}

static void rest(struct jp__upkeep *upkeep) {
    upkeep->phase = JP__UPKEEP_REST;
    pass_in(upkeep, PASS_INTERVAL_MS);
    upkeep->next_quiet_ms = jp__now_ms() + quiet_interval_ms(&upkeep->retention);
    if (keeps_all(&upkeep->retention))
        upkeep->next_ms = 0;
}

static void end_pass(struct jp__upkeep *upkeep, sqlite3 *db, const struct jp_log *log) {
    char bytes[JP_UNITS_TEXT];
    struct jp__size size = {0};
    upkeep->failed = false;
    if (!keeps_all(&upkeep->retention))
        upkeep->last_purge_100ns = jp__now_100ns();
    if (purged_rows(&upkeep->purged) > 0 && jp__size_measure(db, &size) == SQLITE_OK)
        jp_log(log, JP_LOG_INFO,
               "purged what is older than the accounts are kept%s: %llu processes, %llu events, %llu samples; the accounting database has %s now",
               upkeep->for_size ? ", and more because they were too large" : "", (unsigned long long)upkeep->purged.processes,
               (unsigned long long)upkeep->purged.events, (unsigned long long)upkeep->purged.samples, jp_bytes_format(size.bytes, bytes));
    if (upkeep->purged_audits > 0)
        jp_log(log, JP_LOG_INFO, "purged what is older than the audit trail is kept: %llu rows", (unsigned long long)upkeep->purged_audits);
    rest(upkeep);
}

static void fail_pass(struct jp__upkeep *upkeep, sqlite3 *db, const struct jp_log *log, int code) {
    char reason[256];
    jp__db_reason(db, code, reason, sizeof reason);
    if (!upkeep->failed) /* told once, not every minute */
        jp_log(log, JP_LOG_WARNING, "what is older than the accounts are kept cannot be purged: %s", reason);
    upkeep->failed = true;
    upkeep->phase = JP__UPKEEP_REST;
    pass_in(upkeep, PASS_INTERVAL_MS);
}

static int pass_step(struct jp__upkeep *upkeep, sqlite3 *db, const struct jp_log *log) {
    bool done = true;
    int code = jp__numbers_keep(db);
    if (code == SQLITE_OK)
        code = phase_step(upkeep, db, &done);
    if (code != SQLITE_OK) {
        fail_pass(upkeep, db, log, code);
        return code;
    }
    if (!done)
        return SQLITE_OK;
    upkeep->range = (struct jp__purge_range){0};
    if (upkeep->phase == JP__UPKEEP_SPACE)
        end_pass(upkeep, db, log);
    else
        upkeep->phase++;
    return SQLITE_OK;
}

static int step(struct jp__upkeep *upkeep, sqlite3 *db, const struct jp_log *log, struct jp__purges *done) {
    if (upkeep->current.first != NULL)
        return purge_step(upkeep, db, log, done);
    if (upkeep->phase != JP__UPKEEP_REST)
        return pass_step(upkeep, db, log);
    if (upkeep->next_ms == 0 || upkeep->next_ms > jp__now_ms())
        return SQLITE_OK;
    upkeep->phase = JP__UPKEEP_PROCESSES;
    upkeep->passed = upkeep->heard;
    upkeep->range = (struct jp__purge_range){0};
    upkeep->purged = (struct jp_purged){0};
    upkeep->purged_audits = 0;
    upkeep->for_size = false;
    return SQLITE_OK;
}

int jp__upkeep_turn(struct jp__upkeep *upkeep, sqlite3 *db, const struct jp_log *log, struct jp__purges *done) {
    uint64_t end_ms = jp__now_ms() + TURN_MS;
    int code;
    do {
        code = step(upkeep, db, log, done);
    } while (code == SQLITE_OK && (upkeep->current.first != NULL || upkeep->phase != JP__UPKEEP_REST) && jp__now_ms() < end_ms);
    return code;
}
