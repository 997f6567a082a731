/* From bytes to messages, in the two framings that the pipe takes; pure.
 *
 * By line: a message is a line of JSON; the line's end is \n or \r\n, blank lines and a byte order mark are passed over. By length, as the
 * Language Server Protocol has it: header fields, a blank line, and as many bytes as Content-Length says
 * (https://microsoft.github.io/language-server-protocol/specification#baseProtocol). Names of fields may be in any case and order, other fields are
 * passed over. A message's first byte tells which it is: a letter begins a header field, and no JSON text that is a request. */
#ifndef JP_RPC_FRAMING_H
#define JP_RPC_FRAMING_H

#include "base/str.h"

enum jp_framing { JP_BY_LINE, JP_BY_LENGTH };

enum { JP_HEADERS_MAX = 4096 }; /* bytes of the header fields of a message */

enum jp_framed {
    JP_FRAMED_NOTHING,  /* all bytes were taken, and no message is complete */
    JP_FRAMED_MESSAGE,
    JP_FRAMED_TOO_LONG, /* over the bound: told when that is known; the rest of it will be passed over */
    JP_FRAMED_BROKEN,   /* header fields that say nothing: nobody can tell where the next message begins */
};

struct jp_framer {
    size_t max_bytes;        /* of a message */
    enum jp_framing framing; /* of the last message, complete or not */
    /* private */
    enum { JP_AT_START, JP_IN_LINE, JP_IN_HEADERS, JP_IN_BODY, JP_SKIPPING_LINE, JP_SKIPPING_BODY, JP_BROKEN } stage;
    unsigned mark;      /* bytes of a byte order mark */
    struct jp_str held; /* what came of the message, or of its header fields, so far */
    size_t line;        /* IN_HEADERS: where in `held` the line begins that is not complete */
    bool has_length;
    uint64_t body_bytes; /* of the message; SKIPPING_BODY: that are still to come */
};

/* Takes bytes up to the end of one message, and returns how many. *ret_text, of *ret_length bytes, is the message: good until the next call, and
 * only as long as `bytes` are. For BROKEN it is a sentence about what was wrong. */
size_t jp_framer_take(struct jp_framer *framer, const char *bytes, size_t length, enum jp_framed *ret_what, const char **ret_text,
                      size_t *ret_length);
bool jp_framer_midway(const struct jp_framer *framer); /* a message has begun and is not complete */
void jp_framer_clear(struct jp_framer *framer);

/* Makes the text from `at` on, to the end, a message as it goes out. */
void jp_frame(struct jp_str *out, size_t at, enum jp_framing framing);

#endif
