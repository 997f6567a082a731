/* What the tests of the store stand on: one database in a folder of its own, the loop that the store lives on, records to
 * put in, and a way to wait for what comes back. */
#ifndef JP_TESTS_STORE_WORLD_H
#define JP_TESTS_STORE_WORLD_H

#include "base/str.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

enum { PATIENCE_MS = 15000 }; /* after which a test has failed */

/* --- the world --- */

struct world {
    uv_loop_t loop;
    uv_timer_t patience;
    char folder[256];
    char *file;
    struct jp_log log;
    uv_mutex_t log_mutex; /* the store's threads log too */
    struct jp_str logged;

    uint64_t flush_interval_ms, hold_ms, max_backlog, hurry; /* for open_store */
    struct jp_retention retention;
    struct jp_store *store;                  /* NULL when closed */
    struct jp_accounts *accounts;
    struct jp_accounts_start start;
    struct jp_error error;

    uint64_t committed_seq; /* what on_committed told last */
    int commits, state_changes, renewals, forgotten;
    char kept_as[512]; /* what on_renewed told last */
    bool done; /* ends await() */
    uint64_t lost;
};

int set_up(void **state);
int tear_down(void **state);

jp_status try_open(struct world *world);
void open_store(struct world *world); /* fails the test if it cannot */
void close_store(struct world *world);
void note_closed(void *context, uint64_t lost); /* of jp_store_close, with the world */

void await(struct world *world); /* runs the loop until somebody sets world->done */
void out_of_patience(uv_timer_t *timer); /* ends a test that waits for what does not come */
void await_state(struct world *world, bool degraded);
void await_commit(struct world *world, uint64_t seq); /* for which nobody asks: until the events up to `seq` are on the disk */
bool logged(struct world *world, const char *text);
void overwrite(const char *file, int64_t offset, const char *bytes, unsigned length);

/* Calls `use` with the path of every file in the folder. Returns how many there are. */
int each_file(struct world *world, void (*use)(void *context, const char *path), void *context);

/* --- somebody else at the same database --- */

sqlite3 *connect_other(const char *file);
void execute(sqlite3 *db, const char *sql);
void execute_alone(const char *file, const char *sql); /* on a connection of its own */
int64_t ask_number(const char *file, const char *sql);
int64_t rows_of(struct world *world, const char *table);

/* --- records --- */

extern char build[], test[]; /* names of pools */

void record_event(struct world *world, uint64_t seq);
void record(struct world *world, const struct jp_process_record *process);
struct jp_process_record full_record(int64_t id); /* every field has a value */
struct jp_process_record running_record(int64_t id);
struct jp_process_record ended_record(int64_t id, int64_t start_100ns); /* full, and ended soon */
/* `count` of these, ids from `first_id` on, that began `step` after each other. */
void record_ended(struct world *world, int64_t first_id, int64_t count, int64_t start_100ns, int64_t step_100ns);
void assert_same_process(const struct jp_process_record *one, const struct jp_process_record *other);

/* --- answers --- */

struct durable {
    struct world *world;
    jp_status status;
    int calls;
};
void note_durable(void *context, jp_status status);
jp_status wait_durable(struct world *world);
struct jp_accounts_state state_of(struct world *world);

extern const int64_t an_hour, a_day; /* in 100 ns */
int64_t now_100ns(void);
int64_t hour_ago(int64_t hours); /* the beginning of an hour that is over, so long ago */

/* Ask and wait; fails the test if it was not done. */
struct jp_purged purge(struct world *world, struct jp_purge_filter filter);
/* Sets what is to be kept, and waits until all else is gone. */
void retain(struct world *world, struct jp_retention retention);

struct answer {
    struct world *world;
    jp_status status;
    struct jp_error error;
    size_t count;
    uint64_t keys[JP_STORE_MAX_ROWS];       /* seq or id */
    struct jp_process_record first_process; /* a copy */
    char first_event[512];                  /* its fields, separated by blanks */
    struct jp_summary summaries[8];
    char pools[8][32]; /* of the summaries */
};

/* Ask and wait. The answer is freed by free_answer. */
struct answer *ask_events(struct world *world, struct jp_event_filter filter);
struct answer *ask_processes(struct world *world, struct jp_process_filter filter);
struct answer *ask_summary(struct world *world, struct jp_summary_filter filter);
void free_answer(struct answer *answer);

struct jp_summary summary_of(struct world *world, struct jp_summary_filter filter); /* which is of one pool */
uint64_t processes_of(struct world *world, int64_t from_100ns, int64_t to_100ns);   /* of "build" */
void assert_same_summary(const struct jp_summary *one, const struct jp_summary *other);

/* The keys of an answer as text, "1 2 3". Frees the answer. */
const char *keys_of(struct answer *answer);

/* For those who ask without waiting. */
struct answer *new_answer(struct world *world);
void note_events(void *context, jp_status status, const struct jp_error *error, const struct jp_event *events,
                 size_t count);

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

#endif
