/* Owns descriptors that say who has which rights of ours (job/access.h): from SDDL to AccessCheck. */
#include "base/str.h"
#include "job/access.h"
#include "win32/internal.h"
#include "win32/principal.h"
#include "win32/security.h"
#include "win32/wide.h"

#include <sddl.h>
#include <string.h>

struct jp_descriptor {
    SECURITY_DESCRIPTOR absolute; /* its parts are in the two below, but for SYSTEM where the text names no owner or group */
    PSECURITY_DESCRIPTOR parsed;
    PACL dacl;
    uint8_t system[SECURITY_MAX_SID_SIZE];
};

static const GENERIC_MAPPING generic = {.GenericRead = JP_RIGHT_VIEW, .GenericWrite = JP_RIGHT_CONTROL,
                                        .GenericExecute = JP_RIGHT_ASSIGN | JP_RIGHT_LAUNCH, .GenericAll = JP_RIGHTS_ALL};

/* --- names --- */

static PSID sid_and_use(const wchar_t *name, SID_NAME_USE *ret_use, uint32_t *ret_win32) {
    DWORD sid_length = 0, domain_length = 0;
    /* The first call only says how much room the answer wants. */
    LookupAccountNameW(NULL, name, NULL, &sid_length, NULL, &domain_length, ret_use);
    DWORD win32 = GetLastError();
    if (sid_length == 0) {
        *ret_win32 = win32;
        return NULL;
    }
    PSID sid = jp_alloc(sid_length);
    wchar_t *domain = jp_realloc_array(NULL, (size_t)domain_length + 1, sizeof *domain);
    BOOL found = LookupAccountNameW(NULL, name, sid, &sid_length, domain, &domain_length, ret_use);
    *ret_win32 = found ? 0 : GetLastError();
    jp_free(domain);
    if (found)
        return sid;
    jp_free(sid);
    return NULL;
}

PSID jp__sid_of_account(const wchar_t *name, uint32_t *ret_win32) {
    SID_NAME_USE use;
    return sid_and_use(name, &use, ret_win32);
}

/* The name of a machine or a domain has a SID, too, but nobody has that in his token. */
char *jp__account_sid(struct jp_backend *backend, const char *account) {
    wchar_t *wide = jp_win32_wide(account);
    SID_NAME_USE use = SidTypeUnknown;
    uint32_t win32;
    (void)backend;
    PSID sid = sid_and_use(wide, &use, &win32);
    bool somebody = use == SidTypeUser || use == SidTypeGroup || use == SidTypeAlias || use == SidTypeWellKnownGroup || use == SidTypeComputer;
    char *text = sid && somebody ? jp_win32_sid_text(sid) : NULL;
    jp_free(sid);
    jp_free(wide);
    return text;
}

/* --- descriptors --- */

/* AccessCheck takes an entry's mask as it stands; Windows maps generic rights only when a descriptor is put on an object. */
static void map_generic_rights(PACL dacl) {
    for (DWORD i = 0; i < dacl->AceCount; i++) {
        void *entry;
        if (GetAce(dacl, i, &entry))
            MapGenericMask(&((ACCESS_ALLOWED_ACE *)entry)->Mask, (GENERIC_MAPPING *)(uintptr_t)&generic); /* not written to */
    }
}

/* A copy of `old` in new memory (jp_free), with everything for `self` (NULL: nobody) before all else: no entry takes it away again. NULL with
 * *ret_win32 set. */
static PACL copy_acl(PACL old, PSID self, uint32_t *ret_win32) {
    ACL_SIZE_INFORMATION size;
    if (!GetAclInformation(old, &size, sizeof size, AclSizeInformation)) {
        *ret_win32 = GetLastError();
        return NULL;
    }
    DWORD entries = size.AclBytesInUse - (DWORD)sizeof(ACL);
    DWORD length = size.AclBytesInUse + (self ? (DWORD)sizeof(ACCESS_ALLOWED_ACE) + GetLengthSid(self) : 0);
    length = (length + 3) & ~(DWORD)3;
    if (length > MAXWORD) {
        *ret_win32 = ERROR_INVALID_ACL;
        return NULL;
    }
    PACL acl = jp_alloc(length);
    if (InitializeAcl(acl, length, old->AclRevision) && (!self || AddAccessAllowedAce(acl, old->AclRevision, JP_RIGHTS_ALL, self)) &&
        (!entries || AddAce(acl, old->AclRevision, MAXDWORD, old + 1, entries))) {
        map_generic_rights(acl);
        return acl;
    }
    *ret_win32 = GetLastError();
    jp_free(acl);
    return NULL;
}

/* AccessCheck wants an owner and a group, whoever they are: neither has rights of ours by being that. */
static bool assemble(struct jp_descriptor *descriptor) {
    PSID owner = NULL, group = NULL;
    PACL sacl = NULL;
    BOOL defaulted, present = FALSE;
    DWORD length = sizeof descriptor->system;
    return GetSecurityDescriptorOwner(descriptor->parsed, &owner, &defaulted) && GetSecurityDescriptorGroup(descriptor->parsed, &group, &defaulted) &&
           GetSecurityDescriptorSacl(descriptor->parsed, &present, &sacl, &defaulted) &&
           CreateWellKnownSid(WinLocalSystemSid, NULL, descriptor->system, &length) &&
           InitializeSecurityDescriptor(&descriptor->absolute, SECURITY_DESCRIPTOR_REVISION) &&
           SetSecurityDescriptorOwner(&descriptor->absolute, owner ? owner : descriptor->system, FALSE) &&
           SetSecurityDescriptorGroup(&descriptor->absolute, group ? group : descriptor->system, FALSE) &&
           (!present || SetSecurityDescriptorSacl(&descriptor->absolute, TRUE, sacl, FALSE)) &&
           SetSecurityDescriptorDacl(&descriptor->absolute, TRUE, descriptor->dacl, FALSE);
}

static jp_status compile(struct jp_descriptor *descriptor, const char *sddl, bool and_self, struct jp_error *error) {
    uint32_t win32 = 0;
    PACL written = NULL;
    BOOL present, defaulted;
    jp_status status = jp_win32_sddl_parse(sddl, &descriptor->parsed, error);
    if (status != JP_OK)
        return status;
    PSID self = and_self ? jp_win32_own_user(&win32) : NULL;
    if (and_self && !self)
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "GetTokenInformation", "cannot tell who the service is");
    GetSecurityDescriptorDacl(descriptor->parsed, &present, &written, &defaulted); /* there is one: it was looked at when it was parsed */
    descriptor->dacl = copy_acl(written, self, &win32);
    jp_free(self);
    if (descriptor->dacl && assemble(descriptor))
        return JP_OK;
    if (descriptor->dacl)
        win32 = GetLastError();
    return jp_fail_win32(error, JP_E_PARAMS, win32, "SetSecurityDescriptorDacl", "cannot use the security descriptor \"%s\"", sddl);
}

jp_status jp__descriptor_new(struct jp_backend *backend, const char *sddl, bool and_self, struct jp_descriptor **ret_descriptor,
                             struct jp_error *error) {
    struct jp_descriptor *descriptor = jp_alloc(sizeof *descriptor);
    (void)backend;
    jp_status status = compile(descriptor, sddl, and_self, error);
    if (status == JP_OK)
        *ret_descriptor = descriptor;
    else
        jp__descriptor_free(descriptor);
    return status;
}

void jp__descriptor_free(struct jp_descriptor *descriptor) {
    if (!descriptor)
        return;
    LocalFree(descriptor->parsed);
    jp_free(descriptor->dacl);
    jp_free(descriptor);
}

uint32_t jp__descriptor_rights(const struct jp_descriptor *descriptor, const struct jp_principal *principal) {
    if (!principal)
        return JP_RIGHTS_ALL;
    SECURITY_DESCRIPTOR absolute = descriptor->absolute;
    GENERIC_MAPPING mapping = generic;
    PRIVILEGE_SET privileges;
    DWORD length = sizeof privileges, granted = 0;
    BOOL allowed = FALSE;
    if (!AccessCheck(&absolute, principal->token, MAXIMUM_ALLOWED, &mapping, &privileges, &length, &granted, &allowed) || !allowed)
        return 0;
    return jp_rights_with_implied(granted);
}
