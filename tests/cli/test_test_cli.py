import pickle

import pytest
from helpers.configs import probe_config, save_pretrained
from mmengine.config import Config


@pytest.fixture
def checkpoint(run_tool, tiny_config, tmp_path):
    run_tool('train', tiny_config, '--work-dir', tmp_path / 'run', '--no-validate')
    return tmp_path / 'run' / 'epoch_1.pth'


def merged(load_tool, config, *args, **extra):
    """The config as test.py would hand it to the runner."""
    test = load_tool('test')
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(extra)
    test.merge_args(cfg, test.parse_args([str(config), 'some.pth', *args]))
    return cfg


def test_dump_holds_one_prediction_for_each_sample(
    run_tool, tiny_config, checkpoint, tmp_path
):
    dump = tmp_path / 'scores.pkl'
    run_tool('test', tiny_config, checkpoint, '--dump', dump)
    predictions = pickle.loads(dump.read_bytes())
    assert len(predictions) == 8
    # the model is linear: the checkpoint's one weight is in every prediction
    first = predictions[0]['value']
    assert predictions[3]['value'] == pytest.approx(4 * first)


def test_dump_joins_the_metrics_of_the_config(load_tool, tiny_config):
    cfg = merged(load_tool, tiny_config, '--dump', 'scores.pkl')
    assert [metric.type for metric in cfg.test_evaluator] == ['TinyMean', 'DumpScores']
    assert cfg.test_evaluator[1].out_file_path == 'scores.pkl'


def test_dump_refuses_another_kind_of_file(load_tool, tiny_config):
    with pytest.raises(SystemExit, match='scores.json: the name must end in .pkl'):
        merged(load_tool, tiny_config, '--dump', 'scores.json')


def test_the_checkpoint_given_wins_over_the_config(load_tool, tiny_config):
    cfg = merged(load_tool, tiny_config, load_from='other.pth', resume=True)
    assert cfg.load_from == 'some.pth'
    assert not cfg.resume


def test_a_config_without_a_test_set_is_refused(load_tool, tiny_config):
    with pytest.raises(SystemExit, match='test_dataloader'):
        merged(load_tool, tiny_config, test_dataloader=None)


@pytest.mark.parametrize('missing', ['config', 'checkpoint'])
def test_a_missing_file_is_named(run_tool, tiny_config, missing):
    args = dict(config=tiny_config, checkpoint=tiny_config)
    args[missing] = 'nowhere.file'
    with pytest.raises(SystemExit, match=f'^{missing} not found: nowhere.file$'):
        run_tool('test', args['config'], args['checkpoint'])


def test_a_classifier_that_is_not_in_the_checkpoint_is_not_evaluated(
    run_tool, tmp_path
):
    checkpoint = save_pretrained(tmp_path / 'pretrained.pth')
    config = tmp_path / 'probe.py'
    probe_config(tmp_path, checkpoint).dump(config)
    with pytest.raises(SystemExit, match=r'holds no cls_head weights .*backbone\.\*'):
        run_tool('test', config, checkpoint)
