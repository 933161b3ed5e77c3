"""The parts of the READMEs that are made from the committed results: `wgangp readme`."""

import pandas as pd

from wgangp import compare, results
from wgangp.errors import InputError
from wgangp.experiment import FOLDER, Experiment, names


def markdown(table):
    """A DataFrame as a Markdown table."""
    lines = [list(table.columns), ["---"] * len(table.columns), *table.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def rows_of(name):
    """The committed rows, those that are there outside a git checkout."""
    committed = results.committed(name)
    return results.read(name, results.ROOT) if committed is None else committed


def claims(tables):
    """Every claim with its verdict: the table at the README's top.

    Args:
        tables: {experiment: its table of `compare.compare`}.
    """
    parts = []
    for name, table in tables.items():
        found = compare.claims(name, table)
        verdict = [claim["verdict"] + (f" ({claim['beside']})" if claim["beside"] else "") for claim in found.iloc]
        folder = [f"[`{name}`](experiments/{name})"] * len(found)
        about = {"claim": found["claim"], "the paper says": found["says"], "where": found["where"]}
        parts.append(pd.DataFrame(about | {"experiment": folder, "verdict": verdict, "tier": found["tier"]}))
    return markdown(pd.concat(parts))


def experiments(rows, tables):
    """The list of experiments: title, settings and minutes of the short tier on two cores, verdicts.

    Args:
        rows: {experiment: its rows}.
        tables: as of `claims`.
    """
    lines = []
    for name, table in tables.items():
        settings = len(Experiment(name).settings_at("short"))
        minutes = f"{short_minutes(rows[name]):.0f} min ({settings} setting{'s' * (settings > 1)})"
        lines.append(
            {
                "folder": f"[`{name}`](experiments/{name})",
                "what": title(name),
                "short tier, 2 CPU cores": minutes,
                "claims": compare.totals(compare.claims(name, table)),
            }
        )
    return markdown(pd.DataFrame(lines))


def short_minutes(rows):
    """Minutes that the short tier took on two cores, a run on each, from an experiment's rows."""
    seconds = results.of_single_runs(rows[rows["tier"] == "short"]).drop_duplicates(results.RUN)["wall_seconds"]
    return max(seconds.sum() / 2, seconds.max()) / 60


def title(name):
    """The title of an experiment's README."""
    return (FOLDER / name / "README.md").read_text().splitlines()[0].removeprefix("# ")


def verdicts(table):
    """The rows that belong to a claim, with their verdicts, and numbers of the paper that stand beside.

    Args:
        table: of `compare.compare`.
    """
    beside = (table["claim"] == "") & (table["part"] == "") & (table["seeds"] > 0)
    table = table[(table["claim"] != "") | beside]
    return markdown(compare.shown(table)) if len(table) else "The paper has no number here."


def pages():
    """The READMEs as they should be, {path: text}.

    Raises:
        InputError: a README has not the lines between which a part belongs.
    """
    rows = {name: rows_of(name) for name in names()}
    tables = {name: compare.compare(name, of_name) for name, of_name in rows.items()}
    wanted = {results.ROOT / "README.md": {"claims": claims(tables), "experiments": experiments(rows, tables)}}
    wanted |= {FOLDER / name / "README.md": {"verdicts": verdicts(table)} for name, table in tables.items()}
    return {path: filled(path.read_text(), parts, path) for path, parts in wanted.items()}


def filled(text, parts, path):
    """A text with its parts written anew.

    Args:
        text: with the lines `<!-- name -->` and `<!-- /name -->` around each part.
        parts: {name: text}.
        path: the file's name in messages.
    """
    for name, part in parts.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise InputError(f"{path} lacks the lines {begin.strip()} and {end}, between which a table is written.")
        text = f"{before}{begin}\n{part}\n\n{end}{after}"
    return text
