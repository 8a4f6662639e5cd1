"""`edge build show`: the same page in English and French, complete, and safe to print whatever a statement holds."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.build.added import Addition, added
from edge.build.attest import Examination
from edge.build.explain import Passage, explain
from edge.build.files import SAID, Discrepancy
from edge.messages import text, translated
from edge.policy.facts import FACTS
from edge.profile import CAPABILITIES, BuildInfo, of
from edge.trust.envelopes import MODEL, PACK, Signer, Verified, sign

ANNA = Verified(b"", "0123456789abcdef", "anna")


def build(profile: str = "device", statement: dict[str, object] | None = None, **more: object) -> BuildInfo:
    return BuildInfo(
        profile,
        f"0.1.0+{profile}",
        of(profile),
        statement=MappingProxyType(statement or {}),
        built="2026-11-01",
        **more,
    )  # type: ignore[arg-type]


def page(sections: tuple[Passage, ...], kind: str) -> str:
    """One section as a single line."""
    return " ".join(" ".join((s.title, *s.lines)) for s in sections if s.kind == kind).replace("\u00a0", " ")


LANGUAGES = ("en", "fr")
DECLARED = {"policy": {"standing": "declared"}}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_declared_fact_every_word_of_one_and_twelve_months(language: str):
    declared = {path: fact for path, fact in FACTS.items() if fact.declared}
    for path, fact in declared.items():
        assert text(f"build.fact.{path}", language)
        assert all(text(f"build.word.{word}", language) for word in fact.allowed)
    assert len(text("build.months", language).split()) == 12


def test_french_has_every_capability_and_every_problem():
    english = {f"build.can.{one.name}": one.can for one in CAPABILITIES}
    english |= {f"build.cannot.{one.name}": one.cannot for one in CAPABILITIES}
    english |= {f"build.problem.{kind}": said for kind, said in SAID.items()}
    for name, words in english.items():
        assert translated(name, words, "fr", name="{name}") != words.format(name="{name}"), name


def test_a_signed_device_says_what_it_can_and_cannot_do():
    told = explain(Examination("here", 206, build(statement=DECLARED), ANNA), "en", added=())
    assert "It captures a face after a person has shown their card" in page(told, "can")
    for words in ("cannot find out who somebody is", "cannot guess age", "keeps no picture", "cannot compare picture"):
        assert words in page(told, "cannot")
    assert "None of this can be switched on later" in page(told, "notes")
    assert "Signed by anna (key 0123456789abcdef), trusted by this machine. All 206 files" in page(told, "vouches")
    assert "It may open a real door." in page(told, "vouches")
    assert "Built on 1 November 2026." in page(told, "origin")


def test_the_same_in_french_with_its_typography():
    told = explain(Examination("ici", 206, build(statement=DECLARED), ANNA), "fr", added=())
    assert "Elle regarde un visage une fois que la personne a présenté sa carte" in page(told, "can")
    assert "Elle ne conserve aucune image de qui que ce soit ;" in page(told, "cannot")
    assert "Elle peut ouvrir une vraie porte." in page(told, "vouches")
    assert "Fabriquée le 1er novembre 2026." in page(told, "origin")
    text = "".join(line for section in told for line in (section.title, *section.lines))
    assert " :" not in text
    assert " ;" not in text
    assert "\u00a0:" in text
    assert "«\u00a0appareil\u00a0»" in text


@pytest.mark.parametrize("problems", [(), (Discrepancy("stray"),)])
def test_the_page_says_what_was_established_by_identity_and_what_was_not(problems: tuple[Discrepancy, ...]):
    told = explain(Examination("x", 206, build(statement=DECLARED), ANNA, problems), "en")
    assert ("compared with what anna signed" in page(told, "known")) is (not problems)
    assert ("By identity: nothing." in page(told, "known")) is bool(problems)
    assert "Analysis of source is advice and can be walked around" in page(told, "known")
    assert "peut être contournée" in page(explain(Examination("x", 1, build(), ANNA), "fr"), "known")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_signed_build_that_declares_nothing_opens_no_door(language: str):
    told = page(explain(Examination("x", 206, build(), ANNA), language), "vouches")
    assert {"en": "It opens no door all the same", "fr": "Elle n'ouvre pourtant aucune porte"}[language] in told


def test_an_altered_build_names_the_files_and_counts_the_rest():
    problems = tuple(Discrepancy("altered", f"edge/{letter}.py") for letter in "abcdefgh")
    told = page(explain(Examination("x", 206, build(statement=DECLARED), ANNA, problems), "en"), "vouches")
    assert "edge/a.py was altered after it was signed" in told
    assert "and 3 more" in told
    assert "edge/f.py" not in told
    assert "It opens nothing." in told
    assert "may open a real door" not in told


def test_a_lab_can_compare_files_and_opens_no_door():
    told = explain(Examination("x", 90, build("lab"), ANNA), "en")
    assert "It compares the faces of two picture files." in page(told, "can")
    assert "It holds no camera, store or door." in page(told, "cannot")
    assert "It opens no door in any case." in page(told, "vouches")


def test_an_installation_nobody_can_read_can_do_nothing():
    broken = BuildInfo("device", "", fault="the build statement cannot be read")
    told = explain(Examination("x", 0, broken, None, (Discrepancy("statement"), Discrepancy("unsigned"))), "en")
    assert "What this installation is cannot be established" in page(told, "title")
    assert page(told, "can") == "What it can do Nothing."


@pytest.mark.parametrize(("dirty", "words"), [(True, "commit c0ffeec0ffee WITH CHANGES"), (False, "without changes")])
def test_where_it_comes_from_is_said(dirty: bool, words: str):
    told = explain(Examination("x", 1, build(commit="c0ffee" * 6, dirty=dirty), ANNA), "en")
    assert words in page(told, "origin")


@pytest.mark.parametrize("more", [{}, {"commit": "c0ffee" * 6, "dirty": None}])
def test_a_source_that_is_not_known_is_said_so(more: dict[str, object]):
    assert "is not known" in page(explain(Examination("x", 1, build(**more), ANNA), "en"), "origin")


def test_documents_are_told_one_by_one_and_an_empty_list_as_nothing():
    records = [{"date": "2026-10-01", "kind": "dpia", "name": "Doors"}, {"date": "2026-10-02", "kind": "review"}]
    found = Examination("x", 1, build(statement={"deployment": {"exports": [], "records": records}}), ANNA)
    english, french = (page(explain(found, language), "declared") for language in LANGUAGES)
    assert "document: data protection impact assessment, Doors, 2026-10-01" in english
    assert "what leaves the device besides decisions: nothing" in english
    assert "document : analyse d'impact (AIPD), Doors, 2026-10-01" in french


def test_what_was_declared_is_read_out_as_declared():
    facts = {"operator.type": "landlord", "purpose": ["access-control"], "own_claim": True, "scale.people": 40}
    found = Examination("x", 1, build(statement={"deployment": facts}), ANNA)
    english, french = (page(explain(found, language), "declared") for language in LANGUAGES)
    for part in (
        "kind of operator: landlord",
        "purpose: access control",
        "number of people: 40",
        "Nobody has verified",
    ):
        assert part in english
    for part in (
        "type d'exploitant : bailleur",
        "finalité : contrôle d'accès",
        "propre compte : oui",
        "Personne ne les",
    ):
        assert part in french


@settings(deadline=None)
@given(st.recursive(st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_nothing_of_a_statement_reaches_the_terminal_unprintable_or_without_end(value: object):
    found = Examination("x", 1, build(statement={"deployment": {"operator": {"name": value}}}), ANNA)
    for language in LANGUAGES:
        lines = [line for section in explain(found, language) for line in section.lines]
        assert all(letter.isprintable() or letter == "\u00a0" for line in lines for letter in line)
        assert max(map(len, lines)) < 1200


# -- what was added --------------------------------------------------------------------------------------------------


def test_what_was_added_to_a_device_is_listed_with_its_signer(tmp_path: Path):
    import json

    signer, stranger = Signer.generate("acme"), Signer.generate("x")
    state, trust = tmp_path / "state", tmp_path / "trust"
    for role in ("models", "packs"):
        (trust / role).mkdir(parents=True)
        (trust / role / "acme.pem").write_bytes(signer.public.pem())
    for name, key, content in (("good", signer, b"card"), ("bad", stranger, b"card"), ("changed", signer, b"other")):
        folder = state / "models" / name
        folder.mkdir(parents=True)
        (folder / "card.yaml").write_bytes(content)
        (folder / "card.dsse.json").write_text(json.dumps(sign(b"card", MODEL, key)))
    (state / "packs").mkdir()
    (state / "packs" / "ours.dsse.json").write_text(json.dumps(sign(b"pack", PACK, signer)))
    (state / "packs" / "torn.dsse.json").write_text("{")
    found = added(state, trust)
    assert found == (
        Addition("model", "bad"),
        Addition("model", "changed"),
        Addition("model", "good", "acme"),
        Addition("pack", "ours", "acme"),
        Addition("pack", "torn"),
    )
    told = page(explain(Examination("x", 1, build(), ANNA), "en", added=found), "added")
    assert "model good, signed by acme" in told
    assert "model bad: NOT USED" in told
    assert "policy pack ours, signed by acme" in told
    french = page(explain(Examination("x", 1, build(), ANNA), "fr", added=found), "added")
    assert "modèle bad : NON UTILISÉ" in french


def test_a_device_to_which_nothing_was_added_says_so(tmp_path: Path):
    assert added(tmp_path / "none", tmp_path / "trust") == ()
    assert "Nothing." in page(explain(Examination("x", 1, build(), ANNA), "en", added=()), "added")
    assert page(explain(Examination("x", 1, build(), ANNA), "en"), "added") == ""
