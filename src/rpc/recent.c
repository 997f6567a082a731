/* The newest events, in memory: what is not on the disk yet, and what has been there for a moment only. A ring by seq. */
#include "rpc/rpc_internal.h"

struct jp_recent_event {
    struct jp_event event; /* its strings are ours; seq 0: empty */
};

static size_t capacity(const struct jp_rpc *rpc) { return rpc->with.recent_events ? rpc->with.recent_events : JP_RPC_RECENT_EVENTS; }

static struct jp_recent_event *slot_of(struct jp_rpc *rpc, uint64_t seq) { return &rpc->recent[seq % capacity(rpc)]; }

static void clear(struct jp_recent_event *slot) {
    jp_free((char *)(uintptr_t)slot->event.pool);
    jp_free((char *)(uintptr_t)slot->event.message);
    jp_free((char *)(uintptr_t)slot->event.process);
    jp_free((char *)(uintptr_t)slot->event.detail);
    slot->event = (struct jp_event){0};
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
    clear(slot);
    slot->event = *event;
    slot->event.pool = jp_strdup(event->pool);
    slot->event.message = jp_strdup(event->message);
    slot->event.process = jp_strdup(event->process);
    slot->event.detail = jp_strdup(event->detail);
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
