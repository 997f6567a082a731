/* Bytes from a client, over pools on the simulated kernel: framing, JSON-RPC, every method. Nothing may crash, leak or hang,
 * and whatever was asked, the pools stay in order. */
#include "../sim/kernel.h"
#include "../sim/ledger.h"
#include "fuzz.h"
#include "rpc/rpc.h"

#include <stdlib.h>
#include <string.h>

struct client {
    struct jp_peer peer; /* first */
    bool closed;
};

static jp_status identify(struct jp_peer *peer, struct jp_principal **ret_principal, struct jp_error *error) {
    static int somebody;
    (void)peer;
    (void)error;
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
/* What is sent must be whole lines of valid JSON. */
static void peer_send(struct jp_peer *peer, const void *bytes, size_t length) {
    static const struct jp_json_rules rules = {.max_bytes = 64 << 20, .max_depth = 200};
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    (void)peer;
    const char *text = bytes;
    MUST(length && text[length - 1] == '\n');
    MUST(jp_json_parse(text, length - 1, &rules, &json, &place, &error) == JP_OK);
    jp_json_free(&json);
}
static size_t unsent(const struct jp_peer *peer) {
    (void)peer;
    return 0;
}
static void peer_close(struct jp_peer *peer) { ((struct client *)(void *)peer)->closed = true; }

static const struct jp_peer_ops peer_ops = {.identify = identify, .principal_free = principal_free, .principal_name = principal_name,
                                            .principal_sid = principal_sid, .process_id = process_id, .send = peer_send,
                                            .unsent = unsent, .finish = peer_close, .close = peer_close};

struct world {
    struct jp_sim *sim;
    struct jp_ledger *ledger;
    struct jp_pools *pools;
    struct jp_rpc *rpc;
};

static int64_t now_100ns(void *context) { return jp_sim_now_100ns(((struct world *)context)->sim); }
static uint64_t now_ms(void *context) { return jp_sim_now_ms(((struct world *)context)->sim); }
static void on_event(void *context, const struct jp_event *event) {
    struct world *world = context;
    if (world->rpc)
        jp_rpc_on_event(world->rpc, event);
}
static void add_status(void *context, cJSON *status) {
    (void)context;
    cJSON_AddStringToObject(status, "program", "fuzz");
}
static jp_status reload(void *context, struct jp_reload_result *ret_result, cJSON **ret_data, struct jp_error *error) {
    (void)context;
    (void)ret_data;
    *ret_result = (struct jp_reload_result){0};
    return jp_fail(error, JP_E_CONFIG, "no file here");
}

static void open_world(struct world *world) {
    *world = (struct world){.sim = jp_sim_new(), .ledger = jp_ledger_new()};
    struct jp_pools_surroundings surroundings = {.backend = jp_sim_backend(world->sim), .accounts = jp_ledger_accounts(world->ledger),
                                                 .context = world, .now_100ns = now_100ns, .now_ms = now_ms, .on_event = on_event};
    world->pools = jp_pools_new(&surroundings, &(struct jp_accounts_start){0});
    struct jp_rpc_setup setup = {.pools = world->pools, .accounts = surroundings.accounts, .backend = surroundings.backend,
                                 .clock_context = world, .now_ms = now_ms, .now_100ns = now_100ns, .recent_events = 64, .page_events = 16,
                                 .program = {.context = world, .add_status = add_status, .reload = reload}};
    world->rpc = jp_rpc_new(&setup, 0);
    static char build[] = "build", sub[] = "sub";
    struct jp_named_spec specs[] = {{.name = build}, {.name = sub}};
    struct jp_reload_result result;
    struct jp_error error;
    specs[1].spec.present = JP_SCHEMA_BIT(JP_POOL_PARENT);
    specs[1].spec.parent = specs[0].name;
    MUST(jp_pools_load(world->pools, specs, 2, &result, &error) == JP_OK);
    jp_reload_result_clear(&result);
    for (int i = 0; i < 3; i++)
        jp_sim_spawn(world->sim, 0, "tool.exe"); /* pids 100, 104, 108: to be assigned */
}

static void look(struct world *world) {
    struct jp_backend *backend = jp_sim_backend(world->sim);
    struct jp_samples samples;
    struct jp_error error;
    if (jp_pools_next_sample_ms(world->pools) > jp_sim_now_ms(world->sim))
        return;
    jp_status status = backend->ops->sample(backend, &samples, &error);
    jp_pools_on_sample(world->pools, status, &samples, &error);
}

static void settle(struct world *world) {
    jp_sim_deliver(world->sim, world->pools);
    jp_rpc_on_committed(world->rpc, jp_ledger_commit(world->ledger));
    jp_sim_pass(world->sim, 300);
    jp_pools_on_time(world->pools);
    look(world);
    jp_rpc_on_time(world->rpc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct world world;
    struct client client = {.peer.ops = &peer_ops};
    open_world(&world);
    struct jp_rpc_connection *connection = jp_rpc_open(world.rpc, &client.peer);
    for (size_t at = 0; at < size && !client.closed;) { /* in pieces, the first byte of each says how long */
        size_t piece = data[at] % 200 + (data[at] < 128 ? 800u : 1u);
        if (piece > size - at)
            piece = size - at;
        jp_rpc_receive(connection, (const char *)data + at, piece);
        at += piece;
        settle(&world);
    }
    if (!client.closed)
        jp_rpc_receive(connection, "\n", 1);
    settle(&world);
    jp_rpc_closed(connection);
    settle(&world);
    jp_pools_stop(world.pools);
    settle(&world);
    jp_pools_free(world.pools);
    jp_ledger_free(world.ledger);
    jp_sim_free(world.sim);
    jp_rpc_free(world.rpc);
    return 0;
}
