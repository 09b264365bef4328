#!/usr/bin/python3
"""How fast the networks are beside ONNX Runtime, and their convolutions beside oneDNN: one thread, one image.

usage: nn_yardsticks.py --bin DIR [--before DIR] [--models DIR] [--rounds N] [--runs N] [--layers]

The programs take turns for some rounds; of each the best time counts. Ratios above 1 say that ours is faster.
--before names another build folder to compare with, --layers prints each convolution beside oneDNN. ONNX Runtime comes
from npm into a cache folder (NODE and npm are needed), oneDNN from libdnnl-dev when the build was set up.
"""

import argparse
import json
import os
import subprocess

from bench import ROOT, add_bin_option

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "facefleet-bench")
BUILT_IN = os.path.join(ROOT, "deploy", "models", "default")

# Name, file below the folder with the models (None: built in), input.
NETWORKS = (
    ("default embedder", None, os.path.join(BUILT_IN, "embedder", "embedder.onnx"), (1, 3, 112, 112)),
    ("default detector 160²", None, os.path.join(BUILT_IN, "detector", "detector.onnx"), (1, 3, 160, 160)),
    ("default detector 320²", None, os.path.join(BUILT_IN, "detector", "detector.onnx"), (1, 3, 320, 320)),
    ("MobileFaceNet", "models", "mobilefacenet/mobilefacenet.onnx", (1, 3, 112, 112)),
    ("YuNet 640²", "models", "yunet/face_detection_yunet_2023mar.onnx", (1, 3, 640, 640)),
)


def one_core(command, text=None, **environment):
    """Runs a command on core 0 with one thread, and with whatever kernels OpenBLAS finds best."""
    env = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
    env.update(environment, OMP_NUM_THREADS="1")
    done = subprocess.run(["taskset", "-c", "0", *command], input=text, env=env, check=True, stdout=subprocess.PIPE,
                          text=True)
    return done.stdout


def node_modules():
    folder = os.path.join(CACHE, "onnxruntime")
    modules = os.path.join(folder, "node_modules")
    if not os.path.isdir(os.path.join(modules, "onnxruntime-node")):
        os.makedirs(folder, exist_ok=True)
        # Its install script fetches parts for GPUs, which are not wanted.
        subprocess.run(["npm", "install", "--silent", "--ignore-scripts", "--prefix", folder, "onnxruntime-node"],
                       check=True)
    return modules


def ours(build, path, shape, runs):
    program = os.path.join(build, "tests", "bench", "bench_nn")
    lines = one_core([program, "--json", path, *map(str, shape), str(runs)]).splitlines()
    return [json.loads(line) for line in lines]


def onnx_runtime(path, shape, runs, modules):
    script = os.path.join(ROOT, "tests", "bench", "ort.js")
    return float(one_core(["node", script, path, *map(str, shape), str(runs)], NODE_PATH=modules))


def onednn(build, convolutions, runs):
    text = "".join(" ".join(map(str, [*c, runs])) + "\n" for c in convolutions)
    program = os.path.join(build, "tests", "bench", "bench_dnnl")
    return [float(line) for line in one_core([program], text).split()]


def best_of(rounds, measure):
    """Element by element the least of what measure() returns."""
    return [min(times) for times in zip(*(measure() for _ in range(rounds)))]


def compare(arguments, name, path, shape, modules):
    results = []
    times = {"ours": [], "before": [], "ort": []}
    for _ in range(arguments.rounds):
        results.append(ours(arguments.bin, path, shape, arguments.runs))
        times["ours"].append(results[-1][-1]["whole_ms"])
        times["ort"].append(onnx_runtime(path, shape, arguments.runs, modules))
        if arguments.before:
            times["before"].append(ours(arguments.before, path, shape, arguments.runs)[-1]["whole_ms"])
    best = {key: min(values) for key, values in times.items() if values}
    peak = max(result[-1]["peak"] for result in results)
    rate = results[0][-1]["mmac"] / best["ours"]
    before = f"{best['before']:9.3f} {best['before'] / best['ours']:7.2f}" if arguments.before else " " * 17
    print(f"{name:22} {before} {best['ours']:8.3f} {rate:8.1f} {rate / peak:7.0%} {best['ort']:8.3f} "
          f"{best['ort'] / best['ours']:7.2f}", flush=True)
    return results


def print_layers(arguments, name, results):
    layers = [step for step in results[0] if "conv" in step]
    mine = best_of(1, lambda: [min(r[i]["ms"] for r in results) for i, s in enumerate(results[0]) if "conv" in s])
    theirs = best_of(arguments.rounds, lambda: onednn(arguments.bin, [s["conv"] for s in layers], arguments.runs))
    print(f"\n{name}: convolutions, bias only, in oneDNN's own layouts\n"
          f"{'input → filters, window':38} {'ms':>8} {'GMAC/s':>8} {'oneDNN':>8} {'ratio':>7}")
    for step, a, b in zip(layers, mine, theirs):
        c, h, w, filters, ky, kx, sy, _, _, _, groups, _, _ = step["conv"]
        text = f"{c}×{h}×{w} → {filters}, {ky}×{kx}" + (f" / {sy}" if sy > 1 else "") + (
            " depthwise" if groups > 1 else "")
        print(f"{text:38} {a:8.4f} {step['mmac'] / a:8.1f} {b:8.4f} {b / a:7.2f}")
    print(f"{'all convolutions':38} {sum(mine):8.4f} {'':8} {sum(theirs):8.4f} {sum(theirs) / sum(mine):7.2f}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_bin_option(parser)
    parser.add_argument("--before", metavar="DIR", help="another build folder")
    parser.add_argument("--models", metavar="DIR", help="folder with the networks that are not in the repository")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--layers", action="store_true")
    arguments = parser.parse_args()
    modules = node_modules()

    all_results = []
    print(f"{'network':22} {'before ms':>9} {'ratio':>7} {'ms':>8} {'GMAC/s':>8} {'of peak':>7} {'ORT ms':>8} {'ratio':>7}")
    for name, place, path, shape in NETWORKS:
        if place and not arguments.models:
            continue
        path = os.path.join(arguments.models, path) if place else path
        all_results.append((name, compare(arguments, name, path, shape, modules)))
    whole = all_results[0][1][0][-1]
    print(f"{whole['kernels']} kernels; the peak is cblas_sgemm 1024³ with OpenBLAS's {whole['blas']} kernels: "
          f"{whole['peak']:.1f} GMAC/s")
    if arguments.layers:
        for name, results in all_results:
            print_layers(arguments, name, results)


if __name__ == "__main__":
    main()
