/* What the service does to processes itself, against the host that it runs on: sampling, adjusting, freezing, asking to end. Prints
 * TAP. Children are this program again. */
#include "sinks.h"
#include "tap.h"

#include "base/str.h"
#include "win32/backend.h"
#include "win32/clock.h"
#include "win32/stop_helper.h"
#include "win32/wide.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winternl.h>

enum { BREAK_CODE = 77, CLOSE_CODE = 78, ALLOCATED = 48 << 20 };

static struct jp_backend *backend;
static const struct jp_backend_ops *ops;
static bool wine;
static char *own_path;

/* --- surroundings --- */

static void pause_ms(DWORD ms) {
    static HANDLE never;
    if (!never)
        never = CreateEventW(NULL, TRUE, FALSE, NULL);
    WaitForSingleObject(never, ms);
}

static struct jp_process *launch_line(const char *line, bool no_error_dialogs) {
    struct jp_launch wanted = {.command_line = line, .no_error_dialogs = no_error_dialogs};
    struct jp_process *process = NULL;
    jp_status status = ops->process_launch(backend, &wanted, &process, &error);
    if (status != JP_OK && wine && error.win32 == ERROR_INTERNAL_ERROR) /* one in some thousands, on a busy machine */
        status = ops->process_launch(backend, &wanted, &process, &error);
    if (status != JP_OK)
        STATUS(status, JP_OK, "a process is launched");
    return process;
}

/* Suspended. */
static struct jp_process *launch(const char *arguments) {
    char *line = jp_sprintf("\"%s\" child %s", own_path, arguments);
    struct jp_process *process = launch_line(line, false);
    jp_free(line);
    return process;
}

static struct jp_process *run(const char *arguments) {
    struct jp_process *process = launch(arguments);
    ops->process_resume(process, &error);
    return process;
}

static void end(struct jp_process *process) {
    ops->process_terminate(process, 1, &error);
    ops->process_close(process);
}

static void identify(struct jp_process *process, uint32_t *ret_pid, int64_t *ret_start) {
    struct jp_process_facts facts = {0};
    ops->process_facts(process, &facts, &error);
    *ret_pid = facts.pid;
    *ret_start = facts.start_100ns;
    jp_process_facts_clear(&facts);
}

static bool ends_within(struct jp_process *process, uint32_t ms, uint32_t code) {
    uint32_t got = 0;
    uint64_t until = jp_win32_now_ms() + ms;
    bool ended;
    while (!(ended = ops->process_exited(process, &got)) && jp_win32_now_ms() < until)
        pause_ms(5);
    if (!ended || got != code)
        printf("# ended %d, code %" PRIu32 "\n", ended, got);
    return ended && got == code;
}

/* The second handle that the service opens on a member. */
static struct jp_process *control_of(struct jp_process *process) {
    uint32_t pid;
    int64_t start;
    struct jp_process *control = NULL;
    identify(process, &pid, &start);
    STATUS(ops->process_open(backend, pid, start, JP_PROCESS_CONTROL, NULL, &control, &error), JP_OK, "a process is opened to control it");
    return control;
}

/* --- samples --- */

/* False: it is not there. The name is a copy, to be freed. */
static bool sample_of(struct jp_process *process, struct jp_sample *ret_sample, char **ret_image) {
    uint32_t pid;
    int64_t start;
    struct jp_samples samples = {0};
    bool found = false;
    identify(process, &pid, &start);
    if (ops->sample(backend, &samples, &error) != JP_OK)
        return false;
    for (size_t i = 0; i < samples.count && !found; i++) {
        *ret_sample = samples.items[i];
        found = ret_sample->pid == pid && ret_sample->start_100ns == start;
    }
    if (ret_image)
        *ret_image = found ? jp_strdup(ret_sample->image) : NULL;
    jp_samples_clear(&samples);
    return found;
}

static uint64_t cpu_of(struct jp_process *process) {
    struct jp_sample sample = {0};
    return sample_of(process, &sample, NULL) ? sample.usage.user_100ns + sample.usage.kernel_100ns : 0;
}

/* Whether the CPU time rises above `cpu` in good time. */
static bool burns_on(struct jp_process *process, uint64_t cpu) {
    uint64_t until = jp_win32_now_ms() + PATIENCE_MS;
    while (cpu_of(process) <= cpu && jp_win32_now_ms() < until)
        pause_ms(20);
    return cpu_of(process) > cpu;
}

static void test_sample(void) {
    struct jp_process *child = launch("grow");
    struct jp_sample before = {0}, after = {0};
    char *image = NULL;
    DWORD session = 0;
    ProcessIdToSessionId(GetCurrentProcessId(), &session);
    if (!CHECK(sample_of(child, &before, &image), "a child is in the sample, with its creation time"))
        return;
    CHECK(image && strcmp(image, "control_test.exe") == 0, "with its file's name");
    CHECK(before.parent_pid == GetCurrentProcessId() && before.session == session, "with its parent and its session");
    CHECK((before.usage.known & JP_USAGE_CPU) && (before.usage.known & JP_USAGE_MEMORY), "with CPU time and memory");
    CHECK(!(before.usage.known & JP_USAGE_IO) == !ops->capabilities(backend)->process_io, "with I/O where the host counts it");
    ops->process_resume(child, &error);
    uint64_t until = jp_win32_now_ms() + PATIENCE_MS;
    do {
        pause_ms(50);
        sample_of(child, &after, NULL);
    } while ((after.commit_bytes < before.commit_bytes + ALLOCATED || after.usage.user_100ns == before.usage.user_100ns) &&
             jp_win32_now_ms() < until);
    printf("# commit %" PRIu64 " -> %" PRIu64 ", working set %" PRIu64 " -> %" PRIu64 ", user %" PRIu64 " -> %" PRIu64 "\n",
           before.commit_bytes, after.commit_bytes, before.working_set_bytes, after.working_set_bytes, before.usage.user_100ns,
           after.usage.user_100ns);
    CHECK(after.commit_bytes >= before.commit_bytes + ALLOCATED, "what it commits is seen");
    CHECK(after.working_set_bytes >= before.working_set_bytes + ALLOCATED / 2, "what it touches is seen");
    CHECK(after.usage.user_100ns > before.usage.user_100ns, "the CPU time that it uses is seen");
    CHECK(after.usage.peak_commit_bytes >= after.commit_bytes, "the peak is no less than what is now");
    jp_free(image);
    end(child);
}

enum { SAMPLERS = 4, SAMPLES_EACH = 20 };

static DWORD WINAPI sample_often(void *context) {
    DWORD pid = *(DWORD *)context, good = 0;
    for (int i = 0; i < SAMPLES_EACH; i++) {
        struct jp_samples samples = {0};
        struct jp_error own;
        bool found = false;
        if (ops->sample(backend, &samples, &own) == JP_OK)
            for (size_t k = 0; k < samples.count; k++)
                found = found || (samples.items[k].pid == pid && samples.items[k].image);
        good += found;
        jp_samples_clear(&samples);
    }
    return good;
}

static void test_sample_threads(void) {
    HANDLE threads[SAMPLERS];
    DWORD pid = GetCurrentProcessId(), good = 0;
    for (size_t i = 0; i < SAMPLERS; i++)
        threads[i] = CreateThread(NULL, 0, sample_often, &pid, 0, NULL);
    for (size_t i = 0; i < SAMPLERS; i++) {
        DWORD own = 0;
        WaitForSingleObject(threads[i], INFINITE);
        GetExitCodeThread(threads[i], &own);
        good += own;
        CloseHandle(threads[i]);
    }
    CHECK(good == SAMPLERS * SAMPLES_EACH, "several threads sample at once");
}

static int compare(const void *one, const void *other) {
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return (a > b) - (a < b);
}

static int64_t ticks(void) {
    LARGE_INTEGER now;
    QueryPerformanceCounter(&now);
    return now.QuadPart;
}

/* Medians, taken in turns: the machine is never quiet. */
static void test_sample_cost(void) {
    enum { MANY = 200, ROUNDS = 41, ROOM = 1 << 20 };
    static struct jp_process *crowd[MANY];
    static int64_t bare[ROUNDS], ours[ROUNDS];
    for (size_t i = 0; i < MANY; i++)
        crowd[i] = launch("wait");
    char *room = jp_alloc(ROOM);
    size_t count = 0;
    for (size_t i = 0; i < ROUNDS; i++) {
        int64_t begin = ticks();
        NtQuerySystemInformation(SystemProcessInformation, room, ROOM, NULL);
        bare[i] = ticks() - begin;
        struct jp_samples samples = {0};
        begin = ticks();
        ops->sample(backend, &samples, &error);
        count = samples.count;
        jp_samples_clear(&samples);
        ours[i] = ticks() - begin;
    }
    jp_free(room);
    for (size_t i = 0; i < MANY; i++)
        end(crowd[i]);
    qsort(bare, ROUNDS, sizeof *bare, compare);
    qsort(ours, ROUNDS, sizeof *ours, compare);
    LARGE_INTEGER frequency;
    QueryPerformanceFrequency(&frequency);
    double us = 1e6 / (double)frequency.QuadPart;
    printf("# %zu processes: the system call %.0f us, the sample %.0f us\n", count, (double)bare[ROUNDS / 2] * us, (double)ours[ROUNDS / 2] * us);
    CHECK(count >= MANY, "200 processes are sampled");
    CHECK((double)ours[ROUNDS / 2] <= 1.5 * (double)bare[ROUNDS / 2], "in at most 1.5 times the time of the system call");
}

/* --- adjusting --- */

static void test_adjust(void) {
    struct jp_process *child = launch("wait"), *control = control_of(child);
    uint32_t pid;
    int64_t start;
    identify(child, &pid, &start);
    HANDLE handle = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, pid);
    struct jp_adjustment wanted = {.present = JP_SCHEMA_BIT(JP_LIMIT_PRIORITY_CLASS) | JP_SCHEMA_BIT(JP_LIMIT_AFFINITY),
                                   .priority_class = IDLE_PRIORITY_CLASS, .affinity = 1};
    STATUS(ops->process_adjust(control, &wanted, &error), JP_OK, "priority class and processors are set");
    DWORD_PTR processors = 0, all = 0;
    GetProcessAffinityMask(handle, &processors, &all);
    CHECK(GetPriorityClass(handle) == IDLE_PRIORITY_CLASS && processors == 1, "the process has them");
    wanted = (struct jp_adjustment){.present = JP_SCHEMA_BIT(JP_LIMIT_PRIORITY_CLASS), .priority_class = BELOW_NORMAL_PRIORITY_CLASS};
    STATUS(ops->process_adjust(child, &wanted, &error), JP_OK, "also by the handle of the launch");
    GetProcessAffinityMask(handle, &processors, &all);
    CHECK(GetPriorityClass(handle) == BELOW_NORMAL_PRIORITY_CLASS && processors == 1, "what is not wanted stays as it is");

    wanted = (struct jp_adjustment){.present = JP_SCHEMA_BIT(JP_LIMIT_WORKING_SET), .min_working_set_bytes = 1 << 20,
                                    .max_working_set_bytes = 32 << 20};
    STATUS(ops->process_adjust(control, &wanted, &error), JP_OK, "a working set is set");
    SIZE_T least = 0, most = 0;
    DWORD flags = 0;
    GetProcessWorkingSetSizeEx(handle, &least, &most, &flags);
    printf("# working set %zu to %zu, flags 0x%lX\n", least, most, flags);
    if (wine)
        skip("the process has it, its maximum kept", "Wine takes working sets and forgets them");
    else
        CHECK(least == 1 << 20 && most == 32 << 20 && (flags & QUOTA_LIMITS_HARDWS_MAX_ENABLE), "the process has it, its maximum kept");

    wanted = (struct jp_adjustment){.present = JP_SCHEMA_BIT(JP_LIMIT_PRIORITY_CLASS) | JP_SCHEMA_BIT(JP_LIMIT_AFFINITY),
                                    .priority_class = 0x1234, .affinity = 1};
    jp_status status = ops->process_adjust(control, &wanted, &error);
    CHECK(status == JP_E_SYSTEM || status == JP_E_DENIED, "a priority class that there is not is refused");
    CHECK(strstr(error.text, "priority class") != NULL, "the error says what it was that failed");
    printf("# %s\n", error.text);
    CloseHandle(handle);
    ops->process_terminate(child, 0, &error);
    ends_within(child, PATIENCE_MS, 0);
    STATUS(ops->process_adjust(control, &wanted, &error), JP_E_NO_PROCESS, "one that has ended is said to have");
    ops->process_close(control);
    ops->process_close(child);
}

/* --- freezing --- */

static bool stands_still(struct jp_process *process) {
    pause_ms(50); /* what was on its way */
    uint64_t cpu = cpu_of(process);
    pause_ms(300);
    return cpu_of(process) == cpu;
}

static void test_freeze(void) {
    struct jp_process *child = run("grow"), *control = control_of(child);
    CHECK(burns_on(child, 0), "a process burns CPU time");
    STATUS(ops->process_freeze(control, true, &error), JP_OK, "it is frozen");
    CHECK(stands_still(child), "it makes no progress");
    uint64_t cpu = cpu_of(child);
    STATUS(ops->process_freeze(child, true, &error), JP_OK, "frozen once more, by the handle of the launch");
    STATUS(ops->process_freeze(control, false, &error), JP_OK, "and thawed once");
    CHECK(stands_still(child), "it is still frozen: Windows counts");
    STATUS(ops->process_freeze(control, false, &error), JP_OK, "thawed as often as it was frozen");
    CHECK(burns_on(child, cpu), "it goes on");

    STATUS(ops->process_freeze(control, true, &error), JP_OK, "frozen again");
    STATUS(ops->process_terminate(control, 5, &error), JP_OK, "a frozen process is ended");
    CHECK(ends_within(child, PATIENCE_MS, 5), "it ends");
    STATUS(ops->process_freeze(control, true, &error), JP_E_NO_PROCESS, "one that has ended cannot be frozen");
    STATUS(ops->process_freeze(control, false, &error), JP_E_NO_PROCESS, "nor thawed");
    ops->process_close(control);
    ops->process_close(child);

    child = launch("grow");
    STATUS(ops->process_freeze(child, true, &error), JP_OK, "a process is frozen before it has run");
    ops->process_resume(child, &error);
    CHECK(stands_still(child), "it does not begin when it is let go");
    STATUS(ops->process_freeze(child, false, &error), JP_OK, "it is thawed");
    CHECK(burns_on(child, 0), "it begins");
    end(child);
}

/* --- asking to end --- */

static int ask(const char *target) {
    wchar_t *path = jp_win32_wide(own_path), *word = jp_win32_wide(target);
    wchar_t line[1200];
    swprintf(line, 1200, L"\"%ls\" ask %ls", path, word);
    jp_free(word);
    jp_free(path);
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION helper;
    if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, DETACHED_PROCESS, NULL, NULL, &startup, &helper))
        return -1;
    DWORD code = 0;
    WaitForSingleObject(helper.hProcess, PATIENCE_MS);
    GetExitCodeProcess(helper.hProcess, &code);
    CloseHandle(helper.hThread);
    CloseHandle(helper.hProcess);
    return (int)code;
}

static void test_helper(void) {
    struct jp_process *child = run("wait");
    uint32_t pid;
    int64_t start;
    identify(child, &pid, &start);
    char *wrong = jp_sprintf("%" PRIu32 ":%" PRId64, pid, start + 1), *right = jp_sprintf("%" PRIu32 ":%" PRId64, pid, start);
    CHECK(ask("nonsense") == JP_STOP_USAGE, "the helper wants to know whom to ask");
    CHECK(ask(wrong) == JP_STOP_NOBODY, "it asks no other process that has the pid by now");
    if (wine)
        CHECK(ask(right) == JP_STOP_NOBODY, "a process without window and console cannot be asked");
    uint32_t code;
    CHECK(!ops->process_exited(child, &code), "the process goes on");
    jp_free(right);
    jp_free(wrong);
    end(child);
}

static void test_request_stop(void) {
    struct jp_process *child = run("break"), *control = control_of(child);
    pause_ms(300); /* it gets ready */
    if (wine) {
        STATUS(ops->process_request_stop(control, &error), JP_E_UNSUPPORTED, "a process without window and console is said to have none");
        skip("a console program is asked by CTRL_BREAK", "Wine's launches have no console, and its GenerateConsoleCtrlEvent fails after AttachConsole");
        skip("one that shares its console with others is not", "Wine's launches have no console");
        skip("a window is asked by WM_CLOSE", "Wine makes no windows without a display");
        end(child);
    } else {
        CHECK(ops->process_request_stop(control, &error) == JP_OK && ends_within(child, PATIENCE_MS, BREAK_CODE),
              "a console program is asked by CTRL_BREAK");
        ops->process_close(child);
        child = run("break-two"); /* its child, in the same console, is the one that is asked */
        pause_ms(600);
        struct jp_samples samples = {0};
        struct jp_process *inner = NULL;
        uint32_t pid, code;
        int64_t start;
        identify(child, &pid, &start);
        ops->sample(backend, &samples, &error);
        for (size_t i = 0; i < samples.count && !inner; i++)
            if (samples.items[i].parent_pid == pid && samples.items[i].start_100ns > start && strcmp(samples.items[i].image, "control_test.exe") == 0)
                ops->process_open(backend, samples.items[i].pid, 0, JP_PROCESS_CONTROL, NULL, &inner, &error);
        jp_samples_clear(&samples);
        ops->process_request_stop(inner, &error);
        pause_ms(1000);
        CHECK(!ops->process_exited(inner, &code) && !ops->process_exited(child, &code), "one that shares its console with others is not");
        end(inner);
        end(child);
        child = run("window");
        pause_ms(600);
        CHECK(ops->process_request_stop(child, &error) == JP_OK && ends_within(child, PATIENCE_MS, CLOSE_CODE), "a window is asked by WM_CLOSE");
        ops->process_close(child);
    }
    ops->process_close(control);
    child = launch("wait");
    ops->process_terminate(child, 0, &error);
    ends_within(child, PATIENCE_MS, 0);
    STATUS(ops->process_request_stop(child, &error), JP_E_NO_PROCESS, "one that has ended is not asked");
    ops->process_close(child);
}

/* --- what it is --- */

static void test_debugged(void) {
    struct jp_process *child = run("wait"), *control = control_of(child);
    uint32_t pid;
    int64_t start;
    identify(child, &pid, &start);
    CHECK(!ops->process_is_debugged(control), "a process is not debugged");
    if (!CHECK(DebugActiveProcess(pid), "a debugger comes"))
        return;
    CHECK(ops->process_is_debugged(control), "now it is");
    DebugActiveProcessStop(pid);
    CHECK(!ops->process_is_debugged(control), "the debugger is gone");
    ops->process_close(control);
    end(child);
}

static bool critical_pid(uint32_t pid) {
    struct jp_process *process = NULL;
    if (ops->process_open(backend, pid, 0, JP_PROCESS_OBSERVE, NULL, &process, &error) != JP_OK) {
        printf("# %s\n", error.text);
        return true; /* as the service takes it */
    }
    bool critical = ops->process_is_critical(process);
    ops->process_close(process);
    return critical;
}

static bool critical_line(const char *line) {
    struct jp_process *process = launch_line(line, false);
    uint32_t pid;
    int64_t start;
    identify(process, &pid, &start);
    bool critical = ops->process_is_critical(process) || critical_pid(pid);
    end(process);
    return critical;
}

static void test_critical(void) {
    struct jp_samples samples = {0};
    size_t found = 0, critical = 0;
    ops->sample(backend, &samples, &error);
    for (size_t i = 0; i < samples.count; i++) {
        const char *image = samples.items[i].image;
        if (image && (jp_ascii_equal_nocase(image, "services.exe") || jp_ascii_equal_nocase(image, "csrss.exe") ||
                      jp_ascii_equal_nocase(image, "lsass.exe") || jp_ascii_equal_nocase(image, "svchost.exe"))) {
            found++;
            critical += critical_pid(samples.items[i].pid);
        }
    }
    jp_samples_clear(&samples);
    printf("# %zu of the system's\n", found);
    CHECK(found > 0 && critical == found, "services.exe and its like are critical");
    CHECK(critical_pid(GetCurrentProcessId()), "so is the service itself");
    char *own = jp_sprintf("\"%s\" child wait", own_path);
    CHECK(critical_line(own), "and what it starts of its own program");
    jp_free(own);
    CHECK(!critical_line("cmd.exe /c exit 0"), "another program in System32 is not");

    wchar_t folder[MAX_PATH], copy[2 * MAX_PATH];
    GetTempPathW(MAX_PATH, folder);
    swprintf(copy, 2 * MAX_PATH, L"%lscsrss.exe", folder);
    wchar_t *path = jp_win32_wide(own_path);
    CHECK(CopyFileW(path, copy, FALSE), "a file elsewhere gets a system program's name");
    char *disguised = jp_win32_utf8(copy), *line = jp_sprintf("\"%s\" child wait", disguised);
    CHECK(!critical_line(line), "its process is not critical");
    DeleteFileW(copy);
    jp_free(line);
    jp_free(disguised);
    jp_free(path);
}

static void test_error_mode(void) {
    UINT before = GetErrorMode();
    char *line = jp_sprintf("\"%s\" child error-mode", own_path);
    struct jp_process *child = launch_line(line, true);
    CHECK(GetErrorMode() == before, "a launch leaves the service's own error mode as it was");
    ops->process_resume(child, &error);
    if (wine) {
        skip("what it starts inherits the silent mode", "Wine's processes do not inherit the error mode");
        skip("what others start does not", "Wine's processes do not inherit the error mode");
    } else {
        CHECK(ends_within(child, PATIENCE_MS, before | SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX), "what it starts inherits the silent mode");
        ops->process_close(child);
        child = launch_line(line, false);
        ops->process_resume(child, &error);
        CHECK(ends_within(child, PATIENCE_MS, before), "what others start does not");
    }
    end(child);
    jp_free(line);
}

static void test_clocks(void) {
    uint64_t awake = jp_win32_awake_ms(), total = jp_win32_total_ms();
    printf("# awake %" PRIu64 " ms, total %" PRIu64 " ms\n", awake, total);
    pause_ms(100);
    uint64_t awake_later = jp_win32_awake_ms() - awake, total_later = jp_win32_total_ms() - total;
    CHECK(awake_later >= 80 && awake_later < PATIENCE_MS && total_later >= 80 && total_later < PATIENCE_MS, "both clocks go on");
    CHECK(awake <= total + 100, "no more time was spent awake than has passed");
}

/* --- as a child --- */

static int child_grow(void) {
    volatile char *memory = VirtualAlloc(NULL, ALLOCATED, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    for (uint64_t until = jp_win32_now_ms() + 60000; memory && jp_win32_now_ms() < until;)
        for (size_t at = 0; at < ALLOCATED; at += 4096)
            memory[at] = (char)(memory[at] + 1);
    return 0;
}

static BOOL WINAPI on_control(DWORD control) {
    if (control == CTRL_BREAK_EVENT)
        ExitProcess(BREAK_CODE);
    return FALSE;
}

static int child_break(bool with_another) {
    SetConsoleCtrlHandler(on_control, TRUE);
    if (with_another) {
        wchar_t path[1024], line[1100];
        GetModuleFileNameW(NULL, path, 1024);
        swprintf(line, 1100, L"\"%ls\" child break", path);
        STARTUPINFOW startup = {.cb = sizeof startup};
        PROCESS_INFORMATION another;
        CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &another);
    }
    pause_ms(60000);
    return 0;
}

/* STATIC does not end its thread: that the window is gone tells. */
static int child_window(void) {
    HWND window = CreateWindowExW(0, L"STATIC", L"JobPool", WS_OVERLAPPEDWINDOW | WS_VISIBLE, 0, 0, 100, 100, NULL, NULL, NULL, NULL);
    MSG message;
    while (window && IsWindow(window) && GetMessageW(&message, NULL, 0, 0) > 0)
        DispatchMessageW(&message);
    return CLOSE_CODE;
}

static int be_child(const wchar_t *what) {
    if (wcscmp(what, L"grow") == 0)
        return child_grow();
    if (wcscmp(what, L"break") == 0 || wcscmp(what, L"break-two") == 0)
        return child_break(what[5] == L'-');
    if (wcscmp(what, L"window") == 0)
        return child_window();
    if (wcscmp(what, L"error-mode") == 0)
        return (int)GetErrorMode();
    pause_ms(60000);
    return 0;
}

/* --- all --- */

static bool set_up(void) {
    wchar_t path[1024];
    GetModuleFileNameW(NULL, path, 1024);
    own_path = jp_win32_utf8(path);
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOOPENFILEERRORBOX); /* as harden.c has it */
    struct jp_win32_backend_options options = {.sinks = {.packets = pass_over_packets, .exits = pass_over_exits}, .log = &test_log, .stop_helper = L"ask"};
    if (!STATUS(jp_win32_backend_new(&options, &backend, &error), JP_OK, "the backend starts"))
        return false;
    ops = backend->ops;
    wine = strstr(ops->capabilities(backend)->host, "Wine") != NULL;
    CHECK(ops->capabilities(backend)->processors >= 1, "the host's processors are counted");
    return true;
}

int wmain(int argc, wchar_t **argv); /* no header declares it */

int wmain(int argc, wchar_t **argv) {
    if (argc > 2 && wcscmp(argv[1], L"child") == 0)
        return be_child(argv[2]);
    if (argc > 2 && wcscmp(argv[1], L"ask") == 0)
        return jp_win32_stop_helper(jp_win32_utf8(argv[2]));
    if (!set_up())
        return 1;
    test_sample();
    test_sample_threads();
    test_adjust();
    test_freeze();
    test_helper();
    test_request_stop();
    test_debugged();
    test_critical();
    test_error_mode();
    test_clocks();
    test_sample_cost();
    jp_win32_backend_free(backend);
    jp_free(own_path);
    return finish();
}
