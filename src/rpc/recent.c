/* The newest events, in memory: what is not on the disk yet, and what has been there for a moment only. A ring by seq. */
#include "rpc/rpc_internal.h"

#include <string.h>

struct jp_recent_event {
    struct jp_event event; /* seq 0: empty */
    char *texts;           /* its strings, one behind the other; the next event's take their place */
    size_t room;
};

static size_t capacity(const struct jp_rpc *rpc) { return rpc->with.recent_events ? rpc->with.recent_events : JP_RPC_RECENT_EVENTS; }

static struct jp_recent_event *slot_of(struct jp_rpc *rpc, uint64_t seq) { return &rpc->recent[seq % capacity(rpc)]; }

static void clear(struct jp_recent_event *slot) {
    jp_free(slot->texts);
    *slot = (struct jp_recent_event){0};
}

const struct jp_event *jp__recent_find(struct jp_rpc *rpc, uint64_t seq) {
    if (!rpc->recent || slot_of(rpc, seq)->event.seq != seq)
        return NULL;
    return &slot_of(rpc, seq)->event;
}

void jp__recent_add(struct jp_rpc *rpc, const struct jp_event *event) {
    if (!rpc->recent)
        rpc->recent = jp_alloc(capacity(rpc) * sizeof *rpc->recent);
    struct jp_recent_event *slot = slot_of(rpc, event->seq);
    slot->event = *event;
    const char **const texts[] = {&slot->event.pool, &slot->event.message, &slot->event.process, &slot->event.detail};
    size_t sizes[sizeof texts / sizeof *texts], size = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        size += sizes[i] = *texts[i] ? strlen(*texts[i]) + 1 : 0;
    if (size > slot->room) {
        slot->texts = jp_realloc_array(slot->texts, size, 1);
        slot->room = size;
    }
    char *place = slot->texts;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (*texts[i])
            *texts[i] = memcpy(place, *texts[i], sizes[i]);
        place += sizes[i];
    }
}

void jp__recent_forget(struct jp_rpc *rpc, uint64_t from_seq, uint64_t to_seq) {
    for (size_t i = 0; rpc->recent && i < capacity(rpc); i++)
        if (rpc->recent[i].event.seq >= from_seq && rpc->recent[i].event.seq <= to_seq)
            clear(&rpc->recent[i]);
}

void jp__recent_free(struct jp_rpc *rpc) {
    jp__recent_forget(rpc, 0, UINT64_MAX);
    jp_free(rpc->recent);
    rpc->recent = NULL;
}
