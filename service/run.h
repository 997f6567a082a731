/* Running the daemon, and looking at what it would run with. */
#ifndef JP_SERVICE_RUN_H
#define JP_SERVICE_RUN_H

#include <stdbool.h>

enum jp_run_exit { JP_RUN_DONE, JP_RUN_FAILED, JP_RUN_USAGE }; /* USAGE also for a configuration with faults */

/* Until it is stopped, by the SCM or, with `console`, by Ctrl-C. The exit code. */
int jp_run(const char *config_file, bool console);

/* Says every fault of the configuration. The exit code. */
int jp_run_check_config(const char *config_file);

#endif
