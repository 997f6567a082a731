/* The newest events, in memory: what is not on the disk yet, and what has been there for a moment only. A ring by seq. And those that
 * subscriptions are being sent, as JSON. */
#include "rpc/rpc_internal.h"

#include <string.h>

enum { SPARE_BYTES = 512 /* of memory, from an event to the next in its place */ };

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
    if (size > slot->room || slot->room - size > SPARE_BYTES) { /* one long text is not kept for ever */
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

/* --- as JSON --- */

enum { PRINTED_EVENTS = 512, PRINTED_BYTES = 256 << 10, KEPT_BYTES = 32 << 10 }; /* at once; and from one time to the next */

struct jp_printed {
    struct printed_place {
        uint64_t seq; /* 0: none */
        size_t from, length;
    } places[PRINTED_EVENTS]; /* by seq, as the ring */
    struct jp_str text;
};

/* An event stays what it is, and so does its text: it goes when there are many of them. */
void jp__printed_begin(struct jp_rpc *rpc) {
    if (!rpc->printed || rpc->printed->text.length < KEPT_BYTES)
        return;
    jp_str_free(&rpc->printed->text);
    memset(rpc->printed->places, 0, sizeof rpc->printed->places);
}

void jp__put_event_once(struct jp_json_out *out, struct jp_rpc *rpc, const struct jp_event *event) {
    if (!rpc->printed)
        rpc->printed = jp_alloc(sizeof *rpc->printed);
    struct printed_place *place = &rpc->printed->places[event->seq % PRINTED_EVENTS];
    struct jp_str *text = &rpc->printed->text;
    if (place->seq != event->seq && text->length >= PRINTED_BYTES) {
        jp__put_event(out, event);
        return;
    }
    if (place->seq != event->seq) {
        *place = (struct printed_place){.seq = event->seq, .from = text->length};
        jp__put_event(&(struct jp_json_out){.text = text}, event);
        place->length = text->length - place->from;
    }
    jp_out_printed_members(out, text->data + place->from, place->length);
}

void jp__recent_free(struct jp_rpc *rpc) {
    if (rpc->printed)
        jp_str_free(&rpc->printed->text);
    jp_free(rpc->printed);
    jp__recent_forget(rpc, 0, UINT64_MAX);
    jp_free(rpc->recent);
    rpc->recent = NULL;
}
