"""The report: one self-contained page that reads on a telephone, by keyboard, aloud and in the dark."""

from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote

import pandas as pd
import pytest
from browser import look, needs_chromium
from matplotlib.figure import Figure
from PIL import Image

from reproduction import compare, links, notebook_data, paper_csv, prose, report, results, visualization
from reproduction.experiment import names
from reproduction.results import ROOT
from wgangp import InputError

DIGITS = "mnist_digits"

FAULTY = """<!doctype html><html><head><title>faulty</title></head><body>
<h1>One</h1><h3>Three</h3><h1>Another</h1>
<p id="wide" style="width: 900px; color: #999; background: #fff">grey on white</p>
<div id="box" style="overflow-x: auto"><table style="width: 2000px"><tr><th>head</th><td>cell</td></tr></table></div>
<img src="http://example.invalid/picture.png">
<a href="#nowhere">a</a> <a href="results/none.csv">b</a> <a href="https://example.org/">c</a>
<script>console.warn("something is odd"); none.call();</script>
</body></html>"""


class Page(HTMLParser):
    """What a page is made of.

    Attributes:
        tags: [(tag, attributes)].
    """

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def values(self, attribute, tag=None):
        """Of an attribute, in every element, or in those of one tag."""
        return [about[attribute] for one, about in self.tags if attribute in about and tag in (one, None)]


def faults(text, folder):
    """What is wrong with a page, in words.

    Args:
        text: its HTML.
        folder: that its relative links start in.
    """
    page = Page(text)
    headings = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3", "h4", "h5", "h6")]
    found = [] if headings.count(1) == 1 else [f"{headings.count(1)} headings of level 1"]
    for before, after in zip([0, *headings], headings):
        found += [f"a heading of level {after} after {before}"] * (after > before + 1)
    for tag, about in page.tags:
        found += ["a picture without a description"] * (tag == "img" and not about.get("alt"))
        found += ["a table's head without scope"] * (tag == "th" and "scope" not in about)
        found += [f"loads {about.get('src')}"] * ("src" in about and not about["src"].startswith("data:"))
        found += [f"has a {tag}"] * (tag in ("script", "link"))
        found += ["no language"] * (tag == "html" and "lang" not in about)
    ids = page.values("id")
    found += [f"id {one} twice" for one in {one for one in ids if ids.count(one) > 1}]
    for link in page.values("href"):
        resolves = link[1:] in ids if link.startswith("#") else (folder / unquote(link)).exists()
        found += [f"{link} leads nowhere"] * (not resolves and not link.startswith("https://"))
    return found


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The report of the committed results."""
    output, patch = tmp_path_factory.mktemp("a folder"), pytest.MonkeyPatch()
    for name in ("results", "paper_figures", "notebooks"):
        (output / name).symlink_to(ROOT / name)
    patch.setenv("WGANGP_OUTPUT", str(output))
    path = report.write()
    patch.undo()
    return path


def test_page_is_whole(page):
    assert faults(page.read_text("utf-8"), page.parent) == []


def test_faults_of_a_page_are_found(tmp_path):
    assert sorted(faults(FAULTY, tmp_path)) == [
        "#nowhere leads nowhere",
        "2 headings of level 1",
        "a heading of level 3 after 1",
        "a picture without a description",
        "a table's head without scope",
        "has a script",
        "loads http://example.invalid/picture.png",
        "no language",
        "results/none.csv leads nowhere",
    ]


@needs_chromium
@pytest.mark.parametrize("width, dark", [(400, False), (1600, True)])
def test_page_in_chromium(page, tmp_path, width, dark):
    background, found, console = look(page, tmp_path, width, dark)
    assert (found, console) == ({}, [])
    assert max(background) < 64 if dark else min(background) > 240


@needs_chromium
def test_faults_in_chromium_are_found(tmp_path):
    path = tmp_path / "faulty.html"
    path.write_text(FAULTY)
    _, found, console = look(path, tmp_path, 400)
    assert found == {
        "wider than the page": ["p#wide grey on white"],
        "scrolls sideways": ["html faulty\nOneThr"],
        "scrolls, but not by keyboard or without a label": ["div#box headcell"],
        "contrast below 4.5": ["p#wide grey on white"],
        "no picture": ["img "],
    }
    assert sum("something is odd" in line for line in console) == 1
    assert sum("none is not defined" in line for line in console) == 1


@pytest.mark.parametrize("name", ["fig2_toy_8gaussians", "fig6_critic_loss", "table3_cifar_inception"])
def test_every_claim_is_told_with_its_verdict_and_seeds(page, name):
    text = " ".join(page.read_text("utf-8").split())
    for claim in report.claims(name, compare.compare(name, results.read(name, ROOT))).iloc:
        _, _, row = text.partition(f'<a href="#{name}">{claim["claim"]}</a></th>')
        row = unescape(row.partition("</tr>")[0])
        assert claim["says"] in row and f"</span> {claim['verdict']}</span>" in row
        assert not claim["tier"] or f"{claim['tier']} tier, {claim['seeds']} seed" in row


def test_seeds_of_a_claim_are_those_of_its_worst_row():
    rows = results.read(DIGITS, ROOT)
    few = rows[(rows["quantity"] != "digit_score") | (rows["seed"] == 0)]
    seeds = report.claims(DIGITS, compare.compare(DIGITS, few)).set_index("claim")["seeds"].to_dict()
    assert seeds == {"D1": 3, "D2": 1}


def test_every_committed_figure_is_described():
    for name in names():
        drawn = {path.stem for path in (ROOT / "paper_figures").glob(f"{name}*")}
        about = paper_csv.figures_of(name)
        assert set(about["figure"]) == drawn and len(about) == len(drawn)
        for row in about.iloc:
            assert row["caption"][-1] != "." and row["alt"][-1] == "." and row["figure"] not in row["alt"]


def test_caption_has_what_was_written_into_the_picture(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    lines, photographs = Figure(), Figure()
    lines.subplots().plot([0, 1])
    photographs.subplots().imshow([[[0.0, 0.5, 1.0]]])
    visualization.save(lines, f"{DIGITS}_losses", "tier short, 2 seeds")
    visualization.save(photographs, DIGITS, "tier paper, 3 seeds")
    visualization.save(lines, f"{DIGITS}_another", "")
    first, second, third = report.figures(DIGITS, None)
    assert [first["label"], second["label"], third["label"]] == ["tier paper, 3 seeds", "tier short, 2 seeds", ""]
    assert [first["kind"], second["kind"]] == ["JPG", "PDF"]
    assert first["url"].startswith("data:image/jpeg;base64,") and second["url"].startswith("data:image/png;base64,")
    assert third["caption"] == f"{DIGITS}_another"
    (tmp_path / "paper_figures" / f"{DIGITS}.jpg").write_bytes(b"cut off")
    with pytest.raises(InputError, match="draw it anew: wgangp notebook mnist_digits"):
        report.figures(DIGITS, None)


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_picture_that_is_cut_off_is_refused(tmp_path, monkeypatch, ending):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    path = tmp_path / "paper_figures" / f"{DIGITS}.{ending}"
    path.parent.mkdir()
    Image.effect_noise((200, 200), 50).save(path)
    assert report.figures(DIGITS, None)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match="is no whole picture .* draw it anew: wgangp notebook mnist_digits"):
        report.figures(DIGITS, None)


def test_words_from_files_are_text(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    monkeypatch.setattr(report, "names", lambda: [DIGITS])
    odd = '<script>alert("1")</script>'
    rows = results.read(DIGITS, ROOT).assign(device=odd)
    monkeypatch.setattr(results, "read", lambda name: rows)
    text = report.write().read_text("utf-8")
    assert "<script" not in text and "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;" in text
    assert "&lt;script&gt;" in prose.html(odd, ROOT, "odd") and "<script" not in prose.html(odd, ROOT, "odd")


def test_own_rows_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    rows = results.read(DIGITS, ROOT).assign(commit="0123456789ab-dirty")
    monkeypatch.setattr(results, "in_git", lambda: True)
    monkeypatch.setattr(results, "yours", lambda name: rows)
    url = "https://example.org/project"
    mine = report.experiment(DIGITS, rows, url)
    assert mine["own"] and not mine["we_find"] and not any(link.startswith(url) for link in mine["links"].values())
    assert mine["provenance"][0]["commits"] == [("0123456789ab-dirty", f"{url}/commit/0123456789ab")]
    monkeypatch.setattr(results, "yours", lambda name: rows[:0])
    ours = report.experiment(DIGITS, rows, url)
    assert "legible digits" in ours["we_find"] and all(link.startswith(url) for link in ours["links"].values())


def test_links_lead_to_the_output_else_to_the_checkout(tmp_path, monkeypatch):
    monkeypatch.setenv("WGANGP_OUTPUT", str(tmp_path))
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "a b.csv").touch()
    assert links.address("results/a b.csv") == "results/a%20b.csv"
    assert (tmp_path / links.address("README.md")).resolve() == ROOT / "README.md"
    assert links.address("README.md", "https://example.org/p") == "https://example.org/p/blob/HEAD/README.md"
    assert links.commits("b a unknown a") == [("a", None), ("b", None)]


@pytest.mark.parametrize(
    "citation, urls, expected",
    [
        ("repository-code: https://example.org/a.git", "", "https://example.org/a"),
        ("title: x", '[project.urls]\nRepository = "https://example.org/b/"', "https://example.org/b"),
        ("title: x", "", None),
    ],
)
def test_repository_is_where_the_project_says(tmp_path, monkeypatch, citation, urls, expected):
    monkeypatch.setattr(results, "ROOT", tmp_path)
    (tmp_path / "CITATION.cff").write_text(citation)
    (tmp_path / "pyproject.toml").write_text(f"[project]\nname = 'x'\n{urls}")
    assert links.repository() == expected


def test_markdown_tables_can_be_scrolled_and_read_aloud():
    text = "| a | |\n|---|---|\n| **group** | |\n| b | [c](../README.md) |\n\n![picture](x.png)"
    made = prose.html(text, ROOT / "docs", "a & b")
    assert '<div class="scroll" role="region" tabindex="0" aria-label="a &amp; b"><table>' in made
    assert '<th scope="col">a</th><td></td>' in made and "<img" not in made and "<tbody></tbody>" not in made
    assert '<tbody><tr><th colspan="2" scope="rowgroup"><strong>group</strong></th></tr>' in made
    assert f'<tr><th scope="row">b</th><td><a href="{links.address("README.md")}">c</a></td></tr>' in made


def test_numbers_are_those_of_the_comparison():
    table = compare.compare("fig1_gradient_norms", results.read("fig1_gradient_norms", ROOT))
    judged, others = report.numbers(table)
    assert len(judged) == (table["claim"] != "").sum() and len(judged) + len(others) == len(table)
    assert judged[0]["quantity"] == "slope per layer" and judged[0]["where"] == "clip c=0.001"
    assert judged[0]["paper"] == "−1.8 ± 0.06" and judged[0]["ours"] == compare.ours(table.iloc[0]).replace("-", "−")


def test_minus_signs_are_of_numbers_alone():
    assert report.minus("-1.8 [-2, -1e-05], two-sided 2026-11-26 a-1") == "−1.8 [−2, −1e−05], two-sided 2026-11-26 a-1"


def test_runs_of_one_configuration_on_two_data_sets_are_two(monkeypatch):
    rows = results.read("fig1_gradient_norms", ROOT)
    one = rows[(rows["setting"] == rows["setting"].iloc[0]) & (rows["seed"] == 0) & (rows["tier"] == "short")]
    two = pd.concat([one.assign(dataset=results.EMBEDDED, wall_seconds=10.0), one.assign(wall_seconds=20.0)])
    assert report.costs(two)["runs"].tolist() == [2] and report.costs(two)["minutes"].tolist() == [0.5]
    assert {(entry["dataset"], entry["runs"], entry["seconds"]) for entry in report.provenance(two, None)} == {
        (results.EMBEDDED, 1, 10.0),
        (one["dataset"].iloc[0], 1, 20.0),
    }
    monkeypatch.setattr(results, "read", lambda name: two)
    assert notebook_data.provenance("fig1_gradient_norms")["runs"].tolist() == [1, 1]


def test_provenance_accounts_for_every_run(monkeypatch):
    monkeypatch.delenv("WGANGP_OUTPUT", raising=False)
    name = "fig1_gradient_norms"
    rows = results.read(name, ROOT)
    entries = report.provenance(rows, None)
    runs = results.of_single_runs(rows).drop_duplicates(results.RUN)
    assert sum(one["runs"] for one in entries) == len(runs)
    assert sum(one["seconds"] for one in entries) == pytest.approx(runs["wall_seconds"].sum())
    committed = set(notebook_data.provenance(name)["commit"])
    assert {commit for one in entries for commit, _ in one["commits"]} == committed
