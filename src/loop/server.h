/* Connections on the loop: bytes between a stream and rpc/. */
#ifndef JP_LOOP_SERVER_H
#define JP_LOOP_SERVER_H

#include "rpc/rpc.h"

#include <uv.h>

/* Who is at the other end: the system's part (rpc/identity.h). `handle` is the stream's own. */
struct jp_identity {
    jp_status (*identify)(uv_os_fd_t handle, struct jp_principal **ret_principal, struct jp_error *error);
    void (*principal_free)(struct jp_principal *principal);
    const char *(*principal_name)(const struct jp_principal *principal);
    const char *(*principal_sid)(const struct jp_principal *principal);
    uint32_t (*process_id)(uv_os_fd_t handle); /* 0: unknown */
};

struct jp_server;

struct jp_server_options {
    uv_loop_t *loop;
    struct jp_rpc *rpc;
    const struct jp_identity *identity; /* lives as long as the server */
    const struct jp_log *log;
};

struct jp_server *jp_server_new(const struct jp_server_options *options);

/* Takes over a connected, overlapped pipe or socket as a C runtime file descriptor; it is closed in any case. Where rpc/
 * has no room, the client is told so, and closed. */
void jp_server_take(struct jp_server *server, uv_file file);

/* Closes all connections; run the loop until they are gone, then free. */
void jp_server_stop(struct jp_server *server);
void jp_server_free(struct jp_server *server);

#endif
