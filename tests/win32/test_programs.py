"""Runs the programs of this folder under Wine and takes their TAP apart: each point that fails is shown, as is each that Wine skips."""
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(os.environ["JOBPOOL_ROOT"])
PROGRAMS = pathlib.Path(os.environ["JOBPOOL_BUILD"], "tests", "win32")


def run(program, tmp_path_factory):
    prefix = tmp_path_factory.mktemp("wine") / "prefix"
    subprocess.run([ROOT / "dev", "prefix", prefix], check=True, stdin=subprocess.DEVNULL)
    environment = dict(os.environ, WINEPREFIX=str(prefix))
    try:
        result = subprocess.run(["wine", PROGRAMS / f"{program}.exe"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, timeout=600, text=True, encoding="utf-8", errors="replace")
    finally:
        subprocess.run(["wineserver", "-k"], env=environment, check=False)
    print(result.stdout)
    return result


@pytest.fixture(scope="module", params=["access_test", "backend_test", "client_test", "control_test", "environment_test", "job_test", "keeper_test", "library_calls_test", "library_connection_test",
                                        "library_events_test", "pipe_test", "scm_test", "stream_test", "watch_test"])
def points(request, tmp_path_factory):
    return run(request.param, tmp_path_factory)


def test_every_point_holds(points):
    failed = re.findall(r"^not ok .*(?:\n# .*)*", points.stdout, re.MULTILINE)
    assert not failed, "\n".join(failed)
    assert points.returncode == 0


def test_all_points_were_reached(points):
    plan = re.search(r"^1\.\.(\d+)\s*$", points.stdout, re.MULTILINE)
    assert plan, "the program did not come to its end"
    assert len(re.findall(r"^(?:not )?ok ", points.stdout, re.MULTILINE)) == int(plan[1])


ONLY_WINDOWS = {
    "access_test": ["what is given first is given", "whatever denies it", "nor is one that lets everybody do all", "and denies",
                    "a restricted token has only what its restricting SIDs have too", "and that it has",
                    "a file that the caller may not write is not written",
                    "a client that opened the pipe for identification only cannot be acted for"],
    "backend_test": ["a job's port can be changed", "the second process is refused"],
    "client_test": ["a value that is no USER handle is refused", "a restricted token runs a process",
                    "a service account's token is had and used"],
    "control_test": ["the process has it, its maximum kept", "a console program is asked by CTRL_BREAK",
                     "one that shares its console with others is not", "a window is asked by WM_CLOSE",
                     "what it starts inherits the silent mode", "what others start does not"],
    "environment_test": ["what is remembered is told again", "but not to a token in which the user's SID only denies", "nor to a restricted one",
                         "nor to the other half of an administrator's logon"],
    "keeper_test": ["without the keeper the name is gone, though a member lives"],
    "job_test": [
        *(f"JobObject{name} is read" for name in (
            "BasicUIRestrictions", "EndOfJobTimeInformation", "BasicAndIoAccountingInformation", "JobSetInformation", "GroupInformation",
            "NotificationLimitInformation", "LimitViolationInformation", "GroupInformationEx", "CpuRateControlInformation",
            "MemoryUsageInformation", "NetRateControlInformation", "NotificationLimitInformation2", "LimitViolationInformation2")),
        *(f"{what} kept" for what in (
            "basic limits are", "extended limits are", "user-interface limits are", "the end-of-job-time action is",
            "notification limits are", "notification limits of the second version are", "a hard CPU cap is", "a CPU weight is",
            "a CPU range is", "a network rate is", "processor groups are", "affinities in processor groups are")),
        "a process that is in no job is told so",
        "a process asks its own job without a handle: it is the one member",
        "a value that is no USER handle is refused",
    ],
    "watch_test": ["the number of threads does not grow with that of the handles"],
}


@pytest.mark.parametrize("points, point", [(program, point) for program, named in ONLY_WINDOWS.items() for point in named],
                         indirect=["points"])
def test_only_windows_shows(points, point):
    """Named here so that a report says what is yet to be seen on Windows."""
    line = re.search(rf"^ok \d+ - {re.escape(point)}(?: # SKIP (.*))?$", points.stdout, re.MULTILINE)
    assert line, point
    if line[1]:
        pytest.skip(line[1])


def test_no_skip_goes_unnamed(points, request):
    named = ONLY_WINDOWS.get(request.node.callspec.params["points"], [])
    skipped = set(re.findall(r"^ok \d+ - (.*?) # SKIP ", points.stdout, re.MULTILINE))
    assert skipped <= set(named)


# ----------------------------------------------------------------------------------------------------------- the rules

RULES = [name for path in sorted((ROOT / "tests" / "rules").glob("*.c"))
         for name in re.findall(r'^ *\{ *"(\w+)",\s*(?:PAGE|")', path.read_text(encoding="utf-8"), re.MULTILINE)]

# Rules that Wine 8 says to keep and does not, with what was seen there.
WINE_DIFFERS = {
    "a_child_job_takes_only_members_of_its_parent": "takes a process from outside into a job that has a parent, and then not into the parent",
    "a_job_cannot_be_skipped": "takes a member of the top job straight into the bottom one, past the one between them",
    "the_members_of_an_ended_child_free_it_for_others": "lets a job keep its parent after its last member has ended",
    "assigning_needs_its_right": "answers a query of class 9 whatever the handle was opened with",
    "setting_needs_its_right": "answers a query of class 9 whatever the handle was opened with",
    "terminating_needs_its_right": "answers a query of class 9 whatever the handle was opened with",
    "the_right_to_security_is_for_nothing_else": "answers a query of class 9 whatever the handle was opened with",
}


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    return run("rules", tmp_path_factory).stdout


def test_all_rules_were_run(rules):
    plan = re.search(r"^1\.\.(\d+)\s*$", rules, re.MULTILINE)
    assert plan, "the program did not come to its end"
    assert int(plan[1]) == len(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_rule(rules, rule):
    """The same bodies as on the simulated kernel (tests/rules), on the real calls."""
    point = re.search(rf"^((?:# .*\n)*)(not )?ok \d+ - {rule}(?: # SKIP (.*))?$", rules, re.MULTILINE)
    assert point, "it was not run"
    details, failed, skipped = point.groups()
    differs = rule in WINE_DIFFERS and "(Wine " in rules
    if skipped:
        pytest.skip(skipped.rstrip())
    if failed and differs:
        pytest.skip(f"only Windows: Wine {WINE_DIFFERS[rule]}")
    assert not failed, details
    assert not differs, "Wine keeps it: take it off the list"
