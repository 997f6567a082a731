/* jobpoold-sim: the whole daemon above the simulated kernel. Shared by the files of that program.
 *
 * Three threads, as in the service: main reads orders from the control socket, one at a time; the daemon's thread has the loop;
 * the port's thread puts messages into the daemon's inbox. The kernel belongs to the daemon's thread while there is one, and to
 * main while there is none: orders are carried out there. */
#ifndef JP_SIM_DAEMON_SIM_H
#define JP_SIM_DAEMON_SIM_H

#include "daemon/daemon.h"
#include "kernel.h"

enum { JP_SIMD_ROUND = 512, JP_SIMD_FILES = 4096 };

/* Who the next clients are. */
struct jp_simd_client {
    struct jp_principal who;
    bool nobody;  /* cannot be identified */
    uint32_t pid; /* of the simulated world; 0: unknown */
};

struct jp_simd {
    struct jp_sim *sim;
    struct jp_daemon_platform platform;
    char *config_file, *folder, *address;

    /* the daemon's life: main's only, or under the mutex */
    struct jp_daemon *daemon; /* NULL: none runs */
    uv_thread_t thread;
    uv_mutex_t mutex;
    uv_cond_t changed;
    bool running, ended, stopping; /* has begun to serve; its thread is over; has begun to stop */
    jp_status status;
    struct jp_error error;
    char *faults;

    /* orders for the loop, under the mutex */
    bool at_work; /* `bell` is there */
    void (*order)(struct jp_simd *simd, void *argument);
    void *order_argument;
    bool in_step;  /* nothing goes on beside the orders: a step is over when what comes of it is on the disk */
    bool recorded; /* it is */
    bool dies; /* the process has ended at a write: nothing more is done */
    uv_async_t bell;

    /* clients: the loop's thread, or main without a daemon */
    int listening; /* -1: nobody is */
    uv_poll_t door_poll;
    struct jp_daemon_door door;
    struct jp_simd_client next_client, clients[JP_SIMD_FILES]; /* by file descriptor */

    /* the port's thread, under its mutex */
    uv_thread_t port_thread;
    uv_mutex_t port_mutex;
    uv_cond_t port_changed;
    struct jp_daemon_sinks sinks; /* all zero: the daemon does not listen */
    struct jp_sim_item round[JP_SIMD_ROUND];
    size_t round_count; /* not 0: to be put into the inbox */
    bool port_ends;
    uint64_t packets, lost;
};

/* daemon_platform.c */
void jp_simd_platform_init(struct jp_simd *simd);
void jp_simd_accept(struct jp_simd *simd); /* takes in whoever has connected, as who they are now */
void jp_simd_port_start(struct jp_simd *simd);
void jp_simd_port_stop(struct jp_simd *simd);
void jp_simd_port_tell(struct jp_simd *simd); /* returns when the round is in the inbox */

/* daemon_main.c */
/* Runs `order` where the kernel may be touched, and returns when that is done. False: the daemon ended meanwhile. */
bool jp_simd_run(struct jp_simd *simd, void (*order)(struct jp_simd *simd, void *argument), void *argument);
void jp_simd_die(struct jp_simd *simd); /* on the loop's thread: the process ends here */
/* It will, at that write from now on; see jp_simd_disk_die_at. */
void jp_simd_die_at(struct jp_simd *simd, uint64_t writes, bool power_cut, uint64_t seed);

/* daemon_orders.c */
/* Carries out what `in` asks of the kernel and fills `out`; false: no such order. */
bool jp_simd_order(struct jp_simd *simd, const char *what, const cJSON *in, cJSON *out);
void jp_simd_refuse(cJSON *out, const char *format, ...) JP_PRINTF(2, 3);
uint64_t jp_simd_number(const cJSON *in, const char *name, uint64_t otherwise);

/* daemon_disk.c: SQLite's files, as a process that ends leaves them */
struct jp_simd_death {
    bool power_cut; /* what was not synchronised is lost, or some of it, by `seed` */
    uint64_t seed;
    void *context;
    /* Once, from the thread that writes: the process is to end now. False: it is ending anyway, and only closes what it has. */
    bool (*tell)(void *context);
    bool (*is_loop)(void *context); /* whether the thread is the one that will end it */
};
void jp_simd_disk_init(void); /* before the first database is opened */
void jp_simd_disk_free(void);
void jp_simd_disk_full(bool full);
/* The process dies instead of doing the write (or synchronisation, truncation, removal) of this number, counted from now; 0: it does not. */
void jp_simd_disk_die_at(uint64_t writes, const struct jp_simd_death *death);
bool jp_simd_disk_dead(void);
void jp_simd_disk_freeze(void); /* keeps aside the last opened database as it is between two writes, or was at that one ... */
void jp_simd_disk_thaw(void);   /* ... and puts that back, when nobody has it open any more */

#endif
