"""The files that OpenMMLab's tools read tell of each config, and no synthetic result."""

import yaml
from helpers.paths import PRETRAININGS, ROOT
from mmengine.config import Config

INDEX = yaml.safe_load((ROOT / 'model-index.yml').read_text())
METAFILES = [yaml.safe_load((ROOT / path).read_text()) for path in INDEX['Import']]
MODELS = [model for metafile in METAFILES for model in metafile['Models']]


def test_each_model_names_a_config_and_a_collection():
    collections = {c['Name'] for metafile in METAFILES for c in metafile['Collections']}
    for model in MODELS:
        assert (ROOT / model['Config']).is_file(), model['Config']
        assert model['Name'] == (ROOT / model['Config']).stem
        assert model['In Collection'] in collections
    assert len({model['Name'] for model in MODELS}) == len(MODELS)


def test_each_config_is_told():
    assert {path.stem for path in PRETRAININGS} == {model['Name'] for model in MODELS}


def test_numbers_are_those_of_the_configs():
    for model in MODELS:
        if 'ctrgcn' in model['Name'] or 'msg3d' in model['Name']:
            continue  # their backbones are in MMAction2's projects
        cfg = Config.fromfile(ROOT / model['Config'])
        numbers = {
            'Epochs': cfg.train_cfg.max_epochs,
            'Batch Size': cfg.train_dataloader.batch_size,
        }
        told = model['Metadata']
        assert {k: told.get(k, v) for k, v in numbers.items()} == numbers, model['Name']


def test_no_result_without_weights():
    for model in MODELS:
        assert ('Results' in model) == ('Weights' in model)
