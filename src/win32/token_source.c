/* Owns the tokens that a pool lends to what is launched in it (ONLY_TOKEN): where they come from, and for whom. */
#include "base/str.h"
#include "win32/internal.h"
#include "win32/principal.h"

uint32_t jp__own_session(void) {
    DWORD session = 0;
    ProcessIdToSessionId(GetCurrentProcessId(), &session);
    return session;
}

uint32_t jp__session_of(struct jp_backend *backend, const struct jp_principal *principal) {
    (void)backend;
    return principal ? principal->session : jp__own_session();
}

/* Whoever may open a token may not therefore start programs with it: that takes a privilege, which we lend with the launch.
 * Administrators can have it in other ways. */
static jp_status check_may_lend(const struct jp_principal *principal, struct jp_error *error) {
    bool admin = true;
    jp_status status = principal ? jp__token_is_admin(principal->token, &admin, error) : JP_OK;
    if (status == JP_OK && !admin)
        status = jp_fail(error, JP_E_DENIED, "%s is no administrator: only those may have programs started with another process's token",
                         principal->name);
    return status;
}

/* As whoever the thread is. */
static jp_status open_token(uint32_t pid, const char *who, HANDLE *ret_token, struct jp_error *error) {
    HANDLE process;
    jp_status status = jp__open_process(pid, 0, PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, true, who, &process, error);
    if (status != JP_OK)
        return status;
    BOOL opened = OpenProcessToken(process, TOKEN_QUERY | TOKEN_DUPLICATE, ret_token);
    DWORD win32 = opened ? 0 : GetLastError();
    CloseHandle(process);
    if (!opened)
        return jp_fail_win32(error, win32 == ERROR_ACCESS_DENIED ? JP_E_DENIED : JP_E_SYSTEM, win32, "OpenProcessToken",
                             "%s cannot open the token of process %lu", who, (unsigned long)pid);
    return JP_OK;
}

jp_status jp__token_of_process(struct jp_backend *backend, uint32_t pid, struct jp_principal *principal, struct jp_principal **ret_token,
                               struct jp_error *error) {
    (void)backend;
    jp_status status = check_may_lend(principal, error);
    if (status == JP_OK)
        status = jp_win32_impersonate(principal, error);
    if (status != JP_OK)
        return status;
    HANDLE token;
    status = open_token(pid, principal ? principal->name : "the service", &token, error);
    jp_win32_revert(principal);
    if (status != JP_OK)
        return status;
    status = jp_win32_principal_from_token(token, ret_token, error);
    CloseHandle(token);
    return status;
}

/* With SeImpersonatePrivilege, which service accounts have, whoever may launch a program could become SYSTEM. All privileges but that
 * of passing folders are taken away. */
static jp_status without_privileges(HANDLE *token, struct jp_error *error) {
    HANDLE less;
    if (!CreateRestrictedToken(*token, DISABLE_MAX_PRIVILEGE, 0, NULL, 0, NULL, 0, NULL, &less)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateRestrictedToken", "cannot take the account's privileges away");
    }
    CloseHandle(*token);
    *token = less;
    return JP_OK;
}

/* Windows' own two service accounts have no password. Their short names are the same in every language of Windows. */
jp_status jp__token_of_account(struct jp_backend *backend, enum jp_token_account account, struct jp_principal **ret_token,
                               struct jp_error *error) {
    (void)backend;
    if (account != JP_TOKEN_LOCAL_SERVICE && account != JP_TOKEN_NETWORK_SERVICE)
        return jp_fail(error, JP_E_PARAMS, "%d is none of the accounts whose token can be had", (int)account);
    const wchar_t *name = account == JP_TOKEN_LOCAL_SERVICE ? L"LocalService" : L"NetworkService";
    HANDLE token;
    if (!LogonUserW(name, L"NT AUTHORITY", NULL, LOGON32_LOGON_SERVICE, LOGON32_PROVIDER_DEFAULT, &token)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, win32 == ERROR_PRIVILEGE_NOT_HELD ? JP_E_DENIED : JP_E_SYSTEM, win32, "LogonUser",
                             "cannot get a token of NT AUTHORITY\\%ls; a service that runs as SYSTEM can", name);
    }
    jp_status status = without_privileges(&token, error);
    if (status == JP_OK)
        status = jp_win32_principal_from_token(token, ret_token, error);
    CloseHandle(token);
    return status;
}

void jp__token_free(struct jp_backend *backend, struct jp_principal *token) {
    (void)backend;
    jp_win32_principal_free(token);
}
