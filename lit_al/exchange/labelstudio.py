"""Label Studio: tasks with predictions or annotations out, its JSON and JSON_MIN exports in.

Written is a list of tasks: `data` with `text`, `lit_al_id` and `lit_al_sha256`; `meta` with the user's own columns and,
where there are, `notes`, `flagged_by`, `skipped_by` and `copy_of`; `predictions` with `model_version`, `score` and one
result of choices; `annotations` with one such result for texts that have their label, cancelled for those that were
skipped.

Read of JSON: `data` as above; of each of `annotations` its `id`, `result`, `was_cancelled` (a skip), `completed_by` (a
number, or the `email` or `id` of an object), `updated_at` or `created_at`, `lead_time` in seconds. An empty `result` is
no answer. Of `predictions` the first is noted as what was shown. Read of JSON_MIN, which has no predictions: the same
data beside `label`, `annotator`, `annotation_id` and the same times.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from lit_al.exceptions import DataError
from lit_al.exchange.checking import SKIP
from lit_al.exchange.shapes import Given, LabeledText, Question
from lit_al.utils.readers import reading
from lit_al.utils.terminal_text import first_line

FROM, TO = "label", "text"  # names of the two parts of the labeling interface


def labeling_config(classes: Sequence[str]) -> str:
    """The labeling interface of a project, as Label Studio's XML.

    Raises:
        DataError: a class name with a control character, which XML cannot hold.

    >>> print(labeling_config(["<neg>", "pos"]))
    <View>
      <Text name="text" value="$text"/>
      <Choices name="label" toName="text" choice="single" showInLine="true">
        <Choice value="&lt;neg&gt;"/>
        <Choice value="pos"/>
      </Choices>
    </View>
    <BLANKLINE>
    """
    for name in classes:
        if any(ord(character) < 32 and character not in "\t\r\n" for character in name):
            raise DataError(f"the label {name!r} holds a control character, which XML cannot hold")
    choices = "".join(f"    <Choice value={quoteattr(name)}/>\n" for name in classes)
    return (
        f'<View>\n  <Text name="{TO}" value="$text"/>\n'
        f'  <Choices name="{FROM}" toName="{TO}" choice="single" showInLine="true">\n{choices}  </Choices>\n</View>\n'
    )


def question_tasks(questions: Iterable[Question], model_version: str) -> bytes:
    """Tasks to be labeled, with a prediction where a question has a suggestion.

    Args:
        questions: the most wanted first.
        model_version: a name for the model that suggests.
    """
    return _as_json(_question_task(question, model_version) for question in questions)


def labeled_tasks(labeled: Iterable[LabeledText]) -> bytes:
    """Tasks that have their label, as annotations without an author."""
    return _as_json({**_task(one), **_annotations(one)} for one in labeled)


def _annotations(one: LabeledText) -> dict[str, Any]:
    """The label or the skip of a text; a tie, as what was only flagged or noted, is a task that is open."""
    if one.label is None and one.skipped_by is None:
        return {}
    result = [] if one.label is None else [_result(f"a{one.id}", one.label)]
    return {"annotations": [{"result": result, "was_cancelled": one.label is None}]}


def _question_task(question: Question, model_version: str) -> dict[str, Any]:
    if question.suggestion is None:
        return _task(question)
    result = [_result(f"p{question.id}", question.suggestion)]
    score = {} if question.probability is None else {"score": question.probability}
    return {**_task(question), "predictions": [{"model_version": model_version, **score, "result": result}]}


def _task(one: Question | LabeledText) -> dict[str, Any]:
    said = {name: getattr(one, name, None) for name in ("notes", "flagged_by", "skipped_by", "copy_of")}
    meta = {**one.own, **{name: words for name, words in said.items() if words is not None}}
    data = {"text": one.text, "lit_al_id": str(one.id), "lit_al_sha256": one.sha256}
    return {"data": data, **({"meta": meta} if meta else {})}


def _result(name: str, label: str) -> dict[str, Any]:
    return {"id": name, "from_name": FROM, "to_name": TO, "type": "choices", "value": {"choices": [label]}}


def _as_json(tasks: Iterable[Mapping[str, Any]]) -> bytes:
    return (json.dumps(list(tasks), ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def read_labelstudio(path: Path) -> list[Given]:
    """The answers of an export, of either kind; a task without any is an unanswered row.

    Raises:
        DataError: no such file, no JSON list, a task of another shape, or an annotation that is there twice.
    """
    with reading(path):
        content = path.read_text(encoding="utf-8-sig")
    try:
        tasks = json.loads(content)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {error.lineno}, character {error.colno}: not valid JSON ({error.msg})") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON ({error})") from None
    if not isinstance(tasks, list):
        raise DataError(f"{path} holds no list of tasks; export JSON or JSON_MIN from Label Studio")
    seen: dict[object, str] = {}
    return [row for number, task in enumerate(tasks, 1) for row in _rows(task, f"{path}, task {number}", seen)]


def _rows(task: Any, where: str, seen: dict[object, str]) -> Iterator[Given]:
    match task:
        case {"data": {"lit_al_id": _} as data}:
            shown = _shown(task.get("predictions"))
            for row in _of_task(data, task.get("annotations", []), where, seen):
                yield replace(row, suggestion=shown[0], probability=shown[1])
        case {"lit_al_id": _}:
            yield _of_flat(task, where, seen)
        case {"data": _}:
            raise DataError(f"{where}: no lit_al_id in its data, so it was not written by lit_al")
        case _:
            raise DataError(f"{where}: {first_line(repr(task), 60)} is a task of neither JSON nor JSON_MIN")


def _of_task(data: Mapping[str, Any], annotations: object, where: str, seen: dict[object, str]) -> Iterator[Given]:
    """A row for each annotation of a task, or one without an answer."""
    if not isinstance(annotations, list):
        raise DataError(f"{where}: its annotations are no list")
    if not annotations:
        yield _given(where, data)
    for number, annotation in enumerate(annotations, start=1):
        place = f"{where}, annotation {number}"
        if not isinstance(annotation, dict) or not isinstance(annotation.get("result"), list):
            raise DataError(f"{place}: no list 'result', so it is no annotation of a JSON export")
        _note(seen, annotation.get("id"), place)
        cancelled = annotation.get("was_cancelled") is True
        label = None if cancelled else _choice(annotation["result"], place)
        by = _person(annotation.get("completed_by"), place)
        yield _given(place, data, annotation, label, by, SKIP if cancelled else None)


def _shown(predictions: Any) -> tuple[object, object]:
    """The class that a task's first prediction shows, and its score, if it is one of ours."""
    match predictions:
        case [{"result": [{"value": {"choices": [label]}}, *_]} as first, *_]:
            return label, first.get("score")
        case _:
            return None, None


def _of_flat(task: Mapping[str, Any], where: str, seen: dict[object, str]) -> Given:
    _note(seen, task.get("annotation_id"), where)
    label = task.get(FROM)
    if isinstance(label, dict):  # as it is for several choices, or for one in some versions
        label = _one(label.get("choices"), where)
    return _given(where, task, task, label, _person(task.get("annotator"), where))


def _given(
    where: str,
    data: Mapping[str, Any],
    times: Mapping[str, Any] | None = None,
    label: object = None,
    annotator: str = "",
    action: str | None = None,
) -> Given:
    times = times or {}
    time = times.get("updated_at") or times.get("created_at")
    return Given(
        where,
        data["lit_al_id"],
        data.get("lit_al_sha256"),
        data.get("text"),
        label,
        action,
        annotator=annotator,
        time=time if isinstance(time, str) else None,
        lead_ms=_milliseconds(times.get("lead_time")),
    )


def _note(seen: dict[object, str], number: object, where: str) -> None:
    """Two annotations of one id are one, exported twice or changed in between; nobody can say which is right."""
    if isinstance(number, (int, str)) and seen.setdefault(number, where) != where:
        raise DataError(f"{where}: the annotation {number!r} stands at {seen[number]} too; export the project again")


def _choice(results: list[object], where: str) -> object:
    """The label of an annotation; None where it has no result."""
    if not results:
        return None
    choices = [result for result in results if isinstance(result, dict) and result.get("type") == "choices"]
    if len(choices) != 1 or not isinstance(choices[0].get("value"), dict):
        raise DataError(f"{where}: {len(choices)} results of choices among {len(results)}, where one is wanted")
    return _one(choices[0]["value"].get("choices"), where)


def _one(choices: object, where: str) -> object:
    if not isinstance(choices, list) or len(choices) != 1:
        raise DataError(f"{where}: the choices are {first_line(repr(choices), 60)}, but a text has one label")
    return choices[0]


def _person(who: object, where: str) -> str:
    """Whoever annotated, as Label Studio says it: a number, an address, or an object with either."""
    if isinstance(who, dict):
        who = who.get("email") or who.get("id")
    if who is None:
        return ""
    if isinstance(who, bool) or not isinstance(who, (int, str)):
        raise DataError(f"{where}: {first_line(repr(who), 60)} names no annotator")
    return str(who)


def _milliseconds(seconds: object) -> int | None:
    is_time = isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 <= seconds < 1e9
    return round(1_000 * seconds) if is_time else None  # type: ignore[operator]
