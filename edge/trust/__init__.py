"""Who may say what: keys, signatures, and changes that need both sides."""
