/* The libuv glue natively: the log file, the inbox between threads, connections over a socket pair. */
#include "loop/inbox.h"
#include "loop/logfile.h"
#include "loop/server.h"
#include "pool_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* --- the log file --- */

static char *read_whole(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    struct jp_str text = {0};
    char block[4096];
    for (size_t length; (length = fread(block, 1, sizeof block, file)) > 0;)
        jp_str_add(&text, block, length);
    fclose(file);
    return jp_str_take(&text);
}

static void a_log_that_grows_is_put_aside(void **state) {
    (void)state;
    char folder[] = "/tmp/jobpool-log-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *path = jp_sprintf("%s/jobpool.log", folder);
    struct jp_logfile logfile;
    struct jp_error error;
    assert_int_equal(jp_logfile_open(&logfile, path, 200, 2, &error), JP_OK);
    struct jp_log log = {.level = JP_LOG_INFO, .write = jp_logfile_write, .sink = &logfile};
    for (int i = 0; i < 12; i++)
        jp_log(&log, i % 2 ? JP_LOG_INFO : JP_LOG_ERROR, "line %d with a\nbreak", i);
    jp_log(&log, JP_LOG_DEBUG, "not written");
    jp_logfile_close(&logfile);
    for (int i = 0; i <= 3; i++) {
        char *name = i ? jp_sprintf("%s.%d", path, i) : jp_strdup(path);
        char *text = read_whole(name);
        if (i == 3) {
            assert_null(text); /* two are kept */
        } else {
            assert_non_null(text);
            assert_true(strlen(text) <= 200);
            assert_non_null(strstr(text, "with a\\x0Abreak\n"));
            assert_null(strstr(text, "not written"));
            unlink(name);
        }
        jp_free(text);
        jp_free(name);
    }
    jp_free(path);
    rmdir(folder);
    assert_int_equal(jp_logfile_open(&logfile, "/nowhere/at/all/x.log", 200, 2, &error), JP_E_SYSTEM);
    assert_non_null(strstr(error.text, "/nowhere/at/all/x.log"));
}

/* --- the inbox --- */

struct sums {
    uint64_t next, received;
    int overflows;
};

static void on_numbers(void *context, const void *items, size_t count, bool overflowed) {
    struct sums *sums = context;
    const uint64_t *numbers = items;
    sums->overflows += overflowed;
    for (size_t i = 0; i < count; i++) {
        assert_true(numbers[i] >= sums->next); /* in order; refused ones are missing */
        sums->next = numbers[i] + 1;
        sums->received++;
    }
}

struct pusher {
    struct jp_inbox *inbox;
    uint64_t taken;
};

static void push_many(void *context) {
    struct pusher *pusher = context;
    for (uint64_t i = 0; i < 200000; i++)
        pusher->taken += jp_inbox_push(pusher->inbox, &i, 1, false);
}

static void an_inbox_keeps_order_and_tells_of_overflow(void **state) {
    (void)state;
    uv_loop_t loop;
    struct jp_inbox inbox;
    struct jp_error error;
    struct sums sums = {0};
    struct pusher pusher = {.inbox = &inbox};
    uv_thread_t thread;
    uv_loop_init(&loop);
    assert_int_equal(jp_inbox_open(&inbox, &loop, sizeof(uint64_t), 1000, on_numbers, &sums, &error), JP_OK);
    uv_thread_create(&thread, push_many, &pusher);
    for (int i = 0; i < 50; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    uv_thread_join(&thread);
    jp_inbox_drain(&inbox);
    assert_int_equal(sums.received, pusher.taken);
    assert_true(sums.overflows > 0 || pusher.taken == 200000);
    uint64_t forced[3] = {UINT64_C(1) << 40, (UINT64_C(1) << 40) + 1, (UINT64_C(1) << 40) + 2};
    assert_int_equal(jp_inbox_push(&inbox, forced, 3, true), 3);
    jp_inbox_drain(&inbox);
    jp_inbox_close(&inbox);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(sums.next, (UINT64_C(1) << 40) + 3);
}

/* --- connections --- */

static jp_status identify(uv_os_fd_t handle, struct jp_principal **ret_principal, struct jp_error *error) {
    static int somebody;
    (void)handle;
    (void)error;
    *ret_principal = (struct jp_principal *)(void *)&somebody;
    return JP_OK;
}
static void principal_free(struct jp_principal *principal) { (void)principal; }
static const char *principal_name(const struct jp_principal *principal) {
    (void)principal;
    return "SIM\\admin";
}
static const char *principal_sid(const struct jp_principal *principal) {
    (void)principal;
    return "S-1-5-21-1-2-3-500";
}
static uint32_t process_id(uv_os_fd_t handle) {
    (void)handle;
    return 4711;
}
static int64_t now_100ns(void *context) { return jp_sim_now_100ns(((struct pool_world *)context)->sim); }
static uint64_t now_ms(void *context) { return jp_sim_now_ms(((struct pool_world *)context)->sim); }
static void add_status(void *context, cJSON *status) {
    (void)context;
    (void)status;
}

static void turn(uv_loop_t *loop) {
    for (int i = 0; i < 20; i++)
        uv_run(loop, UV_RUN_NOWAIT);
}

static void expect_line(int file, const char *text) {
    char line[4096] = {0};
    ssize_t length = read(file, line, sizeof line - 1);
    assert_true(length > 0);
    if (!strstr(line, text))
        fail_msg("\"%s\" is not in %s", text, line);
}

static void connections_are_served_bounded_and_closed(void **state) {
    struct pool_world *world = *state;
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct jp_rpc_setup setup = {.pools = world->pools, .accounts = jp_ledger_accounts(world->ledger), .backend = jp_sim_backend(world->sim),
                                 .program = {.add_status = add_status}, .clock_context = world, .now_ms = now_ms, .now_100ns = now_100ns,
                                 .quotas = {.present = JP_SCHEMA_BIT(JP_QUOTA_CONNECTIONS), .connections = 2}};
    struct jp_rpc *rpc = jp_rpc_new(&setup, 0);
    static const struct jp_identity identity = {.identify = identify, .principal_free = principal_free, .principal_name = principal_name,
                                                .principal_sid = principal_sid, .process_id = process_id};
    struct jp_server_options options = {.loop = &loop, .rpc = rpc, .identity = &identity};
    struct jp_server *server = jp_server_new(&options);
    static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pool.list\"}\n";
    int ends[4][2];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(uv_socketpair(SOCK_STREAM, 0, ends[i], UV_NONBLOCK_PIPE, 0), 0);
        jp_server_take(server, ends[i][0]);
        turn(&loop);
        if (i == 1)
            continue; /* who has sent no message makes room */
        ssize_t written = send(ends[i][1], request, sizeof request - 1, MSG_NOSIGNAL); /* the last may be closed already */
        (void)written;
        turn(&loop);
        expect_line(ends[i][1], i < 3 ? "\"result\"" : "as many connections as it takes"); /* one too many, and nobody is silent */
    }
    assert_int_equal(read(ends[1][1], &loop, 1), 0);
    close(ends[1][1]);
    assert_int_equal(jp_rpc_connection_count(rpc), 2);
    assert_int_equal(write(ends[0][1], request, 20), 20);
    turn(&loop);
    assert_int_equal(write(ends[0][1], request + 20, sizeof request - 1 - 20), (ssize_t)sizeof request - 1 - 20);
    turn(&loop);
    expect_line(ends[0][1], "\"result\"");
    close(ends[0][1]); /* vanishes */
    turn(&loop);
    assert_int_equal(jp_rpc_connection_count(rpc), 1);
    jp_server_stop(server);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(jp_rpc_connection_count(rpc), 0);
    assert_int_equal(read(ends[2][1], &loop, 1), 0);
    close(ends[2][1]);
    close(ends[3][1]);
    jp_server_free(server);
    jp_rpc_free(rpc);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_that_grows_is_put_aside),
        cmocka_unit_test(an_inbox_keeps_order_and_tells_of_overflow),
        cmocka_unit_test_setup_teardown(connections_are_served_bounded_and_closed, pool_world_open, pool_world_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
