"""What a person is handed: their card, its page, a receipt, a report. Plain data in; text, HTML, PNG or PDF out.

    write_new(path, check_new(path, CARD_KINDS, state_dir=state)(text), state_dir=state)

Words come from `edge.messages`. A PNG or a card on the terminal needs nothing more; a PDF is set by Typst (the extra
``papers``) with fonts of this machine: `edge.papers.paper`.
"""
