"""Runs the programs of this folder under Wine and takes their TAP apart: each point that fails is shown, as is each that Wine skips."""
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(os.environ["JOBPOOL_ROOT"])
PROGRAMS = pathlib.Path(os.environ["JOBPOOL_BUILD"], "tests", "win32")


@pytest.fixture(scope="module", params=["backend_test", "pipe_test"])
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


@pytest.mark.parametrize("points", ["backend_test"], indirect=True)
@pytest.mark.parametrize("point", ["a job's port can be changed", "the second process is refused"])
def test_only_windows_shows(points, point):
    """Named here so that a report says what is yet to be seen on Windows."""
    line = re.search(rf"^ok \d+ - {re.escape(point)}(?: # SKIP (.*))?$", points.stdout, re.MULTILINE)
    assert line, point
    if line[1]:
        pytest.skip(line[1])
