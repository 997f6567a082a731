/* The keeper: a process of our own program that holds job objects, so that their names, and the way in to them, outlive the service.
 *
 * The service duplicates its handles into the keeper and tells it their values, a record each, over an anonymous pipe that is the
 * keeper's standard input. The end of that pipe is how the keeper learns that the service is gone, however it went. */
#ifndef JP_WIN32_KEEPER_H
#define JP_WIN32_KEEPER_H

#include <assert.h>
#include <stdint.h>

enum { JP_KEEPER_HOLD = 1, JP_KEEPER_LET_GO = 2 };

struct jp_keeper_record {
    uint32_t operation;
    uint32_t zero;
    uint64_t handle; /* its value in the keeper */
};
static_assert(sizeof(struct jp_keeper_record) == 16, "both ends are the same program, but not always of the same build");

enum { JP_KEEPER_MAX_JOBS = 65536 };

/* Exit codes; the last two are given by the service. */
enum {
    JP_KEEPER_DONE,
    JP_KEEPER_NO_PIPE,  /* somebody ran it at a prompt */
    JP_KEEPER_GARBAGE,  /* a record that no service writes */
    JP_KEEPER_GIVEN_UP, /* it did not read */
    JP_KEEPER_DISMISSED,
};

/* The keeper's life. Returns the exit code. */
int jp_win32_keeper(void);

#endif
