"""Ways to train in several processes that zoo does not know are refused."""

import pytest

import zoo
from zoo.errors import ConfigError
from zoo.training.distributed import check_distributed_type


@pytest.mark.parametrize(("word", "name"), [("FSDP", "FSDP"), ("DEEPSPEED", "DeepSpeed")])
def test_a_net_that_is_to_be_cut_into_pieces_is_refused(small, monkeypatch, word, name):
    monkeypatch.setenv(f"ACCELERATE_USE_{word}", "true")
    model = zoo.create("gcn-7x7", seed=0)
    with pytest.raises(ConfigError, match=f"a whole net in each process, and accelerate was launched with {name}"):
        model.fit(small, epochs=1, progress=False)
    assert not model.history


@pytest.mark.parametrize("kind", ["FSDP", "DEEPSPEED", "XLA", "MULTI_NPU"])
def test_another_kind_of_machine_is_refused(kind):
    with pytest.raises(ConfigError, match=f"not with accelerate's {kind}"):
        check_distributed_type(kind)
    check_distributed_type("MULTI_CPU")
