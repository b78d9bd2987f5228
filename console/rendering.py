"""Views as HTML: the templates, what all of them may say, and the addresses of the files that pages ask for."""

import functools
import hashlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import flask
import jinja2
from markupsafe import Markup, escape

from console import charts, phrases, states
from console.config_fields import LABELS
from console.edited import told_changes
from console.linked import coded, linked
from console.mending import mending
from console.planned import told_plan
from console.security import FIELD
from console.visit import ONCE
from shared.counted import counted

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
# A file's address changes with what is in it.
_FOR_EVER = "public, max-age=31536000, immutable"


def render(template: str, **values: Any) -> str:
    """The template's HTML; whatever a value holds is text in it, unless it is Markup of our own."""
    return _environment().get_template(template).render(**values)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.globals.update(
        static=static_address,
        address=address,
        form_field=FIELD,
        once_field=ONCE,
        charts=charts,
        label=states.label,
        shape=states.shape,
        run_word=states.run_word,
        linked=linked,
        mending=mending,
        told_changes=told_changes,
        told_plan=told_plan,
        field_labels=LABELS,
        coded=coded,
        exact_instant=phrases.exact_instant,
    )
    environment.filters.update(
        instant=phrases.instant,
        second=phrases.second,
        machine_instant=phrases.machine_instant,
        span=phrases.span,
        duration=phrases.duration,
        number=phrases.number,
        every=phrases.every,
        why=phrases.why,
        size=phrases.size,
        counted=counted,
        exactly=escape,
    )
    environment.globals["time"] = _time
    return environment


def _visible(value: Any) -> Any:
    """What an expression of a template shows, whoever wrote it; what is HTML already stays."""
    return phrases.visible(value) if type(value) is str else value


def _time(at: Any, now: Any) -> Markup:
    """An instant, how long ago it was, and on pointing at it when that is."""
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        phrases.machine_instant(at), phrases.instant(at), phrases.relative(at, now)
    )


def address(path: str, asked: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """A page's address with what is asked there, some of it changed; what is None goes."""
    merged = {name: value for name, value in {**(asked or {}), **changes}.items() if value is not None}
    return f"{path}?{urlencode(merged)}" if merged else path


def static_address(name: str) -> str:
    """Where a browser gets one of our files."""
    return f"/static/{name}?v={_file(name)[1]}"


def static_file(name: str, version: str | None) -> flask.Response | None:
    """One of our files, None where there is none of that name; kept for ever where this version was asked for."""
    if name not in _names():
        return None
    content, digest = _file(name)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = flask.Response(content, mimetype=kind)
    response.headers["Cache-Control"] = _FOR_EVER if version == digest else "no-cache"
    return response


@functools.cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in _STATIC.iterdir() if path.is_file())


@functools.cache
def _file(name: str) -> tuple[bytes, str]:
    content = (_STATIC / name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:12]
