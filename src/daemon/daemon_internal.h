/* Shared by the files of this folder: the daemon, and what one file does for the others. */
#ifndef JP_DAEMON_DAEMON_INTERNAL_H
#define JP_DAEMON_DAEMON_INTERNAL_H

#include "daemon/daemon.h"
#include "loop/inbox.h"
#include "loop/logfile.h"
#include "store/store.h"

enum { JP_DAEMON_STOP_HINT_MS = 10000 };

/* Tells one writing of a file from another. */
struct jp__config_stamp {
    int failure; /* of looking at it, libuv's number; else 0 */
    uint64_t inode, size;
    int64_t written_s, written_ns, changed_s, changed_ns;
};

struct jp_daemon {
    struct jp_daemon_options with;
    struct jp_config config;
    struct jp__config_stamp config_stamp; /* of what was read last, taken or refused */
    uv_fs_event_t config_watch;           /* of its folder */
    uint64_t config_due_ms;               /* when it is looked at; UINT64_MAX: nothing has changed */
    char *address;
    int64_t started_100ns;
    uint64_t stop_began_ms, stop_grace_ms;
    uint64_t store_lost;
    bool serving;  /* all is there, clients can connect */
    bool stopping; /* asked to; processes that end with the service are ending */
    bool closing;  /* nothing that happens is recorded any more */
    bool store_closed;
    uint64_t dropped_events; /* that were told of */

    uv_loop_t loop;
    uv_async_t wake; /* stop and reload, from other threads */
    uv_mutex_t mutex;
    bool awake; /* `wake` may be used */
    bool stop_wanted, reload_wanted;
    uv_timer_t timer, progress; /* the latter while all is taken down */
    uv_check_t turn;
    uv_work_t sample_work; /* a look at all processes, on a thread of libuv's pool */
    bool sampling;         /* it is on its way */
    jp_status sample_status;
    struct jp_samples samples;
    struct jp_error sample_error;

    struct jp_logfile logfile;
    struct jp_log log;
    struct jp_inbox port_inbox; /* struct jp_job_packet, in the order in which they came; with message 0, the end of watch `key` */
    struct jp_inbox door_inbox;
    struct jp_store *store;
    struct jp_accounts_start start;
    struct jp_backend *backend;
    struct jp_pools *pools;
    struct jp_rpc *rpc;
    struct jp_server *server;
};

static inline const struct jp_daemon_platform *jp__platform(const struct jp_daemon *daemon) { return daemon->with.platform; }
static inline uint64_t jp__daemon_now_ms(const struct jp_daemon *daemon) {
    return jp__platform(daemon)->now_ms(jp__platform(daemon)->context);
}

static inline struct jp_retention jp__retention(const struct jp_retention_config *config) {
    return (struct jp_retention){.processes_100ns = config->processes_100ns, .events_100ns = config->events_100ns,
                                 .hours_100ns = config->hours_100ns, .samples_100ns = config->samples_100ns,
                                 .audit_100ns = config->audit_100ns, .max_bytes = config->max_size_bytes};
}

/* events.c: what the loop calls while the daemon runs; `context` and `data` are the daemon */
void jp__on_timer(uv_timer_t *timer);
void jp__on_turn(uv_check_t *check); /* of the loop */
void jp__on_wake(uv_async_t *async);
size_t jp__port_packets(void *context, const struct jp_job_packet *packets, size_t count); /* on the port's thread */
void jp__port_exits(void *context, const uint64_t *watches, size_t count);
void jp__on_port_items(void *context, const void *items, size_t count, bool overflowed);
void jp__client_connected(void *context, uv_file file); /* on any thread */
void jp__on_clients(void *context, const void *items, size_t count, bool overflowed);
void jp__on_event(void *context, const struct jp_event *event);
void jp__on_committed(void *context, uint64_t seq);
void jp__on_store_state(void *context);
void jp__on_store_renewed(void *context, const char *kept_as);
void jp__on_store_forgotten(void *context, const char *pool);
void jp__add_status(void *context, cJSON *status);
void jp__reload_by_itself(struct jp_daemon *daemon); /* nobody waits for the answer */
const struct jp_launch_template *jp__find_template(void *context, const char *name);
jp_status jp__reload(void *context, struct jp_reload_result *ret_result, cJSON **ret_data, struct jp_error *error);

/* watch.c */
struct jp__config_stamp jp__config_stamp(const char *file);
void jp__watch_config(struct jp_daemon *daemon);       /* begins or ends it, as the configuration says */
uint64_t jp__watch_on_time(struct jp_daemon *daemon); /* as jp_pools_on_time; may reload */

#endif
