// docs/benchmarks.md and its pictures.
import { writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { at } from '../../lib/paths.mjs';
import { startups } from './parts.mjs';
import { median } from './summary.mjs';

const width = 760;
const barHeight = 13;
const labelWidth = 250;
const colours = { quorate: '#2563eb', etcd: '#9ca3af' };

const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

/** Bars of both systems for each row, as long as what they reached is of the most. */
function picture(title, rows, valueOf, unit) {
  const most = Math.max(...rows.flatMap((row) => [valueOf(row.quorate), valueOf(row.etcd)]), 1e-9);
  const lines = rows.flatMap((row, number) => {
    const top = 34 + number * (2 * barHeight + 12);
    const label = `${row.label.split(':')[0]}, ${row.clients} in flight`;
    return [
      `<text x="${labelWidth - 8}" y="${top + barHeight + 3}" text-anchor="end">${escape(label)}</text>`,
      ...['quorate', 'etcd'].map((system, place) => {
        const value = valueOf(row[system]);
        const length = Math.max(1, ((width - labelWidth - 90) * value) / most);
        const y = top + place * barHeight;
        return (
          `<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight - 1}" fill="${colours[system]}"/>` +
          `<text x="${labelWidth + length + 5}" y="${y + barHeight - 3}">${shown(value)} ${unit}</text>`
        );
      }),
    ];
  });
  const height = 44 + rows.length * (2 * barHeight + 12);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="8" y="18" font-size="14">${escape(title)}</text>`,
    `<text x="${width - 8}" y="18" text-anchor="end"><tspan fill="${colours.quorate}">quorate</tspan> <tspan fill="#6b7280">etcd</tspan></text>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

const shown = (value) => (value >= 100 ? String(Math.round(value)) : value.toFixed(2));

function table(rows) {
  const head =
    '| load | in flight | quorate/s (min to max) | etcd/s (min to max) | ratio | p50 ms | p95 ms | p99 ms | p99.9 ms | longest gap ms | members µs/op | largest member MiB | generator % | errors |\n' +
    `|${' --- |'.repeat(14)}`;
  const rate = ({ median, min, max }) => `${Math.round(median)} (${Math.round(min)} to ${Math.round(max)})`;
  const both = ({ quorate, etcd }, pick) => `${shown(pick(quorate))} / ${shown(pick(etcd))}`;
  const lines = rows.map((row) =>
    [
      row.label,
      row.clients,
      rate(row.quorate.perSecond),
      rate(row.etcd.perSecond),
      `**${row.ratio.toFixed(2)}**`,
      ...['p50Ms', 'p95Ms', 'p99Ms', 'p999Ms', 'longestGapMs', 'usPerOperation', 'rssMiB'].map((name) =>
        both(row, (system) => system[name]),
      ),
      both(row, ({ generatorCpu }) => 100 * generatorCpu),
      both(row, ({ failed }) => failed),
    ].join(' | '),
  );
  return `${head}\n${lines.map((line) => `| ${line} |`).join('\n')}`;
}

const named = (rows) =>
  rows.map(({ part, row }) => `${part}: ${row.label}, ${row.clients} in flight: ${row.ratio.toFixed(2)}`);
const list = (lines) => (lines.length === 0 ? 'None in this run.' : lines.map((line) => `- ${line}`).join('\n'));

const tlsText = 'Clients and members speak TLS; of each other, members demand certificates. ';

const partText = ({ title, valueBytes, target, aged, tls, rows }) => `## ${title}

${tls ? tlsText : ''}${valueBytes}-byte values, sent to: ${target}; ${aged} revisions written before. Pairs are quorate / etcd.

${table(rows)}
`;

/** What each system reached in some rows, as a part of what it reached itself in others. */
const keptLines = (rows, otherOf) =>
  rows.map((row) => {
    const kept = ['quorate', 'etcd'].map((name) =>
      shown(row[name].perSecond.median / otherOf(row)[name].perSecond.median),
    );
    return `- ${row.label}, ${row.clients} in flight: quorate ${kept[0]}, etcd ${kept[1]}`;
  });

/** Aged throughput as a part of one's own fresh one. */
const agedText = ({ rows }) =>
  "Aged throughput, as a part of that of each system's own fresh cluster, measured in turn with it:\n\n" +
  `${keptLines(rows, ({ fresh }) => fresh).join('\n')}\n`;

/** Throughput with TLS as a part of one's own without. */
function tlsCostText({ rows }, [plain]) {
  const withoutTls = ({ cell, clients }) => plain.rows.find((row) => row.cell === cell && row.clients === clients);
  return (
    `Throughput with TLS, as a part of each system's own without it (${plain.title}, in the same run):\n\n` +
    `${keptLines(rows, withoutTls).join('\n')}\n`
  );
}

/** A part, and what is said about it besides its table. */
function wholeText(part, parts) {
  const more = [part.aged > 0 ? agedText(part) : '', part.tls ? tlsCostText(part, parts) : ''];
  return [partText(part), ...more].filter(Boolean).join('\n');
}

const gapText = (gaps) => `## When the leader is killed

The leader is killed (SIGKILL) while 16 writers go on through the other two members. The longest time between two
acknowledged writes, milliseconds, each time:

| system | gaps | median |
| --- | --- | --- |
${['quorate', 'etcd'].map((name) => `| ${name} | ${gaps[name].join(', ')} | ${median(gaps[name])} |`).join('\n')}
`;

const startRow = ({ signal, times }, name) => {
  const [starts, ends] = ['startMs', 'endMs'].map((key) => times[name].map((each) => each[key]));
  return `| ${name} | ${signal} | ${starts.join(', ')} | ${median(starts)} | ${median(ends)} |`;
};

const startText = (starts) => `## When a member starts

A follower that holds ${startups.keys} keys is ended, in good order (SIGTERM) or at once (SIGKILL), and started again. From the
start of its process to its first answer, each time, and how long it took to end before, median; milliseconds:

| system | after | times | median | end |
| --- | --- | --- | --- | --- |
${starts.flatMap((each) => ['quorate', 'etcd'].map((name) => startRow(each, name))).join('\n')}
`;

/** Writes the page and its pictures. */
export async function writePage({ facts, parts, gaps, starts }) {
  const [first] = parts;
  const all = parts.flatMap(({ title, rows }) => rows.map((row) => ({ part: title, row })));
  const unary = first.rows.filter(({ cell }) => cell !== 'bulk' && cell !== 'watch');
  await writeFile(
    at('docs/img/benchmarks-rate.svg'),
    picture('Operations a second', unary, (it) => it.perSecond.median, '/s'),
  );
  await writeFile(
    at('docs/img/benchmarks-p99.svg'),
    picture('99th percentile of the latency', unary, (it) => it.p99Ms, 'ms'),
  );
  const page = `# Benchmarks

Made by \`npm run bench:compare -- --page\`; never edited by hand. Where the time goes, and what was tried, is in
[performance.md](performance.md). Both systems run as fresh clusters of three members on one machine, with their default
options, loaded in turns by the same compiled generator with the same bytes, through etcd's API unless the row says
otherwise. Both wait for the disk (fsync) before they acknowledge. All members and the generator share the machine, so its
processor is the limit; compare ratios, not absolute numbers.

- Machine: ${facts.machine}
- Versions: Node ${facts.node}; etcd ${facts.etcd} (Debian)
- Each number is the median of ${facts.rounds} measurements of ${facts.seconds} s, in turns, on ${facts.keys} keys

![Operations a second](img/benchmarks-rate.svg)

![99th percentile](img/benchmarks-p99.svg)

${parts.map((part) => wholeText(part, parts)).join('\n')}
${gapText(gaps)}
${startText(starts)}
## Where quorate is ahead

${list(named(all.filter(({ row }) => row.ratio >= 1)))}

## Where etcd is ahead

${list(named(all.filter(({ row }) => row.ratio < 1)))}
`;
  const path = at('docs/benchmarks.md');
  await writeFile(path, await format(page, { ...(await resolveConfig(path)), filepath: path }));
}
