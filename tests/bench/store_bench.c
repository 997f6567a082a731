/* What recording costs: through the store until it is durable, against SQLite alone with the same rows in the same tables, with their keys and
 * triggers. Prints one line of JSON about what came of it. What the rows are: store_kinds.c.
 *
 * Both write batches of one size, each a transaction, and the next one begins when the last is on the disk. Through the store that
 * means for each batch: copies of the records, one thread to the other and back. */
#include "store_kinds.h"

#include "base/str.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A flush interval that is never over: then a batch is committed when it is waited for, and is as large as we made it. */
enum { NEVER_MS = 3600 * 1000, MAX_COUNT = 100000000 };

static _Noreturn void fail(const char *what, const char *why) {
    fprintf(stderr, "store_bench: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* ---------------------------------------------------------------------------------------------------------- the store */

struct bench {
    const struct jp_bench_kind *kind;
    uv_loop_t loop;
    struct jp_store *store;
    struct jp_accounts *accounts;
    bool done;
};

static void open_store(struct bench *bench, const char *file) {
    struct jp_store_options options = {.file = file, .flush_interval_ms = NEVER_MS, .loop = &bench->loop};
    struct jp_accounts_start start = {0};
    struct jp_error error = {0};
    uv_loop_init(&bench->loop);
    if (jp_store_open(&options, &bench->store, &start, &error) != JP_OK)
        fail("cannot open the store", error.text);
    jp_accounts_start_clear(&start);
    bench->accounts = jp_store_accounts(bench->store);
}

static void await(struct bench *bench) {
    while (!bench->done)
        uv_run(&bench->loop, UV_RUN_ONCE);
    bench->done = false;
}

static void on_closed(void *context, uint64_t lost) {
    struct bench *bench = context;
    if (lost > 0)
        fail("cannot close the store", "records were lost");
    bench->done = true;
}

static void close_store(struct bench *bench) {
    jp_store_close(bench->store, on_closed, bench);
    await(bench);
    uv_loop_close(&bench->loop);
}

static void on_durable(void *context, jp_status status) {
    struct bench *bench = context;
    if (status != JP_OK)
        fail("cannot record", "the database refuses to be written");
    bench->done = true;
}

static void record_batch(void *context, uint64_t first, uint64_t count) {
    struct bench *bench = context;
    for (uint64_t i = 0; i < count; i++)
        bench->kind->record(bench->accounts, (int64_t)(first + i));
    bench->accounts->ops->when_durable(bench->accounts, on_durable, bench);
    await(bench);
}

/* -------------------------------------------------------------------------------------------------------- SQLite alone */

static void execute(sqlite3 *db, const char *sql) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail(sql, sqlite3_errmsg(db));
}

static sqlite3_stmt *prepared(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail(sql, sqlite3_errmsg(db));
    return statement;
}

void jp_bench_step(struct jp_bare *bare, sqlite3_stmt *statement) {
    sqlite3_step(statement);
    if (sqlite3_reset(statement) != SQLITE_OK)
        fail("cannot write", sqlite3_errmsg(bare->db));
}

/* The store has made the file: tables, and the pragmas that stay with it. These are the ones that a connection sets for itself, as
 * src/store/opening.c does. */
static void open_bare(struct jp_bare *bare, const char *file) {
    if (sqlite3_open_v2(file, &bare->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        fail("cannot open the database", sqlite3_errmsg(bare->db));
    execute(bare->db, "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216; PRAGMA recursive_triggers = ON");
    bare->begin = prepared(bare->db, "BEGIN IMMEDIATE");
    for (size_t i = 0; i < JP_BENCH_STATEMENTS && bare->kind->statements[i]; i++)
        bare->statements[i] = prepared(bare->db, bare->kind->statements[i]);
    bare->commit = prepared(bare->db, "COMMIT");
}

static void insert_batch(void *context, uint64_t first, uint64_t count) {
    struct jp_bare *bare = context;
    jp_bench_step(bare, bare->begin);
    for (uint64_t i = 0; i < count; i++)
        bare->kind->insert(bare, (int64_t)(first + i));
    jp_bench_step(bare, bare->commit);
}

static void close_bare(struct jp_bare *bare) {
    sqlite3_finalize(bare->begin);
    for (size_t i = 0; i < JP_BENCH_STATEMENTS; i++)
        sqlite3_finalize(bare->statements[i]);
    sqlite3_finalize(bare->commit);
    sqlite3_close(bare->db);
}

/* ------------------------------------------------------------------------------------------------------------ the run */

/* The first batch is not timed: threads start, statements are prepared, the first pages come. Rows a second of the others. */
static double time_batches(void (*write)(void *context, uint64_t first_seq, uint64_t count), void *context, uint64_t count, uint64_t batch) {
    write(context, 1, batch);
    uint64_t begin = uv_hrtime(), written = 0;
    while (written < count) {
        uint64_t rows = count - written < batch ? count - written : batch;
        write(context, 1 + batch + written, rows);
        written += rows;
    }
    return (double)count * 1e9 / (double)(uv_hrtime() - begin);
}

/* Every row is there, and the same rows whoever wrote them. */
static void check(const struct jp_bench_kind *kind, const char *file, uint64_t rows) {
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_open(file, &db) != SQLITE_OK || sqlite3_prepare_v2(db, kind->count_of_right_rows, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 1, (int64_t)rows) != SQLITE_OK || sqlite3_step(statement) != SQLITE_ROW ||
        sqlite3_column_int64(statement, 0) != (int64_t)rows)
        fail("the rows are not what was written", sqlite3_errmsg(db));
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static const struct jp_bench_kind *kind_named(const char *name) {
    static const struct jp_bench_kind *const kinds[] = {&jp_bench_events, &jp_bench_processes};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

int main(int argc, char **argv) {
    uint64_t count = argc == 6 ? strtoull(argv[4], NULL, 10) : 0, batch = argc == 6 ? strtoull(argv[5], NULL, 10) : 0;
    bool bare = argc == 6 && strcmp(argv[1], "bare") == 0;
    const struct jp_bench_kind *kind = argc == 6 ? kind_named(argv[2]) : NULL;
    if (!kind || (!bare && strcmp(argv[1], "store") != 0) || count == 0 || count > MAX_COUNT || batch == 0 || batch > JP_STORE_MAX_BACKLOG / 2) {
        fputs("store_bench store|bare events|processes FILE COUNT BATCH: writes so many of these to the new database FILE, BATCH in a transaction\n", stderr);
        return 64;
    }
    struct bench bench = {.kind = kind};
    double rate;
    open_store(&bench, argv[3]);
    if (bare) {
        struct jp_bare alone = {.kind = kind};
        close_store(&bench);
        open_bare(&alone, argv[3]);
        rate = time_batches(insert_batch, &alone, count, batch);
        close_bare(&alone);
    } else {
        rate = time_batches(record_batch, &bench, count, batch);
        close_store(&bench);
    }
    check(kind, argv[3], count + batch);
    printf("{\"rate\": %.1f}\n", rate);
    return 0;
}
