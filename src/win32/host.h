/* The system that this runs on. */
#ifndef JP_WIN32_HOST_H
#define JP_WIN32_HOST_H

#include <stdbool.h>

/* "Windows 10.0.17763", with Wine's own version behind it; new memory (jp_free). *ret_supported (may be NULL): not older than what
 * JobPool is made for. */
char *jp_win32_host_name(bool *ret_supported);

bool jp_win32_is_wine(void);

#endif
