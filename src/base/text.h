/* Text on a terminal: what may be shown, and how wide it is. */
#ifndef JP_BASE_TEXT_H
#define JP_BASE_TEXT_H

#include "base/str.h"

/* Whether a character does something to the text around it instead of being seen: control characters, those that turn the direction of
 * writing or end a line, those without a width, and what Unicode says is no character. */
bool jp_text_is_harmful(uint32_t code);

/* Adds text that others chose (a command line, a description): what could steer a terminal is written as \xNN. */
void jp_add_harmless(struct jp_str *out, const char *text);

/* The columns that a text takes on a screen: wide characters count two, combining ones none. */
size_t jp_display_width(const char *text);

/* Adds a text, its end replaced by an ellipsis if it takes more than `width` columns. */
void jp_add_cut(struct jp_str *out, const char *text, size_t width);

/* The character that *text begins with, and its columns on a screen; *text moves behind it. 0 at the end; U+FFFD for a byte that is
 * no UTF-8. */
uint32_t jp_text_next(const char **text, size_t *ret_width);

/* The other way: adds a character as UTF-8. What is none (a surrogate, beyond U+10FFFF) becomes U+FFFD. */
void jp_text_add(struct jp_str *out, uint32_t code);

#endif
