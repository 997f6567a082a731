/* Owns the table of quotas and their defaults. */
#include "base/quotas.h"

#include "base/units.h"

#include <stddef.h>

#define DAY_100NS (UINT64_C(86400) * JP_100NS_PER_S)
#define QUOTA(member) .offset = offsetof(struct jp_quotas, member)

const struct jp_field jp_quota_fields[] = {
    [JP_QUOTA_MESSAGE] = {.key = "message", .type = JP_FIELD_BYTES, QUOTA(message_bytes), .min = 1024, .max = 64 << 20,
                          .documentation = "Size of a request, or of a batch. Default 1MiB."},
    [JP_QUOTA_DEPTH] = {.key = "depth", .type = JP_FIELD_U32, QUOTA(depth), .min = 8, .max = 256,
                        .documentation = "How deep its JSON may be nested. Default 64."},
    [JP_QUOTA_BATCH] = {.key = "batch", .type = JP_FIELD_U32, QUOTA(batch), .min = 1, .max = 10000,
                        .documentation = "Requests in a batch. Default 100."},
    [JP_QUOTA_CONNECTIONS] = {.key = "connections", .type = JP_FIELD_U32, QUOTA(connections), .min = 1, .max = 1000,
                              .documentation = "Connections at a time, in all. Default 256."},
    [JP_QUOTA_CONNECTIONS_PER_USER] = {.key = "connections_per_user", .type = JP_FIELD_U32, QUOTA(connections_per_user), .min = 1, .max = 1000,
                                       .documentation = "Connections at a time of one account. Default 32."},
    [JP_QUOTA_IN_FLIGHT] = {.key = "in_flight", .type = JP_FIELD_U32, QUOTA(in_flight), .min = 1, .max = 10000,
                            .documentation = "Requests and notifications of a connection that are not done yet. Default 64."},
    [JP_QUOTA_SUBSCRIPTIONS] = {.key = "subscriptions", .type = JP_FIELD_U32, QUOTA(subscriptions), .min = 1, .max = 1000,
                                .documentation = "Subscriptions of a connection. Default 16."},
    [JP_QUOTA_JOBS] = {.key = "jobs", .type = JP_FIELD_U32, QUOTA(jobs), .min = 1, .max = 1000,
                       .documentation = "Job handles of a connection. Default 64."},
    [JP_QUOTA_UNREAD] = {.key = "unread", .type = JP_FIELD_BYTES, QUOTA(unread_bytes), .min = 64 << 10, .max = 1 << 30,
                         .documentation = "Answers that a client leaves unread; its further requests wait; long answers that cannot are refused. Default 4MiB."},
    [JP_QUOTA_STALL] = {.key = "stall", .type = JP_FIELD_DURATION, QUOTA(stall_100ns), .min = JP_100NS_PER_S, .max = DAY_100NS,
                        .documentation = "How long it may leave that much unread, or a message unfinished, before it is cut off. Default 60s."},
    [JP_QUOTA_FIRST_BYTE] = {.key = "first_byte", .type = JP_FIELD_DURATION, QUOTA(first_byte_100ns), .min = JP_100NS_PER_S / 10, .max = DAY_100NS,
                             .documentation = "From connecting to the first byte. Default 10s."},
    [JP_QUOTA_IDLE] = {.key = "idle", .type = JP_FIELD_DURATION, QUOTA(idle_100ns), .max = DAY_100NS,
                       .documentation = "A connection without requests and subscriptions is closed after so long. Default 0s: never."},
    [JP_QUOTA_EPHEMERAL_POOLS] = {.key = "ephemeral_pools", .type = JP_FIELD_U32, QUOTA(ephemeral_pools), .max = 10000,
                                  .documentation = "Ephemeral pools of one account at a time. Default 100; 0: nobody makes any."},
    {0}};

void jp_quotas_fill(struct jp_quotas *quotas) {
    struct jp_quotas full = {
        .message_bytes = 1 << 20, .depth = 64, .batch = 100, .connections = 256, .connections_per_user = 32, .in_flight = 64,
        .subscriptions = 16, .jobs = 64, .unread_bytes = 4 << 20, .stall_100ns = UINT64_C(60) * JP_100NS_PER_S,
        .first_byte_100ns = UINT64_C(10) * JP_100NS_PER_S, .ephemeral_pools = 100,
    };
    full.present = (UINT64_C(1) << JP_QUOTA_COUNT) - 1;
    jp_schema_merge(jp_quota_fields, &full, quotas);
    *quotas = full;
}
