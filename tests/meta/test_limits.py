"""Every bound in `hitp2p/limits.py` is tested at the bound and one past it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from spec_vectors import FOLDER, load_all

ROOT = Path(__file__).resolve().parents[2]

AT_AND_PAST: Final = {
    # dag-cbor
    "BLOCK_BYTES": ("enc-9-block-2-mib-object", "enc-9-block-over-2-mib-object"),
    "IPLD_DEPTH": ("enc-9-depth-1024-ipld", "enc-9-depth-1025-ipld"),
    "OBJECT_DEPTH": ("enc-12-depth-16-object", "enc-12-depth-17-object"),
    "MAP_ENTRIES": ("enc-13-map-256-object", "enc-13-map-257-object"),
    "MAP_KEY_BYTES": ("enc-13-key-64-object", "enc-13-key-65-object"),
    "INT_MIN": ("enc-11-int-minus-2-63-object", "enc-11-int-minus-2-63-minus-1-object"),
    "INT_MAX": ("enc-11-int-2-63-minus-1-object", "enc-11-int-2-63-object"),
    # CAR
    "CAR_HEADER_BYTES": (
        "test_car_1_reads_a_header_of_64_kib_and_not_a_byte_more",
        "car-1-header-over-64-kib",
    ),
    "CAR_ROOTS": ("car-1-64-roots", "car-1-65-roots"),
    "CAR_CID_BYTES": (
        "test_car_2_allows_a_section_of_2_mib_and_128_bytes_and_not_a_byte_more",
        "car-2-section-over",
    ),
    "VARINT_BYTES": ("enc-14-binary-codec-9-bytes", "enc-14-binary-codec-10-bytes"),
    # keys and identity
    "KEY_FILE_BYTES": ("test_key_8_refuses_more_than_four_kib_unread", "key-8-over-4-kib"),
    "KDF_MEMORY_KIB": ("test_key_8_takes_costs_at_the_bounds", "key-8-memory-over-1-gib"),
    "KDF_PASSES": ("key-8-passes-64", "key-8-passes-65"),
    "KDF_LANES": ("key-8-lanes-16", "key-8-lanes-17"),
    "IDENTITY_FILE_BYTES": ("key-10-file-2-mib", "key-10-file-2-mib-and-1"),
    "IDENTITY_FILE_BLOCKS": (
        "test_key_11_takes_1024_events_and_not_one_more",
        "test_key_13_takes_1024_pages_and_not_one_more",
    ),
    "IDENTITY_EVENT_BYTES": ("idn-7-8-kib", "idn-7-over-8-kib"),
    "IDENTITY_KEYS": ("idn-5-keys-16", "idn-5-keys-17"),
    "IDENTITY_NEXT": ("idn-5-next-5", "idn-5-next-6"),
    "IDENTITY_PARENTS": ("idn-2-later-8-parents", "idn-2-later-9-parents"),
    "IDENTITY_DROPPED": ("obj-18-dropped-32", "obj-18-dropped-33"),
    # objects
    "OBJECT_BYTES": ("obj-2-size-64-kib", "obj-2-size-over-64-kib"),
    "KIND_CHARS": ("obj-4-kind-32-characters", "obj-4-kind-33-characters"),
    "PARENTS": ("obj-7-parents-128", "obj-7-parents-129"),
    "REFERENCES": ("obj-10-512", "obj-10-513"),
    "TIME_MAX": ("obj-13-time-2-53-minus-1", "obj-13-time-2-53"),
    "TITLE_BYTES": ("obj-16-contribution-title-limit", "obj-16-contribution-title-long"),
    "NAME_BYTES": ("obj-16-profile-name-limit", "obj-16-profile-name-long"),
    "TAG_BYTES": ("obj-16-contribution-tags-0-limit", "obj-16-contribution-tags-0-long"),
    "NOTE_BYTES": ("obj-16-contribution-note-limit", "obj-16-contribution-note-long"),
    "URL_BYTES": ("obj-16-profile-links-0-url-limit", "obj-16-profile-links-0-url-long"),
    "LICENSE_BYTES": ("obj-22-project-license-limit", "obj-22-project-license-long"),
    "LINE_BYTES": ("obj-16-call-reward-limit", "obj-16-call-reward-long"),
    "USES": ("obj-18-contribution-uses-limit", "obj-18-contribution-uses-long"),
    "CREDITS": ("obj-18-contribution-credits-limit", "obj-18-contribution-credits-long"),
    "TAGS": ("obj-18-contribution-tags-limit", "obj-18-contribution-tags-long"),
    "MEDIA_ENTRIES": ("obj-18-contribution-media-limit", "obj-18-contribution-media-long"),
    "LANGUAGES": ("obj-18-contribution-language-limit", "obj-18-contribution-language-long"),
    "LIST_ENTRIES": ("obj-18-profile-links-limit", "obj-18-profile-links-long"),
    "PART_BYTES": (
        "obj-19-contribution-uses-0-part-limit",
        "obj-19-contribution-uses-0-part-long",
    ),
    "ROLE_BYTES": (
        "obj-20-contribution-credits-0-role-limit",
        "obj-20-contribution-credits-0-role-long",
    ),
    "LANGUAGE_BYTES": ("obj-21-project-language-0-limit", "obj-21-project-language-0-long"),
    "LIST_PAGE_ENTRIES": ("obj-23-credits-500", "obj-23-credits-501"),
    "LIST_PAGE_BYTES": ("obj-23-256-kib", "obj-23-over-256-kib"),
    "RULES_ROLES": ("knd-1-rules-roles-16", "knd-1-rules-roles-17"),
    "RULES_IDENTITIES": ("obj-18-rules-roles-curator-limit", "obj-18-rules-roles-curator-long"),
    "WITNESS_REFS": ("obj-18-witness-500", "obj-18-witness-501"),
    "LINE_INDEX": ("knd-1-answer-line-limit-high", "knd-1-answer-line-high"),
    "SPLIT_POINTS": ("knd-5-split-10000", "knd-5-split-10001"),
    # media
    "CHUNK_BYTES": (
        "test_a_file_of_1_mib_is_one_leaf_and_one_byte_more_is_two",
        "test_a_file_of_1_mib_is_one_leaf_and_one_byte_more_is_two",
    ),
    "UNIXFS_WIDTH": ("test_a_node_has_up_to_1024_links", "test_a_node_has_up_to_1024_links"),
    "FILE_BYTES": (
        "med-1-contribution-media-0-size-limit-high",
        "med-1-contribution-media-0-size-high",
    ),
    "UNIXFS_DEPTH": ("med-5-16-levels", "med-5-17-levels"),
    "HAMT_FANOUT": ("med-6-hamt", "med-6-hamt-fanout-huge"),
    "HAMT_DEPTH": ("med-6-hamt-8-levels", "med-6-hamt-9-levels"),
    "MEDIA_TYPE_BYTES": (
        "med-1-contribution-media-0-type-limit",
        "med-1-contribution-media-0-type-long",
    ),
    "TEXT_BLOCK_BYTES": ("med-8-text-block-1-mib", "med-8-text-block-over-1-mib"),
    "METADATA_BYTES": (
        "test_med_13_tags_of_4_mib_are_read_and_not_a_byte_more",
        "test_med_13_tags_of_4_mib_are_read_and_not_a_byte_more",
    ),
    "SVG_BYTES": (
        "test_med_16_8_mib_are_read_and_not_a_byte_more",
        "test_med_16_8_mib_are_read_and_not_a_byte_more",
    ),
    "MARKUP_DEPTH": ("med-16-svg-256-deep", "med-16-svg-257-deep"),
    "MARKUP_ATTRIBUTES": ("med-16-svg-256-attributes", "med-16-svg-257-attributes"),
    "MARKUP_PREFIXES": ("med-16-svg-64-prefixes", "med-16-svg-65-prefixes"),
    "TEXT_LINE_BYTES": ("med-17-long-line", "med-17-too-long-line"),
    "FILM_BOXES": ("test_med_22_boxes_side_by_side_are_bounded",) * 2,
    "FILM_BOX_BYTES": ("test_med_22_boxes_that_are_read_whole_are_bounded",) * 2,
    "FILM_TAG_LEVELS": ("med-22-tags-4-deep", "med-22-deep-tags"),
    "FILM_TRACKS": ("test_med_22_tracks_are_bounded",) * 2,
    "FILM_DESCRIPTIONS": ("test_med_22_descriptions_are_bounded",) * 2,
    "FILM_EDITS": ("med-22-64-edits", "med-22-65-edits"),
    "SOUND_TAG_BYTES": ("test_med_30_a_tag_of_16_mib_is_edited_and_not_a_byte_more",) * 2,
    "SOUND_LONG_TAG_BYTES": ("med-18-long-id3v2-ape-limit", "med-18-long-id3v2-ape"),
    "SOUND_PARTS": ("med-19-1024-blocks", "med-19-1025-blocks"),
    "COMMENT_LINES": ("med-19-65536-lines", "med-19-65537-lines"),
    "OGG_PACKET_PAGES": ("test_med_21_a_packet_goes_on_over_256_pages_and_not_one_more",) * 2,
    "PDF_BYTES": ("test_med_30_a_pdf_of_256_mib_is_written_and_not_a_byte_more",) * 2,
    # snapshots
    "SNAPSHOT_LINKS": ("snp-1-page-500", "snp-1-page-501"),
    "SNAPSHOT_CUT": ("snp-2-tree", "snp-2-page-goes-on"),
    "SNAPSHOT_LEVELS": ("snp-1-page-level-15", "snp-1-page-level-16"),
    # pulling from IPFS
    "PULL_OBJECTS": ("test_a_pull_is_taken_up_to_its_bounds_and_not_past_them",) * 2,
    "PULL_BYTES": ("test_a_pull_is_taken_up_to_its_bounds_and_not_past_them",) * 2,
    "PULL_BUNDLE_BYTES": ("test_a_bundle_is_fetched_up_to_its_bound_and_not_past_it",) * 2,
    # IPNS names
    "IPNS_RECORD_BYTES": ("ipn-2-10-kib", "ipn-2-over-10-kib"),
    # the node: peers
    "NODE_RECORD_ADDRESSES": ("net-20-8-addresses", "net-20-9-addresses"),
    "NODE_RECORD_AGE_MS": ("net-20-old", "net-20-too-old"),
    "NODE_RECORD_AHEAD_MS": ("net-20-ahead", "net-20-too-far"),
    "NODE_RECORDS_EVERY_S": ("test_net_21_a_peer_is_handed_records_once_a_minute",) * 2,
    "NODE_DIAL_EVERY_S": ("test_net_21_one_address_a_second_is_dialled_and_not_one_more",) * 2,
    "NODE_DIAL_HOST_EVERY_S": ("test_net_21_a_host_is_dialled_once_a_minute_whatever_its_keys",)
    * 2,
    "NODE_BACKOFF_FIRST_S": ("test_the_longest_wait_doubles_from_3_s_up_to_an_hour",) * 2,
    "NODE_BACKOFF_LAST_S": ("test_the_longest_wait_doubles_from_3_s_up_to_an_hour",) * 2,
    "NODE_BOOK_NEW": ("test_a_book_holds_2048_that_it_was_told_of_and_not_one_more",) * 2,
    "NODE_BOOK_TRIED": ("test_a_book_holds_512_that_it_has_reached_and_not_one_more",) * 2,
    "NODE_BOOK_NAMED": ("test_256_peers_are_named_and_not_one_more",) * 2,
    "NODE_ANCHORS": ("test_two_anchors_are_dialled_first_and_not_one_more",) * 2,
    "NODE_REST_EVERY_S": ("test_one_connection_an_hour_is_ended_for_another_and_not_one_more",) * 2,
    "NODE_BAN_KEY_S": ("test_net_23_a_key_is_kept_out_for_an_hour_wherever_it_comes_from",) * 2,
    "NODE_BAN_HOST_S": ("test_net_23_an_address_is_kept_out_for_a_minute_whatever_the_key",) * 2,
    "NODE_BANS": ("test_net_23_4096_keys_are_kept_out_and_not_one_more",) * 2,
    "NODE_METERS": ("test_net_22_a_meter_remembers_1024_keys_and_not_one_more",) * 2,
    # verdicts
    "VERIFY_OBJECTS": ("test_a_bundle_is_held_up_to_its_bounds_and_not_past_them",) * 2,
    "VERIFY_BLOCKS": ("test_a_bundle_of_many_leaves_is_read_up_to_the_bound_and_not_past_it",) * 2,
    "VERIFY_BYTES": ("test_a_bundle_is_held_up_to_its_bounds_and_not_past_them",) * 2,
    "SHEET_ENTRIES": ("test_crd_6_lists_are_read_up_to_the_bound_and_what_is_left_out_is_said",)
    * 2,
    "SHEET_PAGE_BYTES": ("test_crd_6_pages_are_read_up_to_the_bound_and_what_is_left_out_is_said",)
    * 2,
    "LICENSE_IDENTIFIERS": (
        "test_lic_3_an_expression_of_8_identifiers_is_judged_and_a_longer_one_is_not",
    )
    * 2,
    "LICENSE_HELD": ("test_lic_6_judges_up_to_a_bound_and_says_so_past_it",) * 2,
    "NEAR_MEDIA": ("test_media_of_a_bundle_are_compared_up_to_the_bounds_and_not_past_them",) * 2,
    "NEAR_BYTES": ("test_media_of_a_bundle_are_compared_up_to_the_bounds_and_not_past_them",) * 2,
    "ENTRY_BYTES": ("test_ver_9_blocks_are_read_up_to_the_bound_and_not_past_it",) * 2,
    "VERIFY_EVENTS": ("test_an_identity_is_judged_up_to_its_bound_and_not_past_it",) * 2,
    "RIVALS": ("test_ver_2_weighs_64_records_of_one_file_and_not_one_more",) * 2,
    # the node: connections
    "NODE_HANDSHAKES": ("test_the_oldest_of_64_gives_way_to_the_65th",) * 2,
    "NODE_FROM_ADDRESS": ("test_eight_of_one_address_may_shake_hands_and_not_one_more",) * 2,
    # the node: frames
    **dict.fromkeys(
        (
            "NODE_VERSIONS",
            "NODE_FEATURES",
            "NODE_FEATURE_BYTES",
            "NODE_AGENT_BYTES",
            "NODE_LISTEN",
            "NODE_ADDRESS_BYTES",
            "NODE_FOLLOWED",
            "NODE_PUSH_OBJECTS",
            "NODE_PUSH_OBJECT_BYTES",
            "NODE_PUSH_DIGESTS",
            "NODE_HEADS",
            "NODE_RANGES",
            "NODE_GET_CIDS",
            "NODE_BLOCKS",
            "NODE_PULL_BYTES",
            "NODE_RECORDS_ASKED",
            "NODE_RECORD_BYTES",
            "NODE_CODE_BYTES",
            "NODE_BYE_TEXT_BYTES",
            "NODE_FRAME_ARRAY",
            "NODE_FRAME_MAP",
            "NODE_FRAME_KEY_BYTES",
            "NODE_FRAME_DEPTH",
        ),
        ("test_net_8_a_bound_of_the_table_is_reached_and_not_passed",) * 2,
    ),
    **dict.fromkeys(
        ("NODE_FIRST_FRAME_BYTES", "NODE_FRAME_BYTES", "NODE_BLOCKS_FRAME_BYTES"),
        ("test_net_5_a_length_is_judged_before_anything_is_kept",) * 2,
    ),
    "NODE_REQUEST_ID": ("test_net_7_the_number_of_a_request_is_bounded",) * 2,
    # the node: comparing
    "NODE_RANGES_BYTES": ("test_net_16_a_message_is_filled_up_to_60_kib_and_not_a_byte_more",) * 2,
    "NODE_RANGE_KEYS": ("test_net_16_lists_32_keys_and_cuts_33",) * 2,
    "NODE_RANGE_PARTS": ("test_net_16_takes_sixteen_parts_and_not_one_more",) * 2,
    "NODE_RECON_ROUNDS": ("test_net_16_stops_after_sixteen_rounds",) * 2,
    "NODE_RECON_SURPLUS": (
        "test_net_16_remembers_32768_keys_that_the_other_lacks_and_not_one_more",
    )
    * 2,
    # the core of the node
    "NODE_HELLO_S": ("test_net_9_hello_has_10_seconds_and_no_more",) * 2,
    "NODE_PING_S": ("test_a_peer_is_asked_for_life_after_20_seconds_and_given_up_after_60",) * 2,
    "NODE_DEAD_S": ("test_a_peer_is_asked_for_life_after_20_seconds_and_given_up_after_60",) * 2,
    "NODE_REQUESTS": ("test_net_11_64_requests_are_open_and_not_one_more",) * 2,
    "NODE_QUEUE_BYTES": ("test_net_14_a_queue_holds_4_mib_and_what_does_not_fit_is_compared_later",)
    * 2,
    "NODE_STALL_S": ("test_who_takes_nothing_for_30_seconds_is_given_up",) * 2,
    "NODE_BATCHES": ("test_two_batches_wait_to_be_judged_and_not_one_more",) * 2,
    "NODE_FLIGHT_BYTES": ("test_net_19_8_mib_are_on_the_way_from_a_peer_and_not_a_byte_more",) * 2,
    "NODE_SILENCE_S": ("test_net_19_what_is_not_answered_for_30_seconds_is_given_up",) * 2,
    "NODE_FRAMES_A_S": ("test_net_22_500_frames_are_read_at_once_and_then_50_a_second",) * 2,
    "NODE_FRAMES_AT_ONCE": ("test_net_22_500_frames_are_read_at_once_and_then_50_a_second",) * 2,
    "NODE_OBJECTS_A_S": ("test_net_22_1024_objects_are_taken_at_once_and_then_5_a_second",) * 2,
    "NODE_OBJECTS_AT_ONCE": ("test_net_22_1024_objects_are_taken_at_once_and_then_5_a_second",) * 2,
    "NODE_RECONS_A_S": ("test_net_22_32_comparisons_are_answered_at_once_and_then_one_a_second",)
    * 2,
    "NODE_RECONS_AT_ONCE": (
        "test_net_22_32_comparisons_are_answered_at_once_and_then_one_a_second",
    )
    * 2,
    "NODE_WAITING_OBJECTS": ("test_a_peer_has_1000_objects_waiting_and_not_one_more",) * 2,
    "NODE_WAITING_PEER_BYTES": ("test_a_peer_has_4_mib_waiting_and_not_a_byte_more",) * 2,
    "NODE_WAITING_BYTES": ("test_all_have_64_mib_waiting_and_not_a_byte_more",) * 2,
    "NODE_WAITING_S": ("test_an_object_waits_10_minutes_and_no_longer",) * 2,
    "NODE_WANTED": ("test_65536_blocks_are_wanted_and_not_one_more",) * 2,
    "NODE_WANTED_PEER": ("test_16384_members_are_wanted_of_a_peer_and_not_one_more",) * 2,
    "NODE_JUDGED": ("test_65536_that_were_judged_are_remembered_and_not_one_more",) * 2,
    "NODE_JUDGED_S": ("test_what_was_judged_is_remembered_for_10_minutes_and_no_longer",) * 2,
    "NODE_MEDIA_PEERS": ("test_4_peers_are_asked_for_media_of_a_topic_and_not_one_more",) * 2,
    "NODE_INBOUND": ("test_128_connections_are_let_in_and_not_one_more",) * 2,
    "NODE_OUTBOUND": ("test_8_connections_are_dialled_of_its_own_accord_and_not_one_more",) * 2,
    "NODE_DIALLED": ("test_16_connections_are_dialled_and_not_one_more",) * 2,
    "NODE_HOST_LINKS": ("test_8_connections_come_from_one_address_and_not_one_more",) * 2,
    "NODE_GREETINGS": ("test_64_connections_are_in_the_greeting_and_not_one_more",) * 2,
    "NODE_COMPARISONS": ("test_8_comparisons_with_a_peer_are_under_way_and_not_one_more",) * 2,
}
"""By limit: the vector or test at the bound, and the one past it. A test's name may stand twice, if it asks for both."""


def limits() -> list[str]:
    tree = ast.parse((ROOT / "hitp2p" / "limits.py").read_text(encoding="utf-8"))
    return [
        node.target.id
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]


@cache
def verdicts() -> dict[str, str]:
    """What each vector expects, by id."""
    return {v.id: v.expect for path in FOLDER.glob("*.json") for v in load_all(path.name)}


@cache
def named_tests() -> frozenset[str]:
    """The names of all tests."""
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return frozenset(name for text in texts for name in re.findall(r"^def (test_\w+)", text, re.M))


@pytest.mark.parametrize("limit", limits())
def test_every_limit_is_tested_at_the_bound_and_one_past_it(limit: str) -> None:
    assert limit in AT_AND_PAST, f"name the vectors or tests at {limit} and one past it, above"
    at, past = AT_AND_PAST[limit]
    assert at in named_tests() or verdicts().get(at) == "valid", at
    assert past in named_tests() or verdicts().get(past) == "invalid", past


def test_no_row_is_left_of_a_limit_that_is_gone() -> None:
    assert set(AT_AND_PAST) <= set(limits())
