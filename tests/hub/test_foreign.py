"""Test weights written by other libraries: from a file, a folder, a Hub and the client's cache."""

import shutil
from pathlib import Path

import huggingface_hub
import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

import zoo
from zoo.errors import HubError, HubNotFoundError, HubUnreachableError, UnknownNameError, WeightsError

timm = pytest.importorskip("timm")
models = pytest.importorskip("torchvision.models")
IMAGES = torch.randint(0, 256, (3, 3, 64, 64), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
REPO = "timm/test_resnet.r160_in1k"


@pytest.fixture(scope="module")
def net():
    """Return a net of timm for 7 classes, with changed batch statistics."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = timm.create_model("test_resnet", num_classes=7).train()
        for _ in range(3):
            net(torch.rand(8, 3, 64, 64))
    return net.eval()


@pytest.fixture(scope="module")
def written(net, tmp_path_factory):
    """Return a folder that timm wrote for a Hub."""
    from timm.models import save_for_hf

    folder = tmp_path_factory.mktemp("timm") / "net"
    cfg = {"mean": (0.2, 0.2, 0.2), "std": (0.5, 0.6, 0.7), "input_size": (3, 64, 64), "license": "apache-2.0"}
    save_for_hf(net, folder, model_config={"pretrained_cfg": {**net.pretrained_cfg, **cfg}}, safe_serialization=True)
    return folder


@pytest.fixture
def timm_hub(hub, written):
    """Return a Hub with timm's folder in the repository where timm publishes such weights."""
    files = {path.name: path.read_bytes() for path in written.iterdir()}
    hub.store.plant(hub.store.create(REPO), files)
    return hub


def expected(net, mean=(0.2, 0.2, 0.2), std=(0.5, 0.6, 0.7), images=IMAGES):
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (mean, std))
    with torch.no_grad():
        return net((images.float() / 255 - mean) / std)


def test_a_model_of_timm_is_pushed_and_loaded_as_any_other(hub, bundled):
    model = zoo.create("timm:test_resnet", size=32, channels=1, seed=0)
    model.fit(bundled.train.take(64, seed=0), epochs=1, progress=False).push("ann/tiny", license="mit")
    again = zoo.load("hf:ann/tiny")
    assert again.spec.name == "timm:test_resnet"
    assert torch.equal(again.logits(bundled.test.images[:4]), model.logits(bundled.test.images[:4]))


def test_a_folder_that_timm_wrote_gives_its_logits_with_classes_size_mean_and_licence_as_they_were(net, written):
    model = zoo.create("timm:test_resnet", pretrained=written)
    assert (len(model.classes), model.preprocessing.size, model.license) == (7, (64, 64), "apache-2.0")
    assert torch.allclose(model.logits(IMAGES), expected(net), atol=1e-5)
    assert (model.report.adapted, model.report.reinitialised, model.report.unexpected) == ({}, {}, ())
    assert model.base == str(written)


def test_other_classes_and_grey_images_keep_the_body(net, written):
    model = zoo.create("timm:test_resnet", pretrained=written, channels=1, classes=4, size=32, seed=0)
    print(model.report)
    assert set(model.report.reinitialised) == {"fc.weight", "fc.bias"}
    assert model.report.adapted == {"conv1.0.weight": "spread from 3 to 1 channels"}
    assert model.report.difference < 1e-4
    grey = zoo.create("timm:test_resnet", pretrained=written, channels=1)
    assert grey.preprocessing.mean == pytest.approx((0.2,))
    assert torch.allclose(
        grey.logits(IMAGES[:, :1]), expected(net, images=IMAGES[:, :1].expand(-1, 3, -1, -1)), atol=1e-4
    )


def test_a_bare_file_is_read_with_what_the_library_says_of_its_own(net, tmp_path):
    save_file(net.state_dict(), tmp_path / "it.safetensors")
    model = zoo.create("timm:test_resnet", pretrained=tmp_path / "it.safetensors", size=64)
    cfg = net.pretrained_cfg
    assert torch.allclose(model.logits(IMAGES), expected(net, cfg["mean"], cfg["std"]), atol=1e-5)


def test_a_model_that_began_so_is_trained_saved_and_loaded(written, tmp_path, bundled):
    model = zoo.create("timm:test_resnet", pretrained=written, size=32, channels=1, classes=10)
    model.fit(bundled.train.take(64, seed=0), epochs=1, progress=False)
    again = zoo.load(model.save(tmp_path / "model"))
    assert torch.equal(again.logits(bundled.test.images[:4]), model.logits(bundled.test.images[:4]))
    assert zoo.create("timm:test_resnet", pretrained=tmp_path / "model").base == str(tmp_path / "model")


@pytest.mark.parametrize("how", [True, "r160_in1k", f"hf:{REPO}"])
def test_what_timm_publishes_is_fetched_by_its_tag_and_then_found_offline(timm_hub, net, how, monkeypatch):
    model = zoo.create("timm:test_resnet", pretrained=how)
    assert torch.allclose(model.logits(IMAGES), expected(net), atol=1e-5)
    assert model.base.startswith(f"hf:{REPO}@")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    again = zoo.create("timm:test_resnet", pretrained=model.base)
    assert torch.equal(again.logits(IMAGES), model.logits(IMAGES))
    assert torch.equal(zoo.create("timm:test_resnet", pretrained=how).logits(IMAGES), model.logits(IMAGES))


def test_the_clients_own_cache_is_used_offline_if_it_is_whole(timm_hub, net, monkeypatch):
    path = Path(huggingface_hub.hf_hub_download(REPO, "model.safetensors", endpoint=timm_hub.url))
    huggingface_hub.hf_hub_download(REPO, "config.json", endpoint=timm_hub.url)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert torch.allclose(zoo.create("timm:test_resnet", pretrained=True).logits(IMAGES), expected(net), atol=1e-5)
    blob = path.resolve()
    blob.chmod(0o644)
    data = bytearray(blob.read_bytes())
    data[-1] ^= 1
    blob.write_bytes(data)
    with pytest.raises(HubUnreachableError, match="zoo is offline"):
        zoo.create("timm:test_resnet", pretrained=True)


def test_a_model_of_timm_is_pushed_after_a_trial_in_a_fresh_process_and_loads_by_its_name(hub):
    model = zoo.create("timm:test_resnet", stem="small", size=28, channels=1, seed=0)
    model.push("ann/tiny", license="mit")
    again = zoo.load("hf:ann/tiny")
    assert torch.equal(again.logits(IMAGES[:, :1]), model.logits(IMAGES[:, :1]))
    assert again.spec.name == "timm:test_resnet"


def test_a_copy_that_was_damaged_here_is_fetched_again(timm_hub, net):
    zoo.create("timm:test_resnet", pretrained=True)
    (file,) = Path(constants.HF_HUB_CACHE).parent.parent.rglob("foreign/*/model.safetensors")
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    assert torch.allclose(zoo.create("timm:test_resnet", pretrained=True).logits(IMAGES), expected(net), atol=1e-5)


@pytest.mark.usefixtures("impatient")
def test_without_a_network_the_error_is_of_the_hub(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubError):
        zoo.create("timm:test_resnet", pretrained=True)


def test_a_repository_of_pickles_is_refused_before_anything_is_fetched(hub):
    hub.store.plant(hub.store.create(REPO), {"pytorch_model.bin": b"\x80\x04.", "config.json": b"{}"})
    with pytest.raises(HubNotFoundError, match=r"has no model\.safetensors: other files may be pickles"):
        zoo.create("timm:test_resnet", pretrained=True)


def test_a_tag_that_timm_does_not_publish_is_answered_with_those_it_does():
    with pytest.raises(UnknownNameError, match=r"no weights 'nope' for test_resnet; it has r160_in1k"):
        zoo.create("timm:test_resnet", pretrained="nope")


@pytest.mark.parametrize("name", ["net.pth", "net.bin", "net.pt"])
def test_pickles_are_never_opened(tmp_path, name):
    torch.save({}, tmp_path / name)
    for source in (tmp_path / name, tmp_path):
        with pytest.raises(WeightsError, match="never opens a pickle"):
            zoo.create("timm:test_resnet", pretrained=source)


def test_weights_of_another_net_are_refused_whole(net, written):
    before = (model := zoo.create("timm:test_vit", seed=0)).logits(IMAGES)
    with pytest.raises(WeightsError, match="does not fit the model"):
        model.load_weights(written)
    assert torch.equal(model.logits(IMAGES), before)


def test_another_stem_takes_the_other_weights_with_partial(tmp_path):
    save_file(models.squeezenet1_0(num_classes=7).state_dict(), tmp_path / "model.safetensors")
    model = zoo.create("torchvision:squeezenet1_0", seed=0, stem="small", size=32, classes=7)
    with pytest.raises(WeightsError, match=r"features.0.weight is \(96, 3, 7, 7\).*partial=True"):
        model.load_weights(tmp_path)
    report = model.load_weights(tmp_path, partial=True)
    assert list(report.reinitialised) == ["features.0.weight"]
    assert len(report.loaded) > 50


def test_weights_of_torchvision_come_from_a_file_and_its_url_is_never_requested(tmp_path):
    net = models.resnet18(num_classes=6).eval()
    state = {key: each for key, each in net.state_dict().items() if not key.endswith("num_batches_tracked")}
    save_file(state, tmp_path / "resnet18.safetensors")  # as the oldest of its files are
    model = zoo.create("torchvision:resnet18", pretrained=tmp_path / "resnet18.safetensors", size=64)
    assert torch.allclose(model.logits(IMAGES), expected(net, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), atol=1e-4)
    with pytest.raises(UnknownNameError, match=r"pickles, which zoo never opens.*pretrained='./resnet18.safetensors'"):
        zoo.create("torchvision:resnet18", pretrained=True)


def test_a_net_that_renormalises_inside_answers_the_same_without_its_training_heads(tmp_path):
    net = models.googlenet(weights=None, init_weights=True, aux_logits=True, transform_input=True, num_classes=5).eval()
    save_file(net.state_dict(), tmp_path / "model.safetensors")
    model = zoo.create("torchvision:googlenet", pretrained=tmp_path, size=64)
    actual = expected(net, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert torch.allclose(model.logits(IMAGES), actual, atol=1e-4)
    shutil.rmtree(tmp_path)


def test_a_cache_that_cannot_be_written_is_an_error_of_the_hub(timm_hub, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "file"))
    with pytest.raises(HubError, match="set ZOO_CACHE to another folder"):
        zoo.create("timm:test_resnet", pretrained=True)
