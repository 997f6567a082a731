"""docs/security.md names the tests that show what it says: each must be there."""
import re

import pytest

from harness.host import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
FOLDERS = "e2e|fuzz|rules|simd|soak|unit|win32"


def named():
    """(file, test or None), in the order of the page; `::test` alone belongs to the file that was named last with a test."""
    current = None
    for file, test in re.findall(rf"`(?:((?:{FOLDERS})/\w+\.(?:py|c)))?(?:::(\w+))?`", PAGE):
        if file and test:
            current = file
        if file or test:
            yield file or current, test or None


def test_the_page_names_tests():
    assert len(list(named())) > 40


@pytest.mark.parametrize("file, test", sorted(set(named()), key=str))
def test_it_is_there(file, test):
    path = ROOT / "tests" / file
    assert path.exists(), file
    assert not test or f"def {test}(" in path.read_text(encoding="utf-8"), f"{file} has no {test}"


def test_what_only_windows_shows_is_marked():
    for line in PAGE.splitlines():
        for test in re.findall(r"::(\w+)`", line):
            text = (ROOT / "tests" / "e2e" / "test_windows_only.py").read_text(encoding="utf-8")
            assert f"def {test}(" not in text or "**W**" in line, line
