/* The command doctor: goes through the checks and shows what they found. */
#include "cli/doctor.h"

#include <string.h>

enum { CHECK_AT = 9, ADVICE_AT = 12, FOUND_AT = 31 }; /* the columns of what is said */

static const char *const states[] = {[JP_FOUND_OK] = "ok", [JP_FOUND_NOTE] = "note", [JP_FOUND_WARNING] = "warning", [JP_FOUND_FAILED] = "failed"};
static const enum jp_colour colours[] = {[JP_FOUND_OK] = JP_COLOUR_GREEN, [JP_FOUND_NOTE] = JP_COLOUR_CYAN, [JP_FOUND_WARNING] = JP_COLOUR_YELLOW,
                                         [JP_FOUND_FAILED] = JP_COLOUR_RED};

static const char *text(const cJSON *object, const char *key) {
    const char *value = cJSON_GetStringValue(jp_get(object, key));
    return value ? value : "";
}

void jp_doctor_add(struct jp_doctor *doctor, enum jp_finding finding, const char *advice, const char *format, ...) {
    struct jp_str found = {0};
    va_list arguments;
    va_start(arguments, format);
    jp_str_vprintf(&found, format, arguments);
    va_end(arguments);
    cJSON *row = jp_cli_object("check", doctor->check);
    jp_json_add_string(row, "state", states[finding]);
    jp_json_add_string(row, "found", jp_str_text(&found));
    if (advice)
        jp_json_add_string(row, "advice", advice);
    cJSON_AddItemToArray(doctor->rows, row);
    doctor->counts[finding]++;
    jp_str_free(&found);
}

/* --- showing --- */

static enum jp_colour colour_of(const char *state) {
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i], state) == 0)
            return colours[i];
    return JP_COLOUR_NONE;
}

static void add_folded(struct jp_str *out, const char *text, size_t indentation) {
    struct jp_str harmless = {0};
    jp_add_harmless(&harmless, text);
    jp_show_folded(jp_str_text(&harmless), indentation, out);
    jp_str_putc(out, '\n');
    jp_str_free(&harmless);
}

/* "failed   pipe          what was found", and below it what to do. */
static void show_findings(const cJSON *result, struct jp_str *out) {
    const cJSON *row;
    cJSON_ArrayForEach(row, jp_get(result, "checks")) {
        char *state = jp_sprintf("%-8s", text(row, "state"));
        jp_colour_text(out, colour_of(text(row, "state")), state);
        jp_str_printf(out, " %-*s", FOUND_AT - CHECK_AT, text(row, "check"));
        add_folded(out, text(row, "found"), FOUND_AT);
        if (*text(row, "advice")) {
            jp_str_printf(out, "%*s", ADVICE_AT, "-> ");
            add_folded(out, text(row, "advice"), ADVICE_AT);
        }
        jp_free(state);
    }
    int warnings = jp_get(result, "warnings")->valueint;
    jp_str_printf(out, "\n%d failed, %d warning%s\n", jp_get(result, "failed")->valueint, warnings, warnings == 1 ? "" : "s");
}

static const struct jp_show doctor_columns[] = {
    {"CHECK", "check", JP_SHOW_TEXT}, {"STATE", "state", JP_SHOW_STATE}, {"FOUND", "found", JP_SHOW_TEXT}, {"ADVICE", "advice", JP_SHOW_TEXT}, {0}};

const struct jp_view jp_doctor_view = {.list = "checks", .columns = doctor_columns, .show = show_findings};

static void forget(struct jp_doctor *doctor) {
    jp_win32_scm_close(doctor->scm);
    jp_free(doctor->program);
    jp_free(doctor->config_file);
    cJSON_Delete(doctor->status);
    jp_cli_failure_clear(&doctor->failure);
    if (doctor->config_known)
        jp_config_free(&doctor->config);
}

int jp_command_doctor(struct jp_cli *cli, cJSON *options) {
    struct jp_doctor doctor = {.cli = cli, .rows = cJSON_CreateArray()};
    cJSON_Delete(options);
    for (const struct jp_doctor_check *check = jp_doctor_checks; check->name; check++) {
        doctor.check = check->name;
        check->run(&doctor);
    }
    size_t failed = doctor.counts[JP_FOUND_FAILED];
    cJSON *result = cJSON_CreateObject();
    cJSON_AddBoolToObject(result, "ok", failed == 0);
    jp_json_add_u64(result, "failed", failed);
    jp_json_add_u64(result, "warnings", doctor.counts[JP_FOUND_WARNING]);
    cJSON_AddItemToObject(result, "checks", doctor.rows);
    forget(&doctor);
    int code = jp_cli_print(cli, result, &jp_doctor_view);
    return code == JP_EXIT_OK && failed > 0 ? JP_EXIT_FAILED : code;
}
