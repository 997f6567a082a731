#include "report/html.h"

#include "base/units.h"
#include "base/utf.h"

#include <stdio.h>
#include <string.h>

static uint32_t decode(const char *text, size_t length) {
    static const unsigned char first_byte_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = (unsigned char)text[0] & first_byte_mask[length];
    for (size_t i = 1; i < length; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3F);
    return code;
}

/* What a page would not show, or what would change how the rest of it is read. */
static bool is_harmful(uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0xAD || code == 0x61C || (code >= 0x200B && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) || (code >= 0xFDD0 && code <= 0xFDEF) || code == 0xFEFF ||
           (code & 0xFFFE) == 0xFFFE;
}

static void add_character(struct jp_str *out, const char *text, size_t length) {
    uint32_t code = decode(text, length);
    switch (code) {
    case '&': jp_str_puts(out, "&amp;"); break;
    case '<': jp_str_puts(out, "&lt;"); break;
    case '>': jp_str_puts(out, "&gt;"); break;
    case '"': jp_str_puts(out, "&quot;"); break;
    case '\'': jp_str_puts(out, "&#39;"); break;
    default:
        if (is_harmful(code))
            jp_str_printf(out, "\\u{%X}", (unsigned)code);
        else
            jp_str_add(out, text, length);
    }
}

void jp_html_text(struct jp_str *out, const char *text, size_t most) {
    size_t left = strlen(text);
    for (; left > 0 && most > 0; most--) {
        size_t length = jp_utf8_sequence(text, left);
        if (length > 0)
            add_character(out, text, length);
        else
            jp_str_puts(out, "\xEF\xBF\xBD");
        length = length > 0 ? length : 1;
        text += length;
        left -= length;
    }
    if (left > 0)
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

const char *jp_words_duration(uint64_t time_100ns, char buffer[JP_WORDS]) {
    uint64_t seconds = time_100ns / JP_100NS_PER_S, minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
    if (days >= 10)
        snprintf(buffer, JP_WORDS, "%llu\xC2\xA0" "d", (unsigned long long)days);
    else if (days)
        snprintf(buffer, JP_WORDS, "%u\xC2\xA0" "d\xC2\xA0%u\xC2\xA0h", (unsigned)days, (unsigned)(hours % 24));
    else if (hours)
        snprintf(buffer, JP_WORDS, "%u\xC2\xA0h\xC2\xA0%u\xC2\xA0min", (unsigned)hours, (unsigned)(minutes % 60));
    else if (minutes)
        snprintf(buffer, JP_WORDS, "%u\xC2\xA0min\xC2\xA0%u\xC2\xA0s", (unsigned)minutes, (unsigned)(seconds % 60));
    else {
        bool whole = time_100ns >= JP_100NS_PER_S || time_100ns == 0;
        add_short((double)time_100ns / (whole ? JP_100NS_PER_S : JP_100NS_PER_MS), buffer, JP_WORDS - 8);
        size_t length = strlen(buffer);
        snprintf(buffer + length, JP_WORDS - length, "\xC2\xA0%s", whole ? "s" : "ms");
    }
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
    add_short(percent, buffer, JP_WORDS - 8);
    size_t length = strlen(buffer);
    snprintf(buffer + length, JP_WORDS - length, "\xC2\xA0%%");
    return buffer;
}

/* --- answers --- */

const cJSON *jp_get(const cJSON *object, const char *key) { return cJSON_GetObjectItemCaseSensitive(object, key); }

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
