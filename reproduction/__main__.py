"""The command line: python -m wgangp, or wgangp."""

import argparse
import importlib
import importlib.util
import os
import shutil
import signal
import sys
from pathlib import Path

from reproduction import SEEDS, TIERS, interrupts
from wgangp.errors import InputError, check_number
from wgangp.runtime import devices, environment, kernels

# What a command needs is imported when it is called: Paddle alone takes a second. These bring the rest of it along.
MODULES = {
    "run": "reproduction.schedule scipy.stats",
    "compare": "reproduction.compare",
    "import": "reproduction.merge",
    "report": "reproduction.report",
    "readme": "reproduction.readme",
    "notebook": "papermill",
    "data": "wgangp.data.catalogue",
    "score": "reproduction.scoring",
    "generate": "reproduction.sampling",
    "doctor": "paddle",
}

A_SEED = {"at_least": 0, "below": SEEDS, "whole": True}
A_COUNT = {"at_least": 1, "whole": True}
NUMBERS = {  # options, and their ranges
    "seed": A_SEED,
    "run_seed": A_SEED,
    "jobs": A_COUNT,
    "number": A_COUNT,
    "real": A_COUNT,
    "budget": {"above": 0},
}
COMPUTING = ("data", "doctor", "generate", "run", "score")  # commands that use a device
WITHOUT_CHECKOUT = ("data", "doctor", "score")  # commands of an installed package
FRAME = ("jinja2", "matplotlib", "mistune", "papermill", "pydantic", "seaborn", "yaml")  # of the extra `reproduction`


def check_installation(command: str) -> None:
    """Refuse a command where the repository is missing, or a package that only the extra `reproduction` brings.

    Raises:
        InputError: what is missing, and how to get it.
    """
    from reproduction import results

    if command in WITHOUT_CHECKOUT:
        return
    if not results.is_checkout():
        raise InputError(
            f"{command} needs a checkout of the repository: the package installed in {results.ROOT} comes without "
            f"experiments/; clone the repository and run python -m wgangp {command} there."
        )
    missing = [name for name in FRAME if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"{command} needs packages that are not installed ({', '.join(missing)}); run: "
            "pip install -c constraints.txt -e '.[reproduction]'."
        )


def check_numbers(given: argparse.Namespace) -> None:
    """Refuse numeric options that are out of range.

    Args:
        given: the parsed arguments.

    Raises:
        InputError: it names the option, its value and its range.
    """
    for name, limits in NUMBERS.items():
        values = getattr(given, name, None)
        for value in values if isinstance(values, list) else [values]:
            if value is not None:
                check_number(f"--{name.replace('_', '-')}", value, **limits)


def settle_folders() -> None:
    """Make $WGANGP_OUTPUT and $WGANGP_DATA absolute: workers and notebooks run in other folders than the caller's.

    Raises:
        InputError: one names the home folder of a user who does not exist.
    """
    from reproduction import results

    for name, default in (("WGANGP_OUTPUT", results.output_root()), ("WGANGP_DATA", "data")):
        os.environ[name] = os.path.abspath(environment.named_folder(name, default))


def command_run(given: argparse.Namespace) -> int:
    from reproduction import schedule
    from reproduction.experiment import Experiment

    experiments = [Experiment(name) for name in chosen(given.names)]
    jobs = schedule.jobs_of(experiments, given.tier, given.setting, given.seed)
    devices.check_available(given.device)
    device = {"name": given.device, "tf32": not given.no_tf32, "deterministic": given.deterministic}
    return schedule.run(jobs, device, given.jobs, given.budget, given.fresh, given.notebooks)


def chosen(given: list[str]) -> list[str]:
    """The experiments that were named, each once; all for none or "all"."""
    from reproduction.experiment import names

    return list(dict.fromkeys(given)) if given and "all" not in given else names()


def command_compare(given: argparse.Namespace) -> int:
    import pandas as pd

    from reproduction import compare, results, schedule, verdicts
    from reproduction.experiment import Experiment

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
        print(f"\nTier {given.yours}: {sum(job.done for job in jobs)} of {len(jobs)} runs done.")
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


def command_import(given: argparse.Namespace) -> None:
    from reproduction import merge

    print("\n".join(merge.import_results(given.folder)))


def command_report(given: argparse.Namespace) -> None:
    from reproduction import report

    print(f"Wrote {report.write()}.")


def command_readme(given: argparse.Namespace) -> None:
    from reproduction import readme
    from wgangp.runtime.files import replacing

    for path, text in readme.pages().items():
        with replacing(path) as file:
            file.write(text.encode())
        print(f"Wrote {path}.")


def command_notebook(given: argparse.Namespace) -> None:
    from reproduction import notebooks

    for name in chosen(given.names):
        print(f"Wrote {notebooks.execute(name, given.tier)}.", flush=True)


def command_generate(given: argparse.Namespace) -> None:
    from reproduction import sampling

    sampling.check_output(given.output)
    about = {"setting": given.setting, "tier": given.tier, "run_seed": given.run_seed, "label": given.label}
    samples = sampling.generate(given.what, given.number, given.seed, **about)
    sampling.write(given.output, samples)
    print(f"Wrote {given.output}: {samples.dtype} {list(samples.shape)}.")


def command_score(given: argparse.Namespace) -> None:
    from reproduction import scoring

    scoring.score(given.samples, given.data, given.metric, given.real, given.text)


def command_data(given: argparse.Namespace) -> None:
    from wgangp.data import catalogue, download, toy

    if given.action == "list":
        print(catalogue.list_data())
        for name in toy.NAMES:
            print(f"\n{name}: drawn, nothing to fetch\n  sha256 of its first 10,000 points {toy.Toy(name).sha256}")
    elif given.action == "fetch":
        print(download.fetch_data(given.names))
    elif given.action == "verify":
        print(download.verify_data(given.names))
    else:
        convert(
            Path(given.names[0]) if given.names else environment.data_folder() / catalogue.get_entry("inception").file
        )


def convert(source: Path) -> None:
    """Convert Inception weights, and calibrate complete ones on real CIFAR-10."""
    from wgangp.data import images
    from wgangp.metrics.image_scores import calibrate
    from wgangp.metrics.inception_weights import COMPLETE, PARTIAL, convert_inception

    target = environment.data_folder() / (PARTIAL if source.suffix == ".npz" else COMPLETE)
    complete = convert_inception(source, target)
    print(f"Wrote {target}.")
    if complete:
        print("Scoring real CIFAR-10 train, which must give 11.24 ± 0.10 ...", flush=True)
        record = calibrate(environment.data_folder(), images.cifar10().images, label="calibration")
        passed = "passed" if record["passed"] else "NOT passed: no score will be called inception_score"
        print(f"{record['mean']:.4f} ± {record['std']:.4f}: {passed}.")


def command_doctor(given):
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
        ("device", devices.choose()),
        ("devices", ", ".join(devices.available_devices())),
        ("processor", f"{devices.cpu_name()}, {os.cpu_count()} cores"),
        ("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "not set (runs: 1 per process)")),
        ("MKL_DEBUG_CPU_TYPE", os.environ.get("MKL_DEBUG_CPU_TYPE", "not set")),
        ("results", f"{root}{state}, {free:.0f} GiB free"),
    ]
    rows += [(file.name, str(catalogue.find(file.name) or "missing")) for file in catalogue.FILES]
    for name, value in rows:
        print(f"{name:22}{value}")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="wgangp", description="Reproduces the figures and tables of WGAN-GP.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name, function, text):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(function=function)
        return command

    device = os.environ.get("WGANGP_DEVICE") or "auto"
    run = add("run", command_run, "Train and measure an experiment; resumes where it was stopped.")
    run.add_argument("names", metavar="NAME", nargs="+", help="experiments, or 'all'")
    run.add_argument("--tier", choices=TIERS, default="short")
    run.add_argument("--seed", type=int, action="append", help="instead of the pinned seeds (may be repeated)")
    run.add_argument("--setting", action="append", help="only this setting (may be repeated)")
    run.add_argument("--device", default=device, choices=devices.NAMES)
    run.add_argument("--no-tf32", action="store_true", help="train in full float32 on the aten device")
    run.add_argument("--deterministic", action="store_true", help="only kernels that give the same bits every time")
    run.add_argument("--jobs", type=int, help="processes at once (default: the cores on a CPU, 1 on a GPU)")
    run.add_argument("--budget", type=float, metavar="MINUTES", help="stop cleanly after this time")
    run.add_argument("--fresh", action="store_true", help="do again what is done")
    run.add_argument(
        "--notebooks", action="store_true", help="execute each experiment's notebook and compare it once its runs ended"
    )

    command = add("compare", command_compare, "Print the paper's numbers beside ours.")
    command.add_argument("names", metavar="NAME", nargs="*", help="experiments; all for none")
    command.add_argument("--rows", action="store_true", help="every row, not only the claims")
    command.add_argument("--tier", choices=TIERS, help="only rows of this tier (default: the best)")
    command.add_argument("--yours", choices=TIERS, metavar="TIER", help="of yours only this tier; counts its runs")
    command.add_argument("--seed", type=int, action="append", help="with --yours: runs of these seeds are counted")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write every row into a CSV file, too")
    command.add_argument("--check", action="store_true", help="exit with 1 when a reproduced row no longer is")

    command = add("import", command_import, "Bring rows and arrays of another output folder into the results.")
    command.add_argument("folder", metavar="FOLDER", type=Path, help="what $WGANGP_OUTPUT was")

    add("report", command_report, "Write report.html, one self-contained page.")

    add("readme", command_readme, "Write the tables of the READMEs anew from the committed results.")

    command = add("notebook", command_notebook, "Execute an experiment's notebook, which draws its figures.")
    command.add_argument("names", metavar="NAME", nargs="*", help="experiments; all for none")
    command.add_argument("--tier", choices=TIERS, help="draw what was last run at this tier (default: the best)")

    data = add("data", command_data, "List, fetch or verify data files, or convert Inception weights.")
    data.add_argument("action", choices=["list", "fetch", "verify", "convert-inception"], nargs="?", default="list")
    data.add_argument("names", metavar="NAME", nargs="*", help="data sets; for convert-inception the .pth or .npz file")

    score = add("score", command_score, "Measure samples against a data set.")
    score.add_argument(
        "samples", metavar="SAMPLES", type=Path, help="what generate writes: .npy, .txt or a folder of images"
    )
    score.add_argument("--data", required=True, help="what to compare with, such as cifar10; see docs/scores.md")
    score.add_argument("--text", metavar="FILE", help="for --data text: in place of the Billion Word corpus")
    score.add_argument("--metric", action="append", help="of images, such as fid_768 (default: what the weights allow)")
    score.add_argument("--real", type=int, default=10_000, help="real images that distances are taken to")

    generate = add("generate", command_generate, "Draw samples from a trained run.")
    generate.add_argument("what", metavar="WHAT", help="an experiment, or runs/…/checkpoint.npz")
    generate.add_argument("--setting", help="of an experiment that has several")
    generate.add_argument("--tier", choices=TIERS, help="of an experiment (default: the best that has a generator)")
    generate.add_argument("--run-seed", type=int, default=0, help="seed of the training (default: 0)")
    generate.add_argument("--class", dest="label", metavar="NAME", help="samples of this class only")
    generate.add_argument("-n", "--number", type=int, default=10_000, help="how many samples")
    generate.add_argument("--seed", type=int, default=0, help="of the latent vectors (default: 0)")
    generate.add_argument(
        "-o", "--output", type=Path, default=Path("samples.npy"), help=".npy, .png (a grid), .txt or a folder (PNGs)"
    )

    command = add("doctor", command_doctor, "Show versions, device and disk, or check a device.")
    command.add_argument("--check", action="store_true", help="train a small model on the device and on the CPU")
    command.add_argument("--device", default=device, choices=devices.NAMES, help="of --check")
    return top


def main(arguments: list[str] | None = None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a latin-1 terminal has no Greek letters
    hint = ""
    try:
        given = parser().parse_args(arguments)
        interrupts.end_with_parent()
        if given.command == "run":
            hint = "; run the same command to resume"
        check_installation(given.command)
        check_numbers(given)
        settle_folders()
        with interrupts.importing():
            if given.command in COMPUTING:
                devices.load_aten(getattr(given, "device", "auto"))
            for module in MODULES[given.command].split():
                importlib.import_module(module)
            if arguments is None:
                interrupts.listen(interrupts.interrupt)
        status = given.function(given) or 0
        print(end="", flush=True)
        return status
    except BrokenPipeError:  # the reader is gone, as of `wgangp compare | head -1`
        return 128 + signal.SIGPIPE
    except (InputError, OSError) as error:
        print(f"wgangp: {interrupts.sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nwgangp: stopped{hint}.", file=sys.stderr)
        return 130
    finally:
        try:
            print(end="", flush=True)
        except OSError:  # what cannot be written is dropped, or the interpreter fails with it at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if arguments is None:
            interrupts.listen(signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
