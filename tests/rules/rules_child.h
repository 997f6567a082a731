/* Between host_win32.c and the processes that it spawns, which are the same program: who takes orders, and how. */
#ifndef JP_TESTS_RULES_CHILD_H
#define JP_TESTS_RULES_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <windows.h>

enum rules_verb {
    RULES_EXIT,     /* 0: code. Not answered */
    RULES_SPAWN,    /* 0: number of the new one; 1: whether it breaks away. Result: CreateProcess's error; `handle`, in the host */
    RULES_BURN,     /* 0: ms of user-mode time */
    RULES_COMMIT,   /* 0: bytes. Result: 0 or the error */
    RULES_DECOMMIT, /* 0: bytes */
    RULES_READ,     /* 0: bytes */
    RULES_WRITE,    /* 0: bytes */
    RULES_PRIORITY, /* 0: class */
    RULES_AFFINITY, /* 0: mask */
};

/* In shared memory. The host fills it in and sets `go`; the child carries it out and sets `done`. It also sets `done` once at first. */
struct rules_order {
    enum rules_verb verb;
    uint64_t arguments[2];
    uint32_t result, pid;
    uint64_t handle;
};

/* One side's view of it. Named by the host's pid and a number, so that a child can hand a number on to a child of its own. */
struct rules_line {
    HANDLE memory, go, done;
    struct rules_order *order;
};
bool rules_line_open(struct rules_line *line, uint32_t host_pid, unsigned number);
void rules_line_close(struct rules_line *line);

/* Starts this program as the child of that number. Returns 0 or the error. */
uint32_t rules_start_child(uint32_t host_pid, unsigned number, bool breakaway, PROCESS_INFORMATION *ret_made);

int rules_be_child(uint32_t host_pid, unsigned number);

#endif
