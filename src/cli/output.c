/* Owns what is known of standard output: whether it is a console, and whether it could still be written. */
#include "cli/output.h"

#include "base/utf.h"
#include "base/text.h"

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

bool jp_output_good(void) { return !output_failed; }

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

static bool write_to(DWORD stream, const char *bytes, size_t length) {
    HANDLE handle = GetStdHandle(stream);
    return is_console(handle) ? write_console(handle, bytes, length) : write_file(handle, bytes, length);
}

void jp_output(const char *bytes, size_t length) {
    if (!output_failed && !write_to(STD_OUTPUT_HANDLE, bytes, length))
        output_failed = true;
}

void jp_complain_plain(const char *text) { write_to(STD_ERROR_HANDLE, text, strlen(text)); }

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
