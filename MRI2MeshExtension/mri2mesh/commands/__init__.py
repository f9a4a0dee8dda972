"""Subcommands of ``mri2mesh``, one file each.

A command module has ``NAME``, ``HELP`` (one line), a docstring for its own help, ``add_arguments(parser)`` and
``run(options) -> exit status``. What is slow to import is imported inside ``run``, so ``--help`` stays instant.
"""

from mri2mesh.commands import (
    build_shape_model,
    demo,
    evaluate,
    export,
    reconstruct,
    synthesise,
    train,
    weights,
    worker,
)

COMMANDS = (demo, reconstruct, export, build_shape_model, evaluate, synthesise, train, weights, worker)
