/* What the daemon wants of the system that it runs on. service/ fills this with Windows, tests/sim/ with a kernel of its own.
 *
 * Everything is called on the thread of jp_daemon_run, where nothing else is said. */
#ifndef JP_DAEMON_PLATFORM_H
#define JP_DAEMON_PLATFORM_H

#include "config/config.h"
#include "loop/server.h"

/* What the port said, from whatever thread drains it, one call at a time, in the order of arrival. */
struct jp_daemon_sinks {
    void *context;
    /* Returns how many were taken, from the front. The rest is lost: the lists are read then. */
    size_t (*packets)(void *context, const struct jp_job_packet *packets, size_t count);
    void (*exits)(void *context, const uint64_t *watches, size_t count); /* takes all */
};

/* Where clients come in. */
struct jp_daemon_door {
    const char *address;  /* as platform->address told it */
    const char *security; /* of the config, or NULL */
    uv_loop_t *loop;      /* for a platform that waits for clients there */
    const struct jp_log *log;
    void *context;
    /* From any thread. `file`, a connected stream that jp_server_take can use, is the daemon's from then on. */
    void (*connected)(void *context, uv_file file);
};

struct jp_daemon_platform {
    void *context;

    struct jp_config_host config_host;
    /* Appends the file to `text`, up to JP_CONFIG_MAX_BYTES + 1 bytes, if whoever could write it may tell a service what to do. */
    jp_status (*read_config)(void *context, const char *file, struct jp_str *text, struct jp_error *error);

    int64_t (*now_100ns)(void *context); /* wall clock, FILETIME */
    uint64_t (*now_ms)(void *context);   /* monotonic, for what is due */
    uint64_t (*awake_ms)(void *context); /* monotonic, without the time that the machine slept */
    uint64_t (*total_ms)(void *context); /* monotonic, with it */
    uint32_t service_pid;                /* as the backend's processes see it */
    bool samples_on_loop;                /* the backend's sample is for the loop's thread too */
    /* The clock is moved by somebody, who calls jp_daemon_on_time then: nothing is done because real time passes. */
    bool clock_is_moved;

    jp_status (*backend_new)(void *context, const struct jp_daemon_sinks *sinks, const struct jp_log *log,
                             struct jp_backend **ret_backend, struct jp_error *error);
    void (*backend_free)(void *context, struct jp_backend *backend); /* NULL is fine; no sink is called after it returns */

    char *(*address)(void *context, const char *pipe_name); /* of the config's pipe.name: new memory (jp_free) */
    /* Makes the address ours, before anything else is touched: JP_E_DENIED if it is another's. Whoever connects waits until
     * listen; stop_listening gives the address back. */
    jp_status (*reserve)(void *context, const struct jp_daemon_door *door, struct jp_error *error);
    jp_status (*listen)(void *context, struct jp_error *error); /* at the reserved address: clients can connect */
    void (*stop_listening)(void *context); /* `connected` is not called after this; also when nothing is reserved */
    struct jp_identity identity;

    void (*add_status)(void *context, cJSON *status);               /* to service.status; may be NULL */
    void (*use_log)(void *context, const struct jp_log *log);       /* for what cannot be told otherwise; NULL: it ends; may be NULL */
};

#endif
