// THE table's system calls: for each process every call that it may make once it is confined. A filter is made from
// these rows (src/privsep/filter.cpp); what is not here ends the process, and the audit log names it.
//
// Tests hold the rows against a trace of the integration suite: a call that it makes is a row, and a row that it never
// shows says in `unseen` which path needs it (./run test --traced).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::privsep {

/// What of a call is allowed. The kernel skips filters for calls that are always allowed, so none of those that every
/// byte or every wait takes has a condition.
enum class Part : std::uint8_t {
    all,
    none,            ///< refused with EPERM; also the probe by which a process proves its filter
    absent,          ///< refused with ENOSYS: the C library takes an older call, whose arguments can be seen
    threads,         ///< clone: CLONE_THREAD only
    data,            ///< mmap, mprotect: nothing executable
    reading,         ///< openat: O_RDONLY only
    granted_sockets, ///< socket: TCP (no MPTCP, which Landlock does not see) or Unix streams, as upstreams need them;
                     ///< UDP if names are looked up
    connected,  ///< sendto: no address and no MSG_FASTOPEN, which connect past Landlock. Descriptors it cannot carry
    write_half, ///< shutdown: SHUT_WR only, so that no listening socket can be stopped, and no log (sys::kFirstOwnFd)
    stream_options,  ///< setsockopt: time-outs, lingering, keep-alive, TCP_NODELAY
    seals,           ///< fcntl: F_ADD_SEALS and F_GET_SEALS; F_SETOWN and F_SETSIG could signal strangers
    timeouts,        ///< setsockopt: SO_RCVTIMEO and SO_SNDTIMEO
    names,           ///< prctl: the thread's name, and asking whether it is filtered
    same_namespaces, ///< clone: threads and processes, in no new namespace
    families,        ///< socket: Unix, IPv4 and IPv6
    own_signals,     ///< rt_sigaction: SIGPIPE, SIGABRT and the C library's own; SIGSYS is refused with EPERM
    own_threads      ///< tgkill: to this process only
};

/// When: from `confine` on, or only until `tighten` (a process that never tightens stays in `starting`).
enum class Phase : std::uint8_t { starting, serving };

struct Call {
    std::string_view name;
    Part part{Part::all};
    Phase until{Phase::serving}; ///< the last phase that has it
    std::string_view unseen{};
};

/// One list after the other.
template <std::size_t M, std::size_t N>
[[nodiscard]] constexpr std::array<Call, M + N> joined(const std::array<Call, M>& first,
                                                       const std::array<Call, N>& second)
{
    std::array<Call, M + N> all{};
    std::ranges::copy(second, std::ranges::copy(first, all.begin()).out);
    return all;
}

inline constexpr std::string_view kOldKernel = "other kernels, processors and C libraries take it in place of another";
inline constexpr std::string_view kAbort = "a broken invariant: abort(3)";
inline constexpr std::string_view kMemory = "large or shrinking buffers";

// clang-format off
/// Both children.
inline constexpr std::array kCommonCalls{
    // the other processes, over channels; the log
    Call{"recvmsg"}, Call{"sendto", Part::connected}, Call{"close"}, Call{"write"},
    Call{"poll"}, Call{"ppoll", Part::all, Phase::serving, kOldKernel},
    // memory
    Call{"mmap", Part::data}, Call{"mprotect", Part::data}, Call{"munmap"}, Call{"madvise"}, Call{"brk"},
    Call{"mremap", Part::all, Phase::serving, kMemory},
    // threads
    Call{"set_robust_list"}, Call{"rseq"}, Call{"futex"}, Call{"gettid"}, Call{"exit"}, Call{"exit_group"},
    Call{"sched_getaffinity", Part::all, Phase::serving, "malloc(3) counts processors for its arenas"},
    Call{"sched_yield", Part::all, Phase::serving, "contended locks"}, Call{"prctl", Part::names},
    // chance and time
    Call{"getrandom"}, Call{"getpid"}, Call{"sysinfo", Part::all, Phase::serving, "qsort(3)"},
    Call{"clock_gettime", Part::all, Phase::serving, kOldKernel},
    Call{"gettimeofday", Part::all, Phase::serving, kOldKernel},
    Call{"clock_nanosleep", Part::all, Phase::serving, "waiting to write the log"},
    // signals
    Call{"rt_sigaction", Part::own_signals}, Call{"rt_sigprocmask"},
    Call{"rt_sigreturn", Part::all, Phase::serving, "signal handlers"},
    Call{"restart_syscall", Part::all, Phase::serving, "waits after a stop (SIGSTOP, a debugger)"},
    Call{"tgkill", Part::own_threads, Phase::serving, kAbort}, Call{"writev", Part::all, Phase::serving, kAbort},
};

inline constexpr std::array kKeyholderCalls = joined(kCommonCalls, std::array{
    // the end of a channel
    Call{"setsockopt", Part::timeouts}, Call{"shutdown"},
    // certificates and keys
    Call{"openat", Part::reading}, Call{"newfstatat"}, Call{"fstat", Part::all, Phase::serving, kOldKernel},
    Call{"statx", Part::all, Phase::serving, kOldKernel}, Call{"pread64"}, Call{"pwrite64"}, Call{"fcntl", Part::seals},
    Call{"faccessat2"}, Call{"faccessat", Part::all, Phase::serving, kOldKernel},
    Call{"geteuid", Part::all, Phase::serving, "why a file cannot be read"},
    Call{"getegid", Part::all, Phase::serving, "why a file cannot be read"},
    // certificates and keys that change: where a turned link leads, and what the kernel tells of a directory
    Call{"readlink"}, Call{"readlinkat", Part::all, Phase::serving, kOldKernel}, Call{"inotify_add_watch"},
    Call{"inotify_rm_watch"}, Call{"read"},
    // memory that holds keys
    Call{"mlock"}, Call{"mlock2"}, Call{"munlock", Part::all, Phase::serving, "keys that a reload has replaced"},
    // a thread for each sign channel
    Call{"clone3", Part::absent}, Call{"clone", Part::threads},
});

inline constexpr std::array kWorkerCalls = joined(kCommonCalls, std::array{
    // every byte and every wait: no conditions, as for write, close and futex
    Call{"recvfrom"}, Call{"epoll_wait"}, Call{"epoll_pwait", Part::all, Phase::serving, kOldKernel}, Call{"epoll_ctl"},
    // every connection
    Call{"accept4"}, Call{"socket", Part::granted_sockets}, Call{"connect"}, Call{"setsockopt", Part::stream_options},
    Call{"getsockopt"}, Call{"shutdown", Part::write_half},
    // the PROXY header of an app's connection: where the client connected to
    Call{"getsockname"},
    // new certificates: a shard's word that its part is done, by an eventfd
    Call{"read"},
    // building shards, before the first byte from the network
    Call{"epoll_create1", Part::all, Phase::starting}, Call{"eventfd2", Part::all, Phase::starting},
    Call{"fcntl", Part::all, Phase::starting},
    Call{"clone3", Part::absent, Phase::starting}, Call{"clone", Part::threads, Phase::starting},
    Call{"seccomp", Part::all, Phase::starting},
});

/// What the sanitizers' runtimes need besides, in their builds only.
inline constexpr std::array kSanitizerCalls{
    Call{"openat"}, Call{"readlink"}, Call{"readlinkat"}, Call{"lseek"}, Call{"read"}, Call{"newfstatat"}, Call{"fstat"},
    Call{"stat"}, Call{"getdents"}, Call{"getdents64"}, Call{"clone"}, Call{"ptrace"}, Call{"wait4"}, Call{"sigaltstack"}, Call{"prctl"},
    Call{"prlimit64"}, Call{"personality"}, Call{"mincore"}, Call{"pipe"}, Call{"pipe2"},
    Call{"uname"}, Call{"getppid"}, Call{"kill"}, Call{"tgkill"}, Call{"sched_getaffinity"}, Call{"gettid"},
    Call{"process_vm_readv"}, Call{"nanosleep"}, Call{"clock_nanosleep"}, Call{"exit"}, Call{"open"}, Call{"access"},
    Call{"fcntl"}, Call{"ioctl"}, Call{"mmap"}, Call{"mprotect"}, Call{"dup"}, Call{"sched_yield"}, Call{"getuid"},
    Call{"arch_prctl"}, Call{"set_tid_address"}, Call{"membarrier"}, Call{"mremap"}, Call{"sysinfo"},
};

/// The gatekeeper's filter binds whatever it will ever start, so it is the opposite: a list of what nobody in the family
/// needs. Each is refused with EPERM, everything else is allowed.
inline constexpr std::array kForbiddenCalls{
    // into other processes
    Call{"ptrace", Part::none}, Call{"process_vm_readv", Part::none}, Call{"process_vm_writev", Part::none},
    Call{"process_madvise", Part::none}, Call{"pidfd_getfd", Part::none}, Call{"kcmp", Part::none},
    // other views of the machine
    Call{"mount", Part::none}, Call{"umount2", Part::none}, Call{"pivot_root", Part::none}, Call{"chroot", Part::none},
    Call{"open_tree", Part::none}, Call{"move_mount", Part::none}, Call{"mount_setattr", Part::none},
    Call{"fsopen", Part::none}, Call{"fsconfig", Part::none}, Call{"fsmount", Part::none}, Call{"fspick", Part::none},
    Call{"unshare", Part::none}, Call{"setns", Part::none}, Call{"open_by_handle_at", Part::none},
    Call{"name_to_handle_at", Part::none},
    // into the kernel
    Call{"init_module", Part::none}, Call{"finit_module", Part::none}, Call{"delete_module", Part::none},
    Call{"kexec_load", Part::none}, Call{"kexec_file_load", Part::none}, Call{"bpf", Part::none},
    Call{"perf_event_open", Part::none}, Call{"userfaultfd", Part::none}, Call{"io_uring_setup", Part::none},
    Call{"io_uring_enter", Part::none}, Call{"io_uring_register", Part::none}, Call{"iopl", Part::none},
    Call{"ioperm", Part::none}, Call{"modify_ldt", Part::none},
    // keys, clocks and the whole machine
    Call{"keyctl", Part::none}, Call{"add_key", Part::none}, Call{"request_key", Part::none},
    Call{"settimeofday", Part::none}, Call{"clock_settime", Part::none}, Call{"adjtimex", Part::none},
    Call{"clock_adjtime", Part::none}, Call{"sethostname", Part::none}, Call{"setdomainname", Part::none},
    Call{"swapon", Part::none}, Call{"swapoff", Part::none}, Call{"reboot", Part::none}, Call{"acct", Part::none},
    Call{"quotactl", Part::none}, Call{"syslog", Part::none}, Call{"vhangup", Part::none},
};
// clang-format on

} // namespace sallyport::privsep
