/* What recording events costs: through the store until they are durable, against SQLite alone with the same rows in the same table.
 * Prints one line of JSON about what came of it.
 *
 * Both write batches of one size, each a transaction, and the next one begins when the last is on the disk. Through the store that
 * means for each batch: copies of the events, one thread to the other and back, and the highest number kept in `meta`. */
#include "base/str.h"
#include "base/units.h"
#include "store/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A flush interval that is never over: then a batch is committed when it is waited for, and is as large as we made it. */
enum { NEVER_MS = 3600 * 1000, MAX_COUNT = 100000000 };

static const char pool[] = "build", message[] = "JOB_OBJECT_MSG_NEW_PROCESS", process[] = "cl.exe", origin[] = "kernel";
static int64_t first_100ns; /* an hour from now: each event is later than the commit before it */

static _Noreturn void fail(const char *what, const char *why) {
    fprintf(stderr, "store_bench: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* ---------------------------------------------------------------------------------------------------------- the store */

struct bench {
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

static void record_batch(void *context, uint64_t first_seq, uint64_t count) {
    struct bench *bench = context;
    struct jp_event event = {.pool = pool, .message = message, .process = process, .origin = JP_ORIGIN_KERNEL};
    for (uint64_t i = 0; i < count; i++) {
        event.seq = first_seq + i;
        event.time_100ns = event.start_100ns = first_100ns + (int64_t)event.seq;
        event.pid = (uint32_t)event.seq;
        bench->accounts->ops->record_event(bench->accounts, &event);
    }
    bench->accounts->ops->when_durable(bench->accounts, on_durable, bench);
    await(bench);
}

/* -------------------------------------------------------------------------------------------------------- SQLite alone */

struct bare {
    sqlite3 *db;
    sqlite3_stmt *begin, *insert, *commit;
};

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

static void step(struct bare *bare, sqlite3_stmt *statement) {
    sqlite3_step(statement);
    if (sqlite3_reset(statement) != SQLITE_OK)
        fail("cannot write", sqlite3_errmsg(bare->db));
}

/* The store has made the file: tables, and the pragmas that stay with it. These are the ones that a connection sets for itself, as
 * src/store/opening.c does. */
static void open_bare(struct bare *bare, const char *file) {
    if (sqlite3_open_v2(file, &bare->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        fail("cannot open the database", sqlite3_errmsg(bare->db));
    execute(bare->db, "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216");
    bare->begin = prepared(bare->db, "BEGIN IMMEDIATE");
    bare->insert = prepared(bare->db, "INSERT INTO events VALUES(?,?,?,?,?,?,?,?,?,?)");
    bare->commit = prepared(bare->db, "COMMIT");
}

static void insert_batch(void *context, uint64_t first_seq, uint64_t count) {
    struct bare *bare = context;
    sqlite3_stmt *insert = bare->insert;
    step(bare, bare->begin);
    for (uint64_t i = 0; i < count; i++) {
        int64_t seq = (int64_t)(first_seq + i);
        sqlite3_bind_int64(insert, 1, seq);
        sqlite3_bind_int64(insert, 2, first_100ns + seq);
        sqlite3_bind_text(insert, 3, pool, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 4, message, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 5, seq);
        sqlite3_bind_int64(insert, 6, first_100ns + seq);
        sqlite3_bind_text(insert, 7, process, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 8, origin, -1, SQLITE_STATIC);
        sqlite3_bind_null(insert, 9);
        sqlite3_bind_null(insert, 10);
        step(bare, insert);
    }
    step(bare, bare->commit);
}

static void close_bare(struct bare *bare) {
    sqlite3_finalize(bare->begin);
    sqlite3_finalize(bare->insert);
    sqlite3_finalize(bare->commit);
    sqlite3_close(bare->db);
}

/* ------------------------------------------------------------------------------------------------------------ the run */

static int64_t now_100ns(void) {
    uv_timespec64_t now = {0};
    uv_clock_gettime(UV_CLOCK_REALTIME, &now);
    return JP_UNIX_EPOCH_100NS + now.tv_sec * JP_100NS_PER_S + now.tv_nsec / 100;
}

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
static void check(const char *file, uint64_t rows) {
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    char *sql = jp_sprintf("SELECT count(*) FROM events WHERE pool = '%s' AND message = '%s' AND process = '%s' AND origin = '%s' AND pid = seq"
                           " AND start_100ns = time_100ns AND time_100ns = seq + %lld AND exit_code IS NULL AND detail IS NULL",
                           pool, message, process, origin, (long long)first_100ns);
    if (sqlite3_open(file, &db) != SQLITE_OK || sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW || sqlite3_column_int64(statement, 0) != (int64_t)rows)
        fail("the rows are not what was written", sqlite3_errmsg(db));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    jp_free(sql);
}

int main(int argc, char **argv) {
    uint64_t count = argc == 5 ? strtoull(argv[3], NULL, 10) : 0, batch = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;
    bool bare = argc == 5 && strcmp(argv[1], "bare") == 0;
    if (argc != 5 || (!bare && strcmp(argv[1], "store") != 0) || count == 0 || count > MAX_COUNT || batch == 0 || batch > JP_STORE_MAX_BACKLOG) {
        fputs("store_bench store|bare FILE COUNT BATCH: writes so many events to the new database FILE, BATCH in a transaction\n", stderr);
        return 64;
    }
    struct bench bench = {0};
    double rate;
    first_100ns = now_100ns() + (int64_t)3600 * JP_100NS_PER_S;
    open_store(&bench, argv[2]);
    if (bare) {
        struct bare alone = {0};
        close_store(&bench);
        open_bare(&alone, argv[2]);
        rate = time_batches(insert_batch, &alone, count, batch);
        close_bare(&alone);
    } else {
        rate = time_batches(record_batch, &bench, count, batch);
        close_store(&bench);
    }
    check(argv[2], count + batch);
    printf("{\"rate\": %.1f}\n", rate);
    return 0;
}
