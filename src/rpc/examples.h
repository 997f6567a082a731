/* Examples of the methods, for the table. */
#ifndef JP_RPC_EXAMPLES_H
#define JP_RPC_EXAMPLES_H

#include "rpc/rpc_internal.h"

extern const struct jp_example jp__examples_rpc_discover[], jp__examples_service_ping[], jp__examples_service_status[], jp__examples_service_capabilities[],
    jp__examples_service_reload[];
extern const struct jp_example jp__examples_pool_list[], jp__examples_pool_get[], jp__examples_pool_create[], jp__examples_pool_update[],
    jp__examples_pool_delete[], jp__examples_pool_assign[], jp__examples_pool_launch[], jp__examples_pool_processes[],
    jp__examples_pool_terminate[], jp__examples_pool_wait[], jp__examples_pool_freeze[], jp__examples_pool_thaw[], jp__examples_pool_match[], jp__examples_pool_usage[];
extern const struct jp_example jp__examples_process_get[], jp__examples_process_terminate[];
extern const struct jp_example jp__examples_events_subscribe[], jp__examples_events_unsubscribe[], jp__examples_events_query[];
extern const struct jp_example jp__examples_accounting_summary[], jp__examples_accounting_processes[], jp__examples_accounting_report[], jp__examples_accounting_series[], jp__examples_accounting_purge[],
    jp__examples_accounting_reset[];
extern const struct jp_example jp__examples_accounting_audit[], jp__examples_rpc_cancel[];
extern const struct jp_example jp__examples_job_create[], jp__examples_job_open[], jp__examples_job_close[], jp__examples_job_assign_process[],
    jp__examples_job_is_process_in_job[], jp__examples_job_query_information[], jp__examples_job_set_information[], jp__examples_job_terminate[],
    jp__examples_job_grant_user_handle[];

#endif
