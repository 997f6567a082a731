"""Counting with callgrind: instructions and calls that allocate memory, which do not depend on how busy the machine is."""
import re
import subprocess

ALLOCATE = {"malloc", "calloc", "realloc"}
SYSTEM = "system_"  # so begin the names of what stands in for the system's calls
COLLECT_BY_ORDER = ["--instr-atstart=no", "--collect-atstart=no"]  # for programs that say themselves when to count


class Failed(Exception):
    """The program did not run to its end under callgrind, and what it said."""


def run(folder, program, *arguments, options=(), timeout=600):
    """Runs it; its dumps are files in the folder, and what it printed is the result."""
    command = ["valgrind", "--tool=callgrind", "--compress-strings=no", f"--callgrind-out-file={folder}/dump", *options, program, *arguments]
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=timeout, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def read_dump(path):
    """(the phase's name or "", {"instructions", "allocations", "calls": of the system})"""
    title, instructions, allocations, calls, called = "", 0, 0, 0, ""
    with open(path, encoding="utf-8", errors="replace") as dump:
        for line in dump:
            if line.startswith("cfn="):
                called = line[4:].strip()
            elif line.startswith("calls=") and called in ALLOCATE:
                allocations += int(line[6:].split()[0])
            elif line.startswith("calls=") and called.startswith(SYSTEM):
                calls += int(line[6:].split()[0])
            elif line.startswith("totals:"):
                instructions = int(line.split()[1])
            elif line.startswith("desc: Trigger: Client Request: "):
                title = line.split(": ", 3)[3].strip()
    return title, {"instructions": instructions, "allocations": allocations, "calls": calls}


def phases(folder):
    """{phase: {"instructions": ..., "allocations": ..., "calls": ...}}, each for one of what was counted: of the dumps "NAME COUNT"."""
    found = {}
    for path in folder.glob("dump.*"):
        title, counts = read_dump(path)
        named = re.fullmatch(r"(.+) (\d+)", title)
        if named:
            found[named[1]] = {key: value / max(1, int(named[2])) for key, value in counts.items()}
    return found


def whole(folder):
    """The counts of a program that was counted from its beginning to its end, threads and all."""
    return read_dump(folder / "dump")[1]
