/* The pipe's protocol: JSON-RPC 2.0, framed by line or by length (framing.h), over connections that somebody else carries.
 *
 * The transport hands in bytes and takes bytes out through `struct jp_peer`. Everything is called on the loop's thread. What a
 * client controls is bounded by the quotas (base/quotas.h): over one it gets an error or loses its connection, nobody else notices. */
#ifndef JP_RPC_RPC_H
#define JP_RPC_RPC_H

#include "base/quotas.h"
#include "job/template.h"
#include "pool/pools.h"
#include "rpc/identity.h"

enum {
    JP_RPC_PROTOCOL = 1,
    JP_RPC_MAX_ANSWER = 2 << 20,     /* about so many bytes of rows in an answer; then it says that there are more */
    JP_RPC_PAUSE_UNSENT = 1 << 20,   /* bytes at which its subscriptions wait for it to read */
    JP_RPC_RECENT_EVENTS = 8192,     /* kept in memory between the disk and the subscribers */
};

/* What the methods of the group `service` need from the program. */
struct jp_rpc_program {
    void *context;
    const char *version;
    void (*add_status)(void *context, cJSON *status);
    /* `*ret_data`: on failure, what goes into the error's data (or NULL). */
    jp_status (*reload)(void *context, struct jp_reload_result *ret_result, cJSON **ret_data, struct jp_error *error);
    const struct jp_launch_template *(*find_template)(void *context, const char *name); /* of the config; NULL: there is none */
};

struct jp_rpc_setup {
    struct jp_pools *pools;
    struct jp_accounts *accounts;
    struct jp_backend *backend;
    const struct jp_log *log;
    struct jp_rpc_program program;
    struct jp_quotas quotas; /* what is not present gets its default */
    void *clock_context;
    uint64_t (*now_ms)(void *context);   /* monotonic */
    int64_t (*now_100ns)(void *context); /* wall clock */
    size_t recent_events, page_events; /* 0: as many as are good; fewer for tests of what happens when they do not suffice */
};

struct jp_rpc;
struct jp_rpc_connection;

/* `setup` is copied; `last_seq` is the newest event that is on disk already. */
struct jp_rpc *jp_rpc_new(const struct jp_rpc_setup *setup, uint64_t last_seq);
void jp_rpc_free(struct jp_rpc *rpc); /* all connections were closed before */

/* When there are as many connections as may be, the oldest that has not sent a whole message makes room; NULL if there is none such:
 * then jp_rpc_full() is what the peer is told. */
const char *jp_rpc_full(void);
struct jp_rpc_connection *jp_rpc_open(struct jp_rpc *rpc, struct jp_peer *peer);
void jp_rpc_receive(struct jp_rpc_connection *connection, const char *bytes, size_t length);
/* Requests wait for the client to take answers: nothing more is to be read from it until jp_rpc_drained. */
bool jp_rpc_stalled(const struct jp_rpc_connection *connection);
/* jp_rpc_drained is waited for; it may be called in any case. */
bool jp_rpc_awaits_drain(const struct jp_rpc_connection *connection);
void jp_rpc_drained(struct jp_rpc_connection *connection); /* all that was sent has been taken */
void jp_rpc_closed(struct jp_rpc_connection *connection);  /* the peer is gone; the connection is freed */
void jp_rpc_stopping(struct jp_rpc *rpc); /* what is held back for the audit trail is recorded now */
size_t jp_rpc_connection_count(const struct jp_rpc *rpc);

void jp_rpc_on_event(struct jp_rpc *rpc, const struct jp_event *event); /* as it happens */
void jp_rpc_on_committed(struct jp_rpc *rpc, uint64_t seq);             /* all up to this one are on disk: subscribers hear */
uint64_t jp_rpc_on_time(struct jp_rpc *rpc);                            /* as jp_pools_on_time */

/* What rpc.discover answers; the caller deletes it. `version`: the program's. */
cJSON *jp_rpc_openrpc(const char *version);

#endif
