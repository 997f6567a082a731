/* Owns nothing: what the system is that this runs on. */
#include "win32/host.h"

#include "base/str.h"

#include <windows.h>

enum { OLDEST_BUILD = 17763 }; /* Windows 10 1809, Server 2019 */

typedef LONG(NTAPI *rtl_get_version_fn)(RTL_OSVERSIONINFOW *version);
typedef const char *(CDECL *wine_get_version_fn)(void);

static FARPROC from_ntdll(const char *name) { return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), name); }

char *jp_win32_host_name(bool *ret_supported) {
    RTL_OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof version};
    union {
        FARPROC any;
        rtl_get_version_fn version;
        wine_get_version_fn wine;
    } get_version = {.any = from_ntdll("RtlGetVersion")}, get_wine = {.any = from_ntdll("wine_get_version")};
    if (get_version.any)
        get_version.version(&version);
    if (ret_supported)
        *ret_supported = get_wine.any || version.dwMajorVersion > 10 || (version.dwMajorVersion == 10 && version.dwBuildNumber >= OLDEST_BUILD);
    char *windows = jp_sprintf("Windows %lu.%lu.%lu", version.dwMajorVersion, version.dwMinorVersion, version.dwBuildNumber);
    if (!get_wine.any)
        return windows;
    char *wine = jp_sprintf("%s (Wine %s)", windows, get_wine.wine());
    jp_free(windows);
    return wine;
}

bool jp_win32_is_wine(void) { return from_ntdll("wine_get_version") != NULL; }
