"""Pages in headless Chromium, driven by its command line."""

import json
import re
import shutil
import subprocess
from html import unescape

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt install chromium)")
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --enable-logging=stderr --virtual-time-budget=10000 "
    "--allow-file-access-from-files"
).split()
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND"

# A window is at least 500 pixels wide, a frame is not.
WRAPPER = """<!doctype html>
<iframe id="frame" style="width: {width}px; height: 900px; border: 0" src="{address}"></iframe>
<pre id="measured"></pre>
<script>
const measure = {measure};
frame.onload = () => measured.textContent = JSON.stringify(measure(frame.contentWindow, frame.contentDocument));
</script>"""

# Of a page in the browser, its background, and what is wrong with it: {what: [elements]}.
MEASURE = """(window, page) => {
  page.querySelectorAll("details").forEach(one => one.open = true);
  const root = page.documentElement, all = [...page.body.querySelectorAll("*")];
  const style = element => window.getComputedStyle(element);
  const name = element => element.tagName.toLowerCase() + (element.id && "#" + element.id)
    + [...element.classList].map(one => "." + one).join("") + " " + element.textContent.trim().slice(0, 13);
  const ancestors = element => element.parentElement ? [element, ...ancestors(element.parentElement)] : [element];
  const clipped = element => ancestors(element.parentElement).some(one => one !== root && one !== page.body
    && style(one).overflowX !== "visible");
  const light = color => color.map(x => x / 255).map(x => x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4)
    .reduce((sum, x, i) => sum + x * [.2126, .7152, .0722][i], 0);
  const channels = text => text.match(/[\\d.]+/g).map(Number);
  const contrast = element => {
    const behind = ancestors(element).map(one => channels(style(one).backgroundColor)).find(color => color[3] !== 0);
    const both = [channels(style(element).color), behind ?? [255, 255, 255]].map(color => light(color.slice(0, 3)));
    return (Math.max(...both) + .05) / (Math.min(...both) + .05);
  };
  const hasText = element => [...element.childNodes].some(one => one.nodeType === 3 && one.data.trim());
  const scrolls = element => /auto|scroll/.test(style(element).overflowX) && element.scrollWidth > element.clientWidth;
  const faults = {
    "wider than the page": all.filter(one => one.getBoundingClientRect().right > root.clientWidth + 1 && !clipped(one)),
    "scrolls sideways": root.scrollWidth > root.clientWidth ? [root] : [],
    "scrolls, but not by keyboard or without a label":
      all.filter(one => scrolls(one) && (one.tabIndex < 0 || !one.ariaLabel || !one.role)),
    "contrast below 4.5": all.filter(one => hasText(one) && contrast(one) < 4.5),
    "no picture": all.filter(one => one.tagName === "IMG" && !one.naturalWidth),
  };
  const found = Object.entries(faults).filter(([, elements]) => elements.length);
  return {
    background: channels(style(page.body).backgroundColor),
    faults: Object.fromEntries(found.map(([what, elements]) => [what, elements.map(name)])),
  };
}"""


def look(page, folder, width, dark=False):
    """Open a page in a frame, without network, and measure it.

    Args:
        page: its path.
        folder: a temporary one.
        width: of the frame, in pixels.
        dark: whether the reader prefers dark colours.

    Returns:
        Its background's channels (0 to 255), its faults {what: [elements]}, the lines that it writes to the console.
    """
    wrapper = folder / "wrapper.html"
    wrapper.write_text(WRAPPER.format(width=width, address=page.as_uri(), measure=MEASURE))
    command = [CHROMIUM, *OPTIONS, OFFLINE, f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
    command += [f"--user-data-dir={folder / 'profile'}", f"--window-size={max(width, 500)},900"]
    done = subprocess.run([*command, "--dump-dom", wrapper.as_uri()], capture_output=True, encoding="utf-8", timeout=60)
    answer = re.search(r'<pre id="measured">(.+?)</pre>', done.stdout, re.DOTALL)
    assert answer, f"the page did not load: {done.stderr}"
    measured = json.loads(unescape(answer[1]))
    return measured["background"], measured["faults"], [line for line in done.stderr.splitlines() if "CONSOLE" in line]
