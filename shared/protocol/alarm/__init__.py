"""A grave alert reaches a human although a part is out."""
