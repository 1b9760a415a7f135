"""A small rendered world with walking people, filmed by three cameras.

Everything is computed: bodies are lofted meshes on a skeleton (`anatomy`, `body`), they walk
with measured gait curves (`gait`) in clothes painted by formula (`wardrobe`, `paint`), through
rooms made of boxes (`world`, `backdrop`). `filming` puts them together, `encoding` writes files.
"""
