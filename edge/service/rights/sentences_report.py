"""The sentences of the report about a person: English, French, German."""

from __future__ import annotations

_SECTIONS = {
    "report.title": (
        "What this device keeps about you",
        "Ce que cet appareil conserve à votre sujet",
        "Was dieses Gerät über Sie speichert",
    ),
    "report.opening": (
        "This is everything that this device keeps about the holder of this card. Whoever holds the card can ask for "
        "it. There is no name in it, because no name is kept, and none of the numbers that describe your face.",
        "Voici tout ce que cet appareil conserve au sujet du titulaire de cette carte. Quiconque détient la carte peut "
        "le demander. Il n’y figure aucun nom, car aucun nom n’est conservé, ni aucun des nombres qui décrivent votre "
        "visage.",
        "Das ist alles, was dieses Gerät über die Inhaberin oder den Inhaber dieser Karte speichert. Wer die Karte "
        "hat, kann danach fragen. Kein Name steht darin, weil keiner gespeichert wird, und keine der Zahlen, die Ihr "
        "Gesicht beschreiben.",
    ),
    "report.other_language": (
        "You gave your consent in this language: {name}. There is this paper in it, too.",
        "Vous avez donné votre consentement dans cette langue : {name}. Ce document y existe aussi.",
        "Sie haben Ihre Einwilligung in dieser Sprache gegeben: {name}. Dieses Blatt gibt es auch in ihr.",
    ),
    "report.card": ("Your card", "Votre carte", "Ihre Karte"),
    "report.template": (
        "The numbers that describe your face",
        "Les nombres qui décrivent votre visage",
        "Die Zahlen, die Ihr Gesicht beschreiben",
    ),
    "report.consent": ("Your consent", "Votre consentement", "Ihre Einwilligung"),
    "report.counters": ("Counters of failed attempts", "Compteurs d’essais infructueux", "Zähler der Fehlversuche"),
    "report.journal": ("The journal of this door", "Le journal de cette porte", "Das Journal dieser Tür"),
    "report.not_kept": ("What is not kept", "Ce qui n’est pas conservé", "Was nicht gespeichert wird"),
    "report.rights": ("What you can do", "Ce que vous pouvez faire", "Was Sie tun können"),
}

_CARD = {
    "card.valid": ("Valid", "Valable", "Gültig"),
    "card.groups": ("Opens doors of", "Ouvre les portes", "Öffnet Türen von"),
    "card.credential": ("Number for the panel", "Numéro transmis", "Nummer für die Zentrale"),
    "card.issuer": ("Issuer’s key", "Clé de l’émetteur", "Schlüssel der Ausgabestelle"),
    "card.status": ("Here the card is", "Ici, la carte est", "Hier ist die Karte"),
    "status.active": ("valid", "valable", "gültig"),
    "status.revoked": ("revoked", "révoquée", "gesperrt"),
    "status.replaced": ("replaced by a newer one", "remplacée par une plus récente", "durch eine neuere ersetzt"),
    "status.erased": ("erased", "effacée", "gelöscht"),
    "card.secret": (
        "On the card there is also a secret. It opens the sealed numbers and is kept nowhere else.",
        "La carte porte aussi un secret. Il ouvre les nombres scellés et n’est conservé nulle part ailleurs.",
        "Auf der Karte steht auch ein Geheimnis. Es öffnet die versiegelten Zahlen und ist sonst nirgends gespeichert.",
    ),
}

_TEMPLATE = {
    "template.none": (
        "None are kept any more, neither here nor on this card.",
        "Il n’en est plus conservé, ni ici ni sur cette carte.",
        "Es sind keine mehr gespeichert, weder hier noch auf dieser Karte.",
    ),
    "template.here": (
        "{count} whole numbers are kept on this device, sealed: they open only while you present your card here.",
        "{count} nombres entiers sont conservés sur cet appareil, scellés : ils ne s’ouvrent que pendant que vous "
        "présentez votre carte ici.",
        "{count} ganze Zahlen sind auf diesem Gerät gespeichert, versiegelt: Sie öffnen sich nur, während Sie hier "
        "Ihre Karte zeigen.",
    ),
    "template.on_card": (
        "{count} whole numbers are on your card, sealed so that only a door of this site opens them while you "
        "present it. They are not on this device.",
        "{count} nombres entiers se trouvent sur votre carte, scellés de sorte que seule une porte de ce site les "
        "ouvre pendant que vous la présentez. Ils ne sont pas sur cet appareil.",
        "{count} ganze Zahlen stehen auf Ihrer Karte, so versiegelt, dass nur eine Tür dieses Standorts sie öffnet, "
        "während Sie sie zeigen. Auf diesem Gerät sind sie nicht.",
    ),
    "template.made": ("Made", "Calculés", "Berechnet"),
    "template.size": ("Size", "Taille", "Größe"),
    "template.bytes": ("{size} bytes, sealed", "{size} octets, scellés", "{size} Bytes, versiegelt"),
    "template.model": ("Made by model", "Calculés par le modèle", "Berechnet vom Modell"),
    "template.what": (
        "These numbers are biometric data. They are no picture; but whoever could open them could compare them with a "
        "face, and perhaps approximate a likeness. That is why they are sealed, and not printed here.",
        "Ces nombres sont des données biométriques. Ce n’est pas une image ; mais qui pourrait les ouvrir pourrait les "
        "comparer à un visage, et peut-être en approcher la ressemblance. C’est pourquoi ils sont scellés, et ne "
        "figurent pas ici.",
        "Diese Zahlen sind biometrische Daten. Sie sind kein Bild; aber wer sie öffnen könnte, könnte sie mit einem "
        "Gesicht vergleichen und vielleicht ein ähnliches Bild annähern. Darum sind sie versiegelt und stehen nicht "
        "hier.",
    ),
}

_CONSENT = {
    "consent.none": (
        "No consent receipt is kept here: the card was made at another device, or what was kept has been deleted.",
        "Aucune attestation de consentement n’est conservée ici : la carte a été faite sur un autre appareil, ou ce "
        "qui était conservé a été supprimé.",
        "Hier ist keine Einwilligung gespeichert: Die Karte entstand an einem anderen Gerät, oder was gespeichert war, "
        "wurde gelöscht.",
    ),
    "consent.given": ("Given", "Donné le", "Gegeben"),
    "consent.text": ("Text, language", "Texte, langue", "Text, Sprache"),
    "consent.until": ("Ends by itself", "Prend fin de lui-même", "Endet von selbst"),
    "consent.recorded": ("Recorded by", "Enregistré par", "Aufgenommen von"),
    "consent.withdrawal": ("To withdraw", "Pour le retirer", "Zum Widerrufen"),
    "consent.name": (
        "Your name is not kept. A hash of it under a key of this device is, with which your cards are found again when "
        "you say your name; the name cannot be read from it.",
        "Votre nom n’est pas conservé. Une empreinte en est gardée, calculée avec une clé de cet appareil, qui "
        "permet de retrouver vos cartes quand vous dites votre nom ; le nom ne peut pas en être déduit.",
        "Ihr Name ist nicht gespeichert. Gespeichert ist ein Hashwert unter einem Schlüssel dieses Geräts, mit dem "
        "Ihre Karten wiedergefunden werden, wenn Sie Ihren Namen nennen; der Name lässt sich daraus nicht lesen.",
    ),
    "consent.deleted": (
        "All of this is deleted by itself on {day}, at the latest: {rule}.",
        "Tout ceci est supprimé de lui-même au plus tard le {day} : {rule}.",
        "All das wird spätestens am {day} von selbst gelöscht: {rule}.",
    ),
    "rule.card": ("the card ends then", "la carte prend fin alors", "dann endet die Karte"),
    "rule.retention": (
        "the longest time for which it may be kept ends then",
        "la durée maximale de conservation prend fin alors",
        "dann endet die längste zulässige Speicherdauer",
    ),
}

_COUNTERS = {
    "counters.none": ("Nothing is counted.", "Rien n’est compté.", "Es ist nichts gezählt."),
    "counters.what": (
        "They protect you against somebody who tries your card. They are kept under a hash of the card’s serial.",
        "Ils vous protègent contre quelqu’un qui essaierait votre carte. Ils sont gardés sous une empreinte du "
        "numéro de série.",
        "Sie schützen Sie vor jemandem, der Ihre Karte ausprobiert. Sie stehen unter einem Hashwert der Seriennummer.",
    ),
    "counters.rejects": ("Refused in a row", "Refus d’affilée", "Abgewiesen hintereinander"),
    "counters.silent": ("Without a decision", "Sans décision", "Ohne Entscheidung"),
    "counters.wait": ("To wait now", "Attente actuelle", "Jetzt zu warten"),
    "counters.marked": ("Counted by the door", "Compté par la porte", "Von der Tür gezählt"),
    "counters.disabled": (
        "The card is disabled until an operator resets it.",
        "La carte est désactivée jusqu’à ce qu’un opérateur la réactive.",
        "Die Karte ist gesperrt, bis sie jemand vom Betrieb freigibt.",
    ),
}

_JOURNAL = {
    "journal.none": (
        "No entry names this card.",
        "Aucune entrée ne cite cette carte.",
        "Kein Eintrag nennt diese Karte.",
    ),
    "journal.what": (
        "What this device decided and who changed what, under the card’s serial. Entries are deleted by themselves "
        "after {days} days.",
        "Ce que cet appareil a décidé et qui a modifié quoi, sous le numéro de série. Les entrées sont supprimées "
        "d’elles-mêmes après {days} jours.",
        "Was dieses Gerät entschieden hat und wer was geändert hat, unter der Seriennummer. Einträge werden nach "
        "{days} Tagen von selbst gelöscht.",
    ),
    "kind.enrolled": ("card made", "carte faite", "Karte ausgestellt"),
    "kind.renewed": ("numbers renewed", "nombres renouvelés", "Zahlen erneuert"),
    "kind.reissued": ("new card for the same numbers", "nouvelle carte, mêmes nombres", "neue Karte, gleiche Zahlen"),
    "kind.revoked": ("card revoked", "carte révoquée", "Karte gesperrt"),
    "kind.erased": ("data erased", "données effacées", "Daten gelöscht"),
    "kind.reset": ("counters reset", "compteurs remis à zéro", "Zähler zurückgesetzt"),
    "kind.expired": ("deleted in time", "supprimé à l’échéance", "fristgerecht gelöscht"),
    "kind.reported": ("this report was shown", "ce document a été montré", "dieses Blatt wurde gezeigt"),
    "outcome.accept": ("accepted", "accepté", "angenommen"),
    "outcome.reject": ("refused", "refusé", "abgewiesen"),
    "outcome.no_decision": ("no decision", "sans décision", "keine Entscheidung"),
    "reason.matching": ("the face matches", "le visage correspond", "das Gesicht passt"),
    "reason.not_matching": ("the face does not match", "le visage ne correspond pas", "das Gesicht passt nicht"),
    "reason.token_invalid": ("not a card of this site", "pas une carte de ce site", "keine Karte dieses Standorts"),
    "reason.token_expired": ("the card has expired", "la carte a expiré", "die Karte ist abgelaufen"),
    "reason.token_not_yet_valid": ("not valid yet", "pas encore valable", "noch nicht gültig"),
    "reason.token_revoked": ("the card was revoked", "la carte est révoquée", "die Karte ist gesperrt"),
    "reason.token_unknown": ("nothing kept here for it", "rien ici pour cette carte", "hier nichts für diese Karte"),
    "reason.wrong_door": ("not this door or hour", "pas cette porte ou heure", "nicht diese Tür oder Stunde"),
    "reason.clock_unconfirmed": ("clock not confirmed", "horloge non confirmée", "Uhr nicht bestätigt"),
    "reason.locked_out": ("too many attempts", "trop d’essais", "zu viele Versuche"),
    "reason.door_paused": ("the door was paused", "la porte était en pause", "die Tür war angehalten"),
    "reason.model_mismatch": ("made with another model", "fait avec un autre modèle", "mit anderem Modell erstellt"),
    "reason.no_face": ("nobody was seen", "personne n’a été vu", "niemand war zu sehen"),
    "reason.several_faces": ("several people were seen", "plusieurs personnes vues", "mehrere Personen waren zu sehen"),
    "reason.quality": ("not seen well enough", "pas assez bien vu", "nicht gut genug zu sehen"),
    "reason.source_fault": ("camera fault", "défaut de la caméra", "Fehler der Kamera"),
    "reason.interrupted": ("stopped", "interrompu", "abgebrochen"),
    "reason.error": ("an error", "une erreur", "ein Fehler"),
}

_REST = {
    "not_kept.pictures": (
        "Pictures or videos of you: frames are looked at and forgotten.",
        "Des images ou vidéos de vous : elles sont regardées puis oubliées.",
        "Bilder oder Videos von Ihnen: Sie werden angesehen und vergessen.",
    ),
    "not_kept.scores": (
        "How similar you were at any visit, and the numbers of your face at a visit.",
        "À quel point vous étiez ressemblant lors d’une visite, et les nombres de votre visage ce jour-là.",
        "Wie ähnlich Sie bei einem Besuch waren, und die Zahlen Ihres Gesichts bei einem Besuch.",
    ),
    "not_kept.name": (
        "Your name, age, sex, origin or mood: the device cannot tell them.",
        "Votre nom, âge, sexe, origine ou humeur : l’appareil ne peut pas les déterminer.",
        "Ihr Name, Alter, Geschlecht, Ihre Herkunft oder Stimmung: Das Gerät kann sie nicht erkennen.",
    ),
    "not_kept.others": (
        "Anything about people who pass by without presenting a card.",
        "Quoi que ce soit sur les personnes qui passent sans présenter de carte.",
        "Irgendetwas über Menschen, die vorbeigehen, ohne eine Karte zu zeigen.",
    ),
    "rights.withdraw": (
        "Withdraw your consent at any time: {where}. Then everything about you here is erased.",
        "Retirer votre consentement à tout moment : {where}. Tout ce qui vous concerne ici est alors effacé.",
        "Ihre Einwilligung jederzeit widerrufen: {where}. Dann wird alles über Sie hier gelöscht.",
    ),
    "rights.withdraw_desk": (
        "Withdraw your consent at any time, where you got your card. Then everything about you is erased there.",
        "Retirer votre consentement à tout moment, là où vous avez reçu votre carte. Tout ce qui vous concerne y est "
        "alors effacé.",
        "Ihre Einwilligung jederzeit dort widerrufen, wo Sie Ihre Karte bekommen haben. Dann wird dort alles über Sie "
        "gelöscht.",
    ),
    "rights.erase": (
        "Have it erased here with your card, its serial or your name, and get a receipt of what was done.",
        "Le faire effacer ici avec votre carte, son numéro ou votre nom, et recevoir une attestation de ce qui a été "
        "fait.",
        "Es hier mit Ihrer Karte, deren Nummer oder Ihrem Namen löschen lassen, mit einer Bescheinigung darüber.",
    ),
    "rights.alternative": (
        "Use the other way in, now or always: {alternative}",
        "Utiliser l’autre accès, maintenant ou toujours : {alternative}",
        "Den anderen Weg hinein nehmen, jetzt oder immer: {alternative}",
    ),
    "rights.complain": (
        "Complain to the data protection authority of your country.",
        "Saisir l’autorité de protection des données de votre pays.",
        "Sich bei der Datenschutzbehörde Ihres Landes beschweren.",
    ),
    "rights.other_doors": (
        "Ask for this paper at the other doors of the site, too: each keeps its own counters and journal.",
        "Demander aussi ce document aux autres portes du site : chacune a ses propres compteurs et son journal.",
        "Auch an den anderen Türen des Standorts danach fragen: Jede hat eigene Zähler und ein eigenes Journal.",
    ),
}

REPORT = {**_SECTIONS, **_CARD, **_TEMPLATE, **_CONSENT, **_COUNTERS, **_JOURNAL, **_REST}
"""Name -> the sentence in English, French and German."""
