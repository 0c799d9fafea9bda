"""The studio: a page in the browser, served on this machine only, over the same files as the command line."""
