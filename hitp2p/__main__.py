"""`python -m hitp2p`: the same program as `hitp2p`."""

from __future__ import annotations

from hitp2p.cli.main import main

if __name__ == "__main__":
    main()
