"""What strace wrote of one Sallyport: which process made which system call."""

import re
from dataclasses import dataclass
from pathlib import Path

CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(\(| resumed>)")
UNFINISHED = " <unfinished ...>"
PROGRAM = re.compile(r'^\("(?:[^"]*/)?([^"/]+)"')
STARTS = ("clone", "clone3", "fork", "vfork")
STARTED = re.compile(r" = (\d+)$")


@dataclass
class Call:
    executable: str  # of the process, whose threads count as it does, and a fork until it starts a program of its own
    process: int
    name: str
    text: str  # what stands behind the name: "(3, …) = 0"


def wrapper(path, *options):
    """The words before a command whose system calls are to be written down. -yy: with what each descriptor is."""
    # -D: the command stays our child, and strace stands aside.
    return ("strace", "-D", "-f", "-qq", *options, "-o", str(path))


def calls_in(path):
    """Every call, in the order in which they began (written by strace -f -o)."""
    lines = _whole_lines(Path(path).read_text(errors="replace").splitlines())
    starter, process_of = _families(lines)
    executable_of = {}

    def executable(process):
        if process not in executable_of:
            executable_of[process] = executable(process_of(starter[process])) if process in starter else ""
        return executable_of[process]

    for thread, name, text in lines:
        process = process_of(thread)
        if name == "execve" and (program := PROGRAM.search(text)):
            executable_of[process] = program[1]
        yield Call(executable(process), process, name, text)


def _whole_lines(lines):
    """[thread, call, text] of each call; those that another thread's lines cut in two are put together."""
    whole, open_calls = [], {}
    for line in lines:
        if not (found := CALL.match(line)):
            continue
        thread, name, text = int(found[1]), found[2], line[found.end(2):]
        if found[3] != "(":
            text = text.removeprefix(" resumed>")
            if thread in open_calls:
                open_calls.pop(thread)[2] += text
            continue
        whole.append([thread, name, text.removesuffix(UNFINISHED)])
        if text.endswith(UNFINISHED):
            open_calls[thread] = whole[-1]
    return whole


def _families(lines):
    """Who started whom, and the process of a thread. A thread's first lines may stand before its start has returned."""
    starter, threads = {}, set()
    for thread, name, text in lines:
        if name in STARTS and (started := STARTED.search(text)):
            starter[int(started[1])] = thread
            if "CLONE_THREAD" in text:
                threads.add(int(started[1]))

    def process_of(thread):
        return process_of(starter[thread]) if thread in threads else thread

    return starter, process_of


# What could change a file system: by path, or an open for writing. What is written to a descriptor was opened before.
CHANGES = {
    "creat", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat",
    "symlink", "symlinkat", "mknod", "mknodat", "chmod", "fchmodat", "chown", "lchown", "fchownat", "truncate",
    "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr", "utime", "utimes", "utimensat",
    "futimesat", "mount"}
OPENS = {"open", "openat", "openat2"}
FOR_WRITING = re.compile(r"\bO_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)\b")


def attempted_writes(path, executables):
    """The calls of these by which a file was, or would have been, made or changed. /dev/null is no file."""
    return [call for call in calls_in(path) if call.executable in executables and '"/dev/null"' not in call.text and
            (call.name in CHANGES or (call.name in OPENS and FOR_WRITING.search(call.text)))]
