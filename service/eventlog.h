/* The Windows Event Log, source "JobPool", for what an administrator must see without knowing our log file. The texts are in
 * messages.mc. */
#ifndef JP_SERVICE_EVENTLOG_H
#define JP_SERVICE_EVENTLOG_H

enum jp_eventlog_event {
    JP_EVENTLOG_STARTED,       /* text: program and version, and what it serves */
    JP_EVENTLOG_STOPPED,       /* text: why */
    JP_EVENTLOG_START_FAILED,  /* text: why */
    JP_EVENTLOG_STOPPED_ON_ERROR,
    JP_EVENTLOG_CONFIG_FAULTS, /* text: file and faults, a line each */
    JP_EVENTLOG_CONFIG_LOADED, /* text: what changed */
    JP_EVENTLOG_WARNING,
};

/* Opening never fails for the caller: without the event log nothing is written to it. */
void jp_eventlog_open(void);
void jp_eventlog_close(void);
/* From any thread between open and close; longer texts than Windows takes are cut. */
void jp_eventlog_write(enum jp_eventlog_event event, const char *text);

#endif
