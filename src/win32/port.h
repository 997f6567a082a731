/* The completion port that job objects report to, and the thread that drains it.
 *
 * It is ours alone: libuv takes the pid that a job's packet carries in lpOverlapped for one of its requests and writes
 * through it. Ends of watched processes are posted to the same port, so that what a job said and what a handle said are
 * told in the order in which they came. */
#ifndef JP_WIN32_PORT_H
#define JP_WIN32_PORT_H

#include "job/job_backend.h"

#include <windows.h>

/* Both are called on the port's thread, one at a time, in the order of arrival; the arrays live until the call returns. */
struct jp_win32_sinks {
    void *context;
    /* Returns how many were taken, from the front. The rest is lost: whoever refuses remembers to read the lists. */
    size_t (*packets)(void *context, const struct jp_job_packet *packets, size_t count);
    /* Must take all: each watched process ends once. */
    void (*exits)(void *context, const uint64_t *watches, size_t count);
};

struct jp_win32_port_counters {
    uint64_t packets; /* job messages that came out of the port */
    uint64_t lost;    /* those that the sink did not take */
    uint64_t exits;
};

enum { JP_WIN32_FIRST_JOB_KEY = 16 }; /* completion keys below this are the port's own */

struct jp_win32_port;

/* There is one port at a time in a process. */
jp_status jp_win32_port_new(const struct jp_win32_sinks *sinks, struct jp_win32_port **ret_port, struct jp_error *error);
/* Stops the thread, having told everything that arrived before. No sink is called after it returns. Watches must be gone. */
void jp_win32_port_free(struct jp_win32_port *port);
void jp_win32_port_counters(const struct jp_win32_port *port, struct jp_win32_port_counters *ret_counters);

/* Makes the job report here under `key` (JP_WIN32_FIRST_JOB_KEY or more). Returns 0 or the Win32 error. */
uint32_t jp_win32_port_attach(struct jp_win32_port *port, HANDLE job, uint64_t key);

/* As if the job of that key had said it: for what measures the way from here on. */
void jp_win32_port_say(struct jp_win32_port *port, const struct jp_job_packet *packet);

/* Tells sinks->exits `watch` (not 0) once when the process has ended. `process` needs SYNCHRONIZE and stays open until
 * jp_win32_unwatch(). */
jp_status jp_win32_watch(HANDLE process, uint64_t watch, HANDLE *ret_wait, struct jp_error *error);
/* What is under way may still be told after this, so numbers are not to be used twice. NULL is fine. */
void jp_win32_unwatch(HANDLE wait);

#endif
