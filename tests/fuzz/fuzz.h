/* What every fuzz target has: libFuzzer's entry, which replay.c calls too, and a check that ends the program. */
#ifndef JP_TESTS_FUZZ_H
#define JP_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For what must hold whatever the input is. */
#define MUST(condition)                                                                                     \
    do {                                                                                                    \
        if (!(condition)) {                                                                                 \
            fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #condition);                      \
            abort();                                                                                        \
        }                                                                                                   \
    } while (0)

#endif
