/* Owns processes held by handle: opening with a client's rights, ends, usage, tokens. */
#include "base/str.h"
#include "win32/filetime.h"
#include "win32/internal.h"
#include "win32/principal.h"

#include <psapi.h>

static const DWORD access_for[] = {
    [JP_PROCESS_OBSERVE] = PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE,
    [JP_PROCESS_ASSIGN] = PROCESS_SET_QUOTA | PROCESS_TERMINATE | PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE,
    [JP_PROCESS_TERMINATE] = PROCESS_TERMINATE | PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE,
    /* The full right to query: for the debugger's port and the count of windows. */
    [JP_PROCESS_CONTROL] = PROCESS_SET_INFORMATION | PROCESS_SET_QUOTA | PROCESS_SUSPEND_RESUME | PROCESS_TERMINATE |
                           PROCESS_QUERY_INFORMATION | PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE,
};

jp_status jp__process_open(struct jp_backend *backend, uint32_t pid, int64_t start_100ns, enum jp_process_use use,
                           struct jp_principal *principal, struct jp_process **ret_process, struct jp_error *error) {
    /* In a pool of its own the service would end with what it watches over. */
    if (use != JP_PROCESS_OBSERVE && pid == GetCurrentProcessId())
        return jp_fail(error, JP_E_DENIED, "process %lu is the service itself", (unsigned long)pid);
    if (use != JP_PROCESS_OBSERVE && jp__is_keeper(jp__backend(backend), pid))
        return jp_fail(error, JP_E_DENIED, "process %lu is the service's own keeper", (unsigned long)pid);

    jp_status status = jp_win32_impersonate(principal, error);
    if (status != JP_OK)
        return status;
    HANDLE handle;
    status = jp__open_process(pid, start_100ns, access_for[use], use != JP_PROCESS_OBSERVE, principal ? principal->name : "the service",
                              &handle, error);
    jp_win32_revert(principal);
    if (status != JP_OK)
        return status;
    struct jp_process *process = jp_alloc(sizeof *process);
    process->handle = handle;
    process->pid = pid;
    process->backend = jp__backend(backend);
    *ret_process = process;
    return JP_OK;
}

void jp__process_close(struct jp_process *process) {
    if (!process)
        return;
    jp_win32_unwatch(process->wait);
    if (process->thread)
        CloseHandle(process->thread);
    CloseHandle(process->handle);
    jp_free(process);
}

/* It is asked for some times when a process ends; what it was then, it stays. */
bool jp__process_exited(struct jp_process *process, uint32_t *ret_exit_code) {
    if (!process->ended) {
        process->ended = jp__process_has_ended(process->handle);
        process->exit_code = STILL_ACTIVE;
        if (process->ended) /* the code is the final one by then */
            GetExitCodeProcess(process->handle, &process->exit_code);
    }
    *ret_exit_code = process->exit_code;
    return process->ended;
}

/* A process that has ended is told apart first: Windows says "access denied" then, Wine says that all is well. */
jp_status jp__process_terminate(struct jp_process *process, uint32_t exit_code, struct jp_error *error) {
    unsigned long pid = process->pid;
    if (jp__process_has_ended(process->handle))
        return jp_fail(error, JP_E_NO_PROCESS, "process %lu has exited", pid);
    if (TerminateProcess(process->handle, exit_code))
        return JP_OK;
    DWORD win32 = GetLastError();
    if (jp__process_has_ended(process->handle))
        return jp_fail(error, JP_E_NO_PROCESS, "process %lu has exited", pid);
    return jp_fail_win32(error, win32 == ERROR_ACCESS_DENIED ? JP_E_DENIED : JP_E_SYSTEM, win32, "TerminateProcess",
                         "cannot terminate process %lu", pid);
}

jp_status jp__process_watch(struct jp_process *process, uint64_t watch, struct jp_error *error) {
    jp_win32_unwatch(process->wait); /* of a process that was looked at too early */
    process->wait = NULL;
    return jp_win32_watch(process->handle, watch, &process->wait, error);
}

void jp__process_usage(struct jp_process *process, struct jp_usage *ret_usage) {
    const struct jp_capabilities *can = &process->backend->capabilities;
    *ret_usage = (struct jp_usage){0};

    FILETIME start, end, kernel, user;
    if (can->process_times && GetProcessTimes(process->handle, &start, &end, &kernel, &user)) {
        ret_usage->known |= JP_USAGE_CPU;
        ret_usage->user_100ns = (uint64_t)jp_win32_from_filetime(user);
        ret_usage->kernel_100ns = (uint64_t)jp_win32_from_filetime(kernel);
    }

    PROCESS_MEMORY_COUNTERS memory = {.cb = sizeof memory};
    bool memory_kept = can->memory_after_exit || WaitForSingleObject(process->handle, 0) == WAIT_TIMEOUT;
    /* A host that forgets may do so between the two calls: no process lives without memory. */
    if (memory_kept && GetProcessMemoryInfo(process->handle, &memory, sizeof memory) && memory.PeakPagefileUsage > 0) {
        ret_usage->known |= JP_USAGE_MEMORY;
        ret_usage->peak_commit_bytes = memory.PeakPagefileUsage;
        ret_usage->peak_working_set_bytes = memory.PeakWorkingSetSize;
    }

    IO_COUNTERS io;
    if (can->process_io && GetProcessIoCounters(process->handle, &io)) {
        ret_usage->known |= JP_USAGE_IO;
        ret_usage->read_operations = io.ReadOperationCount;
        ret_usage->write_operations = io.WriteOperationCount;
        ret_usage->other_operations = io.OtherOperationCount;
        ret_usage->read_bytes = io.ReadTransferCount;
        ret_usage->write_bytes = io.WriteTransferCount;
        ret_usage->other_bytes = io.OtherTransferCount;
    }
}

static bool is_restricted(HANDLE token) {
    DWORD filtered = 0, length;
    return IsTokenRestricted(token) ||
           (GetTokenInformation(token, TokenHasRestrictions, &filtered, sizeof filtered, &length) && filtered != 0);
}

jp_status jp__process_check_token(struct jp_process *process, uint32_t security, struct jp_error *error) {
    if (!(security & (JP_JOB_OBJECT_SECURITY_NO_ADMIN | JP_JOB_OBJECT_SECURITY_RESTRICTED_TOKEN)))
        return JP_OK;
    unsigned long pid = process->pid;
    HANDLE token;
    if (!OpenProcessToken(process->handle, TOKEN_QUERY | TOKEN_DUPLICATE, &token)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_DENIED, win32, "OpenProcessToken", "cannot open the token of process %lu", pid);
    }
    bool admin = false;
    jp_status status = JP_OK;
    if (security & JP_JOB_OBJECT_SECURITY_NO_ADMIN)
        status = jp__token_is_admin(token, &admin, error);
    if (status == JP_OK && admin)
        status = jp_fail(error, JP_E_DENIED, "process %lu has administrator's rights, which the pool does not take (no_admin)", pid);
    if (status == JP_OK && (security & JP_JOB_OBJECT_SECURITY_RESTRICTED_TOKEN) && !is_restricted(token))
        status = jp_fail(error, JP_E_DENIED, "the token of process %lu is not restricted, which the pool wants (restricted_token)", pid);
    CloseHandle(token);
    return status;
}
