import type { AxisScale } from './scale.ts';

export interface Line {
  readonly name: string;
  /** Which of the colours. */
  readonly colour: 1 | 2 | 3;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Each value holds until the next; otherwise values lie on lines between the points. */
  readonly isStepped?: boolean;
}

export interface Panel {
  /** What is on the upright axis, with its unit. */
  readonly label: string;
  readonly scale: AxisScale;
  readonly lines: readonly Line[];
  /** A value that matters by itself. */
  readonly limit?: { readonly value: number; readonly name: string };
}

export interface Plot {
  readonly title: string;
  readonly subtitle: string;
  /** What is on the axis that all panels share. */
  readonly xLabel: string;
  readonly xScale: AxisScale;
  readonly panels: readonly Panel[];
}

const WIDTH = 820;
const LEFT = 64;
const RIGHT = 16;
const TOP = 76;
const PANEL_HEIGHT = 140;
const GAP = 40;
const BOTTOM = 44;
const INNER = WIDTH - LEFT - RIGHT;
const LETTER_WIDTH = 6.4;

interface Colours {
  readonly ground: string;
  readonly ink: string;
  readonly faint: string;
  readonly lines: readonly [string, string, string];
}

const LIGHT: Colours = {
  ground: '#ffffff',
  ink: '#1f2328',
  faint: '#d8dee4',
  lines: ['#0550ae', '#bc4c00', '#8250df'],
};
const DARK: Colours = {
  ground: '#0d1117',
  ink: '#e6edf3',
  faint: '#30363d',
  lines: ['#79c0ff', '#ffa657', '#d2a8ff'],
};

function coloured({ ground, ink, faint, lines }: Colours): string {
  const each = lines.map((line, index) => `.c${index + 1} { stroke: ${line}; }`).join(' ');
  return `.ground { fill: ${ground}; } text { fill: ${ink}; } .limit { stroke: ${ink}; } .grid { stroke: ${faint}; } ${each}`;
}

/** Whoever shows it says whether it is dark: the ground is the plot's own, so that it is readable on any page. */
const STYLE = `
text { font: 12px system-ui, sans-serif; }
.title { font-size: 15px; font-weight: 600; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.limit { stroke-dasharray: 4 4; }
.line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
${coloured(LIGHT)}
@media (prefers-color-scheme: dark) { ${coloured(DARK)} }
`;

/** An SVG document of panels one below the other. Pure: the same plot is the same text. */
export function renderPlot({ title, subtitle, xLabel, xScale, panels }: Plot): string {
  const height = TOP + panels.length * PANEL_HEIGHT + (panels.length - 1) * GAP + BOTTOM;
  const drawn = panels.map((panel, index) => renderPanel(panel, xScale, TOP + index * (PANEL_HEIGHT + GAP)));
  const foot = height - BOTTOM + 16;
  const xTicks = xScale.ticks.map((tick) => text(xAt(xScale, tick), foot, String(tick), 'middle'));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escape(title)}</title><desc>${escape(subtitle)}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>`,
    text(16, 22, title, 'title'),
    text(16, 40, subtitle),
    ...drawn,
    ...xTicks,
    text(LEFT + INNER / 2, foot + 18, xLabel, 'middle'),
    '</svg>',
    '',
  ].join('\n');
}

function renderPanel({ label, scale, lines, limit }: Panel, xScale: AxisScale, top: number): string {
  const yAt = (value: number): number => top + PANEL_HEIGHT * (1 - scale.place(value));
  const across = (y: number, name: string): string =>
    `<line class="${name}" x1="${LEFT}" x2="${LEFT + INNER}" y1="${place(y)}" y2="${place(y)}"/>`;
  const ticks = scale.ticks.map(
    (tick) => across(yAt(tick), 'grid') + text(LEFT - 6, yAt(tick) + 4, String(tick), 'end'),
  );
  const paths = lines.map(
    ({ colour, points, isStepped = false }) =>
      `<path class="line c${colour}" d="${pathOf(
        points.map(([x, y]) => [xAt(xScale, x), yAt(y)]),
        isStepped,
      )}"/>`,
  );
  const marked =
    limit === undefined
      ? []
      : [across(yAt(limit.value), 'limit'), text(LEFT + INNER, yAt(limit.value) - 4, limit.name, 'end')];
  return [text(LEFT, top - 8, label), renderLegend(lines, top - 8), ...ticks, ...paths, ...marked].join('\n');
}

function renderLegend(lines: readonly Line[], y: number): string {
  let right = LEFT + INNER;
  const entries = lines.toReversed().map(({ name, colour }) => {
    const nameRight = right;
    const dashRight = nameRight - name.length * LETTER_WIDTH - 6;
    right = dashRight - 40;
    return `${text(nameRight, y, name, 'end')}<line class="line c${colour}" x1="${place(dashRight - 20)}" x2="${place(dashRight)}" y1="${y - 4}" y2="${y - 4}"/>`;
  });
  return entries.toReversed().join('');
}

function xAt(scale: AxisScale, value: number): number {
  return LEFT + INNER * scale.place(value);
}

function pathOf(points: readonly (readonly [number, number])[], isStepped: boolean): string {
  const drawn = isStepped ? points.filter(([, y], index) => isCorner(points, index, y)) : points;
  return drawn
    .map(([x, y], index) => {
      if (index === 0) return `M${place(x)} ${place(y)}`;
      return isStepped ? `H${place(x)}V${place(y)}` : `L${place(x)} ${place(y)}`;
    })
    .join('');
}

function isCorner(points: readonly (readonly [number, number])[], index: number, y: number): boolean {
  return index === 0 || index === points.length - 1 || points[index - 1]?.[1] !== y;
}

function text(x: number, y: number, words: string, name?: string): string {
  const styled = name === undefined ? '' : ` class="${name}"`;
  return `<text${styled} x="${place(x)}" y="${place(y)}">${escape(words)}</text>`;
}

/** A tenth of a pixel is enough. */
function place(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escape(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
