"""The parts of the READMEs that are made from the committed results: `wgangp readme`."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd

from reproduction import compare, results
from reproduction.experiment import FOLDER, names
from wgangp.errors import InputError


def markdown(table: pd.DataFrame) -> str:
    """A DataFrame as a Markdown table."""
    lines = [list(table.columns), ["---"] * len(table.columns), *table.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def rows_of(name: str) -> pd.DataFrame:
    """The committed rows, those that are there outside a git checkout."""
    committed = results.committed(name)
    return results.read(name, results.ROOT) if committed is None else committed


def claims(tables: dict[str, pd.DataFrame], words: Callable[[str], str] = str) -> str:
    """Every claim in a few words, with its verdict: the table at the README's top.

    Args:
        tables: {experiment: its table of `compare.compare`}.
        words: translates a cell or a part of it.
    """
    lines = []
    for name, table in tables.items():
        for claim in compare.claims(name, table).iloc:
            verdict = words(verdict_of(claim))
            lines.append([claim["claim"], words(claim["short"]), f"[{name}]", verdict, words(claim["tier"])])
    return markdown(pd.DataFrame(lines, columns=[words(c) for c in ("", "claim", "experiment", "verdict", "tier")]))


def verdict_of(claim: pd.Series) -> str:
    """A claim's verdict and, in parentheses, what stands beside it."""
    return claim["verdict"] + (f" ({claim['beside']})" if claim["beside"] else "")


def claims_in_full(tables: dict[str, pd.DataFrame]) -> str:
    """Every claim in the paper's sense, where it is made, and its verdict: docs/claims.md."""
    parts = []
    for name, table in tables.items():
        judged = compare.claims(name, table)
        verdict = [verdict_of(claim) for claim in judged.iloc]
        folder = [f"[{name}](../experiments/{name})"] * len(judged)
        about = {"claim": judged["claim"], "what it says": judged["says"], "where": judged["where"]}
        parts.append(pd.DataFrame(about | {"experiment": folder, "verdict": verdict, "tier": judged["tier"]}))
    return markdown(pd.concat(parts))


def experiments(rows: dict[str, pd.DataFrame], words: Callable[[str], str] = str) -> str:
    """The list of experiments: title and minutes of the short tier on two cores.

    Args:
        rows: {experiment: its rows}.
        words: as of `claims`.
    """
    lines = [[f"[{name}]", words(title(name)), f"{short_minutes(rows[name]):.0f}"] for name in rows]
    return markdown(pd.DataFrame(lines, columns=[words(c) for c in ("folder", "shows", "minutes")]))


def chinese(text: str) -> str:
    """A cell of README.md as it is in README.zh.md, by docs/zh/words.csv."""
    for english, translated in chinese_words():
        text = text.replace(english, translated)
    return text


@cache
def chinese_words() -> list[tuple[str, str]]:
    """Pairs of English and Chinese words, the longest first, since shorter ones are parts of them."""
    known = pd.read_csv(results.ROOT / "docs" / "zh" / "words.csv")[["english", "chinese"]]
    return sorted(known.itertuples(index=False, name=None), key=lambda pair: -len(pair[0]))


def short_minutes(rows: pd.DataFrame) -> float:
    """Minutes that the short tier took on two cores, a run on each, from an experiment's rows."""
    seconds = results.of_single_runs(rows[rows["tier"] == "short"]).drop_duplicates(results.RUN)["wall_seconds"]
    return max(seconds.sum() / 2, seconds.max()) / 60


def title(name: str) -> str:
    """The title of an experiment's README."""
    return (FOLDER / name / "README.md").read_text("utf-8").splitlines()[0].removeprefix("# ")


def verdicts(table: pd.DataFrame) -> str:
    """The rows that belong to a claim, with their verdicts, and numbers of the paper that stand beside.

    Args:
        table: of `compare.compare`.
    """
    beside = (table["claim"] == "") & (table["part"] == "") & (table["seeds"] > 0)
    table = table[(table["claim"] != "") | beside]
    return markdown(compare.shown(table)) if len(table) else "The paper has no number here."


def pages() -> dict[Path, str]:
    """The READMEs as they should be, {path: text}.

    Raises:
        InputError: a README has not the lines between which a part belongs.
    """
    rows = {name: rows_of(name) for name in names()}
    tables = {name: compare.compare(name, of_name) for name, of_name in rows.items()}
    wanted = {
        results.ROOT / "README.md": {"claims": claims(tables), "experiments": experiments(rows)},
        results.ROOT / "README.zh.md": {
            "claims": claims(tables, chinese),
            "experiments": experiments(rows, chinese),
        },
        results.ROOT / "docs" / "claims.md": {"claims": claims_in_full(tables)},
    }
    wanted |= {FOLDER / name / "README.md": {"verdicts": verdicts(table)} for name, table in tables.items()}
    return {path: filled(path.read_text("utf-8"), parts, path) for path, parts in wanted.items()}


def filled(text: str, parts: dict[str, str], path: Path) -> str:
    """A text with its parts written anew.

    Args:
        text: with the lines `<!-- name -->` and `<!-- /name -->` around each part.
        parts: {name: text}.
        path: the file's name in messages.
    """
    for name, part in parts.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        _, end_line, after = rest.partition(end)
        if not end_line:
            raise InputError(f"{path} lacks the lines {begin.strip()} and {end}, between which a table is written.")
        text = f"{before}{begin}{part}\n{end}{after}"
    return text
