"""Distributed types that zoo does not support are refused."""

import pytest

import zoo
from zoo.errors import ConfigError
from zoo.training.distributed import check_distributed_type


@pytest.mark.parametrize(("word", "name"), [("FSDP", "FSDP"), ("DEEPSPEED", "DeepSpeed")])
def test_a_sharded_net_is_refused(small, monkeypatch, word, name):
    monkeypatch.setenv(f"ACCELERATE_USE_{word}", "true")
    model = zoo.create("gcn-7x7", seed=0)
    with pytest.raises(ConfigError, match=f"a whole net in each process, and accelerate was launched with {name}"):
        model.fit(small, epochs=1, progress=False)
    assert not model.history


@pytest.mark.parametrize("kind", ["FSDP", "DEEPSPEED", "XLA", "MULTI_NPU"])
def test_an_unsupported_distributed_type_is_refused(kind):
    with pytest.raises(ConfigError, match=f"not with accelerate's {kind}"):
        check_distributed_type(kind)
    check_distributed_type("MULTI_CPU")
