/* Owns what of the daemon is Windows' own: the pipe's listener, and the backend's port. */
#include "platform.h"

#include "base/units.h"
#include "win32/backend.h"
#include "win32/clock.h"
#include "win32/fatal.h"
#include "win32/pipe_listener.h"
#include "win32/principal.h"
#include "win32/security.h"

#include <fcntl.h>
#include <io.h>

struct service_platform {
    struct jp_daemon_platform platform;
    enum jp_win32_trust trust;
    struct jp_backend *backend;
    struct jp_daemon_door door;
    struct jp_win32_listener *listener;
};

static struct service_platform windows;

/* --- the config --- */

/* libuv gives UTF-8. The last value asked for is kept: the config is read on one thread, a value at a time. */
static const char *environment(const char *name) {
    static char *value;
    size_t size = 256;
    int failure;
    do {
        jp_free(value);
        value = jp_alloc(size);
        failure = uv_os_getenv(name, value, &size);
    } while (failure == UV_ENOBUFS);
    return failure ? NULL : value;
}

static jp_status read_config(void *context, const char *file, struct jp_str *text, struct jp_error *error) {
    const struct service_platform *service = context;
    return jp_win32_read_file(file, JP_CONFIG_MAX_BYTES, service->trust, text, error);
}

/* --- time --- */

static int64_t now_100ns(void *context) {
    (void)context;
    return jp_win32_now_100ns();
}

static uint64_t now_ms(void *context) {
    (void)context;
    return jp_win32_now_ms();
}

static uint64_t awake_ms(void *context) {
    (void)context;
    return jp_win32_awake_ms();
}

static uint64_t total_ms(void *context) {
    (void)context;
    return jp_win32_total_ms();
}

/* --- jobs and processes --- */

static jp_status backend_new(void *context, const struct jp_daemon_sinks *sinks, const struct jp_log *log, struct jp_backend **ret_backend,
                             struct jp_error *error) {
    struct service_platform *service = context;
    struct jp_win32_backend_options options = {
        .sinks = {.context = sinks->context, .packets = sinks->packets, .exits = sinks->exits},
        .log = log,
        .stop_helper = L"--ask-to-stop", /* see main.c */
        .keeper = L"--keeper",
    };
    jp_status status = jp_win32_backend_new(&options, ret_backend, error);
    if (status == JP_OK)
        service->backend = *ret_backend;
    return status;
}

static void backend_free(void *context, struct jp_backend *backend) {
    struct service_platform *service = context;
    service->backend = NULL;
    jp_win32_backend_free(backend);
}

static void add_status(void *context, cJSON *status) {
    const struct service_platform *service = context;
    struct jp_win32_port_counters port;
    jp_win32_backend_counters(service->backend, &port);
    cJSON *counters = cJSON_AddObjectToObject(status, "port");
    jp_json_add_u64(counters, "packets", port.packets);
    jp_json_add_u64(counters, "overflows", port.lost);
}

/* --- the pipe --- */

static char *address(void *context, const char *pipe_name) {
    (void)context;
    return jp_sprintf("\\\\.\\pipe\\%s", pipe_name);
}

/* On the listener's thread. */
static void pipe_connected(void *context, HANDLE pipe) {
    const struct service_platform *service = context;
    int file = _open_osfhandle((intptr_t)pipe, _O_BINARY);
    if (file < 0)
        CloseHandle(pipe);
    else
        service->door.connected(service->door.context, file);
}

static jp_status reserve_pipe(void *context, const struct jp_daemon_door *door, struct jp_error *error) {
    struct service_platform *service = context;
    struct jp_win32_listener_options options = {.name = door->address, .security = door->security, .connected = pipe_connected,
                                                .context = service, .log = door->log};
    service->door = *door;
    return jp_win32_listener_new(&options, &service->listener, error);
}

static jp_status listen_on_pipe(void *context, struct jp_error *error) {
    const struct service_platform *service = context;
    return jp_win32_listener_start(service->listener, error);
}

static void stop_listening(void *context) {
    struct service_platform *service = context;
    jp_win32_listener_free(service->listener);
    service->listener = NULL;
}

static uint32_t process_id(uv_os_fd_t pipe) {
    ULONG pid;
    return GetNamedPipeClientProcessId(pipe, &pid) ? pid : 0;
}

/* --- all of it --- */

static void use_log(void *context, const struct jp_log *log) {
    (void)context;
    jp_win32_fatal_log(log);
}

const struct jp_daemon_platform *jp_service_platform(enum jp_win32_trust trust) {
    windows.trust = trust;
    windows.platform = (struct jp_daemon_platform){
        .context = &windows,
        .config_host = {.environment = environment, .check_security = jp_win32_sddl_check},
        .read_config = read_config,
        .now_100ns = now_100ns,
        .now_ms = now_ms,
        .awake_ms = awake_ms,
        .total_ms = total_ms,
        .service_pid = GetCurrentProcessId(),
        .backend_new = backend_new,
        .backend_free = backend_free,
        .address = address,
        .reserve = reserve_pipe,
        .listen = listen_on_pipe,
        .stop_listening = stop_listening,
        .identity = {.identify = jp_win32_principal_from_pipe, .principal_free = jp_win32_principal_free,
                     .principal_name = jp_win32_principal_name, .principal_sid = jp_win32_principal_sid, .process_id = process_id},
        .add_status = add_status,
        .use_log = use_log,
    };
    return &windows.platform;
}
