"""Pickles of plain data are read; those that would run code are not."""

import builtins
import collections
import contextlib
import io
import os
import pickle
import pickletools
import time

import numpy as np
import pytest
import torch

from hiclr_mmaction.annotations.safe_pickle import SafeUnpickler, load_pickle
from hiclr_mmaction.datasets import SkeletonDataset

PLAIN = dict(
    split=dict(xsub_train=['a', 'b'], empty=[], pair=('x', 1)),
    annotations=[
        dict(
            frame_dir='a',
            label=np.int64(3),
            total_frames=7,
            keypoint=np.arange(2 * 7 * 20 * 3, dtype=np.float16).reshape(2, 7, 20, 3),
            turned=np.arange(6.0).reshape(2, 3).T,
            words=np.array(['p', 'qq']),
            valid={0.5: 3, 0.6: None},
            flag=np.bool_(True),
            scale=np.float32(0.5),
            raw=b'\x00\xff',
            mutable=bytearray(b'ab'),
            subjects={1, 2},
            frozen=frozenset([1]),
            z=1 + 2j,
        )
    ],
)


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return type(a) is type(b) and a == b


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_containers_are_read_as_pickle_reads_them(tmp_path, protocol):
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps(PLAIN, protocol))
    assert same(load_pickle(path), PLAIN)


@pytest.mark.parametrize('protocol', [2, 4, 5])
@pytest.mark.parametrize('other', ['numpy.core', 'numpy._core'])
def test_pickles_of_numpy_1_and_numpy_2_are_read(tmp_path, protocol, other):
    data = pickle.dumps(PLAIN, protocol)
    for place in (b'numpy.core', b'numpy._core'):
        for module in (b'multiarray', b'numeric'):
            name = place + b'.' + module
            new = other.encode() + b'.' + module
            if protocol < 4:
                data = data.replace(b'c' + name + b'\n', b'c' + new + b'\n')
            else:
                data = data.replace(
                    b'\x8c' + bytes([len(name)]) + name,
                    b'\x8c' + bytes([len(new)]) + new,
                )
    # Frames tell their length, which has changed.
    if protocol >= 4:
        assert data[2:3] == b'\x95'
        data = data[:2] + data[11:]
        data = b''.join(op for op in without_frames(data))
    assert same(SafeUnpickler(io.BytesIO(data)).load(), PLAIN)


def without_frames(data):
    """The pickle without FRAME opcodes."""
    ops = list(pickletools.genops(data))
    places = [pos for _, _, pos in ops] + [len(data)]
    for (op, _, pos), after in zip(ops, places[1:], strict=True):
        if op.name != 'FRAME':
            yield data[pos:after]


def test_text_of_python_2_is_read():
    data = b"(lp0\nS'S001C001.skeleton'\np1\naS'\\xe9'\np2\na."
    assert SafeUnpickler(io.BytesIO(data)).load() == ['S001C001.skeleton', 'é']


class Call:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def attack(name, path):
    """A pickle that would make `path`."""
    code = f'open({str(path)!r}, "w")'
    return {
        'os.system': lambda: Call(os.system, f'touch {path}'),
        'builtins.eval': lambda: Call(eval, code),
        'builtins.exec': lambda: Call(exec, code),
        'builtins.getattr': lambda: Call(getattr, [], 'append'),
        'builtins.open': lambda: Call(open, str(path), 'w'),
        'numpy.fromfile': lambda: Call(np.fromfile, str(path)),
        'collections.Counter': lambda: collections.Counter('ab'),
        'numpy.ma': lambda: np.ma.masked_array([1, 2], [0, 1]),
    }[name]()


@pytest.mark.parametrize(
    'name',
    [
        'os.system', 'builtins.eval', 'builtins.exec', 'builtins.getattr',
        'builtins.open', 'numpy.fromfile', 'collections.Counter', 'numpy.ma',
    ],
)  # fmt: skip
@pytest.mark.parametrize('protocol', [0, 2, 4])
def test_what_would_run_code_is_refused_by_name_and_nothing_runs(
    tmp_path, name, protocol
):
    ran = tmp_path / 'ran'
    path = tmp_path / 'poses.pkl'
    content = dict(PLAIN, extra=[attack(name, ran)])
    path.write_bytes(pickle.dumps(content, protocol))
    with pytest.raises(ValueError, match='poses.pkl is not read: it asks for') as error:
        load_pickle(path)
    asked = name.split('.')[-1]
    assert asked in str(error.value)
    assert not ran.exists()


def test_dotted_names_do_not_lead_out_of_what_is_admitted():
    for module, name in [
        ('numpy', 'ndarray.__class__'),
        ('builtins', 'list.append'),
        ('numpy', 'dtype.__init__'),
        ('numpy._core.multiarray', '_reconstruct.__self__'),
    ]:
        data = pickle.PROTO + b'\x04' + text(module) + text(name) + b'\x93.'
        with pytest.raises(pickle.UnpicklingError, match=name):
            SafeUnpickler(io.BytesIO(data)).load()


def text(value):
    return b'\x8c' + bytes([len(value)]) + value.encode()


def test_other_codecs_are_refused():
    data = b'c_codecs\nencode\n(Vabc\nVrot13\ntR.'
    with pytest.raises(pickle.UnpicklingError, match='rot13'):
        SafeUnpickler(io.BytesIO(data)).load()


def test_a_pickle_cannot_change_what_it_is_given():
    # BUILD sets attributes of what is on the stack: a dict, or a pair (slots, ...).
    for state in (b'}Vfunny\nI1\ns', b'(N}Vfunny\nI1\nst'):
        for name in (b'numpy._core.numeric\n_frombuffer', b'builtins\nlist'):
            data = b'c' + name + b'\n' + state + b'b.'
            with pytest.raises(pickle.UnpicklingError, match='it changes a'):
                SafeUnpickler(io.BytesIO(data)).load()


def array(data, shape, dtype='f4'):
    """Opcodes of an array, as protocol 2 writes them."""
    return (
        b'cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntC\x01btR(I1\n'
        + shape
        + b'cnumpy\ndtype\n(V'
        + dtype.encode()
        + b'\nI00\nI01\ntR(I3\nV<\nNNNI-1\nI-1\nI0\ntbI00\n'
        + data
        + b'tb'
    )


SHARED_TUPLES = b'(' + b'I1\nt' + 40 * b'q\x00h\x00\x86'
OUT_OF_PROPORTION = {
    'array of no data': array(b'C\x00', b'(I100\nt') + b'.',
    'array of less data': array(b'C\x04abcd', b'(I100\nI100\nt') + b'.',
    'array of negative size': array(b'C\x04abcd', b'(I-1\nt') + b'.',
    'array of texts of no length': array(b'C\x00', b'(I1000000000\nt', 'U0') + b'.',
    'tuples as a key': b'}' + SHARED_TUPLES + b'I1\ns.',
    'tuples as one of the keys': b'}(' + SHARED_TUPLES + b'I1\nu.',
    'tuples in a dict': b'(' + SHARED_TUPLES + b'I1\nd.',
    'tuples in a set': b'\x8f(' + SHARED_TUPLES + b'\x90.',
    'tuples in a frozenset': b'(' + SHARED_TUPLES + b'\x91.',
    'tuples in a set of protocol 2': b'c__builtin__\nset\n(]' + SHARED_TUPLES + b'atR.',
    'large number as a key': b'}\x8b\x10\x27\x00\x00' + 10_000 * b'\x7f' + b'Ns.',
    'index of the memo': b'Nr\xff\xff\xff\x7fr\xff\xff\xff\x7f',
    'bytearray of a size': b'\x96\x00\x00\x00\x00\xff\x00\x00\x00.',
    'bytes of a number': b'cbuiltins\nbytes\n(I100000000000\ntR.',
    'bytearray of a number': b'cbuiltins\nbytearray\n(I100000000000\ntR.',
    'text of a container': b'cbuiltins\nstr\n(' + SHARED_TUPLES + b'tR.',
    'many copies': b'(B\x00\x00\x01\x00'
    + 2**16 * b'a'
    + b'q\x010'
    + 2000 * b'cbuiltins\nbytearray\nh\x01\x85R'
    + b'.',
    'assignments to an array': array(b'C\x04abcd', b'(I1\nt') + 9 * b')I1\ns' + b'.',
}  # fmt: skip


@pytest.mark.parametrize('name', OUT_OF_PROPORTION)
def test_time_and_memory_are_in_proportion_to_the_file(tmp_path, name):
    path = tmp_path / 'poses.pkl'
    path.write_bytes(OUT_OF_PROPORTION[name])
    start = time.process_time()
    with pytest.raises(
        ValueError, match=r'poses\.pkl is (not read|truncated, damaged)'
    ):
        load_pickle(path)
    assert time.process_time() - start < 5


def test_shared_tuples_are_read_at_once(tmp_path):
    shared = 1
    for _ in range(40):
        shared = (shared, shared)
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps([shared, np.arange(3)]))
    outer = load_pickle(path)[0]
    assert outer[0] is outer[1]


def test_empty_arrays_keep_their_shape(tmp_path):
    path = tmp_path / 'a.pkl'
    for protocol in range(6):
        arrays = [np.zeros((0, 5)), np.zeros((3, 0), 'f4'), np.array([], 'U3')]
        path.write_bytes(pickle.dumps(arrays, protocol))
        for read, written in zip(load_pickle(path), arrays, strict=True):
            assert (read.shape, read.dtype) == (written.shape, written.dtype)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / 'a.pkl')
    for path in (tmp_path, tmp_path / 'a.pkl'):
        with pytest.raises(ValueError, match='is not a file'):
            load_pickle(path)


@pytest.mark.parametrize(
    ('value', 'hint'),
    [
        (torch.ones(2), r'asks for torch\._utils.* Store NumPy arrays'),
        (np.array([1, None], object), 'Store one array of numbers for each clip'),
        (collections.Counter('a'), 'Get the file from its authors again'),
    ],
)
def test_remedy_is_for_what_the_file_holds(tmp_path, value, hint):
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps(dict(annotations=[dict(keypoint=value)])))
    with pytest.raises(ValueError, match=hint):
        load_pickle(path)


def test_arrays_of_objects_and_records_are_refused(tmp_path):
    for array in (np.array([1, 'a', None], object), np.zeros(2, 'i4,f8')):
        path = tmp_path / 'a.pkl'
        path.write_bytes(pickle.dumps(array))
        with pytest.raises(ValueError, match='asks for numpy.dtype'):
            load_pickle(path)


def test_arrays_are_writable_and_shared_where_they_were(tmp_path):
    x = np.arange(3.0)
    for protocol in (2, 4, 5):
        (tmp_path / 'a.pkl').write_bytes(pickle.dumps([x, (x, 1), {'k': x}], protocol))
        first, (second, _), third = load_pickle(tmp_path / 'a.pkl')
        assert first is second is third['k']
        first[0] = 5


def test_other_byte_orders_are_read(tmp_path):
    x = np.arange(3, dtype='>f4')
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(x, 4))
    np.testing.assert_array_equal(load_pickle(tmp_path / 'a.pkl'), x)


@pytest.mark.parametrize('size', [0, 1, 20, 1000, -1])
def test_truncated_file_is_one_clear_error(tmp_path, size):
    path = tmp_path / 'poses.pkl'
    path.write_bytes(pickle.dumps(PLAIN)[:size])
    with pytest.raises(
        ValueError, match='poses.pkl is truncated, damaged or not a pickle'
    ):
        load_pickle(path)


@pytest.mark.parametrize('data', [b'hello', b'\x89PNG\r\n', b'{"a": 1}', b'\x80\x04}.'])
def test_file_of_another_kind_is_no_pose_pickle(tmp_path, data):
    path = tmp_path / 'poses.pkl'
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r'poses\.pkl'):
        SkeletonDataset(str(path), [], 'xsub_train', layout='kinect20')


def test_every_byte_changed_gives_data_or_one_value_error(tmp_path):
    path = tmp_path / 'poses.pkl'
    good = pickle.dumps(dict(a=[1, 2.5, 'x'], b=np.arange(3)), 4)
    for i in range(len(good)):
        for value in (0, ord('c'), ord('R'), ord('b'), 0xFF):
            path.write_bytes(good[:i] + bytes([value]) + good[i + 1 :])
            with contextlib.suppress(ValueError):
                load_pickle(path)


def test_skeleton_dataset_refuses_and_can_be_told_to_trust(tmp_path):
    ran = tmp_path / 'ran'
    path = tmp_path / 'poses.pkl'
    clip = dict(frame_dir='a', label=0, keypoint=np.ones((1, 4, 20, 3)))
    content = dict(
        split=dict(all=['a']),
        annotations=[clip],
        extra=Call(builtins.open, str(ran), 'w'),
    )

    class Opened(Call):
        pass

    content['extra'] = Opened(os.mkdir, str(ran))
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=r'posix.mkdir.*SkeletonDataset\(safe=False\)'):
        SkeletonDataset(str(path), [], 'all', layout='kinect20')
    assert not ran.exists()
    assert (
        len(SkeletonDataset(str(path), [], 'all', layout='kinect20', safe=False)) == 1
    )
    assert ran.exists()
