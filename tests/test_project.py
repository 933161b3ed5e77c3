"""The promises of README, environment.yml and the set-up scripts."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
import yaml
from packaging.requirements import Requirement

from reproduction.experiment import names
from reproduction.results import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PIN = re.compile(r"^([\w-]+)==(\S+)$", re.MULTILINE)
CONSTRAINTS = dict(PIN.findall((ROOT / "constraints.txt").read_text()))


def requirements(*extras):
    """Of the library and of extras, {name: versions that it may have}."""
    texts = sum((PROJECT["optional-dependencies"][extra] for extra in extras), PROJECT["dependencies"])
    return {one.name: one.specifier for one in map(Requirement, texts)}


def test_tested_versions_are_within_the_ranges():
    ranges = requirements(*PROJECT["optional-dependencies"])
    assert set(ranges) | {"paddlepaddle-gpu"} == set(CONSTRAINTS)
    assert all(ranges[name].contains(CONSTRAINTS[name]) for name in ranges)
    assert CONSTRAINTS["paddlepaddle"] == CONSTRAINTS["paddlepaddle-gpu"]


def test_paddle_aten_asks_for_what_is_tested():
    project = tomllib.loads((ROOT / "paddle_aten/pyproject.toml").read_text())["project"]
    ranges = {one.name: one.specifier for one in map(Requirement, project["dependencies"])}
    assert set(ranges) == {"paddlepaddle", "torch"} and ranges["paddlepaddle"] == requirements()["paddlepaddle"]
    assert all(ranges[name].contains(CONSTRAINTS[name]) for name in ranges)


def test_library_depends_on_what_it_imports():
    imported = set()
    for path in (ROOT / "wgangp").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.partition(".")[0])
    imported -= sys.stdlib_module_names | {"wgangp", "reproduction", "paddle_aten", "ppsci"}  # ppsci: an extra
    distributions = {packages_distributions()[module][0].removesuffix("-gpu") for module in imported}
    assert distributions == set(requirements())


def test_conda_environment_has_the_same_packages():
    pip = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"][-1]["pip"]
    assert "-c constraints.txt" in pip
    frame = requirements("reproduction")
    assert {line for line in pip if line[0] != "-"} == set(frame) - {"paddlepaddle"} | {"paddlepaddle-gpu"}


def test_conda_environment_for_aten_installs_both_distributions():
    text = (ROOT / "environment-aten.yml").read_text()
    environment = yaml.safe_load(text)
    assert f"conda activate {environment['name']} && bash paddle_aten/build.sh" in text
    pip = environment["dependencies"][-1]["pip"]
    editable = dict(re.findall(r"^-e ([^\[\n]+)(?:\[(\w+)\])?$", "\n".join(pip), re.MULTILINE))
    assert {(ROOT / folder).resolve() for folder in editable} == {ROOT, ROOT / "paddle_aten"}
    assert editable["."] in PROJECT["optional-dependencies"] and "-c constraints.txt" in pip


def test_linter_before_a_commit_is_that_of_the_tests():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert all(hook["additional_dependencies"] == [f"ruff=={CONSTRAINTS['ruff']}"] for hook in hooks)


READMES = ("README.md", "README.zh.md")


@pytest.mark.parametrize("readme", READMES)
def test_readme_is_short_and_names_every_experiment(readme):
    lines = (ROOT / readme).read_text().splitlines()
    assert len(lines) <= 120 and max(map(len, lines)) <= 100
    assert all(f"[{name}]: experiments/{name}" in lines for name in names())


def code(readme):
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / readme).read_text(), re.DOTALL)
    return block


def test_readme_code_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code("README.md"), "README.md", "exec"), {"__name__": "readme"})
    assert code("README.zh.md") == code("README.md")


def pages():
    told = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True
    )
    return told.stdout.split()


@pytest.mark.parametrize("page", pages())
def test_links_and_versions_of_pages_hold(page):
    text = (ROOT / page).read_text()
    links = re.findall(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)", text, re.MULTILINE)
    for link in filter(None, (a or b for a, b in links)):
        if not link.startswith(("http", "#")):
            assert ((ROOT / page).parent / link.partition("#")[0]).exists(), link
    assert all(CONSTRAINTS[name] == version for name, version in re.findall(r"([\w-]+)==([\w.]+)", text))


def source_and_call(folder, script, **environment):
    return subprocess.run(
        ["bash", "-c", f". {ROOT}/setup_env.sh; {script}"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", **environment},
    )


def test_relative_folders_stay_those_of_the_caller(tmp_path):
    (tmp_path / "project").mkdir()
    enter = f"set -eu; enter_project {tmp_path}/project/run_all.sh; echo $PWD $WGANGP_OUTPUT ${{WGANGP_DATA:-none}}"
    told = source_and_call(tmp_path, enter, WGANGP_OUTPUT="out", CDPATH="/")
    assert told.stdout.split() == [f"{tmp_path}/project", f"{tmp_path}/out", "none"]
    told = source_and_call(tmp_path, enter.replace(f"{tmp_path}/", "./"), WGANGP_OUTPUT="/out", WGANGP_DATA="~/data")
    assert told.stdout.split() == [f"{tmp_path}/project", "/out", "~/data"]


@pytest.mark.parametrize("device, tier", [("", "short"), ("cpu", "short"), ("gpu", "medium")])
def test_default_tier_follows_the_device(tmp_path, device, tier):
    variables = {"PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "WGANGP_DEVICE": device}
    assert source_and_call(tmp_path, "default_tier", **variables).stdout == f"{tier}\n"


@pytest.fixture
def project(tmp_path):
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    return tmp_path


def fake_python(folder, body):
    """A Python whose `-m pip` does as told."""
    path = folder / "bin" / "python3.11"
    path.parent.mkdir()
    path.write_text(
        f'#!/bin/sh\ncase "$*" in "-m venv .venv") mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;\n{body}\nesac\n'
    )
    path.chmod(0o755)
    return path


def test_failed_download_leaves_nothing_that_the_next_run_trusts(project):
    python = fake_python(project, '*pip*) echo "no network" >&2; exit 1 ;;')
    setup = f"find_python() {{ echo {python}; }}; setup_env; echo usable $PYTHON"
    for _ in range(2):
        told = source_and_call(project, setup)
        assert told.returncode == 1 and "will be made anew" in told.stderr and "usable" not in told.stdout
    python.write_text(python.read_text().replace("exit 1", "exit 0"))
    assert "usable" in source_and_call(project, setup).stdout
    again = source_and_call(project, setup)
    assert "Using .venv" in again.stdout and "Making" not in again.stdout
    (project / "constraints.txt").write_text("numpy==2.0.0")
    assert "Making .venv" in source_and_call(project, setup).stdout


@pytest.mark.parametrize(
    "package, extra, status", [("none", "", 0), ("tqdm", "", 1), ("pytest", "", 0), ("pytest", "dev", 1)]
)
def test_active_environment_must_have_the_tested_versions(project, package, extra, status):
    text = (project / "constraints.txt").read_text()
    (project / "constraints.txt").write_text(re.sub(f"^{package}==.*", f"{package}==0.1", text, flags=re.MULTILINE))
    assert source_and_call(project, f"has_packages {sys.executable} - {extra}").returncode == status


def test_foreign_venv_is_not_deleted(project):
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "mine").touch()
    told = source_and_call(project, "setup_env")
    assert told.returncode == 1 and "was not made by this script" in told.stderr
    assert (project / ".venv" / "mine").exists()


def test_no_suitable_python(project):
    told = source_and_call(project, "find_python() { return 1; }; setup_env")
    assert told.returncode == 1 and "No Python 3.11 or 3.12" in told.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_executed_and_show_their_tables_whole(path):
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in cells)
    tables = ["".join(o.get("data", {}).get("text/html", "")) for cell in cells for o in cell["outputs"]]
    assert any("<td>" in table for table in tables) and not any("<td>...</td>" in table for table in tables)


def test_tracked_files_stay_small():
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert sum(path.stat().st_size for path in paths if path.exists()) < 20_000_000


@pytest.mark.parametrize(
    "given, words",
    [
        (["--help"], "takes no arguments, but the variables TIER, ONLY, SEEDS"),
        (["TIER=long"], "TIER is 'long'; use smoke, short, medium or paper."),
        (["SEEDS=0,1"], "SEEDS is '0,1'; give whole numbers with spaces"),
    ],
)
def test_what_is_given_to_run_all_is_checked_before_anything_is_set_up(tmp_path, given, words):
    variables = dict(one.split("=") for one in given if "=" in one)
    arguments = [one for one in given if "=" not in one]
    for name in ("run_all.sh", "setup_env.sh"):
        shutil.copy(ROOT / name, tmp_path)
    environment = {"PATH": os.environ["PATH"]} | variables
    ended = subprocess.run(
        ["bash", tmp_path / "run_all.sh", *arguments], env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 1 and words in ended.stderr and not ended.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run_all.sh", "setup_env.sh"]
