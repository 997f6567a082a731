/* jobpoold-sim: reads orders, and keeps the daemon's life.
 *
 *   jobpoold-sim CONFIG SOCKET [SEED]
 *
 * SOCKET is a file descriptor that was inherited. Orders are JSON objects, a line each, {"do": "spawn", ...}; each is answered by
 * one line before the next is read: {"ok": true, ...} or {"error": "why"}. Its end ends the program, in order. */
#include "daemon_sim.h"

#include "base/units.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DUE_AGAIN_MAX = 1000, /* so often may something be due at one moment before the clock goes on regardless */
    STOP_STEP_MS = 1000,
};

static struct jp_simd simd;

/* --- the daemon's thread --- */

static void on_running(void *context) {
    struct jp_simd *with = context;
    uv_mutex_lock(&with->mutex);
    with->running = true;
    uv_cond_broadcast(&with->changed);
    uv_mutex_unlock(&with->mutex);
}

static void on_progress(void *context, uint32_t wait_hint_ms) {
    struct jp_simd *with = context;
    (void)wait_hint_ms;
    uv_mutex_lock(&with->mutex);
    with->stopping = with->running;
    uv_cond_broadcast(&with->changed);
    uv_mutex_unlock(&with->mutex);
}

static void on_reloaded(void *context, bool taken, const char *what) {
    (void)context;
    (void)taken;
    (void)what;
}

static void on_alarm(void *context, const char *text) {
    (void)context;
    (void)text;
}

static void live(void *context) {
    struct jp_simd *with = context;
    struct jp_error error = {0};
    char *faults = NULL;
    jp_status status = jp_daemon_run(with->daemon, &error, &faults);
    uv_mutex_lock(&with->mutex);
    with->status = status;
    with->error = error;
    with->faults = faults;
    with->ended = true;
    uv_cond_broadcast(&with->changed);
    uv_mutex_unlock(&with->mutex);
}

/* --- orders, from main --- */

bool jp_simd_run(struct jp_simd *with, void (*order)(struct jp_simd *with, void *argument), void *argument) {
    if (!with->daemon) {
        order(with, argument);
        return true;
    }
    uv_mutex_lock(&with->mutex);
    bool done = with->at_work;
    if (done) {
        with->order = order;
        with->order_argument = argument;
        uv_async_send(&with->bell);
        while (with->order && with->at_work)
            uv_cond_wait(&with->changed, &with->mutex);
        done = !with->order;
        with->order = NULL;
    }
    uv_mutex_unlock(&with->mutex);
    return done;
}

static void wait_for_end(void) {
    uv_thread_join(&simd.thread);
    jp_daemon_free(simd.daemon);
    simd.daemon = NULL;
    jp_free(simd.faults);
    simd.faults = NULL;
}

/* It was killed while it started or stopped. */
static void thaw_the_dead(cJSON *out) {
    if (!jp_simd_disk_dead())
        return;
    jp_simd_disk_thaw();
    cJSON_AddTrueToObject(out, "killed");
}

static void start(const cJSON *in, cJSON *out) {
    struct jp_daemon_options options = {.program = "jobpoold-sim", .version = JP_VERSION, .config_file = simd.config_file,
                                        .platform = &simd.platform, .context = &simd,
                                        .on_running = on_running, .on_progress = on_progress, .on_reloaded = on_reloaded, .on_alarm = on_alarm};
    (void)in;
    if (simd.daemon) {
        jp_simd_refuse(out, "it runs already");
        return;
    }
    simd.running = simd.ended = simd.stopping = simd.dies = false;
    simd.daemon = jp_daemon_new(&options);
    uv_thread_create(&simd.thread, live, &simd);
    uv_mutex_lock(&simd.mutex);
    while (!simd.running && !simd.ended)
        uv_cond_wait(&simd.changed, &simd.mutex);
    bool running = simd.running;
    uv_mutex_unlock(&simd.mutex);
    if (running) {
        cJSON_AddStringToObject(out, "address", simd.address);
        return;
    }
    jp_simd_refuse(out, "%s", simd.error.text);
    cJSON_AddStringToObject(out, "faults", simd.faults ? simd.faults : "");
    wait_for_end();
    thaw_the_dead(out);
}

/* --- messages and time --- */

static void take_round(struct jp_simd *with, void *most) { with->round_count = jp_sim_take(with->sim, with->round, *(const size_t *)most); }

static void on_recorded(void *context, jp_status status) {
    struct jp_simd *with = context;
    (void)status;
    uv_mutex_lock(&with->mutex);
    with->recorded = true;
    uv_cond_broadcast(&with->changed);
    uv_mutex_unlock(&with->mutex);
}

static void ask_for_record(struct jp_simd *with, void *argument) {
    (void)argument;
    jp_daemon_when_recorded(with->daemon, on_recorded, with);
}

/* Who waits for the disk is called before the next step, however long that takes: else the clock would go on meanwhile, here by much and there
 * by little, and the same orders would not give the same run. */
static void finish_step(void) {
    if (!simd.in_step || !simd.daemon)
        return;
    simd.recorded = false; /* nobody else looks at it yet */
    if (!jp_simd_run(&simd, ask_for_record, NULL))
        return;
    uv_mutex_lock(&simd.mutex);
    while (!simd.recorded && !simd.ended)
        uv_cond_wait(&simd.changed, &simd.mutex);
    uv_mutex_unlock(&simd.mutex);
}

/* While the port's thread tells of it, the loop waits: it takes the round as one. */
static void tell_round(struct jp_simd *with, void *argument) {
    (void)argument;
    jp_simd_port_tell(with);
    jp_daemon_drain(with->daemon);
}

static void finish_round(struct jp_simd *with, void *argument) {
    (void)argument;
    jp_daemon_drain(with->daemon);
}

/* The barrier: what was in the port, and what comes of it, has been handled when this returns. */
static uint64_t deliver(uint64_t most) {
    uint64_t count = 0;
    while (simd.daemon && count < most) {
        size_t room = most - count < JP_SIMD_ROUND ? (size_t)(most - count) : JP_SIMD_ROUND;
        if (!jp_simd_run(&simd, take_round, &room) || !simd.round_count)
            break;
        count += simd.round_count;
        if (simd.in_step) {
            jp_simd_run(&simd, tell_round, NULL);
        } else {
            jp_simd_port_tell(&simd);
            jp_simd_run(&simd, finish_round, NULL);
        }
        finish_step();
    }
    return count;
}

struct passing {
    uint64_t target_ms;
    bool deliver;
    unsigned again; /* how often the clock has not moved */
    bool there;
    uint64_t wakes; /* moments at which something was due for the daemon */
};

/* Does what is due now, and then, if that is all, passes to the next moment at which something will be. */
static void pass(struct jp_simd *with, void *argument) {
    struct passing *passing = argument;
    jp_sim_pass(with->sim, 0); /* what happens by itself at this moment */
    uint64_t now = jp_sim_now_ms(with->sim), due = with->daemon ? jp_daemon_on_time(with->daemon) : UINT64_MAX, next = due;
    if (jp_sim_next_stir_ms(with->sim) < next)
        next = jp_sim_next_stir_ms(with->sim);
    if (passing->deliver && jp_sim_next_due_ms(with->sim) < next)
        next = jp_sim_next_due_ms(with->sim);
    if (next <= now && ++passing->again < DUE_AGAIN_MAX)
        return;
    next = next <= now ? now + 1 : next;
    next = next > passing->target_ms ? passing->target_ms : next;
    passing->again = 0;
    passing->there = next == now;
    passing->wakes += next == due && next > now;
    jp_sim_pass(with->sim, next - now);
}

static uint64_t advance(uint64_t ms, bool with_messages, uint64_t *ret_wakes) {
    struct passing passing = {.target_ms = jp_sim_now_ms(simd.sim) + ms, .deliver = with_messages};
    uint64_t count = with_messages ? deliver(UINT64_MAX) : 0;
    while (!passing.there && jp_simd_run(&simd, pass, &passing)) {
        finish_step();
        count += with_messages ? deliver(UINT64_MAX) : 0;
    }
    *ret_wakes = passing.wakes;
    return count;
}

static void do_deliver(const cJSON *in, cJSON *out) { jp_json_add_u64(out, "messages", deliver(jp_simd_number(in, "most", UINT64_MAX))); }

static void do_advance(const cJSON *in, cJSON *out) {
    uint64_t wakes;
    jp_json_add_u64(out, "messages", advance(jp_simd_number(in, "ms", 0), !cJSON_IsFalse(cJSON_GetObjectItem(in, "deliver")), &wakes));
    jp_json_add_u64(out, "wakes", wakes);
}

/* --- its end --- */

static void nothing(struct jp_simd *with, void *argument) {
    (void)with;
    (void)argument;
}

/* What ends with the service ends by messages and time, which are ours to give. */
static void stop(const cJSON *in, cJSON *out) {
    (void)in;
    if (!simd.daemon) {
        jp_simd_refuse(out, "it does not run");
        return;
    }
    jp_daemon_stop(simd.daemon);
    uv_mutex_lock(&simd.mutex);
    while (!simd.stopping && !simd.ended)
        uv_cond_wait(&simd.changed, &simd.mutex);
    uv_mutex_unlock(&simd.mutex);
    uint64_t wakes;
    do
        advance(STOP_STEP_MS, true, &wakes);
    while (jp_simd_run(&simd, nothing, NULL));
    wait_for_end();
    thaw_the_dead(out);
}

void jp_simd_die(struct jp_simd *with) {
    jp_sim_crash(with->sim);
    jp_simd_disk_freeze();
    jp_daemon_abandon(with->daemon);
}

static void die(struct jp_simd *with, void *argument) {
    (void)argument;
    jp_simd_die(with);
}

/* While it starts it is not at work yet: then it dies as soon as it is. */
static bool on_death(void *context) {
    struct jp_simd *with = context;
    uv_mutex_lock(&with->mutex);
    bool closes = with->running && !with->at_work;
    with->dies = true;
    if (with->at_work)
        uv_async_send(&with->bell);
    uv_mutex_unlock(&with->mutex);
    if (closes) /* it goes on closing what it has, but what it would still do to processes is not done */
        jp_sim_silence(with->sim);
    return !closes;
}

static bool on_loop(void *context) {
    uv_thread_t self = uv_thread_self();
    return uv_thread_equal(&self, &((struct jp_simd *)context)->thread) != 0;
}

void jp_simd_die_at(struct jp_simd *with, uint64_t writes, bool power_cut, uint64_t seed) {
    struct jp_simd_death death = {.power_cut = power_cut, .seed = seed, .context = with, .tell = on_death, .is_loop = on_loop};
    jp_simd_disk_die_at(writes, &death);
}

/* The kernel closes what the process had, and the disk is kept as it is at that moment; what the daemon's objects do on their way
 * out reaches neither. */
static void crash(const cJSON *in, cJSON *out) {
    (void)in;
    if (!simd.daemon) {
        jp_simd_refuse(out, "it does not run");
        return;
    }
    jp_simd_run(&simd, die, NULL); /* it may be dead already */
    wait_for_end();
    jp_simd_disk_thaw();
}

/* --- reading --- */

static const struct {
    const char *what;
    void (*act)(const cJSON *in, cJSON *out);
} acts[] = {{"start", start}, {"stop", stop}, {"crash", crash}, {"deliver", do_deliver}, {"advance", do_advance}};

static void obey(const cJSON *in, cJSON *out) {
    const char *what = cJSON_GetStringValue(cJSON_GetObjectItem(in, "do"));
    for (size_t i = 0; what && i < sizeof acts / sizeof *acts; i++)
        if (strcmp(acts[i].what, what) == 0) {
            acts[i].act(in, out);
            return;
        }
    if (!what || !jp_simd_order(&simd, what, in, out))
        jp_simd_refuse(out, "no such order: %s", what ? what : "(none)");
}

struct line {
    const char *text;
    size_t length;
    struct jp_json json;
    struct jp_error error;
    jp_status status;
};

static void parse(struct jp_simd *with, void *argument) {
    static const struct jp_json_rules rules = {.max_bytes = 1 << 24, .max_depth = 16};
    struct line *line = argument;
    struct jp_json_place place;
    (void)with;
    line->status = jp_json_parse(line->text, line->length, &rules, &line->json, &place, &line->error);
}

static void answer(FILE *control, const char *order, size_t length) {
    struct line line = {.text = order, .length = length};
    struct jp_str text = {0};
    cJSON *out = cJSON_CreateObject();
    /* On the loop's thread, like all that the daemon parses: cJSON keeps the place of the last error in one variable. */
    if (!jp_simd_run(&simd, parse, &line))
        parse(&simd, &line);
    if (line.status) {
        jp_simd_refuse(out, "%s", line.error.text);
    } else {
        obey(line.json.root, out);
        jp_json_free(&line.json);
    }
    if (!cJSON_GetObjectItem(out, "error"))
        cJSON_AddTrueToObject(out, "ok");
    jp_json_print(out, &text);
    jp_str_putc(&text, '\n');
    fwrite(jp_str_text(&text), 1, text.length, control);
    fflush(control);
    jp_str_free(&text);
    cJSON_Delete(out);
}

static void read_orders(int file) {
    FILE *in = fdopen(file, "r"), *out = fdopen(dup(file), "w");
    char *line = NULL;
    size_t capacity = 0;
    if (!in || !out)
        abort();
    for (ssize_t length; (length = getline(&line, &capacity, in)) > 0;)
        answer(out, line, (size_t)length);
    free(line);
    fclose(in);
    fclose(out);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fputs("usage: jobpoold-sim CONFIG SOCKET [SEED]\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* clients may leave while they are written to; pipes of Windows have no such thing */
    char *folder_end = strrchr(argv[1], '/');
    simd.config_file = argv[1];
    simd.folder = folder_end ? jp_strndup(argv[1], (size_t)(folder_end - argv[1])) : jp_strdup(".");
    simd.sim = jp_sim_new();
    jp_sim_seed(simd.sim, argc > 3 ? strtoull(argv[3], NULL, 10) : 1);
    simd.next_client.who = (struct jp_principal){.user = "SIM\\admin", .session = 1, .admin = true, .elevated = true};
    uv_mutex_init(&simd.mutex);
    uv_cond_init(&simd.changed);
    jp_simd_disk_init();
    jp_simd_platform_init(&simd);
    jp_simd_port_start(&simd);

    read_orders((int)strtol(argv[2], NULL, 10));

    cJSON *out = cJSON_CreateObject();
    stop(NULL, out);
    cJSON_Delete(out);
    jp_simd_port_stop(&simd);
    jp_sim_free(simd.sim);
    uv_cond_destroy(&simd.changed);
    uv_mutex_destroy(&simd.mutex);
    jp_simd_disk_free();
    jp_free(simd.folder);
    jp_free(simd.address);
    return 0;
}
