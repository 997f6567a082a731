/* Standard output and standard error: UTF-8 to files and pipes, UTF-16 to a console, whatever its code page. */
#ifndef JP_CLI_OUTPUT_H
#define JP_CLI_OUTPUT_H

#include "base/str.h"

/* Whether a person is looking: standard output is a console. */
bool jp_output_is_console(void);

/* To standard output, at once: nothing is kept back, so a reader sees each line as it comes. */
void jp_output(const char *bytes, size_t length);

/* False once standard output could not be written (disk full, reader gone): what was printed is not whole. */
bool jp_output_good(void);

/* To standard error: "jobpool: <text>\n". */
void jp_complain(const char *format, ...) JP_PRINTF(1, 2);
void jp_complain_plain(const char *text); /* to standard error as it is */

#endif
