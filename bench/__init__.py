"""The numbers: what a thing costs us, beside what it would cost without us. Ratios, so that any machine will do."""
