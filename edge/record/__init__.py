"""The common record: what happened at a site, in one log that both countries hold and can check."""
