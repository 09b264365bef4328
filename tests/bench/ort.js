// Times a network in ONNX Runtime on one thread: node ort.js MODEL.onnx N C H W RUNS, with onnxruntime-node in NODE_PATH.
// Prints the best time of a run in milliseconds.
const ort = require("onnxruntime-node");

async function main() {
  const [model, ...numbers] = process.argv.slice(2);
  const [n, c, h, w, runs] = numbers.map(Number);
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  });
  const data = Float32Array.from({ length: n * c * h * w }, (_, i) => (i * 37) % 255);
  const feeds = { [session.inputNames[0]]: new ort.Tensor("float32", data, [n, c, h, w]) };
  let best = Infinity;
  for (let i = 0; i < runs; i++) {
    const start = process.hrtime.bigint();
    await session.run(feeds);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e6);
  }
  console.log(best);
}

main();
