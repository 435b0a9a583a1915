"""The core stays light: numpy and the standard library, numba never."""

import json
import subprocess
import sys

_PROGRAM = """
import importlib, json, pkgutil, sys
before = set(sys.modules)
import bot.core
for module in pkgutil.iter_modules(bot.core.__path__, "bot.core."):
    importlib.import_module(module.name)
loaded = set(sys.modules) - before
foreign = {name.split(".")[0] for name in loaded} - set(sys.stdlib_module_names)
own = {name for name in loaded if name.startswith("bot.") and not name.startswith("bot.core")}
print(json.dumps(sorted(foreign | own)))
"""


def test_importing_the_core_loads_numpy_and_the_standard_library_only() -> None:
    result = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == ["bot", "numpy"]
