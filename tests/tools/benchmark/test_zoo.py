"""The table of an encoder of the zoo beside the aligned joints."""

import pickle
import re

from hiclr_mmaction.datasets.synthetic import pose_annotations


def test_a_row_for_each_method(run_tool, tmp_path, capsys):
    content = pose_annotations(
        actions=['squat', 'wave'],
        num_subjects=3,
        num_val_subjects=1,
        clips_per_action=2,
    )
    content['split'] = {f'x_{k}': names for k, names in content['split'].items()}
    path = tmp_path / 'poses.pkl'
    path.write_bytes(pickle.dumps(content))
    run_tool('benchmark/zoo', f'{path}=x=nturgb+d')
    shown = capsys.readouterr().out
    rows = re.findall(r'^\| (.+?) \| (\d+\.\d) \|$', shown, re.MULTILINE)
    assert [name for name, _ in rows] == [
        '1-NN on joints',
        'features',
        'mean',
    ]
    assert all(0 <= float(value) <= 100 for _, value in rows)
