"""What fl0p-learn says does not depend on the order in which it is given files, or files hold their lines."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.cli.learn import main

FILES = 4
FLOWS = 12


def entries(kind: str, draw: Random, count: int) -> list[str]:
    """Lines of a log, some of them equal but for the client."""
    made = []
    for _ in range(count):
        size = draw.randint(60, 66)
        mail = f"tcp 25 < s{draw.randint(40, 60)} c{size} + s250 c6 s37 >"
        web = f"tcp 80 < c{size} s{draw.choice((900, 1448))} s{draw.randint(100, 104)}"
        flow = mail if kind == "mail" else web
        client, server = draw.randint(1, 9), draw.randint(1, 3)
        made.append(f"10.0.0.{client}:4000 -> 192.0.2.{server}:{flow.split()[1]} {flow} : unknown\n")
    return made


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Names of files, and what is in them."""
    folder, draw = tmp_path_factory.mktemp("logs"), Random(4)
    files = {
        str(folder / f"{kind}-{number}.log"): entries(kind, draw, FLOWS)
        for kind in ("mail", "web")
        for number in range(FILES)
    }
    for path, lines in files.items():
        Path(path).write_text("".join(lines))
    return files


def said(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capfd.readouterr().out


ORDERS = st.permutations(range(2 * FILES))


def test_explore_in_any_order_of_files(logs: dict[str, list[str]], capfd: pytest.CaptureFixture[str]) -> None:
    page = Path(next(iter(logs))).with_name("page.html")

    def explored(order: list[int]) -> tuple[str, str]:
        names = [list(logs)[place] for place in order]
        text = said(capfd, "explore", "-q", "--least", "1", "--html", str(page), *names)
        return text, page.read_text()

    straight = explored(list(range(2 * FILES)))

    @settings(max_examples=2)
    @given(ORDERS)
    def same(order: list[int]) -> None:
        assert explored(order) == straight

    same()


def test_explore_in_any_order_of_lines(logs: dict[str, list[str]], capfd: pytest.CaptureFixture[str]) -> None:
    lines = [line for each in logs.values() for line in each]
    log = Path(next(iter(logs))).with_name("one.log")

    def explored(shuffled: list[str]) -> str:
        """What is seen, with the lines themselves in place of their numbers."""
        log.write_text("".join(shuffled))
        text = said(capfd, "explore", "-q", "--least", "1", str(log))
        return re.sub(r":(\d+)(?=,|$)", lambda at: shuffled[int(at[1]) - 1], text, flags=re.MULTILINE)

    straight = explored(lines)
    assert straight.count(" : unknown") > 2

    @settings(max_examples=5)
    @given(st.randoms(use_true_random=False))
    def same(draw: Random) -> None:
        shuffled = list(lines)
        draw.shuffle(shuffled)
        assert explored(shuffled) == straight

    same()


def test_learn_in_any_order(logs: dict[str, list[str]], capfd: pytest.CaptureFixture[str]) -> None:
    mail, web = list(logs)[:FILES], list(logs)[FILES:]

    def learned(draw: Random) -> str:
        groups = [["--label", "mail", *mail], ["--label", "web", *web[:2]], ["--background", *web[2:]]]
        for group in groups:
            files = group[2:] if group[0] == "--label" else group[1:]
            draw.shuffle(files)
            group[-len(files) :] = files
        draw.shuffle(groups)
        return said(capfd, "learn", "-q", "--holdout", "0.3", *(word for group in groups for word in group))

    straight = learned(Random(0))
    assert straight.count("[[signature]]") >= 1

    @settings(max_examples=3)
    @given(st.randoms(use_true_random=False))
    def same(draw: Random) -> None:
        assert learned(draw) == straight

    same()
