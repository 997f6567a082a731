/* Owns nothing: reads the system's clocks. */
#include "win32/clock.h"

#include "win32/filetime.h"

int64_t jp_win32_now_100ns(void) {
    FILETIME now;
    GetSystemTimePreciseAsFileTime(&now);
    return jp_win32_from_filetime(now);
}

/* The tick count moves every 16 ms, which is much of what a rate over a second is worked out from. Cannot fail since Windows XP. */
uint64_t jp_win32_now_ms(void) {
    LARGE_INTEGER now, frequency;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&now);
    uint64_t ticks = (uint64_t)now.QuadPart, second = (uint64_t)frequency.QuadPart;
    return ticks / second * 1000 + ticks % second * 1000 / second;
}

/* "Unbiased": the bias is what sleep adds. Fails only for a null pointer. */
uint64_t jp_win32_awake_ms(void) {
    ULONGLONG unbiased_100ns = 0;
    QueryUnbiasedInterruptTime(&unbiased_100ns);
    return unbiased_100ns / 10000;
}

uint64_t jp_win32_total_ms(void) { return GetTickCount64(); }
