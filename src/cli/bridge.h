/* The pipe on standard input and output, for programs that cannot open one: over ssh, or from outside Windows. */
#ifndef JP_CLI_BRIDGE_H
#define JP_CLI_BRIDGE_H

#include "cli/cli.h"

/* Passes bytes both ways, unchanged and unbuffered, until standard input has ended and every request that came through it
 * is answered. Returns the exit code: JP_EXIT_UNREACHABLE if the service closes before that. */
int jp_bridge_run(const struct jp_cli *cli);

#endif
