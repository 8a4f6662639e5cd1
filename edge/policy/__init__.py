"""Rules as data, and their verdict on declared facts; see `edge.policy.packs` for the schema of a pack.

    packs, findings = load_packs(files)
    verdict = evaluate(packs, facts)

This room knows no wheel and no file of a build: `edge.build` asks it, and so does a running device every day.
"""
