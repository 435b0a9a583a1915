"""Where numba looks for machine code when the folder of the sources is not to be written, as in an image.

It keeps code beside the sources, and where it may not write there, in a folder of the user, which is empty at
first. The code that was made with the installation is brought there, so that nobody compiles it again.
"""

import os
import shutil
from pathlib import Path
from typing import Any, Final

import numba.core.config
from numba.core.caching import UserProvidedCacheLocator

from bot.backtest.kernel import compiled_loop

_config: Any = numba.core.config  # its names are made when it is imported
_BESIDE: Final = Path(compiled_loop.__file__).parent / "__pycache__"
_NAME: Final = "ringfence-kernel-"


def bring_made_code(digest: str) -> None:
    """Have numba look into the user's cache, with the code of these sources in it, where it must.

    OSError: the user has no cache that can be written.
    """
    if _config.CACHE_DIR or os.access(_BESIDE.parent, os.W_OK):
        return
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    own = caches / f"{_NAME}{digest[:16]}"
    _config.CACHE_DIR = str(own)
    bring(_BESIDE, own / UserProvidedCacheLocator.get_suitable_cache_subpath(compiled_loop.__file__))
    for older in caches.glob(f"{_NAME}*"):
        if older != own:
            shutil.rmtree(older, ignore_errors=True)


def bring(made: Path, kept: Path) -> None:
    """Copy the machine code of `made` that `kept` does not hold; an index comes after what it names."""
    files = [*sorted(made.glob("*.nbc")), *sorted(made.glob("*.nbi"))]
    kept.mkdir(parents=True, exist_ok=True)
    for file in files:
        if not (kept / file.name).exists():
            draft = kept / f".{file.name}.{os.getpid()}"
            shutil.copyfile(file, draft)
            draft.replace(kept / file.name)
