"""For engineers: replay, evaluation and speed."""
