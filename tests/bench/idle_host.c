/* jobpoold on a host whose handles tell what an ended process has used, as Windows' do. Wine's do not, and so the service looks at all processes
 * twice a second there while it has members: that would be all that an idle one is measured by. Here that one finding of the probe is put right;
 * everything else is the real service (tests/bench/meson.build links it with --wrap=jp__probe). */
#include "win32/internal.h"

void __real_jp__probe(const struct jp_log *log, struct jp_capabilities *ret_capabilities);
void __wrap_jp__probe(const struct jp_log *log, struct jp_capabilities *ret_capabilities);

void __wrap_jp__probe(const struct jp_log *log, struct jp_capabilities *ret_capabilities) {
    __real_jp__probe(log, ret_capabilities);
    ret_capabilities->process_times = ret_capabilities->memory_after_exit = true;
}
