"""`tools/label_curve.py`: a table of methods over fractions, which goes on."""

import json
import pickle
import re

import pytest
from helpers.paths import ROOT
from helpers.protocol import write_config

from hiclr_mmaction.apis import baseline_clips
from hiclr_mmaction.cli.label_curve import LabelCurve, parse_args
from hiclr_mmaction.cli.lock import work_dir_lock
from hiclr_mmaction.datasets.synthetic import pose_annotations


@pytest.mark.slow
def test_measures_every_cell_once_and_says_what_they_mean(tmp_path, run_forked):
    folder = tmp_path / 'curve'
    plain = [
        write_config(tmp_path, epochs=1), '--work-dir', folder, '--seeds', '0',
        '--baselines', '1-NN on joints', '--no-hybrid',
    ]  # fmt: skip
    code, said = run_forked('label_curve', *plain, '--fractions', '1')
    assert code == 0, said
    assert 'One seed: the encoder is' in said
    code, said = run_forked('label_curve', *plain, '--fractions', '0.5', '1')
    assert code == 0, said
    cells = json.loads((folder / 'curve.json').read_text())['cells']
    measured = [tuple(cell[:3]) for cell in cells]
    assert len(set(measured)) == len(measured)
    for method in ('1-NN on joints', 'ridge', 'fine-tuned', 'from scratch'):
        assert {(method, 0.5, 0), (method, 1.0, 0)} <= set(measured)
    assert all(0 <= cell[3] <= 1 for cell in cells)
    assert 'pretrain: done before' in said
    assert (folder / 'curve.png').stat().st_size > 10_000
    assert '| method | 50 % | 100 % |' in (folder / 'curve.md').read_text()


def test_an_encoder_that_is_given_is_read_out(run_tool, small_run, tmp_path):
    config, checkpoint, _ = small_run
    folder = tmp_path / 'curve'
    command = (
        *('label_curve', config, '--work-dir', folder, '--checkpoint', checkpoint),
        *('--no-training', '--no-hybrid', '--baselines', '--seeds', '0', '1'),
        *('--fractions', '1', '--views', '2'),
    )
    run_tool(*command)
    cells = json.loads((folder / 'curve.json').read_text())['cells']
    assert {cell[2] for cell in cells} == {0, 1}
    table = (folder / 'curve.md').read_text()
    assert '| labelled clips | 24 |' in table
    assert re.search(
        r'- 100 % of labels: the rule chose [a-z ]+ \(\d of 2 seeds\)', table
    )
    assert not list(folder.rglob('*.pth'))  # nothing was pre-trained
    run_tool(*command)
    assert (folder / 'curve.md').read_text() == table


def test_one_run_at_a_time_in_a_folder(run_tool, small_run, tmp_path):
    folder = tmp_path / 'curve'
    with work_dir_lock(folder), pytest.raises(SystemExit, match='is in use by process'):
        run_tool(
            *('label_curve', small_run[0], '--work-dir', folder, '--no-training'),
            *('--checkpoint', small_run[1], '--no-hybrid', '--baselines'),
        )


def test_a_config_that_changed_is_told(run_tool, small_run, tmp_path):
    config, checkpoint, cfg = small_run
    folder = tmp_path / 'curve'
    command = (
        *('label_curve', config, '--work-dir', folder, '--checkpoint', checkpoint),
        *('--no-training', '--no-hybrid', '--baselines', '--seeds', '0'),
        *('--fractions', '1', '--views', '0'),
    )
    run_tool(*command)
    measured = (folder / 'curve.json').read_text()
    cfg.test_dataloader.dataset.datasets[1].num_subjects = 8
    cfg.dump(config)
    with pytest.raises(SystemExit, match=r'num_subjects was 6 and is 8. Name another'):
        run_tool(*command)
    assert (folder / 'curve.json').read_text() == measured


def test_the_streams_are_the_configs_unless_they_are_named(tmp_path):
    config = str(write_config(tmp_path))
    plain = [config, '--no-hybrid', '--baselines']
    option = ['--cfg-options', 'model.data_preprocessor.stream=motion']

    def streams(*args):
        return LabelCurve(parse_args([*plain, *args])).streams

    assert streams() == ['joint']
    assert streams(*option) == ['motion']
    assert streams('--streams', 'bone', 'joint') == ['bone', 'joint']
    with pytest.raises(SystemExit, match='the stream motion, not joint: name'):
        streams('--streams', 'motion', 'joint', *option)


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (['--fractions', '10'], '--fractions 10: write 10 % as 0.1'),
        (['--seeds', '-1'], '--seeds -1'),
        (['--baselines', 'SVM'], 'SVM'),
        (['--device', 'gpu'], '--device: gpu cannot be used here'),
        (['--cfg-options', 'foo'], '--cfg-options: foo: write KEY=VALUE'),
        (['--checkpoint', 'a.pth', '--streams', 'joint', 'bone'], 'of one stream'),
    ],
)
def test_bad_options_are_named_before_any_work(
    run_tool, tmp_path, capsys, args, message
):
    folder = tmp_path / 'curve'
    with pytest.raises(SystemExit) as ended:
        run_tool('label_curve', write_config(tmp_path), '--work-dir', folder, *args)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert not folder.exists()


def test_own_data_need_no_setting_but_the_file(tmp_path):
    """The skeleton is the file's; baselines see as many frames as they need."""
    file = tmp_path / 'own.pkl'
    few = dict(num_subjects=2, num_val_subjects=1, clips_per_action=1)
    content = pose_annotations(actions=['wave', 'squat'], **few)
    content['split'] = {
        f'xsub_{part}': content['split'][name]
        for part, name in zip(('train', 'val'), content['split'], strict=True)
    }
    file.write_bytes(pickle.dumps(dict(content, layout='nturgb+d')))
    own = ROOT / 'configs' / 'hiclr' / 'hiclr_stgcn_own.py'
    options = ['--no-hybrid', '--baselines', '--cfg-options', f'ann_file={file}']
    curve = LabelCurve(parse_args([str(own), *options]))
    assert curve.cfg.layout == 'nturgb+d'
    clips, labels, names = baseline_clips(curve.cfg, 'train')
    assert clips.shape == (len(names), 1, 64, 25, 3)
    assert set(labels) == {0, 1}
