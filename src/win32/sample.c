/* One look at every process of the machine, for hosts whose handles do not tell what a process used (Wine).
 *
 * NtQuerySystemInformation(SystemProcessInformation): the part that winternl.h documents is the process id and the memory
 * counters; the times stand where every Windows since NT has had them. */
#include "base/str.h"
#include "win32/internal.h"

#include <winternl.h>

struct system_process {
    ULONG next_offset;
    ULONG threads;
    LARGE_INTEGER private_working_set;
    ULONG hard_faults, most_threads;
    ULONGLONG cycles;
    LARGE_INTEGER start, user, kernel;
    UNICODE_STRING image;
    LONG base_priority;
    HANDLE pid, parent_pid;
    ULONG handles, session;
    ULONG_PTR key;
    SIZE_T peak_virtual, virtual;
    ULONG page_faults;
    SIZE_T peak_working_set, working_set;
    SIZE_T peak_paged_pool, paged_pool, peak_nonpaged_pool, nonpaged_pool;
    SIZE_T pagefile, peak_pagefile;
};

enum { FIRST_SIZE = 256 << 10, LARGEST_SIZE = 256 << 20 };

/* New memory (jp_free), or NULL with `error` filled. */
static char *read_processes(struct jp_error *error) {
    ULONG size = FIRST_SIZE, needed = 0;
    for (;;) {
        char *buffer = jp_alloc(size);
        NTSTATUS status = NtQuerySystemInformation(SystemProcessInformation, buffer, size, &needed);
        if (NT_SUCCESS(status))
            return buffer;
        jp_free(buffer);
        if (status != (NTSTATUS)0xC0000004 /* STATUS_INFO_LENGTH_MISMATCH */ || size >= LARGEST_SIZE) {
            jp_fail_win32(error, JP_E_SYSTEM, RtlNtStatusToDosError(status), "NtQuerySystemInformation",
                          "cannot read what the processes use");
            return NULL;
        }
        size = needed > size ? needed + FIRST_SIZE : size * 2; /* more may have come meanwhile */
    }
}

jp_status jp__sample(struct jp_backend *backend, struct jp_sample **ret_samples, size_t *ret_count, struct jp_error *error) {
    (void)backend;
    char *buffer = read_processes(error);
    if (!buffer)
        return error->status;
    struct jp_sample *samples = NULL;
    size_t count = 0, capacity = 0;
    const struct system_process *process = (const struct system_process *)(const void *)buffer;
    for (;;) {
        if (count == capacity)
            samples = jp_realloc_array(samples, capacity = capacity ? 2 * capacity : 64, sizeof *samples);
        samples[count++] = (struct jp_sample){
            .pid = (uint32_t)(ULONG_PTR)process->pid,
            .start_100ns = process->start.QuadPart,
            .usage = {.known = JP_USAGE_CPU | JP_USAGE_MEMORY,
                      .user_100ns = (uint64_t)process->user.QuadPart,
                      .kernel_100ns = (uint64_t)process->kernel.QuadPart,
                      .peak_commit_bytes = process->peak_pagefile,
                      .peak_working_set_bytes = process->peak_working_set},
        };
        if (!process->next_offset)
            break;
        process = (const struct system_process *)(const void *)((const char *)process + process->next_offset);
    }
    jp_free(buffer);
    *ret_samples = samples;
    *ret_count = count;
    return JP_OK;
}
