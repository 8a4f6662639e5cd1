"""What a person can ask of a device: what is kept about me, and take it away.

    report = about(device, claim)             # everything kept here about the card's person, never the template's bytes
    receipt = erase(device, serial, "kim")    # what was done, and what may remain
    paper = report_document(report, language_of("fr-CA"))
    paper.as_text(), paper.as_html()

The papers speak the language in which the person gave their consent: English, French or German.
"""

from edge.service.rights.document import Document
from edge.service.rights.erasure import Receipt, claim_of, erase, serials_of
from edge.service.rights.erasure import document as receipt_document
from edge.service.rights.phrases import LANGUAGES, language_of
from edge.service.rights.report import Report, about
from edge.service.rights.report import document as report_document

__all__ = [
    "LANGUAGES",
    "Document",
    "Receipt",
    "Report",
    "about",
    "claim_of",
    "erase",
    "language_of",
    "receipt_document",
    "report_document",
    "serials_of",
]
