/* The write connection for as long as the store is open. It commits, keeps the WAL from growing, and when the connection breaks or the
 * file turns out damaged it opens the database again, or begins another. The writer's thread only. */
#ifndef JP_STORE_CONNECTION_H
#define JP_STORE_CONNECTION_H

#include "store/commit.h"
#include "store/opening.h"

struct jp__reader;

struct jp__connection {
    struct jp__committer committer; /* its db is NULL while there is none */
    struct jp__place place;
    struct jp__reader *reader;      /* whose connection is closed while the file is changed */
    struct jp_accounts_start known; /* of it the highest numbers that were given out */
    struct jp__renewal renewal;
    int failures;      /* in a row */
    int wal_pages;     /* after the last commit */
    int tried_pages;   /* what it had when the WAL could not be emptied */
};

/* Commits `batch`, whatever has to be done first. SQLITE_OK, or an error with `reason` saying why; it may be called again at any time. */
int jp__connection_commit(struct jp__connection *connection, const struct jp__batch *batch, char *reason, size_t size);

/* After a commit, and when those who wait for it have been told: keeps the WAL from growing. */
void jp__connection_level(struct jp__connection *connection);

/* Somebody has read what cannot be: the next commit, of an empty batch too, begins with another database. */
void jp__connection_suspect(struct jp__connection *connection);

/* Leaves the database at rest, so that the next start need not check it, if `in_order`. */
void jp__connection_close(struct jp__connection *connection, bool in_order);

#endif
