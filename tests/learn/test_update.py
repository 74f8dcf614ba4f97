"""A file brought in line with new flows: what is widened, split, left alone, refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli

from fl0p_py.errors import SignatureFileError, UsageError
from fl0p_py.learn.corpus import Corpus
from fl0p_py.learn.toml_edit import entries, inserted, widened
from fl0p_py.learn.update import Update, opened, update
from fl0p_py.signature.pattern import Size
from fl0p_py.signature.text import source_paths
from tests.learn.build import corpus

FILE = '''title = "x"   # odd
# a comment
[[signature]]
id = "ssh.failed"  # keep
name = "failed"
pattern = """tcp 22 = < c41 s30-41 \\
   ( +? c60-70 +? s52 ){1,3} \\
"""
class = "ssh"
outcome = "auth-failed"
note = """
[[signature]]
pattern = "nothing"
"""

# about web
[[ signature ]] # odd too
id = "web"
name = "w"
pattern = 'tcp 80 = < c100-300 +? S10-'
class = "web"
'''

NEAR = [f"tcp 22 < c41 s{30 + i} c{65 + i} s52 >" for i in range(12)]
ANOTHER = [f"tcp 22 < c21 s{30 + i} c7 s{44 + i} c9 s12 >" for i in range(6)]
SUCCESS = ["tcp 22 < c41 s30 c65 s28 >"] * 4
WEB = [f"tcp 80 < c{90 + i * 20} s900" for i in range(12)]


def flows(failed: list[str], web: list[str], success: list[str] = SUCCESS) -> Corpus:
    labels = [*["class=ssh,outcome=auth-failed"] * len(failed), *["class=web"] * len(web)]
    labels += ["class=ssh,outcome=auth-success"] * len(success)
    return corpus([*failed, *web, *success], labels=labels)


def run(found: Corpus, text: str = FILE) -> Update:
    return update(opened(text.encode(), "f.toml"), found)


def changed(found: Update) -> list[tuple[str, str]]:
    """Lines that differ."""
    pairs = zip(found.before.splitlines(), found.after.splitlines(), strict=True)
    return [(old, new) for old, new in pairs if old != new]


def test_a_size_gives_way() -> None:
    assert changed(run(flows(NEAR, []))) == [
        ("   ( +? c60-70 +? s52 ){1,3} \\", "   ( +? c60-77 +? s52 ){1,3} \\")
    ]


def test_the_diff_is_what_patch_takes() -> None:
    found = run(flows(NEAR, WEB))
    lines = found.diff().splitlines()
    assert lines[:2] == ["--- f.toml", "+++ f.toml"]
    assert [line for line in lines[2:] if line[0] in "+-"] == [
        "-   ( +? c60-70 +? s52 ){1,3} \\",
        "+   ( +? c60-77 +? s52 ){1,3} \\",
        "-pattern = 'tcp 80 = < c100-300 +? S10-'",
        "+pattern = 'tcp 80 = < c77-323 +? S10-'",
    ]


def test_another_variant_becomes_an_entry_behind_it() -> None:
    found = run(flows([*NEAR, *ANOTHER], []))
    (new,) = [change for change in found.changes if change.new]
    assert new.flows == len(ANOTHER)
    document = tomli.loads(found.after)
    assert [one["id"] for one in document["signature"]] == ["ssh.failed", new.id, "web"]
    assert document["signature"][1]["outcome"] == "auth-failed"
    assert found.after.index("# about web") > found.after.index(new.id)


@pytest.mark.parametrize(
    ("pause", "changes"),
    [
        ("", [("web.2", True, 9)]),
        ("+? ", [("web", False, 9)]),
    ],
    ids=["a new one names all", "the old one can"],
)
def test_a_signature_is_not_widened_for_flows_that_a_new_one_names_too(
    pause: str, changes: list[tuple[str, bool, int]]
) -> None:
    """Some flows fit the signature but for a size, others have a pause as well."""
    near = [f"tcp 80 < c{340 + i * 10} s900 c7 s9" for i in range(3)]
    apart = [f"tcp 80 < c{340 + i * 10} + s900 c7 s9" for i in range(6)]
    other = [f"tcp 80 < c{900 + i} s900 c8 s9" for i in range(6)]
    text = FILE.replace("c100-300 +? S10-", f"c100-300 {pause}S10-")
    found = run(flows([], [*near, *apart], other), text)
    assert [(change.id, change.new, change.flows) for change in found.changes] == changes
    assert (f"c100-300 {pause}S10-" in found.after) == changes[0][1]


def test_nothing_to_do() -> None:
    found = run(flows(NEAR[:4], []))
    assert found.after == FILE and found.diff() == ""
    assert "nothing to change" in "\n".join(found.lines())


def test_no_signature_for_it() -> None:
    text = "\n".join(run(flows(NEAR[:4], [])).lines())
    assert "class=ssh,outcome=auth-success: the file has no signature for it" in text


def test_nothing_gives_way_to_what_another_class_does() -> None:
    success = [f"tcp 22 < c41 s{30 + i} c{71 + i} s52 >" for i in range(6)]
    found = run(flows([f"tcp 22 < c41 s{30 + i} c75 s52 >" for i in range(6)], [], success))
    assert all("c60-7" not in change.what for change in found.changes)
    assert found.left


def test_the_end_of_the_file_without_a_newline() -> None:
    found = run(flows([], [*WEB, *(f"tcp 80 < c5 s7 c{i} s9" for i in range(40, 46))]), FILE.rstrip("\n"))
    assert [change.id for change in found.changes] == ["web", "web.2"]
    assert tomli.loads(found.after)["signature"][2]["id"] == "web.2"


def test_a_broken_file() -> None:
    with pytest.raises(SignatureFileError, match=r"f\.toml: web: pattern"):
        run(flows(NEAR, []), FILE.replace("c100-300", "x100"))


def test_a_byte_order_mark_stays_where_it_is() -> None:
    text = "\ufeff" + FILE[FILE.index("[[") :]
    found = run(flows([*NEAR, *ANOTHER], []), text)
    assert [change.id for change in found.changes] == ["ssh.failed", "ssh.auth-failed.2"]
    assert found.after.startswith("\ufeff[[signature]]\nid") and found.after.count("\ufeff") == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_entry_of_the_shipped_files_can_be_edited(newline: str) -> None:
    folder = Path(*source_paths())
    for path in sorted(folder.glob("*.toml")):
        text = path.read_text().replace("\n", newline)
        tables = tomli.loads(text.replace("\r\n", "\n"))["signature"]
        assert len(entries(text)) == len(tables)
        for number in range(len(tables)):
            wide = widened(text, number, {0: Size(7, 777_777, exact=False)})
            new = tomli.loads(wide.replace("\r\n", "\n"))["signature"][number]["pattern"]
            assert "7-777777" in new
            longer = inserted(text, number, '[[signature]]\nid = "new"\n')
            assert tomli.loads(longer.replace("\r\n", "\n"))["signature"][number + 1] == {"id": "new"}


def test_what_cannot_be_edited_is_refused() -> None:
    inline = 'signature = [ { id = "a", name = "b", pattern = "tcp 22 < c41 s41" } ]\n'
    escaped = '[[signature]]\n"pat\\u0074ern" = "tcp 22 < c41 s41"\n'
    for text in (inline, escaped):
        with pytest.raises(UsageError, match="not written in a way that can be edited"):
            widened(text, 0, {0: Size(1, 2, exact=False)})
