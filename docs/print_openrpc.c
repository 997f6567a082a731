/* Prints what rpc.discover answers: rpc.py makes rpc.md of it, and the tests' clients hold every answer against it. */
#include "rpc/rpc.h"

#include <stdio.h>

int main(void) {
    struct jp_str text = {0};
    cJSON *document = jp_rpc_openrpc(JP_VERSION);
    jp_json_print(document, &text);
    cJSON_Delete(document);
    bool good = puts(jp_str_text(&text)) >= 0;
    jp_str_free(&text);
    return good ? 0 : 1;
}
