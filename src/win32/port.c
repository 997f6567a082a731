/* Owns the completion port of the jobs, the thread that drains it, and the waits on watched processes. */
#include "win32/port.h"

#include "base/str.h"
#include "win32/fatal.h"

#include <process.h>
#include <stdatomic.h>

enum { KEY_QUIT = 0, KEY_EXIT = 1 };
enum { BATCH = 256 };

struct jp_win32_port {
    struct jp_win32_sinks sinks;
    HANDLE port;
    HANDLE thread;
    _Atomic uint64_t packets, lost, exits;

    /* the thread's own: what it is about to tell */
    struct jp_job_packet packet_run[BATCH];
    size_t packet_count;
    uint64_t exit_run[BATCH];
    size_t exit_count;
};

/* Where ends of processes are posted: of the one port that a process of ours has. The waits' callbacks find it here and get no
 * pointer, because under Wine one may still run after UnregisterWaitEx() has waited for it: the wait's thread has seen the
 * signal, but submits the callback only when the wait is being taken away. */
static struct {
    SRWLOCK lock;
    HANDLE port; /* NULL: there is none, and what ends is nobody's business */
} exit_port = {.lock = SRWLOCK_INIT};

static void set_exit_port(HANDLE port) {
    AcquireSRWLockExclusive(&exit_port.lock);
    exit_port.port = port;
    ReleaseSRWLockExclusive(&exit_port.lock);
}

static void tell_packets(struct jp_win32_port *port) {
    if (port->packet_count == 0)
        return;
    size_t taken = port->sinks.packets(port->sinks.context, port->packet_run, port->packet_count);
    atomic_fetch_add_explicit(&port->packets, port->packet_count, memory_order_relaxed);
    if (taken < port->packet_count)
        atomic_fetch_add_explicit(&port->lost, port->packet_count - taken, memory_order_relaxed);
    port->packet_count = 0;
}

static void tell_exits(struct jp_win32_port *port) {
    if (port->exit_count == 0)
        return;
    port->sinks.exits(port->sinks.context, port->exit_run, port->exit_count);
    atomic_fetch_add_explicit(&port->exits, port->exit_count, memory_order_relaxed);
    port->exit_count = 0;
}

/* Gathers runs of one kind, so that the sinks are called seldom and the order stays. The overlapped pointer is never
 * followed: of a job's packet it is a pid, of an exit a watch number. False: the port is to quit. */
static bool tell(struct jp_win32_port *port, const OVERLAPPED_ENTRY *entries, size_t count) {
    bool go_on = true;
    for (size_t i = 0; i < count && go_on; i++) {
        ULONG_PTR key = entries[i].lpCompletionKey;
        uintptr_t value = (uintptr_t)entries[i].lpOverlapped;
        if (key == KEY_QUIT) {
            go_on = false;
        } else if (key == KEY_EXIT) {
            tell_packets(port);
            port->exit_run[port->exit_count++] = value;
        } else {
            tell_exits(port);
            port->packet_run[port->packet_count++] = (struct jp_job_packet){
                .key = key,
                .message = entries[i].dwNumberOfBytesTransferred,
                .pid = (uint32_t)value,
            };
        }
    }
    tell_packets(port);
    tell_exits(port);
    return go_on;
}

static unsigned __stdcall port_thread(void *argument) {
    struct jp_win32_port *port = argument;
    OVERLAPPED_ENTRY entries[BATCH];
    ULONG count;
    do {
        if (!GetQueuedCompletionStatusEx(port->port, entries, BATCH, &count, INFINITE, FALSE)) {
            DWORD win32 = GetLastError();
            jp_win32_fatal("GetQueuedCompletionStatusEx", win32, "the jobs' messages cannot be read any more");
        }
    } while (tell(port, entries, count));
    return 0;
}

jp_status jp_win32_port_new(const struct jp_win32_sinks *sinks, struct jp_win32_port **ret_port, struct jp_error *error) {
    jp_status status;
    struct jp_win32_port *port = jp_alloc(sizeof *port);
    port->sinks = *sinks;

    port->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (!port->port) {
        DWORD win32 = GetLastError();
        status = jp_fail_win32(error, JP_E_SYSTEM, win32, "CreateIoCompletionPort",
                               "cannot create the completion port for the jobs");
        goto free_port;
    }
    uintptr_t thread = _beginthreadex(NULL, 0, port_thread, port, CREATE_SUSPENDED, NULL);
    if (thread == 0) {
        DWORD win32 = GetLastError();
        status = jp_fail_win32(error, JP_E_SYSTEM, win32, "_beginthreadex", "cannot start the thread of the completion port");
        goto close_port;
    }
    port->thread = (HANDLE)thread;
    /* Packets wait in the kernel's memory until they are read: read them early. Failing to is no fault. */
    SetThreadPriority(port->thread, THREAD_PRIORITY_ABOVE_NORMAL);
    ResumeThread(port->thread);
    set_exit_port(port->port);
    *ret_port = port;
    return JP_OK;

close_port:
    CloseHandle(port->port);
free_port:
    jp_free(port);
    return status;
}

/* A post can fail only when the kernel is out of memory. What it would have told is then lost for good: a member that never
 * ends, a thread that never quits. Ending is what the allocator does in the same place. */
static void post(HANDLE port, uint32_t message, ULONG_PTR key, uint64_t value) {
    if (!PostQueuedCompletionStatus(port, message, key, (OVERLAPPED *)(uintptr_t)value)) {
        DWORD win32 = GetLastError();
        jp_win32_fatal("PostQueuedCompletionStatus", win32, "what it would have told is lost");
    }
}

void jp_win32_port_say(struct jp_win32_port *port, const struct jp_job_packet *packet) {
    post(port->port, packet->message, packet->key, packet->pid);
}

void jp_win32_port_free(struct jp_win32_port *port) {
    if (!port)
        return;
    set_exit_port(NULL);
    post(port->port, 0, KEY_QUIT, 0);
    WaitForSingleObject(port->thread, INFINITE);
    CloseHandle(port->thread);
    CloseHandle(port->port);
    jp_free(port);
}

void jp_win32_port_counters(const struct jp_win32_port *port, struct jp_win32_port_counters *ret_counters) {
    ret_counters->packets = atomic_load_explicit(&port->packets, memory_order_relaxed);
    ret_counters->lost = atomic_load_explicit(&port->lost, memory_order_relaxed);
    ret_counters->exits = atomic_load_explicit(&port->exits, memory_order_relaxed);
}

uint32_t jp_win32_port_attach(struct jp_win32_port *port, HANDLE job, uint64_t key) {
    JOBOBJECT_ASSOCIATE_COMPLETION_PORT association = {
        .CompletionKey = (PVOID)(uintptr_t)key,
        .CompletionPort = port->port,
    };
    if (!SetInformationJobObject(job, JobObjectAssociateCompletionPortInformation, &association, sizeof association))
        return GetLastError();
    return 0;
}

/* The system's pool waits for us, for thousands of handles at once. Since Windows 8 no thread waits there: the kernel posts a packet to
 * the pool's port when a handle is signalled, and one worker calls back (NtAssociateWaitCompletionPacket; R. Chen,
 * https://devblogs.microsoft.com/oldnewthing/20220406-00/?p=106434). Having those packets posted to our own port would spare the worker;
 * Wine has none to try that with. There, a thread waits for each 63 handles. tests/win32/watch_test.c counts. */

/* On a thread of the system's pool, with the number itself for an argument: see `exit_port`. */
static void CALLBACK process_ended(void *argument, BOOLEAN timed_out) {
    (void)timed_out;
    AcquireSRWLockShared(&exit_port.lock);
    if (exit_port.port)
        post(exit_port.port, 0, KEY_EXIT, (uintptr_t)argument);
    ReleaseSRWLockShared(&exit_port.lock);
}

jp_status jp_win32_watch(HANDLE process, uint64_t watch, HANDLE *ret_wait, struct jp_error *error) {
    /* Not WT_EXECUTEINWAITTHREAD, short as the callback is: there Wine's UnregisterWaitEx() races with the wait's end and
     * writes through a null pointer. */
    if (!RegisterWaitForSingleObject(ret_wait, process, process_ended, (void *)(uintptr_t)watch, INFINITE, WT_EXECUTEONLYONCE)) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "RegisterWaitForSingleObject", "cannot watch process %lu",
                             (unsigned long)GetProcessId(process));
    }
    return JP_OK;
}

void jp_win32_unwatch(HANDLE wait) {
    if (!wait)
        return;
    /* INVALID_HANDLE_VALUE: returns when a callback that is under way has ended, so that the process's handle may be closed.
     * Failing leaves the wait behind, which does no harm. */
    UnregisterWaitEx(wait, INVALID_HANDLE_VALUE);
}
