/* Launches that an administrator has prepared: the config's section `templates`, which pool.launch names. What is in one is the
 * administrator's word; so it, and nothing that comes through the pipe, may name another account to run as. */
#ifndef JP_JOB_TEMPLATE_H
#define JP_JOB_TEMPLATE_H

#include "job/limits.h"

/* The files of a launch; NULL: none. Opened as who launches, or as whom it runs. */
struct jp_launch_files {
    char *input, *output, *error;
    bool append; /* to the outputs, instead of beginning them anew */
};

struct jp_template_spec {
    uint64_t present;
    char *description;
    char *pool; /* where it goes; who launches it needs the right there */
    struct jp_strings argv;
    char *command; /* instead of argv */
    char *cwd;
    struct jp_strings env;
    struct jp_launch_files files;
    uint32_t run_as; /* enum jp_token_account; JP_TOKEN_NONE: the caller */
};
extern const struct jp_field jp_template_fields[];

/* JP_E_PARAMS if the name is not that of a file on a drive ("C:\\folder\\file") or "NUL". Not "\\\\server\\share" and not
 * "\\\\.\\pipe": only to open these already tells somebody else who the caller is, and may take as long as he likes. */
jp_status jp_launch_file_check(const char *name, const char *what, struct jp_error *error);
jp_status jp_launch_files_check(const struct jp_launch_files *files, struct jp_error *error);

struct jp_launch_template {
    char *name;
    struct jp_template_spec spec;
};

/* What only the table cannot say: either argv or command, and a pool. As jp_pool_spec_check. */
bool jp_template_check(const struct jp_template_spec *spec, const cJSON *object, const char *path, struct jp_faults *faults);

#endif
