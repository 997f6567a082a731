/* Texts and quantities as HTML has them. */
#include "report/html.h"

#include "base/text.h"
#include "base/units.h"

#include <stdio.h>
#include <string.h>

static void add_character(struct jp_str *out, uint32_t code) {
    switch (code) {
    case '&': jp_str_puts(out, "&amp;"); break;
    case '<': jp_str_puts(out, "&lt;"); break;
    case '>': jp_str_puts(out, "&gt;"); break;
    case '"': jp_str_puts(out, "&quot;"); break;
    case '\'': jp_str_puts(out, "&#39;"); break;
    default:
        if (jp_text_is_harmful(code))
            jp_str_printf(out, "\\u{%X}", (unsigned)code);
        else
            jp_text_add(out, code);
    }
}

void jp_html_text(struct jp_str *out, const char *text, size_t most) {
    size_t width;
    for (; *text != '\0' && most > 0; most--)
        add_character(out, jp_text_next(&text, &width));
    if (*text != '\0')
        jp_str_puts(out, "\xE2\x80\xA6");
}

/* --- quantities --- */

/* Three digits are enough to read, and trailing zeros say nothing. */
static void add_short(double value, char *buffer, size_t size) {
    snprintf(buffer, size, value >= 99.95 ? "%.0f" : value >= 9.995 ? "%.1f" : "%.2f", value);
    char *point = strchr(buffer, '.');
    if (!point)
        return;
    char *end = buffer + strlen(buffer);
    while (end[-1] == '0')
        *--end = '\0';
    if (end[-1] == '.')
        end[-1] = '\0';
}

const char *jp_words_bytes(double bytes, char buffer[JP_WORDS]) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    for (; bytes >= 1023.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        bytes /= 1024;
    add_short(unit ? bytes : (double)(uint64_t)bytes, buffer, JP_WORDS - 8);
    size_t length = strlen(buffer);
    snprintf(buffer + length, JP_WORDS - length, "\xC2\xA0%s", units[unit]);
    return buffer;
}

/* Two units at most, and no part that is zero. */
static void add_parts(char *buffer, uint64_t large, const char *large_unit, uint64_t small, const char *small_unit) {
    int length = snprintf(buffer, JP_WORDS, "%llu\xC2\xA0%s", (unsigned long long)large, large_unit);
    if (small)
        snprintf(buffer + length, JP_WORDS - (size_t)length, "\xC2\xA0%llu\xC2\xA0%s", (unsigned long long)small, small_unit);
}

const char *jp_words_duration(uint64_t time_100ns, char buffer[JP_WORDS]) {
    enum { DECIMAL_HOURS = 10, WHOLE_HOURS = 100 };
    uint64_t seconds = time_100ns / JP_100NS_PER_S, minutes = seconds / 60, hours = minutes / 60;
    if (hours >= WHOLE_HOURS) {
        jp_words_count(hours, buffer);
        strcat(buffer, "\xC2\xA0h");
    } else if (hours >= DECIMAL_HOURS) {
        snprintf(buffer, JP_WORDS, "%u.%u\xC2\xA0h", (unsigned)hours, (unsigned)(minutes % 60 / 6));
    } else if (hours) {
        add_parts(buffer, hours, "h", minutes % 60, "min");
    } else if (minutes) {
        add_parts(buffer, minutes, "min", seconds % 60, "s");
    } else {
        bool whole = time_100ns >= JP_100NS_PER_S || time_100ns == 0;
        add_short((double)time_100ns / (whole ? JP_100NS_PER_S : JP_100NS_PER_MS), buffer, JP_WORDS - 8);
        strcat(buffer, whole ? "\xC2\xA0s" : "\xC2\xA0ms");
    }
    return buffer;
}

const char *jp_words_span(uint64_t time_100ns, char buffer[JP_WORDS]) {
    uint64_t hours = time_100ns / JP_100NS_PER_S / 3600;
    if (hours < 24)
        return jp_words_duration(time_100ns, buffer);
    int length = snprintf(buffer, JP_WORDS, "%llu day%s", (unsigned long long)(hours / 24), hours / 24 == 1 ? "" : "s");
    if (hours % 24)
        snprintf(buffer + length, JP_WORDS - (size_t)length, " %u\xC2\xA0h", (unsigned)(hours % 24));
    return buffer;
}

const char *jp_words_count(uint64_t count, char buffer[JP_WORDS]) {
    char digits[JP_WORDS];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)count), at = 0;
    for (size_t i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            buffer[at++] = ',';
        buffer[at++] = digits[i];
    }
    buffer[at] = '\0';
    return buffer;
}

const char *jp_words_percent(double percent, char buffer[JP_WORDS]) {
    if (percent > 0 && percent < 0.005)
        strcpy(buffer, "under 0.01"); /* which is not nothing */
    else
        add_short(percent, buffer, JP_WORDS - 8);
    size_t length = strlen(buffer);
    snprintf(buffer + length, JP_WORDS - length, "\xC2\xA0%%");
    return buffer;
}

/* --- answers --- */

uint64_t jp_get_u64(const cJSON *object, const char *key) {
    uint64_t value = 0;
    return jp_json_get_u64(jp_get(object, key), &value) ? value : 0;
}

int64_t jp_get_time(const cJSON *object, const char *key) {
    int64_t time = 0;
    struct jp_error error;
    const char *text = cJSON_GetStringValue(jp_get(object, key));
    return text && jp_time_parse(text, &time, &error) == JP_OK ? time : 0;
}

const char *jp_get_text(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(jp_get(object, key));
    return text ? text : "";
}
