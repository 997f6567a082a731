/* Owns the tokens of clients, and every change of a thread's identity. */
#include "win32/principal.h"

#include "base/str.h"
#include "win32/fatal.h"
#include "win32/security.h"

/* Takes the token over, also on failure. */
static jp_status principal_new(HANDLE token, struct jp_principal **ret_principal, struct jp_error *error) {
    jp_status status;
    SECURITY_IMPERSONATION_LEVEL level;
    DWORD session, length;
    uint32_t win32 = 0;

    if (!GetTokenInformation(token, TokenImpersonationLevel, &level, sizeof level, &length) ||
        !GetTokenInformation(token, TokenSessionId, &session, sizeof session, &length)) {
        win32 = GetLastError();
        status = jp_fail_win32(error, JP_E_DENIED, win32, "GetTokenInformation", "cannot tell who the client is");
        goto close_token;
    }
    PSID user = jp_win32_token_user(token, &win32);
    if (!user) {
        status = jp_fail_win32(error, JP_E_DENIED, win32, "GetTokenInformation", "cannot tell who the client is");
        goto close_token;
    }

    struct jp_principal *principal = jp_alloc(sizeof *principal);
    principal->token = token;
    principal->name = jp_win32_sid_name(user);
    principal->sid = jp_win32_sid_text(user);
    principal->session = session;
    principal->level = level;
    jp_free(user);
    *ret_principal = principal;
    return JP_OK;

close_token:
    CloseHandle(token);
    return status;
}

static void revert(void) {
    if (!RevertToSelf()) {
        DWORD win32 = GetLastError();
        jp_win32_fatal("RevertToSelf", win32, "this thread would go on with a client's rights");
    }
}

jp_status jp_win32_principal_from_pipe(HANDLE pipe, struct jp_principal **ret_principal, struct jp_error *error) {
    if (!ImpersonateNamedPipeClient(pipe)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_DENIED, win32, "ImpersonateNamedPipeClient", "cannot tell who the client is");
    }
    HANDLE token;
    /* TRUE: the right to open the token is ours, not the client's. */
    BOOL opened = OpenThreadToken(GetCurrentThread(), TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_IMPERSONATE, TRUE, &token);
    DWORD win32 = opened ? 0 : GetLastError();
    revert();
    if (!opened)
        return jp_fail_win32(error, JP_E_DENIED, win32, "OpenThreadToken",
                             win32 == ERROR_CANT_OPEN_ANONYMOUS ? "the client connected without saying who it is"
                                                                : "cannot tell who the client is");
    return principal_new(token, ret_principal, error);
}

jp_status jp_win32_principal_from_token(HANDLE token, struct jp_principal **ret_principal, struct jp_error *error) {
    HANDLE own;
    if (!DuplicateTokenEx(token, TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_IMPERSONATE, NULL, SecurityImpersonation, TokenImpersonation,
                          &own)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "DuplicateTokenEx", "cannot duplicate a token");
    }
    return principal_new(own, ret_principal, error);
}

jp_status jp_win32_principal_copy(const struct jp_principal *principal, struct jp_principal **ret_principal, struct jp_error *error) {
    HANDLE self = GetCurrentProcess(), token;
    if (!DuplicateHandle(self, principal->token, self, &token, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "DuplicateHandle", "cannot keep the token of %s", principal->name);
    }
    struct jp_principal *copy = jp_alloc(sizeof *copy);
    *copy = *principal;
    copy->token = token;
    copy->name = jp_strdup(principal->name);
    copy->sid = jp_strdup(principal->sid);
    *ret_principal = copy;
    return JP_OK;
}

jp_status jp_win32_principal_self(struct jp_principal **ret_principal, struct jp_error *error) {
    HANDLE primary;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &primary)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "OpenProcessToken", "cannot open the service's own token");
    }
    jp_status status = jp_win32_principal_from_token(primary, ret_principal, error);
    CloseHandle(primary);
    return status;
}

void jp_win32_principal_free(struct jp_principal *principal) {
    if (!principal)
        return;
    CloseHandle(principal->token);
    jp_free(principal->name);
    jp_free(principal->sid);
    jp_free(principal);
}

const char *jp_win32_principal_name(const struct jp_principal *principal) { return principal->name; }
const char *jp_win32_principal_sid(const struct jp_principal *principal) { return principal->sid; }

jp_status jp_win32_impersonate(const struct jp_principal *principal, struct jp_error *error) {
    if (!principal)
        return JP_OK;
    if (principal->level < SecurityImpersonation)
        return jp_fail(error, JP_E_DENIED,
                       "%s connected with identification level, which lets nobody act for it; it must open the pipe with "
                       "SECURITY_IMPERSONATION for this",
                       principal->name);
    if (!SetThreadToken(NULL, principal->token)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_DENIED, win32, "SetThreadToken", "cannot act as %s", principal->name);
    }
    return JP_OK;
}

void jp_win32_revert(const struct jp_principal *principal) {
    if (principal)
        revert();
}
