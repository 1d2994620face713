import pytest

from lvm_core.errors import ModelError
from lvm_core.leaderboard import production
from lvm_core.workspace import Workspace


def test_promoting_archives_the_one_before_with_its_date(workspace: Workspace) -> None:
    assert production.promote(workspace, "amn-1", "amn", "e") is None
    before = production.promote(workspace, "amn-2", "amn", "e")
    assert before is not None
    assert before.model == "amn-1"
    assert before.archived is not None
    assert before.archived >= before.promoted
    assert production.production(workspace) == {("amn", "e"): "amn-2"}
    assert [p.model for p in production.promotions(workspace)] == ["amn-2", "amn-1"]


def test_each_net_and_encoder_has_its_own(workspace: Workspace) -> None:
    production.promote(workspace, "amn-1", "amn", "e")
    production.promote(workspace, "gru-1", "gru", "e")
    production.promote(workspace, "amn-9", "amn", "other")
    assert production.production(workspace) == {("amn", "e"): "amn-1", ("gru", "e"): "gru-1", ("amn", "other"): "amn-9"}


def test_promoting_the_one_that_serves_changes_nothing(workspace: Workspace) -> None:
    production.promote(workspace, "amn-1", "amn", "e")
    assert production.promote(workspace, "amn-1", "amn", "e") is None
    assert len(production.promotions(workspace)) == 1


def test_a_rule_or_an_unknown_run_cannot_be_promoted(workspace: Workspace) -> None:
    with pytest.raises(ModelError, match="'copy-last' is a baseline; expected a net"):
        production.promote_model(workspace, "copy-last")
    with pytest.raises(ModelError, match="There is no model 'amn-9'"):
        production.promote_model(workspace, "amn-9")
