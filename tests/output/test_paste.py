"""The line of an unknown flow, from its protocol on, is a signature that matches this flow."""

from __future__ import annotations

from pathlib import Path

import pytest

from fl0p_py.cli.fl0p import main
from tests.support import captures

ROOT = Path(__file__).parents[2]
OWN = sorted((ROOT / "tests/data").glob("*.pcap"))
NEVER = "udp 1 = < c1048575{255} > : never"


def printed(capfdbinary: pytest.CaptureFixture[bytes], *arguments: str) -> list[str]:
    """The lines of a run that may end in a damaged file, with all flows that it can find."""
    status = main([*arguments, "-lUFqv", "--checksums", "ignore", "--idle", "1000000000", "--all"])
    assert status in (0, 1)
    return capfdbinary.readouterr().out.decode().splitlines()


def paste_back(capture: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    file = tmp_path / "pasted.fp"
    file.write_text(NEVER)
    unknown = [line.split(" ", 3) for line in printed(capfdbinary, "-s", str(capture), "-f", str(file))]
    flows = [(" ".join(words[:3]), words[3].removesuffix(" : unknown")) for words in unknown]
    patterns = list(dict.fromkeys(pattern for _, pattern in flows))
    lines = (
        f"#: id=pasted-{number}\n{pattern} : number {number}\n" for number, pattern in enumerate(patterns)
    )
    file.write_text("".join(lines) or NEVER)

    found: dict[str, list[str]] = {}
    for line in printed(capfdbinary, "-s", str(capture), "-f", str(file)):
        assert not line.endswith(" : unknown"), line
        found.setdefault(" ".join(line.split(" ", 3)[:3]), []).append(line.rpartition(" [")[2].split(",")[0])
    for ends, pattern in flows:
        assert f"pasted-{patterns.index(pattern)}" in found[ends], f"{ends} {pattern}"


@pytest.mark.parametrize("capture", OWN, ids=lambda path: path.name)
def test_paste_our_own_captures_back(
    capture: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    paste_back(capture, tmp_path, capfdbinary)


@captures.needs_captures
@pytest.mark.parametrize("capture", captures.files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_paste_every_capture_back(
    capture: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    paste_back(capture, tmp_path, capfdbinary)
