"""The places that were looked at, one by one, in groups: what may stand there and why, then one place a line.

    [check] why these places may hold such a pattern
    kinds of patterns | digest of the function, - where its shape is what was reviewed | file | function

Kept with the help of ``python -m tests.prove.review``, which says what has no row, has changed, or is gone. A group
whose reason begins with EXCEPTION is one that this product would rather not have; every report shows it as a warning.
"""

from __future__ import annotations

_TEXT = """

[collections] tries to open sealed records for an auditor; counts, and keeps nothing
loop | e8720aee4044f145 | edge/prove/live.py | _others
loop | 69f7fe2f21eb41fd | edge/prove/live.py | _right

[collections] the demo's claims, one after the other
loop | 33a43858cb374b29 | edge/service/demo.py | play

[collections] the loop of a door: the next claim after the last one is decided
loop | 11f956d274af4891 | edge/service/loop.py | Loop._run
loop | e3a1bf4e1fdf5293 | edge/service/loop.py | Loop._serve

[collections] the captures of one person, at their own enrolment
collection | 58ca7f553c95f255 | edge/session/enrolment.py | Enrolment._same_person
collection, loop | 20e8d0c4dbbccec2 | edge/session/enrolment.py | Enrolment.from_pictures
collection, loop | 80fd79a1242492dd | edge/session/enrolment.py | Enrolment.from_stream
collection | c9531cf4587155d5 | edge/face/match.py | average

[collections] at most K looks of one session at one template
loop | 8a40608f4566c21c | edge/session/verifier.py | _Run.decide

[dynamic] the public names, loaded when they are first used; from a fixed table
code, getattr, guarded | fb116130d0dbf54e | edge/__init__.py | __getattr__

[dynamic] picamera2, where it is installed
guarded | - | edge/camera/pi.py | <module>
code | d885bfe44fe33c19 | edge/camera/pi.py | _picamera2

[dynamic] a weekday of the schedule, from a fixed table
getattr | b59fd08676bd9954 | edge/claim/rules.py | _hours

[dynamic] a command's module, from a fixed table
guarded | - | edge/cli/__init__.py | <module>
code | 679899309cec6259 | edge/cli/__init__.py | _Commands.get_command
code, guarded | 2c39eedf5bccc67f | edge/cli/verify.py | pictures_or_refuse

[dynamic] the public names, from a fixed table; the door's guard is a process of its own
guarded | - | edge/door/__init__.py | <module>
code, getattr | 404faacd3f2513a5 | edge/door/__init__.py | __getattr__
guarded | - | edge/door/guard.py | <module>

[dynamic] fields of a card, by the schema's own names
getattr | 02397d61ea086e27 | edge/face/card.py | parse_card
module | - | edge/models/examine.py | <module>
guarded | - | edge/models/sandbox.py | <module>
guarded | - | edge/models/spec.py | <module>

[dynamic] the model runtime, one of two fixed names
guarded | - | edge/face/runtime.py | <module>
code | f5ed8b19da2e65f1 | edge/face/runtime.py | runtime_module

[dynamic] fields of an entry, from a fixed table
getattr | c1fd6fbc05b623a7 | edge/service/ledger.py | _entry
getattr | b8a2fa13c467469a | edge/journal/entry.py | Entry.line

[dynamic] suggests the nearest known key of a mistyped one
guarded | - | edge/build/buildfile.py | <module>
guarded | - | edge/policy/deployment.py | <module>
guarded | - | edge/settings/translate.py | <module>

[dynamic] compiled files are compared with their source, never run
guarded | - | edge/build/files.py | <module>
code | e7b26af0bb8fc5b0 | edge/build/files.py | InstalledFiles._fits
guarded | - | edge/prove/bytecode.py | <module>
code | - | edge/prove/bytecode.py | _same
guarded | - | edge/prove/stores.py | <module>

[dynamic] the public names, and fields of the settings, from fixed tables
guarded | - | edge/settings/__init__.py | <module>
code, getattr, guarded | cc1bc62f22d101a9 | edge/trust/__init__.py | __getattr__
code, getattr | 5123a5a13c6e4f21 | edge/settings/__init__.py | __getattr__
getattr | 62c81c4d8a20536d | edge/settings/model.py | FaceSettings._ranges

[dynamic] asks the kernel whether the clock is synchronised
guarded | - | edge/state/clock.py | <module>
code | 2dc2a2697cc2cc6b | edge/state/clock.py | kernel_synchronised

[dynamic] the database
guarded | - | edge/state/database.py | <module>
guarded | - | edge/state/fanout.py | <module>
guarded | - | edge/state/limits.py | <module>
guarded | - | edge/vault/store.py | <module>

[dynamic] fields of a receipt, from a fixed table
getattr | 3a0af9905eb1e9bf | edge/vault/consent.py | ConsentReceipt.__post_init__

[scores] paints fictional people, measures pictures; sees no template
reduction | - | edge/fictional/figure.py | _draw_body
reduction | - | edge/fictional/figure.py | _face_mask
reduction | - | edge/fictional/figure.py | _hair_mask
reduction | - | edge/fictional/figure.py | _hair_picture
contraction | - | edge/fictional/figure.py | _without_halo
reduction | - | edge/fictional/figure.py | load_figure
reduction | - | edge/camera/health.py | Health.check
reduction | - | edge/camera/health.py | _quantiles
contraction, numpy, reduction | - | edge/camera/health.py | changing
reduction | - | edge/fictional/mesh.py | Relief.__init__
contraction | - | edge/fictional/mesh.py | Relief.displacement
contraction, reduction | - | edge/fictional/mesh.py | _spread
contraction | - | edge/fictional/mesh.py | rotation
contraction | - | edge/fictional/paint.py | _put_sheet

[scores] letters, drawings and Base45 of a card; sees no template
reduction | - | edge/claim/base45.py | decode
contraction | - | edge/papers/drawing.py | raster
reduction | - | edge/papers/lettering.py | width
accumulation | - | edge/papers/lettering.py | write

[scores] finds, aligns and judges one face in one picture
accumulation, reduction | - | edge/face/align.py | similarity
reduction | - | edge/face/second_pass.py | _together
contraction, reduction | - | edge/face/detect.py | merge
reduction | 52d9ffc1e8ef55fd | edge/models/examine.py | _check_answers
numpy | - | edge/face/feed.py | Feed.__call__
accumulation | - | edge/face/heads.py | Heads.__init__
reduction | - | edge/face/quality.py | Assessor.measure
contraction | - | edge/face/quality_score.py | predict
opencv | - | edge/face/quality.py | Assessor._sharpness
reduction | - | edge/face/quality.py | pose

[scores] error rates of a model's card
reduction | 9ab0a06b16462b8f | edge/build/judge.py | of_card

[scores] counts findings
reduction | 343b0b9144ee1674 | edge/service/fitness.py | tell_selftest
reduction | - | edge/prove/live.py | _controls
reduction | - | edge/prove/live.py | _others
reduction | - | edge/prove/model.py | Report.violations
reduction | - | edge/prove/trials.py | looks_sealed

[scores] the one place where a score is computed: one template, one probe
contraction | 264c93e7eac24ac2 | edge/face/match.py | cosine

[scores] the mean of one person's captures, at their own enrolment
reduction | 80fd79a1242492dd | edge/session/enrolment.py | Enrolment.from_stream
numpy, reduction | c9531cf4587155d5 | edge/face/match.py | average

[sql] hands on the statements of this product's own files; versions of the format
assembled, unknown | 8f491d1bfe6a7d24 | edge/state/database.py | SqliteFile._migrate
passed on | cdac1115632932ff | edge/state/database.py | SqliteFile._prepare
unknown | 98071c7b7037c4f6 | edge/state/database.py | SqliteFile.read
around | 64f15c470a2fa27b | edge/state/database.py | SqliteFile.serialized

[sql] one of three constant statements about `holder`
unknown | 9982f7a64e909677 | edge/vault/store.py | Store._holders

[templates] reads a file, a frame or an archive
gate | 4b8bfc46c0b80b1b | edge/camera/__init__.py | Rotated.read
gate | 3f1467a12a0a026d | edge/camera/capture.py | Pulled._pull
gate | 5fc533701f7e4524 | edge/build/files.py | InstalledFiles.digest
gate | 5fc533701f7e4524 | edge/build/files.py | WheelFiles.digest
gate | f2b55eb9f91cca9d | edge/build/files.py | WheelFiles.read
gate | 4c1c9f0d42759f58 | edge/build/wheels.py | _rewrite
gate | e2c4158c87185396 | edge/prove/bytecode.py | _is_ours
gate | be955ce4a96605ae | edge/prove/bytecode.py | _same
gate | a263a77f2247ede8 | edge/prove/environment.py | _pth
gate | bcde9c82087153e2 | edge/prove/live.py | _controls
gate | 8677b027830d273d | edge/prove/live.py | _product_opens
gate | 4968a1ffb10a3f29 | edge/prove/live.py | try_out
gate | e95d477e9fb12b49 | edge/prove/records.py | _problem
gate | 9776ea2c76b5a823 | edge/prove/records.py | _rows
gate | 3fdad88066cc9886 | edge/prove/rooms.py | _scripts
gate | a502a98555596ddb | edge/prove/static.py | read_sources
gate | 6ef724886ba7b7b4 | edge/prove/stores.py | Store.add_visitor
gate | 1b2224be6ccd4aaf | edge/prove/stores.py | Store.left_over
gate | 24a9d8df26563c5d | edge/prove/stores.py | Store.read
gate | 57701cbd718645b6 | edge/prove/subject.py | Site.read
gate | 47004964efbeb517 | edge/prove/trials.py | opens
gate | f488d71a0fcc1863 | edge/settings/yaml_core.py | parse
gate | 9e3004eb374237da | edge/pictures/decode.py | _read

[templates] a person's own enrolment
gate | f3434adc37c21955 | edge/cli/enrol.py | _consent
gate | 85ea10027fcd785d | edge/session/enrolment.py | Enrolment._embed
gate | 58ca7f553c95f255 | edge/session/enrolment.py | Enrolment._same_person

[templates] loads a model; makes the probe of one look
gate | 92b725aa5689faa6 | edge/face/chain.py | Chain.embed
gate | 4099c8ce8ba45554 | edge/face/chain.py | Chain.load
gate | 2be940addb45cfec | edge/face/chain.py | Chain.with_embedder
gate | - | edge/face/detect.py | Detector.__init__
gate | - | edge/face/embed.py | Embedder.__init__
gate | - | edge/face/golden.py | verify_golden
gate | - | edge/models/installed.py | _bytes

[templates] a model that somebody brought: run on made-up numbers, in a process of its own
gate | - | edge/models/examine.py | examine
gate | - | edge/models/examine.py | verify

[templates] opens a locked key, no template
gate | 95eb2b85dc2feee3 | edge/trust/device.py | RecoveryKey.open_escrow
gate | b862f4d4c707e231 | edge/trust/locked.py | unlock

[templates] seals and opens a made-up vector
gate | 8c398c9227c91f75 | edge/selftest/checks.py | model
gate | b2780401350488c6 | edge/selftest/sealing.py | Bench.open

[templates] enrols the fictional people of the demo
gate | 5bead0bc34bc5442 | edge/service/demo.py | Office.enrol

[templates] the one comparison
gate | 613fe83b439629f8 | edge/face/match.py | compare

[templates] one session: opens one template, embeds a look, compares
gate | 06f6a0ca0e60dc26 | edge/session/verifier.py | Verifier._open
gate | 41993d8c9d0e1b00 | edge/session/verifier.py | _Run._compare

[templates] the two secrets themselves
gate | 0a00f14e8fdcdd9f | edge/types/vectors.py | Probe.consume
gate | d32f8070d92fa306 | edge/types/vectors.py | Template.read
gate | ae7ad9d568c2ee99 | edge/types/vectors.py | _Vector.__init__
gate | 3f47326a7387b136 | edge/types/vectors.py | _Vector.dimension
gate | 00676006be7b9160 | edge/types/vectors.py | _Vector.erase

[templates] opens the one template of a claim
gate | - | edge/vault/schema.py | <module>
gate | 0f0cd3b8d6863b13 | edge/vault/seal.py | open_sealed
gate | 28f6daaf51e005de | edge/vault/store.py | Store.template
gate | a8ed78105ad031df | edge/vault/vault.py | Vault.open

[sql] a name of a thread, in words; no statement
template | 8c60b9f8d1696a90 | edge/service/observers.py | Observers.add

[dynamic] fields of an event, by their own names
getattr | 8d0750f778af6db1 | edge/types/events.py | Event.as_json

[templates] the captures of one person, at their own enrolment or renewal
gate | 075f656fb22ae057 | edge/session/verifier.py | Verifier.same_person
gate | fbb4fda65ce9b648 | edge/service/operator.py | Operator._capture
gate | b17b94dccaa37dc0 | edge/service/operator.py | Operator._capture_of_holder

[templates] a new card for the holder of an old one: opened with it, sealed again under the new one
gate | 7d616185b4088f4b | edge/vault/vault.py | Vault.prepare_reissue

[dynamic] the class of an error that the running door names, among those of edge.errors
getattr | ae1415214f2f4aaa | edge/service/remote.py | _error

[dynamic] fields of a token, by their own names
getattr | 72b7bcbc6442c636 | edge/claim/token.py | decode

[dynamic] an operator's act, from a fixed table
getattr | b19706f7c95d6a96 | edge/service/operator.py | Operator.do

[dynamic] sockets: of the operator's acts, in the state folder
module | - | edge/service/operator_socket.py | <module>
module | - | edge/service/remote.py | <module>

[listeners] operators' acts on a running door: a Unix socket of mode 0600 in its state folder
module | - | edge/service/operator_socket.py | <module>
call | 678d5baee664d391 | edge/service/operator_socket.py | OperatorSocket.__init__
call | d33de50feb366460 | edge/service/operator_socket.py | OperatorSocket._accept
module | - | edge/service/remote.py | <module>
"""


def _rows() -> tuple[tuple[str, str, str, str, str, str], ...]:
    found, check, why = [], "", ""
    for line in _TEXT.strip().splitlines():
        if line.startswith("["):
            check, _, why = line[1:].partition("] ")
        elif line:
            kinds, seen, file, function = line.split(" | ")
            found.append((check, file, function, kinds, seen.replace("-", ""), why))
    return tuple(found)


#: (check, file, function, kinds, digest or '', why)
ROWS = _rows()
