"""From an alert to a centre that has stored it: outbox, publisher, brokers, sides."""
