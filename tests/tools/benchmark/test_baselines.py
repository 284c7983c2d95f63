import re

from helpers.paths import ROOT


def test_each_baseline_is_measured_over_the_seeds(run_tool, capsys):
    config = ROOT / 'configs' / 'hiclr_stgcn_synthetic.py'
    few = ('num_subjects=3', 'num_val_subjects=1', 'clips_per_action=1')
    options = [
        f'test_dataloader.dataset.datasets.{i}.{setting}'
        for i in (0, 1)
        for setting in few
    ]
    # What has no seed spreads by nothing.
    run_tool(
        'benchmark/baselines', config, '--baselines', '1-NN on joints',
        '--seeds', 3, 4, '--cfg-options', *options,
    )  # fmt: skip
    shown = capsys.readouterr().out
    assert re.search(r'\d+ training and \d+ test clips', shown)
    assert re.search(r'1-NN on joints: [\d.]+ ± 0.0 % \(seeds 3, 4\)', shown)
