"""Forms: what a person reads and fills in before something is done, on a page of their own."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import msgspec

from shared.errors import InvalidInput, Overtaken, SyncError


class FormRefused(InvalidInput):
    """What was filled in cannot be taken; `problems` are sentences by field."""

    def __init__(self, what: str, remedy: str, problems: Mapping[str, str]) -> None:
        super().__init__(what, remedy)
        self.problems = problems


class FormOvertaken(Overtaken):
    """Somebody changed what was filled in here; `problems` are sentences by field."""

    def __init__(self, what: str, remedy: str, problems: Mapping[str, str]) -> None:
        super().__init__(what, remedy)
        self.problems = problems


class Field(msgspec.Struct, frozen=True):
    """A field with its label, and what there is to know for filling it in. A `hidden` one has neither.

    A `choice` has `choices`, each a value with its words; an `area` has lines. Fields of one `group` stand together,
    under its name, behind those of none. `longest` is in characters. `suggestions` are values that many fill in, each
    with its words where the value alone does not tell.
    """

    name: str
    label: str = ""
    value: str = ""
    help: str = ""
    kind: Literal["text", "number", "hidden", "choice", "area"] = "text"
    required: bool = False
    longest: int = 2000
    choices: tuple[tuple[str, str], ...] = ()
    group: str = ""
    suggestions: tuple[tuple[str, str], ...] = ()


class Form(msgspec.Struct, frozen=True):
    """A form that is sent to `address`: `told` are the paragraphs in front, `button` says what is done then.

    `lasting`: it cannot be undone. `back` is where somebody goes who leaves it, by a button of the label `leave`.
    `other` is a button in front of it, for who looks before, with the address that the same fields are sent to by it.
    Of the groups, those in `opened` are shown at once. `share_with`: the sheet has to be shared with this address
    before. `refused` is why it cannot be done as things are: it is told in place of the fields.
    """

    title: str
    address: str
    button: str
    back: str
    told: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    lasting: bool = False
    other: tuple[str, str] | None = None
    opened: tuple[str, ...] = ()
    leave: str = "Back"
    share_with: str = ""
    refused: SyncError | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of the groups, in the fields' order."""
        return tuple(dict.fromkeys(field.group for field in self.fields if field.group))


def refusal(check: Callable[[], object]) -> SyncError | None:
    """What a check raises, for a form to tell before anybody fills it in; None where it raises nothing."""
    try:
        check()
    except SyncError as error:
        return error
    return None


def tidy(text: str) -> str:
    """Without what browsers change on the way: how lines end, and the blanks around, which nobody means."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def too_long(fields: Iterable[Field], sent: Mapping[str, str]) -> dict[str, str]:
    """What is to be told of the fields in which more was sent than browsers let people fill in."""
    lengths = {field: len(tidy(sent.get(field.name, ""))) for field in fields}
    return {
        field.name: f"is text of {length} characters, and {field.longest} is the most"
        for field, length in lengths.items()
        if length > field.longest
    }


def refuse_too_long(fields: Iterable[Field], sent: Mapping[str, str]) -> None:
    """Raises `FormRefused` for what `too_long` finds."""
    if problems := too_long(fields, sent):
        raise FormRefused("that is too long", "shorten what is marked, and send it again", problems)
