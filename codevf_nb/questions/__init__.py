"""What is asked: its options as they were given, and the identity that makes two questions the same."""
