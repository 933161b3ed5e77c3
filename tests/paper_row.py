"""A row of paper.csv, made up."""

import math

import pandas as pd

from reproduction import paper_csv


def paper(direction="match", value=1.0, tolerance=0.1, **fields):
    """A row that says "q of s is value"; `fields` in place of what is usual."""
    row = dict.fromkeys(paper_csv.COLUMNS, "") | {
        "claim": "1a",
        "quantity": "q",
        "setting": "s",
        "kind": "reported",
    }
    return pd.Series(row | {"direction": direction, "value": value, "tolerance": tolerance, "err": math.nan} | fields)
