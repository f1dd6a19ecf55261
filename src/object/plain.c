/* SPDX-License-Identifier: Apache-2.0 */
#include "object/plain.h"

#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct plain {
    struct lt_object_store base;
    char *root;
    int fd; /* of the root */
};

/* Where an object's file is: its folder, open, and its name there. */
struct spot {
    int dir_fd;
    char name[NAME_MAX + 1];
};

static struct plain *plain_of(struct lt_object_store *store) {
    return (struct plain *)store;
}

/* The next part of a path, up to a slash. */
static struct lt_slice take_part(struct lt_slice *rest) {
    const char *slash = rest->len ? memchr(rest->data, '/', rest->len) : NULL;
    struct lt_slice part = {rest->data, slash ? (size_t)(slash - rest->data) : rest->len};
    *rest = lt_slice_from(*rest, part.len + (slash ? 1 : 0));
    return part;
}

static bool is_name(struct lt_slice part) {
    return part.len && part.len <= NAME_MAX && !lt_slice_eq(part, LT_LIT(".")) &&
           !lt_slice_eq(part, LT_LIT("..")) && !memchr(part.data, '\0', part.len);
}

/* Opens a folder inside another, with `make` making it where it is absent. The upper one is synced
 * when it got a new entry. */
static leat_status descend(int *dir_fd, struct lt_slice part, bool make, struct leat_error *err) {
    char name[NAME_MAX + 1];

    memcpy(name, part.data, part.len);
    name[part.len] = '\0';
    bool made = make && !mkdirat(*dir_fd, name, 0777);
    if (make && !made && errno != EEXIST)
        return lt_fail_sys(err, errno, "making the folder %s", name);
    if (made && fsync(*dir_fd))
        return lt_fail_sys(err, errno, "syncing the folder that holds %s", name);
    int fd = openat(*dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return lt_fail_sys(err, errno, "opening the folder %s", name);
    close(*dir_fd);
    *dir_fd = fd;
    return LEAT_OK;
}

static leat_status find_spot(struct plain *plain, const char *bucket, struct lt_slice key,
                             bool make, struct spot *spot, struct leat_error *err) {
    struct lt_slice rest = key, part;
    leat_status status = LEAT_OK;

    spot->dir_fd = -1;
    for (struct lt_slice look = key; look.len || !key.len;) {
        part = take_part(&look);
        if (!is_name(part) || (!look.len && key.data[key.len - 1] == '/'))
            return lt_fail(err, LEAT_E_INVALID, 0, "an object cannot have the key '%.*s' in %s",
                           LT_FMT(key), plain->root);
    }
    if (*bucket && (!is_name(lt_slice_str(bucket)) || strchr(bucket, '/')))
        return lt_fail(err, LEAT_E_INVALID, 0, "'%s' is no name of a folder", bucket);
    spot->dir_fd = fcntl(plain->fd, F_DUPFD_CLOEXEC, 0);
    if (spot->dir_fd < 0)
        return lt_fail_sys(err, errno, "opening %s", plain->root);
    if (*bucket)
        status = descend(&spot->dir_fd, lt_slice_str(bucket), make, err);
    while (status == LEAT_OK) {
        part = take_part(&rest);
        if (!rest.len)
            break;
        status = descend(&spot->dir_fd, part, make, err);
    }
    if (status != LEAT_OK) {
        close(spot->dir_fd);
        spot->dir_fd = -1;
        return lt_error_prefix(err, "object %.*s in %s", LT_FMT(key), plain->root);
    }
    memcpy(spot->name, part.data, part.len);
    spot->name[part.len] = '\0';
    return LEAT_OK;
}

static leat_status write_all(int fd, const struct lt_object_put *object, struct leat_error *err) {
    leat_status status = lt_object_write(fd, object, NULL, err);

    if (status == LEAT_OK && fsync(fd))
        status = lt_fail_sys(err, errno, "syncing");
    return status;
}

static leat_status put_at(const struct spot *spot, const struct lt_object_put *object,
                          struct leat_error *err) {
    uint8_t digest[LT_SHA256_BYTES];
    char hex[17], tmp[32];

    lt_sha256(lt_slice_str(spot->name), digest);
    lt_hex(digest, 8, hex);
    snprintf(tmp, sizeof(tmp), ".%s.tmp", hex);
    int fd = openat(spot->dir_fd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return lt_fail_sys(err, errno, "making a file");
    leat_status status = write_all(fd, object, err);
    close(fd);
    if (status == LEAT_OK && renameat(spot->dir_fd, tmp, spot->dir_fd, spot->name))
        status = lt_fail_sys(err, errno, "renaming it into its place");
    if (status != LEAT_OK) {
        (void)unlinkat(spot->dir_fd, tmp, 0);
        return status;
    }
    return fsync(spot->dir_fd) ? lt_fail_sys(err, errno, "syncing its folder") : LEAT_OK;
}

static leat_status put(struct lt_object_store *base, const char *bucket,
                       const struct lt_object_put *object, struct leat_error *err) {
    struct plain *plain = plain_of(base);
    struct spot spot;
    leat_status status = find_spot(plain, bucket, object->key, true, &spot, err);

    if (status != LEAT_OK)
        return status;
    status = put_at(&spot, object, err);
    close(spot.dir_fd);
    if (status != LEAT_OK)
        lt_error_prefix(err, "object %.*s in %s", LT_FMT(object->key), plain->root);
    return status;
}

static leat_status head(struct lt_object_store *base, const char *bucket, struct lt_slice key,
                        struct lt_arena *arena, struct lt_object_info *info,
                        struct leat_error *err) {
    struct spot spot;
    struct stat st;
    leat_status status = find_spot(plain_of(base), bucket, key, false, &spot, err);

    memset(info, 0, sizeof(*info));
    if (status != LEAT_OK)
        return status;
    int rc = fstatat(spot.dir_fd, spot.name, &st, 0);
    int sys = rc ? errno : 0;
    close(spot.dir_fd);
    if (rc || !S_ISREG(st.st_mode))
        return lt_fail_sys(err, rc ? sys : ENOENT, "object %.*s", LT_FMT(key));
    info->key = lt_arena_dup(arena, key);
    info->size = (uint64_t)st.st_size;
    info->modified_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    return info->key.data ? LEAT_OK : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a key");
}

static leat_status create_bucket(struct lt_object_store *base, const char *bucket,
                                 struct leat_error *err) {
    struct plain *plain = plain_of(base);

    if (!is_name(lt_slice_str(bucket)) || strchr(bucket, '/'))
        return lt_fail(err, LEAT_E_INVALID, 0, "'%s' is no name of a folder", bucket);
    if (!mkdirat(plain->fd, bucket, 0777))
        return fsync(plain->fd) ? lt_fail_sys(err, errno, "syncing %s", plain->root) : LEAT_OK;
    if (errno == EEXIST)
        return lt_fail(err, LEAT_E_EXISTS, 0, "%s/%s exists already", plain->root, bucket);
    return lt_fail_sys(err, errno, "making the folder %s/%s", plain->root, bucket);
}

static leat_status remove_bucket(struct lt_object_store *base, const char *bucket,
                                 bool with_objects, struct leat_error *err) {
    (void)with_objects;
    return lt_fail(err, LEAT_E_UNSUPPORTED, 0, "%s/%s is somebody's folder: remove it by hand",
                   plain_of(base)->root, bucket);
}

static leat_status stat_bucket(struct lt_object_store *base, const char *bucket,
                               uint64_t *n_objects, uint64_t *n_bytes, struct leat_error *err) {
    *n_objects = *n_bytes = 0;
    return lt_fail(err, LEAT_E_UNSUPPORTED, 0, "the files of %s/%s are not counted",
                   plain_of(base)->root, bucket);
}

static void close_plain(struct lt_object_store *base) {
    struct plain *plain = plain_of(base);

    if (!plain)
        return;
    if (plain->fd >= 0)
        close(plain->fd);
    free(plain->root);
    free(plain);
}

static const struct lt_object_ops ops = {
    .put = put,
    .head = head,
    .create_bucket = create_bucket,
    .remove_bucket = remove_bucket,
    .stat_bucket = stat_bucket,
    .close = close_plain,
};

/* Makes the folder and those above it. */
static leat_status make_root(const char *root, struct leat_error *err) {
    char path[PATH_MAX];
    size_t len = strlen(root);

    if (!len || len >= sizeof(path))
        return lt_fail(err, LEAT_E_INVALID, 0, "'%s' is no path of a folder", root);
    memcpy(path, root, len + 1);
    for (char *at = path + 1;; at++) {
        char end = *at;
        if (end && end != '/')
            continue;
        *at = '\0';
        if (mkdir(path, 0777) && errno != EEXIST)
            return lt_fail_sys(err, errno, "cannot make the folder %s", path);
        *at = end;
        if (!end)
            return LEAT_OK;
    }
}

leat_status lt_object_plain_new(struct lt_object_store **out, const char *root,
                                struct leat_error *err) {
    leat_status status = make_root(root, err);
    struct plain *plain;

    *out = NULL;
    if (status != LEAT_OK)
        return status;
    plain = calloc(1, sizeof(*plain));
    if (!plain)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a folder");
    plain->base.ops = &ops;
    plain->fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    plain->root = strdup(root);
    if (plain->fd < 0)
        status = lt_fail_sys(err, errno, "cannot open the folder %s", root);
    else if (!plain->root)
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a folder");
    if (status != LEAT_OK) {
        close_plain(&plain->base);
        return status;
    }
    *out = &plain->base;
    return LEAT_OK;
}
