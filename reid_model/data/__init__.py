"""Images with identities: where they come from, how they are split, altered and batched."""
