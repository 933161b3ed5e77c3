import re

import pytest

from wgangp import InputError
from wgangp.data import catalogue, images


def test_every_entry_is_complete():
    names = [file.name for file in catalogue.FILES]
    assert len(set(names)) == len(names)
    for file in catalogue.FILES:
        assert re.fullmatch("sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", file.known_hash)
        assert all(re.fullmatch("[0-9a-f]{64}|[0-9a-f]{32}", content) for content in file.contents)
        assert file.url or file.origin
        assert file.licence and file.used_by and file.megabytes > 0


def test_a_missing_file_is_named_with_its_url_and_its_place(folder):
    with pytest.raises(catalogue.Missing) as caught:
        catalogue.locate("inception")
    for part in ("pt_inception-2015-12-05-6726825d.pth is not in", str(folder), "https://github.com", "put it there"):
        assert part in str(caught.value)
    with pytest.raises(catalogue.Missing, match="not published in this form .*akamaster"):
        catalogue.locate("cifar10_resnet56")
    with pytest.raises(InputError, match="'imagenet' is unknown; use one of cifar10, "):
        catalogue.locate("imagenet")


def test_the_folder_is_data_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv("WGANGP_DATA")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "lsun_bedroom").mkdir(parents=True)
    assert catalogue.locate("lsun_bedroom").name == "lsun_bedroom"


def test_the_list_names_every_file_and_what_is_there(folder):
    (folder / "reuters21578_sentences.txt").write_text("x")
    text = catalogue.list_data()
    assert "reuters: found, reuters21578_sentences.txt" in text and "cifar10: missing" in text
    for file in catalogue.FILES:
        assert file.file in text and file.licence in text and (file.url or file.origin) in text


def test_a_folder_without_rights_is_told_and_not_taken_for_missing_data(closed):
    for call in (lambda: catalogue.find("cifar10"), catalogue.list_data, lambda: images.mnist(fallback=True)):
        with pytest.raises(InputError, match=f"cannot look for data in {closed}: Permission denied; set WGANGP_DATA"):
            call()
