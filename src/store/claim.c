/* SPDX-License-Identifier: Apache-2.0 */
#include "store/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static leat_status make_folder(const char *path, struct leat_error *err) {
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return lt_fail_sys(err, errno, "cannot make the folder %s", path);
    return LEAT_OK;
}

leat_status lt_claim_take(const char *dir, const char *name, int *fd, struct leat_error *err) {
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/claims", dir);

    *fd = -1;
    if (len < 0 || (size_t)len >= sizeof(path))
        return lt_fail(err, LEAT_E_LIMIT, 0, "the path of the folder %s is too long", dir);
    leat_status status = make_folder(dir, err);
    if (status == LEAT_OK)
        status = make_folder(path, err);
    if (status != LEAT_OK)
        return status;
    len = snprintf(path, sizeof(path), "%s/claims/%s", dir, name);
    if (len < 0 || (size_t)len >= sizeof(path))
        return lt_fail(err, LEAT_E_LIMIT, 0, "the path of %s is too long", name);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return lt_fail_sys(err, errno, "cannot open %s", path);
    if (flock(file, LOCK_EX | LOCK_NB) < 0) {
        int sys = errno;
        close(file);
        if (sys == EWOULDBLOCK)
            return lt_fail(err, LEAT_E_BUSY, 0, "%s is in use by another leat process", name);
        return lt_fail_sys(err, sys, "cannot lock %s", path);
    }
    *fd = file;
    return LEAT_OK;
}
