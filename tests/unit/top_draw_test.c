/* What the screen shows, at several widths. */
#include "top_world.h"

static void assert_line(struct jp_top *top, size_t width, size_t line, const char *wanted) {
    char *found = world_line(top, width, 24, line);
    CHECK(strcmp(found, wanted) == 0, "line %zu:\n\"%s\", not\n\"%s\"", line, found, wanted);
    jp_free(found);
}

static bool shows(struct jp_top *top, size_t width, const char *text) {
    char *screen = world_screen(top, width, 24);
    bool found = strstr(screen, text) != NULL;
    jp_free(screen);
    return found;
}

static void a_wide_screen(void **state) {
    (void)state;
    struct jp_top top = {.interval_ms = 2000, .clock_text = "20:15:01"};
    world_two(&top);
    assert_line(&top, 120, 0, "jobpool top  20:15:01  every 2s  6 pools, 13 processes, 4 processors");
    assert_line(&top, 120, 1, "CPU 150.0% of one processor  memory 2.70G  I/O 3.00M/s  events 20.0/s");
    assert_line(&top, 90, 3, "POOL                CPU%▼   MEMORY  OF LIMIT              PROCS   I/O/s  EVENTS/s  BY");
    assert_line(&top, 90, 4, "build               150.0     858M  ████████▌░ 1.00G      12/64   1.00K      20.0  kernel");
    assert_line(&top, 90, 9, "web                   0.0    1.86G  ██████████ 1.86G        1/1   3.00M         -  mixed");
    assert_line(&top, 90, 8, "idle                  0.0        0                          0/2       0       0.0  none");
    jp_top_free(&top);
}

static void narrow_screens_have_fewer_columns(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_two(&top);
    assert_true(shows(&top, 120, "READ/s") && shows(&top, 120, "WORKSET") && shows(&top, 120, "BY"));
    assert_true(!shows(&top, 100, "READ/s") && shows(&top, 100, "WORKSET"));
    assert_true(shows(&top, 80, "EVENTS/s") && shows(&top, 80, "OF LIMIT") && !shows(&top, 80, "BY"));
    assert_true(shows(&top, 60, "PROCS") && shows(&top, 60, "I/O/s") && !shows(&top, 60, "OF LIMIT"));
    assert_true(shows(&top, 40, "MEMORY") && !shows(&top, 40, "PROCS"));
    assert_true(shows(&top, 25, "CPU%") && !shows(&top, 25, "MEMORY"));
    assert_true(shows(&top, 14, "build") && !shows(&top, 14, "CPU%"));
    assert_true(shows(&top, 5, "bui"));
    for (size_t width = 0; width < 130; width++)
        for (size_t height = 0; height < 12; height++)
            jp_free(world_screen(&top, width, height));
    jp_top_free(&top);
}

static void trees_have_branches(void **state) {
    (void)state;
    struct jp_top top = {.tree = true};
    world_two(&top);
    world_press(&top, 'n');
    assert_line(&top, 14, 5, "├─ build-a");
    assert_line(&top, 14, 6, "└─ build-b");
    assert_line(&top, 14, 7, "   └─ deep");
    world_take(&top, "{'clock100ns': 90000000, 'pools': [{'name': 'a'}, {'name': 'b', 'parent': 'a'}, {'name': 'c', 'parent': 'b'}, {'name': 'd', 'parent': 'a'}]}");
    assert_line(&top, 14, 6, "│  └─ c");
    jp_top_free(&top);
}

static void cpu_of_the_machine(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_two(&top);
    world_press(&top, 'I');
    assert_true(shows(&top, 90, "CPU 37.5% of the machine"));
    assert_line(&top, 24, 4, "build               37.5");
    jp_top_free(&top);
}

static void what_is_said(void **state) {
    (void)state;
    struct jp_top top = {0};
    assert_true(shows(&top, 80, "asking the service"));
    world_two(&top);
    assert_line(&top, 80, 2, "");
    world_press(&top, 'k');
    assert_line(&top, 80, 2, "End all 12 processes of pool build and of those below it? y/n");
    world_press(&top, 'n');
    assert_line(&top, 80, 2, "nothing was done");
    jp_top_set_away(&top, "the pipe\x1b is gone");
    world_press(&top, '/');
    assert_line(&top, 80, 2, "filter: _  (Enter keeps it, Esc drops it)");
    world_press(&top, 'z');
    assert_true(shows(&top, 80, "nothing matches the filter"));
    world_press_key(&top, JP_TOP_KEY_ESCAPE);
    assert_line(&top, 80, 2, "the service is away; it is tried again: the pipe\\x1B is gone");
    assert_true(shows(&top, 80, "build")); /* as it was */
    jp_top_set_away(&top, NULL);
    assert_line(&top, 80, 2, "");
    world_press(&top, '?');
    assert_true(shows(&top, 80, "tree: pools below"));
    jp_top_free(&top);
}

static void states_of_pools(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_take(&top, "{'clock100ns': 1, 'pools': [{'name': 'a', 'state': 'active', 'frozen': true}, {'name': 'b', 'state': 'failed'}]}");
    assert_line(&top, 14, 4, "a [frozen]");
    assert_line(&top, 14, 5, "b [failed]");
    world_take(&top, "{'clock100ns': 2, 'pools': []}");
    assert_true(shows(&top, 80, "there are no pools that you may see"));
    jp_top_free(&top);
}

static void processes(void **state) {
    (void)state;
    struct jp_top top = {.inside = jp_strdup("build")};
    world_take(&top, "{'clock100ns': 1, 'pools': [], 'processes': [{'pid': 4711, 'startTime': 1, 'pool': 'build-a', 'user': 'ci', 'userTime100ns': 623400000, "
                     "'kernelTime100ns': 0, 'commitBytes': 1048576, 'workingSetBytes': 5, 'commandLine': 'cl.exe /c \xE4\xB8\x96.c and a lot more'}]}");
    assert_line(&top, 80, 4, "    4711        -    1.00M    1:02.34       -  build-a         cl.exe /c 世.c a…");
    assert_true(shows(&top, 90, "processes of pool build"));
    world_take(&top, "{'clock100ns': 2, 'pools': [], 'processes': []}");
    assert_true(shows(&top, 80, "no process is in it"));
    jp_top_free(&top);
}

static void the_selected_line_is_on_the_screen(void **state) {
    (void)state;
    struct jp_str many = {0};
    struct jp_top top = {.sort = JP_TOP_BY_NAME};
    jp_str_puts(&many, "{'clock100ns': 1, 'pools': [{'name': 'p100'}");
    for (int i = 101; i < 200; i++)
        jp_str_printf(&many, ", {'name': 'p%d'}", i);
    jp_str_puts(&many, "]}");
    world_take(&top, jp_str_text(&many));
    assert_true(shows(&top, 80, "p118") && !shows(&top, 80, "p119")); /* 19 lines */
    world_press_key(&top, JP_TOP_KEY_PAGE_DOWN);
    assert_true(shows(&top, 80, "p119") && !shows(&top, 80, "p100"));
    world_press_key(&top, JP_TOP_KEY_END);
    assert_true(shows(&top, 80, "p199") && shows(&top, 80, "p181"));
    world_press(&top, '/');
    world_press(&top, '2');
    world_press_key(&top, JP_TOP_KEY_BACKSPACE);
    assert_true(shows(&top, 80, "p199"));
    jp_str_free(&many);
    jp_top_free(&top);
}

/* --- the grid --- */

static void texts_are_cut(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t room;
        const char *wanted;
    } rows[] = {
        {"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"abcd", 1, "…"}, {"abcd", 0, ""}, {"世界", 4, "世界"}, {"世界", 3, "世…"}, {"世界", 2, "…"},
        {"e\xCC\x81x", 2, "ex"}, {"\xFFz", 2, "\xEF\xBF\xBDz"},
    };
    struct jp_top_grid grid = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jp_str line = {0};
        jp_top_grid_size(&grid, 6, 2);
        jp_top_grid_put(&grid, 1, 0, rows[i].room, JP_TOP_PLAIN, rows[i].text);
        world_grid_text(&grid, 1, &line);
        CHECK(strcmp(jp_str_text(&line), rows[i].wanted) == 0, "%s: %s", rows[i].wanted, jp_str_text(&line));
        jp_str_free(&line);
    }
    assert_int_equal(jp_top_grid_put(&grid, 2, 0, 5, JP_TOP_PLAIN, "below"), 0);
    assert_int_equal(jp_top_grid_put(&grid, 0, 6, 5, JP_TOP_PLAIN, "beside"), 0);
    assert_int_equal(jp_top_grid_put(&grid, 0, 4, 50, JP_TOP_PLAIN, "over"), 2);
    jp_top_grid_paint(&grid, 7, JP_TOP_BAD);
    jp_top_grid_free(&grid);
}

int main(void) {
    const struct CMUnitTest drawing[] = {
        cmocka_unit_test(a_wide_screen),
        cmocka_unit_test(narrow_screens_have_fewer_columns),
        cmocka_unit_test(trees_have_branches),
        cmocka_unit_test(cpu_of_the_machine),
        cmocka_unit_test(what_is_said),
        cmocka_unit_test(states_of_pools),
        cmocka_unit_test(processes),
        cmocka_unit_test(the_selected_line_is_on_the_screen),
        cmocka_unit_test(texts_are_cut),
    };
    return cmocka_run_group_tests(drawing, NULL, NULL);
}
