/* The service's life from the config to the last commit: makes the parts, wires them, runs the loop, takes them down. */
#ifndef JP_SERVICE_DAEMON_H
#define JP_SERVICE_DAEMON_H

#include "base/log.h"
#include "config/config.h"
#include "win32/trusted_file.h"

struct jp_daemon;

struct jp_daemon_options {
    const char *config_file;
    const struct jp_log *console; /* the log goes here; NULL: to the file of the config */
    enum jp_win32_trust trust;    /* in the config's file */
    void *context;
    void (*on_running)(void *context);                         /* clients can connect */
    void (*on_progress)(void *context, uint32_t wait_hint_ms); /* starting or stopping still goes on */
    void (*on_reloaded)(void *context, bool taken, const char *what); /* what changed, or why nothing did */
};

struct jp_daemon *jp_daemon_new(const struct jp_daemon_options *options);
void jp_daemon_free(struct jp_daemon *daemon);

/* Runs until jp_daemon_stop. A failed start: `error` says why, in a person's words; faults of the config, a line each. */
jp_status jp_daemon_run(struct jp_daemon *daemon, struct jp_error *error, char **ret_config_faults);

/* From any thread; more than once is fine, also before jp_daemon_run. */
void jp_daemon_stop(struct jp_daemon *daemon);
void jp_daemon_reload(struct jp_daemon *daemon);

/* What this system says to a config: its environment, and what a security descriptor is. */
extern const struct jp_config_host jp_daemon_config_host;

/* Reads the file. JP_E_CONFIG: *ret_faults has "file:line:column: ..." lines (jp_free) and *ret_data the same as JSON
 * (cJSON_Delete); both are NULL where the file could not be read, which `error` alone tells. */
jp_status jp_daemon_read_config(const char *file, enum jp_win32_trust trust, struct jp_config *ret_config, char **ret_faults,
                                cJSON **ret_data, struct jp_error *error);

#endif
