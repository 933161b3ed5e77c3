"""One self-contained HTML page: verdicts, figures beside what the paper shows, costs, deviations."""

import base64
import re
from pathlib import Path

import jinja2
import mistune
import pandas as pd

from reproduction import compare, results
from reproduction.experiment import FOLDER, names
from wgangp.runtime.files import replacing


def costs(rows: pd.DataFrame) -> pd.DataFrame:
    """Measured times of an experiment: a row per tier and device.

    Args:
        rows: its results.

    Returns:
        A DataFrame: tier, device, runs, seconds per run (median), minutes in all.
    """
    runs = results.of_single_runs(rows).drop_duplicates(["config_sha256", "seed", "device"])
    groups = runs.groupby(["tier", "device"])["wall_seconds"]
    table = groups.agg(runs="size", median="median", total="sum").reset_index()
    return table.assign(minutes=table["total"] / 60)


def section(markdown: str, title: str) -> str:
    """The text of a README under a second-level heading, empty where there is none."""
    match = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", markdown, re.MULTILINE | re.DOTALL)
    return match[1].strip() if match else ""


def figures(name: str) -> list[tuple[str, str]]:
    """An experiment's figures as (title, data URL)."""
    kinds = {".png": "png", ".jpg": "jpeg"}
    paths = sorted((results.output_root() / "paper_figures").glob(f"{name}*"))
    return [
        (path.stem, f"data:image/{kinds[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}")
        for path in paths
        if path.suffix in kinds
    ]


def write() -> Path:
    """Write report.html into the output root.

    Returns:
        Its path.
    """
    markdown = mistune.create_markdown(plugins=["table"])
    experiments = []
    for name in names():
        rows = results.read(name)
        table = compare.compare(name, rows)
        readme = (FOLDER / name / "README.md").read_text("utf-8")
        # The README speaks of the committed rows; where others are there, the table speaks for itself.
        findings = section(readme, "What we find").partition("<!-- /verdicts -->")[2]
        own = results.in_git() and len(results.yours(name))
        experiments.append(
            {
                "name": name,
                "title": readme.splitlines()[0].removeprefix("# "),
                "paper_shows": markdown(section(readme, "What the paper shows")),
                "found": "" if own else markdown(findings.strip()),
                "claims": compare.claims(name, table).to_dict("records"),
                "rows": compare.shown(table).assign(source=table["source"]).to_dict("records"),
                "figures": figures(name),
                "costs": costs(rows).to_dict("records"),
                "commits": ", ".join(sorted(set(rows["commit"].dropna()))),
            }
        )
    deviations = markdown((results.ROOT / "docs" / "deviations.md").read_text("utf-8").partition("\n")[2])
    template = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        Path(__file__).with_name("report.html.j2").read_text("utf-8")
    )
    page = template.render(experiments=experiments, deviations=deviations, today=pd.Timestamp.now().date())
    path = results.output_root() / "report.html"
    with replacing(path) as file:
        file.write(page.encode())
    return path
