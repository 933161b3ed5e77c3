"""Who may import whom: nothing imports what stands above it."""

import ast
import json

from reproduction.results import ROOT

# From the lowest level to the highest. Each string is a group of modules or packages that may import each other;
# groups of one level may not.
LEVELS = [
    ["wgangp.errors", "paddle_aten"],
    ["wgangp.runtime"],
    ["wgangp.layers"],
    ["wgangp.losses", "wgangp.optimizers"],
    ["wgangp.double_backward"],
    ["wgangp.data", "wgangp.networks"],
    ["wgangp.network_checks", "wgangp.network_state", "wgangp.history"],
    ["wgangp.training_state"],
    ["wgangp.gan wgangp.training"],
    ["wgangp.wgan_gp wgangp.baselines wgangp.conditional", "wgangp.metrics"],
    ["wgangp.paddlescience"],
    ["wgangp"],  # the names that users import from it, such as WGAN_GP
    ["reproduction wgangp.__main__"],
    ["experiments", "notebooks"],
]
LEVEL = {name: i for i, level in enumerate(LEVELS) for group in level for name in group.split()}
GROUP = {name: group for level in LEVELS for group in level for name in group.split()}

# Who alone may import these.
IMPORTERS = {
    "paddle_aten": ["paddle_aten", "wgangp.runtime"],
    "ppsci": ["wgangp.paddlescience"],
    "wgangp.networks": ["wgangp.networks", "reproduction", "experiments", "notebooks"],
}


def sources():
    """{full name of a module: its source}; of a notebook, the source of its code cells."""
    texts = {}
    for folder in ("paddle_aten", "wgangp", "reproduction", "experiments"):
        for path in (ROOT / folder).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            texts[name] = path.read_text()
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = [cell["source"] for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
        texts[f"notebooks.{path.stem}"] = "\n".join(map("".join, cells))
    return texts


SOURCES = sources()


def imported_names(source):
    """Full names of what a source imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import; write the full name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def place(name):
    """The longest beginning of a full name that the rule knows; None where it knows none."""
    parents = [name.rsplit(".", i)[0] for i in range(name.count(".") + 1)]
    return next((parent for parent in parents if parent in LEVEL or parent in IMPORTERS), None)


def allowed(importer, imported):
    """Whether one place may import another."""
    if importer not in IMPORTERS.get(imported, [importer]):
        return False
    return imported not in LEVEL or LEVEL[imported] < LEVEL[importer] or GROUP[imported] == GROUP[importer]


def forbidden(module):
    """(module, what it imports against the rule)."""
    places = {place(name) for name in imported_names(SOURCES[module])} - {None}
    return {(module, imported) for imported in places if not allowed(place(module), imported)}


def test_nothing_imports_what_stands_above_it():
    assert set().union(*map(forbidden, SOURCES)) == set()


def test_every_module_has_a_level():
    assert {place(module) for module in SOURCES} == set(LEVEL)
    assert [module for module in SOURCES if place(module) == "wgangp"] == ["wgangp"]


def lines_of_code(source):
    """Lines that are neither blank nor comments nor docstrings."""
    tree, docstrings = ast.parse(source), set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            docstrings.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = enumerate(map(str.strip, source.splitlines()), 1)
    return sum(bool(line) and not line.startswith("#") and number not in docstrings for number, line in lines)


def test_the_core_stays_small():
    apart = ("wgangp.networks", "wgangp.data", "wgangp.metrics", "wgangp.paddlescience")
    core = [name for name in SOURCES if name.startswith("wgangp") and not name.startswith(apart)]
    assert lines_of_code('"""Two\nlines."""\n\n# One.\nx = 1\n\n\ndef f():\n    """Of f."""\n    return x\n') == 3
    assert 1000 < sum(lines_of_code(SOURCES[name]) for name in core) <= 1900
