"""What the cards of the shipped models say in words: what they are for and not for, where they fail, whose data.

    python -m models.training.card words      # puts them into both cards; figures and digests stay as they are

`edge models show` prints them; a test compares the cards with this page. A sentence here must hold for every export of
the recipe: what was measured on one file stands in that card's figures.
"""

from __future__ import annotations

from typing import Any

#: Sets by what `models.training.crops.source_of` and checkpoints call them. UTKFace is in no set here any more; the
#: shipped models, which learnt from it, say so until others take their place.
SETS = {
    "ff": {
        "name": "FairFace (aligned crops of adults)",
        "terms": "CC BY 4.0; K. Karkkainen and J. Joo, FairFace: Face Attribute Dataset for Balanced Race, Gender, and "
        "Age for Bias Measurement and Mitigation, WACV 2021; pictures from Flickr; changed: cut out, aligned, chosen",
    },
    "aaf": {
        "name": "All-Age-Faces (aligned crops)",
        "terms": "asks for citation, as its source states: J. Cheng, Y. Li, J. Wang, L. Yu and S. Wang, Exploiting "
        "effective facial patches for robust gender recognition, Tsinghua Science and Technology 24(3), 2019",
    },
    "own": {"name": "pictures of one's own", "terms": "known to whoever trained it"},
    "utk": {"name": "UTKFace (aligned crops)", "terms": "non-commercial research only, as its source states"},
}
MESH = {"name": "MediaPipe face mesh (depth of training crops)", "licence": "Apache-2.0"}
LICENCE = "Apache-2.0 for the weights as far as this project can grant it; the data's terms are above"

EMBEDDER: dict[str, Any] = {
    "intended_use": "One-to-one verification of a consenting, co-operating adult at a door: the comparison of one "
    "probe with the one template that a signed claim opens.",
    "not_for": [
        "searching for a person among many (identification), watch lists, tracking",
        "children",
        "any inference of age, sex, origin, emotion or health",
        "decisions without an alternative that is not biometric",
        "evidence: a score is no proof of who somebody is",
    ],
    "known_failures": [
        "children: the training crops leave out ages under 8, faces change fast after that, and nothing was measured",
        "heavy occlusion: masks, large sunglasses, a hand or a scarf; people are asked to uncover the face, and a "
        "cover that is not noticed raises the non-match rate",
        "profiles: beyond 35 degrees of yaw or 30 of pitch a face is not compared at all (face.max_yaw, max_pitch)",
        "very dark, blurred or over-exposed pictures: asked for again, never compared",
        "twins and close relatives: expect false matches; no set with any was at hand",
        "photographs and screens: the photograph of a person matches the person; detecting attacks is not its task",
        "years between template and probe: not measured; renew templates (edge enrol --renew)",
    ],
    "limits": [
        "false match rates differ between groups of people, by the factors in the table of groups; the overall rate is "
        "the promise for no group",
        "what people of one sex and origin share is taken out of templates, as far as means go; a curved rule still "
        "tells more than nothing (told_from_templates says how much)",
        "a calibration speaks for people and cameras like those it was made with: measure your own with `edge lab`",
        "what it learnt from, and what its teacher did, may not be cleared for commercial use (data, teachers): read "
        "the terms, or retrain it before selling it",
    ],
    "teachers": [
        {"name": "Open Model Zoo face-reidentification-retail-0095", "licence": "Apache-2.0"},
        MESH,
        {"name": "YuNet 2023mar (landmarks that align the crops)", "licence": "MIT"},
    ],
    "retrain": "put crops of your own into DIR/train, aligned (and, to take sex and origin out, named) as "
    "../shared/data/README.md says, beside DIR/scenes and DIR/teachers; then "
    "`python -m models.training.detector prepare --data DIR`, `python -m models.training.embedder "
    "train`, `python -m models.training.embedder export --weights .train/embedder/last.pt --reason WHY`, and "
    "`edge lab calibrate` with people who are not in it",
    "licence": LICENCE,
}

DETECTOR: dict[str, Any] = {
    "intended_use": "Finding the face of a person who stands before a door and five landmarks on it, in a frame "
    "fitted into 192x144: faces of 20-95 % of the frame's height for verification, from 8 % for advice.",
    "not_for": ["counting or following people", "surveillance footage", "proof that nobody is there"],
    "known_failures": [
        "children: the training pictures leave out ages under 8, and nothing was measured",
        "heavy occlusion: landmarks under masks and dark glasses are guesses",
        "profiles: views beyond about 45 degrees and heads turned upside down are missed",
        "small faces: under 8 % of the frame's height they are not looked for",
        "tilts: beyond 30 degrees some are missed; heads tilted by more than 25 are not compared (face.max_roll)",
    ],
    "limits": [
        "some round things look like faces to it (a football, wheels, a letter O); how often stands in its figures. "
        "Beside a person such a thing stops a decision until one of them is out of the picture",
        "two of its training sets may not be cleared for commercial use: retrain it before selling it",
    ],
    "data": [
        {"name": "All-Age-Faces (1,400 portraits, aligned crops)", "terms": "asks for citation, as its source states"},
        SETS["utk"],
        {"name": "687 photographs without a face (ImageNet samples)", "terms": "mixed rights"},
    ],
    "teachers": [{"name": "YuNet 2023mar (labels)", "licence": "MIT"}, MESH],
    "retrain": "put pictures of your own into DIR/train and DIR/scenes, as ../shared/data/README.md says, beside "
    "DIR/teachers; then `python -m models.training.detector prepare --data DIR`, `python -m models.training.detector "
    "train`, `python -m models.training.detector export --reason WHY`",
    "licence": LICENCE,
}

PASSIVE: dict[str, Any] = {
    "intended_use": "Doubting that a living person stands before a door's camera: prints, phones, tablets and displays "
    "held up or set up before it, seen by their edges, hands, light and texture. It only takes away; in doubt a door "
    "asks for a challenge.",
    "not_for": [
        "deciding by itself that a person is alive: an attacker who prepares passes it, RGB alone is a deterrent",
        "injected video: what no camera has seen is another gate's task",
        "any inference about the person",
    ],
    "known_failures": [
        "a real person who puppets a tablet, a worn mask, a cut-out print over a living body: none was shown to it",
        "borderless large screens and prints that fill the view: simulated ones only, and its worst species",
        "children: the training crops leave out ages under 8, and nothing was measured",
        "heavy occlusion of the face, and profiles: the gates before it refuse most of them, nothing was measured",
        "dark pictures: everything is doubted more often",
    ],
    "limits": [
        "every attack that it learnt from was simulated; of real ones it was only measured (accuracy), on 9 people's "
        "prints and 4 people's screens: that shows that something fails, hardly that it works",
        "its errors are people and sittings, not frames: more frames of one session do not mend them",
        "its teachers reject three of nine people alive on the same real frames; it is a copy of the nearer one, as "
        "far as learning from its answers goes, and inherits its errors",
    ],
    "data": [
        SETS["ff"],
        SETS["aaf"],
        {"name": "All-Age-Faces (1,400 portraits)", "terms": "asks for citation, as its source states"},
        {"name": "630 photographs without a face (ImageNet samples)", "terms": "mixed rights"},
        {"name": "fictional people (drawn for this project)", "terms": "Apache-2.0, this project"},
    ],
    "teachers": [
        {"name": "MiniFASNet pair, 2.7_80x80 V2 and 4_0_0 V1SE (Silent-Face-Anti-Spoofing)", "licence": "Apache-2.0"},
        {"name": "YuNet 2023mar (boxes and landmarks of portraits and crops)", "licence": "MIT"},
    ],
    "retrain": "put pictures of your own into DIR/train and DIR/scenes, as ../shared/data/README.md says, beside "
    "DIR/teachers; then `python -m models.training.detector prepare --data DIR`, `python -m models.training.pad "
    "make`, `python -m models.training.pad train`, `python -m models.training.pad export --reason WHY`",
    "licence": LICENCE,
}

WORDS = {"detector": DETECTOR, "embedder": EMBEDDER, "passive": PASSIVE}
