"""What a question is asked with unless its line says otherwise."""

import pytest

from codevf_nb.accounts import settings
from codevf_nb.questions import defaults


@pytest.fixture
def bare(shell):
    """A shell without the extension."""
    shell.extension_manager.unload_extension("codevf_nb")
    yield shell
    (settings.home() / "settings.json").unlink(missing_ok=True)
    shell.extension_manager.load_extension("codevf_nb")


def test_the_shells_own_configuration_goes_before_what_was_kept(bare):
    """What a profile says is what its user wants now."""
    settings.store(defaults={"mode": "fast", "tag": "engineer"})
    bare.config.CodeVF.mode = "standard"
    made = defaults.make(bare)
    assert (made.mode, made.tag) == ("standard", "engineer")
    del bare.config["CodeVF"]


@pytest.mark.parametrize("text", ["{", '{"defaults": {"mode": 5}}', "[]"])
def test_broken_settings_do_not_keep_the_extension_from_loading(bare, text):
    """A settings file that can't be used is told of once, and the defaults are the usual ones."""
    (settings.home() / "settings.json").write_text(text)
    with pytest.warns(UserWarning, match="kept defaults are ignored"):
        assert defaults.make(bare).mode == ""


def test_unknown_names_are_passed_over(bare):
    """A default that a newer version kept is no reason to fail."""
    settings.store(defaults={"mode": "fast", "mood": "good"})
    assert defaults.make(bare).values() == {"max_credits": 0, "mode": "fast", "project": "", "tag": ""}
