/* One thread that waits for keys, for answers and for the time of the next frame, whichever is first. Answers come on the client library's
 * thread and are laid into `calls`; all else belongs to the waiting thread. */
#include "cli/top_watch.h"

#include "cli/screen.h"

#include <stdio.h>
#include <string.h>

enum {
    FRAME_MIN_MS = 1000,       /* not even by pressing keys are there more questions than that */
    ANSWER_PATIENCE_MS = 10000, /* after that the service is called away, and asked again */
    ORDER_PATIENCE_MS = 60000,  /* to end processes may take a while */
    SIZE_LOOK_MS = 500,         /* not every console tells when its window was resized */
};

enum { FRAME, ORDER, CALLS };

struct call {
    struct watch *watch;
    bool asked;    /* and not answered yet */
    bool answered; /* and not looked at yet; under the lock */
    jp_status status;
    cJSON *result, *refusal;
    struct jp_error error;
};

struct watch {
    struct jp_cli *cli;
    struct jp_top *top;
    const char *pool;
    struct jp_screen *screen;
    struct jp_top_grid grid;
    SRWLOCK lock;
    HANDLE woken; /* an event: an answer is there */
    struct call calls[CALLS];
    char *done; /* what to say when the order was carried out */
    ULONGLONG asked_ms, next_ms;
    bool leaving;
    int code;
    struct jp_cli_failure failure; /* why it ends, said when the screen is closed */
    bool has_failure;
};

/* -------------------------------------------------------------------------------------------------------------- calling */

static void on_answer(void *context, uint64_t number, const struct jp_client_answer *answer) {
    struct call *call = context;
    (void)number;
    cJSON *result = jp_cli_tree(answer->result), *refusal = jp_cli_tree(answer->refusal);
    AcquireSRWLockExclusive(&call->watch->lock);
    call->status = answer->status;
    call->result = result;
    call->refusal = refusal;
    call->error = answer->error;
    call->answered = true;
    ReleaseSRWLockExclusive(&call->watch->lock);
    SetEvent(call->watch->woken);
}

static void leave(struct watch *watch, const struct jp_error *error, cJSON *refusal) {
    if (watch->has_failure)
        jp_cli_failure_clear(&watch->failure);
    watch->failure = (struct jp_cli_failure){.answered = refusal != NULL, .answer = cJSON_Duplicate(refusal, true), .error = *error};
    watch->has_failure = watch->leaving = true;
}

/* `params` is taken. The client library waits for a service that is away, and connects again. */
static void start(struct watch *watch, size_t which, const char *method, cJSON *params) {
    struct call *call = &watch->calls[which];
    struct jp_str text = {0};
    struct jp_error error = {0};
    jp_json_print(params, &text);
    cJSON_Delete(params);
    struct jp_client_request request = {
        .method = method,
        .params = jp_str_text(&text),
        .timeout_ms = which == FRAME ? ANSWER_PATIENCE_MS : ORDER_PATIENCE_MS,
        .context = call,
        .on_answer = on_answer,
    };
    call->watch = watch;
    if (jp_client_start(watch->cli->client, &request, NULL, &error) == JP_OK)
        call->asked = true;
    else
        leave(watch, &error, NULL);
    jp_str_free(&text);
}

static void ask(struct watch *watch) {
    cJSON *params = jp_top_question(watch->top);
    if (watch->pool != NULL)
        jp_json_add_string(params, "pool", watch->pool);
    watch->asked_ms = GetTickCount64();
    watch->next_ms = watch->asked_ms + watch->top->interval_ms;
    start(watch, FRAME, "pool.usage", params);
}

static void ask_soon(struct watch *watch) {
    if (watch->asked_ms + FRAME_MIN_MS < watch->next_ms)
        watch->next_ms = watch->asked_ms + FRAME_MIN_MS;
}

/* True, with what was answered, once. */
static bool take_answer(struct watch *watch, size_t which, struct call *ret_call) {
    struct call *call = &watch->calls[which];
    AcquireSRWLockExclusive(&watch->lock);
    bool answered = call->answered;
    if (answered) {
        *ret_call = *call;
        call->answered = call->asked = false;
        call->result = call->refusal = NULL;
    }
    ReleaseSRWLockExclusive(&watch->lock);
    return answered;
}

static const char *message_of(const struct call *call) {
    const char *message = cJSON_GetStringValue(jp_get(call->refusal, "message"));
    return message == NULL ? call->error.text : message;
}

/* ------------------------------------------------------------------------------------------------------------ answers */

static void tell_clock(struct jp_top *top) {
    SYSTEMTIME now;
    GetLocalTime(&now);
    snprintf(top->clock_text, sizeof top->clock_text, "%02u:%02u:%02u", now.wHour % 100u, now.wMinute % 100u, now.wSecond % 100u);
}

/* A pool that is gone while its processes are shown is no reason to go; a service that knows no pool.usage is. */
static void refused(struct watch *watch, const struct call *call) {
    struct jp_top *top = watch->top;
    if (top->inside != NULL) {
        jp_top_press(top, (struct jp_top_key){.kind = JP_TOP_KEY_ESCAPE});
        jp_top_tell(top, true, "%s", message_of(call));
        ask_soon(watch);
    } else {
        leave(watch, &call->error, call->refusal);
    }
}

static void framed(struct watch *watch, const struct call *call) {
    struct jp_error error = call->error;
    tell_clock(watch->top);
    if (call->status == JP_OK && jp_top_take(watch->top, call->result, &error) == JP_OK)
        jp_top_set_away(watch->top, NULL);
    else if (call->refusal != NULL)
        refused(watch, call);
    else if (call->status == JP_OK)
        leave(watch, &error, NULL);
    else
        jp_top_set_away(watch->top, error.text);
}

static void ordered(struct watch *watch, const struct call *call) {
    if (call->status == JP_OK)
        jp_top_tell(watch->top, false, "%s", watch->done);
    else
        jp_top_tell(watch->top, true, "%s", message_of(call));
    ask_soon(watch);
}

static bool look_at_answers(struct watch *watch) {
    struct call call;
    bool any = false;
    for (size_t which = 0; which < CALLS; which++) {
        if (!take_answer(watch, which, &call))
            continue;
        (which == FRAME ? framed : ordered)(watch, &call);
        cJSON_Delete(call.result);
        cJSON_Delete(call.refusal);
        any = true;
    }
    return any;
}

/* --------------------------------------------------------------------------------------------------------------- keys */

static void act(struct watch *watch) {
    struct jp_top_order *order = &watch->top->order;
    if (watch->calls[ORDER].asked) {
        jp_top_tell(watch->top, true, "the service has not answered the last order yet");
    } else {
        size_t length = strlen(order->question);
        jp_free(watch->done);
        watch->done = jp_sprintf("done: %.*s", (int)(length > 0 ? length - 1 : 0), order->question); /* without its question mark */
        start(watch, ORDER, order->method, order->params);
        order->params = NULL;
    }
    jp_top_order_clear(order);
}

static bool look_at_keys(struct watch *watch) {
    struct jp_top_key key;
    bool any = false;
    while (!watch->leaving && jp_screen_key(watch->screen, &key)) {
        any = true;
        switch (jp_top_press(watch->top, key)) {
        case JP_TOP_DRAW:
            break;
        case JP_TOP_ASK:
            ask_soon(watch);
            break;
        case JP_TOP_ACT:
            act(watch);
            break;
        case JP_TOP_QUIT:
            watch->leaving = true;
            break;
        }
    }
    return any;
}

/* ------------------------------------------------------------------------------------------------------------ the loop */

/* Ctrl-Break, and a console that is closed (Ctrl-C is a key, where the console tells keys): the waiting thread goes the usual way out. The
 * event is never closed, because the handler may run at any time. */
static HANDLE stopped;

static BOOL WINAPI on_control(DWORD event) {
    (void)event;
    SetEvent(stopped);
    return TRUE;
}

/* True if the window has another size than what was drawn last. */
static bool was_resized(const struct watch *watch) {
    size_t width, height;
    jp_screen_size(watch->screen, &width, &height);
    return width != watch->grid.width || height != watch->grid.height;
}

static void draw(struct watch *watch) {
    size_t width, height;
    jp_screen_size(watch->screen, &width, &height);
    jp_top_grid_size(&watch->grid, width, height);
    jp_top_draw(watch->top, &watch->grid);
    jp_screen_show(watch->screen, &watch->grid);
}

static DWORD time_left(const struct watch *watch) {
    ULONGLONG now = GetTickCount64();
    ULONGLONG left = watch->calls[FRAME].asked ? SIZE_LOOK_MS : now < watch->next_ms ? watch->next_ms - now : 0;
    return left < SIZE_LOOK_MS ? (DWORD)left : SIZE_LOOK_MS;
}

static void loop(struct watch *watch) {
    bool changed = true;
    while (!watch->leaving) {
        if (!watch->calls[FRAME].asked && GetTickCount64() >= watch->next_ms)
            ask(watch);
        if (changed || was_resized(watch))
            draw(watch);
        HANDLE handles[] = {stopped, jp_screen_input(watch->screen), watch->woken};
        if (WaitForMultipleObjects(3, handles, FALSE, time_left(watch)) == WAIT_OBJECT_0)
            return;
        bool answers = look_at_answers(watch);
        changed = look_at_keys(watch) || answers;
    }
}

static void end(struct watch *watch) {
    SetConsoleCtrlHandler(on_control, FALSE);
    jp_screen_close(watch->screen);
    jp_client_close(watch->cli->client); /* before what its callbacks write to goes */
    watch->cli->client = NULL;
    for (size_t which = 0; which < CALLS; which++) {
        cJSON_Delete(watch->calls[which].result);
        cJSON_Delete(watch->calls[which].refusal);
    }
    CloseHandle(watch->woken);
    jp_top_grid_free(&watch->grid);
    jp_free(watch->done);
}

int jp_top_watch(struct jp_cli *cli, struct jp_top *top, const char *pool) {
    struct watch watch = {.cli = cli, .top = top, .pool = pool, .lock = SRWLOCK_INIT, .woken = CreateEventW(NULL, FALSE, FALSE, NULL)};
    struct jp_error error = {0};
    stopped = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (watch.woken == NULL || stopped == NULL) {
        jp_complain("cannot wait for keys and answers (CreateEventW, error %lu)", (unsigned long)GetLastError());
        return JP_EXIT_FAILED;
    }
    cli->connection.reconnect_ms = JP_CLIENT_NO_TIMEOUT;
    int code = jp_cli_connect(cli);
    tell_clock(top);
    if (code == JP_EXIT_OK && jp_screen_open(jp_output_has_colours(), &watch.screen, &error) != JP_OK) {
        jp_complain("%s", error.text);
        code = JP_EXIT_FAILED;
    }
    if (code == JP_EXIT_OK) {
        SetConsoleCtrlHandler(on_control, TRUE);
        loop(&watch);
    }
    end(&watch);
    return watch.has_failure ? jp_cli_say_failure(cli, &watch.failure) : code;
}
