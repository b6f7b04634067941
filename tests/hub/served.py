"""Read the repositories of a test server without its protocol."""

from tests.hub_server import Server


def kept(hub: Server, repo: str = "ann/model", *, at: str = "main") -> dict[str, bytes]:
    """Return the files of a repository except the initial one; an empty mapping if it does not exist."""
    repository = hub.store.find(repo)
    if repository is None:
        return {}
    files = {name: hub.store.objects.read(file.key) for name, file in repository.at(at).tree.items()}
    return {name: data for name, data in files.items() if name != ".gitattributes"}


def head(hub: Server, repo: str = "ann/model", *, at: str = "main") -> str:
    """Return the commit of a revision."""
    return hub.store.repo(repo).at(at).oid


def count(hub: Server, repo: str = "ann/model") -> int:
    """Return the number of commits of a repository, over all branches."""
    return len(hub.store.repo(repo).commits)
