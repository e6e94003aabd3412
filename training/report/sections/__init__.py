"""What the report says: a section a function, from the manifest and what was measured."""
