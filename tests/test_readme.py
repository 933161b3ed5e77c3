"""The tables of the READMEs are those of the committed results."""

import re

import pytest

from reproduction import paper_csv, readme
from reproduction.experiment import FOLDER, Experiment, names
from wgangp import InputError


def test_pages_are_up_to_date():
    """Write them anew with: wgangp readme."""
    for path, text in readme.pages().items():
        assert path.read_text() == text, path


@pytest.mark.parametrize("name", names())
def test_what_we_find_has_measured_numbers_only_where_they_are_written_by_the_project(name):
    text = (FOLDER / name / "README.md").read_text()
    prose = re.search(r"<!-- /verdicts -->(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]
    assert not re.findall(r"\d\.\d", prose)


@pytest.mark.parametrize("name", names())
def test_minutes_in_the_configuration_are_those_that_were_measured(name):
    told = re.search(r"short (\d+) min", Experiment(name).about)[1]
    assert told == f"{readme.short_minutes(readme.rows_of(name)):.0f}"


def test_a_page_without_its_lines_is_refused():
    assert (
        readme.filled("a\n<!-- x -->\nold\n<!-- /x -->\nb", {"x": "new"}, "p") == "a\n<!-- x -->\nnew\n<!-- /x -->\nb"
    )
    with pytest.raises(InputError, match="p lacks the lines <!-- y --> and <!-- /y -->"):
        readme.filled("a", {"y": "new"}, "p")


def test_every_cell_of_the_chinese_readme_is_translated():
    for name in names():
        cells = [readme.title(name), *paper_csv.claims_of(name)["short"]]
        for cell in cells:
            translated = readme.chinese(cell)
            assert translated != cell and re.search("[\u4e00-\u9fff]", translated), cell
