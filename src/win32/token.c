/* Owns two questions: does this token give exactly the rights that the service has itself, and is it an administrator's? */
#include "base/str.h"
#include "win32/internal.h"

#include <string.h>

/* New memory (jp_free), or NULL. */
static void *information_of(HANDLE token, TOKEN_INFORMATION_CLASS class) {
    DWORD length = 0;
    GetTokenInformation(token, class, NULL, 0, &length);
    if (length == 0)
        return NULL;
    void *information = jp_alloc(length);
    if (GetTokenInformation(token, class, information, length, &length))
        return information;
    jp_free(information);
    return NULL;
}

/* Groups and the integrity label: which, and with what effect. A group that only denies is not the one that grants. */
static bool same_groups(const SID_AND_ATTRIBUTES *one, const SID_AND_ATTRIBUTES *other, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (one[i].Attributes != other[i].Attributes || !EqualSid(one[i].Sid, other[i].Sid))
            return false;
    return true;
}

static bool all_same(const TOKEN_STATISTICS *statistics[2], const TOKEN_USER *user[2], const TOKEN_GROUPS *groups[2],
                     const TOKEN_PRIVILEGES *privileges[2], const TOKEN_MANDATORY_LABEL *label[2]) {
    if (memcmp(&statistics[0]->AuthenticationId, &statistics[1]->AuthenticationId, sizeof(LUID)) != 0 ||
        !EqualSid(user[0]->User.Sid, user[1]->User.Sid) || !EqualSid(label[0]->Label.Sid, label[1]->Label.Sid))
        return false;
    if (groups[0]->GroupCount != groups[1]->GroupCount ||
        !same_groups(groups[0]->Groups, groups[1]->Groups, groups[0]->GroupCount))
        return false;
    /* Whether a privilege is switched on is no difference: who has it can switch it. */
    if (privileges[0]->PrivilegeCount != privileges[1]->PrivilegeCount)
        return false;
    for (DWORD i = 0; i < privileges[0]->PrivilegeCount; i++)
        if (memcmp(&privileges[0]->Privileges[i].Luid, &privileges[1]->Privileges[i].Luid, sizeof(LUID)) != 0)
            return false;
    return true;
}

static bool is_app_container(HANDLE token) {
    DWORD is = 1, length;
    return !GetTokenInformation(token, TokenIsAppContainer, &is, sizeof is, &length) || is != 0;
}

bool jp__token_is_ours(HANDLE token) {
    HANDLE own;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &own))
        return false;
    static const TOKEN_INFORMATION_CLASS classes[] = {TokenStatistics, TokenUser, TokenGroups, TokenPrivileges,
                                                      TokenIntegrityLevel};
    enum { CLASSES = sizeof classes / sizeof *classes };
    void *information[CLASSES][2];
    bool known = true;
    for (size_t i = 0; i < CLASSES; i++) {
        information[i][0] = information_of(own, classes[i]);
        information[i][1] = information_of(token, classes[i]);
        known = known && information[i][0] && information[i][1];
    }
    bool same = known && !IsTokenRestricted(own) && !IsTokenRestricted(token) && !is_app_container(token) &&
                all_same((const TOKEN_STATISTICS **)information[0], (const TOKEN_USER **)information[1],
                         (const TOKEN_GROUPS **)information[2], (const TOKEN_PRIVILEGES **)information[3],
                         (const TOKEN_MANDATORY_LABEL **)information[4]);
    for (size_t i = 0; i < CLASSES; i++) {
        jp_free(information[i][0]);
        jp_free(information[i][1]);
    }
    CloseHandle(own);
    return same;
}

jp_status jp__token_is_admin(HANDLE token, bool *ret_admin, struct jp_error *error) {
    uint8_t sid[SECURITY_MAX_SID_SIZE];
    DWORD length = sizeof sid;
    HANDLE asking;
    BOOL member = FALSE;
    if (!CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, sid, &length) ||
        !DuplicateTokenEx(token, TOKEN_QUERY, NULL, SecurityIdentification, TokenImpersonation, &asking)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "DuplicateTokenEx", "cannot tell whether a token has administrator's rights");
    }
    BOOL known = CheckTokenMembership(asking, sid, &member);
    DWORD win32 = known ? 0 : GetLastError();
    CloseHandle(asking);
    if (!known)
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "CheckTokenMembership", "cannot tell whether a token has administrator's rights");
    *ret_admin = member;
    return JP_OK;
}
