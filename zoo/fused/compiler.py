"""Compile a stack's program for this processor, and call it. Door: llvmlite."""

from __future__ import annotations

import ctypes
from functools import lru_cache

import llvmlite.binding as llvm

from zoo.errors import ConfigError
from zoo.fused.codegen.builder import Machine
from zoo.fused.codegen.program import Program
from zoo.fused.layout import Shape
from zoo.fused.thread_tuner import Pace
from zoo.training.precision import openmp


class Kernel:
    """A compiled program.

    Args:
        shape: The stack.
        learns: Whether it computes loss and gradient, or else logits.

    Attributes:
        run: Takes the address of the arguments; see `zoo.fused.codegen.program.Slot`.
        lanes: Images of a group.
        stride: Numbers of a group's gradient, padded to whole vectors.
        vectors: Vectors of a thread's workspace.
        work: Multiply-adds for one image, forward and backward.
        learns: Whether it computes loss and gradient.
        is_parallel: Whether groups can be shared among torch's own threads.
        pace: Whether they are for a small batch.

    Raises:
        ConfigError: LLVM cannot compile for this processor.
    """

    def __init__(self, shape: Shape, *, learns: bool) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = _machine(shape.real)
        runtime = openmp()
        program = Program(shape, machine, learns=learns, is_parallel=runtime is not None)
        if runtime is not None:
            for name in ("GOMP_parallel", "omp_get_thread_num"):
                llvm.add_symbol(name, ctypes.cast(getattr(runtime, name), ctypes.c_void_p).value)
        self.lanes, self.stride, self.vectors = machine.lanes, program.stride, program.vectors
        self.work = shape.work
        self.learns = learns
        self.is_parallel, self.pace = runtime is not None, Pace()
        try:
            self._engine = _compiled(program.text)
        except RuntimeError as error:
            raise ConfigError(f"the fused program cannot be compiled here: {error}; use kernels='torch'") from error
        self.run = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._engine.get_function_address("run"))


def _compiled(text: str) -> llvm.ExecutionEngine:
    """Return the program's code for this processor; it is written so that it needs no passes before."""
    features = llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=2
    )
    module = llvm.parse_assembly(text)
    module.verify()
    engine = llvm.create_mcjit_compiler(module, target)
    engine.finalize_object()
    return engine


def _machine(real: str) -> Machine:
    """Return how this processor's vectors are used: their width, and the tile whose sums fit its registers."""
    features = llvm.get_host_cpu_features()
    size = 8 if real == "double" else 4
    if features.get("avx512f"):
        return Machine(lanes=64 // size, rows=4, columns=6, real=real)
    if features.get("avx"):
        return Machine(lanes=32 // size, rows=3, columns=4, real=real)
    return Machine(lanes=16 // size, rows=4, columns=6 if features.get("neon") else 2, real=real)


@lru_cache(maxsize=64)
def kernel(shape: Shape, *, learns: bool) -> Kernel:
    """Return the program of a shape, compiled once a process (about 0.15 s)."""
    return Kernel(shape, learns=learns)
