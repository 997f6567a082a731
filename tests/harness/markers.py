"""The marker windows_only, for the conftest of a suite that runs under Wine."""
import pytest

from .host import WINDOWS


def register(config):
    config.addinivalue_line("markers", "windows_only(reason): only real Windows can show this; skipped under Wine")


def pytest_collection_modifyitems(items):
    for item in items:
        marker = item.get_closest_marker("windows_only")
        if marker and not WINDOWS:
            item.add_marker(pytest.mark.skip(reason=marker.args[0]))
