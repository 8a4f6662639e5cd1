"""The catalogues of `edge/messages` read as text, and compiled: ``python -m tests.messages.catalogues`` renews them.

The build hook has nothing but PyYAML, and people who only run the product need no gettext tools; so the compiled files
are committed, and a test compiles them again. The format is that of the GNU gettext manual, section 10.3.
"""

from __future__ import annotations

import ast
import struct
from dataclasses import dataclass
from pathlib import Path

MESSAGES = Path(__file__).resolve().parent.parent.parent / "edge" / "messages"
CONTEXT_END = "\x04"


@dataclass(frozen=True)
class Message:
    """One entry of a catalogue. ``context`` is the message's name; empty in ``en.po``, where ``msgid`` is."""

    context: str
    msgid: str
    msgstr: str

    @property
    def key(self) -> str:
        return self.context + CONTEXT_END + self.msgid if self.context else self.msgid


def read(path: Path) -> list[Message]:
    """The entries of a .po file, the header (msgid "") first; fuzzy ones are refused."""
    messages: list[Message] = []
    fields: dict[str, str] = {}
    last = ""

    def done() -> None:
        if "msgstr" in fields:
            messages.append(Message(fields.get("msgctxt", ""), fields["msgid"], fields["msgstr"]))
        fields.clear()

    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        where = f"{path.name}:{number}"
        if line.startswith("#"):
            assert "fuzzy" not in line, f"{where}: nobody has looked at this translation"
        elif line.startswith('"'):
            fields[last] += ast.literal_eval(line)
        elif line:
            last, _, value = line.partition(" ")
            assert last in ("msgctxt", "msgid", "msgstr"), f"{where}: {line}"
            if last in fields or (last == "msgctxt" and fields):
                done()
            fields[last] = ast.literal_eval(value)
        else:
            done()
    done()
    return messages


def compiled(messages: list[Message]) -> bytes:
    """The .mo file's content."""
    pairs = sorted((m.key.encode(), m.msgstr.encode()) for m in messages if m.msgstr)
    count, head = len(pairs), 28
    place = head + 16 * count
    tables: list[list[bytes]] = [[], []]
    body = b""
    for column in (0, 1):
        for pair in pairs:
            tables[column].append(struct.pack("<II", len(pair[column]), place + len(body)))
            body += pair[column] + b"\0"
    start = struct.pack("<7I", 0x950412DE, 0, count, head, head + 8 * count, 0, place)
    return start + b"".join(tables[0] + tables[1]) + body


if __name__ == "__main__":
    for source in sorted(MESSAGES.glob("*.po")):
        source.with_suffix(".mo").write_bytes(compiled(read(source)))
        print(source.with_suffix(".mo"))
