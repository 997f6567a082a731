/* A screen full of characters, each in a column of its own, with its colour. What draws on it need not know what shows it. */
#ifndef JP_TOP_GRID_H
#define JP_TOP_GRID_H

#include "base/str.h"

enum jp_top_colour {
    JP_TOP_PLAIN,
    JP_TOP_DIM,
    JP_TOP_STRONG,
    JP_TOP_GOOD,
    JP_TOP_WARN,
    JP_TOP_BAD,
    JP_TOP_COLD,     /* frozen */
    JP_TOP_HEADING,  /* the line of column titles */
    JP_TOP_SELECTED, /* the line that keys act on */
};

struct jp_top_cell {
    uint32_t code; /* 0: the second half of a wide character before it */
    enum jp_top_colour colour;
};

struct jp_top_grid {
    size_t width, height;
    struct jp_top_cell *cells; /* line by line */
};

void jp_top_grid_size(struct jp_top_grid *grid, size_t width, size_t height); /* all blank; bounded to what a screen can be */
void jp_top_grid_free(struct jp_top_grid *grid);

/* Writes at most `room` columns from there on, and nothing beyond the edges; what does not fit ends in "…". Returns the columns used. */
size_t jp_top_grid_put(struct jp_top_grid *grid, size_t line, size_t column, size_t room, enum jp_top_colour colour, const char *text);

/* Gives a whole line a colour, whatever stands there. */
void jp_top_grid_paint(struct jp_top_grid *grid, size_t line, enum jp_top_colour colour);

#endif
