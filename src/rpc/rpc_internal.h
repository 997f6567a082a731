/* Shared by the files of this folder. */
#ifndef JP_RPC_RPC_INTERNAL_H
#define JP_RPC_RPC_INTERNAL_H

#include "job/template.h"
#include "rpc/rpc.h"

struct jp_call;
struct jp_subscription;

/* Where the caller needs a method's right. */
enum jp_scope {
    JP_ON_SERVICE,
    JP_ON_POOL,  /* the one that the parameter `pool` names; its struct begins as struct jp_pool_parameters does */
    JP_ON_FOUND, /* the handler asks (access.c), once it knows which pool it is about */
};

/* A request and its answer, both as JSON texts. In the documentation, and run against the service by a test, which puts real process
 * ids and times in the place of these. */
struct jp_example {
    const char *title, *params, *result; /* params NULL: none */
};

/* A method is a row: dispatch, checks and documentation read the same one. */
struct jp_method {
    const char *name;
    void (*handle)(struct jp_call *call, const void *parameters);
    uint32_t right; /* enum jp_right; 0: who is connected may */
    enum jp_scope scope;
    bool changes; /* something: it is in the audit trail */
    const struct jp_field *fields;     /* of the parameters' struct, ends with a NULL key */
    size_t size;                       /* of that struct */
    const struct jp_field *more_fields; /* keys that stand beside `fields` but fill the struct at `more_offset`; or NULL */
    size_t more_offset;
    const char *summary;
    const char *description;            /* more sentences, or NULL */
    const struct jp_shape *result;      /* shapes.h */
    const jp_status *errors;            /* beside those that every method can have; ends with JP_OK; or NULL */
    const struct jp_example *examples;  /* ends with a NULL title */
    const char *deprecated;             /* since when, and what to use instead; NULL: it is not */
};

extern const struct jp_method jp__methods[]; /* ends with a NULL name */

struct jp_rpc_connection {
    struct jp_rpc *rpc;
    struct jp_peer *peer;
    struct jp_rpc_connection *next, *previous;
    struct jp_principal *principal; /* NULL until its first request */
    struct jp_str input;            /* of the line that is not complete */
    bool discarding;                /* the line is over the bound: its rest is not kept */
    struct jp_str waiting;          /* bytes not looked at because the client does not read */
    uint64_t stalled_since_ms;      /* 0: it is not */
    bool closing;
    struct jp_call *first_call; /* not answered yet */
    size_t call_count;
    struct jp_subscription *first_subscription;
    size_t subscription_count;
    uint64_t last_subscription;
    struct jp_job_handle *first_job; /* jobs.h */
    size_t job_count;
    uint64_t last_job;
};

/* The answers of one batch, sent as one array when the last is there. */
struct jp_batch {
    struct jp_str answers;
    size_t open;
};

/* A request on its way. Answered exactly once, by jp__reply or jp__refuse, which free it. */
struct jp_call {
    struct jp_rpc *rpc;
    struct jp_rpc_connection *connection; /* NULL once the client is gone: the answer goes nowhere */
    struct jp_call *next, *previous;      /* of the connection */
    struct jp_batch *batch;               /* or NULL */
    cJSON *id;                            /* NULL: a notification */
    const struct jp_method *method;
    /* For calls that wait: */
    void (*cancel)(struct jp_call *call); /* lets go of what it waits for; the call is freed by who cancels */
    void *waiting_for;
    uint64_t deadline_ms;                 /* 0: none */
    struct jp_call *next_timed, *previous_timed;
    char *text;                           /* the method's own, jp_free'd with the call */
    uint64_t number;                      /* likewise */
};

struct jp_rpc {
    struct jp_rpc_setup with;
    struct jp_rpc_connection *first_connection;
    size_t connection_count;
    struct jp_call *first_timed;
    struct jp_recent_event *recent; /* see recent.c */
    uint64_t newest_seq, delivered_seq; /* the last event that there is, and that is on the disk */
    uint64_t dropped_events;            /* of the accounts, when last looked at */
};

/* dispatch.c */
void jp__receive_message(struct jp_rpc_connection *connection, const char *text, size_t length);
void jp__reply(struct jp_call *call, cJSON *result); /* takes the result */
void jp__reply_when_durable(struct jp_call *call, cJSON *result); /* when all that was recorded so far is on the disk */
void jp__refuse(struct jp_call *call, const struct jp_error *error);
void jp__refuse_with(struct jp_call *call, const struct jp_error *error, cJSON *data); /* takes more members for `data` */
void jp__call_set_deadline(struct jp_call *call, uint64_t deadline_ms);
void jp__call_abandon(struct jp_call *call); /* the client is gone */
cJSON *jp__render_error(const struct jp_error *error, cJSON *more_data); /* takes more members for `data`, or NULL */
void jp__send_error(struct jp_rpc_connection *connection, const struct jp_error *error); /* with id null: to no request */

bool jp__given(const struct jp_call *call, uint64_t present, const char *key); /* whether the caller passed this parameter */

/* connection.c */
void jp__send(struct jp_rpc_connection *connection, struct jp_str *line); /* one message; its end of line is added, its text freed */
uint64_t jp__connections_on_time(struct jp_rpc *rpc, uint64_t now_ms);

/* recent.c */
const struct jp_event *jp__recent_find(struct jp_rpc *rpc, uint64_t seq); /* NULL: not there any more */
void jp__recent_add(struct jp_rpc *rpc, const struct jp_event *event);
void jp__recent_forget(struct jp_rpc *rpc, uint64_t from_seq, uint64_t to_seq);
void jp__recent_free(struct jp_rpc *rpc);

/* subscriptions.c */
struct jp__wanted { /* is copied */
    struct jp_strings pools, messages; /* none: all */
    bool durable;
    bool from_past; /* from `from_seq` on; else from now on */
    uint64_t from_seq;
};
void jp__subscribe(struct jp_rpc_connection *connection, const struct jp__wanted *wanted); /* its id: the connection's last_subscription */
bool jp__unsubscribe(struct jp_rpc_connection *connection, uint64_t id);
void jp__subscriptions_closed(struct jp_rpc_connection *connection);
void jp__subscriptions_drained(struct jp_rpc_connection *connection);

/* jobs.c */
void jp__jobs_closed(struct jp_rpc_connection *connection);

/* render.c */
void jp__add_start_time(cJSON *object, int64_t start_100ns);
cJSON *jp__render_event(const struct jp_event *event);
cJSON *jp__render_process(const struct jp_process_record *record);
cJSON *jp__render_pool_row(const struct jp_pool *pool);
cJSON *jp__render_pool(struct jp_rpc *rpc, struct jp_pool *pool);
cJSON *jp__render_sampling(struct jp_rpc *rpc);
cJSON *jp__render_summary(const struct jp_summary *summary);
cJSON *jp__render_counters(struct jp_rpc *rpc, const struct jp_counters *counters, int64_t since_100ns);
cJSON *jp__render_names(const struct jp_strings *names);
cJSON *jp__render_capabilities(const struct jp_capabilities *capabilities);

/* Who is calling: an account's name, the connection's. */
const char *jp__caller(const struct jp_call *call);

/* The pool that a parameter names, or NULL with the call refused. */
struct jp_pool *jp__find_pool(struct jp_call *call, const char *name);

/* Handlers and parameters of methods_*.c, for the table. */
#define JP_METHOD(name) void jp__on_##name(struct jp_call *call, const void *parameters)
JP_METHOD(service_status);
JP_METHOD(service_capabilities);
JP_METHOD(service_reload);
JP_METHOD(pool_list);
JP_METHOD(pool_get);
JP_METHOD(pool_create);
JP_METHOD(pool_update);
JP_METHOD(pool_delete);
JP_METHOD(pool_assign);
JP_METHOD(pool_launch);
JP_METHOD(pool_processes);
JP_METHOD(pool_terminate);
JP_METHOD(pool_wait);
JP_METHOD(pool_freeze);
JP_METHOD(pool_thaw);
JP_METHOD(pool_match);
JP_METHOD(process_get);
JP_METHOD(process_terminate);
JP_METHOD(events_subscribe);
JP_METHOD(events_unsubscribe);
JP_METHOD(events_query);
JP_METHOD(accounting_summary);
JP_METHOD(accounting_processes);
JP_METHOD(accounting_purge);
JP_METHOD(accounting_reset);
JP_METHOD(job_create);
JP_METHOD(job_open);
JP_METHOD(job_close);
JP_METHOD(job_assign_process);
JP_METHOD(job_is_process_in_job);
JP_METHOD(job_query_information);
JP_METHOD(job_set_information);
JP_METHOD(job_terminate);
JP_METHOD(job_grant_user_handle);

struct jp_no_parameters {
    uint64_t present;
};
struct jp_pool_parameters { /* every method that names a pool begins with these */
    uint64_t present;
    char *pool;
    bool flag; /* persist, terminate, recursive, keep, apply */
    uint32_t pid;
    uint32_t exit_code;
    struct jp_pool_spec spec;
};
struct jp_process_parameters {
    uint64_t present;
    char *pool;
    uint32_t pid;
    uint64_t start_100ns;
    uint32_t exit_code;
    uint64_t timeout_100ns;
};
struct jp_launch_parameters {
    uint64_t present;
    char *pool;
    struct jp_strings argv;
    char *command;
    char *cwd;
    struct jp_strings env;
    struct jp_launch_files files;
    uint64_t timeout_100ns;
};
struct jp_job_parameters {
    uint64_t present;
    char *job; /* NULL: null */
    char *name, *security;
    uint32_t access, class, pid, exit_code;
    bool inherit, grant;
    uint64_t start_100ns, handle;
    cJSON *info;
};
struct jp_record_parameters { /* of queries and subscriptions */
    uint64_t present;
    struct jp_strings pools, messages;
    char *pool, *from, *to, *ending;
    uint64_t from_seq, after_id, start_100ns, subscription;
    uint32_t pid, limit;
    bool newest, durable;
};

struct jp_purge_parameters {
    uint64_t present;
    char *pool, *before;
    uint64_t older_than_100ns;
    bool processes, events;
};

#endif
