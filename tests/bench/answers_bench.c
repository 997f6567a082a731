/* Long answers: a client that times them, and the least program that gives the same ones.
 *
 *   answers_bench client ADDRESS METHOD PARAMS COUNT FILE   asks so often; writes an answer to FILE, prints {"us": median, "bytes": ...}
 *   answers_bench server ADDRESS FILE                       prints the answer in FILE to whoever sends a line; says "ready"
 *
 * The server has the rows in memory as structs, which it makes of the answer in FILE before anybody asks. For each line that comes it prints all
 * of them anew, strings escaped as JSON wants it, numbers without printf (which costs more than all the rest), and writes them to the socket, 64 KiB at a time. That
 * is all that any program must do that answers from memory: it has no parser, no rights, no queue, and one client at a time, and keeps its
 * memory. The client sees to it that all answers are the same, byte for byte. */
#include "base/json.h"
#include "base/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void die(const char *what) {
    fprintf(stderr, "answers_bench: %s: %s\n", what, errno ? strerror(errno) : "not as expected");
    exit(EXIT_FAILURE);
}

/* --- the socket --- */

static int new_socket(const char *path, struct sockaddr_un *address) {
    int made = socket(AF_UNIX, SOCK_STREAM, 0);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (made < 0 || strlen(path) >= sizeof address->sun_path)
        die(path);
    memcpy(address->sun_path, path, strlen(path));
    return made;
}

static void write_all(int to, const char *bytes, size_t length) {
    while (length) {
        ssize_t written = write(to, bytes, length);
        if (written < 0)
            die("write");
        bytes += written;
        length -= (size_t)written;
    }
}

struct text {
    char *bytes;
    size_t length, capacity;
};

static void grow(struct text *text, size_t more) {
    while (text->capacity - text->length < more) {
        text->capacity = text->capacity ? text->capacity * 2 : 1 << 16;
        text->bytes = realloc(text->bytes, text->capacity);
        if (!text->bytes)
            die("memory");
    }
}

static inline void make_room(struct text *text, size_t more) {
    if (text->capacity - text->length < more)
        grow(text, more);
}

/* Reads on until a line is complete; there is never more than one. False at the end. */
static bool read_line(int from, struct text *line) {
    line->length = 0;
    do {
        make_room(line, 1 << 16);
        ssize_t got = read(from, line->bytes + line->length, line->capacity - line->length);
        if (got < 0)
            die("read");
        if (!got)
            return false;
        line->length += (size_t)got;
    } while (line->bytes[line->length - 1] != '\n');
    return true;
}

/* --- the client --- */

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare_times(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static double ask(int server, const struct text *question, struct text *answer) {
    double began = now_us();
    write_all(server, question->bytes, question->length);
    if (!read_line(server, answer))
        die("the connection was closed");
    return now_us() - began;
}

static void keep(const char *path, const struct text *text) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(text->bytes, 1, text->length, file) != text->length || fclose(file))
        die(path);
}

static void be_client(char **arguments) {
    size_t count = strtoul(arguments[3], NULL, 10);
    struct text question = {0}, first = {0}, answer = {0};
    struct sockaddr_un address;
    int server = new_socket(arguments[0], &address);
    double *times = calloc(count, sizeof *times);
    if (!times || !count || connect(server, (const struct sockaddr *)&address, sizeof address))
        die(arguments[0]);
    make_room(&question, strlen(arguments[1]) + strlen(arguments[2]) + 64);
    question.length = (size_t)sprintf(question.bytes, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}\n", arguments[1], arguments[2]);
    ask(server, &question, &first);
    ask(server, &question, &answer); /* its memory is there, too */
    for (size_t i = 0; i < count; i++) {
        times[i] = ask(server, &question, &answer);
        if (answer.length != first.length || memcmp(answer.bytes, first.bytes, first.length) != 0)
            die("an answer differs from the first one");
    }
    keep(arguments[4], &first);
    qsort(times, count, sizeof *times, compare_times);
    printf("{\"us\": %.1f, \"bytes\": %zu}\n", times[count / 2], first.length);
}

/* --- printing --- */

static inline void append_bytes(struct text *text, const char *bytes, size_t length) {
    make_room(text, length);
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

/* Of a literal the compiler knows the length: these are inline for that. */
static inline void append(struct text *text, const char *string) { append_bytes(text, string, strlen(string)); }

static char letters[128]; /* what stands behind the "\\"; 0: it stands for itself */

static void prepare_letters(void) {
    static const char escaped[] = "\"\\\b\f\n\r\t", with[] = "\"\\bfnrt";
    memset(letters, 'u', ' ');
    for (size_t i = 0; escaped[i]; i++)
        letters[(unsigned char)escaped[i]] = with[i];
}

static char *escape(char *to, unsigned char byte) {
    *to++ = '\\';
    if (letters[byte] == 'u')
        return to + sprintf(to, "u%04x", byte);
    *to++ = letters[byte];
    return to;
}

static void print_string(struct text *text, const char *string) {
    if (!string) {
        append(text, "null");
        return;
    }
    make_room(text, strlen(string) * 6 + 2);
    char *to = text->bytes + text->length;
    *to++ = '"';
    for (unsigned char byte; (byte = (unsigned char)*string) != '\0'; string++)
        if (byte >= sizeof letters || !letters[byte])
            *to++ = (char)byte;
        else
            to = escape(to, byte);
    *to++ = '"';
    text->length = (size_t)(to - text->bytes);
}

enum { UNKNOWN = -1 };

static void print_digits(struct text *text, int64_t number) {
    char digits[20], *first = digits + sizeof digits;
    uint64_t left = (uint64_t)number;
    if (number == UNKNOWN) {
        append(text, "null");
        return;
    }
    do
        *--first = (char)('0' + left % 10);
    while (left /= 10);
    append_bytes(text, first, (size_t)(digits + sizeof digits - first));
}

static inline void put_digits(char *at, unsigned width, unsigned number) {
    for (; width--; number /= 10)
        at[width] = (char)('0' + number % 10);
}

/* Rows are mostly of one day, of which the date is printed once. */
static void print_date_and_time(struct text *text, int64_t time_100ns) {
    static int64_t day = -1;
    static char date[] = "\"0000-00-00T00:00:00.0000000Z\"";
    if (time_100ns == UNKNOWN) {
        append(text, "null");
        return;
    }
    const int64_t seconds = (time_100ns - JP_UNIX_EPOCH_100NS) / JP_100NS_PER_S;
    if (seconds / 86400 != day) {
        struct tm utc;
        gmtime_r(&(time_t){seconds}, &utc);
        put_digits(date + 1, 4, (unsigned)utc.tm_year + 1900);
        put_digits(date + 6, 2, (unsigned)utc.tm_mon + 1);
        put_digits(date + 9, 2, (unsigned)utc.tm_mday);
        day = seconds / 86400;
    }
    const unsigned second = (unsigned)(seconds % 86400);
    put_digits(date + 12, 2, second / 3600);
    put_digits(date + 15, 2, second / 60 % 60);
    put_digits(date + 18, 2, second % 60);
    put_digits(date + 21, 7, (unsigned)(time_100ns % JP_100NS_PER_S));
    append_bytes(text, date, sizeof date - 1);
}

/* Each with what stands before it. */
static inline void print_text(struct text *text, const char *before, const char *string) {
    append(text, before);
    print_string(text, string);
}

static inline void print_number(struct text *text, const char *before, int64_t number) {
    append(text, before);
    print_digits(text, number);
}

static inline void print_time(struct text *text, const char *before, int64_t time_100ns) {
    append(text, before);
    print_date_and_time(text, time_100ns);
}

/* --- rows --- */

static const char *text_of(const cJSON *row, const char *key) { return cJSON_GetStringValue(cJSON_GetObjectItem(row, key)); }
static bool truth_of(const cJSON *row, const char *key) { return cJSON_IsTrue(cJSON_GetObjectItem(row, key)); }

static int64_t number_of(const cJSON *row, const char *key) {
    uint64_t number;
    return jp_json_get_u64(cJSON_GetObjectItem(row, key), &number) ? (int64_t)number : UNKNOWN;
}

static int64_t time_of(const cJSON *row, const char *key) {
    struct jp_error error;
    int64_t time_100ns = UNKNOWN;
    if (text_of(row, key) && jp_time_parse(text_of(row, key), &time_100ns, &error))
        die(error.text);
    return time_100ns;
}

enum { RIGHTS = 8 };

union row {
    struct pool {
        const char *name, *state, *source, *parent, *description, *rights[RIGHTS];
        int64_t members, total_members;
        bool ephemeral, frozen;
    } pool;
    struct process {
        const char *pool, *joined_by, *ending, *exit_code_name, *user, *image, *command_line;
        int64_t id, pid, start_100ns, started_100ns, joined_100ns, ended_100ns, exit_code, parent_pid, session, user_100ns, kernel_100ns, peak_commit,
            peak_working_set, operations[3], bytes[3];
        bool start_exact;
    } process;
    struct event {
        const char *pool, *message, *process, *origin, *detail;
        int64_t seq, time_100ns, pid, start_100ns, exit_code;
    } event;
};

static void read_pool(const cJSON *row, union row *to) {
    const cJSON *right;
    size_t rights = 0;
    to->pool = (struct pool){.name = text_of(row, "name"), .state = text_of(row, "state"), .source = text_of(row, "source"), .parent = text_of(row, "parent"),
                             .description = text_of(row, "description"), .members = number_of(row, "members"), .total_members = number_of(row, "totalMembers"),
                             .ephemeral = truth_of(row, "ephemeral"), .frozen = truth_of(row, "frozen")};
    cJSON_ArrayForEach(right, cJSON_GetObjectItem(row, "rights")) if (rights < RIGHTS) to->pool.rights[rights++] = right->valuestring;
}

static void print_pool(struct text *text, const union row *row) {
    const struct pool *pool = &row->pool;
    print_text(text, "{\"name\":", pool->name);
    print_text(text, ",\"state\":", pool->state);
    print_text(text, ",\"source\":", pool->source);
    print_text(text, ",\"parent\":", pool->parent);
    print_text(text, ",\"description\":", pool->description);
    print_number(text, ",\"members\":", pool->members);
    print_number(text, ",\"totalMembers\":", pool->total_members);
    append(text, pool->ephemeral ? ",\"ephemeral\":true,\"rights\":[" : ",\"ephemeral\":false,\"rights\":[");
    for (size_t i = 0; i < RIGHTS && pool->rights[i]; i++)
        print_text(text, i ? "," : "", pool->rights[i]);
    append(text, pool->frozen ? "],\"frozen\":true}" : "],\"frozen\":false}");
}

static void read_process(const cJSON *row, union row *to) {
    to->process = (struct process){
        .pool = text_of(row, "pool"), .joined_by = text_of(row, "joinedBy"), .ending = text_of(row, "ending"), .exit_code_name = text_of(row, "exitCodeName"),
        .user = text_of(row, "user"), .image = text_of(row, "image"), .command_line = text_of(row, "commandLine"), .id = number_of(row, "id"),
        .pid = number_of(row, "pid"), .start_100ns = number_of(row, "startTime"), .started_100ns = time_of(row, "started"),
        .joined_100ns = time_of(row, "joined"), .ended_100ns = time_of(row, "ended"), .exit_code = number_of(row, "exitCode"),
        .parent_pid = number_of(row, "parentPid"), .session = number_of(row, "session"), .user_100ns = number_of(row, "userTime100ns"),
        .kernel_100ns = number_of(row, "kernelTime100ns"), .peak_commit = number_of(row, "peakCommitBytes"),
        .peak_working_set = number_of(row, "peakWorkingSetBytes"),
        .operations = {number_of(row, "readOperations"), number_of(row, "writeOperations"), number_of(row, "otherOperations")},
        .bytes = {number_of(row, "readBytes"), number_of(row, "writeBytes"), number_of(row, "otherBytes")},
        .start_exact = truth_of(row, "startTimeExact")};
}

static void print_process(struct text *text, const union row *row) {
    const struct process *process = &row->process;
    print_number(text, "{\"id\":", process->id);
    print_text(text, ",\"pool\":", process->pool);
    print_number(text, ",\"pid\":", process->pid);
    print_number(text, ",\"startTime\":\"", process->start_100ns);
    append(text, process->start_exact ? "\",\"startTimeExact\":true" : "\",\"startTimeExact\":false");
    print_time(text, ",\"started\":", process->started_100ns);
    print_time(text, ",\"joined\":", process->joined_100ns);
    print_text(text, ",\"joinedBy\":", process->joined_by);
    print_time(text, ",\"ended\":", process->ended_100ns);
    print_text(text, ",\"ending\":", process->ending);
    print_number(text, ",\"exitCode\":", process->exit_code);
    print_text(text, ",\"exitCodeName\":", process->exit_code_name);
    print_number(text, ",\"parentPid\":", process->parent_pid);
    print_number(text, ",\"session\":", process->session);
    print_text(text, ",\"user\":", process->user);
    print_text(text, ",\"image\":", process->image);
    print_text(text, ",\"commandLine\":", process->command_line);
    print_number(text, ",\"userTime100ns\":", process->user_100ns);
    print_number(text, ",\"kernelTime100ns\":", process->kernel_100ns);
    print_number(text, ",\"peakCommitBytes\":", process->peak_commit);
    print_number(text, ",\"peakWorkingSetBytes\":", process->peak_working_set);
    print_number(text, ",\"readOperations\":", process->operations[0]);
    print_number(text, ",\"writeOperations\":", process->operations[1]);
    print_number(text, ",\"otherOperations\":", process->operations[2]);
    print_number(text, ",\"readBytes\":", process->bytes[0]);
    print_number(text, ",\"writeBytes\":", process->bytes[1]);
    print_number(text, ",\"otherBytes\":", process->bytes[2]);
    append(text, "}");
}

static void read_event(const cJSON *row, union row *to) {
    to->event = (struct event){.pool = text_of(row, "pool"), .message = text_of(row, "message"), .process = text_of(row, "process"),
                               .origin = text_of(row, "origin"), .detail = text_of(row, "detail"), .seq = number_of(row, "seq"),
                               .time_100ns = time_of(row, "time"), .pid = number_of(row, "pid"), .start_100ns = number_of(row, "startTime"),
                               .exit_code = number_of(row, "exitCode")};
}

static void print_event(struct text *text, const union row *row) {
    const struct event *event = &row->event;
    print_number(text, "{\"seq\":", event->seq);
    print_time(text, ",\"time\":", event->time_100ns);
    print_text(text, ",\"pool\":", event->pool);
    print_text(text, ",\"message\":", event->message);
    if (event->pid != UNKNOWN)
        print_number(text, ",\"pid\":", event->pid);
    if (event->start_100ns != UNKNOWN) {
        print_number(text, ",\"startTime\":\"", event->start_100ns);
        append(text, "\"");
    }
    if (event->process)
        print_text(text, ",\"process\":", event->process);
    print_text(text, ",\"origin\":", event->origin);
    if (event->exit_code != UNKNOWN)
        print_number(text, ",\"exitCode\":", event->exit_code);
    if (event->detail)
        print_text(text, ",\"detail\":", event->detail);
    append(text, "}");
}

static const struct kind {
    const char *list;
    void (*read)(const cJSON *row, union row *to);
    void (*print)(struct text *text, const union row *row);
} kinds[] = {{"pools", read_pool, print_pool}, {"processes", read_process, print_process}, {"events", read_event, print_event}};

/* --- the server --- */

struct rows {
    const struct kind *kind;
    union row *items;
    size_t count;
    const char *after; /* the list */
};

static cJSON *read_result(const char *path) {
    struct text text = {0};
    FILE *file = fopen(path, "rb");
    if (!file)
        die(path);
    for (size_t got = 1; got; text.length += got) {
        make_room(&text, 1 << 16);
        got = fread(text.bytes + text.length, 1, text.capacity - text.length, file);
    }
    fclose(file);
    cJSON *result = cJSON_GetObjectItem(cJSON_ParseWithLength(text.bytes, text.length), "result"); /* it stays until the end */
    if (!result)
        die(path);
    return result;
}

static struct rows read_rows(const cJSON *result) {
    struct rows rows = {.after = ""};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !rows.kind; i++)
        if (cJSON_HasObjectItem(result, kinds[i].list))
            rows.kind = &kinds[i];
    const cJSON *list = rows.kind ? cJSON_GetObjectItem(result, rows.kind->list) : NULL, *more = cJSON_GetObjectItem(result, "more"), *row;
    rows.items = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *rows.items);
    if (!list || !rows.items)
        die("an answer with rows");
    cJSON_ArrayForEach(row, list) rows.kind->read(row, &rows.items[rows.count++]);
    if (more)
        rows.after = cJSON_IsTrue(more) ? ",\"more\":true" : ",\"more\":false";
    return rows;
}

enum { WRITE = 1 << 16 }; /* what is printed goes out while the processor still has it at hand */

static void serve(int client, const struct rows *rows) {
    struct text question = {0}, answer = {0};
    while (read_line(client, &question)) {
        answer.length = 0;
        append(&answer, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"");
        append(&answer, rows->kind->list);
        append(&answer, "\":[");
        for (size_t i = 0; i < rows->count; i++) {
            if (i)
                append(&answer, ",");
            rows->kind->print(&answer, &rows->items[i]);
            if (answer.length >= WRITE) {
                write_all(client, answer.bytes, answer.length);
                answer.length = 0;
            }
        }
        append(&answer, "]");
        append(&answer, rows->after);
        append(&answer, "}}\n");
        write_all(client, answer.bytes, answer.length);
    }
    free(question.bytes);
    free(answer.bytes);
    close(client);
}

static _Noreturn void be_server(char **arguments) {
    struct rows rows = read_rows(read_result(arguments[1]));
    prepare_letters();
    struct sockaddr_un address;
    int listening = new_socket(arguments[0], &address);
    if (bind(listening, (const struct sockaddr *)&address, sizeof address) || listen(listening, 1))
        die(arguments[0]);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int client = accept(listening, NULL, NULL);
        if (client < 0)
            die("accept");
        serve(client, &rows);
    }
}

int main(int count, char **arguments) {
    if (count == 7 && strcmp(arguments[1], "client") == 0)
        be_client(arguments + 2);
    else if (count == 4 && strcmp(arguments[1], "server") == 0)
        be_server(arguments + 2);
    else
        die("answers_bench client ADDRESS METHOD PARAMS COUNT FILE, or server ADDRESS FILE");
    return EXIT_SUCCESS;
}
