"""Test pages and a test socket that run long, served beside those of the household."""
