/* A client at the other end of a connection, without a pipe: what it is sent stays in memory, to be looked at by a test. For the simulated
 * kernel it is the service itself. */
#ifndef JP_SIM_CLIENT_H
#define JP_SIM_CLIENT_H

#include "rpc/rpc.h"

struct jp_sim_client {
    struct jp_peer peer; /* first */
    struct jp_rpc_connection *connection;
    struct jp_str received;
    size_t unread; /* bytes of it, as far as the service is told */
    bool nobody;   /* it cannot be identified */
    bool closed;   /* by the service */
    void (*on_sent)(struct jp_sim_client *client); /* or NULL: there is more in `received`, whole messages */
};

/* `client` is all zeros but for what the test has set. It stays where it is until it hangs up. */
void jp_sim_client_connect(struct jp_sim_client *client, struct jp_rpc *rpc);
void jp_sim_client_say(struct jp_sim_client *client, const char *text);
void jp_sim_client_hang_up(struct jp_sim_client *client); /* also twice */

#endif
