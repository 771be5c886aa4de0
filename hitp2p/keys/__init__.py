"""Ed25519 with strict checks and domain separation, did:key, key envelopes. Pure: salt, nonce and seeds come in."""
