/* Owns the crossing between UTF-8 and Windows' strings. */
#include "win32/wide.h"

#include "base/utf.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(wchar_t) == sizeof(uint16_t), "Windows' wide characters are UTF-16 units");

wchar_t *jp_win32_wide(const char *text) {
    return text ? (wchar_t *)jp_utf16_from_utf8(text, strlen(text), NULL) : NULL;
}

char *jp_win32_utf8_n(const wchar_t *text, size_t length) {
    return text ? jp_utf8_from_utf16((const uint16_t *)text, length, NULL) : NULL;
}

char *jp_win32_utf8(const wchar_t *text) { return text ? jp_win32_utf8_n(text, wcslen(text)) : NULL; }
