"""What `main.py` does: sheet I/O (`read`, `sheet`, `calls`) | columns and types, pure | `load`."""
