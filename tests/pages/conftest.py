"""Fixtures: pages made natively of made-up answers, and a headless Chromium that notes what a page asks of the network and complains of."""
import base64
import json
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import made_up  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAKE_PAGE = ROOT / "build/native/tests/pages/make_page"
SCREENSHOTS = ROOT / "build/test/pages"


class Browser:
    def __init__(self):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_page_load_timeout(60)

    def do(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def open(self, file, width=1280, scheme="light", script=True, media="", height=900):
        self.do("Emulation.setScriptExecutionDisabled", value=not script)
        self.do("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.driver.get_log("browser"), self.driver.get_log("performance")
        self.driver.get(file.as_uri())
        return self

    def ask(self, script, *arguments):
        """The value of a function's body. (The emulation stops a page's scripts, not these.)"""
        return self.driver.execute_script(script, *arguments)

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """What was asked for since the page was opened, by address."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return found

    def screenshot(self, name):
        height = self.ask("return document.documentElement.scrollHeight")
        width = self.ask("return innerWidth")
        shot = self.do("Page.captureScreenshot", captureBeyondViewport=True, clip={"x": 0, "y": 0, "width": width, "height": min(height, 12000), "scale": 1})
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        (SCREENSHOTS / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    def print_to(self, file):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(self.do("Page.printToPDF", printBackground=True, preferCSSPageSize=True, paperWidth=8.27, paperHeight=11.69)["data"]))
        return file.read_bytes()


@pytest.fixture(scope="session")
def browser():
    browser = Browser()
    yield browser
    browser.driver.quit()


@pytest.fixture(scope="session")
def page(tmp_path_factory):
    """page("rich") -> the file; "real" is what the tests under Wine left of the real service, if they did."""
    folder, made = tmp_path_factory.mktemp("pages"), {}

    def make(name):
        if name == "real":
            real = SCREENSHOTS / "real.html"
            if not real.exists():
                pytest.skip("no page of the real service: tests/e2e/test_report_page.py leaves one")
            return real
        if name not in made:
            made[name] = folder / f"{name}.html"
            done = subprocess.run([MAKE_PAGE], input=made_up.as_json(name).encode("utf-8", "surrogatepass"), capture_output=True, timeout=60, check=False)
            assert done.returncode == 0 and not done.stderr, done.stderr.decode()
            made[name].write_bytes(done.stdout)
        return made[name]

    return make
