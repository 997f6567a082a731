/* A list of arguments as the one string that Windows passes to a program. */
#ifndef JP_BASE_CMDLINE_H
#define JP_BASE_CMDLINE_H

#include <stddef.h>

/* The command line from which CommandLineToArgvW, and the C runtimes that follow it, read exactly `argv` again. Arguments
 * that need no quotes get none. New memory (jp_free).
 *
 * NULL if no command line can say it: `count` is 0, or the program's name (argv[0]) is empty or holds a double quote,
 * which the rules for the first argument know no way to escape (and no file name can hold).
 *
 * cmd.exe does not follow these rules: what is after its /c it reads with its own. */
char *jp_cmdline_from_argv(const char *const *argv, size_t count);

#endif
