"""A small server that speaks the Hugging Face Hub's protocol, for the real client to speak with.

with serve(tokens={"hf_ann": User("ann")}) as hub:
    api = HfApi(endpoint=hub.url, token="hf_ann")
"""

from .access import User
from .faults import Fault, Faults
from .log import Log, Record
from .server import Server, serve
from .store import Store

__all__ = ["Fault", "Faults", "Log", "Record", "Server", "Store", "User", "serve"]
