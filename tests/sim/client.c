#include "client.h"

#include <string.h>

static struct jp_sim_client *of(const struct jp_peer *peer) { return (struct jp_sim_client *)(uintptr_t)peer; }

static jp_status identify(struct jp_peer *peer, struct jp_principal **ret_principal, struct jp_error *error) {
    static int somebody;
    if (of(peer)->nobody)
        return jp_fail(error, JP_E_DENIED, "who are you?");
    *ret_principal = (struct jp_principal *)(void *)&somebody;
    return JP_OK;
}

static void principal_free(struct jp_peer *peer, struct jp_principal *principal) {
    (void)peer;
    (void)principal;
}

static const char *principal_name(struct jp_peer *peer, const struct jp_principal *principal) {
    (void)peer;
    (void)principal;
    return "SIM\\admin";
}

static const char *principal_sid(struct jp_peer *peer, const struct jp_principal *principal) {
    (void)peer;
    (void)principal;
    return "S-1-5-21-1-2-3-500";
}

static uint32_t process_id(const struct jp_peer *peer) {
    (void)peer;
    return 0;
}

static struct jp_str *output(struct jp_peer *peer) { return &of(peer)->received; }

static void peer_send(struct jp_peer *peer) {
    struct jp_sim_client *client = of(peer);
    if (client->on_sent)
        client->on_sent(client);
}

static size_t unsent(const struct jp_peer *peer) { return of(peer)->unread; }
static void peer_close(struct jp_peer *peer) { of(peer)->closed = true; }

static const struct jp_peer_ops peer_ops = {.identify = identify, .principal_free = principal_free, .principal_name = principal_name,
                                            .principal_sid = principal_sid, .process_id = process_id, .output = output, .send = peer_send,
                                            .unsent = unsent, .finish = peer_close, .close = peer_close};

void jp_sim_client_connect(struct jp_sim_client *client, struct jp_rpc *rpc) {
    client->peer.ops = &peer_ops;
    client->connection = jp_rpc_open(rpc, &client->peer);
}

void jp_sim_client_say(struct jp_sim_client *client, const char *text) { jp_rpc_receive(client->connection, text, strlen(text)); }

void jp_sim_client_hang_up(struct jp_sim_client *client) {
    if (client->connection)
        jp_rpc_closed(client->connection);
    client->connection = NULL;
    jp_str_free(&client->received);
}
