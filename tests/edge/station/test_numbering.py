import json

import pytest

from edge.station import numbering as numbering_module
from edge.station.numbering import Numbering
from tests.edge.evidence.alerts import alert
from tests.fusion.pass_records import pass_record


def a_numbering():
    return Numbering(
        first_seq=7, epoch="2027-01-15T07:30:00.000Z", config_digest="0" * 64, languages=("en-US",)
    )


@pytest.mark.parametrize("refused", [1, 2])
def test_files_of_a_revision_that_cannot_be_written_go_out_with_the_next(monkeypatch, refused):
    numbering = a_numbering()
    told = []
    for revision in (1, 2, 3):
        with monkeypatch.context() as patch:
            if revision == refused:
                patch.setattr(numbering_module, "encode_alert", _refuse)
            record = pass_record(scans=30 if revision == 1 else 50)
            told.append(numbering.write(alert(record, revision=revision)))
    assert told.pop(refused - 1) is None
    assert [each.seq for each in told] == [7, 8]
    sent = set()
    for each in told:
        sent |= {file.message.sha256 for file in each.files}
        named = {one["sha256"] for one in json.loads(each.payload)["evidence"]}
        assert len(named) == 2
        assert named <= sent


def _refuse(*_, **__):
    raise ValueError("not to be told")
