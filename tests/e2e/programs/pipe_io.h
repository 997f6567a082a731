/* Blocking writes to a pipe, for the programs of the tests and benchmarks. Include once in a program. */
#ifndef JP_TESTS_PIPE_IO_H
#define JP_TESTS_PIPE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <windows.h>

static bool send_all(HANDLE pipe, const char *bytes, size_t length) {
    while (length > 0) {
        DWORD written;
        if (!WriteFile(pipe, bytes, (DWORD)length, &written, NULL))
            return false;
        bytes += written;
        length -= written;
    }
    return true;
}

#endif
