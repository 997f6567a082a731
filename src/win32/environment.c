/* Owns the environment of a launch: the principal's own, with the changes that the launch asks for. */
#include "base/str.h"
#include "win32/internal.h"
#include "win32/wide.h"

#include <stdlib.h>
#include <string.h>

/* "NAME=value" entries, each new memory. */
struct entries {
    wchar_t **items;
    size_t count;
    size_t capacity;
};

static void add(struct entries *entries, wchar_t *entry) {
    if (entries->count == entries->capacity) {
        entries->capacity = entries->capacity ? 2 * entries->capacity : 64;
        entries->items = jp_realloc_array(entries->items, entries->capacity, sizeof *entries->items);
    }
    entries->items[entries->count++] = entry;
}

static void entries_free(struct entries *entries) {
    for (size_t i = 0; i < entries->count; i++)
        jp_free(entries->items[i]);
    jp_free(entries->items);
}

static wchar_t *copy(const wchar_t *text) {
    size_t length = wcslen(text) + 1;
    wchar_t *result = jp_realloc_array(NULL, length, sizeof *result);
    return wmemcpy(result, text, length);
}

/* The name's length. Windows keeps the folder of each drive in names that begin with '=' ("=C:=C:\work"). */
static size_t name_length(const wchar_t *entry) {
    const wchar_t *end = *entry ? wcschr(entry + 1, L'=') : NULL;
    return end ? (size_t)(end - entry) : wcslen(entry);
}

/* As Windows orders an environment: by name, in upper case, by code unit. */
static int compare_names(const wchar_t *one, const wchar_t *other) {
    return CompareStringOrdinal(one, (int)name_length(one), other, (int)name_length(other), TRUE) - CSTR_EQUAL;
}

static int compare_entries(const void *one, const void *other) {
    return compare_names(*(wchar_t *const *)one, *(wchar_t *const *)other);
}

static void remove_name(struct entries *entries, const wchar_t *name) {
    size_t kept = 0;
    for (size_t i = 0; i < entries->count; i++) {
        if (compare_names(entries->items[i], name) == 0)
            jp_free(entries->items[i]);
        else
            entries->items[kept++] = entries->items[i];
    }
    entries->count = kept;
}

/* "NAME=value" sets, "NAME" removes. */
static jp_status apply(struct entries *entries, const char *change, struct jp_error *error) {
    if (*change == '\0' || strcmp(change, "=") == 0 || strncmp(change, "==", 2) == 0)
        return jp_fail(error, JP_E_PARAMS, "\"%s\" is not an environment variable: its name is empty", change);
    wchar_t *entry = jp_win32_wide(change);
    remove_name(entries, entry);
    if (entry[name_length(entry)] == L'=')
        add(entries, entry);
    else
        jp_free(entry);
    return JP_OK;
}

/* Entries one after the other, each with its NUL, then one more NUL; an empty block has two. */
static wchar_t *block_from(const struct entries *entries) {
    size_t length = 2;
    for (size_t i = 0; i < entries->count; i++)
        length += wcslen(entries->items[i]) + 1;
    wchar_t *block = jp_alloc(length * sizeof *block);
    wchar_t *end = block;
    for (size_t i = 0; i < entries->count; i++) {
        size_t entry_length = wcslen(entries->items[i]) + 1;
        wmemcpy(end, entries->items[i], entry_length);
        end += entry_length;
    }
    return block;
}

static void add_block(struct entries *entries, const wchar_t *block) {
    for (const wchar_t *entry = block; *entry; entry += wcslen(entry) + 1)
        add(entries, copy(entry));
}

/* `block` NULL: the service's own. */
static jp_status read_environment(const wchar_t *block, struct entries *entries, struct jp_error *error) {
    if (block) {
        add_block(entries, block);
        return JP_OK;
    }
    wchar_t *own = GetEnvironmentStringsW();
    if (!own) {
        DWORD win32 = GetLastError();
        return jp_fail_win32(error, JP_E_SYSTEM, win32, "GetEnvironmentStrings", "cannot read the service's environment");
    }
    add_block(entries, own);
    FreeEnvironmentStringsW(own);
    return JP_OK;
}

jp_status jp__environment(const wchar_t *block, const struct jp_strings *changes, wchar_t **ret_block, struct jp_error *error) {
    struct entries entries = {0};
    jp_status status = read_environment(block, &entries, error);
    for (size_t i = 0; changes && i < changes->count && status == JP_OK; i++)
        status = apply(&entries, changes->items[i], error);
    if (status == JP_OK) {
        if (entries.count > 1)
            qsort(entries.items, entries.count, sizeof *entries.items, compare_entries);
        *ret_block = block_from(&entries);
    }
    entries_free(&entries);
    return status;
}
