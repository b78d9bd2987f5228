"""The parts of an .xlsx file beside its cells: tabs, names, number formats, shared strings.

openpyxl is not used: it turns serial numbers into dates, and gives either a cell's formula or its value; the
API gives both, and the serial number as the file has it. Formats: ECMA-376 part 1, chapters 12 and 18.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from local.sheets.pattern import NumberPattern, parse_pattern

# ECMA-376 part 1, 18.8.30; what Excel and Sheets show for them in en_US (14 and 22 are the locale's own).
_BUILT_IN_PATTERNS: Mapping[int, str] = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00",
    5: '"$"#,##0_);("$"#,##0)', 6: '"$"#,##0_);[Red]("$"#,##0)',
    7: '"$"#,##0.00_);("$"#,##0.00)', 8: '"$"#,##0.00_);[Red]("$"#,##0.00)',
    9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
    14: "m/d/yyyy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy",
    18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "m/d/yyyy h:mm",
    37: "#,##0_);(#,##0)", 38: "#,##0_);[Red](#,##0)", 39: "#,##0.00_);(#,##0.00)",
    40: "#,##0.00_);[Red](#,##0.00)", 41: '_(* #,##0_);_(* (#,##0);_(* "-"_);_(@_)',
    42: '_("$"* #,##0_);_("$"* (#,##0);_("$"* "-"_);_(@_)',
    43: '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)',
    44: '_("$"* #,##0.00_);_("$"* (#,##0.00);_("$"* "-"??_);_(@_)',
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
}  # fmt: skip
_ESCAPED_CHARACTER = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True)
class TabEntry:
    """A tab as the workbook lists it; `part` is the path of its XML in the package."""

    title: str
    sheet_id: int
    hidden: bool
    grid: bool
    part: str


@dataclass(frozen=True)
class NameEntry:
    """A workbook-wide defined name and what it refers to, for example `Sheet1!$A$1:$B$9`."""

    name: str
    refers_to: str


@dataclass(frozen=True)
class Package:
    """An .xlsx file, opened."""

    archive: zipfile.ZipFile
    tabs: Sequence[TabEntry]
    names: Sequence[NameEntry]
    patterns: Sequence[NumberPattern]
    pattern_of_style: Sequence[int]
    shared_strings: Sequence[str]
    date1904: bool


def open_package(archive: zipfile.ZipFile) -> Package:
    """Reads everything but the cells; raises KeyError or ElementTree.ParseError if it is not a workbook."""
    workbook_part = _targets(archive, "", "officeDocument")[0]
    root = _xml(archive, workbook_part)
    relations = _relations(archive, workbook_part)
    patterns, pattern_of_style = _styles(archive, _targets(archive, workbook_part, "styles"))
    return Package(
        archive,
        tuple(_tab(element, relations) for element in _all(root, "sheet")),
        tuple(_names(root)),
        patterns,
        pattern_of_style,
        _shared_strings(archive, _targets(archive, workbook_part, "sharedStrings")),
        any(is_true(element.get("date1904", "0")) for element in _all(root, "workbookPr")),
    )


def part_relations(archive: zipfile.ZipFile, part: str) -> Mapping[str, str]:
    """A part's relationship ids and their targets; those outside the package are URLs."""
    return {key: target for key, (_, target) in _relations(archive, part).items()}


def local_name(element: ElementTree.Element) -> str:
    """A tag without its namespace, which differs between transitional and strict files."""
    return element.tag.rpartition("}")[2]


def relation_id(element: ElementTree.Element) -> str:
    return next((value for key, value in element.attrib.items() if key.endswith("}id")), "")


def is_true(text: str) -> bool:
    return text in ("1", "true", "on")


def rich_text(element: ElementTree.Element) -> str:
    """The text of a string item: its own or its runs', without phonetic guides."""
    texts: list[str] = []
    for child in element:
        if local_name(child) == "t":
            texts.append(child.text or "")
        elif local_name(child) == "r":
            texts.extend(text.text or "" for text in child if local_name(text) == "t")
    return unescape("".join(texts))


def unescape(text: str) -> str:
    """`_x000D_` and the like: how a file keeps characters that XML cannot."""
    if "_x" not in text:
        return text
    return _ESCAPED_CHARACTER.sub(lambda match: chr(int(match[1], 16)), text)


def _xml(archive: zipfile.ZipFile, part: str) -> ElementTree.Element:
    return ElementTree.fromstring(archive.read(part))  # noqa: S314 (files of the user's own)


def _all(root: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    return (element for element in root.iter() if local_name(element) == name)


def _relations(archive: zipfile.ZipFile, part: str) -> Mapping[str, tuple[str, str]]:
    """Relationship id → (kind, target) of a part; "" is the package itself."""
    folder, name = posixpath.split(part)
    try:
        root = _xml(archive, posixpath.join(folder, "_rels", f"{name}.rels"))
    except KeyError:
        return {}
    found: dict[str, tuple[str, str]] = {}
    for element in _all(root, "Relationship"):
        target = element.get("Target", "")
        if element.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
        found[element.get("Id", "")] = (element.get("Type", "").rpartition("/")[2], target)
    return found


def _targets(archive: zipfile.ZipFile, part: str, kind: str) -> list[str]:
    found = [target for other, target in _relations(archive, part).values() if other == kind]
    if not found and kind == "officeDocument":
        raise KeyError("the package names no workbook")
    return found


def _tab(element: ElementTree.Element, relations: Mapping[str, tuple[str, str]]) -> TabEntry:
    kind, part = relations[relation_id(element)]
    return TabEntry(
        element.get("name", ""),
        int(element.get("sheetId", "1")),
        element.get("state", "visible") != "visible",
        kind == "worksheet",
        part,
    )


def _names(root: ElementTree.Element) -> Iterator[NameEntry]:
    """Names of the whole workbook; print areas and filters (`_xlnm.`) are not named ranges."""
    for element in _all(root, "definedName"):
        name = element.get("name", "")
        hidden = is_true(element.get("hidden", "0"))
        if element.get("localSheetId") is None and not hidden and not name.startswith("_xlnm."):
            yield NameEntry(name, element.text or "")


def _styles(archive: zipfile.ZipFile, parts: Sequence[str]) -> tuple[list[NumberPattern], list[int]]:
    """The workbook's patterns, General first, and the index into them of each cell style."""
    texts = dict(_BUILT_IN_PATTERNS)
    styles: list[int] = []
    for part in parts:
        root = _xml(archive, part)
        for element in _all(root, "numFmt"):
            texts.setdefault(int(element.get("numFmtId", "0")), element.get("formatCode", ""))
        for cell_styles in _all(root, "cellXfs"):
            styles.extend(int(element.get("numFmtId", "0")) for element in cell_styles)
    used = sorted({0, *styles})
    place = {number: index for index, number in enumerate(used)}
    return [parse_pattern(texts.get(number, "")) for number in used], [place[number] for number in styles]


def _shared_strings(archive: zipfile.ZipFile, parts: Sequence[str]) -> list[str]:
    return [rich_text(item) for part in parts for item in _all(_xml(archive, part), "si")]
