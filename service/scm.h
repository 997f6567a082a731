/* The service control manager: the dispatcher, the states that it is told, and the controls that come from it. */
#ifndef JP_SERVICE_SCM_H
#define JP_SERVICE_SCM_H

#include "base/status.h"

struct jp_scm;

struct jp_scm_handlers {
    void *context;
    /* The whole life of the service, on a thread of the SCM's; its return is the stop. Tells jp_scm_report_running() when the
     * service is ready, or jp_scm_report_failed() before it returns from a failed start or a run that went wrong. */
    void (*run)(void *context, struct jp_scm *scm);
    /* On the thread of the control handler; they only wake the loop. `stop` may be called more than once. */
    void (*stop)(void *context);
    void (*reload)(void *context); /* `sc control JobPool paramchange` */
};

enum {
    JP_SCM_NOT_STARTED_BY_SCM = -1, /* somebody ran the program at a prompt */
};

/* Returns when the service has stopped: 0, a Win32 error, or JP_SCM_NOT_STARTED_BY_SCM. `handlers` lives until then. Once in
 * a process: Windows knows one dispatcher. */
int jp_scm_run(const char *name, const struct jp_scm_handlers *handlers);

/* START_PENDING to RUNNING. From then on stop, shutdown and parameter changes are accepted. */
void jp_scm_report_running(struct jp_scm *scm);

/* Still starting, or still stopping: the next word comes within `wait_hint_ms`. */
void jp_scm_report_progress(struct jp_scm *scm, uint32_t wait_hint_ms);

/* The exit code that STOPPED will have: `win32`, or if that is 0, ERROR_SERVICE_SPECIFIC_ERROR with `specific`. The first
 * report counts. */
void jp_scm_report_failed(struct jp_scm *scm, uint32_t win32, uint32_t specific);

#endif
