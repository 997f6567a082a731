/* A process that a rule is about: does what it is told, until it is told to end or its host is gone. */
#include "rules_child.h"

#include <stdio.h>
#include <wchar.h>

bool rules_line_open(struct rules_line *line, uint32_t host_pid, unsigned number) {
    static const wchar_t *const kinds[] = {L"memory", L"go", L"done"};
    wchar_t names[3][80];
    for (size_t i = 0; i < 3; i++)
        swprintf(names[i], 80, L"Local\\JobPoolRules.%lu.%u.%ls", (unsigned long)host_pid, number, kinds[i]);
    line->memory = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, sizeof *line->order, names[0]);
    line->go = CreateEventW(NULL, FALSE, FALSE, names[1]);
    line->done = CreateEventW(NULL, FALSE, FALSE, names[2]);
    line->order = line->memory ? MapViewOfFile(line->memory, FILE_MAP_WRITE, 0, 0, sizeof *line->order) : NULL;
    return line->order && line->go && line->done;
}

void rules_line_close(struct rules_line *line) {
    UnmapViewOfFile(line->order);
    CloseHandle(line->memory);
    CloseHandle(line->go);
    CloseHandle(line->done);
}

/* Detached: for a child that wants a console Wine would start a host for it, inside the job. */
uint32_t rules_start_child(uint32_t host_pid, unsigned number, bool breakaway, PROCESS_INFORMATION *ret_made) {
    wchar_t path[1024], line[1200];
    STARTUPINFOW startup = {.cb = sizeof startup};
    GetModuleFileNameW(NULL, path, 1024);
    swprintf(line, 1200, L"\"%ls\" child %lu %u", path, (unsigned long)host_pid, number);
    DWORD flags = DETACHED_PROCESS | (breakaway ? CREATE_BREAKAWAY_FROM_JOB : 0);
    uint32_t win32 = 0;
    for (int attempt = 0; attempt < 2; attempt++) {
        if (CreateProcessW(path, line, NULL, NULL, FALSE, flags, NULL, NULL, &startup, ret_made))
            return 0;
        win32 = GetLastError();
        if (win32 != ERROR_INTERNAL_ERROR) /* of Wine, one in some thousands, on a busy machine */
            break;
    }
    return win32;
}

/* The host gets a handle before the child can be gone and its pid another's. */
static void spawn(struct rules_order *order, uint32_t host_pid, HANDLE host) {
    PROCESS_INFORMATION made;
    order->result = rules_start_child(host_pid, (unsigned)order->arguments[0], order->arguments[1] != 0, &made);
    if (order->result != 0)
        return;
    HANDLE theirs = NULL;
    DuplicateHandle(GetCurrentProcess(), made.hProcess, host, &theirs, 0, FALSE, DUPLICATE_SAME_ACCESS);
    order->pid = made.dwProcessId;
    order->handle = (uint64_t)(uintptr_t)theirs;
    CloseHandle(made.hThread);
    CloseHandle(made.hProcess);
}

static uint64_t own_user_time(void) {
    FILETIME start, end, kernel, user;
    GetThreadTimes(GetCurrentThread(), &start, &end, &kernel, &user);
    return (uint64_t)user.dwHighDateTime << 32 | user.dwLowDateTime;
}

static void burn(uint64_t ms) {
    volatile uint64_t sum = 0;
    for (uint64_t until = own_user_time() + ms * 10000; own_user_time() < until;)
        for (int i = 0; i < 100000; i++)
            sum = sum + (uint64_t)i;
}

/* Memory grows and shrinks at its end. */
enum { ROOM_GIB = 16 };
static uint8_t *memory_begin, *memory_end;

static uint32_t commit(uint64_t bytes) {
    if (!memory_begin)
        memory_begin = memory_end = VirtualAlloc(NULL, (SIZE_T)ROOM_GIB << 30, MEM_RESERVE, PAGE_READWRITE);
    if (!memory_begin || !VirtualAlloc(memory_end, bytes, MEM_COMMIT, PAGE_READWRITE))
        return GetLastError();
    memory_end += bytes;
    return 0;
}

static void decommit(uint64_t bytes) {
    memory_end -= bytes;
    VirtualFree(memory_end, bytes, MEM_DECOMMIT);
}

/* From this program's own file, over and over, and to one that goes with its handle. */
static void move_bytes(uint64_t bytes, bool write) {
    static uint8_t block[65536];
    wchar_t folder[1024], path[1100];
    DWORD moved = 1;
    HANDLE file;
    if (write) {
        GetTempPathW(1024, folder);
        swprintf(path, 1100, L"%lsJobPoolRules.%lu", folder, GetCurrentProcessId());
        file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    } else {
        GetModuleFileNameW(NULL, path, 1100);
        file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    }
    for (uint64_t left = bytes; left > 0 && file != INVALID_HANDLE_VALUE; left -= moved) {
        DWORD size = left < sizeof block ? (DWORD)left : (DWORD)sizeof block;
        if (!(write ? WriteFile(file, block, size, &moved, NULL) : ReadFile(file, block, size, &moved, NULL)))
            break;
        if (moved == 0)
            SetFilePointer(file, 0, NULL, FILE_BEGIN);
    }
    CloseHandle(file);
}

static void carry_out(struct rules_order *order, uint32_t host_pid, HANDLE host) {
    switch (order->verb) {
    case RULES_EXIT:
        TerminateProcess(GetCurrentProcess(), (UINT)order->arguments[0]);
        break;
    case RULES_SPAWN:
        spawn(order, host_pid, host);
        break;
    case RULES_BURN:
        burn(order->arguments[0]);
        break;
    case RULES_COMMIT:
        order->result = commit(order->arguments[0]);
        break;
    case RULES_DECOMMIT:
        decommit(order->arguments[0]);
        break;
    case RULES_READ:
    case RULES_WRITE:
        move_bytes(order->arguments[0], order->verb == RULES_WRITE);
        break;
    case RULES_PRIORITY:
        SetPriorityClass(GetCurrentProcess(), (DWORD)order->arguments[0]);
        break;
    case RULES_AFFINITY:
        SetProcessAffinityMask(GetCurrentProcess(), order->arguments[0]);
        break;
    }
}

int rules_be_child(uint32_t host_pid, unsigned number) {
    struct rules_line line;
    HANDLE host = OpenProcess(SYNCHRONIZE | PROCESS_DUP_HANDLE, FALSE, host_pid);
    if (!host || !rules_line_open(&line, host_pid, number))
        return 120;
    HANDLE either[] = {line.go, host};
    SetEvent(line.done);
    while (WaitForMultipleObjects(2, either, FALSE, INFINITE) == WAIT_OBJECT_0) {
        carry_out(line.order, host_pid, host);
        SetEvent(line.done);
    }
    return 121;
}
