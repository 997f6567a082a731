/* Strings that grow, and allocation that does not fail.
 *
 * Sizes that come from outside are bounded before memory is asked for, so running out means that the machine is out of
 * commit: the process says so and ends. Its pools go on (`on_service_stop: keep`), and the SCM starts it again; half a
 * state after a failed malloc would be worse. */
#ifndef JP_BASE_STR_H
#define JP_BASE_STR_H

#include "base/status.h"

#include <stdarg.h>

void *jp_alloc(size_t size);                                /* zeroed; ends the process when there is no memory */
void *jp_realloc_array(void *old, size_t count, size_t size); /* checked multiplication; otherwise as jp_alloc */
char *jp_strdup(const char *text);                          /* NULL stays NULL */
char *jp_strndup(const char *text, size_t length);
void jp_free(void *memory);                                 /* frees what the functions above gave; NULL is fine */

/* A growing, always NUL-terminated byte string. All zero is a valid empty one. */
struct jp_str {
    char *data; /* NULL while nothing was added: use jp_str_text() to read */
    size_t length;
    size_t capacity;
};

void jp_str_add(struct jp_str *string, const void *bytes, size_t length);
void jp_str_puts(struct jp_str *string, const char *text);
void jp_str_putc(struct jp_str *string, char character);
void jp_str_printf(struct jp_str *string, const char *format, ...) JP_PRINTF(2, 3);
void jp_str_vprintf(struct jp_str *string, const char *format, va_list arguments) JP_PRINTF(2, 0);
void jp_str_insert(struct jp_str *string, size_t at, const void *bytes, size_t length);

/* For who writes the bytes itself: where to, with room for `more` of them, and where they end. */
void jp__str_grow(struct jp_str *string, size_t more);
static inline char *jp_str_room(struct jp_str *string, size_t more) {
    if (string->capacity - string->length <= more)
        jp__str_grow(string, more);
    return string->data + string->length;
}
static inline void jp_str_end_at(struct jp_str *string, char *end) {
    string->length = (size_t)(end - string->data);
    *end = '\0';
}

void jp_str_remove_front(struct jp_str *string, size_t length);
void jp_str_clear(struct jp_str *string); /* length 0, memory kept */
void jp_str_free(struct jp_str *string);  /* memory given back; the string is a valid empty one again */
const char *jp_str_text(const struct jp_str *string);

/* Gives the bytes to the caller (jp_free), never NULL; the string is empty afterwards. */
char *jp_str_take(struct jp_str *string);

/* printf into new memory (jp_free). */
char *jp_sprintf(const char *format, ...) JP_PRINTF(1, 2);

/* ASCII only, so that no locale changes what a config means. */
bool jp_ascii_equal_nocase(const char *one, const char *other);

/* Of `count` words, the one that differs least from `word` (edit distance), or NULL if none is near enough to be a
 * likely misspelling. `words[i]` is found at `first + i * stride`, so tables of structs work as they are. */
const char *jp_nearest(const char *word, const char *const *first, size_t count, size_t stride);

#endif
