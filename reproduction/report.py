"""One self-contained HTML page: claims and verdicts, figures, the paper's numbers beside ours, costs, deviations."""

import base64
import re
from pathlib import Path

import jinja2
import pandas as pd
from PIL import Image

from reproduction import compare, links, paper_csv, prose, results, verdicts
from reproduction.experiment import FOLDER, names, readme_findings, readme_section
from wgangp.errors import InputError
from wgangp.runtime.files import replacing

MARKS = {  # verdict: (its class in the style sheet, the sign before it)
    verdicts.REPRODUCED: ("good", "✓"),
    verdicts.SEEN: ("good once", "✓"),
    verdicts.INCONCLUSIVE: ("open", "≈"),
    verdicts.NOT_SEEN: ("bad once", "✗"),
    verdicts.NOT_SHOWN: ("bad once", "✗"),
    verdicts.NOT_REPRODUCED: ("bad", "✗"),
    verdicts.NOT_COMPARABLE: ("none", "≠"),
    verdicts.QUOTED: ("none", "“"),
    verdicts.MISSING: ("none", "–"),
}
KINDS = {".png": "png", ".jpg": "jpeg"}


def costs(rows: pd.DataFrame) -> pd.DataFrame:
    """Measured times of an experiment: a row per tier and device.

    Args:
        rows: its results.

    Returns:
        A DataFrame: tier, device, runs, seconds per run (median), minutes in all.
    """
    runs = results.of_single_runs(rows).drop_duplicates(results.RUN)
    groups = runs.groupby(["tier", "device"])["wall_seconds"]
    table = groups.agg(runs="size", median="median", total="sum").reset_index()
    return table.assign(minutes=table["total"] / 60)


def figures(name: str, url: str | None) -> list[dict]:
    """An experiment's figures in the order of its figures.csv, those that it does not name at the end.

    Args:
        name: the experiment.
        url: the repository's, as of `links.address`.

    Returns:
        A list of dicts: url (of the picture's data), width and height (pixels), caption (what is drawn, in a sentence),
        label (tier, data and seeds, as written into the picture), alt (what kind of picture it is, of what), address
        and kind (of a file of it, PDF where there is one).

    Raises:
        InputError: a picture or figures.csv is damaged.
    """
    about = paper_csv.figures_of(name).set_index("figure")
    folder = results.output_root() / "paper_figures"
    paths = {path.stem: path for path in sorted(folder.glob(f"{name}*")) if path.suffix in KINDS}
    pictures = []
    for figure in sorted(paths, key=[*about.index, *sorted(paths)].index):
        path = paths[figure]
        try:
            with Image.open(path) as picture:
                picture.load()
                (width, height), label = picture.size, picture.info.get("comment", "")
        except (OSError, SyntaxError, ValueError) as error:
            raise InputError(f"{path} is no whole picture ({error}); draw it anew: wgangp notebook {name}.") from None
        file = pdf if (pdf := path.with_suffix(".pdf")).exists() else path
        words = about.loc[figure] if figure in about.index else {"caption": figure, "alt": f"Figure {figure}."}
        data = base64.b64encode(path.read_bytes()).decode()
        pictures.append(
            {
                "url": f"data:image/{KINDS[path.suffix]};base64,{data}",
                "width": width,
                "height": height,
                "label": label.decode() if isinstance(label, bytes) else label,
                "address": links.address(f"paper_figures/{file.name}", url),
                "kind": file.suffix[1:].upper(),
                **words,
            }
        )
    return pictures


def claims(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The claims of `compare.claims` with how many seeds their worst row has.

    Args:
        name: the experiment.
        table: of `compare.compare`.
    """
    judged = compare.claims(name, table)
    seeds = table[table["seeds"] > 0].groupby(["claim", "verdict"])["seeds"].min()
    return judged.assign(seeds=[seeds.get((claim["claim"], claim["verdict"]), 0) for claim in judged.iloc])


def numbers(table: pd.DataFrame) -> tuple[list[dict], list[dict]]:
    """The rows of a comparison as the report shows them, those of claims and those of none apart.

    Args:
        table: of `compare.compare`.

    Returns:
        Two lists of dicts: claim, quantity, where (setting and part), paper, accept, ours, verdict, why, source.
    """

    def shown(row):
        return {
            "claim": row["claim"],
            "quantity": in_words(row["quantity_measured"] or row["quantity"]),
            "where": in_words(", ".join(filter(None, (row["setting"], row["part"])))),
            "paper": minus(compare.paper_says(row)),
            "accept": minus(in_words(compare.criterion(row))),
            "ours": minus(compare.ours(row)),
            "verdict": row["verdict"],
            "why": in_words(row["why"]),
            "source": row["source"],
        }

    of_claims = table["claim"] != ""
    return tuple([shown(row) for row in rows.iloc] for rows in (table[of_claims], table[~of_claims]))


def in_words(name: str) -> str:
    """A name without underscores, except before a number: "slope per layer", "fid_768"."""
    return re.sub(r"_(?!\d)", " ", name)


def minus(text: str) -> str:
    """Numbers in a text with a true minus sign."""
    return re.sub(r"(?<![\w.])-(?=\d)|(?<=\de)-(?=\d)", "−", text)


def provenance(rows: pd.DataFrame, url: str | None) -> list[dict]:
    """Where an experiment's rows come from: an entry for each tier, data set and device.

    Args:
        rows: its results.
        url: the repository's, as of `links.address`.

    Returns:
        A list of dicts: tier, dataset, data (sha256), device, paddle, runs, seeds, seconds, finished (the day), commits
        (as of `links.commits`).
    """
    runs, sources = results.of_single_runs(rows).drop_duplicates(results.RUN), []
    about = ["tier", "dataset", "data_sha256", "device", "paddle"]
    for (tier, dataset, data, device, paddle), group in runs.groupby(about, dropna=False):
        sources.append(
            {
                "tier": tier,
                "dataset": dataset,
                "data": data,
                "device": device,
                "paddle": paddle,
                "runs": len(group),
                "seeds": group["seed"].nunique(),
                "seconds": group["wall_seconds"].sum(),
                "finished": group["finished"].max()[:10],
                "commits": links.commits(" ".join(group["commit"].dropna()), url),
            }
        )
    return sources


def experiment(name: str, rows: pd.DataFrame, url: str | None) -> dict:
    """All that the report says of an experiment.

    Args:
        name: the experiment.
        rows: its results.
        url: as of `provenance`.

    Returns:
        A dict for the template.
    """
    folder = FOLDER / name
    table = compare.compare(name, rows)
    readme = (folder / "README.md").read_text("utf-8")
    title, _, item = readme.splitlines()[0].removeprefix("# ").partition(" (")
    # The README speaks of the committed rows; where others are there, the table speaks for itself.
    own, findings = bool(results.in_git() and len(results.yours(name))), readme_findings(readme)
    files = {
        "notebook": f"notebooks/{name}.ipynb",
        "results as CSV": f"results/{name}.csv",
        "config.yaml": f"experiments/{name}/config.yaml",
        "the paper's numbers as CSV": f"experiments/{name}/paper.csv",
        "README, with our criteria and their reasons": f"experiments/{name}/README.md",
    }
    judged, others = numbers(table)
    configs = results.of_single_runs(rows)[["tier", "setting", "config_sha256"]].drop_duplicates()
    return {
        "name": name,
        "title": title,
        "item": item.removesuffix(")").removeprefix("v3 "),
        "of_paper": item.startswith("v3 "),
        "own": own,
        "paper_shows": prose.html(
            readme_section(readme, "What the paper shows"), folder, f"The paper's numbers, {title}", url
        ),
        "we_find": "" if own or not len(rows) else prose.html(findings, folder, f"What we find, {title}", url),
        "claims": claims(name, table).to_dict("records"),
        "judged": judged,
        "others": others,
        "figures": figures(name, None if own else url),
        "costs": costs(rows).to_dict("records"),
        "provenance": provenance(rows, url),
        "configs": configs.to_dict("records"),
        "links": {words: links.address(path, None if own else url) for words, path in files.items()},
    }


def write() -> Path:
    """Write report.html into the output root.

    Returns:
        Its path.
    """
    url, docs = links.repository(), results.ROOT / "docs"
    rows = {name: results.read(name) for name in names()}
    experiments = sorted((experiment(*item, url) for item in rows.items()), key=lambda about: not about["of_paper"])
    judged = pd.DataFrame([claim for about in experiments for claim in about["claims"]])
    counts = judged["verdict"].value_counts()
    deviations = (docs / "deviations.md").read_text("utf-8").partition("\n")[2]
    reading = (docs / "claims.md").read_text("utf-8").partition("\n")[2].partition("<!-- claims -->")[0]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("report.html.j2").render(
        experiments=experiments,
        totals={verdict: int(counts[verdict]) for verdict in MARKS if verdict in counts},
        all_costs=costs(pd.concat(rows.values())).to_dict("records"),
        deviations=prose.html(deviations, docs, "Deviations from the paper", url),
        reading=prose.html(reading, docs, "Verdicts", url),
        marks=MARKS,
        url=url,
        today=pd.Timestamp.now().date(),
    )
    path = results.output_root() / "report.html"
    with replacing(path) as file:
        file.write(page.encode())
    return path
