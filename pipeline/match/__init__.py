"""One global identity per person, over all cameras."""
