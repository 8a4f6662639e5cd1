"""Every message is there, in every complete language, with the same values, and compiled as it is written."""

from __future__ import annotations

import ast
import re
import shutil
import string
import subprocess

import pytest

from edge.build.files import SAID
from edge.journal.kinds import KINDS
from edge.messages import LANGUAGES, language_of, text, waiting
from edge.policy.facts import FACTS
from edge.profile import CAPABILITIES
from edge.service.rights import Done, Remains
from edge.types import Advice, Outcome, Reason
from edge.vault import RetentionRule, Status
from tests.messages.catalogues import MESSAGES, compiled, read

EDGE = MESSAGES.parent
ENGLISH = {message.msgid: message.msgstr for message in read(MESSAGES / "en.po")[1:]}
#: The page of a build, for installers and auditors: English and French.
PAGE_OF_A_BUILD = "build."
#: Contexts of words whose English stands in the program, and the same words in both languages.
IN_THE_PROGRAM = {
    **{f"build.{name}.{one.name}": getattr(one, name) for one in CAPABILITIES for name in ("can", "cannot")},
    **{f"build.problem.{kind}": said for kind, said in SAID.items()},
}
COGNATES = {"build.fact.records"} | {
    f"build.word.{word}" for word in ("association", "identification", "marketing", "exception")
}
#: Messages whose names are put together in the source: prefix -> what follows it.
COMPOSED = {
    "decision.": Outcome,
    "outcome.": Outcome,
    "reason.": Reason,
    "advice.": Advice,
    "status.": Status,
    "done.": Done,
    "remains.": Remains,
    "rule.": RetentionRule,
    "kind.": [kind for kind, fields in KINDS.items() if "serial" in fields and kind != "decision"],
    "not_kept.": ("pictures", "scores", "name", "others"),
    "report.": ("card", "template", "consent", "counters", "journal", "not_kept", "rights"),
    "erasure.": ("done", "remains"),
    "ask.": ("reference.card", "reference.device", "use", "refuse", "withdraw"),
    "build.fact.": [path for path, fact in FACTS.items() if fact.declared],
    "build.word.": sorted({word for fact in FACTS.values() if fact.declared for word in fact.allowed}),
    "build.profile.": ("device", "lab", "development"),
    "build.": [f"{what}_{kind}" for what in ("added", "refused") for kind in ("model", "pack")],
    "page.": ("use", "key", "content.card", "content.device", "content.none"),
}
COMPOSED_NAMES = {f"{prefix}{end}" for prefix, ends in COMPOSED.items() for end in ends} | {
    f"page.{name}.heading" for name in ("use", "key", "content", "consent")
}


def braces(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


def literals() -> set[str]:
    """Every text constant of the product."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in EDGE.rglob("*.py"))
    return {
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def in_the_pages() -> set[str]:
    """What the scripts of the pages say, and what takes others' places for a PIN alone."""
    said: set[str] = set()
    for path in (EDGE / "kiosk").rglob("*.js"):
        for name in re.findall(r"""["`]((?:kiosk|desk)\.[^"`]+)["`]""", path.read_text(encoding="utf-8")):
            one = re.compile(re.sub(r"\\\$\\\{.*?(\\\}|$)", "[a-z_]+", re.escape(name)))
            meant = {message for message in ENGLISH if one.fullmatch(message)}
            assert meant, f"{path.name} says {name}, which has no words"
            said |= meant
    return said | {name for name in ENGLISH if name.replace(".alone", "", 1) in said}


@pytest.mark.parametrize("language", ["fr", "de", "es", "ar"])
def test_a_catalogue_translates_the_english_words_of_today_with_their_values(language: str):
    for message in read(MESSAGES / f"{language}.po")[1:]:
        english = ENGLISH | IN_THE_PROGRAM
        assert english.get(message.context) == message.msgid, f"{message.context}: the English words have changed"
        assert braces(message.msgstr) == braces(message.msgid), message.context
        assert message.msgstr.strip() == message.msgstr != "", message.context
        same = len(message.msgid) < 8 or message.context in COGNATES
        assert message.msgstr != message.msgid or same, f"{message.context} is not translated"


@pytest.mark.parametrize("language", [tag for tag in LANGUAGES if tag != "en"])
def test_no_message_is_untranslated(language: str):
    wanted = {name for name in ENGLISH if language == "fr" or not name.startswith(PAGE_OF_A_BUILD)}
    wanted |= set(IN_THE_PROGRAM) if language == "fr" else set()
    assert not wanted - {message.context for message in read(MESSAGES / f"{language}.po")}


def test_every_message_is_used_and_every_one_that_is_used_is_there():
    found = literals() | in_the_pages()
    assert set(ENGLISH) >= COMPOSED_NAMES
    assert not [name for name, words in ENGLISH.items() if name == words], "`text` takes such a name for a missing one"
    assert not [name for name in ENGLISH if name not in found | COMPOSED_NAMES]
    called = re.compile(r'\b(?:text|say|words)\(\s*"([a-z_.]+)"')
    sources = (path.read_text(encoding="utf-8") for path in EDGE.rglob("*.py"))
    used = {name for source in sources if "from edge.messages" in source for name in called.findall(source)}
    assert not used - set(ENGLISH), "these have no words"


@pytest.mark.parametrize("path", sorted(MESSAGES.glob("*.po")), ids=lambda path: path.name)
def test_the_compiled_file_is_the_text_compiled(path):
    assert path.with_suffix(".mo").read_bytes() == compiled(read(path)), "run: python -m tests.messages.catalogues"
    if shutil.which("msgfmt"):
        subprocess.run(["msgfmt", "--check-format", "--check-domain", "-o", "/dev/null", path], check=True)


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("fr-CA", "fr"),
        ("FR", "fr"),
        ("de_AT", "de"),
        ("en-GB", "en"),
        ("it", "en"),
        ("es-MX", "es"),
        ("ar", "ar"),
        ("", "en"),
    ],
)
def test_papers_speak_a_language_that_is_there_or_english(tag: str, language: str):
    assert language_of(tag) == language


def test_a_message_that_a_language_lacks_is_said_in_english():
    assert text("reason.no_face", "es-MX") == "no se ha visto a nadie"
    assert text("report.card", "it") == "Your card"


def test_a_mistake_in_a_program_does_not_become_words():
    for wrong in (lambda: text("no.such.message"), lambda: text("wait.seconds", "fr")):
        with pytest.raises(KeyError):
            wrong()


@pytest.mark.parametrize(("seconds", "words"), [(0, ""), (1, "wait 1 s"), (119, "wait 119 s"), (121, "wait 3 min")])
def test_a_wait_is_said_with_its_length(seconds: int, words: str):
    assert waiting(seconds) == words


def test_a_value_among_arabic_words_stands_by_itself_so_that_a_date_is_not_turned_round():
    said = text("page.consent.until", "ar", until="2026-11-20")
    assert "\u20682026-11-20\u2069" in said
    assert "\u2068" not in text("page.consent.until", "fr", until="2026-11-20")


#: What an engineer says, and nobody who stands before a door; in Arabic: model, template.
JARGON = {
    "en": "model|template|token|enrol|embedding|detector|reject|session|timeout",
    "fr": "mod[eè]le|gabarit|jeton|enr[oô]l|inscription|rejet|session",
    "de": "modell|template|token|erfassung|zurückgewiesen|sitzung",
    "es": "modelo|plantilla|token|registrarse|rechazo|sesión",
    "ar": "نموذج|قالب|رمز مميز|التسجيل",
}


@pytest.mark.parametrize("language", JARGON)
def test_whoever_stands_before_the_door_is_told_why_in_plain_words(language: str):
    shown = [f"reason.{reason}" for reason in Reason] + [f"advice.{advice}" for advice in Advice]
    shown += [name for name in ENGLISH if name.startswith("kiosk.")]
    said = {name: text(name, language, **dict.fromkeys(braces(ENGLISH[name]), 1)) for name in shown}
    assert {name: words for name, words in said.items() if re.search(JARGON[language], words, re.IGNORECASE)} == {}
