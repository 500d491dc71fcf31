"""What strace wrote of one Sallyport: which process made which system call."""

import re
from dataclasses import dataclass
from pathlib import Path

CALL = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(\(| resumed)")
PROGRAM = re.compile(r'execve\("(?:[^"]*/)?([^"/]+)"')
STARTS = ("clone", "clone3", "fork", "vfork")
STARTED = re.compile(r" = (\d+)$")


@dataclass
class Call:
    executable: str  # of the process, whose threads count as it does, and a fork until it starts a program of its own
    process: int
    name: str
    text: str  # the line behind the thread's id
    begins: bool  # not the rest of a call whose beginning stands further up


def wrapper(path, *options):
    """The words before a command whose system calls are to be written down. -yy: with what each descriptor is."""
    # -D: the command stays our child, and strace stands aside.
    return ("strace", "-D", "-f", "-qq", *options, "-o", str(path))


def calls_in(path):
    """Every call, in the order of the file (written by strace -f -o)."""
    lines = [(int(found[1]), found[2], found[3] == "(", line[found.end(1):].strip())
             for line in Path(path).read_text(errors="replace").splitlines() if (found := CALL.match(line))]
    starter, process_of = _families(lines)
    executable_of = {}

    def executable(process):
        if process not in executable_of:
            executable_of[process] = executable(process_of(starter[process])) if process in starter else ""
        return executable_of[process]

    for thread, name, begins, text in lines:
        process = process_of(thread)
        if name == "execve" and begins and (program := PROGRAM.search(text)):
            executable_of[process] = program[1]
        yield Call(executable(process), process, name, text, begins)


def _families(lines):
    """Who started whom, and the process of a thread. A thread's first lines may stand before its start has returned."""
    starter, threads, begun = {}, set(), {}
    for thread, name, begins, text in lines:
        if name not in STARTS:
            continue
        if begins:
            begun[thread] = text
        if started := STARTED.search(text):
            starter[int(started[1])] = thread
            if "CLONE_THREAD" in begun[thread]:
                threads.add(int(started[1]))

    def process_of(thread):
        return process_of(starter[thread]) if thread in threads else thread

    return starter, process_of
