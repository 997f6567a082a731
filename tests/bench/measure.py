"""How a figure comes about: two sides that take turns, pinned to one processor and free, medians and their spread."""
import collections
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import typing

from harness.host import BUILD, PATIENCE_S, Host

NATIVE = BUILD.parent / "bench"  # optimised as the service is, without sanitizers

# `reach`: how large the ratio must be (better "higher") or may be ("lower"). None: it is shown beside another figure and has no reach of its own.
Figure = collections.namedtuple("Figure", "key suffix unit better reach", defaults=(None,))


@dataclasses.dataclass
class Pair:
    """One measurement of each side is a call, which gives the figures by their keys: `ours` and `baseline` in turn, in this order and then in
    the other one, so that neither always comes second; or `both` at once, by a program that takes turns itself."""
    name: str
    figures: list
    ours: typing.Callable[[], dict] = None
    baseline: typing.Callable[[], dict] = None
    both: typing.Callable[[], tuple] = None
    rounds: int = 0  # where they are not as many as the user asked for: counts that are the same each time, or minutes of waiting
    free: bool = True  # measured without pinning as well
    missing: str = None  # why it cannot be measured here


@dataclasses.dataclass
class Section:
    """Pairs that share what is set up for them; `open(lab)` is a context manager that gives them."""
    name: str
    open: typing.Callable


class Failed(Exception):
    """A measurement that did not come about, and why."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def processors(pinned):
    """Where this process and all that it starts may run, wineserver too: on one processor, or as the scheduler likes."""
    every = os.sched_getaffinity(0)
    if pinned:
        os.sched_setaffinity(0, {max(every)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, every)


class Lab:
    """What sections measure with. `count` says how long a measurement is, as a share of what the section finds right: lab.of(20000)."""

    def __init__(self, folder, scale):
        self.folder = pathlib.Path(folder)
        self.scale = scale
        self.hosts = 0

    def of(self, count):
        return max(1, round(count * self.scale))

    @contextlib.contextmanager
    def wine(self):
        """A Wine of its own, whose server is started here and so runs where the section does."""
        self.hosts += 1
        host = Host(BUILD.parent / f"wine-bench-{os.getpid()}-{self.hosts}")
        try:
            yield host
        finally:
            host.close()

    @contextlib.contextmanager
    def fresh(self):
        """A folder for one measurement."""
        self.hosts += 1
        folder = self.folder / str(self.hosts)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def program(name):
    """One of tests/bench's for Windows."""
    return BUILD / "tests" / "bench" / f"{name}.exe"


def native(name):
    return NATIVE / "tests" / "bench" / name


def figures_of(text, whose):
    try:
        return json.loads(text)
    except ValueError:
        raise Failed(f"{whose} printed no figures: {text!r}") from None


def run_wine(host, name, *arguments, timeout=PATIENCE_S):
    """The figures that a Windows program of ours prints."""
    result = host.run(program(name), *arguments, timeout=timeout)
    if result.returncode:
        raise Failed(f"{name} {' '.join(map(str, arguments))}: {result.stderr}")
    return figures_of(result.stdout, name)


def run_native(name, *arguments, timeout=PATIENCE_S):
    result = subprocess.run([native(name), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            timeout=timeout, check=False)
    if result.returncode:
        raise Failed(f"{name} {' '.join(map(str, arguments))}: {result.stderr}")
    return figures_of(result.stdout, name)


# ------------------------------------------------------------------------------------------------------------- the rounds

def take_turns(pair, rounds, placement):
    ours, baseline = [], []
    rounds = pair.rounds or rounds
    for number in range(rounds):
        say(f"{placement}: {pair.name}, {number + 1} of {rounds}")
        if pair.both:
            for one, figures in zip(pair.both(), (ours, baseline)):
                figures.append(one)
            continue
        sides = [(pair.ours, ours), (pair.baseline, baseline)]
        for side, figures in sides if number % 2 == 0 else reversed(sides):
            figures.append(side())
    return ours, baseline


def divide(value, base):
    """Nothing beside nothing is as good; something beside nothing is measured against one."""
    return value / base if base else value


def compare(ours, baseline):
    value, base = statistics.median(ours), statistics.median(baseline)
    ratios = [divide(one, other) for one, other in zip(ours, baseline)]
    middle = statistics.median(ratios)
    return {"value": value, "baseline": base, "ratio": divide(value, base), "spread": divide(max(ratios) - min(ratios), middle)}


def measure(pair, rounds, placement):
    """{name: figures} of a pair, in one placement."""
    ours, baseline = take_turns(pair, rounds, placement)
    return {pair.name + figure.suffix: (figure, compare([one[figure.key] for one in ours], [one[figure.key] for one in baseline]))
            for figure in pair.figures}


def passes(figure, ratio):
    if figure.reach is None:
        return None
    return ratio >= figure.reach if figure.better == "higher" else ratio <= figure.reach


def not_measured(pair, figure):
    say(f"{pair.name}{figure.suffix}: not measured: {pair.missing}")
    return {"name": pair.name + figure.suffix, "value": None, "baseline": None, "ratio": None, "reach": figure.reach, "pass": None, "better": figure.better,
            "unit": figure.unit, "spread": None, "free": None, "missing": pair.missing}


def rounded(compared):
    return {key: round(value, 4 if key in ("ratio", "spread") else 1) for key, value in compared.items()}


def result(name, figure, pinned, free):
    """What counts is the pinned one; the free one stands beside it."""
    pinned = rounded(pinned)
    return {"name": name, "value": pinned["value"], "baseline": pinned["baseline"], "ratio": pinned["ratio"], "reach": figure.reach,
            "pass": passes(figure, pinned["ratio"]), "better": figure.better, "unit": figure.unit, "spread": pinned["spread"],
            "free": free and rounded(free)}


def run_section(section, lab, rounds):
    found, missing = {}, []
    for placement in ("pinned", "free"):
        with processors(placement == "pinned"), section.open(lab) as pairs:
            for pair in pairs:
                if pair.missing:
                    missing += [not_measured(pair, figure) for figure in pair.figures if placement == "pinned"]
                elif placement == "pinned" or pair.free:
                    for name, (figure, compared) in measure(pair, rounds, placement).items():
                        found.setdefault(name, {"figure": figure})[placement] = compared
    return [result(name, one["figure"], one["pinned"], one.get("free")) for name, one in found.items()] + missing
