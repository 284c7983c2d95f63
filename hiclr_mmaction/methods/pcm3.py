"""PCM3: contrast and masked prediction of skeletons, each helping the other."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..models.modules import (
    fill_masked,
    forward_unrecorded,
    present_persons,
    spread_mask,
)
from ..skeleton.regions import connected_joints, joint_distances
from .base import QueueLearner

_NO_MASK = (
    'PCM3: no joint is masked; end model.data_preprocessor.views.levels with '
    "dict(type='SkeletonPartMask', ratio=0.5)."
)


@MODELS.register_module()
class PCM3(QueueLearner):
    """PCM3 (ACM MM 2023, arXiv 2308.03975): prompted contrast with masked prediction.

    Key encoder and queue are as in HiCLR. The key is contrasted with four
    views of a clip: an ordinary one; one in which connected joints of another clip of the
    batch stand for some time (CutMix); a masked one; and that one with what the decoder of
    the head predicts at the masked joints. The gradient of the last goes through the
    prediction.

    The first query view is the ordinary one; the last one is masked.

    Learnable prompts are added to mixed and predicted clips, for each joint and coordinate,
    and to the feature map from which is predicted, for each channel and joint. Ordinary
    clips have none, so that the encoder needs none later. See the page on learners for what
    differs from the paper.

    Args:
        **kwargs: Of :class:`QueueLearner`. ``head`` has losses and decoder, e.g.
            :class:`PCM3Head`; the ``layout`` of ``data_preprocessor`` tells which joints
            are connected.

    Raises:
        ValueError: If an argument is out of range, or no view is masked.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        views = getattr(self.data_preprocessor, 'views', None)
        if views is not None and not any(t.masks_joints for t in sum(views.levels, [])):
            raise ValueError(_NO_MASK)
        layout = self.data_preprocessor.layout
        self.mask_token = nn.Parameter(torch.zeros(1))
        self._distances = joint_distances(layout)
        self.mixes = self.head.weights['mixed'] > 0
        self.input_prompts = nn.ParameterDict(
            {
                name: torch.zeros(layout.num_joints, layout.num_axes)
                for name in (['mixed'] if self.mixes else []) + ['predicted']
            }
        )
        self.prediction_prompt = nn.Parameter(
            torch.zeros(self.head.in_channels, 1, layout.num_joints)
        )

    def loss(
        self, inputs: dict, data_samples: list | None = None, **kwargs
    ) -> dict[str, Tensor]:
        """Losses and monitors of a batch.

        Args:
            inputs (dict): ``key (N, M, T, V, C)``; ``queries``, a list of the same, not
                masked; ``mask``, the joints to mask in the last query, bool ``(N, T, V)``
                or ``(N, T, V, C)``, or a list with this mask as its last entry.
            data_samples (list, optional): Not used.

        Returns:
            dict: As :meth:`PCM3Head.loss` and :meth:`PCM3Head.prediction_loss`.

        Raises:
            ValueError: If ``inputs`` are clips instead of views, or there is no mask.
        """
        self.require_views(inputs)
        ordinary, whole = inputs['queries'][0], inputs['queries'][-1]
        mask = inputs.get('mask')
        if isinstance(mask, list):
            mask = mask[-1]
        if mask is None:
            raise ValueError(_NO_MASK)
        present = present_persons(inputs['key']) | present_persons(ordinary)
        shown = present[..., None, None, None]

        masked, prediction = self.predict_masked(whole, mask, present)
        where = spread_mask(mask) & shown
        predicted = self._prompt(torch.where(where, prediction, whole), 'predicted')
        clips = [ordinary, predicted]
        if self.mixes:
            mixed, kept = self.mix(ordinary, present)
            clips.append(self._prompt(mixed, 'mixed'))
        # In one pass: batch norm would take a prompt off if all clips had it.
        maps = self.backbone(torch.cat([x * shown for x in clips]))
        embedded = F.normalize(self.neck(maps).float(), dim=1)
        query, after, *rest = embedded.chunk(len(clips))

        key = self.embed_key(inputs['key'])
        queue = self.queue.features.clone()  # backward needs it as it is now
        mixture = (rest[0], key.roll(1, 0), kept) if self.mixes else None
        losses = self.head.loss(query, masked, after, key, queue, mixture)
        losses |= self.head.prediction_loss(prediction, whole, where.expand_as(whole))
        self.queue.enqueue(key)
        return losses

    def predict_masked(
        self, whole: Tensor, mask: Tensor, present: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Embed a view with joints masked, and predict these.

        Running statistics of the encoder stay, which will be used on whole clips.

        Args:
            whole (Tensor): The view, ``(N, M, T, V, C)``.
            mask (Tensor): bool ``(N, T, V)`` or ``(N, T, V, C)``.
            present (Tensor): Which persons are there, bool ``(N, M)``.

        Returns:
            tuple[Tensor, Tensor]: Embeddings ``(N, D)`` of unit length, and coordinates
            ``(N, M, T, V, C)`` at all joints.
        """
        (masked,) = fill_masked([whole], mask, self.mask_token)
        masked = masked * present[..., None, None, None]
        if not getattr(self.backbone, 'skip_absent', False):
            maps = forward_unrecorded(self.backbone, masked)
            embedded = self.neck(maps)
        else:  # it would average the persons, each of whom is predicted
            run = present.clone()
            run[:, 0] |= ~present.any(1)
            clip, person = run.nonzero(as_tuple=True)
            rows = forward_unrecorded(self.backbone, masked[clip, person][:, None])
            maps = rows.new_zeros(*run.shape, *rows.shape[2:])
            maps = maps.index_put((clip, person), rows[:, 0])
            share = run.sum(1).to(maps).view(-1, 1, 1, 1, 1)
            embedded = self.neck(maps.sum(1, keepdim=True) / share)
        prediction = self.head.decode(maps, whole.shape[2], self.prediction_prompt)
        return F.normalize(embedded.float(), dim=1), prediction

    def mix(self, x: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Put a part of the next clip of the batch into each clip (CutMix).

        The part is a segment of time of connected joints; both take the same share, and
        their product is uniform. Persons are mixed where both clips have one.

        Args:
            x (Tensor): Clips ``(N, M, T, V, C)``.
            present (Tensor): Which persons are there, bool ``(N, M)``.

        Returns:
            tuple[Tensor, Tensor]: The mixed clips, and how much of each was kept, ``(N,)``.
        """
        n, _, frames, joints, _ = x.shape
        side = torch.rand(n).sqrt()  # on the CPU: the same on every device
        length = (side * frames).round()
        begin = (torch.rand(n) * (frames - length + 1)).floor()
        time = torch.arange(frames)
        span = (time >= begin[:, None]) & (time < (begin + length)[:, None])
        part = connected_joints(self._distances, (side * joints).round())
        cut = (span[:, :, None] & part[:, None]).to(x.device)
        both = present & present.roll(1, 0)
        cut = cut[:, None] & both[:, :, None, None]
        total = (present.sum(1) * frames * joints).clamp(min=1)
        kept = 1 - cut.flatten(1).sum(1) / total
        return torch.where(cut[..., None], x.roll(1, 0), x), kept

    def _prompt(self, x: Tensor, kind: str) -> Tensor:
        """Clips with the prompt of their kind at all coordinates; scores stay."""
        prompt = self.input_prompts[kind]
        return x + F.pad(prompt, (0, x.shape[-1] - prompt.shape[-1]))
