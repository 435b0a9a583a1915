"""A bot that trades listens in one place only, its pages (bot/web): no other module of it opens a port."""

import ast
from pathlib import Path

CALLS = {"start_server", "create_server", "start_unix_server", "serve_forever", "bind", "TCPSite"}
MODULES = {"http.server", "socketserver", "uvicorn", "starlette", "fastapi", "xmlrpc.server", "aiohttp.web"}
# The embedded exchange is a program of its own (`ringfence exchange serve`), on loopback.
OTHERS = ("sim/server/", "cli/exchange", "web/")


def serving(source: str) -> set[str]:
    """Return every module and call in `source` that only a program with a port needs."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & MODULES
        if isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)} & MODULES
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            # A logger is bound to facts, not to an address.
            found |= {node.func.attr} & CALLS if "logger" not in ast.unparse(node.func) else set()
    return found


def test_no_module_of_the_bot_but_its_pages_serves_anything(root: Path) -> None:
    sources = {path.relative_to(root / "bot").as_posix(): path for path in (root / "bot").rglob("*.py")}
    found = {name: serving(path.read_text(encoding="utf-8")) for name, path in sources.items()}
    assert {name: words for name, words in found.items() if words and not name.startswith(OTHERS)} == {}
    assert {"uvicorn", "bind"} <= found["sim/server/serve.py"]
    assert {name for name, words in found.items() if "bind" in words and name.startswith("web/")} == {
        "web/listening.py"
    }
