/* Subscriptions over a database that does what a test says, when it says so: what can happen, a letter each, and what the client got of it. */
#ifndef JP_TESTS_SUBSCRIPTIONS_WORLD_H
#define JP_TESTS_SUBSCRIPTIONS_WORLD_H

#include "../sim/client.h"
#include "unit.h"

enum {
    RECENT = 4, /* events kept in memory, */
    PAGE = 2,   /* and read at a time: few, so that short histories meet every bound */
    EVENTS_MAX = 64,
    QUERIES_MAX = 8,
};

struct query {
    jp_events_fn *callback;
    void *context;
    uint64_t from_seq;
    uint32_t limit;
    char *pool; /* the filter's only one, or NULL */
};

struct world {
    struct jp_accounts accounts; /* first */
    struct jp_pools *pools;
    struct jp_rpc *rpc;
    uint64_t last_seq;  /* that there is, */
    uint64_t committed; /* that the database has, */
    uint64_t told;      /* and that the loop knows of */
    bool dropped[EVENTS_MAX];
    struct jp_accounts_state state;
    struct query queries[QUERIES_MAX];
    size_t query_count;
    bool unreadable;
    struct jp_sim_client client;
};

/* A client that has subscribed, after so many events. */
struct world *open_world(const char *params, uint64_t past);
struct world *open_world_with(const char *params, uint64_t past, size_t recent_events);
void close_world(struct world *world);
void subscribe(struct world *world, const char *params); /* once more */

const char *pool_of_seq(uint64_t seq); /* even ones are of pool "a" */
void emit(struct world *world);        /* the next event */

/* E: an event. X: one that the full backlog drops. C: the database commits. T: the loop hears of it. P: a page comes. S: the client stops
 * reading. R: it has read up. U: it unsubscribes. False: that cannot happen now. */
bool act(struct world *world, char what);
void settle(struct world *world); /* everything that is under way comes to its end */

struct seen {
    uint64_t seqs[EVENTS_MAX];
    bool at_once[EVENTS_MAX]; /* "durable": false */
    size_t count;
    uint64_t next;            /* the least that is not accounted for */
    unsigned slow;            /* gaps of that reason */
    bool lost[EVENTS_MAX];    /* told as gone */
    bool ended;
};

struct seen read_all(const struct world *world); /* which stays there */
uint64_t number(const cJSON *object, const char *key);

#endif
