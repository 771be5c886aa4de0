"""Where blocks and their index live: one contract, several stores, one suite."""
