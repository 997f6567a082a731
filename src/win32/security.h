/* Security descriptors and SIDs: what an object is created with, who owns one, what a person calls it. */
#ifndef JP_WIN32_SECURITY_H
#define JP_WIN32_SECURITY_H

#include "base/status.h"

#include <windows.h>

/* JP_E_PARAMS with a sentence if `sddl` is not a security descriptor with a DACL. */
jp_status jp_win32_sddl_parse(const char *sddl, PSECURITY_DESCRIPTOR *ret_descriptor, struct jp_error *error); /* LocalFree it */
jp_status jp_win32_sddl_check(const char *sddl, struct jp_error *error);

/* SECURITY_ATTRIBUTES from SDDL, not inheritable; the owner is the user that this process runs as unless the SDDL names one.
 * The caller frees with jp_win32_security_free(). */
struct jp_win32_security {
    SECURITY_ATTRIBUTES attributes;
};
jp_status jp_win32_security_from_sddl(const char *sddl, struct jp_win32_security *ret_security, struct jp_error *error);
/* The same without that owner: who makes the object as somebody else leaves it to Windows. */
jp_status jp_win32_security_as_written(const char *sddl, struct jp_win32_security *ret_security, struct jp_error *error);
/* Gives the user that this process runs as all rights, besides what the descriptor says. */
jp_status jp_win32_security_grant_self(struct jp_win32_security *security, struct jp_error *error);
void jp_win32_security_free(struct jp_win32_security *security);

/* The user of a token. New memory (jp_free), or NULL with *ret_win32 set. */
PSID jp_win32_token_user(HANDLE token, uint32_t *ret_win32);
/* The user of this process. New memory (jp_free). */
PSID jp_win32_own_user(uint32_t *ret_win32);

/* SYSTEM, the Administrators group, or the user that this process runs as. */
bool jp_win32_sid_trusted(PSID sid);

char *jp_win32_sid_text(PSID sid); /* "S-1-5-18"; new memory (jp_free), never NULL */
char *jp_win32_sid_name(PSID sid); /* "DOMAIN\name", or the text; new memory (jp_free), never NULL */

#endif
