/* Owns what is known of standard output: whether it is a console, whether it shows colours, and whether it could still be written. */
#include "cli/output.h"

#include "base/text.h"
#include "base/utf.h"
#include "win32/host.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

/* Consoles of old Windows versions take at most 64 KiB at once, in characters rather less. */
enum { CONSOLE_CHUNK = 8192 };

static bool output_failed;

static bool is_console(HANDLE handle) {
    DWORD mode;
    return GetConsoleMode(handle, &mode) != 0;
}

bool jp_output_is_console(void) { return is_console(GetStdHandle(STD_OUTPUT_HANDLE)); }

size_t jp_output_width(void) {
    CONSOLE_SCREEN_BUFFER_INFO info;
    if (!GetConsoleScreenBufferInfo(GetStdHandle(STD_OUTPUT_HANDLE), &info))
        return 0;
    return (size_t)(info.srWindow.Right - info.srWindow.Left) + 1; /* the window: the buffer behind it may be wider */
}

bool jp_output_good(void) { return !output_failed; }

static bool is_set(const char *variable) {
    const char *value = getenv(variable);
    return value != NULL && *value != '\0';
}

static bool is_set_to(const char *variable, const char *wanted) {
    const char *value = getenv(variable);
    return value != NULL && strcmp(value, wanted) == 0;
}

static bool write_console(HANDLE console, const char *text, size_t text_length) {
    size_t length = 0;
    uint16_t *wide = jp_utf16_from_utf8(text, text_length, &length);
    bool good = true;
    for (size_t at = 0; good && at < length; at += CONSOLE_CHUNK) {
        DWORD written;
        DWORD count = (DWORD)(length - at < CONSOLE_CHUNK ? length - at : CONSOLE_CHUNK);
        good = WriteConsoleW(console, wide + at, count, &written, NULL);
    }
    jp_free(wide);
    return good;
}

static bool write_file(HANDLE file, const char *bytes, size_t length) {
    while (length > 0) {
        DWORD written = 0;
        if (!WriteFile(file, bytes, length > INT32_MAX ? INT32_MAX : (DWORD)length, &written, NULL))
            return false;
        bytes += written;
        length -= written;
    }
    return true;
}

/* How colours come about: by sequences in the text; or, where a console takes those for text, by what they mean to it. */
static enum { COLOURS_UNKNOWN, NO_COLOURS, COLOURS_BY_SEQUENCE, COLOURS_BY_ATTRIBUTE } colours;

/* The attribute of a sequence of ours, in the shades that `own`, the person's, is of. */
static WORD attribute_of(WORD own, int sequence) {
    static const WORD foregrounds[] = {0, FOREGROUND_RED, FOREGROUND_GREEN, FOREGROUND_RED | FOREGROUND_GREEN, FOREGROUND_BLUE,
                                       FOREGROUND_RED | FOREGROUND_BLUE, FOREGROUND_GREEN | FOREGROUND_BLUE};
    WORD background = own & 0xF0;
    if (sequence >= 31 && sequence <= 36)
        return background | foregrounds[sequence - 30];
    return sequence == 1 ? own | FOREGROUND_INTENSITY : sequence == 2 ? background | FOREGROUND_INTENSITY : own;
}

/* What is between the sequences, to a console in their colours; to a file without. */
static bool write_pieces(HANDLE handle, const char *bytes, size_t length) {
    CONSOLE_SCREEN_BUFFER_INFO info;
    bool console = GetConsoleScreenBufferInfo(handle, &info) != 0, good = true;
    while (good && length > 0) {
        const char *escape = memchr(bytes, '\033', length);
        size_t piece = escape != NULL ? (size_t)(escape - bytes) : length;
        good = piece == 0 || (console ? write_console(handle, bytes, piece) : write_file(handle, bytes, piece));
        bytes += piece;
        length -= piece;
        if (length == 0)
            break;
        const char *end = memchr(bytes, 'm', length);
        size_t sequence = end != NULL ? (size_t)(end - bytes) + 1 : length;
        if (console && end != NULL)
            SetConsoleTextAttribute(handle, attribute_of(info.wAttributes, atoi(bytes + strlen("\033["))));
        bytes += sequence;
        length -= sequence;
    }
    return good;
}

static bool write_to(DWORD stream, const char *bytes, size_t length) {
    HANDLE handle = GetStdHandle(stream);
    if (is_console(handle))
        return (colours == COLOURS_BY_ATTRIBUTE ? write_pieces : write_console)(handle, bytes, length);
    return (stream == STD_ERROR_HANDLE && !is_set_to("JOBPOOL_COLOR", "always") ? write_pieces : write_file)(handle, bytes, length);
}

/* The columns of the line of progress that is there. */
static size_t progress_width;

static void take_progress_away(void) {
    if (progress_width == 0)
        return;
    char *blank = jp_sprintf("\r%*s\r", (int)progress_width, "");
    progress_width = 0;
    write_to(STD_ERROR_HANDLE, blank, strlen(blank));
    jp_free(blank);
}

void jp_output(const char *bytes, size_t length) {
    take_progress_away();
    if (!output_failed && !write_to(STD_OUTPUT_HANDLE, bytes, length))
        output_failed = true;
}

void jp_complain_plain(const char *text) {
    take_progress_away();
    write_to(STD_ERROR_HANDLE, text, strlen(text));
}

void jp_complain(const char *format, ...) {
    struct jp_str text = {0};
    va_list arguments;
    va_start(arguments, format);
    jp_str_vprintf(&text, format, arguments);
    va_end(arguments);
    struct jp_str line = {0};
    jp_str_puts(&line, "jobpool: ");
    jp_add_harmless(&line, jp_str_text(&text));
    jp_str_putc(&line, '\n');
    jp_complain_plain(jp_str_text(&line));
    jp_str_free(&line);
    jp_str_free(&text);
}

/* -------------------------------------------------------------------------------------------------------------- colours */

/* Whether the console understands VT sequences, after asking it to. It stays so after the program's end, as cmd.exe itself sets it anew
 * before each command. Wine says yes, and counts them as text when it looks for a line's end. */
static bool turn_sequences_on(HANDLE console) {
    DWORD mode;
    return GetConsoleMode(console, &mode) && SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING) && !jp_win32_is_wine();
}

static bool wants_colours(HANDLE output) {
    if (is_set_to("JOBPOOL_COLOR", "always"))
        return true;
    return is_console(output) && !is_set_to("JOBPOOL_COLOR", "never") && !is_set("NO_COLOR") && !is_set_to("TERM", "dumb");
}

bool jp_output_has_colours(void) {
    HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE);
    if (colours == COLOURS_UNKNOWN && !wants_colours(output))
        colours = NO_COLOURS;
    else if (colours == COLOURS_UNKNOWN)
        colours = turn_sequences_on(output) || !is_console(output) ? COLOURS_BY_SEQUENCE : COLOURS_BY_ATTRIBUTE;
    return colours != NO_COLOURS;
}

void jp_colour_begin(struct jp_str *out, enum jp_colour colour) {
    static const char *const sequences[] = {
        [JP_COLOUR_NONE] = "", [JP_COLOUR_BOLD] = "1", [JP_COLOUR_DIM] = "2", [JP_COLOUR_RED] = "31", [JP_COLOUR_GREEN] = "32",
        [JP_COLOUR_YELLOW] = "33", [JP_COLOUR_BLUE] = "34", [JP_COLOUR_MAGENTA] = "35", [JP_COLOUR_CYAN] = "36",
    };
    if (colour != JP_COLOUR_NONE && jp_output_has_colours())
        jp_str_printf(out, "\033[%sm", sequences[colour]);
}

void jp_colour_end(struct jp_str *out, enum jp_colour colour) {
    if (colour != JP_COLOUR_NONE && jp_output_has_colours())
        jp_str_puts(out, "\033[0m");
}

void jp_colour_text(struct jp_str *out, enum jp_colour colour, const char *text) {
    jp_colour_begin(out, colour);
    jp_str_puts(out, text);
    jp_colour_end(out, colour);
}

enum jp_colour jp_colour_of_state(const char *word) {
    static const struct {
        const char *word;
        enum jp_colour colour;
    } states[] = {
        {"active", JP_COLOUR_GREEN},    {"ok", JP_COLOUR_GREEN},       {"running", JP_COLOUR_GREEN},    {"kernel", JP_COLOUR_GREEN},
        {"failed", JP_COLOUR_RED},      {"crashed", JP_COLOUR_RED},    {"damaged", JP_COLOUR_RED},      {"none", JP_COLOUR_RED},
        {"terminated", JP_COLOUR_YELLOW}, {"unknown", JP_COLOUR_YELLOW}, {"orphan", JP_COLOUR_YELLOW}, {"service", JP_COLOUR_YELLOW},
        {"mixed", JP_COLOUR_YELLOW},    {"degraded", JP_COLOUR_RED},   {"frozen", JP_COLOUR_CYAN},      {"deleting", JP_COLOUR_YELLOW},
    };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i].word, word) == 0)
            return states[i].colour;
    return JP_COLOUR_NONE;
}

/* ------------------------------------------------------------------------------------------------------------- progress */

bool jp_progress_is_shown(void) { return is_console(GetStdHandle(STD_ERROR_HANDLE)); }

void jp_progress(const char *text) {
    CONSOLE_SCREEN_BUFFER_INFO info;
    HANDLE console = GetStdHandle(STD_ERROR_HANDLE);
    if (text == NULL) {
        take_progress_away();
        return;
    }
    if (!jp_progress_is_shown() || !GetConsoleScreenBufferInfo(console, &info) || info.srWindow.Right <= info.srWindow.Left)
        return;
    struct jp_str cut = {0};
    jp_add_cut(&cut, text, (size_t)(info.srWindow.Right - info.srWindow.Left));
    size_t width = jp_display_width(jp_str_text(&cut));
    char *line = jp_sprintf("\r%s%*s", jp_str_text(&cut), (int)(progress_width > width ? progress_width - width : 0), "");
    progress_width = progress_width > width ? progress_width : width;
    write_to(STD_ERROR_HANDLE, line, strlen(line));
    jp_free(line);
    jp_str_free(&cut);
}
