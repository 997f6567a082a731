/* Owns the pipe's name and the instances that wait for a client. A connected instance is handed over at once. */
#include "win32/pipe_listener.h"

#include "base/str.h"
#include "win32/wide.h"

#include <process.h>

enum {
    INSTANCES = 8,           /* waiting at any time */
    PIPE_BUFFER = 64 * 1024, /* each way, before a writer waits */
    NAME_TRIES = 50,
    NAME_PAUSE_MS = 100,
    RETRY_MS = 1000, /* after an instance could not be created */
};

struct instance {
    HANDLE pipe; /* NULL: to be created */
    OVERLAPPED overlapped; /* its event stays for the listener's life */
};

struct jp_win32_listener {
    wchar_t *name;
    struct jp_win32_security security;
    void (*connected)(void *context, HANDLE pipe);
    void *context;
    const struct jp_log *log;
    HANDLE stop;
    HANDLE thread; /* NULL: the name is ours, and nobody is let in yet */
    struct instance instances[INSTANCES];
    bool failing; /* the last attempt to create an instance failed, and was logged */
};

static HANDLE create_pipe(struct jp_win32_listener *listener, DWORD more_flags) {
    return CreateNamedPipeW(listener->name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | more_flags,
                            PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                            PIPE_UNLIMITED_INSTANCES, PIPE_BUFFER, PIPE_BUFFER, 0, &listener->security.attributes);
}

/* FILE_FLAG_FIRST_PIPE_INSTANCE says so on Windows; Wine takes the flag and ignores it. */
static bool name_is_taken(const wchar_t *name) {
    if (WaitNamedPipeW(name, NMPWAIT_NOWAIT))
        return true;
    return GetLastError() == ERROR_SEM_TIMEOUT;
}

/* The name lives as long as the last handle to either end. So after a crash the clients of the last run, which have yet to
 * notice it, keep the name for a moment: it is asked for again for a while. */
static jp_status claim_name(struct jp_win32_listener *listener, const char *name, struct jp_error *error) {
    for (int i = 0; i < NAME_TRIES; i++) {
        if (i > 0)
            WaitForSingleObject(listener->stop, NAME_PAUSE_MS);
        if (name_is_taken(listener->name))
            continue;
        HANDLE pipe = create_pipe(listener, FILE_FLAG_FIRST_PIPE_INSTANCE);
        if (pipe != INVALID_HANDLE_VALUE) {
            listener->instances[0].pipe = pipe;
            return JP_OK;
        }
        DWORD win32 = GetLastError();
        if (win32 != ERROR_ACCESS_DENIED && win32 != ERROR_PIPE_BUSY)
            return jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateNamedPipe", "cannot create the pipe %s", name);
    }
    return jp_fail(error, JP_E_DENIED, "the pipe %s is taken: another instance of the service runs, or another program uses its name", name);
}

static void hand_over(struct jp_win32_listener *listener, struct instance *instance) {
    HANDLE pipe = instance->pipe;
    instance->pipe = NULL;
    ResetEvent(instance->overlapped.hEvent);
    listener->connected(listener->context, pipe);
}

static void drop(struct instance *instance) {
    CloseHandle(instance->pipe);
    instance->pipe = NULL;
    ResetEvent(instance->overlapped.hEvent);
}

static void note_failure(struct jp_win32_listener *listener, const char *operation, uint32_t win32) {
    if (!listener->failing)
        jp_log(listener->log, JP_LOG_ERROR, "cannot wait for more clients: %s: %s (%lu); trying again every second", operation,
               jp_win32_text(win32), (unsigned long)win32);
    listener->failing = true;
}

/* Brings the instance to waiting. A client may be there before the wait begins, and one may be gone again: then the
 * instance has served, and the next one is made. False when the system refuses. */
static bool await_client(struct jp_win32_listener *listener, struct instance *instance) {
    for (;;) {
        if (!instance->pipe) {
            HANDLE pipe = create_pipe(listener, 0);
            if (pipe == INVALID_HANDLE_VALUE) {
                note_failure(listener, "CreateNamedPipe", GetLastError());
                return false;
            }
            instance->pipe = pipe;
        }
        DWORD win32 = ConnectNamedPipe(instance->pipe, &instance->overlapped) ? ERROR_PIPE_CONNECTED : GetLastError();
        switch (win32) {
        case ERROR_IO_PENDING:
            listener->failing = false;
            return true;
        case ERROR_PIPE_CONNECTED:
            hand_over(listener, instance);
            break;
        case ERROR_NO_DATA:
            drop(instance);
            break;
        default:
            drop(instance);
            note_failure(listener, "ConnectNamedPipe", win32);
            return false;
        }
    }
}

static void finish_connect(struct jp_win32_listener *listener, struct instance *instance) {
    DWORD length;
    if (GetOverlappedResult(instance->pipe, &instance->overlapped, &length, FALSE))
        hand_over(listener, instance);
    else
        drop(instance); /* came and went */
}

/* The buffer of a pending call is the kernel's until the call has ended. */
static void withdraw(struct instance *instance) {
    DWORD length;
    if (!instance->pipe)
        return;
    if (CancelIoEx(instance->pipe, &instance->overlapped) || GetLastError() != ERROR_NOT_FOUND)
        GetOverlappedResult(instance->pipe, &instance->overlapped, &length, TRUE);
    drop(instance);
}

static unsigned __stdcall accept_thread(void *argument) {
    struct jp_win32_listener *listener = argument;
    HANDLE events[INSTANCES + 1];
    bool pending[INSTANCES] = {false};
    events[INSTANCES] = listener->stop;
    for (int i = 0; i < INSTANCES; i++)
        events[i] = listener->instances[i].overlapped.hEvent;

    for (;;) {
        bool all = true;
        /* The first one last: it has held the name so far, and if its client has come and gone, it is closed. */
        for (int i = INSTANCES; i-- > 0;) {
            if (!pending[i])
                pending[i] = await_client(listener, &listener->instances[i]);
            all = all && pending[i];
        }
        /* Each round looks at every instance: the wait names only the first, and under load that is always the same. */
        DWORD waited = WaitForMultipleObjects(INSTANCES + 1, events, FALSE, all ? INFINITE : RETRY_MS);
        if (waited == WAIT_FAILED || WaitForSingleObject(listener->stop, 0) == WAIT_OBJECT_0)
            break;
        for (int i = 0; i < INSTANCES; i++) {
            if (pending[i] && WaitForSingleObject(events[i], 0) == WAIT_OBJECT_0) {
                finish_connect(listener, &listener->instances[i]);
                pending[i] = false;
            }
        }
    }
    for (int i = 0; i < INSTANCES; i++)
        if (pending[i])
            withdraw(&listener->instances[i]);
    return 0;
}

static void listener_destroy(struct jp_win32_listener *listener) {
    for (int i = 0; i < INSTANCES; i++) {
        if (listener->instances[i].pipe)
            CloseHandle(listener->instances[i].pipe);
        if (listener->instances[i].overlapped.hEvent)
            CloseHandle(listener->instances[i].overlapped.hEvent);
    }
    if (listener->stop)
        CloseHandle(listener->stop);
    jp_win32_security_free(&listener->security);
    jp_free(listener->name);
    jp_free(listener);
}

static jp_status create_events(struct jp_win32_listener *listener, struct jp_error *error) {
    listener->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    DWORD win32 = listener->stop ? 0 : GetLastError();
    for (int i = 0; i < INSTANCES && win32 == 0; i++) {
        HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
        win32 = event ? 0 : GetLastError();
        listener->instances[i].overlapped.hEvent = event;
    }
    return win32 == 0 ? JP_OK : jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateEvent", "cannot prepare the pipe's listener");
}

jp_status jp_win32_listener_new(const struct jp_win32_listener_options *options, struct jp_win32_listener **ret_listener,
                                struct jp_error *error) {
    struct jp_win32_listener *listener = jp_alloc(sizeof *listener);
    listener->connected = options->connected;
    listener->context = options->context;
    listener->log = options->log;
    listener->name = jp_win32_wide(options->name);
    const char *sddl = options->security ? options->security : JP_PIPE_DEFAULT_SECURITY;
    jp_status status = jp_win32_security_from_sddl(sddl, &listener->security, error);
    /* Every instance after the first one wants FILE_CREATE_PIPE_INSTANCE, which clients must not have: also when we run as
     * one of them (`--console`), or when an administrator's own descriptor forgets the service. */
    if (status == JP_OK)
        status = jp_win32_security_grant_self(&listener->security, error);
    if (status == JP_OK)
        status = create_events(listener, error);
    if (status == JP_OK)
        status = claim_name(listener, options->name, error);
    if (status == JP_OK)
        *ret_listener = listener;
    else
        listener_destroy(listener);
    return status;
}

jp_status jp_win32_listener_start(struct jp_win32_listener *listener, struct jp_error *error) {
    uintptr_t thread = _beginthreadex(NULL, 0, accept_thread, listener, 0, NULL);
    if (thread == 0) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "_beginthreadex", "cannot start the thread of the pipe's listener");
    }
    listener->thread = (HANDLE)thread;
    return JP_OK;
}

void jp_win32_listener_free(struct jp_win32_listener *listener) {
    if (!listener)
        return;
    if (listener->thread) {
        SetEvent(listener->stop);
        WaitForSingleObject(listener->thread, INFINITE);
        CloseHandle(listener->thread);
    }
    listener_destroy(listener);
}
