/* Owns the keeper's side: the handles that it was given, and the question whether anybody still needs them. */
#include "win32/keeper.h"

#include "base/str.h"

#include <windows.h>

enum { LOOK_MS = 1000 };

static struct {
    HANDLE *jobs;
    size_t count, room;
} held;

/* --- what it holds --- */

static bool ask(HANDLE job, DWORD *ret_active) {
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION accounting;
    if (!QueryInformationJobObject(job, JobObjectBasicAccountingInformation, &accounting, sizeof accounting, NULL))
        return false;
    *ret_active = accounting.ActiveProcesses;
    return true;
}

static size_t place_of(HANDLE job) {
    size_t at = 0;
    while (at < held.count && held.jobs[at] != job)
        at++;
    return at;
}

/* Only a job that is new to it. */
static bool hold(HANDLE job) {
    DWORD active;
    if (held.count == JP_KEEPER_MAX_JOBS || place_of(job) < held.count || !ask(job, &active))
        return false;
    if (held.count == held.room) {
        held.room = held.room ? 2 * held.room : 16;
        held.jobs = jp_realloc_array(held.jobs, held.room, sizeof *held.jobs);
    }
    held.jobs[held.count++] = job;
    return true;
}

static void close_at(size_t at) {
    CloseHandle(held.jobs[at]);
    held.jobs[at] = held.jobs[--held.count];
}

static bool let_go(HANDLE job) {
    size_t at = place_of(job);
    if (at == held.count)
        return false;
    close_at(at);
    return true;
}

/* --- what it is told --- */

/* A pipe gives what there is, which may be less than a record. False: the other end is closed. */
static bool read_record(HANDLE pipe, struct jp_keeper_record *record) {
    DWORD got = 0;
    for (DWORD length; got < sizeof *record; got += length)
        if (!ReadFile(pipe, (char *)record + got, (DWORD)sizeof *record - got, &length, NULL))
            return false;
    return true;
}

static bool obey(const struct jp_keeper_record *record) {
    HANDLE job = (HANDLE)(uintptr_t)record->handle;
    if (record->zero != 0 || record->handle == 0 || record->handle > UINTPTR_MAX)
        return false;
    switch (record->operation) {
    case JP_KEEPER_HOLD:
        return hold(job);
    case JP_KEEPER_LET_GO:
        return let_go(job);
    default:
        return false;
    }
}

/* --- alone --- */

/* A job whose last process has ended is of no more use to anybody: the next service makes a new one. One that cannot be asked is
 * held: it may have members. */
static void let_go_of_empty(void) {
    DWORD active;
    for (size_t at = held.count; at-- > 0;)
        if (ask(held.jobs[at], &active) && active == 0)
            close_at(at);
}

int jp_win32_keeper(void) {
    HANDLE pipe = GetStdHandle(STD_INPUT_HANDLE);
    if (GetFileType(pipe) != FILE_TYPE_PIPE)
        return JP_KEEPER_NO_PIPE;
    struct jp_keeper_record record;
    while (read_record(pipe, &record)) {
        if (!obey(&record))
            return JP_KEEPER_GARBAGE;
        if (held.count == 0)
            return JP_KEEPER_DONE;
    }
    for (let_go_of_empty(); held.count > 0; let_go_of_empty())
        Sleep(LOOK_MS); /* nothing can be waited for: a job that becomes empty tells nobody but its port */
    return JP_KEEPER_DONE;
}
