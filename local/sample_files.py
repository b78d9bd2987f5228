"""The spreadsheets that a system serves: copies of the samples, or of a person's own file."""

import re
import shutil
import zipfile
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent / "samples"


class NotASpreadsheet(Exception):
    """The file cannot be served as a spreadsheet."""


def copy_samples(folder: Path) -> None:
    """Copy the samples into `folder`; one that is there already stays as a person left it."""
    folder.mkdir(parents=True, exist_ok=True)
    for sample in sorted(SAMPLES.glob("*.xlsx")):
        if not (folder / sample.name).exists():
            shutil.copyfile(sample, folder / sample.name)


def copy_own(file: Path, folder: Path) -> None:
    """Copy a person's file into `folder`, under a name that can be a spreadsheet's id.

    Raises `NotASpreadsheet` with what to do, for what is not a workbook in the Office Open XML format.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _check_workbook(file)
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", file.stem).strip("_") or "sheet"
    shutil.copyfile(file, folder / f"{name}.xlsx")


def _check_workbook(file: Path) -> None:
    try:
        with zipfile.ZipFile(file) as package:
            names = package.namelist()
    except FileNotFoundError as error:
        raise NotASpreadsheet(f"there is no file {file}: check the path") from error
    except zipfile.BadZipFile as error:
        raise NotASpreadsheet(f"{file} is not an .xlsx file: save or download it as Microsoft Excel (.xlsx)") from error
    except OSError as error:
        raise NotASpreadsheet(f"{file} cannot be read: {error.strerror}") from error
    if not any(re.fullmatch(r"xl/workbook\d*\.xml", name) for name in names):
        raise NotASpreadsheet(f"{file} holds no workbook: save or download it as Microsoft Excel (.xlsx)")
