"""Is what a configuration names there? Questions for `garita check`, each with a time limit."""
