/* Owns the console's second buffer and the modes that are to be put back. */
#include "cli/screen.h"

enum { FOREGROUND = 0x0F, BACKGROUND = 0xF0, BRIGHT = 0x08 };

struct jp_screen {
    HANDLE input, before, buffer; /* `before`: what the console showed */
    DWORD input_mode;
    WORD attribute; /* the person's own colours */
    bool colours;
    struct jp_top_grid shown;
    WCHAR surrogate; /* the first half of a character that came as two keys */
};

/* --------------------------------------------------------------------------------------------------- opening and closing */

static HANDLE open_console(const wchar_t *name) {
    return CreateFileW(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
}

/* Marking text with the mouse goes on working if it did; Ctrl-C is a key, so that there is one way out. */
static bool prepare(struct jp_screen *screen) {
    CONSOLE_SCREEN_BUFFER_INFO info;
    CONSOLE_CURSOR_INFO cursor = {.dwSize = 25, .bVisible = FALSE};
    if (!GetConsoleMode(screen->input, &screen->input_mode) || !GetConsoleScreenBufferInfo(screen->before, &info))
        return false;
    screen->attribute = info.wAttributes & (FOREGROUND | BACKGROUND);
    screen->buffer = CreateConsoleScreenBuffer(GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, CONSOLE_TEXTMODE_BUFFER, NULL);
    if (screen->buffer == INVALID_HANDLE_VALUE)
        return false;
    DWORD kept = screen->input_mode & (ENABLE_QUICK_EDIT_MODE | ENABLE_EXTENDED_FLAGS | ENABLE_INSERT_MODE);
    SetConsoleTextAttribute(screen->buffer, screen->attribute);
    SetConsoleCursorInfo(screen->buffer, &cursor);
    return SetConsoleMode(screen->input, kept | ENABLE_WINDOW_INPUT) && SetConsoleActiveScreenBuffer(screen->buffer);
}

jp_status jp_screen_open(bool colours, struct jp_screen **ret_screen, struct jp_error *error) {
    struct jp_screen *screen = jp_alloc(sizeof *screen);
    *screen = (struct jp_screen){.input = open_console(L"CONIN$"), .before = open_console(L"CONOUT$"), .buffer = INVALID_HANDLE_VALUE, .colours = colours};
    if (prepare(screen)) {
        *ret_screen = screen;
        return JP_OK;
    }
    DWORD code = GetLastError();
    jp_screen_close(screen);
    return jp_fail_win32(error, JP_E_SYSTEM, code, "CreateConsoleScreenBuffer", "the console cannot be drawn on");
}

static void close_handle(HANDLE handle) {
    if (handle != INVALID_HANDLE_VALUE)
        CloseHandle(handle);
}

void jp_screen_close(struct jp_screen *screen) {
    if (screen == NULL)
        return;
    if (screen->buffer != INVALID_HANDLE_VALUE) {
        SetConsoleActiveScreenBuffer(screen->before);
        SetConsoleMode(screen->input, screen->input_mode);
    }
    close_handle(screen->buffer);
    close_handle(screen->before);
    close_handle(screen->input);
    jp_top_grid_free(&screen->shown);
    jp_free(screen);
}

/* --------------------------------------------------------------------------------------------------------------- drawing */

static SMALL_RECT window_of(const struct jp_screen *screen) {
    CONSOLE_SCREEN_BUFFER_INFO info;
    if (!GetConsoleScreenBufferInfo(screen->buffer, &info))
        return (SMALL_RECT){.Right = 79, .Bottom = 24};
    return info.srWindow;
}

void jp_screen_size(const struct jp_screen *screen, size_t *ret_width, size_t *ret_height) {
    SMALL_RECT window = window_of(screen);
    *ret_width = (size_t)(window.Right - window.Left) + 1;
    *ret_height = (size_t)(window.Bottom - window.Top) + 1;
}

/* Foreground colours on the person's own background, in the shade that can be read there. */
static WORD attribute_of(const struct jp_screen *screen, enum jp_top_colour colour) {
    WORD own = screen->attribute, background = own & BACKGROUND;
    WORD turned = (WORD)((own & FOREGROUND) << 4 | background >> 4);
    bool dark = background < 0x70 || background == 0x80;
    WORD bright = dark ? BRIGHT : 0;
    if (!screen->colours)
        return colour == JP_TOP_HEADING || colour == JP_TOP_SELECTED ? turned : own;
    switch (colour) {
    case JP_TOP_PLAIN:
        return own;
    case JP_TOP_DIM:
        return background == (BRIGHT << 4) ? own : background | BRIGHT;
    case JP_TOP_STRONG:
        return own | bright;
    case JP_TOP_GOOD:
        return background | FOREGROUND_GREEN | bright;
    case JP_TOP_WARN:
        return background | FOREGROUND_RED | FOREGROUND_GREEN | bright;
    case JP_TOP_BAD:
        return background | FOREGROUND_RED | bright;
    case JP_TOP_COLD:
        return background | FOREGROUND_GREEN | FOREGROUND_BLUE | bright;
    case JP_TOP_HEADING:
        return turned;
    case JP_TOP_SELECTED:
        return BACKGROUND_GREEN | BACKGROUND_BLUE;
    }
    return own;
}

/* A cell holds one unit of UTF-16; what needs two is shown as what cannot be shown. A wide character is in both its cells. */
static CHAR_INFO cell_of(const struct jp_screen *screen, const struct jp_top_cell *cell, bool first_in_line, bool wide) {
    CHAR_INFO info = {.Attributes = attribute_of(screen, cell->colour)};
    uint32_t code = cell->code == 0 && !first_in_line ? cell[-1].code : cell->code;
    info.Char.UnicodeChar = (WCHAR)(code > 0xFFFF ? 0xFFFD : code);
    if (code <= 0xFFFF && cell->code == 0)
        info.Attributes |= COMMON_LVB_TRAILING_BYTE;
    else if (code <= 0xFFFF && wide)
        info.Attributes |= COMMON_LVB_LEADING_BYTE;
    return info;
}

static void write_lines(const struct jp_screen *screen, const struct jp_top_grid *grid, SMALL_RECT window, size_t first, size_t count) {
    CHAR_INFO *cells = jp_realloc_array(NULL, grid->width * count + 1, sizeof *cells);
    for (size_t i = 0; i < grid->width * count; i++) {
        const struct jp_top_cell *cell = &grid->cells[grid->width * first + i];
        size_t column = i % grid->width;
        cells[i] = cell_of(screen, cell, column == 0, column + 1 < grid->width && cell[1].code == 0);
    }
    COORD size = {.X = (SHORT)grid->width, .Y = (SHORT)count}, origin = {0};
    SMALL_RECT place = {.Left = window.Left, .Top = (SHORT)(window.Top + (SHORT)first), .Right = (SHORT)(window.Left + size.X - 1)};
    place.Bottom = (SHORT)(place.Top + size.Y - 1);
    WriteConsoleOutputW(screen->buffer, cells, size, origin, &place);
    jp_free(cells);
}

static bool same_line(const struct jp_screen *screen, const struct jp_top_grid *grid, size_t line) {
    for (size_t i = line * grid->width; i < (line + 1) * grid->width; i++)
        if (grid->cells[i].code != screen->shown.cells[i].code || grid->cells[i].colour != screen->shown.cells[i].colour)
            return false;
    return true;
}

/* A window that was resized has a buffer of another size behind it: it gets one that fits, and no scroll bars. */
void jp_screen_show(struct jp_screen *screen, const struct jp_top_grid *grid) {
    bool resized = grid->width != screen->shown.width || grid->height != screen->shown.height;
    if (resized) {
        COORD size = {.X = (SHORT)grid->width, .Y = (SHORT)grid->height};
        SetConsoleScreenBufferSize(screen->buffer, size);
        jp_top_grid_size(&screen->shown, grid->width, grid->height);
    }
    SMALL_RECT window = window_of(screen);
    for (size_t line = 0; line < grid->height; line++) {
        size_t count = 0;
        while (line + count < grid->height && (resized || !same_line(screen, grid, line + count)))
            count++;
        if (count > 0)
            write_lines(screen, grid, window, line, count);
        line += count;
    }
    for (size_t i = 0; i < grid->width * grid->height; i++)
        screen->shown.cells[i] = grid->cells[i];
}

/* ------------------------------------------------------------------------------------------------------------------ keys */

HANDLE jp_screen_input(const struct jp_screen *screen) { return screen->input; }

static bool special_key(WORD virtual_key, struct jp_top_key *ret_key) {
    static const struct {
        WORD virtual_key;
        struct jp_top_key key;
    } keys[] = {
        {VK_UP, {JP_TOP_KEY_UP, 0}},          {VK_DOWN, {JP_TOP_KEY_DOWN, 0}},       {VK_PRIOR, {JP_TOP_KEY_PAGE_UP, 0}},
        {VK_NEXT, {JP_TOP_KEY_PAGE_DOWN, 0}}, {VK_HOME, {JP_TOP_KEY_HOME, 0}},       {VK_END, {JP_TOP_KEY_END, 0}},
        {VK_RETURN, {JP_TOP_KEY_ENTER, 0}},   {VK_ESCAPE, {JP_TOP_KEY_ESCAPE, 0}},   {VK_BACK, {JP_TOP_KEY_BACKSPACE, 0}},
        {VK_F1, {JP_TOP_KEY_CHARACTER, '?'}}, {VK_F10, {JP_TOP_KEY_CHARACTER, 'q'}},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (keys[i].virtual_key == virtual_key) {
            *ret_key = keys[i].key;
            return true;
        }
    }
    return false;
}

static bool is_ctrl_c(const KEY_EVENT_RECORD *key) {
    bool control = (key->dwControlKeyState & (LEFT_CTRL_PRESSED | RIGHT_CTRL_PRESSED)) != 0;
    return key->uChar.UnicodeChar == 3 || (control && key->wVirtualKeyCode == 'C');
}

/* Characters beyond the first plane come as two keys. */
static bool character_key(struct jp_screen *screen, WCHAR unit, struct jp_top_key *ret_key) {
    if (unit >= 0xD800 && unit < 0xDC00) {
        screen->surrogate = unit;
        return false;
    }
    uint32_t code = unit;
    if (unit >= 0xDC00 && unit < 0xE000)
        code = screen->surrogate == 0 ? 0xFFFD : 0x10000 + ((uint32_t)(screen->surrogate - 0xD800) << 10) + (uint32_t)(unit - 0xDC00);
    screen->surrogate = 0;
    *ret_key = (struct jp_top_key){.kind = JP_TOP_KEY_CHARACTER, .code = code};
    return unit >= ' ';
}

bool jp_screen_key(struct jp_screen *screen, struct jp_top_key *ret_key) {
    INPUT_RECORD record;
    DWORD count;
    while (GetNumberOfConsoleInputEvents(screen->input, &count) && count > 0 && ReadConsoleInputW(screen->input, &record, 1, &count)) {
        const KEY_EVENT_RECORD *key = &record.Event.KeyEvent;
        if (record.EventType != KEY_EVENT || !key->bKeyDown)
            continue;
        if (is_ctrl_c(key)) {
            *ret_key = (struct jp_top_key){.kind = JP_TOP_KEY_INTERRUPT};
            return true;
        }
        if (special_key(key->wVirtualKeyCode, ret_key) || character_key(screen, key->uChar.UnicodeChar, ret_key))
            return true;
    }
    return false;
}
