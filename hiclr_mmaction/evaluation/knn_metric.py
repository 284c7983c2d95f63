"""k-nearest-neighbour accuracy of frozen features."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmaction.registry import METRICS
from mmengine.evaluator import BaseMetric
from torch import Tensor


def knn_predict(
    features: Tensor,
    bank: Tensor,
    bank_labels: Tensor,
    ks: Sequence[int],
    chunk_size: int = 1024,
) -> dict[int, Tensor]:
    """Classify by the ``k`` nearest entries of a bank, by cosine similarity.

    In a tie, the label with the larger sum of similarities wins.

    Args:
        features (Tensor): Queries ``(N, C)``.
        bank (Tensor): Labelled features ``(B, C)``.
        bank_labels (Tensor): ``(B,)``, int64.
        ks (Sequence[int]): Numbers of neighbours.
        chunk_size (int): Queries at a time: memory is bounded by
            ``chunk_size * (B + number of classes)`` floats.

    Returns:
        dict[int, Tensor]: Predicted labels ``(N,)`` for each ``k``.
    """
    bank = F.normalize(bank.float(), dim=1)
    num_classes = int(bank_labels.max()) + 1
    predictions: dict[int, list[Tensor]] = {k: [] for k in ks}
    for chunk in F.normalize(features.float(), dim=1).split(chunk_size):
        similarity, index = (chunk @ bank.T).topk(min(max(ks), len(bank)), dim=1)
        labels = bank_labels[index]
        for k in ks:
            # A cosine adds less than half a vote, whatever k is.
            votes = 1 + similarity[:, :k] / (2 * k + 1)
            score = votes.new_zeros(len(chunk), num_classes)
            predictions[k].append(score.scatter_add_(1, labels[:, :k], votes).argmax(1))
    return {k: torch.cat(parts) for k, parts in predictions.items()}


@METRICS.register_module()
class KNNMetric(BaseMetric):
    """Accuracy of a k-NN classifier on frozen features, for the stock ``ValLoop``.

    The loop's data set holds both the labelled bank and the clips to classify (e.g. a
    ``ConcatDataset`` of the training and the test split); clips packed with
    ``PackSkeletonViews(knn_bank=True)`` are the bank. The model's ``predict`` gives
    one feature per clip.

    Clips without a label are left out.

    Clips of several data sets (``PackSkeletonViews(set_name=...)``) are classified set by
    set.

    Args:
        ks (Sequence[int]): Numbers of neighbours.
        chunk_size (int): Clips classified at a time.
        collect_device (str): As in :class:`BaseMetric`.
        prefix (str, optional): As in :class:`BaseMetric`.

    Metrics: ``knn/k1``, ..., the accuracy, 0 to 1. With several sets ``knn/NAME/k1``, ...,
    and ``knn/k1``, ..., their mean.
    """

    default_prefix = 'knn'

    def __init__(
        self,
        ks: Sequence[int] = (1, 5, 20),
        chunk_size: int = 1024,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if not ks or not all(type(k) is int and k >= 1 for k in ks):
            raise ValueError(
                f'KNNMetric: ks={tuple(ks)}; give whole numbers of at least 1.'
            )
        self.ks = tuple(ks)
        self.chunk_size = chunk_size

    def process(self, data_batch: dict, data_samples: Sequence[Tensor]) -> None:
        """Keep the features of a batch with their labels."""
        for sample, feature in zip(
            data_batch['data_samples'], data_samples, strict=True
        ):
            if 'gt_label' not in sample or int(sample.gt_label) == -1:
                continue
            self.results.append(
                dict(
                    feature=feature.detach().cpu(),
                    label=int(sample.gt_label),
                    bank=sample.get('knn_bank', False),
                    set_name=sample.get('set_name'),
                )
            )

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Classify all clips that are not in the bank."""
        sets: dict[str | None, list[dict]] = {}
        for result in results:
            sets.setdefault(result['set_name'], []).append(result)
        if len(sets) == 1:
            return self._classify(results, '')
        if None in sets:
            clips = len(sets[None])
            raise ValueError(
                f'KNNMetric: {clips} clips name no set and others do; give every '
                'PackSkeletonViews of the validation a set_name, or none.'
            )
        each = {
            name: self._classify(those, f' of {name}') for name, those in sets.items()
        }
        mean = {k: sum(m[k] for m in each.values()) / len(each) for k in self._names}
        return {f'{n}/{k}': v for n, m in each.items() for k, v in m.items()} | mean

    @property
    def _names(self) -> list[str]:
        return [f'k{k}' for k in self.ks]

    def _classify(self, results: list[dict], where: str) -> dict[str, float]:
        parts = {
            bank: [r for r in results if r['bank'] is bank] for bank in (True, False)
        }
        for bank, what in ((True, 'in the bank'), (False, 'to classify')):
            if not parts[bank]:
                raise ValueError(
                    f'KNNMetric: there is no labelled clip{where} {what}; the validation '
                    'data set must hold both, the bank packed with '
                    'PackSkeletonViews(knn_bank=True). Or leave validation out '
                    '(--no-validate).'
                )
        features, labels = zip(
            *(_stack(parts[bank]) for bank in (True, False)), strict=True
        )
        predicted = knn_predict(
            features[1], features[0], labels[0], self.ks, self.chunk_size
        )
        right = [(predicted[k] == labels[1]).float().mean().item() for k in self.ks]
        return dict(zip(self._names, right, strict=True))


def _stack(results: list[dict]) -> tuple[Tensor, Tensor]:
    features = torch.stack([r['feature'] for r in results])
    return features, torch.tensor([r['label'] for r in results])
