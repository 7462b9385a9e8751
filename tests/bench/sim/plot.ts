/** The growth of the network's figures with its size, as an SVG that is legible on light and on dark pages. */
import type { RunResult } from './parts.ts';

interface Series {
  readonly name: string;
  readonly points: readonly { readonly n: number; readonly value: number }[];
}

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly series: readonly Series[];
  /** What is asked for, as a dashed line each. */
  readonly bars: readonly { readonly value: number; readonly name: string }[];
  /** The bottom of the axis; 0 when absent. */
  readonly from?: number;
  /** The top, when the highest value should not decide it. */
  readonly to?: number;
}

/** Pixels. */
const PANEL = { width: 420, height: 280, left: 56, right: 24, top: 44, bottom: 64, inset: 24 };
const COLUMNS = 2;
/** Told apart by lightness as well as by hue (Okabe and Ito's palette). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];
const MARKS = ['circle', 'square', 'triangle', 'diamond'] as const;
const TICKS = 5;

/** Draws what the results hold; a panel without any point is left out. */
export function drawPlot(results: readonly RunResult[]): string {
  const panels = panelsOf(results).filter(({ series }) => series.some(({ points }) => points.length > 0));
  const rows = Math.ceil(panels.length / COLUMNS);
  const [width, height] = [COLUMNS * PANEL.width, rows * PANEL.height];
  const drawn = panels.map((panel, i) => {
    const [x, y] = [(i % COLUMNS) * PANEL.width, Math.floor(i / COLUMNS) * PANEL.height];
    return `<g transform="translate(${x} ${y})">\n${drawPanel(panel)}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="How the network's figures grow with its size">
<style>
  svg { --ink: #1b1f24; --faint: #d4d9df; --paper: #ffffff; font: 12px system-ui, sans-serif; }
  @media (prefers-color-scheme: dark) { svg { --ink: #e6e8eb; --faint: #3a414b; --paper: #14171b; } }
  .paper { fill: var(--paper); } text { fill: var(--ink); } .title { font-weight: 600; font-size: 13px; }
  .grid { stroke: var(--faint); } .bar { stroke: var(--ink); stroke-dasharray: 5 4; opacity: .7; } .small { font-size: 11px; }
</style>
<rect class="paper" width="${width}" height="${height}"/>
${drawn.join('\n')}
</svg>
`;
}

function panelsOf(results: readonly RunResult[]): readonly Panel[] {
  const series = (name: string, part: string, value: (figures: Readonly<Record<string, number>>) => number | undefined): Series => ({
    name,
    points: results
      .flatMap(({ nodes, figures }) => {
        const found = figures[part] && value(figures[part]);
        return found === undefined || !Number.isFinite(found) ? [] : [{ n: nodes, value: found }];
      })
      .sort((a, b) => a.n - b.n),
  });
  const trips = (name: string) => (figures: Readonly<Record<string, number>>) =>
    (figures[name] ?? Number.NaN) / (figures.meanRoundTrip ?? Number.NaN);
  const percent = (name: string) => (figures: Readonly<Record<string, number>>) => 100 * (figures[name] ?? Number.NaN);
  return [
    {
      title: 'Time of a recursive lookup',
      unit: 'mean round trips; “sessions” have a median of 30 minutes',
      series: [
        series('median, static', 'lookup', trips('recursiveMedian')),
        series('p95, static', 'lookup', trips('recursiveP95')),
        series('median, sessions', 'churn', trips('lookupMedian')),
        series('p95, sessions', 'churn', trips('lookupP95')),
      ],
      bars: [
        { value: 2, name: 'bar, median' },
        { value: 3.5, name: 'bar, p95' },
      ],
    },
    {
      title: 'Messages of a lookup, all nodes counted',
      unit: 'messages',
      series: [
        series('recursive', 'lookup', (figures) => figures.recursiveMessages),
        series('iterative', 'lookup', (figures) => figures.iterativeMessages),
      ],
      bars: [{ value: 16, name: 'bar' }],
    },
    {
      title: 'Found of the true nearest 20',
      unit: '%',
      series: [
        series('static', 'lookup', percent('recursiveExact')),
        series('sessions', 'churn', percent('lookupExact')),
        series('static, iterative', 'lookup', percent('iterativeExact')),
        series('1% loss and NATs', 'lossy', percent('lookupExact')),
      ],
      bars: [{ value: 97, name: 'bar, sessions' }],
      from: 90,
      to: 100,
    },
    {
      title: 'Cost of a node',
      unit: 'messages, or bytes a second (sessions: without heartbeats)',
      series: [
        series('messages to join', 'join', (figures) => figures.messages),
        series('bytes/s, idle', 'idle', (figures) => figures.total),
        series('bytes/s, sessions', 'churn', (figures) => figures.rate),
      ],
      bars: [{ value: 200, name: 'bar, idle' }],
    },
  ];
}

function drawPanel({ title, unit, series, bars, from = 0, to }: Panel): string {
  const all = series.flatMap(({ points }) => points);
  const [least, most] = [Math.min(...all.map(({ n }) => n)), Math.max(...all.map(({ n }) => n))];
  const top = to ?? niceTop(Math.max(...all.map(({ value }) => value), ...bars.map(({ value }) => value)));
  const inner = { width: PANEL.width - PANEL.left - PANEL.right, height: PANEL.height - PANEL.top - PANEL.bottom };
  const x = (n: number): number =>
    PANEL.left + PANEL.inset + (least === most ? 0.5 : Math.log(n / least) / Math.log(most / least)) * (inner.width - 2 * PANEL.inset);
  const y = (value: number): number => PANEL.top + (1 - (Math.max(from, Math.min(top, value)) - from) / (top - from)) * inner.height;
  const parts = [
    `<text class="title" x="${PANEL.left}" y="18">${title}</text>`,
    `<text class="small" x="${PANEL.left}" y="34">${unit}</text>`,
  ];
  for (let i = 0; i <= TICKS; i++) {
    const value = from + ((top - from) * i) / TICKS;
    parts.push(`<line class="grid" x1="${PANEL.left}" x2="${PANEL.width - PANEL.right}" y1="${y(value)}" y2="${y(value)}"/>`);
    parts.push(`<text class="small" text-anchor="end" x="${PANEL.left - 6}" y="${y(value) + 4}">${Number(value.toPrecision(3))}</text>`);
  }
  for (const n of new Set(all.map((point) => point.n))) {
    parts.push(
      `<text class="small" text-anchor="middle" x="${x(n)}" y="${PANEL.height - PANEL.bottom + 16}">${n.toLocaleString('en')} nodes</text>`,
    );
  }
  for (const bar of bars) {
    if (bar.value < from || bar.value > top) continue;
    parts.push(`<line class="bar" x1="${PANEL.left}" x2="${PANEL.width - PANEL.right}" y1="${y(bar.value)}" y2="${y(bar.value)}"/>`);
    parts.push(`<text class="small" text-anchor="end" x="${PANEL.width - PANEL.right}" y="${y(bar.value) - 4}">${bar.name}</text>`);
  }
  const shown = series.filter(({ points }) => points.length > 0);
  for (const [i, { name, points }] of shown.entries()) {
    const colour = COLOURS[series.findIndex((one) => one.name === name)] as string;
    const places = points.map((point) => ({ x: x(point.n), y: y(point.value) }));
    parts.push(
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${places.map((place) => `${place.x},${place.y}`).join(' ')}"/>`,
    );
    for (const [j, place] of places.entries())
      parts.push(drawMark(i, place, { colour, title: `${name}: ${points[j]?.value.toPrecision(4)}` }));
    const place = { x: PANEL.left + 6 + (i % 2) * (inner.width / 2 - 10), y: PANEL.height - PANEL.bottom + 34 + Math.floor(i / 2) * 16 };
    parts.push(drawMark(i, place, { colour, title: name }), `<text class="small" x="${place.x + 10}" y="${place.y + 4}">${name}</text>`);
  }
  return parts.join('\n');
}

function drawMark(index: number, { x, y }: { x: number; y: number }, { colour, title }: { colour: string; title: string }): string {
  const told = `<title>${title}</title>`;
  switch (MARKS[index % MARKS.length]) {
    case 'square':
      return `<rect x="${x - 4}" y="${y - 4}" width="8" height="8" fill="${colour}">${told}</rect>`;
    case 'triangle':
      return `<path d="M${x} ${y - 5} l5 9 h-10 z" fill="${colour}">${told}</path>`;
    case 'diamond':
      return `<path d="M${x} ${y - 5} l5 5 -5 5 -5 -5 z" fill="${colour}">${told}</path>`;
    default:
      return `<circle cx="${x}" cy="${y}" r="4" fill="${colour}">${told}</circle>`;
  }
}

/** The least round number that is not below the value. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((one) => one * power >= value) ?? 10;
  return step * power;
}
