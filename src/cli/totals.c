/* Adding up rows of accounts, exactly: in whole numbers, also beyond what a double holds. */
#include "cli/totals.h"

/* accounting.summary and accounting.report have the same keys; "unobserved" is only in the first. */
static const struct {
    const char *key;
    bool is_peak;
} quantities[] = {
    {"processes", false},      {"running", false},      {"exited", false},    {"crashed", false},    {"terminated", false},
    {"unknown", false},        {"unobserved", false},   {"failures", false},  {"userTime100ns", false}, {"kernelTime100ns", false},
    {"wallTime100ns", false},  {"peakCommitBytes", true}, {"readBytes", false}, {"writeBytes", false}, {"withCpu", false},
    {"withIo", false},
};

static bool add_up(const cJSON *rows, const char *key, bool is_peak, uint64_t *ret_value) {
    bool known = false;
    *ret_value = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, rows) {
        uint64_t value;
        if (!jp_json_get_u64(jp_get(row, key), &value))
            continue;
        known = true;
        if (!is_peak)
            *ret_value += value;
        else if (value > *ret_value)
            *ret_value = value;
    }
    return known;
}

cJSON *jp_totals_sum(const cJSON *rows) {
    cJSON *sum = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++) {
        uint64_t value;
        if (add_up(rows, quantities[i].key, quantities[i].is_peak, &value))
            jp_json_add_u64(sum, quantities[i].key, value);
    }
    return sum;
}

cJSON *jp_totals_rest(const cJSON *total, const cJSON *rows) {
    cJSON *rest = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++) {
        uint64_t all, shown;
        bool known = jp_json_get_u64(jp_get(total, quantities[i].key), &all);
        add_up(rows, quantities[i].key, false, &shown);
        if (known && !quantities[i].is_peak && shown <= all)
            jp_json_add_u64(rest, quantities[i].key, all - shown);
    }
    return rest;
}

void jp_totals_label(cJSON *row, const struct jp_show *columns, const char *label) {
    if (columns->title == NULL || columns->kind != JP_SHOW_TEXT)
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(row, columns->key);
    jp_json_add_string(row, columns->key, label);
}
