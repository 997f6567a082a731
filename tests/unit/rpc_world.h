/* The protocol over pools on the simulated kernel: what a client says, and what it gets. */
#ifndef JP_TESTS_RPC_WORLD_H
#define JP_TESTS_RPC_WORLD_H

#include "../sim/client.h"
#include "pool_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Pools "build", for three processes, and "sub" below it. */
struct rpc_world {
    struct pool_world *pool;
    struct jp_rpc *rpc;
    struct jp_sim_client client;
    int reloads; /* the first is good, and those after it are not */
};

int rpc_world_open(void **state);
int rpc_world_close(void **state);
void settle(struct rpc_world *world); /* the kernel's queue, then the disk */

cJSON *take(struct jp_sim_client *client); /* the next line that it got; the caller deletes it */
void expect_silence(struct jp_sim_client *client);
cJSON *call(struct rpc_world *world, const char *method, const char *params); /* what the world's client is answered; the caller deletes it */

/* Deletes the answer, which is an error of this code, with this in its text (NULL: any). */
void expect_error(cJSON *answer, int code, const char *text);
const cJSON *result_of(const cJSON *answer); /* fails the test on an error */
double number_in(const cJSON *object, const char *key);

#define TEST(name) cmocka_unit_test_setup_teardown(name, rpc_world_open, rpc_world_close)

#endif
