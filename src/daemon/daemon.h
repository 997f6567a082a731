/* The service's life from the config to the last commit: makes the parts, wires them, runs the loop, takes them down. */
#ifndef JP_DAEMON_DAEMON_H
#define JP_DAEMON_DAEMON_H

#include "daemon/platform.h"

struct jp_daemon;

struct jp_daemon_options {
    const char *program, *version;
    const char *config_file;
    const struct jp_daemon_platform *platform;
    const struct jp_log *console; /* the log goes here; NULL: to the file of the config */
    void *context;
    void (*on_running)(void *context);                         /* clients can connect */
    void (*on_progress)(void *context, uint32_t wait_hint_ms); /* starting or stopping still goes on */
    void (*on_reloaded)(void *context, bool taken, const char *what); /* what changed, or why nothing did */
    void (*on_alarm)(void *context, const char *text); /* what an administrator should see: the database cannot be written, ... */
};

/* What the options point to lives as long as the daemon. */
struct jp_daemon *jp_daemon_new(const struct jp_daemon_options *options);
void jp_daemon_free(struct jp_daemon *daemon);

/* Runs until jp_daemon_stop. A failed start: `error` says why, in a person's words; faults of the config, a line each. */
jp_status jp_daemon_run(struct jp_daemon *daemon, struct jp_error *error, char **ret_config_faults);

/* From any thread; more than once is fine, also before jp_daemon_run. */
void jp_daemon_stop(struct jp_daemon *daemon);
void jp_daemon_reload(struct jp_daemon *daemon);

/* Reads the file. JP_E_CONFIG: *ret_faults has "file:line:column: ..." lines (jp_free) and *ret_data the same as JSON
 * (cJSON_Delete); both are NULL where the file could not be read, which `error` alone tells. */
jp_status jp_daemon_read_config(const struct jp_daemon_platform *platform, const char *file, struct jp_config *ret_config,
                                char **ret_faults, cJSON **ret_data, struct jp_error *error);

/* --- for a platform that moves the clock, on the loop's thread while it runs --- */

/* Does what is due; says when it wants to be called next (platform->now_ms), UINT64_MAX: not before something happens. */
uint64_t jp_daemon_on_time(struct jp_daemon *daemon);
void jp_daemon_drain(struct jp_daemon *daemon); /* what the sinks were told before this call has been handled when it returns */
/* Calls back, later and on the loop's thread, when all that was recorded so far is on the disk, or the disk does not take it. */
void jp_daemon_when_recorded(struct jp_daemon *daemon, void (*callback)(void *context, jp_status status), void *context);
/* jp_daemon_run returns without a farewell to anybody, as if the process had ended. What the platform holds for the daemon, it
 * has taken away already. */
void jp_daemon_abandon(struct jp_daemon *daemon);

#endif
