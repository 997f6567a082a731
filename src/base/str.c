/* Strings that grow, and allocation that does not fail. */
#include "base/str.h"

#include "base/utf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(size_t size) {
    fprintf(stderr, "jobpool: out of memory: cannot allocate %zu bytes\n", size);
    abort();
}

void *jp_alloc(size_t size) {
    void *memory = calloc(1, size ? size : 1);
    if (!memory)
        out_of_memory(size);
    return memory;
}

void *jp_realloc_array(void *old, size_t count, size_t size) {
    if (size && count > SIZE_MAX / size)
        out_of_memory(SIZE_MAX);
    size_t bytes = count * size;
    void *memory = realloc(old, bytes ? bytes : 1);
    if (!memory)
        out_of_memory(bytes);
    return memory;
}

char *jp_strndup(const char *text, size_t length) {
    char *copy = jp_alloc(length + 1);
    memcpy(copy, text, length);
    return copy;
}

char *jp_strdup(const char *text) { return text ? jp_strndup(text, strlen(text)) : NULL; }

void jp_free(void *memory) { free(memory); }

void jp__str_grow(struct jp_str *string, size_t more) {
    if (more > SIZE_MAX / 4 || string->length > SIZE_MAX / 4)
        out_of_memory(more);
    size_t needed = string->length + more + 1;
    size_t capacity = string->capacity ? string->capacity : 64;
    while (capacity < needed)
        capacity *= 2;
    string->data = jp_realloc_array(string->data, capacity, 1);
    string->capacity = capacity;
}

void jp_str_add(struct jp_str *string, const void *bytes, size_t length) {
    char *to = jp_str_room(string, length);
    if (length)
        memcpy(to, bytes, length);
    jp_str_end_at(string, to + length);
}

void jp_str_puts(struct jp_str *string, const char *text) { jp_str_add(string, text, strlen(text)); }

void jp_str_putc(struct jp_str *string, char character) { jp_str_add(string, &character, 1); }

void jp_str_vprintf(struct jp_str *string, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments); /* NOLINT(clang-analyzer-valist.Uninitialized): it is the caller's */
    if (length > 0) {
        jp_str_room(string, (size_t)length);
        vsnprintf(string->data + string->length, (size_t)length + 1, format, again);
        string->length += (size_t)length;
    }
    va_end(again);
}

void jp_str_printf(struct jp_str *string, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    jp_str_vprintf(string, format, arguments);
    va_end(arguments);
}

void jp_str_insert(struct jp_str *string, size_t at, const void *bytes, size_t length) {
    jp_str_room(string, length);
    memmove(string->data + at + length, string->data + at, string->length - at + 1);
    memcpy(string->data + at, bytes, length);
    string->length += length;
}

void jp_str_remove_front(struct jp_str *string, size_t length) {
    if (!length)
        return;
    memmove(string->data, string->data + length, string->length - length + 1);
    string->length -= length;
}

void jp_str_clear(struct jp_str *string) {
    string->length = 0;
    if (string->data)
        string->data[0] = '\0';
}

void jp_str_free(struct jp_str *string) {
    free(string->data);
    *string = (struct jp_str){0};
}

const char *jp_str_text(const struct jp_str *string) { return string->data ? string->data : ""; }

char *jp_str_take(struct jp_str *string) {
    char *data = string->data ? string->data : jp_strdup("");
    *string = (struct jp_str){0};
    return data;
}

char *jp_sprintf(const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    size_t size = length > 0 ? (size_t)length + 1 : 1;
    char *text = jp_alloc(size); /* no more than it takes: many of these are kept */
    vsnprintf(text, size, format, again);
    va_end(again);
    va_end(arguments);
    return text;
}

static char lower(char character) {
    return character >= 'A' && character <= 'Z' ? (char)(character - 'A' + 'a') : character;
}

bool jp_ascii_equal_nocase(const char *one, const char *other) {
    for (; lower(*one) == lower(*other); one++, other++)
        if (!*one)
            return true;
    return false;
}

/* Levenshtein, with one row. Words longer than the row are nobody's misspelling of ours. */
enum { NEAREST_WORD = 48 };

static unsigned edit_distance(const char *one, size_t one_length, const char *other, size_t other_length) {
    unsigned row[NEAREST_WORD + 1];
    for (unsigned j = 0; j <= other_length; j++)
        row[j] = j;
    for (unsigned i = 1; i <= one_length; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= other_length; j++) {
            unsigned best = diagonal + (lower(one[i - 1]) != lower(other[j - 1]));
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[other_length];
}

const char *jp_nearest(const char *word, const char *const *first, size_t count, size_t stride) {
    size_t length = strlen(word);
    if (length > NEAREST_WORD)
        return NULL;
    const char *nearest = NULL;
    unsigned least = (unsigned)(length / 3) + 2; /* a third of the letters may be wrong, and one more */
    for (size_t i = 0; i < count; i++) {
        const char *candidate;
        memcpy(&candidate, (const char *)first + i * stride, sizeof candidate);
        size_t candidate_length = candidate ? strlen(candidate) : NEAREST_WORD + 1;
        if (candidate_length > NEAREST_WORD)
            continue;
        unsigned distance = edit_distance(word, length, candidate, candidate_length);
        if (distance < least) {
            least = distance;
            nearest = candidate;
        }
    }
    return nearest;
}
