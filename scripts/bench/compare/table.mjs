// The results as lines of a terminal.

const columns = [
  ['cell', 11, ({ cell }) => cell],
  ['in flight', 9, ({ clients }) => String(clients)],
  ['quorate/s', 10, ({ quorate }) => String(Math.round(quorate.perSecond.median))],
  ['etcd/s', 9, ({ etcd }) => String(Math.round(etcd.perSecond.median))],
  ['ratio', 7, ({ ratio }) => ratio.toFixed(2)],
  ['p50 ms', 13, ({ quorate, etcd }) => pair(quorate.p50Ms, etcd.p50Ms)],
  ['p99 ms', 15, ({ quorate, etcd }) => pair(quorate.p99Ms, etcd.p99Ms)],
  ['gap ms', 11, ({ quorate, etcd }) => `${Math.round(quorate.longestGapMs)}/${Math.round(etcd.longestGapMs)}`],
  ['us/op', 9, ({ quorate, etcd }) => `${Math.round(quorate.usPerOperation)}/${Math.round(etcd.usPerOperation)}`],
  ['MiB', 9, ({ quorate, etcd }) => `${quorate.rssMiB}/${etcd.rssMiB}`],
  ['gen %', 7, ({ quorate, etcd }) => `${percent(quorate)}/${percent(etcd)}`],
];

const pair = (a, b) => `${a.toFixed(2)}/${b.toFixed(2)}`;
const percent = ({ generatorCpu }) => Math.round(100 * generatorCpu);

export const tableTitle = `${columns.map(([title, width]) => title.padStart(width)).join(' ')}   (pairs: quorate/etcd)`;

export function tableRow(row) {
  const errors = row.failed > 0 ? `   ${row.quorate.failed}/${row.etcd.failed} FAILED` : '';
  return columns.map(([, width, text]) => text(row).padStart(width)).join(' ') + errors;
}
