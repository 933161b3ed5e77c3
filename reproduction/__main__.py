"""The command line: python -m wgangp, or wgangp."""

import argparse
import importlib
import os
import signal
import sys
from pathlib import Path

from reproduction import SEEDS, TIERS, commands, completion, interrupts
from wgangp.errors import InputError, check_number
from wgangp.runtime import devices, environment

# What a command needs is imported when it is called: Paddle alone takes a second. These bring the rest of it along.
MODULES = {
    "run": "reproduction.schedule scipy.stats",
    "compare": "reproduction.compare",
    "show": "reproduction.compare",
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
    "gpus_per_run": {"at_least": 0},
    "cpus_per_run": {"above": 0},
}
EXPERIMENTS = "experiments, or unique beginnings of their names"
COMPUTING = ("data", "doctor", "generate", "run", "score")  # commands that use a device
WITHOUT_CHECKOUT = ("data", "doctor", "score")  # commands of an installed package
FRAME = ("jinja2", "matplotlib", "mistune", "papermill", "pydantic", "seaborn", "yaml")  # of the extra `reproduction`


def check_installation(command: str) -> None:
    """Refuse a command where the repository is missing.

    Raises:
        InputError: it is, and how to get it.
    """
    from reproduction import results

    if command in WITHOUT_CHECKOUT:
        return
    if not results.is_checkout():
        raise InputError(
            f"{command} needs a checkout of the repository: the package installed in {results.ROOT} comes without "
            f"experiments/; clone the repository and run python -m wgangp {command} there."
        )


def import_modules(command: str) -> None:
    """Import what a command needs.

    Raises:
        InputError: a package that only the extra `reproduction` brings is not installed.
    """
    try:
        for module in MODULES[command].split():
            importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name not in FRAME:
            raise
        raise InputError(
            f"{command} needs the package {error.name}, which is not installed; run: "
            "pip install -c constraints.txt -e '.[reproduction]'."
        ) from None


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


def check_ray(given: argparse.Namespace) -> None:
    """Refuse options of a run on one machine together with those of a run on Ray.

    Args:
        given: the parsed arguments of `run`.

    Raises:
        InputError: it names both.
    """
    of_ray = {"--gpus-per-run": given.gpus_per_run, "--cpus-per-run": given.cpus_per_run}
    for option, value in of_ray.items() if given.ray is None else [("--jobs", given.jobs)]:
        if value is not None:
            relation = "needs" if given.ray is None else "does not go with"
            raise InputError(f"{option} {relation} --ray.")


def settle_folders() -> None:
    """Make $WGANGP_OUTPUT and $WGANGP_DATA absolute: workers and notebooks run in other folders than the caller's.

    Raises:
        InputError: one names the home folder of a user who does not exist.
    """
    from reproduction import results

    for name, default in (("WGANGP_OUTPUT", results.output_root()), ("WGANGP_DATA", "data")):
        os.environ[name] = os.path.abspath(environment.named_folder(name, default))


def a_path(text: str) -> Path:
    """A path from the command line; the empty one, which an unset variable gives, would be the current folder.

    Raises:
        argparse.ArgumentTypeError: it is empty.
    """
    if not text:
        raise argparse.ArgumentTypeError("the name is empty; name a file or a folder")
    return Path(text)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="wgangp", description="Reproduces the figures and tables of WGAN-GP.")
    subparsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name, function, text):
        command = subparsers.add_parser(name, help=text, description=text)
        command.set_defaults(function=function)
        return command

    device = os.environ.get("WGANGP_DEVICE") or "auto"
    top.set_defaults(device=device)  # of commands without --device
    run = add("run", commands.run_experiments, "Train and measure an experiment; resumes where it was stopped.")
    run.add_argument(
        "names", metavar="NAME", nargs="+", help=f"{EXPERIMENTS}, or 'all'"
    ).completer = completion.experiments
    run.add_argument("--tier", choices=TIERS, default="short")
    run.add_argument("--seed", type=int, action="append", help="instead of the pinned seeds (may be repeated)")
    setting = run.add_argument("--setting", action="append", help="only this setting (may be repeated)")
    setting.completer = completion.settings
    run.add_argument("--device", default=device, choices=devices.NAMES)
    run.add_argument("--no-tf32", action="store_true", help="train in full float32 on the aten device")
    run.add_argument("--deterministic", action="store_true", help="only kernels that give the same bits every time")
    run.add_argument("--jobs", type=int, help="processes at once (default: the cores on a CPU, 1 on a GPU)")
    run.add_argument("--ray", metavar="ADDRESS", help="run on a Ray cluster, or with 'local' on a Ray of this machine")
    run.add_argument("--gpus-per-run", type=float, metavar="F", help="with --ray: 0.25 puts four runs on a GPU")
    run.add_argument("--cpus-per-run", type=float, metavar="C", help="with --ray: cores, and threads (default: 1)")
    run.add_argument("--budget", type=float, metavar="MINUTES", help="stop cleanly after this time")
    run.add_argument("--fresh", action="store_true", help="do again what is done")
    run.add_argument(
        "--notebooks", action="store_true", help="execute each experiment's notebook and compare it once its runs ended"
    )

    command = add("compare", commands.compare_with_paper, "Print the paper's numbers beside ours.")
    command.add_argument(
        "names", metavar="NAME", nargs="*", help=f"{EXPERIMENTS}; all for none"
    ).completer = completion.experiments
    command.add_argument("--rows", action="store_true", help="every row, not only the claims")
    command.add_argument("--tier", choices=TIERS, help="only rows of this tier (default: the best)")
    command.add_argument("--yours", choices=TIERS, metavar="TIER", help="of yours only this tier; counts its runs")
    command.add_argument("--seed", type=int, action="append", help="with --yours: runs of these seeds are counted")
    command.add_argument("--csv", type=a_path, metavar="FILE", help="write every row into a CSV file, too")
    command.add_argument("--check", action="store_true", help="exit with 1 when a reproduced row no longer is")

    command = add("show", commands.show, "Print claims, verdicts and rows of an experiment, and where its files are.")
    command.add_argument("names", metavar="NAME", nargs="+", help=EXPERIMENTS).completer = completion.experiments

    command = add("import", commands.import_results, "Bring rows and arrays of another output folder into the results.")
    command.add_argument("folder", metavar="FOLDER", type=a_path, help="what $WGANGP_OUTPUT was")

    add("report", commands.write_report, "Write report.html, one self-contained page.")

    add("readme", commands.write_readmes, "Write the tables of the READMEs anew from the committed results.")

    command = add("notebook", commands.execute_notebooks, "Execute an experiment's notebook, which draws its figures.")
    command.add_argument(
        "names", metavar="NAME", nargs="*", help=f"{EXPERIMENTS}; all for none"
    ).completer = completion.experiments
    command.add_argument("--tier", choices=TIERS, help="draw what was last run at this tier (default: the best)")

    data = add("data", commands.manage_data, "List, fetch or verify data files, or convert Inception weights.")
    data.add_argument("action", choices=["list", "fetch", "verify", "convert-inception"], nargs="?", default="list")
    data.add_argument("names", metavar="NAME", nargs="*", help="data sets; for convert-inception the .pth or .npz file")

    score = add("score", commands.score_samples, "Measure samples against a data set.")
    score.add_argument(
        "samples", metavar="SAMPLES", type=a_path, help="what generate writes: .npy, .txt or a folder of images"
    )
    score.add_argument("--data", required=True, help="what to compare with, such as cifar10; see docs/scores.md")
    score.add_argument("--text", metavar="FILE", help="for --data text: in place of the Billion Word corpus")
    score.add_argument("--metric", action="append", help="of images, such as fid_768 (default: what the weights allow)")
    score.add_argument("--real", type=int, help="real images that distances are taken to (default: 10,000)")

    generate = add("generate", commands.generate_samples, "Draw samples from a trained run.")
    generate.add_argument("what", metavar="WHAT", help="an experiment, or runs/…/checkpoint.npz")
    generate.add_argument("--setting", help="of an experiment that has several")
    generate.add_argument("--tier", choices=TIERS, help="of an experiment (default: the best that has a generator)")
    generate.add_argument("--run-seed", type=int, help="seed of the training (default: 0)")
    generate.add_argument("--class", dest="label", metavar="NAME", help="samples of this class only")
    generate.add_argument("-n", "--number", type=int, default=10_000, help="how many samples")
    generate.add_argument("--seed", type=int, default=0, help="of the latent vectors (default: 0)")
    generate.add_argument(
        "-o", "--output", type=a_path, default=Path("samples.npy"), help=".npy, .png (a grid), .txt or a folder (PNGs)"
    )

    command = add("doctor", commands.describe_machine, "Show versions, device and disk, or check a device.")
    command.add_argument("--check", action="store_true", help="train a small model on the device and on the CPU")
    command.add_argument("--device", default=device, choices=devices.NAMES, help="that is shown, or checked")
    return top


def main(arguments: list[str] | None = None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a latin-1 terminal has no Greek letters
    hint = ""
    try:
        top = parser()
        completion.complete(top)
        given = top.parse_args(arguments)
        interrupts.end_with_parent()
        if given.command == "run":
            hint = "; run the same command to resume"
            check_ray(given)
        check_installation(given.command)
        check_numbers(given)
        settle_folders()
        with interrupts.importing():
            if given.command in COMPUTING:
                devices.load_aten(given.device)
            import_modules(given.command)
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
