"""Who labels, and the tokens that let them in."""

import hmac
import secrets

from lit_al.exceptions import RefusedError
from lit_al.record.database import Database, now
from lit_al.record.sealing import seal_annotator


class People(Database):
    """The part of a record that annotators are in."""

    def add_annotator(self, name: str, token: str | None = None) -> str:
        """Let someone in; asked again, the token is the same.

        Returns:
            Their token, of 32 URL-safe characters.
        """
        if not name.strip() or "\0" in name or name != name.strip():
            raise RefusedError(f"{name!r} is no name of an annotator; give one without spaces around it")
        with self.transaction() as db:
            db.execute("INSERT OR IGNORE INTO annotator(name, created) VALUES (?, ?)", (name, now()))
            db.execute(
                "UPDATE annotator SET token = coalesce(token, ?), removed = NULL WHERE name = ?",
                (token or secrets.token_urlsafe(24), name),
            )
            seal_annotator(db, name)
            return str(db.execute("SELECT token FROM annotator WHERE name = ?", (name,)).fetchone()["token"])

    def annotator_of(self, token: str) -> str | None:
        """Whose token this is; every token is compared, in a time that says nothing of them."""
        found = None
        with self.told():
            rows = self.db.execute("SELECT name, token FROM annotator WHERE token IS NOT NULL AND removed IS NULL")
            for row in rows:
                if hmac.compare_digest(row["token"].encode(), token.encode(errors="replace")):
                    found = str(row["name"])
        return found

    def annotators(self) -> list[str]:
        """Everyone who may label, or did, but those removed."""
        with self.told():
            rows = self.db.execute("SELECT name FROM annotator WHERE removed IS NULL ORDER BY created, name")
            return [str(row["name"]) for row in rows]

    def remove_annotator(self, name: str) -> None:
        """Let someone in no more; what they said stays."""
        with self.transaction() as db:
            db.execute("UPDATE annotator SET token = NULL, removed = ? WHERE name = ?", (now(), name))
            seal_annotator(db, name)
            db.execute("DELETE FROM lease WHERE annotator = ?", (name,))
