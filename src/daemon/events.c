/* What happens while the daemon runs: time, the port, clients, commits, reload and stop. */
#include "daemon/daemon_internal.h"

#include "base/units.h"

#include <inttypes.h>
#include <string.h>

enum {
    STOP_PATIENCE_MS = 20000, /* for the ends of processes that end with the service, when their grace is over */
    STOP_STEP_MS = 1000,
};

/* --- time --- */

static void stop_step(struct jp_daemon *daemon);

static void take_sample(struct jp_daemon *daemon) {
    daemon->samples = (struct jp_samples){0};
    daemon->sample_status = daemon->backend->ops->sample(daemon->backend, &daemon->samples, &daemon->sample_error);
}

static void sample_off_loop(uv_work_t *work) { take_sample(work->data); }

static void tell_sample(struct jp_daemon *daemon) {
    jp_pools_on_sample(daemon->pools, daemon->sample_status, &daemon->samples, &daemon->sample_error);
}

static void on_sampled(uv_work_t *work, int status) {
    struct jp_daemon *daemon = work->data;
    daemon->sampling = false;
    if (daemon->closing || status)
        jp_samples_clear(&daemon->samples);
    else
        tell_sample(daemon);
}

/* One look at a time; what is due meanwhile is due when it is back. */
static uint64_t sample_if_due(struct jp_daemon *daemon) {
    uint64_t next = jp_pools_next_sample_ms(daemon->pools);
    if (daemon->sampling)
        return UINT64_MAX;
    if (next > jp__daemon_now_ms(daemon))
        return next;
    if (jp__platform(daemon)->samples_on_loop) {
        take_sample(daemon);
        tell_sample(daemon);
        return jp_pools_next_sample_ms(daemon->pools);
    }
    daemon->sample_work.data = daemon;
    daemon->sampling = uv_queue_work(&daemon->loop, &daemon->sample_work, sample_off_loop, on_sampled) == 0;
    return UINT64_MAX;
}

static uint64_t do_what_is_due(struct jp_daemon *daemon) {
    uint64_t next = jp__watch_on_time(daemon);
    uint64_t others[] = {sample_if_due(daemon), jp_pools_on_time(daemon->pools), jp_rpc_on_time(daemon->rpc)};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i] < next)
            next = others[i];
    return next;
}

static void sleep_for(struct jp_daemon *daemon, uint64_t ms) {
    if (!jp__platform(daemon)->clock_is_moved)
        uv_timer_start(&daemon->timer, jp__on_timer, ms, 0);
}

/* After anything that happened: does what is due and sleeps until the next. */
static void look_at_time(struct jp_daemon *daemon) {
    uint64_t next = do_what_is_due(daemon);
    if (next == UINT64_MAX) {
        uv_timer_stop(&daemon->timer);
        return;
    }
    uint64_t now = jp__daemon_now_ms(daemon);
    sleep_for(daemon, next > now ? next - now : 0);
}

void jp__on_timer(uv_timer_t *timer) {
    struct jp_daemon *daemon = timer->data;
    if (daemon->stopping)
        stop_step(daemon);
    else
        look_at_time(daemon);
}

/* Requests change what is due as well; once for all that the loop did in this turn. */
void jp__on_turn(uv_check_t *check) {
    struct jp_daemon *daemon = check->data;
    if (daemon->serving && !daemon->stopping && !daemon->closing)
        look_at_time(daemon);
}

uint64_t jp_daemon_on_time(struct jp_daemon *daemon) {
    if (!daemon->serving || daemon->closing)
        return UINT64_MAX;
    if (!daemon->stopping)
        return do_what_is_due(daemon);
    stop_step(daemon);
    return jp__daemon_now_ms(daemon) + STOP_STEP_MS;
}

void jp_daemon_when_recorded(struct jp_daemon *daemon, void (*callback)(void *context, jp_status status), void *context) {
    struct jp_accounts *accounts = jp_store_accounts(daemon->store);
    accounts->ops->when_durable(accounts, callback, context);
}

void jp_daemon_drain(struct jp_daemon *daemon) {
    jp_inbox_drain(&daemon->port_inbox);
    jp_inbox_drain(&daemon->door_inbox);
}

/* --- the port --- */

size_t jp__port_packets(void *context, const struct jp_job_packet *packets, size_t count) {
    struct jp_daemon *daemon = context;
    return jp_inbox_push(&daemon->port_inbox, packets, count, false);
}

void jp__port_exits(void *context, const uint64_t *watches, size_t count) {
    struct jp_daemon *daemon = context;
    for (size_t i = 0; i < count; i++) {
        struct jp_job_packet end = {.key = watches[i]};
        jp_inbox_push(&daemon->port_inbox, &end, 1, true);
    }
}

static bool is_end(const struct jp_job_packet *item) { return item->message == 0; }

void jp__on_port_items(void *context, const void *items, size_t count, bool overflowed) {
    struct jp_daemon *daemon = context;
    const struct jp_job_packet *item = items;
    if (!daemon->pools || daemon->closing)
        return;
    for (size_t i = 0; i < count;) {
        size_t run = 0;
        while (i + run < count && !is_end(&item[i + run]))
            run++;
        if (run) {
            jp_pools_on_packets(daemon->pools, &item[i], run);
            i += run;
        } else {
            jp_pools_on_exit(daemon->pools, item[i++].key);
        }
    }
    if (overflowed)
        jp_pools_on_overflow(daemon->pools);
    if (daemon->stopping)
        stop_step(daemon);
}

/* --- clients --- */

void jp__client_connected(void *context, uv_file file) {
    struct jp_daemon *daemon = context;
    jp_inbox_push(&daemon->door_inbox, &file, 1, true); /* the server bounds them, and tells those whom it refuses */
}

void jp__on_clients(void *context, const void *items, size_t count, bool overflowed) {
    struct jp_daemon *daemon = context;
    const uv_file *files = items;
    (void)overflowed;
    for (size_t i = 0; i < count; i++) {
        if (!daemon->stopping && !daemon->closing) {
            jp_server_take(daemon->server, files[i]);
        } else {
            uv_fs_t request;
            uv_fs_close(NULL, &request, files[i], NULL);
            uv_fs_req_cleanup(&request);
        }
    }
}

/* --- events and the store --- */

void jp__on_event(void *context, const struct jp_event *event) {
    struct jp_daemon *daemon = context;
    if (daemon->rpc)
        jp_rpc_on_event(daemon->rpc, event);
}

void jp__on_committed(void *context, uint64_t seq) {
    struct jp_daemon *daemon = context;
    if (daemon->rpc)
        jp_rpc_on_committed(daemon->rpc, seq);
}

static void alarm(struct jp_daemon *daemon, const char *message, const char *detail) {
    jp_pools_note(daemon->pools, message, detail);
    daemon->with.on_alarm(daemon->with.context, detail);
}

static void tell_dropped(struct jp_daemon *daemon, const struct jp_accounts_state *state) {
    if (state->dropped_events == daemon->dropped_events)
        return;
    char *detail = jp_sprintf("%" PRIu64 " events between %" PRIu64 " and %" PRIu64 " are lost: the database could not be written for so long that "
                              "the backlog was full",
                              state->dropped_events - daemon->dropped_events, state->dropped_from_seq, state->dropped_to_seq);
    daemon->dropped_events = state->dropped_events;
    alarm(daemon, "EVENTS_DROPPED", detail);
    jp_free(detail);
}

/* It goes into the backlog like everything else, and so onto the disk when that takes it again. */
void jp__on_store_state(void *context) {
    struct jp_daemon *daemon = context;
    struct jp_accounts *accounts = jp_store_accounts(daemon->store);
    struct jp_accounts_state state;
    if (!daemon->pools || daemon->closing)
        return;
    accounts->ops->state(accounts, &state);
    if (state.degraded) {
        char *detail = jp_sprintf("the accounting database cannot be written: %s; records wait in memory", state.reason);
        alarm(daemon, "DATABASE_DEGRADED", detail);
        jp_free(detail);
    } else {
        alarm(daemon, "DATABASE_RECOVERED", "the accounting database can be written again");
        tell_dropped(daemon, &state);
    }
}

void jp__on_store_renewed(void *context, const char *kept_as) {
    struct jp_daemon *daemon = context;
    if (!daemon->pools || daemon->closing)
        return;
    jp_pools_record_all(daemon->pools);
    char *detail = kept_as ? jp_sprintf("the accounting database was damaged and is kept as \"%s\"; a new one has begun", kept_as)
                           : jp_strdup("the accounting database is gone; a new one has begun");
    alarm(daemon, "DATABASE_RENEWED", detail);
    jp_free(detail);
}

void jp__on_store_forgotten(void *context, const char *pool) {
    struct jp_daemon *daemon = context;
    if (daemon->pools && !daemon->closing)
        jp_pools_forget_name(daemon->pools, pool);
}

/* --- service.status and service.reload --- */

/* As the config has it; null: for ever, however large. */
static void add_retention(cJSON *database, const struct jp_retention_config *retention) {
    char buffer[JP_UNITS_TEXT];
    const struct {
        const char *key;
        uint64_t time_100ns;
    } ages[] = {{"processes", retention->processes_100ns}, {"events", retention->events_100ns}, {"hours", retention->hours_100ns}, {"samples", retention->samples_100ns}, {"audit", retention->audit_100ns}};
    cJSON *object = cJSON_AddObjectToObject(database, "retention");
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++)
        jp_json_add_string(object, ages[i].key, ages[i].time_100ns ? jp_duration_format(ages[i].time_100ns, buffer) : NULL);
    jp_json_add_string(object, "max_size", retention->max_size_bytes ? jp_bytes_format(retention->max_size_bytes, buffer) : NULL);
}

void jp__add_status(void *context, cJSON *status) {
    struct jp_daemon *daemon = context;
    const struct jp_daemon_platform *platform = jp__platform(daemon);
    cJSON_AddStringToObject(status, "program", daemon->with.program);
    cJSON_AddStringToObject(status, "version", daemon->with.version);
    jp_json_add_u64(status, "pid", (uint64_t)uv_os_getpid());
    jp_json_add_time(status, "started", daemon->started_100ns);
    cJSON_AddStringToObject(status, "config", daemon->with.config_file);
    cJSON_AddStringToObject(status, "pipe", daemon->address);
    jp_json_add_string(status, "host", daemon->backend->ops->capabilities(daemon->backend)->host);
    if (jp_pools_keeper(daemon->pools))
        jp_json_add_u64(status, "keeper", jp_pools_keeper(daemon->pools));
    cJSON *database = cJSON_AddObjectToObject(status, "database");
    cJSON_AddStringToObject(database, "file", daemon->config.database.file);
    add_retention(database, &daemon->config.retention);
    if (platform->add_status)
        platform->add_status(platform->context, status);
}

static void set_retention(struct jp_daemon *daemon) {
    struct jp_accounts *accounts = jp_store_accounts(daemon->store);
    struct jp_retention retention = jp__retention(&daemon->config.retention);
    accounts->ops->set_retention(accounts, &retention);
}

const struct jp_launch_template *jp__find_template(void *context, const char *name) {
    const struct jp_daemon *daemon = context;
    for (size_t i = 0; i < daemon->config.template_count; i++)
        if (strcmp(daemon->config.templates[i].name, name) == 0)
            return &daemon->config.templates[i];
    return NULL;
}

/* Changes places: what held until now is freed with `fresh`. */
static void take_rights(struct jp_daemon *daemon, struct jp_config *fresh) {
    struct jp_config old = daemon->config;
    daemon->config.access = fresh->access;
    daemon->config.templates = fresh->templates;
    daemon->config.template_count = fresh->template_count;
    fresh->access = old.access;
    fresh->templates = old.templates;
    fresh->template_count = old.template_count;
    jp_pools_set_access(daemon->pools, &daemon->config.access);
}

jp_status jp__reload(void *context, struct jp_reload_result *ret_result, cJSON **ret_data, struct jp_error *error) {
    struct jp_daemon *daemon = context;
    struct jp_config fresh = {0};
    char *faults;
    daemon->config_stamp = jp__config_stamp(daemon->with.config_file); /* before it is read: what changes meanwhile is seen later */
    jp_status status = jp_daemon_read_config(jp__platform(daemon), daemon->with.config_file, &fresh, &faults, ret_data, error);
    if (status == JP_OK)
        status = jp_pools_load(daemon->pools, fresh.pools, fresh.pool_count, ret_result, error);
    if (status) {
        jp_log(&daemon->log, JP_LOG_ERROR, "reload refused, nothing was changed: %s", faults ? faults : error->text);
        jp_pools_note(daemon->pools, "CONFIG_REFUSED", error->text);
        daemon->with.on_reloaded(daemon->with.context, false, faults ? faults : error->text);
    } else {
        take_rights(daemon, &fresh);
        daemon->config.sampling = fresh.sampling;
        daemon->config.watch_config = fresh.watch_config;
        jp__watch_config(daemon);
        jp_pools_set_sample_interval(daemon->pools, fresh.sampling.interval_100ns / JP_100NS_PER_MS);
        jp_pools_set_record_interval(daemon->pools, fresh.sampling.record_100ns / JP_100NS_PER_MS);
        daemon->config.retention = fresh.retention;
        set_retention(daemon);
        if (jp_config_needs_restart(&daemon->config, &fresh))
            jp_log(&daemon->log, JP_LOG_WARNING, "log, database, pipe or quotas changed in the configuration: that takes effect when the service is restarted");
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

void jp__reload_by_itself(struct jp_daemon *daemon) {
    struct jp_reload_result result = {0};
    struct jp_error error;
    cJSON *data = NULL;
    if (jp__reload(daemon, &result, &data, &error) == JP_OK)
        jp_reload_result_clear(&result);
    cJSON_Delete(data);
}

/* --- stopping --- */

/* The processes that end with the service are given time to be seen ending, so that the accounts say how. */
static void stop_step(struct jp_daemon *daemon) {
    bool done = jp_pools_stop(daemon->pools);
    jp_pools_on_time(daemon->pools);
    bool patient = jp__daemon_now_ms(daemon) - daemon->stop_began_ms < daemon->stop_grace_ms + STOP_PATIENCE_MS;
    if (done || !patient) {
        if (!done)
            jp_log(&daemon->log, JP_LOG_WARNING, "some processes did not end in %" PRIu64 " ms; the jobs are closed on them",
                   daemon->stop_grace_ms + STOP_PATIENCE_MS);
        uv_stop(&daemon->loop);
        return;
    }
    daemon->with.on_progress(daemon->with.context, JP_DAEMON_STOP_HINT_MS);
    sleep_for(daemon, STOP_STEP_MS);
}

static void begin_stop(struct jp_daemon *daemon) {
    if (daemon->stopping)
        return;
    daemon->stopping = true;
    daemon->stop_began_ms = jp__daemon_now_ms(daemon);
    daemon->stop_grace_ms = jp_pools_longest_grace_ms(daemon->pools);
    jp_log(&daemon->log, JP_LOG_INFO, "stopping");
    jp_pools_note(daemon->pools, "SERVICE_STOPPING", NULL);
    daemon->with.on_progress(daemon->with.context, JP_DAEMON_STOP_HINT_MS);
    stop_step(daemon);
}

void jp__on_wake(uv_async_t *async) {
    struct jp_daemon *daemon = async->data;
    uv_mutex_lock(&daemon->mutex);
    bool stop = daemon->stop_wanted, reload_now = daemon->reload_wanted;
    daemon->reload_wanted = false;
    uv_mutex_unlock(&daemon->mutex);
    if (daemon->closing)
        return;
    if (reload_now && !stop)
        jp__reload_by_itself(daemon);
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

void jp_daemon_abandon(struct jp_daemon *daemon) {
    daemon->closing = true;
    uv_stop(&daemon->loop);
}
