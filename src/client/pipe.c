/* Owns the pipe's handle and the two transfers that may be pending on it. */
#include "client/pipe.h"

#include "base/str.h"
#include "win32/server_check.h"
#include "win32/wide.h"

#include <string.h>

#define PIPE_PREFIX "\\\\.\\pipe\\"

/* FILE_GENERIC_READ | FILE_GENERIC_WRITE holds FILE_CREATE_PIPE_INSTANCE, which the service grants to no client. */
enum { PIPE_ACCESS = (FILE_GENERIC_READ | FILE_GENERIC_WRITE) & ~FILE_CREATE_PIPE_INSTANCE };

struct transfer {
    OVERLAPPED overlapped; /* owns its event */
    bool pending;
    DWORD failure; /* why it is not pending, after a beginning that failed */
};

struct jp_pipe {
    HANDLE handle;
    struct transfer read, write;
};

/* ---------------------------------------------------------------------------------------------------------- opening */

/* The pipe's full name. Other machines' pipes and names with folders are refused: the service has neither. */
static jp_status full_name(const char *name, char **ret_name, struct jp_error *error) {
    if (name == NULL)
        name = JP_PIPE_DEFAULT_NAME;
    size_t prefix = strlen(PIPE_PREFIX);
    const char *bare = strncmp(name, PIPE_PREFIX, prefix) == 0 ? name + prefix : name;
    if (*bare == '\0' || strpbrk(bare, "\\/") != NULL) {
        return jp_fail(error, JP_E_PARAMS, "\"%s\" is no name of a local pipe; write for example \"%s\"", name,
                       JP_PIPE_DEFAULT_NAME);
    }
    *ret_name = jp_sprintf("%s%s", PIPE_PREFIX, bare);
    return JP_OK;
}

static jp_status open_failed(DWORD code, const char *name, struct jp_error *error) {
    jp_status status = code == ERROR_ACCESS_DENIED ? JP_E_DENIED : JP_E_SYSTEM;
    return jp_fail_win32(error, status, code, "CreateFileW", "cannot open the pipe %s", name);
}

/* Opens the pipe, waiting while every instance has a client already. */
static jp_status open_handle(const char *name, enum jp_pipe_level level, uint32_t timeout_ms, HANDLE *ret_handle,
                             struct jp_error *error) {
    DWORD flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT |
                  (level == JP_PIPE_IMPERSONATE ? SECURITY_IMPERSONATION : SECURITY_IDENTIFICATION);
    wchar_t *wide = jp_win32_wide(name);
    uint64_t deadline = GetTickCount64() + timeout_ms;
    jp_status status = JP_OK;
    for (;;) {
        *ret_handle = CreateFileW(wide, PIPE_ACCESS, 0, NULL, OPEN_EXISTING, flags, NULL);
        DWORD code = GetLastError();
        if (*ret_handle != INVALID_HANDLE_VALUE)
            break;
        if (code != ERROR_PIPE_BUSY) {
            status = open_failed(code, name, error);
            break;
        }
        uint64_t now = GetTickCount64();
        if (now >= deadline) {
            status = jp_fail(error, JP_E_TIMEOUT, "all instances of the pipe %s stayed busy for %lu ms", name,
                             (unsigned long)timeout_ms);
            break;
        }
        /* Whatever it answers, opening decides: the instance it saw may have gone to somebody else. */
        WaitNamedPipeW(wide, (DWORD)(deadline - now));
    }
    jp_free(wide);
    return status;
}

static jp_status create_event(struct transfer *transfer, struct jp_error *error) {
    transfer->overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (transfer->overlapped.hEvent == NULL) {
        DWORD code = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, code, "CreateEventW", "cannot prepare the connection");
    }
    return JP_OK;
}

jp_status jp_pipe_open(const struct jp_pipe_options *options, struct jp_pipe **ret_pipe, struct jp_error *error) {
    char *name = NULL;
    jp_status status = full_name(options->name, &name, error);
    if (status != JP_OK)
        return status;
    struct jp_pipe *pipe = jp_alloc(sizeof *pipe);
    enum jp_win32_server server;
    uint32_t server_pid;
    status = open_handle(name, options->level, options->timeout_ms, &pipe->handle, error);
    if (status == JP_OK)
        status = jp_win32_server_check(pipe->handle, &server, &server_pid, error);
    if (status == JP_OK)
        status = create_event(&pipe->read, error);
    if (status == JP_OK)
        status = create_event(&pipe->write, error);
    jp_free(name);
    if (status != JP_OK) {
        jp_pipe_close(pipe);
        return status;
    }
    *ret_pipe = pipe;
    return JP_OK;
}

/* ---------------------------------------------------------------------------------------------------------- closing */

/* Until the kernel is done with a transfer, its OVERLAPPED and buffer must stay. */
static void take_back(HANDLE handle, struct transfer *transfer) {
    if (transfer->pending) {
        DWORD length;
        CancelIoEx(handle, &transfer->overlapped);
        GetOverlappedResult(handle, &transfer->overlapped, &length, TRUE);
    }
    if (transfer->overlapped.hEvent != NULL)
        CloseHandle(transfer->overlapped.hEvent);
}

void jp_pipe_close(struct jp_pipe *pipe) {
    if (pipe == NULL)
        return;
    take_back(pipe->handle, &pipe->read);
    take_back(pipe->handle, &pipe->write);
    if (pipe->handle != INVALID_HANDLE_VALUE)
        CloseHandle(pipe->handle);
    jp_free(pipe);
}

/* ------------------------------------------------------------------------------------------------------ moving bytes */

static bool is_closed(DWORD code) {
    return code == ERROR_BROKEN_PIPE || code == ERROR_PIPE_NOT_CONNECTED || code == ERROR_NO_DATA;
}

static jp_status transfer_failed(DWORD code, const char *operation, struct jp_error *error) {
    if (is_closed(code))
        return jp_fail_win32(error, JP_E_SYSTEM, code, operation, "the service closed the connection");
    return jp_fail_win32(error, JP_E_SYSTEM, code, operation, "the connection to the service failed");
}

/* Takes what ReadFile or WriteFile said: `code` is the last error if not `done`. */
static void begun(struct transfer *transfer, BOOL done, DWORD code) {
    transfer->pending = done || code == ERROR_IO_PENDING;
    transfer->failure = code;
    if (!transfer->pending)
        SetEvent(transfer->overlapped.hEvent);
}

/* Waits for the end of a transfer. Returns 0 or the error. */
static DWORD finished(HANDLE handle, struct transfer *transfer, DWORD *ret_length) {
    *ret_length = 0;
    if (!transfer->pending)
        return transfer->failure;
    BOOL done = GetOverlappedResult(handle, &transfer->overlapped, ret_length, TRUE);
    DWORD code = GetLastError();
    transfer->pending = false;
    return done ? ERROR_SUCCESS : code;
}

void jp_pipe_begin_read(struct jp_pipe *pipe, void *buffer, size_t size) {
    BOOL done = ReadFile(pipe->handle, buffer, (DWORD)size, NULL, &pipe->read.overlapped);
    DWORD code = GetLastError();
    begun(&pipe->read, done, code);
}

jp_status jp_pipe_finish_read(struct jp_pipe *pipe, size_t *ret_length, struct jp_error *error) {
    DWORD length;
    DWORD code = finished(pipe->handle, &pipe->read, &length);
    if (code != ERROR_SUCCESS && !is_closed(code))
        return transfer_failed(code, "ReadFile", error);
    *ret_length = length;
    return JP_OK;
}

HANDLE jp_pipe_read_event(const struct jp_pipe *pipe) {
    return pipe->read.overlapped.hEvent;
}

void jp_pipe_begin_write(struct jp_pipe *pipe, const void *bytes, size_t length) {
    BOOL done = WriteFile(pipe->handle, bytes, (DWORD)length, NULL, &pipe->write.overlapped);
    DWORD code = GetLastError();
    begun(&pipe->write, done, code);
}

jp_status jp_pipe_finish_write(struct jp_pipe *pipe, struct jp_error *error) {
    DWORD length;
    DWORD code = finished(pipe->handle, &pipe->write, &length);
    return code == ERROR_SUCCESS ? JP_OK : transfer_failed(code, "WriteFile", error);
}

HANDLE jp_pipe_write_event(const struct jp_pipe *pipe) {
    return pipe->write.overlapped.hEvent;
}
