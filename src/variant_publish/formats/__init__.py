"""Wire formats: text to model and back, pure; a wire key is spelled in its format's module and nowhere else."""
