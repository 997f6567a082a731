/* What pools and members take of the service's own memory, to the byte: on the simulated kernel, whose memory, and that of the accounts in
 * memory, is counted apart. The same run gives the same numbers.
 *
 *   memory_bench POOLS MEMBERS
 *
 * prints the bytes of the heap that so many pools take, each, and so many members in them, each. A block counts as the C library has it: with
 * its header, and in steps of 16 bytes. The kernel and the accounts are compiled with -finstrument-functions: what is allocated while one of
 * their functions runs is theirs. What a process is called (path, command line, user) is the member's. */
#include "../sim/kernel.h"
#include "../sim/ledger.h"

#include "base/str.h"
#include "pool/pools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USAGE_ERROR = 64, MAX_COUNT = 1000000, HEADER = 16, LEAST_BLOCK = 32, CHUNK_HEADER = 8, ROUND = 5000 };

static const char spec_text[] = "{\"description\":\"Builds of a branch\",\"limits\":{\"active_processes\":2000000,\"job_memory\":\"900GiB\"}}";
static const char image[] = "compiler.exe", command_line[] = "compiler.exe -c main.c -o main.obj";

/* --- whose memory --- */

static size_t theirs; /* how deep in functions of the kernel and the accounts */
static size_t our_bytes;

void __cyg_profile_func_enter(void *function, void *caller) __attribute__((no_instrument_function));
void __cyg_profile_func_exit(void *function, void *caller) __attribute__((no_instrument_function));

void __cyg_profile_func_enter(void *function, void *caller) {
    (void)function;
    (void)caller;
    theirs++;
}

void __cyg_profile_func_exit(void *function, void *caller) {
    (void)function;
    (void)caller;
    theirs--;
}

/* Before each block: how much of it is counted. */
struct header {
    size_t counted;
};
_Static_assert(sizeof(struct header) <= HEADER, "it stays aligned");

void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *memory);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);

static size_t block_size(size_t size) {
    size_t block = (size + CHUNK_HEADER + 15) / 16 * 16;
    return block < LEAST_BLOCK ? LEAST_BLOCK : block;
}

static struct header *header_of(void *memory) { return (struct header *)(void *)((char *)memory - HEADER); }

static void *count_in(void *memory, size_t size) {
    struct header *header = memory;
    if (!header)
        return NULL;
    header->counted = theirs ? 0 : block_size(size);
    our_bytes += header->counted;
    return (char *)memory + HEADER;
}

void *__wrap_calloc(size_t count, size_t size) { return count_in(__real_calloc(1, count * size + HEADER), count * size); }
void *__wrap_malloc(size_t size) { return __wrap_calloc(1, size); }

void *__wrap_realloc(void *old, size_t size) {
    if (!old)
        return __wrap_calloc(1, size);
    our_bytes -= header_of(old)->counted;
    return count_in(__real_realloc(header_of(old), size + HEADER), size);
}

void __wrap_free(void *memory) {
    if (!memory)
        return;
    our_bytes -= header_of(memory)->counted;
    __real_free(header_of(memory));
}

/* --- the world --- */

static struct jp_sim *sim;
static struct jp_ledger *ledger;
static struct jp_pools *pools;
static struct jp_error error;

static void fail(const char *what) {
    fprintf(stderr, "memory_bench: %s: %s\n", what, error.text);
    exit(EXIT_FAILURE);
}

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
    (void)event;
}

/* What the loop does when it wakes up. */
static void turn(void) {
    struct jp_sim_item items[256];
    for (size_t count; (count = jp_sim_take(sim, items, sizeof items / sizeof *items)) > 0;)
        for (size_t i = 0; i < count; i++) {
            struct jp_job_packet packet = {.key = items[i].key, .message = items[i].message, .pid = items[i].pid};
            if (items[i].message)
                jp_pools_on_packets(pools, &packet, 1);
            else
                jp_pools_on_exit(pools, items[i].key);
        }
    jp_pools_on_time(pools);
    jp_ledger_commit(ledger);
}

static void open_world(void) {
    sim = jp_sim_new();
    ledger = jp_ledger_new();
    struct jp_pools_surroundings surroundings = {.backend = jp_sim_backend(sim), .accounts = jp_ledger_accounts(ledger), .now_100ns = now_100ns,
                                                 .now_ms = now_ms, .awake_ms = now_ms, .total_ms = now_ms, .on_event = on_event};
    pools = jp_pools_new(&surroundings, &(struct jp_accounts_start){0});
    jp_pools_adopt(pools, &(struct jp_accounts_start){0});
}

static void close_world(void) {
    jp_ledger_commit(ledger);
    jp_pools_free(pools);
    jp_ledger_free(ledger);
    jp_sim_free(sim);
}

static char *pool_name(size_t number) { return jp_sprintf("branch-%zu", number); }

static void create_pools(size_t count) {
    struct jp_pool_spec spec = {0};
    struct jp_faults faults = {0};
    cJSON *json = cJSON_Parse(spec_text);
    if (!json || !jp_schema_read(&(struct jp_schema_context){.faults = &faults}, jp_pool_fields, json, "", &spec))
        fail("the pool's text is wrong");
    for (size_t i = 0; i < count; i++) {
        char *name = pool_name(i);
        struct jp_pool *pool;
        if (jp_pools_create(pools, name, &spec, true, &pool, &error))
            fail("a pool cannot be made");
        jp_free(name);
    }
    cJSON_Delete(json);
    jp_schema_clear(jp_pool_fields, &spec);
    turn();
}

static void on_joined(void *context, jp_status status, const struct jp_error *why, const struct jp_process_record *record, uint64_t seq) {
    (void)context;
    (void)record;
    (void)seq;
    if (status) {
        error = *why;
        fail("a process cannot join");
    }
}

static void join(struct jp_pool *pool) {
    uint32_t pid = 0;
    if (jp_sim_spawn_child(sim, &(struct jp_sim_child){.image = image, .command_line = command_line}, &pid))
        fail("there is no process");
    jp_pools_join(pools, &(struct jp_joining){.pool = pool, .pid = pid, .callback = on_joined});
}

static void add_members(size_t count, size_t pool_count) {
    for (size_t i = 0; i < count; i++) {
        char *name = pool_name(i % pool_count);
        join(jp_pools_find(pools, name));
        jp_free(name);
        if (i % ROUND == 0)
            turn();
    }
    turn();
    jp_sim_pass(sim, 5000); /* whatever is kept for a moment is over */
    turn();
}

int main(int argc, char **argv) {
    unsigned long pool_count = argc == 3 ? strtoul(argv[1], NULL, 10) : 0, member_count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (pool_count == 0 || pool_count > MAX_COUNT || member_count == 0 || member_count > MAX_COUNT) {
        fputs("memory_bench POOLS MEMBERS: bytes that each takes\n", stderr);
        return USAGE_ERROR;
    }
    open_world();
    size_t nothing = our_bytes;
    create_pools(pool_count);
    size_t with_pools = our_bytes;
    add_members(member_count, pool_count);
    size_t with_members = our_bytes;
    if (jp_pools_member_count(pools) != member_count)
        fail("members are missing");
    printf("{\"pool_bytes\": %.1f, \"member_bytes\": %.1f}\n", (double)(with_pools - nothing) / (double)pool_count,
           (double)(with_members - with_pools) / (double)member_count);
    close_world();
    if (our_bytes) {
        fprintf(stderr, "memory_bench: %zu bytes are left\n", our_bytes);
        return EXIT_FAILURE;
    }
    return 0;
}
