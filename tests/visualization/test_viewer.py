"""The page of clips is self-contained, and runs in a browser."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from helpers.skeletons import standing

from hiclr_mmaction.datasets.synthetic.camera import to_coco
from hiclr_mmaction.visualization import viewer_page

BROWSER = next(
    filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))),
    None,
)


def data_of(page):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    return json.loads(found[1])


def test_coordinates_point_right_up_and_near():
    body = standing(2)
    body[0, 1, 7, 2] = 2.5  # the left hand comes half a metre nearer to the camera
    clips = data_of(viewer_page([dict(keypoint=body, title='t')]))['clips']
    left, right = (clips[0]['frames'][0][0][joint] for joint in (7, 11))
    assert left[0] > right[0]
    head, foot = (clips[0]['frames'][0][0][joint] for joint in (3, 15))
    assert head[1] > foot[1]
    assert clips[0]['frames'][1][0][7][2] == pytest.approx(left[2] + 0.5)


def test_absent_persons_and_joints_are_left_out():
    body = np.concatenate([standing(1), np.zeros((1, 1, 25, 3))])
    body[0, 0, 7] = np.nan
    frames = data_of(viewer_page([dict(keypoint=body, title='t')]))['clips'][0][
        'frames'
    ]
    assert len(frames[0]) == 1
    assert frames[0][0][7] is None
    assert frames[0][0][8] is not None


def test_skeleton_in_an_image_is_flat_and_upright():
    pixels = to_coco(standing(1))
    body = np.concatenate([pixels, np.ones_like(pixels[..., :1])], axis=-1)
    data = data_of(viewer_page([dict(keypoint=body, title='t')], 'coco'))
    nose, ankle = (data['clips'][0]['frames'][0][0][joint] for joint in (0, 15))
    assert data['flat']
    assert nose[1] > ankle[1]
    assert nose[2] == 0


def test_nothing_is_fetched_and_no_text_ends_the_script():
    nasty = '</script><b>&$x'
    page = viewer_page([dict(keypoint=standing(1), title=nasty, lines=[nasty])],
                       title=nasty)  # fmt: skip
    assert not re.search(r'(src|href)=|@import|url\(|https?:', page)
    assert page.count('</script>') == 2
    assert data_of(page)['clips'][0]['title'] == nasty


@pytest.mark.parametrize(
    ('clips', 'message'),
    [
        ([], 'clips is empty'),
        ([dict(keypoint=np.zeros((1, 2, 25, 3)), title='x')], "'x' holds nobody"),
        ([dict(keypoint=np.zeros((1, 2, 20, 3)), title='x')], 'V=25'),
    ],
)
def test_what_cannot_be_shown_is_refused(clips, message):
    with pytest.raises(ValueError, match=message):
        viewer_page(clips)


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason='needs Chromium or Chrome on PATH')
def test_page_runs_in_a_browser(tmp_path):
    """The script adds to the page's end what it finds after half a second."""
    clips = [
        dict(keypoint=standing(6), title='query', query=True),
        dict(keypoint=standing(3), title='<near>', lines=['one', 'two']),
    ]
    ask = """<script>
      addEventListener('error', (e) => document.body.append('FAILED ' + e.message));
      setTimeout(() => {
        const ink = () => [...document.querySelectorAll('canvas')].map((c) => {
          const p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
          return p.filter((v, i) => i % 4 === 0 && p[i + 2] > v + 60).length;
        });
        const canvas = document.querySelector('canvas');
        canvas.setPointerCapture = () => {};
        const event = (type, x) => canvas.dispatchEvent(
          new PointerEvent(type, { clientX: x, clientY: 0, pointerId: 1 }));
        document.getElementById('play').click();
        const before = canvas.toDataURL();
        event('pointerdown', 0); event('pointermove', 120); event('pointerup', 120);
        const slider = document.getElementById('frame');
        slider.value = 4; slider.oninput();
        document.body.append('FOUND ' + JSON.stringify({
          ink: ink(), turned: before !== canvas.toDataURL(),
          number: document.getElementById('number').textContent,
          play: document.getElementById('play').textContent,
          captions: [...document.querySelectorAll('figcaption')].map((f) => f.textContent),
        }) + ' END');
      }, 500);
    </script></body>"""
    path = tmp_path / 'page.html'
    path.write_text(viewer_page(clips).replace('</body>', ask))
    done = subprocess.run(
        [BROWSER, '--headless', '--no-sandbox', '--disable-gpu',
         f'--user-data-dir={tmp_path / "profile"}', '--virtual-time-budget=3000',
         '--dump-dom', path.as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert 'FAILED' not in done.stdout.replace("'FAILED ", '')
    found = json.loads(re.findall(r'FOUND (\{.*?\}) END', done.stdout)[-1]
                       .replace('&lt;', '<').replace('&gt;', '>'))  # fmt: skip
    assert min(found['ink']) > 50
    assert found['turned']
    assert found['number'] == 'frame 4 of 6'
    assert found['play'] == 'play'
    assert found['captions'] == ['query', '<near>one\ntwo']
