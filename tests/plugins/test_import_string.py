"""An import string is loaded without a policy, or with errors that name its owner."""

import sys

import pytest

from zoo.errors import ConfigError, PluginError
from zoo.plugins.import_string import check_import_string, import_object, load_object


def test_a_module_an_attribute_and_a_nested_attribute_are_loaded():
    assert load_object("zoo.errors") is sys.modules["zoo.errors"]
    assert load_object("zoo.errors:PluginError") is PluginError
    assert import_object("zoo.errors:PluginError.mro", "it")() == PluginError.mro()


def test_loading_raises_the_original_error():
    with pytest.raises(ModuleNotFoundError):
        load_object("no_such_module:name")
    with pytest.raises(AttributeError):
        load_object("zoo.errors:Nothing")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "no_such_module:name",
            "net cannot be imported from no_such_module:name: ModuleNotFoundError: No module named",
        ),
        ("zoo.errors:PlugginError", "AttributeError: .* did you mean PluginError"),
        ("zoo.errors:PluginError.nothing", "AttributeError: .*nothing'$"),
    ],
)
def test_importing_raises_a_plugin_error_with_the_owner_and_near_names(target, message):
    with pytest.raises(PluginError, match=message):
        import_object(target, "net")


def test_a_zoo_error_at_import_passes_unchanged(tmp_path, monkeypatch):
    (tmp_path / "picky_module.py").write_text("from zoo.errors import ConfigError\nraise ConfigError('not here')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=r"^not here$"):
        import_object("picky_module:name", "net")


def test_another_text_is_refused_with_its_owner_and_field():
    with pytest.raises(ConfigError, match=r"gcn-7x7: verdict is an import string .*, not 'x'"):
        check_import_string("x", "gcn-7x7", "verdict")
