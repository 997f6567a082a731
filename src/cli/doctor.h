/* What the doctor looks at: a table of checks, each of which adds a row or more. */
#ifndef JP_CLI_DOCTOR_H
#define JP_CLI_DOCTOR_H

#include "cli/cli.h"
#include "config/config.h"
#include "win32/installation.h"

enum jp_finding {
    JP_FOUND_OK,
    JP_FOUND_NOTE,    /* worth knowing; nothing to do */
    JP_FOUND_WARNING, /* works, but not as it should */
    JP_FOUND_FAILED,
};

struct jp_doctor {
    struct jp_cli *cli;
    cJSON *rows; /* {"check", "state", "found", "advice"?} */
    const char *check; /* the one that adds rows now */
    size_t counts[JP_FOUND_FAILED + 1];

    /* What earlier checks learned, for later ones. */
    struct jp_win32_scm *scm; /* NULL: it cannot be asked */
    bool installed;
    struct jp_service_status state;
    char *program, *config_file; /* config_file: never NULL after the first check */
    cJSON *status;               /* the service's answer; NULL: it gave none, and `failure` says why */
    struct jp_cli_failure failure;
    bool own_service;            /* who answers is the installed one */
    struct jp_config config;
    bool config_known;
};

struct jp_doctor_check {
    const char *name; /* NULL ends the table */
    void (*run)(struct jp_doctor *doctor);
};
extern const struct jp_doctor_check jp_doctor_checks[];

/* `advice` NULL: nothing to do. */
void jp_doctor_add(struct jp_doctor *doctor, enum jp_finding finding, const char *advice, const char *format, ...) JP_PRINTF(4, 5);

#endif
