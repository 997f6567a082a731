/* What talks to what. Starting is a ladder of acquisitions, stopping walks it down. */
#include "daemon/daemon_internal.h"

#include "base/units.h"

enum { PROGRESS_MS = JP_DAEMON_STOP_HINT_MS / 4 };
enum { HOLD_RECORD_MS = 1000 }; /* what a start records is one commit, after it: nobody waits for it, and the clients do for the start */
enum { MAX_PACKETS = 65536 }; /* waiting between the port and the loop; past that the lists are read */

static int64_t clock_100ns(void *context) {
    const struct jp_daemon *daemon = context;
    return jp__platform(daemon)->now_100ns(jp__platform(daemon)->context);
}

static uint64_t clock_ms(void *context) { return jp__daemon_now_ms(context); }

static uint64_t clock_awake_ms(void *context) {
    const struct jp_daemon *daemon = context;
    return jp__platform(daemon)->awake_ms(jp__platform(daemon)->context);
}

static uint64_t clock_total_ms(void *context) {
    const struct jp_daemon *daemon = context;
    return jp__platform(daemon)->total_ms(jp__platform(daemon)->context);
}

static void report_progress(struct jp_daemon *daemon) { daemon->with.on_progress(daemon->with.context, JP_DAEMON_STOP_HINT_MS); }

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

static void use_log(const struct jp_daemon *daemon, const struct jp_log *log) {
    if (jp__platform(daemon)->use_log)
        jp__platform(daemon)->use_log(jp__platform(daemon)->context, log);
}

static jp_status open_store(struct jp_daemon *daemon, struct jp_error *error) {
    struct jp_store_options options = {
        .file = daemon->config.database.file,
        .flush_interval_ms = daemon->config.database.flush_interval_100ns / JP_100NS_PER_MS,
        .hold_ms = HOLD_RECORD_MS,
        .max_backlog = daemon->config.database.max_backlog,
        .retention = jp__retention(&daemon->config.retention),
        .log = &daemon->log,
        .loop = &daemon->loop,
        .context = daemon,
        .service_pid = jp__platform(daemon)->service_pid,
        .on_committed = jp__on_committed,
        .on_state = jp__on_store_state,
        .on_renewed = jp__on_store_renewed,
        .on_forgotten = jp__on_store_forgotten,
    };
    return jp_store_open(&options, &daemon->store, &daemon->start, error);
}

static jp_status open_backend(struct jp_daemon *daemon, struct jp_error *error) {
    struct jp_daemon_sinks sinks = {.context = daemon, .packets = jp__port_packets, .exits = jp__port_exits};
    return jp__platform(daemon)->backend_new(jp__platform(daemon)->context, &sinks, &daemon->log, &daemon->backend, error);
}

/* What the host's kernel does not keep is said once, before a pool relies on it: a line each. */
static void log_capabilities(struct jp_daemon *daemon) {
    const struct jp_capabilities *host = daemon->backend->ops->capabilities(daemon->backend);
    jp_log(&daemon->log, JP_LOG_INFO, "host: %s; nested jobs: %s; CPU times of processes: %s; I/O counters: %s", host->host,
           host->nested_jobs ? "yes" : "no", host->process_times ? "yes" : "no", host->process_io ? "yes" : "no");
    for (size_t i = 0; i < JP_LIMIT_COUNT; i++) {
        enum jp_enforcer by = jp_policy_enforcer(host, NULL, (enum jp_limit)i);
        if (by != JP_ENFORCED_BY_KERNEL)
            jp_log(&daemon->log, by == JP_ENFORCED_BY_NONE ? JP_LOG_WARNING : JP_LOG_INFO, "limit %s: this host's kernel does not keep it; %s",
                   jp_limit_fields[i].key, by == JP_ENFORCED_BY_NONE ? "nobody does" : "the service does");
    }
}

static jp_status make_pools(struct jp_daemon *daemon, struct jp_error *error) {
    struct jp_pools_surroundings surroundings = {
        .backend = daemon->backend,
        .accounts = jp_store_accounts(daemon->store),
        .log = &daemon->log,
        .environment = jp__platform(daemon)->config_host.environment,
        .context = daemon,
        .now_100ns = clock_100ns,
        .now_ms = clock_ms,
        .awake_ms = clock_awake_ms,
        .total_ms = clock_total_ms,
        .sample_interval_ms = daemon->config.sampling.interval_100ns / JP_100NS_PER_MS,
        .record_interval_ms = daemon->config.sampling.record_100ns / JP_100NS_PER_MS,
        .on_event = jp__on_event,
    };
    daemon->pools = jp_pools_new(&surroundings, &daemon->start);
    struct jp_rpc_setup setup = {
        .pools = daemon->pools,
        .accounts = surroundings.accounts,
        .backend = daemon->backend,
        .log = &daemon->log,
        .program = {.context = daemon, .version = daemon->with.version, .add_status = jp__add_status, .reload = jp__reload, .find_template = jp__find_template},
        .quotas = daemon->config.quotas,
        .clock_context = daemon,
        .now_ms = clock_ms,
        .now_100ns = clock_100ns,
    };
    jp_pools_set_access(daemon->pools, &daemon->config.access);
    daemon->rpc = jp_rpc_new(&setup, daemon->start.last_seq);
    jp_pools_note(daemon->pools, "SERVICE_STARTED", daemon->with.version);
    jp_status status = jp_pools_load(daemon->pools, daemon->config.pools, daemon->config.pool_count, NULL, error);
    if (status)
        return status;
    jp_pools_adopt(daemon->pools, &daemon->start);
    jp_accounts_start_clear(&daemon->start);
    return JP_OK;
}

/* Two services on one address would take each other's jobs: the second one ends here, before it has touched anything. */
static jp_status reserve_door(struct jp_daemon *daemon, struct jp_error *error) {
    struct jp_daemon_door door = {.address = daemon->address, .security = daemon->config.pipe.security, .loop = &daemon->loop,
                                  .log = &daemon->log, .context = daemon, .connected = jp__client_connected};
    return jp__platform(daemon)->reserve(jp__platform(daemon)->context, &door, error);
}

static jp_status open_door(struct jp_daemon *daemon, struct jp_error *error) {
    struct jp_server_options server = {.loop = &daemon->loop, .rpc = daemon->rpc, .identity = &jp__platform(daemon)->identity,
                                       .log = &daemon->log};
    daemon->server = jp_server_new(&server);
    return jp__platform(daemon)->listen(jp__platform(daemon)->context, error);
}

static jp_status start(struct jp_daemon *daemon, struct jp_error *error) {
    daemon->address = jp__platform(daemon)->address(jp__platform(daemon)->context, daemon->config.pipe.name);
    daemon->started_100ns = clock_100ns(daemon);
    jp_status status = reserve_door(daemon, error);
    if (status == JP_OK)
        status = open_log(daemon, error);
    if (status)
        return status;
    use_log(daemon, &daemon->log);
    jp_log(&daemon->log, JP_LOG_INFO, "%s %s starts with %s", daemon->with.program, daemon->with.version, daemon->with.config_file);
    if ((status = jp_inbox_open(&daemon->port_inbox, &daemon->loop, sizeof(struct jp_job_packet), MAX_PACKETS, jp__on_port_items, daemon, error)) ||
        (status = jp_inbox_open(&daemon->door_inbox, &daemon->loop, sizeof(uv_file), SIZE_MAX, jp__on_clients, daemon, error)) ||
        (status = open_store(daemon, error)))
        return status;
    report_progress(daemon);
    if ((status = open_backend(daemon, error)))
        return status;
    log_capabilities(daemon);
    if ((status = make_pools(daemon, error)))
        return status;
    report_progress(daemon);
    return open_door(daemon, error);
}

/* --- stopping --- */

static void on_store_closed(void *context, uint64_t lost) {
    struct jp_daemon *daemon = context;
    daemon->store_lost = lost;
    daemon->store_closed = true;
}

static void close_handle(uv_handle_t *handle, void *context) {
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void close_all_handles(struct jp_daemon *daemon) {
    uv_mutex_lock(&daemon->mutex);
    daemon->awake = false;
    uv_mutex_unlock(&daemon->mutex);
    if (daemon->port_inbox.receive)
        jp_inbox_close(&daemon->port_inbox);
    if (daemon->door_inbox.receive)
        jp_inbox_close(&daemon->door_inbox);
    uv_walk(&daemon->loop, close_handle, NULL);
    uv_run(&daemon->loop, UV_RUN_DEFAULT);
}

/* On the loop, and on no thread of its own: a loop that hangs makes no progress. */
static void on_progress_due(uv_timer_t *timer) { report_progress(timer->data); }

/* Down the ladder; each step copes with a start that did not get so far. Whoever waits for the disk is called while the store
 * closes, so the pools outlive it; jobs are closed, and with them what ends with the service, when all is recorded. */
static void take_down(struct jp_daemon *daemon) {
    daemon->closing = true;
    uv_timer_start(&daemon->progress, on_progress_due, PROGRESS_MS, PROGRESS_MS); /* the disk may take its time */
    jp__platform(daemon)->stop_listening(jp__platform(daemon)->context);
    if (daemon->door_inbox.receive)
        jp_inbox_drain(&daemon->door_inbox); /* closes those who have come meanwhile */
    if (daemon->server)
        jp_server_stop(daemon->server);
    while (daemon->rpc && jp_rpc_connection_count(daemon->rpc))
        uv_run(&daemon->loop, UV_RUN_ONCE);
    report_progress(daemon);
    if (daemon->rpc)
        jp_rpc_stopping(daemon->rpc);
    if (daemon->store)
        jp_store_close(daemon->store, on_store_closed, daemon);
    while ((daemon->store && !daemon->store_closed) || daemon->sampling)
        uv_run(&daemon->loop, UV_RUN_ONCE);
    jp_pools_free(daemon->pools);
    jp__platform(daemon)->backend_free(jp__platform(daemon)->context, daemon->backend);
    close_all_handles(daemon);
    jp_rpc_free(daemon->rpc);
    jp_server_free(daemon->server);
    jp_accounts_start_clear(&daemon->start);
    if (daemon->store_lost)
        jp_log(&daemon->log, JP_LOG_ERROR, "%llu records could not be written to the database any more", (unsigned long long)daemon->store_lost);
}

/* --- the whole life --- */

jp_status jp_daemon_run(struct jp_daemon *daemon, struct jp_error *error, char **ret_config_faults) {
    cJSON *data;
    daemon->config_stamp = jp__config_stamp(daemon->with.config_file);
    jp_status status = jp_daemon_read_config(jp__platform(daemon), daemon->with.config_file, &daemon->config, ret_config_faults, &data, error);
    cJSON_Delete(data);
    if (status)
        return status;
    status = start(daemon, error);
    if (status == JP_OK) {
        jp_log(&daemon->log, JP_LOG_INFO, "serving %zu pools on %s", daemon->config.pool_count, daemon->address);
        jp_store_release(daemon->store);
        jp_config_free_pools(&daemon->config);
        daemon->serving = true;
        jp__watch_config(daemon);
        daemon->with.on_running(daemon->with.context);
        jp__on_turn(&daemon->turn);
        uv_run(&daemon->loop, UV_RUN_DEFAULT);
    } else {
        jp_log(&daemon->log, JP_LOG_ERROR, "cannot start: %s", error->text);
    }
    take_down(daemon);
    jp_log(&daemon->log, JP_LOG_INFO, "stopped");
    use_log(daemon, NULL);
    if (daemon->logfile.path)
        jp_logfile_close(&daemon->logfile);
    jp_free(daemon->address);
    jp_config_free(&daemon->config);
    return status;
}

struct jp_daemon *jp_daemon_new(const struct jp_daemon_options *options) {
    struct jp_daemon *daemon = jp_alloc(sizeof *daemon);
    daemon->with = *options;
    uv_loop_init(&daemon->loop);
    uv_mutex_init(&daemon->mutex);
    uv_async_init(&daemon->loop, &daemon->wake, jp__on_wake);
    daemon->wake.data = daemon;
    uv_timer_init(&daemon->loop, &daemon->timer);
    daemon->timer.data = daemon;
    uv_timer_init(&daemon->loop, &daemon->progress);
    daemon->progress.data = daemon;
    uv_fs_event_init(&daemon->loop, &daemon->config_watch);
    daemon->config_watch.data = daemon;
    daemon->config_due_ms = UINT64_MAX;
    uv_check_init(&daemon->loop, &daemon->turn);
    daemon->turn.data = daemon;
    uv_check_start(&daemon->turn, jp__on_turn);
    daemon->awake = true;
    return daemon;
}

void jp_daemon_free(struct jp_daemon *daemon) {
    uv_loop_close(&daemon->loop);
    uv_mutex_destroy(&daemon->mutex);
    jp_free(daemon);
}
