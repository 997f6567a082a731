"""Runs the programs of this folder under Wine and takes their TAP apart: each point that fails is shown, as is each that Wine skips."""
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(os.environ["JOBPOOL_ROOT"])
PROGRAMS = pathlib.Path(os.environ["JOBPOOL_BUILD"], "tests", "win32")


@pytest.fixture(scope="module", params=["backend_test", "client_test", "job_test", "pipe_test"])
def points(request, tmp_path_factory):
    prefix = tmp_path_factory.mktemp("wine") / "prefix"
    subprocess.run([ROOT / "dev", "prefix", prefix], check=True, stdin=subprocess.DEVNULL)
    environment = dict(os.environ, WINEPREFIX=str(prefix))
    try:
        run = subprocess.run(["wine", PROGRAMS / f"{request.param}.exe"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, timeout=120, text=True, encoding="utf-8", errors="replace")
    finally:
        subprocess.run(["wineserver", "-k"], env=environment, check=False)
    print(run.stdout)
    return run


def test_every_point_holds(points):
    failed = re.findall(r"^not ok .*(?:\n# .*)*", points.stdout, re.MULTILINE)
    assert not failed, "\n".join(failed)
    assert points.returncode == 0


def test_all_points_were_reached(points):
    plan = re.search(r"^1\.\.(\d+)\s*$", points.stdout, re.MULTILINE)
    assert plan, "the program did not come to its end"
    assert len(re.findall(r"^(?:not )?ok ", points.stdout, re.MULTILINE)) == int(plan[1])


ONLY_WINDOWS = {
    "backend_test": ["a job's port can be changed", "the second process is refused"],
    "client_test": ["a value that is no USER handle is refused", "a restricted token runs a process",
                    "a service account's token is had and used"],
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
