/* Strings at Windows' edge: UTF-8 inside (see base/utf.h), UTF-16 in every call. Windows' own paths and names have no fixed
 * length, so both directions give new memory. */
#ifndef JP_WIN32_WIDE_H
#define JP_WIN32_WIDE_H

#include "base/str.h"

#include <wchar.h>

/* New memory (jp_free), NUL-terminated; NULL stays NULL. */
wchar_t *jp_win32_wide(const char *text);
char *jp_win32_utf8(const wchar_t *text);
char *jp_win32_utf8_n(const wchar_t *text, size_t length); /* `length` units, no NUL needed */

#endif
