/* Who is calling: the interface that the pipe's side implements (`win32/`, and the tests over a Unix socket). */
#ifndef JP_RPC_IDENTITY_H
#define JP_RPC_IDENTITY_H

#include "base/str.h"
#include "job/job_backend.h"

struct jp_peer; /* the connection as its transport knows it */

struct jp_peer_ops {
    /* The caller's token, taken by impersonation. Windows wants that a message was read first. The caller of this function
     * frees what it gets with principal_free. A failure means that nothing may be done for this peer. */
    jp_status (*identify)(struct jp_peer *peer, struct jp_principal **ret_principal, struct jp_error *error);
    void (*principal_free)(struct jp_peer *peer, struct jp_principal *principal); /* NULL is fine */
    const char *(*principal_name)(struct jp_peer *peer, const struct jp_principal *principal); /* its account, "DOMAIN\\user"; its own */
    const char *(*principal_sid)(struct jp_peer *peer, const struct jp_principal *principal);  /* "S-1-5-..."; its own */

    /* The process at the other end, as the system tells it: it may have ended, or passed the connection on. 0: unknown. */
    uint32_t (*process_id)(const struct jp_peer *peer);

    /* What goes to the peer is appended to this, whole messages, each followed by a call of `send`. */
    struct jp_str *(*output)(struct jp_peer *peer);
    void (*send)(struct jp_peer *peer);
    size_t (*unsent)(const struct jp_peer *peer); /* bytes that the peer has not taken yet */
    /* Closes when the peer has taken what was sent; nothing more is read from it. jp_rpc_closed() is called later. */
    void (*finish)(struct jp_peer *peer);
    /* Closes; what the peer has not taken yet is lost. jp_rpc_closed() is called later, never from within. */
    void (*close)(struct jp_peer *peer);
};

struct jp_peer {
    const struct jp_peer_ops *ops;
};

#endif
