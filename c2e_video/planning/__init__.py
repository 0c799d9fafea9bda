"""The planning pass: the film's shots, their references, a table and a contact sheet."""
