"""The best evaluation of each run."""

from reproduction.results import summary_row


def summary(rows):
    """The best score and distance of each run, of the evaluations while it trained and of the last iterate.

    Args:
        rows: a DataFrame of all runs' rows.

    Returns:
        A list of rows, `<metric>_best`.
    """
    judged = rows[rows["quantity"].isin(["inception_score", "classifier_score", "fid", "fid_768", "frechet_pixels"])]
    summary_rows = []
    for (_, _, _, setting, metric), run in judged.groupby(["tier", "seed", "dataset", "setting", "quantity"]):
        best = run["value"].max() if metric.endswith("score") else run["value"].min()
        protocol = f"best of {len(run)} judgements; {run['protocol'].iloc[0]}"
        summary_rows.append(summary_row(run, setting, f"{metric}_best", best, protocol, samples=run["samples"].iloc[0]))
    return summary_rows
