/* UTF-8 and UTF-16.
 *
 * Inside, every string is UTF-8; Windows' wide strings are converted at the edge. Windows names need not be valid UTF-16:
 * a lone surrogate is kept as its three-byte form (WTF-8, https://simonsapin.github.io/wtf-8/), so that a path survives
 * the way in and out. */
#ifndef JP_BASE_UTF_H
#define JP_BASE_UTF_H

#include "base/status.h"

/* Length of the valid UTF-8 sequence at `text` (1 to 4), or 0 if the bytes there are not one. Overlong forms, values over
 * U+10FFFF and surrogates are invalid. */
size_t jp_utf8_sequence(const char *text, size_t length);

/* The number of leading bytes that are valid UTF-8; `length` if all are. */
size_t jp_utf8_valid_length(const char *text, size_t length);

/* Makes `text` fit for a message: what is not UTF-8 (a character that "%.40s" cut in two) is dropped, and control characters
 * become '?', so that one message stays one line. In place. */
void jp_utf8_tidy(char *text);

/* Both return new memory (jp_free), NUL-terminated, and the length without the NUL in *ret_length (may be NULL).
 * Bytes that are not WTF-8 become U+FFFD. */
uint16_t *jp_utf16_from_utf8(const char *text, size_t length, size_t *ret_length);
char *jp_utf8_from_utf16(const uint16_t *text, size_t length, size_t *ret_length);

#endif
