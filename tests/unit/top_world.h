/* Made-up answers of pool.usage, and what a screen then shows. */
#ifndef JP_TESTS_TOP_WORLD_H
#define JP_TESTS_TOP_WORLD_H

#include "unit.h"

#include "top/numbers.h"
#include "top/top.h"

/* Takes an answer written with ' for ". */
void world_take(struct jp_top *top, const char *answer);

enum jp_top_wish world_press(struct jp_top *top, uint32_t character);
enum jp_top_wish world_press_key(struct jp_top *top, enum jp_top_key_kind kind);

/* Two answers a second apart: "build" (with "build-a", "build-b" below it, and "deep" below that one), "idle" and "web". */
extern const char world_first[], world_second[];
void world_two(struct jp_top *top);

/* The names of the lines: "web build idle". */
const char *world_names(const struct jp_top *top);

/* A line as text, without the blanks at its end; added to `out`. */
void world_grid_text(const struct jp_top_grid *grid, size_t line, struct jp_str *out);

/* The screen as lines, and one of them; new memory (jp_free). */
char *world_screen(struct jp_top *top, size_t width, size_t height);
char *world_line(struct jp_top *top, size_t width, size_t height, size_t line);

#endif
