"""Fetching a record from an IPFS gateway, block by block, when a person asks for it; nothing that comes is trusted.

A pointer names a work. What the work links to (people, project, ancestors, list pages, texts) is reached from there; statements
about it and later identity events are not, since nothing in the work can name them. The report says so.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from hitp2p import limits
from hitp2p.codec.car import verify_block
from hitp2p.codec.cid import DAG_CBOR, Cid
from hitp2p.errors import BackendError, InvalidError, UsageError
from hitp2p.objects.envelope import SignedObject, verify_object
from hitp2p.trail.bundle import is_list_page, list_pages_of
from hitp2p.trail.check import audit_set
from hitp2p.trail.evidence import ObjectSet

__all__ = ["DEFAULT_GATEWAY", "Gateway", "fetch_record"]

DEFAULT_GATEWAY = "http://127.0.0.1:8080"
"""Where Kubo puts its own: nobody else learns what is asked for."""
_TIMEOUT_S = 20.0
_AT_ONCE = 8


class _NoRedirect(HTTPRedirectHandler):
    """A gateway that sends us elsewhere isn't the one that was named."""

    def redirect_request(  # as the base class has it
        self, req: Request, fp: object, code: int, msg: str, headers: object, newurl: str
    ) -> None:
        return None


class Gateway:
    """A trustless gateway: raw blocks by CID. No proxy, no redirect, no credentials; each block is hashed again."""

    def __init__(self, url: str = DEFAULT_GATEWAY, *, timeout_s: float = _TIMEOUT_S) -> None:
        """Name a gateway.

        Args:
            url: http or https, without a path.
            timeout_s: for each block.

        Raises:
            UsageError: no such URL.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
            raise UsageError(f"{url!a} is no gateway; give it as http://HOST:PORT")
        self.url = f"{parts.scheme}://{parts.netloc}"
        """Where it is."""
        self._timeout_s = timeout_s
        self._opener = build_opener(ProxyHandler({}), _NoRedirect())

    def get(self, cid: Cid, /) -> bytes | None:
        """A block, verified; None where the gateway hasn't got it.

        Raises:
            BackendError: it can't be reached, is too slow, or sends something else.
        """
        asked = Request(  # the scheme was checked
            f"{self.url}/ipfs/{cid}?format=raw", headers={"Accept": "application/vnd.ipld.raw"}
        )
        try:
            with self._opener.open(asked, timeout=self._timeout_s) as answer:
                block: bytes = answer.read(limits.BLOCK_BYTES + 1)
        except HTTPError as error:
            error.close()
            if error.code in (404, 410, 504):
                return None
            raise self._error(f"answers {error.code} for {cid}") from error
        except (URLError, OSError, http.client.HTTPException) as error:
            reason = error.reason if isinstance(error, URLError) else error
            raise self._error(f"can't be reached ({reason})") from error
        return self._checked(cid, block)

    def _checked(self, cid: Cid, block: bytes) -> bytes:
        try:
            if len(block) <= limits.BLOCK_BYTES and verify_block(cid, block):
                return block
        except InvalidError:
            pass
        raise self._error(f"sent other bytes than those of {cid}")

    def _error(self, what: str) -> BackendError:
        return BackendError(f"the gateway {self.url} {what}; name another with --gateway")


def fetch_record(work: Cid, gateway: Gateway) -> ObjectSet:
    """A work and all that its links reach but media, as far as the gateway has it, verified; some blocks at once.

    Raises:
        BackendError: the gateway fails, or hasn't got the work.
        UsageError: the record is larger than what is held in memory.
    """
    objects: dict[Cid, SignedObject] = {}
    blocks: dict[Cid, bytes] = {}
    layer, passed, n_bytes = [work], {work}, 0
    with ThreadPoolExecutor(_AT_ONCE) as executor:
        while layer:
            further: dict[Cid, None] = {}
            for cid, block in zip(layer, executor.map(gateway.get, layer), strict=True):
                n_bytes += len(block or b"")
                obj = None if block is None else _object(cid, block)
                if obj is not None:
                    objects[cid] = obj
                    further.update(dict.fromkeys(_wanted(obj)))
                elif block is not None:
                    blocks[cid] = block
            layer = [cid for cid in further if cid not in passed]
            passed.update(layer)
            if len(passed) > limits.VERIFY_OBJECTS or n_bytes > limits.VERIFY_BYTES:
                raise UsageError("the record is larger than what is held in memory")
    if work not in objects:
        raise BackendError(f"the gateway {gateway.url} has no work {work}")
    return ObjectSet(audit_set(objects.values()).valid, blocks)


def _object(cid: Cid, block: bytes) -> SignedObject | None:
    """None for another block, and for an object that breaks a rule: whoever links to it is judged without it."""
    if cid.codec != DAG_CBOR or is_list_page(block):
        return None
    try:
        return verify_object(block, cid=cid)
    except InvalidError:
        return None


def _wanted(obj: SignedObject) -> Iterable[Cid]:
    """What else is needed to judge an object and to tell of it: never media."""
    texts = (v for name, v in obj.body.items() if name.endswith("_block") and isinstance(v, Cid))
    return (*obj.required, *list_pages_of(obj), *texts)
