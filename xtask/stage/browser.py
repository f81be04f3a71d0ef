"""The page of `cargo xtask watch` in a real browser: Playwright, and the system's Chromium.

    python3 xtask/stage/browser.py [FOLDER]

Each function is a promise. With a folder, pictures of the page go there. Exit code 77 where
the browser or Playwright is missing.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import traceback

try:
    from playwright.sync_api import expect, sync_playwright
except ImportError:
    print("skipped: Playwright is not installed; pip install playwright brings it")
    sys.exit(77)

BROWSERS = ["chromium", "chromium-browser", "google-chrome"]

# Ends a wait for something that always comes; a build may be part of it.
GENEROUS = 300_000

# Widths of a desk and of a phone.
DESK, PHONE = (1280, 900), (390, 800)


@contextlib.contextmanager
def watched(rung):
    """The address of a page on which `rung` plays."""
    command = ["cargo", "xtask", "watch", rung]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        for line in process.stdout:
            if found := re.search(r"http://\S+/", line):
                break
        else:
            raise AssertionError("there is no address")
        yield found[0]
    finally:
        # As Ctrl-C on a terminal: to all of them.
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=60)


class Tab:
    """A tab of the browser on the page, which notes what it should not see."""

    def __init__(self, browser, address, size=DESK, scheme="light"):
        width, height = size
        viewport = {"width": width, "height": height}
        self.context = browser.new_context(viewport=viewport, color_scheme=scheme)
        self.page = self.context.new_page()
        self.page.set_default_timeout(GENEROUS)
        self.wrong = []
        self.page.on("console", lambda said: said.type == "error" and self.wrong.append(said.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        foreign = lambda asked: not asked.url.startswith((address, "data:"))
        self.page.on("request", lambda asked: foreign(asked) and self.wrong.append(asked.url))
        self.page.goto(address)
        self.listens()

    def box(self, who):
        return self.page.locator(f"[data-who={who}]")

    def state(self, who, text):
        expect(self.box(who).locator("> p").first).to_contain_text(text)

    def listens(self):
        self.state("server", "127.0.0.1:")

    def begin(self, rung):
        self.page.select_option("#rung", rung)
        expect(self.page.locator("#about")).to_contain_text(f"{rung}:")
        self.listens()

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def log(self, text):
        return self.page.locator(".nl-log li:not(.nl-future)", has_text=text).first

    def says(self, text):
        self.page.fill("#text", text)
        self.press("Send")
        expect(self.log(f"prints {text}")).to_be_visible()

    def set(self, slider, value):
        self.page.locator(f"#{slider}").fill(str(value))
        self.page.locator(f"#{slider}").dispatch_event("change")

    def focused(self):
        return self.page.evaluate("document.activeElement.id || document.activeElement.textContent")


def what_is_said_moves_there_and_back(tab):
    tab.page.fill("#text", "hello, browser!")
    tab.press("Send")
    for way in ["→ client 1 to the server: 15 bytes", "← the server to client 1: 15 bytes"]:
        expect(tab.log(way)).to_be_visible()
    expect(tab.page.locator(".nl-bytes")).to_contain_text("68 65 6c 6c 6f")
    if sys.platform == "linux":
        expect(tab.box("client1")).to_contain_text("ESTABLISHED")
        expect(tab.box("server")).to_contain_text("LISTEN")


def one_can_go_back_to_the_beginning_and_on_to_what_is_new(tab):
    tab.says("hello")
    tab.press("To the beginning")
    tab.state("server", "not there")
    expect(tab.log("prints hello")).to_be_hidden()
    tab.press("On by one event")
    expect(tab.page.locator(".nl-log li:not(.nl-future)").first).to_be_visible()
    tab.press("To what is new")
    expect(tab.log("prints hello")).to_be_visible()
    tab.listens()


def everything_can_be_done_by_keyboard(tab):
    page = tab.page
    page.locator("#rung").focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        if tab.focused() == "text":
            break
    assert tab.focused() == "text", tab.focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("by hand")
    page.keyboard.press("Enter")
    expect(tab.log("prints by hand")).to_be_visible()
    page.keyboard.press("Tab")
    assert tab.focused() == "Send", tab.focused()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid", "nobody sees where the focus is"
    bar = page.get_by_role("slider", name="Timeline")
    bar.focus()
    page.keyboard.press("Home")
    tab.state("server", "not there")
    page.keyboard.press("End")
    expect(tab.log("prints by hand")).to_be_visible()
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    for _ in range(3):
        page.keyboard.press(",")
    expect(tab.log("prints by hand")).to_be_hidden()
    page.keyboard.press("End")
    expect(tab.log("prints by hand")).to_be_visible()


def a_server_is_stopped_and_started_again(tab):
    tab.press("Stop")
    tab.state("server", "ended: exit code 0")
    tab.press("Start")
    tab.listens()
    tab.says("there again")


def a_refusal_stands_while_the_play_goes_on(tab):
    tab.says("hello")
    tab.page.route("**/do", lambda route: route.fulfill(status=503, body="not now"))
    # What plays once more from shortly before the end.
    tab.press("Stop")
    now = tab.page.locator(".nl-now")
    expect(now).to_have_text("not now")
    at_the_end = "(bar) => bar.max - bar.value < bar.step"
    bar = tab.page.get_by_role("slider", name="Timeline").element_handle()
    tab.page.wait_for_function(at_the_end, arg=bar)
    expect(now).to_have_text("not now")
    tab.page.unroute("**/do")
    tab.says("served again")
    expect(now).not_to_have_text("not now")
    # The browser notes a refusal as well.
    tab.wrong.clear()


def what_is_lost_is_drawn_as_lost(tab):
    tab.begin("udp-retry")
    tab.set("loss", 80)
    tab.press("Send")
    expect(tab.page.locator(".nl-piece.nl-lost").first).to_be_attached()
    expect(tab.page.locator(".nl-lane.nl-bad-net").first).to_contain_text("loss 80 %")
    expect(tab.log("and it is lost")).to_be_visible()
    tab.begin("threaded-echo")


def a_crowd_is_drawn_with_the_threads_of_the_server(tab):
    tab.set("number", 60)
    tab.press("Comes")
    expect(tab.page.locator(".nl-crowd")).to_contain_text("60 of 60 have come")
    if sys.platform == "linux":
        expect(tab.page.locator(".nl-dots i").nth(100)).to_be_attached()
    tab.press("Leaves")
    expect(tab.page.locator(".nl-crowd")).to_be_hidden()


def a_cell_of_the_matrix_plays_its_fault(tab):
    page = tab.page
    page.get_by_role("link", name="Fault matrix").click()
    first = page.locator("#matrix td button[tabindex='0']")
    first.focus()
    for key in ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"]:
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.ariaLabel").startswith("oneshot-echo, second-visit")
    page.get_by_role("button", name="threaded-echo, reset-midway: survives it").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".nl-verdict")).to_contain_text("The trial of reset-midway: survives")
    expect(tab.box("peer")).to_be_visible()
    tab.begin("threaded-echo")


def a_page_that_is_loaded_again_is_told_all_once_more(tab):
    tab.says("remember me")
    tab.page.reload()
    expect(tab.log("prints remember me")).to_be_visible()


# Of a text and what it stands on, by WCAG 2.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d");
  const light = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data]
      .map((one) => one / 255).map((one) => (one <= .04045 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    return /, 0\\)$|transparent/.test(colour) && node.parentElement ? ground(node.parentElement) : colour;
  };
  const words = [...document.querySelectorAll("h1, h3, p, li, label, legend, button:enabled, th, a, b, output")];
  return words.filter((node) => node.textContent.trim() && node.checkVisibility()).map((node) => {
    const [a, b] = [light(getComputedStyle(node).color), light(ground(node))];
    return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), node.outerHTML.slice(0, 80)];
  }).filter(([contrast]) => contrast < 4.5);
}"""


def it_fits_and_can_be_read(browser, address, pictures):
    for size in [DESK, PHONE]:
        for scheme in ["light", "dark"]:
            tab = Tab(browser, address, size, scheme)
            tab.says("hello")
            for view in ["live", "matrix"]:
                tab.page.evaluate(f"location.hash = '#{view}'")
                expect(tab.page.locator(f"#{view}")).to_be_visible()
                if view == "matrix":
                    expect(tab.page.locator("#matrix td button").first).to_be_visible()
                wide, there = tab.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
                assert wide <= there, f"{view} at {there} px is {wide} wide"
                pale = tab.page.evaluate(CONTRAST)
                assert not pale, f"{view}, {scheme}: {pale[:4]}"
                if pictures:
                    name = f"{pictures}/{view}-{scheme}-{size[0]}.png"
                    tab.page.screenshot(path=name, full_page=True)
            assert not tab.wrong, tab.wrong
            tab.context.close()


CHAPTER = """<!DOCTYPE html><meta charset=utf-8><meta name=viewport content="width=device-width">
<link rel=stylesheet href=watch.css><body><main><h1>chat</h1><p>First words.</p><h2 id=live>More</h2>
</main><script src=watch.js></script>"""


def a_chapter_of_the_book_plays_what_was_recorded(browser):
    docs = pathlib.Path(__file__).parents[2] / "docs"

    def fulfil(route):
        name = route.request.url.split("/", 3)[3]
        file = docs / name
        if name == "chat.html":
            route.fulfill(body=CHAPTER, content_type="text/html")
        elif file.is_file():
            route.fulfill(path=file)
        else:
            route.fulfill(status=404)

    page = browser.new_page(viewport={"width": PHONE[0], "height": PHONE[1]})
    page.route("**/*", fulfil)
    page.goto("http://book.test/chat.html")
    # The first segment stands still until somebody plays it.
    expect(page.locator(".nl-piece")).to_contain_text("ann")
    expect(page.locator("[data-who=client1] > p")).to_have_text("runs")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.locator("[data-who=server] > p").first).to_have_text("ended: exit code 0")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    wide, there = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= there, f"{wide} wide at {there} px"


PROMISES = [
    what_is_said_moves_there_and_back,
    one_can_go_back_to_the_beginning_and_on_to_what_is_new,
    everything_can_be_done_by_keyboard,
    a_server_is_stopped_and_started_again,
    a_refusal_stands_while_the_play_goes_on,
    what_is_lost_is_drawn_as_lost,
    a_crowd_is_drawn_with_the_threads_of_the_server,
    a_cell_of_the_matrix_plays_its_fault,
    a_page_that_is_loaded_again_is_told_all_once_more,
]


def kept(name, promise):
    try:
        promise()
    except Exception:
        print(f"  {name}: FAILED")
        traceback.print_exc()
        return False
    print(f"  {name}")
    return True


def main():
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        print("skipped: there is no Chromium; apt-get install chromium brings it")
        return 77
    pictures = sys.argv[1] if len(sys.argv) > 1 else None
    expect.set_options(timeout=GENEROUS)
    with sync_playwright() as playwright, watched("threaded") as address:
        # Its own sandbox is refused to root and in most containers.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        results = []
        for promise in PROMISES:
            tab = Tab(browser, address)

            def played(promise=promise, tab=tab):
                promise(tab)
                assert not tab.wrong, tab.wrong

            results.append(kept(promise.__name__.replace("_", " "), played))
            tab.context.close()
        fits = lambda: it_fits_and_can_be_read(browser, address, pictures)
        results.append(kept("it fits and can be read", fits))
        in_the_book = lambda: a_chapter_of_the_book_plays_what_was_recorded(browser)
        results.append(kept("a chapter of the book plays what was recorded", in_the_book))
        browser.close()
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
