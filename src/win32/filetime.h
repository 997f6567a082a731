/* FILETIME and what is made of it everywhere else: 100 ns since 1601 UTC. */
#ifndef JP_WIN32_FILETIME_H
#define JP_WIN32_FILETIME_H

#include <stdint.h>
#include <windows.h>

static inline int64_t jp_win32_from_filetime(FILETIME time) { return (int64_t)((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime); }

static inline FILETIME jp_win32_to_filetime(int64_t time_100ns) {
    return (FILETIME){.dwLowDateTime = (DWORD)(uint64_t)time_100ns, .dwHighDateTime = (DWORD)((uint64_t)time_100ns >> 32)};
}

#endif
