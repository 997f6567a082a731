/* The client's end of the service's pipe: finding it, making sure who serves it, and moving bytes both ways at once.
 *
 * One read and one write may be pending at the same time, each begun and finished by one thread at a time; so a reader and
 * a writer on threads of their own need no lock. */
#ifndef JP_CLIENT_PIPE_H
#define JP_CLIENT_PIPE_H

#include "base/status.h"

#include <windows.h>

#define JP_PIPE_DEFAULT_NAME "jobpool"

enum { JP_PIPE_TRANSFER_MAX = 1 << 30 };

/* What the service may do with the identity that the pipe gives it. */
enum jp_pipe_level {
    JP_PIPE_IDENTIFY,    /* know who is calling */
    JP_PIPE_IMPERSONATE, /* open and start processes as the caller: assign and launch want it */
};

struct jp_pipe_options {
    const char *name; /* "jobpool", also with \\.\pipe\ before it; NULL: JP_PIPE_DEFAULT_NAME */
    enum jp_pipe_level level;
    uint32_t timeout_ms; /* how long to wait while all instances are busy */
};

struct jp_pipe;

/* Connects. Not a byte has been sent when this returns, and the server was found to be the service, somebody with more
 * rights than the caller, or the caller's own. Fails with JP_E_PARAMS (a name that cannot be one), JP_E_TIMEOUT (busy all
 * the time), JP_E_DENIED (not allowed in, or a server not to be trusted), JP_E_SYSTEM (no such pipe, and the rest). */
jp_status jp_pipe_open(const struct jp_pipe_options *options, struct jp_pipe **ret_pipe, struct jp_error *error);

/* Takes back what is pending, then closes. No other thread may be in a call on the pipe. NULL is fine. */
void jp_pipe_close(struct jp_pipe *pipe);

/* A transfer that cannot even begin is finished at once: finishing says why. `buffer` is the pipe's until then.
 * Sizes are at most JP_PIPE_TRANSFER_MAX. */
void jp_pipe_begin_read(struct jp_pipe *pipe, void *buffer, size_t size);
/* Waits for the read that was begun. *ret_length 0: the server has closed the pipe. */
jp_status jp_pipe_finish_read(struct jp_pipe *pipe, size_t *ret_length, struct jp_error *error);
/* Signalled when finishing would not wait. The pipe's own: not to be closed. */
HANDLE jp_pipe_read_event(const struct jp_pipe *pipe);

/* The bytes are the pipe's until the write is finished; then all of them are written. */
void jp_pipe_begin_write(struct jp_pipe *pipe, const void *bytes, size_t length);
jp_status jp_pipe_finish_write(struct jp_pipe *pipe, struct jp_error *error);
HANDLE jp_pipe_write_event(const struct jp_pipe *pipe);

#endif
