#include "tap.h"

#include <stdio.h>

struct jp_error error;

static int points, failures;

bool check_at(bool good, const char *file, int line, const char *what) {
    printf("%sok %d - %s\n", good ? "" : "not ", ++points, what);
    if (!good) {
        failures++;
        printf("# %s:%d\n", file, line);
    }
    fflush(stdout);
    return good;
}

void skip(const char *what, const char *reason) { printf("ok %d - %s # SKIP %s\n", ++points, what, reason); }

bool status_at(jp_status got, jp_status wanted, const char *file, int line, const char *what) {
    bool good = check_at(got == wanted, file, line, what);
    if (!good || got != JP_OK)
        printf("# %s: %s\n", jp_status_name(got), got == JP_OK ? "" : error.text);
    return good;
}

int finish(void) {
    printf("1..%d\n", points);
    return failures == 0 ? 0 : 1;
}
