"""`zoo plugins doctor` says what is amiss and how to mend it, with real wheels."""

import json

from tests.support.wheels import install, make_plugin_source, plugin, script, zoo

DECLARED = "zoo_api = 1\n"


def findings(*distributions, place, code, **settings):
    done = zoo("plugins", "doctor", "--json", path=(install(place / "site", *distributions),), **settings)
    assert done.returncode == code, done.stderr
    return {(each["level"], each["subject"]): each for each in json.loads(done.stdout)["diagnostics"]}


def test_a_quarantined_plugin_is_an_error_with_three_ways_out(tmp_path):
    found = findings(plugin("zoo-broken", "1 / 0"), place=tmp_path, code=1)[("error", "zoo_broken")]
    assert found["problem"] == "quarantined: ZeroDivisionError: division by zero"
    for words in ("pip install --upgrade zoo-broken", "pip uninstall zoo-broken", "ZOO_PLUGINS=-zoo_broken"):
        assert words in found["fix"]


def test_a_plugin_for_a_newer_zoo_is_mended_by_a_newer_zoo(tmp_path):
    newer = plugin("zoo-newer", make_plugin_source("newer-small") + "zoo_api = 2")
    found = findings(newer, place=tmp_path, code=1)[("error", "zoo_newer")]
    assert found["fix"] == "pip install --upgrade zoo-models"


def test_a_clash_is_a_warning_with_the_full_names(tmp_path):
    pair = [plugin(f"zoo-{name}", make_plugin_source("shared-small") + DECLARED) for name in ("one", "two")]
    found = findings(*pair, place=tmp_path, code=0)[("warning", "shared-small")]
    assert found["fix"] == "write zoo_one:shared-small or zoo_two:shared-small, or uninstall one"


def test_one_plugin_name_of_two_distributions_is_a_warning(tmp_path):
    pair = [
        plugin(f"zoo-{name}", make_plugin_source(f"{name}-small") + DECLARED, point="same") for name in ("one", "two")
    ]
    found = findings(*pair, place=tmp_path, code=0)
    assert {about for level, about in found if level == "warning"} == {"same@zoo-one", "same@zoo-two"}


def test_a_part_of_the_contract_that_is_to_go_is_a_warning(tmp_path):
    found = findings(plugin("zoo-silent", make_plugin_source("silent-small")), place=tmp_path, code=0)
    assert "it declares no zoo_api" in found[("warning", "zoo_silent")]["problem"]


def test_missing_requirements_are_errors_and_missing_extras_notes_with_the_pip_line(tmp_path):
    site = install(tmp_path / "site", plugin("zoo-needy", make_plugin_source("needy-small") + DECLARED))
    about = next(site.glob("zoo_needy-*.dist-info")) / "METADATA"
    needs = ("no-such-thing>=2", "no-such-extra; extra == 'fast'", "x; extra == 'dev'")
    about.write_text(about.read_text() + "".join(f"Requires-Dist: {need}\n" for need in needs))
    done = zoo("plugins", "doctor", "--json", path=(site,))
    found = {(each["level"], each["subject"]): each["fix"] for each in json.loads(done.stdout)["diagnostics"]}
    assert done.returncode == 1
    assert found[("error", "zoo-needy")] == "pip install 'no-such-thing>=2'"
    assert found[("note", "zoo-needy[fast]")] == "pip install 'zoo-needy[fast]'"
    assert ("note", "zoo-needy[dev]") not in found


def test_what_is_switched_off_is_a_note(tmp_path):
    found = findings(
        plugin("zoo-any", make_plugin_source("any-small") + DECLARED), place=tmp_path, code=0, ZOO_PLUGINS="-zoo_any"
    )
    assert found[("note", "zoo_any")]["problem"] == "switched off by ZOO_PLUGINS"


def test_for_people_it_says_how_many_plugins_there_are_and_each_finding_with_its_mend(tmp_path):
    done = zoo("plugins", "doctor", path=(install(tmp_path / "site", plugin("zoo-broken", "1 / 0")),))
    lines = done.stdout.splitlines()
    assert "plugins, 1 quarantined; this zoo supports plugin API 1" in lines[0]
    assert lines[1].startswith("error: zoo_broken: quarantined: ")
    assert lines[2].startswith("    pip install --upgrade zoo-broken")


def test_it_imports_no_torch():
    source = (
        "import json, sys, zoo.plugins.doctor; zoo.plugins.doctor.diagnose(); print(json.dumps('torch' in sys.modules))"
    )
    assert script(source) is False
