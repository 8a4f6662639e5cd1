"""Every sentence of the papers: English, French, German. Used through `edge.service.rights.phrases`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from edge.service.rights.sentences_report import REPORT

_COMMON = {
    "serial": ("Card serial", "Numéro de série", "Seriennummer"),
    "device": ("Device", "Appareil", "Gerät"),
    "when": ("When", "Date", "Wann"),
    "operator": ("By", "Par", "Durch"),
    "yes": ("yes", "oui", "ja"),
    "no": ("no", "non", "nein"),
}

_ERASURE = {
    "erasure.title": ("Receipt of an erasure", "Attestation d’effacement", "Bescheinigung über eine Löschung"),
    "erasure.opening": (
        "What this device kept about the holder of this card was erased. This paper says what was done, and what may "
        "remain elsewhere.",
        "Ce que cet appareil conservait au sujet du titulaire de cette carte a été effacé. Ce document dit ce qui a "
        "été fait, et ce qui peut subsister ailleurs.",
        "Was dieses Gerät über die Inhaberin oder den Inhaber dieser Karte gespeichert hatte, wurde gelöscht. Dieses "
        "Blatt sagt, was getan wurde und was anderswo noch vorhanden sein kann.",
    ),
    "erasure.done": ("What was done", "Ce qui a été fait", "Was getan wurde"),
    "erasure.remains": ("What may remain", "Ce qui peut subsister", "Was noch vorhanden sein kann"),
    "done.template_deleted": (
        "The sealed numbers that describe your face were deleted (row deleted).",
        "Les nombres scellés qui décrivent votre visage ont été supprimés (ligne supprimée).",
        "Die versiegelten Zahlen, die Ihr Gesicht beschreiben, wurden gelöscht (Zeile gelöscht).",
    ),
    "done.consent_and_name_deleted": (
        "Your consent receipt and the hash of your name were deleted.",
        "Votre attestation de consentement et l’empreinte de votre nom ont été supprimées.",
        "Ihre Einwilligung und der Hashwert Ihres Namens wurden gelöscht.",
    ),
    "done.overwritten": (
        "The database overwrites what it deletes with zeros (secure_delete is on).",
        "La base de données écrase par des zéros ce qu’elle supprime (secure_delete est actif).",
        "Die Datenbank überschreibt Gelöschtes mit Nullen (secure_delete ist eingeschaltet).",
    ),
    "done.log_emptied": (
        "The database’s log was cut to zero bytes (WAL truncated).",
        "Le journal de la base de données a été ramené à zéro octet (WAL tronqué).",
        "Das Protokoll der Datenbank wurde auf null Bytes gekürzt (WAL geleert).",
    ),
    "done.searched_and_not_found": (
        "What was deleted was then searched for in every byte of the database, and not found.",
        "Ce qui a été supprimé a ensuite été recherché dans chaque octet de la base de données, sans être trouvé.",
        "Das Gelöschte wurde danach in jedem Byte der Datenbank gesucht und nicht gefunden.",
    ),
    "done.counters_deleted": (
        "The counters of failed attempts with this card were deleted.",
        "Les compteurs d’essais infructueux de cette carte ont été supprimés.",
        "Die Zähler der Fehlversuche mit dieser Karte wurden gelöscht.",
    ),
    "done.nothing_was_kept": (
        "There was nothing to delete: this device keeps no more about you than is named below.",
        "Il n’y avait rien à supprimer : cet appareil ne conserve à votre sujet que ce qui est indiqué plus bas.",
        "Es gab nichts zu löschen: Dieses Gerät speichert über Sie nicht mehr, als unten steht.",
    ),
    "done.card_refused": (
        "This device refuses the card from now on.",
        "Cet appareil refuse désormais la carte.",
        "Dieses Gerät weist die Karte von nun an ab.",
    ),
    "remains.serial": (
        "On this device: the card’s serial, so that the card stays refused, until {until}. It names nobody.",
        "Sur cet appareil : le numéro de série de la carte, pour qu’elle reste refusée, jusqu’au {until}. Il ne "
        "désigne personne.",
        "Auf diesem Gerät: die Seriennummer der Karte, damit sie abgewiesen bleibt, bis {until}. Sie nennt niemanden.",
    ),
    "remains.serial_for_ever": (
        "On this device: the card’s serial, so that the card stays refused. The card’s last day is not known here, so "
        "the serial stays. It names nobody.",
        "Sur cet appareil : le numéro de série de la carte, pour qu’elle reste refusée. Son dernier jour n’est pas "
        "connu ici ; le numéro reste donc. Il ne désigne personne.",
        "Auf diesem Gerät: die Seriennummer der Karte, damit sie abgewiesen bleibt. Ihr letzter Tag ist hier nicht "
        "bekannt, deshalb bleibt die Nummer. Sie nennt niemanden.",
    ),
    "remains.card": (
        "On the card itself: the sealed numbers that describe your face. Destroy the card and every copy of its file.",
        "Sur la carte elle-même : les nombres scellés qui décrivent votre visage. Détruisez la carte et toute copie de "
        "son fichier.",
        "Auf der Karte selbst: die versiegelten Zahlen, die Ihr Gesicht beschreiben. Vernichten Sie die Karte und jede "
        "Kopie ihrer Datei.",
    ),
    "remains.working_card": (
        "On the card itself: the sealed numbers that describe your face. The card still works: destroy it and every "
        "copy of its file, or have it revoked.",
        "Sur la carte elle-même : les nombres scellés qui décrivent votre visage. La carte fonctionne encore : "
        "détruisez-la ainsi que toute copie de son fichier, ou faites-la révoquer.",
        "Auf der Karte selbst: die versiegelten Zahlen, die Ihr Gesicht beschreiben. Die Karte gilt noch: Vernichten "
        "Sie sie und jede Kopie ihrer Datei, oder lassen Sie sie sperren.",
    ),
    "remains.journal": (
        "In the journal of this device: {entries} entries that name the card’s serial, this erasure among them, until "
        "{journal_until}. The journal is a chain that shows every change, so single entries are not taken out of it.",
        "Dans le journal de cet appareil : {entries} entrées qui citent le numéro de série, dont cet effacement, "
        "jusqu’au {journal_until}. Ce journal est une chaîne qui révèle toute modification ; on n’en retire pas "
        "d’entrées isolées.",
        "Im Journal dieses Geräts: {entries} Einträge, die die Seriennummer nennen, darunter diese Löschung, bis "
        "{journal_until}. Das Journal ist eine Kette, an der jede Änderung auffällt; einzelne Einträge werden nicht "
        "herausgenommen.",
    ),
    "remains.traces": (
        "In the database: {traces} remnants of what was deleted were still found. Ask the operator to repeat the "
        "erasure with the device’s service stopped.",
        "Dans la base de données : {traces} restes de ce qui a été supprimé ont encore été trouvés. Demandez à "
        "l’opérateur de recommencer, le service de l’appareil étant arrêté.",
        "In der Datenbank: {traces} Reste des Gelöschten wurden noch gefunden. Bitten Sie darum, die Löschung bei "
        "angehaltenem Dienst des Geräts zu wiederholen.",
    ),
    "remains.log_pending": (
        "In the database’s log, because the device was using it: it is emptied at the next housekeeping, within a day.",
        "Dans le journal de la base de données, car l’appareil s’en servait : il sera vidé au prochain entretien, dans "
        "la journée.",
        "Im Protokoll der Datenbank, weil das Gerät es gerade benutzte: Es wird bei der nächsten Pflege geleert, "
        "innerhalb eines Tages.",
    ),
    "remains.flash": (
        "In the flash memory: old copies of storage cells that no program can reach. Templates in them are sealed, and "
        "useless without the card and the device’s key together.",
        "Dans la mémoire flash : d’anciennes copies de cellules qu’aucun programme ne peut atteindre. Les gabarits y "
        "sont scellés, et inutilisables sans la carte et la clé de l’appareil réunies.",
        "Im Flash-Speicher: alte Kopien von Speicherzellen, die kein Programm erreicht. Vorlagen darin sind versiegelt "
        "und ohne die Karte und den Schlüssel des Geräts zusammen nutzlos.",
    ),
    "remains.backups": (
        "In backups, if the operator makes any: this device makes none.",
        "Dans des sauvegardes, si l’exploitant en fait : cet appareil n’en fait pas.",
        "In Sicherungskopien, falls der Betreiber welche anlegt: Dieses Gerät legt keine an.",
    ),
    "remains.other_doors": (
        "On other doors of the site: counters of failed attempts and journal entries under the card’s serial.",
        "Sur d’autres portes du site : des compteurs d’essais et des entrées de journal sous le numéro de la carte.",
        "An anderen Türen des Standorts: Zähler von Fehlversuchen und Journaleinträge unter der Nummer der Karte.",
    ),
}

SENTENCES: Mapping[str, tuple[str, str, str]] = MappingProxyType({**_COMMON, **_ERASURE, **REPORT})
"""Name -> the sentence in English, French and German."""
