/* Texts that many members have in common: the name of their pool, the path of their program, the user. Of each there is one, and a count of
 * those who have it. */
#include "pool/pools_internal.h"

#include <string.h>

struct shared_text {
    size_t count;
    char text[];
};

char *jp__text_share(struct jp_pools *pools, const char *text) {
    if (!text)
        return NULL;
    struct shared_text *shared = jp_map_get(&pools->texts, text);
    if (!shared) {
        size_t size = strlen(text) + 1;
        shared = jp_alloc(sizeof *shared + size);
        memcpy(shared->text, text, size);
        jp_map_put(&pools->texts, shared->text, shared);
    }
    shared->count++;
    return shared->text;
}

void jp__text_let_go(struct jp_pools *pools, const char *text) {
    struct shared_text *shared = text ? jp_map_get(&pools->texts, text) : NULL;
    if (!shared || --shared->count)
        return;
    jp_map_remove(&pools->texts, text);
    jp_free(shared);
}
