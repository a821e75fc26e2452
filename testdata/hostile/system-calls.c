/*
 * Makes system calls that a container should not have and says how each one ended: "NAME ERRNO" a line, with 0 for a
 * call that worked. Each is made in a process of its own. `system-calls escape` instead tries to lift the limits of
 * its own cgroup and says how far it got.
 *
 * Arguments are wrong on purpose where they can be: then a call that passes the filter ends with another error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long plain(long number, long a, long b, long c) { return syscall(number, a, b, c, 0L, 0L, 0L); }

#ifdef __x86_64__
/* The arguments of socket() as socketcall() takes them. Linked statically, it lies below 4 GiB. */
static int inet_datagram[3] = {2, 2, 0};

/* As a program of 32 bits makes it. */
static long call32(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
  if (result >= 0) return result;
  errno = -result;
  return -1;
}
#endif

static void report(const char *name, long (*call)(long, long, long, long), long number, long a, long b, long c) {
  int status;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    errno = 0;
    _exit(call(number, a, b, c) < 0 ? errno : 0);
  }
  if (child < 0 || waitpid(child, &status, 0) < 0) printf("%s %s\n", name, strerror(errno));
  else if (WIFEXITED(status)) printf("%s %d\n", name, WEXITSTATUS(status));
  else printf("%s signal %d\n", name, WTERMSIG(status));
}

#define TRY(name) report(#name, plain, SYS_##name, -1, -1, -1)

static void *in_thread(void *argument) { return argument; }

static void report_all(void) {
  pthread_t thread;
  printf("thread %d\n", pthread_create(&thread, NULL, in_thread, NULL) || pthread_join(thread, NULL));
  report("unshare:user", plain, SYS_unshare, CLONE_NEWUSER, 0, 0);
  report("unshare:uts", plain, SYS_unshare, CLONE_NEWUTS, 0, 0);
  report("unshare:files", plain, SYS_unshare, CLONE_FILES, 0, 0);
#ifdef __s390x__
  report("clone:user", plain, SYS_clone, 0, CLONE_NEWUSER | SIGCHLD, 0);
  report("clone:net+uts", plain, SYS_clone, 0, CLONE_NEWNET | CLONE_NEWUTS | SIGCHLD, 0);
  report("clone", plain, SYS_clone, 0, SIGCHLD, 0);
#else
  report("clone:user", plain, SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0);
  report("clone:net+uts", plain, SYS_clone, CLONE_NEWNET | CLONE_NEWUTS | SIGCHLD, 0, 0);
  report("clone", plain, SYS_clone, SIGCHLD, 0, 0);
#endif
  TRY(clone3);
  TRY(add_key); TRY(keyctl); TRY(request_key);
  TRY(get_mempolicy); TRY(mbind); TRY(migrate_pages); TRY(move_pages); TRY(set_mempolicy);
  TRY(fsconfig); TRY(fsmount); TRY(fsopen); TRY(fspick); TRY(mount_setattr); TRY(move_mount); TRY(open_tree);
  TRY(mount); TRY(pivot_root); TRY(setns); TRY(umount2);
  TRY(io_uring_enter); TRY(io_uring_register); TRY(io_uring_setup);
  TRY(bpf); TRY(kexec_load); TRY(open_by_handle_at); TRY(perf_event_open); TRY(pidfd_getfd); TRY(process_madvise);
  TRY(reboot); TRY(syslog); TRY(userfaultfd);
  report("socket:unix", plain, SYS_socket, 1, 2, 0);
  report("socket:inet", plain, SYS_socket, 2, 2, 0);
  report("socket:alg", plain, SYS_socket, 38, 5, 0);
  report("socket:vsock", plain, SYS_socket, 40, 1, 0);
  report("socket:caif", plain, SYS_socket, 37, 1, 0);
  report("socket:46", plain, SYS_socket, 46, 1, 0);
  report("personality:query", plain, SYS_personality, 0xffffffff, 0, 0);
  report("personality:linux32", plain, SYS_personality, 8, 0, 0);
  report("personality:no-randomize", plain, SYS_personality, 0x40000, 0, 0);
  report("unknown", plain, 999, 0, 0, 0);
#ifdef __x86_64__
  report("x86:unshare:user", call32, 310, CLONE_NEWUSER, 0, 0);
  report("x86:clone:user", call32, 120, CLONE_NEWUSER | SIGCHLD, 0, 0);
  report("x86:clone3", call32, 435, -1, -1, 0);
  report("x86:keyctl", call32, 288, -1, -1, -1);
  report("x86:mount", call32, 21, -1, -1, -1);
  report("x86:umount", call32, 22, -1, -1, -1);
  report("x86:socket:vsock", call32, 359, 40, 1, 0);
  report("x86:socket:inet", call32, 359, 2, 2, 0);
  report("x86:socketcall:inet", call32, 102, 1, (long)inet_datagram, 0);
  report("x32:unshare:user", plain, 0x40000000 | SYS_unshare, CLONE_NEWUSER, 0, 0);
#endif
}

static int write_file(const char *path, const char *text) {
  int file = open(path, O_WRONLY);
  int isWritten = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
  printf("%s %s\n", path, isWritten ? "written" : strerror(errno));
  if (file >= 0) close(file);
  return isWritten;
}

static void lift(const char *type, const char *options, const char *file, const char *value) {
  char path[128];
  if (mount("none", "/tmp/lift", type, 0, options) != 0) {
    printf("mount %s %s: %s\n", type, options, strerror(errno));
    return;
  }
  snprintf(path, sizeof path, "/tmp/lift/%s", file);
  write_file(path, value);
  umount("/tmp/lift");
}

static void escape(void) {
  mkdir("/tmp", 0777);
  mkdir("/tmp/lift", 0777);
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP) != 0) printf("unshare: %s\n", strerror(errno));
  else {
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", "0 0 1");
    write_file("/proc/self/gid_map", "0 0 1");
  }
  lift("cgroup", "pids", "pids.max", "max");
  lift("cgroup", "memory", "memory.memsw.limit_in_bytes", "-1");
  lift("cgroup", "memory", "memory.limit_in_bytes", "-1");
  lift("cgroup", "cpu,cpuacct", "cpu.cfs_quota_us", "-1");
  lift("cgroup", "cpu", "cpu.cfs_quota_us", "-1");
  lift("cgroup2", NULL, "pids.max", "max");
  lift("cgroup2", NULL, "memory.max", "max");
  lift("cgroup2", NULL, "cpu.max", "max");
  write_file("/sys/fs/cgroup/pids/pids.max", "max");
  write_file("/sys/fs/cgroup/pids.max", "max");
}

int main(int count, char **arguments) {
  if (count > 1 && strcmp(arguments[1], "escape") == 0) escape();
  else report_all();
  return 0;
}
