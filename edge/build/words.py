"""Every text of `edge build show`, in English and French, for people with no technical background.

Workflow: `edge.build.explain` picks sentences here and fills in names, dates and counts. A language is complete when
`tests/build/test_explain.py` finds every capability, problem and declared fact in it. In French the spaces before
`:` and inside « » do not break (U+00A0), as its typography has it.
"""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "fr")

#: Sentences, by name and language.
TEXT: Mapping[str, Mapping[str, str]] = {
    "title": {
        "en": "edge-verifier {version}: what this build can and cannot do",
        "fr": "edge-verifier {version} : ce que cette version peut et ne peut pas faire",
    },
    "device": {
        "en": "This is a device build, made for a door or a kiosk.",
        "fr": "C'est une version « appareil », faite pour une porte ou une borne.",
    },
    "lab": {
        "en": "This is a lab build: it measures face models on picture files. It must not hang at a door, and cannot.",
        "fr": "C'est une version « laboratoire » : elle évalue des modèles de reconnaissance sur des fichiers image. "
        "Elle n'a pas sa place à une porte et ne peut pas en commander une.",
    },
    "development": {
        "en": "This is a development install on a programmer's machine: it holds every part and opens no door.",
        "fr": "C'est une installation de développement, sur la machine d'un programmeur : elle contient tous les "
        "composants et n'ouvre aucune porte.",
    },
    "fault": {
        "en": "What this installation is cannot be established: {fault}. It is treated as able to do nothing.",
        "fr": "Personne ne peut dire ce qu'est cette installation : sa déclaration de fabrication manque ou est "
        "illisible. Elle est donc considérée comme ne pouvant rien faire.",
    },
    "can": {"en": "What it can do", "fr": "Ce qu'elle peut faire"},
    "cannot": {"en": "What it cannot do", "fr": "Ce qu'elle ne peut pas faire"},
    "it": {"en": "It {what}.", "fr": "Elle {what}."},
    "nothing": {"en": "Nothing.", "fr": "Rien."},
    "no_switch": {
        "en": "None of this can be switched on later: what is not in the build is not on the device.",
        "fr": "Rien de cela ne peut être activé plus tard : ce qui n'est pas dans la version n'est pas sur l'appareil.",
    },
    "template": {
        "en": "A template is a list of numbers computed from a face when its owner enrolled. It lies sealed on the "
        "person's card or on the device, and opens with that card only.",
        "fr": "Un gabarit est une suite de nombres calculée à partir d'un visage quand la personne s'est inscrite. Il "
        "est conservé scellé, sur la carte de la personne ou sur l'appareil, et ne s'ouvre qu'avec cette carte.",
    },
    "vouches": {"en": "Who vouches for it", "fr": "Qui s'en porte garant"},
    "signed": {
        "en": "Signed by {name} (key {key}), trusted by this machine. All {files} files are exactly as they were "
        "signed.",
        "fr": "Signée par {name} (clé {key}), à qui cette machine fait confiance. Les {files} fichiers sont exactement "
        "ceux qui ont été signés.",
    },
    "may_drive": {"en": "It may open a real door.", "fr": "Elle peut ouvrir une vraie porte."},
    "unsigned": {
        "en": "No trusted signature covers it: {reason}.",
        "fr": "Aucune signature de confiance ne la couvre : {reason}.",
    },
    "more": {"en": "and {count} more", "fr": "et {count} de plus"},
    "log_only": {
        "en": "It may only write down what a door would do (the log door). It opens nothing.",
        "fr": "Elle peut seulement noter ce qu'une porte ferait (porte « journal »). Elle n'ouvre rien.",
    },
    "undeclared": {
        "en": "It opens no door all the same: where it stands and what for is not declared, so no rule has passed.",
        "fr": "Elle n'ouvre pourtant aucune porte : personne n'a déclaré où elle se trouve ni à quoi elle sert, donc "
        "aucune règle n'a pu être vérifiée.",
    },
    "no_door": {"en": "It opens no door in any case.", "fr": "Elle n'ouvre de toute façon aucune porte."},
    "known": {"en": "How this is known", "fr": "Comment on le sait"},
    "by_identity": {
        "en": "By identity: each file was compared with what {name} signed. If you trust {name}, that settles it.",
        "fr": "Par identité : chaque fichier a été comparé à ce que {name} a signé. Faire confiance à {name} suffit.",
    },
    "not_by_identity": {
        "en": "By identity: nothing. No signature that this machine trusts covers all of these files, so this page is "
        "only what the build says of itself.",
        "fr": "Par identité : rien. Aucune signature de confiance ne couvre tous ces fichiers : cette page n'est que "
        "ce que la version dit d'elle-même.",
    },
    "by_analysis": {
        "en": "By analysis and by trying: nothing on this page; `edge prove` does both. Analysis of source is advice "
        "and can be walked around. What counts is identity: that these are the files of a build that you trust.",
        "fr": "Par analyse et par essai : rien sur cette page ; `edge prove` fait les deux. L'analyse du code est "
        "une aide et peut être contournée. Ce qui compte est l'identité : que ces fichiers soient ceux d'une version à "
        "laquelle vous faites confiance.",
    },
    "origin": {"en": "Where it comes from", "fr": "D'où elle vient"},
    "built": {"en": "Built on {date}.", "fr": "Fabriquée le {date}."},
    "commit": {
        "en": "Made from the published source, commit {commit}, without changes.",
        "fr": "Faite à partir du code source publié, révision {commit}, sans modification.",
    },
    "dirty": {
        "en": "Made from commit {commit} WITH CHANGES that were never published: nobody else can reproduce it.",
        "fr": "Faite à partir de la révision {commit} du code source, AVEC DES MODIFICATIONS jamais publiées : "
        "personne d'autre ne peut la refaire.",
    },
    "own_driver": {
        "en": "The driver of the camera, {name} (SHA-256 {digest}...), is not part of this product: whoever built it "
        "wrote it or took it from others. It decides which pictures are seen.",
        "fr": "Le pilote de la caméra, {name} (SHA-256 {digest}...), ne fait pas partie de ce produit : il vient de "
        "ceux qui ont fabriqué cette version. C'est lui qui décide quelles images sont vues.",
    },
    "no_commit": {
        "en": "The source it was made from is not known.",
        "fr": "On ne sait pas à partir de quel code source elle a été faite.",
    },
    "added": {"en": "Added on this device since", "fr": "Ajouté depuis sur cet appareil"},
    "added_none": {"en": "Nothing.", "fr": "Rien."},
    "added_model": {"en": "model {name}, signed by {signer}", "fr": "modèle {name}, signé par {signer}"},
    "added_pack": {"en": "policy pack {name}, signed by {signer}", "fr": "règles {name}, signées par {signer}"},
    "refused_model": {
        "en": "model {name}: NOT USED, no trusted signature covers it",
        "fr": "modèle {name} : NON UTILISÉ, aucune signature de confiance ne le couvre",
    },
    "refused_pack": {
        "en": "policy pack {name}: NOT USED, no trusted signature covers it",
        "fr": "règles {name} : NON UTILISÉES, aucune signature de confiance ne les couvre",
    },
    "declared": {"en": "What its operator declared", "fr": "Ce que son exploitant a déclaré"},
    "declared_none": {"en": "Nothing.", "fr": "Rien."},
    "declared_only": {
        "en": "These are the operator's own words. Nobody has verified them.",
        "fr": "Ce sont les déclarations de l'exploitant lui-même. Personne ne les a vérifiées.",
    },
    "fact": {"en": "{name}: {value}", "fr": "{name} : {value}"},
    "none": {"en": "nothing", "fr": "rien"},
    "yes": {"en": "yes", "fr": "oui"},
    "no": {"en": "no", "fr": "non"},
}

#: Capability -> (what it can do, what it cannot). English stands with the capability itself.
FRENCH_CAPABILITIES: Mapping[str, tuple[str, str]] = {
    "one_to_many_search": (
        "retrouve qui est quelqu'un en comparant son visage à ceux de nombreuses personnes",
        "ne peut pas retrouver qui est quelqu'un : un visage est comparé à un seul gabarit, celui de la carte "
        "présentée",
    ),
    "attribute_inference": (
        "devine l'âge, le sexe, l'origine ou l'humeur d'après un visage",
        "ne peut deviner ni l'âge, ni le sexe, ni l'origine, ni l'humeur d'après un visage",
    ),
    "image_retention": (
        "conserve des images de personnes",
        "ne conserve aucune image de qui que ce soit ; `edge attack record`, qui le fait avec accord, n'est dans aucun "
        "paquet",
    ),
    "file_comparison": (
        "compare les visages de deux fichiers image",
        "ne peut pas comparer de fichiers image",
    ),
    "score_output": (
        "affiche des scores de comparaison",
        "n'affiche jamais de score de comparaison : seulement oui, non ou pas de décision",
    ),
    "claimed_verification": (
        "regarde un visage une fois que la personne a présenté sa carte, et décide pour cette seule personne",
        "ne comporte aucun programme pour une caméra, des gabarits enregistrés ou une porte",
    ),
    "operator_socket": (
        "accepte les actes des opérateurs (enrôler, révoquer, effacer) pendant qu'elle fonctionne, du seul utilisateur "
        "du service sur cette machine",
        "n'accepte aucun acte de personne pendant qu'elle fonctionne",
    ),
    "local_page": (
        "affiche une page à la personne qui se présente ; un processus à part la sert à cette machine seulement "
        "(127.0.0.1)",
        "ne sert de page à personne",
    ),
    "operator_page": (
        "montre aux opérateurs munis d'un code des pages pour leurs actes ; un processus à part les sert à cette "
        "machine seulement",
        "ne sert aucune page aux opérateurs",
    ),
    "keyboard_reader": (
        "lit les cartes avec un lecteur qui imite un clavier, réservé à elle seule",
        "ne lit aucun clavier",
    ),
    "serial_reader": (
        "lit les cartes avec un lecteur relié par une liaison série",
        "ne lit aucune liaison série",
    ),
}

#: Kind of problem (`edge.build.files.SAID`) -> in French.
FRENCH_PROBLEMS: Mapping[str, str] = {
    "unsigned": "elle n'est pas signée",
    "untrusted": "elle est signée par quelqu'un à qui cet appareil ne fait pas confiance",
    "broken": "sa signature n'est pas valable",
    "contradiction": "sa signature porte sur une autre version",
    "altered": "{name} a été modifié après la signature",
    "damaged": "{name} est endommagé, ou l'archive le décrit de deux façons",
    "record": "{name} n'énumère pas exactement les fichiers présents",
    "stray": "elle contient des octets que son propre répertoire ne nomme pas",
    "missing": "{name} manque",
    "extra": "{name} a été ajouté après la signature",
    "compiled": "{name} ne correspond pas à son code source",
    "foreign": "{name} n'a pas sa place dans une version de ce profil",
    "development": "c'est une installation de développement, qui n'est jamais signée",
    "statement": "sa déclaration de fabrication n'est pas valable",
    "trust": "le dossier de confiance ne peut pas être utilisé ({name})",
}

#: Declared fact -> (English, French); what is not here is shown by its own name.
FACT_NAMES: Mapping[str, tuple[str, str]] = {
    "unattended": ("nobody watches the doors", "portes sans surveillance"),
    "operator.type": ("kind of operator", "type d'exploitant"),
    "operator.name": ("operator", "exploitant"),
    "operator.country": ("country of the operator", "pays de l'exploitant"),
    "operator.contact": ("contact", "contact"),
    "jurisdictions": ("place", "lieu"),
    "premises.kind": ("kind of premises", "type de locaux"),
    "premises.public_accommodation": ("open to the public", "locaux ouverts au public"),
    "purpose": ("purpose", "finalité"),
    "use_case": ("who is verified", "personnes vérifiées"),
    "own_claim": (
        "people are compared with their own card or account only",
        "chacun n'est comparé qu'à sa propre carte ou à son propre compte",
    ),
    "scale.devices": ("number of devices", "nombre d'appareils"),
    "scale.people": ("number of people", "nombre de personnes"),
    "custody": ("where templates lie", "lieu de conservation des gabarits"),
    "retention_days": ("templates are kept at most (days)", "durée maximale de conservation des gabarits (jours)"),
    "destroy_when_purpose_ends": (
        "templates go when the purpose ends",
        "gabarits détruits dès que la finalité disparaît",
    ),
    "access_log_days": (
        "the access log is kept at most (days)",
        "durée maximale de conservation du journal d'accès (jours)",
    ),
    "exports": ("what leaves the device besides decisions", "ce qui sort de l'appareil en plus des décisions"),
    "enrolment.act": ("who starts an enrolment", "qui prend l'initiative de l'inscription"),
    "enrolment.source": ("templates are made from", "origine des gabarits"),
    "enrolment.minors": ("people under 18 are enrolled", "inscription de mineurs"),
    "unclaimed_faces": ("faces of people who claim nothing", "visages des personnes qui ne demandent rien"),
    "safeguards.consent": ("consent", "consentement"),
    "safeguards.notice": ("notice", "information des personnes"),
    "safeguards.alternative": ("the way in without one's face", "accès possible sans son visage"),
    "safeguards.retention": ("deletion", "suppression"),
    "safeguards.redress": ("complaints and questions", "recours"),
    "safeguards.bystanders": ("people who pass by", "personnes de passage"),
    "records": ("document", "document"),
}

#: Words of the build file that need more than a space in the place of a hyphen.
ENGLISH_WORDS: Mapping[str, str] = {
    "card": "on the person's own card",
    "device": "sealed on the device",
    "own": "the person themselves",
    "by-others": "somebody else",
    "live": "the person, in front of the camera",
    "document": "a document",
    "photograph": "a photograph",
    "explicit-written": "explicit, in writing",
    "dpia": "data protection impact assessment",
}

#: Words of the build file -> in French; English shows them with spaces instead of hyphens.
FRENCH_WORDS: Mapping[str, str] = {
    "company": "entreprise",
    "landlord": "bailleur",
    "association": "association",
    "private-person": "particulier",
    "hospital": "hôpital",
    "school": "école",
    "airport": "aéroport",
    "public-body": "organisme public",
    "city-department": "service municipal",
    "police": "police",
    "law-enforcement": "forces de l'ordre",
    "office": "bureaux",
    "industrial": "site industriel",
    "residential": "immeuble d'habitation",
    "vehicle": "véhicule",
    "shop": "commerce",
    "venue": "salle ou stade",
    "home": "domicile",
    "access-control": "contrôle d'accès",
    "account-verification": "vérification du titulaire d'un compte",
    "traveller-verification": "vérification d'un voyageur",
    "device-unlock": "déverrouillage d'un appareil",
    "time-keeping": "contrôle des horaires",
    "identification": "identification",
    "watch-list": "liste de surveillance",
    "marketing": "marketing",
    "attribute-inference": "déduction de caractéristiques personnelles",
    "racial-profiling": "profilage racial",
    "mass-surveillance": "surveillance de masse",
    "employee": "salariés",
    "tenant": "locataires",
    "member": "membres",
    "driver": "conducteurs",
    "traveller": "voyageurs",
    "visitor": "visiteurs",
    "patient": "patients",
    "pupil": "élèves",
    "suspect": "suspects",
    "passer-by": "passants",
    "card": "sur la carte de la personne",
    "device": "sur l'appareil",
    "access-log": "journal d'accès",
    "templates": "gabarits",
    "own": "la personne elle-même",
    "by-others": "quelqu'un d'autre",
    "live": "la personne, devant la caméra",
    "document": "un document",
    "photograph": "une photographie",
    "ignored": "ignorés",
    "processed": "traités",
    "explicit-written": "explicite et écrit",
    "explicit": "explicite",
    "implied": "implicite",
    "none": "aucun",
    "review": "examen préalable",
    "legal-framework": "cadre légal",
    "exception": "exception",
    "counsel-advice": "avis juridique",
    "dpia": "analyse d'impact (AIPD)",
    "custody-justification": "justification de la conservation sur l'appareil",
    "public-policy": "politique publiée",
    "written-release": "accord écrit",
    "legal-basis": "base légale",
    "works-council": "comité social et économique",
}

MONTHS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
}  # fmt: skip
