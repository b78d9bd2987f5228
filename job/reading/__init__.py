"""The sheet, read through the Sheets and Drive APIs: one state of it, or an error that says what to do."""
