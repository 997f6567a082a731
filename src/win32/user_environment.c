/* Owns what is remembered of users' environments.
 *
 * It holds as long as the registry keys that it is made of were not written: each has the time of its last write, and asking for that is cheap.
 * Nothing in a user's own hive is held open, for that would keep the hive when the user logs off; the machine's keys are. */
#include "win32/user_environment.h"

#include "base/map.h"
#include "base/str.h"
#include "win32/clock.h"
#include "win32/filetime.h"
#include "win32/security.h"
#include "win32/wide.h"

#include <string.h>
#include <userenv.h>

/* A time that is hardly over proves nothing: the key may be written once more within the same tick of the clock. And an account may get another
 * name, of which no key tells. */
enum { REMEMBERED_MAX = 64, UNPROVEN_100NS = 20000000, HOLDS_100NS = 600000000 };

static const wchar_t *const machine_keys[] = {
    L"System\\CurrentControlSet\\Control\\Session Manager\\Environment",
    L"System\\CurrentControlSet\\Control\\ComputerName\\ActiveComputerName",
    L"Software\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList",
    L"Software\\Microsoft\\Windows\\CurrentVersion",
};
static const char *const user_keys[] = { /* below HKEY_USERS\SID; "%lu" is the session */
    "Environment", "Volatile Environment", "Volatile Environment\\%lu", "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\User Shell Folders",
};
enum { MACHINE_KEYS = sizeof machine_keys / sizeof *machine_keys, USER_KEYS = sizeof user_keys / sizeof *user_keys,
       KEYS = MACHINE_KEYS + 1 + USER_KEYS }; /* and the user's own in the list of profiles */

struct stamps {
    int64_t written_100ns[KEYS]; /* 0: there is none */
};

struct remembered {
    char *key;
    struct stamps stamps;
    int64_t made_100ns;
    wchar_t *block, *profile;
};

struct jp_user_environments {
    SRWLOCK lock;
    struct jp_map by_logon; /* struct remembered */
    HKEY machine[MACHINE_KEYS]; /* NULL: it could not be opened, and nothing is remembered */
};

struct jp_user_environments *jp__user_environments_new(void) {
    struct jp_user_environments *environments = jp_alloc(sizeof *environments);
    InitializeSRWLock(&environments->lock);
    for (size_t i = 0; i < MACHINE_KEYS; i++)
        if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, machine_keys[i], 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &environments->machine[i]) != ERROR_SUCCESS)
            environments->machine[i] = NULL;
    return environments;
}

static void clear(struct remembered *remembered) {
    jp_free(remembered->key);
    jp_free(remembered->block);
    jp_free(remembered->profile);
    jp_free(remembered);
}

static void forget_all(struct jp_user_environments *environments) {
    struct remembered *remembered;
    for (size_t position = 0; (remembered = jp_map_next(&environments->by_logon, &position));)
        clear(remembered);
    jp_map_free(&environments->by_logon);
    environments->by_logon = (struct jp_map){0};
}

void jp__user_environments_free(struct jp_user_environments *environments) {
    forget_all(environments);
    for (size_t i = 0; i < MACHINE_KEYS; i++)
        if (environments->machine[i])
            RegCloseKey(environments->machine[i]);
    jp_free(environments);
}

/* --- when it was written --- */

static bool read_stamp(HKEY key, int64_t *ret_written_100ns) {
    FILETIME written;
    if (!key || RegQueryInfoKeyW(key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &written) != ERROR_SUCCESS)
        return false;
    *ret_written_100ns = jp_win32_from_filetime(written);
    return true;
}

/* A key that is not there is not there the next time either, or something has changed. */
static bool read_stamp_of(HKEY root, const char *path, int64_t *ret_written_100ns) {
    HKEY key;
    wchar_t *wide = jp_win32_wide(path);
    LSTATUS result = RegOpenKeyExW(root, wide, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key);
    jp_free(wide);
    *ret_written_100ns = 0;
    if (result != ERROR_SUCCESS)
        return result == ERROR_FILE_NOT_FOUND;
    bool read = read_stamp(key, ret_written_100ns);
    RegCloseKey(key);
    return read;
}

static bool read_stamps(const struct jp_user_environments *environments, const char *sid, unsigned long session, struct stamps *ret_stamps) {
    int64_t *written = ret_stamps->written_100ns;
    bool read = true;
    for (size_t i = 0; i < MACHINE_KEYS && read; i++)
        read = read_stamp(environments->machine[i], written++);
    char *path = jp_sprintf("Software\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\%s", sid);
    read = read && read_stamp_of(HKEY_LOCAL_MACHINE, path, written++);
    jp_free(path);
    for (size_t i = 0; i < USER_KEYS && read; i++) {
        char *below = strchr(user_keys[i], '%') ? jp_sprintf("Volatile Environment\\%lu", session) : jp_strdup(user_keys[i]);
        path = jp_sprintf("%s\\%s", sid, below);
        read = read_stamp_of(HKEY_USERS, path, written++);
        jp_free(path);
        jp_free(below);
    }
    return read;
}

static bool is_proven(const struct stamps *stamps, int64_t now_100ns) {
    for (size_t i = 0; i < KEYS; i++)
        if (stamps->written_100ns[i] > now_100ns - UNPROVEN_100NS)
            return false;
    return true;
}

/* --- whose it is --- */

/* What a token is of those that may not see what its user's others see: an app container's variables lead into its own folders; a restricted one
 * may not read all; and in a sandbox the user's SID may be there to deny only. */
static bool is_less_than_its_user(HANDLE token) {
    union {
        TOKEN_USER user;
        uint8_t room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } whose;
    DWORD length, container = 1;
    return IsTokenRestricted(token) || !GetTokenInformation(token, TokenIsAppContainer, &container, sizeof container, &length) || container ||
           !GetTokenInformation(token, TokenUser, &whose, sizeof whose, &length) || (whose.user.User.Attributes & SE_GROUP_USE_FOR_DENY_ONLY);
}

/* New memory, or NULL for one that nothing is remembered of. Each logon has its own, as it has drives of its own, and the two of an administrator
 * each theirs. */
static char *key_of(HANDLE token, char **ret_sid, DWORD *ret_session) {
    TOKEN_STATISTICS statistics;
    DWORD length;
    uint32_t win32;
    if (is_less_than_its_user(token) || !GetTokenInformation(token, TokenSessionId, ret_session, sizeof *ret_session, &length) ||
        !GetTokenInformation(token, TokenStatistics, &statistics, sizeof statistics, &length))
        return NULL;
    PSID user = jp_win32_token_user(token, &win32);
    if (!user)
        return NULL;
    *ret_sid = jp_win32_sid_text(user);
    jp_free(user);
    return jp_sprintf("%s#%lu#%lx:%lx", *ret_sid, (unsigned long)*ret_session, (unsigned long)statistics.AuthenticationId.HighPart,
                      (unsigned long)statistics.AuthenticationId.LowPart);
}

static wchar_t *copy_text(const wchar_t *text) {
    if (!text)
        return NULL;
    size_t length = wcslen(text) + 1;
    return wmemcpy(jp_alloc(length * sizeof *text), text, length);
}

/* Texts one after the other, and an empty one. */
static wchar_t *copy_block(const wchar_t *block) {
    const wchar_t *end = block;
    while (*end)
        end += wcslen(end) + 1;
    size_t length = (size_t)(end - block) + 1;
    return wmemcpy(jp_alloc((length + 1) * sizeof *block), block, length);
}

/* --- making it --- */

static wchar_t *read_profile(HANDLE token) {
    DWORD room = 0;
    GetUserProfileDirectoryW(token, NULL, &room);
    if (room == 0)
        return NULL;
    wchar_t *profile = jp_alloc(room * sizeof *profile);
    if (GetUserProfileDirectoryW(token, profile, &room))
        return profile;
    jp_free(profile);
    return NULL;
}

static jp_status read_anew(HANDLE token, wchar_t **ret_block, wchar_t **ret_profile, struct jp_error *error) {
    void *block;
    if (!CreateEnvironmentBlock(&block, token, FALSE)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateEnvironmentBlock", "cannot read the client's environment");
    }
    *ret_block = copy_block(block);
    DestroyEnvironmentBlock(block);
    *ret_profile = read_profile(token);
    return JP_OK;
}

static bool recall(struct jp_user_environments *environments, const char *key, const struct stamps *stamps, int64_t now_100ns, wchar_t **ret_block,
                   wchar_t **ret_profile) {
    AcquireSRWLockShared(&environments->lock);
    const struct remembered *remembered = jp_map_get(&environments->by_logon, key);
    int64_t age_100ns = remembered ? now_100ns - remembered->made_100ns : 0;
    bool holds = remembered && age_100ns >= 0 && age_100ns < HOLDS_100NS && memcmp(&remembered->stamps, stamps, sizeof *stamps) == 0;
    if (holds) {
        *ret_block = copy_block(remembered->block);
        *ret_profile = copy_text(remembered->profile);
    }
    ReleaseSRWLockShared(&environments->lock);
    return holds;
}

/* Takes the key. */
static void remember(struct jp_user_environments *environments, char *key, const struct stamps *stamps, int64_t now_100ns, const wchar_t *block,
                     const wchar_t *profile) {
    struct remembered *fresh = jp_alloc(sizeof *fresh);
    *fresh = (struct remembered){.key = key, .stamps = *stamps, .made_100ns = now_100ns, .block = copy_block(block), .profile = copy_text(profile)};
    AcquireSRWLockExclusive(&environments->lock);
    struct remembered *old = jp_map_get(&environments->by_logon, key);
    if (old) {
        jp_map_remove(&environments->by_logon, key);
        clear(old);
    } else if (environments->by_logon.count == REMEMBERED_MAX) {
        forget_all(environments);
    }
    jp_map_put(&environments->by_logon, fresh->key, fresh);
    ReleaseSRWLockExclusive(&environments->lock);
}

jp_status jp__user_environment(struct jp_user_environments *environments, HANDLE token, wchar_t **ret_block, wchar_t **ret_profile,
                               struct jp_error *error) {
    struct stamps stamps = {0};
    DWORD session;
    char *sid = NULL, *key = environments ? key_of(token, &sid, &session) : NULL;
    int64_t now_100ns = jp_win32_now_100ns();
    bool stamped = key && read_stamps(environments, sid, session, &stamps); /* before what is read: what is written meanwhile is newer */
    jp_status status = JP_OK;
    if (!stamped || !recall(environments, key, &stamps, now_100ns, ret_block, ret_profile)) {
        status = read_anew(token, ret_block, ret_profile, error);
        if (status == JP_OK && stamped && is_proven(&stamps, now_100ns)) {
            remember(environments, key, &stamps, now_100ns, *ret_block, *ret_profile);
            key = NULL;
        }
    }
    jp_free(sid);
    jp_free(key);
    return status;
}
