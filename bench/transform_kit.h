/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the measured programs in C share: the file's lines in memory, passes over them, and the best
 * pass by the thread's own processor time, so that what others do on the machine is not measured.
 *
 *   PROGRAM memory FILE [SECONDS]     prints {"mb_s":…,"records_s":…,"dead":…,"usa":…}
 *   PROGRAM pipe FILE                 one pass, the results to standard output
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct line {
    const char *data;
    size_t len;
};

struct lines {
    char *text;
    size_t len;
    struct line *at;
    size_t n;
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static struct lines read_lines(const char *path) {
    struct lines l = {0};
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        die(path);
    l.len = (size_t)ftell(file);
    rewind(file);
    l.text = malloc(l.len + 64);
    if (!l.text || fread(l.text, 1, l.len, file) != l.len)
        die(path);
    fclose(file);
    size_t cap = 0;
    for (const char *at = l.text, *end = at + l.len, *eol; at < end; at = eol + 1) {
        eol = memchr(at, '\n', (size_t)(end - at));
        if (!eol)
            eol = end;
        if (l.n == cap) {
            cap = cap ? 2 * cap : 4096;
            l.at = realloc(l.at, cap * sizeof(*l.at));
            if (!l.at)
                die("realloc");
        }
        l.at[l.n++] = (struct line){at, (size_t)(eol - at)};
    }
    return l;
}

struct counts {
    size_t dead, usa;
};

/* `pass` runs over all lines; with `out` not NULL it writes the results there. */
static int measure(int argc, char **argv,
                   struct counts (*pass)(void *ctx, const struct lines *lines, FILE *out),
                   void *ctx) {
    if (argc < 3) {
        fprintf(stderr, "usage: %s memory|pipe FILE [SECONDS]\n", argv[0]);
        return 2;
    }
    struct lines lines = read_lines(argv[2]);
    if (strcmp(argv[1], "pipe") == 0) {
        pass(ctx, &lines, stdout);
        return 0;
    }
    double limit = argc > 3 ? atof(argv[3]) : 1, best = 1e9, total = 0;
    struct counts counts = {0};
    while (total < limit) {
        double start = now();
        counts = pass(ctx, &lines, NULL);
        double s = now() - start;
        best = s < best ? s : best;
        total += s;
    }
    printf("{\"mb_s\":%.1f,\"records_s\":%.0f,\"dead\":%zu,\"usa\":%zu}\n",
           (double)lines.len / best / 1e6, (double)lines.n / best, counts.dead, counts.usa);
    return 0;
}
