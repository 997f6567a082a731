/* A client's identity: its token, taken from the pipe by impersonation. */
#ifndef JP_WIN32_PRINCIPAL_H
#define JP_WIN32_PRINCIPAL_H

#include "job/job_backend.h"

#include <stdatomic.h>
#include <windows.h>

enum jp_principal_kind { JP_PRINCIPAL_UNKNOWN, JP_PRINCIPAL_OURS, JP_PRINCIPAL_OTHER };

/* job_backend.h's struct jp_principal. Owns the token, which is an impersonation token. */
struct jp_principal {
    HANDLE token;
    char *name; /* "DOMAIN\user", or the SID */
    char *sid;  /* "S-1-5-..." */
    uint32_t session;
    SECURITY_IMPERSONATION_LEVEL level; /* SecurityIdentification: may be asked about, not acted as */
    atomic_int ours; /* enum jp_principal_kind: whether it may do exactly what the service may */
};

/* The identity of whoever wrote what was last read from the server end `pipe`. A failure means that nothing may be done
 * for this client. The thread is itself again when this returns: if it cannot be, the process ends. */
jp_status jp_win32_principal_from_pipe(HANDLE pipe, struct jp_principal **ret_principal, struct jp_error *error);

/* The identity of this process, at impersonation level: a principal for tests that have no client. */
jp_status jp_win32_principal_self(struct jp_principal **ret_principal, struct jp_error *error);

/* The identity that a token gives, whatever kind of token it is; the token stays the caller's. */
jp_status jp_win32_principal_from_token(HANDLE token, struct jp_principal **ret_principal, struct jp_error *error);

/* One more of the same. */
jp_status jp_win32_principal_copy(const struct jp_principal *principal, struct jp_principal **ret_principal, struct jp_error *error);

void jp_win32_principal_free(struct jp_principal *principal); /* NULL is fine */
const char *jp_win32_principal_name(const struct jp_principal *principal);
const char *jp_win32_principal_sid(const struct jp_principal *principal);

/* Acts as the principal on this thread until jp_win32_revert(). NULL: stays as it is, and succeeds. */
jp_status jp_win32_impersonate(const struct jp_principal *principal, struct jp_error *error);
/* Ends the process if it cannot be done. */
void jp_win32_revert(const struct jp_principal *principal);

#endif
