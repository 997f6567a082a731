/* Any JSON as the dictionary of each information class: what is taken comes back the same, a refusal says why and keeps nothing; and any bytes as
 * the structure itself: what is written of it is taken back. */
#include "base/utf.h"
#include "job/info.h"

#include "fuzz.h"

#include <string.h>

/* Classes that can be set are read with every key that was written for them. */
static void check_again(const struct jp_job_info *info) {
    struct jp_job_info again;
    struct jp_error error;
    cJSON *written = jp_job_info_write(info);
    MUST(jp_job_info_read(info->class, written, &again, &error) == JP_OK);
    MUST(jp_job_info_equal(info, &again) && jp_job_info_equal(&again, info));
    jp_job_info_clear(&again);
    cJSON_Delete(written);
}

static void read_as(enum jp_job_class class, const cJSON *json) {
    static const struct jp_job_info nothing;
    struct jp_job_info info;
    struct jp_error error = {0};
    jp_status status = jp_job_info_read(class, json, &info, &error);
    if (status == JP_OK) {
        MUST(info.class == class);
        check_again(&info);
        jp_job_info_clear(&info);
        return;
    }
    size_t length = strlen(error.text);
    MUST(status == JP_E_PARAMS && error.status == status && length && jp_utf8_valid_length(error.text, length) == length);
    MUST(info.groups.items == nothing.groups.items && info.groups.count == 0);
}

static bool is_list(enum jp_job_class class) {
    return class == JP_JOB_BasicProcessIdList || class == JP_JOB_GroupInformation || class == JP_JOB_GroupInformationEx;
}

/* Numbers that do not fit what Windows has for them are none of a structure's. */
static bool write_as(enum jp_job_class class, const uint8_t *data, size_t size) {
    struct jp_job_info info = {.class = class};
    struct jp_error error;
    struct jp_job_info again;
    size_t room = sizeof info - offsetof(struct jp_job_info, accounting);
    if (is_list(class))
        return false;
    memcpy((char *)&info + offsetof(struct jp_job_info, accounting), data, size < room ? size : room);
    cJSON *json = jp_job_info_write(&info);
    MUST(json);
    bool taken = jp_job_info_read(class, json, &again, &error) == JP_OK;
    if (taken) {
        MUST(jp_job_info_equal(&info, &again));
        jp_job_info_clear(&again);
    }
    cJSON_Delete(json);
    return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct jp_json_rules rules = {.max_bytes = 1 << 16, .max_depth = 16};
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    bool parsed = jp_json_parse((const char *)data, size, &rules, &json, &place, &error) == JP_OK;
    for (const struct jp_job_class_row *row = jp_job_classes; row->name; row++) {
        write_as(row->class, data, size);
        if (parsed)
            read_as(row->class, json.root);
    }
    if (parsed)
        jp_json_free(&json);
    return 0;
}
