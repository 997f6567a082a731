/* Memory that is taken piece by piece and given back all at once: for the records of a batch. All zero is a valid empty one. */
#ifndef JP_STORE_ARENA_H
#define JP_STORE_ARENA_H

#include <stddef.h>

struct jp__chunk;

struct jp__arena {
    struct jp__chunk *newest;
};

void *jp__arena_take(struct jp__arena *arena, size_t size); /* aligned for any type; not zeroed */
void jp__arena_reset(struct jp__arena *arena);              /* all pieces go; a chunk is kept for what comes next */
void jp__arena_free(struct jp__arena *arena);

#endif
