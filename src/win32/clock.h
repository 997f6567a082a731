/* The clocks of the service. */
#ifndef JP_WIN32_CLOCK_H
#define JP_WIN32_CLOCK_H

#include <stdint.h>

int64_t jp_win32_now_100ns(void); /* wall clock, FILETIME; may jump */
uint64_t jp_win32_now_ms(void);   /* since boot, with sleep, never goes back; to the millisecond: for timers and rates */

/* Since boot, without and with the time that the machine slept or hibernated. Neither goes back, nor moves when somebody sets the
 * clock. */
uint64_t jp_win32_awake_ms(void);
uint64_t jp_win32_total_ms(void);

#endif
