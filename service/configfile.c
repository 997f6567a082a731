/* From the config's file name to the checked model. */
#include "daemon.h"

#include "base/units.h"
#include "win32/security.h"

#include <uv.h>

/* libuv gives UTF-8. The last value asked for is kept: the config is read on one thread, a value at a time. */
static const char *environment(const char *name) {
    static char *value;
    size_t size = 256;
    int failure;
    do {
        jp_free(value);
        value = jp_alloc(size);
        failure = uv_os_getenv(name, value, &size);
    } while (failure == UV_ENOBUFS);
    return failure ? NULL : value;
}

const struct jp_config_host jp_daemon_config_host = {.environment = environment, .check_security = jp_win32_sddl_check};

static cJSON *faults_as_data(const struct jp_config_faults *faults) {
    cJSON *data = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(data, "faults");
    for (size_t i = 0; i < faults->count; i++) {
        cJSON *fault = cJSON_CreateObject();
        jp_json_add_u64(fault, "line", faults->items[i].line);
        jp_json_add_u64(fault, "column", faults->items[i].column);
        cJSON_AddStringToObject(fault, "text", faults->items[i].text);
        cJSON_AddItemToArray(list, fault);
    }
    return data;
}

jp_status jp_daemon_read_config(const char *file, enum jp_win32_trust trust, struct jp_config *ret_config, char **ret_faults, cJSON **ret_data,
                                struct jp_error *error) {
    struct jp_str text = {0};
    struct jp_config_faults faults = {0};
    *ret_faults = NULL;
    *ret_data = NULL;
    jp_status status = jp_win32_read_file(file, JP_CONFIG_MAX_BYTES, trust, &text, error);
    if (status) {
        error->status = status = JP_E_CONFIG;
        jp_fail_because(error, "the configuration cannot be used");
    } else {
        status = jp_config_parse(jp_str_text(&text), text.length, &jp_daemon_config_host, ret_config, &faults);
        if (status) {
            *ret_faults = jp_config_faults_format(&faults, file);
            *ret_data = faults_as_data(&faults);
            jp_fail(error, status, "the configuration %s has %zu fault%s; the first, in line %u: %s", file, faults.count,
                    faults.count == 1 ? "" : "s", faults.items[0].line, faults.items[0].text);
        }
    }
    jp_config_faults_free(&faults);
    jp_str_free(&text);
    return status;
}
