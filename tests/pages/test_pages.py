"""The page that `jobpool report` writes, as a browser has it: it asks for nothing, complains of nothing, and can be read by everybody."""
import itertools
import math
import pathlib
import re

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from conftest import SCREENSHOTS
import made_up

ALL = ["rich", "empty", "one_point", "thousand", "hostile", "real"]
THEMES, WIDTHS = ["light", "dark"], [360, 768, 1280]

# Of every text that is shown: what it is, its size on the screen, and the contrast of its colour with what is painted behind it.
TEXTS = """
const parse = (text) => { const found = text.match(/[\\d.]+/g).map(Number); return found.length === 3 ? [...found, 1] : found; };
const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3])).concat(1);
const light = (colour) => {
  const [r, g, b] = colour.map((value) => { value /= 255; return value <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4; });
  return .2126 * r + .7152 * g + .0722 * b;
};
const contrast = (one, other) => { const [high, low] = [light(one), light(other)].sort((a, b) => b - a); return (high + .05) / (low + .05); };
const behind = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
  return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || ['SCRIPT', 'STYLE', 'title', 'desc'].includes(element.tagName) || !element.checkVisibility()) continue;
  const style = getComputedStyle(element), svg = element.closest('svg');
  const ground = behind(svg ? svg.parentElement : element);
  const colour = over(parse(svg ? style.fill : style.color), ground);
  const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
  found.push({text: walker.currentNode.data.slice(0, 60), size: parseFloat(style.fontSize) * scale, contrast: contrast(colour, ground)});
}
return found;
"""

# Lines and bars against the paper: 3:1 is asked of what has to be seen to understand a picture.
MARKS = """
const probe = document.createElement('i'); document.body.append(probe);
const value = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color.match(/[\\d.]+/g).map(Number); };
const light = (colour) => { const [r, g, b] = colour.map((v) => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
const paper = light(value('--paper'));
const marks = Object.fromEntries(['--c0', '--c1', '--c2', '--c3', '--c4', '--c5', '--c6', '--bad', '--limit'].map((name) => {
  const [high, low] = [light(value(name)), paper].sort((a, b) => b - a); return [name, (high + .05) / (low + .05)]; }));
probe.remove();
return marks;
"""


@pytest.mark.parametrize("name", ALL)
def test_it_asks_for_nothing_and_complains_of_nothing(browser, page, name):
    file = page(name)
    browser.open(file)
    assert browser.requests() == [file.as_uri()]
    assert browser.complaints() == []
    assert browser.ask("return performance.getEntriesByType('resource').length") == 0


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ALL)
def test_all_text_can_be_read(browser, page, name, width, theme):
    browser.open(page(name), width, theme)
    browser.ask("document.querySelectorAll('details').forEach((each) => { each.open = true; });")
    if name != "thousand" or width == 1280:
        browser.screenshot(f"{name}-{width}-{theme}")
    texts = browser.ask(TEXTS)
    assert len(texts) > 20
    assert [text for text in texts if text["contrast"] < 4.5] == []
    assert [text for text in texts if text["size"] < 9.5] == []
    assert browser.ask("return document.documentElement.scrollWidth") <= width, "only tables scroll, in boxes of their own"


def test_texts_of_too_little_contrast_would_be_found(browser, page):
    browser.open(page("one_point"))
    browser.ask("const p = document.querySelector('.lead'); p.textContent = 'faint'; document.querySelectorAll('.tick')[0].setAttribute('fill-opacity', 1);"
                "const sheet = document.styleSheets[0]; sheet.insertRule('.lead { color: #999 !important }', sheet.cssRules.length);")
    assert "faint" in [text["text"] for text in browser.ask(TEXTS) if text["contrast"] < 4.5]


@pytest.mark.parametrize("theme", THEMES)
def test_lines_and_marks_stand_out(browser, page, theme):
    marks = browser.open(page("rich"), scheme=theme).ask(MARKS)
    assert {name: value for name, value in marks.items() if value < 3} == {}


# What eyes without red, green or blue cones make of linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
EYES = {
    "all colours": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "no red": [[.152286, 1.052583, -.204868], [.114503, .786281, .099216], [-.003882, -.048116, 1.051998]],
    "no green": [[.367322, .860646, -.227968], [.280085, .672501, .047413], [-.011820, .042940, .968881]],
    "no blue": [[1.255528, -.076749, -.178779], [-.078411, .930809, .147602], [.004733, .691367, .303900]],
}


def lab(colour, eyes):
    """CIELAB, in which the distance of two colours is how different they look: 2 can just be told apart."""
    linear = [value / 12.92 if value <= .04045 else ((value + .055) / 1.055) ** 2.4 for value in (int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5))]
    r, g, b = (min(max(sum(row[at] * linear[at] for at in range(3)), 0), 1) for row in eyes)
    x, y, z = ((t ** (1 / 3) if t > .008856 else 7.787 * t + 16 / 116) for t in
               ((.4124 * r + .3576 * g + .1805 * b) / .9505, .2126 * r + .7152 * g + .0722 * b, (.0193 * r + .1192 * g + .9505 * b) / 1.089))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("eyes", EYES)
def test_lines_can_be_told_apart_by_all_eyes(browser, page, eyes, theme):
    colours = browser.open(page("rich"), scheme=theme).ask(
        "return [0, 1, 2, 3, 4, 5, 6].map((at) => getComputedStyle(document.documentElement).getPropertyValue(`--c${at}`).trim())")
    assert len(set(colours)) == 7
    near = {(one, other): math.dist(lab(one, EYES[eyes]), lab(other, EYES[eyes])) for one, other in itertools.combinations(colours, 2)}
    assert {pair: distance for pair, distance in near.items() if distance < 25} == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_charts_keep_their_text_within_and_apart(browser, page, width):
    """No text of a chart sticks out of the window, and no two of one chart lie on each other."""
    browser.open(page("rich"), width)
    assert browser.ask("""
        const wrong = [];
        for (const svg of document.querySelectorAll('svg.chart')) {
          if (!svg.checkVisibility()) continue;
          const boxes = Array.from(svg.querySelectorAll('text'), (text) => [text.textContent, text.getBoundingClientRect()]);
          boxes.forEach(([text, box], at) => {
            if (box.left < 0 || box.right > innerWidth) wrong.push([svg.querySelector('title').textContent, text, 'sticks out']);
            for (const [other, its] of boxes.slice(0, at))
              if (box.left < its.right && its.left < box.right && box.top + 3 < its.bottom && its.top + 3 < box.bottom) wrong.push([text, other]);
          });
        }
        return wrong;""") == []


@pytest.mark.parametrize("name", ALL)
def test_it_says_what_its_parts_are(browser, page, name):
    browser.open(page(name))
    assert browser.ask("return document.documentElement.lang") == "en" and browser.ask("return document.title").startswith("JobPool on ")
    assert browser.ask("return [document.querySelectorAll('main').length, document.querySelectorAll('h1').length]") == [1, 1]
    levels = browser.ask("return Array.from(document.querySelectorAll('h1, h2, h3'), (each) => Number(each.tagName[1]))")
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:]))
    assert browser.ask("return Array.from(document.querySelectorAll('table')).filter((each) => !each.caption || !each.caption.textContent.trim()).length") == 0
    assert browser.ask("return document.querySelectorAll('th:not([scope])').length") == 0
    assert browser.ask("return Array.from(document.querySelectorAll('.scroll')).filter((each) => each.tabIndex !== 0 || !document.getElementById(each.getAttribute('aria-labelledby'))).length") == 0
    ids = browser.ask("return Array.from(document.querySelectorAll('[id]'), (each) => each.id)")
    assert len(ids) == len(set(ids))
    for chart in browser.ask("""return Array.from(document.querySelectorAll('svg.chart'), (svg) => [svg.getAttribute('role'),
            svg.getAttribute('aria-labelledby').split(' ').map((id) => document.getElementById(id).textContent)])"""):
        assert chart[0] == "img" and all(text.strip() for text in chart[1]) and len(chart[1]) == 2
    assert browser.ask("return Array.from(document.querySelectorAll('svg:not(.chart)')).filter((svg) => svg.getAttribute('aria-hidden') !== 'true').length") == 0
    figures = "Array.from(document.querySelectorAll('section')).filter((each) => each.querySelector('svg.chart') && each.id !== 'panels')"
    assert browser.ask(f"return {figures}.filter((each) => !each.querySelector('details table') && each.getAttribute('aria-labelledby') !== 'panels-h').length") == 0


def column(browser, table, key):
    return browser.ask("return Array.from(document.querySelectorAll(`#${arguments[0]} tbody tr`), (row) => row.querySelector(`[data-key=${arguments[1]}]`).dataset.value || null)", table, key)


def heads(browser, table):
    return browser.driver.find_elements(By.CSS_SELECTOR, f"#{table} thead th")


def test_tables_sort_by_click_and_by_key(browser, page):
    browser.open(page("rich"))
    assert not any(head.get_attribute("aria-sort") for head in heads(browser, "by-pool"))
    before = column(browser, "by-pool", "failures")
    failures = next(head for head in heads(browser, "by-pool") if head.text == "Failures")
    failures.find_element(By.TAG_NAME, "button").click()
    assert failures.get_attribute("aria-sort") == "descending"
    numbers = [int(value) for value in column(browser, "by-pool", "failures")]
    assert numbers == sorted(numbers, reverse=True) and sorted(before, key=int) == sorted(map(str, numbers), key=int) and before != [str(number) for number in numbers]
    button = failures.find_element(By.TAG_NAME, "button")
    button.send_keys(Keys.ENTER)
    assert failures.get_attribute("aria-sort") == "ascending" and [int(value) for value in column(browser, "by-pool", "failures")] == sorted(numbers)
    button.send_keys(Keys.SPACE)
    assert failures.get_attribute("aria-sort") == "descending"
    first = heads(browser, "by-pool")[0]
    browser.ask("arguments[0].querySelector('button').focus()", first)
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    names = browser.ask("return Array.from(document.querySelectorAll('#by-pool tbody th'), (each) => each.textContent)")
    assert names == sorted(names) and first.get_attribute("aria-sort") == "ascending" and not failures.get_attribute("aria-sort")
    assert browser.ask("return document.querySelector('#by-pool tfoot th').textContent") == "Total"
    assert browser.complaints() == []


def test_every_heading_of_a_table_can_be_reached_by_key(browser, page):
    browser.open(page("rich"))
    reached = browser.ask("return document.querySelectorAll('table.sortable thead th button').length")
    assert reached == browser.ask("return document.querySelectorAll('table.sortable thead th').length") > 30
    seen = set()
    for _ in range(120):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        active = browser.driver.switch_to.active_element
        seen.add((active.tag_name, active.text))
        if active.tag_name == "button":
            style = browser.ask("const style = getComputedStyle(arguments[0]); return [style.outlineStyle, style.outlineWidth]", active)
            assert style == ["solid", "2px"], "who comes by key sees where he is"
    assert {("button", "Pool"), ("button", "Written"), ("summary", "CPU as a table")} <= seen


@pytest.mark.parametrize("name", ["rich", "hostile"])
def test_without_script_it_can_be_read(browser, page, name):
    browser.open(page(name))
    with_script = browser.ask("return document.body.innerText.replace(/\\s+/g, ' ')")
    browser.open(page(name), script=False)
    assert browser.ask("return document.querySelectorAll('th button').length") == 0, "the script did not run"
    assert browser.ask("return document.body.innerText.replace(/\\s+/g, ' ')") == with_script
    if name == "rich":
        summary = browser.driver.find_element(By.TAG_NAME, "summary")
        summary.click()
        assert browser.driver.find_element(By.ID, "samples-cpu").is_displayed()
    browser.do("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("theme", THEMES)
def test_it_prints_light_and_whole(browser, page, theme):
    browser.open(page("rich"), scheme=theme)
    pdf = browser.print_to(SCREENSHOTS / f"rich-{theme}.pdf")
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert pdf.startswith(b"%PDF-") and 3 <= pages <= 12
    browser.open(page("rich"), width=680, scheme=theme, media="print")
    assert browser.ask("return getComputedStyle(document.body).backgroundColor") in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    assert browser.ask("return getComputedStyle(document.querySelector('h1')).color") == "rgb(27, 31, 36)"
    assert browser.ask("return Array.from(document.querySelectorAll('figure')).filter((each) => getComputedStyle(each).breakInside !== 'avoid').length") == 0
    assert browser.ask("return Array.from(document.querySelectorAll('svg.chart.wide')).every((each) => each.checkVisibility())")
    cut = "return Array.from(document.querySelectorAll('.scroll')).filter((each) => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1)"
    assert browser.ask(f"{cut}.filter((each) => !each.closest('.pools, .days')).length") == 0, "no table is cut"
    browser.screenshot(f"rich-print-{theme}")
    browser.open(page("rich"), width=970, scheme=theme, media="print")  # those are on pages that lie on their side
    assert browser.ask(f"{cut}.length") == 0
    browser.do("Emulation.setEmulatedMedia", media="", features=[])


def test_names_of_others_are_only_text(browser, page):
    browser.open(page("hostile"))
    assert browser.ask("return document.querySelectorAll('script, style').length") == 2
    assert browser.ask("return document.querySelectorAll('img, iframe, object, embed, link, form, a[href], base, animate, foreignObject').length") == 0
    assert browser.ask("return Array.from(document.querySelectorAll('*')).filter((each) => each.getAttributeNames().some((name) => name.startsWith('on') || name === 'style' || name === 'href')).length") == 0
    names = browser.ask("return Array.from(document.querySelectorAll('#by-pool tbody th'), (each) => each.textContent)")
    assert made_up.HOSTILE[0] in names and made_up.HOSTILE[7] in names, "as it was written, letter for letter"
    assert "a" * 120 + "\u2026" in names and "\\u{202E}dlrow\\u{202C} \\u{2066}x" in names and "\\u{1}\\u{2}\\u{1B}[31m\\u{7F}" in names
    assert browser.complaints() == []


def test_the_policy_stops_what_would_slip_through(browser, page, tmp_path):
    """Were a name written as it is, its script would still not run, and its picture not be fetched."""
    broken = tmp_path / "broken.html"
    broken.write_text(page("one_point").read_text(encoding="utf-8").replace(
        "</main>", "<script>document.title = 'taken'</script><img src='http://127.0.0.1:9/x.png' onerror=\"document.title = 'taken'\"></main>"), encoding="utf-8")
    browser.open(broken)
    assert browser.ask("return document.title") == "JobPool on BUILD-07"
    complaints = browser.complaints()
    assert len(complaints) >= 2 and all("Content Security Policy" in text for text in complaints)


def test_only_the_most_important_of_a_thousand_are_drawn(browser, page):
    browser.open(page("thousand"))
    assert browser.ask("return Array.from(document.querySelectorAll('#cpu-wide path.line')).length || document.querySelectorAll('svg.wide')[0].querySelectorAll('path.line').length") == 7
    assert "994 others" in browser.ask("return document.querySelectorAll('svg.wide')[0].textContent")
    assert browser.ask("return document.querySelectorAll('#by-pool tbody tr').length") == 1000
    others = browser.ask("return Array.from(document.querySelectorAll('#samples-cpu tbody tr:first-child td[data-key]'), (each) => Number(each.dataset.value))")
    assert sum(others) == sum((1000 - at) * 10_000_000 for at in range(1000)), "nothing is left out, nothing counts twice"


def test_tables_have_the_numbers_of_the_answers(browser, page):
    answers = made_up.rich()
    browser.open(page("rich"))
    for table, key, by in (("by-pool", "byPool", "pool"), ("by-day", "byDay", "day"), ("by-image", "byImage", "image"), ("by-user", "byUser", "user")):
        shown = browser.ask("""return Object.fromEntries(Array.from(document.querySelectorAll(`#${arguments[0]} tbody tr`), (row) => [row.querySelector('th').textContent,
            Object.fromEntries(Array.from(row.querySelectorAll('td'), (cell) => [cell.dataset.key, Number(cell.dataset.value)]))]))""", table)
        assert list(shown) and set(shown) == {row[by] for row in answers[key]["rows"]}
        for row in answers[key]["rows"]:
            row["cpuTime100ns"] = row["userTime100ns"] + row["kernelTime100ns"]
            assert shown[row[by]] == {name: row[name] for name in shown[row[by]]}


def test_the_suite_left_pictures():
    assert len(list(pathlib.Path(SCREENSHOTS).glob("rich-*.png"))) >= 6
