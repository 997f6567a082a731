/* What keys do: order, tree, filter, going into a pool, and nothing to a process before y. */
#include "top_world.h"

static void numbers_are_sorted_from_the_greatest(void **state) {
    (void)state;
    static const struct {
        char key;
        const char *names;
    } rows[] = {
        {'m', "web build build-a build-b deep idle"},
        {'m', "idle deep build-b build-a build web"}, /* once more: the other way round */
        {'p', "build build-a build-b deep web idle"},
        {'i', "web build build-a build-b idle deep"},
        {'e', "build build-a build-b deep idle web"}, /* what nobody knows comes last */
        {'n', "build build-a build-b deep idle web"},
        {'r', "web idle deep build-b build-a build"},
        {'c', "build build-b deep build-a idle web"},
    };
    struct jp_top top = {0};
    world_two(&top);
    assert_string_equal(world_names(&top), "build build-b deep build-a idle web"); /* by CPU */
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(world_press(&top, (uint32_t)rows[i].key), JP_TOP_DRAW);
        CHECK(strcmp(world_names(&top), rows[i].names) == 0, "%c: %s", rows[i].key, world_names(&top));
    }
    jp_top_free(&top);
}

static void the_sorted_column_moves(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_two(&top);
    world_press(&top, '>');
    assert_int_equal(top.sort, JP_TOP_BY_MEMORY);
    world_press(&top, '<');
    world_press(&top, '<');
    assert_int_equal(top.sort, JP_TOP_BY_NAME);
    world_press(&top, '<');
    assert_int_equal(top.sort, JP_TOP_BY_EVENTS);
    world_press(&top, '>');
    assert_int_equal(top.sort, JP_TOP_BY_NAME);
    jp_top_free(&top);
}

static void a_tree(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_two(&top);
    world_press(&top, 't');
    world_press(&top, 'n');
    assert_string_equal(world_names(&top), "build build-a build-b deep idle web");
    assert_int_equal(top.lines[3].depth, 2);
    world_press(&top, 'm');
    assert_string_equal(world_names(&top), "web build build-a build-b deep idle"); /* siblings among themselves */
    world_press(&top, '/');
    world_press(&top, 'D');
    world_press(&top, 'e');
    world_press(&top, 'e');
    assert_string_equal(world_names(&top), "build build-b deep"); /* with those above it */
    jp_top_free(&top);
}

/* Whatever a service says of parents: every row once at most, and an end. */
static void parents_that_cannot_be(void **state) {
    (void)state;
    struct jp_top top = {.tree = true};
    world_take(&top, "{'clock100ns': 1, 'pools': [{'name': 'a', 'parent': 'b'}, {'name': 'b', 'parent': 'a'}, {'name': 'c', 'parent': 'c'}, "
                     "{'name': 'd', 'parent': 'hidden'}, {'name': 'd', 'parent': 'd'}]}");
    assert_string_equal(world_names(&top), "d d");
    jp_top_free(&top);
    struct jp_str deep = {0};
    jp_str_puts(&deep, "{'clock100ns': 1, 'pools': [{'name': 'p0'}");
    for (int i = 1; i < 200; i++)
        jp_str_printf(&deep, ", {'name': 'p%d', 'parent': 'p%d'}", i, i - 1);
    jp_str_puts(&deep, "]}");
    top.tree = true;
    world_take(&top, jp_str_text(&deep));
    assert_true(top.line_count >= 64 && top.line_count <= 200);
    char *screen = world_screen(&top, 80, 100);
    assert_non_null(strstr(screen, "p63"));
    jp_free(screen);
    jp_str_free(&deep);
    jp_top_free(&top);
}

static void the_filter(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_two(&top);
    world_press(&top, '/');
    world_press(&top, 'B');
    assert_string_equal(world_names(&top), "build build-b build-a web");
    world_press(&top, 'q'); /* is a letter here */
    assert_string_equal(world_names(&top), "");
    world_press(&top, 0x4E16);
    world_press_key(&top, JP_TOP_KEY_BACKSPACE);
    world_press_key(&top, JP_TOP_KEY_BACKSPACE);
    assert_string_equal(jp_str_text(&top.filter), "B");
    world_press_key(&top, JP_TOP_KEY_ENTER);
    assert_int_equal(top.mode, JP_TOP_LISTING);
    assert_string_equal(world_names(&top), "build build-b build-a web");
    world_press_key(&top, JP_TOP_KEY_ESCAPE);
    assert_int_equal(top.line_count, 6);
    world_press(&top, '/');
    world_press(&top, 'x');
    world_press_key(&top, JP_TOP_KEY_ESCAPE);
    assert_int_equal(top.line_count, 6);
    world_press_key(&top, JP_TOP_KEY_INTERRUPT);
    jp_top_free(&top);
}

static const char *selected(const struct jp_top *top) { return top->lines[jp__top_selected(top)].row->key; }

static void the_selection_stays_with_its_pool(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_two(&top);
    assert_string_equal(selected(&top), "build");
    world_press_key(&top, JP_TOP_KEY_DOWN);
    assert_string_equal(selected(&top), "build-b");
    world_press(&top, 'm');
    assert_string_equal(selected(&top), "build-b");
    world_press_key(&top, JP_TOP_KEY_END);
    world_press_key(&top, JP_TOP_KEY_DOWN);
    assert_string_equal(selected(&top), "idle");
    world_press_key(&top, JP_TOP_KEY_HOME);
    world_press_key(&top, JP_TOP_KEY_UP);
    assert_string_equal(selected(&top), "web");
    world_take(&top, "{'clock100ns': 90000000, 'pools': [{'name': 'idle'}]}"); /* web is gone */
    assert_string_equal(selected(&top), "idle");
    world_take(&top, "{'clock100ns': 99000000, 'pools': []}");
    world_press_key(&top, JP_TOP_KEY_DOWN);
    assert_int_equal(world_press(&top, 'k'), JP_TOP_DRAW);
    assert_int_equal(world_press(&top, 'f'), JP_TOP_DRAW);
    assert_int_equal(world_press_key(&top, JP_TOP_KEY_ENTER), JP_TOP_DRAW);
    assert_int_equal(top.mode, JP_TOP_LISTING);
    jp_top_free(&top);
}

static void into_a_pool_and_back(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_two(&top);
    world_press_key(&top, JP_TOP_KEY_DOWN);
    assert_int_equal(world_press_key(&top, JP_TOP_KEY_ENTER), JP_TOP_ASK);
    cJSON *question = jp_top_question(&top);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(question, "processesOf")), "build-b");
    cJSON_Delete(question);
    assert_int_equal(top.line_count, 0);
    world_take(&top, "{'clock100ns': 90000000, 'pools': [], 'processes': [{'pid': 8, 'startTime': '134082333410000000', 'pool': 'deep', 'commandLine': 'cl /c'}]}");
    assert_string_equal(world_names(&top), "cl /c");
    assert_int_equal(world_press(&top, 'k'), JP_TOP_DRAW);
    assert_string_equal(top.order.question, "End process 8 of pool deep?");
    assert_int_equal(world_press(&top, 'y'), JP_TOP_ACT);
    assert_string_equal(top.order.method, "process.terminate");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(top.order.params, "startTime")), "134082333410000000");
    jp_top_order_clear(&top.order);
    world_press(&top, 'f');
    assert_int_equal(top.mode, JP_TOP_LISTING); /* only pools freeze */
    world_press_key(&top, JP_TOP_KEY_ESCAPE);
    assert_null(top.inside);
    world_take(&top, world_second);
    assert_string_equal(selected(&top), "build-b");
    question = jp_top_question(&top);
    assert_null(question->child);
    cJSON_Delete(question);
    jp_top_free(&top);
}

static void orders_wait_for_y(void **state) {
    (void)state;
    static const uint32_t others[] = {'n', 'q', 'k', ' ', 0x0D};
    struct jp_top top = {0};
    world_two(&top);
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_int_equal(world_press(&top, 'k'), JP_TOP_DRAW);
        assert_int_equal(top.mode, JP_TOP_CONFIRMING);
        assert_int_equal(world_press(&top, others[i]), JP_TOP_DRAW);
        assert_true(top.mode == JP_TOP_LISTING && top.order.method == NULL);
    }
    world_press(&top, 'k');
    assert_string_equal(top.order.question, "End all 12 processes of pool build and of those below it?");
    assert_int_equal(world_press(&top, 'y'), JP_TOP_ACT);
    assert_string_equal(top.order.method, "pool.terminate");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(top.order.params, "pool")), "build");
    jp_top_order_clear(&top.order);
    world_press(&top, 'k');
    assert_int_equal(world_press_key(&top, JP_TOP_KEY_INTERRUPT), JP_TOP_QUIT);
    jp_top_free(&top);
}

/* The question is about what was selected when k was pressed, whatever the next frame brings. */
static void frames_do_not_change_an_order(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_two(&top);
    world_press(&top, 'k');
    world_take(&top, "{'clock100ns': 90000000, 'pools': [{'name': 'web', 'totalMembers': 3}]}");
    assert_int_equal(world_press(&top, 'y'), JP_TOP_ACT);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(top.order.params, "pool")), "build");
    jp_top_free(&top);
}

static void freezing_and_thawing(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_take(&top, "{'clock100ns': 1, 'pools': [{'name': 'a', 'totalMembers': 1, 'frozen': false}, {'name': 'b', 'frozen': true}, {'name': 'c', 'totalMembers': 0}]}");
    world_press(&top, 'n');
    world_press(&top, 'f');
    assert_string_equal(top.order.question, "Freeze the one process of pool a and of those below it?");
    assert_int_equal(world_press(&top, 'Y'), JP_TOP_ACT);
    assert_string_equal(top.order.method, "pool.freeze");
    world_press_key(&top, JP_TOP_KEY_DOWN);
    world_press(&top, 'f');
    assert_string_equal(top.order.question, "Thaw all processes of pool b and of those below it?");
    assert_int_equal(world_press(&top, 'y'), JP_TOP_ACT);
    assert_string_equal(top.order.method, "pool.thaw");
    jp_top_order_clear(&top.order);
    world_press_key(&top, JP_TOP_KEY_END);
    world_press(&top, 'k');
    assert_string_equal(top.notice, "pool c has no processes");
    jp_top_free(&top);
}

static void help_and_the_way_out(void **state) {
    (void)state;
    struct jp_top top = {0};
    world_press(&top, '?');
    assert_int_equal(top.mode, JP_TOP_HELPING);
    assert_int_equal(world_press(&top, 'k'), JP_TOP_DRAW);
    assert_int_equal(top.mode, JP_TOP_LISTING);
    assert_int_equal(world_press(&top, ' '), JP_TOP_ASK);
    assert_int_equal(world_press(&top, 'q'), JP_TOP_QUIT);
    assert_int_equal(world_press_key(&top, JP_TOP_KEY_INTERRUPT), JP_TOP_QUIT);
    jp_top_free(&top);
}

/* Any keys at all, on any pools: nothing breaks, and no order is given without a y right after a question. */
static void random_keys(void **state) {
    (void)state;
    static const char keys[] = "cmpienr<>tI/kf?h yzq\x08";
    uint64_t random = new_seed();
    struct jp_top top = {0};
    for (unsigned i = 0; i < 20000; i++) {
        bool asked = top.mode == JP_TOP_CONFIRMING;
        struct jp_top_key key = {.kind = (enum jp_top_key_kind)random_below(&random, JP_TOP_KEY_INTERRUPT), .code = (uint32_t)keys[random_below(&random, sizeof keys - 1)]};
        enum jp_top_wish wish = jp_top_press(&top, key);
        assert_true(wish != JP_TOP_ACT || (asked && key.kind == JP_TOP_KEY_CHARACTER && key.code == 'y' && top.order.method != NULL));
        if (wish == JP_TOP_ACT)
            jp_top_order_clear(&top.order);
        unsigned next = random_below(&random, 40);
        if (next == 0)
            world_take(&top, world_first);
        else if (next == 1)
            world_take(&top, world_second);
        else if (next == 2)
            world_take(&top, "{'clock100ns': 90000000, 'pools': [], 'processes': [{'pid': 8, 'startTime': 1}, {'pid': 9}]}");
        else if (next < 8)
            jp_free(world_screen(&top, random_below(&random, 140), random_below(&random, 30)));
    }
    jp_top_free(&top);
}

int main(void) {
    const struct CMUnitTest keys[] = {
        cmocka_unit_test(numbers_are_sorted_from_the_greatest),
        cmocka_unit_test(the_sorted_column_moves),
        cmocka_unit_test(a_tree),
        cmocka_unit_test(parents_that_cannot_be),
        cmocka_unit_test(the_filter),
        cmocka_unit_test(the_selection_stays_with_its_pool),
        cmocka_unit_test(into_a_pool_and_back),
        cmocka_unit_test(orders_wait_for_y),
        cmocka_unit_test(frames_do_not_change_an_order),
        cmocka_unit_test(freezing_and_thawing),
        cmocka_unit_test(help_and_the_way_out),
        cmocka_unit_test(random_keys),
    };
    return cmocka_run_group_tests(keys, NULL, NULL);
}
