"""Google's Sheets v4 and Drive v3 over a folder of .xlsx files, for reading.

`python -m local.sheets --port N --folder DIR [--require-auth] [--reads-per-minute N]`

- A spreadsheet's id is its file's name without `.xlsx`, so `sales.xlsx` is
  `https://docs.google.com/spreadsheets/d/sales/edit`. A name with other characters than letters, digits, `_`
  and `-` gets an id made of it (`library.spreadsheet_id`); the server prints every id when it starts.
- A tab's `gid` is its `sheetId` in the workbook less one, so the first tab of a new workbook is gid 0.
- A file is read again when it changed on disk; its Drive `version` and `modifiedTime` then move.
- `DIR/sharing.json`, for example `{"sales": "not_shared"}`, makes a spreadsheet answer as one that is not
  shared (`not_shared`), that lies in a shared drive (`shared_drive`: Drive finds it only with
  `supportsAllDrives=true`), that is an Excel file kept in Drive (`office_file`), or whose reader has not turned
  the APIs on (`api_disabled`).
- Sheets v4 is at `http://127.0.0.1:N/v4/`, Drive v3 at `http://127.0.0.1:N/drive/v3/`.

Answers follow the reference (https://developers.google.com/workspace/sheets/api/reference/rest) and the
discovery documents that google-api-python-client ships. Nothing can be written through it.
"""
