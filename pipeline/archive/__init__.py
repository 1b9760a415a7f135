"""Archives: many files of many cameras, processed unit by unit, and what is kept of them."""
