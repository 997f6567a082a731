/* What the writer's thread does beside writing: it deletes what is to be kept no longer, makes sums of sums, and gives the disk its
 * space back, a small step at a time between two commits.
 *
 * A pass over everything is made every minute while something is written, and soon after the retention was changed or somebody has purged.
 * While nothing is written only age makes rows go, and the thread is left asleep for longer. All zero is a valid upkeep that keeps all. */
#ifndef JP_STORE_UPKEEP_H
#define JP_STORE_UPKEEP_H

#include "base/log.h"
#include "pool/accounts.h"
#include "store/purge.h"

#include <sqlite3.h>

/* Somebody's purge. */
struct jp__purge {
    struct jp__purge *next;
    uint64_t ticket; /* of the newest record before it, which it is to see */
    char *pool;
    struct jp_purge_filter filter; /* its pool is the one above */
    jp_purged_fn *callback;
    void *context;
    struct jp__purge_range processes, events;
    struct jp_purged purged;
    jp_status status;
    struct jp_error error;
};
struct jp__purges {
    struct jp__purge *first, *last;
};

enum jp__upkeep_phase {
    JP__UPKEEP_REST,
    JP__UPKEEP_PROCESSES,
    JP__UPKEEP_UNOBSERVED,
    JP__UPKEEP_EVENTS,
    JP__UPKEEP_SAMPLES,
    JP__UPKEEP_AUDIT,
    JP__UPKEEP_SIZE,
    JP__UPKEEP_HOURS,
    JP__UPKEEP_POOLS,
    JP__UPKEEP_SPACE,
};

struct jp__upkeep {
    /* both threads', under the writer's mutex */
    struct jp_retention wanted;
    bool changed;
    struct jp__purges asked, answered;
    struct jp_strings told; /* names of ephemeral pools that were forgotten */

    /* the thread's only */
    struct jp_retention retention;
    struct jp__purges current; /* the first is being done */
    enum jp__upkeep_phase phase;
    struct jp__purge_range range; /* of the phase */
    struct jp_purged purged;      /* in this pass */
    uint64_t purged_audits;       /* likewise; nobody can ask for that, so that nobody wipes out what he did */
    bool for_size;                /* some of that before its time */
    bool failed;                  /* the last pass; it was told */
    uint64_t next_ms;             /* of the next pass, if something was written since the last; 0: none is due */
    uint64_t next_quiet_ms;       /* ... if nothing was */
    uint64_t heard, passed;       /* the newest record on the disk when it was last told; when the last pass began */
    int64_t last_purge_100ns;
    struct jp_strings forgotten; /* likewise, to be told */
};

/* --- the loop's thread --- */

struct jp__purge *jp__purge_new(const struct jp_purge_filter *filter, uint64_t ticket, jp_purged_fn *callback, void *context);
/* Under the mutex. */
void jp__upkeep_ask(struct jp__upkeep *upkeep, struct jp__purge *purge);
void jp__upkeep_set_retention(struct jp__upkeep *upkeep, const struct jp_retention *retention);
struct jp__purge *jp__upkeep_answers(struct jp__upkeep *upkeep);
struct jp_strings jp__upkeep_forgotten(struct jp__upkeep *upkeep); /* jp_strings_free */
/* Calls back for each in the list, and frees them. */
void jp__purges_deliver(struct jp__purge *first);

/* --- the writer's thread --- */

/* When the next step is due: 0 is now, UINT64_MAX never. `committed`: the ticket of the newest record on the disk. Under the mutex. */
uint64_t jp__upkeep_due_ms(const struct jp__upkeep *upkeep, uint64_t committed);
/* Hears what was asked, and gives the answers out; true if there were any. Under the mutex. */
void jp__upkeep_hear(struct jp__upkeep *upkeep, uint64_t committed);
bool jp__upkeep_tell(struct jp__upkeep *upkeep, struct jp__purges *done);

/* Does some steps, for a moment. Finished purges go to `done`. SQLite's code: a failure was told to whoever asked, or in the log. */
int jp__upkeep_turn(struct jp__upkeep *upkeep, sqlite3 *db, const struct jp_log *log, struct jp__purges *done);

/* Makes failed ones of all purges that were heard. */
void jp__upkeep_refuse(struct jp__upkeep *upkeep, struct jp__purges *done, const struct jp_error *error);

#endif
