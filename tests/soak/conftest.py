"""The soak has a Wine prefix and a service of its own, and runs beside the other suites."""
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))


def pytest_configure():
    """Whoever runs it in the background ends it like this: then its Wine ends, too."""
    def interrupt(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
