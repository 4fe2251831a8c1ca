"""The configuration file: its keys, its mistakes with their lines, the policy's thresholds."""
