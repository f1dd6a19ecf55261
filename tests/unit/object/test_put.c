/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a put on disk: all of them, the same ETag whatever the pieces, and what a file
 * system that does not write past its cache, or writes less than asked, makes of it. The linker
 * leads pwritev() here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "object/object.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LARGE = 1 << 20, MOST = (5 << 20) + 12345 };

ssize_t __real_pwritev64(int fd, const struct iovec *iov, int n, off_t offset);
ssize_t __wrap_pwritev64(int fd, const struct iovec *iov, int n, off_t offset);

static enum { WRITES_ALL, REFUSES_DIRECT, WRITES_LITTLE, IS_FULL } disk;

ssize_t __wrap_pwritev64(int fd, const struct iovec *iov, int n, off_t offset) {
    struct iovec little = {iov[0].iov_base, iov[0].iov_len > 8192 ? 8192 : iov[0].iov_len};
    bool direct = fcntl(fd, F_GETFL) & O_DIRECT;

    if (disk == IS_FULL || (disk == REFUSES_DIRECT && direct)) {
        errno = disk == IS_FULL ? ENOSPC : EINVAL;
        return -1;
    }
    return disk == WRITES_LITTLE ? __real_pwritev64(fd, &little, 1, offset)
                                 : __real_pwritev64(fd, iov, n, offset);
}

static char *bytes;

static int make_bytes(void **state) {
    uint32_t x = 1;

    (void)state;
    bytes = malloc(MOST);
    assert_non_null(bytes);
    for (size_t i = 0; i < MOST; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (char)(x >> 24);
    }
    return 0;
}

static int free_bytes(void **state) {
    (void)state;
    free(bytes);
    return 0;
}

/* Writes the first `len` bytes, cut into pieces of `piece`, and looks what the file holds. */
static void write_and_compare(size_t len, size_t piece, char etag[LT_ETAG_BYTES]) {
    char path[] = "/var/tmp/leat-put-XXXXXX";
    int fd = mkstemp(path);
    size_t n = 0;
    struct lt_slice *rest = calloc(len / piece + 1, sizeof(*rest));
    struct lt_object_put object = {.data = {bytes, len < piece ? len : piece}, .rest = rest};
    struct leat_error err;
    struct stat st;

    assert_true(fd >= 0);
    for (size_t at = object.data.len; at < len; at += piece)
        rest[n++] = lt_slice(bytes + at, len - at < piece ? len - at : piece);
    object.n_rest = n;
    assert_int_equal(lt_object_put_len(&object), len);
    assert_int_equal(lt_object_write(fd, &object, etag, &err), LEAT_OK);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, len);
    char *back = malloc(len + 1);
    int again = open(path, O_RDONLY);
    for (size_t at = 0; at < len;) {
        ssize_t got = pread(again, back + at, len - at, (off_t)at);
        assert_true(got > 0);
        at += (size_t)got;
    }
    assert_memory_equal(back, bytes, len);
    free(back);
    free(rest);
    close(again);
    close(fd);
    unlink(path);
}

static const size_t lengths[] = {0,
                                 1,
                                 4096,
                                 LARGE - 1,
                                 LARGE,
                                 LARGE + 1,
                                 LARGE + 4096,
                                 LARGE + 4097,
                                 2 * LARGE,
                                 2 * LARGE + 1,
                                 4 * LARGE - 1,
                                 MOST};

static void every_length_in_every_cut_is_written_whole_under_one_etag(void **state) {
    static const size_t cuts[] = {1000, 4096, 262112, 262144, 700001, MOST};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char etag[LT_ETAG_BYTES], other[LT_ETAG_BYTES];
        write_and_compare(lengths[i], MOST, etag);
        for (size_t k = 0; k < sizeof(cuts) / sizeof(cuts[0]); k++) {
            write_and_compare(lengths[i], cuts[k], other);
            assert_string_equal(etag, other);
        }
    }
}

static void a_small_object_has_its_md5_as_etag_and_a_large_one_says_that_it_has_not(void **state) {
    char etag[LT_ETAG_BYTES], hex[2 * LT_MD5_BYTES + 1];
    uint8_t md5[LT_MD5_BYTES];

    (void)state;
    write_and_compare(LARGE, 5000, etag);
    lt_md5(lt_slice(bytes, LARGE), md5);
    lt_hex(md5, sizeof(md5), hex);
    assert_string_equal(etag, hex);
    write_and_compare(LARGE + 1, 5000, etag);
    assert_int_equal(strlen(etag), 34);
    assert_string_equal(etag + 32, "-1");
}

static void one_changed_byte_anywhere_changes_the_etag_of_a_large_object(void **state) {
    char etag[LT_ETAG_BYTES], other[LT_ETAG_BYTES];

    (void)state;
    write_and_compare(MOST, MOST, etag);
    for (size_t at = 0; at < MOST; at += 200003) {
        bytes[at] ^= 1;
        write_and_compare(MOST, MOST, other);
        bytes[at] ^= 1;
        assert_string_not_equal(etag, other);
    }
}

static void a_disk_that_refuses_or_writes_little_gets_the_same_bytes(void **state) {
    char etag[LT_ETAG_BYTES], other[LT_ETAG_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        write_and_compare(lengths[i], 100000, etag);
        disk = REFUSES_DIRECT;
        write_and_compare(lengths[i], 100000, other);
        assert_string_equal(etag, other);
        disk = WRITES_LITTLE;
        write_and_compare(lengths[i], 100000, other);
        assert_string_equal(etag, other);
        disk = WRITES_ALL;
    }
}

static void a_full_disk_is_an_error(void **state) {
    char path[] = "/var/tmp/leat-put-XXXXXX", etag[LT_ETAG_BYTES];
    const struct lt_object_put object = {.data = {bytes, MOST}};
    struct leat_error err;
    int fd = mkstemp(path);

    (void)state;
    disk = IS_FULL;
    assert_int_equal(lt_object_write(fd, &object, etag, &err), LEAT_E_FULL);
    disk = WRITES_ALL;
    close(fd);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_in_every_cut_is_written_whole_under_one_etag),
        cmocka_unit_test(a_small_object_has_its_md5_as_etag_and_a_large_one_says_that_it_has_not),
        cmocka_unit_test(one_changed_byte_anywhere_changes_the_etag_of_a_large_object),
        cmocka_unit_test(a_disk_that_refuses_or_writes_little_gets_the_same_bytes),
        cmocka_unit_test(a_full_disk_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_bytes, free_bytes);
}
