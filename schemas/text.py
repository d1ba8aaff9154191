"""Text for people, Indonesian first (contract: "text for people is Indonesian first")."""

from typing import NamedTuple


class Text(NamedTuple):
    """One sentence or label in both languages of the project."""

    id: str
    en: str

    def spoken(self, language: str) -> str:
        """The text in `en`, or in Indonesian for any other language."""
        return self.en if language == "en" else self.id
