/* Owns the cells. */
#include "top/grid.h"

#include "base/text.h"

enum { MAX_SIDE = 1000, BLANK = ' ', ELLIPSIS = 0x2026 };

void jp_top_grid_size(struct jp_top_grid *grid, size_t width, size_t height) {
    grid->width = width > MAX_SIDE ? MAX_SIDE : width;
    grid->height = height > MAX_SIDE ? MAX_SIDE : height;
    grid->cells = jp_realloc_array(grid->cells, grid->width * grid->height + 1, sizeof *grid->cells);
    for (size_t i = 0; i < grid->width * grid->height; i++)
        grid->cells[i] = (struct jp_top_cell){.code = BLANK};
}

void jp_top_grid_free(struct jp_top_grid *grid) {
    jp_free(grid->cells);
    *grid = (struct jp_top_grid){0};
}

size_t jp_top_grid_put(struct jp_top_grid *grid, size_t line, size_t column, size_t room, enum jp_top_colour colour, const char *text) {
    if (line >= grid->height || column >= grid->width)
        return 0;
    room = room > grid->width - column ? grid->width - column : room;
    struct jp_top_cell *cells = &grid->cells[line * grid->width + column];
    bool fits = jp_display_width(text) <= room;
    size_t used = 0, width;
    uint32_t code;
    while ((code = jp_text_next(&text, &width)) != 0 && used + width <= room - (fits || room == 0 ? 0 : 1)) {
        for (size_t i = 0; i < width; i++) /* what adds to the character before takes no cell, and is left out */
            cells[used + i] = (struct jp_top_cell){.code = i == 0 ? code : 0, .colour = colour};
        used += width;
    }
    if (!fits && room > 0)
        cells[used++] = (struct jp_top_cell){.code = ELLIPSIS, .colour = colour};
    return used;
}

void jp_top_grid_paint(struct jp_top_grid *grid, size_t line, enum jp_top_colour colour) {
    for (size_t i = 0; line < grid->height && i < grid->width; i++)
        grid->cells[line * grid->width + i].colour = colour;
}
