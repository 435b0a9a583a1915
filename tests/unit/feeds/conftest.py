"""A writer of data files."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a writer of a frame under a file name in the test's folder."""

    def write_frame(frame: pl.DataFrame, name: str = "BTCUSDT_1m.parquet") -> Path:
        path = tmp_path / name
        if path.suffix == ".parquet":
            frame.write_parquet(path)
        elif path.suffix == ".csv":
            frame.write_csv(path)
        else:
            frame.write_ipc(path, compression="lz4")
        return path

    return write_frame
