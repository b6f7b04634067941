"""`zoo plugins doctor` lists the problems of real wheels and what to do about them."""

import json

from tests.support.wheels import install, make_plugin_source, plugin, script, zoo

DECLARED = "zoo_api = 1\n"


def diagnose(*distributions, folder, code, **settings):
    """Return the diagnostics by level and subject."""
    process = zoo("plugins", "doctor", "--json", path=(install(folder / "site", *distributions),), **settings)
    assert process.returncode == code, process.stderr
    return {(each["level"], each["subject"]): each for each in json.loads(process.stdout)["diagnostics"]}


def test_a_quarantined_plugin_is_an_error_with_three_ways_out(tmp_path):
    diagnostic = diagnose(plugin("zoo-broken", "1 / 0"), folder=tmp_path, code=1)[("error", "zoo_broken")]
    assert diagnostic["problem"] == "quarantined: ZeroDivisionError: division by zero"
    for text in ("pip install --upgrade zoo-broken", "pip uninstall zoo-broken", "ZOO_PLUGINS=-zoo_broken"):
        assert text in diagnostic["fix"]


def test_a_plugin_for_a_newer_zoo_is_fixed_by_an_upgrade_of_zoo(tmp_path):
    newer = plugin("zoo-newer", make_plugin_source("newer-small") + "zoo_api = 2")
    diagnostic = diagnose(newer, folder=tmp_path, code=1)[("error", "zoo_newer")]
    assert diagnostic["fix"] == "pip install --upgrade zoo-models"


def test_a_clash_is_a_warning_with_the_full_names(tmp_path):
    pair = [plugin(f"zoo-{name}", make_plugin_source("shared-small") + DECLARED) for name in ("one", "two")]
    diagnostic = diagnose(*pair, folder=tmp_path, code=0)[("warning", "shared-small")]
    assert diagnostic["fix"] == "write zoo_one:shared-small or zoo_two:shared-small, or uninstall one"


def test_one_plugin_name_of_two_distributions_is_a_warning(tmp_path):
    pair = [
        plugin(f"zoo-{name}", make_plugin_source(f"{name}-small") + DECLARED, point="same") for name in ("one", "two")
    ]
    diagnostics = diagnose(*pair, folder=tmp_path, code=0)
    assert {subject for level, subject in diagnostics if level == "warning"} == {"same@zoo-one", "same@zoo-two"}


def test_a_deprecated_part_of_the_contract_is_a_warning(tmp_path):
    diagnostics = diagnose(plugin("zoo-silent", make_plugin_source("silent-small")), folder=tmp_path, code=0)
    assert "it declares no zoo_api" in diagnostics[("warning", "zoo_silent")]["problem"]


def test_missing_requirements_are_errors_and_missing_extras_are_notes_with_the_pip_command(tmp_path):
    site = install(tmp_path / "site", plugin("zoo-needy", make_plugin_source("needy-small") + DECLARED))
    metadata = next(site.glob("zoo_needy-*.dist-info")) / "METADATA"
    requirements = ("no-such-thing>=2", "no-such-extra; extra == 'fast'", "x; extra == 'dev'")
    metadata.write_text(metadata.read_text() + "".join(f"Requires-Dist: {each}\n" for each in requirements))
    process = zoo("plugins", "doctor", "--json", path=(site,))
    fixes = {(each["level"], each["subject"]): each["fix"] for each in json.loads(process.stdout)["diagnostics"]}
    assert process.returncode == 1
    assert fixes[("error", "zoo-needy")] == "pip install 'no-such-thing>=2'"
    assert fixes[("note", "zoo-needy[fast]")] == "pip install 'zoo-needy[fast]'"
    assert ("note", "zoo-needy[dev]") not in fixes


def test_a_plugin_that_is_switched_off_is_a_note(tmp_path):
    diagnostics = diagnose(
        plugin("zoo-any", make_plugin_source("any-small") + DECLARED), folder=tmp_path, code=0, ZOO_PLUGINS="-zoo_any"
    )
    assert diagnostics[("note", "zoo_any")]["problem"] == "switched off by ZOO_PLUGINS"


def test_the_text_counts_the_plugins_and_shows_each_problem_with_its_fix(tmp_path):
    process = zoo("plugins", "doctor", path=(install(tmp_path / "site", plugin("zoo-broken", "1 / 0")),))
    lines = process.stdout.splitlines()
    assert "plugins, 1 quarantined; this zoo supports plugin API 1" in lines[0]
    assert lines[1].startswith("error: zoo_broken: quarantined: ")
    assert lines[2].startswith("    pip install --upgrade zoo-broken")


def test_it_imports_no_torch():
    source = (
        "import json, sys, zoo.plugins.doctor; zoo.plugins.doctor.diagnose(); print(json.dumps('torch' in sys.modules))"
    )
    assert script(source) is False
