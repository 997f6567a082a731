/* Quoting by the rules of CommandLineToArgvW:
 * https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-commandlinetoargvw
 *
 * In the first argument quotes delimit and nothing escapes. In all others a backslash is itself, unless a run of them ends
 * at a double quote: then two stand for one, and an odd one out makes the quote a character. */
#include "base/cmdline.h"

#include "base/str.h"

#include <string.h>

static void add_backslashes(struct jp_str *line, size_t count) {
    while (count-- > 0)
        jp_str_putc(line, '\\');
}

static void add_quoted(struct jp_str *line, const char *argument) {
    jp_str_putc(line, '"');
    size_t backslashes = 0;
    for (const char *at = argument; *at != '\0'; at++) {
        if (*at == '\\') {
            backslashes++;
            continue;
        }
        add_backslashes(line, *at == '"' ? backslashes * 2 + 1 : backslashes);
        backslashes = 0;
        jp_str_putc(line, *at);
    }
    add_backslashes(line, backslashes * 2); /* the closing quote must stay one */
    jp_str_putc(line, '"');
}

static void add_argument(struct jp_str *line, const char *argument) {
    if (*argument == '\0' || strpbrk(argument, " \t\n\v\r\"") != NULL) {
        add_quoted(line, argument);
    } else {
        jp_str_puts(line, argument);
    }
}

static void add_program(struct jp_str *line, const char *program) {
    bool quote = strpbrk(program, " \t\n\v\r") != NULL;
    jp_str_puts(line, quote ? "\"" : "");
    jp_str_puts(line, program);
    jp_str_puts(line, quote ? "\"" : "");
}

char *jp_cmdline_from_argv(const char *const *argv, size_t count) {
    if (count == 0 || *argv[0] == '\0' || strchr(argv[0], '"') != NULL)
        return NULL;
    struct jp_str line = {0};
    add_program(&line, argv[0]);
    for (size_t i = 1; i < count; i++) {
        jp_str_putc(&line, ' ');
        add_argument(&line, argv[i]);
    }
    return jp_str_take(&line);
}
