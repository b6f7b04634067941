"""Pages for a person: the repositories, and one of them with its card and its files."""

from html import escape
from urllib.parse import quote

from .access import reader_of_files, sees
from .account import address
from .card import body
from .commit import Commit
from .exchange import Answer, Request
from .refusal import Refusal
from .repo import Repo

PAGE = """<!doctype html><meta charset="utf-8"><title>{title}</title>
<style>body {{ font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto }} pre {{ white-space: pre-wrap }}</style>
<h1>{title}</h1>
{inside}
"""


def page(title: str, inside: str) -> Answer:
    text = PAGE.format(title=escape(title), inside=inside)
    return Answer(headers={"Content-Type": "text/html; charset=utf-8"}, body=text.encode())


def link(url: str, text: str) -> str:
    return f'<a href="{escape(url)}">{escape(text)}</a>'


def index(request: Request) -> Answer:
    seen = [repo for repo in request.store if sees(request.user, repo)]
    return page("Repositories", "".join(f"<p>{link(address(request, repo), repo.id)} ({repo.kind})" for repo in seen))


def repository(request: Request, repo: Repo, rev: str = "main") -> Answer:
    """Show what a repository says of itself at one revision, and what it holds."""
    reader_of_files(request.user, repo)
    commit = repo.at(rev)
    parts = [f"<p>{escape(rev)} is {commit.oid}: {escape(commit.title)}", refs(request, repo)]
    parts += [card(request, commit), files(request, repo, rev, commit)]
    return page(f"{repo.id}{' (private)' if repo.state.private else ''}", "\n".join(parts))


def refs(request: Request, repo: Repo) -> str:
    names = [name.removeprefix("refs/heads/").removeprefix("refs/tags/") for name in sorted(repo.state.refs)]
    return "<p>" + " · ".join(link(f"{address(request, repo)}/tree/{quote(name, safe='')}", name) for name in names)


def card(request: Request, commit: Commit) -> str:
    readme = commit.tree.get("README.md")
    if readme is None:
        return "<p>No model card."
    text = request.store.objects.read(readme.key).decode(errors="replace")
    below = body(text)
    front = text[: len(text) - len(below)]
    return f'<pre class="metadata">{escape(front)}</pre><pre class="card">{escape(below)}</pre>'


def files(request: Request, repo: Repo, rev: str, commit: Commit) -> str:
    place = f"{address(request, repo)}/resolve/{quote(rev, safe='')}"
    rows = [
        f"<tr><td>{link(f'{place}/{quote(path)}', path)}<td>{file.size:,} bytes<td>{'LFS' if file.sha256 else ''}"
        for path, file in sorted(commit.tree.items())
    ]
    return f"<table>{''.join(rows)}</table>"


def nothing(request: Request) -> Answer:
    raise Refusal(404, "Sorry, we can't find the page you are looking for.")
