/* Owns the asking: WM_CLOSE to windows, CTRL_BREAK to a console. Runs in a process of its own. */
#include "win32/stop_helper.h"

#include "win32/internal.h"

#include <inttypes.h>
#include <stdio.h>

enum { PATIENCE_MS = 5000, CONSOLE_MEMBERS = 64 };

/* A console's host, or a desktop that hangs, does not keep us. */
static DWORD WINAPI watchdog(void *context) {
    HANDLE never = context;
    WaitForSingleObject(never, PATIENCE_MS);
    TerminateProcess(GetCurrentProcess(), JP_STOP_NOBODY);
    return 0;
}

/* --- windows --- */

struct search {
    uint32_t pid;
    bool visible; /* wanted: those that the user sees */
    size_t asked;
};

static BOOL CALLBACK ask_window(HWND window, LPARAM context) {
    struct search *search = (struct search *)context;
    DWORD pid = 0;
    GetWindowThreadProcessId(window, &pid);
    if (pid != search->pid || GetWindow(window, GW_OWNER) || (search->visible && !IsWindowVisible(window)))
        return TRUE;
    search->asked += PostMessageW(window, WM_CLOSE, 0, 0) != 0; /* posted: a program that hangs does not hold us up */
    return TRUE;
}

/* What the user sees, if there is anything: the hidden windows of libraries are no windows to close. A program that lives in
 * the corner of the screen has only hidden ones. */
static bool ask_windows(uint32_t pid) {
    struct search search = {.pid = pid, .visible = true};
    EnumWindows(ask_window, (LPARAM)&search);
    if (search.asked > 0)
        return true;
    search.visible = false;
    EnumWindows(ask_window, (LPARAM)&search);
    return search.asked > 0;
}

/* --- the console --- */

static const struct jp_sample *find(const struct jp_samples *samples, uint32_t pid) {
    for (size_t i = 0; i < samples->count; i++)
        if (samples->items[i].pid == pid)
            return &samples->items[i];
    return NULL;
}

/* A parent is older than its child: else the pid is another's by now. */
static bool descends(const struct jp_samples *samples, uint32_t pid, uint32_t ancestor) {
    const struct jp_sample *sample = find(samples, pid);
    for (size_t steps = 0; sample && steps < samples->count; steps++) {
        if (sample->pid == ancestor)
            return true;
        const struct jp_sample *parent = find(samples, sample->parent_pid);
        if (!parent || parent->start_100ns > sample->start_100ns)
            return false;
        sample = parent;
    }
    return false;
}

/* Whether nobody shares the console but the process and what it has started: a shell, and what else was started there, must not
 * be asked along with it. */
static bool has_it_alone(uint32_t pid) {
    DWORD members[CONSOLE_MEMBERS];
    DWORD count = GetConsoleProcessList(members, CONSOLE_MEMBERS);
    struct jp_samples samples = {0};
    struct jp_error error;
    if (count == 0 || count > CONSOLE_MEMBERS || jp__sample(NULL, &samples, &error) != JP_OK)
        return false;
    bool alone = true;
    for (DWORD i = 0; i < count && alone; i++)
        alone = members[i] == GetCurrentProcessId() || descends(&samples, members[i], pid);
    jp_samples_clear(&samples);
    return alone;
}

static BOOL WINAPI ignore_control(DWORD control) {
    (void)control;
    return TRUE;
}

/* To all of the console (group 0). The number of a group would be narrower, but nobody tells which processes lead one, and given
 * another pid Windows takes it for 0 (microsoft/terminal#335). */
static bool ask_console(uint32_t pid) {
    FreeConsole();
    if (!AttachConsole(pid))
        return false;
    bool asked = SetConsoleCtrlHandler(ignore_control, TRUE) && has_it_alone(pid) && GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, 0);
    FreeConsole();
    return asked;
}

/* --- both --- */

int jp_win32_stop_helper(const char *target) {
    uint32_t pid;
    int64_t start_100ns;
    if (sscanf(target, "%" SCNu32 ":%" SCNd64, &pid, &start_100ns) != 2)
        return JP_STOP_USAGE;
    struct jp_error error;
    HANDLE process, never = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE thread = never ? CreateThread(NULL, 0, watchdog, never, 0, NULL) : NULL;
    if (!thread)
        return JP_STOP_NOBODY;
    CloseHandle(thread);
    /* Held until the end, so that the pid stays its own. */
    if (jp__open_process(pid, start_100ns, PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, true, "the helper", &process, &error) != JP_OK)
        return JP_STOP_NOBODY;
    bool windows = ask_windows(pid), console = ask_console(pid);
    CloseHandle(process);
    return windows || console ? JP_STOP_ASKED : JP_STOP_NOBODY;
}
