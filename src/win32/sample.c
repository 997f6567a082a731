/* One look at every process of the machine.
 *
 * NtQuerySystemInformation(SystemProcessInformation): the part that winternl.h documents is the process id and the memory
 * counters; the rest stands where every Windows since XP has had it. */
#include "base/str.h"
#include "win32/internal.h"

#include <assert.h>
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
    SIZE_T private_pages;
    IO_COUNTERS io;
    /* its threads follow */
};
static_assert(sizeof(void *) != 8 || sizeof(struct system_process) == 256, "the threads begin there");

/* Room that is not touched costs nothing. A name takes at most three bytes for a unit of UTF-16, and its end. */
enum { FIRST_SIZE = 1 << 20, LARGEST_SIZE = 256 << 20, UTF8_PER_UNIT = 3 };

/* New memory (jp_free), or NULL with `error` filled. `size` is where to begin. */
static char *read_processes(ULONG *size, struct jp_error *error) {
    ULONG needed = 0;
    for (;;) {
        char *buffer = jp_realloc_array(NULL, *size, 1); /* not zeroed: Windows writes it */
        NTSTATUS status = NtQuerySystemInformation(SystemProcessInformation, buffer, *size, &needed);
        if (NT_SUCCESS(status))
            return buffer;
        jp_free(buffer);
        if (status != (NTSTATUS)0xC0000004 /* STATUS_INFO_LENGTH_MISMATCH */ || *size >= LARGEST_SIZE) {
            jp_fail_win32(error, JP_E_SYSTEM, RtlNtStatusToDosError(status), "NtQuerySystemInformation",
                          "cannot read what the processes use");
            return NULL;
        }
        *size = needed > *size ? needed + needed / 4 : *size * 2; /* more may have come meanwhile */
    }
}

static const struct system_process *following(const struct system_process *process) {
    if (!process->next_offset)
        return NULL;
    return (const struct system_process *)(const void *)((const char *)process + process->next_offset);
}

/* Writes the name and its end to `names`. Returns how many bytes that were; 0: it has no name. */
static size_t put_name(const UNICODE_STRING *image, char *names) {
    int units = image->Length / (int)sizeof(wchar_t);
    if (units == 0)
        return 0;
    int bytes = WideCharToMultiByte(CP_UTF8, 0, image->Buffer, units, names, units * UTF8_PER_UNIT, NULL, NULL);
    names[bytes] = '\0';
    return (size_t)bytes + 1;
}

static struct jp_sample sample_of(const struct system_process *process, bool io_is_counted) {
    struct jp_sample sample = {
        .pid = (uint32_t)(ULONG_PTR)process->pid,
        .parent_pid = (uint32_t)(ULONG_PTR)process->parent_pid,
        .session = process->session,
        .start_100ns = process->start.QuadPart,
        .commit_bytes = process->pagefile,
        .working_set_bytes = process->working_set,
        .usage = {.known = JP_USAGE_CPU | JP_USAGE_MEMORY,
                  .user_100ns = (uint64_t)process->user.QuadPart,
                  .kernel_100ns = (uint64_t)process->kernel.QuadPart,
                  .peak_commit_bytes = process->peak_pagefile,
                  .peak_working_set_bytes = process->peak_working_set},
    };
    if (io_is_counted) {
        sample.usage.known |= JP_USAGE_IO;
        sample.usage.read_operations = process->io.ReadOperationCount;
        sample.usage.write_operations = process->io.WriteOperationCount;
        sample.usage.other_operations = process->io.OtherOperationCount;
        sample.usage.read_bytes = process->io.ReadTransferCount;
        sample.usage.write_bytes = process->io.WriteTransferCount;
        sample.usage.other_bytes = process->io.OtherTransferCount;
    }
    return sample;
}

static void take_all(const struct system_process *first, bool io_is_counted, struct jp_samples *ret_samples) {
    size_t count = 0, name_bytes = 1;
    for (const struct system_process *process = first; process; process = following(process)) {
        count++;
        name_bytes += process->image.Length / sizeof(wchar_t) * UTF8_PER_UNIT + 1;
    }
    ret_samples->count = count;
    ret_samples->items = jp_realloc_array(NULL, count, sizeof *ret_samples->items);
    ret_samples->names = jp_realloc_array(NULL, name_bytes, 1);

    char *names = ret_samples->names;
    struct jp_sample *sample = ret_samples->items;
    for (const struct system_process *process = first; process; process = following(process), sample++) {
        *sample = sample_of(process, io_is_counted);
        size_t length = put_name(&process->image, names);
        sample->image = length > 0 ? names : NULL;
        names += length;
    }
}

/* On a thread beside the loop's: of the backend it reads what does not change after its start, and the hint, which is atomic. */
jp_status jp__sample(struct jp_backend *backend, struct jp_samples *ret_samples, struct jp_error *error) {
    ULONG hint = backend ? atomic_load_explicit(&jp__backend(backend)->sample_size, memory_order_relaxed) : 0;
    ULONG size = hint > FIRST_SIZE ? hint : FIRST_SIZE;
    char *buffer = read_processes(&size, error);
    if (!buffer)
        return error->status;
    if (backend && size > FIRST_SIZE)
        atomic_store_explicit(&jp__backend(backend)->sample_size, size, memory_order_relaxed);
    take_all((const struct system_process *)(const void *)buffer, backend && jp__backend(backend)->capabilities.process_io, ret_samples);
    jp_free(buffer);
    return JP_OK;
}
