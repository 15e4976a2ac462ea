"""What a month of Backstop costs: prices and assumptions in one file, the rest counted."""
