/* What one client, and all clients together, may take of the service. Over a bound a request gets an error, or its connection is closed;
 * nobody else notices. */
#ifndef JP_BASE_QUOTAS_H
#define JP_BASE_QUOTAS_H

#include "base/schema.h"

enum jp_quota {
    JP_QUOTA_MESSAGE,
    JP_QUOTA_DEPTH,
    JP_QUOTA_BATCH,
    JP_QUOTA_CONNECTIONS,
    JP_QUOTA_CONNECTIONS_PER_USER,
    JP_QUOTA_IN_FLIGHT,
    JP_QUOTA_SUBSCRIPTIONS,
    JP_QUOTA_JOBS,
    JP_QUOTA_UNREAD,
    JP_QUOTA_STALL,
    JP_QUOTA_FIRST_BYTE,
    JP_QUOTA_IDLE,
    JP_QUOTA_EPHEMERAL_POOLS,
    JP_QUOTA_COUNT
};

/* The config's section `quotas`; service.status shows it in the same words. */
struct jp_quotas {
    uint64_t present;
    uint64_t message_bytes;        /* of a request or a batch */
    uint32_t depth;                /* of nested JSON */
    uint32_t batch;                /* requests in a batch */
    uint32_t connections;          /* in all */
    uint32_t connections_per_user; /* of one account, from the first message of each, which tells whose it is */
    uint32_t in_flight;            /* requests and notifications of a connection that are not done yet */
    uint32_t subscriptions;        /* of a connection */
    uint32_t jobs;                 /* job handles of a connection */
    uint64_t unread_bytes;         /* of answers that a client leaves unread; its further requests wait */
    uint64_t stall_100ns;          /* so long; then it is cut off. Likewise who does not finish a message that it has begun */
    uint64_t first_byte_100ns;     /* from connecting to its first byte */
    uint64_t idle_100ns;           /* without a request or a subscription; 0: any time */
    uint32_t ephemeral_pools;      /* of one account, whichever connections made them */
};
extern const struct jp_field jp_quota_fields[]; /* rows in the order of enum jp_quota */

void jp_quotas_fill(struct jp_quotas *quotas); /* what is not present gets its default */

#endif
