"""Every experiment's folder, at the smoke tier, from training to the executed notebook and the report."""

import numpy as np
import pytest

from reproduction import TIERS, notebooks, report
from reproduction.experiment import FOLDER, Experiment, names, readme_section
from reproduction.job import Job, run_job
from reproduction.results import COLUMNS, EMBEDDED, KEY, of_single_runs, output_root, read


@pytest.fixture(scope="module", autouse=True)
def output(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("WGANGP_OUTPUT", str(tmp_path_factory.mktemp("output")))
    patch.setenv("WGANGP_DATA", str(tmp_path_factory.mktemp("no_data")))  # embedded images: small and always there
    patch.setenv("WGANGP_OFFLINE", "1")
    yield
    patch.undo()


@pytest.mark.parametrize("name", names())
def test_runs_and_draws(name):
    experiment = Experiment(name)
    for tier in TIERS:
        for setting in experiment.settings_at(tier):
            experiment.config(setting, tier)
    for setting in experiment.settings_at("smoke"):
        run_job(Job(experiment, setting, "smoke", 0), name="cpu")
    rows = read(name)
    assert list(rows.columns) == COLUMNS and np.isfinite(rows["value"]).all()
    assert set(of_single_runs(rows)["setting"]) == set(experiment.settings_at("smoke"))
    assert not rows.duplicated(KEY).any() and not rows["protocol"].str.contains("dataset=").any()
    arrays = {path.name for path in (output_root() / "results" / name).glob("*.npz")}
    assert all(EMBEDDED in path for path in arrays) or EMBEDDED not in set(rows["dataset"])
    notebooks.execute(name, "smoke")
    pictures = list((output_root() / "paper_figures").glob(f"{name}*"))
    assert pictures and {path.suffix for path in pictures} <= {".png", ".jpg", ".pdf"}


@pytest.mark.parametrize("name", names())
def test_same_seed_same_rows(name):
    experiment = Experiment(name)
    setting = experiment.settings[-1]
    values = []
    for _ in range(2):
        job = Job(experiment, setting, "smoke", 5)
        job.forget()
        run_job(job, name="cpu")
        rows = read(name)
        timing = rows["quantity"].str.contains("seconds")
        values.append(rows[(rows["seed"] == 5) & ~timing]["value"].tolist())
    assert values[0] == values[1]


@pytest.mark.parametrize("name", names())
def test_folder_is_complete_and_short(name):
    folder = FOLDER / name
    assert {"config.yaml", "run.py", "figure.py", "paper.csv", "claims.csv", "README.md"} <= {
        path.name for path in folder.iterdir()
    }
    assert (folder / "config.yaml").read_text().startswith("# ")
    readme = (folder / "README.md").read_text()
    assert readme_section(readme, "What the paper shows")
    assert f"wgangp run {name}" in readme


def test_report_is_one_self_contained_page():
    page = report.write().read_text()
    assert all(name in page for name in names())
    assert page.count("data:image/") >= len(names())
    assert "http://" not in page and 'src="/' not in page and "<link" not in page and "<script" not in page
