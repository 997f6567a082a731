/* From the config's file name to the checked model. */
#include "daemon/daemon.h"

#include "base/units.h"

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

jp_status jp_daemon_read_config(const struct jp_daemon_platform *platform, const char *file, struct jp_config *ret_config,
                                char **ret_faults, cJSON **ret_data, struct jp_error *error) {
    struct jp_str text = {0};
    struct jp_config_faults faults = {0};
    *ret_faults = NULL;
    *ret_data = NULL;
    jp_status status = platform->read_config(platform->context, file, &text, error);
    if (status) {
        error->status = status = JP_E_CONFIG;
        jp_fail_because(error, "the configuration cannot be used");
    } else {
        status = jp_config_parse(jp_str_text(&text), text.length, &platform->config_host, ret_config, &faults);
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
