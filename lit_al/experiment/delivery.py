"""Which model a fit delivers: the network, or the teacher that it learned from, and why."""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from lit_al.experiment.fit_options import Deliver
from lit_al.experiment.learning import Learned
from lit_al.loop.state import Validated

LEVEL: Final = 0.005  # of accuracy: a network so far below its teacher still follows it
ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Delivery:
    """What is delivered, and how both models called labels that they had not learned.

    Attributes:
        asked: of the user.
        student: what networks said, each of labels of another fold; None without folds.
        teacher: what teachers said of the same labels, by folds of their own; None where there is none.
    """

    asked: Deliver
    student: Validated | None
    teacher: Validated | None

    @classmethod
    def of(cls, asked: Deliver, learned: Learned) -> Self:
        """By what a model and its teacher said."""
        return cls(asked, learned.run.validated, learned.teacher_validated)

    @property
    def ahead(self) -> float | None:
        """Accuracy of the teacher less that of the network, on the same labels."""
        if self.student is None or self.teacher is None:
            return None
        return float(self.teacher.right.mean() - self.student.right.mean())

    @property
    def teacher_is_better(self) -> bool:
        """By more than half a point, and by more than the standard error of the difference, label by label."""
        if self.student is None or self.teacher is None or self.ahead is None:
            return False
        differences = _by_row(self.teacher) - _by_row(self.student)  # (n,)
        return self.ahead > max(LEVEL, float(differences.std() / np.sqrt(len(differences)))) + ROUNDING

    @property
    def is_student(self) -> bool:
        """Is it the network that is delivered?"""
        return not (self.asked == "teacher" or (self.asked == "best" and self.teacher_is_better))

    @property
    def validated(self) -> Validated | None:
        """What models like the one delivered said of labels that they had not learned; None without folds."""
        return self.student if self.is_student or self.student is None else self.teacher

    @property
    def words(self) -> str:
        """What is delivered where that was the question, or what would be better; "" where there is nothing to say."""
        if self.ahead is None or self.student is None:
            return "" if self.is_student else "delivered: the teacher"
        points = f"{abs(100 * self.ahead):.1f} points {'above' if self.ahead > 0 else 'below'}"
        labels = f"{len(self.student.rows):,} labels that neither had learned"
        if self.asked == "student":
            if not self.teacher_is_better:
                return ""
            return f"the network does not follow its teacher, which is {points} it on {labels}; --deliver best takes it"
        why = f"; its teacher is {points} it on {labels}" if self.is_student else f", {points} the network on {labels}"
        return f"delivered: the {'network' if self.is_student else 'teacher'}{why}"

    def described(self) -> dict[str, Any]:
        """As results hold it."""
        shares = {
            name: None if found is None or self.student is None else float(found.right.mean())
            for name, found in (("student", self.student), ("teacher", self.teacher))
        }
        return {"asked": self.asked, "delivered": "student" if self.is_student else "teacher", **shares}


def _by_row(found: Validated) -> Any:
    """(n,) 1 for each label called right, by row."""
    return found.right[np.argsort(found.rows)].astype(np.float64)
