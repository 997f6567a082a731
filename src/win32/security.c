/* Owns nothing: turns SDDL into descriptors, tokens into users, and SIDs into names. */
#include "win32/security.h"

#include "base/str.h"
#include "win32/wide.h"

#include <aclapi.h>
#include <sddl.h>

jp_status jp_win32_sddl_parse(const char *sddl, PSECURITY_DESCRIPTOR *ret_descriptor, struct jp_error *error) {
    wchar_t *wide = jp_win32_wide(sddl);
    BOOL done = ConvertStringSecurityDescriptorToSecurityDescriptorW(wide, SDDL_REVISION_1, ret_descriptor, NULL);
    DWORD win32 = done ? 0 : GetLastError();
    jp_free(wide);
    if (!done)
        return jp_fail_win32(error, JP_E_PARAMS, win32, "ConvertStringSecurityDescriptorToSecurityDescriptor",
                             "\"%s\" is not a security descriptor in SDDL", sddl);

    /* Without a DACL everybody may do everything; nobody who writes a descriptor means that. */
    BOOL present = FALSE, defaulted;
    PACL dacl = NULL;
    if (GetSecurityDescriptorDacl(*ret_descriptor, &present, &dacl, &defaulted) && present && dacl)
        return JP_OK;
    LocalFree(*ret_descriptor);
    return jp_fail(error, JP_E_PARAMS, "the security descriptor \"%s\" has no access list: everybody would have all rights",
                   sddl);
}

jp_status jp_win32_sddl_check(const char *sddl, struct jp_error *error) {
    PSECURITY_DESCRIPTOR descriptor;
    jp_status status = jp_win32_sddl_parse(sddl, &descriptor, error);
    if (status == JP_OK)
        LocalFree(descriptor);
    return status;
}

/* The owner that an object gets by itself depends on the host and on UAC; ours are told by their owner, so it is written in. */
static char *with_owner(const char *sddl, PSECURITY_DESCRIPTOR descriptor) {
    PSID owner = NULL;
    BOOL defaulted;
    uint32_t win32;
    if (GetSecurityDescriptorOwner(descriptor, &owner, &defaulted) && owner)
        return jp_strdup(sddl);
    PSID own = jp_win32_own_user(&win32);
    char *sid = own ? jp_win32_sid_text(own) : NULL;
    char *result = sid ? jp_sprintf("O:%s%s", sid, sddl) : jp_strdup(sddl);
    jp_free(sid);
    jp_free(own);
    return result;
}

jp_status jp_win32_security_as_written(const char *sddl, struct jp_win32_security *ret_security, struct jp_error *error) {
    PSECURITY_DESCRIPTOR descriptor;
    jp_status status = jp_win32_sddl_parse(sddl, &descriptor, error);
    if (status == JP_OK)
        ret_security->attributes = (SECURITY_ATTRIBUTES){.nLength = sizeof ret_security->attributes,
                                                         .lpSecurityDescriptor = descriptor};
    return status;
}

jp_status jp_win32_security_from_sddl(const char *sddl, struct jp_win32_security *ret_security, struct jp_error *error) {
    PSECURITY_DESCRIPTOR descriptor;
    jp_status status = jp_win32_sddl_parse(sddl, &descriptor, error);
    if (status != JP_OK)
        return status;
    char *owned = with_owner(sddl, descriptor);
    LocalFree(descriptor);
    status = jp_win32_security_as_written(owned, ret_security, error);
    jp_free(owned);
    return status;
}

/* The descriptor with `dacl` in place of its own, as one piece (LocalFree); NULL with the last error set. */
static PSECURITY_DESCRIPTOR with_dacl(PSECURITY_DESCRIPTOR old, PACL dacl) {
    SECURITY_DESCRIPTOR built;
    SECURITY_DESCRIPTOR_CONTROL control = 0;
    DWORD revision, length = 0;
    PSID owner = NULL;
    PACL sacl = NULL;
    BOOL present = FALSE, defaulted;
    if (!InitializeSecurityDescriptor(&built, SECURITY_DESCRIPTOR_REVISION) ||
        !GetSecurityDescriptorOwner(old, &owner, &defaulted) || !SetSecurityDescriptorOwner(&built, owner, FALSE) ||
        !GetSecurityDescriptorControl(old, &control, &revision) ||
        !SetSecurityDescriptorControl(&built, SE_DACL_PROTECTED, control & SE_DACL_PROTECTED) ||
        !GetSecurityDescriptorSacl(old, &present, &sacl, &defaulted) ||
        (present && !SetSecurityDescriptorSacl(&built, TRUE, sacl, FALSE)) ||
        !SetSecurityDescriptorDacl(&built, TRUE, dacl, FALSE))
        return NULL;
    MakeSelfRelativeSD(&built, NULL, &length); /* says how much room it wants */
    PSECURITY_DESCRIPTOR result = LocalAlloc(LMEM_FIXED, length);
    if (result && !MakeSelfRelativeSD(&built, result, &length)) {
        DWORD win32 = GetLastError();
        LocalFree(result);
        result = NULL;
        SetLastError(win32);
    }
    return result;
}

jp_status jp_win32_security_grant_self(struct jp_win32_security *security, struct jp_error *error) {
    PSECURITY_DESCRIPTOR old = security->attributes.lpSecurityDescriptor, granted = NULL;
    BOOL present = FALSE, defaulted;
    PACL old_dacl = NULL, dacl = NULL;
    uint32_t win32 = 0;
    PSID own = jp_win32_own_user(&win32);
    if (own) {
        EXPLICIT_ACCESSW entry = {.grfAccessPermissions = GENERIC_ALL, .grfAccessMode = GRANT_ACCESS};
        entry.Trustee = (TRUSTEE_W){.TrusteeForm = TRUSTEE_IS_SID, .TrusteeType = TRUSTEE_IS_USER, .ptstrName = own};
        GetSecurityDescriptorDacl(old, &present, &old_dacl, &defaulted);
        win32 = SetEntriesInAclW(1, &entry, old_dacl, &dacl);
    }
    if (win32 == 0 && !(granted = with_dacl(old, dacl)))
        win32 = GetLastError();
    LocalFree(dacl);
    jp_free(own);
    if (!granted)
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "SetEntriesInAcl", "cannot add the service's own user to an access list");
    LocalFree(old);
    security->attributes.lpSecurityDescriptor = granted;
    return JP_OK;
}

void jp_win32_security_free(struct jp_win32_security *security) {
    LocalFree(security->attributes.lpSecurityDescriptor);
    security->attributes.lpSecurityDescriptor = NULL;
}

PSID jp_win32_token_user(HANDLE token, uint32_t *ret_win32) {
    union {
        TOKEN_USER user;
        uint8_t room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } information;
    DWORD length;
    if (!GetTokenInformation(token, TokenUser, &information, sizeof information, &length)) {
        *ret_win32 = GetLastError();
        return NULL;
    }
    DWORD sid_length = GetLengthSid(information.user.User.Sid);
    PSID sid = jp_alloc(sid_length);
    CopySid(sid_length, sid, information.user.User.Sid);
    return sid;
}

PSID jp_win32_own_user(uint32_t *ret_win32) {
    HANDLE token;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        *ret_win32 = GetLastError();
        return NULL;
    }
    PSID sid = jp_win32_token_user(token, ret_win32);
    CloseHandle(token);
    return sid;
}

bool jp_win32_sid_trusted(PSID sid) {
    if (IsWellKnownSid(sid, WinLocalSystemSid) || IsWellKnownSid(sid, WinBuiltinAdministratorsSid))
        return true;
    uint32_t win32;
    PSID own = jp_win32_own_user(&win32);
    bool is_own = own && EqualSid(own, sid);
    jp_free(own);
    return is_own;
}

/* Not by ConvertSidToStringSid, which fails where memory is short: who is who is told by this text, and no two are to have the same. */
char *jp_win32_sid_text(PSID sid) {
    struct jp_str text = {0};
    uint64_t authority = 0;
    if (!IsValidSid(sid))
        return jp_strdup("an unknown SID");
    const SID *parts = sid;
    for (size_t i = 0; i < sizeof parts->IdentifierAuthority.Value; i++)
        authority = authority << 8 | parts->IdentifierAuthority.Value[i];
    jp_str_printf(&text, authority > UINT32_MAX ? "S-%u-0x%012llx" : "S-%u-%llu", (unsigned)parts->Revision, (unsigned long long)authority);
    for (unsigned i = 0; i < parts->SubAuthorityCount; i++)
        jp_str_printf(&text, "-%lu", (unsigned long)parts->SubAuthority[i]);
    return jp_str_take(&text);
}

char *jp_win32_sid_name(PSID sid) {
    wchar_t *account = NULL, *domain = NULL;
    DWORD account_length = 0, domain_length = 0;
    SID_NAME_USE use;
    char *name = NULL;
    /* The first call only says how much room the names want. */
    LookupAccountSidW(NULL, sid, NULL, &account_length, NULL, &domain_length, &use);
    if (account_length > 0) {
        account = jp_realloc_array(NULL, account_length, sizeof *account);
        domain = jp_realloc_array(NULL, (size_t)domain_length + 1, sizeof *domain);
        domain[0] = 0;
        if (LookupAccountSidW(NULL, sid, account, &account_length, domain, &domain_length, &use)) {
            char *account_text = jp_win32_utf8(account), *domain_text = jp_win32_utf8(domain);
            name = jp_sprintf("%s%s%s", domain_text, *domain_text ? "\\" : "", account_text);
            jp_free(account_text);
            jp_free(domain_text);
        }
    }
    jp_free(account);
    jp_free(domain);
    return name ? name : jp_win32_sid_text(sid);
}
