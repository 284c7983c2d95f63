"""Reading and writing: what is refused, and that nothing is left half done."""

import os
import pickle
from pathlib import Path

import pytest
import torch

from hiclr_mmaction.atomic_write import remove_parts, whole_file
from hiclr_mmaction.checkpoint import (
    check_match,
    find_whole_checkpoint,
    read_checkpoint,
    write_checkpoint,
)


class Call:
    """Pickles to a call that makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / 'model.pth'
    torch.save(dict(state_dict={'a': torch.randn(20000)}, meta=dict(epoch=1)), path)
    return path


@pytest.mark.parametrize('zipped', [True, False])
def test_code_is_refused_and_not_run(tmp_path, zipped):
    path, trace = tmp_path / 'evil.pth', tmp_path / 'was_run'
    content = dict(state_dict={'a': torch.ones(1)}, extra=Call(trace))
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r'evil.pth is refused: it holds code'):
        read_checkpoint(path)
    assert not trace.exists()
    torch.load(path, weights_only=False)  # the file is really armed
    assert trace.exists()


def test_a_bare_pickle_with_a_call_is_not_run(tmp_path):
    path, trace = tmp_path / 'evil.pkl', tmp_path / 'was_run'
    path.write_bytes(pickle.dumps(Call(trace)))
    with pytest.raises(ValueError, match='evil.pkl'):
        read_checkpoint(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    ('zipped', 'size'),
    [(True, 0), (True, 4), (True, 200), (True, 40000), (True, -1)]
    + [(False, 4), (False, 40000), (False, -1)],
)
def test_truncated_files_give_one_clear_error(saved, size, zipped):
    content = torch.load(saved)
    torch.save(content, saved, _use_new_zipfile_serialization=zipped)
    saved.write_bytes(saved.read_bytes()[:size])
    with pytest.raises(ValueError, match=r'model.pth cannot be read: it is truncated'):
        read_checkpoint(saved)


@pytest.mark.parametrize('content', [[1], {}, {'state_dict': {}}, {'lr': 0.1}])
def test_what_is_no_state_dict_is_said_so(tmp_path, content):
    torch.save(content, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match='holds no state dict'):
        read_checkpoint(tmp_path / 'a.pth')


def test_text_and_missing_files(tmp_path):
    (tmp_path / 'a.txt').write_text('hello')
    with pytest.raises(ValueError, match='no PyTorch checkpoint'):
        read_checkpoint(tmp_path / 'a.txt')
    with pytest.raises(FileNotFoundError, match='checkpoint not found'):
        read_checkpoint(tmp_path / 'nowhere.pth')


def test_a_bare_state_dict_is_a_checkpoint(tmp_path):
    torch.save({'a': torch.ones(2)}, tmp_path / 'a.pth')
    assert list(read_checkpoint(tmp_path / 'a.pth')['state_dict']) == ['a']


def test_existing_files_are_kept_unless_told(saved):
    before = saved.read_bytes()
    with pytest.raises(FileExistsError, match='--overwrite'):
        write_checkpoint(dict(state_dict={}), saved)
    assert saved.read_bytes() == before
    write_checkpoint(dict(state_dict={'b': torch.ones(1)}), saved, overwrite=True)
    assert list(read_checkpoint(saved)['state_dict']) == ['b']


def test_a_write_that_fails_leaves_everything_as_it_was(saved):
    before = saved.read_bytes()
    # Python 3.13 says "Can't get local object".
    with pytest.raises(Exception, match='[Pp]ickle|local object'):
        write_checkpoint(dict(a=lambda: 0), saved, overwrite=True)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere does not exist'):
        write_checkpoint({}, tmp_path / 'nowhere' / 'a.pth')


def test_mismatch_names_the_first_keys_of_each_kind():
    model = torch.nn.Linear(3, 2)
    with pytest.raises(
        ValueError,
        match=r'a.pth does not fit .*weight is \(4, 3\), the model has \(2, 3\); '
        'bias is missing; other is not in the model',
    ):
        check_match(
            model, {'weight': torch.ones(4, 3), 'other': torch.ones(1)}, 'a.pth'
        )
    check_match(model, model.state_dict(), 'a.pth')


def test_a_flipped_bit_is_found(saved):
    content = bytearray(saved.read_bytes())
    place = content.index(saved.stem.encode() + b'/data/0') + 5000  # in the numbers
    content[place] ^= 1
    saved.write_bytes(content)
    torch.load(saved)  # which torch does not see
    with pytest.raises(ValueError, match=r'model.pth cannot be read: .*wrong checksum'):
        read_checkpoint(saved)


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    with whole_file(tmp_path / 'a.pth') as part:
        part.write_text('half')
        other = tmp_path / 'mine.part'
        other.touch()
        remove_parts(tmp_path)
        assert not part.exists()
        part.write_text('whole')  # for the rename at the end
    assert sorted(p.name for p in tmp_path.iterdir()) == ['a.pth', 'mine.part']


class TestFindWholeCheckpoint:
    @pytest.fixture
    def run(self, tmp_path):
        """Three checkpoints, the last of which is named last."""
        for epoch in (1, 2, 3):
            path = tmp_path / f'epoch_{epoch}.pth'
            torch.save(dict(state_dict={'a': torch.ones(99)}), path)
            os.utime(path, (epoch, epoch))
        torch.save({}, tmp_path / 'best_acc_epoch_4.pth')  # has no optimiser
        (tmp_path / 'last_checkpoint').write_text(
            f'/was/here/{tmp_path.name}/{path.name}'
        )
        return tmp_path

    def test_the_named_one_is_taken_also_in_a_moved_folder(self, run):
        assert find_whole_checkpoint(run) == (run / 'epoch_3.pth', [])
        (run / 'last_checkpoint').write_text(str(run / 'epoch_1.pth'))
        assert find_whole_checkpoint(run) == (run / 'epoch_1.pth', [])

    @pytest.mark.parametrize('damage', ['half', 'gone'])
    def test_damaged_ones_are_passed_over_in_words(self, run, damage):
        for name in ('epoch_3.pth', 'epoch_2.pth'):
            path = run / name
            path.write_bytes(path.read_bytes()[:300])
        if damage == 'gone':
            (run / 'epoch_3.pth').unlink()
        found, why = find_whole_checkpoint(run)
        assert found == run / 'epoch_1.pth'
        assert len(why) == 2
        assert 'epoch_3.pth' in why[0]
        assert 'epoch_2.pth cannot be read: it is truncated, damaged' in why[1]

    @pytest.mark.parametrize('text', [None, ''])
    def test_without_a_name_the_newest_is_taken(self, run, text):
        (run / 'last_checkpoint').unlink()
        if text is not None:
            (run / 'last_checkpoint').write_text(text)
        os.utime(run / 'epoch_2.pth', (9, 9))
        assert find_whole_checkpoint(run)[0] == run / 'epoch_2.pth'

    def test_nothing_whole_is_an_error_and_nothing_at_all_is_not(self, run):
        assert find_whole_checkpoint(run / 'nowhere') == (None, [])
        for path in run.glob('epoch_*'):
            path.write_bytes(b'')
        with pytest.raises(
            ValueError, match='No checkpoint in .* can be read'
        ) as error:
            find_whole_checkpoint(run)
        for epoch in (1, 2, 3):
            assert f'epoch_{epoch}.pth' in str(error.value)
