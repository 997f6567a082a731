/* A hash table from a string or a 64-bit number to a pointer.
 *
 * The key is not copied: it lives in the value (a pool's name in the pool), which must outlive its entry. A table holds
 * either strings or numbers. All zero is a valid empty table. */
#ifndef JP_BASE_MAP_H
#define JP_BASE_MAP_H

#include "base/status.h"

struct jp_map_slot;

struct jp_map {
    struct jp_map_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

void *jp_map_get(const struct jp_map *map, const char *key);
void *jp_map_get_u64(const struct jp_map *map, uint64_t key);

/* The key must not be there yet. */
void jp_map_put(struct jp_map *map, const char *key, void *value);
void jp_map_put_u64(struct jp_map *map, uint64_t key, void *value);

/* Returns the value that was removed, or NULL. */
void *jp_map_remove(struct jp_map *map, const char *key);
void *jp_map_remove_u64(struct jp_map *map, uint64_t key);

/* Walks all values in no particular order: start with *position = 0, ends with NULL. Removing the value that was just
 * returned may show another one twice or skip it; collect first where that matters. */
void *jp_map_next(const struct jp_map *map, size_t *position);

uint64_t jp_map_hash(const char *key); /* the same for the same text, in one run */
void jp_map_free(struct jp_map *map); /* the table's memory, not the values */

#endif
