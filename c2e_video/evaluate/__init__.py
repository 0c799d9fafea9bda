"""Measuring colour against the truth: metrics, clips, tables and sheets."""
