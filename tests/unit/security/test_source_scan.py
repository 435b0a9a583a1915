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
    *("numpy.load", "np.load", "pandas.read_pickle", "pd.read_pickle", "ctypes.CDLL", "tempfile.mktemp"),
}


def faults(source: str) -> Iterator[str]:
    """Yield each thing in `source` that is not allowed, with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            names = []
        yield from (f"{node.lineno}: import {name}" for name in names if name.split(".")[0] in MODULES)  # pyright: ignore[reportAttributeAccessIssue]
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in BUILTINS or called in CALLS:
                yield f"{node.lineno}: {called}()"
            for word in node.keywords:
                value = word.value.value if isinstance(word.value, ast.Constant) else True
                if word.arg in {"shell", "allow_pickle"} and value:
                    yield f"{node.lineno}: {word.arg}={value}"


@pytest.mark.parametrize("folder", ["bot", "strategies", ".ci"])
def test_no_source_runs_text_as_code_or_reads_a_pickle(root: Path, folder: str) -> None:
    files = sorted((root / folder).rglob("*.py"))
    assert files
    found = [f"{file}:{fault}" for file in files for fault in faults(file.read_text(encoding="utf-8"))]
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
