/* Any text as a quantity: what is taken comes back the same from what is written for it. */
#include "base/units.h"

#include "base/str.h"
#include "base/utf.h"

#include "fuzz.h"

#include <string.h>

/* A refusal says why, in one line of UTF-8. */
static bool taken(jp_status status, const struct jp_error *error) {
    if (status == JP_OK)
        return true;
    size_t length = strlen(error->text);
    MUST(status == JP_E_PARAMS && error->status == status && length && jp_utf8_valid_length(error->text, length) == length);
    MUST(!strchr(error->text, '\n'));
    return false;
}

static void check_sizes_and_durations(const char *text) {
    struct jp_error error;
    uint64_t value, again;
    char buffer[JP_UNITS_TEXT];
    if (taken(jp_bytes_parse(text, &value, &error), &error))
        MUST(jp_bytes_parse(jp_bytes_format(value, buffer), &again, &error) == JP_OK && again == value);
    if (taken(jp_duration_parse(text, &value, &error), &error))
        MUST(jp_duration_parse(jp_duration_format(value, buffer), &again, &error) == JP_OK && again == value);
    taken(jp_u64_parse(text, &value, &error), &error);
}

static void check_shares(const char *text) {
    struct jp_error error;
    uint32_t value, again;
    char buffer[JP_UNITS_TEXT];
    if (taken(jp_percent_parse(text, &value, &error), &error))
        MUST(value <= 10000 && jp_percent_parse(jp_percent_format(value, buffer), &again, &error) == JP_OK && again == value);
}

static void check_processors(const char *text) {
    struct jp_error error;
    uint64_t value, again;
    if (!taken(jp_affinity_parse(text, &value, &error), &error))
        return;
    char *written = jp_affinity_format(value);
    MUST(value && jp_affinity_parse(written, &again, &error) == JP_OK && again == value);
    jp_free(written);
}

static void check_times(const char *text) {
    struct jp_error error;
    int64_t value, again;
    char buffer[JP_TIME_TEXT];
    if (taken(jp_time_parse(text, &value, &error), &error))
        MUST(value >= 0 && jp_time_parse(jp_time_format(value, buffer), &again, &error) == JP_OK && again == value);
}

/* Number for number, from the input's bytes rather than its letters. */
static void check_formats(const uint8_t *data, size_t size) {
    uint64_t value = 0, again;
    struct jp_error error;
    char buffer[JP_TIME_TEXT];
    memcpy(&value, data, size < sizeof value ? size : sizeof value);
    MUST(jp_bytes_parse(jp_bytes_format(value, buffer), &again, &error) == JP_OK && again == value);
    MUST(jp_duration_parse(jp_duration_format(value, buffer), &again, &error) == JP_OK && again == value);
    MUST(strlen(jp_time_format((int64_t)value, buffer)) < JP_TIME_TEXT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = jp_strndup((const char *)data, size);
    check_sizes_and_durations(text);
    check_shares(text);
    check_processors(text);
    check_times(text);
    check_formats(data, size);
    jp_free(text);
    return 0;
}
