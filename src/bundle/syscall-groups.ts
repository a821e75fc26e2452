/** System calls that are decided together. */
export interface SyscallGroup {
  /** Why they are decided as they are. */
  readonly why: string;
  /** Their names in alphabetical order, with blanks between them. A name may belong to some architectures only. */
  readonly calls: string;
  /** Where the group counts, in GOARCH terms; undefined: everywhere. */
  readonly architectures?: readonly string[] | undefined;
}

/** Allowed in every container, as Docker's default profile has it. */
export const ALLOWED_SYSCALLS: readonly SyscallGroup[] = [
  {
    why: 'Files and folders that the container sees: permissions and mounts decide about them.',
    calls: `_llseek access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat
      faccessat2 fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchown fchown32 fchownat fcntl fcntl64
      fdatasync flock fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents
      getdents64 ioctl lchown lchown32 link linkat lseek lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at
      newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink
      readlinkat readv rename renameat renameat2 rmdir sendfile sendfile64 splice stat stat64 statfs statfs64 statx
      symlink symlinkat sync sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat
      utimensat_time64 utimes vmsplice write writev`,
  },
  {
    why: 'Extended attributes: their names decide which capability is needed.',
    calls: `fgetxattr flistxattr fremovexattr fsetxattr getxattr lgetxattr listxattr llistxattr lremovexattr lsetxattr
      removexattr setxattr`,
  },
  {
    why: 'Waiting for descriptors, and input and output that goes on meanwhile.',
    calls: `_newselect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait
      epoll_wait_old eventfd eventfd2 fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
      io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit pipe pipe2 poll ppoll
      ppoll_time64 pselect6 pselect6_time64 select signalfd signalfd4`,
  },
  {
    why: 'Memory of the process itself.',
    calls: `brk madvise membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap
      msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages`,
  },
  {
    why: 'Processes and threads of the container: who they are, how they start, end and are scheduled.',
    calls: `capget capset execve execveat exit exit_group fork futex futex_time64 futex_waitv get_robust_list
      get_thread_area getcpu getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getpgid getpgrp
      getpid getppid getpriority getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid gettid getuid
      getuid32 ioprio_get ioprio_set kill pidfd_open pidfd_send_signal prctl prlimit64 restart_syscall rseq
      sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
      sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam
      sched_setscheduler sched_yield set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid
      setfsuid32 setgid setgid32 setgroups setgroups32 setpgid setpriority setregid setregid32 setresgid setresgid32
      setresuid setresuid32 setreuid setreuid32 setrlimit setsid setuid setuid32 tgkill tkill ugetrlimit vfork wait4
      waitid waitpid`,
  },
  {
    why: 'Signals.',
    calls: `pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
      rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn`,
  },
  {
    why: 'Reading clocks and setting timers. The kernel lets adjtimex and its kin only read without CAP_SYS_TIME.',
    calls: `adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
      clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete
      timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime
      timerfd_gettime64 timerfd_settime timerfd_settime64 times`,
  },
  {
    why: 'Sockets, once they are made. socketcall, which makes them for older 32-bit programs, has a rule of its own.',
    calls: `accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg
      recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketpair`,
  },
  {
    why: 'Queues, semaphores and shared memory, of which the container has a namespace of its own.',
    calls: `ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64
      mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget`,
  },
  {
    why: 'What a process takes from itself: more filters.',
    calls: 'landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp',
  },
  { why: 'Plain questions about the system.', calls: 'getrandom sysinfo uname' },
  {
    why: 'Debuggers of processes of the container. A filter was no wall against ptrace before Linux 4.8; Node needs newer.',
    calls: 'process_vm_readv process_vm_writev ptrace',
  },
  {
    why: 'Threads, caches and descriptors as 32-bit ARM has them.',
    calls: 'arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2',
    architectures: ['arm', 'arm64'],
  },
  { why: 'POWER’s own.', calls: 'swapcontext sync_file_range2', architectures: ['ppc64le'] },
  { why: 'The C library sets up threads with it.', calls: 'arch_prctl', architectures: ['amd64'] },
  {
    why: 'Wine and old 32-bit programs need segments.',
    calls: 'modify_ldt',
    architectures: ['386', 'amd64'],
  },
  {
    why: 'Z’s own: memory of PCI devices that were given to the process, and its own counters.',
    calls: 's390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr',
    architectures: ['s390x'],
  },
  { why: 'Compilers at run time need it.', calls: 'riscv_flush_icache', architectures: ['riscv64'] },
];

/** Allowed to a container that has the capability; otherwise refused with EPERM, unless another group allows them. */
export const CAPABILITY_SYSCALLS: readonly (SyscallGroup & { readonly capability: string })[] = [
  { capability: 'CAP_BPF', why: 'Programs in the kernel.', calls: 'bpf' },
  {
    capability: 'CAP_DAC_READ_SEARCH',
    why: 'It opens any file of a filesystem, also outside the container.',
    calls: 'open_by_handle_at',
  },
  { capability: 'CAP_PERFMON', why: 'Counters see other processes, too.', calls: 'perf_event_open' },
  { capability: 'CAP_SYSLOG', why: "The kernel's log is the host's.", calls: 'syslog' },
  {
    capability: 'CAP_SYS_ADMIN',
    why: 'Namespaces, mounts and names of the system: in a new user namespace the kernel gives all of them to anybody.',
    calls: `bpf fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount open_tree
      perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare`,
  },
  { capability: 'CAP_SYS_BOOT', why: "It restarts the container's init, or the host.", calls: 'reboot' },
  { capability: 'CAP_SYS_CHROOT', why: 'The capability says it.', calls: 'chroot' },
  {
    capability: 'CAP_SYS_MODULE',
    why: 'Modules of the kernel.',
    calls: 'delete_module finit_module init_module',
  },
  {
    capability: 'CAP_SYS_NICE',
    why: 'Where memory lies: one process can slow down all others, and the calls have had faults.',
    calls: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  },
  { capability: 'CAP_SYS_PACCT', why: "Accounting of the host's processes.", calls: 'acct' },
  {
    capability: 'CAP_SYS_PTRACE',
    why: "Another process's descriptors and memory.",
    calls: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
  },
  { capability: 'CAP_SYS_RAWIO', why: 'Ports of the hardware.', calls: 'ioperm iopl' },
  {
    capability: 'CAP_SYS_TIME',
    why: 'The clock has no namespace.',
    calls: 'clock_settime clock_settime64 settimeofday stime',
  },
  { capability: 'CAP_SYS_TTY_CONFIG', why: 'It hangs up a terminal.', calls: 'vhangup' },
];
