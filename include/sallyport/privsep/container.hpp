// What a container's own profile (docker/seccomp.json) allows beside the rows of the keyholder and the worker: what
// each process calls before it is confined, what the gatekeeper calls at all, and what the runtime calls between
// installing the profile and executing us. The three filters inside are narrower, so few calls have a condition here.
#pragma once

#include <array>

#include "sallyport/privsep/calls.hpp"

namespace sallyport::privsep {

// clang-format off
inline constexpr std::array kContainerCalls{
    // processes: the gatekeeper starts the others, and nobody makes a namespace
    Call{"clone", Part::same_namespaces}, Call{"clone3", Part::absent}, Call{"execve"}, Call{"wait4"}, Call{"waitid"},
    Call{"kill"}, Call{"getppid"}, Call{"dup"}, Call{"dup2"}, Call{"dup3"}, Call{"pipe2"}, Call{"close_range"},
    Call{"arch_prctl"}, Call{"set_tid_address"}, Call{"prlimit64"},
    // sockets: listeners, channels, syslog; of the families that the configuration knows
    Call{"socket", Part::families}, Call{"socketpair"}, Call{"bind"}, Call{"listen"}, Call{"getsockname"},
    Call{"getpeername"}, Call{"sendto"}, Call{"sendmsg"}, Call{"signalfd4"}, Call{"memfd_create"}, Call{"ftruncate"},
    // files: the configuration, /proc, the sockets of Unix listeners, the keyholder's watch
    Call{"inotify_init1"},
    Call{"read"}, Call{"lseek"}, Call{"access"}, Call{"readlink"}, Call{"readlinkat"}, Call{"getdents64"},
    Call{"getxattr"}, Call{"statfs"}, Call{"fstatfs"}, Call{"stat"}, Call{"lstat"}, Call{"open"}, Call{"ioctl"},
    Call{"chmod"}, Call{"fchmodat"}, Call{"lchown"}, Call{"fchownat"}, Call{"unlink"}, Call{"unlinkat"},
    // who we are, and the cage
    Call{"getuid"}, Call{"getgid"}, Call{"getgroups"}, Call{"setgroups"}, Call{"getresuid"}, Call{"setresuid"},
    Call{"getresgid"}, Call{"setresgid"}, Call{"capget"}, Call{"capset"}, Call{"prctl"}, Call{"seccomp"},
    Call{"landlock_create_ruleset"}, Call{"landlock_add_rule"}, Call{"landlock_restrict_self"},
    // runc and crun before they execute us; their threads
    Call{"execveat"}, Call{"chdir"}, Call{"fchdir"}, Call{"getcwd"}, Call{"umask"}, Call{"fchown"}, Call{"fchmod"},
    Call{"setuid"}, Call{"setgid"}, Call{"setsid"}, Call{"openat2"}, Call{"sigaltstack"}, Call{"nanosleep"},
    Call{"pselect6"}, Call{"uname"},
};
// clang-format on

} // namespace sallyport::privsep
