/* A program to be a job: it ends, crashes, waits, works or multiplies as its arguments say. `jobber` alone lists what it can. */
#include <windows.h>
#include <winternl.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <tlhelp32.h>
#include <wchar.h>
#include <wctype.h>

enum { USAGE_ERROR = 64, FAILURE = 65, MAX_WIDTH = 16 };

/* -------------------------------------------------------------------------------------------------------------- tools */

static int fail(const char *what) {
    DWORD code = GetLastError();
    fprintf(stderr, "jobber: %s failed: %lu\n", what, (unsigned long)code);
    return FAILURE;
}

static unsigned long number(const wchar_t *text) { return wcstoul(text, NULL, 0); }

/* A line of UTF-8 on standard output, at once. */
static void print_line(const wchar_t *text) {
    char line[32768];
    int length = WideCharToMultiByte(CP_UTF8, 0, text, -1, line, (int)sizeof line - 1, NULL, NULL);
    if (length <= 0)
        return;
    line[length - 1] = '\n';
    DWORD written;
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), line, (DWORD)length, &written, NULL);
}

static uint64_t own_start_100ns(void) {
    FILETIME start, exit, kernel, user;
    GetProcessTimes(GetCurrentProcess(), &start, &exit, &kernel, &user);
    return (uint64_t)start.dwHighDateTime << 32 | start.dwLowDateTime;
}

/* "PID START" of this process, as pool.assign wants them. */
static void print_identity(void) {
    wchar_t line[64];
    swprintf(line, sizeof line / sizeof line[0], L"%lu %llu", (unsigned long)GetCurrentProcessId(), (unsigned long long)own_start_100ns());
    print_line(line);
}

/* Starts this program again with other arguments. *ret_process may be NULL: the child goes its own way. Detached: a launched
 * job has no console, and for a child that wants one Wine would start a console host and a desktop, inside the job. */
static int start_self(const wchar_t *arguments, HANDLE *ret_process) {
    wchar_t program[MAX_PATH], line[2 * MAX_PATH + 256];
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION child;
    GetModuleFileNameW(NULL, program, MAX_PATH);
    swprintf(line, sizeof line / sizeof line[0], L"\"%ls\" %ls", program, arguments);
    if (!CreateProcessW(program, line, NULL, NULL, FALSE, DETACHED_PROCESS, NULL, NULL, &startup, &child))
        return fail("CreateProcessW");
    CloseHandle(child.hThread);
    if (ret_process != NULL)
        *ret_process = child.hProcess;
    else
        CloseHandle(child.hProcess);
    return 0;
}

/* Wine fails to make a process about once in a thousand times. */
static int start_surely(const wchar_t *arguments, HANDLE *ret_process) {
    int code = FAILURE;
    for (int attempt = 0; attempt < 5 && code != 0; attempt++)
        code = start_self(arguments, ret_process);
    return code;
}

/* -------------------------------------------------------------------------------------------------------------- verbs */

static int do_exit(wchar_t **arguments) { return (int)number(arguments[0]); }

static LONG WINAPI just_die(EXCEPTION_POINTERS *exception) {
    (void)exception;
    return EXCEPTION_EXECUTE_HANDLER;
}

/* The exception ends the process, as it would by default, but nobody is called to look at it: a debugger or a reporter would
 * be a child, and so in the job too. */
static int do_crash(wchar_t **arguments) {
    (void)arguments;
    SetUnhandledExceptionFilter(just_die);
    volatile uintptr_t nowhere = 8;
    *(volatile int *)nowhere = 1;
    return FAILURE;
}

static int do_sleep(wchar_t **arguments) {
    Sleep(number(arguments[0]));
    return 0;
}

static int do_burn(wchar_t **arguments) {
    uint64_t end = GetTickCount64() + number(arguments[0]);
    volatile uint64_t spin = 0;
    while (GetTickCount64() < end)
        spin++;
    return 0;
}

static int do_allocate(wchar_t **arguments) {
    size_t size = (size_t)number(arguments[0]) << 20;
    char *memory = VirtualAlloc(NULL, size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (memory == NULL)
        return fail("VirtualAlloc");
    for (size_t at = 0; at < size; at += 4096)
        memory[at] = 1;
    Sleep(number(arguments[1]));
    return 0;
}

/* What it may do, as it sees that itself after MS: for limits that the service sets on a process that runs. */
static int do_priority(wchar_t **arguments) {
    Sleep(number(arguments[0]));
    return (int)GetPriorityClass(GetCurrentProcess());
}

static int do_processors(wchar_t **arguments) {
    Sleep(number(arguments[0]));
    DWORD_PTR own = 0, all = 0;
    GetProcessAffinityMask(GetCurrentProcess(), &own, &all);
    return (int)own;
}

static int do_working_set(wchar_t **arguments) {
    Sleep(number(arguments[0]));
    SIZE_T least = 0, most = 0;
    DWORD flags = 0;
    GetProcessWorkingSetSizeEx(GetCurrentProcess(), &least, &most, &flags);
    return (int)(most >> 20);
}

/* MS; or else a file, until that is there: for who must have seen everybody, however long that takes. */
static void live(const wchar_t *until) {
    if (iswdigit(*until))
        Sleep(number(until));
    else
        while (GetFileAttributesW(until) == INVALID_FILE_ATTRIBUTES)
            Sleep(50);
}

/* DEPTH more generations of WIDTH children each; everyone lives so long, and waits for its own. */
static int do_tree(wchar_t **arguments) {
    unsigned long depth = number(arguments[0]), width = number(arguments[1]);
    HANDLE children[MAX_WIDTH];
    DWORD count = 0;
    wchar_t child[MAX_PATH + 128];
    const wchar_t *quote = iswdigit(*arguments[2]) ? L"" : L"\"";
    swprintf(child, sizeof child / sizeof child[0], L"tree %lu %lu %ls%ls%ls", depth - 1, width, quote, arguments[2], quote);
    for (; depth > 0 && count < width && count < MAX_WIDTH; count++)
        if (start_surely(child, &children[count]) != 0)
            return FAILURE;
    live(arguments[2]);
    if (count > 0)
        WaitForMultipleObjects(count, children, TRUE, INFINITE);
    return 0;
}

/* COUNT children, as many as can be had; lives MS, as they do. */
static int do_flock(wchar_t **arguments) {
    unsigned long count = number(arguments[0]), lifetime_ms = number(arguments[1]);
    wchar_t child[64];
    swprintf(child, sizeof child / sizeof child[0], L"sleep %lu", lifetime_ms);
    while (count-- > 0)
        start_self(child, NULL);
    Sleep(lifetime_ms);
    return 0;
}

static int do_spawn_and_exit(wchar_t **arguments) {
    wchar_t child[64];
    swprintf(child, sizeof child / sizeof child[0], L"sleep %lu", number(arguments[0]));
    return start_self(child, NULL);
}

/* --- work, with a log of its own --- */

static uint64_t now_100ns(void) {
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    return (uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime;
}

static void write_log(HANDLE file, const char *format, ...) {
    char line[256];
    DWORD written;
    va_list values;
    va_start(values, format);
    int length = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    if (length > 0)
        WriteFile(file, line, (DWORD)length, &written, NULL);
}

static HANDLE open_log(const wchar_t *folder) {
    wchar_t name[MAX_PATH];
    swprintf(name, MAX_PATH, L"%ls\\%lu-%llu.log", folder, (unsigned long)GetCurrentProcessId(), (unsigned long long)own_start_100ns());
    return CreateFileW(name, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_NEW, 0, NULL);
}

/* FOLDER POOL CODE MS DEPTH WIDTH PARENT: says in a file of its own, FOLDER\PID-START.log, that it begins, with what code and of which
 * parent, and before it ends that it does. So nobody else has to be believed. Of two generations one waits for its children. */
static int do_work(wchar_t **arguments) {
    unsigned long code = number(arguments[2]), lifetime_ms = number(arguments[3]), depth = number(arguments[4]), width = number(arguments[5]);
    HANDLE children[MAX_WIDTH], log = open_log(arguments[0]);
    DWORD count = 0;
    if (log == INVALID_HANDLE_VALUE)
        return fail("CreateFileW");
    write_log(log, "begin %llu pool %ls code %lu parent %lu\n", (unsigned long long)now_100ns(), arguments[1], code, number(arguments[6]));
    print_identity();
    for (; depth > 0 && count < width && count < MAX_WIDTH; count++) {
        wchar_t child[MAX_PATH + 128];
        swprintf(child, sizeof child / sizeof child[0], L"work \"%ls\" %ls %lu %lu %lu %lu %lu", arguments[0], arguments[1],
                 (code + count + 1) % 251, lifetime_ms, depth - 1, width, (unsigned long)GetCurrentProcessId());
        if (start_surely(child, &children[count]) != 0)
            break;
    }
    Sleep(lifetime_ms);
    if (count > 0 && depth % 2 == 0)
        WaitForMultipleObjects(count, children, TRUE, INFINITE);
    write_log(log, "end %llu\n", (unsigned long long)now_100ns());
    CloseHandle(log);
    return (int)code;
}

static int do_args(wchar_t **arguments) {
    for (; *arguments != NULL; arguments++)
        print_line(*arguments);
    return 0;
}

static int do_env(wchar_t **arguments) {
    wchar_t value[32767];
    if (GetEnvironmentVariableW(arguments[0], value, sizeof value / sizeof value[0]) == 0)
        return 1;
    print_line(value);
    return 0;
}

static int do_cwd(wchar_t **arguments) {
    (void)arguments;
    wchar_t folder[MAX_PATH];
    GetCurrentDirectoryW(MAX_PATH, folder);
    print_line(folder);
    return 0;
}

static int do_id(wchar_t **arguments) {
    (void)arguments;
    print_identity();
    return 0;
}

/* Says who it is, then lives until its standard input ends, or for good where that is no pipe. */
static int do_hold(wchar_t **arguments) {
    (void)arguments;
    char chunk[256];
    DWORD length;
    print_identity();
    while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), chunk, sizeof chunk, &length, NULL) && length > 0)
        continue;
    return 0;
}

/* FILE CODE: what a program for an event gets, as a line at the end of FILE: a variable, and its standard input. */
static int do_event(wchar_t **arguments) {
    char message[256] = "-", input[8192], line[8500];
    DWORD length = 0, part = 0, written;
    GetEnvironmentVariableA("JOBPOOL_EVENT_MESSAGE", message, sizeof message);
    while (length < sizeof input - 1 && ReadFile(GetStdHandle(STD_INPUT_HANDLE), input + length, (DWORD)sizeof input - 1 - length, &part, NULL) && part > 0)
        length += part;
    input[length] = '\0';
    HANDLE file = CreateFileW(arguments[0], FILE_APPEND_DATA, FILE_SHARE_READ, NULL, OPEN_ALWAYS, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return fail("CreateFileW");
    int all = snprintf(line, sizeof line, "%s %s", message, input);
    WriteFile(file, line, (DWORD)all, &written, NULL);
    CloseHandle(file);
    return (int)number(arguments[1]);
}

/* PID, or 0 for this process: the pid of whoever started it, and the file name of that one's program. */
static int do_parent(wchar_t **arguments) {
    PROCESSENTRY32W entry = {.dwSize = sizeof entry};
    HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    DWORD child = number(arguments[0]), parent = 0;
    wchar_t line[MAX_PATH + 32];
    for (BOOL more = Process32FirstW(list, &entry); more; more = Process32NextW(list, &entry))
        if (entry.th32ProcessID == (child ? child : GetCurrentProcessId()))
            parent = entry.th32ParentProcessID;
    for (BOOL more = Process32FirstW(list, &entry); more; more = Process32NextW(list, &entry))
        if (entry.th32ProcessID == parent) {
            swprintf(line, sizeof line / sizeof line[0], L"%lu %ls", (unsigned long)parent, entry.szExeFile);
            print_line(line);
        }
    CloseHandle(list);
    return 0;
}

/* LINE: runs it in a job of this process alone, which ends all that is in it when it is closed; as Nomad and GitLab's runner do. */
static int do_in_job(wchar_t **arguments) {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    HANDLE job = CreateJobObjectW(NULL, NULL);
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION child;
    DWORD code = FAILURE;
    if (job == NULL || !SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits))
        return fail("SetInformationJobObject");
    if (!CreateProcessW(NULL, arguments[0], NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup, &child))
        return fail("CreateProcessW");
    if (!AssignProcessToJobObject(job, child.hProcess))
        return fail("AssignProcessToJobObject");
    ResumeThread(child.hThread);
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &code);
    return (int)code;
}

static int do_copy(wchar_t **arguments) {
    (void)arguments;
    char chunk[4096];
    DWORD length, written;
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    while (ReadFile(input, chunk, sizeof chunk, &length, NULL) && length > 0) {
        WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), chunk, length, &written, NULL);
        WriteFile(GetStdHandle(STD_ERROR_HANDLE), chunk, length, &written, NULL);
    }
    return 0;
}

static int do_touch(wchar_t **arguments) {
    HANDLE file = CreateFileW(arguments[0], GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return fail("CreateFileW");
    CloseHandle(file);
    return 0;
}

static int do_units(wchar_t **arguments) {
    FILE *file = _wfopen(arguments[0], L"w");
    if (file == NULL)
        return fail("_wfopen");
    for (const wchar_t *unit = arguments[1]; *unit; unit++)
        fprintf(file, "%04x ", (unsigned)*unit);
    return fclose(file) == 0 ? 0 : fail("fclose");
}

/* As the kernel lists it. GetProcessHandleCount would need the right to ask, and says 0 under Wine. */
static int do_handles(wchar_t **arguments) {
    static union {
        SYSTEM_PROCESS_INFORMATION first;
        unsigned char bytes[1 << 20];
    } list;
    wchar_t line[64];
    if (NtQuerySystemInformation(SystemProcessInformation, &list, sizeof list, NULL) != 0)
        return fail("NtQuerySystemInformation");
    for (size_t at = 0;;) {
        const SYSTEM_PROCESS_INFORMATION *one = (const void *)(list.bytes + at);
        if ((uintptr_t)one->UniqueProcessId == number(arguments[0])) {
            swprintf(line, sizeof line / sizeof line[0], L"%lu %lu", (unsigned long)one->HandleCount, (unsigned long)one->NumberOfThreads);
            print_line(line);
            return 0;
        }
        if (one->NextEntryOffset == 0)
            return 1;
        at += one->NextEntryOffset;
    }
}

/* sc.exe's `control`, which Wine's has not. Code 6 is SERVICE_CONTROL_PARAMCHANGE. */
static int do_control(wchar_t **arguments) {
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    if (manager == NULL)
        return fail("OpenSCManagerW");
    DWORD control = number(arguments[1]);
    SC_HANDLE service =
        OpenServiceW(manager, arguments[0], control == SERVICE_CONTROL_PARAMCHANGE ? SERVICE_PAUSE_CONTINUE : SERVICE_ALL_ACCESS);
    SERVICE_STATUS status;
    int code = service == NULL ? fail("OpenServiceW") : 0;
    if (code == 0 && !ControlService(service, control, &status))
        code = fail("ControlService");
    if (service != NULL)
        CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return code;
}

/* Exit code 0: it lives, 1: there is none. */
static int do_alive(wchar_t **arguments) {
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, number(arguments[0]));
    if (process == NULL)
        return GetLastError() == ERROR_INVALID_PARAMETER ? 1 : fail("OpenProcess");
    DWORD waited = WaitForSingleObject(process, 0);
    CloseHandle(process);
    return waited == WAIT_TIMEOUT ? 0 : 1;
}

static int do_kill(wchar_t **arguments) {
    HANDLE process = OpenProcess(PROCESS_TERMINATE, FALSE, number(arguments[0]));
    if (process == NULL || !TerminateProcess(process, number(arguments[1])))
        return fail("TerminateProcess");
    CloseHandle(process);
    return 0;
}

/* The active buffer, whosever it is. The window may never be larger than its buffer. */
static bool resize_console(SHORT width, SHORT height) {
    HANDLE console = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    SMALL_RECT window = {.Right = (SHORT)(width - 1), .Bottom = (SHORT)(height - 1)};
    COORD size = {.X = width, .Y = height};
    bool good = console != INVALID_HANDLE_VALUE && SetConsoleWindowInfo(console, TRUE, &window) && SetConsoleScreenBufferSize(console, size);
    CloseHandle(console);
    return good;
}

static int do_in_console(wchar_t **arguments) {
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    if (!CreateProcessW(NULL, arguments[3], NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        return fail("CreateProcessW");
    for (bool resized = false; WaitForSingleObject(process.hProcess, 50) == WAIT_TIMEOUT;)
        if (!resized && GetFileAttributesW(arguments[0]) != INVALID_FILE_ATTRIBUTES)
            resized = resize_console((SHORT)number(arguments[1]), (SHORT)number(arguments[2]));
    DWORD code = 0;
    GetExitCodeProcess(process.hProcess, &code);
    return (int)code;
}

static const struct verb {
    const wchar_t *name;
    int min_arguments;
    int (*run)(wchar_t **arguments);
    const char *help;
} verbs[] = {
    {L"exit", 1, do_exit, "CODE: end with it"},
    {L"crash", 0, do_crash, "end by an access violation"},
    {L"sleep", 1, do_sleep, "MS"},
    {L"burn", 1, do_burn, "MS: use a processor for so long"},
    {L"allocate", 2, do_allocate, "MIB MS: commit and touch so much memory, then sleep"},
    {L"priority", 1, do_priority, "MS: end after that with the priority class as exit code"},
    {L"processors", 1, do_processors, "MS: the same with the mask of processors"},
    {L"working-set", 1, do_working_set, "MS: the same with the largest working set in MiB"},
    {L"tree", 3, do_tree, "DEPTH WIDTH MS|FILE: a process tree, each of which lives for so long, or until the file is there"},
    {L"flock", 2, do_flock, "COUNT MS: as many children as can be had, each for so long"},
    {L"spawn-and-exit", 1, do_spawn_and_exit, "MS: end at once, and leave a child for so long"},
    {L"work", 7, do_work, "FOLDER POOL CODE MS DEPTH WIDTH PARENT: a process tree, each of which keeps a log"},
    {L"args", 0, do_args, "[ARG ...]: print the arguments, a line each"},
    {L"env", 1, do_env, "NAME: print a variable; exit code 1 if it is not there"},
    {L"cwd", 0, do_cwd, "print the working directory"},
    {L"id", 0, do_id, "print pid and creation time"},
    {L"hold", 0, do_hold, "print pid and creation time, then wait for the end of standard input"},
    {L"event", 2, do_event, "FILE CODE: add JOBPOOL_EVENT_MESSAGE and standard input to the file, and end with CODE"},
    {L"parent", 1, do_parent, "PID: print the pid and the program of whoever started it; 0: of itself"},
    {L"in-job", 1, do_in_job, "LINE: run a command line in a job that ends with this process"},
    {L"copy", 0, do_copy, "standard input to standard output and to standard error"},
    {L"touch", 1, do_touch, "FILE: make it"},
    {L"units", 2, do_units, "FILE TEXT: write the 16-bit units of the text into it, as hexadecimal numbers"},
    {L"handles", 1, do_handles, "PID: print how many handles and how many threads that process has"},
    {L"control", 2, do_control, "SERVICE CODE: send a control to a service"},
    {L"alive", 1, do_alive, "PID: exit code 0 if there is such a process, 1 if not"},
    {L"in-console", 4, do_in_console, "FILE WIDTH HEIGHT COMMAND: run it in this console, which gets another size once FILE is there"},
    {L"kill", 2, do_kill, "PID CODE: end the process, with that exit code"},
};

int wmain(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv) {
    size_t count = sizeof verbs / sizeof verbs[0];
    for (size_t i = 0; argc > 1 && i < count; i++)
        if (wcscmp(argv[1], verbs[i].name) == 0 && argc - 2 >= verbs[i].min_arguments)
            return verbs[i].run(argv + 2);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "jobber %ls %s\n", verbs[i].name, verbs[i].help);
    return USAGE_ERROR;
}
