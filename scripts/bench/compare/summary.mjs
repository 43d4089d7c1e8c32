// What several measurements of one cell come to.

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function ofSystem(measurements) {
  const all = (pick) => measurements.map(pick);
  return {
    perSecond: {
      median: median(all((it) => it.perSecond)),
      min: Math.min(...all((it) => it.perSecond)),
      max: Math.max(...all((it) => it.perSecond)),
    },
    p50Ms: median(all((it) => it.p50Ms)),
    p95Ms: median(all((it) => it.p95Ms)),
    p99Ms: median(all((it) => it.p99Ms)),
    p999Ms: median(all((it) => it.p999Ms)),
    longestGapMs: Math.max(...all((it) => it.longestGapMs)),
    usPerOperation: median(all((it) => it.usPerOperation)),
    generatorCpu: median(all((it) => it.generatorCpu)),
    rssMiB: median(all((it) => Math.max(...it.members.map((member) => member.rssMiB)))),
    failed: all((it) => it.failed).reduce((sum, count) => sum + count, 0),
  };
}

/** @param {{ quorate: readonly any[], etcd: readonly any[] }} results */
export function summarise(results) {
  const [quorate, etcd] = [ofSystem(results.quorate), ofSystem(results.etcd)];
  return {
    ...{ quorate, etcd },
    ratio: quorate.perSecond.median / etcd.perSecond.median,
    p99Ratio: quorate.p99Ms / etcd.p99Ms,
    failed: quorate.failed + etcd.failed,
  };
}
