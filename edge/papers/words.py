"""What stands on the page below a card: English, French, German, side by side.

words("lost.heading", "fr-CA")      # a language that nobody has written yet becomes English
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LANGUAGES = ("en", "fr", "de")

WORDS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "use.heading": ("How to use it", "Mode d’emploi", "So geht es"),
        "use": (
            "Cut along the line. At the door, hold the code towards the camera at 10 to 15 cm, then look up.",
            "Découpez le long de la ligne. À la porte, tenez le code face à la caméra à 10 ou 15 cm, puis levez les "
            "yeux.",
            "Entlang der Linie ausschneiden. An der Tür den Code 10 bis 15 cm vor die Kamera halten, dann aufschauen.",
        ),
        "key.heading": ("It is a key", "C’est une clé", "Sie ist ein Schlüssel"),
        "key": (
            "This page and its file are the card: whoever holds them, or a picture of the code, can claim to be you at "
            "the door. The door then still looks at the face. Delete the file when the card is printed.",
            "Cette page et son fichier sont la carte : quiconque les détient, ou une image du code, peut se présenter "
            "pour vous à la porte. La porte regarde alors encore le visage. Supprimez le fichier après l’impression.",
            "Dieses Blatt und seine Datei sind die Karte: Wer sie oder ein Bild des Codes hat, kann sich an der Tür "
            "für Sie ausgeben. Die Tür sieht dann noch das Gesicht an. Löschen Sie die Datei nach dem Drucken.",
        ),
        "content.heading": ("What is in it", "Ce qu’elle contient", "Was darin steht"),
        "content.card": (
            "Your door groups, the dates below and, sealed so that only a door of this site opens it, the numbers that "
            "describe your face. No picture. The device that made the card keeps no copy.",
            "Vos groupes de portes, les dates ci-dessous et, scellés pour que seule une porte de ce site les ouvre, "
            "les nombres qui décrivent votre visage. Aucune image. L’appareil qui a fait la carte n’en garde pas de "
            "copie.",
            "Ihre Türgruppen, die Daten unten und, so versiegelt, dass nur eine Tür dieses Standorts sie öffnet, die "
            "Zahlen, die Ihr Gesicht beschreiben. Kein Bild. Das ausstellende Gerät behält keine Kopie.",
        ),
        "content.device": (
            "Your door groups, the dates below and a secret. The numbers that describe your face are on the device "
            "where you enrolled, sealed so that only this card opens them there. No picture.",
            "Vos groupes de portes, les dates ci-dessous et un secret. Les nombres qui décrivent votre visage sont sur "
            "l’appareil de votre inscription, scellés pour que seule cette carte les y ouvre. Aucune image.",
            "Ihre Türgruppen, die Daten unten und ein Geheimnis. Die Zahlen, die Ihr Gesicht beschreiben, sind auf dem "
            "Gerät Ihrer Aufnahme, so versiegelt, dass nur diese Karte sie dort öffnet. Kein Bild.",
        ),
        "consent.heading": ("What you agreed to", "Ce à quoi vous avez consenti", "Worin Sie eingewilligt haben"),
        "consent": (
            "On {given} you agreed to the text {version} in the language “{language}”, recorded by {operator}.",
            "Le {given}, vous avez consenti au texte {version} dans la langue « {language} », enregistré par "
            "{operator}.",
            "Am {given} haben Sie in den Text {version} in der Sprache „{language}“ eingewilligt, aufgenommen von "
            "{operator}.",
        ),
        "consent.until": (
            "Your consent ends by itself on {until}.",
            "Votre consentement prend fin de lui-même le {until}.",
            "Ihre Einwilligung endet von selbst am {until}.",
        ),
        "consent.withdraw": (
            "You may withdraw at any time, without giving a reason: {withdrawal}. Then what is kept about you is "
            "erased and you get a receipt. With this card you may ask at any time for everything that is kept about "
            "you.",
            "Vous pouvez le retirer à tout moment, sans motif : {withdrawal}. Ce qui est conservé à votre sujet est "
            "alors effacé et vous en recevez une attestation. Avec cette carte, vous pouvez demander à tout moment "
            "tout ce qui est conservé à votre sujet.",
            "Sie können jederzeit und ohne Grund widerrufen: {withdrawal}. Dann wird gelöscht, was über Sie "
            "gespeichert ist, und Sie bekommen eine Bescheinigung. Mit dieser Karte können Sie jederzeit nach allem "
            "fragen, was über Sie gespeichert ist.",
        ),
        "consent.alternative": (
            "You may always take the other way in: {alternative}",
            "Vous pouvez toujours prendre l’autre accès : {alternative}",
            "Sie können immer den anderen Weg hinein nehmen: {alternative}",
        ),
        "lost.heading": ("If it is lost", "En cas de perte", "Wenn sie verloren geht"),
        "lost": (
            "Tell {issuer} this serial: with it the card is revoked. Keep it elsewhere:",
            "Indiquez ce numéro de série à {issuer} : il permet de révoquer la carte. Conservez-le ailleurs :",
            "Nennen Sie {issuer} diese Nummer: Damit wird die Karte gesperrt. Bewahren Sie sie getrennt auf:",
        ),
        "valid": (
            "valid {first} to {last} (UTC)",
            "valable du {first} au {last} (UTC)",
            "gültig {first} bis {last} (UTC)",
        ),
        "scale": (
            "50 mm when printed at 100 %; print no smaller",
            "50 mm à l’impression à 100 % ; n’imprimez pas plus petit",
            "50 mm bei 100 % gedruckt; nicht kleiner drucken",
        ),
    }
)
"""Name -> the words in English, French and German."""


def words(name: str, language: str, /, **values: str) -> str:
    """The words of a page in the language of a tag such as ``fr-CA``; English when there are none."""
    primary = language.split("-")[0].casefold()
    column = LANGUAGES.index(primary) if primary in LANGUAGES else 0
    return WORDS[name][column].format(**values)
