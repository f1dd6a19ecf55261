/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock is a write lock of the open file description (fcntl(2), F_OFD_SETLK) on
 * `lock`: it ends with the process, however that ends, and others can ask for it
 * without taking it, so that a look never makes a starting engine fail. The file holds the
 * process' number, for messages, and `passing` when it is a command's. `address` is made under
 * another name and renamed once it listens, so that who finds it can connect; a stale one, left by
 * a crash, is removed by the next holder. What stays in `tmp/` was never acknowledged.
 */
#include "store/folder.h"

#include "base/slice.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { PEER_WAIT_MS = 1000, PEER_STEP_MS = 5, MAX_DEPTH = 64, BACKLOG = 1024, HOLDER_BYTES = 40 };

static const char in_passing[] = " passing";

static const char *const sub_folders[] = {"journal", "buckets", "tmp"};

struct lt_folder {
    char *path;
    int dir_fd;
    int lock_fd;
    bool listens;
};

static leat_status make_folder(const char *path, struct leat_error *err) {
    leat_status status = LEAT_OK;
    char *part = strdup(path);

    if (!part)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a path");
    for (char *at = part + 1; status == LEAT_OK; at++) {
        char end = *at;
        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        if (mkdir(part, 0777) && errno != EEXIST)
            status = lt_fail_sys(err, errno, "making the folder %s", part);
        *at = end;
        if (end == '\0')
            break;
    }
    free(part);
    return status;
}

static leat_status set_lock(struct lt_folder *folder, bool *taken, struct leat_error *err) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    *taken = !fcntl(folder->lock_fd, F_OFD_SETLK, &lock);
    if (!*taken && errno != EAGAIN && errno != EACCES)
        return lt_fail_sys(err, errno, "locking %s/lock", folder->path);
    return LEAT_OK;
}

static bool is_locked(int lock_fd) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return !fcntl(lock_fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

static void read_holder(int lock_fd, char text[HOLDER_BYTES]) {
    ssize_t n = pread(lock_fd, text, HOLDER_BYTES - 1, 0);
    text[n > 0 ? n : 0] = '\0';
}

/* 0 when the file does not tell. */
static long holder_of(int lock_fd) {
    char text[HOLDER_BYTES];
    read_holder(lock_fd, text);
    return strtol(text, NULL, 10);
}

/* On a full disk it stays empty: messages then have no number, and nobody takes the folder over. */
static void write_holder(int lock_fd, const char *how) {
    char text[HOLDER_BYTES];
    int n = snprintf(text, sizeof(text), "%ld%s\n", (long)getpid(), how);

    if (ftruncate(lock_fd, 0) || pwrite(lock_fd, text, (size_t)n, 0) != n)
        return;
}

static leat_status take_lock(struct lt_folder *folder, struct leat_error *err) {
    leat_status status;
    bool taken;

    folder->lock_fd = openat(folder->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (folder->lock_fd < 0)
        return lt_fail_sys(err, errno, "opening %s/lock", folder->path);
    status = set_lock(folder, &taken, err);
    if (status != LEAT_OK)
        return status;
    if (!taken) {
        long pid = holder_of(folder->lock_fd);
        if (pid <= 0)
            return lt_fail(err, LEAT_E_BUSY, 0, "another process has the folder %s", folder->path);
        return lt_fail(err, LEAT_E_BUSY, 0, "process %ld has the folder %s", pid, folder->path);
    }
    write_holder(folder->lock_fd, "");
    return LEAT_OK;
}

static int empty_folder(int dir_fd, int depth);

static int remove_entry(int dir_fd, const char *name, int depth) {
    if (!unlinkat(dir_fd, name, 0))
        return 0;
    if (errno != EISDIR)
        return errno;
    if (depth >= MAX_DEPTH)
        return ELOOP;
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int sys = fd < 0 ? errno : empty_folder(fd, depth + 1);
    if (!sys && unlinkat(dir_fd, name, AT_REMOVEDIR))
        sys = errno;
    return sys;
}

/* Takes the descriptor over. Returns 0 or an errno. */
static int empty_folder(int dir_fd, int depth) {
    DIR *dir = fdopendir(dir_fd);
    const struct dirent *entry;
    int sys = 0;

    if (!dir) {
        sys = errno;
        close(dir_fd);
        return sys;
    }
    while (!sys && (errno = 0, entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            sys = remove_entry(dirfd(dir), entry->d_name, depth);
    if (!sys)
        sys = errno;
    closedir(dir);
    return sys;
}

leat_status lt_folder_scratch(char out[64], struct leat_error *err) {
    const char *tmp = getenv("TMPDIR");

    if (!tmp || *tmp != '/' || strlen(tmp) > 40)
        tmp = "/tmp";
    snprintf(out, 64, "%s/leat-look-XXXXXX", tmp);
    if (!mkdtemp(out))
        return lt_fail_sys(err, errno, "making a folder in %s", tmp);
    return LEAT_OK;
}

void lt_folder_remove(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 && empty_folder(fd, 0) == 0)
        rmdir(path);
}

static leat_status clean_up(struct lt_folder *folder, struct leat_error *err) {
    for (size_t i = 0; i < sizeof(sub_folders) / sizeof(sub_folders[0]); i++)
        if (mkdirat(folder->dir_fd, sub_folders[i], 0777) && errno != EEXIST)
            return lt_fail_sys(err, errno, "making %s/%s", folder->path, sub_folders[i]);
    if (unlinkat(folder->dir_fd, "address", 0) && errno != ENOENT)
        return lt_fail_sys(err, errno, "removing %s/address", folder->path);
    int fd = openat(folder->dir_fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int sys = fd < 0 ? errno : empty_folder(fd, 0);
    if (sys)
        return lt_fail_sys(err, sys, "emptying %s/tmp", folder->path);
    return LEAT_OK;
}

static leat_status open_folder(struct lt_folder *folder, const char *path, struct leat_error *err) {
    folder->path = realpath(path, NULL);
    if (!folder->path)
        return lt_fail_sys(err, errno, "opening the folder %s", path);
    folder->dir_fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->dir_fd < 0)
        return lt_fail_sys(err, errno, "opening the folder %s", path);
    return LEAT_OK;
}

leat_status lt_folder_lock(struct lt_folder **out, const char *path, struct leat_error *err) {
    leat_status status;
    struct lt_folder *folder = calloc(1, sizeof(*folder));

    *out = NULL;
    if (!folder)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a folder");
    folder->dir_fd = folder->lock_fd = -1;
    if (!*path) {
        status = lt_fail(err, LEAT_E_INVALID, 0, "the path of the data folder is empty");
        goto fail;
    }
    status = make_folder(path, err);
    if (status != LEAT_OK)
        goto fail;
    status = open_folder(folder, path, err);
    if (status != LEAT_OK)
        goto fail;
    status = take_lock(folder, err);
    if (status != LEAT_OK)
        goto fail;
    status = clean_up(folder, err);
    if (status != LEAT_OK)
        goto fail;
    *out = folder;
    return LEAT_OK;

fail:
    lt_folder_unlock(folder);
    return status;
}

void lt_folder_unlock(struct lt_folder *folder) {
    if (!folder)
        return;
    if (folder->listens)
        unlinkat(folder->dir_fd, "address", 0);
    if (folder->lock_fd >= 0)
        close(folder->lock_fd);
    if (folder->dir_fd >= 0)
        close(folder->dir_fd);
    free(folder->path);
    free(folder);
}

const char *lt_folder_path(const struct lt_folder *folder) {
    return folder->path;
}

void lt_folder_pass(struct lt_folder *folder) {
    write_holder(folder->lock_fd, in_passing);
}

bool lt_folder_is_left(const char *path) {
    char file[PATH_MAX], text[HOLDER_BYTES];
    int n = snprintf(file, sizeof(file), "%s/lock", path);
    int lock_fd = n < (int)sizeof(file) ? open(file, O_RDONLY | O_CLOEXEC) : -1;

    if (lock_fd < 0)
        return false;
    bool left = !is_locked(lock_fd);
    read_holder(lock_fd, text);
    close(lock_fd);
    return left && strstr(text, in_passing);
}

static struct sockaddr_un address_in(int dir_fd, const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir_fd, name);
    return address;
}

leat_status lt_folder_listen(struct lt_folder *folder, int *fd, struct leat_error *err) {
    struct sockaddr_un address = address_in(folder->dir_fd, "address.new");
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    leat_status status;

    *fd = -1;
    if (sock < 0)
        return lt_fail_sys(err, errno, "making a socket");
    unlinkat(folder->dir_fd, "address.new", 0);
    if (bind(sock, (const struct sockaddr *)&address, sizeof(address)) ||
        fchmodat(folder->dir_fd, "address.new", 0600, 0) || listen(sock, BACKLOG) ||
        renameat(folder->dir_fd, "address.new", folder->dir_fd, "address")) {
        status = lt_fail_sys(err, errno, "listening on %s/address", folder->path);
        unlinkat(folder->dir_fd, "address.new", 0);
        close(sock);
        return status;
    }
    folder->listens = true;
    *fd = sock;
    return LEAT_OK;
}

/* A folder that this process asked about: its descriptor stays open, for paths that were given out
 * name it, and is used again for the same folder. */
struct asked {
    struct asked *next;
    dev_t dev;
    ino_t ino;
    int dir_fd;
};

static pthread_mutex_t asked_mu = PTHREAD_MUTEX_INITIALIZER;
static struct asked *asked_list; /* guarded by asked_mu */

/* Takes `dir_fd` over; returns the descriptor to use, or -1 without memory. */
static int keep_folder(int dir_fd, const struct stat *st) {
    struct asked *asked;
    int kept = -1;

    pthread_mutex_lock(&asked_mu);
    for (asked = asked_list; asked; asked = asked->next)
        if (asked->dev == st->st_dev && asked->ino == st->st_ino)
            break;
    if (asked) {
        kept = asked->dir_fd;
        close(dir_fd);
    } else if ((asked = calloc(1, sizeof(*asked))) != NULL) {
        *asked = (struct asked){asked_list, st->st_dev, st->st_ino, dir_fd};
        asked_list = asked;
        kept = dir_fd;
    } else {
        close(dir_fd);
    }
    pthread_mutex_unlock(&asked_mu);
    return kept;
}

static bool answers(const struct sockaddr_un *address) {
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (sock < 0)
        return false;
    /* EAGAIN: it listens, and its backlog is full */
    bool yes =
        !connect(sock, (const struct sockaddr *)address, sizeof(*address)) || errno == EAGAIN;
    close(sock);
    return yes;
}

static leat_status await_answer(int lock_fd, const struct sockaddr_un *address, const char *path,
                                struct leat_error *err) {
    const struct timespec step = {.tv_nsec = PEER_STEP_MS * 1000000L};

    for (int waited_ms = 0;; waited_ms += PEER_STEP_MS) {
        if (!is_locked(lock_fd))
            return lt_fail(err, LEAT_E_NOT_FOUND, 0, "nobody has the folder %s", path);
        if (answers(address))
            return LEAT_OK;
        if (waited_ms >= PEER_WAIT_MS)
            return lt_fail(err, LEAT_E_BUSY, 0,
                           "process %ld has the folder %s and does not answer there",
                           holder_of(lock_fd), path);
        nanosleep(&step, NULL);
    }
}

leat_status lt_folder_peer(const char *path, char out[64], struct leat_error *err) {
    struct stat st;
    int lock_fd;
    int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    out[0] = '\0';
    if (dir_fd < 0)
        return lt_fail_sys(err, errno, "opening the folder %s", path);
    lock_fd = openat(dir_fd, "lock", O_RDONLY | O_CLOEXEC);
    if (lock_fd < 0 || fstat(dir_fd, &st)) {
        leat_status status = lt_fail_sys(err, errno, "opening %s/lock", path);
        if (lock_fd >= 0)
            close(lock_fd);
        close(dir_fd);
        return status;
    }
    struct sockaddr_un address = address_in(dir_fd, "address");
    leat_status status = await_answer(lock_fd, &address, path, err);
    close(lock_fd);
    if (status != LEAT_OK) {
        close(dir_fd);
        return status;
    }
    dir_fd = keep_folder(dir_fd, &st);
    if (dir_fd < 0)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a folder");
    snprintf(out, 64, "/proc/self/fd/%d/address", dir_fd);
    return LEAT_OK;
}
