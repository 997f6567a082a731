/* The console as a screen: a buffer of its own, so that what was there before is there again afterwards, and keys one by one.
 *
 * It is drawn by WriteConsoleOutput, as cells, not by VT sequences: that works on every console of every Windows, whole frames are there at
 * once, and when this process dies the console shows its old buffer again by itself, because ours goes with its last handle. */
#ifndef JP_CLI_SCREEN_H
#define JP_CLI_SCREEN_H

#include "top/top.h"

#include <windows.h>

struct jp_screen;

/* JP_E_SYSTEM: there is no console, or it does not do it. */
jp_status jp_screen_open(bool colours, struct jp_screen **ret_screen, struct jp_error *error);
void jp_screen_close(struct jp_screen *screen); /* as it was before; NULL is fine */

void jp_screen_size(const struct jp_screen *screen, size_t *ret_width, size_t *ret_height);
void jp_screen_show(struct jp_screen *screen, const struct jp_top_grid *grid); /* what of it is not there yet */

/* Signalled while something can be read. */
HANDLE jp_screen_input(const struct jp_screen *screen);

/* The next key that was pressed; false: none is left. The window's size may have changed meanwhile. */
bool jp_screen_key(struct jp_screen *screen, struct jp_top_key *ret_key);

#endif
