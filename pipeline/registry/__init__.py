"""Who was seen where and when, what they are called, and every edit of it by hand."""
