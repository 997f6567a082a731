/* A fuzz target without libFuzzer: runs the files of the folders that it is given through it once. */
#include "base/str.h"
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>

static int replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 0;
    }
    struct jp_str data = {0};
    char block[4096];
    for (size_t length; (length = fread(block, 1, sizeof block, file)) > 0;)
        jp_str_add(&data, block, length);
    fclose(file);
    /* a copy of its exact size, so that a read behind the end is seen */
    uint8_t *copy = jp_realloc_array(NULL, data.length, 1);
    for (size_t i = 0; i < data.length; i++)
        copy[i] = (uint8_t)data.data[i];
    LLVMFuzzerTestOneInput(copy, data.length);
    jp_free(copy);
    jp_str_free(&data);
    return 1;
}

static int replay_folder(const char *path) {
    int files = 0;
    DIR *folder = opendir(path);
    if (!folder) {
        perror(path);
        return 0;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.') {
            char *name = jp_sprintf("%s/%s", path, entry->d_name);
            files += replay_file(name);
            jp_free(name);
        }
    closedir(folder);
    return files;
}

int main(int count, char **folders) {
    int files = 0;
    for (int i = 1; i < count; i++)
        files += replay_folder(folders[i]);
    printf("%d inputs\n", files);
    return files ? EXIT_SUCCESS : EXIT_FAILURE;
}
