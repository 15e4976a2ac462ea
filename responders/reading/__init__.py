"""What is shown and changes nothing: the API's reads and the console's pages."""
