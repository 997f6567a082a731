/* What a message, a request, a tick and a turn of the loop cost in pools and rpc, with so many members in so many pools: callgrind counts
 * the instructions of each phase and writes them under its name ("messages 200": the phase, and how often what is counted was done). It is
 * told when to count, so without callgrind this only runs.
 *
 * What is counted is all that the service does but the system's part, which the simulated kernel plays, and the disk's, which is played by
 * accounts that keep nothing: their cost would be this program's. A client is connected that reads every event.
 *
 * Pools stand in trees of ten on three levels, whatever their number, so that chains are as long in each world; or, "below one", all others
 * directly below the first. Members are dealt out in turn. Each operation is about another pool. */
#include "../sim/client.h"
#include "flat_outside.h"

#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USAGE_ERROR = 64, MOST_MEMBERS = 1000000, MOST_POOLS = 100000, MOST_COUNT = 100000, TREE = 10, LINGER_OVER_MS = 3000, RUN_OVER_MS = 300, MINUTE_MS = 60000, WARM_UP = 20,
       TICKS = 4 };

/* Limits that the service keeps, none of them reached: so there are ticks. */
static const char spec_text[] = "{\"limits\":{\"process_memory\":\"1GiB\",\"process_time\":\"1h\",\"job_time\":\"30d\"},"
                                "\"timeouts\":{\"wall_clock\":\"1d\",\"idle\":\"1h\",\"pool_wall_clock\":\"7d\"},"
                                "\"memory_policy\":{\"soft\":\"900000GiB\",\"hard\":\"1000000GiB\",\"action\":\"terminate_largest\"},"
                                "\"notify\":{\"job_memory\":\"1000000GiB\",\"cpu_time\":\"30d\"}}";

struct client {
    struct jp_sim_client at; /* first */
    char head[64]; /* of the last message */
};

static struct jp_sim *sim;
static struct jp_pools *pools;
static struct jp_rpc *rpc;
static struct client asker, reader;
static struct jp_error error;
static uint32_t *residents; /* one process of each of the first pools, to be parents */
static size_t resident_count, member_count, pool_count;
static bool below_one;

static void fail(const char *what, const char *why) {
    fprintf(stderr, "flat_bench: %s%s%s\n", what, why ? ": " : "", why ? why : "");
    exit(EXIT_FAILURE);
}

/* --- clients --- */

static void read_all(struct jp_sim_client *at) {
    struct client *client = (struct client *)(void *)at;
    size_t part = at->received.length < sizeof client->head ? at->received.length : sizeof client->head - 1;
    memcpy(client->head, at->received.data, part);
    client->head[part] = '\0';
    jp_str_clear(&at->received);
}

static void connect_client(struct client *client) {
    *client = (struct client){.at.on_sent = read_all};
    jp_sim_client_connect(&client->at, rpc);
}

static void expect_connected(const struct client *client) {
    if (client->at.closed)
        fail("a connection is closed", NULL);
}

/* --- the world --- */

static int64_t now_100ns(void *context) {
    (void)context;
    return jp_sim_now_100ns(sim);
}

static uint64_t now_ms(void *context) {
    (void)context;
    return jp_sim_now_ms(sim);
}

static void on_event(void *context, const struct jp_event *event) {
    (void)context;
    jp_rpc_on_event(rpc, event);
}

static void add_status(void *context, cJSON *status) {
    (void)context;
    cJSON_AddStringToObject(status, "program", "flat_bench");
}

static void open_world(void) {
    sim = jp_sim_new();
    struct jp_backend *backend = outside_backend(sim);
    jp_sim_forget_limits(sim, JP_JOB_OBJECT_LIMIT_PROCESS_MEMORY | JP_JOB_OBJECT_LIMIT_PROCESS_TIME | JP_JOB_OBJECT_LIMIT_JOB_TIME);
    jp_sim_capabilities(sim)->notify = JP_ENFORCED_BY_NONE;
    struct jp_pools_surroundings surroundings = {.backend = backend, .accounts = outside_accounts(), .now_100ns = now_100ns, .now_ms = now_ms,
                                                 .on_event = on_event, .record_interval_ms = 60000};
    struct jp_accounts_start start = {0};
    pools = jp_pools_new(&surroundings, &start);
    struct jp_rpc_setup setup = {.pools = pools, .accounts = surroundings.accounts, .backend = backend, .now_ms = now_ms, .now_100ns = now_100ns,
                                 .program = {.version = "0", .add_status = add_status}};
    rpc = jp_rpc_new(&setup, 0);
    jp_pools_adopt(pools, &start);
    connect_client(&asker);
    connect_client(&reader);
}

static struct jp_pool_spec read_spec(void) {
    struct jp_pool_spec spec = {0};
    struct jp_faults faults = {0};
    cJSON *json = cJSON_Parse(spec_text);
    if (!json || !jp_schema_read(&(struct jp_schema_context){.faults = &faults}, jp_pool_fields, json, "", &spec) ||
        !jp_pool_spec_check(&spec, json, "", &faults))
        fail("the pools' text is wrong", faults.count ? faults.items[0].text : NULL);
    cJSON_Delete(json);
    return spec;
}

static char *pool_name(size_t i) { return jp_sprintf("pool%05zu", i); }

/* In each tree: one at the top, three below it, two below each of those. */
static size_t parent_of(size_t i) {
    if (below_one)
        return 0;
    size_t place = i % TREE, top = i - place;
    return place < 4 ? top : top + 1 + (place - 4) / 2;
}

static void load_pools(struct jp_named_spec *specs, size_t count) {
    count_begin();
    jp_status status = jp_pools_load(pools, specs, count, NULL, &error);
    count_end("load", count);
    if (status)
        fail("the pools cannot be made", error.text);
}

static void make_pools(size_t count) {
    struct jp_pool_spec spec = read_spec();
    struct jp_named_spec *specs = jp_realloc_array(NULL, count, sizeof *specs);
    for (size_t i = 0; i < count; i++) {
        specs[i] = (struct jp_named_spec){.name = pool_name(i)};
        jp_schema_copy(jp_pool_fields, &spec, &specs[i].spec);
        if (below_one ? i : i % TREE) {
            specs[i].spec.parent = pool_name(parent_of(i));
            specs[i].spec.present |= JP_SCHEMA_BIT(JP_POOL_PARENT);
        }
    }
    load_pools(specs, count);
    for (size_t i = 0; i < count; i++) {
        jp_free(specs[i].name);
        jp_schema_clear(jp_pool_fields, &specs[i].spec);
    }
    jp_free(specs);
    jp_schema_clear(jp_pool_fields, &spec);
}

static void on_joined(void *context, jp_status status, const struct jp_error *why, const struct jp_process_record *record, uint64_t seq) {
    (void)context;
    (void)record;
    (void)seq;
    if (status)
        fail("a process does not join", why->text);
}

/* What the loop does after something has happened. */
static void turn(void) {
    jp_rpc_on_committed(rpc, outside_commit());
    if (jp_pools_next_sample_ms(pools) == 0)
        fail("somebody waits for a sample", NULL);
    jp_pools_on_time(pools);
    jp_rpc_on_time(rpc);
}

static bool take_one(struct jp_sim_item *item) { return jp_sim_take(sim, item, 1) == 1; }

static void hand_over(const struct jp_sim_item *item) {
    struct jp_job_packet packet = {.key = item->key, .message = item->message, .pid = item->pid};
    if (item->message)
        jp_pools_on_packets(pools, &packet, 1);
    else
        jp_pools_on_exit(pools, item->key);
    turn();
}

static void deliver(void) {
    for (struct jp_sim_item item; take_one(&item);)
        hand_over(&item);
}

static void make_members(size_t count) {
    resident_count = count < pool_count ? count : pool_count;
    residents = jp_realloc_array(NULL, resident_count, sizeof *residents);
    for (size_t i = 0; i < count; i++) {
        uint32_t pid = jp_sim_spawn(sim, 0, "resident.exe");
        char *name = pool_name(i % pool_count);
        jp_pools_join(pools, &(struct jp_joining){.pool = jp_pools_find(pools, name), .pid = pid, .callback = on_joined});
        jp_free(name);
        deliver();
        if (i < resident_count)
            residents[i] = pid;
    }
    member_count = count;
}

/* --- the phases --- */

static size_t spawn_count; /* operations take their pools in turn, through all phases */

static uint32_t some_resident(void) { return residents[spawn_count++ % resident_count]; }

/* What waits in the port, one by one, each with its turn of the loop; how many there were. */
static size_t deliver_counted(void) {
    size_t count = 0;
    struct jp_sim_item item;
    for (bool more = true; more; count += more) {
        count_pause(true);
        more = take_one(&item);
        count_pause(false);
        if (more)
            hand_over(&item);
    }
    return count;
}

/* Children of members come and go; what is told of that to all pools of their chain, and by their handles. */
static size_t messages(size_t count) {
    size_t told = 0;
    for (size_t i = 0; i < count; i++) {
        count_pause(true);
        uint32_t pid = jp_sim_spawn(sim, some_resident(), "child.exe");
        count_pause(false);
        told += deliver_counted();
        count_pause(true);
        jp_sim_exit(sim, pid, 0);
        count_pause(false);
        told += deliver_counted();
    }
    count_pause(true);
    jp_sim_pass(sim, LINGER_OVER_MS);
    count_pause(false);
    turn(); /* they are forgotten */
    return told;
}

/* One request: what its line says is made outside the count, and so is what it leaves behind taken away. */
struct request {
    const char *name, *method;
    char *(*params)(size_t which, uint32_t pid, size_t number); /* NULL: none; of the pool `which`, the `number`-th such request */
    bool newcomer;                                              /* pid: of a process that nobody has yet; else of one in the pool */
    bool refused;
};

static char *about_pool(size_t which, uint32_t pid, size_t number) {
    (void)pid;
    (void)number;
    return jp_sprintf("{\"pool\":\"pool%05zu\"}", which);
}

static char *about_process(size_t which, uint32_t pid, size_t number) {
    (void)which;
    (void)number;
    return jp_sprintf("{\"pid\":%" PRIu32 "}", pid);
}

static char *about_both(size_t which, uint32_t pid, size_t number) {
    (void)number;
    return jp_sprintf("{\"pool\":\"pool%05zu\",\"pid\":%" PRIu32 "}", which, pid);
}

static size_t run_count; /* no name is taken twice */

static char *about_new_pool(size_t which, uint32_t pid, size_t number) {
    (void)pid;
    (void)number;
    return jp_sprintf("{\"name\":\"run%zu\",\"parent\":\"pool%05zu\",\"ephemeral\":true}", run_count++, which);
}

static char *about_one_event(size_t which, uint32_t pid, size_t number) {
    (void)which;
    (void)pid;
    (void)number;
    return jp_strdup("{\"limit\":1}");
}

static char *about_no_pool(size_t which, uint32_t pid, size_t number) {
    (void)pid;
    (void)number;
    return jp_sprintf("{\"pool\":\"poool%05zu\"}", which);
}

static const struct request requests[] = {
    {"ping", "service.ping", .params = NULL},
    {"status", "service.status", .params = NULL},
    {"pool.get", "pool.get", .params = about_pool},
    {"process.get", "process.get", .params = about_process},
    {"pool.assign", "pool.assign", .params = about_both, .newcomer = true},
    {"no pool", "pool.get", .params = about_no_pool, .refused = true},
    {"query", "events.query", .params = about_one_event},
};

static void ask(const struct request *request, size_t number) {
    count_pause(true);
    size_t which = spawn_count++ % resident_count;
    uint32_t pid = request->newcomer ? jp_sim_spawn(sim, 0, "newcomer.exe") : residents[which];
    char *params = request->params ? request->params(which, pid, number) : jp_strdup("{}");
    char *line = jp_sprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}\n", request->method, params);
    count_pause(false);
    jp_sim_client_say(&asker.at, line);
    turn(); /* what is told when it is on the disk */
    count_pause(true);
    expect_connected(&asker);
    if (!strstr(asker.head, request->refused ? "\"error\"" : "\"result\""))
        fail(request->method, asker.head);
    jp_free(params);
    jp_free(line);
    if (request->newcomer) { /* its messages are counted elsewhere */
        deliver();
        jp_sim_exit(sim, pid, 0);
        deliver();
    }
    count_pause(false);
}

/* Answers with a row for each pool, and for each member of a tree; the cost is that of a row. */
static size_t list_pools(size_t count) {
    static const struct request request = {.method = "pool.list"};
    for (size_t i = 0; i < count; i++)
        ask(&request, i);
    return count * pool_count;
}

static char *about_first_tree(size_t which, uint32_t pid, size_t number) {
    (void)which;
    return about_pool(0, pid, number);
}

static size_t list_processes(size_t count) {
    static const struct request request = {.method = "pool.processes", .params = about_first_tree};
    for (size_t i = 0; i < count; i++)
        ask(&request, i);
    return count * jp_pool_total_members(jp_pools_find(pools, "pool00000"));
}

static size_t ask_each(const struct request *request, size_t count) {
    for (size_t i = 0; i < count; i++)
        ask(request, i);
    return count;
}

/* What `jobpool run` is to the service: a client comes, makes a pool, puts a process into it, which ends; it goes, and the pool with it. */
static size_t runs(size_t count) {
    static const struct request make = {.method = "pool.create", .params = about_new_pool};
    struct client asked = asker;
    for (size_t i = 0; i < count; i++) {
        connect_client(&asker);
        ask(&make, i);
        count_pause(true);
        uint32_t pid = jp_sim_spawn(sim, 0, "newcomer.exe");
        char *line = jp_sprintf("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"pool.assign\",\"params\":{\"pool\":\"run%zu\",\"pid\":%" PRIu32 "}}\n", run_count - 1, pid);
        count_pause(false);
        jp_sim_client_say(&asker.at, line);
        turn();
        deliver_counted();
        count_pause(true);
        expect_connected(&asker);
        if (!strstr(asker.head, "\"result\""))
            fail("pool.assign", asker.head);
        jp_free(line);
        jp_sim_exit(sim, pid, 0);
        count_pause(false);
        deliver_counted();
        jp_sim_client_hang_up(&asker.at);
        count_pause(true);
        jp_sim_pass(sim, RUN_OVER_MS);
        count_pause(false);
        turn();
        count_pause(true);
        char *name = jp_sprintf("run%zu", run_count - 1);
        if (jp_pools_find(pools, name))
            fail("a run's pool does not go", name);
        jp_free(name);
        count_pause(false);
    }
    asker = asked;
    return count;
}

/* All processes of the machine are looked at, and what the pools make of it. */
static size_t ticks(size_t count) {
    struct jp_backend *backend = jp_sim_backend(sim);
    for (size_t i = 0; i < count; i++) {
        struct jp_samples samples = {0};
        count_pause(true);
        jp_sim_pass(sim, 500);
        jp_status status = backend->ops->sample(backend, &samples, &error);
        count_pause(false);
        jp_pools_on_sample(pools, status, &samples, &error);
        turn();
    }
    return count * member_count;
}

static size_t turns(size_t count) {
    for (size_t i = 0; i < count; i++)
        turn();
    return count;
}

/* --- all of them --- */

/* What is done for the first time costs more: tables grow, lists are made. */
static void warm_up(size_t count) {
    messages(count);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        ask_each(&requests[i], count);
    runs(count);
    ticks(2);
}

/* What comes once a minute, as lists that are read and rows of what pools use, comes now and not in what is counted next. */
static void begin_minute(void) {
    uint64_t since_ms = (uint64_t)jp_sim_now_100ns(sim) / 10000 % MINUTE_MS;
    jp_sim_pass(sim, 2 * MINUTE_MS - since_ms);
    ticks(1);
}

static void count_phase(const char *name, size_t (*phase)(size_t count), size_t count) {
    begin_minute();
    count_begin();
    size_t done = phase(count);
    count_end(name, done);
}

int main(int argc, char **argv) {
    below_one = argc == 5 && strcmp(argv[4], "below-one") == 0;
    bool understood = argc == 4 || below_one;
    unsigned long wanted = understood ? strtoul(argv[1], NULL, 10) : 0, count = understood ? strtoul(argv[3], NULL, 10) : 0;
    pool_count = understood ? strtoul(argv[2], NULL, 10) : 0;
    if (wanted == 0 || wanted > MOST_MEMBERS || pool_count == 0 || pool_count > MOST_POOLS || count == 0 || count > MOST_COUNT) {
        fputs("flat_bench MEMBERS POOLS COUNT [below-one]: counts the cost of so many messages, requests and turns, and of some ticks, with so many\n", stderr);
        return USAGE_ERROR;
    }
    open_world();
    make_pools(pool_count);
    make_members(wanted);
    jp_sim_client_say(&reader.at, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.subscribe\",\"params\":{}}\n");
    warm_up(WARM_UP);
    count_phase("messages", messages, count);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        begin_minute();
        count_begin();
        count_end(requests[i].name, ask_each(&requests[i], count));
    }
    count_phase("pool.list", list_pools, TICKS);
    count_phase("pool.processes", list_processes, TICKS);
    count_phase("runs", runs, count);
    count_phase("ticks", ticks, TICKS);
    count_phase("turns", turns, count);
    expect_connected(&reader);
    return 0;
}
