/* Owns the handle to the event log. */
#include "service/eventlog.h"

#include "messages.h" /* made from messages.mc */
#include "win32/wide.h"

#include <windows.h>

enum { TEXT_MAX = 31838 }; /* what ReportEvent takes of one string, in characters */

static HANDLE event_source;

static const struct {
    WORD type;
    DWORD id;
} events[] = {
    [JP_EVENTLOG_STARTED] = {EVENTLOG_INFORMATION_TYPE, JP_EVENT_STARTED},
    [JP_EVENTLOG_STOPPED] = {EVENTLOG_INFORMATION_TYPE, JP_EVENT_STOPPED},
    [JP_EVENTLOG_START_FAILED] = {EVENTLOG_ERROR_TYPE, JP_EVENT_START_FAILED},
    [JP_EVENTLOG_STOPPED_ON_ERROR] = {EVENTLOG_ERROR_TYPE, JP_EVENT_STOPPED_ON_ERROR},
    [JP_EVENTLOG_CONFIG_FAULTS] = {EVENTLOG_ERROR_TYPE, JP_EVENT_CONFIG_FAULTS},
    [JP_EVENTLOG_CONFIG_LOADED] = {EVENTLOG_INFORMATION_TYPE, JP_EVENT_CONFIG_LOADED},
    [JP_EVENTLOG_WARNING] = {EVENTLOG_WARNING_TYPE, JP_EVENT_WARNING},
};

void jp_eventlog_open(void) {
    if (!event_source)
        event_source = RegisterEventSourceW(NULL, L"JobPool");
}

void jp_eventlog_close(void) {
    if (event_source)
        DeregisterEventSource(event_source);
    event_source = NULL;
}

void jp_eventlog_write(enum jp_eventlog_event event, const char *text) {
    if (!event_source)
        return;
    wchar_t *wide = jp_win32_wide(text ? text : "");
    if (wcslen(wide) > TEXT_MAX)
        wide[TEXT_MAX] = 0;
    const wchar_t *strings[] = {wide};
    ReportEventW(event_source, events[event].type, 0, events[event].id, NULL, 1, 0, strings, NULL);
    jp_free(wide);
}
