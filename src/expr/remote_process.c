/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting and ending the helper process. It gets a socket, a page of memory, and nothing else: no
 * other descriptor, no argument but the command's name, and of the environment what libraries need
 * (time zone, where libraries lie, sanitizers' options). It leads a process group of its own, so
 * that Ctrl-C at a terminal reaches the program alone, which then decides.
 */
#include "expr/remote_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_KEPT = 16, DYING_STEPS = 200, DYING_STEP_US = 5000 };

static bool is_leat; /* set before threads start */

void lt_remote_use_self(void) {
    is_leat = true;
}

/* The variables that the helper may see, from `all`. */
static void keep_harmless(char **all, char *kept[MAX_KEPT + 1]) {
    static const char *const names[] = {
        "TZ=",           "TZDIR=",        "LD_LIBRARY_PATH=", "ASAN_OPTIONS=", "UBSAN_OPTIONS=",
        "TSAN_OPTIONS=", "MSAN_OPTIONS=", "LSAN_OPTIONS="};
    size_t n = 0;

    for (; *all && n < MAX_KEPT; all++)
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (strncmp(*all, names[i], strlen(names[i])) == 0 && n < MAX_KEPT)
                kept[n++] = *all;
    kept[n] = NULL;
}

/* `fd` and `shared` become what the wire says. Returns an errno. */
static int spawn(pid_t *pid, int fd, int shared, bool for_people) {
    const char *named = is_leat ? "/proc/self/exe" : getenv("LEAT_EXECUTABLE");
    const char *program = named && *named ? named : "leat";
    static char name[] = "leat", command[] = LT_REMOTE_COMMAND;
    char *argv[] = {name, command, NULL};
    char *kept[MAX_KEPT + 1];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;

    keep_harmless(environ, kept);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                        POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, fd, LT_WIRE_FD);
    posix_spawn_file_actions_adddup2(&files, shared, LT_WIRE_SHARED_FD);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&files, STDIN_FILENO, STDOUT_FILENO);
    if (!for_people)
        posix_spawn_file_actions_adddup2(&files, STDIN_FILENO, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, LT_WIRE_SHARED_FD + 1);
    int failed = posix_spawnp(pid, program, &files, &attr, argv, for_people ? environ : kept);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    return failed;
}

/* Numbers over those that they shall become, so that one does not take the other's place. */
static int above(int fd) {
    int moved = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, LT_WIRE_SHARED_FD + 1);

    if (fd >= 0)
        close(fd);
    return moved;
}

static int open_shared(struct lt_wire_shared **shared) {
    int fd = above(memfd_create("leat-libjq", MFD_CLOEXEC));

    *shared = MAP_FAILED;
    if (fd >= 0 && ftruncate(fd, sizeof(**shared)) == 0)
        *shared = mmap(NULL, sizeof(**shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (*shared == MAP_FAILED)
        *shared = NULL;
    return fd;
}

leat_status lt_remote_spawn(struct lt_remote_process *process, bool for_people,
                            struct leat_error *err) {
    struct lt_wire_shared *shared;
    int pair[2] = {-1, -1};
    pid_t pid;

    *process = (struct lt_remote_process){.fd = -1};
    int shared_fd = open_shared(&shared);
    int failed = shared ? 0 : errno;
    if (!failed && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        failed = errno;
    pair[1] = above(pair[1]);
    if (!failed && (pair[1] < 0 || fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0))
        failed = errno;
    if (!failed)
        failed = spawn(&pid, pair[1], shared_fd, for_people);
    if (shared_fd >= 0)
        close(shared_fd);
    if (pair[1] >= 0)
        close(pair[1]);
    if (!failed) {
        *process = (struct lt_remote_process){.pid = pid, .fd = pair[0], .shared = shared};
        return LEAT_OK;
    }
    if (pair[0] >= 0)
        close(pair[0]);
    if (shared)
        munmap(shared, sizeof(*shared));
    return lt_fail(err, LEAT_E_UNSUPPORTED, failed, "cannot start the process that runs libjq (%s)",
                   is_leat ? "this program itself" : "$LEAT_EXECUTABLE, or leat on the PATH");
}

size_t lt_remote_resident(const struct lt_remote_process *process) {
    char path[64], text[128];

    snprintf(path, sizeof(path), "/proc/%d/statm", (int)process->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *second = strchr(text, ' '); /* pages: in all, resident, … */
    return second ? strtoul(second, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

static int wait_for(struct lt_remote_process *process) {
    int how = 0;

    while (waitpid(process->pid, &how, 0) < 0 && errno == EINTR)
        ;
    close(process->fd);
    munmap(process->shared, sizeof(*process->shared));
    *process = (struct lt_remote_process){.fd = -1};
    return how;
}

int lt_remote_stop(struct lt_remote_process *process) {
    if (!process->pid)
        return 0;
    kill(process->pid, SIGKILL);
    return wait_for(process);
}

/* A process closes its descriptors a moment before it can be waited for. */
int lt_remote_reap(struct lt_remote_process *process) {
    siginfo_t info;

    for (int i = 0; process->pid && i < DYING_STEPS; i++) {
        info.si_pid = 0;
        if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid)
            return wait_for(process);
        usleep(DYING_STEP_US);
    }
    return lt_remote_stop(process);
}
