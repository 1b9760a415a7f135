"""How finished work lies on disk: names of files, columns and types of tables, each once.

Sinks and archives write by it; whoever reads imports ``pipeline.results`` instead.
"""
