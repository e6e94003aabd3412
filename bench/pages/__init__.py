"""Programs that drive the pages in a browser."""
