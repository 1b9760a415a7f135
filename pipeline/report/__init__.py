"""The report of a run or of an archive: one page that needs nothing but itself."""
