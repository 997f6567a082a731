/* From bytes to messages: every habit of real clients, cut at every byte, and what is broken or too long. */
#include "rpc/framing.h"

#include "unit.h"

#include <string.h>

enum { BOUND = 40 };

/* What comes of the bytes: "L:text|" or "H:text|" for messages, "L!|" or "H!|" for one that is too long, "broken|". */
static char *read_all(const char *bytes, size_t length, const size_t *cuts, size_t cut_count) {
    struct jp_framer framer = {.max_bytes = BOUND};
    struct jp_str out = {0};
    size_t at = 0;
    for (size_t i = 0; i <= cut_count; i++) {
        size_t end = i < cut_count ? cuts[i] : length;
        char *piece = jp_alloc(end - at + 1); /* of its own, so that reading past it is seen */
        memcpy(piece, bytes + at, end - at);
        for (size_t taken = 0; taken < end - at;) {
            enum jp_framed what;
            const char *text;
            size_t text_length, step = jp_framer_take(&framer, piece + taken, end - at - taken, &what, &text, &text_length);
            assert_true(step > 0 && step <= end - at - taken);
            taken += step;
            const char *framing = framer.framing == JP_BY_LENGTH ? "H" : "L";
            if (what == JP_FRAMED_MESSAGE)
                jp_str_printf(&out, "%s:%.*s|", framing, (int)text_length, text);
            else if (what == JP_FRAMED_TOO_LONG)
                jp_str_printf(&out, "%s!|", framing);
            else if (what == JP_FRAMED_BROKEN)
                jp_str_puts(&out, "broken|");
            assert_true(framer.held.length <= BOUND + JP_HEADERS_MAX);
        }
        jp_free(piece);
        at = end;
    }
    jp_framer_clear(&framer);
    return jp_str_take(&out);
}

static void expect_of(const char *bytes, size_t length, const char *expected) {
    char *whole = read_all(bytes, length, NULL, 0);
    assert_string_equal(whole, expected);
    jp_free(whole);
    for (size_t first = 1; first < length; first++)
        for (size_t second = first; second < length; second += 3) { /* in two or three pieces */
            size_t cuts[] = {first, second};
            char *cut = read_all(bytes, length, cuts, second > first ? 2 : 1);
            assert_string_equal(cut, expected);
            jp_free(cut);
        }
    size_t *each = jp_alloc((length + 1) * sizeof *each);
    for (size_t i = 0; i + 1 < length; i++)
        each[i] = i + 1;
    char *bytewise = read_all(bytes, length, each, length ? length - 1 : 0);
    assert_string_equal(bytewise, expected);
    jp_free(bytewise);
    jp_free(each);
}

static void expect(const char *bytes, const char *expected) { expect_of(bytes, strlen(bytes), expected); }

static void lines(void **state) {
    (void)state;
    expect("{}\n[]\n", "L:{}|L:[]|");
    expect("{}\r\n\r\n\n  {\"a\":1} \t\r\n", "L:{}|L:{\"a\":1}|");
    expect("\xEF\xBB\xBF{}\r\n\xEF\xBB\xBF\r\n{}\n", "L:{}|L:{}|");
    expect("{} {}\n", "L:{} {}|");
    expect("\xEF\xBBx\n", "L:\xEF\xBBx|"); /* half a mark is for the JSON reader to refuse */
    expect("nonsense\n{}\n", "L:nonsense|L:{}|");
    expect("GET / HTTP/1.1\n", "L:GET / HTTP/1.1|");
    expect("{\"never ends\"", "");
}

static void headers(void **state) {
    (void)state;
    expect("Content-Length: 2\r\n\r\n{}", "H:{}|");
    expect("content-length:2\r\nContent-Type: application/vscode-jsonrpc; charset=utf8\r\n\r\n{}Content-Length: 2\r\n\r\n[]", "H:{}|H:[]|");
    expect("X-Other: a: b\r\nCONTENT-LENGTH: \t2 \r\n\r\n{}\r\n{}\n", "H:{}|L:{}|");
    expect("\xEF\xBB\xBF" "Content-Length: 4\n\n{\n}\n", "H:{\n}\n|");
    expect("Content-Length: 0\r\n\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "H:|H:{}|");
    expect("Content-Type: text/json; charset=\"UTF-8\"\r\nContent-Length: 2\r\n\r\n{}", "H:{}|");
}

static void broken_headers(void **state) {
    (void)state;
    static const char *const all[] = {
        "X: y\r\n\r\n{}",
        "Content-Length: x\r\n\r\n{}",
        "Content-Length: -1\r\n\r\n{}",
        "Content-Length:\r\n\r\n{}",
        "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "Content-Length: 9999999999999999999\r\n\r\n{}",
        "Content-Length: 2\r\nno colon\r\n\r\n{}",
        "Content-Type: text/json; charset=utf-16\r\nContent-Length: 2\r\n\r\n{}",
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        expect(all[i], "broken|");
    expect("Host: x\r\n\r\n{}\n{}\nContent-Length: 2\r\n\r\n{}", "broken|"); /* and nothing after it */
}

static void bounds(void **state) {
    (void)state;
    struct jp_str text = {0};
    jp_str_printf(&text, "%*s\n{}\n", BOUND, "[");
    expect_of(text.data + BOUND - 1, text.length - BOUND + 1, "L:[|L:{}|");
    jp_str_clear(&text);
    jp_str_printf(&text, "[%0*d\n[%0*d\n{}\n", BOUND - 1, 0, BOUND, 0); /* of just the bound, and one more */
    char *got = read_all(text.data, text.length, NULL, 0);
    assert_non_null(strstr(got, "|L!|L:{}|"));
    jp_free(got);
    jp_str_clear(&text);
    jp_str_printf(&text, "Content-Length: %d\r\n\r\n%0*dContent-Length: %d\r\n\r\n%0*d{}\n", BOUND, BOUND, 0, BOUND + 1, BOUND + 1, 0);
    got = read_all(text.data, text.length, NULL, 0);
    assert_non_null(strstr(got, "0|H!|L:{}|"));
    jp_free(got);
    jp_str_clear(&text);
    for (int i = 0; i < JP_HEADERS_MAX + 100; i++) /* a line of letters is no header field, however long */
        jp_str_putc(&text, 'x');
    jp_str_puts(&text, "\n{}\n");
    got = read_all(text.data, text.length, NULL, 0);
    assert_string_equal(got, "L!|L:{}|");
    jp_free(got);
    text.data[1] = ':';
    got = read_all(text.data, text.length, NULL, 0);
    assert_string_equal(got, "broken|");
    jp_free(got);
    jp_str_free(&text);
}

static void out(void **state) {
    struct jp_str text = {0};
    (void)state;
    jp_str_puts(&text, "{}");
    jp_frame(&text, 0, JP_BY_LENGTH);
    size_t at = text.length;
    jp_str_puts(&text, "[1]");
    jp_frame(&text, at, JP_BY_LINE);
    assert_string_equal(text.data, "Content-Length: 2\r\n\r\n{}[1]\n");
    jp_str_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(headers), cmocka_unit_test(broken_headers), cmocka_unit_test(bounds),
                                       cmocka_unit_test(out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
