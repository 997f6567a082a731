/* Owns the table of launch templates. */
#include "job/template.h"

#include <stddef.h>

#define TEMPLATE(member) .offset = offsetof(struct jp_template_spec, member)

static const struct jp_choice accounts[] = {
    {"caller", JP_TOKEN_NONE}, {"local_service", JP_TOKEN_LOCAL_SERVICE}, {"network_service", JP_TOKEN_NETWORK_SERVICE}, {NULL, 0}};

const struct jp_field jp_template_fields[] = {
    {.key = "description", .type = JP_FIELD_STRING, TEMPLATE(description), .max = 1024, .documentation = "For people."},
    {.key = "pool", .type = JP_FIELD_STRING, TEMPLATE(pool), .required = true, .min = 1,
     .documentation = "The pool that it is launched in; who launches it needs the right \"launch\" there."},
    {.key = "argv", .type = JP_FIELD_STRINGS, TEMPLATE(argv), .max = 4096, .documentation = "Program and arguments."},
    {.key = "command", .type = JP_FIELD_STRING, TEMPLATE(command), .min = 1, .documentation = "The command line as CreateProcess takes it; instead of argv."},
    {.key = "cwd", .type = JP_FIELD_PATH, TEMPLATE(cwd), .min = 1, .documentation = "Working folder; default the profile of whom it runs as."},
    {.key = "env", .type = JP_FIELD_ENV, TEMPLATE(env), .max = 1024, .documentation = "Changes to the environment; null removes a variable."},
    {.key = "stdin", .type = JP_FIELD_PATH, TEMPLATE(files.input), .min = 1, .documentation = "A file to read from."},
    {.key = "stdout", .type = JP_FIELD_PATH, TEMPLATE(files.output), .min = 1, .documentation = "A file for its output."},
    {.key = "stderr", .type = JP_FIELD_PATH, TEMPLATE(files.error), .min = 1, .documentation = "A file for its errors; may be that of stdout."},
    {.key = "append", .type = JP_FIELD_BOOL, TEMPLATE(files.append), .documentation = "Go on with these files instead of beginning them anew."},
    {.key = "run_as", .type = JP_FIELD_CHOICE, TEMPLATE(run_as), .choices = accounts,
     .documentation = "caller (the default), local_service or network_service."},
    {0}};

static bool on_a_drive(const char *name) {
    bool letter = (name[0] >= 'A' && name[0] <= 'Z') || (name[0] >= 'a' && name[0] <= 'z');
    return letter && name[1] == ':' && (name[2] == '\\' || name[2] == '/') && name[3] != '\0';
}

jp_status jp_launch_file_check(const char *name, const char *what, struct jp_error *error) {
    if (!name || jp_ascii_equal_nocase(name, "NUL") || on_a_drive(name))
        return JP_OK;
    return jp_fail(error, JP_E_PARAMS, "%s: \"%.200s\" is not the full name of a file on a drive; write for example C:\\folder\\file.txt, or NUL", what, name);
}

jp_status jp_launch_files_check(const struct jp_launch_files *files, struct jp_error *error) {
    jp_status status = jp_launch_file_check(files->input, "stdin", error);
    if (status == JP_OK)
        status = jp_launch_file_check(files->output, "stdout", error);
    return status == JP_OK ? jp_launch_file_check(files->error, "stderr", error) : status;
}

bool jp_template_check(const struct jp_template_spec *spec, const cJSON *object, const char *path, struct jp_faults *faults) {
    size_t before = faults->count;
    struct jp_error error;
    if ((spec->command != NULL) == (spec->argv.count > 0))
        jp_faults_add(faults, object, false, "%s: give either argv or command", path);
    if (jp_launch_files_check(&spec->files, &error))
        jp_faults_add(faults, object, false, "%s.%s", path, error.text);
    return faults->count == before;
}
