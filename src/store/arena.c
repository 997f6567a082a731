/* Chunks that grow from small to large, so that a few records cost little and many cost few allocations. */
#include "store/arena.h"

#include "base/str.h"

#include <stdalign.h>

enum { FIRST_BYTES = 1024, LARGEST_BYTES = 64 * 1024 };

struct jp__chunk {
    struct jp__chunk *older;
    size_t used, size;
    alignas(max_align_t) char bytes[];
};

static size_t aligned(size_t size) { return (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t); }

static void add_chunk(struct jp__arena *arena, size_t at_least) {
    size_t size = arena->newest ? arena->newest->size * 2 : FIRST_BYTES;
    size = size > LARGEST_BYTES ? LARGEST_BYTES : size;
    size = size < at_least ? at_least : size;
    struct jp__chunk *chunk = jp_realloc_array(NULL, sizeof *chunk + size, 1); /* which does not zero it */
    *chunk = (struct jp__chunk){.older = arena->newest, .size = size};
    arena->newest = chunk;
}

void *jp__arena_take(struct jp__arena *arena, size_t size) {
    struct jp__chunk *chunk = arena->newest;
    size = aligned(size);
    if (!chunk || chunk->size - chunk->used < size) {
        add_chunk(arena, size);
        chunk = arena->newest;
    }
    char *piece = chunk->bytes + chunk->used;
    chunk->used += size;
    return piece;
}

static void free_chunks(struct jp__chunk *chunk) {
    while (chunk) {
        struct jp__chunk *older = chunk->older;
        jp_free(chunk);
        chunk = older;
    }
}

void jp__arena_reset(struct jp__arena *arena) {
    struct jp__chunk *kept = arena->newest;
    if (kept && kept->size > LARGEST_BYTES) {
        jp__arena_free(arena);
    } else if (kept) {
        free_chunks(kept->older);
        kept->older = NULL;
        kept->used = 0;
    }
}

void jp__arena_free(struct jp__arena *arena) {
    free_chunks(arena->newest);
    arena->newest = NULL;
}
