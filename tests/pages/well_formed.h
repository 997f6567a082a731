/* Whether a text is one page whose elements are all closed, with no more scripts and styles than it should have, and nothing in it that
 * a browser would not show as it is. Far stricter than browsers are: what our own writer makes has to be like this. */
#ifndef JP_TESTS_WELL_FORMED_H
#define JP_TESTS_WELL_FORMED_H

#include "base/str.h"
#include "base/utf.h"

#include <string.h>

static inline bool is_void_element(const char *name) { return strcmp(name, "meta") == 0; }

/* The end of a tag's text, quoted attributes passed over; NULL where there is none. */
static inline const char *tag_end(const char *at) {
    for (char quote = 0; *at; at++) {
        if (quote ? *at == quote : *at == '"') {
            quote = quote ? 0 : '"';
            continue;
        }
        if (!quote && *at == '<')
            return NULL;
        if (!quote && *at == '>')
            return at;
    }
    return NULL;
}

/* Why it is not, or NULL. */
static inline const char *why_not_well_formed(const struct jp_str *page) {
    enum { DEEPEST = 32, NAME = 16 };
    char open[DEEPEST][NAME];
    unsigned depth = 0, scripts = 0, styles = 0;
    const char *text = jp_str_text(page), *at = text;
    if (strlen(text) != page->length || jp_utf8_valid_length(text, page->length) != page->length)
        return "not UTF-8, or with a NUL";
    for (size_t i = 0; i < page->length; i++)
        if (((unsigned char)text[i] < 0x20 && text[i] != '\n') || text[i] == 0x7F)
            return "a control character";
    while ((at = strchr(at, '<')) != NULL) {
        const char *end = tag_end(at + 1);
        bool closing = at[1] == '/', declaration = at[1] == '!';
        char name[NAME] = {0};
        if (!end)
            return "a tag without an end";
        size_t length = strspn(at + 1 + closing, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
        if (length >= NAME || (!length && !declaration))
            return "no name of an element";
        memcpy(name, at + 1 + closing, length);
        if (closing && (!depth || strcmp(open[--depth], name) != 0))
            return "what is closed was not open";
        if (!closing && !declaration && !is_void_element(name) && end[-1] != '/') {
            if (depth == DEEPEST)
                return "too deep";
            memcpy(open[depth++], name, NAME);
        }
        scripts += !closing && strcmp(name, "script") == 0;
        styles += !closing && strcmp(name, "style") == 0;
        at = end;
        if (!closing && strcmp(name, "script") == 0)
            at = strstr(at, "</script>");
        if (!at)
            return "a script without an end";
    }
    return depth ? "not all is closed" : scripts != 1 || styles != 1 ? "another number of scripts or styles than one" : NULL;
}

#endif
