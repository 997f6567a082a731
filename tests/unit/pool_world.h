/* Pools over the simulated kernel and accounts in memory. */
#ifndef JP_TESTS_POOL_WORLD_H
#define JP_TESTS_POOL_WORLD_H

#include "../sim/kernel.h"
#include "../sim/ledger.h"

struct pool_world {
    struct jp_sim *sim;
    struct jp_ledger *ledger;
    struct jp_pools *pools;
    struct jp_error error;
    /* what jp_pools_assign and _launch called back with */
    int joined_calls;
    jp_status joined_status;
    struct jp_process_record joined;
    /* jp_pools_wait */
    int waited_calls;
    uint32_t waited_pid; /* 0: the pool was empty */
    void (*on_event)(void *context, const struct jp_event *event);
    void *event_context;
};

int pool_world_open(void **state);
int pool_world_close(void **state);
int pool_world_open_forgetful(void **state); /* on a kernel that keeps no limit of a job */

/* The service ends and starts again on the same kernel and the same record. */
void pool_world_restart(struct pool_world *world, const char *config);
void pool_world_crash(struct pool_world *world, const char *config); /* likewise, from one moment to the next */
void pool_world_crash_twice(struct pool_world *world, const char *config); /* the second time when the next one had made its pools */
void pool_world_begin(struct pool_world *world, const char *config, const struct jp_accounts_start *start); /* with a record of the test's own */

/* Pools from JSON: {"name": {spec}, ...}. The status of jp_pools_load. */
jp_status pool_world_load(struct pool_world *world, const char *pools_json);

struct jp_pool *pool_of(struct pool_world *world, const char *name); /* must exist */
void deliver(struct pool_world *world);                                 /* the kernel's queue, then the disk */
void pass(struct pool_world *world, uint64_t ms);                       /* time, with what is due at every 50 ms, samples too */
void look(struct pool_world *world);                                    /* a sample now */
void assign(struct pool_world *world, const char *pool, uint32_t pid);  /* calls back into joined_* */
uint32_t launch(struct pool_world *world, const char *pool, const char *image); /* the pid; must work */
/* As `assign` and `launch`, from a request of the test's own. NULL, or its place in a queue. */
struct jp_queued *join(struct pool_world *world, const char *pool, struct jp_joining joining);
void on_joined(void *context, jp_status status, const struct jp_error *error, const struct jp_process_record *record, uint64_t seq);
void on_waited(void *context, const struct jp_process_record *record);


#define NEW "JOB_OBJECT_MSG_NEW_PROCESS"
#define EXIT "JOB_OBJECT_MSG_EXIT_PROCESS"
#define CRASH "JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS"
#define ZERO "JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO"
#define TREE "{\"root\": {}, \"a\": {\"parent\": \"root\"}, \"b\": {\"parent\": \"root\"}}"

/* The accounts have the process once, in this pool, with this end. */
void expect_row(struct pool_world *world, uint32_t pid, const char *pool, enum jp_ending ending, uint32_t exit_code);
/* The service has ended it, once, for this reason: the kernel's truth, the row in `home`, one event of the limit's pool (`pid` there
 * only where the limit is a process's own). */
void expect_ended(struct pool_world *world, uint32_t pid, const char *home, uint32_t exit_code);
void expect_told(struct pool_world *world, const char *message, const char *pool, uint32_t pid, size_t times); /* by the service */
void expect_origin(struct pool_world *world, const char *message, enum jp_origin origin); /* of the last event of this message */

#endif
