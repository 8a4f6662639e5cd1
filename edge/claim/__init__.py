"""Who the person says they are: the token on their card, and what reads it.

    reader -> text -> decode (signature, site) -> check_time -> check_door -> Claim

    for reader in open_readers(settings.claim, stdin=sys.stdin.buffer, clock=time.monotonic):
        if text := reader.poll(frame):
            claim = decode(text, trust=trust, site_id=site, received_ns=stream.now_ns())

`edge.papers.card` draws the card. A reader that fails is told and tried again (`edge.claim.attended`); claims go on.
"""

from edge.claim.finding import PREFIX, find_token
from edge.claim.layout import MAX_BYTES, MAX_GROUPS, MAX_HEADER
from edge.claim.readers import open_readers
from edge.claim.rules import check_door, check_time
from edge.claim.token import MAX_TEXT, TOKEN_DOMAIN, Issuer, decode, encode

__all__ = [
    "MAX_BYTES",
    "MAX_GROUPS",
    "MAX_HEADER",
    "MAX_TEXT",
    "PREFIX",
    "TOKEN_DOMAIN",
    "Issuer",
    "check_door",
    "check_time",
    "decode",
    "encode",
    "find_token",
    "open_readers",
]
