"""Writes the pictures in docs/images, of the real programs: pictures.py [NAME ...]"""
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
WIDTH = 860  # about what a README is shown in
IMAGES = ROOT / "docs/images"
sys.dont_write_bytecode = True
sys.path += [str(ROOT / "tests/pages"), str(ROOT / "tests")]


def report():
    """The beginning of the page, as far as two pools with their limits."""
    import base64
    import picture_of_report
    from conftest import Browser
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder, "report.html")
        picture_of_report.write(page)
        browser = Browser()
        browser.open(page, width=WIDTH)
        height = browser.ask("return document.querySelectorAll('figure.pool')[1].getBoundingClientRect().bottom") + 8
        picture = browser.do("Page.captureScreenshot", captureBeyondViewport=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1})
        browser.driver.quit()
    small = subprocess.run(["pngquant", "--speed=1", "--strip", "-"], input=base64.b64decode(picture["data"]), capture_output=True, check=True).stdout
    (IMAGES / "report.png").write_bytes(small)


def top():
    """A tree of pools at work."""
    import picture_of_top
    (IMAGES / "top.svg").write_text(picture_of_top.picture(), encoding="utf-8")


PICTURES = {"report": report, "top": top}

if __name__ == "__main__":
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or PICTURES:
        PICTURES[name]()
