#include "top_world.h"

#include "base/text.h"

#include <stdio.h>

#define POOL(name, parent, rest) "{'name': '" name "', 'parent': " parent ", 'state': 'active', 'source': 'config', 'frozen': false, 'members': 1, " rest "}"

/* A service that has told 2^53 bytes and more writes them as text. */
const char world_first[] =
    "{'time': '2026-11-22T20:15:00.0000000Z', 'clock100ns': 70000000, 'processors': 4, 'lastSeq': 10, 'pools': ["
    POOL("build", "null", "'totalMembers': 12, 'cpuTime100ns': 100000000, 'commitBytes': 900000000, 'workingSetBytes': 800000000, 'readBytes': '9007199254740993', "
         "'writeBytes': 0, 'events': 5, 'memoryLimitBytes': 1073741824, 'memoryLimitBy': 'kernel', 'processLimit': 64, 'enforcedBy': 'kernel'") ", "
    POOL("build-a", "'build'", "'totalMembers': 4, 'cpuTime100ns': 1000, 'commitBytes': 100, 'workingSetBytes': 100, 'readBytes': 0, 'writeBytes': 0, 'events': 1, "
         "'memoryLimitBytes': 1073741824, 'memoryLimitBy': 'kernel', 'processLimit': null, 'enforcedBy': null") ", "
    POOL("build-b", "'build'", "'totalMembers': 3, 'cpuTime100ns': 1000, 'commitBytes': 100, 'workingSetBytes': 100, 'readBytes': 0, 'writeBytes': 0, 'events': 1, "
         "'memoryLimitBytes': 1073741824, 'memoryLimitBy': 'kernel', 'processLimit': null, 'enforcedBy': null") ", "
    POOL("deep", "'build-b'", "'totalMembers': 1, 'cpuTime100ns': 0, 'commitBytes': 50, 'workingSetBytes': 50, 'readBytes': null, 'writeBytes': null, 'events': 0, "
         "'memoryLimitBytes': 1073741824, 'memoryLimitBy': 'kernel', 'processLimit': null, 'enforcedBy': null") ", "
    POOL("idle", "null", "'totalMembers': 0, 'cpuTime100ns': 0, 'commitBytes': 0, 'workingSetBytes': 0, 'readBytes': 0, 'writeBytes': 0, 'events': 0, "
         "'memoryLimitBytes': null, 'memoryLimitBy': null, 'processLimit': 2, 'enforcedBy': 'none'") ", "
    POOL("web", "null", "'totalMembers': 1, 'cpuTime100ns': 0, 'commitBytes': 2000000000, 'workingSetBytes': 1, 'readBytes': 0, 'writeBytes': 0, 'events': 7, "
         "'memoryLimitBytes': 2000000000, 'memoryLimitBy': 'service', 'processLimit': 1, 'enforcedBy': 'mixed'") "]}";

/* A second later: build used 1.5 processors, of which build-b 0.5 and deep 0.25; web read 2 MiB and wrote 1 MiB, and its events began anew. */
const char world_second[] =
    "{'time': '2026-11-22T20:15:01.0000000Z', 'clock100ns': 80000000, 'processors': 4, 'lastSeq': 30, 'pools': ["
    POOL("build", "null", "'totalMembers': 12, 'cpuTime100ns': 115000000, 'commitBytes': 900000000, 'workingSetBytes': 800000000, 'readBytes': '9007199254741993', "
         "'writeBytes': 24, 'events': 25, 'memoryLimitBytes': 1073741824, 'memoryLimitBy': 'kernel', 'processLimit': 64, 'enforcedBy': 'kernel'") ", "
    POOL("build-a", "'build'", "'totalMembers': 4, 'cpuTime100ns': 1000, 'commitBytes': 100, 'workingSetBytes': 100, 'readBytes': 0, 'writeBytes': 0, 'events': 1, "
         "'memoryLimitBytes': 1073741824, 'memoryLimitBy': 'kernel', 'processLimit': null, 'enforcedBy': null") ", "
    POOL("build-b", "'build'", "'totalMembers': 3, 'cpuTime100ns': 5001000, 'commitBytes': 100, 'workingSetBytes': 100, 'readBytes': 0, 'writeBytes': 0, 'events': 1, "
         "'memoryLimitBytes': 1073741824, 'memoryLimitBy': 'kernel', 'processLimit': null, 'enforcedBy': null") ", "
    POOL("deep", "'build-b'", "'totalMembers': 1, 'cpuTime100ns': 2500000, 'commitBytes': 50, 'workingSetBytes': 50, 'readBytes': null, 'writeBytes': null, 'events': 0, "
         "'memoryLimitBytes': 1073741824, 'memoryLimitBy': 'kernel', 'processLimit': null, 'enforcedBy': null") ", "
    POOL("idle", "null", "'totalMembers': 0, 'cpuTime100ns': 0, 'commitBytes': 0, 'workingSetBytes': 0, 'readBytes': 0, 'writeBytes': 0, 'events': 0, "
         "'memoryLimitBytes': null, 'memoryLimitBy': null, 'processLimit': 2, 'enforcedBy': 'none'") ", "
    POOL("web", "null", "'totalMembers': 1, 'cpuTime100ns': 0, 'commitBytes': 2000000000, 'workingSetBytes': 1, 'readBytes': 2097152, 'writeBytes': 1048576, 'events': 2, "
         "'memoryLimitBytes': 2000000000, 'memoryLimitBy': 'service', 'processLimit': 1, 'enforcedBy': 'mixed'") "]}";

void world_take(struct jp_top *top, const char *answer) {
    char *json = jp_strdup(answer);
    for (char *at = json; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at;
    cJSON *tree = cJSON_Parse(json);
    struct jp_error error;
    CHECK(tree != NULL, "no JSON: %s", json);
    CHECK(jp_top_take(top, tree, &error) == JP_OK, "%s", error.text);
    cJSON_Delete(tree);
    jp_free(json);
}

void world_two(struct jp_top *top) {
    world_take(top, world_first);
    world_take(top, world_second);
}

enum jp_top_wish world_press(struct jp_top *top, uint32_t character) {
    return jp_top_press(top, (struct jp_top_key){.kind = JP_TOP_KEY_CHARACTER, .code = character});
}

enum jp_top_wish world_press_key(struct jp_top *top, enum jp_top_key_kind kind) { return jp_top_press(top, (struct jp_top_key){.kind = kind}); }

const char *world_names(const struct jp_top *top) {
    static char names[1000];
    size_t length = 0;
    names[0] = '\0';
    for (size_t i = 0; i < top->line_count; i++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", i == 0 ? "" : " ", top->lines[i].row->name);
    return names;
}

void world_grid_text(const struct jp_top_grid *grid, size_t line, struct jp_str *out) {
    size_t length = grid->width;
    const struct jp_top_cell *cells = &grid->cells[line * grid->width];
    while (length > 0 && cells[length - 1].code == ' ')
        length--;
    for (size_t i = 0; i < length; i++)
        if (cells[i].code != 0)
            jp_text_add(out, cells[i].code);
}

char *world_screen(struct jp_top *top, size_t width, size_t height) {
    struct jp_top_grid grid = {0};
    struct jp_str text = {0};
    jp_top_grid_size(&grid, width, height);
    jp_top_draw(top, &grid);
    for (size_t line = 0; line < height; line++) {
        world_grid_text(&grid, line, &text);
        jp_str_putc(&text, '\n');
    }
    jp_top_grid_free(&grid);
    return jp_str_take(&text);
}

char *world_line(struct jp_top *top, size_t width, size_t height, size_t line) {
    char *screen = world_screen(top, width, height), *at = screen;
    for (; line > 0; line--)
        at = strchr(at, '\n') + 1;
    char *found = jp_strndup(at, strcspn(at, "\n"));
    jp_free(screen);
    return found;
}
