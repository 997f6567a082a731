/* Owns the service's state as the SCM sees it. Windows calls back without a context, so the one service of this process is a
 * static object. */
#include "service/scm.h"

#include "base/str.h"
#include "win32/wide.h"

#include <windows.h>

enum {
    START_HINT_MS = 30000, /* opening a large database after an unclean stop takes its time; progress is told in between */
    /* To `sc stop`, a word that there will be another. At a shutdown the SCM counts its own time, which no hint makes longer:
     * https://learn.microsoft.com/windows/win32/api/winsvc/ns-winsvc-service_preshutdown_info */
    STOP_HINT_MS = 15000,
};

struct jp_scm {
    const struct jp_scm_handlers *handlers;
    wchar_t *name;
    SERVICE_STATUS_HANDLE handle;
    SRWLOCK lock; /* the status: told by the service's thread and by the handler's */
    SERVICE_STATUS status;
    bool failed;
    int result; /* of jp_scm_run() */
};

static struct jp_scm scm = {
    .lock = SRWLOCK_INIT,
    .status = {.dwServiceType = SERVICE_WIN32_OWN_PROCESS, .dwCurrentState = SERVICE_START_PENDING},
};

/* Under the lock. A pending state has checkpoints, a settled one accepts controls; after STOPPED nothing may be said. */
static void tell(struct jp_scm *service, DWORD state, DWORD wait_hint_ms) {
    SERVICE_STATUS *status = &service->status;
    bool pending = state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;
    if (!service->handle || status->dwCurrentState == SERVICE_STOPPED)
        return;
    status->dwCheckPoint = pending ? (state == status->dwCurrentState ? status->dwCheckPoint + 1 : 1) : 0;
    status->dwWaitHint = pending ? wait_hint_ms : 0;
    status->dwControlsAccepted =
        state == SERVICE_RUNNING
            ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE
            : 0;
    status->dwCurrentState = state;
    SetServiceStatus(service->handle, status);
}

void jp_scm_report_running(struct jp_scm *service) {
    AcquireSRWLockExclusive(&service->lock);
    if (service->status.dwCurrentState == SERVICE_START_PENDING)
        tell(service, SERVICE_RUNNING, 0);
    ReleaseSRWLockExclusive(&service->lock);
}

void jp_scm_report_progress(struct jp_scm *service, uint32_t wait_hint_ms) {
    AcquireSRWLockExclusive(&service->lock);
    DWORD state = service->status.dwCurrentState;
    if (state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING)
        tell(service, state, wait_hint_ms);
    ReleaseSRWLockExclusive(&service->lock);
}

void jp_scm_report_failed(struct jp_scm *service, uint32_t win32, uint32_t specific) {
    AcquireSRWLockExclusive(&service->lock);
    if (!service->failed) {
        service->failed = true;
        service->status.dwWin32ExitCode = win32 != 0 ? win32 : ERROR_SERVICE_SPECIFIC_ERROR;
        service->status.dwServiceSpecificExitCode = win32 != 0 ? 0 : specific;
    }
    ReleaseSRWLockExclusive(&service->lock);
}

/* The SCM waits for the answer, and for no other service meanwhile: it is given before anything is done. A second stop (a
 * shutdown follows a preshutdown whose time was up; Wine knows nothing but the shutdown) finds STOP_PENDING already and must not
 * restart its checkpoints. */
static void begin_stop(struct jp_scm *service) {
    AcquireSRWLockExclusive(&service->lock);
    if (service->status.dwCurrentState == SERVICE_RUNNING)
        tell(service, SERVICE_STOP_PENDING, STOP_HINT_MS);
    ReleaseSRWLockExclusive(&service->lock);
    service->handlers->stop(service->handlers->context);
}

static DWORD WINAPI on_control(DWORD control, DWORD event, void *data, void *context) {
    (void)event;
    (void)data;
    struct jp_scm *service = context;
    switch (control) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_SHUTDOWN:
    case SERVICE_CONTROL_PRESHUTDOWN:
        begin_stop(service);
        return NO_ERROR;
    case SERVICE_CONTROL_PARAMCHANGE:
        service->handlers->reload(service->handlers->context);
        return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE:
        return NO_ERROR; /* the SCM has the last status */
    default:
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

static void WINAPI service_main(DWORD count, wchar_t **arguments) {
    (void)count;
    (void)arguments; /* `sc start` with arguments: the service takes none */
    scm.handle = RegisterServiceCtrlHandlerExW(scm.name, on_control, &scm);
    if (!scm.handle) {
        scm.result = (int)GetLastError();
        return;
    }
    AcquireSRWLockExclusive(&scm.lock);
    tell(&scm, SERVICE_START_PENDING, START_HINT_MS);
    ReleaseSRWLockExclusive(&scm.lock);

    scm.handlers->run(scm.handlers->context, &scm);

    AcquireSRWLockExclusive(&scm.lock);
    scm.result = (int)scm.status.dwWin32ExitCode;
    tell(&scm, SERVICE_STOPPED, 0);
    ReleaseSRWLockExclusive(&scm.lock);
}

int jp_scm_run(const char *name, const struct jp_scm_handlers *handlers) {
    scm.handlers = handlers;
    scm.name = jp_win32_wide(name);
    const SERVICE_TABLE_ENTRYW services[] = {{scm.name, service_main}, {NULL, NULL}};
    /* Returns when the service has stopped. */
    if (!StartServiceCtrlDispatcherW(services)) {
        DWORD win32 = GetLastError();
        scm.result = win32 == ERROR_FAILED_SERVICE_CONTROLLER_CONNECT ? JP_SCM_NOT_STARTED_BY_SCM : (int)win32;
    }
    jp_free(scm.name);
    scm.name = NULL;
    return scm.result;
}
