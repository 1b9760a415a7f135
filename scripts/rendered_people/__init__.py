"""Rendered people for the crops that a re-identification network is distilled on.

`package` gets MakeHuman's figure and wardrobe and `assets` reads them; `bodies` shapes and `poses`
moves a figure, `wardrobe` dresses it, `paint` colours the clothes, `picture` draws it from a camera
and `footage` makes the crop that a detector would cut. `person` puts them together.
"""
