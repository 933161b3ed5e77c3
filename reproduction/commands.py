"""What each command of the command line does; what it needs is imported in it: Paddle alone takes a second."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from wgangp.errors import InputError
from wgangp.runtime import devices, environment, kernels


def run_experiments(given: argparse.Namespace) -> int:
    """wgangp run NAME..."""
    from reproduction import processes, schedule
    from reproduction.experiment import Experiment

    experiments = [Experiment(name) for name in chosen(given.names)]
    jobs = schedule.jobs_of(experiments, given.tier, given.setting, given.seed)
    device = {"name": given.device, "tf32": not given.no_tf32, "deterministic": given.deterministic}
    how = (given.budget, given.fresh, given.notebooks)
    if given.ray is not None:
        from reproduction import cluster_connection

        with cluster_connection.connected(given.ray, device, given.cpus_per_run, given.gpus_per_run) as runner:
            return schedule.run(jobs, runner, *how)
    devices.check_available(given.device)
    return schedule.run(jobs, processes.Workers(device, given.jobs), *how)


def chosen(given: list[str]) -> list[str]:
    """The experiments that were named, each once; all for none or "all"."""
    from reproduction.experiment import full_name, names

    full = [full_name(name) for name in given if name != "all"]
    return names() if "all" in given or not given else list(dict.fromkeys(full))


def compare_with_paper(given: argparse.Namespace) -> int:
    """wgangp compare [NAME...]; 1 where a reproduced row is lost and that is asked for, else 0."""
    import pandas as pd

    from reproduction import compare, results, schedule, verdicts
    from reproduction.display import counted
    from reproduction.experiment import Experiment

    if given.seed and not given.yours:
        raise InputError("--seed goes with --yours, whose runs it counts; give both, or neither.")
    tiers = {side: [given.tier] if given.tier else verdicts.JUDGED_TIERS for side in compare.SIDES}
    if given.yours:
        tiers["yours"] = [given.yours]
    tables = {name: compare.both(name, tiers) for name in chosen(given.names)}
    rows = {side: pd.concat([both[side] for both in tables.values()]) for side in compare.SIDES}
    if given.csv:
        compare.write_csv(given.csv, rows)
    if given.rows:
        print(compare.as_rows(rows))
    else:
        claims = {side: [compare.claims(name, both[side]) for name, both in tables.items()] for side in compare.SIDES}
        print(compare.as_claims(*(pd.concat(claims[side]) for side in compare.SIDES)))
    if given.yours:
        jobs = schedule.jobs_of([Experiment(name) for name in tables], given.yours, seeds=given.seed)
        print(f"\nTier {given.yours}: {sum(job.done for job in jobs)} of {counted(len(jobs), 'run')} done.")
    if not results.in_git():
        print("\nThis is no git checkout, so all rows count as yours.")
    if not given.check:
        return 0
    lost = pd.concat([compare.lost(name) for name in tables])
    if len(lost):
        print("\nNo longer reproduced or seen:\n" + compare.as_rows({"now": lost}))
        return 1
    print("\nEvery row that the committed results reproduce still is.")
    return 0


def import_results(given: argparse.Namespace) -> None:
    """wgangp import FOLDER"""
    from reproduction import merge

    print("\n".join(merge.import_results(given.folder)))


def write_report(given: argparse.Namespace) -> None:
    """wgangp report"""
    from reproduction import report

    print(f"Wrote {report.write()}.")


def write_readmes(given: argparse.Namespace) -> None:
    """wgangp readme"""
    from reproduction import readme
    from wgangp.runtime.files import replacing

    for path, text in readme.pages().items():
        with replacing(path) as file:
            file.write(text.encode())
        print(f"Wrote {path}.")


def execute_notebooks(given: argparse.Namespace) -> None:
    """wgangp notebook [NAME...]"""
    from reproduction import notebooks

    for name in chosen(given.names):
        print(f"Wrote {notebooks.execute(name, given.tier)}.", flush=True)


def generate_samples(given: argparse.Namespace) -> None:
    """wgangp generate WHAT"""
    from reproduction import sampling
    from reproduction.experiment import full_name, names

    sampling.check_output(given.output)
    devices.choose(given.device)
    what = given.what
    if not Path(what).exists() and any(name.startswith(what) for name in names()):
        what = full_name(what)
    about = {"setting": given.setting, "tier": given.tier, "run_seed": given.run_seed, "label": given.label}
    samples = sampling.generate(what, given.number, given.seed, **about)
    sampling.write(given.output, samples)
    print(f"Wrote {given.output}: {samples.dtype} {list(samples.shape)}.")


def score_samples(given: argparse.Namespace) -> None:
    """wgangp score SAMPLES --data NAME"""
    from reproduction import scoring

    devices.choose(given.device)
    scoring.score(given.samples, given.data, given.metric, given.real, given.text)


def manage_data(given: argparse.Namespace) -> None:
    """wgangp data [ACTION] [NAME...]"""
    from wgangp.data import catalogue, download, toy

    if given.action == "list":
        if given.names:
            raise InputError(f"data list lists all files and takes no names; leave out {' '.join(given.names)}.")
        print(catalogue.list_data())
        for name in toy.NAMES:
            print(f"\n{name}: drawn, nothing to fetch\n  sha256 of its first 10,000 points {toy.Toy(name).sha256}")
    elif given.action == "fetch":
        print(download.fetch_data(given.names))
    elif given.action == "verify":
        print(download.verify_data(given.names))
    else:
        devices.choose(given.device)
        convert(
            Path(given.names[0]) if given.names else environment.data_folder() / catalogue.get_entry("inception").file
        )


def convert(source: Path) -> None:
    """Convert Inception weights, and calibrate complete ones on real CIFAR-10."""
    from wgangp.data import images
    from wgangp.metrics.image_scores import calibrate
    from wgangp.metrics.inception_weights import COMPLETE, convert_inception

    target = convert_inception(source, environment.data_folder())
    print(f"Wrote {target}.")
    if target.name == COMPLETE:
        print("Scoring real CIFAR-10 train, which must give 11.24 ± 0.10 ...", flush=True)
        record = calibrate(environment.data_folder(), images.cifar10().images, label="calibration")
        passed = "passed" if record["passed"] else "NOT passed: no score will be called inception_score"
        print(f"{record['mean']:.4f} ± {record['std']:.4f}: {passed}.")


def describe_machine(given: argparse.Namespace) -> None:
    """wgangp doctor"""
    if given.check:
        from reproduction import doctor

        print(doctor.check(given.device))
        return
    import numpy
    import paddle

    import wgangp
    from reproduction import results
    from wgangp.data import catalogue

    root = results.output_root()
    free = shutil.disk_usage(next(folder for folder in (root, *root.parents) if folder.is_dir())).free / 2**30
    state = "" if root.is_dir() else ", is no folder" if root.exists() else ", not made yet"
    commit = f"commit {results.code_commit()}" if results.is_checkout() else "installed without a checkout"
    rows = [
        ("wgangp", f"{wgangp.__version__}, {commit}"),
        ("python", sys.version.split()[0]),
        ("paddle", paddle.__version__ + (" (CUDA)" if paddle.is_compiled_with_cuda() else " (CPU)")),
        ("paddle_aten", kernels.describe()),
        ("numpy", numpy.__version__),
        ("device", devices.choose(given.device)),
        ("devices", ", ".join(devices.available_devices())),
        ("processor", f"{devices.cpu_name()}, {os.cpu_count()} cores"),
        ("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "not set (runs: 1 per process)")),
        ("MKL_DEBUG_CPU_TYPE", os.environ.get("MKL_DEBUG_CPU_TYPE", "not set")),
        ("results", f"{root}{state}, {free:.0f} GiB free"),
    ]
    rows += [(file.name, str(catalogue.find(file.name) or "missing")) for file in catalogue.FILES]
    for name, value in rows:
        print(f"{name:22}{value}")


def show(given: argparse.Namespace) -> None:
    """wgangp show NAME"""
    from reproduction import compare, results, verdicts

    for name in chosen(given.names):
        tables = compare.both(name, dict.fromkeys(compare.SIDES, verdicts.JUDGED_TIERS))
        print(f"{name}\n\n" + compare.as_claims(*(compare.claims(name, tables[side]) for side in compare.SIDES)))
        print("\n" + compare.as_rows(tables) + "\n")
        places = [f"notebooks/{name}.ipynb", f"results/{name}.csv", f"experiments/{name}/config.yaml"]
        figures = sorted((results.output_root() / "paper_figures").glob(f"{name}*.*g"))  # PNG and JPEG
        for path in [*figures, *(results.output_root() / place for place in places)]:
            print(path if path.exists() else results.ROOT / path.relative_to(results.output_root()))
