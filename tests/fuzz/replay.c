/* A fuzz target without libFuzzer: runs the files of a folder through it once, and then as many inputs made from them as it is told. What is
 * made depends on the number of inputs alone, so a finding is found again.
 *
 *     replay_NAME FOLDER INPUTS */
#include "base/str.h"
#include "fuzz.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 4096, MOST_CHANGES = 6 };

struct seeds {
    struct jp_str *items;
    size_t count;
};

/* A copy of its exact size, so that a read behind the end is seen. */
static void run(const char *data, size_t length) {
    uint8_t *copy = jp_realloc_array(NULL, length, 1);
    if (length)
        memcpy(copy, data, length);
    LLVMFuzzerTestOneInput(copy, length);
    jp_free(copy);
}

static void read_seed(struct seeds *seeds, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    struct jp_str data = {0};
    char block[4096];
    for (size_t length; (length = fread(block, 1, sizeof block, file)) > 0;)
        jp_str_add(&data, block, length);
    fclose(file);
    seeds->items = jp_realloc_array(seeds->items, seeds->count + 1, sizeof *seeds->items);
    seeds->items[seeds->count++] = data;
}

static int by_content(const void *one, const void *other) {
    const struct jp_str *a = one, *b = other;
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = shorter ? memcmp(a->data, b->data, shorter) : 0;
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* In an order that does not depend on the disk. */
static void read_folder(struct seeds *seeds, const char *path) {
    DIR *folder = opendir(path);
    if (!folder) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.') {
            char *name = jp_sprintf("%s/%s", path, entry->d_name);
            read_seed(seeds, name);
            jp_free(name);
        }
    closedir(folder);
    if (seeds->count)
        qsort(seeds->items, seeds->count, sizeof *seeds->items, by_content);
}

/* --- inputs that are made --- */

/* splitmix64, https://prng.di.unimi.it/splitmix64.c */
static uint64_t state = 20261122;
static size_t below(size_t bound) {
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bound ? (size_t)((z ^ (z >> 31)) % bound) : 0;
}

static const char *const words[] = {"{", "}", "[", "]", "\"", ":", ",", "\n", "\r\n\r\n", "null", "true", "0", "-1", "9007199254740993", "1e400", "\\ud800",
                                    "\\u0000", "\xff", "\xef\xbb\xbf", "Content-Length: ", "Content-Length: 99999\r\n\r\n", "\"jsonrpc\":\"2.0\"", "\"id\":1",
                                    "S-1-5-32-544", "(A;;0x1f;;;WD)", "%ProgramData%", "18446744073709551616", "KiB", "..\\"};

static void insert(struct jp_str *input, size_t at, const char *bytes, size_t length) {
    char *rest = jp_strndup(jp_str_text(input) + at, input->length - at);
    size_t rest_length = input->length - at;
    input->length = at;
    jp_str_add(input, bytes, length);
    jp_str_add(input, rest, rest_length);
    jp_free(rest);
}

static void change(struct jp_str *input, const struct seeds *seeds) {
    size_t at = below(input->length + 1), length = below(input->length - at + 1);
    const struct jp_str *other = &seeds->items[below(seeds->count)];
    const char *word = words[below(sizeof words / sizeof *words)];
    size_t from = below(other->length + 1);
    switch (below(5)) {
    case 0:
        if (at < input->length)
            input->data[at] = (char)(input->data[at] ^ (1 << below(8)));
        break;
    case 1:
        insert(input, at, word, strlen(word));
        break;
    case 2: /* a piece goes */
        length = length > 64 ? below(64) : length;
        memmove(input->data + at, input->data + at + length, input->length - at - length);
        input->length -= length;
        break;
    case 3: { /* a piece is there twice */
        char *piece = jp_strndup(jp_str_text(input) + at, length);
        insert(input, at, piece, length);
        jp_free(piece);
        break;
    }
    default: /* the rest is another seed's */
        input->length = at;
        jp_str_add(input, jp_str_text(other) + from, other->length - from);
    }
    if (input->length > LONGEST)
        input->length = LONGEST;
}

static void make_and_run(const struct seeds *seeds) {
    const struct jp_str *seed = &seeds->items[below(seeds->count)];
    struct jp_str input = {0};
    jp_str_add(&input, jp_str_text(seed), seed->length);
    for (size_t changes = 1 + below(MOST_CHANGES); changes > 0; changes--)
        change(&input, seeds);
    run(jp_str_text(&input), input.length);
    jp_str_free(&input);
}

int main(int count, char **arguments) {
    struct seeds seeds = {0};
    uint64_t made = count > 2 ? strtoull(arguments[2], NULL, 10) : 0;
    read_folder(&seeds, count > 1 ? arguments[1] : ".");
    for (size_t i = 0; i < seeds.count; i++)
        run(jp_str_text(&seeds.items[i]), seeds.items[i].length);
    for (uint64_t i = 0; i < made && seeds.count; i++)
        make_and_run(&seeds);
    printf("%zu seeds, %" PRIu64 " inputs made of them\n", seeds.count, made);
    size_t found = seeds.count;
    while (seeds.count)
        jp_str_free(&seeds.items[--seeds.count]);
    jp_free(seeds.items);
    return found ? EXIT_SUCCESS : EXIT_FAILURE;
}
