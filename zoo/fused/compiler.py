"""Compile the program of a stack for this processor. Door: llvmlite."""

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
        layout: The layout of the stack.
        backward: Compute loss and gradient; otherwise logits.

    Attributes:
        run: The program; it takes the address of its arguments, see `zoo.fused.codegen.program.Slot`.
        lanes: Images in a group.
        gradient_stride: Numbers in the gradient of a group, padded to full vectors.
        num_vectors: Number of vectors in the workspace of a thread.
        multiply_adds: Multiply-adds for one image, forward and backward.
        has_backward: Whether it computes loss and gradient.
        is_parallel: Whether groups can be shared among torch's own threads.
        thread_tuner: Chooses one thread or all for small batches, from measured times of the calls.

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


def _compile(llvm_ir: str) -> llvm.ExecutionEngine:
    """Compile LLVM IR for this processor.

    The IR is generated so that it needs no optimisation passes before.
    """
    features = llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=2
    )
    module = llvm.parse_assembly(llvm_ir)
    module.verify()
    engine = llvm.create_mcjit_compiler(module, target)
    engine.finalize_object()
    return engine


def _detect_machine(real_type: str) -> Machine:
    """Return the vector width of this processor, and the tile whose sums fit into its registers."""
    features = llvm.get_host_cpu_features()
    itemsize = 8 if real_type == "double" else 4
    if features.get("avx512f"):
        return Machine(lanes=64 // itemsize, tile_rows=4, tile_columns=6, real_type=real_type)
    if features.get("avx"):
        return Machine(lanes=32 // itemsize, tile_rows=3, tile_columns=4, real_type=real_type)
    return Machine(
        lanes=16 // itemsize, tile_rows=4, tile_columns=6 if features.get("neon") else 2, real_type=real_type
    )


@lru_cache(maxsize=64)
def compile_kernel(layout: StackLayout, *, backward: bool) -> Kernel:
    """Return the program of a layout, compiled once per process (about 0.15 s)."""
    return Kernel(layout, backward=backward)
