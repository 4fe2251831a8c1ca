"""What a person sees and starts in a terminal: the alert stream, the demo, the simulators."""
