/* Owns nothing: answers whether a pipe's server may be trusted. */
#include "win32/server_check.h"

#include "base/str.h"
#include "win32/security.h"

#include <aclapi.h>

static const wchar_t service_name[] = L"JobPool";

/* 0: the service does not run, or the SCM does not say. */
static uint32_t service_pid(void) {
    SERVICE_STATUS_PROCESS status = {0};
    DWORD length;
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    if (!manager)
        return 0;
    SC_HANDLE service = OpenServiceW(manager, service_name, SERVICE_QUERY_STATUS);
    if (service) {
        if (!QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof status, &length))
            status.dwProcessId = 0;
        CloseServiceHandle(service);
    }
    CloseServiceHandle(manager);
    return status.dwProcessId;
}

/* Who made the pipe. Ordinary users can ask this of the pipe in their hands, but not who runs a SYSTEM process. New memory
 * (jp_free), or NULL. */
static PSID pipe_owner(HANDLE pipe) {
    PSID owner = NULL, copy = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    if (GetSecurityInfo(pipe, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL, NULL, NULL, &descriptor) !=
        ERROR_SUCCESS)
        return NULL;
    if (owner) {
        copy = jp_alloc(GetLengthSid(owner));
        CopySid(GetLengthSid(owner), copy, owner);
    }
    LocalFree(descriptor);
    return copy;
}

static PSID process_user(uint32_t pid) {
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid), token;
    PSID user = NULL;
    uint32_t win32;
    if (!process)
        return NULL;
    if (OpenProcessToken(process, TOKEN_QUERY, &token)) {
        user = jp_win32_token_user(token, &win32);
        CloseHandle(token);
    }
    CloseHandle(process);
    return user;
}

static bool is_own_user(PSID sid) {
    uint32_t win32;
    PSID own = jp_win32_own_user(&win32);
    bool is_own = own && EqualSid(own, sid);
    jp_free(own);
    return is_own;
}

jp_status jp_win32_server_check(HANDLE pipe, enum jp_win32_server *ret_server, uint32_t *ret_pid, struct jp_error *error) {
    ULONG pid = 0;
    if (!GetNamedPipeServerProcessId(pipe, &pid)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_DENIED, win32, "GetNamedPipeServerProcessId", "cannot tell which process serves the pipe");
    }
    *ret_pid = pid;
    PSID owner = pipe_owner(pipe);
    if (!owner)
        owner = process_user(pid);
    jp_status status = JP_OK;
    if (owner && is_own_user(owner)) {
        *ret_server = JP_SERVER_OWN_USER;
    } else if (owner && jp_win32_sid_trusted(owner)) {
        *ret_server = JP_SERVER_PRIVILEGED;
    } else if (pid != 0 && service_pid() == pid) { /* last: asking the SCM takes longer than everything else that a client does before its first request */
        *ret_server = JP_SERVER_SERVICE;
    } else if (!owner) {
        status = jp_fail(error, JP_E_DENIED, "process %lu serves the pipe, and it cannot be told whose it is", pid);
    } else {
        char *name = jp_win32_sid_name(owner);
        status = jp_fail(error, JP_E_DENIED,
                         "process %lu serves the pipe as %s: it is not the service, nor SYSTEM, Administrators or yourself", pid,
                         name);
        jp_free(name);
    }
    jp_free(owner);
    return status;
}
