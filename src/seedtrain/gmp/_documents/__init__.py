"""What is printed of a batch."""
