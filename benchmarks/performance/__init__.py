"""What the library costs beside Optax, Optimistix, matfree and SciPy: what `reference/performance.md` shows."""
