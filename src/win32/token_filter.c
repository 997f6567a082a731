/* Owns tokens with fewer rights (FILTER_TOKENS): from the names of accounts and privileges to CreateRestrictedToken. */
#include "base/str.h"
#include "win32/internal.h"
#include "win32/wide.h"

#include <sddl.h>
#include <string.h>

/* "S-1-..." or an account's name. Not the two letters that ConvertStringSidToSid also takes: they may be a name. */
static jp_status sid_from(const char *text, PSID *ret_sid, struct jp_error *error) {
    wchar_t *wide = jp_win32_wide(text);
    PSID sid = NULL, parsed;
    uint32_t win32 = 0;
    bool number = (text[0] == 'S' || text[0] == 's') && strncmp(text + 1, "-1-", 3) == 0;
    if (!number) {
        sid = jp__sid_of_account(wide, &win32);
    } else if (ConvertStringSidToSidW(wide, &parsed)) {
        DWORD length = GetLengthSid(parsed);
        sid = jp_alloc(length);
        CopySid(length, sid, parsed);
        LocalFree(parsed);
    } else {
        win32 = GetLastError();
    }
    jp_free(wide);
    if (sid) {
        *ret_sid = sid;
        return JP_OK;
    }
    if (number)
        return jp_fail_win32(error, JP_E_PARAMS, win32, "ConvertStringSidToSid", "\"%s\" is no security identifier", text);
    return jp_fail_win32(error, win32 == ERROR_NONE_MAPPED ? JP_E_PARAMS : JP_E_SYSTEM, win32, "LookupAccountName",
                         "cannot find the account \"%s\"", text);
}

struct sids {
    SID_AND_ATTRIBUTES *items; /* attributes are 0: Windows wants it so */
    DWORD count;
};

static void sids_free(struct sids *sids) {
    for (DWORD i = 0; i < sids->count; i++)
        jp_free(sids->items[i].Sid);
    jp_free(sids->items);
}

static jp_status read_sids(const struct jp_strings *names, struct sids *sids, struct jp_error *error) {
    sids->items = jp_alloc((names->count + 1) * sizeof *sids->items);
    jp_status status = JP_OK;
    for (size_t i = 0; i < names->count && status == JP_OK; i++) {
        status = sid_from(names->items[i], &sids->items[i].Sid, error);
        if (status == JP_OK)
            sids->count++;
    }
    return status;
}

static jp_status read_privileges(const struct jp_strings *names, LUID_AND_ATTRIBUTES **ret_privileges, struct jp_error *error) {
    LUID_AND_ATTRIBUTES *privileges = jp_alloc((names->count + 1) * sizeof *privileges);
    for (size_t i = 0; i < names->count; i++) {
        wchar_t *wide = jp_win32_wide(names->items[i]);
        BOOL found = LookupPrivilegeValueW(NULL, wide, &privileges[i].Luid);
        DWORD win32 = found ? 0 : GetLastError();
        jp_free(wide);
        if (!found) {
            jp_free(privileges);
            return jp_fail_win32(error, win32 == ERROR_NO_SUCH_PRIVILEGE ? JP_E_PARAMS : JP_E_SYSTEM, win32, "LookupPrivilegeValue",
                                 "there is no privilege \"%s\"", names->items[i]);
        }
    }
    *ret_privileges = privileges;
    return JP_OK;
}

jp_status jp__token_filter(HANDLE *token, const struct jp_token_filter *filter, struct jp_error *error) {
    struct sids disable = {0}, restrict_to = {0};
    LUID_AND_ATTRIBUTES *privileges = NULL;
    jp_status status = read_sids(&filter->sids_to_disable, &disable, error);
    if (status == JP_OK)
        status = read_sids(&filter->restricted_sids, &restrict_to, error);
    if (status == JP_OK)
        status = read_privileges(&filter->privileges_to_delete, &privileges, error);
    HANDLE less;
    if (status == JP_OK) {
        BOOL made = CreateRestrictedToken(*token, 0, disable.count, disable.items, (DWORD)filter->privileges_to_delete.count, privileges,
                                          restrict_to.count, restrict_to.items, &less);
        DWORD win32 = made ? 0 : GetLastError();
        if (made) {
            CloseHandle(*token);
            *token = less;
        } else {
            status = jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateRestrictedToken", "cannot make a token with fewer rights");
        }
    }
    jp_free(privileges);
    sids_free(&restrict_to);
    sids_free(&disable);
    return status;
}
