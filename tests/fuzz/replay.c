/* SPDX-License-Identifier: Apache-2.0 */
/* Runs every file of the folders given through a fuzz target: its corpus as an ordinary test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int run_file(const char *folder, const char *name) {
    static uint8_t data[1 << 20];
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    size_t len = fread(data, 1, sizeof(data), file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, len);
    return 0;
}

int main(int argc, char **argv) {
    int failed = 0;
    unsigned n = 0;

    for (int i = 1; i < argc; i++) {
        struct dirent **entries;
        int n_entries = scandir(argv[i], &entries, NULL, alphasort);
        if (n_entries < 0) {
            perror(argv[i]);
            return 1;
        }
        for (int j = 0; j < n_entries; j++) {
            if (entries[j]->d_name[0] != '.') {
                failed |= run_file(argv[i], entries[j]->d_name);
                n++;
            }
            free(entries[j]);
        }
        free(entries);
    }
    printf("%u inputs\n", n);
    return failed || n == 0;
}
