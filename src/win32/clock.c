/* Owns nothing: reads the system's clocks. */
#include "win32/clock.h"

#include <windows.h>

int64_t jp_win32_now_100ns(void) {
    FILETIME now;
    GetSystemTimePreciseAsFileTime(&now);
    return (int64_t)((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime);
}

uint64_t jp_win32_now_ms(void) { return jp_win32_total_ms(); }

/* "Unbiased": the bias is what sleep adds. Fails only for a null pointer. */
uint64_t jp_win32_awake_ms(void) {
    ULONGLONG unbiased_100ns = 0;
    QueryUnbiasedInterruptTime(&unbiased_100ns);
    return unbiased_100ns / 10000;
}

uint64_t jp_win32_total_ms(void) { return GetTickCount64(); }
