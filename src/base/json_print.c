/* A cJSON tree as one line. cJSON's own printer writes 9007199254740991 as 9.00719925474099e+15, and passes on bytes that
 * are not UTF-8. */
#include "base/json.h"

#include "base/utf.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_number(double value, struct jp_str *out) {
    char text[40];
    if (!(fabs(value) <= DBL_MAX)) { /* infinite or no number: JSON has no word for it */
        jp_str_puts(out, "null");
        return;
    }
    if (fabs(value) <= (double)JP_JSON_EXACT_MAX && !(floor(value) < value))
        snprintf(text, sizeof text, "%.0f", value);
    else /* the shortest that reads back as the same; 17 digits always do */
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(text, sizeof text, "%.*g", digits, value);
            double again = strtod(text, NULL);
            if (!(again < value) && !(again > value))
                break;
        }
    jp_str_puts(out, text);
}

/* WTF-8 for a surrogate is ED A0..BF 80..BF, which no valid UTF-8 has. */
static bool lone_surrogate(const unsigned char *bytes, size_t left) {
    return left >= 3 && bytes[0] == 0xED && bytes[1] >= 0xA0 && bytes[1] <= 0xBF && bytes[2] >= 0x80 && bytes[2] <= 0xBF;
}

/* What cannot stand in a string as it is. Returns how many bytes of the text that was. */
static size_t print_escape(const char *text, size_t left, struct jp_str *out) {
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const unsigned char *bytes = (const unsigned char *)text;
    const char *short_form = strchr(escaped, *text);
    if (short_form) {
        jp_str_putc(out, '\\');
        jp_str_putc(out, letters[short_form - escaped]);
        return 1;
    }
    if (lone_surrogate(bytes, left)) {
        jp_str_printf(out, "\\u%04x", 0xD000u | (bytes[1] & 0x3Fu) << 6 | (bytes[2] & 0x3Fu));
        return 3;
    }
    jp_str_printf(out, "\\u%04x", bytes[0] < 0x20 ? bytes[0] : 0xFFFDu);
    return 1;
}

static void print_string(const char *text, struct jp_str *out) {
    size_t length = strlen(text), from = 0, at = 0; /* from: what is plain and not yet written */
    jp_str_putc(out, '"');
    while (at < length) {
        bool plain = (unsigned char)text[at] >= 0x20 && text[at] != '"' && text[at] != '\\';
        size_t step = plain ? jp_utf8_sequence(text + at, length - at) : 0;
        if (!step) {
            jp_str_add(out, text + from, at - from);
            step = print_escape(text + at, length - at, out);
            from = at + step;
        }
        at += step;
    }
    jp_str_add(out, text + from, length - from);
    jp_str_putc(out, '"');
}

static void print_items(const cJSON *container, bool object, struct jp_str *out) {
    const cJSON *item;
    jp_str_putc(out, object ? '{' : '[');
    cJSON_ArrayForEach(item, container) {
        if (item != container->child)
            jp_str_putc(out, ',');
        if (object) {
            print_string(item->string, out);
            jp_str_putc(out, ':');
        }
        jp_json_print(item, out);
    }
    jp_str_putc(out, object ? '}' : ']');
}

void jp_json_print(const cJSON *item, struct jp_str *out) {
    if (cJSON_IsObject(item) || cJSON_IsArray(item))
        print_items(item, cJSON_IsObject(item), out);
    else if (cJSON_IsString(item))
        print_string(item->valuestring, out);
    else if (cJSON_IsNumber(item))
        print_number(item->valuedouble, out);
    else if (cJSON_IsRaw(item))
        jp_str_puts(out, item->valuestring);
    else
        jp_str_puts(out, cJSON_IsTrue(item) ? "true" : cJSON_IsFalse(item) ? "false" : "null");
}
