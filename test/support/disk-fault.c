/*
 * Makes a disk fail, for one process: gcc -shared -fPIC -O1 -o disk-fault.so disk-fault.c -ldl
 *
 * LD_PRELOAD=./disk-fault.so DISK_FAULT_FILE=fault program...
 * The file holds "call errno path", for instance "sync 5 raft.db-wal": every fsync and fdatasync of a file whose path
 * ends in raft.db-wal fails with EIO. call is sync or write. Missing or empty: nothing fails.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int ends_with(const char *text, const char *end) {
  size_t length = strlen(text), wanted = strlen(end);
  return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

/* The errno with which this call must fail, or 0. */
static int fault(const char *call, int fd) {
  static __thread int inside;
  const char *plan = getenv("DISK_FAULT_FILE");
  char text[256], wanted_call[16], wanted_path[200], link[64], path[4096];
  int error = 0;
  if (inside || !plan) return 0;
  inside = 1;
  int file = open(plan, O_RDONLY);
  ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (file >= 0) close(file);
  if (length > 0) {
    text[length] = 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t named = readlink(link, path, sizeof path - 1);
    path[named < 0 ? 0 : named] = 0;
    if (sscanf(text, "%15s %d %199s", wanted_call, &error, wanted_path) != 3) error = 0;
    else if (strcmp(call, wanted_call) != 0 || !ends_with(path, wanted_path)) error = 0;
  }
  inside = 0;
  return error;
}

#define FAIL_IF(call, fd)            \
  int error = fault(call, fd);       \
  if (error) {                       \
    errno = error;                   \
    return -1;                       \
  }

#define SYNC(name)                                   \
  int name(int fd) {                                 \
    static int (*real)(int);                         \
    if (!real) real = dlsym(RTLD_NEXT, #name);       \
    FAIL_IF("sync", fd)                              \
    return real(fd);                                 \
  }

#define PWRITE(name, offset_type)                                            \
  ssize_t name(int fd, const void *bytes, size_t count, offset_type offset) { \
    static ssize_t (*real)(int, const void *, size_t, offset_type);          \
    if (!real) real = dlsym(RTLD_NEXT, #name);                               \
    FAIL_IF("write", fd)                                                     \
    return real(fd, bytes, count, offset);                                   \
  }

SYNC(fsync)
SYNC(fdatasync)
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)
