"""What Garita and the centres say to each other: messages, topics, their schemas."""
