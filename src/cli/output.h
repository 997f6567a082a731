/* Standard output and standard error: UTF-8 to files and pipes, UTF-16 to a console, whatever its code page. */
#ifndef JP_CLI_OUTPUT_H
#define JP_CLI_OUTPUT_H

#include "base/str.h"

/* Whether a person is looking: standard output is a console. */
bool jp_output_is_console(void);

/* How wide the console is; 0: standard output is none. */
size_t jp_output_width(void);

/* Colours of the sixteen that every terminal has, so that the person's own theme chooses the shades. */
enum jp_colour { JP_COLOUR_NONE, JP_COLOUR_BOLD, JP_COLOUR_DIM, JP_COLOUR_RED, JP_COLOUR_GREEN, JP_COLOUR_YELLOW, JP_COLOUR_BLUE,
                 JP_COLOUR_MAGENTA, JP_COLOUR_CYAN };

/* Whether standard output shows colours: a console (VT sequences are turned on by the first question; one that has none is given its own
 * attributes), and neither NO_COLOR nor TERM=dumb in the environment. JOBPOOL_COLOR=always|never decides it against all of that. */
bool jp_output_has_colours(void);

/* Nothing is added where there are no colours, or for JP_COLOUR_NONE. */
void jp_colour_begin(struct jp_str *out, enum jp_colour colour);
void jp_colour_end(struct jp_str *out, enum jp_colour colour);
void jp_colour_text(struct jp_str *out, enum jp_colour colour, const char *text); /* begin, the text as it is, end */

/* The colour of a word that says how something is: "active", "failed", "frozen", "kernel", "none"... */
enum jp_colour jp_colour_of_state(const char *word);

/* One line on standard error that is drawn over itself while something takes long; nothing if that is no console. `text` NULL
 * takes the line away. */
bool jp_progress_is_shown(void);
void jp_progress(const char *text);

/* To standard output, at once: nothing is kept back, so a reader sees each line as it comes. */
void jp_output(const char *bytes, size_t length);

/* False once standard output could not be written (disk full, reader gone): what was printed is not whole. */
bool jp_output_good(void);

/* To standard error: "jobpool: <text>\n". */
void jp_complain(const char *format, ...) JP_PRINTF(1, 2);
void jp_complain_plain(const char *text); /* to standard error as it is */

#endif
