"""What a run would read, decide and change, without loading anything."""
