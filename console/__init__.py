"""The console: a page where people see what runs, and act."""
