/* The record on disk: `struct jp_accounts` over one SQLite file.
 *
 * One thread writes, one reads, the loop's thread waits for neither. What is recorded is copied into a backlog; the writer
 * commits all of it whenever it is free, as one transaction, and what arrives meanwhile is the next one. A database that
 * refuses to be written is a state, not a failure: the backlog grows up to its bound, and the writer tries again until
 * it succeeds; a connection that breaks is made anew, a file that turns out damaged is set aside for another one.
 *
 * All functions are called on the loop's thread, and all callbacks come there, never from within the call that asked for
 * them. A query sees everything that was recorded before it, unless the database cannot be written: then it sees what was
 * committed. Times in filters: `from` is in, `to` is out. */
#ifndef JP_STORE_STORE_H
#define JP_STORE_STORE_H

#include "base/log.h"
#include "pool/accounts.h"

#include <uv.h>

struct jp_store;

enum {
    JP_STORE_FLUSH_INTERVAL_MS = 50,
    JP_STORE_MAX_BACKLOG = 100000,
    JP_STORE_MAX_ROWS = 10000,   /* of one query; a filter's `limit` of 0, or above this, means this */
    JP_STORE_MAX_QUERIES = 1024, /* waiting at one time; more: JP_E_QUOTA */
    JP_STORE_MAX_NAMES = 1024,   /* in one list of a filter; more: JP_E_QUOTA */
    JP_STORE_QUERY_MS = 30000,   /* a query that takes longer: JP_E_TIMEOUT */
    JP_STORE_CLOSE_MS = 3000,    /* how long closing goes on trying to write */
};

struct jp_store_options {
    const char *file;           /* UTF-8; its folder must exist */
    uint64_t flush_interval_ms; /* least time between two commits nobody waits for; 0: none */
    uint64_t hold_ms;           /* so long after the opening nothing is written that nobody waits for, unless jp_store_release comes before, or
                                   half of the backlog is full; 0: not held */
    uint64_t max_backlog;       /* records, above which events are dropped, and a quarter above that the audit trail's rows, too;
                                   0: JP_STORE_MAX_BACKLOG */
    struct jp_retention retention; /* all zero: nothing is ever deleted */
    uint32_t service_pid;       /* ours, for the next run */
    const struct jp_log *log;   /* may be NULL; must outlive the store */
    uv_loop_t *loop;
    void *context; /* of the callbacks below, which may be NULL */
    /* All events up to `seq` are on the disk, but those that state() counts as dropped. */
    void (*on_committed)(void *context, uint64_t seq);
    /* The database became degraded, or recovered: state() says which. */
    void (*on_state)(void *context);
    /* The database was damaged while it was in use: it was set aside under the name `kept_as` (NULL: the file had vanished), and a new
     * one has begun, which goes on numbering where the old one stood. What is in the backlog goes into it; whoever recorded pools,
     * jobs and running processes does so again. */
    void (*on_renewed)(void *context, const char *kept_as);
    /* Nothing is recorded under this name of an ephemeral pool any more. */
    void (*on_forgotten)(void *context, const char *pool);
    uint64_t hurry; /* divides every wait for a disk or a lock that refuses; 0: nothing is hurried. For tests */
};

/* Opens or creates the database, brings its schema up to date, reads what the last run left (jp_accounts_start_clear), and
 * starts the threads. A database of ours that is damaged is set aside under another name, the log says so, and a new one
 * begins. JP_E_STORE if the folder is missing, the file cannot be written, is somebody else's, of a newer version, or another store has
 * it open, in whatever process. */
jp_status jp_store_open(const struct jp_store_options *options, struct jp_store **ret_store,
                        struct jp_accounts_start *ret_start, struct jp_error *error);

struct jp_accounts *jp_store_accounts(struct jp_store *store);

/* The opening's user has recorded what it had to: ends the hold of `hold_ms`. */
void jp_store_release(struct jp_store *store);

/* `lost`: how many records could not be written any more. The store is gone by then. */
typedef void jp_store_closed_fn(void *context, uint64_t lost);

/* Commits what waits, marks the end as an orderly one, and folds the WAL into the database. If the database cannot be
 * written, gives up within JP_STORE_CLOSE_MS and the few seconds that SQLite waits for a lock. Whoever still waits is called
 * before `callback`: queries get JP_E_STOPPING. Neither the store nor its accounts may be used after this call. */
void jp_store_close(struct jp_store *store, jp_store_closed_fn *callback, void *context);

#endif
