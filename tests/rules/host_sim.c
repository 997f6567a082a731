/* The rules on the simulated kernel; with --like-wine, those that Wine keeps, on a kernel that does as little. */
#include "rules.h"

#include "../sim/kernel.h"
#include "base/str.h"

#include <string.h>

static bool like_wine;

static struct jp_sim *sim_of(const struct rules_host *host) { return host->context; }
static struct jp_principal *people[RULES_WHO];

static bool begin(struct rules_host *host) {
    struct jp_sim *sim = jp_sim_new();
    static const uint64_t groups[] = {0xFF, 0x0F};
    jp_sim_names_die(sim);
    jp_sim_groups(sim, groups, 2);
    if (like_wine)
        jp_sim_like_wine(sim);
    host->context = sim;
    host->backend = jp_sim_backend(sim);
    people[RULES_USER] = jp_sim_user(sim, "SIM\\user", 1);
    people[RULES_OTHER_USER] = jp_sim_user(sim, "SIM\\other", 1);
    people[RULES_ADMIN] = jp_sim_admin(sim, "SIM\\admin", 1);
    people[RULES_OTHER_SESSION] = jp_sim_user(sim, "SIM\\remote", 2);
    people[RULES_NOBODY] = jp_sim_user(sim, "SIM\\user", 1);
    people[RULES_NOBODY]->level = JP_SIM_IDENTIFY;
    return true;
}

static void end(struct rules_host *host) {
    for (size_t who = 0; who < RULES_WHO; who++)
        jp_sim_principal_free(sim_of(host), people[who]);
    jp_sim_free(sim_of(host));
    host->context = NULL;
}

static uint32_t spawn(struct rules_host *host, const struct rules_child *child, uint32_t *ret_pid) {
    return jp_sim_spawn_child(sim_of(host),
                              &(struct jp_sim_child){.parent = child->parent, .image = "rule.exe", .breakaway = child->breakaway,
                                                     .token = child->as_somebody ? people[child->as] : NULL},
                              ret_pid);
}

static void exit_process(struct rules_host *host, uint32_t pid, uint32_t exit_code) { jp_sim_exit(sim_of(host), pid, exit_code); }
static void burn(struct rules_host *host, uint32_t pid, uint32_t user_ms) { jp_sim_grow_usage(sim_of(host), pid, rules_ms(user_ms)); }
static bool commit(struct rules_host *host, uint32_t pid, uint64_t bytes) { return jp_sim_commit(sim_of(host), pid, bytes); }
static void decommit(struct rules_host *host, uint32_t pid, uint64_t bytes) { jp_sim_decommit(sim_of(host), pid, bytes); }
static void read_bytes(struct rules_host *host, uint32_t pid, uint64_t bytes) { jp_sim_read(sim_of(host), pid, bytes); }
static void write_bytes(struct rules_host *host, uint32_t pid, uint64_t bytes) { jp_sim_write(sim_of(host), pid, bytes); }

static void overrun(struct rules_host *host, uint32_t pid, uint32_t flag, uint32_t tolerance, uint32_t interval) {
    jp_sim_overrun(sim_of(host), pid, flag, tolerance, interval);
}

static void ask_priority(struct rules_host *host, uint32_t pid, uint32_t class) { jp_sim_ask_priority(sim_of(host), pid, class); }
static void ask_affinity(struct rules_host *host, uint32_t pid, uint64_t mask) { jp_sim_ask_affinity(sim_of(host), pid, mask); }
static uint32_t priority(struct rules_host *host, uint32_t pid) { return jp_sim_priority(sim_of(host), pid); }
static uint64_t affinity(struct rules_host *host, uint32_t pid) { return jp_sim_affinity(sim_of(host), pid); }

static void working_set(struct rules_host *host, uint32_t pid, uint64_t *ret_min_bytes, uint64_t *ret_max_bytes) {
    jp_sim_working_set(sim_of(host), pid, ret_min_bytes, ret_max_bytes);
}

static uint64_t machine_affinity(struct rules_host *host) {
    (void)host;
    return 0xFF;
}

static bool ended(struct rules_host *host, uint32_t pid, uint32_t *ret_exit_code) {
    struct jp_sim_fate fate;
    if (!jp_sim_fate(sim_of(host), pid, 0, &fate) || fate.end == JP_SIM_ALIVE)
        return false;
    *ret_exit_code = fate.exit_code;
    return true;
}

static bool alive(struct rules_host *host, uint32_t pid) { return jp_sim_alive(sim_of(host), pid); }

static bool told(struct rules_host *host, uint64_t key, uint32_t message, uint32_t pid) {
    size_t count;
    struct jp_sim_item *items = jp_sim_queue(sim_of(host), &count);
    for (size_t i = 0; i < count; i++)
        if (items[i].key == key && items[i].message == message && items[i].pid == pid) {
            items[i] = (struct jp_sim_item){0}; /* taken */
            return true;
        }
    return false;
}

static size_t count_messages(struct rules_host *host, uint64_t key, uint32_t message) {
    size_t count, found = 0;
    const struct jp_sim_item *items = jp_sim_queue(sim_of(host), &count);
    for (size_t i = 0; i < count; i++)
        found += items[i].key == key && items[i].message == message;
    return found;
}

static struct jp_principal *principal(struct rules_host *host, enum rules_who who) {
    (void)host;
    return people[who];
}

/* One holder is enough for the rules. */
static void hold(struct rules_host *host, uint32_t pid, bool wanted) {
    static struct jp_process *held;
    struct jp_error error;
    const struct jp_backend_ops *ops = host->backend->ops;
    if (wanted)
        EXPECT(ops->process_open(host->backend, pid, 0, JP_PROCESS_OBSERVE, NULL, &held, &error) == JP_OK, "a process is held");
    else
        ops->process_close(held);
}

static void take_name(struct rules_host *host, const char *name) { jp_sim_take_name(sim_of(host), name); }

static void slow_ends(struct rules_host *host, bool slow) {
    enum { A_WHILE_MS = 1000 };
    jp_sim_slow_ends(sim_of(host), slow ? A_WHILE_MS : 0);
    if (!slow)
        jp_sim_pass(sim_of(host), A_WHILE_MS);
}

static void lose_all(struct rules_host *host, bool lose) {
    jp_sim_weather(sim_of(host), lose ? &(struct jp_sim_weather){.lose_per_mille = 1000} : NULL);
}

static void crash(struct rules_host *host) { jp_sim_crash(sim_of(host)); }

int main(int argc, char **argv) {
    struct rules_host host = {
        .name = "the simulated kernel",
        .can = (1u << RULES_BITS) - 1,
        .command_line = "rule.exe",
        .user_handle = 0x10010,
        .begin = begin,
        .end = end,
        .spawn = spawn,
        .exit = exit_process,
        .burn = burn,
        .commit = commit,
        .decommit = decommit,
        .read = read_bytes,
        .write = write_bytes,
        .overrun = overrun,
        .ask_priority = ask_priority,
        .ask_affinity = ask_affinity,
        .priority = priority,
        .affinity = affinity,
        .working_set = working_set,
        .machine_affinity = machine_affinity,
        .ended = ended,
        .alive = alive,
        .told = told,
        .count = count_messages,
        .principal = principal,
        .hold = hold,
        .take_name = take_name,
        .slow_ends = slow_ends,
        .lose_all = lose_all,
        .crash = crash,
    };
    like_wine = argc == 2 && strcmp(argv[1], "--like-wine") == 0;
    if (like_wine) {
        host.name = "the simulated kernel in the manner of Wine";
        host.can = NEEDS_NESTING | NEEDS_BREAKAWAY | NEEDS_RIGHTS | NEEDS_SECURITY | NEEDS_SESSIONS | NEEDS_TOKENS | NEEDS_SLOW_END | NEEDS_CRASH;
        argc = 1;
    }
    return rules_main(&host, argc, argv);
}
