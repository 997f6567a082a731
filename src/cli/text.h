/* Text on a terminal: what may be shown, and how wide it is. */
#ifndef JP_CLI_TEXT_H
#define JP_CLI_TEXT_H

#include "base/str.h"

/* Adds text that others chose (a command line, a description): what could steer a terminal is written as \xNN. */
void jp_add_harmless(struct jp_str *out, const char *text);

/* The columns that a text takes on a screen: wide characters count two, combining ones none. */
size_t jp_display_width(const char *text);

/* Adds a text, its end replaced by an ellipsis if it takes more than `width` columns. */
void jp_add_cut(struct jp_str *out, const char *text, size_t width);

#endif
