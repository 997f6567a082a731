/* What store_bench writes: how the store is told of it, and how SQLite alone writes the same. */
#ifndef JP_BENCH_STORE_KINDS_H
#define JP_BENCH_STORE_KINDS_H

#include "pool/accounts.h"

#include <sqlite3.h>

enum { JP_BENCH_STATEMENTS = 2 };

/* SQLite alone. */
struct jp_bare {
    const struct jp_bench_kind *kind;
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *statements[JP_BENCH_STATEMENTS];
};

/* Items are numbered from 1. */
struct jp_bench_kind {
    const char *name;
    void (*record)(struct jp_accounts *accounts, int64_t number);
    const char *statements[JP_BENCH_STATEMENTS];
    void (*insert)(struct jp_bare *bare, int64_t number);
    const char *count_of_right_rows; /* SQL; ?1: how many there should be */
};
extern const struct jp_bench_kind jp_bench_events, jp_bench_processes;

void jp_bench_step(struct jp_bare *bare, sqlite3_stmt *statement); /* runs what has been bound; a failure ends the program */

#endif
