/* The composition root: what talks to what. Starting is a ladder of acquisitions, stopping walks it down. */
#include "daemon.h"

#include "base/units.h"
#include "loop/inbox.h"
#include "loop/logfile.h"
#include "loop/server.h"
#include "rpc/rpc.h"
#include "store/store.h"
#include "win32/backend.h"
#include "win32/clock.h"
#include "win32/fatal.h"
#include "win32/pipe_listener.h"
#include "win32/principal.h"

#include <fcntl.h>
#include <io.h>

#define PROGRAM "jobpoold"

enum {
    MAX_PACKETS = 65536,       /* waiting between the port and the loop; past that the lists are read */
    STOP_HINT_MS = 10000,
    STOP_PATIENCE_MS = 20000,  /* for the ends of processes that end with the service */
    STOP_STEP_MS = 1000,
};

/* What the port said, in the order in which it came: a job's packet, or (message 0) the end of watch `key`. */
struct port_item {
    uint64_t key;
    uint32_t message, pid;
};

struct jp_daemon {
    struct jp_daemon_options with;
    struct jp_config config;
    char *pipe_name;
    int64_t started_100ns;
    uint64_t stop_began_ms;
    uint64_t store_lost;
    bool stopping; /* asked to; processes that end with the service are ending */
    bool closing;  /* nothing that happens is recorded any more */
    bool store_closed;

    uv_loop_t loop;
    uv_async_t wake; /* stop and reload, from other threads */
    uv_mutex_t mutex;
    bool awake; /* `wake` may be used */
    bool stop_wanted, reload_wanted;
    uv_timer_t timer;
    uv_check_t turn;

    struct jp_logfile logfile;
    struct jp_log log;
    struct jp_inbox port_inbox, pipe_inbox;
    struct jp_store *store;
    struct jp_accounts_start start;
    struct jp_backend *backend;
    struct jp_pools *pools;
    struct jp_rpc *rpc;
    struct jp_server *server;
    struct jp_win32_listener *listener;
};

/* --- time --- */

static int64_t clock_100ns(void *context) {
    (void)context;
    return jp_win32_now_100ns();
}

static uint64_t clock_ms(void *context) {
    (void)context;
    return jp_win32_now_ms();
}

static void on_timer(uv_timer_t *timer);

/* After anything that happened: does what is due and sleeps until the next. */
static void look_at_time(struct jp_daemon *daemon) {
    uint64_t pools = jp_pools_on_time(daemon->pools), calls = jp_rpc_on_time(daemon->rpc);
    uint64_t next = pools < calls ? pools : calls;
    if (next == UINT64_MAX) {
        uv_timer_stop(&daemon->timer);
        return;
    }
    uint64_t now = jp_win32_now_ms();
    uv_timer_start(&daemon->timer, on_timer, next > now ? next - now : 0, 0);
}

static void stop_step(struct jp_daemon *daemon);

static void on_timer(uv_timer_t *timer) {
    struct jp_daemon *daemon = timer->data;
    if (daemon->stopping)
        stop_step(daemon);
    else
        look_at_time(daemon);
}

/* Requests change what is due as well; once for all that the loop did in this turn. */
static void on_turn(uv_check_t *check) {
    struct jp_daemon *daemon = check->data;
    if (daemon->listener && !daemon->stopping && !daemon->closing)
        look_at_time(daemon);
}

/* --- the port --- */

static size_t port_packets(void *context, const struct jp_job_packet *packets, size_t count) {
    struct jp_daemon *daemon = context;
    for (size_t i = 0; i < count; i++) {
        struct port_item item = {.key = packets[i].key, .message = packets[i].message, .pid = packets[i].pid};
        if (!jp_inbox_push(&daemon->port_inbox, &item, 1, false))
            return i;
    }
    return count;
}

static void port_exits(void *context, const uint64_t *watches, size_t count) {
    struct jp_daemon *daemon = context;
    for (size_t i = 0; i < count; i++) {
        struct port_item item = {.key = watches[i]};
        jp_inbox_push(&daemon->port_inbox, &item, 1, true);
    }
}

static void on_port_items(void *context, const void *items, size_t count, bool overflowed) {
    struct jp_daemon *daemon = context;
    const struct port_item *item = items;
    if (!daemon->pools || daemon->closing)
        return;
    for (size_t i = 0; i < count; i++, item++) {
        struct jp_job_packet packet = {.key = item->key, .message = item->message, .pid = item->pid};
        if (item->message)
            jp_pools_on_packets(daemon->pools, &packet, 1);
        else
            jp_pools_on_exit(daemon->pools, item->key);
    }
    if (overflowed)
        jp_pools_on_overflow(daemon->pools);
    if (daemon->stopping)
        stop_step(daemon);
}

/* --- the pipe --- */

static void pipe_connected(void *context, HANDLE pipe) {
    struct jp_daemon *daemon = context;
    jp_inbox_push(&daemon->pipe_inbox, &pipe, 1, true); /* the server bounds them, and tells those whom it refuses */
}

static void on_pipes(void *context, const void *items, size_t count, bool overflowed) {
    struct jp_daemon *daemon = context;
    const HANDLE *pipes = items;
    (void)overflowed;
    for (size_t i = 0; i < count; i++) {
        int file = daemon->stopping ? -1 : _open_osfhandle((intptr_t)pipes[i], _O_BINARY);
        if (file < 0)
            CloseHandle(pipes[i]);
        else
            jp_server_take(daemon->server, file);
    }
}

static const struct jp_identity pipe_identity = {
    .identify = jp_win32_principal_from_pipe,
    .principal_free = jp_win32_principal_free,
};

/* --- events and the store --- */

static void on_event(void *context, const struct jp_event *event) {
    struct jp_daemon *daemon = context;
    if (daemon->rpc)
        jp_rpc_on_event(daemon->rpc, event);
}

static void on_committed(void *context, uint64_t seq) {
    struct jp_daemon *daemon = context;
    if (daemon->rpc)
        jp_rpc_on_committed(daemon->rpc, seq);
}

/* --- service.status and service.reload --- */

static void add_status(void *context, cJSON *status) {
    struct jp_daemon *daemon = context;
    struct jp_win32_port_counters port;
    cJSON_AddStringToObject(status, "program", PROGRAM);
    cJSON_AddStringToObject(status, "version", JP_VERSION);
    jp_json_add_u64(status, "pid", GetCurrentProcessId());
    jp_json_add_time(status, "started", daemon->started_100ns);
    cJSON_AddStringToObject(status, "config", daemon->with.config_file);
    cJSON_AddStringToObject(status, "pipe", daemon->pipe_name);
    jp_json_add_string(status, "host", daemon->backend->ops->capabilities(daemon->backend)->host);
    cJSON *database = cJSON_AddObjectToObject(status, "database");
    cJSON_AddStringToObject(database, "file", daemon->config.database.file);
    jp_win32_backend_counters(daemon->backend, &port);
    cJSON *counters = cJSON_AddObjectToObject(status, "port");
    jp_json_add_u64(counters, "packets", port.packets);
    jp_json_add_u64(counters, "overflows", port.lost);
}

static jp_status reload(void *context, struct jp_reload_result *ret_result, cJSON **ret_data, struct jp_error *error) {
    struct jp_daemon *daemon = context;
    struct jp_config fresh = {0};
    char *faults;
    jp_status status = jp_daemon_read_config(daemon->with.config_file, daemon->with.trust, &fresh, &faults, ret_data, error);
    if (status == JP_OK)
        status = jp_pools_load(daemon->pools, fresh.pools, fresh.pool_count, ret_result, error);
    if (status) {
        jp_log(&daemon->log, JP_LOG_ERROR, "reload refused, nothing was changed: %s", faults ? faults : error->text);
        daemon->with.on_reloaded(daemon->with.context, false, faults ? faults : error->text);
    } else {
        if (jp_config_needs_restart(&daemon->config, &fresh))
            jp_log(&daemon->log, JP_LOG_WARNING, "log, database or pipe changed in the configuration: that takes effect when the service is restarted");
        char *what = jp_sprintf("%zu added, %zu changed, %zu removed, %zu kept until empty", ret_result->added.count,
                                ret_result->changed.count, ret_result->removed.count, ret_result->orphaned.count);
        jp_log(&daemon->log, JP_LOG_INFO, "configuration reloaded: pools %s", what);
        jp_pools_note(daemon->pools, "CONFIG_RELOADED", what);
        daemon->with.on_reloaded(daemon->with.context, true, what);
        jp_free(what);
    }
    jp_free(faults);
    jp_config_free(&fresh);
    return status;
}

static void reload_by_control(struct jp_daemon *daemon) {
    struct jp_reload_result result = {0};
    struct jp_error error;
    cJSON *data = NULL;
    if (reload(daemon, &result, &data, &error) == JP_OK)
        jp_reload_result_clear(&result);
    cJSON_Delete(data);
}

/* --- stopping --- */

static void close_handle(uv_handle_t *handle, void *context) {
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void on_store_closed(void *context, uint64_t lost) {
    struct jp_daemon *daemon = context;
    daemon->store_lost = lost;
    daemon->store_closed = true;
}

/* The processes that end with the service are given time to be seen ending, so that the accounts say how. */
static void stop_step(struct jp_daemon *daemon) {
    bool done = jp_pools_stop(daemon->pools);
    jp_pools_on_time(daemon->pools);
    bool patient = jp_win32_now_ms() - daemon->stop_began_ms < STOP_PATIENCE_MS;
    if (done || !patient) {
        if (!done)
            jp_log(&daemon->log, JP_LOG_WARNING, "some processes did not end in %d ms; the jobs are closed on them", STOP_PATIENCE_MS);
        uv_stop(&daemon->loop);
        return;
    }
    daemon->with.on_progress(daemon->with.context, STOP_HINT_MS);
    uv_timer_start(&daemon->timer, on_timer, STOP_STEP_MS, 0);
}

static void begin_stop(struct jp_daemon *daemon) {
    if (daemon->stopping)
        return;
    daemon->stopping = true;
    daemon->stop_began_ms = jp_win32_now_ms();
    jp_log(&daemon->log, JP_LOG_INFO, "stopping");
    jp_pools_note(daemon->pools, "SERVICE_STOPPING", NULL);
    daemon->with.on_progress(daemon->with.context, STOP_HINT_MS);
    stop_step(daemon);
}

static void on_wake(uv_async_t *async) {
    struct jp_daemon *daemon = async->data;
    uv_mutex_lock(&daemon->mutex);
    bool stop = daemon->stop_wanted, reload_now = daemon->reload_wanted;
    daemon->reload_wanted = false;
    uv_mutex_unlock(&daemon->mutex);
    if (daemon->closing)
        return;
    if (reload_now && !stop)
        reload_by_control(daemon);
    if (stop)
        begin_stop(daemon);
}

static void want(struct jp_daemon *daemon, bool *flag) {
    uv_mutex_lock(&daemon->mutex);
    *flag = true;
    if (daemon->awake)
        uv_async_send(&daemon->wake);
    uv_mutex_unlock(&daemon->mutex);
}

void jp_daemon_stop(struct jp_daemon *daemon) { want(daemon, &daemon->stop_wanted); }
void jp_daemon_reload(struct jp_daemon *daemon) { want(daemon, &daemon->reload_wanted); }

/* --- starting --- */

static jp_status open_log(struct jp_daemon *daemon, struct jp_error *error) {
    if (daemon->with.console) {
        daemon->log = *daemon->with.console;
        daemon->log.level = (enum jp_log_level)daemon->config.log.level;
        return JP_OK;
    }
    jp_status status = jp_logfile_open(&daemon->logfile, daemon->config.log.file, daemon->config.log.max_size_bytes, daemon->config.log.keep, error);
    if (status == JP_OK)
        daemon->log = (struct jp_log){.level = (enum jp_log_level)daemon->config.log.level, .write = jp_logfile_write, .sink = &daemon->logfile};
    return status;
}

static jp_status open_store(struct jp_daemon *daemon, struct jp_error *error) {
    struct jp_store_options options = {
        .file = daemon->config.database.file,
        .flush_interval_ms = daemon->config.database.flush_interval_100ns / JP_100NS_PER_MS,
        .max_backlog = daemon->config.database.max_backlog,
        .log = &daemon->log,
        .loop = &daemon->loop,
        .context = daemon,
        .on_committed = on_committed,
    };
    return jp_store_open(&options, &daemon->store, &daemon->start, error);
}

static jp_status open_backend(struct jp_daemon *daemon, struct jp_error *error) {
    struct jp_win32_backend_options options = {
        .sinks = {.context = daemon, .packets = port_packets, .exits = port_exits},
        .log = &daemon->log,
    };
    return jp_win32_backend_new(&options, &daemon->backend, error);
}

/* What the host's kernel does not keep is said once, before a pool relies on it. */
static void log_capabilities(struct jp_daemon *daemon) {
    const struct jp_capabilities *host = daemon->backend->ops->capabilities(daemon->backend);
    struct jp_str missing = {0};
    for (size_t i = 0; i < JP_LIMIT_COUNT; i++)
        if (host->limits[i] == JP_ENFORCED_BY_NONE)
            jp_str_printf(&missing, "%s%s", missing.length ? ", " : "", jp_limit_fields[i].key);
    jp_log(&daemon->log, JP_LOG_INFO, "host: %s; nested jobs: %s; CPU times of processes: %s; I/O counters: %s", host->host,
           host->nested_jobs ? "yes" : "no", host->process_times ? "yes" : "no", host->process_io ? "yes" : "no");
    if (missing.length)
        jp_log(&daemon->log, JP_LOG_WARNING, "this host's kernel accepts but does not keep these limits: %s", jp_str_text(&missing));
    jp_str_free(&missing);
}

static jp_status make_pools(struct jp_daemon *daemon, struct jp_error *error) {
    struct jp_pools_surroundings surroundings = {
        .backend = daemon->backend,
        .accounts = jp_store_accounts(daemon->store),
        .log = &daemon->log,
        .environment = jp_daemon_config_host.environment,
        .context = daemon,
        .now_100ns = clock_100ns,
        .now_ms = clock_ms,
        .on_event = on_event,
    };
    struct jp_reload_result loaded;
    daemon->pools = jp_pools_new(&surroundings, &daemon->start);
    struct jp_rpc_setup setup = {
        .pools = daemon->pools,
        .accounts = surroundings.accounts,
        .backend = daemon->backend,
        .log = &daemon->log,
        .program = {.context = daemon, .add_status = add_status, .reload = reload},
        .now_ms = clock_ms,
    };
    daemon->rpc = jp_rpc_new(&setup, daemon->start.last_seq);
    jp_pools_note(daemon->pools, "SERVICE_STARTED", JP_VERSION);
    jp_status status = jp_pools_load(daemon->pools, daemon->config.pools, daemon->config.pool_count, &loaded, error);
    if (status)
        return status;
    jp_reload_result_clear(&loaded);
    jp_pools_adopt(daemon->pools, &daemon->start);
    return JP_OK;
}

static jp_status open_door(struct jp_daemon *daemon, struct jp_error *error) {
    struct jp_server_options server = {.loop = &daemon->loop, .rpc = daemon->rpc, .identity = &pipe_identity, .log = &daemon->log,
                                       .max_connections = daemon->config.pipe.max_connections};
    struct jp_win32_listener_options listener = {.name = daemon->pipe_name, .security = daemon->config.pipe.security,
                                                 .connected = pipe_connected, .context = daemon, .log = &daemon->log};
    daemon->server = jp_server_new(&server);
    return jp_win32_listener_new(&listener, &daemon->listener, error);
}

static jp_status start(struct jp_daemon *daemon, struct jp_error *error) {
    jp_status status = open_log(daemon, error);
    if (status)
        return status;
    jp_win32_fatal_log(&daemon->log);
    jp_log(&daemon->log, JP_LOG_INFO, "%s %s starts with %s", PROGRAM, JP_VERSION, daemon->with.config_file);
    daemon->pipe_name = jp_sprintf("\\\\.\\pipe\\%s", daemon->config.pipe.name);
    daemon->started_100ns = jp_win32_now_100ns();
    if ((status = jp_inbox_open(&daemon->port_inbox, &daemon->loop, sizeof(struct port_item), MAX_PACKETS, on_port_items, daemon, error)) ||
        (status = jp_inbox_open(&daemon->pipe_inbox, &daemon->loop, sizeof(HANDLE), SIZE_MAX, on_pipes, daemon, error)) ||
        (status = open_store(daemon, error)))
        return status;
    daemon->with.on_progress(daemon->with.context, STOP_HINT_MS);
    if ((status = open_backend(daemon, error)))
        return status;
    log_capabilities(daemon);
    if ((status = make_pools(daemon, error)))
        return status;
    daemon->with.on_progress(daemon->with.context, STOP_HINT_MS);
    return open_door(daemon, error);
}

static void close_all_handles(struct jp_daemon *daemon) {
    uv_mutex_lock(&daemon->mutex);
    daemon->awake = false;
    uv_mutex_unlock(&daemon->mutex);
    if (daemon->port_inbox.receive)
        jp_inbox_close(&daemon->port_inbox);
    if (daemon->pipe_inbox.receive)
        jp_inbox_close(&daemon->pipe_inbox);
    uv_walk(&daemon->loop, close_handle, NULL);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
}

/* Down the ladder; each step copes with a start that did not get so far. Whoever waits for the disk is called while the store
 * closes, so the pools outlive it; jobs are closed, and with them what ends with the service, when all is recorded. */
static void take_down(struct jp_daemon *daemon) {
    daemon->closing = true;
    jp_win32_listener_free(daemon->listener);
    if (daemon->server)
        jp_server_stop(daemon->server);
    while (daemon->rpc && jp_rpc_connection_count(daemon->rpc))
        uv_run(&daemon->loop, UV_RUN_ONCE);
    daemon->with.on_progress(daemon->with.context, STOP_HINT_MS);
    if (daemon->store)
        jp_store_close(daemon->store, on_store_closed, daemon);
    while (daemon->store && !daemon->store_closed)
        uv_run(&daemon->loop, UV_RUN_ONCE);
    jp_pools_free(daemon->pools);
    jp_win32_backend_free(daemon->backend);
    close_all_handles(daemon);
    jp_rpc_free(daemon->rpc);
    jp_server_free(daemon->server);
    jp_accounts_start_clear(&daemon->start);
    if (daemon->store_lost)
        jp_log(&daemon->log, JP_LOG_ERROR, "%llu records could not be written to the database any more", (unsigned long long)daemon->store_lost);
}

jp_status jp_daemon_run(struct jp_daemon *daemon, struct jp_error *error, char **ret_config_faults) {
    cJSON *data;
    jp_status status = jp_daemon_read_config(daemon->with.config_file, daemon->with.trust, &daemon->config, ret_config_faults, &data, error);
    cJSON_Delete(data);
    if (status)
        return status;
    status = start(daemon, error);
    if (status == JP_OK) {
        jp_log(&daemon->log, JP_LOG_INFO, "serving %zu pools on %s", daemon->config.pool_count, daemon->pipe_name);
        daemon->with.on_running(daemon->with.context);
        look_at_time(daemon);
        uv_run(&daemon->loop, UV_RUN_DEFAULT);
    } else {
        jp_log(&daemon->log, JP_LOG_ERROR, "cannot start: %s", error->text);
    }
    take_down(daemon);
    jp_log(&daemon->log, JP_LOG_INFO, "stopped");
    jp_win32_fatal_log(NULL);
    if (daemon->logfile.path)
        jp_logfile_close(&daemon->logfile);
    jp_free(daemon->pipe_name);
    jp_config_free(&daemon->config);
    return status;
}

struct jp_daemon *jp_daemon_new(const struct jp_daemon_options *options) {
    struct jp_daemon *daemon = jp_alloc(sizeof *daemon);
    daemon->with = *options;
    uv_loop_init(&daemon->loop);
    uv_mutex_init(&daemon->mutex);
    uv_async_init(&daemon->loop, &daemon->wake, on_wake);
    daemon->wake.data = daemon;
    uv_timer_init(&daemon->loop, &daemon->timer);
    daemon->timer.data = daemon;
    uv_check_init(&daemon->loop, &daemon->turn);
    daemon->turn.data = daemon;
    uv_check_start(&daemon->turn, on_turn);
    daemon->awake = true;
    return daemon;
}

void jp_daemon_free(struct jp_daemon *daemon) {
    uv_loop_close(&daemon->loop);
    uv_mutex_destroy(&daemon->mutex);
    jp_free(daemon);
}
