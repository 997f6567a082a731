/* Which characters are harmless, and how wide they are. */
#include "base/text.h"

#include "base/utf.h"

#include <string.h>

static uint32_t decode(const char *text, size_t length) {
    static const unsigned char first_byte_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = (unsigned char)text[0] & first_byte_mask[length];
    for (size_t i = 1; i < length; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3F);
    return code;
}

bool jp_text_is_harmful(uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0xAD || code == 0x61C || (code >= 0x200B && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) || (code >= 0xFDD0 && code <= 0xFDEF) || code == 0xFEFF ||
           (code & 0xFFFE) == 0xFFFE;
}

void jp_add_harmless(struct jp_str *out, const char *text) {
    size_t left = strlen(text);
    while (left > 0) {
        size_t length = jp_utf8_sequence(text, left);
        if (length == 0 || jp_text_is_harmful(decode(text, length))) {
            length = length == 0 ? 1 : length;
            for (size_t i = 0; i < length; i++)
                jp_str_printf(out, "\\x%02X", (unsigned char)text[i]);
        } else {
            jp_str_add(out, text, length);
        }
        text += length;
        left -= length;
    }
}

struct range {
    uint32_t first, last;
};

static bool in_ranges(const struct range *ranges, size_t count, uint32_t code) {
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* The blocks of Unicode that terminals draw double (East Asian Width W and F), and those that add to the character before. */
static size_t code_width(uint32_t code) {
    static const struct range wide[] = {
        {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},
        {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
        {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
    };
    static const struct range combining[] = {
        {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F}, {0x093C, 0x093C},
        {0x0E34, 0x0E3A}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F},
        {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF},
    };
    if (code < 0x300)
        return 1;
    if (in_ranges(combining, sizeof combining / sizeof combining[0], code))
        return 0;
    return in_ranges(wide, sizeof wide / sizeof wide[0], code) ? 2 : 1;
}

uint32_t jp_text_next(const char **text, size_t *ret_width) {
    size_t left = 0; /* as far as it matters, so that a long text is not measured for each of its characters */
    while (left < 4 && (*text)[left] != '\0')
        left++;
    size_t length = jp_utf8_sequence(*text, left);
    uint32_t code = length == 0 ? (**text == '\0' ? 0 : 0xFFFD) : decode(*text, length);
    *ret_width = code == 0 ? 0 : code_width(code);
    *text += length > 0 ? length : code == 0 ? 0 : 1;
    return code;
}

void jp_text_add(struct jp_str *out, uint32_t code) {
    if ((code >= 0xD800 && code < 0xE000) || code > 0x10FFFF)
        code = 0xFFFD;
    unsigned more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3; /* bytes behind the first */
    static const unsigned char first[] = {0, 0xC0, 0xE0, 0xF0};
    jp_str_putc(out, (char)(first[more] | code >> 6 * more));
    while (more-- > 0)
        jp_str_putc(out, (char)(0x80 | (code >> 6 * more & 0x3F)));
}

size_t jp_display_width(const char *text) {
    size_t width = 0, one;
    while (jp_text_next(&text, &one) != 0)
        width += one;
    return width;
}

void jp_add_cut(struct jp_str *out, const char *text, size_t width) {
    if (jp_display_width(text) <= width) {
        jp_str_puts(out, text);
        return;
    }
    size_t used = 1; /* the ellipsis */
    for (size_t left = strlen(text); left > 0;) {
        size_t length = jp_utf8_sequence(text, left);
        size_t own = length == 0 ? 1 : code_width(decode(text, length));
        length = length == 0 ? 1 : length;
        if (used + own > width)
            break;
        used += own;
        jp_str_add(out, text, length);
        text += length;
        left -= length;
    }
    jp_str_puts(out, width > 0 ? "\xE2\x80\xA6" : "");
}
