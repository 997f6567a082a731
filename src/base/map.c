/* Open addressing with linear probing; removal shifts the run back, so there are no tombstones. */
#include "base/map.h"

#include "base/str.h"

#include <string.h>

struct jp_map_slot {
    uint64_t hash;   /* of a number: another number for each, so that it is the key */
    const char *key; /* NULL for a number */
    void *value;     /* NULL: empty */
};

/* Every step can be undone: two numbers never become one. */
static uint64_t mix(uint64_t value) {
    value ^= value >> 33;
    value *= UINT64_C(0xFF51AFD7ED558CCD);
    value ^= value >> 33;
    value *= UINT64_C(0xC4CEB9FE1A85EC53);
    return value ^ (value >> 33);
}

uint64_t jp_map_hash(const char *text) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    return mix(hash);
}

static bool same(const struct jp_map_slot *slot, uint64_t hash, const char *key) {
    return slot->hash == hash && (!key || strcmp(slot->key, key) == 0);
}

/* The slot that has the key, or the empty one where it would go. */
static struct jp_map_slot *find(const struct jp_map *map, uint64_t hash, const char *key) {
    size_t at = (size_t)hash & (map->capacity - 1);
    while (map->slots[at].value && !same(&map->slots[at], hash, key))
        at = (at + 1) & (map->capacity - 1);
    return &map->slots[at];
}

static void grow(struct jp_map *map) {
    struct jp_map bigger = {.capacity = map->capacity ? map->capacity * 2 : 16};
    bigger.slots = jp_alloc(bigger.capacity * sizeof *bigger.slots);
    for (size_t i = 0; i < map->capacity; i++) {
        struct jp_map_slot *slot = &map->slots[i];
        if (slot->value)
            *find(&bigger, slot->hash, slot->key) = *slot;
    }
    bigger.count = map->count;
    jp_free(map->slots);
    *map = bigger;
}

static void *get(const struct jp_map *map, uint64_t hash, const char *key) {
    return map->capacity ? find(map, hash, key)->value : NULL;
}

static void put(struct jp_map *map, uint64_t hash, const char *key, void *value) {
    if (map->count * 4 >= map->capacity * 3)
        grow(map);
    *find(map, hash, key) = (struct jp_map_slot){.hash = hash, .key = key, .value = value};
    map->count++;
}

static void *take(struct jp_map *map, uint64_t hash, const char *key) {
    if (!map->capacity)
        return NULL;
    struct jp_map_slot *hole = find(map, hash, key);
    void *value = hole->value;
    if (!value)
        return NULL;
    map->count--;
    size_t mask = map->capacity - 1, empty = (size_t)(hole - map->slots);
    for (size_t at = (empty + 1) & mask; map->slots[at].value; at = (at + 1) & mask) {
        size_t home = (size_t)map->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - empty) & mask)) { /* it may move back into the hole */
            map->slots[empty] = map->slots[at];
            empty = at;
        }
    }
    map->slots[empty] = (struct jp_map_slot){0};
    return value;
}

void *jp_map_get(const struct jp_map *map, const char *key) { return get(map, jp_map_hash(key), key); }
void *jp_map_get_u64(const struct jp_map *map, uint64_t key) { return get(map, mix(key), NULL); }
void jp_map_put(struct jp_map *map, const char *key, void *value) { put(map, jp_map_hash(key), key, value); }
void jp_map_put_u64(struct jp_map *map, uint64_t key, void *value) { put(map, mix(key), NULL, value); }
void *jp_map_remove(struct jp_map *map, const char *key) { return take(map, jp_map_hash(key), key); }
void *jp_map_remove_u64(struct jp_map *map, uint64_t key) { return take(map, mix(key), NULL); }

void *jp_map_next(const struct jp_map *map, size_t *position) {
    while (*position < map->capacity) {
        void *value = map->slots[(*position)++].value;
        if (value)
            return value;
    }
    return NULL;
}

void jp_map_free(struct jp_map *map) {
    jp_free(map->slots);
    *map = (struct jp_map){0};
}
