"""Segments of films on the workers of a Ray cluster; planning, joining and the job folder stay here."""
