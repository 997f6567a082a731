/* The two clocks that the pools ask for. */
#ifndef JP_WIN32_CLOCK_H
#define JP_WIN32_CLOCK_H

#include <stdint.h>

int64_t jp_win32_now_100ns(void); /* wall clock, FILETIME; may jump */
uint64_t jp_win32_now_ms(void);   /* since boot, never goes back */

#endif
