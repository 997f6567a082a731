/* Thousands of handles watched at once: how many threads that takes, and that each end is told once. Prints TAP.
 *
 * The handles are of a few processes only, each duplicated often: a wait is for a handle, and under Wine a process is dear. Children
 * are this program again. */
#include "sinks.h"
#include "tap.h"

#include "base/str.h"
#include "win32/clock.h"
#include "win32/port.h"

#include <inttypes.h>
#include <string.h>
#include <tlhelp32.h>

enum {
    PROCESSES = 20,
    WATCHES = 2000,
    WINDOWS_THREADS = 8, /* more than before, whatever the number of handles: workers that call back, and their factory's own */
    WINE_HANDLES = 63,   /* that a thread of Wine's waits for */
    FIRST = 1000,        /* watch number */
    ENDS_PATIENCE_MS = 60000,
};

static volatile LONG told[WATCHES], told_count, strange;

static void on_exits(void *context, const uint64_t *watches, size_t count) {
    (void)context;
    for (size_t i = 0; i < count; i++) {
        if (watches[i] < FIRST || watches[i] >= FIRST + WATCHES)
            InterlockedIncrement(&strange);
        else if (InterlockedIncrement(&told[watches[i] - FIRST]) == 1)
            InterlockedIncrement(&told_count);
    }
}

static size_t threads_of_this_process(void) {
    THREADENTRY32 entry = {.dwSize = sizeof entry};
    size_t count = 0;
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    for (BOOL more = Thread32First(snapshot, &entry); more; more = Thread32Next(snapshot, &entry))
        count += entry.th32OwnerProcessID == GetCurrentProcessId();
    CloseHandle(snapshot);
    return count;
}

static bool is_wine(void) { return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL; }

static HANDLE start_child(void) {
    wchar_t path[1024], line[1100];
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION child;
    GetModuleFileNameW(NULL, path, 1024);
    swprintf(line, 1100, L"\"%ls\" child", path);
    if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &child))
        return NULL;
    CloseHandle(child.hThread);
    return child.hProcess;
}

static bool watch_all(const HANDLE *children, HANDLE *handles, HANDLE *waits) {
    for (size_t i = 0; i < WATCHES; i++)
        if (!DuplicateHandle(GetCurrentProcess(), children[i % PROCESSES], GetCurrentProcess(), &handles[i], SYNCHRONIZE, FALSE, 0) ||
            jp_win32_watch(handles[i], FIRST + i, &waits[i], &error))
            return false;
    return true;
}

static void await_ends(void) {
    HANDLE pause = CreateEventW(NULL, TRUE, FALSE, NULL);
    uint64_t until = jp_win32_now_ms() + ENDS_PATIENCE_MS;
    while (told_count < WATCHES && jp_win32_now_ms() < until)
        WaitForSingleObject(pause, 5);
    CloseHandle(pause);
}

static void check_threads(size_t before, size_t watching) {
    static const char what[] = "the number of threads does not grow with that of the handles";
    printf("# %d handles: %zu threads before, %zu now\n", WATCHES, before, watching);
    if (is_wine()) {
        skip(what, "Wine has a thread for every 63 handles that are waited for");
        CHECK(watching <= before + WATCHES / WINE_HANDLES + WINDOWS_THREADS, "and not more than that");
    } else {
        CHECK(watching <= before + WINDOWS_THREADS, what);
    }
}

static void test_thousands(void) {
    static HANDLE handles[WATCHES], waits[WATCHES];
    HANDLE children[PROCESSES];
    bool started = true;
    for (size_t i = 0; i < PROCESSES; i++)
        started &= (children[i] = start_child()) != NULL;
    if (!CHECK(started, "processes are started"))
        return;
    size_t before = threads_of_this_process();
    uint64_t began_ms = jp_win32_now_ms();
    CHECK(watch_all(children, handles, waits), "all handles are watched");
    printf("# watching them took %" PRIu64 " ms\n", jp_win32_now_ms() - began_ms);
    check_threads(before, threads_of_this_process());
    CHECK(told_count == 0, "nobody has ended");
    began_ms = jp_win32_now_ms();
    for (size_t i = 0; i < PROCESSES; i++)
        TerminateProcess(children[i], 0);
    await_ends();
    printf("# %ld ends told in %" PRIu64 " ms\n", told_count, jp_win32_now_ms() - began_ms);
    for (size_t i = 0; i < WATCHES; i++) {
        jp_win32_unwatch(waits[i]);
        CloseHandle(handles[i]);
    }
    for (size_t i = 0; i < PROCESSES; i++)
        CloseHandle(children[i]);
}

static void check_told(void) {
    size_t once = 0;
    for (size_t i = 0; i < WATCHES; i++)
        once += told[i] == 1;
    CHECK(once == WATCHES && strange == 0, "each end is told once");
}

int wmain(int argc, wchar_t **argv); /* no header declares it */

int wmain(int argc, wchar_t **argv) {
    if (argc > 1 && wcscmp(argv[1], L"child") == 0) {
        HANDLE never = CreateEventW(NULL, TRUE, FALSE, NULL);
        return (int)WaitForSingleObject(never, 120000);
    }
    struct jp_win32_sinks sinks = {.packets = pass_over_packets, .exits = on_exits};
    struct jp_win32_port *port;
    if (!STATUS(jp_win32_port_new(&sinks, &port, &error), JP_OK, "the port is there"))
        return finish();
    test_thousands();
    jp_win32_port_free(port); /* has told all that came */
    check_told();
    return finish();
}
