"""Debian's chromium without a window: a page opened, acted on by a script, photographed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    *(
        "--headless",
        "--no-sandbox",
        "--hide-scrollbars",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
    ),
    *("--disable-background-networking", "--virtual-time-budget=3000"),
)


class Browser:
    """One of its own profile, so that tests never share a window."""

    def __init__(self, program: str, profile: Path) -> None:
        self._command = [program, *FLAGS, f"--user-data-dir={profile}"]

    def answers(self, page: Path, script: str, width: int = 1000, height: int = 800) -> Any:
        """What a script, run after the page's own, leaves in ``answer``, as JSON types."""
        copy = page.with_name("asked.html")
        ending = f"<script>\nlet answer = null;\n{script}\ndocument.title = JSON.stringify(answer);</script></body>"
        copy.write_text(page.read_text(encoding="utf-8").replace("</body>", ending), encoding="utf-8")
        done = self._run([f"--window-size={width},{height}", "--dump-dom", copy.as_uri()])
        title = re.search(r"<title>(.*?)</title>", done, re.DOTALL)
        assert title is not None, "the page has no title"
        return json.loads(unescape(title[1]))

    def photograph(self, page: Path, path: Path, width: int, height: int) -> Path:
        """A PNG of the page's top."""
        self._run([f"--window-size={width},{height}", f"--screenshot={path}", page.as_uri()])
        return path

    def _run(self, arguments: list[str]) -> str:
        done = subprocess.run(
            [*self._command, *arguments], capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs a browser: apt-get install chromium")
    return Browser(program, tmp_path_factory.mktemp("browser"))
