/* Shared by the files of this folder. */
#ifndef JP_RPC_RPC_INTERNAL_H
#define JP_RPC_RPC_INTERNAL_H

#include "base/json_out.h"
#include "base/json_view.h"
#include "base/map.h"
#include "job/template.h"
#include "rpc/framing.h"
#include "rpc/rpc.h"

struct jp_call;
struct jp_subscription;
struct jp_shape;

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
    struct jp_principal *principal; /* NULL until its first message */
    uint32_t process_id;            /* the client's, since then; 0: unknown */
    struct jp_framer framer;
    size_t message_at;              /* where the message that is printed begins in what goes out, or the answer in its batch */
    size_t in_batches;              /* bytes of answers that wait for others of their batch */
    struct jp_str waiting;          /* bytes not looked at because the client does not read */
    uint64_t opened_ms, active_ms;  /* active: when it last said something, got an answer, or something was over that it had asked for */
    uint64_t stalled_since_ms;      /* 0: it is not */
    uint64_t midway_since_ms;       /* since when its message is not complete; 0: there is none */
    uint64_t dropped, dropped_told; /* its notifications: see jp__note_dropped; how many the log has been told of */
    uint64_t dropped_told_ms;
    uint64_t finishing_since_ms;    /* closing, but not before it has read why; 0: it is not */
    bool spoke;                     /* a byte has come */
    bool closing;               /* nothing is taken from it, nor said to it, any more */
    bool cut;                   /* and it is not waited for: it has no place any more */
    struct jp_call *first_call; /* not answered yet */
    size_t call_count;
    struct jp_subscription *first_subscription;
    size_t subscription_count;
    uint64_t last_subscription;
    struct jp_job_handle *first_job; /* jobs.h */
    size_t job_count;
    uint64_t last_job;
    bool holds_pools; /* it has made ephemeral ones */
    struct jp_known_rights { /* access.c: what was asked last */
        const struct jp_descriptor *descriptor;
        uint32_t rights;
    } known_rights[8];
    size_t known_count;
    uint64_t known_generation;
};

/* The answers of one batch, sent as one array when the last is there. */
struct jp_batch {
    enum jp_framing framing;
    struct jp_str answers;
    size_t open;
};

/* A request on its way. Answered exactly once, by one of jp__reply_... or jp__refuse, which free it. */
struct jp_call {
    struct jp_rpc *rpc;
    struct jp_rpc_connection *connection; /* NULL once the client is gone: the answer goes nowhere */
    struct jp_call *next, *previous;      /* of the connection */
    struct jp_batch *batch;               /* or NULL */
    enum jp_framing framing;              /* of the question, and so of the answer */
    struct jp_str id;                     /* as it was written; empty: a notification */
    const struct jp_method *method;
    struct jp_pool *pool;                 /* JP_ON_POOL: the one it names, until the handler returns */
    /* For calls that wait: */
    void (*cancel)(struct jp_call *call); /* lets go of what it waits for; the call is freed by who cancels. No connection: the client is gone */
    void *waiting_for;
    struct jp_json_out held_out;
    struct jp_str held;                   /* the result's members, until the answer may go out */
    uint64_t deadline_ms;                 /* 0: none */
    struct jp_call *next_timed, *previous_timed;
    char *text;                           /* the method's own, jp_free'd with the call */
    uint64_t number;                      /* likewise */
    /* For calls that tell how far they are: */
    cJSON *progress_token;                        /* NULL: nobody wants to know */
    void (*tell_progress)(struct jp_call *call);  /* called each second while the call waits; or NULL */
    uint64_t progress_ms;                         /* when next; 0: not at all */
    /* For the audit trail: */
    struct jp_audited {
        bool wanted;
        uint32_t missing_right; /* it was refused for want of this one */
        char *missing_at;       /* at this pool; NULL: at the service */
        char *user, *sid;       /* the caller's, who may be gone when it is answered */
        uint32_t client_pid;
        char *pool;             /* it is about; or NULL */
        uint32_t pid;           /* 0: none */
    } audited;
};

struct jp_rpc {
    struct jp_rpc_setup with;
    struct jp_rpc_connection *first_connection;
    size_t connection_count;
    size_t open_count; /* that are not cut; what one that finishes has not read takes memory, so it keeps its place */
    uint64_t dropped_notifications; /* of all that there ever were */
    struct jp_refusals *refusals; /* audit.c */
    struct jp_str openrpc;        /* the document's members, once somebody has asked for it */
    struct jp_call *first_timed;
    struct jp_call *spare_call;         /* of the last that was answered: its memory */
    struct jp_map methods;              /* by name */
    struct jp_json_out out;             /* of the message that is being written, see jp__reply_begin */
    struct jp_str unheard;              /* what is printed and nobody hears */
    const struct jp_call *carried_out;  /* NULL between calls */
    const void *parameters;             /* its own */
    uint64_t impatient_ms;              /* no client's time is over before; UINT64_MAX: none has a bound */
    struct jp_recent_event *recent; /* see recent.c */
    struct jp_printed *printed;     /* likewise */
    uint64_t newest_seq, delivered_seq; /* the last event that there is, and that is on the disk */
    uint64_t dropped_events;            /* of the accounts, when last looked at */
};

/* dispatch.c: from messages to calls */
void jp__receive_message(struct jp_rpc_connection *connection, const char *text, size_t length);

/* calls.c: from calls to answers */
struct jp_call *jp__call_new(struct jp_rpc_connection *connection, struct jp_batch *batch, struct jp_json_span id); /* its text; empty: a notification */
void jp__calls_free(struct jp_rpc *rpc);
/* An answer, written as it goes out: the result's members are put between these two, and nothing happens there that could tell anybody
 * anything (an event, another answer). */
struct jp_json_out *jp__reply_begin(struct jp_call *call);
void jp__reply_end(struct jp_call *call);
/* One that is kept until it is complete: the result's members are put, and then it goes out, at once or when all that was recorded so far is
 * on the disk. In between the call may also be refused. */
struct jp_json_out *jp__reply_hold(struct jp_call *call);
void jp__reply_held(struct jp_call *call);
void jp__reply_when_durable(struct jp_call *call);
void jp__refuse(struct jp_call *call, const struct jp_error *error);
void jp__refuse_with(struct jp_call *call, const struct jp_error *error, cJSON *data); /* takes more members for `data` */
/* For answers as long as JP_RPC_MAX_ANSWER, before one is begun: true with the call refused, where more than `quotas.unread` waits for its client
 * already. A request that is not read while that is so waits itself; one that is on its way by then, or behind others in a batch, cannot. */
bool jp__refuse_unread(struct jp_call *call);
jp_status jp__check_unread(const struct jp_rpc_connection *connection, struct jp_error *error); /* the same, without refusing */
void jp__call_set_deadline(struct jp_call *call, uint64_t deadline_ms);
/* Calls `tell` now and each second while the call waits, if its caller wants to know; it calls jp__progress. */
void jp__call_tell_progress(struct jp_call *call, void (*tell)(struct jp_call *call));
void jp__call_abandon(struct jp_call *call); /* the client is gone */
void jp__put_error(struct jp_json_out *out, const struct jp_error *error, const cJSON *more_data); /* more members for `data`, or NULL */
void jp__send_error(struct jp_rpc_connection *connection, const struct jp_error *error); /* with id null: to no request */
void jp__progress(struct jp_call *call, cJSON *value); /* takes the value; nothing happens where nobody wants to know */

bool jp__given(const struct jp_call *call, uint64_t present, const char *key); /* whether the caller passed this parameter */

/* connection.c */
/* One message, printed where it goes out from. Nothing else is sent in between. */
struct jp_str *jp__begin_message(struct jp_rpc_connection *connection);
void jp__end_message(struct jp_rpc_connection *connection, enum jp_framing framing);
struct jp_json_out *jp__notification_begin(struct jp_rpc_connection *connection, const char *method); /* the same: its parameters' members */
void jp__notification_end(struct jp_rpc_connection *connection, enum jp_framing framing);
void jp__note_active(struct jp_rpc_connection *connection); /* it is not idle: its time begins anew */
/* A notification of this method was not carried out, because of a bound. Nobody answers it, so it is counted, and the log is told, but not each time. */
void jp__note_dropped(struct jp_rpc_connection *connection, const struct jp_method *method);
void jp__finish(struct jp_rpc_connection *connection); /* it is closed when it has taken what was sent */
bool jp__may_stay(struct jp_rpc_connection *connection, struct jp_error *error); /* it is known whose it is: one of too many? */

/* access.c: who may do what. Whatever a caller may not view does not exist for it. */
uint32_t jp__rights(struct jp_rpc_connection *connection, const struct jp_pool *pool); /* NULL: the service */
/* By name. "" is the service. What a pool that is gone has left is for the service's admins: who might view it, nobody knows any more. But of
 * an ephemeral one it is known for a while who made it. */
bool jp__may_view(struct jp_rpc_connection *connection, const char *pool);
bool jp__made_and_gone(const struct jp_rpc_connection *connection, const char *pool); /* an ephemeral one of the caller's, not long ago */
/* Notes for the audit trail what the call is refused for. `pool` NULL: the service. */
void jp__note_missing(struct jp_call *call, const struct jp_pool *pool, uint32_t right);
/* JP_E_DENIED, and noted for the audit trail, if a right is missing. */
jp_status jp__need(struct jp_call *call, const struct jp_pool *pool, uint32_t right, struct jp_error *error);
/* Limits that Windows gives only to who has SeIncreaseBasePriorityPrivilege, which the service has and its callers may not: of `wanted`, what
 * is not so already. For the service's admins. */
jp_status jp__need_for_limits(struct jp_call *call, const struct jp_limits *wanted, const struct jp_limits *now, struct jp_error *error);
struct jp_pool *jp__find_pool(struct jp_call *call, const char *name, struct jp_error *error); /* NULL: there is none to be viewed */
/* Restricts a query to what the caller may view. `asked` is what it asked for (none: all). The names are the caller's to free with
 * jp_strings_free. False with the call refused: it asked for a pool that it may not view. */
bool jp__viewable(struct jp_call *call, const struct jp_strings *asked, struct jp_strings *ret_pools, const struct jp_strings **ret_filter);
/* What others' processes may have in their command lines is not everybody's business. */
bool jp__may_see_secrets(struct jp_rpc_connection *connection, const struct jp_process_record *record);
/* As its caller may see it. */
void jp__put_process_for(struct jp_json_out *out, struct jp_rpc_connection *connection, const struct jp_process_record *record);

/* audit.c: the audit trail */
void jp__audit_begin(struct jp_call *call); /* notes who, and what it is about */
void jp__audit_end(struct jp_call *call, const struct jp_error *error); /* error NULL: it was done; once a call */
uint64_t jp__audit_on_time(struct jp_rpc *rpc, uint64_t now_ms);
void jp__audit_free(struct jp_rpc *rpc);
uint64_t jp__connections_on_time(struct jp_rpc *rpc, uint64_t now_ms);

/* recent.c */
const struct jp_event *jp__recent_find(struct jp_rpc *rpc, uint64_t seq); /* NULL: not there any more */
void jp__recent_add(struct jp_rpc *rpc, const struct jp_event *event);
void jp__recent_forget(struct jp_rpc *rpc, uint64_t from_seq, uint64_t to_seq);
/* What all subscriptions are sent is printed once: from a begin on, each event when the first wants it. */
void jp__printed_begin(struct jp_rpc *rpc);
void jp__put_event_once(struct jp_json_out *out, struct jp_rpc *rpc, const struct jp_event *event);
void jp__recent_free(struct jp_rpc *rpc);

/* subscriptions.c */
struct jp__wanted { /* is copied */
    struct jp_strings pools, messages, origins; /* none: all */
    uint32_t pid; /* 0: all */
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
/* These put members into the object that is begun: */
void jp__put_event(struct jp_json_out *out, const struct jp_event *event);
void jp__put_process(struct jp_json_out *out, const struct jp_process_record *record);
/* As its caller may see it: other pools are named where they may be viewed. */
void jp__put_pool_row(struct jp_json_out *out, struct jp_rpc_connection *connection, const struct jp_pool *pool, uint32_t rights);
void jp__put_pool(struct jp_json_out *out, struct jp_rpc_connection *connection, struct jp_pool *pool);
/* Of the pool with those below it, as of a look. */
void jp__put_pool_usage(struct jp_json_out *out, struct jp_rpc_connection *connection, const struct jp_pool_usage *usage);
void jp__put_sampling(struct jp_json_out *out, struct jp_rpc *rpc);
void jp__put_summary(struct jp_json_out *out, const struct jp_summary *summary);
void jp__put_sums(struct jp_json_out *out, const struct jp_summary *summary); /* without whose they are, and what was not seen */
void jp__put_counters(struct jp_json_out *out, struct jp_rpc *rpc, const struct jp_counters *counters, int64_t since_100ns);
void jp__put_capabilities(struct jp_json_out *out, const struct jp_capabilities *capabilities);
/* And these a list: */
void jp__put_rights(struct jp_json_out *out, const char *key, uint32_t rights); /* their names */
void jp__put_names(struct jp_json_out *out, const char *key, const struct jp_strings *names);

/* Who is calling: an account's name, the connection's. */
const char *jp__caller(const struct jp_call *call);

/* Handlers and parameters of methods_*.c, for the table. */
#define JP_METHOD(name) void jp__on_##name(struct jp_call *call, const void *parameters)
JP_METHOD(rpc_discover);
JP_METHOD(service_ping);
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
JP_METHOD(pool_usage);
JP_METHOD(process_get);
JP_METHOD(process_terminate);
JP_METHOD(events_subscribe);
JP_METHOD(events_unsubscribe);
JP_METHOD(events_query);
JP_METHOD(accounting_summary);
JP_METHOD(accounting_processes);
JP_METHOD(accounting_purge);
JP_METHOD(accounting_report);
JP_METHOD(accounting_series);
JP_METHOD(accounting_reset);
JP_METHOD(accounting_audit);
JP_METHOD(rpc_cancel);
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
    bool ephemeral;
    uint32_t pid;
    uint32_t exit_code;
    struct jp_pool_spec spec;
};
struct jp_usage_parameters {
    uint64_t present;
    char *pool, *processes_of;
};
struct jp_process_parameters {
    uint64_t present;
    char *pool;
    cJSON *progress_token;
    uint32_t pid;
    uint64_t start_100ns;
    uint32_t exit_code;
    uint64_t timeout_100ns;
    bool held;
};
struct jp_launch_parameters {
    uint64_t present;
    char *pool;
    char *template;
    struct jp_strings argv;
    char *command;
    char *cwd;
    struct jp_strings env;
    struct jp_launch_files files;
    uint64_t timeout_100ns;
    bool durable;
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
    struct jp_strings pools, messages, origins;
    char *pool, *from, *to, *ending;
    uint64_t from_seq, after_id, start_100ns, subscription;
    uint32_t pid, limit;
    bool newest, durable, each;
};

/* Of a query that names so many pools. */
struct jp_folding jp__folding(bool each, size_t asked);

struct jp_audit_parameters {
    uint64_t present;
    char *pool, *user, *method, *from, *to;
    uint64_t after_id;
    uint32_t limit;
    bool denied, newest;
};

struct jp_report_parameters {
    uint64_t present;
    uint32_t by, top;
    struct jp_strings pools;
    char *user, *image, *ending, *from, *to;
    cJSON *progress_token;
    bool each;
};

struct jp_series_parameters {
    uint64_t present;
    struct jp_strings pools;
    char *from, *to;
    uint32_t points;
    bool each;
};

struct jp_cancel_parameters {
    uint64_t present;
    cJSON *id;
};

struct jp_purge_parameters {
    uint64_t present;
    char *pool, *before;
    uint64_t older_than_100ns;
    bool processes, events;
};

#endif
