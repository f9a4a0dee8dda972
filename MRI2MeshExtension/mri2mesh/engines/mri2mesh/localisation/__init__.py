"""Where the vertebrae are, which is which, and how each is turned: from a whole volume to local frames."""
