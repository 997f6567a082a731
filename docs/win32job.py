"""Writes docs/win32job.md: everything that job objects can do, each with the tests that show it.

win32job.py --write                    writes the file
win32job.py --check STAMP [DEPFILE]    fails if a row has no test, or if the file is not what --write would write

The rows come from include/jobpool/job_constants.h and src/job/info.c, the tests from their own sources:

tests/rules/*.c              a row {"name", "page", "NAME NAME", NEEDS_..., ...} of a table of struct rule
tests/simd, tests/e2e        @pytest.mark.shows("NAME", "NAME") before a test function
tests/unit, tests/win32      /* shows: NAME NAME */ above a test function

A NAME is Windows' own. Only Python itself is needed.
"""
import ast
import difflib
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "win32job.md"
CONSTANTS = ROOT / "include" / "jobpool" / "job_constants.h"
CLASSES = ROOT / "src" / "job" / "info.c"
LEARN = "https://learn.microsoft.com/windows/win32/"
ANYWHERE, SIMULATOR, WINE, WINDOWS = "without a kernel", "simulator", "Wine", "Windows only"
PLACES = ((SIMULATOR, WINE), (SIMULATOR,), (WINE,), (ANYWHERE,), (WINDOWS,))

read_files = set()


def fail(*lines):
    sys.exit("\n".join(lines))


def source(path):
    read_files.add(path)
    return path.read_text(encoding="utf-8")


def sources(folder, pattern):
    folder = ROOT / "tests" / folder
    if folder.is_dir():
        read_files.add(folder)  # so that a new file is noticed
        yield from sorted(folder.glob(pattern))


# ------------------------------------------------------------------------------------------------------------ the rows

# function: page, method, C function, command
FUNCTIONS = {
    "CreateJobObject": ("api/jobapi2/nf-jobapi2-createjobobjectw", "job.create", "jp_job_create", "job create"),
    "OpenJobObject": ("api/jobapi2/nf-jobapi2-openjobobjectw", "job.open", "jp_job_open", ""),
    "AssignProcessToJobObject": ("api/jobapi2/nf-jobapi2-assignprocesstojobobject", "job.assignProcess", "jp_job_assign_process", "job assign"),
    "IsProcessInJob": ("api/jobapi/nf-jobapi-isprocessinjob", "job.isProcessInJob", "jp_is_process_in_job", "job contains"),
    "QueryInformationJobObject": ("api/jobapi2/nf-jobapi2-queryinformationjobobject", "job.queryInformation", "jp_job_query", "job query"),
    "SetInformationJobObject": ("api/jobapi2/nf-jobapi2-setinformationjobobject", "job.setInformation", "jp_job_set", "job set"),
    "TerminateJobObject": ("api/jobapi2/nf-jobapi2-terminatejobobject", "job.terminate", "jp_job_terminate", "job terminate"),
    "UserHandleGrantAccess": ("api/winuser/nf-winuser-userhandlegrantaccess", "job.grantUserHandle", "jp_user_handle_grant_access", "grant-handle"),
}

# class: its structure's page under api/winnt/ns-winnt- (None: there is none), and the key of a pool that says the same
CLASS_FACTS = {
    1: ("jobobject_basic_accounting_information", ""),
    2: ("jobobject_basic_limit_information", "limits"),
    3: ("jobobject_basic_process_id_list", ""),
    4: ("jobobject_basic_ui_restrictions", "ui"),
    5: ("jobobject_security_limit_information", "security"),
    6: ("jobobject_end_of_job_time_information", "end_of_job_time"),
    7: ("jobobject_associate_completion_port", ""),
    8: ("jobobject_basic_and_io_accounting_information", ""),
    9: ("jobobject_extended_limit_information", "limits"),
    10: (None, ""),
    11: (None, "limits.processor_groups"),
    12: ("jobobject_notification_limit_information", "notify"),
    13: ("jobobject_limit_violation_information", ""),
    14: (None, "limits.processor_groups"),
    15: ("jobobject_cpu_rate_control_information", "limits.cpu_rate"),
    28: (None, ""),
    32: ("jobobject_net_rate_control_information", "limits.network_rate"),
    33: ("jobobject_notification_limit_information_2", "notify"),
    34: ("jobobject_limit_violation_information_2", ""),
}
STRUCTURE = "api/winnt/ns-winnt-"

# table in job_constants.h: prefix of its names, heading, page
TABLES = {
    "ACCESS": ("JOB_OBJECT_", "Access rights", "procthread/job-object-security-and-access-rights"),
    "LIMIT": ("JOB_OBJECT_", "Limits", STRUCTURE + "jobobject_basic_limit_information"),
    "LIMIT_MASK": ("JOB_OBJECT_", "Limits: other names, and masks", STRUCTURE + "jobobject_basic_limit_information"),
    "UI": ("JOB_OBJECT_", "User interface", STRUCTURE + "jobobject_basic_ui_restrictions"),
    "SECURITY": ("JOB_OBJECT_", "Security", STRUCTURE + "jobobject_security_limit_information"),
    "END": ("JOB_OBJECT_", "End of the job time", STRUCTURE + "jobobject_end_of_job_time_information"),
    "MESSAGE": ("JOB_OBJECT_", "Messages", STRUCTURE + "jobobject_associate_completion_port"),
    "CPU_RATE": ("JOB_OBJECT_", "CPU rate", STRUCTURE + "jobobject_cpu_rate_control_information"),
    "NET_RATE": ("JOB_OBJECT_", "Network rate", STRUCTURE + "jobobject_net_rate_control_information"),
    "TOLERANCE": ("", "Tolerances of rates", STRUCTURE + "jobobject_notification_limit_information"),
    "TOLERANCE_INTERVAL": ("", "Intervals of tolerances", STRUCTURE + "jobobject_notification_limit_information"),
    "PRIORITY": ("", "Priority classes", "api/processthreadsapi/nf-processthreadsapi-setpriorityclass"),
}
NOTIFICATION = STRUCTURE + "jobobject_notification_limit_information_2"
OTHER_PAGES = {f"JOB_OBJECT_{name}": NOTIFICATION for name in (
    "LIMIT_JOB_MEMORY_LOW", "LIMIT_JOB_MEMORY_HIGH", "LIMIT_JOB_READ_BYTES", "LIMIT_JOB_WRITE_BYTES", "LIMIT_CPU_RATE_CONTROL",
    "LIMIT_RATE_CONTROL", "LIMIT_IO_RATE_CONTROL", "LIMIT_NET_RATE_CONTROL", "NOTIFICATION_LIMIT_VALID_FLAGS")}

# constant: the key of a pool, where it is a setting
KEYS = {
    "JOB_OBJECT_LIMIT_WORKINGSET": "limits.working_set", "JOB_OBJECT_LIMIT_PROCESS_TIME": "limits.process_time",
    "JOB_OBJECT_LIMIT_JOB_TIME": "limits.job_time", "JOB_OBJECT_LIMIT_ACTIVE_PROCESS": "limits.active_processes",
    "JOB_OBJECT_LIMIT_AFFINITY": "limits.affinity", "JOB_OBJECT_LIMIT_PRIORITY_CLASS": "limits.priority_class",
    "JOB_OBJECT_LIMIT_SCHEDULING_CLASS": "limits.scheduling_class", "JOB_OBJECT_LIMIT_PROCESS_MEMORY": "limits.process_memory",
    "JOB_OBJECT_LIMIT_JOB_MEMORY": "limits.job_memory", "JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION": "limits.die_on_unhandled_exception",
    "JOB_OBJECT_LIMIT_BREAKAWAY_OK": "limits.breakaway: allow", "JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK": "limits.breakaway: silent",
    "JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE": "limits.kill_on_close", "JOB_OBJECT_LIMIT_SUBSET_AFFINITY": "limits.subset_affinity",
    "JOB_OBJECT_LIMIT_JOB_MEMORY_LOW": "notify.job_memory_low", "JOB_OBJECT_LIMIT_JOB_MEMORY_HIGH": "notify.job_memory",
    "JOB_OBJECT_LIMIT_JOB_READ_BYTES": "notify.io_read", "JOB_OBJECT_LIMIT_JOB_WRITE_BYTES": "notify.io_write",
    "JOB_OBJECT_LIMIT_CPU_RATE_CONTROL": "notify.cpu_rate", "JOB_OBJECT_LIMIT_NET_RATE_CONTROL": "notify.network_rate",
    "JOB_OBJECT_UILIMIT_HANDLES": "ui: handles", "JOB_OBJECT_UILIMIT_READCLIPBOARD": "ui: read_clipboard",
    "JOB_OBJECT_UILIMIT_WRITECLIPBOARD": "ui: write_clipboard", "JOB_OBJECT_UILIMIT_SYSTEMPARAMETERS": "ui: system_parameters",
    "JOB_OBJECT_UILIMIT_DISPLAYSETTINGS": "ui: display_settings", "JOB_OBJECT_UILIMIT_GLOBALATOMS": "ui: global_atoms",
    "JOB_OBJECT_UILIMIT_DESKTOP": "ui: desktop", "JOB_OBJECT_UILIMIT_EXITWINDOWS": "ui: exit_windows",
    "JOB_OBJECT_SECURITY_NO_ADMIN": "security: no_admin", "JOB_OBJECT_SECURITY_RESTRICTED_TOKEN": "security: restricted_token",
    "JOB_OBJECT_SECURITY_ONLY_TOKEN": "security: only_token", "JOB_OBJECT_SECURITY_FILTER_TOKENS": "security: filter_tokens",
    "JOB_OBJECT_TERMINATE_AT_END_OF_JOB": "end_of_job_time: terminate", "JOB_OBJECT_POST_AT_END_OF_JOB": "end_of_job_time: post",
    "JOB_OBJECT_CPU_RATE_CONTROL_WEIGHT_BASED": "limits.cpu_rate.weight", "JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP": "limits.cpu_rate.hard_cap",
    "JOB_OBJECT_CPU_RATE_CONTROL_NOTIFY": "limits.cpu_rate.notify", "JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE": "limits.cpu_rate.min, max",
    "JOB_OBJECT_NET_RATE_CONTROL_MAX_BANDWIDTH": "limits.network_rate.max_bandwidth", "JOB_OBJECT_NET_RATE_CONTROL_DSCP_TAG": "limits.network_rate.dscp",
    "NORMAL_PRIORITY_CLASS": "limits.priority_class: normal", "IDLE_PRIORITY_CLASS": "limits.priority_class: idle",
    "HIGH_PRIORITY_CLASS": "limits.priority_class: high", "REALTIME_PRIORITY_CLASS": "limits.priority_class: realtime",
    "BELOW_NORMAL_PRIORITY_CLASS": "limits.priority_class: below_normal", "ABOVE_NORMAL_PRIORITY_CLASS": "limits.priority_class: above_normal",
}
LAST_CLASS = "MaxJobObjectInfoClass"

# A test that only reads a name and a number shows nothing of what they do: for these it has to do.
NAMES_DO = {
    LAST_CLASS: "no class", "JOB_OBJECT_UILIMIT_NONE": "no limit", "JOB_OBJECT_UILIMIT_ALL": "a mask",
    "JOB_OBJECT_MSG_JOB_CYCLE_TIME_LIMIT": "no documented limit causes it", "JOB_OBJECT_MSG_SILO_TERMINATED": "comes from containers only",
}


def constants():
    """{table: [(name, value as written)]}"""
    found = {}
    for table, body in re.findall(r"#define JP_JOB_(\w+)_TABLE\(X\)((?:.*\\\n)*.*)", source(CONSTANTS)):
        if table != "CLASS" and table not in TABLES:
            fail(f"{CONSTANTS}: the table {table} is new; give it a heading and a page in {__file__}")
        prefix = "JobObject" if table == "CLASS" else TABLES[table][0]
        found[table] = [(prefix + name, value) for name, value in re.findall(r"X\((\w+), (\w+)\)", body)]
    return found


def classes(numbers):
    """[(number, name, what it can, since)]"""
    rows = re.findall(r'\{"(JobObject\w+)",\s*JP_JOB_\w+,\s*([A-Z_| 0]+?),\s*(NULL|"[^"]*")\}', source(CLASSES))
    missing = set(numbers) - {name for name, _, _ in rows}
    if missing:
        fail(f"{CLASSES}: no row in jp_job_classes was found for {', '.join(sorted(missing))}")
    found = []
    for name, flags, since in rows:
        can = ", ".join(word for word in ("query", "set") if f"JP_CLASS_{word.upper()}" in flags)
        found.append((int(numbers[name]), name, can, "" if since == "NULL" else since.strip('"')))
    return found


# ----------------------------------------------------------------------------------------------------------- the tests

class Test:
    def __init__(self, path, name, places, shows):
        self.path, self.name, self.places, self.shows = path, name, places, shows


def expand(tokens, macros):
    for token in tokens:
        yield from expand(macros[token], macros) if token in macros else (token,)


def rows_of(tokens):
    """The rows of a table {{a, b}, {c, d}}: lists of fields, which are lists of tokens."""
    depth, rows = 0, []
    for token in tokens:
        if token == "}":
            depth -= 1
        if depth == 2 and token == ",":
            rows[-1].append([])
        elif depth == 2:
            rows[-1][-1].append(token)
        if token == "{":
            depth += 1
            rows += [[[]]] if depth == 2 else []
    return rows


def rule_tests():
    """The rows of the tables of struct rule: name, page, what it shows, what it needs. The simulator keeps all rules, Wine those that need
    nothing."""
    token = re.compile(r'"(?:[^"\\]|\\.)*"|\w+|[^\s\w"]')
    macro = re.compile(r'^#define (\w+) ((?:.*\\\n)*.*"(?:.*\\\n)*.*)', re.M)
    texts = {path: source(path) for path in sources("rules", "*.[ch]")}
    shared = {name: token.findall(body) for path, text in texts.items() if path.suffix == ".h" for name, body in macro.findall(text)}
    for path, text in texts.items():
        macros = shared | {name: [t for t in token.findall(body) if t != "\\"] for name, body in macro.findall(text)}
        for table in re.findall(r"^const struct rule \w+\[\] = (\{.*?\n?\});", text, re.S | re.M):
            for name, _, shows, needs, *_ in (row for row in rows_of(token.findall(table)) if row != [["0"]]):
                words = "".join(ast.literal_eval(t) for t in expand(shows, macros) if t.startswith('"')).split()
                yield Test(path, ast.literal_eval(name[0]), (SIMULATOR, WINE) if needs == ["0"] else (SIMULATOR,), words)


def c_tests(folder, place):
    for path in sources(folder, "*.c"):
        text = source(path)
        where = SIMULATOR if '"pool_world.h"' in text else place
        found = re.findall(r"/\* shows: ((?:[^*]|\*(?!/))+)\*/\nstatic \w+ (\w+)\(", text)
        if len(found) != text.count("/* shows:"):
            fail(f"{path}: a comment /* shows: ... */ that does not stand on the line before a function")
        for shows, name in found:
            yield Test(path, name, (where,), [word for word in shows.split() if word != "*"])


def marks(path, function):
    """{mark: [its arguments]} of the decorators pytest.mark.MARK(...)"""
    found = {}
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).startswith("pytest.mark."):
            found.setdefault(decorator.func.attr, []).extend(a.value for a in decorator.args if isinstance(a, ast.Constant))
            if decorator.func.attr == "shows" and not all(isinstance(a, ast.Constant) for a in decorator.args):
                fail(f"{path}:{decorator.lineno}: pytest.mark.shows takes names that stand there, not what a program makes of them")
    return found


def python_tests(folder, place):
    for path in sources(folder, "test_*.py"):
        for node in ast.walk(ast.parse(source(path))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found = marks(path, node)
                here = WINDOWS if "windows_only" in found else place
                if "shows" in found:
                    yield Test(path, node.name, (here,), found["shows"])


def all_tests():
    yield from rule_tests()
    yield from python_tests("simd", SIMULATOR)
    yield from python_tests("e2e", WINE)
    yield from c_tests("win32", WINE)
    yield from c_tests("unit", ANYWHERE)


# -------------------------------------------------------------------------------------------------------------- the text

HEAD = """# What job objects can do, and the tests that show it

Made by `./dev docs` from the sources ([win32job.py](win32job.py)); a row without a test fails the build. Method: [rpc.md](rpc.md), key: [config.md](config.md), C
function: [c-api.md](c-api.md). Names link to Microsoft's pages, tests to their files. Where a test runs:

- **simulator**: a kernel in C under the tests, which keeps Windows' documented rules (`tests/sim`), on every commit, also with the daemon above it. The rules themselves
  (`tests/rules`) run on Windows too, and under Wine as far as it does what a rule needs;
- **Wine**: the real calls, on every commit. On Windows too;
- **without a kernel**: names, numbers and dictionaries, which no kernel takes part in;
- **Windows only**: what neither shows, skipped elsewhere by name. It has to be run on a Windows machine.
"""

RESERVED = """Microsoft documents no structure for the classes 16 to 27, 29 to 31 and 35 up to {last} (winnt.h calls most of them reserved; 31, I/O rate control,
was withdrawn with Windows 10 1607): they are refused, by number. {last} itself is no class; its number grows with every Windows.
"""


def link(name, page):
    return f"[{name}]({LEARN}{page})" if page else name


def shown_by(tests):
    """The tests by where they run. Those that only read names are told where there is nothing else."""
    at_work = [test for test in tests if test.places != (ANYWHERE,)] or tests
    by_places = {}
    for test in at_work:
        by_places.setdefault(test.places, []).append(f"[{test.name}](../{test.path.relative_to(ROOT).as_posix()})")
    return "; ".join(f"{' and '.join(places)}: {', '.join(by_places[places])}" for places in sorted(by_places, key=PLACES.index))


def table(heading, rows):
    yield "| " + " | ".join(heading) + " |"
    yield "|" + "---|" * len(heading)
    for row in rows:
        yield "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"
    yield ""


def write(groups, class_rows, tests_of):
    yield HEAD
    yield "## Functions\n"
    yield from table(("function", "method", "C", "jobpool", "shown by"), (
        (link(name, page), f"`{method}`", f"`{c}`", f"`{command}`" if command else "", shown_by(tests_of(name)))
        for name, (page, method, c, command) in FUNCTIONS.items()))
    yield "## Information classes\n"
    pages = {number: page and STRUCTURE + page for number, (page, _) in CLASS_FACTS.items()}
    yield from table(("", "class", "can", "since", "key", "shown by"), (
        (number, link(name, pages[number]), can, since, code(CLASS_FACTS[number][1]), shown_by(tests_of(name)))
        for number, name, can, since in class_rows))
    yield RESERVED.format(last=f"`{LAST_CLASS}`")
    yield f"Shown by {shown_by(tests_of(LAST_CLASS))}.\n"
    for name, (_, heading, page) in TABLES.items():
        yield f"## {heading}\n"
        yield from table(("constant", "value", "key", "shown by"), (
            (link(constant, OTHER_PAGES.get(constant, page)), value, code(KEYS.get(constant, "")), shown_by(tests_of(constant)) + why(constant))
            for constant, value in groups[name]))


def why(name):
    """Why nothing shows the constant at work."""
    return f" ({NAMES_DO[name]})" if name in NAMES_DO else ""


def code(text):
    return f"`{text}`" if text else ""


def main(mode, stamp=None, depfile=None):
    groups = constants()
    numbers = dict(groups["CLASS"])
    names = [*FUNCTIONS, *numbers, LAST_CLASS, *(name for table_name in TABLES for name, _ in groups[table_name])]
    known, by_name, faults = set(names), {}, []
    for test in all_tests():
        for name in test.shows:
            by_name.setdefault(name, []).append(test)
            if name not in known:
                near = "".join(f"; did you mean {word}?" for word in difflib.get_close_matches(name, names, 1))
                faults.append(f"{test.path.relative_to(ROOT)}: {test.name} shows {name}, which there is not{near}")
    faults += [f"no test shows {name}" for name in names if name not in by_name]
    masks = {name for name in names if name.endswith("VALID_FLAGS")} | {name for name, _ in groups["LIMIT_MASK"]} | NAMES_DO.keys()
    faults += [f"no test shows {name} at work, only its name" for name in names
               if name in by_name and name not in masks and all(test.places == (ANYWHERE,) for test in by_name[name])]
    text = "\n".join(write(groups, classes(numbers), lambda name: by_name.get(name, ()))).rstrip("\n") + "\n"
    if mode == "--write":
        DOCUMENT.write_text(text, encoding="utf-8", newline="\n")
        print("\n".join(faults), file=sys.stderr, end="\n" if faults else "")
        return
    if faults:
        fail(*faults, 'a test says what it shows: see the beginning of docs/win32job.py')
    if not DOCUMENT.exists() or source(DOCUMENT) != text:
        fail("docs/win32job.md is not what the sources say; run ./dev docs")
    pathlib.Path(stamp).write_text("checked\n", encoding="utf-8")
    if depfile:
        escaped = (str(path).replace(" ", "\\ ") for path in sorted(read_files))
        pathlib.Path(depfile).write_text(f"{stamp}: {' '.join(escaped)}\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] not in (["--write"], ["--check"]) or (sys.argv[1] == "--check" and len(sys.argv) < 3):
        fail(__doc__)
    main(*sys.argv[1:])
