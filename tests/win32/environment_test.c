/* Users' environments, and what is remembered of them. Prints TAP. */
#include "tap.h"

#include "base/str.h"
#include "win32/security.h"
#include "win32/user_environment.h"
#include "win32/wide.h"

#include <sddl.h>
#include <string.h>
#include <winternl.h>

static struct jp_user_environments *environments;
static HANDLE own;
static HKEY variables; /* HKEY_CURRENT_USER\Environment */

/* --- asking --- */

/* Of the variable of this test, as the token has it; NULL: it has none, or no environment. */
static wchar_t *value_for(struct jp_user_environments *remembered, HANDLE token) {
    static const wchar_t name[] = L"JP_ENVIRONMENT_TEST=";
    const size_t length = sizeof name / sizeof *name - 1;
    wchar_t *block, *profile, *value = NULL;
    if (jp__user_environment(remembered, token, &block, &profile, &error))
        return NULL;
    for (const wchar_t *at = block; *at && !value; at += wcslen(at) + 1)
        if (wcsncmp(at, name, length) == 0)
            value = wcscpy(jp_alloc((wcslen(at) + 1) * sizeof *at), at + length);
    jp_free(block);
    jp_free(profile);
    return value;
}

static bool has(struct jp_user_environments *remembered, HANDLE token, const wchar_t *wanted) {
    wchar_t *value = value_for(remembered, token);
    bool same = value ? wanted && wcscmp(value, wanted) == 0 : !wanted;
    printf("# its value is %ls\n", value ? value : L"not there");
    jp_free(value);
    return same;
}

static void set(const wchar_t *value) {
    RegSetValueExW(variables, L"JP_ENVIRONMENT_TEST", 0, REG_SZ, (const BYTE *)value, (DWORD)((wcslen(value) + 1) * sizeof *value));
}

/* --- a key that says it was written long ago --- */

static FILETIME written(void) {
    FILETIME time = {0};
    RegQueryInfoKeyW(variables, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &time);
    return time;
}

static bool pretend_written(FILETIME time) {
    if (NtSetInformationKey(variables, KeyWriteTimeInformation, &time, sizeof time) < 0)
        return false;
    FILETIME now = written();
    return now.dwLowDateTime == time.dwLowDateTime && now.dwHighDateTime == time.dwHighDateTime;
}

/* --- tokens --- */

static HANDLE lesser_token(bool deny_user, const wchar_t *restricting) {
    uint32_t win32;
    PSID user = jp_win32_token_user(own, &win32), sid = NULL;
    SID_AND_ATTRIBUTES denied = {.Sid = user}, restriction = {0};
    HANDLE token = NULL;
    if (restricting && ConvertStringSidToSidW(restricting, &sid))
        restriction.Sid = sid;
    if (!CreateRestrictedToken(own, 0, deny_user, &denied, 0, NULL, restricting != NULL, &restriction, &token))
        token = NULL;
    jp_free(user);
    LocalFree(sid);
    return token;
}

/* The other half of an administrator's logon; NULL: there is none. */
static HANDLE linked_token(void) {
    TOKEN_LINKED_TOKEN linked;
    DWORD length;
    return GetTokenInformation(own, TokenLinkedToken, &linked, sizeof linked, &length) ? linked.LinkedToken : NULL;
}

/* --- the tests --- */

static void test_what_it_says(void) {
    set(L"one");
    CHECK(has(environments, own, L"one"), "a variable of the user's is there");
    CHECK(has(environments, own, L"one"), "also the second time");
    set(L"two");
    CHECK(has(environments, own, L"two"), "who writes another value has it in the next process");
    RegDeleteValueW(variables, L"JP_ENVIRONMENT_TEST");
    CHECK(has(environments, own, NULL), "and who deletes it has none");
    wchar_t *block, *profile;
    STATUS(jp__user_environment(NULL, own, &block, &profile, &error), JP_OK, "it is also told where nothing is remembered");
    jp_free(block);
    jp_free(profile);
}

/* A key that was written and says it was not gives away who is told what was remembered. */
static void test_who_is_told(void) {
    static const char remembered[] = "what is remembered is told again", denied[] = "but not to a token in which the user's SID only denies",
                      restricted[] = "nor to a restricted one", other[] = "nor to the other half of an administrator's logon";
    const FILETIME long_ago = {.dwHighDateTime = 29000000};
    set(L"old");
    if (!pretend_written(long_ago)) {
        const char *reason = "this host keeps the time of a key's last write to itself";
        skip(remembered, reason);
        skip(denied, reason);
        skip(restricted, reason);
        skip(other, reason);
        return;
    }
    HANDLE denying = lesser_token(true, NULL), restricting = lesser_token(false, L"S-1-5-12"), linked = linked_token();
    has(environments, own, L"old");
    set(L"new");
    pretend_written(long_ago);
    CHECK(has(environments, own, L"old"), remembered);
    CHECK(denying && !has(environments, denying, L"old"), denied);
    CHECK(restricting && !has(environments, restricting, L"old"), restricted);
    if (linked)
        CHECK(!has(environments, linked, L"old"), other);
    else
        skip(other, "this logon has one half");
    RegDeleteValueW(variables, L"JP_ENVIRONMENT_TEST");
}

/* The text is by whom what is remembered, and everything else, is told apart. */
static void test_sids(void) {
    static const wchar_t *const texts[] = {L"S-1-0-0", L"S-1-5-18", L"S-1-5-21-4294967295-0-1-1001", L"S-1-16-12288", L"S-1-15-2-1-2-3-4-5-6-7-8"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        PSID sid = NULL;
        char *text = ConvertStringSidToSidW(texts[i], &sid) ? jp_win32_sid_text(sid) : jp_strdup("not read");
        wchar_t *wide = jp_win32_wide(text);
        if (!CHECK(wcscmp(wide, texts[i]) == 0, "a SID is written as Windows writes it"))
            printf("# %s, not %ls\n", text, texts[i]);
        jp_free(wide);
        jp_free(text);
        LocalFree(sid);
    }
}

int wmain(void); /* no header declares it */

int wmain(void) {
    OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own);
    RegCreateKeyExW(HKEY_CURRENT_USER, L"Environment", 0, NULL, 0, KEY_ALL_ACCESS, NULL, &variables, NULL);
    environments = jp__user_environments_new();
    test_sids();
    test_what_it_says();
    test_who_is_told();
    jp__user_environments_free(environments);
    RegCloseKey(variables);
    CloseHandle(own);
    return finish();
}
