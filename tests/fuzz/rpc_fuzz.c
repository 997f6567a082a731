/* Bytes from a client, over pools on the simulated kernel: framing, rights, JSON-RPC, every method. Nothing may crash, leak or hang,
 * and whatever was asked, the pools stay in order. An input that ends with 'u' is an ordinary user's, any other an administrator's. Bytes from 0xF0 on
 * between two pieces say what else happens: clients come and go, do not read, and read again; processes end; time passes. */
#include "../sim/kernel.h"
#include "../sim/ledger.h"
#include "fuzz.h"
#include "rpc/framing.h"
#include "rpc/rpc.h"

#include <stdlib.h>
#include <string.h>

struct client {
    struct jp_peer peer; /* first */
    struct jp_sim *sim;
    struct jp_str sent;
    struct jp_rpc_connection *connection; /* NULL: it has not come yet, or has gone */
    size_t unread;
    bool user, closed;
};

static struct client *of_peer(struct jp_peer *peer) { return (struct client *)(void *)peer; }

static jp_status identify(struct jp_peer *peer, struct jp_principal **ret_principal, struct jp_error *error) {
    struct client *client = of_peer(peer);
    (void)error;
    *ret_principal = client->user ? jp_sim_user(client->sim, "SIM\\user", 1) : jp_sim_admin(client->sim, "SIM\\admin", 1);
    return JP_OK;
}
static void principal_free(struct jp_peer *peer, struct jp_principal *principal) { jp_sim_principal_free(of_peer(peer)->sim, principal); }
static const char *principal_name(struct jp_peer *peer, const struct jp_principal *principal) {
    (void)peer;
    return principal->user;
}
static const char *principal_sid(struct jp_peer *peer, const struct jp_principal *principal) {
    (void)principal;
    return of_peer(peer)->user ? "S-1-5-21-1-2-3-1001" : "S-1-5-21-1-2-3-500";
}
static uint32_t process_id(const struct jp_peer *peer) {
    (void)peer;
    return 0;
}
enum { LARGE_ANSWER = 64 << 10 };

/* What is sent must be one whole message of valid JSON, in either framing. The largest, rpc.discover's, is always the same: one look will do. */
static void check_sent(const char *bytes, size_t length) {
    static const struct jp_json_rules rules = {.max_bytes = 64 << 20, .max_depth = 200};
    struct jp_framer framer = {.max_bytes = length};
    struct jp_json json;
    struct jp_json_place place;
    struct jp_error error;
    enum jp_framed what;
    const char *text;
    static size_t looked_at;
    size_t text_length;
    MUST(jp_framer_take(&framer, bytes, length, &what, &text, &text_length) == length && what == JP_FRAMED_MESSAGE);
    bool known = text_length == looked_at;
    if (text_length > LARGE_ANSWER)
        looked_at = text_length;
    if (known) {
        jp_framer_clear(&framer);
        return;
    }
    if (jp_json_parse(text, text_length, &rules, &json, &place, &error)) {
        fprintf(stderr, "%s at byte %u of: %.*s\n", error.text, place.column, (int)text_length, text);
        abort();
    }
    jp_json_free(&json);
    jp_framer_clear(&framer);
}
static struct jp_str *output(struct jp_peer *peer) { return &of_peer(peer)->sent; }
static void peer_send(struct jp_peer *peer) {
    struct jp_str *sent = output(peer);
    check_sent(sent->data, sent->length);
    jp_str_clear(sent);
}
static size_t unsent(const struct jp_peer *peer) { return ((const struct client *)(const void *)peer)->unread; }
static void peer_close(struct jp_peer *peer) { of_peer(peer)->closed = true; }

static const struct jp_peer_ops peer_ops = {.identify = identify, .principal_free = principal_free, .principal_name = principal_name,
                                            .principal_sid = principal_sid, .process_id = process_id, .output = output, .send = peer_send,
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

static const struct jp_launch_template *find_template(void *context, const char *name) {
    static char sub[] = "sub", tool[] = "tool.exe", *argv[] = {tool};
    static const struct jp_launch_template launch = {.spec = {.present = 1, .pool = sub, .argv = {argv, 1}, .run_as = JP_TOKEN_LOCAL_SERVICE}};
    (void)context;
    return strcmp(name, tool) == 0 ? &launch : NULL;
}

/* Everyone may work in "sub", only administrators in "build". */
static void load_pools(struct jp_pools *pools) {
    static char build[] = "build", sub[] = "sub", everyone[] = "Everyone", *who[] = {everyone};
    struct jp_named_spec specs[] = {{.name = build}, {.name = sub}};
    struct jp_pool_spec below = {.present = JP_SCHEMA_BIT(JP_POOL_PARENT) | JP_SCHEMA_BIT(JP_POOL_ACCESS), .parent = build};
    struct jp_error error;
    below.access = (struct jp_access){.present = JP_SCHEMA_BIT(JP_ACCESS_ASSIGN) | JP_SCHEMA_BIT(JP_ACCESS_LAUNCH) | JP_SCHEMA_BIT(JP_ACCESS_CONTROL),
                                              .assign = {who, 1}, .launch = {who, 1}, .control = {who, 1}};
    jp_schema_copy(jp_pool_fields, &below, &specs[1].spec);
    MUST(jp_pools_load(pools, specs, 2, NULL, &error) == JP_OK);
}

static void open_world(struct world *world) {
    *world = (struct world){.sim = jp_sim_new(), .ledger = jp_ledger_new()};
    struct jp_pools_surroundings surroundings = {.backend = jp_sim_backend(world->sim), .accounts = jp_ledger_accounts(world->ledger),
                                                 .context = world, .now_100ns = now_100ns, .now_ms = now_ms, .on_event = on_event};
    world->pools = jp_pools_new(&surroundings, &(struct jp_accounts_start){0});
    struct jp_rpc_setup setup = {.pools = world->pools, .accounts = surroundings.accounts, .backend = surroundings.backend,
                                 .clock_context = world, .now_ms = now_ms, .now_100ns = now_100ns, .recent_events = 64, .page_events = 16,
                                 .program = {.context = world, .version = "0", .add_status = add_status, .reload = reload, .find_template = find_template}};
    world->rpc = jp_rpc_new(&setup, 0);
    load_pools(world->pools);
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

/* --- what is in an input --- */

enum { CLIENTS = 3, NOT_READ = 64 << 20, FIRST_PID = 100, PIDS = 8 };

static void go(struct client *client) {
    if (client->connection)
        jp_rpc_closed(client->connection);
    client->connection = NULL;
    client->unread = 0;
    client->closed = false;
}

/* False: there is no room for it. */
static bool come(struct world *world, struct client *client) {
    if (client->closed)
        go(client);
    if (!client->connection)
        client->connection = jp_rpc_open(world->rpc, &client->peer);
    return client->connection != NULL;
}

static void happen(struct world *world, struct client *client, uint8_t what) {
    uint32_t pid = (uint32_t)(FIRST_PID + 4 * (what % PIDS));
    if (what % 8 == 0) {
        go(client);
    } else if (what % 8 == 1) {
        client->unread = NOT_READ;
    } else if (what % 8 == 2) {
        client->unread = 0;
        if (come(world, client))
            jp_rpc_drained(client->connection);
    } else if (what % 8 == 3) {
        jp_sim_pass(world->sim, 61000);
    } else if (jp_sim_alive(world->sim, pid)) {
        jp_sim_exit(world->sim, pid, what);
    }
}

/* In pieces, the first byte of each says how long; or what happens. Returns how many bytes that were. */
static size_t take(struct world *world, struct client clients[CLIENTS], size_t *which, const uint8_t *data, size_t size) {
    if (*data >= 0xFC) {
        *which = *data % CLIENTS;
        return 1;
    }
    if (*data >= 0xF0) {
        happen(world, &clients[*which], *data);
        return 1;
    }
    size_t piece = *data % 200 + (*data < 128 ? 800u : 1u);
    piece = piece < size ? piece : size;
    if (come(world, &clients[*which]))
        jp_rpc_receive(clients[*which].connection, (const char *)data, piece);
    return piece;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct world world;
    struct client clients[CLIENTS];
    size_t which = 0;
    open_world(&world);
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i] = (struct client){.peer.ops = &peer_ops, .sim = world.sim, .user = size && data[size - 1] == 'u'};
    for (size_t at = 0; at < size && !(which == 0 && clients[0].closed);) {
        at += take(&world, clients, &which, data + at, size - at);
        settle(&world);
    }
    for (size_t i = 0; i < CLIENTS; i++)
        if (clients[i].connection && !clients[i].closed)
            jp_rpc_receive(clients[i].connection, "\n", 1);
    settle(&world);
    for (size_t i = 0; i < CLIENTS; i++) {
        go(&clients[i]);
        jp_str_free(&clients[i].sent);
    }
    settle(&world);
    jp_rpc_stopping(world.rpc);
    jp_pools_stop(world.pools);
    settle(&world);
    jp_pools_free(world.pools);
    jp_ledger_free(world.ledger);
    jp_sim_free(world.sim);
    jp_rpc_free(world.rpc);
    return 0;
}
