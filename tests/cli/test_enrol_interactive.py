"""Enrolment at a terminal: the person reads what it is about, is asked, and may say no."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import Desk


class Terminal:
    """A command on a pseudo-terminal, answered at its prompts."""

    def __init__(self, *arguments: str) -> None:
        self.handle, other = pty.openpty()
        command = [sys.executable, "-m", "edge", *arguments]
        self.process = subprocess.Popen(command, stdin=other, stdout=other, stderr=other, close_fds=True)
        os.close(other)
        self.text = ""

    def expect(self, words: str, timeout_s: float = 60.0) -> None:
        """Read until the words appear."""
        until = time.monotonic() + timeout_s
        while words not in self.text:
            assert time.monotonic() < until, self.text
            if select.select([self.handle], [], [], 0.2)[0]:
                try:
                    self.text += os.read(self.handle, 65536).decode(errors="replace")
                except OSError:  # the other side is gone
                    break
        assert words in self.text, self.text

    def answer(self, text: str) -> None:
        os.write(self.handle, text.encode() + b"\n")

    def end(self) -> int:
        self.expect("", 0)
        code = self.process.wait(60)
        os.close(self.handle)
        return code


def enrol(desk: Desk, *more: str) -> Terminal:
    images = ("--image", desk.person("ada", 1), "--image", desk.person("ada", 2))
    return Terminal("enrol", "--config", str(desk.config), *images, "--card", str(desk.folder / "ada.token"), *more)


def test_the_person_is_asked_and_gets_a_card(desk):
    terminal = enrol(desk)
    terminal.expect("Operator")
    terminal.answer("kim")
    terminal.expect("You may refuse, and use the other way in: Please ask at the reception.")
    terminal.expect("Does the person agree?")
    terminal.answer("y")
    terminal.expect("Who agrees")
    terminal.answer("Ada Example")
    terminal.expect("How they withdraw")
    terminal.answer("privacy@example.org")
    terminal.expect("this file IS the card")
    assert terminal.end() == 0
    assert (desk.folder / "ada.token").read_text().startswith("EV1:")


@pytest.mark.parametrize(
    ("lang", "yes", "words"),
    [
        ("fr", "o", ("aucune image", "Vous pouvez refuser", "est-elle d’accord", "Qui consent", "Où retirer")),
        ("de", "j", ("kein Bild", "Sie können ablehnen", "einverstanden", "Wer willigt ein", "Wo widerrufen")),
    ],
)
def test_the_person_is_asked_in_their_language(desk, lang, yes, words):
    terminal = enrol(desk, "--lang", lang, "--operator", "kim")
    numbers, refuse, agree, who, withdrawal = words
    terminal.expect(numbers)
    terminal.expect(refuse)
    terminal.expect(agree)
    terminal.answer(yes)
    terminal.expect(who)
    terminal.answer("Zoë")
    terminal.expect(withdrawal)
    terminal.answer("privacy@example.org")
    terminal.expect({"fr": "Consentement au texte", "de": "Einwilligung in den Text"}[lang])
    assert terminal.end() == 0


def test_a_person_who_says_no_is_not_looked_at(desk):
    terminal = enrol(desk)
    terminal.expect("Operator")
    terminal.answer("kim")
    terminal.expect("Does the person agree?")
    terminal.answer("n")
    terminal.expect("did not agree")
    assert terminal.end() == 3
    assert not (desk.folder / "ada.token").exists()
