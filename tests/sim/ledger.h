/* Accounts in memory: what was recorded, to be looked at by a test; a disk that commits when the test says so. */
#ifndef JP_SIM_LEDGER_H
#define JP_SIM_LEDGER_H

#include "pool/accounts.h"

struct jp_ledger;

struct jp_ledger *jp_ledger_new(void);
void jp_ledger_free(struct jp_ledger *ledger);
struct jp_accounts *jp_ledger_accounts(struct jp_ledger *ledger);

/* Commits what was recorded, tells those who wait, and answers the queries. Returns the last committed seq. */
uint64_t jp_ledger_commit(struct jp_ledger *ledger);
void jp_ledger_renew(struct jp_ledger *ledger); /* the database is a new one: nothing of what was recorded is in it */
void jp_ledger_break(struct jp_ledger *ledger, bool broken); /* a disk that cannot be written */

size_t jp_ledger_process_count(const struct jp_ledger *ledger);
const struct jp_process_record *jp_ledger_process(const struct jp_ledger *ledger, size_t i); /* by id, rising */
/* The row of the pid; with several, the newest. NULL: none. */
const struct jp_process_record *jp_ledger_find(const struct jp_ledger *ledger, uint32_t pid);

size_t jp_ledger_event_count(const struct jp_ledger *ledger);
const struct jp_event *jp_ledger_event(const struct jp_ledger *ledger, size_t i);
/* How many events there are of this message (whole name), pool and pid; NULL and 0 mean any. */
size_t jp_ledger_count(const struct jp_ledger *ledger, const char *message, const char *pool, uint32_t pid);
const struct jp_event *jp_ledger_last(const struct jp_ledger *ledger, const char *message);

size_t jp_ledger_unobserved_count(const struct jp_ledger *ledger);
const struct jp_unobserved_record *jp_ledger_unobserved(const struct jp_ledger *ledger, size_t i);
size_t jp_ledger_reset_count(const struct jp_ledger *ledger);
const struct jp_reset_record *jp_ledger_reset(const struct jp_ledger *ledger, size_t i);
size_t jp_ledger_pool_records(const struct jp_ledger *ledger); /* how often a pool was recorded */
size_t jp_ledger_audit_count(const struct jp_ledger *ledger);
const struct jp_audit_record *jp_ledger_audit(const struct jp_ledger *ledger, size_t i);
uint32_t jp_ledger_keeper(const struct jp_ledger *ledger); /* its pid; 0: none */
struct jp_accounts_state *jp_ledger_state(struct jp_ledger *ledger); /* to be changed: what is told, but for committed_seq */
const struct jp_purge_filter *jp_ledger_purge(const struct jp_ledger *ledger); /* the last that was asked for */

/* What a next run would find: running rows, persisted and frozen pools. The caller clears it, and says whether the last run ended in
 * order. */
void jp_ledger_start(const struct jp_ledger *ledger, struct jp_accounts_start *ret_start);

#endif
