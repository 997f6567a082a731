/* The service's states as the service control manager sees them. No service manager tells at will that the machine shuts down, so this
 * program plays it: the three calls of scm.c go to it. Prints TAP. */
#include "tap.h"

#include <string.h>
#include <windows.h>

static WINBOOL WINAPI play_dispatcher(const SERVICE_TABLE_ENTRYW *services);
static SERVICE_STATUS_HANDLE WINAPI play_register(LPCWSTR name, LPHANDLER_FUNCTION_EX handler, LPVOID context);
static WINBOOL WINAPI play_status(SERVICE_STATUS_HANDLE handle, LPSERVICE_STATUS status);
#define StartServiceCtrlDispatcherW play_dispatcher
#define RegisterServiceCtrlHandlerExW play_register
#define SetServiceStatus play_status
#include "service/scm.c"

enum { HINT_MS = 777, LAST_STATUSES = 32 };

static struct {
    LPHANDLER_FUNCTION_EX handler;
    void *context;
    SERVICE_STATUS statuses[LAST_STATUSES];
    size_t told;
    int stops, reloads;
    bool no_dispatcher;
} manager;

static SERVICE_STATUS_HANDLE WINAPI play_register(LPCWSTR name, LPHANDLER_FUNCTION_EX handler, LPVOID context) {
    CHECK(wcscmp(name, L"Service") == 0, "the handler is registered under the service's name");
    manager.handler = handler;
    manager.context = context;
    return (SERVICE_STATUS_HANDLE)&manager;
}

static WINBOOL WINAPI play_status(SERVICE_STATUS_HANDLE handle, LPSERVICE_STATUS status) {
    if (handle != (SERVICE_STATUS_HANDLE)&manager || manager.told == LAST_STATUSES)
        return FALSE;
    manager.statuses[manager.told++] = *status;
    return TRUE;
}

static WINBOOL WINAPI play_dispatcher(const SERVICE_TABLE_ENTRYW *services) {
    if (manager.no_dispatcher) {
        SetLastError(ERROR_FAILED_SERVICE_CONTROLLER_CONNECT);
        return FALSE;
    }
    services->lpServiceProc(0, NULL);
    return TRUE;
}

static DWORD send_control(DWORD control) { return manager.handler(control, 0, NULL, manager.context); }

/* What was told last. */
static bool last_is(DWORD state, DWORD checkpoint, DWORD accepted) {
    const SERVICE_STATUS *last = &manager.statuses[manager.told ? manager.told - 1 : 0];
    bool pending = state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;
    bool good = manager.told > 0 && last->dwCurrentState == state && last->dwCheckPoint == checkpoint && last->dwControlsAccepted == accepted &&
                pending == (last->dwWaitHint > 0);
    if (!good)
        printf("# state %lu, checkpoint %lu, accepts 0x%lX, hint %lu\n", last->dwCurrentState, last->dwCheckPoint, last->dwControlsAccepted, last->dwWaitHint);
    return good;
}

static void on_stop(void *context) {
    (void)context;
    manager.stops++;
}

static void on_reload(void *context) {
    (void)context;
    manager.reloads++;
}

/* One life of a service. Windows knows one in a process; between two the object is made anew. */
static int live(void (*run)(void *context, struct jp_scm *service)) {
    static const struct jp_scm fresh = {
        .lock = SRWLOCK_INIT, .status = {.dwServiceType = SERVICE_WIN32_OWN_PROCESS, .dwCurrentState = SERVICE_START_PENDING}};
    struct jp_scm_handlers handlers = {.run = run, .stop = on_stop, .reload = on_reload};
    bool no_dispatcher = manager.no_dispatcher;
    scm = fresh;
    memset(&manager, 0, sizeof manager);
    manager.no_dispatcher = no_dispatcher;
    return jp_scm_run("Service", &handlers);
}

static const DWORD all_controls = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE;

static void start_up(struct jp_scm *service) {
    CHECK(last_is(SERVICE_START_PENDING, 1, 0), "it is starting at once, and takes no controls");
    jp_scm_report_progress(service, HINT_MS);
    CHECK(last_is(SERVICE_START_PENDING, 2, 0) && manager.statuses[manager.told - 1].dwWaitHint == HINT_MS, "progress is a checkpoint, with its hint");
    jp_scm_report_running(service);
    CHECK(last_is(SERVICE_RUNNING, 0, all_controls), "it runs, and takes stop, shutdown, preshutdown and a changed configuration");
    size_t told = manager.told;
    jp_scm_report_progress(service, HINT_MS);
    CHECK(manager.told == told, "what runs makes no progress");
}

static void run_until_preshutdown(void *context, struct jp_scm *service) {
    (void)context;
    start_up(service);
    CHECK(send_control(SERVICE_CONTROL_INTERROGATE) == NO_ERROR && manager.stops == 0, "it answers when it is asked how it is");
    CHECK(send_control(SERVICE_CONTROL_PARAMCHANGE) == NO_ERROR && manager.reloads == 1, "a changed configuration is read");
    CHECK(send_control(SERVICE_CONTROL_PAUSE) == ERROR_CALL_NOT_IMPLEMENTED, "what it does not take is refused");
    CHECK(send_control(SERVICE_CONTROL_PRESHUTDOWN) == NO_ERROR && manager.stops == 1, "a preshutdown is a stop");
    CHECK(last_is(SERVICE_STOP_PENDING, 1, 0), "it is stopping before the handler has returned, and takes no more");
    for (DWORD checkpoint = 2; checkpoint < 5; checkpoint++) {
        jp_scm_report_progress(service, HINT_MS);
        CHECK(last_is(SERVICE_STOP_PENDING, checkpoint, 0), "each word of the stop is one checkpoint more");
    }
    size_t told = manager.told;
    CHECK(send_control(SERVICE_CONTROL_SHUTDOWN) == NO_ERROR && manager.told == told, "a shutdown after that begins nothing anew");
    jp_scm_report_progress(service, HINT_MS);
    CHECK(last_is(SERVICE_STOP_PENDING, 5, 0), "nor does it count from the start again");
    jp_scm_report_running(service);
    CHECK(last_is(SERVICE_STOP_PENDING, 5, 0), "what stops does not run any more");
}

static void run_until_shutdown(void *context, struct jp_scm *service) {
    (void)context;
    jp_scm_report_running(service);
    CHECK(send_control(SERVICE_CONTROL_SHUTDOWN) == NO_ERROR && manager.stops == 1, "a shutdown alone is a stop too");
    CHECK(last_is(SERVICE_STOP_PENDING, 1, 0), "which is pending");
}

static void run_stopped_early(void *context, struct jp_scm *service) {
    (void)context;
    CHECK(send_control(SERVICE_CONTROL_STOP) == NO_ERROR && manager.stops == 1, "a stop that comes before it runs is told");
    CHECK(last_is(SERVICE_START_PENDING, 1, 0), "and the state is still that of the start");
    jp_scm_report_running(service);
}

static void run_and_fail(void *context, struct jp_scm *service) {
    (void)context;
    jp_scm_report_failed(service, 0, 32011);
    jp_scm_report_failed(service, ERROR_DISK_FULL, 0);
}

static void run_and_fail_by_windows(void *context, struct jp_scm *service) {
    (void)context;
    jp_scm_report_failed(service, ERROR_DISK_FULL, 32010);
}

static void test_lives(void) {
    CHECK(live(run_until_preshutdown) == 0, "a life that ends by a preshutdown is a good one");
    CHECK(last_is(SERVICE_STOPPED, 0, 0), "at its end it is stopped");
    size_t told = manager.told;
    jp_scm_report_progress(&scm, HINT_MS);
    jp_scm_report_running(&scm);
    CHECK(manager.told == told, "after that nothing is said");
    CHECK(live(run_until_shutdown) == 0 && last_is(SERVICE_STOPPED, 0, 0), "so is one that ends by a shutdown");
    CHECK(live(run_stopped_early) == 0 && last_is(SERVICE_STOPPED, 0, 0), "so is one that was stopped while it started");

    CHECK(live(run_and_fail) == ERROR_SERVICE_SPECIFIC_ERROR && last_is(SERVICE_STOPPED, 0, 0), "a failed start is told");
    CHECK(manager.statuses[manager.told - 1].dwServiceSpecificExitCode == 32011, "with our own code: the first one counts");
    CHECK(live(run_and_fail_by_windows) == ERROR_DISK_FULL, "or with Windows' code where there is one");
    CHECK(manager.statuses[manager.told - 1].dwWin32ExitCode == ERROR_DISK_FULL, "which the manager is told");

    manager.no_dispatcher = true;
    CHECK(live(run_and_fail) == JP_SCM_NOT_STARTED_BY_SCM && manager.told == 0, "somebody ran it at a prompt: it is told so");
}

int wmain(void); /* no header declares it */

int wmain(void) {
    test_lives();
    return finish();
}
