/* What the service does to its own process before anything else. */
#ifndef JP_WIN32_HARDEN_H
#define JP_WIN32_HARDEN_H

/* DLLs from System32 only, no error boxes, and an end instead of a start on a corrupt heap. First thing in main. Never
 * fails: a host that refuses one of these (Wine) leaves the process as it was. */
void jp_win32_harden(void);

#endif
