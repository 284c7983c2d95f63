# Linear evaluation on some hundred clips: one checkpoint, for the whole run takes seconds,
# and nine more would take about as long as the encoder does.
_base_ = 'labelled_runtime.py'

default_hooks = dict(checkpoint=dict(interval=100))
custom_hooks = [*_base_.custom_hooks, dict(type='StandardizedFeaturesHook')]
