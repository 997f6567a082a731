/* HTML and SVG as text: what others chose (names, command lines) is made harmless, and quantities are written for people. */
#ifndef JP_REPORT_HTML_H
#define JP_REPORT_HTML_H

#include "base/json.h"

enum { JP_WORDS = 48 };

/* Adds text for an element or a quoted attribute, at most so many characters of it ("..." says that there was more). Markup is escaped;
 * control characters, those that turn the direction of writing, and code points that are no characters are written as \u{202E}. */
void jp_html_text(struct jp_str *out, const char *text, size_t most);

/* "6.1 GiB", "2 h 30 min" (longer ones "12.5 h", "1,392 h"), "12,345", "12.5 %". */
const char *jp_words_bytes(double bytes, char buffer[JP_WORDS]);
const char *jp_words_duration(uint64_t time_100ns, char buffer[JP_WORDS]);
const char *jp_words_span(uint64_t time_100ns, char buffer[JP_WORDS]); /* of a calendar: "7 days" */
const char *jp_words_count(uint64_t count, char buffer[JP_WORDS]);
const char *jp_words_percent(double percent, char buffer[JP_WORDS]);

/* A member's value. */
uint64_t jp_get_u64(const cJSON *object, const char *key); /* 0 where it is no number */
int64_t jp_get_time(const cJSON *object, const char *key); /* 0 where it is no time */
const char *jp_get_text(const cJSON *object, const char *key); /* "" where it is no text */

#endif
