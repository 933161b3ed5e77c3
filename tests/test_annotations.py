"""Every public function, method and constructor says the type of each argument and of what it returns."""

import inspect
import pkgutil
from importlib import import_module

PACKAGES = ("wgangp", "reproduction")
CALLED = ("__init__", "__call__")  # the methods with underscores that users call


def modules():
    """The modules of both packages; of wgangp.paddlescience where PaddleScience is installed."""
    for package in PACKAGES:
        for info in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if info.name.endswith("__main__"):
                continue
            try:
                yield import_module(info.name)
            except ModuleNotFoundError:
                assert info.name == "wgangp.paddlescience"


def public_functions(owner, module):
    """The public functions of a module or a class that `module` itself defines, those of its classes included."""
    for name, value in vars(owner).items():
        value = getattr(value, "__func__", value)  # of class and static methods
        value = getattr(value, "fget", None) or getattr(value, "func", value)  # of properties, cached or not
        value = inspect.unwrap(value)
        public = not name.startswith("_") or (name in CALLED and inspect.isclass(owner))
        if not public or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            yield from public_functions(value, module)
        elif inspect.isfunction(value):
            yield value, inspect.isclass(owner)


def untyped(function, is_method):
    """The arguments without an annotation, except for unused ones (_), and "return" if it has none."""
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    if is_method and parameters and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    empty = inspect.Parameter.empty
    missing = [parameter.name for parameter in parameters if parameter.annotation is empty and parameter.name != "_"]
    if signature.return_annotation is inspect.Signature.empty and function.__name__ not in CALLED[:1]:
        missing.append("return")
    return missing


def test_an_argument_or_a_return_value_without_annotation_is_named():
    def half_typed(a: int, _, b=2): ...

    class Owner:
        def __init__(self, a): ...

        def typed(self, a: int) -> None: ...

    assert untyped(half_typed, is_method=False) == ["b", "return"]
    assert untyped(Owner.__init__, is_method=True) == ["a"]
    assert untyped(Owner.typed, is_method=True) == []


def test_public_functions_are_typed():
    checked, lacking = 0, []
    for module in modules():
        for function, is_method in public_functions(module, module):
            checked += 1
            if missing := untyped(function, is_method):
                lacking.append(f"{module.__name__}.{function.__qualname__}: {', '.join(missing)}")
    assert checked > 200 and not lacking, "\n".join(lacking)
