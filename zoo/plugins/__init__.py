"""Find, load, check and list plugins, without importing torch.

A plugin is a module that an installed distribution names in the entry point group `zoo`:

    [project.entry-points.zoo]
    zoo_mine = "zoo_mine"

It sets the version of the contract it is written for, and returns frozen values from its hooks:

    import zoo

    zoo_api = 1

    @zoo.hookimpl
    def zoo_models():
        return [zoo.ModelSpec(name="mine-7x7", summary="a net of mine", build="zoo_mine.net:Net", size=(7, 7))]

Its life takes five steps, one module each:

1. `entry_points` reads the entry points of all installed distributions, without importing any of them.
2. `discovery` lists each plugin once, and reads from `ZOO_PLUGINS` which are enabled.
3. `contract` registers the imported module alone, calls its hooks (`hookspecs`), and checks the values they return
   (`spec`, `experiment_spec`, `source`).
4. `catalog` does this for every plugin when a registry is first read, and quarantines a plugin that fails.
5. `registry` shows the values by name: `zoo.models["mine-7x7"]`.

What a value names by an import string, such as `zoo_mine.net:Net`, is imported by `import_string` when it is built.
`doctor` lists the problems of the installed plugins, and `scaffold` writes a new plugin.
"""
