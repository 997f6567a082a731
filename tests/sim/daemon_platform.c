/* The simulated kernel as the daemon's platform: its clock, its port with a thread, and clients on a Unix socket. */
#include "daemon_sim.h"

#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct jp_simd *the; /* for the callbacks that have no context */

/* --- config and clock --- */

static const char *environment(const char *name) { return getenv(name); }

static jp_status read_config(void *context, const char *name, struct jp_str *text, struct jp_error *error) {
    (void)context;
    FILE *file = fopen(name, "rb");
    if (!file)
        return jp_fail(error, JP_E_SYSTEM, "cannot open %s: %s", name, strerror(errno));
    char block[4096];
    for (size_t length; text->length <= JP_CONFIG_MAX_BYTES && (length = fread(block, 1, sizeof block, file)) > 0;)
        jp_str_add(text, block, length);
    fclose(file);
    return JP_OK;
}

static int64_t now_100ns(void *context) { return jp_sim_now_100ns(((struct jp_simd *)context)->sim); }
static uint64_t now_ms(void *context) { return jp_sim_now_ms(((struct jp_simd *)context)->sim); }
static uint64_t awake_ms(void *context) { return jp_sim_awake_ms(((struct jp_simd *)context)->sim); }

/* --- the port --- */

static void tell_item(struct jp_simd *simd, const struct jp_sim_item *item) {
    struct jp_job_packet packet = {.key = item->key, .message = item->message, .pid = item->pid};
    if (!item->message) {
        simd->sinks.exits(simd->sinks.context, &item->key, 1);
        return;
    }
    simd->packets++;
    simd->lost += !simd->sinks.packets(simd->sinks.context, &packet, 1);
}

static void port_thread(void *context) {
    struct jp_simd *simd = context;
    uv_mutex_lock(&simd->port_mutex);
    while (!simd->port_ends) {
        for (size_t i = 0; i < simd->round_count && simd->sinks.packets; i++)
            tell_item(simd, &simd->round[i]);
        simd->round_count = 0;
        uv_cond_broadcast(&simd->port_changed);
        uv_cond_wait(&simd->port_changed, &simd->port_mutex);
    }
    uv_mutex_unlock(&simd->port_mutex);
}

void jp_simd_port_tell(struct jp_simd *simd) {
    uv_mutex_lock(&simd->port_mutex);
    uv_cond_broadcast(&simd->port_changed);
    while (simd->round_count)
        uv_cond_wait(&simd->port_changed, &simd->port_mutex);
    uv_mutex_unlock(&simd->port_mutex);
}

void jp_simd_port_start(struct jp_simd *simd) {
    uv_mutex_init(&simd->port_mutex);
    uv_cond_init(&simd->port_changed);
    uv_thread_create(&simd->port_thread, port_thread, simd);
}

void jp_simd_port_stop(struct jp_simd *simd) {
    uv_mutex_lock(&simd->port_mutex);
    simd->port_ends = true;
    uv_cond_broadcast(&simd->port_changed);
    uv_mutex_unlock(&simd->port_mutex);
    uv_thread_join(&simd->port_thread);
    uv_cond_destroy(&simd->port_changed);
    uv_mutex_destroy(&simd->port_mutex);
}

static jp_status backend_new(void *context, const struct jp_daemon_sinks *sinks, const struct jp_log *log, struct jp_backend **ret_backend,
                             struct jp_error *error) {
    struct jp_simd *simd = context;
    (void)log;
    (void)error;
    uv_mutex_lock(&simd->port_mutex);
    simd->sinks = *sinks;
    uv_mutex_unlock(&simd->port_mutex);
    *ret_backend = jp_sim_backend(simd->sim);
    return JP_OK;
}

/* The port goes, with what waits in it; the jobs and processes stay. */
static void backend_free(void *context, struct jp_backend *backend) {
    struct jp_simd *simd = context;
    uv_mutex_lock(&simd->port_mutex);
    simd->sinks = (struct jp_daemon_sinks){0};
    uv_mutex_unlock(&simd->port_mutex);
    if (backend)
        jp_sim_crash(simd->sim);
}

static void add_status(void *context, cJSON *status) {
    struct jp_simd *simd = context;
    cJSON *counters = cJSON_AddObjectToObject(status, "port");
    uv_mutex_lock(&simd->port_mutex);
    jp_json_add_u64(counters, "packets", simd->packets);
    jp_json_add_u64(counters, "overflows", simd->lost);
    uv_mutex_unlock(&simd->port_mutex);
}

/* --- clients --- */

static char *address(void *context, const char *pipe_name) {
    struct jp_simd *simd = context;
    jp_free(simd->address);
    simd->address = jp_sprintf("%s/%s.sock", simd->folder, pipe_name);
    return jp_strdup(simd->address);
}

void jp_simd_accept(struct jp_simd *simd) {
    for (int file; simd->listening >= 0 && (file = accept(simd->listening, NULL, NULL)) >= 0;) {
        if (file >= JP_SIMD_FILES)
            abort();
        simd->clients[file] = simd->next_client;
        simd->door.connected(simd->door.context, file);
    }
}

static void on_door(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    jp_simd_accept(poll->data);
}

static void on_bell(uv_async_t *bell) {
    struct jp_simd *simd = bell->data;
    uv_mutex_lock(&simd->mutex);
    void (*order)(struct jp_simd *, void *) = simd->order;
    void *argument = simd->order_argument;
    bool dies = simd->dies;
    uv_mutex_unlock(&simd->mutex);
    if (dies)
        jp_simd_die(simd);
    if (dies || !order)
        return;
    order(simd, argument);
    uv_mutex_lock(&simd->mutex);
    simd->order = NULL;
    uv_cond_broadcast(&simd->changed);
    uv_mutex_unlock(&simd->mutex);
}

static jp_status reserve_socket(void *context, const struct jp_daemon_door *door, struct jp_error *error) {
    struct jp_simd *simd = context;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (strlen(door->address) >= sizeof name.sun_path)
        return jp_fail(error, JP_E_SYSTEM, "the socket's name %s is too long", door->address);
    memcpy(name.sun_path, door->address, strlen(door->address));
    unlink(door->address);
    simd->listening = socket(AF_UNIX, SOCK_STREAM, 0);
    if (simd->listening < 0 || fcntl(simd->listening, F_SETFL, O_NONBLOCK) || bind(simd->listening, (struct sockaddr *)&name, sizeof name))
        return jp_fail(error, JP_E_SYSTEM, "cannot have the address %s: %s", door->address, strerror(errno));
    simd->door = *door;
    return JP_OK;
}

static jp_status listen_on_socket(void *context, struct jp_error *error) {
    struct jp_simd *simd = context;
    const struct jp_daemon_door *door = &simd->door;
    if (listen(simd->listening, 100))
        return jp_fail(error, JP_E_SYSTEM, "cannot listen on %s: %s", door->address, strerror(errno));
    uv_poll_init(door->loop, &simd->door_poll, simd->listening);
    simd->door_poll.data = simd;
    uv_poll_start(&simd->door_poll, UV_READABLE, on_door);
    uv_mutex_lock(&simd->mutex);
    uv_async_init(door->loop, &simd->bell, on_bell);
    simd->bell.data = simd;
    simd->at_work = true;
    if (simd->dies) /* at its start */
        uv_async_send(&simd->bell);
    uv_mutex_unlock(&simd->mutex);
    return JP_OK;
}

static void stop_listening(void *context) {
    struct jp_simd *simd = context;
    if (simd->listening < 0)
        return;
    uv_mutex_lock(&simd->mutex);
    if (simd->at_work) {
        uv_close((uv_handle_t *)&simd->bell, NULL);
        uv_close((uv_handle_t *)&simd->door_poll, NULL);
    }
    simd->at_work = false;
    bool dies = simd->dies;
    uv_cond_broadcast(&simd->changed);
    uv_mutex_unlock(&simd->mutex);
    if (dies) { /* the bell that was to say so is gone; the daemon is on its way out already */
        jp_sim_crash(simd->sim);
        jp_simd_disk_freeze();
    }
    close(simd->listening);
    simd->listening = -1;
    unlink(simd->address);
}

static jp_status identify(uv_os_fd_t file, struct jp_principal **ret_principal, struct jp_error *error) {
    if (the->clients[file].nobody)
        return jp_fail(error, JP_E_DENIED, "cannot tell who is calling");
    *ret_principal = jp_sim_principal_new(the->sim, &the->clients[file].who);
    return JP_OK;
}

static void principal_free(struct jp_principal *principal) { jp_sim_principal_free(the->sim, principal); }
static const char *principal_name(const struct jp_principal *principal) { return principal->user; }
static const char *principal_sid(const struct jp_principal *principal) { return principal->sid; }
static uint32_t process_id(uv_os_fd_t file) { return the->clients[file].pid; }

void jp_simd_platform_init(struct jp_simd *simd) {
    the = simd;
    simd->listening = -1;
    simd->platform = (struct jp_daemon_platform){
        .context = simd,
        .config_host = {.environment = environment},
        .read_config = read_config,
        .now_100ns = now_100ns,
        .now_ms = now_ms,
        .awake_ms = awake_ms,
        .total_ms = now_ms,
        .service_pid = JP_SIM_SERVICE_PID,
        .samples_on_loop = true,
        .clock_is_moved = true,
        .backend_new = backend_new,
        .backend_free = backend_free,
        .address = address,
        .reserve = reserve_socket,
        .listen = listen_on_socket,
        .stop_listening = stop_listening,
        .identity = {.identify = identify, .principal_free = principal_free, .principal_name = principal_name, .principal_sid = principal_sid,
                     .process_id = process_id},
        .add_status = add_status,
    };
}
