/* `jobpool top` on a console. */
#ifndef JP_CLI_TOP_WATCH_H
#define JP_CLI_TOP_WATCH_H

#include "cli/cli.h"
#include "top/top.h"

/* Until somebody quits. `pool`: it and those below it, or NULL. Returns the exit code. */
int jp_top_watch(struct jp_cli *cli, struct jp_top *top, const char *pool);

#endif
