"""What a test server keeps, read past its protocol."""

from tests.hub_server import Server


def kept(hub: Server, repo: str = "ann/model", *, at: str = "main") -> dict[str, bytes]:
    """Return the files of a repository but the one that every new one has; none if it is not there."""
    found = hub.store.find(repo)
    if found is None:
        return {}
    files = {name: hub.store.objects.read(file.key) for name, file in found.at(at).tree.items()}
    return {name: data for name, data in files.items() if name != ".gitattributes"}


def head(hub: Server, repo: str = "ann/model", *, at: str = "main") -> str:
    """Return the commit that a revision is."""
    return hub.store.repo(repo).at(at).oid


def count(hub: Server, repo: str = "ann/model") -> int:
    """Return how many commits a repository has, on whatever branch."""
    return len(hub.store.repo(repo).commits)
