/* The other end of process_request_stop: a short-lived process of our own program, with the token of the process that is asked.
 *
 * Windows and consoles belong to a session, a desktop and a console, and whoever wants to reach them must be there. The service is in
 * none of them, and to attach itself to a console would make it a receiver of what it sends. With the very token of the process
 * that is asked, the helper reaches what that process could reach itself, and is worth nothing to anybody who gets hold of it. */
#ifndef JP_WIN32_STOP_HELPER_H
#define JP_WIN32_STOP_HELPER_H

enum { JP_STOP_ASKED, JP_STOP_NOBODY, JP_STOP_USAGE }; /* exit codes */

/* `target`: the word from the backend, "PID:CREATION-TIME". Asks the process to end, and returns the exit code. Ends this process if
 * that takes too long. */
int jp_win32_stop_helper(const char *target);

#endif
