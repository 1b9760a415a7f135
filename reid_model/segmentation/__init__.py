"""Which pixels of a crop are the person: an encoder-decoder, its training, and its masks."""
