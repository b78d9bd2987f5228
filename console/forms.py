"""Forms: what a person reads and fills in before something is done, on a page of their own."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from shared.errors import InvalidInput


class FormRefused(InvalidInput):
    """What was filled in cannot be taken; `problems` are sentences by field."""

    def __init__(self, what: str, remedy: str, problems: Mapping[str, str]) -> None:
        super().__init__(what, remedy)
        self.problems = problems


class Field(msgspec.Struct, frozen=True):
    """A field with its label, and what there is to know for filling it in. A `hidden` one has neither."""

    name: str
    label: str = ""
    value: str = ""
    help: str = ""
    kind: Literal["text", "number", "hidden"] = "text"
    required: bool = False
    longest: int = 2000


class Form(msgspec.Struct, frozen=True):
    """A form that is sent to `address`: `told` are the paragraphs in front, `button` says what is done then.

    `lasting`: it cannot be undone. `back` is where somebody goes who leaves it.
    """

    title: str
    address: str
    button: str
    back: str
    told: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    lasting: bool = False
