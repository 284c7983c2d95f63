# HiCLR on MSR-Action3D, cross-subject.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/hiclr_stgcn_small.py',
    '../_base_/datasets/msr_action3d.py',
    '../_base_/schedules/pretrain_small.py',
    '../_base_/protocols/small_set.py',
]

# Strong augmentations one by one, or another similarity, by --cfg-options:
#   model.data_preprocessor.views.levels.1.0.ratio=0.2         mask 20 % of joints
#   model.graph_augment.drop=0.1 model.graph_augment.add=0.05  drop and add edges
#   model.data_preprocessor.ada_in.dims=TV                     SkeleAdaIN
#   model.head.similarity=js                                   or cosine, mse
# Levels: skeletonclr_stgcn_msr.py (one), hiclr_four_levels_stgcn_msr.py.
