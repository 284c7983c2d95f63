"""Two processes, gloo on the CPU."""

import pytest
import torch
from helpers import same_run
from helpers.process import finish, fork_ranks
from helpers.two_ranks import report as report_equality

pytestmark = pytest.mark.slow


def two_ranks(function, folder):
    """What a function leaves in ``report.pth`` when it is run in two processes."""
    log = folder / 'log.txt'
    for process in fork_ranks(2, function, folder, log=log):
        finish(process, log)
    return torch.load(folder / 'report.pth')


@pytest.fixture(scope='module')
def variants(tmp_path_factory):
    return two_ranks(report_equality, tmp_path_factory.mktemp('two_ranks'))


@pytest.fixture
def report(variants):
    return variants['plain']


@pytest.mark.parametrize('name', ['bfloat16', 'accumulated', 'overflow'])
def test_ranks_stay_alike_in_half_precision(name, variants):
    """With skipped absent persons, shuffled batches, accumulated gradients."""
    report = variants[name]
    assert report['weights']
    assert report['key']
    assert report['queue']
    assert report['finite']
    assert report['trained'] is (name != 'overflow')


def test_an_overflow_skips_the_step_on_all_ranks(variants):
    assert variants['overflow']['scale_same']
    assert variants['overflow']['scale'] == 2.0 ** (40 - 6)  # halved in each step


def test_ranks_that_would_get_unequal_numbers_of_clips_are_found_before_training(
    variants,
):
    assert 'gives the processes [12, 11] clips' in variants['uneven']['error']


def test_queue_holds_the_keys_of_all_ranks_alike(report):
    assert report['queue']
    # 24 clips on two ranks, two epochs, 48 keys into a queue of 16 rows.
    assert report['clips'] == 12
    assert report['pointer'] == 48 % 16


def test_encoders_are_alike(report):
    assert report['weights']
    assert report['key']


def test_ranks_draw_different_views(report):
    assert report['views_differ']


def test_learning_rate_is_scaled_by_the_batch_of_all_ranks(report):
    assert report['lr'] == pytest.approx(0.03 * 2 * 5 / 5)


@pytest.fixture(scope='module')
def two(tmp_path_factory):
    """What a run in two processes of 16 clips leaves."""
    return two_ranks(same_run.train_all, tmp_path_factory.mktemp('same_run'))


@pytest.mark.parametrize(
    'variant',
    ['plain', 'shuffle_bn', 'skip_absent', 'accumulated', 'vicreg', 'pcm3'],
)
def test_two_processes_train_as_one_does(two, variant, tmp_path):
    """8 steps of 32 clips; batch norm is frozen, so the order of clips does not count."""
    one, two = same_run.train(tmp_path, variant), two[variant]
    assert len(one['losses']) == 8
    torch.testing.assert_close(two['losses'], one['losses'], rtol=0, atol=1e-5)
    assert len(set(one['losses'].tolist())) == 8  # they train
    assert two['weights'].keys() == one['weights'].keys()
    for name, value in one['weights'].items():
        torch.testing.assert_close(
            two['weights'][name], value, rtol=0, atol=1e-5, msg=lambda m, n=name: n + m
        )


def test_knn_counts_each_clip_once_where_ranks_do_not_divide_the_set(two, tmp_path):
    """51 clips on two ranks: one is seen twice, and counts once."""
    two = two['plain']
    assert two['knn'] == pytest.approx(same_run.evaluate(tmp_path, two['weights']))


def test_shuffled_batches_mix_the_ranks_and_come_back(two):
    dealt, back = two['shuffled']['dealt'], two['shuffled']['back']
    mine = torch.stack([torch.arange(8), torch.arange(8) + 100])
    assert torch.equal(dealt.flatten().sort().values, mine.flatten())
    for rank in dealt:
        assert (rank < 100).any()
        assert (rank >= 100).any()
    assert torch.equal(back, mine)
