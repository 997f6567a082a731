/* Owns nothing: reads the system's clocks. */
#include "win32/clock.h"

#include <windows.h>

int64_t jp_win32_now_100ns(void) {
    FILETIME now;
    GetSystemTimePreciseAsFileTime(&now);
    return (int64_t)((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime);
}

uint64_t jp_win32_now_ms(void) { return GetTickCount64(); }
