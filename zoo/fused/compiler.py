"""Compile a stack's program for this processor, and call it. Door: llvmlite."""

from __future__ import annotations

import ctypes
from functools import lru_cache

import llvmlite.binding as llvm

from zoo.errors import ConfigError
from zoo.fused.codegen.builder import Machine
from zoo.fused.codegen.program import Program
from zoo.fused.layout import StackLayout
from zoo.fused.openmp import load_openmp
from zoo.fused.thread_tuner import ThreadTuner


class Kernel:
    """A compiled program.

    Args:
        layout: The stack.
        has_backward: Whether it computes loss and gradient, or else logits.

    Attributes:
        run: Takes the address of the arguments; see `zoo.fused.codegen.program.Slot`.
        lanes: Images of a group.
        gradient_stride: Numbers of a group's gradient, padded to whole vectors.
        num_vectors: Vectors of a thread's workspace.
        multiply_adds: Multiply-adds for one image, forward and backward.
        has_backward: Whether it computes loss and gradient.
        is_parallel: Whether groups can be shared among torch's own threads.
        thread_tuner: Whether they are for a small batch.

    Raises:
        ConfigError: LLVM cannot compile for this processor.
    """

    def __init__(self, layout: StackLayout, *, backward: bool) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = _detect_machine(layout.real_type)
        runtime = load_openmp()
        program = Program(layout, machine, backward=backward, parallel=runtime is not None)
        if runtime is not None:
            for name in ("GOMP_parallel", "omp_get_thread_num"):
                llvm.add_symbol(name, ctypes.cast(getattr(runtime, name), ctypes.c_void_p).value)
        self.lanes, self.gradient_stride, self.num_vectors = machine.lanes, program.gradient_stride, program.num_vectors
        self.multiply_adds = layout.multiply_adds
        self.has_backward = backward
        self.is_parallel, self.thread_tuner = runtime is not None, ThreadTuner()
        try:
            self._engine = _compile(program.llvm_ir)
        except RuntimeError as error:
            raise ConfigError(f"the fused program cannot be compiled here: {error}; use kernels='torch'") from error
        self.run = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._engine.get_function_address("run"))


def _compile(text: str) -> llvm.ExecutionEngine:
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


def _detect_machine(real: str) -> Machine:
    """Return how this processor's vectors are used: their width, and the tile whose sums fit its registers."""
    features = llvm.get_host_cpu_features()
    size = 8 if real == "double" else 4
    if features.get("avx512f"):
        return Machine(lanes=64 // size, tile_rows=4, tile_columns=6, real_type=real)
    if features.get("avx"):
        return Machine(lanes=32 // size, tile_rows=3, tile_columns=4, real_type=real)
    return Machine(lanes=16 // size, tile_rows=4, tile_columns=6 if features.get("neon") else 2, real_type=real)


@lru_cache(maxsize=64)
def compile_kernel(layout: StackLayout, *, backward: bool) -> Kernel:
    """Return the program of a shape, compiled once a process (about 0.15 s)."""
    return Kernel(layout, backward=backward)
