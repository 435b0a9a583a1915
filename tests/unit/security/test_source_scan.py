"""The source runs no text as code, reads no pickles, starts no shell; the scan is proved to see them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

MODULES = {
    "pickle",
    "cPickle",
    "_pickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "code",
    "codeop",
}
BUILTINS = {"eval", "exec", "compile", "__import__"}
CALLS = {
    *("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"),
    *("asyncio.create_subprocess_shell", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "yaml.load_all"),
    *("numpy.load", "numpy.lib.npyio.load", "pandas.read_pickle", "ctypes.CDLL", "tempfile.mktemp"),
}


# Who may import what a text names: strategies, our own modules by a table, and doctor, which tries packages.
MAY_IMPORT_BY_NAME = {"bot/plugins.py", "bot/calc/__init__.py", "bot/cli/diagnosis.py"}
IMPORTERS = {"importlib.import_module", "importlib.util.spec_from_file_location", "runpy.run_path"}


def meant(tree: ast.AST) -> dict[str, str]:
    """Return what each imported name stands for: neither `as` nor `from` hides anything."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {each.asname: each.name for each in node.names if each.asname}
        if isinstance(node, ast.ImportFrom):
            names |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return names


def called(node: ast.Call, names: dict[str, str]) -> str:
    first, dot, rest = ast.unparse(node.func).partition(".")
    return (names.get(first, first) + dot + rest).removeprefix("builtins.")


def modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def faults(source: str, file: str = "") -> Iterator[str]:
    """Yield each thing in `source` that is not allowed, with its line."""
    tree = ast.parse(source)
    names = meant(tree)
    forbidden = BUILTINS | CALLS | (set() if file in MAY_IMPORT_BY_NAME else IMPORTERS)
    for node in ast.walk(tree):
        for name in modules(node):
            if name.split(".")[0] in MODULES:
                yield f"import {name}"
        if isinstance(node, ast.Call):
            if called(node, names) in forbidden:
                yield f"{node.lineno}: {called(node, names)}()"
            for word in node.keywords:
                value = word.value.value if isinstance(word.value, ast.Constant) else True
                if word.arg in {"shell", "allow_pickle"} and value:
                    yield f"{node.lineno}: {word.arg}={value}"


@pytest.mark.parametrize("folder", ["bot", "strategies", ".ci"])
def test_no_source_runs_text_as_code_or_reads_a_pickle(root: Path, folder: str) -> None:
    files = sorted((root / folder).rglob("*.py"))
    assert files
    found = [
        f"{file}:{fault}"
        for file in files
        for fault in faults(file.read_text(encoding="utf-8"), file.relative_to(root).as_posix())
    ]
    assert found == []


@pytest.mark.parametrize(
    "planted",
    [
        "import pickle",
        "from joblib import load",
        "import pickle.x as y",
        "def f(x):\n    return eval(x)",
        "exec('1')",
        "import os\nos.system('ls')",
        "subprocess.run('ls', shell=True)",
        "subprocess.run('ls', shell=flag)",
        "yaml.load(text)",
        "np.load(path, allow_pickle=True)",
        "import numpy as np\nnp.load(path)",
        "import numpy as anything\nanything.load(path)",
        "from numpy import load\nload(path)",
        "from os import system as run\nrun('ls')",
        "from yaml import load\nload(text)",
        "import builtins\nbuiltins.eval('1')",
        "import importlib\nimportlib.import_module(name)",
        "from importlib import import_module\nimport_module(name)",
        "import runpy\nrunpy.run_path(name)",
    ],
)
def test_the_scan_sees_what_it_looks_for(planted: str) -> None:
    assert list(faults(planted))


def test_the_scan_passes_what_is_harmless() -> None:
    assert (
        list(faults("subprocess.run(['ls'], shell=False)\nspec.loader.exec_module(m)\nre.compile('x')")) == []
    )


def test_no_verb_and_no_setting_goes_around_a_guard(root: Path) -> None:
    """A flag that switches a check off is found by whoever must not find it."""
    words = ("no-auth", "no_auth", "skip-check", "skip_check", "insecure", "disable-guard", "verify=False")
    for file in (root / "bot").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert not any(word in text for word in words), file
