/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the `.env` beside a file: the file is read, or refused with a line of it, and no
 * problem shows what it holds.
 */
#include "pipeline/system.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char file_text[] =
    "sources: {api: {base_url: \"https://x\", params: {p: \"${A:-none}\"}, rate: \"${A:-1/s}\",\n"
    "  resources: {r: {path: \"/${A:-x}\"}}}}\n";
static char folder[] = "/tmp/leat-fuzz-dotenv-XXXXXX";
static char file_path[64], env_path[64];

static void must(bool holds) {
    if (!holds)
        abort();
}

static void remove_folder(void) {
    unlink(file_path);
    unlink(env_path);
    rmdir(folder);
}

static void write_bytes(const char *path, const void *bytes, size_t len) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    close(fd);
}

static void make_folder(void) {
    unsetenv("A");
    must(mkdtemp(folder) != NULL);
    snprintf(file_path, sizeof(file_path), "%s/f.yaml", folder);
    snprintf(env_path, sizeof(env_path), "%s/.env", folder);
    write_bytes(file_path, file_text, sizeof(file_text) - 1);
    atexit(remove_folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct lt_problems problems;
    struct lt_system system;
    struct leat_error err;

    if (!*file_path)
        make_folder();
    write_bytes(env_path, data, len);
    leat_status status = lt_system_load(&system, file_path, &problems, &err);
    must(status == LEAT_OK || (status == LEAT_E_CONFIG && problems.n > 0));
    if (status == LEAT_OK)
        must(system.apis[0].params[0].value.source.text.data != NULL);
    /* a value long enough to be told from the words of errors */
    const char *value =
        status == LEAT_OK && system.apis[0].n_secrets ? system.apis[0].secrets[0] : "";
    for (size_t i = 0; strlen(value) > 8 && i < problems.n; i++)
        must(!strstr(problems.list[i].text, value));
    lt_system_deinit(&system);
    return 0;
}
