/* The service's pipe: created with a security descriptor of ours, closed to other machines, and accepted on a thread of its
 * own with several instances waiting, so that a burst of clients finds an open door. */
#ifndef JP_WIN32_PIPE_LISTENER_H
#define JP_WIN32_PIPE_LISTENER_H

#include "base/log.h"
#include "win32/security.h"

/* Whoever is logged on at this machine may connect; what he may do then is asked for each method. Not who came over the network, unless
 * he is an administrator (a remote shell; PIPE_REJECT_REMOTE_CLIENTS keeps other machines out in any case), not who has no name, not
 * guests. The administrators' entry is before those that deny: entries count in the order in which they are written.
 *
 * Clients get read, write and synchronize (0x12019b), which is FILE_GENERIC_READ and FILE_GENERIC_WRITE without
 * FILE_CREATE_PIPE_INSTANCE (0x4, which for a file is FILE_APPEND_DATA, and so in GENERIC_WRITE): who has that can make an instance of
 * his own, and pose as the service. */
#define JP_PIPE_DEFAULT_SECURITY "D:P(A;;GA;;;SY)(A;;0x12019b;;;BA)(D;;GA;;;NU)(D;;GA;;;AN)(D;;GA;;;BG)(A;;0x12019b;;;AU)"

struct jp_win32_listener_options {
    const char *name;     /* "\\\\.\\pipe\\jobpool" */
    const char *security; /* SDDL; NULL: JP_PIPE_DEFAULT_SECURITY */
    /* Called on the listener's thread. The callback owns `pipe`, an overlapped, connected server end. */
    void (*connected)(void *context, HANDLE pipe);
    void *context;
    const struct jp_log *log; /* may be NULL */
};

struct jp_win32_listener;

/* Makes the name ours, and lets nobody in: one client may have its end already and waits for an answer, others find the pipe busy.
 * When the listener is freed instead of started, they find it closed. JP_E_DENIED if the name is taken. */
jp_status jp_win32_listener_new(const struct jp_win32_listener_options *options, struct jp_win32_listener **ret_listener,
                                struct jp_error *error);
/* Clients are let in. Once; failing leaves the name ours. */
jp_status jp_win32_listener_start(struct jp_win32_listener *listener, struct jp_error *error);
/* Takes no more clients; `connected` is not called after this returns. NULL is fine. */
void jp_win32_listener_free(struct jp_win32_listener *listener);

#endif
