from helpers.process import run_python

from hiclr_mmaction.compat import opencv as compat


def test_broken_opencv_keeps_its_reason_and_gets_a_remedy(tmp_path):
    (tmp_path / 'cv2.py').write_text(
        "raise ImportError('libGL.so.1: cannot open shared object file')"
    )
    result = run_python(
        """
        import sys
        sys.path.insert(0, sys.argv[1])
        from importlib import util
        spec = util.spec_from_file_location('compat', sys.argv[2])
        compat = util.module_from_spec(spec)
        spec.loader.exec_module(compat)
        compat.check_opencv()
        """,
        tmp_path,
        compat.__file__,
    )
    last = result.stderr.rstrip().splitlines()[-1]
    assert 'libGL.so.1' in last
    assert 'opencv-python-headless' in last
