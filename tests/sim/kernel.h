/* A kernel of job objects in plain C, with its own clock and processes: the backend under the tests of what lies above it.
 *
 * What it keeps of Windows' rules: names and handles of jobs, nesting (a second job must lie below the first), children
 * inherit the chain, NEW_PROCESS, EXIT_PROCESS and ACTIVE_PROCESS_ZERO to the port of every job of the chain, none for what
 * TerminateJobObject ends, kill-on-close at the last handle, pids that are reused as soon as nobody holds a handle.
 * Messages and ends wait in a queue until jp_sim_deliver; before that a test can lose, double or reorder them. */
#ifndef JP_SIM_KERNEL_H
#define JP_SIM_KERNEL_H

#include "job/messages.h"
#include "pool/pools.h"

struct jp_sim;

/* In the queue between kernel and pools: a job's packet, or (message 0) the end of the watch `key`. */
struct jp_sim_item {
    uint64_t key;
    uint32_t message, pid;
};

struct jp_sim *jp_sim_new(void);
void jp_sim_free(struct jp_sim *sim); /* all handles must have been closed: it is an error (abort) if one was leaked */
struct jp_backend *jp_sim_backend(struct jp_sim *sim);
struct jp_capabilities *jp_sim_capabilities(struct jp_sim *sim); /* may be changed */

/* The clock. */
uint64_t jp_sim_now_ms(const struct jp_sim *sim);
int64_t jp_sim_now_100ns(const struct jp_sim *sim);
void jp_sim_pass(struct jp_sim *sim, uint64_t ms);

/* Processes. `parent` 0: nobody's child, in no job. */
uint32_t jp_sim_spawn(struct jp_sim *sim, uint32_t parent, const char *image);
void jp_sim_exit(struct jp_sim *sim, uint32_t pid, uint32_t exit_code);
bool jp_sim_alive(const struct jp_sim *sim, uint32_t pid);
bool jp_sim_suspended(const struct jp_sim *sim, uint32_t pid);
int64_t jp_sim_start_time(const struct jp_sim *sim, uint32_t pid);
/* Spawned as a process without a thread: its handle is signalled, its facts are not all there (Wine). */
uint32_t jp_sim_spawn_unborn(struct jp_sim *sim, uint32_t parent, const char *image);
void jp_sim_bear(struct jp_sim *sim, uint32_t pid);
void jp_sim_protect(struct jp_sim *sim, uint32_t pid); /* nobody may open it */
void jp_sim_grow_usage(struct jp_sim *sim, uint32_t pid, uint64_t user_100ns);
void jp_sim_next_pid(struct jp_sim *sim, uint32_t pid); /* the next process gets this one */
size_t jp_sim_job_size(const struct jp_sim *sim, const char *object_name); /* living processes; SIZE_MAX: no such job */
void jp_sim_squat(struct jp_sim *sim, const char *object_name);            /* somebody else owns a job of this name */

/* Faults. */
void jp_sim_fail_next(struct jp_sim *sim, const char *operation, uint32_t win32); /* "AssignProcessToJobObject", ... */
void jp_sim_names_die(struct jp_sim *sim); /* a job's name goes with its last handle (Windows); else with its last process (Wine) */
void jp_sim_deaf(struct jp_sim *sim, bool deaf);                                  /* ports cannot be attached */
struct jp_sim_item *jp_sim_queue(struct jp_sim *sim, size_t *ret_count);          /* to look at and to change */
void jp_sim_queue_set(struct jp_sim *sim, const struct jp_sim_item *items, size_t count);
void jp_sim_queue_drop(struct jp_sim *sim, uint32_t message); /* loses every packet of this kind that waits */

void jp_sim_deliver(struct jp_sim *sim, struct jp_pools *pools); /* everything that waits, in order */

#endif
