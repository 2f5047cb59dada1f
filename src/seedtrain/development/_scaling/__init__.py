"""A recipe from one vessel to another: what gives way, gradients, the rig at the bench, times, the document."""

from seedtrain.development._scaling._assumptions import Assumption, assumptions
from seedtrain.development._scaling._blocks import transfer_blocks
from seedtrain.development._scaling._gradient_blocks import transfer_figures
from seedtrain.development._scaling._gradients import Gradient, Gradients, gradients
from seedtrain.development._scaling._lines import scale_up_lines
from seedtrain.development._scaling._rig import Rig, rig
from seedtrain.development._scaling._scale_up import Headspace, ScaleUp, scale_up
from seedtrain.development._scaling._timing import Moment, timing

__all__ = [
    "Assumption",
    "Gradient",
    "Gradients",
    "Headspace",
    "Moment",
    "Rig",
    "ScaleUp",
    "assumptions",
    "gradients",
    "rig",
    "scale_up",
    "scale_up_lines",
    "timing",
    "transfer_blocks",
    "transfer_figures",
]
