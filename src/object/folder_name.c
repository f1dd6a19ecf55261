/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An object's file has the key as its path under the bucket's folder. Where no file system takes
 * that (`..`, an empty component, one over 255 bytes), or another object stands in the way (`a` and
 * `a/b`), the file is `.escaped/HASH-TAIL`: 128 bits of the key's SHA-256, and what of
 * its last component is plain, for people. Which of the two it is, the object's document says.
 */
#include "object/folder_parts.h"

#include "base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define ESCAPED ".escaped"
enum { COMPONENT_MAX_BYTES = 255, HASH_BYTES = 16, TAIL_MAX_BYTES = 64, MAX_TRIES = 100 };

static bool is_plain_component(struct lt_slice part, bool first) {
    if (part.len == 0 || part.len > COMPONENT_MAX_BYTES || memchr(part.data, '\0', part.len))
        return false;
    if (lt_slice_eq_str(part, ".") || lt_slice_eq_str(part, ".."))
        return false;
    return !first || !lt_slice_eq_str(part, ESCAPED);
}

bool lt_object_plain_path(const char *bucket, struct lt_slice key, char out[LT_OBJECT_PATH_BYTES]) {
    struct lt_slice rest = key;

    for (bool first = true;; first = false) {
        const char *slash = rest.len ? memchr(rest.data, '/', rest.len) : NULL;
        struct lt_slice part = lt_slice(rest.data, slash ? (size_t)(slash - rest.data) : rest.len);
        if (!is_plain_component(part, first))
            return false;
        if (!slash)
            break;
        rest = lt_slice_from(rest, part.len + 1);
    }
    snprintf(out, LT_OBJECT_PATH_BYTES, "%s/%.*s", bucket, LT_FMT(key));
    return true;
}

static bool is_plain_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

void lt_object_escaped_path(const char *bucket, struct lt_slice key,
                            char out[LT_OBJECT_PATH_BYTES]) {
    uint8_t digest[LT_SHA256_BYTES];
    char hash[2 * HASH_BYTES + 1], tail[TAIL_MAX_BYTES + 1];
    size_t from = key.len, len = 0;

    lt_sha256(key, digest);
    lt_hex(digest, HASH_BYTES, hash);
    while (from > 0 && is_plain_char(key.data[from - 1]) && key.len - from < TAIL_MAX_BYTES)
        from--;
    len = key.len - from;
    memcpy(tail, key.data + from, len);
    tail[len] = '\0';
    snprintf(out, LT_OBJECT_PATH_BYTES, "%s/" ESCAPED "/%s%s%s", bucket, hash, len ? "-" : "",
             tail);
}

static int sync_folder(int base, const char *path) {
    int fd = openat(base, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int sys = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return sys;
}

/** Makes the folders above `path`, each synced into the one that holds it. 0 or an errno. */
static int make_parents(int base, const char *path) {
    char part[LT_OBJECT_PATH_BYTES];

    snprintf(part, sizeof(part), "%s", path);
    char *last = strrchr(part, '/');
    if (!last)
        return 0;
    *last = '\0';
    struct stat st;
    if (fstatat(base, part, &st, 0) == 0)
        return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
    char *holder = part; /* where the name of the folder to make starts */
    for (char *at = part;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char end = *at;
        *at = '\0';
        if (mkdirat(base, part, 0777) == 0) {
            char *slash = holder > part ? holder - 1 : NULL;
            if (slash)
                *slash = '\0';
            int sys = sync_folder(base, slash ? part : "");
            if (slash)
                *slash = '/';
            if (sys)
                return sys;
        } else if (errno != EEXIST) {
            return errno;
        }
        *at = end;
        if (!end)
            return 0;
        holder = at + 1;
    }
}

static bool is_in_the_way(int sys) {
    return sys == ENOTDIR || sys == EISDIR || sys == ENOTEMPTY || sys == EEXIST ||
           sys == ENAMETOOLONG || sys == EINVAL || sys == ELOOP;
}

/** One try; ENOENT when a folder was removed meanwhile. */
static int try_place(struct lt_object_folder *folder, const char *tmp_name, const char *path) {
    int sys = make_parents(folder->buckets_fd, path);
    if (sys)
        return sys;
    if (renameat(folder->tmp_fd, tmp_name, folder->buckets_fd, path) == 0)
        return 0;
    sys = errno;
    /* an empty folder, left over from objects that are gone, gives way */
    if (sys == EISDIR && unlinkat(folder->buckets_fd, path, AT_REMOVEDIR) == 0 &&
        renameat(folder->tmp_fd, tmp_name, folder->buckets_fd, path) == 0)
        return 0;
    return sys;
}

leat_status lt_object_place(struct lt_object_folder *folder, const char *tmp_name, const char *path,
                            struct leat_error *err) {
    char parent[LT_OBJECT_PATH_BYTES];
    int sys = ENOENT;

    for (int n = 0; sys == ENOENT && n < MAX_TRIES; n++)
        sys = try_place(folder, tmp_name, path);
    if (sys && is_in_the_way(sys))
        return lt_fail(err, LEAT_E_BUSY, sys, "something is in the way of buckets/%s", path);
    if (sys)
        return lt_fail_sys(err, sys, "renaming a file to buckets/%s", path);
    snprintf(parent, sizeof(parent), "%s", path);
    *strrchr(parent, '/') = '\0';
    sys = sync_folder(folder->buckets_fd, parent);
    if (sys && sys != ENOENT)
        return lt_fail_sys(err, sys, "syncing buckets/%s", parent);
    return LEAT_OK;
}

leat_status lt_object_unplace(struct lt_object_folder *folder, const char *path,
                              struct leat_error *err) {
    char part[LT_OBJECT_PATH_BYTES];

    if (unlinkat(folder->buckets_fd, path, 0) && errno != ENOENT && errno != ENOTDIR)
        return lt_fail_sys(err, errno, "removing buckets/%s", path);
    snprintf(part, sizeof(part), "%s", path);
    for (;;) {
        char *slash = strrchr(part, '/');
        if (!slash)
            return LEAT_OK;
        *slash = '\0';
        if (!strchr(part, '/') || unlinkat(folder->buckets_fd, part, AT_REMOVEDIR))
            return LEAT_OK; /* the bucket's own folder stays, and one in use */
    }
}

void lt_object_remove_empty(struct lt_object_folder *folder, const char *bucket) {
    char escaped[LT_OBJECT_PATH_BYTES];

    snprintf(escaped, sizeof(escaped), "%s/" ESCAPED, bucket);
    (void)unlinkat(folder->buckets_fd, escaped, AT_REMOVEDIR);
    (void)unlinkat(folder->buckets_fd, bucket, AT_REMOVEDIR);
}

/* Keys have up to 512 folders, and so many descriptors may be open on the way down. */
void lt_object_remove_tree(int dir_fd, const char *name) {
    if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
        return;
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            lt_object_remove_tree(dirfd(dir), entry->d_name);
    closedir(dir);
    (void)unlinkat(dir_fd, name, AT_REMOVEDIR);
}
