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

static jp_status read_opened(uv_file file, const char *name, struct jp_str *text, struct jp_error *error) {
    static char block[64 << 10];
    uv_buf_t buffer = uv_buf_init(block, sizeof block);
    uv_fs_t request;
    int length;
    do {
        length = uv_fs_read(NULL, &request, file, &buffer, 1, -1, NULL);
        uv_fs_req_cleanup(&request);
        if (length > 0)
            jp_str_add(text, block, (size_t)length);
    } while (length > 0 && text->length <= JP_CONFIG_MAX_BYTES);
    return length < 0 ? jp_fail(error, JP_E_CONFIG, "cannot read the configuration %s: %s", name, uv_strerror(length)) : JP_OK;
}

static jp_status read_file(const char *name, struct jp_str *text, struct jp_error *error) {
    uv_fs_t request;
    uv_file file = uv_fs_open(NULL, &request, name, UV_FS_O_RDONLY, 0, NULL);
    uv_fs_req_cleanup(&request);
    if (file < 0)
        return jp_fail(error, JP_E_CONFIG, "cannot open the configuration %s: %s", name, uv_strerror(file));
    jp_status status = read_opened(file, name, text, error);
    uv_fs_close(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
    return status;
}

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

jp_status jp_daemon_read_config(const char *file, struct jp_config *ret_config, char **ret_faults, cJSON **ret_data,
                                struct jp_error *error) {
    struct jp_str text = {0};
    struct jp_config_faults faults = {0};
    *ret_faults = NULL;
    *ret_data = NULL;
    jp_status status = read_file(file, &text, error);
    if (status == JP_OK) {
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
