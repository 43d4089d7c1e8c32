// The picture of a soak: a line for each member over time, for each thing that must stay flat.
const width = 760;
const height = 120;
const left = 60;
const gap = 44;
const colours = ['#2563eb', '#16a34a', '#d97706'];

const shown = (value) => (value >= 10 ? String(Math.round(value)) : value.toFixed(1));

/** One plot; `valueOf(sample)` of each member's samples. */
function plot({ title, unit, valueOf }, samples, top) {
  const columns = samples[0].members.map((_, number) => samples.map(({ members }) => valueOf(members[number])));
  const most = Math.max(...columns.flat(), 1e-9);
  const [from, to] = [samples[0].seconds, samples.at(-1).seconds];
  const x = (seconds) => left + ((width - left - 10) * (seconds - from)) / Math.max(1, to - from);
  const y = (value) => top + height - (height * value) / most;
  const lines = columns.map((values, number) => {
    const points = values.map((value, at) => `${x(samples[at].seconds).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    return `<polyline points="${points}" fill="none" stroke="${colours[number]}" stroke-width="1.2"/>`;
  });
  return [
    `<text x="${left}" y="${top - 8}" font-size="13">${title}</text>`,
    `<line x1="${left}" y1="${top + height}" x2="${width - 10}" y2="${top + height}" stroke="#9ca3af"/>`,
    `<text x="${left - 6}" y="${top + 8}" text-anchor="end">${shown(most)} ${unit}</text>`,
    `<text x="${left - 6}" y="${top + height}" text-anchor="end">0</text>`,
    ...lines,
  ];
}

/**
 * @param {readonly { seconds: number, members: readonly any[] }[]} samples
 * @param {readonly { title: string, unit: string, valueOf: (member: any) => number }[]} plots
 * @returns {string} SVG
 */
export function picture(samples, plots) {
  const total = plots.length * (height + gap) + 30;
  const names = samples[0].members.map(({ name }, number) => `<tspan fill="${colours[number]}">${name}</tspan>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${total}" fill="#ffffff"/>`,
    ...plots.flatMap((each, number) => plot(each, samples, 34 + number * (height + gap))),
    `<text x="${left}" y="${total - 10}">${Math.round(samples.at(-1).seconds / 60)} minutes; ${names.join(' ')}</text>`,
    '</svg>',
    '',
  ].join('\n');
}
