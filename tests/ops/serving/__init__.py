"""Test pages and a test socket that run long, served beside the household's own."""
